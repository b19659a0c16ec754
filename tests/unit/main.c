/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * main.c: runs the tests, or those whose names contain the argument.
 */
#include <stdio.h>
#include <stdlib.h>

#include "vm.h"

extern const struct test regs_tests[], queue_tests[], command_tests[],
    walk_tests[], context_tests[], sync_tests[], work_tests[], fault_tests[],
    super_tests[], scale_tests[], inbox_tests[], sidecore_tests[],
    story_tests[];

static const struct test *const suites[] = {
    regs_tests, queue_tests, command_tests, walk_tests, context_tests,
    sync_tests, work_tests, fault_tests, super_tests,
    scale_tests, inbox_tests, sidecore_tests, story_tests,
};

static const struct test *current;

static void body(void)
{
    vm_start();
    current->run();
    vm_lazy = false;
    vm_stop();
}

/* A sanitizer ends the process: say in which test. */
static void died(void)
{
    printf("FAIL  %s (the process died)\n", current ? current->name : "?");
    fflush(stdout);
}

/* Of the sanitizer; absent when it is. */
void __attribute__((weak))
__sanitizer_set_death_callback(void (*callback)(void));

int main(int argc, char **argv)
{
    unsigned int i, passed = 0, failed = 0;

    if ( __sanitizer_set_death_callback )
        __sanitizer_set_death_callback(died);
    vm_polled = getenv("POLLED");
    for ( i = 0; i < ARRAY_SIZE(suites); i++ )
        for ( current = suites[i]; current->name; current++ )
        {
            if ( argc > 1 && !strstr(current->name, argv[1]) )
                continue;
            if ( harness_try(body) )
            {
                passed++;
                printf("PASS  %s\n", current->name);
            }
            else
            {
                failed++;
                printf("FAIL  %s: %s\n", current->name, harness_reason());
            }
        }
    current = NULL;
    printf("%u passed, %u failed\n", passed, failed);
    fflush(stdout);
    /* Tests that failed have left memory behind. */
    if ( failed )
        _Exit(1);

    return 0;
}

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
