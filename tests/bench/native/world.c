/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * world.c: the two boundaries of the core at no cost, and a guest's driver.
 *
 * A frame number is the address of the memory that is it, so that mapping a
 * page is a shift. Nothing is checked: that is what tests/unit is for.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "world.h"

uint64_t world_time = 1;
bool world_simulated, world_preempted, world_blocked;
unsigned long world_entries, world_references;

static struct world *world_of(struct viommu *vi)
{
    return (struct world *)vi;
}

void harness_fail(const char *file, int line, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s:%d: ", file, line);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    abort();
}

/* ---- Locks and memory: real ones. ---- */

void harness_lock_init(spinlock_t *lock, const char *name)
{
    lock->locked = false;
}

void spin_lock(spinlock_t *lock)
{
    while ( __atomic_test_and_set(&lock->locked, __ATOMIC_ACQUIRE) )
        cpu_relax();
}

bool spin_trylock(spinlock_t *lock)
{
    return !__atomic_test_and_set(&lock->locked, __ATOMIC_ACQUIRE);
}

void spin_unlock(spinlock_t *lock)
{
    __atomic_clear(&lock->locked, __ATOMIC_RELEASE);
}

void *harness_alloc(size_t size)
{
    return calloc(1, size);
}

void xfree(void *p)
{
    free(p);
}

static void *page_alloc(unsigned int n)
{
    void *p = aligned_alloc(1U << VTD_PAGE_SHIFT, (size_t)n << VTD_PAGE_SHIFT);

    if ( !p )
        abort();
    memset(p, 0, (size_t)n << VTD_PAGE_SHIFT);

    return p;
}

static mfn_t mfn_of(const void *p)
{
    return _mfn((uintptr_t)p >> VTD_PAGE_SHIFT);
}

/* ---- The boundary to the guest. ---- */

void *guest_at(struct world *w, unsigned long gfn)
{
    return w->memory + PAGE(gfn);
}

void guest_lookup(struct viommu *vi, gfn_t gfn, bool write, bool populate,
                  bool hold, struct guest_lookup *result)
{
    viommu_count(vi, p2m_lookups);
    world_references += hold;
    result->read = result->write = gfn_x(gfn) < G_END;
    result->level = 1;
    result->mfn = mfn_of(guest_at(world_of(vi), gfn_x(gfn)));
}

bool guest_get_frame(struct viommu *vi, mfn_t mfn)
{
    world_references++;

    return true;
}

bool guest_has_frame(struct viommu *vi, mfn_t mfn)
{
    return true;
}

void guest_put_frame(mfn_t mfn)
{
}

void *guest_map(struct viommu *vi, mfn_t mfn)
{
    return (void *)(mfn_x(mfn) << VTD_PAGE_SHIFT);
}

void guest_unmap(void *va, mfn_t mfn)
{
}

void guest_dirtied(struct viommu *vi, gfn_t gfn)
{
}

unsigned long guest_max_frame(void)
{
    return ~0UL >> VTD_PAGE_SHIFT;
}

unsigned long guest_max_pages(const struct viommu *vi)
{
    return 1UL << 20;
}

bool guest_superpage(struct viommu *vi, gfn_t gfn, unsigned int level,
                     bool *read, bool *write, mfn_t *mfn)
{
    return false;
}

double cycles_per_us(void)
{
    static double rate;
    struct timespec a, b;
    uint64_t c;

    if ( rate )
        return rate;

    clock_gettime(CLOCK_MONOTONIC, &a);
    c = cycles();
    do
        clock_gettime(CLOCK_MONOTONIC, &b);
    while ( (b.tv_sec - a.tv_sec) * 1e6 + (b.tv_nsec - a.tv_nsec) / 1e3 <
            20000 );
    rate = (cycles() - c) / ((b.tv_sec - a.tv_sec) * 1e6 +
                             (b.tv_nsec - a.tv_nsec) / 1e3);

    return rate;
}

/* As Xen does it: the counter, a multiplication, a shift. */
uint64_t guest_time_us(void)
{
    static uint64_t scale;

    if ( world_simulated )
        return world_time;
    if ( !scale )
        scale = 0x1p32 / cycles_per_us();

    return ((unsigned __int128)cycles() * scale) >> 32;
}

void guest_set_timer(struct viommu *vi, enum viommu_timer timer, uint64_t at)
{
    world_of(vi)->timer[timer] = at;
}

void guest_send_msi(struct viommu *vi, uint64_t addr, uint32_t data)
{
}

