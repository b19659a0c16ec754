/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl_viommu_sidecore.c: xl viommu-sidecore-start, -stop and -list.
 *
 * A sidecore is a tiny PVH domain that has a CPU to itself: the CPU is taken
 * out of Pool-0 into a cpupool of its own, with the null scheduler, so that
 * nothing else ever runs there. Domain and pool have the same name, which says
 * the CPU.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libxl.h>
#include <libxl_utils.h>
#include <libxlutil.h>

#include "xl.h"
#include "xl_utils.h"
#include "xl_viommu.h"

#define PREFIX "viommu-sidecore-"
#define NAME_LEN (sizeof(PREFIX) + 10)
#define KERNEL XENFIRMWAREDIR "/viommu-sidecore"
#define LOCK XEN_LOCK_DIR "/xl-viommu-sidecore"
#define POOL0 0

/* Starting and stopping take several steps: one at a time, until xl ends. */
static int lock(void)
{
    int fd = open(LOCK, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0 || lockf(fd, F_LOCK, 0)) {
        fprintf(stderr, "xl: cannot lock %s: %s\n", LOCK, strerror(errno));
        return -1;
    }

    return 0;
}

static void name_of(char name[NAME_LEN], unsigned int cpu)
{
    snprintf(name, NAME_LEN, PREFIX "%u", cpu);
}

static bool is_ours(const char *name)
{
    return name && !strncmp(name, PREFIX, strlen(PREFIX));
}

static int parse_cpu(const char *text, int *cpu)
{
    char *end;
    long n;

    errno = 0;
    n = strtol(text, &end, 10);
    if (end == text || *end || errno || n < 0 || n > INT_MAX) {
        fprintf(stderr, "xl: --cpu %s: not a CPU\n", text);
        return -1;
    }
    *cpu = n;

    return 0;
}

/* Gives the CPUs of an empty pool back to Pool-0, and ends the pool. */
static int end_pool(uint32_t poolid)
{
    libxl_cpupoolinfo pool;
    int rc;

    libxl_cpupoolinfo_init(&pool);
    rc = libxl_cpupool_info(ctx, &pool, poolid);
    if (!rc)
        rc = libxl_cpupool_destroy(ctx, poolid);
    if (rc)
        fprintf(stderr, "xl: cpupool %s cannot be removed; it keeps its CPU\n",
                pool.pool_name ? pool.pool_name : "of the sidecore");
    else if (libxl_cpupool_cpuadd_cpumap(ctx, POOL0, &pool.cpumap)) {
        fprintf(stderr, "xl: a CPU of cpupool %s is in no pool now\n",
                pool.pool_name);
        rc = ERROR_FAIL;
    }
    libxl_cpupoolinfo_dispose(&pool);

    return rc;
}

/* The pools of sidecores that ended otherwise, by xl destroy for example. */
static void end_pools_left_over(void)
{
    int i, nr;
    libxl_cpupoolinfo *pools = libxl_list_cpupool(ctx, &nr);

    for (i = 0; pools && i < nr; i++)
        if (!pools[i].n_dom && is_ours(pools[i].pool_name))
            end_pool(pools[i].poolid);
    if (pools)
        libxl_cpupoolinfo_list_free(pools, nr);
}

/* Would the vCPU have nowhere to run in Pool-0 without the CPU? */
static bool only_there(const libxl_bitmap *hard, const libxl_bitmap *pool,
                       int cpu)
{
    int i;

    if (!libxl_bitmap_test(hard, cpu))
        return false;
    libxl_for_each_set_bit(i, *hard)
        if (i != cpu && libxl_bitmap_test(pool, i))
            return false;

    return true;
}

/*
 * Xen would undo the pinning of a vCPU whose only CPU leaves the pool. Returns
 * 1 with *domid one that has such a vCPU, 0 if none has, or -1.
 */
static int is_pinned_to(const libxl_bitmap *pool, int cpu, uint32_t *domid)
{
    libxl_dominfo *domains;
    libxl_vcpuinfo *vcpus;
    int i, j, nr, nr_vcpus, nr_cpus, found = 0;

    domains = libxl_list_domain(ctx, &nr);
    if (!domains)
        return -1;

    for (i = 0; i < nr && !found; i++) {
        if (domains[i].cpupool != POOL0)
            continue;
        vcpus = libxl_list_vcpu(ctx, domains[i].domid, &nr_vcpus, &nr_cpus);
        if (!vcpus)
            continue; /* it has just gone */
        for (j = 0; j < nr_vcpus && !found; j++)
            found = only_there(&vcpus[j].cpumap, pool, cpu);
        *domid = domains[i].domid;
        libxl_vcpuinfo_list_free(vcpus, nr_vcpus);
    }
    libxl_dominfo_list_free(domains, nr);

    return found;
}

