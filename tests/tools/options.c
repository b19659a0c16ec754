/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * options.c: what viommu= of a domain's configuration may and may not be.
 */
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

static void each_key_is_taken(void)
{
    CHECK(!parse("mode=trap") && enabled(), "%s", why);
    CHECK(viommu.mode == LIBXL_VIOMMU_MODE_TRAP, "%d", viommu.mode);
    CHECK(!parse("table_pages=4096") && enabled(), "%s", why);
    CHECK(viommu.table_pages == 4096, "%u", viommu.table_pages);
    CHECK(!parse("table_pages=7,mode=trap") && enabled(), "%s", why);
    CHECK(viommu.table_pages == 7, "%u", viommu.table_pages);
    CHECK(viommu.mode == LIBXL_VIOMMU_MODE_TRAP, "%d", viommu.mode);
}

static void sidecore_is_refused_as_to_come(void)
{
    REFUSED("mode=sidecore", "mode=sidecore is not supported yet");
}

static void unknown_mode_is_refused(void)
{
    REFUSED("mode=fast", "mode=fast: no such mode");
    REFUSED("mode=", "mode=: no such mode");
    REFUSED("mode=unknown", "mode=unknown: no such mode");
    REFUSED("mode=trap ", "mode=trap : no such mode");
}

static void unknown_key_is_refused(void)
{
    REFUSED("window_us=5", "window_us=5: no such key");
    REFUSED("mode=trap,quota=5", "quota=5: no such key");
    REFUSED("=5", "=5: no such key");
    REFUSED(" mode=trap", " mode=trap: no such key");
}

static void other_words_are_refused(void)
{
    REFUSED("yes", "\"yes\" is neither 0, nor 1");
    REFUSED("2", "\"2\" is neither 0, nor 1");
    REFUSED("", "\"\" is neither 0, nor 1");
    REFUSED("1,mode=trap", "\"1\" is neither 0, nor 1");
}

static void trailing_garbage_is_refused(void)
{
    REFUSED("mode=trap,", "\"\" is neither");
    REFUSED("mode=trap,1", "\"1\" is neither");
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

static void key_given_twice_is_refused(void)
{
    REFUSED("mode=trap,mode=trap", "mode is given twice");
    REFUSED("table_pages=1,table_pages=2", "table_pages is given twice");
}

int main(void)
{
    RUN(viommu_1_is_all_defaults);
    RUN(viommu_0_is_off);
    RUN(each_key_is_taken);
    RUN(sidecore_is_refused_as_to_come);
    RUN(unknown_mode_is_refused);
    RUN(unknown_key_is_refused);
    RUN(other_words_are_refused);
    RUN(trailing_garbage_is_refused);
    RUN(negative_is_refused);
    RUN(overflow_is_refused);
    RUN(key_given_twice_is_refused);

    return TEST_RESULT;
}
