/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * t-contexts.c: which table a device has: root and context entries (VT-d 9.1,
 * 9.3), and their invalidation.
 */
#include "unit.h"

#define IOVA            0x40005000ULL

static uint64_t page, page2;
static struct domain dom2;

static enum dma writes(uint64_t phys)
{
    return edu_writes(&edus[0], IOVA, phys);
}

static void check_kinds(void)
{
    unsigned int aw = CAP_SAGAW(cap) & SAGAW_48 ? 2 : 1;

    check_eq(writes(page), ARRIVED, "TT 0: through the table");
    context_set(&edus[0], CTX_P | CTX_TT(2), aw | (1 << 8));
    inv_all();
    check_eq(edu_writes(&edus[0], page, page), ARRIVED,
             "TT 2, pass-through: guest-physical addresses");
    context_set(&edus[0], 0, 0);
    inv_all();
    check_eq(writes(page), BLOCKED, "context not present: nothing");
    check_eq(edu_writes(&edus[0], page, page), BLOCKED,
             "context not present: nor by guest-physical address");
    context_set(&edus[0], dom.table | CTX_P | CTX_FPD,
                (dom.levels - 2) | (1 << 8) | (0xf << 3));
    inv_all();
    check_eq(writes(page), ARRIVED,
             "FPD and the bits for software do not matter to translation");
    mem64(root)[0] = 0;
    inv_all();
    check_eq(writes(page), BLOCKED, "root entry not present: nothing");
    mem64(root)[0] = contexts | 1;
    attach(&edus[0], &dom);
    inv_all();
    check_eq(writes(page), ARRIVED, "root entry present again");
}

static void check_switches(void)
{
    attach(&edus[0], &dom2);
    queue_do(DESC_CONTEXT(SELECTIVE, dom.did, edus[0].devfn), 0);
    inv_domain(dom.did);
    inv_domain(dom2.did);
    *mem32(page) = 0;
    check_eq(writes(page2), ARRIVED, "another domain: its page is written");
    check_eq(*mem32(page), 0, "another domain: the first one's page is not");
    attach(&edus[0], &dom);
    inv_all();
    check_eq(writes(page), ARRIVED, "and back");

    /* The same domain ID, another table. */
    dom2.did = dom.did;
    attach(&edus[0], &dom2);
    inv_all();
    check_eq(writes(page2), ARRIVED, "another table with the same domain ID");
    dom2.did = 2;
    attach(&edus[0], &dom);
    inv_all();
}

/* After each of these commands, a context that was removed is gone. */
static void check_commands_of(const char *name, bool (*invalidate)(void))
{
    context_set(&edus[0], 0, 0);
    check(invalidate(), "%s: completes", name);
    inv_domain(dom.did);
    check_eq(writes(page), BLOCKED, "%s: a context removed is gone", name);
    attach(&edus[0], &dom);
    check(invalidate(), "%s: completes, with the context back", name);
    inv_domain(dom.did);
    check_eq(writes(page), ARRIVED, "%s: a context made is there", name);
}

static bool queue_device(void)
{
    return queue_do(DESC_CONTEXT(SELECTIVE, dom.did, edus[0].devfn), 0) &&
           queue_do(DESC_CONTEXT(SELECTIVE, 0, edus[0].devfn), 0);
}

/* Not-present entries are cached with domain ID 0 (6.1, caching mode). */
static bool queue_domain(void)
{
    return queue_do(DESC_CONTEXT(DOMAIN, dom.did, 0), 0) &&
           queue_do(DESC_CONTEXT(DOMAIN, 0, 0), 0);
}

static bool reg_device(void)
{
    uint64_t bits = CCMD_ICC | CCMD_CIRG(SELECTIVE) | CCMD_SID(edus[0].devfn);

    return CCMD_CAIG(ccmd(bits | dom.did)) && CCMD_CAIG(ccmd(bits));
}

static bool reg_domain(void)
{
    return CCMD_CAIG(ccmd(CCMD_ICC | CCMD_CIRG(DOMAIN) | dom.did)) &&
           CCMD_CAIG(ccmd(CCMD_ICC | CCMD_CIRG(DOMAIN)));
}

