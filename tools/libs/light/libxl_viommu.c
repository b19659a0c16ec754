/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxl_viommu.c: a guest's emulated VT-d unit: its creation and settings, the
 * devices behind it, what it reports, and the sidecores that serve such units.
 */
#include "libxl_osdeps.h" /* must come before any other headers */

#include "libxl_internal.h"
#include "libxl_viommu_guest.h"

#define ECAP_IR (1U << 3) /* VT-d, 11.4.3: interrupt remapping */

static bool is_true(libxl_defbool b)
{
    return !libxl_defbool_is_default(b) && libxl_defbool_val(b);
}

static bool is_false(libxl_defbool b)
{
    return !libxl_defbool_is_default(b) && !libxl_defbool_val(b);
}

bool libxl__viommu_wanted(const libxl_domain_build_info *info)
{
    return info->type == LIBXL_DOMAIN_TYPE_HVM &&
           is_true(info->u.hvm.viommu.enable);
}

static char *name_of(libxl__gc *gc, const libxl_device_pci *pci)
{
    return pci->name ? GCSPRINTF("'%s'", pci->name)
                     : GCSPRINTF("%04x:%02x:%02x.%x", pci->domain, pci->bus,
                                 pci->dev, pci->func);
}

static uint32_t sbdf_of(const libxl_device_pci *pci)
{
    return pci->domain << 16 | (pci->bus & 0xff) << 8 |
           (pci->dev & 0x1f) << 3 | (pci->func & 7);
}

/*
 * Asks Xen about the domain's unit. *info is left alone and *has is false if
 * there is none; only what Xen says for certain counts as "none", since a
 * device must not work around a unit that nobody looked for.
 */
static int get_unit(libxl__gc *gc, uint32_t domid, struct xc_viommu_info *info,
                    bool *has)
{
    *has = false;
    if (libxl__domain_type(gc, domid) != LIBXL_DOMAIN_TYPE_HVM)
        return 0;

    if (!xc_viommu_get_info(CTX->xch, domid, info)) {
        *has = true;
        return 0;
    }

    switch (errno) {
    case ENOENT:
    case EOPNOTSUPP:
    case ENOSYS:
        return 0;
    default:
        LOGED(ERROR, domid, "viommu: cannot find out whether there is one");
        return ERROR_FAIL;
    }
}

int libxl__viommu_present(libxl__gc *gc, uint32_t domid, bool *has)
{
    struct xc_viommu_info *unit;

    GCNEW(unit);

    return get_unit(gc, domid, unit, has);
}

/* What *viommu names becomes part of *settings; the rest of that stays. */
static int merge(libxl__gc *gc, uint32_t domid, const libxl_viommu *viommu,
                 xen_viommu_settings_t *settings)
{
    const struct {
        const char *name;
        uint32_t value, min, max; /* as public/viommu_domctl.h has them */
        uint32_t *setting;
    } numbers[] = {
        { "window_us", viommu->window_us, 1, 1000000, &settings->window_us },
        { "quota", viommu->quota, 1, 65536, &settings->quota },
        { "fallback_us", viommu->fallback_us, 1000, 1000000,
          &settings->fallback_us },
        { "idle_us", viommu->idle_us, 1000, 60000000, &settings->idle_us },
    };
    unsigned int i;

    for (i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (!numbers[i].value)
            continue;
        if (numbers[i].value < numbers[i].min ||
            numbers[i].value > numbers[i].max) {
            LOGD(ERROR, domid, "viommu: %s=%"PRIu32" is not between %"PRIu32
                 " and %"PRIu32, numbers[i].name, numbers[i].value,
                 numbers[i].min, numbers[i].max);
            return ERROR_INVAL;
        }
        *numbers[i].setting = numbers[i].value;
    }

    if (viommu->mode != LIBXL_VIOMMU_MODE_UNKNOWN)
        settings->mode = viommu->mode == LIBXL_VIOMMU_MODE_SIDECORE
            ? XEN_VIOMMU_MODE_sidecore : XEN_VIOMMU_MODE_trap;
    if (viommu->teardown != LIBXL_VIOMMU_TEARDOWN_UNKNOWN)
        settings->teardown = viommu->teardown == LIBXL_VIOMMU_TEARDOWN_STRICT
            ? XEN_VIOMMU_TEARDOWN_strict : XEN_VIOMMU_TEARDOWN_optimistic;

    return 0;
}

