/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libxl.c: libxl_viommu.c itself, with a Xen that does as it is told.
 */
#include "libxl_osdeps.h"

#include "libxl_internal.h"
#include "libxl_viommu_guest.h"
#include "test.h"

/* The Xen and the xenstore that libxl_viommu.c talks to. */

static struct {
    int create, set, bind, get_info, sidecore; /* errno, 0: success */
    uint32_t quota, flags;      /* that create was given */
    xen_viommu_settings_t settings; /* that set was given */
    struct xc_viommu_sidecore sidecore_info;
    uint32_t bound_sbdf, bound_vsbdf;
    unsigned int creates, sets, binds, deassigns;
    char monitor[64];           /* what the device model was told */
    bool rmrr;
    int config, usbversion;     /* of a running domain */
    struct xc_viommu_info info;
    libxl_domain_type type;
    libxl_device_pci attached[20];
    int nr_attached;
} xen;

static int answer(int e)
{
    errno = e;
    return e ? -1 : 0;
}

int xc_viommu_create(xc_interface *xch, uint32_t domid, uint32_t table_pages,
                     uint32_t flags)
{
    xen.creates++;
    xen.quota = table_pages;
    xen.flags = flags;
    return answer(xen.create);
}

int xc_viommu_set(xc_interface *xch, uint32_t domid,
                  const xen_viommu_settings_t *settings)
{
    xen.sets++;
    xen.settings = *settings;
    return answer(xen.set);
}

int xc_viommu_sidecore_start(xc_interface *xch, uint32_t domid)
{
    return answer(xen.sidecore);
}

int xc_viommu_sidecore_info(xc_interface *xch, uint32_t domid,
                            struct xc_viommu_sidecore *sidecore)
{
    *sidecore = xen.sidecore_info;
    return answer(xen.sidecore);
}

int xc_viommu_bind(xc_interface *xch, uint32_t domid, uint32_t sbdf,
                   uint32_t vsbdf)
{
    xen.binds++;
    xen.bound_sbdf = sbdf;
    xen.bound_vsbdf = vsbdf;
    return answer(xen.bind);
}

int xc_viommu_get_info(xc_interface *xch, uint32_t domid,
                       struct xc_viommu_info *info)
{
    if (!xen.get_info)
        *info = xen.info;
    return answer(xen.get_info);
}

int xc_deassign_device(xc_interface *xch, uint32_t domid, uint32_t sbdf)
{
    xen.deassigns++;
    return 0;
}

int xc_reserved_device_memory_map(xc_interface *xch, uint32_t flags,
                                  uint16_t seg, uint8_t bus, uint8_t devfn,
                                  struct xen_reserved_device_memory entries[],
                                  uint32_t *max_entries)
{
    *max_entries = xen.rmrr;
    return answer(xen.rmrr ? ENOBUFS : 0);
}

int libxl__qmp_hmp(libxl__gc *gc, int domid, const char *command_line,
                   char **output)
{
    snprintf(xen.monitor, sizeof(xen.monitor), "%s", command_line);
    *output = strdup("");
    return 0;
}

int libxl__get_domain_configuration(libxl__gc *gc, uint32_t domid,
                                    libxl_domain_config *d_config)
{
    d_config->b_info.type = LIBXL_DOMAIN_TYPE_HVM;
    d_config->b_info.u.hvm.usbversion = xen.usbversion;
    return xen.config;
}

int libxl_get_stubdom_id(libxl_ctx *ctx, int domid)
{
    return 0;
}

libxl_domain_type libxl__domain_type(libxl__gc *gc, uint32_t domid)
{
    return xen.type;
}

libxl_device_pci *libxl_device_pci_list(libxl_ctx *ctx, uint32_t domid, int *nr)
{
    libxl_device_pci *list = NULL;

    *nr = xen.nr_attached;
    if (xen.nr_attached) {
        list = calloc(xen.nr_attached, sizeof(*list));
        memcpy(list, xen.attached, xen.nr_attached * sizeof(*list));
    }
    return list;
}

void libxl_device_pci_list_free(libxl_device_pci *list, int nr)
{
    free(list);
}

/* What libxl logged since the test began. */

static char logged[4096];
static xentoollog_level lowest; /* that counts */

static void log_message(struct xentoollog_logger *logger,
                        xentoollog_level level, int errnoval,
                        const char *context, const char *format, va_list al)
{
    size_t n = strlen(logged);

    if (level >= lowest)
        vsnprintf(logged + n, sizeof(logged) - n, format, al);
}

static xentoollog_logger logger = { .vmessage = log_message };
static libxl_ctx the_ctx;
static libxl__gc the_gc;
static libxl__gc *gc = &the_gc;

#define SAYS(text) CHECK(strstr(logged, text), "logged: \"%s\"", logged)
#define SILENT() CHECK(!logged[0], "logged: \"%s\"", logged)

/* A domain with viommu=1 and one device on a host that has all it needs. */

static const xen_viommu_settings_t defaults = XEN_VIOMMU_DEFAULT_SETTINGS;
static libxl_domain_config config;
static libxl__domain_build_state state;
static libxl_physinfo physinfo;
static libxl_device_pci pcis[20];

