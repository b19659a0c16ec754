// SPDX-License-Identifier: GPL-2.0-only
/*
 * tools/linux/book.c against a naive model, with random sequences:
 *
 *   property SEQUENCES SEED
 *
 * The hardware here is an array of entries, and another of what is cached of
 * them: all of it, until it is flushed. The model is a list of what the driver
 * has mapped and one of what it had. After each call it is asked of every
 * address whether the device reaches it, and whether the strategy allows that.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book.h"

#define ADDRS	2048		/* pages of the device's address space */
#define PFNS	24		/* few, so that they meet again */
#define PAGES	5		/* the longest mapping */
#define LIVES	400
#define US	1000ull

struct entry { u64 pfn; u32 rights; };	/* rights 0: none */

static struct entry table[ADDRS], cached[ADDRS];
static unsigned char owned[ADDRS];
static unsigned int allocs, calls, clears, flushes, chance;
static struct book b;
static u64 now;

static struct live {
	u64 addr, pfn;
	u32 pages, rights;
	bool shared;
} live[LIVES], ended[LIVES];
static u64 ended_at[LIVES];
static unsigned int nlive, nended, hits, maps, unmaps;
static u64 unmapped_at[ADDRS];
static unsigned int sure; /* of ended[], those from here on have to linger */

static unsigned long seed, sequence, step;

static void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("FAIL sequence %lu step %lu: ", sequence, step);
	vprintf(fmt, ap);
	printf("\n0 passed, 1 failed\n");
	va_end(ap);
	exit(1);
}
#define MUST(c, ...) do { if (!(c)) fail(__VA_ARGS__); } while (0)

static unsigned int rnd(unsigned int n)
{
	seed = seed * 6364136223846793005ul + 1442695040888963407ul;
	return (seed >> 33) % n;
}

/* ---- the hardware -------------------------------------------------------- */

static bool unlucky(void) { return chance && !rnd(chance); }

static void enter(u64 at, u64 pfn, u32 pages, u32 rights)
{
	for (u32 i = 0; i < pages; i++) {
		MUST(owned[at + i],
		     "mapped at an address that is the kernel's");
		MUST(!table[at + i].rights, "mapped where something is");
		MUST(!cached[at + i].rights,
		     "mapped where something is cached");
		table[at + i] = cached[at + i] =
			(struct entry){ pfn + i, rights };
	}
}

static int create(void *ctx, u64 pfn, u32 pages, u32 rights, u64 limit,
		  u64 *addr)
{
	u64 top = limit / 4096 < ADDRS ? limit / 4096 : ADDRS, at = 0;
	u32 first, tries, i = 0;

	(void)ctx;
	calls++;
	if (unlucky() || top <= pages)
		goto none;
	/* The first that is free after somewhere. */
	first = rnd(top - pages);
	for (tries = 0; tries < top - pages; tries++) {
		at = 1 + (first + tries) % (top - pages);
		for (i = 0; i < pages && !owned[at + i]; i++)
			;
		if (i == pages)
			break;
	}
	if (i < pages)
		goto none;
	memset(owned + at, 1, pages);
	enter(at, pfn, pages, rights);
	*addr = at * 4096;
	return 0;
 none:
	/* What lingers may be sacrificed. */
	sure = nended;
	return -ENOMEM;
}

static int map(void *ctx, u64 addr, u64 pfn, u32 pages, u32 rights)
{
	(void)ctx;
	calls++;
	if (unlucky())
		return -ENOMEM;
	enter(addr / 4096, pfn, pages, rights);
	return 0;
}

static int clear(void *ctx, u64 addr, u32 pages)
{
	(void)ctx;
	calls++;
	clears++;
	for (u32 i = 0; i < pages; i++) {
		MUST(table[addr / 4096 + i].rights,
		     "cleared what is not mapped");
		table[addr / 4096 + i].rights = 0;
	}
	return 0;
}

static void flush(void *ctx, u64 from, u64 to)
{
	(void)ctx;
	calls++;
	flushes++;
	MUST(from < to && to <= ADDRS * 4096ull, "flushed from %llx to %llx",
	     (unsigned long long)from, (unsigned long long)to);
	for (u64 at = from / 4096; at < to / 4096; at++)
		if (!table[at].rights)
			cached[at].rights = 0;
}

