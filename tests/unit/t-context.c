/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-context.c: which table a device is on: contexts, binding, translation off.
 */
#include "vm.h"

/* A table of so many levels that maps addr PAGE(1) to gfn. */
static unsigned long table_with(unsigned int levels, unsigned long gfn)
{
    unsigned long t = vm_table();

    vm_map(t, levels, PAGE(1), gfn, 1, RW);

    return t;
}

static struct viommu_shadow *shadow_of(unsigned int dev)
{
    struct viommu_shadow *s;

    return hw_attached_to(vm_sbdf(dev), &s) == ON_SHADOW ? s : NULL;
}

static void translation_off_is_identity(void)
{
    CHECK_EQ(vm_bind(0), 0);
    vm_set_context(0, table_with(4, G_DATA), 4, 1);
    expect(0, PAGE(G_DATA + 5), G_DATA + 5, RW);
    vm_translate(0);
    expect(0, PAGE(1), G_DATA, RW);
    expect_none(0, PAGE(G_DATA + 5));
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    CHECK(!(rd32(VTD_GSTS) & VTD_GCMD_TE));
    expect(0, PAGE(1), 1, RW);
    expect(0, PAGE(G_DATA + 5), G_DATA + 5, RW);
    CHECK_EQ(guest.frames, 0);
    /* Invalidations with translation off are harmless. */
    q_submit(CTX_GLOBAL);
    q_submit(IOTLB_GLOBAL);
    expect(0, PAGE(1), 1, RW);
}

static void without_a_context_nothing_is_reached(void)
{
    vm_translate(2);
    expect_none(0, PAGE(G_DATA));
    expect_none(1, 0);
    CHECK_EQ(COUNT(rej_context) + COUNT(rej_root), 0);
    CHECK(shadow_of(0) == shadow_of(1));
}

static void pass_through_is_identity(void)
{
    unsigned int aw;

    vm_translate(2);
    for ( aw = 1; aw <= 2; aw++ )
    {
        vm_context(0)[1] = aw | 2 << 8;
        vm_context(0)[0] = VTD_CTX_P | 2 << 2;
        q_submit(CTX_GLOBAL);
        expect(0, PAGE(G_DATA), G_DATA, RW);
        CHECK_EQ(hw_attached_to(vm_sbdf(0), NULL), ON_IDENTITY);
        expect_none(1, PAGE(G_DATA));
        vm_clear_context(0);
        q_submit(CTX_DOMAIN(2));
        expect_none(0, PAGE(G_DATA));
    }
}

static void check_malformed(unsigned int word, uint64_t bits)
{
    unsigned int before = COUNT(rej_context);

    q_submit(CTX_GLOBAL);
    expect(0, PAGE(1), G_DATA, RW);
    vm_context(0)[word] ^= bits;
    q_submit(CTX_GLOBAL);
    if ( COUNT(rej_context) != before + 1 )
        FAIL("bits %#llx of word %u not refused", (unsigned long long)bits,
             word);
    expect_none(0, PAGE(1));
    vm_context(0)[word] ^= bits;
}

static void malformed_contexts_reach_nothing(void)
{
    unsigned int bit;

    vm_set_context(0, table_with(4, G_DATA), 4, 1);
    vm_translate(1);
    for ( bit = 4; bit < 12; bit++ )
        check_malformed(0, 1ULL << bit);
    for ( bit = 48; bit < 64; bit++ )
        check_malformed(0, 1ULL << bit);
    check_malformed(1, 1ULL << 7);
    for ( bit = 24; bit < 64; bit++ )
        check_malformed(1, 1ULL << bit);
    check_malformed(0, 1 << 2);              /* TT 1: needs a device TLB */
    check_malformed(0, 3 << 2);
    /* Address widths: 30, 57 and 64 bits, and reserved ones; 48 is 2. */
    check_malformed(1, 0x2 ^ 0);
    check_malformed(1, 0x2 ^ 3);
    check_malformed(1, 0x2 ^ 4);
    check_malformed(1, 0x2 ^ 5);
    check_malformed(1, 0x2 ^ 6);
    check_malformed(1, 0x2 ^ 7);
    /* FPD and bits 3 to 6 of the upper word are allowed. */
    vm_context(0)[0] |= VTD_CTX_FPD;
    vm_context(0)[1] |= 0x78;
    q_submit(CTX_GLOBAL);
    expect(0, PAGE(1), G_DATA, RW);
}

