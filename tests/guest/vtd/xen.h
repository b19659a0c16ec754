/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * xen.h: the few hypercalls with which a guest changes its own memory.
 */
#ifndef XEN_H
#define XEN_H

#include <stdbool.h>
#include <stdint.h>

bool xen_init(void);            /* false: no hypercalls here */
uint16_t xen_domid(void);

/*
 * Frames of memory leave the guest, or come: n pages of 4K from gfn on. They
 * return how many did.
 */
long xen_balloon_out(uint64_t gfn, unsigned int n);
long xen_balloon_in(uint64_t gfn, unsigned int n);
/* Another frame for that of gfn. */
long xen_exchange(uint64_t gfn);

/* Xen's own pages of the guest, put at gfn. */
#define XEN_SHARED_INFO     0
#define XEN_GRANT_TABLE     1
long xen_put_at(unsigned int space, uint64_t gfn);

/* The page that is shared with xenstore, which has mapped it by a grant. */
uint64_t xen_store_gfn(void);

/* Maps what entry ref of this domain's grant table names, at gfn. */
long xen_grant_map(unsigned int ref, uint64_t gfn, uint32_t *handle);
long xen_grant_unmap(uint64_t gfn, uint32_t handle);

void xen_crash(void);

#endif

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
