/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fake-guest.c: memory, interrupts and vCPUs of a guest.
 */
#include <stdlib.h>

#include "fake.h"

struct fake_guest guest;

static uint8_t types[NR_GFNS];
static uint16_t refs[NR_GFNS];
static uint64_t *pages[NR_GFNS];
/* Pages that were asked for, to be cleared. */
static unsigned long used[NR_GFNS];
static unsigned int nr_used;
static bool is_used[NR_GFNS];

/*
 * Superpages that are neighbours in the guest are not in the machine; of every
 * other 1G, that is so for 2M as well. The last one is alone.
 */
static unsigned long scramble(unsigned long gfn)
{
    if ( !(gfn & VTD_LEVEL_PAGES(3)) )
        return gfn ^ (2UL << VTD_LEVEL_STRIDE);

    return VTD_LEVEL_STRIDE == 9 ? gfn : gfn ^ (2 * VTD_LEVEL_PAGES(3));
}

unsigned long guest_frame(unsigned long gfn)
{
    return MFN_GUEST + scramble(gfn);
}

static unsigned long gfn_of(unsigned long mfn)
{
    if ( mfn - MFN_GUEST >= NR_GFNS )
        FAIL("frame %#lx is not the domain's", mfn);

    return scramble(mfn - MFN_GUEST);
}

void guest_reset(void)
{
    memset(&guest, 0, sizeof(guest));
    memset(types, GFN_MISSING, sizeof(types));
    memset(refs, 0, sizeof(refs));
    while ( nr_used )
    {
        memset(pages[used[--nr_used]], 0, 1U << VTD_PAGE_SHIFT);
        is_used[used[nr_used]] = false;
    }
}

void guest_set(unsigned long gfn, unsigned long n, enum gfn_type type)
{
    CHECK(gfn + n <= NR_GFNS);
    memset(types + gfn, type, n);
}

enum gfn_type guest_type(unsigned long gfn)
{
    return gfn < NR_GFNS ? types[gfn] : GFN_MISSING;
}

uint64_t *guest_page(unsigned long gfn)
{
    CHECK(gfn < NR_GFNS);
    if ( is_used[gfn] )
        return pages[gfn];
    if ( !pages[gfn] )
    {
        pages[gfn] = calloc(1, 1U << VTD_PAGE_SHIFT);
        if ( !pages[gfn] )
            abort();
    }
    used[nr_used++] = gfn;
    is_used[gfn] = true;

    return pages[gfn];
}

unsigned int guest_refs(unsigned long mfn)
{
    return refs[gfn_of(mfn)];
}

/* ---- The boundary ---- */

static void check_locks(void)
{
    if ( harness_locks_held(RANK_REG) )
        FAIL("guest memory used under reg_lock");
}

bool guest_map(struct viommu *vi, struct guest_page *page)
{
    unsigned long gfn = gfn_x(page->gfn);

    (void)vi;
    check_locks();
    if ( page->va )
        FAIL("a mapped page is mapped again");
    if ( guest_type(gfn) != GFN_RAM && guest_type(gfn) != GFN_RAM_RO )
        return false;

    page->va = pages[gfn] ? pages[gfn] : guest_page(gfn);
    page->cookie = pages[gfn];
    guest.mapped++;

    return true;
}

void guest_unmap(struct guest_page *page)
{
    if ( !page->va )
        return;
    if ( page->cookie != page->va || !guest.mapped )
        FAIL("guest_unmap() of what was not mapped");

    guest.mapped--;
    page->va = NULL;
    page->cookie = NULL;
}

bool guest_write32(struct viommu *vi, paddr_t addr, uint32_t value)
{
    unsigned long gfn = addr >> VTD_PAGE_SHIFT;
    uint64_t *page;

    (void)vi;
    check_locks();
    CHECK(IS_ALIGNED(addr, sizeof(value)));
    if ( guest_type(gfn) != GFN_RAM )
        return false;

    page = guest_page(gfn);
    memcpy((char *)page + (addr & ((1U << VTD_PAGE_SHIFT) - 1)), &value,
           sizeof(value));
    if ( guest.on_status )
        guest.on_status();

    return true;
}

/* What may be done with a page, of what is wanted; false: nothing. */
static bool may_access(gfn_t gfn, bool *read, bool *write)
{
    switch ( guest_type(gfn_x(gfn)) )
    {
    case GFN_RAM:
        break;

    case GFN_RAM_RO:
        *write = false;
        break;

    case GFN_MISSING:
    case GFN_MMIO:
    default:
        return false;
    }

    return *read || *write;
}

bool guest_get_frame(struct viommu *vi, gfn_t gfn, bool *read, bool *write,
                     mfn_t *mfn)
{
    (void)vi;
    check_locks();
    if ( !may_access(gfn, read, write) )
        return false;

    if ( ++refs[gfn_x(gfn)] == UINT16_MAX )
        FAIL("too many references to gfn %#lx", gfn_x(gfn));
    guest.pinned += refs[gfn_x(gfn)] == 1;
    guest.frames++;
    guest.gets++;
    *mfn = _mfn(guest_frame(gfn_x(gfn)));

    return true;
}