static void check_bad_root(unsigned int word, uint64_t bits)
{
    unsigned int before = COUNT(rej_root) + COUNT(rej_context);

    q_submit(CTX_GLOBAL);
    expect(0, PAGE(1), G_DATA, RW);
    vm_root(0)[word] ^= bits;
    q_submit(CTX_GLOBAL);
    CHECK_EQ(COUNT(rej_root) + COUNT(rej_context), before + 1);
    expect_none(0, PAGE(1));
    vm_root(0)[word] ^= bits;
}

static void malformed_root_entries_reach_nothing(void)
{
    unsigned int bit;

    vm_set_context(0, table_with(4, G_DATA), 4, 1);
    vm_translate(1);
    for ( bit = 1; bit < 12; bit++ )
        check_bad_root(0, 1ULL << bit);
    for ( bit = 48; bit < 64; bit++ )
        check_bad_root(0, 1ULL << bit);
    for ( bit = 0; bit < 64; bit++ )
        check_bad_root(1, 1ULL << bit);
    /* A context table that is no RAM. */
    check_bad_root(0, PAGE(G_CONTEXT ^ (G_RAM + 1)));

    /* Entries of other buses do not count. */
    guest_page(G_ROOT)[2] = ~0ULL;
    guest_page(G_ROOT)[511] = ~0ULL;
    q_submit(CTX_GLOBAL);
    expect(0, PAGE(1), G_DATA, RW);
    vm_root(0)[0] &= ~VTD_ROOT_P;
    q_submit(CTX_GLOBAL);
    expect_none(0, PAGE(1));
}

static void contexts_count_when_invalidated(void)
{
    vm_translate(1);
    vm_set_context(0, table_with(4, G_DATA), 4, 1);
    q_submit(IOTLB_GLOBAL);
    expect_none(0, PAGE(1));
    q_submit(CTX_DEVICE(1, vm_devfn(0), 0));
    expect(0, PAGE(1), G_DATA, RW);
    vm_clear_context(0);
    q_submit(IOTLB_GLOBAL);
    expect(0, PAGE(1), G_DATA, RW);
    q_submit(CTX_DOMAIN(1));
    expect_none(0, PAGE(1));
}

static void same_table_is_shared(void)
{
    unsigned long t = table_with(4, G_DATA);

    vm_set_context(0, t, 4, 1);
    vm_set_context(1, t, 4, 1);
    vm_set_context(4, t, 4, 1);
    CHECK_EQ(vm_bind(4), 0);
    vm_translate(2);
    CHECK(shadow_of(0) == shadow_of(1));
    CHECK(shadow_of(0) == shadow_of(4));
    CHECK_EQ(hw.shadows, 2);                 /* and the empty one */
    CHECK_EQ(guest.frames, 1);
    CHECK_EQ(COUNT(leaves_mapped), 1);
    vm_unbind(0);
    vm_settle();
    expect(1, PAGE(1), G_DATA, RW);
    CHECK_EQ(hw.shadows, 2);
    vm_unbind(1);
    vm_unbind(4);
    vm_settle();
    CHECK_EQ(hw.shadows, 1);
    CHECK_EQ(guest.frames, 0);
}

static void different_tables_are_apart(void)
{
    vm_set_context(0, table_with(4, G_DATA), 4, 1);
    vm_set_context(1, table_with(3, G_DATA + 1), 3, 2);
    vm_translate(3);
    expect(0, PAGE(1), G_DATA, RW);
    expect(1, PAGE(1), G_DATA + 1, RW);
    expect_none(2, PAGE(1));
    CHECK(shadow_of(0) != shadow_of(1));
    CHECK(shadow_of(0) != shadow_of(2));
    CHECK_EQ(hw.shadows, 3);
}

