/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test.h: one line for each named test, and whether all passed.
 */
#ifndef TEST_H
#define TEST_H

#include <stdio.h>
#include <string.h>

static int test_bad, test_any_bad;

/* Says what is not as it should be; the test goes on. */
#define CHECK(cond, ...) do {                                   \
        if (!(cond)) {                                          \
            printf("  line %d: %s: ", __LINE__, #cond);         \
            printf(__VA_ARGS__);                                \
            printf("\n");                                       \
            test_bad = 1;                                       \
        }                                                       \
    } while (0)

#define RUN(test) do {                                          \
        test_bad = 0;                                           \
        test();                                                 \
        printf("%s %s\n", test_bad ? "FAIL" : "ok", #test);     \
        test_any_bad |= test_bad;                               \
    } while (0)

#define TEST_RESULT (test_any_bad ? 1 : 0)

#endif