void guest_defer(struct viommu *vi)
{
    ACCESS_ONCE(world_of(vi)->deferred) = true;
}

void guest_defer_all(struct viommu *vi)
{
    guest_defer(vi);
}

int guest_inbox_alloc(struct viommu *vi)
{
    if ( !vi->inbox.page )
        vi->inbox.page = page_alloc(1);
    world_of(vi)->regs = vi->inbox.page;

    return 0;
}

int guest_inbox_map(struct viommu *vi)
{
    __atomic_store_n(&world_of(vi)->inbox_mapped, true, __ATOMIC_RELEASE);

    return 0;
}

void guest_inbox_unmap(struct viommu *vi)
{
    world_of(vi)->inbox_mapped = false;
}

void sidecore_block(void)
{
    world_blocked = true;
}

void sidecore_unblock(struct domain *d)
{
    ACCESS_ONCE(world_blocked) = false;
}

bool sidecore_preempted(void)
{
    return ACCESS_ONCE(world_preempted);
}

/* ---- The boundary to the hardware. ---- */

static void *free_pages;         /* a list */

bool hw_unit(unsigned int n, struct hw_unit *unit)
{
    if ( n )
        return false;

    unit->cap = VTD_CAP_SAGAW_48 | MASK_INSR(47ULL, VTD_CAP_MGAW) |
                VTD_CAP_ZLR | VTD_CAP_SLLPS_2M | VTD_CAP_SLLPS_1G;
    unit->ecap = VTD_ECAP_SC;

    return true;
}

uint64_t hw_superpages(void)
{
    return VTD_CAP_SLLPS_2M | VTD_CAP_SLLPS_1G;
}

bool hw_snoop(void)
{
    return true;
}

void hw_pcidevs_lock(void)
{
}

bool hw_pcidevs_trylock(void)
{
    return true;
}

void hw_pcidevs_unlock(void)
{
}

mfn_t hw_table_alloc(struct viommu *vi)
{
    void *p = free_pages;

    if ( !p )
        return mfn_of(page_alloc(1));
    free_pages = *(void **)p;
    memset(p, 0, 1U << VTD_PAGE_SHIFT);

    return mfn_of(p);
}

void hw_table_free(struct viommu *vi, mfn_t mfn)
{
    void **p = (void **)(mfn_x(mfn) << VTD_PAGE_SHIFT);

    *p = free_pages;
    free_pages = p;
}

uint64_t *hw_table(mfn_t mfn)
{
    return (uint64_t *)(mfn_x(mfn) << VTD_PAGE_SHIFT);
}

void hw_table_sync(const uint64_t *entry)
{
    world_entries++;
}

int hw_shadow_init(struct viommu_shadow *s)
{
    return 0;
}

void hw_shadow_fini(struct viommu_shadow *s)
{
}

int hw_check_device(struct viommu *vi, pci_sbdf_t sbdf)
{
    return 0;
}

int hw_attach(struct viommu *vi, struct viommu_device *dev,
              struct viommu_shadow *s)
{
    return 0;
}

void hw_flush(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
              unsigned int order, bool fresh)
{
    /* Caching mode is not what hardware has. */
    if ( !fresh )
        world_of(vi)->flushes++;
}

/* ---- The driver. ---- */

void settle(struct world *w)
{
    while ( w->deferred )
        w->deferred = viommu_work(&w->vi);
}

void reg_write32(struct world *w, unsigned int offset, uint32_t value)
{
    if ( w->inbox_mapped )
    {
        w->regs[offset / 4] = value;
        return;
    }
    viommu_mmio_write(&w->vi, offset, 4, value);
    settle(w);
}

void reg_write64(struct world *w, unsigned int offset, uint64_t value)
{
    if ( w->inbox_mapped )
    {
        *(volatile uint64_t *)&w->regs[offset / 4] = value;
        return;
    }
    viommu_mmio_write(&w->vi, offset, 8, value);
    settle(w);
}

uint64_t reg_read64(struct world *w, unsigned int offset)
{
    return w->inbox_mapped ? *(volatile uint64_t *)&w->regs[offset / 4]
                           : viommu_mmio_read(&w->vi, offset, 8);
}

