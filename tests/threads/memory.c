/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * memory.c: the guests' memory and vCPUs. Compiled without ThreadSanitizer.
 *
 * A frame has a reference for its place in a p2m and one for each use, as in
 * Xen; the last one gives it back, and then anybody may get it: another guest,
 * or the same one somewhere else.
 */
#include <stdlib.h>

#include "world.h"

struct world worlds[NR_WORLDS];

/* ---- Frames ---- */

static struct frame {
    struct world *owner;         /* NULL: free */
    unsigned int refs;
    unsigned int pins;           /* of them, for devices */
    uint64_t *data;
} frames[NR_FRAMES];
static quiet_lock_t heap_lock;

static struct world *world_of(struct viommu *vi)
{
    return (struct world *)vi;
}

/* n free frames in a row, aligned; they are the world's. */
static unsigned int frames_alloc(struct world *w, unsigned int n)
{
    unsigned int first, i, tries;

    quiet_lock(&heap_lock);
    for ( tries = 0; ; tries++ )
    {
        CHECK(tries < 100000);
        first = rnd(NR_FRAMES / n) * n;
        for ( i = 0; i < n && !frames[first + i].owner; i++ )
            ;
        if ( i == n )
            break;
    }
    for ( i = 0; i < n; i++ )
    {
        frames[first + i].owner = w;
        frames[first + i].refs = 1;
        /* What others have left. */
        memset(frames[first + i].data, 0xff, 1U << VTD_PAGE_SHIFT);
    }
    quiet_unlock(&heap_lock);

    return first;
}

bool frame_get(struct world *w, unsigned int frame, bool pin)
{
    bool ok = false;

    quiet_lock(&heap_lock);
    if ( frame < NR_FRAMES && frames[frame].owner == w )
    {
        frames[frame].refs++;
        frames[frame].pins += pin;
        ok = true;
    }
    quiet_unlock(&heap_lock);

    return ok;
}

void frame_put(unsigned int frame, bool pin)
{
    struct frame *f = &frames[frame];

    quiet_lock(&heap_lock);
    if ( frame >= NR_FRAMES || !f->refs || (pin && !f->pins) )
        FAIL("frame %#x put once too often", frame);
    f->pins -= pin;
    if ( !--f->refs )
        f->owner = NULL;
    quiet_unlock(&heap_lock);
}

static unsigned int frame_refs(const struct world *w, unsigned int frame)
{
    unsigned int refs;

    quiet_lock(&heap_lock);
    refs = frame < NR_FRAMES && frames[frame].owner == w ? frames[frame].refs
                                                         : 0;
    quiet_unlock(&heap_lock);

    return refs;
}

bool frame_pinned(const struct world *w, unsigned int frame)
{
    bool pinned;

    quiet_lock(&heap_lock);
    pinned = frame < NR_FRAMES && frames[frame].owner == w &&
             frames[frame].pins;
    quiet_unlock(&heap_lock);

    return pinned;
}

void memory_init(void)
{
    unsigned int i, gfn;

    for ( i = 0; i < NR_FRAMES; i++ )
    {
        frames[i].data = aligned_alloc(1U << VTD_PAGE_SHIFT,
                                       1U << VTD_PAGE_SHIFT);
        if ( !frames[i].data )
            abort();
    }

    for ( i = 0; i < NR_WORLDS; i++ )
    {
        struct world *w = &worlds[i];

        w->index = i;
        w->vcpus = i ? 1 : NR_VCPUS;
        w->d.domain_id = i + 1;
        w->vi.d = &w->d;
        for ( gfn = 0; gfn < NR_GFNS; gfn++ )
        {
            if ( gfn >= G_BIG && gfn < G_SMALL &&
                 gfn % VTD_LEVEL_PAGES(3) )
                w->p2m[gfn].frame = w->p2m[gfn - 1].frame + 1;
            else
                w->p2m[gfn].frame =
                    frames_alloc(w, gfn >= G_BIG && gfn < G_SMALL
                                    ? VTD_LEVEL_PAGES(3) : 1);
            w->p2m[gfn].type = GFN_RAM;
            memset(frames[w->p2m[gfn].frame].data, 0, 1U << VTD_PAGE_SHIFT);
        }
    }
}

