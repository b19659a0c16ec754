/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * options.c: what viommu= of a domain's configuration, and the settings of
 * xl viommu-set, may and may not be.
 */
#include <stdlib.h>

#include "xl_viommu.h"
#include "test.h"

static char why[256];
static libxl_viommu viommu;

static int parse(const char *text)
{
    libxl_viommu_init(&viommu);
    why[0] = '\0';
    return viommu_parse(text, &viommu, why, sizeof(why));
}

static int parse_running(const char *text)
{
    libxl_viommu_init(&viommu);
    why[0] = '\0';
    return viommu_parse_settings(text, true, &viommu, why, sizeof(why));
}

static int enabled(void)
{
    return !libxl_defbool_is_default(viommu.enable) &&
           libxl_defbool_val(viommu.enable);
}

/* The text is refused, for the reason given, and does not turn viommu on. */
#define REFUSED(text, reason) do {                                          \
        CHECK(parse(text) == -1, "%s", text);                               \
        CHECK(strstr(why, reason), "%s: \"%s\" should say \"%s\"", text,    \
              why, reason);                                                 \
        CHECK(!enabled(), "%s", text);                                      \
    } while (0)

static void viommu_1_is_all_defaults(void)
{
    CHECK(!parse("1") && enabled(), "%s", why);
    CHECK(viommu.mode == LIBXL_VIOMMU_MODE_UNKNOWN, "%d", viommu.mode);
    CHECK(viommu.table_pages == 0, "%u", viommu.table_pages);
}

static void viommu_0_is_off(void)
{
    CHECK(!parse("0") && !enabled(), "%s", why);
    CHECK(!libxl_defbool_is_default(viommu.enable), "is not said");
}

static void first_word_may_be_the_type(void)
{
    CHECK(!parse("vtd") && enabled(), "%s", why);
    CHECK(viommu.type == LIBXL_VIOMMU_TYPE_VTD, "%d", viommu.type);
    CHECK(!parse("vtd,mode=sidecore,quota=2") && enabled(), "%s", why);
    CHECK(viommu.type == LIBXL_VIOMMU_TYPE_VTD &&
          viommu.mode == LIBXL_VIOMMU_MODE_SIDECORE && viommu.quota == 2,
          "%d %d %u", viommu.type, viommu.mode, viommu.quota);
    CHECK(!parse("1") && viommu.type == LIBXL_VIOMMU_TYPE_NONE, "%d",
          viommu.type);
    CHECK(!parse("mode=trap") && viommu.type == LIBXL_VIOMMU_TYPE_NONE, "%d",
          viommu.type);
    REFUSED("smmuv3", "\"smmuv3\" is neither 0, nor 1, nor vtd");
    REFUSED("smmuv3,mode=trap", "\"smmuv3\" is not KEY=VALUE");
    REFUSED("vtdx", "\"vtdx\" is neither");
    REFUSED("vtd,", "\"\" is not KEY=VALUE");
    REFUSED("vtd,vtd", "\"vtd\" is not KEY=VALUE");
    REFUSED("mode=trap,vtd", "\"vtd\" is not KEY=VALUE");
    REFUSED("VTD", "\"VTD\" is neither");
    CHECK(parse_running("vtd") && strstr(why, "\"vtd\" is not KEY=VALUE"), "%s",
          why);
}