uint64_t *leaf_entry(struct world *w, uint64_t addr)
{
    unsigned long table = G_TABLES;
    unsigned int level;
    uint64_t *entry;

    for ( level = 4; ; level-- )
    {
        entry = (uint64_t *)guest_at(w, table) + VTD_LEVEL_INDEX(addr, level);
        if ( level == 1 )
            return entry;
        if ( !*entry )
        {
            CHECK(w->next_table < G_DATA);
            *entry = PAGE(w->next_table++) | LEAF_RW;
        }
        table = (*entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT;
    }
}

void put(struct world *w, uint64_t lo, uint64_t hi)
{
    uint64_t *d = (uint64_t *)guest_at(w, G_QUEUE) + 2 * w->tail;

    ACCESS_ONCE(d[0]) = lo;
    ACCESS_ONCE(d[1]) = hi;
    w->tail = (w->tail + 1) % NR_DESC;
}

volatile uint32_t *put_with_wait(struct world *w, uint64_t lo, uint64_t hi)
{
    volatile uint32_t *status;

    put(w, lo, hi);
    status = (uint32_t *)guest_at(w, G_STATUS) + w->tail;
    *status = IN_USE;
    put(w, 0x25ULL | (uint64_t)DONE << 32, PAGE(G_STATUS) + w->tail * 4);

    return status;
}

void submit(struct world *w, uint64_t lo, uint64_t hi)
{
    volatile uint32_t *status = put_with_wait(w, lo, hi);

    kick(w);
    CHECK(*status == DONE);
}

static struct world *make(bool remaps)
{
    static unsigned int nr;
    struct world *w = aligned_alloc(128, sizeof(*w));
    const pci_sbdf_t sbdf = { .sbdf = DEVICE_SBDF };
    uint64_t *e;

    CHECK(w != NULL);
    memset(w, 0, sizeof(*w));
    w->memory = page_alloc(G_END);
    w->next_table = G_TABLES + 1;
    w->d.domain_id = ++nr;
    w->vi.d = &w->d;
    w->vi.intremap = remaps;
    CHECK(!viommu_init(&w->vi, 0));
    hw_pcidevs_lock();
    CHECK(!viommu_bind(&w->vi, sbdf, XEN_VIOMMU_SLOT_FIRST * 8));
    hw_pcidevs_unlock();
    settle(w);

    e = guest_at(w, G_ROOT);
    e[0] = PAGE(G_CONTEXT) | VTD_ROOT_P;
    e = guest_at(w, G_CONTEXT);
    e[XEN_VIOMMU_SLOT_FIRST * 16] = PAGE(G_TABLES) | VTD_CTX_P;
    e[XEN_VIOMMU_SLOT_FIRST * 16 + 1] = 2 | 1 << 8; /* 4 levels, domain 1 */
    reg_write64(w, VTD_RTADDR, PAGE(G_ROOT));
    reg_write32(w, VTD_GCMD, VTD_GCMD_SRTP);
    CHECK(reg_read64(w, VTD_GCMD) >> 32 & VTD_GCMD_SRTP);
    reg_write64(w, VTD_IQA, PAGE(G_QUEUE));
    reg_write32(w, VTD_GCMD, VTD_GCMD_QIE);
    submit(w, DESC_CONTEXT);
    submit(w, DESC_GLOBAL);
    reg_write32(w, VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE);
    settle(w);
    CHECK(w->vi.translation && w->vi.shadows);

    return w;
}

struct world *world_new(void)
{
    return make(false);
}

struct world *world_new_remapping(void)
{
    struct world *w = make(true);
    uint64_t *e = guest_at(w, G_IRT);
    unsigned int i;

    for ( i = 0; i < 256; i++ )
    {
        /* As Linux: the destination is an x2APIC ID, the source is checked. */
        e[2 * i] = VTD_IRTE_P | (0x21ULL + i % 64) << 16 | 1ULL << 32;
        e[2 * i + 1] = 1ULL << 18 | XEN_VIOMMU_SLOT_FIRST * 8;
    }
    reg_write64(w, VTD_IRTA, PAGE(G_IRT) | VTD_IRTA_EIME | 7);
    reg_write32(w, VTD_GCMD, VTD_GCMD_QIE | VTD_GCMD_TE | VTD_GCMD_SIRTP);
    CHECK(reg_read64(w, VTD_GCMD) >> 32 & VTD_GCMD_SIRTP);
    submit(w, DESC_ENTRIES);

    return w;
}

void world_delete(struct world *w)
{
    const pci_sbdf_t sbdf = { .sbdf = DEVICE_SBDF };

    CHECK(!viommu_unbind(&w->vi, sbdf));
    while ( viommu_reap(&w->vi) )
        ;
    viommu_fini(&w->vi);
    free(w->vi.inbox.page);
    free(w->memory);
    free(w);
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
