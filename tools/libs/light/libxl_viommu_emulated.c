/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * libxl_viommu_emulated.c: the device model's own devices are not behind a
 * guest's emulated VT-d unit.
 *
 * Their DMA is by guest-physical address. In a slot that the DMAR names, the
 * guest would give them addresses that the unit is to translate, and they would
 * read and write other memory of the guest.
 */
#include "libxl_osdeps.h" /* must come before any other headers */

#include "libxl_internal.h"
#include "libxl_viommu_guest.h"

#define SLOTS_BEHIND \
    (~0U >> (31 - XEN_VIOMMU_SLOT_LAST) & ~0U << XEN_VIOMMU_SLOT_FIRST)

uint32_t libxl__viommu_emulated_slots(const libxl_domain_build_info *info)
{
    /* Where libxl_dm.c puts an EHCI controller and its three companions. */
    return info->u.hvm.usbversion == 2 ? 1U << 0x1d : 0;
}

static const libxl__json_object *member(const char *key,
                                        const libxl__json_object *o,
                                        libxl__json_node_type type)
{
    return o ? libxl__json_map_get(key, o, type) : NULL;
}

/*
 * The slots in use of the guest's bus 0, by an answer to query-pci, and what is
 * in the first of them that *wanted has.
 */
static int slots_in_use(libxl__gc *gc, libxl_domid domid,
                        const libxl__json_object *answer, uint32_t wanted,
                        uint32_t *slots, const char **what)
{
    const libxl__json_object *bus, *device, *o;
    uint32_t lowest = ~0U;
    long long slot;
    int i, j;

    *slots = 0;
    *what = NULL;
    for (i = 0; (bus = libxl__json_array_get(answer, i)); i++) {
        o = member("bus", bus, JSON_INTEGER);
        if (!o)
            goto bad;
        if (libxl__json_object_get_integer(o))
            continue;

        o = member("devices", bus, JSON_ARRAY);
        if (!o)
            goto bad;
        for (j = 0; (device = libxl__json_array_get(o, j)); j++) {
            const libxl__json_object *n = member("slot", device, JSON_INTEGER);
            const libxl__json_object *desc =
                member("desc", member("class_info", device, JSON_MAP),
                       JSON_STRING);

            slot = n ? libxl__json_object_get_integer(n) : -1;
            if (slot < 0 || slot > 31)
                goto bad;
            *slots |= 1U << slot;
            if ((wanted & (1U << slot)) && slot < lowest) {
                lowest = slot;
                *what = desc ? libxl__json_object_get_string(desc) : NULL;
            }
        }
    }
    if (!i)
        goto bad;

    return 0;

 bad:
    LOGD(ERROR, domid, "viommu: unexpected answer of the device model to "
         "query-pci: %s", JSON(answer));
    return ERROR_QEMU_API;
}

int libxl__viommu_check_slots(libxl__gc *gc, libxl_domid domid,
                              const libxl_domain_build_info *info,
                              const libxl__json_object *answer)
{
    const uint32_t wanted = SLOTS_BEHIND & ~libxl__viommu_emulated_slots(info);
    const char *what;
    uint32_t slots;
    int rc;

    rc = slots_in_use(gc, domid, answer, wanted, &slots, &what);
    if (rc || !(slots & wanted))
        return rc;

    LOGD(ERROR, domid, "viommu: the device model emulates a device%s%s%s in "
         "slot %#x: slots %#x to %#x are behind the guest's IOMMU, and are for "
         "devices that are passed through", what ? " (" : "", what ? what : "",
         what ? ")" : "", __builtin_ctz(slots & wanted), XEN_VIOMMU_SLOT_FIRST,
         XEN_VIOMMU_SLOT_LAST);

    return ERROR_INVAL;
}

int libxl__viommu_check_room(libxl__gc *gc, libxl_domid domid,
                             const libxl__json_object *answer)
{
    const uint32_t before = ~(~0U << XEN_VIOMMU_SLOT_FIRST);
    const char *what;
    uint32_t slots;
    int rc;

    rc = slots_in_use(gc, domid, answer, 0, &slots, &what);
    if (rc || (slots & before) != before)
        return rc;

    LOGD(ERROR, domid, "viommu: no slot below %#x is free for another emulated "
         "device; the others are behind the guest's IOMMU",
         XEN_VIOMMU_SLOT_FIRST);

    return ERROR_INVAL;
}