void memory_check(void)
{
    unsigned int i, gfn;

    for ( i = 0; i < NR_WORLDS; i++ )
        for ( gfn = 0; gfn < NR_GFNS; gfn++ )
            if ( worlds[i].p2m[gfn].type != GFN_MISSING )
                frame_put(worlds[i].p2m[gfn].frame, false);
    for ( i = 0; i < NR_FRAMES; i++ )
        if ( frames[i].refs || frames[i].pins )
            FAIL("frame %#x: %u references, %u for devices, are left", i,
                 frames[i].refs, frames[i].pins);
}

/* ---- The p2m, as others change it ---- */

uint64_t guest_read(struct world *w, unsigned long gfn, unsigned int index)
{
    uint64_t value = 0;

    quiet_lock(&w->p2m_lock);
    if ( w->p2m[gfn].type != GFN_MISSING )
        value = ACCESS_ONCE(frames[w->p2m[gfn].frame].data[index]);
    quiet_unlock(&w->p2m_lock);

    return value;
}

void guest_write(struct world *w, unsigned long gfn, unsigned int index,
                 uint64_t value)
{
    quiet_lock(&w->p2m_lock);
    if ( w->p2m[gfn].type == GFN_RAM )
        ACCESS_ONCE(frames[w->p2m[gfn].frame].data[index]) = value;
    quiet_unlock(&w->p2m_lock);
}

/* As the hooks in Xen: the entry is written, and the lock is held. */
static void p2m_changed(struct world *w, bool removed)
{
    ACCESS_ONCE(w->vi.generation)++;
    if ( removed )
        viommu_end_stale(&w->vi);
}

void balloon_out(struct world *w, unsigned long gfn)
{
    unsigned int frame;

    quiet_lock(&w->p2m_lock);
    frame = w->p2m[gfn].frame;
    if ( w->p2m[gfn].type != GFN_MISSING )
    {
        w->p2m[gfn].type = GFN_MISSING;
        p2m_changed(w, true);
        quiet_unlock(&w->p2m_lock);
        frame_put(frame, false);
        return;
    }
    quiet_unlock(&w->p2m_lock);
}

void balloon_in(struct world *w, unsigned long gfn)
{
    unsigned int frame = frames_alloc(w, 1);

    quiet_lock(&w->p2m_lock);
    if ( w->p2m[gfn].type == GFN_MISSING )
    {
        w->p2m[gfn].frame = frame;
        w->p2m[gfn].type = GFN_RAM;
        p2m_changed(w, false);
        quiet_unlock(&w->p2m_lock);
        return;
    }
    quiet_unlock(&w->p2m_lock);
    frame_put(frame, false);
}

void change_type(struct world *w, unsigned long gfn, enum gfn_type type)
{
    quiet_lock(&w->p2m_lock);
    if ( w->p2m[gfn].type != GFN_MISSING )
    {
        w->p2m[gfn].type = type;
        p2m_changed(w, false);
    }
    quiet_unlock(&w->p2m_lock);
}

void exchange(struct world *w, unsigned long gfn, unsigned int n)
{
    unsigned int frame = frames_alloc(w, n), old[VTD_LEVEL_PAGES(3)], i;
    bool had[VTD_LEVEL_PAGES(3)];

    quiet_lock(&w->p2m_lock);
    for ( i = 0; i < n; i++ )
    {
        had[i] = w->p2m[gfn + i].type != GFN_MISSING;
        old[i] = w->p2m[gfn + i].frame;
        if ( had[i] )
            memcpy(frames[frame + i].data, frames[old[i]].data,
                   1U << VTD_PAGE_SHIFT);
        w->p2m[gfn + i].type = GFN_RAM;
        w->p2m[gfn + i].frame = frame + i;
        p2m_changed(w, had[i]);
    }
    quiet_unlock(&w->p2m_lock);
    for ( i = 0; i < n; i++ )
        if ( had[i] )
            frame_put(old[i], false);
}

/* ---- The boundary: memory ---- */

static void check_locks(void)
{
    if ( harness_locks_held(RANK_REG) )
        FAIL("guest memory used under reg_lock");
}

void guest_lookup(struct viommu *vi, gfn_t gfn, bool write, bool populate,
                  bool hold, struct guest_lookup *result)
{
    struct world *w = world_of(vi);
    unsigned long n = gfn_x(gfn);

    check_locks();
    *result = (struct guest_lookup){ .level = 1 };
    quiet_lock(&w->p2m_lock);
    if ( n < NR_GFNS && w->p2m[n].type != GFN_MISSING )
    {
        result->read = true;
        result->write = w->p2m[n].type == GFN_RAM;
        result->mfn = _mfn(MFN_GUEST + w->p2m[n].frame);
        if ( hold )
            CHECK(frame_get(w, w->p2m[n].frame, true));
    }
    quiet_unlock(&w->p2m_lock);
}

