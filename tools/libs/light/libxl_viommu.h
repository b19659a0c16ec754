/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxl_viommu.h: what the rest of libxl calls for a guest's emulated VT-d.
 *
 * Included by libxl_internal.h. All of them log what goes wrong and return 0
 * or ERROR_*; for a domain without a unit all of them do nothing.
 */
#ifndef LIBXL_VIOMMU_H
#define LIBXL_VIOMMU_H

struct xc_dom_image;

/*
 * Before the default of passthrough is chosen: sets the defaults of viommu,
 * turns passthrough on, gives each PCI device its slot, and refuses what does
 * not go together with a unit.
 */
_hidden int libxl__viommu_setdefault(libxl__gc *gc, uint32_t domid,
                                     libxl_domain_config *d_config,
                                     const libxl_physinfo *physinfo);

/* Whether the domain is to have a unit. */
_hidden bool libxl__viommu_wanted(const libxl_domain_build_info *info);

/*
 * The host's memory that Xen sets aside for the unit's tables when the domain
 * is created: after libxl__viommu_setdefault().
 */
_hidden uint64_t
libxl__viommu_need_memkb(const libxl_domain_build_info *info);

/*
 * When the domain is complete: what has to be the same when it starts anew
 * goes from its configuration into the one that is kept.
 */
_hidden void libxl__viommu_keep(libxl_domain_config *kept,
                                const libxl_domain_config *d_config);

/*
 * Gives the new domain its unit, as it is to be set. If its memory is
 * overcommitted, its devices are blocked until the guest turns translation on.
 * A domain that is soft reset keeps the unit that it has.
 */
_hidden int libxl__viommu_create(libxl__gc *gc, uint32_t domid,
                                 const libxl_domain_config *d_config,
                                 const libxl__domain_build_state *state);

/* Adds the unit's DMAR to the ACPI tables that the guest's firmware loads. */
_hidden int libxl__viommu_firmware(libxl__gc *gc, uint32_t domid,
                                   const libxl_domain_build_info *info,
                                   struct xc_dom_image *dom);

/*
 * The property of the device model's xen-pci-passthrough that has it hand on a
 * device's interrupt messages as the guest wrote them. Without it, it would
 * take them for others.
 */
#define LIBXL__VIOMMU_PROPERTY "intremap"

/* Adds what the device model has to know to the arguments of device_add. */
_hidden int libxl__viommu_device_args(libxl__gc *gc, uint32_t domid,
                                      libxl__json_object **args);

/* Chooses the slot of a device that is plugged into a running domain. */
_hidden int libxl__viommu_place_hotplug(libxl__gc *gc, uint32_t domid,
                                        libxl_device_pci *pci);

/*
 * Puts a device, just assigned to the domain, behind its unit. If that fails
 * the device has been deassigned: it must not work around the unit. A domain
 * that is starting goes away then; a running one is asked to let go of it.
 */
_hidden int libxl__viommu_bind(libxl__gc *gc, uint32_t domid,
                               const libxl_device_pci *pci, bool starting);

/* Has the domain a unit? */
_hidden int libxl__viommu_present(libxl__gc *gc, uint32_t domid, bool *has);

/*
 * The slots, of those that could be behind the unit, into which libxl has the
 * device model put emulated devices: they are not behind it.
 */
_hidden uint32_t
libxl__viommu_emulated_slots(const libxl_domain_build_info *info);

/*
 * By the device model's answer to query-pci, before a device is passed through:
 * refuses a domain with an emulated device in a slot behind the unit.
 */
_hidden int libxl__viommu_check_slots(libxl__gc *gc, libxl_domid domid,
                                      const libxl_domain_build_info *info,
                                      const libxl__json_object *answer);

/*
 * By the same answer of a running domain: refuses another emulated device if
 * the device model, which takes the first free slot, would put it behind the
 * unit.
 */
_hidden int libxl__viommu_check_room(libxl__gc *gc, libxl_domid domid,
                                     const libxl__json_object *answer);

/*
 * By the device model's answer to device-list-properties of its
 * xen-pci-passthrough, or by what became of the question (rc): refuses one that
 * lacks LIBXL__VIOMMU_PROPERTY (ERROR_INVAL). Who has no answer gets rc.
 */
_hidden int libxl__viommu_check_model(libxl__gc *gc, libxl_domid domid,
                                      const libxl__json_object *answer,
                                      int rc);

typedef void libxl__viommu_checked(libxl__egc *egc,
                                   libxl__domain_create_state *dcs, int rc);

/*
 * libxl__viommu_check_slots() for a new domain whose device model has just
 * started, and whether that can do what intremap=1 needs. Calls done(), perhaps
 * before it returns.
 */
_hidden void libxl__viommu_check_emulated(libxl__egc *egc,
                                          libxl__domain_create_state *dcs,
                                          libxl__viommu_checked *done);

/* Refuses to save or migrate a domain that has a unit. */
_hidden int libxl__viommu_refuse_save(libxl__gc *gc, uint32_t domid);

#endif /* LIBXL_VIOMMU_H */

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