/* The same page as a table of 3 and of 4 levels is two tables. */
static void depth_is_part_of_the_table(void)
{
    unsigned long t = table_with(4, G_DATA);

    vm_set_context(0, t, 4, 1);
    vm_set_context(1, t, 3, 1);
    vm_translate(2);
    expect(0, PAGE(1), G_DATA, RW);
    expect_none(1, PAGE(1));
    /* What 4 levels read as a page, 3 levels read as a leaf table's page. */
    CHECK(shadow_of(0) != shadow_of(1));
}

static void domains_of_one_table_are_apart(void)
{
    unsigned long t = table_with(4, G_DATA);

    vm_set_context(0, t, 4, 1);
    vm_set_context(1, t, 4, 2);
    vm_translate(2);
    vm_map(t, 4, PAGE(1), G_DATA + 1, 1, RW);
    q_submit(IOTLB_DOMAIN(1));
    expect(0, PAGE(1), G_DATA + 1, RW);
    expect(1, PAGE(1), G_DATA, RW);
    q_submit(IOTLB_DOMAIN(2));
    expect(1, PAGE(1), G_DATA + 1, RW);
}

/* Two contexts, one domain ID, two tables: no sane driver, and yet safe. */
static void one_domain_id_with_two_tables(void)
{
    unsigned long t0 = table_with(4, G_DATA), t1 = table_with(4, G_DATA + 1);

    vm_set_context(0, t0, 4, 1);
    vm_set_context(1, t1, 4, 1);
    vm_translate(2);
    expect(0, PAGE(1), G_DATA, RW);
    expect(1, PAGE(1), G_DATA + 1, RW);
    vm_map(t0, 4, PAGE(1), 0, 1, 0);
    vm_map(t1, 4, PAGE(1), 0, 1, 0);
    q_submit(IOTLB_PAGE(1, PAGE(1), 0));
    expect_none(0, PAGE(1));
    expect_none(1, PAGE(1));
    vm_map(t0, 4, PAGE(1), G_DATA + 1, 1, RW);
    vm_map(t1, 4, PAGE(1), G_DATA, 1, RW);
    q_submit(IOTLB_DOMAIN(1));
    expect(0, PAGE(1), G_DATA + 1, RW);
    expect(1, PAGE(1), G_DATA, RW);
}

static void device_selective_knows_function_masks(void)
{
    static const uint8_t masked[] = { 0, 4, 6, 7 };
    unsigned long t = table_with(4, G_DATA);
    unsigned int fm, x;

    vm_translate(1);
    for ( fm = 0; fm < 4; fm++ )
        for ( x = 0; x < 16; x++ )
        {
            bool covered = !(x & ~masked[fm]);

            vm_set_context(0, t, 4, 1);
            q_submit(CTX_DEVICE(1, vm_devfn(0) ^ x, fm));
            expect(0, PAGE(1), G_DATA, covered ? RW : 0);
            /* Another bus. */
            vm_clear_context(0);
            q_submit(CTX_DEVICE(1, 0x100 | vm_devfn(0), fm));
            expect(0, PAGE(1), G_DATA, covered ? RW : 0);
            q_submit(CTX_GLOBAL);
        }
}

static void domain_selective_covers_its_devices(void)
{
    unsigned int i;

    for ( i = 0; i < 3; i++ )
        vm_set_context(i, table_with(4, G_DATA + i), 4, i + 1);
    vm_translate(4);
    for ( i = 0; i < 3; i++ )
        vm_clear_context(i);
    q_submit(CTX_DOMAIN(2));
    expect(0, PAGE(1), G_DATA, RW);
    expect_none(1, PAGE(1));
    expect(2, PAGE(1), G_DATA + 2, RW);

    /* A device without a context is in no domain, and in any. */
    vm_set_context(3, table_with(4, G_DATA + 3), 4, 4);
    q_submit(CTX_DOMAIN(9));
    expect(3, PAGE(1), G_DATA + 3, RW);
    q_submit(CTX_GLOBAL);
    expect_none(0, PAGE(1));
    expect_none(2, PAGE(1));
}

