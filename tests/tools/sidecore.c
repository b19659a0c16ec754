/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sidecore.c: xl viommu-sidecore-start, -stop and -list, xl_viommu_sidecore.c
 * itself, on a host that is kept here.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <libxl.h>
#include <libxl_utils.h>

#include "xl.h"
#include "xl_utils.h"
#include "xl_viommu.h"
#include "test.h"

/* ---- The host: 4 CPUs; pools; domains of one vCPU ---- */

#define CPUS 4
#define NONE (-1)

struct pool {
    bool exists;
    char name[32];
    libxl_scheduler sched;
};

struct dom {
    bool exists, is_sidecore, paused;
    char name[32];
    int pool;
    unsigned int hard; /* CPUs that its vCPU may run on */
};

static struct host {
    int pool_of[CPUS];
    struct pool pools[4];
    struct dom doms[6];
} host;

static bool no_null;            /* the scheduler */
static const char *fails;       /* the step that does not work */
static bool gone;               /* list_vcpu finds no domain */

static int step(const char *name)
{
    return fails && !strcmp(fails, name) ? ERROR_FAIL : 0;
}

static int doms_in(int pool)
{
    int i, n = 0;

    for (i = 0; i < 6; i++)
        n += host.doms[i].exists && host.doms[i].pool == pool;

    return n;
}

static void fill(libxl_bitmap *map, unsigned int bits)
{
    map->size = 1;
    map->map = calloc(1, 1);
    *map->map = bits;
}

static unsigned int cpus_of(int pool)
{
    unsigned int bits = 0;
    int i;

    for (i = 0; i < CPUS; i++)
        bits |= (host.pool_of[i] == pool) << i;

    return bits;
}

int libxl_cpupool_info(libxl_ctx *c, libxl_cpupoolinfo *info, uint32_t id)
{
    if (id >= 4 || !host.pools[id].exists)
        return ERROR_FAIL;
    info->poolid = id;
    info->pool_name = strdup(host.pools[id].name);
    info->sched = host.pools[id].sched;
    info->n_dom = doms_in(id);
    fill(&info->cpumap, cpus_of(id));
    return 0;
}

libxl_cpupoolinfo *libxl_list_cpupool(libxl_ctx *c, int *nr)
{
    libxl_cpupoolinfo *list = calloc(4, sizeof(*list));
    int i;

    for (i = *nr = 0; i < 4; i++)
        if (host.pools[i].exists)
            libxl_cpupool_info(c, &list[(*nr)++], i);
    return list;
}

int libxl_get_freecpus(libxl_ctx *c, libxl_bitmap *map)
{
    fill(map, cpus_of(NONE));
    return 0;
}

int libxl_cpupool_create(libxl_ctx *c, const char *name, libxl_scheduler sched,
                         libxl_bitmap map, libxl_uuid *uuid, uint32_t *id)
{
    int i;

    if ((no_null && sched == LIBXL_SCHEDULER_NULL) || step("create_pool"))
        return ERROR_FAIL;
    for (i = 0; host.pools[i].exists; i++)
        ;
    host.pools[i].exists = true;
    host.pools[i].sched = sched;
    snprintf(host.pools[i].name, sizeof(host.pools[i].name), "%s", name);
    *id = i;
    return 0;
}

int libxl_cpupool_destroy(libxl_ctx *c, uint32_t id)
{
    int i;

    if (step("destroy_pool") || !host.pools[id].exists || doms_in(id))
        return ERROR_FAIL;
    memset(&host.pools[id], 0, sizeof(host.pools[id]));
    for (i = 0; i < CPUS; i++)
        if (host.pool_of[i] == (int)id)
            host.pool_of[i] = NONE;
    return 0;
}

int libxl_cpupool_cpuadd(libxl_ctx *c, uint32_t id, int cpu)
{
    if ((id && step("cpuadd")) || host.pool_of[cpu] != NONE)
        return ERROR_FAIL;
    host.pool_of[cpu] = id;
    return 0;
}

int libxl_cpupool_cpuadd_cpumap(libxl_ctx *c, uint32_t id,
                                const libxl_bitmap *map)
{
    int i, rc = 0;

    libxl_for_each_set_bit(i, *map)
        rc = rc ?: libxl_cpupool_cpuadd(c, id, i);
    return rc;
}

