/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-walk.c: what the guest's tables mean (VT-d 9.1, 9.3, 9.8).
 */
#include "vm.h"

static unsigned long table;

/* One device on a table of so many levels. */
static void start(unsigned int levels)
{
    table = vm_table();
    vm_set_context(0, table, levels, 1);
    vm_translate(1);
}

static void sync_all(void)
{
    q_submit(IOTLB_DOMAIN(1));
}

static void check_levels(unsigned int levels)
{
    uint64_t top = (1ULL << (12 + 9 * levels)) - 4096;

    start(levels);
    vm_map(table, levels, 0, G_DATA, 1, RW);
    vm_map(table, levels, PAGE(0x12345), G_DATA + 1, 1, R);
    vm_map(table, levels, 1ULL << 38, G_DATA + 2, 1, W);
    vm_map(table, levels, top, G_DATA + 3, 1, RW);
    sync_all();
    expect(0, 0, G_DATA, RW);
    expect(0, 0xfff, G_DATA, RW);
    expect(0, PAGE(0x12345), G_DATA + 1, R);
    expect(0, 1ULL << 38, G_DATA + 2, W);
    expect(0, top, G_DATA + 3, RW);
    expect_none(0, 0x1000);
    expect_none(0, top - 0x1000);
    expect_none(0, top + 0x1000);
    CHECK_EQ(COUNT(pages_pinned), 4);
    CHECK_EQ(guest.frames, 4);
}

static void four_levels(void)
{
    check_levels(4);
}

static void three_levels(void)
{
    check_levels(3);
}

/* A unit with 39 bits starts at the third level. */
static void three_levels_on_a_machine_of_three(void)
{
    vm_stop();
    hw.caps.levels = 3;
    CHECK_EQ(vm_create(0), 0);
    check_levels(3);
}

static void machine_of_three_levels_refuses_four(void)
{
    vm_stop();
    hw.caps.levels = 3;
    CHECK_EQ(vm_create(0), 0);
    table = vm_table();
    vm_map(table, 4, 0, G_DATA, 1, RW);
    vm_set_context(0, table, 4, 1);
    vm_translate(1);
    expect_none(0, 0);
    CHECK(COUNT(rej_context));
}

static void superpages_of_2m(void)
{
    start(4);
    vm_map(table, 4, 5ULL << 21, 0x200, 2, RW);
    sync_all();
    expect(0, 5ULL << 21, 0x200, RW);
    expect(0, (5ULL << 21) + 0x123456, 0x200 + 0x123, RW);
    expect(0, (6ULL << 21) - 1, 0x3ff, RW);
    expect_none(0, (5ULL << 21) - 1);
    expect_none(0, 6ULL << 21);
    CHECK_EQ(guest.frames, 512);
}

static void superpages_of_1g(void)
{
    guest_set(G_HUGE, 0x40000, GFN_RAM);
    start(3);
    vm_map(table, 3, 3ULL << 30, G_HUGE, 3, RW);
    sync_all();
    expect(0, 3ULL << 30, G_HUGE, RW);
    expect(0, (3ULL << 30) + PAGE(0x12345), G_HUGE + 0x12345, RW);
    expect(0, (4ULL << 30) - 1, G_HUGE + 0x3ffff, RW);
    expect_none(0, (3ULL << 30) - 1);
    expect_none(0, 4ULL << 30);
    CHECK_EQ(guest.frames, 0x40000);
}

/* A superpage with holes in the guest's memory maps what is there. */
static void superpage_over_a_hole(void)
{
    start(4);
    guest_set(0x210, 1, GFN_MISSING);
    guest_set(0x211, 1, GFN_RAM_RO);
    guest_set(0x212, 1, GFN_MMIO);
    vm_map(table, 4, 1ULL << 21, 0x200, 2, RW);
    sync_all();
    expect(0, (1ULL << 21) + PAGE(0xf), 0x20f, RW);
    expect_none(0, (1ULL << 21) + PAGE(0x10));
    expect(0, (1ULL << 21) + PAGE(0x11), 0x211, R);
    expect_none(0, (1ULL << 21) + PAGE(0x12));
    expect(0, (1ULL << 21) + PAGE(0x13), 0x213, RW);
    CHECK_EQ(COUNT(rej_frame), 2);
}

