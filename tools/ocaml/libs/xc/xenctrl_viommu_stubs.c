/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xenctrl_viommu_stubs.c: Xenctrl_viommu, by way of xc_viommu_*.
 */
#define CAML_NAME_SPACE
#include <caml/alloc.h>
#include <caml/callback.h>
#include <caml/custom.h>
#include <caml/fail.h>
#include <caml/memory.h>

#include "xen-caml-compat.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <xenctrl.h>

static xc_interface *handle_of(value v)
{
    return *(xc_interface **)Data_custom_val(v);
}

static void raise_errno(void)
{
    char text[128];

    snprintf(text, sizeof(text), "%d: %s", errno, strerror(errno));
    caml_raise_with_string(*caml_named_value("xc.error"), text);
}

static bool is_u32(value v)
{
    return Long_val(v) >= 0 && Long_val(v) <= UINT32_MAX;
}

static uint32_t sbdf_of(value v)
{
    return (uint32_t)Int_val(Field(v, 0)) << 16 |
           (Int_val(Field(v, 1)) & 0xff) << 8 |
           (Int_val(Field(v, 2)) & 0x1f) << 3 | (Int_val(Field(v, 3)) & 7);
}

static value of_sbdf(uint32_t sbdf)
{
    value v = caml_alloc_tuple(4);

    Store_field(v, 0, Val_int(sbdf >> 16));
    Store_field(v, 1, Val_int((sbdf >> 8) & 0xff));
    Store_field(v, 2, Val_int((sbdf >> 3) & 0x1f));
    Store_field(v, 3, Val_int(sbdf & 7));

    return v;
}

CAMLprim value stub_xc_viommu_create(value xch, value domid, value table_pages,
                                     value overcommit, value intremap)
{
    CAMLparam5(xch, domid, table_pages, overcommit, intremap);

    if ( !is_u32(table_pages) )
        errno = EINVAL;
    else if ( !xc_viommu_create(handle_of(xch), Int_val(domid),
                                Long_val(table_pages),
                                (Bool_val(overcommit)
                                 ? XEN_VIOMMU_CREATE_overcommit : 0) |
                                (Bool_val(intremap)
                                 ? XEN_VIOMMU_CREATE_intremap : 0)) )
        CAMLreturn(Val_unit);

    raise_errno();
    CAMLreturn(Val_unit);
}

/* Fields are in the order of the OCaml type. */
CAMLprim value stub_xc_viommu_set(value xch, value domid, value v)
{
    CAMLparam3(xch, domid, v);
    xen_viommu_settings_t settings = {
        .mode = Int_val(Field(v, 0)),
        .teardown = Int_val(Field(v, 1)),
        .window_us = Long_val(Field(v, 2)),
        .quota = Long_val(Field(v, 3)),
        .fallback_us = Long_val(Field(v, 4)),
        .idle_us = Long_val(Field(v, 5)),
    };

    if ( !is_u32(Field(v, 2)) || !is_u32(Field(v, 3)) ||
         !is_u32(Field(v, 4)) || !is_u32(Field(v, 5)) )
        errno = EINVAL;
    else if ( !xc_viommu_set(handle_of(xch), Int_val(domid), &settings) )
        CAMLreturn(Val_unit);

    raise_errno();
    CAMLreturn(Val_unit);
}

static value of_settings(const xen_viommu_settings_t *settings)
{
    value v = caml_alloc_tuple(6);

    /* What a later Xen may add is not a value of the OCaml types. */
    Store_field(v, 0, Val_int(settings->mode == XEN_VIOMMU_MODE_sidecore));
    Store_field(v, 1,
                Val_int(settings->teardown == XEN_VIOMMU_TEARDOWN_optimistic));
    Store_field(v, 2, Val_long(settings->window_us));
    Store_field(v, 3, Val_long(settings->quota));
    Store_field(v, 4, Val_long(settings->fallback_us));
    Store_field(v, 5, Val_long(settings->idle_us));

    return v;
}

CAMLprim value stub_xc_viommu_bind(value xch, value domid, value host,
                                   value guest)
{
    CAMLparam4(xch, domid, host, guest);

    if ( xc_viommu_bind(handle_of(xch), Int_val(domid), sbdf_of(host),
                        sbdf_of(guest)) )
        raise_errno();

    CAMLreturn(Val_unit);
}

CAMLprim value stub_xc_viommu_unbind(value xch, value domid, value host)
{
    CAMLparam3(xch, domid, host);

    if ( xc_viommu_unbind(handle_of(xch), Int_val(domid), sbdf_of(host)) )
        raise_errno();

    CAMLreturn(Val_unit);
}