static void reset(void)
{
    memset(&xen, 0, sizeof(xen));
    xen.type = LIBXL_DOMAIN_TYPE_HVM;
    xen.info.cap = 47ULL << 16;
    xen.info.nr_counters = XEN_VIOMMU_NR_COUNTERS;
    xen.info.settings = defaults;
    xen.info.sidecore = DOMID_INVALID;
    logged[0] = '\0';
    lowest = XTL_ERROR;

    libxl_domain_config_init(&config);
    config.c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    libxl_domain_build_info_init_type(&config.b_info, LIBXL_DOMAIN_TYPE_HVM);
    libxl_defbool_set(&config.c_info.hap, true);
    libxl_defbool_set(&config.b_info.u.hvm.viommu.enable, true);
    config.b_info.target_memkb = config.b_info.max_memkb = 1 << 19;
    memset(pcis, 0, sizeof(pcis));
    for (unsigned int i = 0; i < ARRAY_SIZE(pcis); i++)
        pcis[i].bus = i + 1;
    config.pcidevs = pcis;
    config.num_pcidevs = 1;
    libxl_physinfo_init(&physinfo);
    physinfo.cap_hvm_directio = true;
    memset(&state, 0, sizeof(state));
}

static int setdefault(void)
{
    return libxl__viommu_setdefault(gc, 5, &config, &physinfo);
}

static void viommu_turns_passthrough_on(void)
{
    CHECK(!setdefault(), "%s", logged);
    CHECK(config.c_info.passthrough == LIBXL_PASSTHROUGH_ENABLED, "%d",
          config.c_info.passthrough);
    CHECK(config.b_info.u.hvm.viommu.mode == LIBXL_VIOMMU_MODE_TRAP, "%d",
          config.b_info.u.hvm.viommu.mode);
    CHECK(config.b_info.u.hvm.viommu.type == LIBXL_VIOMMU_TYPE_VTD, "%d",
          config.b_info.u.hvm.viommu.type);
    reset();
    config.c_info.passthrough = LIBXL_PASSTHROUGH_SYNC_PT;
    CHECK(!setdefault(), "%s", logged);
    CHECK(config.c_info.passthrough == LIBXL_PASSTHROUGH_SYNC_PT, "%d",
          config.c_info.passthrough);
}

static void without_viommu_nothing_changes(void)
{
    struct xc_dom_image dom = {};

    for (unsigned int set = 0; set < 2; set++) {
        reset();
        config.b_info.u.hvm.viommu.enable = (libxl_defbool){ 0 };
        if (set)
            libxl_defbool_set(&config.b_info.u.hvm.viommu.enable, false);
        pcis[0].vdevfn = 5 << 3;
        xen.get_info = ENOENT;
        physinfo.cap_hvm_directio = false;
        CHECK(!setdefault(), "%s", logged);
        CHECK(config.c_info.passthrough == LIBXL_PASSTHROUGH_DEFAULT, "%d",
              config.c_info.passthrough);
        CHECK(pcis[0].vdevfn == 5 << 3, "%#x", pcis[0].vdevfn);
        CHECK(!libxl__viommu_create(gc, 5, &config, &state), "%s", logged);
        CHECK(!libxl__viommu_firmware(gc, 5, &config.b_info, &dom), "%s",
              logged);
        CHECK(!libxl__viommu_place_hotplug(gc, 5, &pcis[1]), "%s", logged);
        CHECK(!libxl__viommu_bind(gc, 5, &pcis[0], true), "%s", logged);
        CHECK(!libxl__viommu_refuse_save(gc, 5), "%s", logged);
        CHECK(!xen.creates && !xen.sets && !xen.binds && !xen.deassigns,
              "Xen was asked");
        CHECK(!dom.acpi_modules[0].length, "%u", dom.acpi_modules[0].length);
        CHECK(!pcis[1].vdevfn, "%#x", pcis[1].vdevfn);
        SILENT();
    }
}

static void xen_that_does_not_know_viommu_is_no_error_without_it(void)
{
    static const int none[] = { ENOENT, EOPNOTSUPP, ENOSYS };

    for (unsigned int i = 0; i < ARRAY_SIZE(none); i++) {
        xen.get_info = none[i];
        CHECK(!libxl__viommu_bind(gc, 5, &pcis[0], true), "%s", logged);
        CHECK(!libxl__viommu_refuse_save(gc, 5), "%s", logged);
    }
    xen.type = LIBXL_DOMAIN_TYPE_PV;
    xen.get_info = EIO;
    CHECK(!libxl__viommu_bind(gc, 5, &pcis[0], true), "%s", logged);
    CHECK(!xen.binds && !xen.deassigns, "Xen was asked");
    SILENT();
}

static void host_without_iommu_is_refused(void)
{
    physinfo.cap_hvm_directio = false;
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("no IOMMU");
}

static void passthrough_disabled_is_refused(void)
{
    config.c_info.passthrough = LIBXL_PASSTHROUGH_DISABLED;
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("passthrough=\"disabled\"");
}

static void no_hap_is_refused(void)
{
    libxl_defbool_set(&config.c_info.hap, false);
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("hap=1");
}

static void nested_hvm_is_refused(void)
{
    libxl_defbool_set(&config.b_info.nested_hvm, true);
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("nestedhvm");
    reset();
    libxl_defbool_set(&config.b_info.nested_hvm, false);
    CHECK(!setdefault(), "%s", logged);
}

static void altp2m_is_refused(void)
{
    config.b_info.altp2m = LIBXL_ALTP2M_MODE_EXTERNAL;
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("altp2m");
    reset();
    libxl_defbool_set(&config.b_info.u.hvm.altp2m, true);
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("altp2m");
}

static void no_acpi_is_refused(void)
{
    libxl_defbool_set(&config.b_info.acpi, false);
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("acpi=0");
}

