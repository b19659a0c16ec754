/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vm.c: a guest with a unit and some devices, and what its driver does.
 */
#include "vm.h"

struct viommu vi;
bool vm_lazy, vm_overcommit, vm_intremap;
unsigned int q_tail;

struct domain vm_sidecore[NR_SIDECORES];
bool vm_polled;

static unsigned long next_table;
static uint32_t next_status;
static bool created;
static struct viommu more[NR_UNITS - 1];
static unsigned int nr_more;

uint32_t vm_sbdf(unsigned int dev)
{
    return dev < 4 ? 0x300 + dev * 8 : 0x301;
}

uint8_t vm_devfn(unsigned int dev)
{
    return XEN_VIOMMU_SLOT_FIRST * 8 + (dev < 4 ? dev * 8 : 1);
}

/* ---- The machine ---- */

int vm_create(unsigned int quota)
{
    int rc;

    memset(&vi, 0, sizeof(vi));
    vi.overcommit = vm_overcommit;
    vi.intremap = vm_intremap;
    rc = viommu_init(&vi, quota);
    /* What is not about lingering wants to see everything at once. */
    vi.set.teardown = XEN_VIOMMU_TEARDOWN_strict;
    created = !rc;
    if ( created && vm_polled )
        vm_use_sidecore();

    return rc;
}

/* What a test that failed has left with the sidecores. */
static void reset_sidecores(void)
{
    unsigned int i;

    guest.on_inbox_map = guest.on_inbox_unmap = guest.on_inbox_unmapped = NULL;
    for ( i = 0; i < NR_UNITS && guest.unit[i].vi; i++ )
    {
        guest.unit[i].inbox_mapped = guest.unit[i].vi->inbox.live;
        sidecore_unassign(guest.unit[i].vi);
    }
    for ( i = 0; i < NR_SIDECORES; i++ )
    {
        vm_sidecore[i].domain_id = 100 + i;
        sidecore_end(&vm_sidecore[i]);
    }
}

void vm_start(void)
{
    unsigned int i;

    harness_reset();
    reset_sidecores();
    harness.allocations = 0;
    guest_reset();
    hw_reset();
    for ( i = 0; i < NR_VM_DEVICES; i++ )
        hw_add_device(vm_sbdf(i));
    guest_set(0, G_RAM, GFN_RAM);
    next_table = G_TABLES;
    next_status = 0;
    q_tail = 0;
    vm_lazy = vm_overcommit = vm_intremap = false;
    created = false;
    nr_more = 0;
    CHECK_EQ(vm_create(0), 0);
}

static void settle(struct viommu *v)
{
    unsigned int i;

    guest_unit(v)->deferred = 0;
    for ( i = 0; viommu_work(v); i++ )
        if ( i == 1000000 )
            FAIL("work without end");
}

void vm_settle(void)
{
    unsigned int i;

    guest.deferred = 0;
    settle(&vi);
    for ( i = 0; i < nr_more; i++ )
        settle(&more[i]);

    CHECK_EQ(harness.locks, 0);
    hw_check();
    /* Invariant 2: what is gone for the guest is gone from all caches. */
    CHECK_EQ(hw.stale, 0);
}

static void destroy(struct viommu *v)
{
    unsigned int i;
    int rc;

    for ( i = 0; (rc = viommu_reap(v)) != 0; i++ )
    {
        CHECK_EQ(rc, -ERESTART);
        if ( i == 1000000 )
            FAIL("reaping without end");
    }
    CHECK(!vm_no_exit(v));
    viommu_fini(v);
}

void vm_stop(void)
{
    unsigned int i;

    if ( created )
    {
        for ( i = 0; i < NR_VM_DEVICES; i++ )
            vm_unbind(i);
        destroy(&vi);
        created = false;
    }
    while ( nr_more )
        destroy(&more[--nr_more]);
    for ( i = 0; i < NR_SIDECORES; i++ )
        sidecore_end(&vm_sidecore[i]);

    CHECK_EQ(harness.locks, 0);
    CHECK_EQ(guest.mapped, 0);
    CHECK_EQ(guest.frames, 0);
    hw_check();
    CHECK_EQ(hw.shadows, 0);
    CHECK_EQ(hw.tables, 0);
    CHECK_EQ(harness.allocations, 0);
    CHECK_EQ(COUNT(table_pages), 0);
    CHECK_EQ(COUNT(leaves_stale), 0);
}

/* Whatever the guest did is done. */
static void after(void)
{
    if ( vm_lazy )
        return;
    if ( guest.deferred )
        vm_settle();
    if ( vi.sc.on )
        vm_poll_all();
}

int vm_bind(unsigned int dev)
{
    const pci_sbdf_t sbdf = { .sbdf = vm_sbdf(dev) };
    int rc;

    hw_pcidevs_lock();
    rc = viommu_bind(&vi, sbdf, vm_devfn(dev));
    hw_pcidevs_unlock();
    if ( !rc )
        after();

    return rc;
}

