/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-sidecore.c: who polls when, and that a guest never depends on it.
 */
#include "vm.h"

#define MS 1000

/* Items of a visit: a guest's share, and those of a command in progress. */
#define LONGEST (128 + VIOMMU_NR_REMOVED + 32)

static unsigned long table;

/* The queue is on, device 0 has a table, and the page is memory. */
static void start(void)
{
    table = vm_table();
    vm_set_context(0, table, 4, 1);
    vm_use_sidecore();
    vm_translate(1);
    CHECK(vm_no_exit(&vi));
}

static void start_lazy(void)
{
    start();
    vm_lazy = true;
}

/* The guest's vCPUs do what they were asked to. */
static void vcpus_run(void)
{
    if ( guest.deferred )
        vm_settle();
}

/* A command whose completion shows. */
static void ask(uint32_t number)
{
    q_put(WAIT_STATUS(number, PAGE(G_STATUS)));
    q_kick();
}

static void end(unsigned int sidecore)
{
    sidecore_end(&vm_sidecore[sidecore]);
}

static void begin(unsigned int sidecore)
{
    CHECK_EQ(sidecore_start(&vm_sidecore[sidecore]), 0);
}

static domid_t server(struct viommu *v)
{
    domid_t d = sidecore_of(v);

    return d == DOMID_INVALID ? d : d - vm_sidecore[0].domain_id;
}

static bool asleep(unsigned int sidecore)
{
    return guest.blocked & (1U << vm_sidecore[sidecore].domain_id % 32);
}

/* The page was memory for so much that one command will bring it back. */
static void be_worth_it(void)
{
    unsigned int i;

    for ( i = 0; i < 16; i++ )
    {
        ask(i);
        vm_poll(0);
    }
}

/* ---- All reasons for which a page traps again; nothing is lost ---- */

static void by_idle(void)
{
    /* Something new is not idle: the poll is in the middle of it. */
    guest.time_us += vi.set.idle_us;
    vm_poll(0);
}

static void by_fallback(void)
{
    vm_pass(vi.set.fallback_us);
}

static void by_fault(void)
{
    hw_pcidevs_lock();
    viommu_fault(&vi, (pci_sbdf_t){ .sbdf = vm_sbdf(0) }, 0, true);
    hw_pcidevs_unlock();
}

static void by_queue_error(void)
{
    q_put(0x0f, 0);
    q_kick();
    vm_poll(0);
}

static void by_completion(void)
{
    q_put(WAIT_INTERRUPT);
    q_kick();
    vm_poll(0);
}

static void by_root_pointer(void)
{
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE | VTD_GCMD_SRTP);
    vm_poll(0);
}

static void by_death(void)
{
    end(0);
}

static void by_setting(void)
{
    vm_set(mode, XEN_VIOMMU_MODE_trap);
}

static void (*const leave[])(void) = {
    by_idle, by_fallback, by_fault, by_queue_error, by_completion,
    by_root_pointer, by_death, by_setting,
};

static void write_ccmd(void)
{
    guest.on_inbox_unmap = guest.on_inbox_unmapped = NULL;
    wr64(VTD_CCMD, VTD_CCMD_ICC | 1ULL << 61);
}

static void write_tail(void)
{
    guest.on_inbox_unmap = guest.on_inbox_unmapped = NULL;
    ask(77);
}

/* For whatever reason the page is left, the sidecore does not come again. */
static void leave_it(unsigned int how)
{
    leave[how]();
    guest.rounds = 0;
    while ( guest.deferred )
        vcpus_run();
    CHECK(!vm_no_exit(&vi));
}

static void a_write_while_the_page_is_removed_is_not_lost(void)
{
    unsigned int how, trapped;

    for ( how = 0; how < ARRAY_SIZE(leave); how++ )
        for ( trapped = 0; trapped < 2; trapped++ )
        {
            vm_stop();
            vm_start();
            start_lazy();
            *(trapped ? &guest.on_inbox_unmapped
                      : &guest.on_inbox_unmap) = write_ccmd;
            leave_it(how);
            CHECK(!guest.on_inbox_unmap && !guest.on_inbox_unmapped);
            if ( rd64(VTD_CCMD) & VTD_CCMD_ICC )
                FAIL("lost: reason %u, trapped %u", how, trapped);

            /* The queue stands still after an error. */
            if ( leave[how] == by_queue_error )
                continue;
            vm_lazy = false;
            vm_stop();
            vm_start();
            start_lazy();
            *(trapped ? &guest.on_inbox_unmapped
                      : &guest.on_inbox_unmap) = write_tail;
            leave_it(how);
            if ( *vm_status() != 77 || rd64(VTD_IQT) != q_tail * 16 ||
                 rd64(VTD_IQH) != q_tail * 16 )
                FAIL("tail lost: reason %u, trapped %u", how, trapped);
        }
}

