/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl_viommu.h: the emulated VT-d unit of a guest, as xl configures and shows it.
 */
#ifndef XL_VIOMMU_H
#define XL_VIOMMU_H

#include <stddef.h>
#include <stdint.h>

#include <libxl.h>
#include <libxlutil.h>

/*
 * Parses the value of viommu= : 0, 1, or KEY=VALUE[,KEY=VALUE]... Returns 0, or
 * -1 with what is wrong with it in why[size].
 */
int viommu_parse(const char *text, libxl_viommu *viommu,
                 char *why, size_t size);

/* viommu= of a domain's configuration. Exits with a message if it is wrong. */
void parse_viommu_config(const XLU_Config *config,
                         libxl_domain_build_info *b_info);

/* xl viommu-info [-j] DOMAIN */
int main_viommu_info(int argc, char **argv);

#endif /* XL_VIOMMU_H */

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