int vm_unbind(unsigned int dev)
{
    const pci_sbdf_t sbdf = { .sbdf = vm_sbdf(dev) };
    int rc;

    hw_pcidevs_lock();
    rc = viommu_unbind(&vi, sbdf);
    hw_pcidevs_unlock();
    /* The device leaves the guest: it is on the domain's table, or on none. */
    if ( !rc )
        CHECK(hw_attached_to(sbdf.sbdf, NULL) != ON_SHADOW);

    return rc;
}

/* ---- Sidecores ---- */

bool vm_no_exit(struct viommu *v)
{
    return guest_unit(v)->inbox_mapped;
}

void vm_serve(struct viommu *v)
{
    struct xen_viommu_settings set = v->set;

    set.mode = XEN_VIOMMU_MODE_sidecore;
    CHECK_EQ(viommu_set(v, &set), 0);
}

void vm_use_sidecore(void)
{
    struct viommu_sidecore info;

    if ( sidecore_info(&vm_sidecore[0], &info) )
    {
        CHECK_EQ(sidecore_start(&vm_sidecore[0]), 0);
        /* It may be another domain than the one that slept. */
        sidecore_unblock(&vm_sidecore[0]);
    }
    vm_serve(&vi);
    after();
}

void vm_poll(unsigned int sidecore)
{
    struct domain *d = &vm_sidecore[sidecore];

    if ( guest.blocked & (1U << d->domain_id % 32) )
        return;
    guest.polling = d;
    CHECK_EQ(sidecore_poll(d), 0);
    guest.polling = NULL;
    CHECK_EQ(harness.locks, 0);
}

void vm_poll_all(void)
{
    unsigned int i;

    for ( i = 0; i < 100000; i++ )
    {
        vm_poll(0);
        if ( guest.deferred )
            vm_settle();
        else if ( !vi.inbox.live || (!vi.sc.more && !inbox_peek(&vi)) )
            break;
    }
    CHECK(i < 100000);
    CHECK_EQ(hw.stale, 0);
    /* Back to memory, if it was left. */
    vm_poll(0);
}

void vm_pass(uint64_t us)
{
    uint64_t until = guest.time_us + us;

    while ( guest_timer_fires(until) )
        if ( guest.deferred && !vm_lazy )
            vm_settle();
}

struct viommu *vm_add(void)
{
    struct viommu *v = &more[nr_more];

    CHECK(nr_more < ARRAY_SIZE(more));
    memset(v, 0, sizeof(*v));
    CHECK_EQ(viommu_init(v, 0), 0);
    v->set.teardown = XEN_VIOMMU_TEARDOWN_strict;
    nr_more++;

    return v;
}

uint64_t *vm_counter(unsigned int i)
{
    if ( i == XEN_VIOMMU_CNT_pages_pinned )
        (void)pages_pinned(&vi);

    return &vi.count[i];
}

/* ---- Registers ---- */

uint64_t vm_read(struct viommu *v, unsigned int offset, unsigned int size)
{
    uint64_t value = 0;

    if ( !vm_no_exit(v) )
        return viommu_mmio_read(v, offset, size);
    memcpy(&value, (char *)guest_unit(v)->inbox + offset, size);

    return value;
}

void vm_write(struct viommu *v, unsigned int offset, unsigned int size,
              uint64_t value)
{
    if ( vm_no_exit(v) )
        memcpy((char *)guest_unit(v)->inbox + offset, &value, size);
    else
        viommu_mmio_write(v, offset, size, value);
    CHECK_EQ(harness.locks, 0);
}

uint32_t rd32(unsigned int offset)
{
    return vm_read(&vi, offset, 4);
}

uint64_t rd64(unsigned int offset)
{
    return vm_read(&vi, offset, 8);
}

void expect_gsts(uint32_t value)
{
    CHECK_EQ(rd32(VTD_GSTS),
             vm_no_exit(&vi) ? value & ~VTD_GCMD_ONE_SHOT : value);
}

static void wr(unsigned int offset, unsigned int size, uint64_t value)
{
    vm_write(&vi, offset, size, value);
    after();
}

void wr32(unsigned int offset, uint32_t value)
{
    wr(offset, 4, value);
}

void wr64(unsigned int offset, uint64_t value)
{
    wr(offset, 8, value);
}

/* ---- The driver's tables ---- */

uint64_t *vm_root(unsigned int bus)
{
    return guest_page(G_ROOT) + 2 * bus;
}

uint64_t *vm_context(unsigned int dev)
{
    return guest_page(G_CONTEXT) + 2 * vm_devfn(dev);
}

void vm_set_context(unsigned int dev, unsigned long table, unsigned int levels,
                    unsigned int did)
{
    uint64_t *ctx = vm_context(dev);

    ctx[1] = (levels - 2) | (did << 8);
    ctx[0] = PAGE(table) | VTD_CTX_P;
}

