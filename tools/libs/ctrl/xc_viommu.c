/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xc_viommu.c: the emulated VT-d unit of an HVM guest.
 */
#include "xc_private.h"

static int viommu_op(xc_interface *xch, struct xen_domctl *domctl,
                     uint32_t domid, uint32_t cmd)
{
    domctl->cmd = XEN_DOMCTL_viommu_op;
    domctl->domain = domid;
    domctl->u.viommu_op.cmd = cmd;

    return do_domctl(xch, domctl);
}

int xc_viommu_create(xc_interface *xch, uint32_t domid, uint32_t table_pages,
                     uint32_t flags)
{
    struct xen_domctl domctl = {
        .u.viommu_op.u.create = { .table_pages = table_pages, .flags = flags },
    };

    return viommu_op(xch, &domctl, domid, XEN_DOMCTL_VIOMMU_create);
}

int xc_viommu_set(xc_interface *xch, uint32_t domid,
                  const xen_viommu_settings_t *settings)
{
    struct xen_domctl domctl = {
        .u.viommu_op.u.set = *settings,
    };

    return viommu_op(xch, &domctl, domid, XEN_DOMCTL_VIOMMU_set);
}

int xc_viommu_bind(xc_interface *xch, uint32_t domid,
                   uint32_t sbdf, uint32_t vsbdf)
{
    struct xen_domctl domctl = {
        .u.viommu_op.u.bind = { .sbdf = sbdf, .vsbdf = vsbdf },
    };

    return viommu_op(xch, &domctl, domid, XEN_DOMCTL_VIOMMU_bind);
}

int xc_viommu_unbind(xc_interface *xch, uint32_t domid, uint32_t sbdf)
{
    struct xen_domctl domctl = {
        .u.viommu_op.u.bind.sbdf = sbdf,
    };

    return viommu_op(xch, &domctl, domid, XEN_DOMCTL_VIOMMU_unbind);
}

int xc_viommu_get_info(xc_interface *xch, uint32_t domid,
                       struct xc_viommu_info *info)
{
    struct xen_domctl domctl = {
        .u.viommu_op.u.info = {
            .nr_counters = XEN_VIOMMU_NR_COUNTERS,
            .nr_devices = XC_VIOMMU_MAX_DEVICES,
        },
    };
    /* Both ways: what Xen does not fill in then reads as 0. */
    DECLARE_NAMED_HYPERCALL_BOUNCE(counters, info->counters,
                                   sizeof(info->counters),
                                   XC_HYPERCALL_BUFFER_BOUNCE_BOTH);
    DECLARE_NAMED_HYPERCALL_BOUNCE(devices, info->devices,
                                   sizeof(info->devices),
                                   XC_HYPERCALL_BUFFER_BOUNCE_BOTH);
    int ret = -1;

    memset(info, 0, sizeof(*info));

    if ( xc_hypercall_bounce_pre(xch, counters) ||
         xc_hypercall_bounce_pre(xch, devices) )
        goto out;

    set_xen_guest_handle(domctl.u.viommu_op.u.info.counters, counters);
    set_xen_guest_handle(domctl.u.viommu_op.u.info.devices, devices);

    ret = viommu_op(xch, &domctl, domid, XEN_DOMCTL_VIOMMU_get_info);

 out:
    xc_hypercall_bounce_post(xch, devices);
    xc_hypercall_bounce_post(xch, counters);

    if ( ret )
        return ret;

    info->table_pages = domctl.u.viommu_op.u.info.table_pages;
    info->flags = domctl.u.viommu_op.u.info.flags;
    info->cap = domctl.u.viommu_op.u.info.cap;
    info->ecap = domctl.u.viommu_op.u.info.ecap;
    info->settings = domctl.u.viommu_op.u.info.settings;
    info->sidecore = domctl.u.viommu_op.u.info.sidecore;
    /* Xen says how many there are, perhaps more than there was room for. */
    info->nr_counters = min_t(unsigned int, XEN_VIOMMU_NR_COUNTERS,
                              domctl.u.viommu_op.u.info.nr_counters);
    info->nr_devices = min_t(unsigned int, XC_VIOMMU_MAX_DEVICES,
                             domctl.u.viommu_op.u.info.nr_devices);

    return 0;
}

int xc_viommu_sidecore_start(xc_interface *xch, uint32_t domid)
{
    struct xen_domctl domctl = {};

    return viommu_op(xch, &domctl, domid, XEN_DOMCTL_VIOMMU_sidecore_start);
}

int xc_viommu_sidecore_info(xc_interface *xch, uint32_t domid,
                            struct xc_viommu_sidecore *sidecore)
{
    struct xen_domctl domctl = {};

    if ( viommu_op(xch, &domctl, domid, XEN_DOMCTL_VIOMMU_sidecore_info) )
        return -1;

    *sidecore = (struct xc_viommu_sidecore) {
        .nr_guests = domctl.u.viommu_op.u.sidecore.nr_guests,
        .flags = domctl.u.viommu_op.u.sidecore.flags,
        .polls = domctl.u.viommu_op.u.sidecore.polls,
        .batches = domctl.u.viommu_op.u.sidecore.batches,
        .wakeups = domctl.u.viommu_op.u.sidecore.wakeups,
        .silent_us = domctl.u.viommu_op.u.sidecore.silent_us,
    };

    return 0;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
