/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fake-guest.c: memory, interrupts and vCPUs of a guest.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fake.h"

struct fake_guest guest;

static uint8_t types[NR_GFNS];
/* Of frames, by their number less MFN_GUEST. */
static uint16_t refs[NR_GFNS];
/* All pages twice: as the guest has them, and as the unit has them mapped. */
static char *memory, *mappings;
static uint16_t mapped[NR_GFNS];
/* Pages that were asked for, to be cleared. */
static unsigned long used[NR_GFNS];
static unsigned int nr_used;
static bool is_used[NR_GFNS];

/* Frames that are behind other gfns than at first; 0: none, else one more. */
static uint32_t behind[NR_GFNS];
static bool exchanged;

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

static unsigned long frame_of(unsigned long gfn)
{
    return gfn < NR_GFNS && behind[gfn] ? behind[gfn] - 1 : scramble(gfn);
}

unsigned long guest_frame(unsigned long gfn)
{
    return MFN_GUEST + frame_of(gfn);
}

static unsigned long index_of(unsigned long mfn)
{
    if ( mfn - MFN_GUEST >= NR_GFNS )
        FAIL("frame %#lx is not the domain's", mfn);

    return mfn - MFN_GUEST;
}

/* As Xen does it with each change of the p2m. */
static void changed(void)
{
    unsigned int i;

    for ( i = 0; i < NR_UNITS && guest.unit[i].vi; i++ )
        guest.unit[i].vi->generation++;
}

void guest_exchange(unsigned long gfn, unsigned long with)
{
    unsigned long a = frame_of(gfn), b = frame_of(with);

    CHECK(gfn < NR_GFNS && with < NR_GFNS);
    behind[gfn] = b + 1;
    behind[with] = a + 1;
    exchanged = true;
    changed();
}

void guest_move(unsigned long gfn, unsigned long with)
{
    uint64_t *a = guest_page(gfn), *b = guest_page(with);
    uint64_t page[(1U << VTD_PAGE_SHIFT) / sizeof(uint64_t)];

    memcpy(page, a, sizeof(page));
    memcpy(a, b, sizeof(page));
    memcpy(b, page, sizeof(page));
    guest_exchange(gfn, with);
}

void guest_reset(void)
{
    /* What a test that failed has left; else there is none. */
    if ( guest.frames )
        memset(refs, 0, sizeof(refs));
    if ( guest.mapped )
        memset(mapped, 0, sizeof(mapped));
    memset(&guest, 0, sizeof(guest));
    memset(types, GFN_MISSING, sizeof(types));
    if ( exchanged )
        memset(behind, 0, sizeof(behind));
    exchanged = false;
    while ( nr_used )
    {
        memset(memory + (used[--nr_used] << VTD_PAGE_SHIFT), 0,
               1U << VTD_PAGE_SHIFT);
        is_used[used[nr_used]] = false;
    }
}

void guest_set(unsigned long gfn, unsigned long n, enum gfn_type type)
{
    CHECK(gfn + n <= NR_GFNS);
    memset(types + gfn, type, n);
    changed();
}

enum gfn_type guest_type(unsigned long gfn)
{
    return gfn < NR_GFNS ? types[gfn] : GFN_MISSING;
}

static void make_memory(void)
{
    const size_t size = (size_t)NR_GFNS << VTD_PAGE_SHIFT;
    int fd = memfd_create("guest", 0);

    if ( fd < 0 || ftruncate(fd, size) )
        abort();
    memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_NORESERVE, fd, 0);
    mappings = mmap(NULL, size, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_NORESERVE, fd, 0);
    if ( memory == MAP_FAILED || mappings == MAP_FAILED )
        abort();
    close(fd);
}

static uint64_t *page_of(unsigned long frame)
{
    if ( !memory )
        make_memory();
    if ( !is_used[frame] )
    {
        used[nr_used++] = frame;
        is_used[frame] = true;
    }

    return (uint64_t *)(memory + (frame << VTD_PAGE_SHIFT));
}

uint64_t *guest_page(unsigned long gfn)
{
    CHECK(gfn < NR_GFNS);

    return page_of(frame_of(gfn));
}

unsigned int guest_refs(unsigned long mfn)
{
    return refs[index_of(mfn)];
}

/* ---- The boundary ---- */

static void check_locks(void)
{
    if ( harness_locks_held(RANK_REG) )
        FAIL("guest memory used under reg_lock");
}

static bool refused(void)
{
    if ( !guest.refuse_in || --guest.refuse_in )
        return false;
    guest.refused++;

    return true;
}

static void get_frame(unsigned long mfn)
{
    unsigned long frame = index_of(mfn);

    if ( ++refs[frame] == UINT16_MAX )
        FAIL("too many references to frame %#lx", mfn);
    guest.pinned += refs[frame] == 1;
    guest.frames++;
    guest.gets++;
}

void guest_lookup(struct viommu *vi, gfn_t gfn, bool write, bool populate,
                  bool hold, struct guest_lookup *result)
{
    const enum gfn_type type = refused() ? GFN_MISSING
                                         : guest_type(gfn_x(gfn));

    guest_unit(vi);
    check_locks();
    guest.lookups++;
    if ( populate && (harness.locks & (1U << RANK_PCIDEVS)) &&
         !vi->pcidevs_held )
        guest.populated_under_pcidevs++;
    viommu_count(vi, p2m_lookups);
    result->read = (type == GFN_RAM || type == GFN_RAM_RO) &&
                   !(guest.is_foreign &&
                     guest.is_foreign(guest_frame(gfn_x(gfn))));
    result->write = result->read && type == GFN_RAM;
    result->level = guest.hole_level ? guest.hole_level(gfn_x(gfn)) : 1;
    if ( result->read )
        result->mfn = _mfn(guest_frame(gfn_x(gfn)));
    if ( hold && result->read )
        get_frame(mfn_x(result->mfn));
    if ( guest.on_lookup )
        guest.on_lookup(gfn_x(gfn));
}

