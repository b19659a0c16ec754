/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxl_viommu_dmar.c: the ACPI table that announces the emulated VT-d unit.
 *
 * Chapter "BIOS Considerations" of the VT-d specification (8.1 DMAR, 8.3 DRHD,
 * 8.3.1 device scope). The table has exactly one unit, and names each device
 * behind it: the device model's own devices do DMA by guest-physical address,
 * so INCLUDE_PCI_ALL would make the guest give them addresses that they cannot
 * use.
 */
#include "libxl_viommu_guest.h"

#include <string.h>

/* Header of every ACPI table. */
struct acpi_header {
    char     signature[4];
    uint32_t length;
    uint8_t  revision;
    uint8_t  checksum;
    char     oem_id[6];
    char     oem_table_id[8];
    uint32_t oem_revision;
    char     creator_id[4];
    uint32_t creator_revision;
} __attribute__((packed));

struct dmar {
    struct acpi_header header;
    uint8_t  host_address_width; /* bits, less one */
    uint8_t  flags;
#define DMAR_INTR_REMAP 1
    uint8_t  reserved[10];
} __attribute__((packed));

struct drhd {
    uint16_t type;
#define DMAR_DRHD 0
    uint16_t length;             /* with its device scopes */
    uint8_t  flags;              /* 0: not INCLUDE_PCI_ALL */
    uint8_t  size;               /* of the registers: 4 KiB << size */
    uint16_t segment;
    uint64_t base;
} __attribute__((packed));

struct device_scope {
    uint8_t  type;
#define SCOPE_ENDPOINT 1
#define SCOPE_IOAPIC 3
    uint8_t  length;
    uint8_t  reserved[2];
    uint8_t  enumeration_id;     /* of an IOAPIC: its APIC ID */
    uint8_t  start_bus;
    uint8_t  device;
    uint8_t  function;
} __attribute__((packed));

struct table {
    struct dmar dmar;
    struct drhd drhd;
    struct device_scope scope[VIOMMU_NR_SLOTS * 8 + 1];
} __attribute__((packed));

#define DMAR_REVISION 1
#define IOAPIC_ID 1 /* that hvmloader gives it, and has in the MADT */
#define CAP_MGAW(cap) (((cap) >> 16) & 0x3f) /* as the table: less one */

unsigned int viommu_dmar_build(uint8_t table[VIOMMU_DMAR_SIZE], uint64_t cap,
                               uint32_t left_out, bool intremap)
{
    struct table t = {
        .dmar = {
            .header = {
                .signature = { 'D', 'M', 'A', 'R' },
                .revision = DMAR_REVISION,
                .oem_id = { 'X', 'e', 'n' },
                .oem_table_id = { 'H', 'V', 'M' },
                .creator_id = { 'H', 'V', 'M', 'L' },
            },
            .host_address_width = CAP_MGAW(cap),
            .flags = intremap ? DMAR_INTR_REMAP : 0,
        },
        .drhd = {
            .type = DMAR_DRHD,
            .base = XEN_VIOMMU_REGISTER_BASE,
        },
    };
    uint8_t sum = 0;
    unsigned int i, n = 0, size;

    _Static_assert(sizeof(t) == VIOMMU_DMAR_SIZE, "size of the DMAR table");

    for (i = 0; i < VIOMMU_NR_SLOTS * 8; i++) {
        const unsigned int slot = XEN_VIOMMU_SLOT_FIRST + i / 8;

        if (left_out & (1U << slot))
            continue;
        t.scope[n++] = (struct device_scope) {
            .type = SCOPE_ENDPOINT,
            .length = sizeof(t.scope[n]),
            .device = slot,
            .function = i % 8,
        };
    }

    if (intremap)
        t.scope[n++] = (struct device_scope) {
            .type = SCOPE_IOAPIC,
            .length = sizeof(t.scope[n]),
            .enumeration_id = IOAPIC_ID,
            .start_bus = XEN_VIOMMU_IOAPIC_SBDF >> 8,
            .device = (XEN_VIOMMU_IOAPIC_SBDF >> 3) & 0x1f,
            .function = XEN_VIOMMU_IOAPIC_SBDF & 7,
        };

    size = offsetof(struct table, scope) + n * sizeof(t.scope[0]);
    t.dmar.header.length = size;
    t.drhd.length = size - sizeof(t.dmar);

    memcpy(table, &t, size);
    for (i = 0; i < size; i++)
        sum += table[i];
    table[offsetof(struct acpi_header, checksum)] = -sum;

    return size;
}

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
