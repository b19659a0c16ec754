/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * viommu.c: the emulated VT-d unit's boundary to the hardware: context
 * entries, domain IDs, table pages, flushes.
 *
 * A shadow has a hardware domain ID of its own on every physical unit that a
 * device attached to it is behind. The IDs come from the pool of quarantine's
 * pseudo domains; the guest's choice of IDs does not matter.
 */
#include <xen/domain_page.h>
#include <xen/iommu.h>
#include <xen/sched.h>

#include "../../viommu/boundary.h"

#include "extern.h"
#include "iommu.h"

struct hw_attachment {
    unsigned int refs;       /* devices (and their phantoms) on that unit */
    domid_t domid;           /* valid while there are some */
};

static unsigned int nr_units(void)
{
    const struct acpi_drhd_unit *drhd;
    unsigned int n = 0;

    for_each_drhd_unit ( drhd )
        n = max(n, drhd->iommu->index + 1U);

    return n;
}

bool hw_unit(unsigned int n, struct hw_unit *unit)
{
    const struct acpi_drhd_unit *drhd;

    if ( !iommu_enabled )
        return false;

    for_each_drhd_unit ( drhd )
    {
        if ( n-- )
            continue;
        unit->cap = drhd->iommu->cap;
        unit->ecap = drhd->iommu->ecap;
        return true;
    }

    return false;
}

/* Not if a boot option forbids them. */
uint64_t hw_superpages(void)
{
    unsigned long sizes = iommu_get_ops()->page_sizes;

    return (sizes & PAGE_SIZE_2M ? VTD_CAP_SLLPS_2M : 0) |
           (sizes & PAGE_SIZE_1G ? VTD_CAP_SLLPS_1G : 0);
}

bool hw_snoop(void)
{
    return iommu_snoop;
}

void hw_pcidevs_lock(void)
{
    pcidevs_lock();
}

bool hw_pcidevs_trylock(void)
{
    return pcidevs_trylock();
}

void hw_pcidevs_unlock(void)
{
    pcidevs_unlock();
}

/* ---- Table pages. ---- */

/* From the heap that is always mapped: a walk costs no mappings. */
static void *table_new(const struct viommu *vi)
{
    nodeid_t node = dom_iommu(vi->d)->node;

    return alloc_xenheap_pages(0, node == NUMA_NO_NODE ? 0 : MEMF_node(node));
}

static void *table_take(struct viommu *vi)
{
    mfn_t *va = mfn_to_virt(mfn_x(vi->table_free));

    ASSERT(vi->tables_free);
    vi->table_free = *va;
    vi->tables_free--;

    return va;
}

mfn_t hw_table_alloc(struct viommu *vi)
{
    void *va = vi->tables_free ? table_take(vi) : table_new(vi);

    if ( !va )
        return INVALID_MFN;

    clear_page(va);
    iommu_sync_cache(va, PAGE_SIZE);

    return _mfn(virt_to_mfn(va));
}

void hw_table_free(struct viommu *vi, mfn_t mfn)
{
    mfn_t *va = mfn_to_virt(mfn_x(mfn));

    *va = vi->table_free;
    vi->table_free = mfn;
    vi->tables_free++;
}

#define TABLES_AT_ONCE 256

int hw_tables_reserve(struct viommu *vi)
{
    unsigned int used = vi->count[XEN_VIOMMU_CNT_table_pages], n = 0;

    while ( used + vi->tables_free < vi->table_quota )
    {
        void *va = table_new(vi);

        if ( !va )
            return -ENOMEM;
        hw_table_free(vi, _mfn(virt_to_mfn(va)));
        if ( ++n == TABLES_AT_ONCE )
            return -ERESTART;
    }

    return 0;
}

int hw_tables_release(struct viommu *vi)
{
    unsigned int n = 0;

    while ( vi->tables_free )
    {
        free_xenheap_page(table_take(vi));
        if ( ++n == TABLES_AT_ONCE )
            return -ERESTART;
    }

    return 0;
}

uint64_t *hw_table(mfn_t mfn)
{
    return mfn_to_virt(mfn_x(mfn));
}

void hw_table_sync(const uint64_t *entry)
{
    iommu_sync_cache(entry, sizeof(*entry));
}

int hw_shadow_init(struct viommu_shadow *s)
{
    s->hw = xzalloc_array(struct hw_attachment, nr_units());

    return s->hw ? 0 : -ENOMEM;
}

void hw_shadow_fini(struct viommu_shadow *s)
{
    XFREE(s->hw);
}

/* ---- Attaching. ---- */

