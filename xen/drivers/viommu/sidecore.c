/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sidecore.c: polling for guests whose register page is memory (inbox.c).
 *
 * A sidecore is a domain whose vCPU does nothing but call sidecore_poll(). It
 * serves the guests assigned to it, a bounded piece of work each in turn.
 *
 * A guest is never at the mercy of its sidecore. If that does not look at it
 * for fallback_us, a timer has the guest's vCPUs make the page trap and do what
 * is in it; the sidecore takes it up again when it polls again, after a pause
 * that grows while this happens often. A guest without work traps, too, and its
 * sidecore sleeps when there is no other; while a page traps, its commands are
 * done by the trap, so that a wake-up is a matter of speed only.
 */
#include "boundary.h"
#include "fault.h"
#include "inbox.h"
#include "sidecore.h"
#include "work.h"

/*
 * Work items that are a guest's share of a round. A command that has begun goes
 * on until the limit: so one whose removals fit one flush does not get two. A
 * guest that has taken more than its share is passed by until it has made up
 * for that.
 */
#define VISIT_BUDGET      128
#define VISIT_LIMIT       (VISIT_BUDGET + VIOMMU_NR_REMOVED + 32)

/* Of so many rounds, one repairs a part of each page. */
#define SCRUB_ROUNDS      16

/* How long one call polls, unless there is something else for the CPU. */
#define POLL_US           1000

/* Pauses after a fallback, and how long without one ends their growth. */
#define BACKOFF_MIN_US    10000
#define BACKOFF_MAX_US    1000000
#define BACKOFF_FORGET_US 1000000

/*
 * A guest whose page trapped again after less than so many batches needs more
 * trapped commands the next time, up to a limit, before the page changes.
 */
#define BATCHES_WORTH_IT  16
#define KNOCKS_MAX        64

static DEFINE_SPINLOCK(assign_lock);
static struct viommu_sidecore sidecores[XEN_VIOMMU_MAX_SIDECORES];
/* Guests in sidecore mode while no sidecore runs. */
static struct viommu *orphans;

/* ---- One guest. sync_lock held, unless said otherwise. ---- */

static void watch(struct viommu *vi)
{
    guest_set_timer(vi, VIOMMU_TIMER_WATCH,
                    guest_time_us() + ACCESS_ONCE(vi->set.fallback_us) / 4);
}

void sidecore_limit(struct viommu *vi)
{
    if ( vi->inbox.live )
        watch(vi);
}

static void enter(struct viommu *vi, uint64_t now)
{
    if ( !ACCESS_ONCE(vi->sc.wanted) || now < vi->sc.not_before )
        return;

    if ( !inbox_enter(vi) )
        return;

    viommu_count(vi, no_exit_begins);
    vi->sc.entered = vi->sc.last_work = now;
    vi->sc.batches = 0;
    ACCESS_ONCE(vi->sc.given_up) = false;
    watch(vi);
}

/* Nothing came for a while. */
static void go_idle(struct viommu *vi)
{
    (void)inbox_leave(vi);
    ACCESS_ONCE(vi->sc.wanted) = false;
    ACCESS_ONCE(vi->sc.knocks) = 0;
    vi->sc.knocks_needed = vi->sc.batches >= BATCHES_WORTH_IT
                           ? 1 : min(vi->sc.knocks_needed * 2, KNOCKS_MAX + 0U);
    viommu_count(vi, no_exit_idles);
}

/*
 * Whether a look at the guest finds that nothing is to be done for it. A quick
 * one sees of the registers only the tail.
 */
static inline bool is_quiet(const struct viommu *vi, bool quick)
{
    const uint32_t due = ACCESS_ONCE(vi->sc.more) | vi->sc.debt;

    if ( unlikely(!ACCESS_ONCE(vi->inbox.live)) )
        return !(due | ACCESS_ONCE(vi->sc.wanted));

    return !(due | (quick ? inbox_peek_tail(vi) : inbox_peek(vi)));
}

/*
 * Takes up what is there. False: it could not be looked at, so that is to be
 * done again soon. No lock but the sidecore's.
 */