int libxl__viommu_check_model(libxl__gc *gc, libxl_domid domid,
                              const libxl__json_object *answer, int rc)
{
    const libxl__json_object *property, *name;
    int i;

    if (rc && rc != ERROR_QMP_DEVICE_NOT_FOUND) {
        LOGD(ERROR, domid, "viommu: the device model does not say whether it "
             "can do what intremap=1 needs%s",
             rc == ERROR_TIMEDOUT ? ": it timed out" : "");
        return rc;
    }

    for (i = 0; !rc && (property = libxl__json_array_get(answer, i)); i++) {
        name = member("name", property, JSON_STRING);
        if (name && !strcmp(libxl__json_object_get_string(name),
                            LIBXL__VIOMMU_PROPERTY))
            return 0;
    }

    LOGD(ERROR, domid, "viommu: intremap=1 needs a device model that hands on "
         "interrupt messages as they are, and this one does not (its "
         "xen-pci-passthrough has no property %s); see patches/qemu of "
         "xen-viommu, and device_model_override", LIBXL__VIOMMU_PROPERTY);

    return ERROR_INVAL;
}

struct check {
    libxl__ev_qmp qmp;
    libxl__ev_time timeout;
    libxl__domain_create_state *dcs;
    libxl__viommu_checked *done;
};

static void finish(libxl__egc *egc, struct check *check, int rc)
{
    STATE_AO_GC(check->dcs->ao);

    libxl__ev_qmp_dispose(gc, &check->qmp);
    libxl__ev_time_deregister(gc, &check->timeout);
    check->done(egc, check->dcs, rc); /* must be last */
}

static void said_properties(libxl__egc *egc, libxl__ev_qmp *qmp,
                            const libxl__json_object *answer, int rc)
{
    struct check *check = CONTAINER_OF(qmp, *check, qmp);
    STATE_AO_GC(check->dcs->ao);

    finish(egc, check, libxl__viommu_check_model(gc, qmp->domid, answer, rc));
}

static int ask_for_properties(libxl__egc *egc, struct check *check)
{
    STATE_AO_GC(check->dcs->ao);
    libxl__json_object *args = NULL;

    libxl__qmp_param_add_string(gc, &args, "typename", "xen-pci-passthrough");
    check->qmp.callback = said_properties;

    return libxl__ev_qmp_send(egc, &check->qmp, "device-list-properties", args);
}

static void answered(libxl__egc *egc, libxl__ev_qmp *qmp,
                     const libxl__json_object *answer, int rc)
{
    struct check *check = CONTAINER_OF(qmp, *check, qmp);
    STATE_AO_GC(check->dcs->ao);
    const libxl_domain_build_info *info = &check->dcs->guest_config->b_info;

    if (rc)
        LOGD(ERROR, qmp->domid, "viommu: the device model does not say which "
             "devices it emulates");
    else
        rc = libxl__viommu_check_slots(gc, qmp->domid, info, answer);
    if (!rc && libxl_defbool_val(info->u.hvm.viommu.intremap)) {
        rc = ask_for_properties(egc, check);
        if (!rc)
            return;
    }
    finish(egc, check, rc);
}

static void timed_out(libxl__egc *egc, libxl__ev_time *ev,
                      const struct timeval *requested_abs, int rc)
{
    struct check *check = CONTAINER_OF(ev, *check, timeout);

    check->qmp.callback(egc, &check->qmp, NULL, rc);
}

void libxl__viommu_check_emulated(libxl__egc *egc,
                                  libxl__domain_create_state *dcs,
                                  libxl__viommu_checked *done)
{
    STATE_AO_GC(dcs->ao);
    struct check *check;
    int rc;

    if (!libxl__viommu_wanted(&dcs->guest_config->b_info)) {
        done(egc, dcs, 0);
        return;
    }

    GCNEW(check);
    check->dcs = dcs;
    check->done = done;
    libxl__ev_time_init(&check->timeout);
    libxl__ev_qmp_init(&check->qmp);
    check->qmp.ao = ao;
    check->qmp.domid = dcs->guest_domid;
    check->qmp.callback = answered;
    check->qmp.payload_fd = -1;

    rc = libxl__ev_time_register_rel(ao, &check->timeout, timed_out,
                                     LIBXL_QMP_CMD_TIMEOUT * 1000);
    if (!rc)
        rc = libxl__ev_qmp_send(egc, &check->qmp, "query-pci", NULL);
    if (rc)
        finish(egc, check, rc); /* must be last */
}

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