int libxl_cpupool_cpuremove(libxl_ctx *c, uint32_t id, int cpu)
{
    if (step("cpuremove") || host.pool_of[cpu] != (int)id)
        return ERROR_FAIL;
    host.pool_of[cpu] = NONE;
    return 0;
}

int libxl_name_to_cpupoolid(libxl_ctx *c, const char *name, uint32_t *id)
{
    for (*id = 0; *id < 4; (*id)++)
        if (host.pools[*id].exists && !strcmp(host.pools[*id].name, name))
            return 0;
    return ERROR_FAIL;
}

char *libxl_cpupoolid_to_name(libxl_ctx *c, uint32_t id)
{
    return strdup(host.pools[id].name);
}

int libxl_name_to_domid(libxl_ctx *c, const char *name, uint32_t *id)
{
    for (*id = 0; *id < 6; (*id)++)
        if (host.doms[*id].exists && !strcmp(host.doms[*id].name, name))
            return 0;
    return ERROR_FAIL;
}

char *libxl_domid_to_name(libxl_ctx *c, uint32_t id)
{
    return strdup(host.doms[id].name);
}

libxl_dominfo *libxl_list_domain(libxl_ctx *c, int *nr)
{
    libxl_dominfo *list = calloc(6, sizeof(*list));
    int i;

    for (i = *nr = 0; i < 6; i++)
        if (host.doms[i].exists) {
            list[*nr].domid = i;
            list[(*nr)++].cpupool = host.doms[i].pool;
        }
    return list;
}

libxl_vcpuinfo *libxl_list_vcpu(libxl_ctx *c, uint32_t id, int *nr, int *cpus)
{
    libxl_vcpuinfo *list;

    if (gone)
        return NULL;
    list = calloc(1, sizeof(*list));
    *nr = 1;
    *cpus = CPUS;
    list->cpu = __builtin_ctz(host.doms[id].hard & cpus_of(host.doms[id].pool));
    fill(&list->cpumap, host.doms[id].hard);
    return list;
}

int libxl_domain_destroy(libxl_ctx *c, uint32_t id, const libxl_asyncop_how *h)
{
    memset(&host.doms[id], 0, sizeof(host.doms[id]));
    return 0;
}

int libxl_domain_unpause(libxl_ctx *c, uint32_t id, const libxl_asyncop_how *h)
{
    if (step("unpause"))
        return ERROR_FAIL;
    host.doms[id].paused = false;
    return 0;
}

int libxl_viommu_sidecore_start(libxl_ctx *c, uint32_t id)
{
    if (step("sidecore_start") || !host.doms[id].paused)
        return ERROR_FAIL;
    host.doms[id].is_sidecore = true;
    return 0;
}

int libxl_viommu_sidecore_get_info(libxl_ctx *c, uint32_t id,
                                   libxl_viommu_sidecore *info)
{
    if (!host.doms[id].is_sidecore)
        return ERROR_NOTFOUND;
    *info = (libxl_viommu_sidecore) {
        .nr_guests = 1, .asleep = true, .polls = 2, .batches = 3,
        .wakeups = 4, .silent_us = 5ULL << 40,
    };
    return 0;
}

/* ---- The rest of xl ---- */

libxl_ctx *ctx;
static char config[512];

static int value_of(const char *key, char *value, size_t size)
{
    char *at = strstr(config, key);

    if (!at)
        return -1;
    snprintf(value, size, "%.*s", (int)strcspn(at + strlen(key), "\"\n"),
             at + strlen(key));
    return 0;
}

int create_domain(struct domain_create *dom_info)
{
    char cpu[8], pool[32];
    struct dom *d;
    uint32_t id;

    snprintf(config, sizeof(config), "%s", dom_info->extra_config);
    if (step("create_domain"))
        return ERROR_FAIL;
    for (d = host.doms; d->exists; d++)
        ;
    if (value_of("name=\"", d->name, sizeof(d->name)) ||
        value_of("cpus=\"", cpu, sizeof(cpu)) ||
        value_of("pool=\"", pool, sizeof(pool)) ||
        libxl_name_to_cpupoolid(ctx, pool, &id))
        return ERROR_INVAL;
    d->exists = true;
    d->paused = dom_info->paused;
    d->pool = id;
    d->hard = 1U << atoi(cpu);
    return d - host.doms;
}

void help(const char *command)
{
    fprintf(stderr, "usage: %s\n", command);
}

uint32_t find_domain(const char *p)
{
    return atoi(p);
}