/* The other way round. */
static void show(const xen_viommu_settings_t *settings, libxl_viommu *viommu)
{
    viommu->mode = settings->mode == XEN_VIOMMU_MODE_sidecore
        ? LIBXL_VIOMMU_MODE_SIDECORE : LIBXL_VIOMMU_MODE_TRAP;
    viommu->teardown = settings->teardown == XEN_VIOMMU_TEARDOWN_strict
        ? LIBXL_VIOMMU_TEARDOWN_STRICT : LIBXL_VIOMMU_TEARDOWN_OPTIMISTIC;
    viommu->window_us = settings->window_us;
    viommu->quota = settings->quota;
    viommu->fallback_us = settings->fallback_us;
    viommu->idle_us = settings->idle_us;
}

static int apply(libxl__gc *gc, uint32_t domid,
                 const xen_viommu_settings_t *settings)
{
    if (!xc_viommu_set(CTX->xch, domid, settings))
        return 0;

    switch (errno) {
    case ENXIO:
        LOGD(ERROR, domid, "viommu: no sidecore runs; start one with "
             "xl viommu-sidecore-start");
        return ERROR_NOT_READY;
    case ENOMEM:
        LOGD(ERROR, domid, "viommu: Xen has not enough memory for "
             "quota=%"PRIu32", or for sidecore mode", settings->quota);
        return ERROR_NOMEM;
    default:
        LOGED(ERROR, domid, "viommu: Xen refuses the settings");
        return ERROR_FAIL;
    }
}

/* Gives devices their slots, and says why that is not possible. */
static int place(libxl__gc *gc, uint32_t domid, libxl_device_pci *pcis,
                 unsigned int nr, uint32_t taken)
{
    unsigned int i, culprit = 0;
    uint32_t *vdevfn = libxl__calloc(gc, nr, sizeof(*vdevfn));

    for (i = 0; i < nr; i++) {
        if (pcis[i].vfunc_mask == LIBXL_PCI_FUNC_ALL) {
            LOGD(ERROR, domid, "viommu: PCI device %s: the functions of a "
                 "device have to be passed through one by one, not as \"*\"",
                 name_of(gc, &pcis[i]));
            return ERROR_INVAL;
        }
        vdevfn[i] = pcis[i].vdevfn;
    }

    switch (viommu_place(vdevfn, nr, taken, &culprit)) {
    case VIOMMU_PLACED:
        break;
    case VIOMMU_PLACE_OUTSIDE:
        LOGD(ERROR, domid, "viommu: PCI device %s: vslot %#x is not behind the "
             "guest's IOMMU, which covers slots %#x to %#x",
             name_of(gc, &pcis[culprit]), pcis[culprit].vdevfn >> 3,
             XEN_VIOMMU_SLOT_FIRST, XEN_VIOMMU_SLOT_LAST);
        return ERROR_INVAL;
    case VIOMMU_PLACE_TAKEN:
        LOGD(ERROR, domid, "viommu: PCI device %s: vslot %#x is taken by "
             "another device",
             name_of(gc, &pcis[culprit]), pcis[culprit].vdevfn >> 3);
        return ERROR_INVAL;
    case VIOMMU_PLACE_FULL:
        LOGD(ERROR, domid, "viommu: PCI device %s: all %d slots behind the "
             "guest's IOMMU are taken",
             name_of(gc, &pcis[culprit]), VIOMMU_NR_SLOTS);
        return ERROR_INVAL;
    }

    for (i = 0; i < nr; i++)
        pcis[i].vdevfn = vdevfn[i];

    return 0;
}