static void end(void *ctx, u64 addr, u32 pages)
{
	(void)ctx;
	calls++;
	for (u64 at = addr / 4096; at < addr / 4096 + pages; at++) {
		MUST(owned[at], "gave back what is the kernel's");
		MUST(!table[at].rights, "gave back what is mapped");
		MUST(!cached[at].rights, "gave back what is cached");
		owned[at] = 0;
	}
}

static void *alloc(size_t size)
{
	if (unlucky())
		return NULL;
	allocs++;
	return calloc(1, size);
}

static void release(void *p)
{
	allocs--;
	free(p);
}

static const struct book_hw hw = {
	create, map, clear, flush, end, alloc, release
};

/* ---- the model ----------------------------------------------------------- */

static bool still_mapped(const struct live *l)
{
	for (u32 i = 0; i < l->pages; i++) {
		const struct entry *e = &table[l->addr / 4096 + i];

		if (e->rights != l->rights || e->pfn != l->pfn + i)
			return false;
	}
	return true;
}

static bool same(const struct live *l, u64 pfn, u32 pages, u32 rights,
		 u64 limit)
{
	return l->pfn == pfn && l->pages == pages && l->rights == rights &&
	       l->addr + pages * 4096 - 1 <= limit;
}

static const struct live *is_live(u64 at)
{
	for (unsigned int i = 0; i < nlive; i++)
		if (at >= live[i].addr / 4096 &&
		    at < live[i].addr / 4096 + live[i].pages)
			return &live[i];
	return NULL;
}

static u64 window(void) { return b.set.window_us * US; }

/* ended[]: what was unmapped last, and lingers or may. */
static void forget(unsigned int i)
{
	nended--;
	sure -= sure > i;
	memmove(ended + i, ended + i + 1, (nended - i) * sizeof(*ended));
	memmove(ended_at + i, ended_at + i + 1,
		(nended - i) * sizeof(*ended_at));
}

static void check(void)
{
	static unsigned char lively[ADDRS];
	u64 stale = 0, lives = 0;

	for (unsigned int i = 0; i < nlive; i++) {
		bool counted = false;

		MUST(still_mapped(&live[i]),
		     "what the driver has mapped is not mapped so");
		for (unsigned int j = 0; j < i; j++)
			counted |= live[j].addr == live[i].addr;
		if (!counted)
			lives += live[i].pages;
	}
	memset(lively, 0, sizeof(lively));
	for (unsigned int i = 0; i < nlive; i++)
		memset(lively + live[i].addr / 4096, 1, live[i].pages);
	for (u64 at = 0; at < ADDRS; at++) {
		if ((!table[at].rights && !cached[at].rights) || lively[at])
			continue;
		stale++;
		MUST(!b.draining, "draining, and something lingers");
		MUST(b.set.strategy == BOOK_DEFERRED ||
			     b.set.strategy == BOOK_OPTIMISTIC,
		     "strict or shared, and something lingers");
		MUST(b.set.strategy != BOOK_DEFERRED || !table[at].rights,
		     "deferred, and an entry is still there");
		MUST(now - unmapped_at[at] <= window() + BOOK_TICK_NS,
		     "reachable for longer than window and tick");
	}
	MUST(b.set.strategy != BOOK_OPTIMISTIC || stale <= b.set.quota,
	     "%lu pages linger, more than the quota", (unsigned long)stale);
	MUST(b.stale_extents < b.set.batch || b.set.strategy != BOOK_DEFERRED,
	     "deferred: a batch was not flushed");
	/* What has to be there still, where nothing was short. */
	for (unsigned int i = nended;
	     i-- > sure && b.set.strategy == BOOK_OPTIMISTIC && !b.draining; ) {
		if (now - ended_at[i] > window() || chance)
			break;
		MUST(still_mapped(&ended[i]), "optimistic: it did not linger");
	}
	/* A flush may cover more than it is for. */
	MUST(b.count.stale_pages == stale || (b.set.strategy == BOOK_DEFERRED &&
					      b.count.stale_pages > stale),
	     "counted %lu stale pages of %lu",
	     (unsigned long)b.count.stale_pages, (unsigned long)stale);
	MUST(b.count.most_stale_pages >= stale, "most_stale_pages is too low");
	MUST(b.count.live_pages == lives, "counted %lu live pages of %lu",
	     (unsigned long)b.count.live_pages, (unsigned long)lives);
	MUST(b.count.hits == hits && b.count.maps == maps &&
		     b.count.unmaps == unmaps && b.count.flushes == flushes &&
		     b.count.lost == 0,
	     "counters");
	MUST(b.count.longest_stale_ns <=
		     (u64)BOOK_WINDOW_MAX_US * US + BOOK_TICK_NS,
	     "longest_stale_ns");
	MUST(!b.stale.first == !book_due(&b), "when it is due");
}