/* A batch that a sidecore has not finished when it is gone for good. */
static void a_batch_in_progress_is_not_lost(void)
{
    unsigned int how, i;

    for ( how = 0; how < ARRAY_SIZE(leave); how++ )
    {
        vm_lazy = false;
        vm_stop();
        vm_start();
        start_lazy();
        for ( i = 0; i < 200; i++ )
            q_put(IEC_GLOBAL);
        ask(5);
        if ( leave[how] == by_root_pointer )
            wr64(VTD_RTADDR, PAGE(G_ROOT));
        vm_poll(0);
        CHECK(vi.sc.more && vm_no_exit(&vi));
        CHECK_EQ(*vm_status(), 0);
        leave[how]();
        while ( guest.deferred )
            vcpus_run();
        /* It is dead, or the guest has fallen back. */
        vm_pass(2 * vi.set.fallback_us);
        if ( *vm_status() != 5 )
            FAIL("lost: reason %u", how);
    }
}

static unsigned int expected_tail;

static void tail_in_memory_then_trapped(void)
{
    CHECK(vm_no_exit(&vi));
    ask(1);
    guest.on_inbox_unmap = NULL;
}

static void trapped_later(void)
{
    CHECK(!vm_no_exit(&vi));
    /* What was written by memory is seen in a trap; then goes on from there. */
    CHECK_EQ(rd64(VTD_IQT), q_tail * 16);
    ask(2);
    CHECK_EQ(rd64(VTD_IQT), q_tail * 16);
    expected_tail = q_tail;
    guest.on_inbox_unmapped = NULL;
}

static void the_tail_never_goes_back(void)
{
    unsigned int how;

    for ( how = 0; how < ARRAY_SIZE(leave); how++ )
    {
        if ( leave[how] == by_queue_error )
            continue;
        vm_lazy = false;
        vm_stop();
        vm_start();
        start_lazy();
        guest.on_inbox_unmap = tail_in_memory_then_trapped;
        guest.on_inbox_unmapped = trapped_later;
        leave_it(how);
        CHECK(!guest.on_inbox_unmapped);
        CHECK_EQ(rd64(VTD_IQT), expected_tail * 16);
        CHECK_EQ(rd64(VTD_IQH), expected_tail * 16);
        CHECK_EQ(*vm_status(), 2);
    }
}

static void mask_by_memory(void)
{
    wr32(VTD_FEDATA, 0x4321);
    wr32(VTD_FECTL, VTD_EVENT_IM);
}

static void unmask_by_trap(void)
{
    CHECK_EQ(rd32(VTD_FEDATA), 0x4321);
    CHECK_EQ(rd32(VTD_FECTL), VTD_EVENT_IM);
    wr32(VTD_FECTL, 0);
    CHECK_EQ(rd32(VTD_FECTL), 0);
}

static void plain_registers_are_in_order_too(void)
{
    start();
    wr32(VTD_FECTL, 0);
    guest.on_inbox_unmap = mask_by_memory;
    guest.on_inbox_unmapped = unmask_by_trap;
    vm_lazy = true;
    by_idle();
    CHECK_EQ(rd32(VTD_FECTL), 0);
    CHECK_EQ(rd32(VTD_FEDATA), 0x4321);
}

static void ask_once(void)
{
    guest.on_inbox_map = NULL;
    ask(3);
    CHECK_EQ(rd64(VTD_IQT), q_tail * 16);
}

/* It traps, although the sidecore has the page filled already. */
static void a_trapped_access_just_before_the_page_is_mapped_counts(void)
{
    start_lazy();
    be_worth_it();
    by_idle();
    ask(1);
    guest.on_inbox_map = ask_once;
    vm_poll(0);
    CHECK(vm_no_exit(&vi));
    CHECK_EQ(rd64(VTD_IQT), q_tail * 16);
    vcpus_run();
    vm_poll(0);
    q_check();
    CHECK_EQ(*vm_status(), 3);
}

static void a_page_that_cannot_be_mapped_traps(void)
{
    guest.no_inbox_map = true;
    vm_use_sidecore();
    vm_queue_on();
    q_wait();
    CHECK(!vm_no_exit(&vi));
    CHECK_EQ(COUNT(no_exit_begins), 0);
    CHECK(asleep(0));
    guest.no_inbox_map = false;
    q_wait();
    CHECK(vm_no_exit(&vi));
}

static void a_page_without_memory_is_refused(void)
{
    struct xen_viommu_settings set = vi.set;

    begin(0);
    set.mode = XEN_VIOMMU_MODE_sidecore;
    harness.fail_in = 1;
    CHECK_EQ(viommu_set(&vi, &set), -ENOMEM);
    CHECK_EQ(vi.set.mode, XEN_VIOMMU_MODE_trap);
    CHECK_EQ(sidecore_of(&vi), DOMID_INVALID);
}