/*
 * Chooses *cpu, if that is -1, or says why it cannot be had. *taken: it is in
 * Pool-0, not in none.
 */
static int choose_cpu(int *cpu, bool *taken)
{
    char name[NAME_LEN];
    libxl_cpupoolinfo pool;
    libxl_bitmap unused;
    uint32_t domid = 0;
    int i, rc = -1;

    libxl_cpupoolinfo_init(&pool);
    libxl_bitmap_init(&unused);
    if (libxl_cpupool_info(ctx, &pool, POOL0) ||
        libxl_get_freecpus(ctx, &unused)) {
        fprintf(stderr, "xl: cannot read which CPUs there are\n");
        goto out;
    }

    *taken = true;
    if (*cpu < 0) {
        if (libxl_bitmap_count_set(&pool.cpumap) > 1)
            for (i = pool.cpumap.size * 8 - 1; i >= 0 && *cpu < 0; i--)
                if (libxl_bitmap_test(&pool.cpumap, i) &&
                    !is_pinned_to(&pool.cpumap, i, &domid))
                    *cpu = i;
        if (*cpu < 0) {
            fprintf(stderr, "xl: Pool-0 has no CPU to spare: it needs one "
                    "itself, and no vCPU may be pinned to the one that is "
                    "taken\n");
            goto out;
        }
    } else if (libxl_bitmap_test(&unused, *cpu)) {
        *taken = false;
    } else if (!libxl_bitmap_test(&pool.cpumap, *cpu)) {
        name_of(name, *cpu);
        fprintf(stderr, libxl_name_to_domid(ctx, name, &domid)
                ? "xl: CPU %d does not exist, or is in another cpupool than "
                  "Pool-0\n"
                : "xl: CPU %d has a sidecore already\n", *cpu);
        goto out;
    } else if (libxl_bitmap_count_set(&pool.cpumap) == 1) {
        fprintf(stderr, "xl: CPU %d is the only one of Pool-0\n", *cpu);
        goto out;
    } else {
        switch (is_pinned_to(&pool.cpumap, *cpu, &domid)) {
        case 0:
            break;
        case 1:
            fprintf(stderr, "xl: CPU %d: a vCPU of domain %"PRIu32" is pinned "
                    "to it; xl vcpu-pin moves that\n", *cpu, domid);
            goto out;
        default:
            fprintf(stderr, "xl: cannot read what is pinned to CPU %d\n", *cpu);
            goto out;
        }
    }

    rc = 0;

 out:
    libxl_bitmap_dispose(&unused);
    libxl_cpupoolinfo_dispose(&pool);
    return rc;
}

static int create_pool(const char *name, uint32_t *poolid)
{
    libxl_bitmap none;
    libxl_uuid uuid;
    int rc;

    /* No CPU yet, so that it can only fail for want of the scheduler. */
    libxl_bitmap_init(&none);
    libxl_uuid_generate(&uuid);
    *poolid = LIBXL_CPUPOOL_POOLID_ANY;
    rc = libxl_cpupool_create(ctx, name, LIBXL_SCHEDULER_NULL, none, &uuid,
                              poolid);
    if (rc) {
        *poolid = LIBXL_CPUPOOL_POOLID_ANY;
        rc = libxl_cpupool_create(ctx, name, LIBXL_SCHEDULER_CREDIT, none,
                                  &uuid, poolid);
        if (!rc)
            fprintf(stderr, "xl: warning: Xen has no null scheduler "
                    "(CONFIG_SCHED_NULL), so cpupool %s has credit: the "
                    "sidecore will be interrupted by its timer\n", name);
    }
    if (rc)
        fprintf(stderr, "xl: cannot create cpupool %s\n", name);

    return rc;
}

/* Returns its ID, or less than 0. */
static int create_paused(const char *name, int cpu)
{
    struct domain_create dom_info = {
        .paused = 1,
        .quiet = 1,
        .ignore_global_affinity_masks = 1, /* they may exclude this CPU */
        .config_file = "/dev/null",
        .migrate_fd = -1,
        .send_back_fd = -1,
    };
    int domid;

    xasprintf(&dom_info.extra_config,
              "name=\"%s\"\n"
              "type=\"pvh\"\n"
              "kernel=\"" KERNEL "\"\n"
              "memory=8\n"
              "vcpus=1\n"
              "pool=\"%s\"\n"
              "cpus=\"%d\"\n", name, name, cpu);
    domid = create_domain(&dom_info);
    free(dom_info.extra_config);

    if (domid < 0)
        fprintf(stderr, "xl: cannot create domain %s\n", name);

    return domid;
}

