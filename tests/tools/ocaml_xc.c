/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ocaml_xc.c: what ocaml_viommu.ml loads ahead of libxenctrl, a Xen whose
 * domain 1 has a unit with one device, and no other domain has any. Domain 3
 * can be a sidecore, and serves domain 1 then.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xenctrl.h>

static uint32_t quota, create_flags, sbdf, vsbdf;
static xen_viommu_settings_t set_to = XEN_VIOMMU_DEFAULT_SETTINGS;
static int sidecore;

static int has_unit(uint32_t domid)
{
    errno = ENOENT;
    return domid == 1 ? 0 : -1;
}

xc_interface *xc_interface_open(xentoollog_logger *logger,
                                xentoollog_logger *dombuild_logger,
                                unsigned open_flags)
{
    return calloc(1, 8);
}

int xc_interface_close(xc_interface *xch)
{
    free(xch);
    return 0;
}

int xc_viommu_create(xc_interface *xch, uint32_t domid, uint32_t table_pages,
                     uint32_t flags)
{
    quota = table_pages;
    create_flags = flags;
    errno = EEXIST;
    return domid == 1 ? 0 : -1;
}

int xc_viommu_set(xc_interface *xch, uint32_t domid,
                  const xen_viommu_settings_t *settings)
{
    if ( settings->mode == XEN_VIOMMU_MODE_sidecore && !sidecore )
    {
        errno = ENXIO;
        return -1;
    }
    set_to = *settings;
    return has_unit(domid);
}

int xc_viommu_sidecore_start(xc_interface *xch, uint32_t domid)
{
    errno = EEXIST;
    if ( domid != 3 || sidecore )
        return -1;
    sidecore = 1;
    return 0;
}

int xc_viommu_sidecore_info(xc_interface *xch, uint32_t domid,
                            struct xc_viommu_sidecore *info)
{
    *info = (struct xc_viommu_sidecore) {
        .nr_guests = 1, .flags = XEN_VIOMMU_SIDECORE_asleep,
        .polls = 2ULL << 40, .batches = 3ULL << 40, .wakeups = 4ULL << 40,
        .silent_us = 5ULL << 40,
    };
    errno = ENOENT;
    return domid == 3 && sidecore ? 0 : -1;
}

int xc_viommu_bind(xc_interface *xch, uint32_t domid, uint32_t host,
                   uint32_t guest)
{
    sbdf = host;
    vsbdf = guest;
    return has_unit(domid);
}

int xc_viommu_unbind(xc_interface *xch, uint32_t domid, uint32_t host)
{
    errno = ENODEV;
    return host == sbdf ? 0 : -1;
}

int xc_viommu_get_info(xc_interface *xch, uint32_t domid,
                       struct xc_viommu_info *info)
{
    memset(info, 0, sizeof(*info));
    info->table_pages = quota;
    info->flags = XEN_VIOMMU_FLAG_translation;
    if ( create_flags & XEN_VIOMMU_CREATE_overcommit )
        info->flags |= XEN_VIOMMU_FLAG_overcommit;
    if ( create_flags & XEN_VIOMMU_CREATE_intremap )
        info->flags |= XEN_VIOMMU_FLAG_intremap;
    if ( sidecore )
        info->flags |= XEN_VIOMMU_FLAG_no_exit;
    info->settings = set_to;
    info->sidecore = sidecore ? 3 : DOMID_INVALID;
    info->cap = 0xfedcba9876543210;
    info->ecap = 0xf0f0f;
    info->nr_devices = !!sbdf;
    info->devices[0].sbdf = sbdf;
    info->devices[0].vsbdf = vsbdf;
    info->devices[0].table = XEN_VIOMMU_TABLE_shadow;
    info->devices[0].domain = 7;
    info->nr_counters = XEN_VIOMMU_NR_COUNTERS;
    for ( unsigned int i = 0; i < XEN_VIOMMU_NR_COUNTERS; i++ )
        info->counters[i] = i;

    return has_unit(domid);
}
