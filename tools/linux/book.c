// SPDX-License-Identifier: GPL-2.0-only
/* See book.h. */
#include "book.h"

/* Free addresses beyond so many pages are given back. */
#define KEPT_PAGES	4096u
/* So many extents of a list are looked at before another way is taken. */
#define LOOKS		16u

enum state {
	LIVE,		/* the driver has it, refs times */
	LINGERS,	/* mapped; optimistic */
	CLEARED,	/* not flushed yet; deferred */
	KEPT,		/* only the address is left */
};

struct extent {
	struct extent *next, *prev;	/* in stale or kept[] */
	struct extent *next_addr;
	struct extent *next_page;
	u64 addr, pfn;
	u64 since;			/* was unmapped */
	u32 pages, rights, refs;
	enum state state;
	bool findable;			/* is in by_page */
	bool lost;
};

static void append(struct extent_list *l, struct extent *e)
{
	e->next = NULL;
	e->prev = l->last;
	if (l->last)
		l->last->next = e;
	else
		l->first = e;
	l->last = e;
}

static void take_out(struct extent_list *l, struct extent *e)
{
	if (e->prev)
		e->prev->next = e->next;
	else
		l->first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	else
		l->last = e->prev;
}

static u32 hash(u64 v)
{
	return (v * 0x9e3779b97f4a7c15ull) >> 54;	/* BOOK_HASH is 2^10 */
}

static struct extent **page_slot(struct book *b, u64 pfn)
{
	return &b->by_page[hash(pfn)];
}

static struct extent_list *kept_list(struct book *b, u32 pages)
{
	return &b->kept[pages % BOOK_SIZES];
}

static bool fits(const struct extent *e, u64 limit)
{
	return e->addr + ((u64)e->pages << BOOK_PAGE_SHIFT) - 1 <= limit;
}

static struct extent *find_live(const struct book *b, u64 addr)
{
	struct extent *e = b->by_addr[hash(addr >> BOOK_PAGE_SHIFT)];

	while (e && e->addr != addr)
		e = e->next_addr;
	return e;
}

static void make_live(struct book *b, struct extent *e)
{
	struct extent **p = &b->by_addr[hash(e->addr >> BOOK_PAGE_SHIFT)];

	e->state = LIVE;
	e->refs = 1;
	e->next_addr = *p;
	*p = e;
	b->count.live_pages += e->pages;
}

static void end_live(struct book *b, struct extent *e)
{
	struct extent **p = &b->by_addr[hash(e->addr >> BOOK_PAGE_SHIFT)];

	while (*p != e)
		p = &(*p)->next_addr;
	*p = e->next_addr;
	b->count.live_pages -= e->pages;
}

static void make_findable(struct book *b, struct extent *e)
{
	struct extent **p = page_slot(b, e->pfn);

	e->next_page = *p;
	*p = e;
	e->findable = true;
}

static void end_findable(struct book *b, struct extent *e)
{
	struct extent **p = page_slot(b, e->pfn);

	if (!e->findable)
		return;
	while (*p != e)
		p = &(*p)->next_page;
	*p = e->next_page;
	e->findable = false;
}

/* The same pages with the same rights, where this device reaches them. */
static struct extent *find_page(struct book *b, enum state state, u64 pfn,
				u32 pages, u32 rights, u64 limit)
{
	struct extent *e = *page_slot(b, pfn);

	while (e && !(e->state == state && e->pfn == pfn && e->pages == pages &&
		      e->rights == rights && fits(e, limit)))
		e = e->next_page;
	return e;
}

static void make_stale(struct book *b, struct extent *e, enum state state)
{
	e->state = state;
	append(&b->stale, e);
	b->stale_extents++;
	b->count.stale_pages += e->pages;
	if (b->count.stale_pages > b->count.most_stale_pages)
		b->count.most_stale_pages = b->count.stale_pages;
}

static void end_stale(struct book *b, struct extent *e)
{
	take_out(&b->stale, e);
	b->stale_extents--;
	b->count.stale_pages -= e->pages;
}

/* What was cleared, but not flushed; and of which addresses. */
struct removal {
	struct extent_list list;
	u64 from, to;
};