static int start(int cpu)
{
    char name[NAME_LEN];
    bool taken = false, have_pool = false;
    uint32_t poolid;
    int domid = -1;

    if (access(KERNEL, R_OK)) {
        fprintf(stderr, "xl: %s: %s\n", KERNEL, strerror(errno));
        return -1;
    }

    end_pools_left_over();

    if (choose_cpu(&cpu, &taken))
        return -1;
    name_of(name, cpu);

    if (taken && libxl_cpupool_cpuremove(ctx, POOL0, cpu)) {
        fprintf(stderr, "xl: CPU %d cannot be taken out of Pool-0\n", cpu);
        return -1;
    }

    if (create_pool(name, &poolid))
        goto undo;
    have_pool = true;
    if (libxl_cpupool_cpuadd(ctx, poolid, cpu)) {
        fprintf(stderr, "xl: CPU %d cannot be put into cpupool %s\n", cpu,
                name);
        goto undo;
    }

    domid = create_paused(name, cpu);
    if (domid < 0)
        goto undo;

    /* Before it runs: its first poll would fail, and it would end. */
    if (libxl_viommu_sidecore_start(ctx, domid) ||
        libxl_domain_unpause(ctx, domid, NULL)) {
        fprintf(stderr, "xl: domain %s cannot be a sidecore\n", name);
        goto undo;
    }

    printf("%s: domain %d on CPU %d\n", name, domid, cpu);

    return 0;

 undo:
    if (domid >= 0)
        libxl_domain_destroy(ctx, domid, NULL);
    if (have_pool)
        libxl_cpupool_destroy(ctx, poolid);
    if (taken && libxl_cpupool_cpuadd(ctx, POOL0, cpu))
        fprintf(stderr, "xl: CPU %d is in no pool now\n", cpu);

    return -1;
}

int main_viommu_sidecore_start(int argc, char **argv)
{
    static const struct option opts[] = {
        {"cpu", 1, 0, 'c'},
        COMMON_LONG_OPTS
    };
    int opt, cpu = -1;

    SWITCH_FOREACH_OPT(opt, "c:", opts, "viommu-sidecore-start", 0) {
    case 'c':
        if (parse_cpu(optarg, &cpu))
            return EXIT_FAILURE;
        break;
    }
    if (optind < argc) {
        help("viommu-sidecore-start");
        return EXIT_FAILURE;
    }

    return lock() || start(cpu) ? EXIT_FAILURE : EXIT_SUCCESS;
}

struct sidecore {
    uint32_t domid, poolid;
    int cpu;
    libxl_viommu_sidecore info;
};

/* All sidecores, in *list (to be freed); returns how many, or -1. */
static int list_sidecores(struct sidecore **list)
{
    libxl_dominfo *domains;
    libxl_vcpuinfo *vcpus;
    int i, nr, nr_vcpus, nr_cpus, nr_sidecores = 0;

    *list = NULL;
    domains = libxl_list_domain(ctx, &nr);
    if (!domains) {
        fprintf(stderr, "xl: cannot list the domains\n");
        return -1;
    }

    *list = xcalloc(nr, sizeof(**list));
    for (i = 0; i < nr; i++) {
        struct sidecore *s = *list + nr_sidecores;
        int rc = libxl_viommu_sidecore_get_info(ctx, domains[i].domid,
                                                &s->info);

        if (rc == ERROR_NOTFOUND)
            continue;
        if (rc) {
            fprintf(stderr, "xl: cannot read whether domain %"PRIu32" is a "
                    "sidecore\n", domains[i].domid);
            nr_sidecores = -1;
            break;
        }
        s->domid = domains[i].domid;
        s->poolid = domains[i].cpupool;
        s->cpu = -1;
        vcpus = libxl_list_vcpu(ctx, s->domid, &nr_vcpus, &nr_cpus);
        if (vcpus) {
            s->cpu = vcpus[0].cpu;
            libxl_vcpuinfo_list_free(vcpus, nr_vcpus);
        }
        nr_sidecores++;
    }
    libxl_dominfo_list_free(domains, nr);

    return nr_sidecores;
}

static int stop(uint32_t domid, uint32_t poolid)
{
    char *name = libxl_cpupoolid_to_name(ctx, poolid);
    int rc;

    rc = libxl_domain_destroy(ctx, domid, NULL);
    if (rc)
        fprintf(stderr, "xl: domain %"PRIu32" cannot be destroyed\n", domid);
    else if (is_ours(name))
        rc = end_pool(poolid);
    free(name);

    return rc;
}