static void each_key_is_taken(void)
{
    CHECK(!parse("mode=trap") && enabled(), "%s", why);
    CHECK(viommu.mode == LIBXL_VIOMMU_MODE_TRAP, "%d", viommu.mode);
    CHECK(!parse("mode=sidecore") && enabled(), "%s", why);
    CHECK(viommu.mode == LIBXL_VIOMMU_MODE_SIDECORE, "%d", viommu.mode);
    CHECK(!parse("teardown=strict") && enabled(), "%s", why);
    CHECK(viommu.teardown == LIBXL_VIOMMU_TEARDOWN_STRICT, "%d",
          viommu.teardown);
    CHECK(!parse("teardown=optimistic") && enabled(), "%s", why);
    CHECK(viommu.teardown == LIBXL_VIOMMU_TEARDOWN_OPTIMISTIC, "%d",
          viommu.teardown);
    CHECK(!parse("table_pages=4096") && enabled(), "%s", why);
    CHECK(viommu.table_pages == 4096, "%u", viommu.table_pages);
    CHECK(!parse("window_us=1,quota=2,fallback_us=3,idle_us=4,table_pages=5,"
                 "mode=sidecore,teardown=strict") && enabled(), "%s", why);
    CHECK(viommu.window_us == 1 && viommu.quota == 2 &&
          viommu.fallback_us == 3 && viommu.idle_us == 4 &&
          viommu.table_pages == 5, "%u %u %u %u %u", viommu.window_us,
          viommu.quota, viommu.fallback_us, viommu.idle_us,
          viommu.table_pages);
    CHECK(viommu.mode == LIBXL_VIOMMU_MODE_SIDECORE, "%d", viommu.mode);
    CHECK(viommu.teardown == LIBXL_VIOMMU_TEARDOWN_STRICT, "%d",
          viommu.teardown);
}

static void what_is_not_said_stays_unknown(void)
{
    CHECK(!parse("table_pages=5"), "%s", why);
    CHECK(viommu.mode == LIBXL_VIOMMU_MODE_UNKNOWN &&
          viommu.teardown == LIBXL_VIOMMU_TEARDOWN_UNKNOWN, "%d %d",
          viommu.mode, viommu.teardown);
    CHECK(!viommu.window_us && !viommu.quota && !viommu.fallback_us &&
          !viommu.idle_us, "a number");
}

static void unknown_mode_is_refused(void)
{
    REFUSED("mode=fast", "mode=fast: no such mode");
    REFUSED("mode=", "mode=: no such mode");
    REFUSED("mode=unknown", "mode=unknown: no such mode");
    REFUSED("mode=trap ", "mode=trap : no such mode");
}

static void unknown_teardown_is_refused(void)
{
    REFUSED("teardown=lazy", "teardown=lazy: no such teardown, it can be "
            "strict or optimistic");
    REFUSED("teardown=", "teardown=: no such teardown");
    REFUSED("teardown=unknown", "teardown=unknown: no such teardown");
    REFUSED("teardown=trap", "teardown=trap: no such teardown");
    REFUSED("teardown=1", "teardown=1: no such teardown");
}