bool guest_superpage(struct viommu *vi, gfn_t gfn, unsigned int level,
                     bool *read, bool *write, mfn_t *mfn)
{
    struct world *w = world_of(vi);
    unsigned long first = gfn_x(gfn), i;
    const unsigned long n = VTD_LEVEL_PAGES(level);
    bool same = first + n <= NR_GFNS;

    check_locks();
    quiet_lock(&w->p2m_lock);
    same = same && w->p2m[first].type != GFN_MISSING &&
           IS_ALIGNED(MFN_GUEST + w->p2m[first].frame, n);
    for ( i = 1; same && i < n; i++ )
        same = w->p2m[first + i].type == w->p2m[first].type &&
               w->p2m[first + i].frame == w->p2m[first].frame + i;
    if ( same )
    {
        *mfn = _mfn(MFN_GUEST + w->p2m[first].frame);
        *write &= w->p2m[first].type == GFN_RAM;
    }
    quiet_unlock(&w->p2m_lock);

    return same && (*read || *write);
}

bool guest_get_frame(struct viommu *vi, mfn_t mfn)
{
    check_locks();

    return frame_get(world_of(vi), mfn_x(mfn) - MFN_GUEST, true);
}

bool guest_has_frame(struct viommu *vi, mfn_t mfn)
{
    struct world *w = world_of(vi);
    bool found = false;
    unsigned int i;

    quiet_lock(&w->p2m_lock);
    for ( i = 0; i < NR_GFNS; i++ )
        found |= w->p2m[i].type != GFN_MISSING &&
                 w->p2m[i].frame == mfn_x(mfn) - MFN_GUEST;
    quiet_unlock(&w->p2m_lock);

    return found;
}

void guest_put_frame(mfn_t mfn)
{
    check_locks();
    frame_put(mfn_x(mfn) - MFN_GUEST, true);
}

void *guest_map(struct viommu *vi, mfn_t mfn)
{
    check_locks();
    if ( !frame_get(world_of(vi), mfn_x(mfn) - MFN_GUEST, false) )
        return NULL;

    return frames[mfn_x(mfn) - MFN_GUEST].data;
}

void guest_unmap(void *va, mfn_t mfn)
{
    CHECK(va == frames[mfn_x(mfn) - MFN_GUEST].data);
    frame_put(mfn_x(mfn) - MFN_GUEST, false);
}

void guest_dirtied(struct viommu *vi, gfn_t gfn)
{
}

unsigned int guest_frame_refs(struct viommu *vi, mfn_t mfn)
{
    return frame_refs(world_of(vi), mfn_x(mfn) - MFN_GUEST);
}

void guest_inconsistent(struct viommu *vi, const char *what, uint64_t addr,
                        uint64_t entry, uint64_t expected, uint64_t found)
{
    FAIL("check: %s at %#llx: the guest has %#llx, expected %#llx, found %#llx",
         what, (unsigned long long)addr, (unsigned long long)entry,
         (unsigned long long)expected, (unsigned long long)found);
}

unsigned long guest_max_frame(void)
{
    return MFN_GUEST + NR_FRAMES;
}

unsigned long guest_max_pages(const struct viommu *vi)
{
    return NR_GFNS;
}

/* ---- The boundary: vCPUs and time ---- */

static volatile uint64_t now_us = 1;

uint64_t guest_time_us(void)
{
    return __atomic_add_fetch(&now_us, 1, __ATOMIC_SEQ_CST);
}

void guest_set_timer(struct viommu *vi, enum viommu_timer timer, uint64_t at)
{
    CHECK(at);
    __atomic_store_n(&world_of(vi)->timer[timer], at, __ATOMIC_SEQ_CST);
}

void time_passes(unsigned int us)
{
    uint64_t now = __atomic_add_fetch(&now_us, us, __ATOMIC_SEQ_CST), at;
    unsigned int i;
    struct world *w;

    for ( w = worlds; w < worlds + NR_WORLDS; w++ )
        for ( i = 0; i < VIOMMU_NR_TIMERS; i++ )
        {
            at = __atomic_load_n(&w->timer[i], __ATOMIC_SEQ_CST);
            if ( !at || at > now ||
                 !__atomic_compare_exchange_n(&w->timer[i], &at, 0, false,
                                              __ATOMIC_SEQ_CST,
                                              __ATOMIC_SEQ_CST) )
                continue;
            if ( i == VIOMMU_TIMER_WATCH )
                sidecore_watch(&w->vi);
            else
                viommu_stale_timer(&w->vi);
            CHECK(!cpu.locks);
        }
}