static void devices_get_slots_from_10_up(void)
{
    config.num_pcidevs = 4;
    pcis[1].vdevfn = 0x10 << 3;
    pcis[3].vdevfn = 0x12 << 3;
    CHECK(!setdefault(), "%s", logged);
    CHECK(pcis[0].vdevfn == 0x11 << 3, "%#x", pcis[0].vdevfn);
    CHECK(pcis[1].vdevfn == 0x10 << 3, "%#x", pcis[1].vdevfn);
    CHECK(pcis[2].vdevfn == 0x13 << 3, "%#x", pcis[2].vdevfn);
    CHECK(pcis[3].vdevfn == 0x12 << 3, "%#x", pcis[3].vdevfn);
    /* libxl does this more than once to a configuration. */
    CHECK(!setdefault() && pcis[0].vdevfn == 0x11 << 3, "%s", logged);
}

static void vslot_outside_is_refused(void)
{
    static const unsigned int outside[] = { 1, 5, 0xf, 0x20, 0x1000 };

    for (unsigned int i = 0; i < ARRAY_SIZE(outside); i++) {
        reset();
        pcis[0].vdevfn = outside[i] << 3;
        CHECK(setdefault() == ERROR_INVAL, "slot %#x", outside[i]);
        SAYS("0000:01:00.0");
        SAYS("slots 0x10 to 0x1f");
    }
    reset();
    pcis[0].vdevfn = 0x1f << 3;
    CHECK(!setdefault(), "%s", logged);
}

static void vslot_given_twice_is_refused(void)
{
    config.num_pcidevs = 2;
    pcis[0].vdevfn = pcis[1].vdevfn = 0x15 << 3;
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("0000:02:00.0: vslot 0x15 is taken");
}

static void seventeenth_device_is_refused(void)
{
    config.num_pcidevs = 16;
    CHECK(!setdefault(), "%s", logged);
    CHECK(pcis[15].vdevfn == 0x1f << 3, "%#x", pcis[15].vdevfn);
    reset();
    config.num_pcidevs = 17;
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("0000:11:00.0: all 16 slots");
}

static void all_functions_at_once_is_refused(void)
{
    pcis[0].vfunc_mask = LIBXL_PCI_FUNC_ALL;
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("one by one");
}

/* As Xen sets it aside: a guest that does not fit is refused, and no other. */
static void tables_count_as_memory_that_a_domain_needs(void)
{
    libxl_domain_build_info *info = &config.b_info;
    uint64_t with, without;

    info->shadow_memkb = info->iommu_memkb = 0;
    info->video_memkb = 0;
    libxl_defbool_set(&info->device_model_stubdomain, false);
    CHECK(!setdefault(), "%s", logged);
    CHECK(info->u.hvm.viommu.table_pages ==
          XEN_VIOMMU_TABLE_PAGES(info->max_memkb / 4), "%u",
          info->u.hvm.viommu.table_pages);
    CHECK(!libxl__viommu_create(gc, 5, &config, &state), "%s", logged);
    CHECK(xen.quota == info->u.hvm.viommu.table_pages, "%u", xen.quota);

    info->u.hvm.viommu.table_pages = 5120;
    CHECK(!libxl__domain_need_memory_calculate(gc, info, &with), " ");
    libxl_defbool_set(&info->u.hvm.viommu.enable, false);
    CHECK(!libxl__domain_need_memory_calculate(gc, info, &without), " ");
    CHECK(with - without == 5120 * 4, "%"PRIu64" %"PRIu64, with, without);
}

static void create_passes_the_quota(void)
{
    config.b_info.u.hvm.viommu.table_pages = 77;
    CHECK(!libxl__viommu_create(gc, 5, &config, &state), "%s", logged);
    CHECK(xen.creates == 1 && xen.quota == 77, "%u", xen.quota);
}

static int same(const xen_viommu_settings_t *a, const xen_viommu_settings_t *b)
{
    return a->mode == b->mode && a->teardown == b->teardown &&
           a->window_us == b->window_us && a->quota == b->quota &&
           a->fallback_us == b->fallback_us && a->idle_us == b->idle_us;
}

/* All six at once, none as Xen's default has it. */
static const libxl_viommu all_named = {
    .mode = LIBXL_VIOMMU_MODE_SIDECORE,
    .teardown = LIBXL_VIOMMU_TEARDOWN_STRICT,
    .window_us = 11, .quota = 12, .fallback_us = 1013, .idle_us = 1014,
};
static const xen_viommu_settings_t all_set = {
    .mode = XEN_VIOMMU_MODE_sidecore,
    .teardown = XEN_VIOMMU_TEARDOWN_strict,
    .window_us = 11, .quota = 12, .fallback_us = 1013, .idle_us = 1014,
};

static void new_unit_is_set_to_xens_defaults(void)
{
    libxl_viommu *viommu = &config.b_info.u.hvm.viommu;

    CHECK(!setdefault(), "%s", logged);
    CHECK(viommu->mode == LIBXL_VIOMMU_MODE_TRAP &&
          viommu->teardown == LIBXL_VIOMMU_TEARDOWN_OPTIMISTIC &&
          viommu->window_us == 5000 && viommu->quota == 4096 &&
          viommu->fallback_us == 20000 && viommu->idle_us == 100000,
          "%d %d %u %u %u %u", viommu->mode, viommu->teardown,
          viommu->window_us, viommu->quota, viommu->fallback_us,
          viommu->idle_us);
    CHECK(!libxl__viommu_create(gc, 5, &config, &state), "%s", logged);
    CHECK(xen.sets == 1 && same(&xen.settings, &defaults), "%u", xen.sets);
}

static void new_unit_is_set_as_the_configuration_says(void)
{
    libxl_viommu *viommu = &config.b_info.u.hvm.viommu;
    xen_viommu_settings_t expected = defaults;

    *viommu = all_named;
    libxl_defbool_set(&viommu->enable, true);
    CHECK(!setdefault(), "%s", logged);
    CHECK(!libxl__viommu_create(gc, 5, &config, &state), "%s", logged);
    CHECK(xen.sets == 1 && same(&xen.settings, &all_set), "%u", xen.sets);

    reset();
    viommu->quota = expected.quota = 9;
    CHECK(!setdefault(), "%s", logged);
    CHECK(!libxl__viommu_create(gc, 5, &config, &state), "%s", logged);
    CHECK(same(&xen.settings, &expected), "%u", xen.settings.quota);
}