int hw_check_device(struct viommu *vi, pci_sbdf_t sbdf)
{
    const struct pci_dev *pdev = pci_get_pdev(vi->d, sbdf);
    const struct acpi_drhd_unit *drhd;
    const struct acpi_rmrr_unit *rmrr;
    uint16_t bdf;
    unsigned int i;

    if ( !pdev )
        return -ENODEV;

    drhd = acpi_find_matched_drhd_unit(pdev);
    if ( !drhd )
        return -ENODEV;

    /* A table that the guest fills would lack the reserved region. */
    for_each_rmrr_device ( rmrr, bdf, i )
        if ( rmrr->segment == sbdf.seg && bdf == sbdf.bdf )
            return -EOPNOTSUPP;

    /* Behind a legacy bridge, siblings share one requester ID. */
    if ( pdev->type == DEV_TYPE_PCI )
    {
        uint8_t bus = sbdf.bus, devfn = sbdf.devfn, secbus;

        if ( find_upstream_bridge(sbdf.seg, &bus, &devfn, &secbus) )
            return -EOPNOTSUPP;
    }
    else if ( pdev->type != DEV_TYPE_PCIe_ENDPOINT )
        return -EOPNOTSUPP;

    return 0;
}

/* Drops a device's hold on its shadow's ID; no context entry has it now. */
static void put_domid(struct viommu_shadow *s, struct vtd_iommu *iommu)
{
    struct hw_attachment *a;

    if ( !s )
        return;

    a = &s->hw[iommu->index];
    ASSERT(a->refs);
    if ( --a->refs )
        return;

    cleanup_domid_map(a->domid, iommu);
    iommu_free_domid(a->domid, iommu->pseudo_domid_map);
}

static int get_domid(struct viommu_shadow *s, struct vtd_iommu *iommu)
{
    struct hw_attachment *a = &s->hw[iommu->index];

    if ( !a->refs )
    {
        a->domid = iommu_alloc_domid(iommu->pseudo_domid_map);
        if ( a->domid == DOMID_INVALID )
            return -ENOSPC;
    }
    a->refs++;

    return 0;
}

/* The next requester ID of a device: its phantom functions. */
static bool next_function(const struct pci_dev *pdev, uint8_t *devfn)
{
    *devfn += pdev->phantom_stride;

    return pdev->phantom_stride && PCI_SLOT(*devfn) == PCI_SLOT(pdev->devfn);
}

/*
 * One atomic write of each context entry, and a flush of what was cached of
 * the table before. Without a pdev, as it is a switch within the domain.
 */
static int map_functions(struct domain *d, struct vtd_iommu *iommu,
                         const struct pci_dev *pdev, domid_t domid,
                         paddr_t root)
{
    uint8_t devfn = pdev->devfn;
    int rc;

    do {
        rc = domain_context_mapping_one(d, iommu, pdev->bus, devfn, NULL,
                                        domid, root, 0);
    } while ( !rc && next_function(pdev, &devfn) );

    return rc;
}

static void block_functions(struct domain *d, struct vtd_iommu *iommu,
                            const struct pci_dev *pdev)
{
    uint8_t devfn = pdev->devfn;

    do {
        if ( domain_context_unmap_one(d, iommu, pdev->bus, devfn) )
            domain_crash(d);
    } while ( next_function(pdev, &devfn) );
}

int hw_attach(struct viommu *vi, struct viommu_device *dev,
              struct viommu_shadow *s)
{
    struct domain *d = vi->d;
    const struct pci_dev *pdev = pci_get_pdev(d, dev->sbdf);
    const struct acpi_drhd_unit *drhd =
        pdev ? acpi_find_matched_drhd_unit(pdev) : NULL;
    struct viommu_shadow *unused = NULL;
    struct vtd_iommu *iommu;
    int rc;

    if ( !drhd )
    {
        ASSERT_UNREACHABLE();
        return -ENODEV;
    }
    iommu = drhd->iommu;

    if ( !s )
        rc = map_functions(d, iommu, pdev, d->domain_id,
                           dom_iommu(d)->arch.vtd.pgd_maddr);
    else
    {
        rc = get_domid(s, iommu);
        if ( !rc )
        {
            rc = map_functions(d, iommu, pdev, s->hw[iommu->index].domid,
                               mfn_to_maddr(s->root));
            if ( rc )
                unused = s;
        }
    }

    /* Only when no context entry names them any more are IDs free. */
    if ( rc )
        block_functions(d, iommu, pdev);
    put_domid(unused, iommu);
    put_domid(dev->shadow, iommu);

    return rc;
}

/* ---- Flushing. ---- */

void hw_flush(struct viommu *vi, struct viommu_shadow *s, uint64_t addr,
              unsigned int order, bool fresh)
{
    const struct acpi_drhd_unit *drhd;

    for_each_drhd_unit ( drhd )
    {
        struct vtd_iommu *iommu = drhd->iommu;
        const struct hw_attachment *a = &s->hw[iommu->index];
        bool page = cap_pgsel_inv(iommu->cap) &&
                    order <= cap_max_amask_val(iommu->cap);

        if ( !a->refs )
            continue;

        /* A device TLB that did not answer: the guest's device is bad. */
        if ( vtd_flush_domid(iommu, a->domid, addr, order, fresh) )
            domain_crash(vi->d);

        if ( fresh && !cap_caching_mode(iommu->cap) )
            continue;
        if ( page )
            viommu_count(vi, hw_flush_page);
        else
            viommu_count(vi, hw_flush_domain);
    }
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