static bool visit(struct viommu *vi, uint64_t now)
{
    struct viommu_budget b = BUDGET(VISIT_LIMIT);

    if ( vi->sc.debt )
    {
        vi->sc.debt -= min(vi->sc.debt, VISIT_BUDGET + 0U);
        return true;
    }
    b.rest = VISIT_LIMIT - VISIT_BUDGET;

    /* Somebody else is at it, who may well not wake anybody after that. */
    if ( !spin_trylock(&vi->sync_lock) )
        return false;

    if ( !vi->inbox.live )
        enter(vi, now);
    else if ( vi->sc.more || inbox_peek(vi) )
    {
        viommu_count(vi, sidecore_batches);
        vi->sc.on->batches++;
        vi->sc.batches++;
        vi->sc.last_work = now;
        vi->sc.more = work_run_trylock(vi, &b);
        if ( budget_taken(&b) > VISIT_BUDGET )
            vi->sc.debt = budget_taken(&b) - VISIT_BUDGET;
    }

    /* What is left when the page traps again is for the guest's vCPUs. */
    if ( vi->sc.more && !vi->inbox.live )
    {
        vi->sc.more = false;
        guest_defer_all(vi);
    }
    spin_unlock(&vi->sync_lock);

    fault_send_events(vi);

    return true;
}

/*
 * What is to be done for a guest now and then. Returns whether it needs to be
 * looked at again soon. No lock but the sidecore's.
 */
static bool keep_up(struct viommu *vi, uint64_t now, bool scrub)
{
    struct viommu_budget b = BUDGET(VISIT_LIMIT);
    /* A glance, without the lock; what matters is looked at again under it. */
    bool idle = ACCESS_ONCE(vi->inbox.live) &&
                elapsed_us(vi->sc.last_work, now) >=
                ACCESS_ONCE(vi->set.idle_us);

    ACCESS_ONCE(vi->sc.last_poll) = now;

    if ( (idle || scrub) && spin_trylock(&vi->sync_lock) )
    {
        if ( vi->inbox.live && scrub )
            inbox_scrub(vi);
        if ( vi->inbox.live && idle && is_quiet(vi, false) )
        {
            go_idle(vi);
            if ( work_run_trylock(vi, &b) )
                guest_defer_all(vi);
        }
        spin_unlock(&vi->sync_lock);
        fault_send_events(vi);
    }

    return ACCESS_ONCE(vi->inbox.live) || vi->sc.debt ||
           (ACCESS_ONCE(vi->sc.wanted) &&
            now < ACCESS_ONCE(vi->sc.not_before));
}

void sidecore_watch(struct viommu *vi)
{
    /* Racy, but enter() starts the timer anew. */
    if ( !ACCESS_ONCE(vi->inbox.live) )
        return;

    if ( elapsed_us(ACCESS_ONCE(vi->sc.last_poll), guest_time_us()) >=
         ACCESS_ONCE(vi->set.fallback_us) / 2 )
    {
        /* Again if nobody came: a vCPU may have halted just then. */
        ACCESS_ONCE(vi->sc.given_up) = true;
        guest_defer_all(vi);
    }
    watch(vi);
}

void sidecore_fallback(struct viommu *vi)
{
    uint64_t now = guest_time_us();

    ASSERT(spin_is_locked(&vi->sync_lock));

    if ( !ACCESS_ONCE(vi->sc.given_up) )
        return;
    ACCESS_ONCE(vi->sc.given_up) = false;
    /* It may have come back meanwhile. */
    if ( !vi->inbox.live ||
         elapsed_us(ACCESS_ONCE(vi->sc.last_poll), now) <
         vi->set.fallback_us / 2 )
        return;

    (void)inbox_leave(vi);
    viommu_count(vi, trap_fallbacks);
    vi->sc.more = false;
    vi->sc.backoff = elapsed_us(vi->sc.entered, now) >= BACKOFF_FORGET_US
                     ? BACKOFF_MIN_US
                     : min(vi->sc.backoff * 2 ?: BACKOFF_MIN_US + 0ULL,
                           BACKOFF_MAX_US + 0ULL);
    vi->sc.not_before = now + vi->sc.backoff;
}

