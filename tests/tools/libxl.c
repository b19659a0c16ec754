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
    int create, bind, get_info; /* errno, 0: success */
    uint32_t quota;             /* that create was given */
    uint32_t bound_sbdf, bound_vsbdf;
    unsigned int creates, binds, deassigns;
    char monitor[64];           /* what the device model was told */
    bool rmrr;
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

int xc_viommu_create(xc_interface *xch, uint32_t domid, uint32_t table_pages)
{
    xen.creates++;
    xen.quota = table_pages;
    return answer(xen.create);
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
    libxl_device_pci *list = calloc(xen.nr_attached, sizeof(*list));

    memcpy(list, xen.attached, xen.nr_attached * sizeof(*list));
    *nr = xen.nr_attached;
    return xen.nr_attached ? list : NULL;
}

void libxl_device_pci_list_free(libxl_device_pci *list, int nr)
{
    free(list);
}

/* What libxl logged since the test began. */

static char logged[4096];

static void log_message(struct xentoollog_logger *logger,
                        xentoollog_level level, int errnoval,
                        const char *context, const char *format, va_list al)
{
    size_t n = strlen(logged);

    if (level >= XTL_ERROR)
        vsnprintf(logged + n, sizeof(logged) - n, format, al);
}

static xentoollog_logger logger = { .vmessage = log_message };
static libxl_ctx the_ctx;
static libxl__gc the_gc;
static libxl__gc *gc = &the_gc;

#define SAYS(text) CHECK(strstr(logged, text), "logged: \"%s\"", logged)
#define SILENT() CHECK(!logged[0], "logged: \"%s\"", logged)

/* A domain with viommu=1 and one device on a host that has all it needs. */

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
    logged[0] = '\0';

    libxl_domain_config_init(&config);
    config.c_info.type = LIBXL_DOMAIN_TYPE_HVM;
    libxl_domain_build_info_init_type(&config.b_info, LIBXL_DOMAIN_TYPE_HVM);
    libxl_defbool_set(&config.c_info.hap, true);
    libxl_defbool_set(&config.b_info.u.hvm.viommu.enable, true);
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
        CHECK(!xen.creates && !xen.binds && !xen.deassigns, "Xen was asked");
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

static void create_passes_the_quota(void)
{
    config.b_info.u.hvm.viommu.table_pages = 77;
    CHECK(!libxl__viommu_create(gc, 5, &config, &state), "%s", logged);
    CHECK(xen.creates == 1 && xen.quota == 77, "%u", xen.quota);
}

static void create_failure_names_the_cause(void)
{
    static const struct { int e; const char *says; } causes[] = {
        { EOPNOTSUPP, "no Intel VT-d" }, { ENOSYS, "does not know" },
        { EXDEV, "without passthrough" }, { EEXIST, "one already" },
        { EBUSY, "ran already" }, { ENOMEM, "out of memory" },
        { EIO, "unexpected" },
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(causes); i++) {
        reset();
        xen.create = causes[i].e;
        CHECK(libxl__viommu_create(gc, 5, &config, &state), "%s", "succeeded");
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

static void dmar_comes_before_the_users_tables(void)
{
    struct xc_dom_image dom = {};
    uint8_t user[] = "user's tables";

    CHECK(!libxl__viommu_firmware(gc, 5, &config.b_info, &dom), "%s", logged);
    CHECK(dom.acpi_modules[0].length == VIOMMU_DMAR_SIZE, "%u",
          dom.acpi_modules[0].length);
    CHECK(!memcmp(dom.acpi_modules[0].data, "DMAR", 4), " ");

    dom.acpi_modules[0].data = user;
    dom.acpi_modules[0].length = sizeof(user);
    CHECK(!libxl__viommu_firmware(gc, 5, &config.b_info, &dom), "%s", logged);
    CHECK(dom.acpi_modules[0].length == VIOMMU_DMAR_SIZE + sizeof(user), "%u",
          dom.acpi_modules[0].length);
    CHECK(!memcmp(dom.acpi_modules[0].data, "DMAR", 4), " ");
    CHECK(!memcmp(dom.acpi_modules[0].data + VIOMMU_DMAR_SIZE, user,
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
    CHECK(info.translation && !info.queue && !info.quarantined, "flags");
    CHECK(info.table_pages == 12, "%u", info.table_pages);
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
    RUN(create_failure_names_the_cause);
    RUN(restore_is_refused);
    RUN(dmar_comes_before_the_users_tables);
    RUN(bind_says_where_the_guest_sees_the_device);
    RUN(device_that_cannot_be_bound_is_deassigned);
    RUN(device_is_deassigned_when_the_unit_is_in_doubt);
    RUN(device_that_cannot_be_bound_is_unplugged);
    RUN(hotplug_takes_a_free_slot);
    RUN(hotplug_into_full_slots_is_refused);
    RUN(save_is_refused);
    RUN(info_names_every_counter);

    return TEST_RESULT;
}
