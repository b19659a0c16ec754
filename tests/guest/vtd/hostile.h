/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hostile.h: a guest that does what is allowed, and is up to no good.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "unit.h"

/* Of what the toolstack gives, not used by anything else; 24 MiB. */
#define MEMORY_BASE     0x04400000ULL

/* A word that the first device reads from, or writes to, an address. */
uint32_t device_reads(uint64_t iova);
void device_writes(uint64_t iova, uint32_t value);
/* The last word once more, without WINDOW. */
void device_repeats(uint64_t iova);

/* The context of the first device, and Xen told of it. */
void context_now(const struct domain *d);
/*
 * A domain with leaves and tables scattered over all addresses: as many in
 * each table as used[] says, level 1 first; all name the same page.
 */
void scatter(struct domain *d, unsigned int did, const unsigned int used[4]);
/* All its leaves, at once. */
void scatter_set(uint64_t flags);

void hostile_memory(void);
void hostile_tables(void);
void hostile_phases(void);

/* Of a phase: before it, after it, and what the two CPUs do. */
void interrupts_begin(void);
void interrupts_end(void);
bool interrupts_ask(void);
bool interrupts_turn(void);

#endif

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