static const struct { libxl_viommu viommu; const char *says; } outside[] = {
    { { .window_us = 1000001 }, "window_us=1000001 is not between 1 and" },
    { { .quota = 65537 }, "quota=65537 is not between 1 and 65536" },
    { { .fallback_us = 999 }, "fallback_us=999 is not between 1000 and" },
    { { .fallback_us = 1000001 }, "fallback_us=1000001 is not" },
    { { .idle_us = 999 }, "idle_us=999 is not between 1000 and 60000000" },
    { { .idle_us = 60000001 }, "idle_us=60000001 is not" },
};
static const libxl_viommu inside[] = {
    { .window_us = 1000000, .quota = 65536, .fallback_us = 1000000,
      .idle_us = 60000000 },
    { .window_us = 1, .quota = 1, .fallback_us = 1000, .idle_us = 1000 },
};

static void setting_out_of_range_is_refused(void)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(outside); i++) {
        reset();
        config.b_info.u.hvm.viommu = outside[i].viommu;
        libxl_defbool_set(&config.b_info.u.hvm.viommu.enable, true);
        CHECK(setdefault() == ERROR_INVAL, "%s", outside[i].says);
        SAYS(outside[i].says);

        reset();
        CHECK(libxl_viommu_set(&the_ctx, 5, &outside[i].viommu) == ERROR_INVAL,
              "%s", outside[i].says);
        SAYS(outside[i].says);
        CHECK(!xen.sets, "Xen was asked");
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(inside); i++) {
        reset();
        CHECK(!libxl_viommu_set(&the_ctx, 5, &inside[i]), "%s", logged);
        CHECK(xen.settings.window_us == inside[i].window_us &&
              xen.settings.quota == inside[i].quota &&
              xen.settings.fallback_us == inside[i].fallback_us &&
              xen.settings.idle_us == inside[i].idle_us, "%u", i);
    }
}

static void sidecore_mode_without_a_sidecore_is_refused(void)
{
    xen.set = ENXIO;
    config.b_info.u.hvm.viommu.mode = LIBXL_VIOMMU_MODE_SIDECORE;
    CHECK(!setdefault(), "%s", logged);
    CHECK(libxl__viommu_create(gc, 5, &config, &state) == ERROR_NOT_READY, " ");
    SAYS("no sidecore runs; start one with xl viommu-sidecore-start");

    logged[0] = '\0';
    CHECK(libxl_viommu_set(&the_ctx, 5, &all_named) == ERROR_NOT_READY, " ");
    SAYS("no sidecore runs; start one with xl viommu-sidecore-start");
}

static void less_memory_than_the_maximum_is_overcommit(void)
{
    CHECK(!setdefault(), "%s", logged);
    CHECK(!libxl__viommu_create(gc, 5, &config, &state), "%s", logged);
    CHECK(!xen.flags, "%#x", xen.flags);
    reset();
    config.b_info.target_memkb--;
    CHECK(!setdefault(), "%s", logged);
    CHECK(!libxl__viommu_create(gc, 5, &config, &state), "%s", logged);
    CHECK(xen.flags == XEN_VIOMMU_CREATE_overcommit, "%#x", xen.flags);
}

static void interrupts_are_remapped_if_asked_for(void)
{
    libxl_defbool *asked = &config.b_info.u.hvm.viommu.intremap;

    libxl_defbool_set(asked, true);
    CHECK(!setdefault(), "%s", logged);
    CHECK(!libxl__viommu_create(gc, 5, &config, &state), "%s", logged);
    CHECK(xen.flags == XEN_VIOMMU_CREATE_intremap, "%#x", xen.flags);

    libxl_defbool_set(&config.b_info.u.hvm.pirq, true);
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("hvm_pirq=1");
    libxl_defbool_set(&config.b_info.u.hvm.pirq, false);
    libxl_defbool_set(&config.b_info.u.hvm.apic, false);
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("apic=0");

    /* Neither matters without it. */
    libxl_defbool_set(asked, false);
    libxl_defbool_set(&config.b_info.u.hvm.pirq, true);
    CHECK(!setdefault(), "%s", logged);
}

static void only_creation_has_interrupts_remapped(void)
{
    libxl_viommu change;

    libxl_viommu_init(&change);
    libxl_defbool_set(&change.intremap, true);
    CHECK(libxl_viommu_set(&the_ctx, 5, &change) == ERROR_INVAL, " ");
    SAYS("intremap cannot be changed");
}

/*
 * A domain begins with one amount of memory, is given another one while it
 * runs, and starts anew: *flags is what its unit is created with then.
 */
static void start_anew(uint64_t first_kb, uint64_t then_kb, uint32_t *flags)
{
    libxl_domain_config saved;

    /* What libxl keeps, and what it makes the new domain of. */
    libxl_domain_config_init(&saved);
    saved.c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    libxl_domain_build_info_init_type(&saved.b_info, LIBXL_DOMAIN_TYPE_HVM);
    libxl_defbool_set(&saved.b_info.u.hvm.viommu.enable, true);

    reset();
    config.b_info.target_memkb = first_kb;
    CHECK(!setdefault(), "%s", logged);
    libxl__viommu_keep(&saved, &config);

    reset();
    config.b_info.u.hvm.viommu = saved.b_info.u.hvm.viommu;
    config.b_info.target_memkb = then_kb;
    CHECK(!setdefault(), "%s", logged);
    CHECK(!libxl__viommu_create(gc, 5, &config, &state), "%s", logged);
    *flags = xen.flags;
}

