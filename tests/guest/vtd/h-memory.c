/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * h-memory.c: memory that the guest gives away, or gets, while its device
 * reaches it. The device reaches frames of the guest at all times, and none
 * that the guest has given back.
 */
#include "hostile.h"
#include "xen.h"

#define IOVA            0x40000000ULL
#define MANY            8               /* pages, each of which is a DMA */
#define HELD            512             /* more than a guest may have extra */
#define REGION          (MEMORY_BASE + 8 * MB)
#define GRANT           8               /* the first that is not reserved */
#define GRANT_ACCESS    1

static void fill(uint64_t page, unsigned int n, uint32_t value)
{
    unsigned int i;

    for ( i = 0; i < n * PAGE; i += 4 )
        *mem32(page + i) = value;
}

static bool filled(uint64_t page, unsigned int n, uint32_t value)
{
    unsigned int i;

    for ( i = 0; i < n * PAGE; i += 4 )
        if ( *mem32(page + i) != value )
        {
            say("0x%lx is 0x%x\n", page + i, *mem32(page + i));
            return false;
        }

    return true;
}

static void map_now(uint64_t page, uint64_t flags)
{
    map(&dom, IOVA, page, 1, flags);
    inv_pages(dom.did, IOVA, 0);
}

static void check_one(void)
{
    uint64_t page = MEMORY_BASE;

    fill(page, 1, 0xaaaa0001);
    map_now(page, RW);
    check_eq(device_reads(IOVA), 0xaaaa0001, "a page of the guest is reached");
    check_eq(xen_balloon_out(page / PAGE, 1), 1, "it can be ballooned out");
    device_writes(IOVA, 0xaaaa0002);
    check_eq(device_reads(IOVA), 0xaaaa0002,
             "out: the device still has the frame that was there");
    check_eq(xen_balloon_in(page / PAGE, 1), 1, "another frame can come");
    fill(page, 1, 0xaaaa0003);
    device_writes(IOVA, 0xaaaa0004);
    check(filled(page, 1, 0xaaaa0003), "in again: that is another frame");
    check_eq(device_reads(IOVA), 0xaaaa0004,
             "in again: the device has the former one");
    inv_pages(dom.did, IOVA, 0);
    check_eq(device_reads(IOVA), 0xaaaa0003,
             "after an invalidation it has the new one");

    check_eq(xen_balloon_out(page / PAGE, 1), 1, "out once more");
    inv_pages(dom.did, IOVA, 0);
    check(device_reads(IOVA) != 0xaaaa0003,
          "out and invalidated: the device has nothing");
    check_eq(xen_balloon_in(page / PAGE, 1), 1, "in once more");
    fill(page, 1, 0xaaaa0005);
    inv_pages(dom.did, IOVA, 0);
    check_eq(device_reads(IOVA), 0xaaaa0005, "in and invalidated: it is reached");
    map_now(0, 0);
}

/* What Xen has free it gives out again soon. */
static void check_many(void)
{
    unsigned int i;

    for ( i = 0; i < MANY; i++ )
        map(&dom, IOVA + i * PAGE, REGION + i * PAGE, 1, RW);
    inv_domain(dom.did);
    check_eq(xen_balloon_out(REGION / PAGE, 2 * MANY), 2 * MANY,
             "pages that are reached and others are ballooned out");
    check_eq(xen_balloon_in(REGION / PAGE, 2 * MANY), 2 * MANY,
             "and others come");
    fill(REGION, 4 * MANY, 0xbbbb0001);
    for ( i = 0; i < MANY; i++ )
        device_writes(IOVA + i * PAGE, 0xbbbb0002);
    check(filled(REGION, 4 * MANY, 0xbbbb0001),
          "none of those that came is one that the device still has");
    for ( i = 0; i < MANY; i++ )
        *entry(&dom, IOVA + i * PAGE, 1) = 0;
    inv_domain(dom.did);
}

/* Whatever a device holds, a guest has no more memory than it may. */
static void check_limit(void)
{
    unsigned int i;
    long n;

    for ( i = 0; i < HELD; i++ )
        map(&dom, IOVA + i * PAGE, REGION + i * PAGE, 1, RW);
    inv_domain(dom.did);
    check_eq(xen_balloon_out(REGION / PAGE, HELD), HELD,
             "2M are ballooned out while they are reached");
    n = xen_balloon_in(REGION / PAGE, HELD);
    check(n < HELD, "as long as they are, not as much can come");
    for ( i = 0; i < HELD; i++ )
        *entry(&dom, IOVA + i * PAGE, 1) = 0;
    inv_domain(dom.did);
    /* Optimistic teardown has them for a while. */
    pause_ms(50);
    n += xen_balloon_in(REGION / PAGE + n, HELD - n);
    check_eq(n, HELD, "then all can");
}