int def_getopt(int argc, char *const argv[], const char *optstring,
               const struct option *longopts, const char *helpstr, int reqargs)
{
    return getopt_long(argc, argv, optstring, longopts, NULL);
}

void *xcalloc(size_t n, size_t sz)
{
    return calloc(n, sz);
}

void xasprintf(char **strp, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(strp, fmt, ap) < 0)
        abort();
    va_end(ap);
}

char *viommu_json_string(char *string)
{
    char *json;

    xasprintf(&json, "\"%s\"", string);
    free(string);
    return json;
}

/* ---- The tests ---- */

static char said[4096];  /* both outputs of the last command */
static struct host before;

static int run(int (*command)(int, char **), char *arg1, char *arg2)
{
    FILE *out = stdout, *err = stderr, *f = fmemopen(said, sizeof(said), "w");
    char *argv[] = { "xl", arg1, arg2, NULL };
    int rc;

    said[0] = '\0';
    before = host;
    optind = 0;
    stdout = stderr = f;
    rc = command(arg1 ? arg2 ? 3 : 2 : 1, argv);
    stdout = out;
    stderr = err;
    fclose(f);
    return rc;
}

#define START(...) run(main_viommu_sidecore_start, __VA_ARGS__)
#define STOP(...) run(main_viommu_sidecore_stop, __VA_ARGS__)
#define LIST(...) run(main_viommu_sidecore_list, __VA_ARGS__)
#define SAYS(text) CHECK(strstr(said, text), "said: \"%s\"", said)
#define UNCHANGED() \
    CHECK(!memcmp(&before, &host, sizeof(host)), "the host changed")

static void reset(void)
{
    memset(&host, 0, sizeof(host));
    host.pools[0] = (struct pool){ true, "Pool-0", LIBXL_SCHEDULER_CREDIT2 };
    host.doms[0] = (struct dom){ true, .name = "Domain-0", .hard = 0xff };
    host.doms[1] = (struct dom){ true, .name = "guest", .hard = 1 };
    no_null = gone = false;
    fails = NULL;
}

static void sidecore_takes_the_last_cpu(void)
{
    CHECK(!START(NULL, NULL), "%s", said);
    SAYS("viommu-sidecore-3: domain 2 on CPU 3");
    CHECK(cpus_of(0) == 7 && cpus_of(1) == 8, "%#x %#x", cpus_of(0),
          cpus_of(1));
    CHECK(host.pools[1].sched == LIBXL_SCHEDULER_NULL &&
          !strcmp(host.pools[1].name, "viommu-sidecore-3"), "%s",
          host.pools[1].name);
    CHECK(host.doms[2].is_sidecore && !host.doms[2].paused &&
          host.doms[2].pool == 1 && host.doms[2].hard == 8 &&
          !strcmp(host.doms[2].name, "viommu-sidecore-3"), "%s",
          host.doms[2].name);
    CHECK(strstr(config, "type=\"pvh\"") && strstr(config, "vcpus=1\n"), "%s",
          config);

    CHECK(!START(NULL, NULL), "%s", said);
    SAYS("viommu-sidecore-2: domain 3 on CPU 2");
}

static void sidecore_takes_the_cpu_that_is_named(void)
{
    CHECK(!START("--cpu", "1"), "%s", said);
    CHECK(cpus_of(0) == 0xd && cpus_of(1) == 2, "%#x %#x", cpus_of(0),
          cpus_of(1));
    /* One that is in no pool is not given to Pool-0 if all fails. */
    reset();
    host.pool_of[2] = NONE;
    fails = "create_domain";
    CHECK(START("-c", "2"), "%s", said);
    UNCHANGED();
    fails = NULL;
    CHECK(!START("-c", "2"), "%s", said);
    CHECK(cpus_of(0) == 0xb && cpus_of(1) == 4, "%#x %#x", cpus_of(0),
          cpus_of(1));
}

static void cpu_of_a_pinned_vcpu_is_not_taken(void)
{
    host.doms[1].hard = 8;
    CHECK(!START(NULL, NULL), "%s", said);
    SAYS("on CPU 2");
    reset();
    host.doms[1].hard = 8;
    CHECK(START("--cpu", "3"), "%s", said);
    SAYS("CPU 3: a vCPU of domain 1 is pinned to it");
    UNCHANGED();
    /* It has another place, or is in another pool, or has just ended. */
    host.doms[1].hard = 9;
    CHECK(!START("--cpu", "3"), "%s", said);
    reset();
    host.doms[1].hard = 8;
    host.doms[1].pool = 2;
    CHECK(!START("--cpu", "3"), "%s", said);
    reset();
    host.doms[1].hard = 8;
    gone = true;
    CHECK(!START("--cpu", "3"), "%s", said);
}

