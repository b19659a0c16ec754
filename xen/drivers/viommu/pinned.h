/* SPDX-License-Identifier: GPL-2.0-only */
/* pinned.h: how many pages of the guest are pinned. sync_lock held. */
#ifndef VIOMMU_PINNED_H
#define VIOMMU_PINNED_H

#include "types.h"

/*
 * Sets the counter pages_pinned, in pieces: exact if nothing is mapped or
 * unmapped meanwhile.
 *   -ERESTART  the budget is used up: again
 *   -ENOMEM
 */
int __must_check pinned_count(struct viommu *vi, struct viommu_budget *b);
/* Gives up what was begun. */
void pinned_forget(struct viommu *vi);

#endif /* VIOMMU_PINNED_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