static void rights_are_those_of_the_whole_path(void)
{
    static const uint64_t rights[] = { 0, R, W, RW };
    unsigned int leaf, above, level;

    start(4);
    for ( level = 2; level <= 4; level++ )
        for ( above = 0; above < 4; above++ )
            for ( leaf = 0; leaf < 4; leaf++ )
            {
                uint64_t addr = PAGE(77);
                uint64_t *e = vm_entry(table, 4, addr, level);

                vm_map(table, 4, addr, G_DATA, 1, rights[leaf]);
                *e = (*e & ~RW) | rights[above];
                sync_all();
                expect(0, addr, G_DATA, rights[leaf] & rights[above]);
                *e |= RW;
            }
}

static void rights_of_a_superpage_are_those_of_its_path(void)
{
    start(4);
    vm_map(table, 4, 0, 0x200, 2, RW);
    *vm_entry(table, 4, 0, 3) &= ~W;
    sync_all();
    expect(0, PAGE(5), 0x205, R);
}

/* In a second-level entry only R and W make it present. */
static void reserved_bits_make_a_hole(void)
{
    static const struct {
        unsigned int level;
        uint64_t bits;
    } bad[] = {
        { 1, VTD_PTE_TM }, { 1, 1ULL << 48 }, { 1, 1ULL << 51 },
        { 2, VTD_PTE_TM }, { 2, 1ULL << 48 }, { 2, 1ULL << 51 },
        { 3, VTD_PTE_TM }, { 3, 1ULL << 50 },
        { 4, VTD_PTE_TM }, { 4, 1ULL << 49 }, { 4, VTD_PTE_SP },
    };
    unsigned int i;

    start(4);
    vm_map(table, 4, PAGE(1), G_DATA, 1, RW);
    for ( i = 0; i < ARRAY_SIZE(bad); i++ )
    {
        uint64_t *e = vm_entry(table, 4, PAGE(1), bad[i].level);

        sync_all();
        expect(0, PAGE(1), G_DATA, RW);
        *e |= bad[i].bits;
        sync_all();
        expect_none(0, PAGE(1));
        *e &= ~bad[i].bits;
    }
    CHECK(COUNT(rej_entry) >= ARRAY_SIZE(bad));
    sync_all();
    expect(0, PAGE(1), G_DATA, RW);
}

static void misaligned_superpages_make_a_hole(void)
{
    unsigned int bit;

    start(4);
    for ( bit = 12; bit < 21; bit++ )
    {
        *vm_entry(table, 4, 0, 2) = PAGE(0x200) | RW | VTD_PTE_SP |
                                    1ULL << bit;
        sync_all();
        expect_none(0, 0);
    }
    for ( ; bit < 30; bit++ )
    {
        *vm_entry(table, 4, 0, 3) = RW | VTD_PTE_SP | 1ULL << bit;
        sync_all();
        expect_none(0, 0);
    }
}

static void ignored_bits_are_ignored(void)
{
    unsigned int level;

    start(4);
    vm_map(table, 4, PAGE(1), G_DATA, 1, RW);
    for ( level = 1; level <= 4; level++ )
        *vm_entry(table, 4, PAGE(1), level) |= VTD_PTE_IGNORED | 1ULL << 63 |
                                               0x700;
    sync_all();
    expect(0, PAGE(1), G_DATA, RW);
    /* Bit 7 of a 4K leaf is not a page size. */
    *vm_entry(table, 4, PAGE(1), 1) |= VTD_PTE_SP;
    sync_all();
    expect(0, PAGE(1), G_DATA, RW);
}