static void clear(struct book *b, struct extent *e)
{
	e->state = CLEARED;
	if (!b->hw->clear(b->ctx, e->addr, e->pages))
		return;
	/* Whatever is there now: nobody gets this address again. */
	e->lost = true;
	b->count.lost++;
}

static void remove_extent(struct book *b, struct removal *r, struct extent *e)
{
	u64 end = e->addr + ((u64)e->pages << BOOK_PAGE_SHIFT);

	if (!r->list.first || e->addr < r->from)
		r->from = e->addr;
	if (!r->list.first || end > r->to)
		r->to = end;
	if (e->state != CLEARED)
		clear(b, e);
	append(&r->list, e);
}

static void keep(struct book *b, struct extent *e)
{
	if (e->lost) {
		b->hw->free(e);
	} else if (b->draining ||
		   b->count.kept_pages + e->pages > KEPT_PAGES) {
		b->hw->end(b->ctx, e->addr, e->pages);
		b->hw->free(e);
	} else {
		e->state = KEPT;
		append(kept_list(b, e->pages), e);
		b->count.kept_pages += e->pages;
	}
}

/* One flush for all of it; only then may the addresses be used again. */
static void finish(struct book *b, struct removal *r, u64 now)
{
	struct extent *e;

	if (!r->list.first)
		return;
	b->hw->flush(b->ctx, r->from, r->to);
	b->count.flushes++;
	while ((e = r->list.first)) {
		take_out(&r->list, e);
		if (now - e->since > b->count.longest_stale_ns)
			b->count.longest_stale_ns = now - e->since;
		keep(b, e);
	}
}

/* Removes the oldest stale extents, all that were unmapped by then, at most n. */
static void remove_stale(struct book *b, u64 now, u64 until, u32 n)
{
	struct removal r = { { NULL, NULL }, 0, 0 };
	struct extent *e;

	while (n-- && (e = b->stale.first) && e->since <= until) {
		end_stale(b, e);
		end_findable(b, e);
		if (e->state == LINGERS)
			b->count.evictions++;
		remove_extent(b, &r, e);
	}
	finish(b, &r, now);
}

static u64 window_ns(const struct book *b)
{
	return b->set.window_us * 1000ull;
}

int book_check(const struct book_settings *set)
{
	return (u32)set->strategy > BOOK_SHARED ||
	       set->window_us > BOOK_WINDOW_MAX_US ||
	       set->quota > BOOK_QUOTA_MAX ||
	       !set->batch || set->batch > BOOK_BATCH_MAX ? -EINVAL : 0;
}

void book_init(struct book *b, const struct book_settings *set,
	       const struct book_hw *hw, void *ctx)
{
	*b = (struct book){ .set = *set, .hw = hw, .ctx = ctx };
}

void book_set(struct book *b, const struct book_settings *set)
{
	b->set = *set;
}

bool book_has(const struct book *b, u64 addr)
{
	return find_live(b, addr);
}

static struct extent *take_kept(struct book *b, u32 pages, u64 limit)
{
	struct extent_list *l = kept_list(b, pages);
	struct extent *e = l->last;
	u32 looks = LOOKS;

	/* The last one that was used: its table is there. */
	while (e && (e->pages != pages || !fits(e, limit))) {
		e = --looks ? e->prev : NULL;
	}
	if (e) {
		take_out(l, e);
		b->count.kept_pages -= e->pages;
	}
	return e;
}

/* Gives some kept addresses back. True: there are more. */
static bool end_kept(struct book *b)
{
	u32 n = b->set.batch, i;
	struct extent *e;

	for (i = 0; i < BOOK_SIZES; i++) {
		while ((e = b->kept[i].first)) {
			if (!n--)
				return true;
			take_out(&b->kept[i], e);
			b->count.kept_pages -= e->pages;
			b->hw->end(b->ctx, e->addr, e->pages);
			b->hw->free(e);
		}
	}
	return false;
}