static void last_cpu_of_pool_0_is_not_taken(void)
{
    host.pool_of[1] = host.pool_of[2] = host.pool_of[3] = 2;
    host.doms[1].exists = false;
    CHECK(START(NULL, NULL), "%s", said);
    SAYS("Pool-0 has no CPU to spare");
    UNCHANGED();
    CHECK(START("--cpu", "0"), "%s", said);
    SAYS("CPU 0 is the only one of Pool-0");
    UNCHANGED();
}

static void cpu_that_cannot_be_had_is_refused(void)
{
    static char *const no_cpu[] = { "", "x", "-1", "1x", "99999999999" };

    host.pools[2] = (struct pool){ true, "mine", LIBXL_SCHEDULER_CREDIT };
    host.pool_of[2] = 2;
    CHECK(START("--cpu", "2"), "%s", said);
    SAYS("CPU 2 does not exist, or is in another cpupool");
    UNCHANGED();
    CHECK(START("--cpu", "40"), "%s", said);
    SAYS("CPU 40 does not exist, or is in another cpupool");
    UNCHANGED();
    CHECK(!START("--cpu", "3"), "%s", said);
    CHECK(START("--cpu", "3"), "%s", said);
    SAYS("CPU 3 has a sidecore already");
    UNCHANGED();
    for (unsigned int i = 0; i < sizeof(no_cpu) / sizeof(no_cpu[0]); i++) {
        CHECK(START("--cpu", no_cpu[i]), "%s", no_cpu[i]);
        SAYS("not a CPU");
        UNCHANGED();
    }
    CHECK(START("3", NULL), "%s", said);
    SAYS("usage");
    UNCHANGED();
}

static void failed_start_is_undone(void)
{
    static const struct { const char *step, *says; } steps[] = {
        { "cpuremove", "cannot be taken out of Pool-0" },
        { "create_pool", "cannot create cpupool viommu-sidecore-3" },
        { "cpuadd", "cannot be put into cpupool" },
        { "create_domain", "cannot create domain viommu-sidecore-3" },
        { "sidecore_start", "cannot be a sidecore" },
        { "unpause", "cannot be a sidecore" },
    };

    for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        fails = steps[i].step;
        CHECK(START(NULL, NULL), "%s", fails);
        SAYS(steps[i].says);
        UNCHANGED();
    }
}

static void without_null_scheduler_there_is_a_warning(void)
{
    no_null = true;
    CHECK(!START(NULL, NULL), "%s", said);
    SAYS("warning: Xen has no null scheduler");
    CHECK(host.pools[1].sched == LIBXL_SCHEDULER_CREDIT, "%d",
          host.pools[1].sched);
    CHECK(host.doms[2].hard == 8, "%#x", host.doms[2].hard);
}

static void stop_gives_the_cpu_back(void)
{
    static char *const how[][2] = {
        { NULL, NULL }, { "2", NULL }, { "--cpu", "3" },
    };

    for (unsigned int i = 0; i < 3; i++) {
        struct host clean = host;

        CHECK(!START(NULL, NULL), "%s", said);
        CHECK(!STOP(how[i][0], how[i][1]), "%s", said);
        CHECK(!memcmp(&clean, &host, sizeof(host)), "the host changed");
    }
}

static void stop_of_one_among_several_needs_a_name(void)
{
    CHECK(STOP(NULL, NULL), "%s", said);
    SAYS("no sidecore runs");
    START(NULL, NULL);
    START(NULL, NULL);
    CHECK(STOP(NULL, NULL), "%s", said);
    SAYS("2 sidecores run");
    UNCHANGED();
    CHECK(STOP("--cpu", "1"), "%s", said);
    SAYS("no sidecore runs on CPU 1");
    UNCHANGED();
    CHECK(!STOP("--cpu", "2"), "%s", said);
    CHECK(cpus_of(0) == 7 && host.doms[2].exists && !host.doms[3].exists,
          "%#x", cpus_of(0));
    CHECK(STOP("2", "3"), "%s", said);
    SAYS("usage");
    UNCHANGED();
}

static void stop_of_another_domain_is_refused(void)
{
    CHECK(STOP("1", NULL), "%s", said);
    SAYS("domain 1 is no sidecore");
    UNCHANGED();
}