static void snoop_needs_the_capability(void)
{
    start(4);
    vm_map(table, 4, PAGE(1), G_DATA, 1, RW | VTD_PTE_SNP);
    sync_all();
    expect(0, PAGE(1), G_DATA, RW);

    vm_stop();
    hw.caps.snoop = false;
    CHECK_EQ(vm_create(0), 0);
    vm_translate(1);
    expect_none(0, PAGE(1));
    CHECK_EQ(COUNT(rej_entry), 1);
    vm_map(table, 4, PAGE(1), G_DATA, 1, RW);
    sync_all();
    expect(0, PAGE(1), G_DATA, RW);
}

static void tables_outside_of_ram_make_a_hole(void)
{
    static const enum gfn_type types[] = { GFN_MISSING, GFN_MMIO };
    unsigned int level, i;

    start(4);
    vm_map(table, 4, PAGE(1), G_DATA, 1, RW);
    for ( i = 0; i < ARRAY_SIZE(types); i++ )
        for ( level = 2; level <= 4; level++ )
        {
            unsigned long gfn = *vm_entry(table, 4, PAGE(1), level) >> 12;

            sync_all();
            expect(0, PAGE(1), G_DATA, RW);
            guest_set(gfn, 1, types[i]);
            sync_all();
            expect_none(0, PAGE(1));
            guest_set(gfn, 1, GFN_RAM);
        }
    CHECK(COUNT(rej_table) >= 6);
}

static void top_table_outside_of_ram_is_empty(void)
{
    vm_set_context(0, G_RAM + 1, 4, 1);
    vm_translate(1);
    expect_none(0, 0);
    CHECK(COUNT(rej_table) >= 1);
}

static void leaves_lead_to_ram_only(void)
{
    start(4);
    guest_set(G_DATA, 1, GFN_MMIO);
    guest_set(G_DATA + 1, 1, GFN_MISSING);
    guest_set(G_DATA + 2, 2, GFN_RAM_RO);
    vm_map(table, 4, PAGE(0), G_DATA, 1, RW);
    vm_map(table, 4, PAGE(1), G_DATA + 1, 1, RW);
    vm_map(table, 4, PAGE(2), G_DATA + 2, 1, RW);
    vm_map(table, 4, PAGE(3), G_DATA + 3, 1, W);
    vm_map(table, 4, PAGE(4), 0x800000000, 1, RW);
    vm_map(table, 4, PAGE(5), G_DATA + 5, 1, RW);
    sync_all();
    expect_none(0, PAGE(0));
    expect_none(0, PAGE(1));
    expect(0, PAGE(2), G_DATA + 2, R);
    expect_none(0, PAGE(3));
    expect_none(0, PAGE(4));
    expect(0, PAGE(5), G_DATA + 5, RW);
    CHECK_EQ(COUNT(rej_frame), 4);
    CHECK_EQ(guest.frames, 2);
}

static void tables_may_contain_each_other(void)
{
    uint64_t *e;

    start(4);
    e = guest_page(table);
    e[0] = PAGE(table) | RW;
    e[1] = PAGE(G_DATA) | RW;
    sync_all();
    /* Entry 0 leads back: 0.0.0.0 is the table itself, 0.0.0.1 a page. */
    expect(0, PAGE(0), table, RW);
    expect(0, PAGE(1), G_DATA, RW);
    expect(0, 1ULL << 21, 0, 0);
    expect_none(0, PAGE(2));
}

TESTS(walk_tests) = {
    TEST(four_levels),
    TEST(three_levels),
    TEST(three_levels_on_a_machine_of_three),
    TEST(machine_of_three_levels_refuses_four),
    TEST(superpages_of_2m),
    TEST(superpages_of_1g),
    TEST(superpage_over_a_hole),
    TEST(rights_are_those_of_the_whole_path),
    TEST(rights_of_a_superpage_are_those_of_its_path),
    TEST(reserved_bits_make_a_hole),
    TEST(misaligned_superpages_make_a_hole),
    TEST(ignored_bits_are_ignored),
    TEST(snoop_needs_the_capability),
    TEST(tables_outside_of_ram_make_a_hole),
    TEST(top_table_outside_of_ram_is_empty),
    TEST(leaves_lead_to_ram_only),
    TEST(tables_may_contain_each_other),
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