static void a_guest_at_work_is_passed_by(void)
{
    unsigned int i;

    start_lazy();
    ask(1);
    harness.trylocks = 1;
    vm_poll(0);
    CHECK_EQ(*vm_status(), 0);
    CHECK(!asleep(0));
    vm_poll(0);
    CHECK_EQ(*vm_status(), 1);
    /* Also when the page is to be repaired, every 16 rounds. */
    harness.trylocks = 1;
    for ( i = 0; i < 16; i++ )
        vm_poll(0);
    CHECK_EQ(harness.trylocks, 0);
    CHECK(vm_no_exit(&vi));
}

static void what_a_trapped_read_took_up_is_done(void)
{
    start_lazy();
    ask(1);
    /* It was on its way when the page became memory. */
    CHECK_EQ(viommu_mmio_read(&vi, VTD_IQT, 8), q_tail * 16);
    vm_poll(0);
    CHECK_EQ(*vm_status(), 1);

    /* Or, with a sidecore that is dead. */
    ask(2);
    CHECK_EQ(viommu_mmio_read(&vi, VTD_IQT, 8), q_tail * 16);
    vm_pass(vi.set.fallback_us);
    vcpus_run();
    CHECK_EQ(*vm_status(), 2);
}

/* ---- What needs a lock of Xen's ---- */

static void another_table_waits_for_the_next_visit(void)
{
    unsigned int i;

    start_lazy();
    vm_map(table, 4, 0, G_DATA, 1, RW);
    vm_set_context(0, table, 4, 2);
    q_put(CTX_GLOBAL);
    ask(1);
    for ( i = 0; i < 3; i++ )
    {
        /* Somebody else has it. */
        hw_pcidevs_lock();
        harness.locks = 0;
        vm_poll(0);
        hw_pcidevs_unlock();
        CHECK_EQ(*vm_status(), 0);
        CHECK(vi.sc.more);
        CHECK(!guest.deferred);
    }
    vm_poll_all();
    CHECK_EQ(*vm_status(), 1);
    expect(0, 0, G_DATA, RW);
}

/* ---- A sidecore that is dead, or slow ---- */

static void a_dead_sidecore_is_given_up_in_time(void)
{
    static const uint32_t limits[] = { 1000, 20000, 1000000 };
    unsigned int i;

    start_lazy();
    vm_set(idle_us, 10000 * MS);
    for ( i = 0; i < ARRAY_SIZE(limits); i++ )
    {
        uint64_t last;

        by_idle();
        vm_set(fallback_us, limits[i]);
        vcpus_run();
        while ( !vm_no_exit(&vi) )
        {
            ask(i);
            vm_pass(MS);
            vm_poll(0);
        }
        vm_pass(limits[i] / 3);
        vm_poll(0);
        last = guest.time_us;

        /* Not at once ... */
        vm_pass(limits[i] / 2 - 1);
        CHECK(!guest.deferred && vm_no_exit(&vi));
        ask(2 * i + 1);
        vm_pass(limits[i] / 2 + 1);
        CHECK(guest.deferred);
        /* ... and the first vCPU that comes does it. */
        vcpus_run();
        CHECK(guest.time_us <= last + limits[i]);
        CHECK(!vm_no_exit(&vi));
        CHECK_EQ(*vm_status(), 2 * i + 1);
        q_check();
        CHECK_EQ(COUNT(trap_fallbacks), i + 1);
        /* The timer comes no more. */
        vm_pass(2000 * MS);
        CHECK(!guest.deferred);
        CHECK_EQ(COUNT(trap_fallbacks), i + 1);
    }
}

static void a_new_limit_counts_at_once(void)
{
    start();
    vm_set(fallback_us, 1000000);
    q_wait();
    vm_set(fallback_us, 1000);
    vm_lazy = true;
    vm_poll(0);
    ask(1);
    vm_pass(1000);
    vcpus_run();
    CHECK(!vm_no_exit(&vi));
    CHECK_EQ(*vm_status(), 1);
}

static void one_that_polls_is_not_given_up(void)
{
    unsigned int i;

    start_lazy();
    vm_set(idle_us, 60000000);
    vcpus_run();
    for ( i = 0; i < 1000; i++ )
    {
        vm_pass(vi.set.fallback_us / 2 - 1);
        vm_poll(0);
    }
    CHECK(vm_no_exit(&vi));
    CHECK_EQ(COUNT(trap_fallbacks), 0);

    /* It comes back just before a vCPU acts on the timer. */
    vm_pass(vi.set.fallback_us);
    CHECK(guest.deferred);
    vm_poll(0);
    vcpus_run();
    CHECK(vm_no_exit(&vi));
    CHECK_EQ(COUNT(trap_fallbacks), 0);
}

