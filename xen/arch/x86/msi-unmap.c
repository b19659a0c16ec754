/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * msi-unmap.c: takes the interrupts of a device from whoever has them, before
 * the device is taken out of the machine and what the pirqs name is freed.
 */
#include <xen/iommu.h>
#include <xen/irq.h>
#include <xen/pci.h>
#include <xen/sched.h>

#include <asm/irq.h>
#include <asm/msi.h>

/* All vectors of the device's MSI, or one of its MSI-X. */
static void unbind(struct domain *d, const struct msi_desc *entry)
{
    unsigned int i, nr = entry->msi_attrib.type == PCI_CAP_ID_MSI
                         ? entry->msi.nvec : 1;

    for ( i = 0; i < nr; i++ )
    {
        int pirq = domain_irq_to_pirq(d, entry[i].irq);
        struct xen_domctl_bind_pt_irq bind = {
            .machine_irq = pirq,
            .irq_type = PT_IRQ_TYPE_MSI,
        };

        /* The emulation of the device's table forgets it, too. */
        if ( pirq > 0 )
            pt_irq_destroy_bind(d, &bind);
    }
}

void msi_unmap_pirqs(struct pci_dev *pdev)
{
    struct domain *d;

    ASSERT(pcidevs_locked());

    /* Not only pdev->domain: by force a device may have gone without these. */
    rcu_read_lock(&domlist_read_lock);

    for_each_domain ( d )
    {
        struct msi_desc *entry, *tmp;

        list_for_each_entry_safe ( entry, tmp, &pdev->msi_list, list )
        {
            int pirq = domain_irq_to_pirq(d, entry->irq);

            if ( pirq <= 0 )
                continue;

            if ( is_hvm_domain(d) )
                unbind(d, entry);

            write_lock(&d->event_lock);
            unmap_domain_pirq(d, pirq);
            write_unlock(&d->event_lock);
        }
    }

    rcu_read_unlock(&domlist_read_lock);
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
