/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * naive.h: registers and queue of the unit, said as simply as possible.
 *
 * What is written takes effect at once and completely: so this is what the
 * unit must show whenever it has nothing left to do. What devices reach is
 * left to the model of tests/unit, by way of the two functions at the end.
 */
#ifndef VIOMMU_FUZZ_NAIVE_H
#define VIOMMU_FUZZ_NAIVE_H

#include "intremap.h"
#include "model.h"

extern struct naive {
    uint32_t regs[VIOMMU_REGS_SIZE / 4];

    /* As latched by GCMD. */
    bool te, qie;
    unsigned long root;      /* gfn */
    uint64_t queue;
    unsigned int entries;
    unsigned int irt_entries;
    bool irt_x2apic;
    bool irt_known;          /* both */

    bool gcmd_written;
    uint32_t gcmd;
    unsigned int record;     /* to be used next */
    uint64_t window;
    unsigned int in_window;
    unsigned int msis;
    unsigned int events;     /* sent by the last access: bits */
} naive;

/* A fresh unit with these capabilities. */
void naive_reset(uint64_t cap, uint64_t ecap);
/* Takes over the state of the unit, which has nothing to do. */
void naive_reload(void);
/*
 * The access and all that follows. Guest memory is as before when it returns,
 * since the unit itself is to write it; naive_wrote() sees whether it did.
 */
void naive_write(unsigned int offset, unsigned int size, uint64_t value);
void naive_wrote(void);
void naive_forget_writes(void);
uint64_t naive_read(unsigned int offset, unsigned int size);
/* A request of a bound device faults in hardware. */
void naive_fault(uint8_t devfn, uint64_t addr, bool read);
/*
 * What becomes of an interrupt request, if the unit has nothing to do. *may: it
 * may also be remapped, by what is in the table.
 */
enum viommu_remapped naive_message(uint64_t addr, uint32_t data, bool *may);
/* All registers and messages are those of the unit. */
void naive_compare(void);

/* ---- fuzz.c ---- */

void on_command(const struct command *c);
/* was: whether translation was on. */
void on_global(bool was, bool set_root);

#endif /* VIOMMU_FUZZ_NAIVE_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