/* Time from one poll, the last for some time, until it is memory again. */
static uint64_t pause_after_fallback(void)
{
    uint64_t since;

    vm_pass(vi.set.fallback_us);
    vcpus_run();
    since = guest.time_us;
    CHECK(!vm_no_exit(&vi));
    while ( !vm_no_exit(&vi) )
    {
        CHECK(!asleep(0));
        vm_pass(100);
        vm_poll(0);
    }

    return guest.time_us - since;
}

static void pauses_grow_and_are_forgotten(void)
{
    static const unsigned int expected[] = {
        10, 20, 40, 80, 160, 320, 640, 1000, 1000
    };
    unsigned int i, round;

    start_lazy();
    for ( round = 0; round < 2; round++ )
    {
        for ( i = 0; i < ARRAY_SIZE(expected); i++ )
        {
            uint64_t us = pause_after_fallback();
            CHECK(us >= expected[i] * MS && us <= expected[i] * MS + 200);
        }
        /* A second without one. */
        for ( i = 0; i < 250; i++ )
        {
            vm_pass(4 * MS);
            ask(i);
            vm_poll(0);
        }
        CHECK(vm_no_exit(&vi));
    }
    CHECK_EQ(COUNT(trap_fallbacks), 2 * ARRAY_SIZE(expected));
}

/* ---- Idle ---- */

static void an_idle_guest_traps_and_its_sidecore_sleeps(void)
{
    start_lazy();
    vm_set(idle_us, 5000);
    vcpus_run();
    ask(1);
    vm_poll(0);
    vm_pass(4999);
    vm_poll(0);
    CHECK(vm_no_exit(&vi) && !asleep(0));
    ask(2);
    vm_poll(0);
    vm_pass(4999);
    vm_poll(0);
    CHECK(vm_no_exit(&vi) && !asleep(0));
    vm_pass(1);
    vm_poll(0);
    CHECK(!vm_no_exit(&vi) && asleep(0));
    CHECK_EQ(COUNT(no_exit_idles), 1);
    CHECK_EQ(COUNT(sidecore_wakeups), 2);

    /* What is no command wakes nobody. */
    vm_pass(10000 * MS);
    (void)rd32(VTD_FSTS);
    wr32(VTD_FEDATA, 1);
    CHECK(asleep(0));
    CHECK_EQ(COUNT(trap_fallbacks), 0);
}

static void a_command_wakes_its_sidecore(void)
{
    struct viommu_sidecore info;
    unsigned int before;

    start_lazy();
    be_worth_it();
    by_idle();
    CHECK(asleep(0) && !vm_no_exit(&vi));
    before = COUNT(sidecore_wakeups);
    ask(1);
    CHECK_EQ(*vm_status(), 1);
    CHECK(!asleep(0));
    CHECK_EQ(COUNT(sidecore_wakeups), before + 1);
    CHECK_EQ(sidecore_info(&vm_sidecore[0], &info), 0);
    CHECK_EQ(info.wakeups, before + 1);
    CHECK(!info.asleep);
    vm_poll(0);
    CHECK(vm_no_exit(&vi));
}

/* Who is at it when it wakes may be a timer, which wakes nobody after that. */
static void it_does_not_fall_asleep_over_a_lock(void)
{
    start_lazy();
    be_worth_it();
    by_idle();
    ask(1);
    harness.trylocks = 1;
    vm_poll(0);
    CHECK(!asleep(0) && !harness.trylocks);
    vm_poll(0);
    CHECK(vm_no_exit(&vi));
}

static void ask_meanwhile(void)
{
    guest.on_block = NULL;
    ask(9);
}

static void a_command_while_it_falls_asleep_wakes_it(void)
{
    start_lazy();
    be_worth_it();
    guest.on_block = ask_meanwhile;
    by_idle();
    CHECK(!guest.on_block);
    CHECK(!asleep(0));
    vm_poll(0);
    CHECK(vm_no_exit(&vi));
}

static void seldom_used_pages_change_seldom(void)
{
    unsigned int needed = 1, i, n;

    start_lazy();
    for ( i = 0; i < 10; i++ )
    {
        by_idle();
        CHECK(asleep(0));
        needed = min(needed * 2, 64U);
        for ( n = 1; asleep(0); n++ )
            ask(n);
        CHECK_EQ(n - 1, needed);
        vm_poll(0);
        CHECK(vm_no_exit(&vi));
    }

    /* One that was worth it. */
    be_worth_it();
    by_idle();
    CHECK(asleep(0));
    ask(1);
    CHECK(!asleep(0));
}

