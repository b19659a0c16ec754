/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * naive-ir.c: a naive reading of what the specification says of interrupt
 * requests.
 */
#include "harness.h"
#include "naive-ir.h"

static struct reading blocked(unsigned int reason, unsigned int index,
                              bool recorded)
{
    return (struct reading){
        .is = VIOMMU_DROPPED, .reason = reason, .index = index,
        .recorded = recorded,
    };
}

static bool reserved(const struct told *m, uint64_t lo, uint64_t hi)
{
    unsigned int dlm = lo >> 5 & 7;

    if ( lo >> 12 & 0xf )            /* 14:12, and IM */
        return true;
    if ( lo >> 24 & 0xff )
        return true;
    if ( hi >> 20 )
        return true;
    if ( (hi >> 18 & 3) == 3 || dlm == 3 || dlm == 6 )
        return true;

    return !m->eime && ((lo >> 32 & 0xff) || lo >> 48);
}

static bool source_ok(uint64_t hi, uint16_t sid)
{
    uint16_t of = hi, mask;

    if ( (hi >> 18 & 3) == 0 )
        return true;
    if ( (hi >> 18 & 3) == 2 )
        return sid / 256 >= of / 256 && sid / 256 <= of % 256;

    mask = 0xffff;
    if ( (hi >> 16 & 3) == 1 )
        mask = 0xfffb;
    if ( (hi >> 16 & 3) == 2 )
        mask = 0xfff9;
    if ( (hi >> 16 & 3) == 3 )
        mask = 0xfff8;

    return (of & mask) == (sid & mask);
}

struct reading read_request(const struct told *m,
                            const struct viommu_message *msg)
{
    struct reading r = { .is = VIOMMU_UNCHANGED };
    unsigned int index;
    uint64_t *page, lo, hi;

    if ( !m->ire )
        return r;
    if ( msg->addr < 0xfee00000ULL || msg->addr > 0xfeefffffULL )
        return blocked(0, 0, false);
    if ( !(msg->addr & 1U << 4) )
        return m->cfi && !m->eime ? r : blocked(0x25, 0, true);

    index = (msg->addr >> 5) % 0x8000 + (msg->addr & 4 ? 0x8000 : 0);
    if ( msg->addr & 8 )
    {
        if ( msg->data > 0xffff )
            return blocked(0x20, index, true);
        index += msg->data;
    }
    if ( index >= m->entries )
        return blocked(0x21, index, true);

    page = m->page[index / 256];
    if ( !page )
        return blocked(0x23, index, true);
    lo = page[index % 256 * 2];
    hi = page[index % 256 * 2 + 1];

    if ( !(lo & 1) )
        return blocked(0x22, index, !(lo & 2));
    if ( reserved(m, lo, hi) )
        return blocked(0x24, index, !(lo & 2));
    if ( !msg->no_sid && !source_ok(hi, msg->sid) )
        return blocked(0x26, index, !(lo & 2));

    r.is = VIOMMU_REMAPPED;
    r.irq.vector = lo >> 16;
    r.irq.dest = m->eime ? lo >> 32 : (uint8_t)(lo >> 40);
    r.irq.mode = lo >> 5 & 7;
    r.irq.logical = lo >> 2 & 1;
    r.irq.level = lo >> 4 & 1;
    r.irq.any = (lo >> 3 & 1) || r.irq.mode == 1;

    return r;
}

static uint32_t rnd(uint32_t n)
{
    return harness_random() % n;
}

void random_irte(uint64_t *entry, bool eime, uint16_t sid)
{
    uint64_t lo = (uint64_t)harness_random() << 32 | harness_random();
    uint64_t hi = rnd(0x100000);

    if ( rnd(4) )
    {
        lo &= 0xffffffff00ff0fffULL;
        if ( !eime )
            lo &= 0x0000ff0000ffffffULL;
        lo |= 1;
    }
    if ( !rnd(3) )
        hi &= ~0xc0000ULL;
    if ( !rnd(3) )
        hi = (hi & 0xf0000) | sid;
    if ( !rnd(16) )
        hi |= 1ULL << (20 + rnd(44));
    entry[0] = lo;
    entry[1] = hi;
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
