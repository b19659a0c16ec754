/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl_viommu_parse.c: the value of viommu= in a domain's configuration, and the
 * settings that xl viommu-set takes; and a string as the output has it.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xl_viommu.h"

/* Words are at the place that libxl's enumeration has for them. */
static const char *const modes[] = {
    [LIBXL_VIOMMU_MODE_TRAP] = "trap",
    [LIBXL_VIOMMU_MODE_SIDECORE] = "sidecore",
};

static const char *const teardowns[] = {
    [LIBXL_VIOMMU_TEARDOWN_STRICT] = "strict",
    [LIBXL_VIOMMU_TEARDOWN_OPTIMISTIC] = "optimistic",
};

static const char *const no_yes[] = { [1] = "0", [2] = "1" };

static const struct key {
    const char *name;
    const char *const *words; /* two, or NULL for a number */
    size_t number;            /* where that goes in libxl_viommu */
    uint32_t min;             /* of that: 0 would be "not said" to libxl */
} keys[] = {
    { "mode", modes, 0, 0 },
    { "teardown", teardowns, 0, 0 },
    { "window_us", NULL, offsetof(libxl_viommu, window_us), 1 },
    { "quota", NULL, offsetof(libxl_viommu, quota), 1 },
    { "fallback_us", NULL, offsetof(libxl_viommu, fallback_us), 1 },
    { "idle_us", NULL, offsetof(libxl_viommu, idle_us), 1 },
    { "table_pages", NULL, offsetof(libxl_viommu, table_pages), 0 },
    { "intremap", no_yes, 0, 0 },
};
#define NR_KEYS (sizeof(keys) / sizeof(keys[0]))
#define KEY_NAMES \
    "mode, teardown, window_us, quota, fallback_us, idle_us, table_pages, " \
    "intremap"

static int parse_word(const struct key *key, const char *value, uint32_t *n,
                      char *why, size_t size)
{
    for (*n = 1; *n <= 2; (*n)++)
        if (!strcmp(value, key->words[*n]))
            return 0;

    snprintf(why, size, "%s=%s: no such %s, it can be %s or %s", key->name,
             value, key->name, key->words[1], key->words[2]);

    return -1;
}

/* Nothing but digits: strtoul would take blanks, signs and other bases. */
static int parse_number(const struct key *key, const char *value, uint32_t *n,
                        char *why, size_t size)
{
    unsigned long long number;

    if (!*value || value[strspn(value, "0123456789")]) {
        snprintf(why, size, "%s=%s: not a number", key->name, value);
        return -1;
    }

    errno = 0;
    number = strtoull(value, NULL, 10);
    if (errno || number > UINT32_MAX) {
        snprintf(why, size, "%s=%s: more than %u", key->name, value,
                 UINT32_MAX);
        return -1;
    }
    if (number < key->min) {
        snprintf(why, size, "%s=%s: less than %u", key->name, value, key->min);
        return -1;
    }

    *n = number;

    return 0;
}

int viommu_parse_settings(const char *text, bool running, libxl_viommu *viommu,
                          char *why, size_t size)
{
    unsigned int i, seen = 0;
    char *copy, *name, *next;
    int rc = -1;

    copy = strdup(text);
    if (!copy) {
        snprintf(why, size, "out of memory");
        return -1;
    }

    for (name = copy; name; name = next) {
        char *value;
        uint32_t n;

        next = strchr(name, ',');
        if (next)
            *next++ = '\0';

        value = strchr(name, '=');
        if (!value) {
            snprintf(why, size, "\"%s\" is not KEY=VALUE (keys: %s)", name,
                     KEY_NAMES);
            goto out;
        }
        *value++ = '\0';

        for (i = 0; i < NR_KEYS && strcmp(name, keys[i].name); i++)
            ;
        if (i == NR_KEYS) {
            snprintf(why, size, "%s=%s: no such key, it can be one of: %s",
                     name, value, KEY_NAMES);
            goto out;
        }

        if (seen & (1U << i)) {
            snprintf(why, size, "%s=%s: %s is given twice", name, value, name);
            goto out;
        }
        seen |= 1U << i;

        if (running && (!strcmp(name, "table_pages") ||
                        !strcmp(name, "intremap"))) {
            snprintf(why, size, "%s=%s: only the configuration that a domain "
                     "is created with can set it", name, value);
            goto out;
        }

        if (keys[i].words ? parse_word(&keys[i], value, &n, why, size)
                          : parse_number(&keys[i], value, &n, why, size))
            goto out;

        if (keys[i].words == modes)
            viommu->mode = n;
        else if (keys[i].words == teardowns)
            viommu->teardown = n;
        else if (keys[i].words == no_yes)
            libxl_defbool_set(&viommu->intremap, n == 2);
        else
            *(uint32_t *)((char *)viommu + keys[i].number) = n;
    }

    rc = 0;

 out:
    free(copy);
    return rc;
}

int viommu_parse(const char *text, libxl_viommu *viommu,
                 char *why, size_t size)
{
    static const char vtd[] = "vtd";
    const size_t len = strlen(vtd);

    if (!strcmp(text, "0") || !strcmp(text, "1")) {
        libxl_defbool_set(&viommu->enable, *text == '1');
        return 0;
    }

    if (!strncmp(text, vtd, len) && (!text[len] || text[len] == ',')) {
        viommu->type = LIBXL_VIOMMU_TYPE_VTD;
        text += len;
        if (!*text++) {
            libxl_defbool_set(&viommu->enable, true);
            return 0;
        }
    } else if (!strchr(text, '=')) {
        snprintf(why, size,
                 "\"%s\" is neither 0, nor 1, nor vtd, nor KEY=VALUE "
                 "(keys: %s)", text, KEY_NAMES);
        return -1;
    }

    if (viommu_parse_settings(text, false, viommu, why, size))
        return -1;

    libxl_defbool_set(&viommu->enable, true);

    return 0;
}

char *viommu_json_string(char *string)
{
    const size_t longest = sizeof("\\u0000") - 1;
    char *json = NULL, *out;
    const char *in;

    if (string)
        json = malloc(strlen(string) * longest + sizeof("\"\""));
    if (!json) {
        free(string);
        json = strdup("null");
        if (!json)
            abort();
        return json;
    }

    out = json;
    *out++ = '"';
    for (in = string; *in; in++) {
        if (*in == '"' || *in == '\\') {
            *out++ = '\\';
            *out++ = *in;
        } else if ((unsigned char)*in < ' ')
            out += sprintf(out, "\\u%04x", *in);
        else
            *out++ = *in;
    }
    *out++ = '"';
    *out = '\0';
    free(string);

    return json;
}

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