static void overcommit_is_what_the_configuration_said_first(void)
{
    const uint64_t max = config.b_info.max_memkb;
    uint32_t flags;

    start_anew(max, max - 1024, &flags);
    CHECK(!flags, "%#x", flags);
    /* It is not populated on demand, so it has all of its memory. */
    CHECK(config.b_info.target_memkb == max, "%"PRIu64,
          config.b_info.target_memkb);

    start_anew(max - 2048, max, &flags);
    CHECK(flags == XEN_VIOMMU_CREATE_overcommit, "%#x", flags);
    CHECK(config.b_info.target_memkb == max, "%"PRIu64,
          config.b_info.target_memkb);

    start_anew(max - 2048, max - 1024, &flags);
    CHECK(flags == XEN_VIOMMU_CREATE_overcommit, "%#x", flags);
    CHECK(config.b_info.target_memkb == max - 1024, "%"PRIu64,
          config.b_info.target_memkb);
}

static void nothing_is_kept_of_a_domain_without_viommu(void)
{
    libxl_domain_config saved;

    libxl_domain_config_init(&saved);
    saved.c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    libxl_domain_build_info_init_type(&saved.b_info, LIBXL_DOMAIN_TYPE_HVM);
    libxl_defbool_set(&config.b_info.u.hvm.viommu.enable, false);
    CHECK(!setdefault(), "%s", logged);
    libxl__viommu_keep(&saved, &config);
    CHECK(libxl_defbool_is_default(saved.b_info.u.hvm.viommu.overcommit), " ");

    config.b_info.type = LIBXL_DOMAIN_TYPE_PVH;
    libxl__viommu_keep(&saved, &config);
    CHECK(libxl_defbool_is_default(saved.b_info.u.hvm.viommu.overcommit), " ");
}

static void set_leaves_what_is_not_named(void)
{
    static const libxl_viommu one[] = {
        { .mode = LIBXL_VIOMMU_MODE_TRAP },
        { .teardown = LIBXL_VIOMMU_TEARDOWN_OPTIMISTIC },
        { .window_us = 21 }, { .quota = 22 }, { .fallback_us = 1023 },
        { .idle_us = 1024 },
    };
    xen_viommu_settings_t expected[ARRAY_SIZE(one)];

    for (unsigned int i = 0; i < ARRAY_SIZE(one); i++)
        expected[i] = all_set;
    expected[0].mode = XEN_VIOMMU_MODE_trap;
    expected[1].teardown = XEN_VIOMMU_TEARDOWN_optimistic;
    expected[2].window_us = 21;
    expected[3].quota = 22;
    expected[4].fallback_us = 1023;
    expected[5].idle_us = 1024;

    for (unsigned int i = 0; i < ARRAY_SIZE(one); i++) {
        reset();
        xen.info.settings = all_set;
        CHECK(!libxl_viommu_set(&the_ctx, 5, &one[i]), "%s", logged);
        CHECK(xen.sets == 1 && same(&xen.settings, &expected[i]), "%u", i);
    }
}

static void set_cannot_change_the_table_quota(void)
{
    libxl_viommu viommu = { .quota = 5, .table_pages = 5 };

    CHECK(libxl_viommu_set(&the_ctx, 5, &viommu) == ERROR_INVAL, " ");
    SAYS("table_pages cannot be changed");
    CHECK(!xen.sets, "Xen was asked");
}

static void set_failure_is_told_by_value(void)
{
    xen.get_info = ENOENT;
    CHECK(libxl_viommu_set(&the_ctx, 5, &all_named) == ERROR_NOTFOUND, " ");
    xen.get_info = ESRCH;
    CHECK(libxl_viommu_set(&the_ctx, 5, &all_named) == ERROR_DOMAIN_NOTFOUND,
          " ");
    SILENT();
    CHECK(!xen.sets, "Xen was asked");

    xen.get_info = 0;
    xen.set = ENOMEM;
    CHECK(libxl_viommu_set(&the_ctx, 5, &all_named) == ERROR_NOMEM, " ");
    SAYS("quota=12");
    xen.set = EIO;
    CHECK(libxl_viommu_set(&the_ctx, 5, &all_named) == ERROR_FAIL, " ");
    SAYS("refuses the settings");
}

static void sidecore_start_failure_names_the_cause(void)
{
    static const struct { int e; const char *says; } causes[] = {
        { EOPNOTSUPP, "no Intel VT-d" }, { ENOSYS, "does not know" },
        { ESRCH, "no such domain" }, { EINVAL, "no PVH domain" },
        { EEXIST, "one already" }, { ENOMEM, "out of memory" },
        { ENOSPC, "Xen has its most, 16" }, { EIO, "unexpected" },
    };

    CHECK(!libxl_viommu_sidecore_start(&the_ctx, 5), "%s", logged);
    SILENT();
    for (unsigned int i = 0; i < ARRAY_SIZE(causes); i++) {
        reset();
        xen.sidecore = causes[i].e;
        CHECK(libxl_viommu_sidecore_start(&the_ctx, 5) == ERROR_FAIL, "%s",
              causes[i].says);
        SAYS(causes[i].says);
    }
}

