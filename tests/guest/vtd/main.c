/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * main.c: the order of the checks. The first topic sees the unit as it comes
 * out of reset; after that each leaves it quiet.
 *
 * Lines of the output are "PASS topic: rule", FAIL and SKIP alike, and at the
 * end "vtd: N passed, N failed, N skipped". Then the guest idles, so that the
 * toolstack can still look at the unit.
 */
#include "unit.h"

void main(void);

void main(void)
{
    char key;

    console_init();
    time_init();
    say("\n@@ready vtd\n");
    /*
     * From whoever started it: t for trap mode, s for a sidecore; h for the
     * hostile checks, p for the hostile phases without those; r for interrupt
     * remapping only, in trap mode.
     */
    key = console_key();
    sidecore = key == 's';
    say("mode: %s\n", sidecore ? "sidecore" : "trap");
    irq_init();
    cpus_init();
    unit_init();
    if ( key == 'h' || key == 'p' )
        hostile(key == 'h');
    if ( key == 'r' )
    {
        edu_init();
        check_remapping();
        summary();
        return;
    }

    check_reset();
    check_access();
    if ( !sidecore )
        check_forms();
    check_commands();
    check_registers();
    check_queue();
    check_descriptors();
    check_errors();
    check_wait();
    check_completion();
    check_error_event();
    check_cpus();

    edu_init();
    check_leaves();
    check_contexts();
    check_invalidation();
    check_reasons();
    check_records();
    if ( !sidecore )
        check_remapping();
    if ( sidecore )
    {
        check_access_in_memory();
        check_memory();
    }

    unit_quiet();
    summary();
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