static bool reg_global(void)
{
    return CCMD_CAIG(ccmd(CCMD_ICC | CCMD_CIRG(GLOBAL)));
}

static void check_root(void)
{
    uint64_t root2 = page_new(), contexts2 = page_new();

    mem64(root2)[0] = contexts2 | 1;
    mem64(contexts2 + edus[0].devfn * 16)[0] = dom2.table | CTX_P;
    mem64(contexts2 + edus[0].devfn * 16)[1] = (dom2.levels - 2) | (2 << 8);

    wr64(RTADDR, root2);
    inv_all();
    check_eq(writes(page), ARRIVED, "RTADDR takes effect with SRTP only");
    command(G_SRTP);
    inv_all();
    check_eq(writes(page2), ARRIVED, "a new root table, while TE is on");
    *mem64(root) = 0;
    inv_all();
    check_eq(writes(page2), ARRIVED,
             "the old root table does not matter then");
    *mem64(root) = contexts | 1;
    wr64(RTADDR, root);
    command(G_SRTP);
    inv_all();
    check_eq(writes(page), ARRIVED, "the first root table again");

    command_off(G_TE);
    check_eq(edu_writes(&edus[0], page, page), ARRIVED,
             "TE off: guest-physical addresses");
    context_set(&edus[0], 0, 0);
    check(command(G_TE), "TE on again");
    inv_all();
    check_eq(edu_writes(&edus[0], page, page), BLOCKED,
             "TE on again: guest-physical addresses no more");
    attach(&edus[0], &dom);
    inv_all();
    check_eq(writes(page), ARRIVED, "TE on again: the table");
}

static void check_two(void)
{
    if ( nr_edus < 2 )
    {
        skip("one device only", "two devices with their own domains");
        return;
    }

    check_eq(edu_writes(&edus[1], IOVA, page), BLOCKED,
             "a second device without a context reaches nothing");
    attach(&edus[1], &dom2);
    inv_all();
    *mem32(page) = 0;
    check_eq(edu_writes(&edus[1], IOVA, page2), ARRIVED,
             "the second device has its own domain");
    check_eq(*mem32(page), 0, "... and does not reach the first one's");
    check_eq(writes(page), ARRIVED, "the first device keeps its domain");
    *entry(&dom2, IOVA, 1) = 0;
    inv_pages(dom2.did, IOVA, 0);
    check(edu_writes(&edus[1], IOVA, page2) == BLOCKED &&
          writes(page) == ARRIVED,
          "a page removed from one domain stays in the other");
    map(&dom2, IOVA, page2, 1, RW);
    attach(&edus[1], &dom);
    inv_all();
    check(edu_writes(&edus[1], IOVA, page) == ARRIVED &&
          writes(page) == ARRIVED, "both devices in one domain");
    *entry(&dom, IOVA, 1) = 0;
    inv_pages(dom.did, IOVA, 0);
    check(edu_writes(&edus[1], IOVA, page) == BLOCKED &&
          writes(page) == BLOCKED, "both lose a page that is removed");
    map(&dom, IOVA, page, 1, RW);
    context_set(&edus[1], 0, 0);
    inv_all();
    check(edu_writes(&edus[1], IOVA, page) == BLOCKED &&
          writes(page) == ARRIVED, "one leaves the domain, the other stays");
}

void check_contexts(void)
{
    topic("contexts");
    if ( !nr_edus )
        return;

    fixture(3);
    page = page_new();
    page2 = page_new();
    domain_new(&dom2, 3, 2);
    map(&dom, IOVA, page, 1, RW);
    map(&dom2, IOVA, page2, 1, RW);
    inv_all();

    check_kinds();
    check_switches();
    check_commands_of("context descriptor, global", inv_context);
    check_commands_of("context descriptor, domain", queue_domain);
    check_commands_of("context descriptor, device", queue_device);
    check_commands_of("CCMD, global", reg_global);
    check_commands_of("CCMD, domain", reg_domain);
    check_commands_of("CCMD, device", reg_device);
    check_root();
    check_two();
    unit_quiet();
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