int main_viommu_sidecore_stop(int argc, char **argv)
{
    static const struct option opts[] = {
        {"cpu", 1, 0, 'c'},
        COMMON_LONG_OPTS
    };
    struct sidecore *list, *s = NULL;
    char name[NAME_LEN];
    uint32_t domid = INVALID_DOMID, poolid;
    int opt, i, nr, cpu = -1, rc = -1;

    SWITCH_FOREACH_OPT(opt, "c:", opts, "viommu-sidecore-stop", 0) {
    case 'c':
        if (parse_cpu(optarg, &cpu))
            return EXIT_FAILURE;
        break;
    }
    if (argc - optind > (cpu < 0)) {
        help("viommu-sidecore-stop");
        return EXIT_FAILURE;
    }
    if (optind < argc)
        domid = find_domain(argv[optind]);

    if (lock())
        return EXIT_FAILURE;
    nr = list_sidecores(&list);
    if (nr < 0)
        goto out;

    for (i = 0; i < nr && !s; i++)
        if (domid != INVALID_DOMID ? list[i].domid == domid
                                   : cpu < 0 || list[i].cpu == cpu)
            s = &list[i];

    if (domid == INVALID_DOMID && cpu < 0 && nr > 1)
        fprintf(stderr, "xl: %d sidecores run; which one is it to be, by "
                "domain or --cpu? xl viommu-sidecore-list shows them\n", nr);
    else if (s)
        rc = stop(s->domid, s->poolid);
    else if (domid != INVALID_DOMID)
        fprintf(stderr, "xl: domain %s is no sidecore\n", argv[optind]);
    else if (cpu < 0)
        fprintf(stderr, "xl: no sidecore runs\n");
    else {
        /* One that was destroyed otherwise leaves its pool. */
        name_of(name, cpu);
        if (libxl_name_to_cpupoolid(ctx, name, &poolid))
            fprintf(stderr, "xl: no sidecore runs on CPU %d\n", cpu);
        else
            rc = end_pool(poolid);
    }

 out:
    free(list);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void print_text(const struct sidecore *list, int nr)
{
    char *name, *pool;
    int i;

    printf("%-24s %5s %4s %6s %-6s %12s %12s %9s %11s  %s\n", "domain", "domid",
           "cpu", "guests", "state", "polls", "batches", "wakeups", "silent_us",
           "pool");
    for (i = 0; i < nr; i++) {
        name = libxl_domid_to_name(ctx, list[i].domid);
        pool = libxl_cpupoolid_to_name(ctx, list[i].poolid);
        printf("%-24s %5"PRIu32" %4d %6"PRIu32" %-6s %12"PRIu64" %12"PRIu64
               " %9"PRIu64" %11"PRIu64"  %s\n", name ? name : "?",
               list[i].domid, list[i].cpu, list[i].info.nr_guests,
               list[i].info.asleep ? "asleep" : "polls", list[i].info.polls,
               list[i].info.batches, list[i].info.wakeups,
               list[i].info.silent_us, pool ? pool : "?");
        free(name);
        free(pool);
    }
}

static void print_json(const struct sidecore *list, int nr)
{
    char *name, *pool;
    int i;

    printf("[");
    for (i = 0; i < nr; i++) {
        name = viommu_json_string(libxl_domid_to_name(ctx, list[i].domid));
        pool = viommu_json_string(libxl_cpupoolid_to_name(ctx,
                                                          list[i].poolid));
        printf("%s{\"domain\":%s,\"domid\":%"PRIu32",\"cpu\":%d,\"pool\":%s"
               ",\"guests\":%"PRIu32",\"polls\":%"PRIu64",\"batches\":%"PRIu64
               ",\"wakeups\":%"PRIu64",\"asleep\":%s,\"silent_us\":%"PRIu64"}",
               i ? "," : "", name, list[i].domid, list[i].cpu, pool,
               list[i].info.nr_guests, list[i].info.polls,
               list[i].info.batches, list[i].info.wakeups,
               list[i].info.asleep ? "true" : "false", list[i].info.silent_us);
        free(name);
        free(pool);
    }
    printf("]\n");
}

int main_viommu_sidecore_list(int argc, char **argv)
{
    static const struct option opts[] = {
        {"json", 0, 0, 'j'},
        COMMON_LONG_OPTS
    };
    struct sidecore *list;
    bool json = false;
    int opt, nr;

    SWITCH_FOREACH_OPT(opt, "j", opts, "viommu-sidecore-list", 0) {
    case 'j':
        json = true;
        break;
    }
    if (optind < argc) {
        help("viommu-sidecore-list");
        return EXIT_FAILURE;
    }

    nr = list_sidecores(&list);
    if (nr < 0) {
        free(list);
        return EXIT_FAILURE;
    }
    if (json)
        print_json(list, nr);
    else
        print_text(list, nr);
    free(list);

    return fflush(stdout) || ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
