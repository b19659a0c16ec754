/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * property.h: what property.c, drive.c and between.c share.
 */
#ifndef VIOMMU_UNIT_PROPERTY_H
#define VIOMMU_UNIT_PROPERTY_H

#include "edits.h"
#include "intremap.h"
#include "model.h"

/* ---- property.c ---- */

/* The sequence in progress. */
extern struct state {
    bool faulty;             /* memory is short, changes come midway */
    bool watched;            /* the oracle remembers */
    bool exact;              /* the model can tell */
    bool sidecore;           /* the register page becomes memory */
    bool alive;              /* a sidecore runs */
    bool timeless;           /* the clock stands still */
    bool remaps;             /* its interrupts, too */

    /* The driver's view of the unit. */
    bool te, qie;
    unsigned long root;
    unsigned int tail, bound;
    uint32_t status;
    unsigned long anywhere;  /* a page that a status went to; 0: none */
} state;

extern struct total {
    unsigned long commands, steps, compared, deferred, errors, inexact;
    unsigned long mapped, huge, unmapped, by_memory, polls;
    unsigned long lingered, revived, replaced, evicted, identical;
    unsigned long requests[3];       /* by enum viommu_remapped */
} total;

/* The guest's memory is not what it was. */
void changed(void);
/* All that was given has completed: compare. */
void check_all(void);
/* Something happens in the middle of a command. */
void midway(void);
/* The same, while the unit looks something up in what it does next. */
void midway_soon(void);
/* Memory was short: the model cannot tell. */
void note_failures(void);

/* ---- between.c ---- */

extern struct domain sidecore;
void env_seed(uint64_t seed);
/* Does what was deferred. */
void settle(void);
/* Time passes. */
void pass(uint64_t us);
/* What has left the guest is not mapped, or not for long. */
void check_left(void);
/* The sidecore, if there is one that does not sleep, looks at the guest. */
void poll(void);
void die_or_live(void);
/* A device faults, and the driver has seen it. */
void fault(void);
/* The register page is memory. */
bool in_memory(void);
/* Register accesses, in memory if it is that; and all that a write leads to. */
uint64_t rd(unsigned int offset, unsigned int size);
void wr(unsigned int offset, unsigned int size, uint64_t value);

/* ---- drive.c ---- */

/* GCMD: translation and queue on or not; the root table set, or left. */
void do_global(bool on, bool queue, bool set_root);
struct command random_command(void);
/* By the queue or by registers. */
void do_command(struct command c);
/* As drivers do: pages near each other come or go, each one told of. */
void do_map(void);

/* ---- remap.c ---- */

void remap_reset(void);
/* The guest changes how or where its interrupts are remapped; some come. */
void do_remap(void);
/* The unit was told that entries have changed, and has looked. */
void remap_refreshed(void);
/* The bits that a GCMD keeps as they are. */
uint32_t remap_gcmd(void);

#endif /* VIOMMU_UNIT_PROPERTY_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
