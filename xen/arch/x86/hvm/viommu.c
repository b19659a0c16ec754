/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * viommu.c: the emulated VT-d unit's boundary to its guest: register page,
 * guest memory, MSI, and the toolstack's operations.
 */
#include <xen/domain_page.h>
#include <xen/event.h>
#include <xen/guest_access.h>
#include <xen/iommu.h>
#include <xen/sched.h>
#include <xen/softirq.h>
#include <xen/viommu.h>
#include <xen/xvmalloc.h>

#include <asm/hvm/hvm.h>
#include <asm/hvm/io.h>
#include <asm/hvm/irq.h>
#include <asm/hvm/nestedhvm.h>
#include <asm/msi.h>
#include <asm/p2m.h>
#include <asm/paging.h>
#include <asm/x86_emulate.h>

#include <public/hvm/hvm_info_table.h>
#include <public/hvm/params.h>
#include <public/sched.h>

#include "../../../drivers/viommu/boundary.h"
#include "../../../drivers/viommu/intremap.h"
#include "../../../drivers/viommu/sidecore.h"
#include "../../../drivers/viommu/viommu.h"

#include "viommu-arch.h"

/* ---- Guest memory. ---- */

/* How big a block around gfn the p2m has for what is no RAM, as a leaf. */
static unsigned int level_of_hole(struct viommu *vi, gfn_t gfn)
{
    unsigned int order = PAGE_ORDER_4K;
    p2m_type_t p2mt;
    p2m_access_t p2ma;

    get_gfn_type_access(p2m_get_hostp2m(vi->d), gfn_x(gfn), &p2mt, &p2ma, 0,
                        &order);
    put_gfn(vi->d, gfn_x(gfn));

    /* What another access would populate is none. */
    if ( p2m_is_any_ram(p2mt) || p2m_is_pod(p2mt) || p2m_is_paging(p2mt) )
        return 1;

    return order >= PAGE_ORDER_1G ? 3 : order >= PAGE_ORDER_2M ? 2 : 1;
}

/* Only the guest's own pages count: not another domain's, shared or granted. */
void guest_lookup(struct viommu *vi, gfn_t gfn, bool write, bool populate,
                  bool hold, struct guest_lookup *result)
{
    p2m_query_t query = populate ? P2M_ALLOC | (write ? P2M_UNSHARE : 0) : 0;
    unsigned int flags = 0;
    struct page_info *pg;
    p2m_type_t p2mt;

    /*
     * A domain that lacked memory was crashed, and is not to lack more. One
     * that is suspended, or begins another kernel, goes on.
     */
    if ( vi->d->is_dying || (domain_shutting_down(vi->d) &&
                             vi->d->shutdown_code == SHUTDOWN_crash) )
        query = 0;

    viommu_count(vi, p2m_lookups);
    pg = get_page_from_gfn(vi->d, gfn_x(gfn), &p2mt, query);
    if ( pg )
    {
        if ( page_get_owner(pg) == vi->d )
            flags = p2m_get_iommu_flags(p2mt, p2m_access_rwx, page_to_mfn(pg));
        result->mfn = page_to_mfn(pg);
        if ( !hold || !flags )
            put_page(pg);
    }
    result->read = flags & IOMMUF_readable;
    result->write = flags & IOMMUF_writable;
    if ( !flags )
        result->level = level_of_hole(vi, gfn);
}

bool guest_superpage(struct viommu *vi, gfn_t gfn, unsigned int level,
                     bool *read, bool *write, mfn_t *mfn)
{
    const unsigned long pages = VTD_LEVEL_PAGES(level);
    struct p2m_domain *p2m = p2m_get_hostp2m(vi->d);
    unsigned int order = PAGE_ORDER_4K, flags = 0;
    p2m_type_t p2mt;
    p2m_access_t p2ma;

    viommu_count(vi, p2m_lookups);
    *mfn = get_gfn_type_access(p2m, gfn_x(gfn), &p2mt, &p2ma, 0, &order);
    if ( p2m_is_ram(p2mt) && (1UL << order) >= pages &&
         IS_ALIGNED(mfn_x(*mfn), pages) )
        flags = p2m_get_iommu_flags(p2mt, p2m_access_rwx, *mfn);
    put_gfn(vi->d, gfn_x(gfn));

    *read &= !!(flags & IOMMUF_readable);
    *write &= !!(flags & IOMMUF_writable);

    return *read || *write;
}

bool guest_get_frame(struct viommu *vi, mfn_t mfn)
{
    return get_page(mfn_to_page(mfn), vi->d);
}