static void sidecore_info_is_whole(void)
{
    static const int none[] = { ENOENT, ESRCH, EINVAL, EOPNOTSUPP, ENOSYS };
    libxl_viommu_sidecore sidecore;

    xen.sidecore_info = (struct xc_viommu_sidecore) {
        .nr_guests = 1, .flags = XEN_VIOMMU_SIDECORE_asleep,
        .polls = 2ULL << 40, .batches = 3ULL << 40, .wakeups = 4ULL << 40,
        .silent_us = 5ULL << 40,
    };
    CHECK(!libxl_viommu_sidecore_get_info(&the_ctx, 5, &sidecore), "%s",
          logged);
    CHECK(sidecore.nr_guests == 1 && sidecore.asleep &&
          sidecore.polls == 2ULL << 40 && sidecore.batches == 3ULL << 40 &&
          sidecore.wakeups == 4ULL << 40 && sidecore.silent_us == 5ULL << 40,
          "another");

    for (unsigned int i = 0; i < ARRAY_SIZE(none); i++) {
        xen.sidecore = none[i];
        CHECK(libxl_viommu_sidecore_get_info(&the_ctx, 5, &sidecore) ==
              ERROR_NOTFOUND, "%d", none[i]);
    }
    SILENT();
    xen.sidecore = EIO;
    CHECK(libxl_viommu_sidecore_get_info(&the_ctx, 5, &sidecore) ==
          ERROR_FAIL, " ");
    SAYS("no information");
}

static void create_failure_names_the_cause(void)
{
    static const struct { int e; const char *says; } causes[] = {
        { EOPNOTSUPP, "no Intel VT-d" }, { ENOSYS, "does not know" },
        { EXDEV, "without passthrough" }, { EEXIST, "one already" },
        { EBUSY, "ran already" },
        { ENOMEM, "not enough memory for table_pages=" },
        { EIO, "unexpected" },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(causes); i++) {
        reset();
        xen.create = causes[i].e;
        CHECK(libxl__viommu_create(gc, 5, &config, &state), "%s", "succeeded");
        CHECK(!xen.sets, "a unit that is not there was set");
        SAYS(causes[i].says);
    }
}

static void restore_is_refused(void)
{
    state.restore = true;
    CHECK(libxl__viommu_create(gc, 5, &config, &state), " ");
    SAYS("cannot be restored");
    CHECK(!xen.creates, " ");
}

static void soft_reset_leaves_the_unit_as_it_is(void)
{
    state.soft_reset = true;
    CHECK(!setdefault(), "%s", logged);
    CHECK(!libxl__viommu_create(gc, 5, &config, &state), "%s", logged);
    CHECK(!xen.creates && !xen.sets, "%u %u", xen.creates, xen.sets);
    SILENT();

    xen.get_info = ENOENT;
    CHECK(libxl__viommu_create(gc, 5, &config, &state) == ERROR_INVAL, " ");
    SAYS("has none");
    xen.get_info = EIO;
    CHECK(libxl__viommu_create(gc, 5, &config, &state), " ");
    CHECK(!xen.creates && !xen.sets, "%u %u", xen.creates, xen.sets);
}

/* Without interrupt remapping, and so without the scope of an IOAPIC. */
#define DMAR_SIZE (VIOMMU_DMAR_SIZE - 8)

static void dmar_comes_before_the_users_tables(void)
{
    struct xc_dom_image dom = {};
    uint8_t user[] = "user's tables";

    CHECK(!libxl__viommu_firmware(gc, 5, &config.b_info, &dom), "%s", logged);
    CHECK(dom.acpi_modules[0].length == DMAR_SIZE, "%u",
          dom.acpi_modules[0].length);
    CHECK(!memcmp(dom.acpi_modules[0].data, "DMAR", 4), " ");

    dom.acpi_modules[0].data = user;
    dom.acpi_modules[0].length = sizeof(user);
    CHECK(!libxl__viommu_firmware(gc, 5, &config.b_info, &dom), "%s", logged);
    CHECK(dom.acpi_modules[0].length == DMAR_SIZE + sizeof(user), "%u",
          dom.acpi_modules[0].length);
    CHECK(!memcmp(dom.acpi_modules[0].data, "DMAR", 4), " ");
    CHECK(!memcmp(dom.acpi_modules[0].data + DMAR_SIZE, user,
                  sizeof(user)), " ");
}

static void bind_says_where_the_guest_sees_the_device(void)
{
    libxl_device_pci pci = { .domain = 1, .bus = 2, .dev = 3, .func = 4,
                             .vdevfn = 0x12 << 3 };

    CHECK(!libxl__viommu_bind(gc, 5, &pci, true), "%s", logged);
    CHECK(xen.bound_sbdf == 0x1021c, "%#x", xen.bound_sbdf);
    CHECK(xen.bound_vsbdf == 0x90, "%#x", xen.bound_vsbdf);
    CHECK(!xen.deassigns, " ");
}

static void device_that_cannot_be_bound_is_deassigned(void)
{
    static const struct { int e; const char *says; } causes[] = {
        { EOPNOTSUPP, "RMRR" }, { EOPNOTSUPP, "legacy PCI bridge" },
        { ERANGE, "another slot" }, { EEXIST, "bound already" },
        { ENODEV, "not assigned" }, { ENOSPC, "domain ID" },
        { ENOMEM, "memory" }, { EIO, "unexpected" },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(causes); i++) {
        reset();
        xen.bind = causes[i].e;
        xen.rmrr = !strcmp(causes[i].says, "RMRR");
        CHECK(libxl__viommu_bind(gc, 5, &pcis[0], true) == ERROR_FAIL, " ");
        CHECK(xen.deassigns == 1, "%u", xen.deassigns);
        SAYS(causes[i].says);
        SAYS("0000:01:00.0");
    }
}

static void device_is_deassigned_when_the_unit_is_in_doubt(void)
{
    xen.get_info = EACCES;
    CHECK(libxl__viommu_bind(gc, 5, &pcis[0], true) == ERROR_FAIL, " ");
    CHECK(!xen.binds && xen.deassigns == 1, "%u", xen.deassigns);
}