/* A status that makes the page trap is not a guest without work. */
static void after_a_status_the_page_comes_back_at_once(void)
{
    start_lazy();
    by_idle();
    ask(1);
    ask(2);
    vm_poll(0);
    by_completion();
    CHECK(!vm_no_exit(&vi));
    wr32(VTD_ICS, VTD_ICS_IWC);
    vm_poll(0);
    ask(3);
    vm_poll(0);
    CHECK(vm_no_exit(&vi));
}

/* ---- Several guests, several sidecores ---- */

static void only_a_sidecore_polls(void)
{
    unsigned int i;

    CHECK_EQ(sidecore_poll(&vm_sidecore[0]), -EPERM);
    for ( i = 0; i < XEN_VIOMMU_MAX_SIDECORES; i++ )
    {
        begin(i);
        CHECK_EQ(sidecore_start(&vm_sidecore[i]), -EEXIST);
    }
    CHECK_EQ(sidecore_start(&vm_sidecore[i]), -ENOSPC);
    CHECK_EQ(sidecore_poll(&vm_sidecore[i]), -EPERM);
    CHECK_EQ(sidecore_info(&vm_sidecore[i], &(struct viommu_sidecore){ 0 }),
             -ENOENT);
    end(i);
    end(3);
    CHECK_EQ(sidecore_poll(&vm_sidecore[3]), -EPERM);
    CHECK_EQ(sidecore_start(&vm_sidecore[i]), 0);
    CHECK_EQ(sidecore_poll(&vm_sidecore[i]), 0);
}

static void without_a_sidecore_the_mode_is_refused(void)
{
    struct xen_viommu_settings set = vi.set;

    set.mode = XEN_VIOMMU_MODE_sidecore;
    CHECK_EQ(viommu_set(&vi, &set), -ENXIO);
    CHECK_EQ(vi.set.mode, XEN_VIOMMU_MODE_trap);
    CHECK_EQ(sidecore_of(&vi), DOMID_INVALID);
}

static void guests_go_where_the_fewest_are(void)
{
    struct viommu *v[6];
    unsigned int i, n[3] = { 0 };

    begin(0);
    vm_serve(&vi);
    CHECK_EQ(server(&vi), 0);
    begin(1);
    begin(2);
    for ( i = 0; i < 5; i++ )
    {
        v[i] = vm_add();
        CHECK_EQ(server(v[i]), DOMID_INVALID);
        vm_serve(v[i]);
        CHECK(server(v[i]) == (i + 1) % 3 || i % 3 == 0);
    }
    for ( i = 0; i < 5; i++ )
        n[server(v[i])]++;
    CHECK_EQ(n[0], 1);
    CHECK_EQ(n[1], 2);
    CHECK_EQ(n[2], 2);

    /* Once more changes nothing. */
    vm_serve(&vi);
    CHECK_EQ(server(&vi), 0);
    /* The next one goes where one has left. */
    i = server(v[1]);
    v[1]->set.mode = XEN_VIOMMU_MODE_trap;
    CHECK_EQ(viommu_set(v[1], &v[1]->set), 0);
    CHECK_EQ(server(v[1]), DOMID_INVALID);
    v[5] = vm_add();
    vm_serve(v[5]);
    CHECK(server(v[5]) == i || server(v[5]) == 0);
}

/* By queue or register, whatever v is: done is seen in CCMD. */
static void ask_unit(struct viommu *v)
{
    vm_write(v, VTD_CCMD, 8, VTD_CCMD_ICC | 1ULL << 61);
}

static bool done_unit(struct viommu *v)
{
    return !(vm_read(v, VTD_CCMD, 8) & VTD_CCMD_ICC);
}

static void a_sidecore_that_ends_leaves_its_guests_to_others(void)
{
    struct viommu *v[3];
    unsigned int i;

    vm_lazy = true;
    begin(0);
    for ( i = 0; i < 3; i++ )
    {
        v[i] = vm_add();
        vm_serve(v[i]);
        ask_unit(v[i]);
    }
    vm_settle();
    vm_poll(0);
    for ( i = 0; i < 3; i++ )
    {
        CHECK(vm_no_exit(v[i]) && done_unit(v[i]));
        ask_unit(v[i]);
    }
    begin(1);

    end(0);
    CHECK(guest.deferred);
    vm_settle();
    for ( i = 0; i < 3; i++ )
    {
        CHECK(!vm_no_exit(v[i]) && done_unit(v[i]));
        CHECK_EQ(server(v[i]), 1);
        ask_unit(v[i]);
    }
    vm_settle();
    vm_poll(1);
    for ( i = 0; i < 3; i++ )
    {
        CHECK(vm_no_exit(v[i]));
        ask_unit(v[i]);
    }

    /* Nobody is left: orphans, until somebody comes. */
    end(1);
    vm_settle();
    for ( i = 0; i < 3; i++ )
    {
        CHECK(!vm_no_exit(v[i]) && done_unit(v[i]));
        CHECK_EQ(server(v[i]), DOMID_INVALID);
        CHECK_EQ(v[i]->set.mode, XEN_VIOMMU_MODE_sidecore);
        ask_unit(v[i]);
        CHECK(done_unit(v[i]));
    }
    /* One of them is no more; from the middle of the list. */
    v[1]->set.mode = XEN_VIOMMU_MODE_trap;
    CHECK_EQ(viommu_set(v[1], &v[1]->set), 0);
    begin(2);
    CHECK_EQ(server(v[0]), 2);
    CHECK_EQ(server(v[1]), DOMID_INVALID);
    CHECK_EQ(server(v[2]), 2);
    ask_unit(v[0]);
    vm_poll(2);
    CHECK(vm_no_exit(v[0]) && !vm_no_exit(v[2]));
}

