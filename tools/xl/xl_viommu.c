/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl_viommu.c: viommu= of a domain's configuration, xl viommu-info and
 * xl viommu-set.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <libxlutil.h>

#include "xl.h"
#include "xl_utils.h"
#include "xl_viommu.h"

#define ECAP_SC (1U << 7) /* VT-d, 10.4.3: snoop control */

#define SBDF_LEN sizeof("ssss:bb:dd.f")

void parse_viommu_config(const XLU_Config *config,
                         libxl_domain_build_info *b_info)
{
    const char *text;
    char why[256];

    switch (xlu_cfg_get_string(config, "viommu", &text, 0)) {
    case ESRCH:
        return;
    case 0:
        break;
    default:
        fprintf(stderr, "xl: viommu is neither a number nor a string\n");
        exit(EXIT_FAILURE);
    }

    if (b_info->type != LIBXL_DOMAIN_TYPE_HVM) {
        fprintf(stderr, "xl: viommu=\"%s\": only a domain of type=\"hvm\" can "
                "have it, not \"%s\"\n", text,
                libxl_domain_type_to_string(b_info->type));
        exit(EXIT_FAILURE);
    }

    if (viommu_parse(text, &b_info->u.hvm.viommu, why, sizeof(why))) {
        fprintf(stderr, "xl: viommu=\"%s\": %s\n", text, why);
        exit(EXIT_FAILURE);
    }
}

static const char *sbdf(char *text, uint32_t n)
{
    snprintf(text, SBDF_LEN, "%04x:%02x:%02x.%x", n >> 16, (n >> 8) & 0xff,
             (n >> 3) & 0x1f, n & 7);
    return text;
}

static const char *table_name(const libxl_viommu_device *device)
{
    const char *name = libxl_viommu_table_to_string(device->table);

    return name ? name : "unknown";
}

static void print_text(const libxl_viommu_info *info)
{
    const libxl_viommu *set = &info->settings;
    char host[SBDF_LEN], guest[SBDF_LEN];
    unsigned int i;

    printf("type               : %s\n", libxl_viommu_type_to_string(set->type));
    printf("mode               : %s\n", libxl_viommu_mode_to_string(set->mode));
    printf("teardown           : %s\n",
           libxl_viommu_teardown_to_string(set->teardown));
    printf("window_us          : %"PRIu32"\n", set->window_us);
    printf("quota              : %"PRIu32" (of stale pages)\n", set->quota);
    printf("fallback_us        : %"PRIu32"\n", set->fallback_us);
    printf("idle_us            : %"PRIu32"\n", set->idle_us);
    printf("table_pages        : %"PRIu32" (quota of shadow table pages)\n",
           set->table_pages);
    if (info->sidecore == INVALID_DOMID)
        printf("sidecore           : none\n");
    else
        printf("sidecore           : domain %"PRIu32"\n", info->sidecore);
    printf("no_exit            : %s\n", info->no_exit
           ? "yes" : "no (register accesses trap now)");
    printf("overcommit         : %s\n", info->overcommit ? "yes" : "no");
    printf("cap                : 0x%016"PRIx64"\n", info->cap);
    printf("ecap               : 0x%016"PRIx64"\n", info->ecap);
    printf("snoop control      : %s\n", info->ecap & ECAP_SC
           ? "yes" : "no (a hypervisor in the guest may ask for it)");
    printf("translation        : %s\n", info->translation ? "on" : "off");
    printf("queue              : %s\n", info->queue ? "on" : "off");
    if (libxl_defbool_val(set->intremap))
        printf("intremap           : %s\n", info->intremap ? "on" : "off");
    if (info->quarantined)
        printf("quarantined        : the host failed; all DMA is blocked\n");

    printf("devices            : %d\n", info->num_devices);
    for (i = 0; i < info->num_devices; i++) {
        printf("  host %s, guest %s, table %s",
               sbdf(host, info->devices[i].sbdf),
               sbdf(guest, info->devices[i].vsbdf),
               table_name(&info->devices[i]));
        if (info->devices[i].table == LIBXL_VIOMMU_TABLE_SHADOW)
            printf(" of guest domain %"PRIu32, info->devices[i].domain);
        printf("\n");
    }

    printf("counters\n");
    for (i = 0; i < info->num_counters; i++)
        printf("  %-18s %12"PRIu64"  %s\n", info->counters[i].name,
               info->counters[i].value, info->counters[i].meaning);
}

/*
 * All strings but the domain's name are our own and need no escapes, and which
 * JSON library xl has differs: so printf will do.
 */
