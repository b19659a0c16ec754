/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * drive.c: what a guest's driver tells the unit, by all ways there are.
 */
#include "property.h"

void do_global(bool on, bool queue, bool set_root)
{
    bool read = set_root || on != state.te;
    unsigned int since;

    if ( set_root )
    {
        state.root = G_ROOT + !rnd(4);
        wr(VTD_RTADDR, 8, PAGE(state.root));
    }
    state.te = on;
    changed();
    since = oracle_time();
    say("gcmd te %u qie %u srtp %u root %lx\n", on, queue, set_root,
        state.root);
    if ( queue && !state.qie )
    {
        state.tail = 0;
        wr(VTD_IQT, 4, 0);
        wr(VTD_IQA, 8, PAGE(G_QUEUE));
    }
    state.qie = queue;
    if ( state.exact )
        model_global(on, set_root, state.root);
    wr(VTD_GCMD, 4, (on ? VTD_GCMD_TE : 0) | (queue ? VTD_GCMD_QIE : 0) |
                    (set_root ? VTD_GCMD_SRTP : 0) | remap_gcmd());
    CHECK_EQ(!!(rd(VTD_GSTS, 4) & VTD_GCMD_TE), on);
    CHECK_EQ(!!(rd(VTD_GSTS, 4) & VTD_GCMD_QIE), queue);
    if ( set_root )
        CHECK(rd(VTD_GSTS, 4) & VTD_GCMD_SRTP);
    if ( read )
        oracle_global(since);
    check_all();
}

struct command random_command(void)
{
    struct command c = {
        .op = rnd(3) ? OP_IOTLB : OP_CONTEXT,
        .granu = 1 + max(rnd(3), rnd(3)),
        .did = 1 + rnd(M_DIDS),
        .am = rnd(4) ? rnd(3) : rnd(VIOMMU_MAMV + 1),
        .sid = model_devfn[rnd(M_DEVICES)],
        .fm = rnd(4),
        .addr = PAGE(rnd(MAX_PAGES)),
    };

    if ( !rnd(16) )
        c.addr |= PAGE(MAX_PAGES) << rnd(40);

    return c;
}

/* Returns whether it is to be compared before anything else is done. */
static bool completed(const struct command *c, unsigned int since)
{
    total.commands++;
    if ( state.watched )
        oracle_command(c, since);

    return state.exact && model_command(c);
}

static void by_register(const struct command *c)
{
    unsigned int since = oracle_time(), reg;
    uint64_t value;

    if ( c->op == OP_IOTLB )
    {
        reg = VTD_IOTLB;
        wr(VTD_IVA, 8, c->addr | c->am);
        value = VTD_IOTLB_IVT | MASK_INSR((uint64_t)c->granu, VTD_IOTLB_IIRG) |
                MASK_INSR((uint64_t)c->did, VTD_IOTLB_DID);
    }
    else
    {
        reg = VTD_CCMD;
        value = VTD_CCMD_ICC | MASK_INSR((uint64_t)c->granu, VTD_CCMD_CIRG) |
                MASK_INSR((uint64_t)c->did, VTD_CCMD_DID) |
                MASK_INSR((uint64_t)c->sid, VTD_CCMD_SID) |
                MASK_INSR((uint64_t)c->fm, VTD_CCMD_FM);
    }

    (void)completed(c, since);
    if ( rnd(2) )
        wr(reg, 8, value);
    else
    {
        wr(reg, 4, (uint32_t)value);
        wr(reg + 4, 4, value >> 32);
    }
    CHECK(!(rd(reg, 8) >> 63));
    CHECK_EQ((rd(reg, 8) >> (reg == VTD_IOTLB ? 57 : 59)) & 3, c->granu);
    check_all();
}

static void put(uint64_t lo, uint64_t hi)
{
    guest_page(G_QUEUE)[2 * state.tail] = lo;
    guest_page(G_QUEUE)[2 * state.tail + 1] = hi;
    state.tail = (state.tail + 1) % 256;
}

static void put_command(const struct command *c)
{
    if ( c->op == OP_IOTLB )
        put(VTD_DESC_IOTLB | c->granu << 4 | (uint64_t)c->did << 16,
            c->addr | c->am);
    else
        put(VTD_DESC_CONTEXT | c->granu << 4 | (uint64_t)c->did << 16 |
            (uint64_t)c->sid << 32 | (uint64_t)c->fm << 48, 0);
}

/* Where nothing else of any page is. */
#define ANYWHERE 0xff8

