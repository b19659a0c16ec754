/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * viommu-trap.c: accesses to the register page by a plain "mov".
 *
 * Drivers access registers by moves of 32 or 64 bits between a general register
 * (or a constant) and memory, in 64-bit mode. For these the processor has done
 * nearly all: it translated the address, found that the guest's own tables
 * allow the access, and gives the guest-physical address. What is left to know
 * is the other operand. So here the instruction is fetched and decoded, and
 * nothing else; all that is not plain is left to the instruction emulator,
 * which comes to the same result.
 *
 * The guest can change anything at any time, from other vCPUs: the instruction,
 * the page tables, and what its frames are. So
 * - the instruction and each table entry are read once, into locals, each time.
 *   What is remembered between two accesses is only which page a gfn is. It is
 *   used under the p2m's lock, and void once the p2m has changed; a page that
 *   the p2m has is the guest's. So nothing holds a reference.
 * - an instruction that is not where the access was made from, but was put
 *   there since, is taken for it only if its operand has the same offset in its
 *   page.
 *   Who can do that could also have written what it wanted.
 * - a fetch that the tables do not allow (any more) is none, and no bit is set
 *   in them: they are only read.
 * - work is bounded: five lookups at most, and what the access itself does.
 */
#include <xen/domain_page.h>
#include <xen/sched.h>
#include <xen/viommu.h>

#include <asm/hvm/hvm.h>
#include <asm/p2m.h>
#include <asm/x86_emulate.h>

#include "../../../drivers/viommu/viommu.h"
#include "../mm/mm-locks.h"
#include "viommu-arch.h"

#define REX_PREFIX    0x40
#define REX_B         1
#define REX_X         2
#define REX_R         4
#define REX_W         8

struct mov {
    unsigned int len, size;
    bool write;
    unsigned long operand;           /* linear address */
    uint64_t value;                  /* of a write */
    unsigned long *reg;              /* of a read */
};

/* ---- Fetching. The p2m's read lock is held. ---- */

static bool lookup(struct p2m_domain *p2m, struct viommu_trap *t,
                   unsigned int i, unsigned long gfn)
{
    p2m_type_t p2mt;
    p2m_access_t p2ma;
    mfn_t mfn;

    if ( likely(t->page[i].gfn == gfn) )
        return true;

    mfn = p2m->get_entry(p2m, _gfn(gfn), &p2mt, &p2ma, 0, NULL, NULL);
    if ( (p2mt != p2m_ram_rw && p2mt != p2m_ram_logdirty) ||
         !mfn_valid(mfn) ||
         page_get_owner(mfn_to_page(mfn)) != p2m->domain )
        return false;

    t->page[i].gfn = gfn;
    t->page[i].mfn = mfn;

    return true;
}

/* Finds the frame of an address that can be executed, as page[0]. */
static bool walk(struct vcpu *v, struct p2m_domain *p2m,
                 struct viommu_trap *t, unsigned long addr)
{
    unsigned long gfn = PFN_DOWN(v->arch.hvm.guest_cr[3] & PADDR_MASK);
    bool user = true;
    unsigned int level;

    for ( level = 4; level; level-- )
    {
        const unsigned int shift = PAGE_SHIFT + (level - 1) * PAGETABLE_ORDER;
        const unsigned long *table;
        unsigned long entry;
        unsigned int flags;

        if ( !lookup(p2m, t, level, gfn) )
            return false;

        table = map_domain_page(t->page[level].mfn);
        entry = read_atomic(&table[(addr >> shift) &
                                   (L1_PAGETABLE_ENTRIES - 1)]);
        unmap_domain_page(table);

        /* Without these, the processor cannot just have fetched it. */
        flags = get_pte_flags(entry);
        if ( (flags & (_PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_NX_BIT)) !=
             (_PAGE_PRESENT | _PAGE_ACCESSED) )
            return false;

        user &= !!(flags & _PAGE_USER);
        gfn = PFN_DOWN(entry & PADDR_MASK);

        if ( level > 1 && (flags & _PAGE_PSE) )
        {
            /* Others than 2M are rare. Bit 12 is an attribute there. */
            gfn &= ~1UL;
            if ( level != 2 || (gfn & (L1_PAGETABLE_ENTRIES - 1)) )
                return false;
            gfn |= PFN_DOWN(addr) & (L1_PAGETABLE_ENTRIES - 1);
            break;
        }
    }

    if ( hvm_get_cpl(v) == 3 ? !user : user && hvm_smep_enabled(v) )
        return false;

    return lookup(p2m, t, 0, gfn);
}

/* Reads what may be the instruction. Returns how many bytes; 0: none. */
static unsigned int fetch(struct vcpu *v, unsigned long rip,
                          uint8_t buf[MAX_INST_LEN])
{
    struct viommu *vi = v->domain->arch.hvm.viommu;
    struct viommu_trap *t = &vi->arch->trap[v->vcpu_id];
    struct p2m_domain *p2m = p2m_get_hostp2m(v->domain);
    unsigned int len = min_t(unsigned int, MAX_INST_LEN,
                             PAGE_SIZE - PAGE_OFFSET(rip));
    unsigned int i;

    p2m_read_lock(p2m);

    if ( t->generation != vi->generation )
    {
        t->generation = vi->generation;
        for ( i = 0; i < ARRAY_SIZE(t->page); i++ )
            t->page[i].gfn = gfn_x(INVALID_GFN);
    }

    if ( walk(v, p2m, t, rip) )
    {
        const void *page = map_domain_page(t->page[0].mfn);

        memcpy(buf, page + PAGE_OFFSET(rip), len);
        unmap_domain_page(page);
    }
    else
        len = 0;

    p2m_read_unlock(p2m);

    return len;
}

