/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a device has mapped, and what of it lingers: the bookkeeping of all four
 * strategies, for one device. It knows nothing of Linux but a few types, and
 * also compiles in user space, where tests/unit/linux compares it with a naive
 * model. What it wants done is in struct book_hw.
 *
 * The unit is an extent: so many pages in a row, at an address for the device.
 * Extents do not overlap, and are never merged or cut.
 *
 *   strict      unmapped is unreachable when book_unmap() returns
 *   deferred    the entries are cleared by then, but what the hardware has cached
 *               of them may last for window + tick, or until batch extents wait
 *   optimistic  it stays mapped for window + tick, or until quota pages linger;
 *               a mapping of the same pages with the same rights finds it again
 *   shared      a mapping of pages that are mapped with the same rights gets the
 *               same address; unreachable when the last of them is unmapped
 *
 * Rights are compared, not included: who asks for less never gets more because
 * somebody else had it.
 *
 * The caller serialises all calls for a book. None of them sleeps, and each does
 * a bounded amount of work: no more than `batch` extents are removed.
 */
#ifndef BOOK_H
#define BOOK_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
typedef uint64_t u64;
typedef uint32_t u32;
#endif

#define BOOK_PAGE_SHIFT	12
#define BOOK_READ	1u	/* the device may read */
#define BOOK_WRITE	2u	/* the device may write */

/* What ends within so much time ends together. */
#define BOOK_TICK_NS	1000000ull

#define BOOK_WINDOW_MAX_US	10000000u
#define BOOK_QUOTA_MAX		(1u << 20)
#define BOOK_BATCH_MAX		1024u

enum book_strategy {
	BOOK_STRICT,
	BOOK_DEFERRED,
	BOOK_OPTIMISTIC,
	BOOK_SHARED,
};

struct book_settings {
	enum book_strategy strategy;
	u32 window_us;		/* 0 .. BOOK_WINDOW_MAX_US */
	u32 quota;		/* pages, 0 .. BOOK_QUOTA_MAX */
	u32 batch;		/* extents, 1 .. BOOK_BATCH_MAX */
};

/* The hardware, and memory. Addresses are the device's, of whole pages. */
struct book_hw {
	/*
	 * An address that nobody has, of so many pages, all below or at limit,
	 * where these are mapped. -ENOMEM.
	 */
	int (*create)(void *ctx, u64 pfn, u32 pages, u32 rights, u64 limit,
		      u64 *addr);
	/* At an address of create() where nothing is mapped. -ENOMEM. */
	int (*map)(void *ctx, u64 addr, u64 pfn, u32 pages, u32 rights);
	/* Its entries go away. What is cached of them stays. Else -EIO. */
	int (*clear)(void *ctx, u64 addr, u32 pages);
	/* Ends what is cached of all that was cleared, in [from, to). */
	void (*flush)(void *ctx, u64 from, u64 to);
	/* Gives the address back. It is cleared and flushed. */
	void (*end)(void *ctx, u64 addr, u32 pages);
	void *(*alloc)(size_t size);	/* zeroed; NULL: there is none */
	void (*free)(void *p);
};

struct book_counters {
	u64 maps;		/* asked for, and given */
	u64 hits;		/* of these: found mapped */
	u64 unmaps;
	u64 evictions;		/* extents that lingered, and were removed */
	u64 flushes;
	u64 errors;		/* not mapped for lack of memory or addresses */
	u64 lost;		/* addresses that could not be cleared */
	u64 longest_stale_ns;	/* from unmap to the flush */
	u64 live_pages;		/* now: mapped by the driver */
	u64 stale_pages;	/* now: unmapped by the driver, and reachable */
	u64 most_stale_pages;
	u64 kept_pages;		/* now: addresses kept for the next mapping */
};

struct extent;

struct extent_list {
	struct extent *first, *last;
};

#define BOOK_HASH	1024u
#define BOOK_SIZES	64u

struct book {
	struct book_settings set;
	struct book_counters count;
	bool draining;
	const struct book_hw *hw;
	void *ctx;
	struct extent *by_addr[BOOK_HASH];	/* live ones */
	struct extent *by_page[BOOK_HASH];	/* those that may be found again */
	struct extent_list stale;		/* oldest first */
	struct extent_list kept[BOOK_SIZES];	/* free addresses */
	u32 stale_extents;
};

/* -EINVAL for settings out of their bounds. */
int book_check(const struct book_settings *set);

void book_init(struct book *b, const struct book_settings *set,
	       const struct book_hw *hw, void *ctx);

/* They are in force at once; book_purge() removes what was unmapped before. */
void book_set(struct book *b, const struct book_settings *set);

/*
 * Maps pages for a device that reaches addresses up to limit. -ENOMEM, or -EBUSY
 * when the book is draining.
 */
int book_map(struct book *b, u64 now, u64 pfn, u32 pages, u32 rights, u64 limit,
	     u64 *addr);

/* False: this is no address of this book; nothing was done. */
bool book_unmap(struct book *b, u64 now, u64 addr);

/* Is this an address that is mapped here? */
bool book_has(const struct book *b, u64 addr);

/* When book_tick() is to be called next, at the latest; 0: no need. */
u64 book_due(const struct book *b);

/* Removes what has been stale for long enough. */
void book_tick(struct book *b, u64 now);

/* Removes some of what is stale since then or longer. True: there is more. */
bool book_purge(struct book *b, u64 now, u64 since);

/*
 * From here on nothing is mapped, what is unmapped goes at once, and addresses
 * are given back: some with each call, which returns true if there are more.
 * What is live stays until it is unmapped, see live_pages.
 */
bool book_drain(struct book *b, u64 now);

/* The end of that: maps again. */
void book_resume(struct book *b);

/* Removes some of what the driver has left mapped. True: there is more. */
bool book_abandon(struct book *b, u64 now);

#endif