void sidecore_wake(struct viommu *vi)
{
    struct viommu_sidecore *s = ACCESS_ONCE(vi->sc.on);

    if ( !s || ACCESS_ONCE(vi->inbox.live) ||
         ++ACCESS_ONCE(vi->sc.knocks) < ACCESS_ONCE(vi->sc.knocks_needed) )
        return;

    ACCESS_ONCE(vi->sc.wanted) = true;
    ACCESS_ONCE(s->wanted) = true;
    /* Against sidecore_poll(): one of the two sees what the other wrote. */
    smp_mb();
    if ( !ACCESS_ONCE(s->asleep) )
        return;

    spin_lock(&s->wake_lock);
    if ( ACCESS_ONCE(s->asleep) )
    {
        ACCESS_ONCE(s->asleep) = false;
        s->wakeups++;
        viommu_count(vi, sidecore_wakeups);
        if ( s->d )
            sidecore_unblock(s->d);
    }
    spin_unlock(&s->wake_lock);
}

/* ---- Assignment. assign_lock held. ---- */

static void unlink_guest(struct viommu **list, struct viommu *vi)
{
    for ( ; *list != vi; list = &(*list)->sc.next )
        if ( !*list )
            return;
    *list = vi->sc.next;
    vi->sc.next = NULL;
}

/* The one with the fewest guests; NULL: there is none. */
static struct viommu_sidecore *least_loaded(void)
{
    struct viommu_sidecore *s, *best = NULL;

    for ( s = sidecores; s < sidecores + ARRAY_SIZE(sidecores); s++ )
        if ( s->d && (!best || s->nr_guests < best->nr_guests) )
            best = s;

    return best;
}

/* Gives the guest to a sidecore, or to the orphans. */
static void assign(struct viommu *vi)
{
    struct viommu_sidecore *s = least_loaded();

    vi->sc.knocks_needed = 1;
    vi->sc.backoff = vi->sc.not_before = 0;
    if ( !s )
    {
        vi->sc.next = orphans;
        orphans = vi;
        return;
    }

    spin_lock(&s->lock);
    vi->sc.next = s->guests;
    s->guests = vi;
    s->nr_guests++;
    ACCESS_ONCE(vi->sc.on) = s;
    spin_unlock(&s->lock);
}

/* Takes it from its sidecore, or from the orphans; its page traps. */
static void unassign(struct viommu *vi)
{
    struct viommu_sidecore *s = vi->sc.on;

    if ( s )
    {
        spin_lock(&s->lock);
        unlink_guest(&s->guests, vi);
        s->nr_guests--;
        ACCESS_ONCE(vi->sc.on) = NULL;
        spin_unlock(&s->lock);
    }
    else
        unlink_guest(&orphans, vi);

    spin_lock(&vi->sync_lock);
    (void)inbox_leave(vi);
    ACCESS_ONCE(vi->sc.wanted) = false;
    vi->sc.more = false;
    spin_unlock(&vi->sync_lock);
}

int sidecore_assign(struct viommu *vi)
{
    int rc = 0;

    spin_lock(&assign_lock);
    if ( vi->sc.assigned )
        ; /* Also if it is an orphan: it waits for the next one. */
    else if ( !least_loaded() )
        rc = -ENXIO;
    else
    {
        vi->sc.assigned = true;
        assign(vi);
    }
    spin_unlock(&assign_lock);

    return rc;
}

void sidecore_unassign(struct viommu *vi)
{
    spin_lock(&assign_lock);
    if ( vi->sc.assigned )
        unassign(vi);
    vi->sc.assigned = false;
    spin_unlock(&assign_lock);
}

/* ---- Sidecores. ---- */

static struct viommu_sidecore *find(const struct domain *d)
{
    struct viommu_sidecore *s;

    for ( s = sidecores; s < sidecores + ARRAY_SIZE(sidecores); s++ )
        if ( ACCESS_ONCE(s->d) == d )
            return s;

    return NULL;
}