int libxl__viommu_setdefault(libxl__gc *gc, uint32_t domid,
                             libxl_domain_config *d_config,
                             const libxl_physinfo *physinfo)
{
    libxl_domain_create_info *c_info = &d_config->c_info;
    libxl_domain_build_info *b_info = &d_config->b_info;
    xen_viommu_settings_t settings = XEN_VIOMMU_DEFAULT_SETTINGS;
    const char *whynot = NULL;
    libxl_viommu *viommu;
    bool less;
    int rc;

    if (b_info->type != LIBXL_DOMAIN_TYPE_HVM)
        return 0;

    viommu = &b_info->u.hvm.viommu;
    libxl_defbool_setdefault(&viommu->enable, false);
    libxl_defbool_setdefault(&viommu->intremap, false);
    if (!libxl_defbool_val(viommu->enable))
        return 0;
    viommu->type = LIBXL_VIOMMU_TYPE_VTD; /* there is no other */

    rc = merge(gc, domid, viommu, &settings);
    if (rc)
        return rc;
    show(&settings, viommu);
    if (!viommu->table_pages && b_info->max_memkb != LIBXL_MEMKB_DEFAULT)
        viommu->table_pages = XEN_VIOMMU_TABLE_PAGES(b_info->max_memkb / 4);

    if (!physinfo->cap_hvm_directio)
        whynot = "the host has no IOMMU, or Xen does not use it";
    else if (c_info->passthrough == LIBXL_PASSTHROUGH_DISABLED)
        whynot = "passthrough=\"disabled\" leaves it without devices";
    else if (!libxl_defbool_val(c_info->hap))
        whynot = "it needs hardware assisted paging (hap=1)";
    else if (is_true(b_info->nested_hvm) || is_true(b_info->u.hvm.nested_hvm))
        whynot = "it does not work together with nestedhvm";
    else if (b_info->altp2m != LIBXL_ALTP2M_MODE_DISABLED ||
             is_true(b_info->u.hvm.altp2m))
        whynot = "it does not work together with altp2m";
    else if (is_false(b_info->acpi) || is_false(b_info->u.hvm.acpi))
        whynot = "a guest finds it by ACPI, which acpi=0 takes away";
    else if (b_info->device_model_version ==
             LIBXL_DEVICE_MODEL_VERSION_QEMU_XEN_TRADITIONAL)
        whynot = "qemu-xen-traditional does not say which devices it emulates";
    else if (is_true(b_info->u.hvm.gfx_passthru))
        whynot = "gfx_passthru needs slots that are not behind it";
    else if (is_true(viommu->intremap) &&
             (is_false(b_info->apic) || is_false(b_info->u.hvm.apic)))
        whynot = "intremap=1 remaps interrupts of the APIC, which apic=0 takes "
                 "away";
    else if (is_true(viommu->intremap) && is_true(b_info->u.hvm.pirq))
        whynot = "with hvm_pirq=1 interrupts would pass intremap=1 by";

    if (whynot) {
        LOGD(ERROR, domid, "viommu is not possible: %s", whynot);
        return ERROR_INVAL;
    }

    if (is_true(c_info->driver_domain))
        LOGD(WARN, domid, "viommu: the domain's devices reach pages that other "
             "guests granted only where its kernel has them pass the IOMMU by "
             "(iommu=pt)");

    /*
     * When a domain starts anew, its memory is the target that it had last.
     * What it was said to be first is kept: see libxl__viommu_keep().
     */
    less = b_info->max_memkb != LIBXL_MEMKB_DEFAULT &&
           b_info->target_memkb < b_info->max_memkb;
    libxl_defbool_setdefault(&viommu->overcommit, less);
    if (less && !libxl_defbool_val(viommu->overcommit))
        b_info->target_memkb = b_info->max_memkb;

    /* Devices may come later by hotplug, so even without any now. */
    if (c_info->passthrough == LIBXL_PASSTHROUGH_DEFAULT)
        c_info->passthrough = LIBXL_PASSTHROUGH_ENABLED;

    return place(gc, domid, d_config->pcidevs, d_config->num_pcidevs,
                 libxl__viommu_emulated_slots(b_info));
}

