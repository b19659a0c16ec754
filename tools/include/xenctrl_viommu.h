/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xenctrl_viommu.h: the emulated VT-d unit of an HVM guest.
 *
 * Included by xenctrl.h. Wrappers of XEN_DOMCTL_viommu_op; names, limits and
 * the meaning of each counter are in <xen/viommu_domctl.h>. All of them return
 * 0, or -1 with errno set. For the control domain only. Errors of every call:
 *   EOPNOTSUPP  Xen cannot emulate a unit here: no VT-d, or built without it
 *   ENOSYS      Xen does not know the operation at all
 *   ESRCH       no such domain
 *   EINVAL      not an HVM domain
 *   ENOENT      (all but create and sidecore_start) the domain has no unit
 *   EPERM, EACCES  the caller may not do this to the domain
 */
#ifndef XENCTRL_VIOMMU_H
#define XENCTRL_VIOMMU_H

/* Every function of every slot that a unit can translate. */
#define XC_VIOMMU_MAX_DEVICES \
    ((XEN_VIOMMU_SLOT_LAST - XEN_VIOMMU_SLOT_FIRST + 1) * 8)

struct xc_viommu_info {
    uint32_t table_pages;     /* Quota of shadow table pages (4 KiB each). */
    uint32_t flags;           /* XEN_VIOMMU_FLAG_* */
    uint64_t cap;             /* Capability register, as the guest reads it. */
    uint64_t ecap;            /* Extended capability register. */
    xen_viommu_settings_t settings;
    uint32_t sidecore;        /* The one that serves it, or DOMID_INVALID. */
    unsigned int nr_counters; /* Entries of counters[] that Xen filled in. */
    unsigned int nr_devices;  /* Entries of devices[] that Xen filled in. */
    uint64_t counters[XEN_VIOMMU_NR_COUNTERS]; /* In the order of the macro. */
    xen_viommu_device_t devices[XC_VIOMMU_MAX_DEVICES];
};

/*
 * Gives the domain a unit. To be called once, before the domain first runs and
 * before it is given devices. table_pages is the quota of shadow table pages
 * (4 KiB each), 0 for Xen's default; flags are XEN_VIOMMU_CREATE_*.
 *   EEXIST      the domain has a unit
 *   EBUSY       it ran already, or has devices
 *   EXDEV       it was created without passthrough
 *   EOPNOTSUPP  also: no HAP, or altp2m or nested HVM in use
 *   EINVAL      also: an unknown flag
 *   ENOMEM
 */
int xc_viommu_create(xc_interface *xch, uint32_t domid, uint32_t table_pages,
                     uint32_t flags);

/*
 * Changes all settings of the unit, at any time.
 *   ERANGE      a value is not among those that <xen/viommu_domctl.h> allows
 *   ENXIO       sidecore mode, and no sidecore runs
 *   ENOMEM
 */
int xc_viommu_set(xc_interface *xch, uint32_t domid,
                  const xen_viommu_settings_t *settings);

/*
 * Puts an assigned device (sbdf: SSSS:BB:DD.F of the host, as one number)
 * behind the unit, where the guest sees it (vsbdf, in the same form).
 *   ENODEV      no such device is assigned to the domain
 *   ERANGE      vsbdf is not at a slot that the unit translates
 *   EEXIST      the device or the place is bound
 *   EOPNOTSUPP  the device has an RMRR, or is behind a legacy bridge
 *   ENOMEM, ENOSPC (physical domain IDs)
 */
int xc_viommu_bind(xc_interface *xch, uint32_t domid,
                   uint32_t sbdf, uint32_t vsbdf);

/*
 * Takes a device from behind the unit. Deassigning the device implies it.
 *   ENODEV      the device is not bound
 */
int xc_viommu_unbind(xc_interface *xch, uint32_t domid, uint32_t sbdf);

/*
 * Reports on the unit; the whole of *info is written on success. It also is
 * the way to find out whether a domain has a unit (ENOENT).
 */
int xc_viommu_get_info(xc_interface *xch, uint32_t domid,
                       struct xc_viommu_info *info);

struct xc_viommu_sidecore {
    uint32_t nr_guests;       /* Guests that it serves. */
    uint32_t flags;           /* XEN_VIOMMU_SIDECORE_* */
    uint64_t polls;           /* Its hypercalls. */
    uint64_t batches;         /* Visits to a guest that found work. */
    uint64_t wakeups;         /* Times that it was asleep and woken. */
    uint64_t silent_us;       /* Since its last hypercall. */
};

/*
 * Makes a domain, a PVH one, a sidecore until it is destroyed. Best called
 * before the domain first runs, since what it calls in Xen fails until then.
 *   EINVAL      also: it has a unit
 *   EEXIST      it is a sidecore
 *   ENOSPC      there are XEN_VIOMMU_MAX_SIDECORES
 */
int xc_viommu_sidecore_start(xc_interface *xch, uint32_t domid);

/*
 * Reports on a sidecore; the whole of *sidecore is written on success.
 *   ENOENT      the domain is none
 */
int xc_viommu_sidecore_info(xc_interface *xch, uint32_t domid,
                            struct xc_viommu_sidecore *sidecore);

#endif /* XENCTRL_VIOMMU_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
