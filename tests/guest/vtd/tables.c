/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * tables.c: root, context and second-level tables (VT-d 9), and the state in
 * which the checks of translation begin.
 */
#include "unit.h"

uint64_t root, contexts;
struct domain dom;

static uint64_t pool = POOL_BASE;

void pool_reset(void)
{
    pool = POOL_BASE;
}

uint64_t page_new(void)
{
    uint64_t page = pool;
    unsigned int i;

    if ( page >= POOL_END )
    {
        say("no memory left in the pool\n");
        page = pool = POOL_BASE;
    }
    pool += PAGE;
    for ( i = 0; i < PAGE; i += 8 )
        *mem64(page + i) = 0;

    return page;
}

void domain_new(struct domain *d, unsigned int levels, unsigned int did)
{
    d->table = page_new();
    d->levels = levels;
    d->did = did;
}

/* The entry for iova of that level; tables on the way are made. */
volatile uint64_t *entry(struct domain *d, uint64_t iova, unsigned int level)
{
    uint64_t table = d->table;
    unsigned int i;

    for ( i = d->levels; ; i-- )
    {
        volatile uint64_t *e =
            mem64(table) + ((iova >> (12 + 9 * (i - 1))) & 511);

        if ( i == level )
            return e;
        if ( !*e )
            *e = page_new() | RW;
        table = *e & ~(PAGE - 1);
    }
}

void map(struct domain *d, uint64_t iova, uint64_t phys, unsigned int level,
         uint64_t flags)
{
    *entry(d, iova, level) = phys | flags | (level > 1 ? SP : 0);
}

volatile uint64_t *context(const struct edu *e)
{
    return mem64(contexts + e->devfn * 16);
}

void context_set(const struct edu *e, uint64_t lo, uint64_t hi)
{
    context(e)[0] = 0;
    context(e)[1] = hi;
    context(e)[0] = lo;
}

void attach(const struct edu *e, const struct domain *d)
{
    context_set(e, d->table | CTX_P, (d->levels - 2) | (d->did << 8));
}

/*
 * Everything new: tables in which the first device has `dom`, with WINDOW
 * mapped in it; the queue on, translation on.
 */
void fixture(unsigned int levels)
{
    unit_quiet();
    pool_reset();
    root = page_new();
    contexts = page_new();
    window_page = page_new();
    mem64(root)[0] = contexts | 1;
    domain_new(&dom, levels, 1);
    map(&dom, WINDOW, window_page, 1, RW);
    attach(&edus[0], &dom);

    wr64(RTADDR, root);
    command(G_SRTP);
    queue_on(0);
    inv_all();
    command(G_TE);
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