static void new_domain_id_of_the_same_table(void)
{
    unsigned long t = table_with(4, G_DATA);

    vm_set_context(0, t, 4, 1);
    vm_translate(1);
    vm_set_context(0, t, 4, 2);
    q_submit(CTX_DEVICE(1, vm_devfn(0), 0));
    expect(0, PAGE(1), G_DATA, RW);
    vm_map(t, 4, PAGE(1), 0, 1, 0);
    q_submit(IOTLB_DOMAIN(1));
    expect(0, PAGE(1), G_DATA, RW);
    q_submit(IOTLB_DOMAIN(2));
    expect_none(0, PAGE(1));
}

/* ---- Binding ---- */

static int bind_at(uint32_t sbdf, uint32_t vsbdf)
{
    int rc;

    hw_pcidevs_lock();
    rc = viommu_bind(&vi, (pci_sbdf_t){ .sbdf = sbdf }, vsbdf);
    hw_pcidevs_unlock();

    return rc;
}

static void devices_are_bound_in_the_unit_s_slots_only(void)
{
    CHECK_EQ(bind_at(vm_sbdf(0), 0), -ERANGE);
    CHECK_EQ(bind_at(vm_sbdf(0), 0x7f), -ERANGE);
    CHECK_EQ(bind_at(vm_sbdf(0), 0x100), -ERANGE);
    CHECK_EQ(bind_at(vm_sbdf(0), 0x180), -ERANGE);
    CHECK_EQ(bind_at(vm_sbdf(0), 0x10080), -ERANGE);
    CHECK_EQ(bind_at(vm_sbdf(0), ~0U), -ERANGE);
    CHECK_EQ(bind_at(vm_sbdf(0), 0x80), 0);
    CHECK_EQ(bind_at(vm_sbdf(1), 0xff), 0);
    CHECK_EQ(bind_at(vm_sbdf(0), 0x81), -EEXIST);
    CHECK_EQ(bind_at(vm_sbdf(2), 0x80), -EEXIST);
    CHECK_EQ(vm_unbind(2), -ENODEV);
    CHECK_EQ(vm_unbind(0), 0);
    CHECK_EQ(vm_unbind(0), -ENODEV);
    CHECK_EQ(bind_at(vm_sbdf(2), 0x80), 0);
}

static void devices_that_cannot_have_a_table_are_refused(void)
{
    hw.is_rmrr = true;
    CHECK_EQ(vm_bind(0), -EOPNOTSUPP);
    hw.is_rmrr = false;
    harness.fail_in = 1;
    CHECK_EQ(vm_bind(0), -ENOMEM);
    CHECK_EQ(vm_bind(0), 0);
}

static void binding_late_reads_the_context(void)
{
    vm_set_context(0, table_with(4, G_DATA), 4, 1);
    vm_set_context(1, table_with(4, G_DATA + 1), 4, 2);
    vm_translate(1);
    vm_lazy = true;
    CHECK_EQ(vm_bind(1), 0);
    /* Until then nothing, certainly not all of the guest's memory. */
    expect_none(1, PAGE(G_DATA));
    expect_none(1, PAGE(1));
    CHECK(guest.deferred);
    vm_settle();
    expect(1, PAGE(1), G_DATA + 1, RW);
    expect(0, PAGE(1), G_DATA, RW);
    vm_lazy = false;

    hw.attach_fails = 1;
    CHECK_EQ(vm_bind(2), -ENOSPC);
    expect_none(2, PAGE(G_DATA));
    CHECK_EQ(vm_unbind(2), -ENODEV);
}

static void unbinding_returns_to_identity(void)
{
    vm_set_context(0, table_with(4, G_DATA), 4, 1);
    vm_translate(1);
    vm_unbind(0);
    expect(0, PAGE(G_DATA), G_DATA, RW);
    vm_settle();
    CHECK_EQ(guest.frames, 0);
}

static void what_cannot_be_attached_is_blocked(void)
{
    vm_translate(1);
    vm_set_context(0, table_with(4, G_DATA), 4, 1);
    hw.attach_fails = 1;
    q_submit(CTX_GLOBAL);
    expect_none(0, PAGE(1));
    expect_none(0, PAGE(G_DATA));
    CHECK_EQ(COUNT(rej_hardware), 1);
    CHECK_EQ(guest.frames, 0);
    /* The next invalidation tries again. */
    q_submit(CTX_GLOBAL);
    expect(0, PAGE(1), G_DATA, RW);

    hw.attach_fails = 1;
    vm_unbind(0);
    expect_none(0, PAGE(1));
    expect_none(0, PAGE(G_DATA));
}