bool guest_has_frame(struct viommu *vi, mfn_t mfn)
{
    const struct page_info *pg = mfn_to_page(mfn);

    /* Our reference keeps the owner, but not this. */
    return page_get_owner(pg) == vi->d && (pg->count_info & PGC_allocated);
}

void guest_put_frame(mfn_t mfn)
{
    put_page(mfn_to_page(mfn));
}

void *guest_map(struct viommu *vi, mfn_t mfn)
{
    void *va;

    if ( !get_page(mfn_to_page(mfn), vi->d) )
        return NULL;

    va = map_domain_page_global(mfn);
    if ( !va )
        put_page(mfn_to_page(mfn));

    return va;
}

void guest_unmap(void *va, mfn_t mfn)
{
    unmap_domain_page_global(va);
    put_page(mfn_to_page(mfn));
}

#ifdef CONFIG_VIOMMU_CHECK

unsigned int guest_frame_refs(struct viommu *vi, mfn_t mfn)
{
    const struct page_info *pg = mfn_to_page(mfn);

    return page_get_owner(pg) == vi->d ? pg->count_info & PGC_count_mask : 0;
}

void guest_inconsistent(struct viommu *vi, const char *what, uint64_t addr,
                        uint64_t entry, uint64_t expected, uint64_t found)
{
    printk(XENLOG_G_ERR "%pd: viommu check: %s at %#lx: "
           "guest %#lx, expected %#lx, found %#lx\n",
           vi->d, what, addr, entry, expected, found);
    domain_crash(vi->d);
}

#endif

void guest_dirtied(struct viommu *vi, gfn_t gfn)
{
    paging_mark_pfn_dirty(vi->d, _pfn(gfn_x(gfn)));
}

unsigned long guest_max_frame(void)
{
    return max_page;
}

unsigned long guest_max_pages(const struct viommu *vi)
{
    return vi->d->max_pages;
}

void viommu_p2m_changed(struct domain *d)
{
    struct viommu *vi = is_hvm_domain(d) ? d->arch.hvm.viommu : NULL;

    /* The p2m lock is held: nobody else writes it. */
    if ( vi )
        ACCESS_ONCE(vi->generation) = vi->generation + 1;
}

/* ---- Interrupts. ---- */

uint64_t guest_time_us(void)
{
    return NOW() / MICROSECS(1);
}

void guest_send_msi(struct viommu *vi, uint64_t addr, uint32_t data)
{
    /*
     * With x2APIC the upper half extends the APIC ID. Vector 0 would mean a
     * pirq to hvm_inject_msi(); below 16 is illegal.
     */
    if ( ((vi->ir ? (uint32_t)addr : addr) >> 20) != (MSI_ADDR_BASE_LO >> 20) ||
         MASK_EXTR(data, MSI_DATA_VECTOR_MASK) < 16 )
    {
        viommu_count(vi, rej_event);
        return;
    }

    if ( vi->ir )
        viommu_send_event(vi->d, addr, data);
    else
        hvm_inject_msi(vi->d, addr, data);
}

/* ---- Time. ---- */

static void cf_check watch(void *data)
{
    sidecore_watch(data);
}

static void cf_check stale(void *data)
{
    viommu_stale_timer(data);
}

static void (*const timer_function[VIOMMU_NR_TIMERS])(void *) = {
    [VIOMMU_TIMER_WATCH] = watch,
    [VIOMMU_TIMER_STALE] = stale,
};

void guest_set_timer(struct viommu *vi, enum viommu_timer timer, uint64_t at)
{
    set_timer(&vi->arch->timer[timer], at * MICROSECS(1));
}

/* ---- Deferred work. ---- */

void guest_defer(struct viommu *vi)
{
    ASSERT(current->domain == vi->d);
    set_bit(current->vcpu_id, vi->deferred);
    raise_softirq(SCHEDULE_SOFTIRQ);
}

void guest_defer_all(struct viommu *vi)
{
    struct vcpu *v;

    for_each_vcpu ( vi->d, v )
        set_bit(v->vcpu_id, vi->deferred);

    /*
     * Each vCPU is scheduled anew after this, and comes to hvm_do_resume().
     * Without waiting for it: one may spin for pcidevs_lock, which we hold.
     */
    domain_pause_nosync(vi->d);
    domain_unpause(vi->d);

    /* All of them may have halted until this work is done. */
    for_each_vcpu ( vi->d, v )
        vcpu_unblock(v);
}

bool viommu_process_pending(struct vcpu *v)
{
    struct viommu *vi = v->domain->arch.hvm.viommu;

    if ( likely(!vi) || !test_and_clear_bit(v->vcpu_id, vi->deferred) )
        return false;

    if ( !viommu_work(vi) )
        return false;

    set_bit(v->vcpu_id, vi->deferred);

    return true;
}