uint64_t libxl__viommu_need_memkb(const libxl_domain_build_info *info)
{
    return libxl__viommu_wanted(info) ? info->u.hvm.viommu.table_pages * 4ULL
                                      : 0;
}

void libxl__viommu_keep(libxl_domain_config *kept,
                        const libxl_domain_config *d_config)
{
    if (libxl__viommu_wanted(&d_config->b_info))
        kept->b_info.u.hvm.viommu.overcommit =
            d_config->b_info.u.hvm.viommu.overcommit;
}

int libxl__viommu_create(libxl__gc *gc, uint32_t domid,
                         const libxl_domain_config *d_config,
                         const libxl__domain_build_state *state)
{
    const libxl_domain_build_info *info = &d_config->b_info;
    xen_viommu_settings_t settings = XEN_VIOMMU_DEFAULT_SETTINGS;
    const char *why;
    uint32_t flags;
    bool has;
    int rc;

    if (!libxl__viommu_wanted(info))
        return 0;

    if (state->restore) {
        LOGD(ERROR, domid, "viommu: a domain with it cannot be restored");
        return ERROR_INVAL;
    }

    /*
     * The guest has begun another kernel. As in a machine, that finds the unit
     * as the one before it left it.
     */
    if (state->soft_reset) {
        rc = libxl__viommu_present(gc, domid, &has);
        if (!rc && !has) {
            LOGD(ERROR, domid, "viommu: the domain that is soft reset has "
                 "none");
            rc = ERROR_INVAL;
        }
        return rc;
    }

    rc = merge(gc, domid, &info->u.hvm.viommu, &settings);
    if (rc)
        return rc;

    /* libxc populates the memory on demand if it is less than the maximum. */
    flags = (is_true(info->u.hvm.viommu.overcommit)
             ? XEN_VIOMMU_CREATE_overcommit : 0) |
            (is_true(info->u.hvm.viommu.intremap)
             ? XEN_VIOMMU_CREATE_intremap : 0);
    if (!xc_viommu_create(CTX->xch, domid, info->u.hvm.viommu.table_pages,
                          flags))
        return apply(gc, domid, &settings);

    switch (errno) {
    case EOPNOTSUPP:
        why = "the host has no Intel VT-d that it could use, or Xen was built "
              "without CONFIG_VIOMMU";
        break;
    case ENOSYS: why = "this Xen does not know it"; break;
    case EXDEV:  why = "the domain was created without passthrough"; break;
    case EEXIST: why = "the domain has one already"; break;
    case EBUSY:  why = "the domain ran already, or has devices"; break;
    case ENOMEM:
        why = GCSPRINTF("the host has not enough memory for table_pages=%"
                        PRIu32, info->u.hvm.viommu.table_pages);
        break;
    default:     why = "unexpected error"; break;
    }
    LOGED(ERROR, domid, "viommu is not possible: %s", why);

    return ERROR_FAIL;
}

int libxl__viommu_firmware(libxl__gc *gc, uint32_t domid,
                           const libxl_domain_build_info *info,
                           struct xc_dom_image *dom)
{
    struct xc_viommu_info *unit;
    struct xc_hvm_firmware_module *tables = &dom->acpi_modules[0];
    unsigned int size;
    uint8_t *blob;

    if (!libxl__viommu_wanted(info))
        return 0;

    GCNEW(unit);
    if (xc_viommu_get_info(CTX->xch, domid, unit)) {
        LOGED(ERROR, domid, "viommu: no information from Xen");
        return ERROR_FAIL;
    }

