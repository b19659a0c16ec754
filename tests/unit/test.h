/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * test.h: tests, and how they are run.
 */
#ifndef VIOMMU_UNIT_TEST_H
#define VIOMMU_UNIT_TEST_H

#include <stdbool.h>

/* A test is a function that is named after the rule that it proves. */
struct test {
    const char *name;
    void (*run)(void);
    bool trapped_only;
};

#define TEST(name) { #name, name, false }
/* One that is about exits, about what one entry does, or has a sidecore. */
#define TEST_TRAPPED(name) { #name, name, true }
#define TESTS(suite) const struct test suite[]
#define TESTS_END { 0, 0, false }

/* Runs it; false if it failed, with the reason. */
bool harness_try(void (*body)(void));
const char *harness_reason(void);

#endif /* VIOMMU_UNIT_TEST_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