static value of_devices(const struct xc_viommu_info *info)
{
    CAMLparam0();
    CAMLlocal2(devices, device);
    unsigned int i;

    /* An empty array is an atom, and this makes one. */
    devices = caml_alloc(info->nr_devices, 0);
    for ( i = 0; i < info->nr_devices; i++ )
    {
        const xen_viommu_device_t *d = &info->devices[i];

        device = caml_alloc_tuple(4);
        Store_field(device, 0, of_sbdf(d->sbdf));
        Store_field(device, 1, of_sbdf(d->vsbdf));
        /* What a later Xen may add is not a value of the OCaml type. */
        Store_field(device, 2, Val_int(d->table <= XEN_VIOMMU_TABLE_blocked
                                       ? d->table : XEN_VIOMMU_TABLE_blocked));
        Store_field(device, 3, Val_int(d->domain));
        Store_field(devices, i, device);
    }

    CAMLreturn(devices);
}

static value of_counters(const struct xc_viommu_info *info)
{
    CAMLparam0();
    CAMLlocal2(counters, counter);
    static const struct {
        const char *name, *meaning;
    } all[] = {
#define COUNTER(name, what) { #name, what },
        XEN_VIOMMU_COUNTERS(COUNTER)
#undef COUNTER
    };
    unsigned int i;

    counters = caml_alloc(info->nr_counters, 0);
    for ( i = 0; i < info->nr_counters; i++ )
    {
        counter = caml_alloc_tuple(3);
        Store_field(counter, 0, caml_copy_string(all[i].name));
        Store_field(counter, 1, caml_copy_string(all[i].meaning));
        Store_field(counter, 2, caml_copy_int64(info->counters[i]));
        Store_field(counters, i, counter);
    }

    CAMLreturn(counters);
}

CAMLprim value stub_xc_viommu_get_info(value xch, value domid)
{
    CAMLparam2(xch, domid);
    CAMLlocal2(result, some);
    struct xc_viommu_info info;

    if ( xc_viommu_get_info(handle_of(xch), Int_val(domid), &info) )
    {
        if ( errno == ENOENT )
            CAMLreturn(Val_none);
        raise_errno();
    }

    result = caml_alloc_tuple(13);
    Store_field(result, 0, Val_int(info.table_pages));
    Store_field(result, 1,
                Val_bool(info.flags & XEN_VIOMMU_FLAG_translation));
    Store_field(result, 2, Val_bool(info.flags & XEN_VIOMMU_FLAG_queue));
    Store_field(result, 3,
                Val_bool(info.flags & XEN_VIOMMU_FLAG_quarantined));
    Store_field(result, 4, caml_copy_int64(info.cap));
    Store_field(result, 5, caml_copy_int64(info.ecap));
    Store_field(result, 6, of_settings(&info.settings));
    Store_field(result, 7, info.sidecore == DOMID_INVALID
                           ? Val_none
                           : caml_alloc_some(Val_int(info.sidecore)));
    Store_field(result, 8, Val_bool(info.flags & XEN_VIOMMU_FLAG_no_exit));
    Store_field(result, 9, Val_bool(info.flags & XEN_VIOMMU_FLAG_overcommit));
    Store_field(result, 10, Val_bool(info.flags & XEN_VIOMMU_FLAG_intremap));
    Store_field(result, 11, of_devices(&info));
    Store_field(result, 12, of_counters(&info));

    some = caml_alloc_some(result);

    CAMLreturn(some);
}

CAMLprim value stub_xc_viommu_sidecore_start(value xch, value domid)
{
    CAMLparam2(xch, domid);

    if ( xc_viommu_sidecore_start(handle_of(xch), Int_val(domid)) )
        raise_errno();

    CAMLreturn(Val_unit);
}

CAMLprim value stub_xc_viommu_sidecore_info(value xch, value domid)
{
    CAMLparam2(xch, domid);
    CAMLlocal2(result, some);
    struct xc_viommu_sidecore sidecore;

    if ( xc_viommu_sidecore_info(handle_of(xch), Int_val(domid), &sidecore) )
    {
        if ( errno == ENOENT )
            CAMLreturn(Val_none);
        raise_errno();
    }

    result = caml_alloc_tuple(6);
    Store_field(result, 0, Val_int(sidecore.nr_guests));
    Store_field(result, 1,
                Val_bool(sidecore.flags & XEN_VIOMMU_SIDECORE_asleep));
    Store_field(result, 2, caml_copy_int64(sidecore.polls));
    Store_field(result, 3, caml_copy_int64(sidecore.batches));
    Store_field(result, 4, caml_copy_int64(sidecore.wakeups));
    Store_field(result, 5, caml_copy_int64(sidecore.silent_us));

    some = caml_alloc_some(result);

    CAMLreturn(some);
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