void vm_clear_context(unsigned int dev)
{
    uint64_t *ctx = vm_context(dev);

    ctx[0] = ctx[1] = 0;
}

unsigned long vm_table(void)
{
    CHECK(next_table < G_DATA);

    return next_table++;
}

uint64_t *vm_entry(unsigned long table, unsigned int levels, uint64_t addr,
                   unsigned int level)
{
    uint64_t *entry;

    for ( ; ; levels-- )
    {
        entry = guest_page(table) + VTD_LEVEL_INDEX(addr, levels);
        if ( levels == level )
            return entry;
        if ( !(*entry & RW) || (*entry & VTD_PTE_SP) )
            *entry = PAGE(vm_table()) | RW;
        table = (*entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT;
    }
}

void vm_map(unsigned long table, unsigned int levels, uint64_t addr,
            unsigned long gfn, unsigned int level, uint64_t rights)
{
    uint64_t *entry = vm_entry(table, levels, addr, level);

    *entry = rights ? PAGE(gfn) | rights | (level > 1 ? VTD_PTE_SP : 0) : 0;
}

/* ---- The driver's commands ---- */

void vm_queue_on(void)
{
    wr32(VTD_IQT, 0);
    wr64(VTD_IQA, PAGE(G_QUEUE));
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    CHECK(rd32(VTD_GSTS) & VTD_GCMD_QIE);
    q_tail = 0;
}

void vm_translate(unsigned int nr)
{
    unsigned int i;

    for ( i = 0; i < nr; i++ )
        CHECK_EQ(vm_bind(i), 0);
    *vm_root(0) = PAGE(G_CONTEXT) | VTD_ROOT_P;
    if ( !(rd32(VTD_GSTS) & VTD_GCMD_QIE) )
        vm_queue_on();
    wr64(VTD_RTADDR, PAGE(G_ROOT));
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_SRTP);
    (void)rd32(VTD_GSTS);
    q_submit(CTX_GLOBAL);
    q_submit(IOTLB_GLOBAL);
    wr32(VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE);
    expect_gsts(VTD_GCMD_QIE | VTD_GCMD_TE | VTD_GCMD_SRTP);
}

static unsigned int q_entries(void)
{
    return 256U << (rd64(VTD_IQA) & VTD_IQA_QS);
}

void q_put(uint64_t lo, uint64_t hi)
{
    unsigned long base = rd64(VTD_IQA) >> VTD_PAGE_SHIFT;
    uint64_t *d = guest_page(base + q_tail / 256) + q_tail % 256 * 2;

    d[0] = lo;
    d[1] = hi;
    q_tail = (q_tail + 1) % q_entries();
}

void q_kick(void)
{
    wr32(VTD_IQT, q_tail * 16);
}

void q_submit(uint64_t lo, uint64_t hi)
{
    q_put(lo, hi);
    q_kick();
    if ( !vm_lazy )
        q_check();
}

void q_check(void)
{
    CHECK_EQ(rd32(VTD_FSTS), 0);
    CHECK_EQ(rd64(VTD_IQH), q_tail * 16);
}

uint32_t *vm_status(void)
{
    return (uint32_t *)guest_page(G_STATUS);
}

void q_wait(void)
{
    *vm_status() = 0;
    next_status++;
    q_submit(WAIT_STATUS(next_status, PAGE(G_STATUS)));
    CHECK_EQ(*vm_status(), next_status);
}

/* ---- What devices see ---- */

void expect(unsigned int dev, uint64_t addr, unsigned long gfn,
            uint64_t rights)
{
    unsigned int i;

    for ( i = 0; i < 2; i++ )
    {
        struct dma dma = device_dma(vm_sbdf(dev), addr, i);
        bool may = rights & (i ? W : R);

        if ( dma.ok != may )
            FAIL("device %u %s %#llx: %s", dev, i ? "writes" : "reads",
                 (unsigned long long)addr,
                 may ? "blocked" : "must not be possible");
        if ( may && dma.mfn != guest_frame(gfn) )
            FAIL("device %u at %#llx reaches frame %#lx, not %#lx", dev,
                 (unsigned long long)addr, dma.mfn, guest_frame(gfn));
    }
}

unsigned long items_of(uint64_t lo, uint64_t hi)
{
    unsigned long items = 0;
    bool more;

    vm_lazy = true;
    COUNT(longest_entry) = 0;
    q_put(lo, hi);
    q_kick();
    do {
        items += COUNT(longest_entry);
        CHECK(COUNT(longest_entry) <= VIOMMU_BUDGET + SLACK);
        COUNT(longest_entry) = 0;
        more = viommu_work(&vi);
    } while ( more );
    items += COUNT(longest_entry);
    vm_lazy = false;
    vm_settle();
    q_check();

    return items;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