/*
 * ---- The register page as memory. ----
 *
 * The guest can move it to another gfn, so its memory stays until the guest is
 * gone. Where the page is then does not matter to anyone but the guest.
 */

int guest_inbox_alloc(struct viommu *vi)
{
    struct page_info *pg;
    void *va;

    if ( vi->inbox.page )
        return 0;

    pg = alloc_domheap_page(vi->d, MEMF_no_refcount);
    if ( !pg )
        return -ENOMEM;
    if ( !get_page_and_type(pg, vi->d, PGT_writable_page) )
    {
        /* Nobody else can know of it yet. */
        ASSERT_UNREACHABLE();
        return -ENOMEM;
    }

    va = __map_domain_page_global(pg);
    if ( !va )
    {
        put_page_alloc_ref(pg);
        put_page_and_type(pg);
        return -ENOMEM;
    }

    clear_page(va);
    vi->arch->inbox = pg;
    vi->inbox.page = va;

    return 0;
}

static void inbox_free(struct viommu *vi)
{
    struct page_info *pg = vi->arch->inbox;

    if ( !pg )
        return;

    unmap_domain_page_global(vi->inbox.page);
    vi->inbox.page = NULL;
    vi->arch->inbox = NULL;
    put_page_alloc_ref(pg);
    put_page_and_type(pg);
}

#define REGISTER_GFN _gfn(PFN_DOWN(XEN_VIOMMU_REGISTER_BASE))

int guest_inbox_map(struct viommu *vi)
{
    return p2m_add_page(vi->d, REGISTER_GFN, page_to_mfn(vi->arch->inbox), 0,
                        p2m_ram_rw);
}

void guest_inbox_unmap(struct viommu *vi)
{
    /* It fails if the guest took the page away from there: as well. */
    if ( p2m_remove_page(vi->d, REGISTER_GFN, page_to_mfn(vi->arch->inbox),
                         0) )
        viommu_count(vi, rej_inbox);
}

/* ---- The sidecore's vCPU. ---- */

void sidecore_block(void)
{
    vcpu_block();
}

void sidecore_unblock(struct domain *d)
{
    vcpu_unblock(d->vcpu[0]);
}

bool sidecore_preempted(void)
{
    return hypercall_preempt_check();
}

long viommu_poll(void)
{
    return current->vcpu_id ? -EPERM : sidecore_poll(current->domain);
}

/* ---- The register page. All accesses succeed, whatever they are. ---- */

static int cf_check mmio_accept(struct vcpu *v, unsigned long addr)
{
    return addr - XEN_VIOMMU_REGISTER_BASE < PAGE_SIZE;
}

static int cf_check mmio_read(struct vcpu *v, unsigned long addr,
                              unsigned int len, unsigned long *val)
{
    struct viommu *vi = v->domain->arch.hvm.viommu;

    *val = viommu_mmio_read(vi, PAGE_OFFSET(addr), len);

    return X86EMUL_OKAY;
}

static int cf_check mmio_write(struct vcpu *v, unsigned long addr,
                               unsigned int len, unsigned long val)
{
    struct viommu *vi = v->domain->arch.hvm.viommu;

    viommu_mmio_write(vi, PAGE_OFFSET(addr), len, val);

    return X86EMUL_OKAY;
}

static const struct hvm_mmio_ops mmio_ops = {
    .check = mmio_accept,
    .read = mmio_read,
    .write = mmio_write,
};

/* ---- Lifecycle. ---- */

/* Sets aside what its tables may need. */
static int complete(struct viommu *vi)
{
    int rc;

    do
        rc = hw_tables_reserve(vi);
    while ( rc == -ERESTART && !hypercall_preempt_check() );

    if ( rc == -ENOMEM )
        viommu_domain_destroy(vi->d);
    if ( rc )
        return rc;

    vi->arch->complete = true;
    register_mmio_handler(vi->d, &mmio_ops);

    return 0;
}

