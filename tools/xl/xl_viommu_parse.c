/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl_viommu_parse.c: the value of viommu= in a domain's configuration.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xl_viommu.h"

#define KEYS "mode, table_pages"

static int parse_mode(const char *value, libxl_viommu *viommu,
                      char *why, size_t size)
{
    if (!strcmp(value, "trap")) {
        viommu->mode = LIBXL_VIOMMU_MODE_TRAP;
        return 0;
    }

    if (!strcmp(value, "sidecore"))
        snprintf(why, size, "mode=sidecore is not supported yet");
    else
        snprintf(why, size, "mode=%s: no such mode, it can be trap", value);

    return -1;
}

/* Nothing but digits: strtoul would take blanks, signs and other bases. */
static int parse_count(const char *key, const char *value, uint32_t *count,
                       char *why, size_t size)
{
    unsigned long long n;

    if (!*value || value[strspn(value, "0123456789")]) {
        snprintf(why, size, "%s=%s: not a number", key, value);
        return -1;
    }

    errno = 0;
    n = strtoull(value, NULL, 10);
    if (errno || n > UINT32_MAX) {
        snprintf(why, size, "%s=%s: more than %u", key, value, UINT32_MAX);
        return -1;
    }

    *count = n;

    return 0;
}

int viommu_parse(const char *text, libxl_viommu *viommu,
                 char *why, size_t size)
{
    char *copy, *key, *next;
    bool have_mode = false, have_table_pages = false, *have;
    int rc = -1;

    if (!strcmp(text, "0") || !strcmp(text, "1")) {
        libxl_defbool_set(&viommu->enable, *text == '1');
        return 0;
    }

    copy = strdup(text);
    if (!copy) {
        snprintf(why, size, "out of memory");
        return -1;
    }

    for (key = copy; key; key = next) {
        char *value;

        next = strchr(key, ',');
        if (next)
            *next++ = '\0';

        value = strchr(key, '=');
        if (!value) {
            snprintf(why, size,
                     "\"%s\" is neither 0, nor 1, nor KEY=VALUE (keys: %s)",
                     key, KEYS);
            goto out;
        }
        *value++ = '\0';

        if (!strcmp(key, "mode"))
            have = &have_mode;
        else if (!strcmp(key, "table_pages"))
            have = &have_table_pages;
        else {
            snprintf(why, size, "%s=%s: no such key, it can be one of: %s",
                     key, value, KEYS);
            goto out;
        }

        if (*have) {
            snprintf(why, size, "%s=%s: %s is given twice", key, value, key);
            goto out;
        }
        *have = true;

        if (have == &have_mode
            ? parse_mode(value, viommu, why, size)
            : parse_count(key, value, &viommu->table_pages, why, size))
            goto out;
    }

    libxl_defbool_set(&viommu->enable, true);
    rc = 0;

 out:
    free(copy);
    return rc;
}

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