    /*
     * Ahead of the user's tables (acpi_firmware=): the loader steps over each
     * by the length in its header, which may be wrong in a user's file.
     */
    blob = libxl__malloc(gc, VIOMMU_DMAR_SIZE + tables->length);
    size = viommu_dmar_build(blob, unit->cap,
                             libxl__viommu_emulated_slots(info),
                             is_true(info->u.hvm.viommu.intremap));
    if (tables->length)
        memcpy(blob + size, tables->data, tables->length);
    tables->data = blob;
    tables->length += size;

    return 0;
}

int libxl__viommu_device_args(libxl__gc *gc, uint32_t domid,
                              libxl__json_object **args)
{
    struct xc_viommu_info *unit;
    bool has;
    int rc;

    GCNEW(unit);
    rc = get_unit(gc, domid, unit, &has);
    if (!rc && has && (unit->ecap & ECAP_IR))
        libxl__qmp_param_add_bool(gc, args, LIBXL__VIOMMU_PROPERTY, true);

    return rc;
}

int libxl__viommu_place_hotplug(libxl__gc *gc, uint32_t domid,
                                libxl_device_pci *pci)
{
    struct xc_viommu_info *unit;
    libxl_domain_config config;
    libxl_device_pci *pcis;
    uint32_t taken = 0;
    int rc, i, nr;
    bool has;

    GCNEW(unit);
    rc = get_unit(gc, domid, unit, &has);
    if (rc || !has)
        return rc;

    libxl_domain_config_init(&config);
    rc = libxl__get_domain_configuration(gc, domid, &config);
    if (!rc)
        taken = libxl__viommu_emulated_slots(&config.b_info);
    libxl_domain_config_dispose(&config);
    if (rc) {
        LOGD(ERROR, domid, "viommu: no configuration says which slots the "
             "device model uses");
        return rc;
    }

    for (i = 0; i < unit->nr_devices; i++)
        taken |= 1U << ((unit->devices[i].vsbdf >> 3) & 0x1f);

    /* A device that is just being added, or has not yet been taken away. */
    pcis = libxl_device_pci_list(CTX, domid, &nr);
    for (i = 0; pcis && i < nr; i++)
        if (pcis[i].vdevfn)
            taken |= 1U << ((pcis[i].vdevfn >> 3) & 0x1f);
    libxl_device_pci_list_free(pcis, pcis ? nr : 0);

    return place(gc, domid, pci, 1, taken);
}

/* Does the host's firmware reserve memory for the device? */
static bool has_rmrr(libxl__gc *gc, const libxl_device_pci *pci)
{
    unsigned int nr = 0;

    return xc_reserved_device_memory_map(CTX->xch, 0, pci->domain, pci->bus,
                                         sbdf_of(pci) & 0xff, NULL, &nr) &&
           errno == ENOBUFS;
}

/*
 * The device model of a running domain has shown the device to the guest by
 * now. The name is the one that libxl_pci.c gave the device there.
 */
static void unplug(libxl__gc *gc, uint32_t domid, const libxl_device_pci *pci)
{
    char *said = NULL;

    if (libxl_get_stubdom_id(CTX, domid) ||
        libxl__qmp_hmp(gc, domid,
                       GCSPRINTF("device_del pci-pt-%02x_%02x.%01x", pci->bus,
                                 pci->dev, pci->func), &said) ||
        (said && *said))
        LOGD(WARN, domid, "viommu: PCI device %s does not work, but the guest "
             "still sees it", name_of(gc, pci));
    free(said);
}