static int create(struct domain *d, unsigned int table_pages,
                  unsigned int flags)
{
    struct viommu *vi = d->arch.hvm.viommu;
    unsigned int i;
    int rc;

    if ( flags & ~(XEN_VIOMMU_CREATE_overcommit | XEN_VIOMMU_CREATE_intremap) )
        return -EINVAL;
    if ( vi )
        return vi->arch->complete ? -EEXIST : complete(vi);
    if ( d->creation_finished || has_arch_pdevs(d) )
        return -EBUSY;
    if ( !is_iommu_enabled(d) )
        return -EXDEV;
    if ( !hap_enabled(d) || nestedhvm_enabled(d) ||
         d->arch.hvm.params[HVM_PARAM_ALTP2M] != XEN_ALTP2M_disabled )
        return -EOPNOTSUPP;

    BUILD_BUG_ON(HVM_MAX_VCPUS > VIOMMU_MAX_VCPUS);
    if ( d->max_vcpus > VIOMMU_MAX_VCPUS )
        return -EOPNOTSUPP;

    vi = xvzalloc(struct viommu);
    if ( !vi )
        return -ENOMEM;

    vi->d = d;
    vi->overcommit = flags & XEN_VIOMMU_CREATE_overcommit;
    vi->intremap = flags & XEN_VIOMMU_CREATE_intremap;
    vi->arch = xzalloc_flex_struct(struct viommu_arch, trap, d->max_vcpus);
    rc = vi->arch ? viommu_init(vi, table_pages) : -ENOMEM;
    if ( rc )
    {
        xfree(vi->arch);
        xvfree(vi);
        return rc;
    }

    for ( i = 0; i < VIOMMU_NR_TIMERS; i++ )
        init_timer(&vi->arch->timer[i], timer_function[i], vi,
                   smp_processor_id());

    d->arch.hvm.viommu = vi;

    return complete(vi);
}

void viommu_detach_device(struct domain *d, const struct pci_dev *pdev)
{
    struct viommu *vi = is_hvm_domain(d) ? d->arch.hvm.viommu : NULL;

    /* A device that is not bound is fine. */
    if ( vi )
        (void)viommu_unbind(vi, pdev->sbdf);
}

void viommu_report_fault(pci_sbdf_t sbdf, uint64_t addr, bool read)
{
    const struct pci_dev *pdev;
    struct domain *d;

    /* The lock keeps the device where it is, and so the domain alive. */
    pcidevs_lock();
    pdev = pci_get_real_pdev(sbdf);
    d = pdev ? pdev->domain : NULL;
    if ( d && is_hvm_domain(d) && d->arch.hvm.viommu )
        viommu_fault(d->arch.hvm.viommu, pdev->sbdf, addr, read);
    pcidevs_unlock();
}

void viommu_report_blocked(pci_sbdf_t sbdf, uint64_t addr, uint8_t reason)
{
    const struct pci_dev *pdev;

    if ( reason < VTD_FR_IR_REQUEST_RSVD || reason > VTD_FR_IR_SOURCE )
        return;

    pcidevs_lock();
    pdev = pci_get_real_pdev(sbdf);
    if ( pdev && viommu_remaps(pdev->domain) )
        viommu_blocked(pdev->domain->arch.hvm.viommu, pdev->sbdf,
                       MASK_EXTR(addr, VTD_FRCD_LO_INDEX), reason);
    pcidevs_unlock();
}

void viommu_memory_removed(struct domain *d)
{
    if ( is_hvm_domain(d) && d->arch.hvm.viommu )
        viommu_end_stale(d->arch.hvm.viommu);
}

bool viommu_overcommitted(const struct domain *d)
{
    return is_hvm_domain(d) && d->arch.hvm.viommu &&
           d->arch.hvm.viommu->overcommit;
}

int viommu_relinquish(struct domain *d)
{
    struct viommu *vi = is_hvm_domain(d) ? d->arch.hvm.viommu : NULL;
    int rc;

    if ( !vi )
    {
        sidecore_end(d);
        return 0;
    }

    rc = viommu_reap(vi);
    if ( rc )
        return rc;

    inbox_free(vi);
    do
        rc = hw_tables_release(vi);
    while ( rc == -ERESTART && !hypercall_preempt_check() );

    return rc;
}

void viommu_domain_destroy(struct domain *d)
{
    struct viommu *vi = d->arch.hvm.viommu;
    unsigned int i;

    if ( !vi )
        return;

    d->arch.hvm.viommu = NULL;
    for ( i = 0; i < VIOMMU_NR_TIMERS; i++ )
        kill_timer(&vi->arch->timer[i]);
    viommu_fini(vi);
    while ( hw_tables_release(vi) )
        /* Nearly all of them went before, unless it was just created. */;
    xfree(vi->arch);
    xvfree(vi);
}

/* ---- The toolstack's operations. ---- */

static int bind(struct viommu *vi, uint32_t sbdf, uint32_t vsbdf)
{
    int rc;

    pcidevs_lock();
    rc = viommu_bind(vi, (pci_sbdf_t){ .sbdf = sbdf }, vsbdf);
    pcidevs_unlock();

    return rc;
}