static void do_map(void)
{
	static const u64 limits[] = { ~0ull, ~0ull, ADDRS * 4096 / 2 - 1,
				      0x10000 - 1 };
	u64 pfn = 100 + rnd(PFNS), limit = limits[rnd(4)], addr = 0;
	/* Some lengths are in one list of kept addresses. */
	u32 pages = rnd(4) ? 1 : rnd(8) ? 1 + rnd(PAGES) : BOOK_SIZES + rnd(3);
	u32 rights = 1 + rnd(3);
	const struct live *found = NULL;
	unsigned int before = calls;
	int rc;

	if (nlive == LIVES)
		return;
	for (unsigned int i = 0; i < nended; i++)
		if (b.set.strategy == BOOK_OPTIMISTIC &&
		    same(&ended[i], pfn, pages, rights, limit) &&
		    still_mapped(&ended[i]) && !is_live(ended[i].addr / 4096))
			found = &ended[i];
	for (unsigned int i = 0; i < nlive && b.set.strategy == BOOK_SHARED;
	     i++)
		if (live[i].shared && same(&live[i], pfn, pages, rights, limit))
			found = &live[i];
	rc = book_map(&b, now, pfn, pages, rights, limit, &addr);
	if (b.draining) {
		MUST(rc == -EBUSY && calls == before, "draining, it maps");
		return;
	}
	if (found)
		MUST(!rc && calls == before, "what is there was not found");
	if (rc) {
		MUST(rc == -ENOMEM, "error %d", rc);
		MUST(chance || limit < ADDRS * 4096 || pages > 1,
		     "no address, for no reason");
		/* Once what nobody uses is gone it cannot be had either. */
		MUST(chance || b.set.batch < 250 ||
			     book_map(&b, now, pfn, pages, rights, limit,
				      &addr) == -ENOMEM,
		     "gave up too early");
		return;
	}
	MUST(limit - addr >= pages * 4096ull - 1, "out of the device's reach");
	hits += calls == before;
	MUST(!found || calls == before, "a hit had the hardware do something");
	MUST(found || calls != before, "mapped without a mapping");
	for (unsigned int i = 0; i < nlive; i++)
		MUST(addr + pages * 4096 <= live[i].addr ||
			     live[i].addr + live[i].pages * 4096 <= addr ||
			     (b.set.strategy == BOOK_SHARED &&
			      same(&live[i], pfn, pages, rights, ~0ull) &&
			      live[i].addr == addr),
		     "two mappings at one address");
	for (unsigned int i = 0; i < nended; i++)
		if (ended[i].addr < addr + pages * 4096 &&
		    addr < ended[i].addr + ended[i].pages * 4096)
			forget(i--);
	maps++;
	live[nlive++] = (struct live){ addr, pfn, pages, rights,
					b.set.strategy == BOOK_SHARED };
}

static void do_unmap(void)
{
	unsigned int i = nlive ? rnd(nlive) : 0, before_clears = clears,
		     before = flushes;
	u32 stale = 0, waited = b.stale_extents;
	struct live l;

	if (!nlive) {
		MUST(!book_unmap(&b, now, (1 + rnd(ADDRS)) * 4096ull),
		     "unmapped nothing");
		return;
	}
	l = live[i];
	live[i] = live[--nlive];
	for (u64 at = 0; at < ADDRS; at++)
		stale += table[at].rights && !is_live(at);
	stale -= is_live(l.addr / 4096) ? 0 : l.pages;
	MUST(book_has(&b, l.addr), "does not know what is mapped");
	for (u32 p = 0; p < l.pages; p++)
		unmapped_at[l.addr / 4096 + p] = now;
	MUST(book_unmap(&b, now, l.addr), "does not unmap");
	unmaps++;
	MUST(clears - before_clears <= b.set.batch + 1,
	     "too much work at a time");
	if (is_live(l.addr / 4096))
		return;
	MUST(!book_has(&b, l.addr), "knows what is not mapped");
	if (b.set.strategy == BOOK_DEFERRED && !b.draining)
		MUST(flushes == before || waited + 1 >= b.set.batch,
		     "deferred, and flushed before its time");
	if (nended == LIVES)
		forget(0);
	if (stale + l.pages > b.set.quota) {
		/* Some made room, not all of them, perhaps too few. */
		sure = nended + (l.pages > 1);
		MUST(b.set.strategy != BOOK_OPTIMISTIC || b.draining ||
			     clears - before_clears <= stale / 4 + 2,
		     "too many made room");
	}
	if (l.pages > b.set.quota)
		sure = nended + 1;
	ended_at[nended] = now;
	ended[nended++] = l;
}