int libxl__viommu_bind(libxl__gc *gc, uint32_t domid,
                       const libxl_device_pci *pci, bool starting)
{
    struct xc_viommu_info *unit;
    const char *why = "unexpected error";
    int rc, errnoval;
    bool has;

    GCNEW(unit);
    rc = get_unit(gc, domid, unit, &has);
    if (!rc && !has)
        return 0;
    if (!rc && !xc_viommu_bind(CTX->xch, domid, sbdf_of(pci), pci->vdevfn))
        return 0;

    if (!rc) {
        errnoval = errno;
        switch (errnoval) {
        case EOPNOTSUPP:
            why = has_rmrr(gc, pci)
                ? "the host's firmware reserves memory for it (RMRR)"
                : "it is behind a legacy PCI bridge, or is a bridge";
            break;
        case ERANGE: why = "the device model put it into another slot"; break;
        case EEXIST: why = "it or its slot is bound already"; break;
        case ENODEV: why = "it is not assigned to the domain"; break;
        case ENOSPC: why = "the host's IOMMU has no domain ID left"; break;
        case ENOMEM: why = "Xen is out of memory"; break;
        }
        LOGEVD(ERROR, errnoval, domid, "viommu: PCI device %s cannot be put "
               "behind the guest's IOMMU at %02x.%x: %s", name_of(gc, pci),
               pci->vdevfn >> 3, pci->vdevfn & 7, why);
    }

    if (xc_deassign_device(CTX->xch, domid, sbdf_of(pci)))
        LOGED(ERROR, domid, "viommu: PCI device %s is still assigned",
              name_of(gc, pci));
    if (!starting)
        unplug(gc, domid, pci);

    return ERROR_FAIL;
}

int libxl__viommu_refuse_save(libxl__gc *gc, uint32_t domid)
{
    bool has;
    int rc;

    rc = libxl__viommu_present(gc, domid, &has);
    if (rc || !has)
        return rc;

    LOGD(ERROR, domid, "a domain with viommu cannot be saved or migrated");

    return ERROR_INVAL;
}

/* As get_unit(), for a caller who names the domain: there has to be a unit. */
static int need_unit(libxl__gc *gc, uint32_t domid, struct xc_viommu_info *info)
{
    if (!xc_viommu_get_info(CTX->xch, domid, info))
        return 0;

    switch (errno) {
    case ESRCH:
        return ERROR_DOMAIN_NOTFOUND;
    case ENOENT:
    case EINVAL:
    case EOPNOTSUPP:
    case ENOSYS:
        return ERROR_NOTFOUND;
    default:
        LOGED(ERROR, domid, "viommu: no information from Xen");
        return ERROR_FAIL;
    }
}

int libxl_viommu_set(libxl_ctx *ctx, uint32_t domid, const libxl_viommu *viommu)
{
    GC_INIT(ctx);
    struct xc_viommu_info *unit;
    int rc;

    if (viommu->table_pages || !libxl_defbool_is_default(viommu->intremap)) {
        LOGD(ERROR, domid, "viommu: %s cannot be changed; it is set when a "
             "domain is created",
             viommu->table_pages ? "table_pages" : "intremap");
        rc = ERROR_INVAL;
        goto out;
    }

    GCNEW(unit);
    rc = need_unit(gc, domid, unit);
    if (!rc)
        rc = merge(gc, domid, viommu, &unit->settings);
    if (!rc)
        rc = apply(gc, domid, &unit->settings);

 out:
    GC_FREE;
    return rc;
}