static int unbind(struct viommu *vi, uint32_t sbdf)
{
    int rc;

    pcidevs_lock();
    rc = viommu_unbind(vi, (pci_sbdf_t){ .sbdf = sbdf });
    pcidevs_unlock();

    return rc;
}

static int count_pinned(struct viommu *vi)
{
    int rc;

    do
        rc = viommu_count_pinned(vi);
    while ( rc == -ERESTART && !hypercall_preempt_check() );

    return rc;
}

static int set(struct viommu *vi, const xen_viommu_settings_t *settings)
{
    int rc;

    do
        rc = viommu_set(vi, settings);
    while ( rc == -ERESTART && !hypercall_preempt_check() );

    return rc;
}

static int get_info(struct viommu *vi, struct xen_domctl_viommu_op *op)
{
    unsigned int room = op->u.info.nr_devices, n = 0, i;
    int rc = count_pinned(vi);

    if ( rc )
        return rc;

    op->u.info.cap = vi->cap;
    op->u.info.ecap = vi->ecap;
    op->u.info.table_pages = vi->table_quota;
    op->u.info.flags = (vi->translation ? XEN_VIOMMU_FLAG_translation : 0) |
                       (vi->queue_enabled ? XEN_VIOMMU_FLAG_queue : 0) |
                       (vi->overcommit ? XEN_VIOMMU_FLAG_overcommit : 0) |
                       (vi->inbox.live ? XEN_VIOMMU_FLAG_no_exit : 0) |
                       (intremap_is_on(vi) ? XEN_VIOMMU_FLAG_intremap : 0);
    op->u.info.settings = vi->set;
    op->u.info.sidecore = sidecore_of(vi);

    spin_lock(&vi->sync_lock);
    for ( i = 0; i < VIOMMU_NR_DEVICES; i++ )
    {
        const struct viommu_device *dev = vi->devices[i];
        xen_viommu_device_t info;

        if ( !dev )
            continue;

        info = (xen_viommu_device_t){
            .vsbdf = dev->devfn,
            .sbdf = dev->sbdf.sbdf,
            .table = dev->at.kind,
            .domain = dev->at.kind == VIOMMU_SHADOW ? dev->at.did : 0,
        };
        if ( n < room &&
             copy_to_guest_offset(op->u.info.devices, n, &info, 1) )
            rc = -EFAULT;
        n++;
    }
    spin_unlock(&vi->sync_lock);

    op->u.info.nr_devices = n;

    if ( copy_to_guest(op->u.info.counters, vi->count,
                       min(op->u.info.nr_counters,
                           (uint32_t)XEN_VIOMMU_NR_COUNTERS)) )
        rc = -EFAULT;
    op->u.info.nr_counters = XEN_VIOMMU_NR_COUNTERS;

    return rc;
}

static int get_sidecore(const struct domain *d, struct xen_domctl_viommu_op *op)
{
    struct viommu_sidecore s;
    int rc = sidecore_info(d, &s);

    if ( rc )
        return rc;

    op->u.sidecore.nr_guests = s.nr_guests;
    op->u.sidecore.flags = s.asleep ? XEN_VIOMMU_SIDECORE_asleep : 0;
    op->u.sidecore.polls = s.polls;
    op->u.sidecore.batches = s.batches;
    op->u.sidecore.wakeups = s.wakeups;
    op->u.sidecore.silent_us = elapsed_us(s.last_poll, guest_time_us());

    return 0;
}

int viommu_domctl(struct domain *d, struct xen_domctl_viommu_op *op)
{
    struct viommu *vi;

    if ( op->pad || !is_hvm_domain(d) )
        return -EINVAL;

    if ( op->cmd == XEN_DOMCTL_VIOMMU_create )
        return create(d, op->u.create.table_pages, op->u.create.flags);

    if ( op->cmd == XEN_DOMCTL_VIOMMU_sidecore_start )
        return d->arch.hvm.viommu ? -EINVAL : sidecore_start(d);

    if ( op->cmd == XEN_DOMCTL_VIOMMU_sidecore_info )
        return get_sidecore(d, op);

    vi = d->arch.hvm.viommu;
    if ( !vi || !vi->arch->complete )
        return -ENOENT;

    switch ( op->cmd )
    {
    case XEN_DOMCTL_VIOMMU_set:
        return set(vi, &op->u.set);

    case XEN_DOMCTL_VIOMMU_bind:
        return bind(vi, op->u.bind.sbdf, op->u.bind.vsbdf);

    case XEN_DOMCTL_VIOMMU_unbind:
        return unbind(vi, op->u.bind.sbdf);

    case XEN_DOMCTL_VIOMMU_get_info:
        return get_info(vi, op);

    default:
        return -EINVAL;
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
