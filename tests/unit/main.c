/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * main.c: runs the tests, or those whose names contain the argument, or whose
 * suite it is.
 */
#include <stdio.h>
#include <stdlib.h>

#include "vm.h"

extern const struct test regs_tests[], queue_tests[], command_tests[],
    walk_tests[], context_tests[], sync_tests[], work_tests[], fault_tests[],
    super_tests[], scale_tests[], inbox_tests[], sidecore_tests[],
    stale_tests[], frame_tests[], quick_tests[], fail_tests[], modes_tests[],
    intremap_tests[], request_tests[], story_tests[];

#define SUITE(name) { #name, name##_tests }
static const struct {
    const char *name;
    const struct test *tests;
} suites[] = {
    SUITE(regs),    SUITE(queue),    SUITE(command), SUITE(walk),
    SUITE(context), SUITE(sync),     SUITE(work),    SUITE(fault),
    SUITE(super),   SUITE(scale),    SUITE(inbox),   SUITE(sidecore),
    SUITE(stale),   SUITE(frame),    SUITE(quick),   SUITE(fail),
    SUITE(modes),   SUITE(intremap), SUITE(request), SUITE(story),
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

static unsigned int passed, failed;

/* Twice: with traps, and with the register page as memory. */
static void run_all(const char *word)
{
    const char *how = vm_polled ? ", by a sidecore" : "";
    unsigned int i;

    for ( i = 0; i < ARRAY_SIZE(suites); i++ )
        for ( current = suites[i].tests; current->name; current++ )
        {
            if ( (word && !strstr(current->name, word) &&
                  strcmp(suites[i].name, word)) ||
                 (vm_polled && current->trapped_only) )
                continue;
            if ( harness_try(body) )
            {
                passed++;
                printf("PASS  %s%s\n", current->name, how);
            }
            else
            {
                failed++;
                printf("FAIL  %s%s: %s\n", current->name, how,
                       harness_reason());
            }
        }
    current = NULL;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : NULL;

    if ( __sanitizer_set_death_callback )
        __sanitizer_set_death_callback(died);
    run_all(word);
    vm_polled = true;
    run_all(word);
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
