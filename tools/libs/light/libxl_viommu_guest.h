/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxl_viommu_guest.h: what a guest sees of its emulated VT-d unit.
 *
 * Plain C that needs nothing of libxl, so that tests/tools compiles it as it
 * is.
 */
#ifndef LIBXL_VIOMMU_GUEST_H
#define LIBXL_VIOMMU_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1
#endif
#include <xen/xen.h>
#include <xen/viommu_domctl.h>

#define VIOMMU_NR_SLOTS (XEN_VIOMMU_SLOT_LAST - XEN_VIOMMU_SLOT_FIRST + 1)

/*
 * Most bytes of the DMAR table: header, a unit, a scope for every function and
 * for the IOAPIC.
 */
#define VIOMMU_DMAR_SIZE (48 + 16 + (VIOMMU_NR_SLOTS * 8 + 1) * 8)

/*
 * Writes the ACPI DMAR table that announces the unit, and returns its size. cap
 * is the unit's capability register: the table's address width is that of the
 * unit. left_out has a bit for every slot that is not behind the unit, though
 * it is one of those that could be. intremap: interrupts are remapped, too.
 */
unsigned int viommu_dmar_build(uint8_t table[VIOMMU_DMAR_SIZE], uint64_t cap,
                               uint32_t left_out, bool intremap);

enum viommu_place {
    VIOMMU_PLACED,
    VIOMMU_PLACE_OUTSIDE,   /* asks for a slot that the unit does not cover */
    VIOMMU_PLACE_TAKEN,     /* asks for a slot that another device has */
    VIOMMU_PLACE_FULL,      /* no slot is left */
};

/*
 * Finds a slot of the guest's bus 0 for every device: vdevfn[i] is what the
 * user asked for (0: anything) and becomes what the device gets. taken has a
 * bit for every slot in use. Slots that were asked for come first. If it does
 * not end with VIOMMU_PLACED, *culprit is the device that is at fault.
 */
enum viommu_place viommu_place(uint32_t *vdevfn, unsigned int nr,
                               uint32_t taken, unsigned int *culprit);

#endif /* LIBXL_VIOMMU_GUEST_H */

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