int sidecore_start(struct domain *d)
{
    struct viommu_sidecore *s;
    struct viommu *vi;
    int rc = 0;

    spin_lock(&assign_lock);
    if ( find(d) )
        rc = -EEXIST;
    else if ( (s = find(NULL)) == NULL )
        rc = -ENOSPC;
    else
    {
        /* Once: somebody may still look at one that ended. */
        if ( !s->initialised )
        {
            spin_lock_init(&s->lock);
            spin_lock_init(&s->wake_lock);
            s->initialised = true;
        }
        s->polls = s->batches = 0;
        s->last_poll = guest_time_us();
        /* A vCPU may still be about to wake the one that ended. */
        spin_lock(&s->wake_lock);
        ACCESS_ONCE(s->asleep) = ACCESS_ONCE(s->wanted) = false;
        s->wakeups = 0;
        ACCESS_ONCE(s->d) = d;
        spin_unlock(&s->wake_lock);

        while ( (vi = orphans) != NULL )
        {
            orphans = vi->sc.next;
            assign(vi);
        }
    }
    spin_unlock(&assign_lock);

    return rc;
}

void sidecore_end(struct domain *d)
{
    struct viommu_sidecore *s;
    struct viommu *vi;

    spin_lock(&assign_lock);
    s = find(d);
    if ( s )
    {
        spin_lock(&s->wake_lock);
        ACCESS_ONCE(s->d) = NULL;
        spin_unlock(&s->wake_lock);

        while ( (vi = s->guests) != NULL )
        {
            unassign(vi);
            guest_defer_all(vi);
            assign(vi);
        }
    }
    spin_unlock(&assign_lock);
}

int sidecore_info(const struct domain *d, struct viommu_sidecore *info)
{
    const struct viommu_sidecore *s;

    spin_lock(&assign_lock);
    s = find(d);
    if ( s )
        /* It may be at work meanwhile. */
        *info = (struct viommu_sidecore){
            .nr_guests = s->nr_guests,
            .asleep = ACCESS_ONCE(s->asleep),
            .polls = ACCESS_ONCE(s->polls),
            .batches = ACCESS_ONCE(s->batches),
            .wakeups = ACCESS_ONCE(s->wakeups),
            .last_poll = ACCESS_ONCE(s->last_poll),
        };
    spin_unlock(&assign_lock);

    return s ? 0 : -ENOENT;
}

domid_t sidecore_of(struct viommu *vi)
{
    domid_t domid = DOMID_INVALID;

    spin_lock(&assign_lock);
    if ( vi->sc.on )
        domid = vi->sc.on->d->domain_id;
    spin_unlock(&assign_lock);

    return domid;
}

/*
 * Some looks at each guest, until there was something to do; the first one is
 * at all. Returns whether any is to be looked at again soon.
 */
static bool poll_round(struct viommu_sidecore *s, uint64_t now)
{
    const bool scrub = !(s->rounds++ % SCRUB_ROUNDS);
    struct viommu *vi;
    bool soon = false, found = false;
    unsigned int i;

    spin_lock(&s->lock);
    for ( i = 0; i < SIDECORE_LOOKS && !found; i++ )
    {
        for ( vi = s->guests; vi; vi = vi->sc.next )
        {
            if ( likely(is_quiet(vi, i)) )
                continue;
            soon |= !visit(vi, now);
            found = true;
        }
        cpu_relax();
    }
    for ( vi = s->guests; vi; vi = vi->sc.next )
        soon |= keep_up(vi, now, scrub);
    spin_unlock(&s->lock);

    return soon;
}

int sidecore_poll(struct domain *d)
{
    struct viommu_sidecore *s = find(d);
    uint64_t now, end;
    bool soon;

    if ( !s )
        return -EPERM;

    s->polls++;
    ACCESS_ONCE(s->asleep) = false;
    now = guest_time_us();
    end = now + POLL_US;

    do {
        ACCESS_ONCE(s->wanted) = false;
        soon = poll_round(s, now);
        now = guest_time_us();
    } while ( soon && now < end && !sidecore_preempted() );

    s->last_poll = now;
    if ( soon )
        return 0;

    /* Blocked first: whoever finds it asleep wakes it once. */
    sidecore_block();
    ACCESS_ONCE(s->asleep) = true;
    /* See sidecore_wake(). */
    smp_mb();
    if ( ACCESS_ONCE(s->wanted) )
    {
        ACCESS_ONCE(s->asleep) = false;
        sidecore_unblock(d);
    }

    return 0;
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