bool guest_get_frame(struct viommu *vi, mfn_t mfn)
{
    (void)vi;
    check_locks();
    if ( guest.on_get )
        guest.on_get(mfn_x(mfn));
    if ( refused() || (guest.is_foreign && guest.is_foreign(mfn_x(mfn))) )
        return false;
    get_frame(mfn_x(mfn));

    return true;
}

bool guest_has_frame(struct viommu *vi, mfn_t mfn)
{
    unsigned long gfn;

    (void)vi;
    CHECK(mapped[index_of(mfn_x(mfn))] || refs[index_of(mfn_x(mfn))]);
    if ( guest.is_foreign && guest.is_foreign(mfn_x(mfn)) )
        return false;
    /* Of those, only few are asked for. */
    for ( gfn = 0; gfn < NR_GFNS; gfn++ )
        if ( guest_type(gfn) == GFN_RAM || guest_type(gfn) == GFN_RAM_RO )
            if ( guest_frame(gfn) == mfn_x(mfn) )
                return true;

    return false;
}

void guest_put_frame(mfn_t mfn)
{
    unsigned long frame = index_of(mfn_x(mfn));

    check_locks();
    if ( !refs[frame] )
        FAIL("frame %#lx put once too often", mfn_x(mfn));
    guest.frames--;
    /* Invariant 1. */
    guest.pinned -= refs[frame] == 1;
    if ( !--refs[frame] && hw_reaches(mfn_x(mfn)) )
        FAIL("frame %#lx put while devices reach it", mfn_x(mfn));
}

/* Of the sanitizer; absent when it is. */
void __attribute__((weak))
__asan_poison_memory_region(const volatile void *p, size_t size);
void __attribute__((weak))
__asan_unpoison_memory_region(const volatile void *p, size_t size);

bool guest_is_mapped(unsigned long mfn)
{
    return mapped[index_of(mfn)];
}

void *guest_map(struct viommu *vi, mfn_t mfn)
{
    unsigned long frame = index_of(mfn_x(mfn));
    char *va;

    (void)vi;
    check_locks();
    if ( refused() || (guest.is_foreign && guest.is_foreign(mfn_x(mfn))) )
        return NULL;
    guest.mapped++;
    mapped[frame]++;
    (void)page_of(frame);
    va = mappings + (frame << VTD_PAGE_SHIFT);
    if ( __asan_unpoison_memory_region )
        __asan_unpoison_memory_region(va, 1U << VTD_PAGE_SHIFT);

    return va;
}

void guest_unmap(void *va, mfn_t mfn)
{
    unsigned long frame = index_of(mfn_x(mfn));

    check_locks();
    if ( va != mappings + (frame << VTD_PAGE_SHIFT) || !mapped[frame] )
        FAIL("guest_unmap() of what was not mapped");
    guest.mapped--;
    /* Whoever uses it from now on is caught by the sanitizer. */
    if ( !--mapped[frame] && __asan_poison_memory_region )
        __asan_poison_memory_region(va, 1U << VTD_PAGE_SHIFT);
    if ( guest.on_unmap )
        guest.on_unmap();
}

void guest_dirtied(struct viommu *vi, gfn_t gfn)
{
    (void)vi;
    CHECK_EQ(guest_type(gfn_x(gfn)), GFN_RAM);
    if ( guest.on_status )
        guest.on_status();
}

#ifdef CONFIG_VIOMMU_CHECK

unsigned int guest_frame_refs(struct viommu *vi, mfn_t mfn)
{
    (void)vi;

    /* It is the guest's: one for that. */
    return refs[index_of(mfn_x(mfn))] + 1;
}

void guest_inconsistent(struct viommu *vi, const char *what, uint64_t addr,
                        uint64_t entry, uint64_t expected, uint64_t found)
{
    (void)vi;
    FAIL("check: %s at %#llx: the guest has %#llx, expected %#llx, found %#llx",
         what, (unsigned long long)addr, (unsigned long long)entry,
         (unsigned long long)expected, (unsigned long long)found);
}

#endif

unsigned long guest_max_frame(void)
{
    return MFN_GUEST + NR_GFNS;
}

unsigned long guest_max_pages(const struct viommu *vi)
{
    (void)vi;

    return guest.max_pages ?: NR_GFNS;
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
    if ( refused() )
        return false;

    for ( i = 0; i < n; i++ )
        if ( guest_type(first + i) != guest_type(first) ||
             guest_frame(first + i) != guest_frame(first) + i )
            return false;

    *mfn = _mfn(guest_frame(first));
    *read &= guest_type(first) == GFN_RAM || guest_type(first) == GFN_RAM_RO;
    *write &= guest_type(first) == GFN_RAM;
    if ( !*read && !*write )
        return false;
    if ( guest.on_superpage )
        guest.on_superpage();

    return true;
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

uint64_t pages_pinned(struct viommu *vi)
{
    const struct harness was = harness;
    int rc;

    harness.fail_in = harness.fail_rate = harness.trylocks = 0;
    do
        rc = viommu_count_pinned(vi);
    while ( rc == -ERESTART );
    CHECK_EQ(rc, 0);
    harness = was;

    return vi->count[XEN_VIOMMU_CNT_pages_pinned];
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
