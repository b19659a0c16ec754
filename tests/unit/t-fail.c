/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-fail.c: the first, second, ... thing that is asked of others is refused,
 * until the operation passes without: an allocation, or the guest's memory. And
 * the quota is one page, two, ...; until it is enough.
 *
 * Whatever fails, no device reaches what the guest did not map, nothing leaks,
 * the unit goes on, and the same once more works.
 */
#include "vm.h"

static unsigned long table;

#define TWO_M VTD_LEVEL_SIZE(2)
#define ONE_G VTD_LEVEL_SIZE(3)

/* More than any operation asks for. */
#define MOST  2000

struct scenario {
    void (*before)(void);        /* nothing fails yet */
    void (*act)(void);           /* may be repeated */
    void (*good)(void);          /* what is so when nothing has failed */
    /* What it has to ask for, or the scenario proves nothing. */
    bool allocates, uses_memory;
    /* So many are refused at the most, if it takes too many to pass. */
    unsigned int most;
};

/* The driver tells the unit, and comes to terms with errors. */
static void command(uint64_t lo, uint64_t hi)
{
    q_put(lo, hi);
    q_kick();
}

static void go_on(void)
{
    if ( rd32(VTD_FSTS) & VTD_FSTS_IQE )
        wr32(VTD_FSTS, VTD_FSTS_IQE);
    vm_settle();
}

/* What the guest's table maps addr to; 0: nothing. */
static uint64_t allowed(uint64_t addr)
{
    unsigned long gfn = table;
    unsigned int level;
    uint64_t entry;

    for ( level = 4; ; level-- )
    {
        entry = guest_page(gfn)[VTD_LEVEL_INDEX(addr, level)];
        gfn = (entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT;
        if ( !(entry & RW) )
            return 0;
        if ( level == 1 || (entry & VTD_PTE_SP) )
            break;
    }

    return PAGE(gfn + (addr & (VTD_LEVEL_SIZE(level) - 1)) /
                      VTD_LEVEL_SIZE(1)) | (entry & RW);
}

static void check_safe(void)
{
    static const uint64_t at[] = {
        0, PAGE(1), PAGE(511), TWO_M, TWO_M + PAGE(7), 2 * TWO_M - PAGE(1),
        ONE_G, ONE_G + TWO_M + PAGE(3), 2 * ONE_G - PAGE(1), 5 * ONE_G,
    };
    unsigned int i, write;

    if ( !vi.devices[0] || vi.devices[0]->at.kind == VIOMMU_IDENTITY )
        return;
    for ( i = 0; i < ARRAY_SIZE(at); i++ )
        for ( write = 0; write < 2; write++ )
        {
            struct dma dma = device_dma(vm_sbdf(0), at[i], write);
            uint64_t entry = allowed(at[i]);

            if ( dma.ok && (!(entry & (write ? W : R)) ||
                            dma.mfn != guest_frame(entry >> VTD_PAGE_SHIFT)) )
                FAIL("%#llx leads to frame %#lx, but the guest has %#llx",
                     (unsigned long long)at[i], dma.mfn,
                     (unsigned long long)entry);
        }
}

static void fresh(void)
{
    vm_lazy = false;
    vm_stop();
    vm_start();
    table = vm_table();
}

/* counter: the n-th from now is refused; refused: how many were. */
static void each_nth(const struct scenario *s, unsigned int *counter,
                     const unsigned int *refused, bool needed)
{
    unsigned int n;

    /* Each of the first ones; of many that are alike, some. */
    for ( n = 1; !s->most || n < s->most; n += 1 + n / 8 )
    {
        bool hit;

        CHECK(n < MOST);
        fresh();
        s->before();
        *counter = n;
        s->act();
        *counter = 0;
        hit = *refused;
        go_on();
        check_safe();
        if ( !hit )
        {
            s->good();
            break;
        }
        s->act();
        go_on();
        s->good();
        check_safe();
    }
    if ( needed )
        CHECK(n > 1);
}

static bool made;

static void each_quota(const struct scenario *s)
{
    unsigned int quota;

    for ( quota = 1; ; quota += 1 + quota / 8 )
    {
        CHECK(quota < MOST);
        fresh();
        vm_stop();
        made = !vm_create(quota);
        if ( !made )
            continue;
        s->before();
        s->act();
        go_on();
        check_safe();
        if ( !COUNT(rej_quota) )
            break;
        /* Others still are served. */
        q_wait();
    }
    s->good();
}

static void run(const struct scenario *s)
{
    each_nth(s, &harness.fail_in, &harness.failed, s->allocates);
    each_nth(s, &guest.refuse_in, &guest.refused, s->uses_memory);
    if ( s->good && s->uses_memory )
        each_quota(s);
}

/* ---- Units and devices ---- */

static void no_unit(void)
{
    vm_stop();
    made = false;
}

static void create(void)
{
    int rc;

    if ( made )
        return;
    rc = vm_create(0);
    made = !rc;
    if ( rc )
        CHECK_EQ(rc, -ENOMEM);
}

static void is_made(void)
{
    CHECK(made);
    CHECK_EQ(rd32(VTD_VER), VTD_VER_1_0);
}

static void nothing(void) {}

static void bind(void)
{
    int rc = vm_bind(0);

    if ( rc != -EEXIST && rc )
        CHECK_EQ(rc, -ENOMEM);
}

static void is_bound(void)
{
    CHECK(vi.devices[0]);
}

static void set(void)
{
    struct xen_viommu_settings set = vi.set;
    int rc;

    set.quota = 777;
    set.window_us = 888;
    do
        rc = viommu_set(&vi, &set);
    while ( rc == -ERESTART );
    if ( rc )
    {
        CHECK_EQ(rc, -ENOMEM);
        /* All of it or nothing. */
        CHECK(vi.set.quota != 777 && vi.set.window_us != 888);
    }
}

static void is_set(void)
{
    CHECK_EQ(vi.set.quota, 777);
    CHECK_EQ(vi.set.window_us, 888);
}

/* The mode of the unit, however the tests are run. */
static void trapped_with_sidecore(void)
{
    struct viommu_sidecore info;

    if ( sidecore_info(&vm_sidecore[0], &info) )
        CHECK_EQ(sidecore_start(&vm_sidecore[0]), 0);
    if ( vi.sc.assigned )
        vm_set(mode, XEN_VIOMMU_MODE_trap);
}

static void assign(void)
{
    struct xen_viommu_settings set = vi.set;
    int rc;

    set.mode = XEN_VIOMMU_MODE_sidecore;
    rc = viommu_set(&vi, &set);
    if ( rc )
    {
        CHECK_EQ(rc, -ENOMEM);
        CHECK_EQ(sidecore_of(&vi), DOMID_INVALID);
    }
}

static void is_assigned(void)
{
    CHECK_EQ(sidecore_of(&vi), vm_sidecore[0].domain_id);
}

/* ---- Contexts ---- */

static void mapped(void)
{
    vm_map(table, 4, 0, G_DATA, 1, RW);
    vm_map(table, 4, TWO_M, 0x200, 2, RW);
    vm_map(table, 4, 5 * ONE_G, G_DATA + 5, 1, RW);
    vm_set_context(0, table, 4, 1);
}

static void reaches_mapped(void)
{
    expect(0, 0, G_DATA, RW);
    expect(0, TWO_M + PAGE(7), 0x207, RW);
    expect(0, 5 * ONE_G, G_DATA + 5, RW);
    expect_none(0, PAGE(1));
}

/* As drivers do; what could not be mapped at once is then. */
static void context_global(void)
{
    command(CTX_GLOBAL);
    command(IOTLB_GLOBAL);
}

static void off_and_mapped(void)
{
    CHECK_EQ(vm_bind(0), 0);
    mapped();
    *vm_root(0) = PAGE(G_CONTEXT) | VTD_ROOT_P;
    vm_queue_on();
    wr64(VTD_RTADDR, PAGE(G_ROOT));
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_SRTP);
}