/* Someone made a sidecore by hand, in a pool for more than that. */
static void stop_leaves_a_pool_of_another_name(void)
{
    host.pools[1] = (struct pool){ true, "mine", LIBXL_SCHEDULER_CREDIT };
    host.pool_of[3] = host.doms[1].pool = 1;
    host.doms[1].hard = 8;
    host.doms[1].is_sidecore = true;
    CHECK(!STOP(NULL, NULL), "%s", said);
    CHECK(!host.doms[1].exists && host.pools[1].exists &&
          host.pool_of[3] == 1, "%d", host.pool_of[3]);
}

static void pool_of_a_destroyed_sidecore_is_taken_down(void)
{
    struct host clean = host;

    START(NULL, NULL);
    libxl_domain_destroy(ctx, 2, NULL);
    CHECK(!STOP("--cpu", "3"), "%s", said);
    CHECK(!memcmp(&clean, &host, sizeof(host)), "the host changed");

    START(NULL, NULL);
    libxl_domain_destroy(ctx, 2, NULL);
    CHECK(!START(NULL, NULL), "%s", said);
    SAYS("viommu-sidecore-3: domain 2 on CPU 3");
    CHECK(cpus_of(0) == 7 && !host.pools[2].exists, "%#x", cpus_of(0));
}

static void pool_that_does_not_end_is_told(void)
{
    START(NULL, NULL);
    fails = "destroy_pool";
    CHECK(STOP(NULL, NULL), "%s", said);
    SAYS("cpupool viommu-sidecore-3 cannot be removed");
}

static void list_shows_every_sidecore(void)
{
    CHECK(!LIST("-j", NULL), "%s", said);
    CHECK(!strcmp(said, "[]\n"), "%s", said);
    START(NULL, NULL);
    CHECK(!LIST(NULL, NULL), "%s", said);
    SAYS("viommu-sidecore-3");
    SAYS("asleep");
    START(NULL, NULL);
    CHECK(!LIST("-j", NULL), "%s", said);
    CHECK(!strcmp(said, "[{\"domain\":\"viommu-sidecore-3\",\"domid\":2,"
                  "\"cpu\":3,\"pool\":\"viommu-sidecore-3\",\"guests\":1,"
                  "\"polls\":2,\"batches\":3,\"wakeups\":4,\"asleep\":true,"
                  "\"silent_us\":5497558138880},"
                  "{\"domain\":\"viommu-sidecore-2\",\"domid\":3,"
                  "\"cpu\":2,\"pool\":\"viommu-sidecore-2\",\"guests\":1,"
                  "\"polls\":2,\"batches\":3,\"wakeups\":4,\"asleep\":true,"
                  "\"silent_us\":5497558138880}]\n"), "%s", said);
}

static void missing_kernel_is_told(void)
{
    rename(XENFIRMWAREDIR "/viommu-sidecore", XENFIRMWAREDIR "/away");
    CHECK(START(NULL, NULL), "%s", said);
    SAYS("/viommu-sidecore: No such file");
    UNCHANGED();
    rename(XENFIRMWAREDIR "/away", XENFIRMWAREDIR "/viommu-sidecore");
}

#undef RUN
#define RUN(test) do {                                          \
        reset();                                                \
        test_bad = 0;                                           \
        test();                                                 \
        printf("%s %s\n", test_bad ? "FAIL" : "ok", #test);     \
        test_any_bad |= test_bad;                               \
    } while (0)

int main(void)
{
    RUN(sidecore_takes_the_last_cpu);
    RUN(sidecore_takes_the_cpu_that_is_named);
    RUN(cpu_of_a_pinned_vcpu_is_not_taken);
    RUN(last_cpu_of_pool_0_is_not_taken);
    RUN(cpu_that_cannot_be_had_is_refused);
    RUN(failed_start_is_undone);
    RUN(without_null_scheduler_there_is_a_warning);
    RUN(stop_gives_the_cpu_back);
    RUN(stop_of_one_among_several_needs_a_name);
    RUN(stop_of_another_domain_is_refused);
    RUN(stop_leaves_a_pool_of_another_name);
    RUN(pool_of_a_destroyed_sidecore_is_taken_down);
    RUN(pool_that_does_not_end_is_told);
    RUN(list_shows_every_sidecore);
    RUN(missing_kernel_is_told);

    return TEST_RESULT;
}