static void a_page_is_polled_by_its_own_sidecore_only(void)
{
    struct viommu *other = vm_add();

    begin(0);
    vm_serve(&vi);
    begin(1);
    vm_serve(other);
    CHECK_EQ(server(other), 1);
    vm_lazy = true;
    wr32(VTD_GCMD, 0);
    vm_poll(0);
    ask_unit(&vi);
    vm_poll(1);
    CHECK(!done_unit(&vi));
    vm_poll(0);
    CHECK(done_unit(&vi));
}

/* One has endless work; others are visited in each round, and it is bounded. */
static void several_guests_share_fairly(void)
{
    struct viommu *v[3];
    unsigned int i, round;

    start_lazy();
    for ( i = 0; i < 3; i++ )
    {
        v[i] = vm_add();
        vm_serve(v[i]);
        ask_unit(v[i]);
    }
    vm_settle();
    vm_poll(0);
    vi.count[XEN_VIOMMU_CNT_longest_entry] = 0;
    vi.count[XEN_VIOMMU_CNT_sidecore_batches] = 0;
    for ( round = 0; round < 100; round++ )
    {
        while ( (q_tail + 1) % 256 != rd64(VTD_IQH) / 16 )
            q_put(round & 1 ? 0x25 : 0xd2, 0);
        q_kick();
        for ( i = 0; i < 3; i++ )
            ask_unit(v[i]);
        vm_poll(0);
        for ( i = 0; i < 3; i++ )
            CHECK(done_unit(v[i]));
    }
    CHECK(COUNT(longest_entry) >= 128 && COUNT(longest_entry) <= LONGEST);
    CHECK_EQ(v[0]->count[XEN_VIOMMU_CNT_sidecore_batches], 100);
    CHECK(COUNT(sidecore_batches) >= 20 && COUNT(sidecore_batches) <= 100);
}

/*
 * An invalidation whose removals fit one flush has one, whatever was done in
 * the visit before it.
 */
static void a_visit_cuts_no_command_that_one_flush_ends(void)
{
    unsigned int am, before, i, pages;

    start_lazy();
    for ( am = 0; am <= 9; am++ )
        for ( before = 0; before <= 120; before += 40 )
        {
            pages = 1U << am;
            for ( i = 0; i < pages; i++ )
                vm_map(table, 4, PAGE(i), G_DATA + i % 128, 1, RW);
            q_put(IOTLB_PAGE(1, 0, am));
            ask(1);
            vm_poll_all();
            CHECK_EQ(*vm_status(), 1);

            for ( i = 0; i < pages; i++ )
                vm_map(table, 4, PAGE(i), 0, 1, 0);
            for ( i = 0; i < before; i++ )
                q_put(IEC_GLOBAL);
            q_put(IOTLB_PAGE(1, 0, am));
            ask(2);
            hw.flushes = 0;
            vm_poll_all();
            CHECK_EQ(*vm_status(), 2);
            if ( hw.flushes != 1 )
                FAIL("%u flushes for %u pages after %u descriptors",
                     hw.flushes, pages, before);
        }
    CHECK(vm_no_exit(&vi));
}

/* A guest whose visit was longer than others' waits as often as they do. */
static void a_long_visit_is_paid_back(void)
{
    const unsigned int rounds = 200;
    struct viommu *v = vm_add();
    unsigned int i, items = 0;

    start_lazy();
    for ( i = 0; i < 4096; i++ )
        vm_map(table, 4, PAGE(i), G_DATA + i % 128, 1, RW);
    vm_serve(v);
    ask_unit(v);
    vm_settle();
    vm_poll(0);
    for ( i = 0; i < rounds; i++ )
    {
        if ( (q_tail + 1) % 256 != rd64(VTD_IQH) / 16 )
            q_put(IOTLB_DOMAIN(1));
        q_kick();
        ask_unit(v);
        COUNT(longest_entry) = 0;
        vm_poll(0);
        items += COUNT(longest_entry);
        CHECK(COUNT(longest_entry) <= LONGEST);
        CHECK(done_unit(v));
    }
    CHECK(items > rounds * 100 && items <= (rounds + 5) * 128);
    CHECK(vm_no_exit(&vi));
}