static void translation_on(void)
{
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE);
    context_global();
}

static void blocked_and_mapped(void)
{
    vm_translate(1);
    mapped();
}

static void bound_late(void)
{
    vm_translate(0);
    mapped();
}

static void bind_and_tell(void)
{
    bind();
    context_global();
}

/* ---- Mappings ---- */

static void on(void)
{
    vm_set_context(0, table, 4, 1);
    vm_translate(1);
}

static void map_in_new_tables(void)
{
    vm_map(table, 4, 0, G_DATA, 1, RW);
    vm_map(table, 4, 5 * ONE_G, G_DATA + 5, 1, RW);
    vm_map(table, 4, TWO_M, 0x200, 2, RW);
    command(IOTLB_PAGE(1, 0, 0));
    command(IOTLB_PAGE(1, 5 * ONE_G, 0));
    command(IOTLB_PAGE(1, TWO_M, 9));
}

static void on_and_mapped(void)
{
    on();
    map_in_new_tables();
}

static void replace_page(void)
{
    vm_map(table, 4, 0, G_DATA + 1, 1, R);
    command(IOTLB_PAGE(1, 0, 0));
}

static void is_replaced(void)
{
    expect(0, 0, G_DATA + 1, R);
}

static void unmap_all(void)
{
    vm_map(table, 4, 0, 0, 1, 0);
    vm_map(table, 4, 5 * ONE_G, 0, 1, 0);
    vm_map(table, 4, TWO_M, 0, 2, 0);
    command(IOTLB_DOMAIN(1));
}

static void is_unmapped(void)
{
    expect_none(0, 0);
    expect_none(0, TWO_M + PAGE(7));
    expect_none(0, 5 * ONE_G);
    CHECK_EQ(guest.frames, 0);
}

/* A superpage becomes pages, of which one differs. */
static void split_superpage(void)
{
    unsigned int i;

    vm_map(table, 4, TWO_M, 0, 2, 0);
    for ( i = 0; i < 512; i++ )
        vm_map(table, 4, TWO_M + PAGE(i), i == 7 ? G_DATA : 0x200 + i, 1, RW);
    command(IOTLB_PAGE(1, TWO_M, 9));
}