static void moving_between_tables_leaves_nothing(void)
{
    unsigned long a = table_with(4, G_DATA), b = table_with(4, G_DATA + 1);
    unsigned int i;

    vm_translate(2);
    for ( i = 0; i < 10; i++ )
    {
        vm_set_context(i & 1, i & 2 ? a : b, 4, 1);
        q_submit(CTX_DEVICE(1, vm_devfn(i & 1), 0));
        q_submit(IOTLB_DOMAIN(1));
        expect(i & 1, PAGE(1), i & 2 ? G_DATA : G_DATA + 1, RW);
        CHECK(hw.shadows <= 3);
    }
    CHECK_EQ(guest.frames, hw.shadows - 1);
}

static void overcommitted(void)
{
    vm_stop();
    vm_overcommit = true;
    CHECK_EQ(vm_create(0), 0);
}

static void overcommit_is_never_identity(void)
{
    overcommitted();
    CHECK(!(rd64(VTD_ECAP) & VTD_ECAP_PT));
    CHECK_EQ(vm_bind(0), 0);
    CHECK_EQ(hw_attached_to(vm_sbdf(0), NULL), ON_SHADOW);
    expect_none(0, PAGE(G_DATA));

    vm_set_context(0, table_with(4, G_DATA), 4, 1);
    vm_translate(0);
    expect(0, PAGE(1), G_DATA, RW);
    CHECK_EQ(vm_bind(1), 0);
    expect_none(1, PAGE(G_DATA));

    /* A context that passes the unit by is malformed now. */
    vm_context(0)[0] = VTD_CTX_P | 2 << 2;
    q_submit(CTX_GLOBAL);
    expect_none(0, PAGE(1));
    expect_none(0, PAGE(G_DATA));
    CHECK_EQ(COUNT(rej_context), 1);

    vm_set_context(0, table_with(4, G_DATA), 4, 1);
    q_submit(CTX_GLOBAL);
    expect(0, PAGE(1), G_DATA, RW);
    wr32(VTD_GCMD, VTD_GCMD_QIE);
    expect_none(0, PAGE(1));
    expect_none(0, PAGE(G_DATA));
    CHECK_EQ(guest.frames, 0);
    /* What is taken away is the host's matter. */
    CHECK_EQ(vm_unbind(0), 0);
    CHECK_EQ(hw_attached_to(vm_sbdf(0), NULL), ON_IDENTITY);
}

static void overcommit_blocks_or_refuses(void)
{
    overcommitted();
    hw.attach_fails = 1;
    CHECK(vm_bind(0) < 0);
    CHECK_EQ(vi.nr_devices, 0);
    CHECK_EQ(vm_bind(0), 0);
    expect_none(0, PAGE(G_DATA));
}

TESTS(context_tests) = {
    TEST(translation_off_is_identity),
    TEST(without_a_context_nothing_is_reached),
    TEST(pass_through_is_identity),
    TEST(malformed_contexts_reach_nothing),
    TEST(malformed_root_entries_reach_nothing),
    TEST(contexts_count_when_invalidated),
    TEST(same_table_is_shared),
    TEST(different_tables_are_apart),
    TEST(depth_is_part_of_the_table),
    TEST(domains_of_one_table_are_apart),
    TEST(one_domain_id_with_two_tables),
    TEST(device_selective_knows_function_masks),
    TEST(domain_selective_covers_its_devices),
    TEST(new_domain_id_of_the_same_table),
    TEST(devices_are_bound_in_the_unit_s_slots_only),
    TEST(devices_that_cannot_have_a_table_are_refused),
    TEST(binding_late_reads_the_context),
    TEST(unbinding_returns_to_identity),
    TEST(what_cannot_be_attached_is_blocked),
    TEST(moving_between_tables_leaves_nothing),
    TEST(overcommit_is_never_identity),
    TEST(overcommit_blocks_or_refuses),
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
