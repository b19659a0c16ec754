/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * h-tables.c: tables that ask for more than the guest may have: memory without
 * end, devices that are not its own, the addresses of interrupts.
 */
#include "hostile.h"

#define IOVA            0x40000000ULL
#define INTERRUPTS      0xfee00000ULL
#define VECTOR          0x41            /* one that nothing has */

static uint64_t tables[4];
static unsigned int leaves;

/* All entries of a level lead to the same table of the level below. */
void scatter(struct domain *d, unsigned int did, const unsigned int used[4])
{
    unsigned int level, i;

    for ( level = 0; level < 4; level++ )
    {
        tables[level] = page_new();
        for ( i = 0; level && i < used[level]; i++ )
            mem64(tables[level])[i * (512 / used[level])] =
                tables[level - 1] | RW;
    }
    leaves = used[0];
    d->table = tables[3];
    d->levels = 4;
    d->did = did;
}

void scatter_set(uint64_t flags)
{
    unsigned int i;

    for ( i = 0; i < leaves; i++ )
        mem64(tables[0])[i * (512 / leaves)] = flags ? MEMORY_BASE | flags : 0;
}

void context_now(const struct domain *d)
{
    attach(&edus[0], d);
    inv_context();
}

/* More tables than the toolstack has allowed (viommu="table_pages=1024"). */
static void check_quota(void)
{
    static const unsigned int used[4] = { 1, 8, 16, 16 };
    struct domain d;

    scatter(&d, 7, used);
    scatter_set(RW);
    *mem32(MEMORY_BASE) = 0;
    device_writes(WINDOW, 0x11110001);
    attach(&edus[0], &d);
    queue_put(DESC_CONTEXT(GLOBAL, 0, 0), 0);
    queue_kick();
    check(queue_drained(),
          "2048 tables of leaves, scattered: the command completes");
    device_repeats(0);
    check_eq(*mem32(MEMORY_BASE), 0x11110001, "the first leaf is there");
    context_now(&dom);
    map(&dom, IOVA, MEMORY_BASE, 1, RW);
    inv_domain(dom.did);
    check_eq(device_reads(IOVA), 0x11110001,
             "after that there is room for others again");
}

static void check_interrupts(void)
{
    uint64_t page = MEMORY_BASE;

    *mem32(page) = 0x22220001;
    map(&dom, INTERRUPTS, page, 1, RW);
    inv_pages(dom.did, INTERRUPTS, 0);
    device_writes(INTERRUPTS, VECTOR);
    check_eq(*mem32(page), 0x22220001,
             "a page at the addresses of interrupts is not written");
    map(&dom, IOVA, page, 1, RW);
    inv_pages(dom.did, IOVA, 0);
    check_eq(device_reads(IOVA), 0x22220001, "the device works as before");
}

/* Contexts for each function of each bus. They stay. */
static void check_contexts_of_others(void)
{
    unsigned int i;

    for ( i = 0; i < 256; i++ )
    {
        mem64(root)[i * 2] = contexts | 1;
        mem64(contexts)[i * 2 + 1] = (dom.levels - 2) | (dom.did << 8);
        mem64(contexts)[i * 2] = dom.table | CTX_P;
    }
    check(inv_all(), "contexts for all devices there could be");
    check_eq(device_reads(IOVA), 0x22220001, "the guest's own has its");
}

void hostile_tables(void)
{
    topic("tables");
    if ( !nr_edus )
    {
        skip("no device", "all of it");
        return;
    }

    check_quota();
    check_interrupts();
    check_contexts_of_others();
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