/* An extent at an address of its own, with these pages mapped. */
static struct extent *new_extent(struct book *b, u64 pfn, u32 pages, u32 rights,
				 u64 limit)
{
	struct extent *e = take_kept(b, pages, limit);

	if (e && b->hw->map(b->ctx, e->addr, pfn, pages, rights)) {
		keep(b, e);
		return NULL;
	}
	if (!e) {
		e = b->hw->alloc(sizeof(*e));
		if (!e)
			return NULL;
		if (b->hw->create(b->ctx, pfn, pages, rights, limit, &e->addr)) {
			b->hw->free(e);
			return NULL;
		}
	}
	e->pfn = pfn;
	e->pages = pages;
	e->rights = rights;
	return e;
}

int book_map(struct book *b, u64 now, u64 pfn, u32 pages, u32 rights, u64 limit,
	     u64 *addr)
{
	struct extent *e = NULL;

	if (b->draining)
		return -EBUSY;
	if (b->set.strategy == BOOK_OPTIMISTIC)
		e = find_page(b, LINGERS, pfn, pages, rights, limit);
	else if (b->set.strategy == BOOK_SHARED)
		e = find_page(b, LIVE, pfn, pages, rights, limit);
	if (e) {
		b->count.hits++;
		if (e->state == LIVE) {
			e->refs++;
		} else {
			end_stale(b, e);
			end_findable(b, e);
			make_live(b, e);
		}
	} else {
		e = new_extent(b, pfn, pages, rights, limit);
		if (!e) {
			/* What nobody uses may be what is missing. */
			remove_stale(b, now, now, b->set.batch);
			end_kept(b);
			e = new_extent(b, pfn, pages, rights, limit);
		}
		if (!e) {
			b->count.errors++;
			return -ENOMEM;
		}
		make_live(b, e);
		if (b->set.strategy == BOOK_SHARED)
			make_findable(b, e);
	}
	b->count.maps++;
	*addr = e->addr;
	return 0;
}

/*
 * Makes room for so many lingering pages, if that does not take too long: a quarter
 * of them goes with one flush.
 */
static bool has_room(struct book *b, u64 now, u32 pages)
{
	u32 some = b->stale_extents / 4 + 1;

	if (pages > b->set.quota)
		return false;
	if (b->count.stale_pages + pages > b->set.quota)
		remove_stale(b, now, now,
			     some < b->set.batch ? some : b->set.batch);
	return b->count.stale_pages + pages <= b->set.quota;
}

bool book_unmap(struct book *b, u64 now, u64 addr)
{
	struct removal r = { { NULL, NULL }, 0, 0 };
	struct extent *e = find_live(b, addr);

	if (!e)
		return false;
	b->count.unmaps++;
	if (--e->refs)
		return true;
	end_live(b, e);
	end_findable(b, e);
	e->since = now;
	if (!b->draining && b->set.strategy == BOOK_OPTIMISTIC &&
	    has_room(b, now, e->pages)) {
		make_stale(b, e, LINGERS);
		make_findable(b, e);
	} else if (!b->draining && b->set.strategy == BOOK_DEFERRED) {
		clear(b, e);
		make_stale(b, e, CLEARED);
		if (b->stale_extents >= b->set.batch)
			remove_stale(b, now, now, b->set.batch);
	} else {
		remove_extent(b, &r, e);
		finish(b, &r, now);
	}
	return true;
}

u64 book_due(const struct book *b)
{
	return b->stale.first ?
	       b->stale.first->since + window_ns(b) + BOOK_TICK_NS : 0;
}

void book_tick(struct book *b, u64 now)
{
	if (now >= window_ns(b))
		remove_stale(b, now, now - window_ns(b), b->set.batch);
}

bool book_purge(struct book *b, u64 now, u64 since)
{
	remove_stale(b, now, since, b->set.batch);
	return b->stale.first && b->stale.first->since <= since;
}

bool book_drain(struct book *b, u64 now)
{
	b->draining = true;
	return book_purge(b, now, now) || end_kept(b);
}

void book_resume(struct book *b)
{
	b->draining = false;
}

bool book_abandon(struct book *b, u64 now)
{
	u32 n = b->set.batch, i;
	struct extent *e;

	for (i = 0; i < BOOK_HASH; i++) {
		while ((e = b->by_addr[i])) {
			if (!n--)
				return true;
			e->refs = 1;
			book_unmap(b, now, e->addr);
		}
	}
	return false;
}