static void check_exchange(void)
{
    uint64_t page = MEMORY_BASE;

    fill(page, 1, 0xcccc0001);
    map_now(page, RW);
    /* Xen does not let a guest of this kind exchange at all. */
    check(xen_exchange(page / PAGE) != 1,
          "a frame that a device has is not exchanged");
    check(filled(page, 1, 0xcccc0001), "and stays where it is");
    device_writes(IOVA, 0xcccc0002);
    check_eq(*mem32(page), 0xcccc0002, "for the device, too");
    map_now(0, 0);
}

static void check_shared(void)
{
    uint64_t store = xen_store_gfn() * PAGE, page = MEMORY_BASE + PAGE;
    const unsigned int unused = 0xc00;

    map_now(store, RW);
    *mem32(store + unused) = 0;
    device_writes(IOVA + unused, 0xdddd0001);
    check_eq(*mem32(store + unused), 0xdddd0001,
             "a page that is granted to dom0 is reached");
    map_now(0, 0);

    check_eq(xen_balloon_out(page / PAGE, 1), 1, "a place for Xen's pages");
    check_eq(xen_put_at(XEN_SHARED_INFO, page / PAGE), 0,
             "the shared info page is put there");
    map_now(page, RW);
    device_writes(IOVA + PAGE - 4, 0xdddd0002);
    check_eq(*mem32(page + PAGE - 4), 0xdddd0002,
             "it is the guest's, and reached");
    /* It stays so until the guest is destroyed. */
    map(&dom, IOVA + PAGE, page, 1, RW);
    inv_pages(dom.did, IOVA + PAGE, 0);
    map_now(0, 0);
}

static void check_grants(void)
{
    uint64_t table = MEMORY_BASE + 2 * PAGE, hole = MEMORY_BASE + 3 * PAGE;
    uint64_t page = MEMORY_BASE + 4 * PAGE;
    uint32_t handle;

    check_eq(xen_balloon_out(table / PAGE, 2), 2, "places for grants");
    check_eq(xen_put_at(XEN_GRANT_TABLE, table / PAGE), 0,
             "the grant table is put there");
    fill(page, 1, 0xeeee0001);
    map_now(page, RW);
    *mem32(table + GRANT * 8 + 4) = page / PAGE;
    *mem32(table + GRANT * 8) = GRANT_ACCESS | (xen_domid() << 16);
    /* As it is the same guest, the page moves. */
    check_eq(xen_grant_map(GRANT, hole / PAGE, &handle), 0,
             "a page that a device has is granted and mapped elsewhere");
    device_writes(IOVA, 0xeeee0002);
    check_eq(*mem32(hole), 0xeeee0002, "the device still has it");
    map(&dom, IOVA + PAGE, hole, 1, RW);
    inv_pages(dom.did, IOVA + PAGE, 0);
    device_writes(IOVA + PAGE, 0xeeee0003);
    check_eq(*mem32(hole), 0xeeee0002, "but not by way of a grant's mapping");
    check_eq(xen_grant_unmap(hole / PAGE, handle), 0,
             "that mapping can end while a device has the page");
    *mem32(table + GRANT * 8) = 0;
    check_eq(xen_balloon_in(hole / PAGE, 2), 2, "others come");
    fill(hole, 2, 0xeeee0004);
    device_writes(IOVA, 0xeeee0005);
    check(filled(hole, 2, 0xeeee0004), "the device does not have those");
    inv_pages(dom.did, IOVA, 0);
    device_writes(IOVA, 0xeeee0006);
    check_eq(*mem32(page), 0xeeee0006, "but after an invalidation it does");
    map_now(0, 0);
}

void hostile_memory(void)
{
    topic("memory");
    if ( !nr_edus || !xen_init() )
    {
        skip("no device, or no Xen", "all of it");
        return;
    }

    fixture(3);
    check_one();
    check_many();
    check_limit();
    check_exchange();
    check_shared();
    check_grants();
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