static void purge(void)
{
	while (book_purge(&b, now, now))
		;
	MUST(!b.stale.first, "purged, and something is stale");
	nended = sure = 0;
}

static void pass(u64 ns)
{
	/* As the timer does it. */
	while (book_due(&b) && book_due(&b) <= now + ns) {
		u64 due = book_due(&b);

		if (due > now) {
			ns -= due - now;
			now = due;
		}
		book_tick(&b, now);
		MUST(!book_due(&b) || book_due(&b) > due || b.stale.first,
		     "the tick did nothing");
	}
	now += ns;
}

static void settings(struct book_settings *s)
{
	static const u32 quotas[] = { 0, 1, 4, 16, 64, 4096 };
	static const u32 batches[] = { 1, 2, 5, 250 };

	*s = (struct book_settings){ rnd(4), rnd(3) ? 5000 : rnd(2) * 100,
				     quotas[rnd(6)], batches[rnd(4)] };
}

static void drain_all(void)
{
	while (book_drain(&b, now))
		;
	nended = sure = 0;
	check();
	while (nlive) {
		if (!rnd(8))
			do_map();
		do_unmap();
		check();
	}
	while (book_drain(&b, now))
		;
}

static void sequence_of(unsigned long n)
{
	struct book_settings s;

	seed = n * 7919 + 1;
	rnd(2);
	memset(table, 0, sizeof(table));
	memset(cached, 0, sizeof(cached));
	memset(owned, 0, sizeof(owned));
	nlive = nended = sure = hits = maps = unmaps = flushes = 0;
	now = 1 + rnd(1000000000);
	chance = rnd(3) ? 0 : 3 + rnd(20);
	settings(&s);
	MUST(!book_check(&s), "settings are refused");
	book_init(&b, &s, &hw, NULL);
	for (step = 0; step < 150; step++) {
		switch (rnd(24)) {
		case 0:
			settings(&s);
			book_set(&b, &s);
			purge();
			break;
		case 1:
			purge();
			break;
		case 2:
			pass(rnd(20000000));
			break;
		case 3 ... 12:
			do_unmap();
			break;
		default:
			pass(rnd(200000));
			do_map();
		}
		check();
	}
	if (rnd(2)) {
		drain_all();
	} else {
		while (book_drain(&b, now))
			;
		nended = sure = 0;
		while (book_abandon(&b, now))
			;
		unmaps = b.count.unmaps;
		nlive = 0;
	}
	check();
	for (u64 at = 0; at < ADDRS; at++)
		MUST(!owned[at] && !table[at].rights && !cached[at].rights,
		     "something is left at the end");
	MUST(!allocs && !b.count.kept_pages, "memory is left at the end");
	/* It begins again. */
	chance = nended = sure = 0;
	book_resume(&b);
	do_map();
	check();
	drain_all();
}

static void bounds(void)
{
	struct book_settings s = { BOOK_SHARED, BOOK_WINDOW_MAX_US,
				   BOOK_QUOTA_MAX, 1 };

	MUST(!book_check(&s), "the largest settings");
	s.batch = 0;
	MUST(book_check(&s) == -EINVAL, "a batch of none");
	s.batch = BOOK_BATCH_MAX + 1;
	MUST(book_check(&s) == -EINVAL, "a batch too large");
	s.batch = BOOK_BATCH_MAX;
	s.quota++;
	MUST(book_check(&s) == -EINVAL, "a quota too large");
	s.quota = 0;
	s.window_us++;
	MUST(book_check(&s) == -EINVAL, "a window too long");
	s.window_us = 0;
	s.strategy = BOOK_SHARED + 1;
	MUST(book_check(&s) == -EINVAL, "no such strategy");
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 0) : 1000;
	unsigned long first = argc > 2 ? strtoul(argv[2], NULL, 0) : 1;

	bounds();
	for (sequence = first; sequence < first + n; sequence++)
		sequence_of(sequence);
	printf("%lu sequences, none of which the model disagrees with\n", n);
	printf("1 passed, 0 failed\n");
	return 0;
}
