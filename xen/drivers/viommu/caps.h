/* SPDX-License-Identifier: GPL-2.0-only */
/* caps.h: what the unit can do. */
#ifndef VIOMMU_CAPS_H
#define VIOMMU_CAPS_H

#include "types.h"

/*
 * Sets the capability registers and what follows from them, from what every
 * unit of the machine can. vi->overcommit and vi->intremap are set.
 *   -EOPNOTSUPP  no VT-d, or a unit with tables of less than three levels
 */
int __must_check caps_init(struct viommu *vi);

#endif /* VIOMMU_CAPS_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
