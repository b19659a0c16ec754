// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes memory of the host, for a domain that does not use it:
 *
 *   fill DOMID LEAVE_KIB     until so much is left
 */
#include <stdio.h>
#include <stdlib.h>
#include <xenctrl.h>

int main(int argc, char **argv)
{
    xc_interface *xch;
    xc_physinfo_t info;
    unsigned long leave, pages = 0;
    uint32_t domid;
    xen_pfn_t pfn;

    if (argc != 3)
        return 2;
    domid = atoi(argv[1]);
    leave = atol(argv[2]) / 4;
    xch = xc_interface_open(NULL, NULL, 0);
    if (!xch || xc_domain_setmaxmem(xch, domid, 1ull << 40))
        return 2;

    while (!xc_physinfo(xch, &info) && info.free_pages > leave) {
        unsigned int order = info.free_pages - leave >= 512 ? 9 : 0;

        if (xc_domain_increase_reservation_exact(xch, domid, 1, order, 0,
                                                 &pfn) &&
            (!order || xc_domain_increase_reservation_exact(xch, domid, 1, 0, 0,
                                                            &pfn))) {
            perror("fill");
            return 1;
        }
        pages += 1ul << order;
    }
    printf("fill: %lu pages; %lu KiB are left\n", pages,
           (unsigned long)info.free_pages * 4);

    return info.free_pages > leave;
}
