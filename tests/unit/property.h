/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * property.h: what property.c and edits.c share.
 */
#ifndef VIOMMU_UNIT_PROPERTY_H
#define VIOMMU_UNIT_PROPERTY_H

#include "model.h"

/* Guest frames, all but the queue below what an address can name. */
#define G_DATA    0x00       /* up to G_TABLES: targets of leaves */
#define G_TABLES  0xc0
#define N_TABLES  7
#define G_ROOT    0xe0       /* two of each */
#define G_CONTEXT 0xe2
#define G_STATUS  0x101      /* out of reach of tables, as the queue is */
#define G_QUEUE   0x100      /* 256 descriptors */
#define G_RAM     0x104

#define R   VTD_PTE_R
#define W   VTD_PTE_W
#define PAGE(gfn) ((uint64_t)(gfn) << VTD_PAGE_SHIFT)

static inline unsigned int rnd(unsigned int n)
{
    return harness_random() % n;
}

void __attribute__((format(printf, 1, 2))) say(const char *format, ...);

/* ---- property.c ---- */

/* The sequence in progress. */
extern struct state {
    bool faulty;             /* memory is short, changes come midway */
    bool watched;            /* the oracle remembers */
    bool exact;              /* the model can tell */

    /* The driver's view of the unit. */
    bool te, qie;
    unsigned long root;
    unsigned int tail, bound;
    uint32_t status;
} state;

extern struct total {
    unsigned long commands, steps, compared, deferred, errors, inexact;
    unsigned long mapped, unmapped;
} total;

/* The guest's memory is not what it was. */
void changed(void);
/* All that was given has completed: compare. */
void check_all(void);
/* A register write, and all that it leads to. */
void wr(unsigned int offset, unsigned int size, uint64_t value);

/* ---- drive.c ---- */

/* GCMD: translation and queue on or not; the root table set, or left. */
void do_global(bool on, bool queue, bool set_root);
struct command random_command(void);
/* By the queue or by registers. */
void do_command(struct command c);
/* As drivers do: pages near each other come or go, each one told of. */
void do_map(void);

/* ---- edits.c ---- */

/* Tables that make sense, to start with. */
void edit_first(void);
/* A change on the way to a page, as drivers make it: a leaf comes or goes. */
void edit_path(unsigned long page);
/* A random change of the guest's memory. */
void edit_any(void);

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