static void unknown_key_is_refused(void)
{
    static const char *const keys[] = { "mode", "teardown", "window_us",
        "quota", "fallback_us", "idle_us", "table_pages" };

    REFUSED("window=5", "window=5: no such key");
    REFUSED("mode=trap,Quota=5", "Quota=5: no such key");
    REFUSED("=5", "=5: no such key");
    REFUSED(" mode=trap", " mode=trap: no such key");
    for (unsigned int i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        REFUSED("colour=red", keys[i]);
}

static void other_words_are_refused(void)
{
    REFUSED("yes", "\"yes\" is neither 0, nor 1");
    REFUSED("2", "\"2\" is neither 0, nor 1");
    REFUSED("", "\"\" is neither 0, nor 1");
    REFUSED("1,mode=trap", "\"1\" is not KEY=VALUE");
}

static void trailing_garbage_is_refused(void)
{
    REFUSED("mode=trap,", "\"\" is not KEY=VALUE");
    REFUSED("mode=trap,1", "\"1\" is not KEY=VALUE");
    REFUSED("table_pages=16k", "table_pages=16k: not a number");
    REFUSED("table_pages=0x10", "table_pages=0x10: not a number");
    REFUSED("table_pages=1 ", "table_pages=1 : not a number");
    REFUSED("table_pages=1=2", "table_pages=1=2: not a number");
}

static void negative_is_refused(void)
{
    REFUSED("table_pages=-1", "table_pages=-1: not a number");
    REFUSED("table_pages=+1", "table_pages=+1: not a number");
    REFUSED("table_pages=", "table_pages=: not a number");
}

static void overflow_is_refused(void)
{
    CHECK(!parse("table_pages=4294967295"), "%s", why);
    CHECK(viommu.table_pages == 4294967295U, "%u", viommu.table_pages);
    REFUSED("table_pages=4294967296", "more than 4294967295");
    REFUSED("table_pages=18446744073709551617", "more than 4294967295");
}

/* To libxl 0 means "not said"; the user would not see that it was ignored. */
static void zero_is_refused(void)
{
    REFUSED("window_us=0", "window_us=0: less than 1");
    REFUSED("quota=0", "quota=0: less than 1");
    REFUSED("fallback_us=0", "fallback_us=0: less than 1");
    REFUSED("idle_us=000", "idle_us=000: less than 1");
    CHECK(!parse("table_pages=0") && enabled(), "%s", why);
}

static void running_domain_takes_the_same_settings(void)
{
    CHECK(!parse_running("quota=7,mode=sidecore"), "%s", why);
    CHECK(viommu.quota == 7 && viommu.mode == LIBXL_VIOMMU_MODE_SIDECORE,
          "%u %d", viommu.quota, viommu.mode);
    CHECK(parse_running("quota=0") && strstr(why, "less than 1"), "%s", why);
    CHECK(parse_running("1") && strstr(why, "\"1\" is not KEY=VALUE"), "%s",
          why);
    CHECK(parse_running("") && strstr(why, "\"\" is not KEY=VALUE"), "%s",
          why);
}

static void table_pages_of_a_running_domain_is_refused(void)
{
    CHECK(parse_running("table_pages=5") &&
          strstr(why, "table_pages=5: only the configuration"), "%s", why);
    CHECK(parse_running("mode=trap,table_pages=0") &&
          strstr(why, "table_pages=0: only the configuration"), "%s", why);
}

static void key_given_twice_is_refused(void)
{
    REFUSED("teardown=strict,quota=1,teardown=optimistic",
            "teardown is given twice");
    REFUSED("idle_us=1,idle_us=1", "idle_us is given twice");
    REFUSED("mode=trap,mode=trap", "mode is given twice");
    REFUSED("table_pages=1,table_pages=2", "table_pages is given twice");
}

static void string_as_json_is(const char *string, const char *expected)
{
    char *json = viommu_json_string(string ? strdup(string) : NULL);

    CHECK(!strcmp(json, expected), "%s, not %s", json, expected);
    free(json);
}

static void names_are_json_strings(void)
{
    string_as_json_is(NULL, "null");
    string_as_json_is("", "\"\"");
    string_as_json_is("guest-1 Gr\303\274n", "\"guest-1 Gr\303\274n\"");
    string_as_json_is("a\"b\\c", "\"a\\\"b\\\\c\"");
    string_as_json_is("\001\n\037", "\"\\u0001\\u000a\\u001f\"");
}

static void intremap_is_0_or_1(void)
{
    CHECK(!parse("intremap=1") && enabled(), "%s", why);
    CHECK(libxl_defbool_val(viommu.intremap), "off");
    CHECK(!parse("mode=trap,intremap=0") && enabled(), "%s", why);
    CHECK(!libxl_defbool_val(viommu.intremap), "on");
    CHECK(!parse("mode=trap"), "%s", why);
    CHECK(libxl_defbool_is_default(viommu.intremap), "said");
    REFUSED("intremap=yes", "it can be 0 or 1");
    REFUSED("intremap=", "it can be 0 or 1");
    CHECK(parse_running("intremap=1") && strstr(why, "created with"), "%s",
          why);
}

int main(void)
{
    RUN(viommu_1_is_all_defaults);
    RUN(viommu_0_is_off);
    RUN(first_word_may_be_the_type);
    RUN(each_key_is_taken);
    RUN(what_is_not_said_stays_unknown);
    RUN(unknown_mode_is_refused);
    RUN(unknown_teardown_is_refused);
    RUN(unknown_key_is_refused);
    RUN(other_words_are_refused);
    RUN(trailing_garbage_is_refused);
    RUN(negative_is_refused);
    RUN(overflow_is_refused);
    RUN(zero_is_refused);
    RUN(running_domain_takes_the_same_settings);
    RUN(table_pages_of_a_running_domain_is_refused);
    RUN(key_given_twice_is_refused);
    RUN(names_are_json_strings);
    RUN(intremap_is_0_or_1);

    return TEST_RESULT;
}