static void one_guest_asleep_does_not_stop_the_others(void)
{
    struct viommu *v = vm_add();
    unsigned int i;

    start_lazy();
    vm_serve(v);
    ask_unit(v);
    vm_poll(0);
    for ( i = 0; i < 30; i++ )
    {
        vm_pass(vi.set.idle_us / 20);
        vm_poll(0);
        ask_unit(v);
        vm_poll(0);
        CHECK(done_unit(v));
    }
    CHECK(!vm_no_exit(&vi) && vm_no_exit(v) && !asleep(0));
}

/* ---- One call polls for a while ---- */

static void a_call_polls_for_a_bounded_time(void)
{
    struct viommu_sidecore info;

    start_lazy();
    guest.rounds = 50;
    ask(4);
    vm_poll(0);
    CHECK_EQ(guest.rounds, 0);
    CHECK_EQ(*vm_status(), 4);
    CHECK_EQ(sidecore_info(&vm_sidecore[0], &info), 0);
    CHECK_EQ(info.last_poll, guest.time_us);
    CHECK_EQ(info.nr_guests, 1);

    /* Its time is up, although nobody wants the CPU. */
    guest.rounds = 1000000;
    guest.tick_us = 10;
    vm_poll(0);
    CHECK(guest.rounds > 999800 && guest.rounds < 999999);
    guest.tick_us = 0;
    guest.rounds = 0;
}

/* ---- Settings ---- */

static void settings_out_of_range_change_nothing(void)
{
    static const struct {
        unsigned int field;
        uint32_t bad[2], good[2];
    } ranges[] = {
#define FIELD(name) offsetof(struct xen_viommu_settings, name) / 4
        { FIELD(mode), { 2, ~0U }, { 0, 1 } },
        { FIELD(teardown), { 2, ~0U }, { 0, 1 } },
        { FIELD(window_us), { 0, 1000001 }, { 1, 1000000 } },
        { FIELD(quota), { 0, 65537 }, { 1, 65536 } },
        { FIELD(fallback_us), { 999, 1000001 }, { 1000, 1000000 } },
        { FIELD(idle_us), { 999, 60000001 }, { 1000, 60000000 } },
#undef FIELD
    };
    struct xen_viommu_settings set, before;
    unsigned int i, j;

    begin(0);
    for ( i = 0; i < ARRAY_SIZE(ranges); i++ )
        for ( j = 0; j < 2; j++ )
        {
            before = set = vi.set;
            set.mode = !before.mode;
            ((uint32_t *)&set)[ranges[i].field] = ranges[i].bad[j];
            CHECK_EQ(viommu_set(&vi, &set), -ERANGE);
            CHECK(!memcmp(&vi.set, &before, sizeof(set)));
            CHECK_EQ(vi.sc.assigned, before.mode);
            CHECK_EQ(guest.deferred, 0);

            ((uint32_t *)&before)[ranges[i].field] = ranges[i].good[j];
            CHECK_EQ(viommu_set(&vi, &before), 0);
            CHECK(!memcmp(&vi.set, &before, sizeof(set)));
            CHECK_EQ(vi.sc.assigned, before.mode);
            vm_settle();
        }
}

/*
 * The CPU of the timer, or of a vCPU, read its clock before the sidecore read
 * its own, or is a little behind.
 */
static void a_poll_in_the_future_is_no_silence(void)
{
    start_lazy();
    vm_pass(MS);
    ask(1);
    vm_poll(0);
    vcpus_run();
    CHECK(vm_no_exit(&vi) && !guest.deferred);

    guest.time_us--;
    sidecore_watch(&vi);
    CHECK(!guest.deferred && !vi.sc.given_up);

    vi.sc.given_up = true;
    CHECK(!viommu_work(&vi));
    CHECK(vm_no_exit(&vi));
    CHECK_EQ(COUNT(trap_fallbacks), 0);
}

/* The memory for another quota is short: mode and sidecore stay, too. */
static void settings_without_memory_change_nothing(void)
{
    unsigned int mode;

    begin(0);
    for ( mode = XEN_VIOMMU_MODE_trap; mode <= XEN_VIOMMU_MODE_sidecore;
          mode++ )
    {
        struct xen_viommu_settings set, before;

        set = vi.set;
        set.mode = mode;
        CHECK_EQ(viommu_set(&vi, &set), 0);
        before = set;
        set.mode = !mode;
        set.quota++;
        CHECK_EQ(guest_inbox_alloc(&vi), 0);
        harness.fail_in = 1;
        CHECK_EQ(viommu_set(&vi, &set), -ENOMEM);
        CHECK(!memcmp(&vi.set, &before, sizeof(set)));
        CHECK_EQ(vi.sc.assigned, mode);
        vm_settle();
    }
}