/* ---- Decoding. ---- */

static int32_t signed32(const uint8_t *p)
{
    return p[0] | (p[1] << 8) | (p[2] << 16) | ((uint32_t)p[3] << 24);
}

/* How long it is, by its first bytes; 0: not plain, or not all there. */
static unsigned int mov_length(const uint8_t *p, unsigned int avail)
{
    unsigned int prefixes = avail && (p[0] & 0xf0) == REX_PREFIX;
    unsigned int len = prefixes + 2;      /* with opcode and ModRM */
    uint8_t modrm, sib = 0;

    if ( avail < len )
        return 0;

    modrm = p[prefixes + 1];
    if ( (modrm & 7) == 4 )
    {
        if ( avail == len )
            return 0;
        sib = p[len++];
    }

    switch ( p[prefixes] )
    {
    case 0xc7:                            /* constant to memory */
        if ( modrm & 0x38 )
            return 0;
        len += 4;
        break;

    case 0x89:                            /* register to memory */
    case 0x8b:                            /* memory to register */
        break;

    default:
        return 0;
    }

    switch ( modrm >> 6 )
    {
    case 0:
        if ( (modrm & 7) == 5 ||
             ((modrm & 7) == 4 && (sib & 7) == 5) )
            len += 4;
        break;

    case 1:
        len++;
        break;

    case 2:
        len += 4;
        break;

    default:                              /* no memory */
        return 0;
    }

    return len <= avail ? len : 0;
}

static bool decode(struct cpu_user_regs *regs, const uint8_t *p,
                   unsigned int avail, struct mov *mov)
{
    unsigned int rex = 0, mod, rm;
    uint8_t opcode, modrm;

    mov->len = mov_length(p, avail);
    if ( !mov->len )
        return false;

    if ( (p[0] & 0xf0) == REX_PREFIX )
        rex = *p++;
    opcode = *p++;
    modrm = *p++;
    mod = modrm >> 6;
    rm = modrm & 7;

    mov->size = rex & REX_W ? 8 : 4;
    mov->write = opcode != 0x8b;
    mov->operand = 0;

    if ( rm == 4 )
    {
        uint8_t sib = *p++;
        unsigned int index = ((sib >> 3) & 7) | (rex & REX_X ? 8 : 0);

        if ( index != 4 )
            mov->operand = *decode_gpr(regs, index) << (sib >> 6);
        rm = sib & 7;
        if ( rm == 5 && !mod )
            mod = 4;                      /* no base */
    }
    else if ( rm == 5 && !mod )
    {
        mov->operand = regs->rip + mov->len;
        mod = 4;
    }
    if ( mod != 4 )
        mov->operand += *decode_gpr(regs, rm | (rex & REX_B ? 8 : 0));

    if ( mod == 1 )
        mov->operand += (int8_t)*p++;
    else if ( mod )
    {
        mov->operand += (long)signed32(p);
        p += 4;
    }

    if ( opcode == 0xc7 )
        mov->value = (long)signed32(p);
    else
    {
        mov->reg = decode_gpr(regs, ((modrm >> 3) & 7) | (rex & REX_R ? 8 : 0));
        mov->value = *mov->reg;
    }
    if ( mov->size == 4 )
        mov->value = (uint32_t)mov->value;

    return true;
}

/* ---- The access. ---- */

/* Nothing has to happen before or after the instruction but what it says. */
static bool undisturbed(struct vcpu *v, const struct cpu_user_regs *regs)
{
    return !(regs->eflags & X86_EFLAGS_TF) && !hvm_event_pending(v) &&
           !(alternative_call(hvm_funcs.get_interrupt_shadow, v) &
             (HVM_INTR_SHADOW_STI | HVM_INTR_SHADOW_MOV_SS));
}

bool viommu_access(paddr_t gpa, unsigned long gla, struct npfec npfec)
{
    struct vcpu *v = current;
    struct viommu *vi = v->domain->arch.hvm.viommu;
    struct cpu_user_regs *regs = guest_cpu_user_regs();
    const unsigned int offset = PAGE_OFFSET(gpa);
    uint8_t insn[MAX_INST_LEN];
    struct mov mov;

    if ( !vi || PFN_DOWN(gpa) != PFN_DOWN(XEN_VIOMMU_REGISTER_BASE) )
        return false;

    /*
     * Present: it is memory, and what it is has to be seen to. A walk of the
     * guest's tables may end here as well as an instruction's operand.
     */
    if ( npfec.present || npfec.insn_fetch ||
         npfec.kind != npfec_kind_with_gla ||
         hvm_guest_x86_mode(v) != X86_MODE_64BIT || !undisturbed(v, regs) ||
         !decode(regs, insn, fetch(v, regs->rip, insn), &mov) )
        return false;

    if ( mov.write != npfec.write_access || !IS_ALIGNED(offset, mov.size) ||
         PAGE_OFFSET(mov.operand) != offset ||
         (npfec.gla_valid && mov.operand != gla) ||
         /* The end of the canonical addresses is the end of a page. */
         PAGE_OFFSET(regs->rip) + mov.len >= PAGE_SIZE )
        return false;

    if ( mov.write )
        viommu_mmio_write(vi, offset, mov.size, mov.value);
    else
        *mov.reg = viommu_mmio_read(vi, offset, mov.size);
    arch_fetch_and_add(&vi->count[XEN_VIOMMU_CNT_plain_accesses], 1UL);

    regs->rip += mov.len;
    regs->eflags &= ~X86_EFLAGS_RF;

    return true;
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