int libxl_viommu_get_info(libxl_ctx *ctx, uint32_t domid,
                          libxl_viommu_info *info)
{
    static const struct {
        const char *name, *meaning;
    } counters[] = {
#define COUNTER(name, what) { #name, what },
        XEN_VIOMMU_COUNTERS(COUNTER)
#undef COUNTER
    };
    GC_INIT(ctx);
    struct xc_viommu_info *unit;
    unsigned int i;
    int rc = 0;

    libxl_viommu_info_init(info);

    GCNEW(unit);
    rc = need_unit(gc, domid, unit);
    if (rc)
        goto out;

    libxl_defbool_set(&info->settings.enable, true);
    info->settings.type = LIBXL_VIOMMU_TYPE_VTD;
    libxl_defbool_set(&info->settings.overcommit,
                      unit->flags & XEN_VIOMMU_FLAG_overcommit);
    libxl_defbool_set(&info->settings.intremap, unit->ecap & ECAP_IR);
    info->settings.table_pages = unit->table_pages;
    show(&unit->settings, &info->settings);
    info->sidecore = unit->sidecore == DOMID_INVALID ? INVALID_DOMID
                                                     : unit->sidecore;
    info->translation = unit->flags & XEN_VIOMMU_FLAG_translation;
    info->queue = unit->flags & XEN_VIOMMU_FLAG_queue;
    info->quarantined = unit->flags & XEN_VIOMMU_FLAG_quarantined;
    info->overcommit = unit->flags & XEN_VIOMMU_FLAG_overcommit;
    info->no_exit = unit->flags & XEN_VIOMMU_FLAG_no_exit;
    info->intremap = unit->flags & XEN_VIOMMU_FLAG_intremap;
    info->cap = unit->cap;
    info->ecap = unit->ecap;

    info->num_devices = unit->nr_devices;
    info->devices = libxl__calloc(NOGC, unit->nr_devices,
                                  sizeof(*info->devices));
    for (i = 0; i < unit->nr_devices; i++) {
        info->devices[i].sbdf = unit->devices[i].sbdf;
        info->devices[i].vsbdf = unit->devices[i].vsbdf;
        info->devices[i].table = unit->devices[i].table;
        info->devices[i].domain = unit->devices[i].domain;
    }

    info->num_counters = unit->nr_counters;
    info->counters = libxl__calloc(NOGC, unit->nr_counters,
                                   sizeof(*info->counters));
    for (i = 0; i < unit->nr_counters; i++) {
        info->counters[i].name = libxl__strdup(NOGC, counters[i].name);
        info->counters[i].meaning = libxl__strdup(NOGC, counters[i].meaning);
        info->counters[i].value = unit->counters[i];
    }

 out:
    GC_FREE;
    return rc;
}

int libxl_viommu_sidecore_start(libxl_ctx *ctx, uint32_t domid)
{
    GC_INIT(ctx);
    const char *why = "unexpected error";
    int rc = 0;

    if (xc_viommu_sidecore_start(CTX->xch, domid)) {
        switch (errno) {
        case EOPNOTSUPP:
            why = "the host has no Intel VT-d that it could use, or Xen was "
                  "built without CONFIG_VIOMMU";
            break;
        case ENOSYS: why = "this Xen does not know it"; break;
        case ESRCH:  why = "there is no such domain"; break;
        case EINVAL: why = "it is no PVH domain"; break;
        case EEXIST: why = "it is one already"; break;
        case ENOMEM: why = "Xen is out of memory"; break;
        case ENOSPC:
            why = GCSPRINTF("Xen has its most, %d", XEN_VIOMMU_MAX_SIDECORES);
            break;
        }
        LOGED(ERROR, domid, "viommu: the domain cannot be a sidecore: %s", why);
        rc = ERROR_FAIL;
    }

    GC_FREE;
    return rc;
}

int libxl_viommu_sidecore_get_info(libxl_ctx *ctx, uint32_t domid,
                                   libxl_viommu_sidecore *sidecore)
{
    GC_INIT(ctx);
    struct xc_viommu_sidecore xc;
    int rc = 0;

    libxl_viommu_sidecore_init(sidecore);

    if (xc_viommu_sidecore_info(CTX->xch, domid, &xc)) {
        switch (errno) {
        case ESRCH:
        case ENOENT:
        case EINVAL:
        case EOPNOTSUPP:
        case ENOSYS:
            rc = ERROR_NOTFOUND;
            break;
        default:
            LOGED(ERROR, domid, "viommu: no information from Xen");
            rc = ERROR_FAIL;
            break;
        }
        goto out;
    }

    sidecore->nr_guests = xc.nr_guests;
    sidecore->asleep = xc.flags & XEN_VIOMMU_SIDECORE_asleep;
    sidecore->polls = xc.polls;
    sidecore->batches = xc.batches;
    sidecore->wakeups = xc.wakeups;
    sidecore->silent_us = xc.silent_us;

 out:
    GC_FREE;
    return rc;
}

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