/* It waits for a sidecore, which is no reason to refuse the rest. */
static void an_orphan_can_be_set(void)
{
    begin(0);
    vm_serve(&vi);
    end(0);
    CHECK_EQ(sidecore_of(&vi), DOMID_INVALID);
    vm_set(window_us, 777);
    begin(1);
    CHECK_EQ(server(&vi), 1);
}

static void commands_in_the_page_survive_the_mode(void)
{
    unsigned int i;

    start_lazy();
    for ( i = 1; i < 10; i++ )
    {
        ask(i);
        CHECK(vm_no_exit(&vi));
        vm_set(mode, XEN_VIOMMU_MODE_trap);
        CHECK(!vm_no_exit(&vi));
        vcpus_run();
        CHECK_EQ(*vm_status(), i);
        q_check();
        vm_poll(0);
        CHECK(asleep(0));
        vm_set(mode, XEN_VIOMMU_MODE_sidecore);
        vcpus_run();
        ask(i);
        vm_poll(0);
    }
}

static void destruction_while_the_page_is_memory(void)
{
    start_lazy();
    vm_map(table, 4, 0, G_DATA, 1, RW);
    q_put(IOTLB_DOMAIN(1));
    ask(1);
    vm_poll(0);
    vm_set_context(0, table, 4, 2);
    q_put(CTX_GLOBAL);
    ask(2);
    CHECK(vm_no_exit(&vi));
    vm_stop();
    CHECK(!vm_no_exit(&vi));
    /* Nobody is left to be polled. */
    begin(0);
    vm_poll(0);
    CHECK(asleep(0));
}

TESTS(sidecore_tests) = {
    TEST_TRAPPED(a_write_while_the_page_is_removed_is_not_lost),
    TEST_TRAPPED(a_batch_in_progress_is_not_lost),
    TEST_TRAPPED(the_tail_never_goes_back),
    TEST_TRAPPED(plain_registers_are_in_order_too),
    TEST_TRAPPED(a_trapped_access_just_before_the_page_is_mapped_counts),
    TEST_TRAPPED(a_page_that_cannot_be_mapped_traps),
    TEST_TRAPPED(a_page_without_memory_is_refused),
    TEST_TRAPPED(a_guest_at_work_is_passed_by),
    TEST_TRAPPED(what_a_trapped_read_took_up_is_done),
    TEST_TRAPPED(another_table_waits_for_the_next_visit),
    TEST_TRAPPED(a_dead_sidecore_is_given_up_in_time),
    TEST_TRAPPED(a_new_limit_counts_at_once),
    TEST_TRAPPED(one_that_polls_is_not_given_up),
    TEST_TRAPPED(pauses_grow_and_are_forgotten),
    TEST_TRAPPED(an_idle_guest_traps_and_its_sidecore_sleeps),
    TEST_TRAPPED(a_command_wakes_its_sidecore),
    TEST_TRAPPED(it_does_not_fall_asleep_over_a_lock),
    TEST_TRAPPED(a_command_while_it_falls_asleep_wakes_it),
    TEST_TRAPPED(seldom_used_pages_change_seldom),
    TEST_TRAPPED(after_a_status_the_page_comes_back_at_once),
    TEST_TRAPPED(only_a_sidecore_polls),
    TEST_TRAPPED(without_a_sidecore_the_mode_is_refused),
    TEST_TRAPPED(guests_go_where_the_fewest_are),
    TEST_TRAPPED(a_sidecore_that_ends_leaves_its_guests_to_others),
    TEST_TRAPPED(a_page_is_polled_by_its_own_sidecore_only),
    TEST_TRAPPED(several_guests_share_fairly),
    TEST_TRAPPED(a_visit_cuts_no_command_that_one_flush_ends),
    TEST_TRAPPED(a_long_visit_is_paid_back),
    TEST_TRAPPED(one_guest_asleep_does_not_stop_the_others),
    TEST_TRAPPED(a_call_polls_for_a_bounded_time),
    TEST_TRAPPED(settings_out_of_range_change_nothing),
    TEST_TRAPPED(a_poll_in_the_future_is_no_silence),
    TEST_TRAPPED(settings_without_memory_change_nothing),
    TEST_TRAPPED(an_orphan_can_be_set),
    TEST_TRAPPED(commands_in_the_page_survive_the_mode),
    TEST_TRAPPED(destruction_while_the_page_is_memory),
    TESTS_END
};

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