static void is_split(void)
{
    expect(0, TWO_M + PAGE(6), 0x206, RW);
    expect(0, TWO_M + PAGE(7), G_DATA, RW);
    expect(0, TWO_M + PAGE(8), 0x208, RW);
}

static void big_memory(void)
{
    guest_set(G_HUGE, VTD_LEVEL_PAGES(3), GFN_RAM);
    on();
}

static void map_1g(void)
{
    vm_map(table, 4, ONE_G, G_HUGE, 3, RW);
    command(IOTLB_PAGE(1, ONE_G, 18));
}

static void is_1g(void)
{
    expect(0, ONE_G, G_HUGE, RW);
    expect(0, 2 * ONE_G - PAGE(1), G_HUGE + VTD_LEVEL_PAGES(3) - 1, RW);
}

static void mapped_1g(void)
{
    big_memory();
    map_1g();
}

static void change_1g(void)
{
    guest_set(G_HUGE + 512 + 3, 1, GFN_RAM_RO);
    command(IOTLB_PAGE(1, ONE_G, 18));
}

static void is_changed_1g(void)
{
    expect(0, ONE_G, G_HUGE, RW);
    expect(0, ONE_G + TWO_M + PAGE(2), G_HUGE + 512 + 2, RW);
    expect(0, ONE_G + TWO_M + PAGE(3), G_HUGE + 512 + 3, R);
}

/* ---- What lingers, and others ---- */

static void lingering(void)
{
    on_and_mapped();
    vm_set(teardown, XEN_VIOMMU_TEARDOWN_optimistic);
    vm_map(table, 4, 0, 0, 1, 0);
    q_submit(IOTLB_PAGE(1, 0, 0));
    CHECK_EQ(COUNT(leaves_stale), 1);
}

static void queue_and_wait(void)
{
    *vm_status() = 0;
    command(WAIT_STATUS(7, PAGE(G_STATUS)));
}

static void has_waited(void)
{
    CHECK_EQ(*vm_status(), 7);
}

static void count_pinned(void)
{
    int rc;

    do
        rc = viommu_count_pinned(&vi);
    while ( rc == -ERESTART );
    if ( rc )
        CHECK_EQ(rc, -ENOMEM);
}

static void is_counted(void)
{
    CHECK_EQ(vi.count[XEN_VIOMMU_CNT_pages_pinned], 2 + 512);
}

/* ---- */

#define ALLOCATES   .allocates = true
#define USES_MEMORY .uses_memory = true

#define SCENARIO(name, ...)                             \
    static void name(void)                              \
    {                                                   \
        static const struct scenario s = { __VA_ARGS__ }; \
                                                        \
        run(&s);                                        \
    }

SCENARIO(creation_fails, no_unit, create, is_made, ALLOCATES)
SCENARIO(binding_fails, nothing, bind, is_bound, ALLOCATES)
SCENARIO(settings_fail, nothing, set, is_set, ALLOCATES)
SCENARIO(a_sidecore_fails, trapped_with_sidecore, assign, is_assigned)
SCENARIO(translation_fails, off_and_mapped, translation_on, reaches_mapped,
         ALLOCATES, USES_MEMORY)
SCENARIO(a_context_fails, blocked_and_mapped, context_global, reaches_mapped,
         ALLOCATES, USES_MEMORY)
SCENARIO(a_late_device_fails, bound_late, bind_and_tell, reaches_mapped,
         ALLOCATES, USES_MEMORY)
SCENARIO(a_mapping_fails, on, map_in_new_tables, reaches_mapped, ALLOCATES,
         USES_MEMORY)
SCENARIO(another_page_fails, on_and_mapped, replace_page, is_replaced,
         USES_MEMORY)
SCENARIO(an_unmapping_never_fails, on_and_mapped, unmap_all, is_unmapped)
SCENARIO(a_split_fails, on_and_mapped, split_superpage, is_split, ALLOCATES,
         USES_MEMORY)
SCENARIO(a_leaf_of_1G_fails, big_memory, map_1g, is_1g, ALLOCATES, USES_MEMORY,
         .most = 60)
SCENARIO(a_change_of_1G_fails, mapped_1g, change_1g, is_changed_1g, ALLOCATES,
         USES_MEMORY, .most = 60)
SCENARIO(a_revival_fails, lingering, replace_page, is_replaced)
SCENARIO(a_wait_fails, on, queue_and_wait, has_waited, USES_MEMORY)
SCENARIO(counting_fails, on_and_mapped, count_pinned, is_counted, ALLOCATES)

TESTS(fail_tests) = {
    TEST_TRAPPED(creation_fails),
    TEST(binding_fails),
    TEST(settings_fail),
    TEST(a_sidecore_fails),
    TEST(translation_fails),
    TEST(a_context_fails),
    TEST(a_late_device_fails),
    TEST(a_mapping_fails),
    TEST(another_page_fails),
    TEST(an_unmapping_never_fails),
    TEST(a_split_fails),
    TEST(a_leaf_of_1G_fails),
    TEST(a_change_of_1G_fails),
    TEST(a_revival_fails),
    TEST(a_wait_fails),
    TEST(counting_fails),
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
