/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pci.c: configuration space of bus 0, by the ports.
 */
#include "guest.h"

static void select(uint8_t devfn, unsigned int reg)
{
    outl(0xcf8, 0x80000000U | (devfn << 8) | (reg & ~3U));
}

uint32_t pci_read(uint8_t devfn, unsigned int reg)
{
    select(devfn, reg);

    return inl(0xcfc);
}

void pci_write(uint8_t devfn, unsigned int reg, uint32_t value)
{
    select(devfn, reg);
    outl(0xcfc, value);
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