/* A wait whose status goes to any page, which may be one that is read, too. */
static void put_wait(void)
{
    if ( !state.anywhere || rnd(2) )
        state.anywhere = rnd(2) ? G_TABLES + rnd(N_TABLES) :
                         rnd(2) ? G_ROOT + rnd(4) : 1 + rnd(G_TABLES - 1);
    say("status to %lx\n", state.anywhere);
    guest_page(state.anywhere)[ANYWHERE / 8] = 0;
    put(VTD_DESC_WAIT | VTD_DESC_WAIT_SW | (uint64_t)state.status << 32,
        PAGE(state.anywhere) + ANYWHERE);
}

static void check_wait(void)
{
    CHECK_EQ(guest_page(state.anywhere)[ANYWHERE / 8],
             guest_type(state.anywhere) == GFN_RAM ? state.status : 0);
}

/* A batch of commands with a wait, perhaps with an error in it. */
static void by_queue(const struct command *first)
{
    unsigned int since = oracle_time(), n = 1 + !rnd(3) * rnd(4), i;
    unsigned int bad = rnd(12) ? n : rnd(n), bad_at = 0;
    bool unsure = false, interrupt = !rnd(8), iec = state.remaps && rnd(2);
    unsigned int anywhere = rnd(4);
    struct command c[4];

    c[0] = *first;
    for ( i = 1; i < n; i++ )
        c[i] = random_command();
    /* The page traps from here on, in the middle of the batch. */
    if ( interrupt )
        put(VTD_DESC_WAIT | VTD_DESC_WAIT_IF, 0);
    for ( i = 0; i < n && !unsure; i++ )
    {
        if ( i == bad )
        {
            bad_at = state.tail;
            put(rnd(2) ? 0x0f : 0xf2, 63);
        }
        put_command(&c[i]);
        if ( i < bad )
            unsure = completed(&c[i], since);
    }
    n = i;
    if ( iec )
        put(VTD_DESC_IEC, 0);
    state.status++;
    /* The last page that was written is this or that. */
    if ( anywhere == 1 )
        put_wait();
    put(VTD_DESC_WAIT | VTD_DESC_WAIT_SW | (uint64_t)state.status << 32,
        PAGE(G_STATUS));
    if ( anywhere == 2 )
        put_wait();
    wr(VTD_IQT, 4, state.tail * 16);
    if ( interrupt )
    {
        CHECK_EQ(rd(VTD_ICS, 4), VTD_ICS_IWC);
        wr(VTD_ICS, 4, VTD_ICS_IWC);
        CHECK_EQ(rd(VTD_ICS, 4), 0);
    }
    if ( bad < n )
    {
        total.errors++;
        CHECK(rd(VTD_FSTS, 4) & VTD_FSTS_IQE);
        CHECK_EQ(rd(VTD_IQH, 8), bad_at * 16);
        CHECK((uint32_t)guest_page(G_STATUS)[0] != state.status);
        check_all();
        guest_page(G_QUEUE)[2 * bad_at] = VTD_DESC_IEC;
        guest_page(G_QUEUE)[2 * bad_at + 1] = 0;
        since = oracle_time();
        /* The last of them, at the most, may leave the model unsure. */
        for ( i = bad; i < n; i++ )
            if ( completed(&c[i], since) && i < n - 1 )
                state.exact = false;
        wr(VTD_FSTS, 4, VTD_FSTS_IQE);
    }
    if ( iec || bad < n )
        remap_refreshed();
    CHECK_EQ(rd(VTD_FSTS, 4), 0);
    CHECK_EQ(rd(VTD_IQH, 8), state.tail * 16);
    CHECK_EQ((uint32_t)guest_page(G_STATUS)[0], state.status);
    if ( (anywhere == 1 || anywhere == 2) && state.exact )
        check_wait();
    check_all();
}

void do_command(struct command c)
{
    say("%s granu %u did %u addr %llx am %u sid %x fm %u\n",
        c.op == OP_IOTLB ? "iotlb" : "context", c.granu, c.did,
        (unsigned long long)c.addr, c.am, c.sid, c.fm);
    if ( state.qie && rnd(4) )
        by_queue(&c);
    else
        by_register(&c);
}

/* As drivers do: some pages near each other come or go, each one told of. */
void do_map(void)
{
    unsigned long page = rnd(MAX_PAGES);
    unsigned int n = 1 + rnd(edit_plain ? 16 : 4);
    struct command c = {
        .op = OP_IOTLB, .granu = VTD_GRANU_SELECTIVE,
        .did = 1 + (edit_plain ? 0 : rnd(M_DIDS)),
    };

    while ( n-- )
    {
        page ^= rnd(edit_plain ? 2 : 4) ? 0 : rnd(4);
        if ( rnd(2) || !edit_back(&page) )
            edit_path(page);
        changed();
        c.addr = PAGE(page);
        do_command(c);
    }
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