static void device_that_cannot_be_bound_is_unplugged(void)
{
    xen.bind = EOPNOTSUPP;
    pcis[0].dev = 0x1a;
    CHECK(libxl__viommu_bind(gc, 5, &pcis[0], true) == ERROR_FAIL, " ");
    CHECK(!xen.monitor[0], "%s", xen.monitor);
    CHECK(libxl__viommu_bind(gc, 5, &pcis[0], false) == ERROR_FAIL, " ");
    CHECK(!strcmp(xen.monitor, "device_del pci-pt-01_1a.0"), "%s",
          xen.monitor);
}

static void hotplug_takes_a_free_slot(void)
{
    /* One that Xen knows of, and one that so far only xenstore knows of. */
    xen.info.nr_devices = 1;
    xen.info.devices[0].vsbdf = 0x10 << 3;
    xen.nr_attached = 2;
    xen.attached[0].vdevfn = 0x10 << 3;
    xen.attached[1].vdevfn = 0x11 << 3;
    CHECK(!libxl__viommu_place_hotplug(gc, 5, &pcis[0]), "%s", logged);
    CHECK(pcis[0].vdevfn == 0x12 << 3, "%#x", pcis[0].vdevfn);

    pcis[1].vdevfn = 0x11 << 3;
    CHECK(libxl__viommu_place_hotplug(gc, 5, &pcis[1]), " ");
    SAYS("taken");
    pcis[1].vdevfn = 4 << 3;
    CHECK(libxl__viommu_place_hotplug(gc, 5, &pcis[1]), " ");
    SAYS("slots 0x10 to 0x1f");
}

/* The EHCI controller of the device model is in slot 1d. */
static void slot_of_usb_2_is_left_to_it(void)
{
    struct xc_dom_image dom = {};

    config.b_info.u.hvm.usbversion = 2;
    config.num_pcidevs = 14;
    pcis[0].vdevfn = 0x1f << 3;
    CHECK(!setdefault(), "%s", logged);
    for (unsigned int i = 0; i < 14; i++)
        CHECK(pcis[i].vdevfn >> 3 != 0x1d, "device %u", i);
    CHECK(!libxl__viommu_firmware(gc, 5, &config.b_info, &dom), "%s", logged);
    CHECK(dom.acpi_modules[0].length == DMAR_SIZE - 64, "%u",
          dom.acpi_modules[0].length);

    reset();
    config.b_info.u.hvm.usbversion = 2;
    config.num_pcidevs = 16;
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("slots behind the guest's IOMMU are taken");

    reset();
    config.b_info.u.hvm.usbversion = 2;
    pcis[0].vdevfn = 0x1d << 3;
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("vslot 0x1d is taken");

    reset();
    xen.usbversion = 2;
    pcis[0].vdevfn = 0x1d << 3;
    CHECK(libxl__viommu_place_hotplug(gc, 5, &pcis[0]), " ");
    SAYS("vslot 0x1d is taken");

    reset();
    xen.config = ERROR_FAIL;
    CHECK(libxl__viommu_place_hotplug(gc, 5, &pcis[0]), " ");
    SAYS("no configuration");
}

static void device_model_that_does_not_say_what_it_has_is_refused(void)
{
    config.b_info.device_model_version =
        LIBXL_DEVICE_MODEL_VERSION_QEMU_XEN_TRADITIONAL;
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("qemu-xen-traditional");
    reset();
    config.b_info.device_model_version = LIBXL_DEVICE_MODEL_VERSION_QEMU_XEN;
    CHECK(!setdefault(), "%s", logged);
}

static void gfx_passthru_is_refused(void)
{
    libxl_defbool_set(&config.b_info.u.hvm.gfx_passthru, true);
    CHECK(setdefault() == ERROR_INVAL, " ");
    SAYS("gfx_passthru");
}

/* It works if its kernel plays along, which nobody can know. */
static void driver_domain_is_warned(void)
{
    lowest = XTL_WARN;
    libxl_defbool_set(&config.c_info.driver_domain, true);
    CHECK(!setdefault(), "%s", logged);
    SAYS("iommu=pt");
    reset();
    lowest = XTL_WARN;
    libxl_defbool_set(&config.c_info.driver_domain, false);
    CHECK(!setdefault(), "%s", logged);
    SILENT();
}

static void hotplug_into_full_slots_is_refused(void)
{
    xen.nr_attached = 16;
    for (unsigned int i = 0; i < 16; i++)
        xen.attached[i].vdevfn = (0x10 + i) << 3;
    CHECK(libxl__viommu_place_hotplug(gc, 5, &pcis[0]), " ");
    SAYS("all 16 slots");
}

static void save_is_refused(void)
{
    CHECK(libxl__viommu_refuse_save(gc, 5) == ERROR_INVAL, " ");
    SAYS("cannot be saved or migrated");
}

