/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * edits.c: random changes that a guest makes to its tables and its memory.
 */
#include "edits.h"
#include "model.h"

bool edit_plain;

static uint64_t random_entry(void)
{
    static const uint8_t rights[] = { 0, R, W, R | W, R | W, R | W, R | W, R };
    uint64_t entry = rights[rnd(8)], gfn;

    /* Ways that lead somewhere. */
    if ( edit_plain && rnd(16) )
        return PAGE(G_TABLES + rnd(N_TABLES)) | R | W;

    switch ( rnd(16) )
    {
    case 0 ... 2:
        return 0;

    case 3 ... 8:
        gfn = G_TABLES + rnd(N_TABLES);
        break;

    case 9 ... 12:
        gfn = rnd(G_TABLES);
        break;

    case 13:
        gfn = rnd(G_TABLES) & ~0xfU;
        entry |= VTD_PTE_SP;
        break;

    case 14:
        gfn = rnd(G_TABLES) & ~3U;
        entry |= VTD_PTE_SP;
        break;

    default:
        gfn = rnd(G_RAM + 8);
        if ( rnd(2) )
            entry |= VTD_PTE_SP;
        entry |= (uint64_t)rnd(1 << 10) << 52;
        if ( !rnd(4) )
            entry |= 1ULL << (20 + rnd(44));
        break;
    }
    if ( !rnd(8) )
        entry |= VTD_PTE_SNP;
    if ( edit_plain )
        entry &= ~VTD_PTE_SP;

    return entry | PAGE(gfn);
}

static void edit_table(void)
{
    unsigned int t = rnd(N_TABLES), i = rnd(VTD_TABLE_ENTRIES);
    uint64_t entry = random_entry();

    guest_page(G_TABLES + t)[i] = entry;
    say("table %x[%u] = %llx\n", G_TABLES + t, i, (unsigned long long)entry);
}

static void edit_context(void)
{
    unsigned int dev = rnd(M_DEVICES);
    uint64_t *ctx = guest_page(G_CONTEXT + !rnd(8)) + 2 * model_devfn[dev];

    ctx[1] = (uint64_t)(1 + rnd(M_DIDS)) << 8 | (1 + rnd(2));
    switch ( rnd(8) )
    {
    case 0:
        ctx[0] = PAGE(model_top[0]);
        break;

    case 1:
        ctx[0] = PAGE(model_top[0]) | VTD_CTX_P | VTD_TT_PASS_THROUGH << 2;
        break;

    default:
        ctx[0] = PAGE(model_top[rnd(M_ROOTS)]) | VTD_CTX_P;
        break;
    }
    if ( edit_plain )
    {
        ctx[1] = 1 << 8 | 2;
        ctx[0] = PAGE(model_top[0]) | VTD_CTX_P;
    }
    if ( !rnd(24) )
        ctx[rnd(2)] ^= 1ULL << rnd(8);
    say("context of %u = %llx %llx\n", dev, (unsigned long long)ctx[0],
        (unsigned long long)ctx[1]);
}

static void edit_root(void)
{
    uint64_t *entry = guest_page(G_ROOT + rnd(2));

    entry[0] = PAGE(G_CONTEXT + !rnd(4)) | VTD_ROOT_P;
    entry[1] = 0;
    if ( !rnd(4) )
        entry[rnd(2)] ^= 1ULL << rnd(24);
    say("root = %llx %llx\n", (unsigned long long)entry[0],
        (unsigned long long)entry[1]);
}

