/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-scale.c: what an invalidation of everything costs, in work items, when few
 * or many leaves lie scattered over 48 bits of addresses.
 */
#include <stdio.h>

#include "vm.h"

/* So many entries in use in each table of a level, level 1 first. */
struct layout {
    unsigned int used[4];
};

static unsigned long table[4];

static unsigned int leaves(const struct layout *l)
{
    return l->used[0] * l->used[1] * l->used[2] * l->used[3];
}

/* Without the one at the top. */
static unsigned int tables_below(const struct layout *l)
{
    return l->used[3] * (1 + l->used[2] * (1 + l->used[1]));
}

/* As far apart from each other as they can be. */
static unsigned int place(const struct layout *l, unsigned int level,
                          unsigned int i)
{
    return i * (VTD_TABLE_ENTRIES / l->used[level]);
}

/*
 * The guest has one table a level, to which all entries of the level above
 * lead: that is little memory for it. The shadow has a table for each path.
 */
static void build(const struct layout *l)
{
    unsigned int level, i;

    for ( level = 0; level < 4; level++ )
    {
        table[level] = vm_table();
        for ( i = 0; level && i < l->used[level]; i++ )
            guest_page(table[level])[place(l, level, i)] =
                PAGE(table[level - 1]) | RW;
    }
}

static void set_leaves(const struct layout *l, uint64_t rights)
{
    unsigned int i;

    for ( i = 0; i < l->used[0]; i++ )
        guest_page(table[0])[place(l, 0, i)] =
            rights ? PAGE(G_DATA + i % 128) | rights : 0;
}

static void row(const struct layout *l)
{
    unsigned int n = leaves(l), tables = tables_below(l), before;
    unsigned long map, domain, global, unmap, other, bound;

    vm_stop();
    vm_start();
    /* Of a guest that has so much. */
    guest.max_pages = 1UL << 24;
    vm_stop();
    CHECK_EQ(vm_create(0), 0);
    build(l);
    vm_set_context(0, table[3], 4, 1);
    vm_translate(1);
    before = COUNT(table_pages);

    set_leaves(l, RW);
    map = items_of(IOTLB_DOMAIN(1));
    CHECK_EQ(COUNT(leaves_mapped), n);
    /* The first table of level 3 is always there. */
    CHECK_EQ(COUNT(table_pages), before + tables - 1);
    domain = items_of(IOTLB_DOMAIN(1));
    global = items_of(IOTLB_GLOBAL);
    other = items_of(IOTLB_DOMAIN(2));
    CHECK_EQ(COUNT(leaves_mapped), n);
    CHECK_EQ(hw.flushes, 0);
    set_leaves(l, 0);
    unmap = items_of(IOTLB_DOMAIN(1));
    CHECK_EQ(guest.frames, 0);
    CHECK(COUNT(table_pages) <= before + 2 * VIOMMU_NR_IDLE);

    printf("      %8u %12u %10lu %10lu %10lu %10lu %10.1f\n", n, tables + 1,
           map, domain, global, unmap, (double)domain / n);

    /* Each entry of each table is looked at once, whatever lies between. */
    bound = VTD_TABLE_ENTRIES * (tables + 1UL) + SLACK;
    CHECK(domain >= n);
    CHECK(domain <= bound);
    CHECK(global <= bound);
    /* A table a level comes with a leaf, at the most. */
    CHECK(domain <= VTD_TABLE_ENTRIES * (3UL * n + 1) + SLACK);
    /* Nor does making and removing cost more than to look. */
    CHECK(map <= bound);
    CHECK(unmap <= bound + 2UL * n + tables);
    /* Another domain's leaves do not cost anything. */
    CHECK(other <= SLACK);
}

static void work_is_proportional_to_what_is_mapped(void)
{
    static const struct layout layouts[] = {
        {{ 1, 1, 1, 1 }},
        {{ 1, 10, 10, 10 }},       /* a leaf table for each leaf */
        {{ 100, 100, 10, 10 }},
        {{ 500, 500, 4, 1 }},      /* close together */
    };
    unsigned int i;

    printf("      work items of an invalidation, of 2^36 pages:\n"
           "      %8s %12s %10s %10s %10s %10s %10s\n", "leaves",
           "guest tables", "mapping", "domain", "global", "unmapping",
           "per leaf");
    for ( i = 0; i < ARRAY_SIZE(layouts); i++ )
        row(&layouts[i]);
}

TESTS(scale_tests) = {
    TEST_TRAPPED(work_is_proportional_to_what_is_mapped),
    TESTS_END
};

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
