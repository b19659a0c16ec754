/* SPDX-License-Identifier: GPL-2.0-only */
/* viommu.h: entry points. No lock held. */
#ifndef VIOMMU_VIOMMU_H
#define VIOMMU_VIOMMU_H

#include "types.h"

/* d, arch, overcommit and intremap are set, the rest is 0. */
int viommu_init(struct viommu *vi, unsigned int table_quota);
void viommu_fini(struct viommu *vi);
void viommu_mmio_write(struct viommu *vi, unsigned int offset,
                       unsigned int size, uint64_t value);
uint64_t viommu_mmio_read(struct viommu *vi, unsigned int offset,
                          unsigned int size);
/* Returns whether work is left. */
bool __must_check viommu_work(struct viommu *vi);
/*
 * XEN_DOMCTL_VIOMMU_set; errors are listed there, and
 *   -ERESTART  more lingers than can go at once: again
 */
int viommu_set(struct viommu *vi, const struct xen_viommu_settings *set);
/* The rest needs pcidevs_lock, held by the caller. */
int viommu_bind(struct viommu *vi, pci_sbdf_t sbdf, uint32_t vsbdf);
int viommu_unbind(struct viommu *vi, pci_sbdf_t sbdf);
/* Memory left the guest: what lingers goes before a vCPU runs on. No lock. */
void viommu_end_stale(struct viommu *vi);
/* The timer VIOMMU_TIMER_STALE. No lock. */
void viommu_stale_timer(struct viommu *vi);
/* A request of a bound device faulted in hardware. pcidevs_lock held. */
void viommu_fault(struct viommu *vi, pci_sbdf_t sbdf, uint64_t addr,
                  bool read);
/*
 * The machine blocked an interrupt request of a bound device, which named that
 * entry. vi->ir is not NULL. pcidevs_lock held.
 */
void viommu_blocked(struct viommu *vi, pci_sbdf_t sbdf, uint16_t index,
                    unsigned int reason);
/*
 * Counts pages_pinned anew.
 *   -ERESTART  not all was looked at: again
 *   -ENOMEM
 */
int __must_check viommu_count_pinned(struct viommu *vi);
/* -ERESTART while memory is left. */
int viommu_reap(struct viommu *vi);

#endif /* VIOMMU_VIOMMU_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
