/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * edits.c: random changes that a guest makes to its tables and its memory.
 */
#include "edits.h"
#include "model.h"

static uint64_t random_entry(void)
{
    static const uint8_t rights[] = { 0, R, W, R | W, R | W, R | W, R | W, R };
    uint64_t entry = rights[rnd(8)], gfn;

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

static void edit_memory(void)
{
    unsigned long gfn = rnd(4) ? rnd(G_TABLES) : G_TABLES + rnd(N_TABLES);
    enum gfn_type type = rnd(2) ? rnd(4) : GFN_RAM;

    guest_set(gfn, 1, type);
    if ( type == GFN_MISSING )
        edit_memory_left();
    say("gfn %lx becomes %u\n", gfn, type);
}

/* A leaf that went, and may come back. */
static uint64_t *gone_from, gone;
static unsigned long gone_page;

void edit_path(unsigned long page)
{
    unsigned long table = model_top[rnd(M_ROOTS)];
    unsigned int level = 4 - rnd(2), stop = 1 + rnd(3), shift;
    uint64_t *entry;

    for ( ; ; level-- )
    {
        shift = VTD_LEVEL_STRIDE * (level - 1);
        entry = guest_page(table) + (page >> shift) % VTD_TABLE_ENTRIES;
        table = (*entry & VTD_PTE_ADDR) >> VTD_PAGE_SHIFT;
        if ( level <= stop || !(*entry & R) || (*entry & VTD_PTE_SP) ||
             table - G_TABLES >= N_TABLES )
            break;
    }

    if ( *entry && rnd(3) )
    {
        gone_from = entry;
        gone = *entry;
        gone_page = page;
        *entry = 0;
    }
    else
        *entry = (PAGE(rnd(G_TABLES)) & (~0ULL << (VTD_PAGE_SHIFT + shift))) |
                 R | (rnd(2) ? W : 0) | (level > 1 ? VTD_PTE_SP : 0);
    say("page %lx, level %u = %llx\n", page, level,
        (unsigned long long)*entry);
}

bool edit_back(unsigned long *page)
{
    if ( !gone_from || *gone_from )
        return false;

    /* Or a table comes in its place. */
    *gone_from = rnd(4) ? gone : PAGE(G_TABLES + rnd(N_TABLES)) | R | W;
    *page = gone_page;
    say("page %lx comes back as %llx\n", *page,
        (unsigned long long)*gone_from);
    gone_from = NULL;

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

    case 5 ... 6:
        edit_memory();
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

    gone_from = NULL;
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
