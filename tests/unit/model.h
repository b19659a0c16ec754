/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * model.h: what devices reach, said as simply as possible; and the oracle.
 *
 * The model says exactly what is reachable, by the rules that this unit
 * follows: re-walk everything that a command covers. The oracle knows nothing
 * of those; it only remembers what the guest's tables said since the last
 * command that covered an address, and is there for when the model cannot
 * tell: memory was short, or the guest changed its tables during a command.
 */
#ifndef VIOMMU_UNIT_MODEL_H
#define VIOMMU_UNIT_MODEL_H

#include "fake.h"

extern struct viommu vi;

/* Addresses that are looked at: their page numbers. */
#define MAX_PAGES 256
extern unsigned long model_page[MAX_PAGES];
extern unsigned int model_pages;

/* Devices, in the order of their slots. */
#define M_DEVICES 4
extern const uint8_t model_devfn[M_DEVICES];

/* Top-level tables and domain IDs that contexts use. */
#define M_ROOTS 3
#define M_DIDS  2           /* 1 and 2 */
/* The model can know more of them (tests/fuzz). */
#ifndef M_TOPS
#define M_TOPS  M_ROOTS
#endif
extern unsigned long model_top[M_TOPS];

/* What a page leads to. */
struct result {
    unsigned long mfn;       /* 0: nothing */
    uint8_t rights;          /* R, W; 0: nothing */
    uint8_t level;           /* of the guest's leaf, if there is one; else 0 */
};

/* What a device is on. Equal ones are equal in all bytes. */
struct target {
    uint8_t kind;            /* enum hw_attached; ON_NOTHING: blocked */
    uint8_t levels;          /* these for ON_SHADOW only */
    uint16_t top;            /* index into model_top */
    uint32_t did;
};

/* A plain walk of the guest's tables, now. */
struct result model_walk(unsigned long table, unsigned int levels,
                         unsigned long page);
/* What devices are on while translation is off. */
struct target model_untranslated(void);
/* A plain look at the guest's root and context entries, now. */
struct target model_context_of(unsigned long root, unsigned int dev);

enum { OP_IOTLB, OP_CONTEXT };

struct command {
    unsigned int op, granu, did, am, sid, fm;
    uint64_t addr;
};

/* Whether a context command covers a device that is on such a target. */
bool model_covers(const struct command *c, unsigned int dev, struct target at);

/* ---- The model ---- */

void model_reset(void);
void model_bind(unsigned int dev);
void model_unbind(unsigned int dev);
void model_global(bool translation, bool set_root, unsigned long root);
/* Returns whether only a comparison can tell what came of it. */
bool model_command(const struct command *c);
/* As if everything was new. */
void model_resync(void);
/* What lingered does no more. */
void model_end_stale(void);
/* The machine shows exactly what the model says. */
void model_compare(void);
/* What was compared. */
extern struct model_stats {
    unsigned long views, leaves, stale;
} model_stats;

/* ---- The oracle ---- */

void oracle_reset(void);
/* To be called after every change of the guest's memory or its types. */
void oracle_note(unsigned long root, bool translation);
/* Now, as a start for oracle_command(). */
unsigned int oracle_time(void);
/* A command completed that was given then. */
void oracle_command(const struct command *c, unsigned int since);
/* Translation or the root table changed, by a command given then. */
void oracle_global(unsigned int since);
void oracle_bind(unsigned int dev);
/* Nothing is reachable but what the guest's tables said. */
void oracle_check(unsigned int bound);

#endif /* VIOMMU_UNIT_MODEL_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