void guest_defer(struct viommu *vi)
{
    struct world *w = world_of(vi);

    if ( cpu.w != w )
        FAIL("deferred to a vCPU that is not the caller's");
    __atomic_fetch_or(&w->deferred, 1U << cpu.vcpu, __ATOMIC_SEQ_CST);
}

void guest_defer_all(struct viommu *vi)
{
    struct world *w = world_of(vi);

    __atomic_fetch_or(&w->deferred, (1U << w->vcpus) - 1, __ATOMIC_SEQ_CST);
}

void process_pending(void)
{
    struct world *w = cpu.w;
    const unsigned int bit = 1U << cpu.vcpu;

    CHECK(!cpu.locks);
    if ( (__atomic_fetch_and(&w->deferred, ~bit, __ATOMIC_SEQ_CST) & bit) &&
         viommu_work(&w->vi) )
        __atomic_fetch_or(&w->deferred, bit, __ATOMIC_SEQ_CST);
    CHECK(!cpu.locks);
}

void guest_send_msi(struct viommu *vi, uint64_t addr, uint32_t data)
{
    if ( harness_locks_held(RANK_SYNC) )
        FAIL("message sent with a lock held");
    quiet_add(&world_of(vi)->msis, 1);
}

/* ---- The register page ---- */

int guest_inbox_alloc(struct viommu *vi)
{
    vi->inbox.page = world_of(vi)->inbox;

    return 0;
}

int guest_inbox_map(struct viommu *vi)
{
    if ( quiet_get(&world_of(vi)->mapped) )
        FAIL("register page mapped twice");
    quiet_set(&world_of(vi)->mapped, 1);

    return 0;
}

void guest_inbox_unmap(struct viommu *vi)
{
    struct world *w = world_of(vi);
    unsigned int i;

    if ( !quiet_get(&w->mapped) )
        FAIL("register page unmapped twice");
    quiet_set(&w->mapped, 0);
    for ( i = 0; i < NR_VCPUS; i++ )
        while ( quiet_get(&w->accessing[i]) )
            pause_a_bit();
}

/* Whether it is memory; then it stays so until access_ends(). */
static bool access_begins(void)
{
    quiet_set(&cpu.w->accessing[cpu.vcpu], 1);
    if ( quiet_get(&cpu.w->mapped) )
        return true;
    quiet_set(&cpu.w->accessing[cpu.vcpu], 0);

    return false;
}

static void access_ends(void)
{
    quiet_set(&cpu.w->accessing[cpu.vcpu], 0);
}

uint64_t reg_read(unsigned int offset, unsigned int size)
{
    uint32_t *dword = cpu.w->inbox + offset / sizeof(uint32_t);
    uint64_t value;

    process_pending();
    if ( !access_begins() )
    {
        value = viommu_mmio_read(&cpu.w->vi, offset, size);
        CHECK(!cpu.locks);
        return value;
    }

    value = size == 4 ? ACCESS_ONCE(*dword)
                      : ACCESS_ONCE(*(uint64_t *)dword);
    access_ends();

    return value;
}

void reg_write(unsigned int offset, unsigned int size, uint64_t value)
{
    uint32_t *dword = cpu.w->inbox + offset / sizeof(uint32_t);

    process_pending();
    if ( !access_begins() )
    {
        viommu_mmio_write(&cpu.w->vi, offset, size, value);
        CHECK(!cpu.locks);
        return;
    }

    if ( size == 4 )
        ACCESS_ONCE(*dword) = value;
    else
        ACCESS_ONCE(*(uint64_t *)dword) = value;
    access_ends();
}

/* ---- The sidecore's vCPU ---- */

static volatile unsigned int asleep;

void sidecore_block(void)
{
    quiet_set(&asleep, 1);
}

void sidecore_unblock(struct domain *d)
{
    quiet_set(&asleep, 0);
}

bool sidecore_preempted(void)
{
    return !rnd(4);
}

bool sidecore_sleeps(void)
{
    return quiet_get(&asleep);
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
