/* SPDX-License-Identifier: LGPL-2.1-only */
/*
 * xl_viommu.h: the emulated VT-d unit of a guest, as xl configures and shows
 * it, and the sidecores that serve such units.
 */
#ifndef XL_VIOMMU_H
#define XL_VIOMMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libxl.h>
#include <libxlutil.h>

/*
 * Parses KEY=VALUE[,KEY=VALUE]... into *viommu; running: for a domain that
 * exists, whose table_pages and intremap cannot be changed. Returns 0, or -1
 * with what is wrong with it in why[size].
 */
int viommu_parse_settings(const char *text, bool running, libxl_viommu *viommu,
                          char *why, size_t size);

/* The same for the value of viommu= : 0, 1, or settings, which turn it on. */
int viommu_parse(const char *text, libxl_viommu *viommu,
                 char *why, size_t size);

/* viommu= of a domain's configuration. Exits with a message if it is wrong. */
void parse_viommu_config(const XLU_Config *config,
                         libxl_domain_build_info *b_info);

/* string, which it frees, as JSON, to be freed; "null": NULL, or no memory. */
char *viommu_json_string(char *string);

/* xl viommu-info [-j] DOMAIN */
int main_viommu_info(int argc, char **argv);

/* xl viommu-set DOMAIN KEY=VALUE... */
int main_viommu_set(int argc, char **argv);

/* xl viommu-sidecore-start [--cpu N] */
int main_viommu_sidecore_start(int argc, char **argv);

/* xl viommu-sidecore-stop [DOMAIN | --cpu N] */
int main_viommu_sidecore_stop(int argc, char **argv);

/* xl viommu-sidecore-list [-j] */
int main_viommu_sidecore_list(int argc, char **argv);

#endif /* XL_VIOMMU_H */

/*
 * Local variables:
 * mode: C
 * c-basic-offset: 4
 * indent-tabs-mode: nil
 * End:
 */