static void info_names_every_counter(void)
{
    libxl_viommu_info info;
    unsigned int i;

    xen.info.flags = XEN_VIOMMU_FLAG_translation;
    xen.info.table_pages = 12;
    xen.info.nr_devices = 1;
    xen.info.devices[0] = (xen_viommu_device_t) {
        .sbdf = 0x300, .vsbdf = 0x80, .table = XEN_VIOMMU_TABLE_shadow,
        .domain = 9,
    };
    xen.info.counters[XEN_VIOMMU_CNT_syncs] = ~0ULL;
    CHECK(!libxl_viommu_get_info(&the_ctx, 5, &info), "%s", logged);
    CHECK(info.translation && !info.queue && !info.quarantined &&
          !info.overcommit && !info.no_exit, "flags");
    CHECK(info.settings.table_pages == 12, "%u", info.settings.table_pages);
    CHECK(info.num_devices == 1 && info.devices[0].sbdf == 0x300 &&
          info.devices[0].vsbdf == 0x80 && info.devices[0].domain == 9 &&
          info.devices[0].table == LIBXL_VIOMMU_TABLE_SHADOW, "device");
    CHECK(info.num_counters == XEN_VIOMMU_NR_COUNTERS, "%d",
          info.num_counters);
    for (i = 0; i < info.num_counters; i++)
        CHECK(*info.counters[i].name && *info.counters[i].meaning &&
              info.counters[i].value == (i == XEN_VIOMMU_CNT_syncs ? ~0ULL : 0),
              "%s", info.counters[i].name);
    CHECK(!strcmp(info.counters[XEN_VIOMMU_CNT_syncs].name, "syncs"), "%s",
          info.counters[XEN_VIOMMU_CNT_syncs].name);
    libxl_viommu_info_dispose(&info);

    xen.get_info = ENOENT;
    CHECK(libxl_viommu_get_info(&the_ctx, 5, &info) == ERROR_NOTFOUND, " ");
    SILENT();
}

static void info_shows_every_setting(void)
{
    libxl_viommu_info info;

    CHECK(!libxl_viommu_get_info(&the_ctx, 5, &info), "%s", logged);
    CHECK(info.settings.mode == LIBXL_VIOMMU_MODE_TRAP &&
          info.settings.teardown == LIBXL_VIOMMU_TEARDOWN_OPTIMISTIC &&
          info.sidecore == INVALID_DOMID, "%d %d %u", info.settings.mode,
          info.settings.teardown, info.sidecore);
    libxl_viommu_info_dispose(&info);

    xen.info.settings = all_set;
    xen.info.sidecore = 7;
    xen.info.flags = XEN_VIOMMU_FLAG_no_exit | XEN_VIOMMU_FLAG_overcommit;
    CHECK(!libxl_viommu_get_info(&the_ctx, 5, &info), "%s", logged);
    CHECK(info.settings.mode == all_named.mode &&
          info.settings.teardown == all_named.teardown &&
          info.settings.window_us == all_named.window_us &&
          info.settings.quota == all_named.quota &&
          info.settings.fallback_us == all_named.fallback_us &&
          info.settings.idle_us == all_named.idle_us, "settings");
    CHECK(info.sidecore == 7 && info.no_exit && info.overcommit &&
          libxl_defbool_val(info.settings.overcommit), "%u", info.sidecore);
    CHECK(info.settings.type == LIBXL_VIOMMU_TYPE_VTD, "%d",
          info.settings.type);
    libxl_viommu_info_dispose(&info);
}

#undef RUN
#define RUN(test) do {                                          \
        reset();                                                \
        test_bad = 0;                                           \
        test();                                                 \
        printf("%s %s\n", test_bad ? "FAIL" : "ok", #test);     \
        test_any_bad |= test_bad;                               \
        libxl__free_all(gc);                                    \
    } while (0)

int main(void)
{
    the_ctx.lg = &logger;
    the_ctx.nogc_gc.alloc_maxsize = -1;
    the_ctx.nogc_gc.owner = &the_ctx;
    LIBXL_INIT_GC(the_gc, &the_ctx);

    RUN(viommu_turns_passthrough_on);
    RUN(without_viommu_nothing_changes);
    RUN(xen_that_does_not_know_viommu_is_no_error_without_it);
    RUN(host_without_iommu_is_refused);
    RUN(passthrough_disabled_is_refused);
    RUN(no_hap_is_refused);
    RUN(nested_hvm_is_refused);
    RUN(altp2m_is_refused);
    RUN(no_acpi_is_refused);
    RUN(devices_get_slots_from_10_up);
    RUN(vslot_outside_is_refused);
    RUN(vslot_given_twice_is_refused);
    RUN(seventeenth_device_is_refused);
    RUN(all_functions_at_once_is_refused);
    RUN(create_passes_the_quota);
    RUN(tables_count_as_memory_that_a_domain_needs);
    RUN(new_unit_is_set_to_xens_defaults);
    RUN(new_unit_is_set_as_the_configuration_says);
    RUN(setting_out_of_range_is_refused);
    RUN(sidecore_mode_without_a_sidecore_is_refused);
    RUN(less_memory_than_the_maximum_is_overcommit);
    RUN(interrupts_are_remapped_if_asked_for);
    RUN(only_creation_has_interrupts_remapped);
    RUN(overcommit_is_what_the_configuration_said_first);
    RUN(nothing_is_kept_of_a_domain_without_viommu);
    RUN(set_leaves_what_is_not_named);
    RUN(set_cannot_change_the_table_quota);
    RUN(set_failure_is_told_by_value);
    RUN(sidecore_start_failure_names_the_cause);
    RUN(sidecore_info_is_whole);
    RUN(create_failure_names_the_cause);
    RUN(restore_is_refused);
    RUN(soft_reset_leaves_the_unit_as_it_is);
    RUN(dmar_comes_before_the_users_tables);
    RUN(bind_says_where_the_guest_sees_the_device);
    RUN(device_that_cannot_be_bound_is_deassigned);
    RUN(device_is_deassigned_when_the_unit_is_in_doubt);
    RUN(device_that_cannot_be_bound_is_unplugged);
    RUN(hotplug_takes_a_free_slot);
    RUN(hotplug_into_full_slots_is_refused);
    RUN(slot_of_usb_2_is_left_to_it);
    RUN(device_model_that_does_not_say_what_it_has_is_refused);
    RUN(gfx_passthru_is_refused);
    RUN(driver_domain_is_warned);
    RUN(save_is_refused);
    RUN(info_names_every_counter);
    RUN(info_shows_every_setting);

    return TEST_RESULT;
}