/* A page that tables name, most often; or, if asked for, one of the tables. */
static unsigned long random_gfn(bool table)
{
    unsigned long gfn;

    if ( table )
        return G_TABLES + rnd(N_TABLES);

    gfn = guest_page(G_TABLES + rnd(N_TABLES))[rnd(VTD_TABLE_ENTRIES)];
    gfn = (gfn & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT;

    return gfn < G_TABLES && rnd(4) ? gfn : rnd(G_TABLES);
}

static unsigned long last_type;

static void edit_type(bool table)
{
    unsigned long gfn = table || rnd(3) ? random_gfn(table) : last_type;
    enum gfn_type type = rnd(2) ? rnd(4) : GFN_RAM;

    if ( !table )
        last_type = gfn;
    guest_set(gfn, 1, type);
    if ( type == GFN_MISSING )
        edit_memory_left();
    say("gfn %lx becomes %u\n", gfn, type);
}

/* What is behind a missing page is not the guest's. */
static void may_have_left(unsigned long gfn, unsigned long with)
{
    if ( guest_type(gfn) == GFN_MISSING || guest_type(with) == GFN_MISSING )
        edit_memory_left();
}

static void move(unsigned long gfn, unsigned long with)
{
    say("gfns %lx and %lx are moved\n", gfn, with);
    guest_move(gfn, with);
    may_have_left(gfn, with);
}

static void exchange(unsigned long gfn, unsigned long with)
{
    say("gfns %lx and %lx are exchanged\n", gfn, with);
    guest_exchange(gfn, with);
    may_have_left(gfn, with);
}

void edit_data(void)
{
    if ( rnd(2) )
        edit_type(false);
    else
        exchange(random_gfn(false), random_gfn(false));
}

/*
 * Tables are exchanged with tables only, so that all other pages stay empty;
 * where the guest has to find what it left there, that goes with them.
 */
void edit_p2m(void)
{
    switch ( rnd(8) )
    {
    case 0:
        exchange(G_ROOT, G_ROOT + 1);
        break;

    case 1:
        exchange(G_CONTEXT, G_CONTEXT + 1);
        break;

    case 2:
        move(rnd(2) ? G_QUEUE : G_STATUS, G_SPARE + rnd(2));
        break;

    case 3:
        move(G_ROOT + rnd(4), random_gfn(rnd(2)));
        break;

    case 4:
        edit_type(true);
        break;

    case 5:
        if ( rnd(2) )
            exchange(random_gfn(true), random_gfn(true));
        else
            move(random_gfn(true), random_gfn(false));
        break;

    default:
        edit_data();
        break;
    }
}

/* A leaf that went, and may come back: an entry of a table, a gfn. */
static unsigned long gone_from, gone_index, gone_page;
static uint64_t gone;

void edit_path(unsigned long page)
{
    unsigned long table, next = model_top[rnd(M_ROOTS)];
    unsigned int level = 4 - rnd(2), stop = 1 + rnd(3), shift;
    uint64_t *entry;

    if ( edit_plain )
    {
        next = model_top[0];
        level = 4;
        stop = 1;
    }

    for ( ; ; level-- )
    {
        shift = VTD_LEVEL_STRIDE * (level - 1);
        table = next;
        entry = guest_page(table) + (page >> shift) % VTD_TABLE_ENTRIES;
        next = (*entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT;
        if ( level <= stop || !(*entry & R) || (*entry & VTD_PTE_SP) ||
             next - G_TABLES >= N_TABLES )
            break;
    }

    if ( *entry && rnd(3) )
    {
        gone_from = table;
        gone_index = (page >> shift) % VTD_TABLE_ENTRIES;
        gone = *entry;
        gone_page = page;
        *entry = 0;
    }
    else if ( edit_plain && level > 1 )
        *entry = PAGE(G_TABLES + rnd(N_TABLES)) | R | W;
    else
        *entry = (PAGE(rnd(G_TABLES)) & (~0ULL << (VTD_PAGE_SHIFT + shift))) |
                 R | (rnd(2) ? W : 0) | (level > 1 ? VTD_PTE_SP : 0);
    say("page %lx, level %u = %llx\n", page, level,
        (unsigned long long)*entry);
}

bool edit_back(unsigned long *page)
{
    uint64_t *entry = guest_page(gone_from) + gone_index;

    if ( !gone_from || *entry )
        return false;

    /* Or a table comes in its place. */
    *entry = rnd(4) ? gone : PAGE(G_TABLES + rnd(N_TABLES)) | R | W;
    *page = gone_page;
    say("page %lx comes back as %llx\n", *page, (unsigned long long)*entry);
    gone_from = 0;

    return true;
}

void edit_any(void)
{
    switch ( rnd(32) )
    {
    case 0:
        edit_root();
        break;

    case 1 ... 4:
        edit_context();
        break;

    case 5 ... 8:
        edit_p2m();
        break;

    default:
        edit_table();
        break;
    }
}

/* Tables that make sense, to start with. */
void edit_first(void)
{
    unsigned int i, j;

    gone_from = last_type = 0;
    for ( i = 0; i < N_TABLES; i++ )
    {
        uint64_t *table = guest_page(G_TABLES + i);

        table[0] = PAGE(G_TABLES + (i + 1) % N_TABLES) | R | W;
        for ( j = 1; j < VTD_TABLE_ENTRIES; j++ )
            if ( rnd(4) )
                table[j] = random_entry();
    }
    for ( i = 0; i < M_DEVICES; i++ )
        edit_context();
    for ( i = 0; i < 2; i++ )
        guest_page(G_ROOT + i)[0] = PAGE(G_CONTEXT + i) | VTD_ROOT_P;
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