bool guest_superpage(struct viommu *vi, gfn_t gfn, unsigned int level,
                     bool *read, bool *write, mfn_t *mfn)
{
    const unsigned long first = gfn_x(gfn), n = VTD_LEVEL_PAGES(level);
    unsigned long i;

    (void)vi;
    check_locks();
    CHECK(level > 1 && level <= hw.caps.leaf_level);
    CHECK(IS_ALIGNED(first, n));

    for ( i = 0; i < n; i++ )
        if ( guest_type(first + i) != guest_type(first) ||
             guest_frame(first + i) != guest_frame(first) + i )
            return false;

    *mfn = _mfn(guest_frame(first));
    if ( !may_access(gfn, read, write) )
        return false;
    if ( guest.on_superpage )
        guest.on_superpage();

    return true;
}

bool guest_frame_is(struct viommu *vi, gfn_t gfn, mfn_t mfn, bool *read,
                    bool *write)
{
    (void)vi;
    check_locks();

    return may_access(gfn, read, write) &&
           guest_frame(gfn_x(gfn)) == mfn_x(mfn);
}

void guest_put_frame(mfn_t mfn)
{
    unsigned long gfn = gfn_of(mfn_x(mfn));

    check_locks();
    if ( !refs[gfn] )
        FAIL("frame of gfn %#lx put once too often", gfn);
    guest.frames--;
    /* Invariant 1. */
    guest.pinned -= refs[gfn] == 1;
    if ( !--refs[gfn] && hw_reaches(mfn_x(mfn)) )
        FAIL("frame of gfn %#lx put while devices reach it", gfn);
}

uint64_t guest_time_us(void)
{
    return guest.time_us += guest.tick_us;
}

/* ---- Units, their timers, and other CPUs. ---- */

struct fake_unit *guest_unit(struct viommu *vi)
{
    unsigned int i;

    for ( i = 0; guest.unit[i].vi && guest.unit[i].vi != vi; i++ )
        CHECK(i < NR_UNITS - 1);
    guest.unit[i].vi = vi;

    return &guest.unit[i];
}

void guest_set_timer(struct viommu *vi, enum viommu_timer timer, uint64_t at)
{
    CHECK(at);
    guest_unit(vi)->timer[timer] = at;
}

static void fire(struct viommu *vi, enum viommu_timer timer)
{
    switch ( timer )
    {
    case VIOMMU_TIMER_WATCH:
        sidecore_watch(vi);
        break;

    case VIOMMU_TIMER_STALE:
        viommu_stale_timer(vi);
        break;

    case VIOMMU_NR_TIMERS:
    default:
        break;
    }
    CHECK_EQ(harness.locks, 0);
}

bool guest_timer_fires(uint64_t until)
{
    struct fake_unit *first = NULL, *u;
    unsigned int i, which = 0;

    for ( u = guest.unit; u < guest.unit + NR_UNITS && u->vi; u++ )
        for ( i = 0; i < VIOMMU_NR_TIMERS; i++ )
            if ( u->timer[i] && u->timer[i] <= until &&
                 (!first || u->timer[i] < first->timer[which]) )
            {
                first = u;
                which = i;
            }

    guest.time_us = max(guest.time_us, first ? first->timer[which] : until);
    if ( !first )
        return false;

    first->timer[which] = 0;
    fire(first->vi, which);

    return true;
}

void guest_other_cpu(void (*hook)(void))
{
    unsigned int locks = harness.locks;

    if ( !hook )
        return;
    harness.locks = 0;
    hook();
    CHECK_EQ(harness.locks, 0);
    harness.locks = locks;
}

/* ---- The register page as memory, and who polls it. ---- */

int guest_inbox_alloc(struct viommu *vi)
{
    if ( vi->inbox.page )
        return 0;
    if ( harness_starve() )
        return -ENOMEM;

    vi->inbox.page = guest_unit(vi)->inbox;

    return 0;
}

static void check_inbox_locks(void)
{
    check_locks();
    if ( !(harness.locks & (1U << RANK_SYNC)) )
        FAIL("the register page changes without sync_lock");
}

int guest_inbox_map(struct viommu *vi)
{
    check_inbox_locks();
    if ( guest_unit(vi)->inbox_mapped )
        FAIL("register page mapped twice");
    if ( guest.no_inbox_map )
        return -ENOMEM;
    guest_other_cpu(guest.on_inbox_map);
    guest_unit(vi)->inbox_mapped = true;

    return 0;
}

void guest_inbox_unmap(struct viommu *vi)
{
    check_inbox_locks();
    if ( !guest_unit(vi)->inbox_mapped )
        FAIL("register page unmapped twice");
    guest_other_cpu(guest.on_inbox_unmap);
    guest_unit(vi)->inbox_mapped = false;
    guest_other_cpu(guest.on_inbox_unmapped);
}

static unsigned int bit_of(const struct domain *d)
{
    return 1U << (d ? d->domain_id % 32 : 0);
}

void sidecore_block(void)
{
    guest.blocked |= bit_of(guest.polling);
    guest_other_cpu(guest.on_block);
}

void sidecore_unblock(struct domain *d)
{
    guest.blocked &= ~bit_of(d);
}

bool sidecore_preempted(void)
{
    if ( !guest.rounds )
        return true;
    guest.rounds--;

    return false;
}

void guest_send_msi(struct viommu *vi, uint64_t addr, uint32_t data)
{
    (void)vi;
    if ( harness_locks_held(RANK_SYNC) )
        FAIL("message sent with a lock held");
    guest.msis++;
    guest.msi_addr = addr;
    guest.msi_data = data;
}

void guest_defer(struct viommu *vi)
{
    guest_unit(vi)->deferred++;
    guest.deferred++;
}

void guest_defer_all(struct viommu *vi)
{
    guest_defer(vi);
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