static void print_json(uint32_t domid, const char *domain,
                       const libxl_viommu_info *info)
{
    const libxl_viommu *set = &info->settings;
    char host[SBDF_LEN], guest[SBDF_LEN], sidecore[16] = "null";
    unsigned int i;

    if (info->sidecore != INVALID_DOMID)
        snprintf(sidecore, sizeof(sidecore), "%"PRIu32, info->sidecore);

    printf("{\"domain\":%s,\"domid\":%"PRIu32",\"type\":\"%s\""
           ",\"mode\":\"%s\""
           ",\"table_pages\":%"PRIu32",\"translation\":%s,\"queue\":%s"
           ",\"quarantined\":%s"
           ",\"cap\":\"0x%016"PRIx64"\",\"ecap\":\"0x%016"PRIx64"\""
           ",\"snoop_control\":%s",
           domain, domid, libxl_viommu_type_to_string(set->type),
           libxl_viommu_mode_to_string(set->mode),
           set->table_pages,
           info->translation ? "true" : "false", info->queue ? "true" : "false",
           info->quarantined ? "true" : "false", info->cap, info->ecap,
           info->ecap & ECAP_SC ? "true" : "false");
    printf(",\"teardown\":\"%s\",\"window_us\":%"PRIu32",\"quota\":%"PRIu32
           ",\"fallback_us\":%"PRIu32",\"idle_us\":%"PRIu32",\"sidecore\":%s"
           ",\"no_exit\":%s,\"overcommit\":%s,\"intremap\":%s"
           ",\"devices\":[",
           libxl_viommu_teardown_to_string(set->teardown), set->window_us,
           set->quota, set->fallback_us, set->idle_us, sidecore,
           info->no_exit ? "true" : "false",
           info->overcommit ? "true" : "false",
           !libxl_defbool_val(set->intremap) ? "null"
           : info->intremap ? "true" : "false");
    for (i = 0; i < info->num_devices; i++)
        printf("%s{\"host\":\"%s\",\"guest\":\"%s\",\"table\":\"%s\""
               ",\"domain\":%"PRIu32"}", i ? "," : "",
               sbdf(host, info->devices[i].sbdf),
               sbdf(guest, info->devices[i].vsbdf),
               table_name(&info->devices[i]), info->devices[i].domain);
    printf("],\"counters\":{");
    for (i = 0; i < info->num_counters; i++)
        printf("%s\"%s\":%"PRIu64, i ? "," : "", info->counters[i].name,
               info->counters[i].value);
    printf("}}\n");
}

static int failed(int rc, const char *verb, const char *domain)
{
    if (rc == ERROR_NOTFOUND)
        fprintf(stderr, "xl: domain %s has no viommu\n", domain);
    else if (rc == ERROR_DOMAIN_NOTFOUND)
        fprintf(stderr, "xl: there is no domain %s\n", domain);
    else
        fprintf(stderr, "xl: cannot %s the viommu of domain %s\n", verb,
                domain);

    return EXIT_FAILURE;
}

int main_viommu_info(int argc, char **argv)
{
    static const struct option opts[] = {
        {"json", 0, 0, 'j'},
        COMMON_LONG_OPTS
    };
    libxl_viommu_info info;
    uint32_t domid;
    bool json = false;
    int opt, rc;

    SWITCH_FOREACH_OPT(opt, "j", opts, "viommu-info", 1) {
    case 'j':
        json = true;
        break;
    }

    domid = find_domain(argv[optind]);

    rc = libxl_viommu_get_info(ctx, domid, &info);
    if (rc)
        return failed(rc, "read", argv[optind]);

    if (json) {
        char *name = viommu_json_string(libxl_domid_to_name(ctx, domid));

        print_json(domid, name, &info);
        free(name);
    } else
        print_text(&info);

    libxl_viommu_info_dispose(&info);

    return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main_viommu_set(int argc, char **argv)
{
    const char *domain;
    char why[256], *text;
    libxl_viommu viommu;
    uint32_t domid;
    int opt, rc;

    SWITCH_FOREACH_OPT(opt, "", NULL, "viommu-set", 2) {
        /* No options */
    }

    domain = argv[optind++];
    domid = find_domain(domain);

    libxl_viommu_init(&viommu);
    text = xstrdup(argv[optind]);
    while (++optind < argc) {
        string_realloc_append(&text, ",");
        string_realloc_append(&text, argv[optind]);
    }
    rc = viommu_parse_settings(text, true, &viommu, why, sizeof(why));
    free(text);
    if (rc) {
        fprintf(stderr, "xl: %s\n", why);
        return EXIT_FAILURE;
    }

    rc = libxl_viommu_set(ctx, domid, &viommu);

    return rc ? failed(rc, "change", domain) : EXIT_SUCCESS;
}

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
