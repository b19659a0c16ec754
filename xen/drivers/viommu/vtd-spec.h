/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vtd-spec.h: registers, descriptors and table entries of VT-d.
 *
 * The only place with numbers of the Intel Virtualization Technology for
 * Directed I/O specification. Sections are those of revision 4.1; what is here
 * is the legacy mode, which all revisions share. Fields are masks, to be used
 * with MASK_EXTR() and MASK_INSR().
 */
#ifndef VIOMMU_VTD_SPEC_H
#define VIOMMU_VTD_SPEC_H

/* 11.4.1 Version. */
#define VTD_VER                 0x000
#define VTD_VER_1_0             0x10U

/* 11.4.2 Capability. */
#define VTD_CAP                 0x008
#define VTD_CAP_ND              0x0000000000000007ULL /* domains: 2^(4+2*ND) */
#define VTD_CAP_CM              0x0000000000000080ULL /* caches not-present */
#define VTD_CAP_SAGAW_39        0x0000000000000200ULL
#define VTD_CAP_SAGAW_48        0x0000000000000400ULL
#define VTD_CAP_MGAW            0x00000000003f0000ULL /* width - 1 */
#define VTD_CAP_ZLR             0x0000000000400000ULL
#define VTD_CAP_FRO             0x00000003ff000000ULL /* in 16 bytes */
#define VTD_CAP_SLLPS_2M        0x0000000400000000ULL
#define VTD_CAP_SLLPS_1G        0x0000000800000000ULL
#define VTD_CAP_PSI             0x0000008000000000ULL
#define VTD_CAP_NFR             0x0000ff0000000000ULL /* records - 1 */
#define VTD_CAP_MAMV            0x003f000000000000ULL
#define VTD_CAP_DWD             0x0040000000000000ULL
#define VTD_CAP_DRD             0x0080000000000000ULL

/* 11.4.3 Extended capability. */
#define VTD_ECAP                0x010
#define VTD_ECAP_C              0x0000000000000001ULL /* walks are coherent */
#define VTD_ECAP_QI             0x0000000000000002ULL
#define VTD_ECAP_IR             0x0000000000000008ULL
#define VTD_ECAP_EIM            0x0000000000000010ULL /* x2APIC */
#define VTD_ECAP_PT             0x0000000000000040ULL
#define VTD_ECAP_SC             0x0000000000000080ULL
#define VTD_ECAP_IRO            0x000000000003ff00ULL /* in 16 bytes */
#define VTD_ECAP_MHMV           0x0000000000f00000ULL /* of IEC masks */

/* 11.4.4.1 Global command, 11.4.4.2 global status: same bits. */
#define VTD_GCMD                0x018
#define VTD_GSTS                0x01c
#define VTD_GCMD_TE             0x80000000U
#define VTD_GCMD_SRTP           0x40000000U
#define VTD_GCMD_QIE            0x04000000U
#define VTD_GCMD_IRE            0x02000000U
#define VTD_GCMD_SIRTP          0x01000000U
#define VTD_GCMD_CFI            0x00800000U
/* Those that are given each time, and show that it was done. */
#define VTD_GCMD_ONE_SHOT       (VTD_GCMD_SRTP | VTD_GCMD_SIRTP)

/* 11.4.5 Root table address. */
#define VTD_RTADDR              0x020
#define VTD_RTADDR_RTA          0xfffffffffffff000ULL

/* 11.4.6.1 Context command. */
#define VTD_CCMD                0x028
#define VTD_CCMD_ICC            0x8000000000000000ULL
#define VTD_CCMD_CIRG           0x6000000000000000ULL
#define VTD_CCMD_CAIG           0x1800000000000000ULL
#define VTD_CCMD_FM             0x0000000300000000ULL
#define VTD_CCMD_SID            0x00000000ffff0000ULL
#define VTD_CCMD_DID            0x000000000000ffffULL

/* 6.5.1.1, 6.5.1.2: granularity of an invalidation; asked for and done. */
#define VTD_GRANU_REFUSED       0
#define VTD_GRANU_GLOBAL        1
#define VTD_GRANU_DOMAIN        2
#define VTD_GRANU_SELECTIVE     3 /* device (context) or page (IOTLB) */

/* 11.4.7.1 Fault status. */
#define VTD_FSTS                0x034
#define VTD_FSTS_PFO            0x00000001U
#define VTD_FSTS_PPF            0x00000002U
#define VTD_FSTS_IQE            0x00000010U
#define VTD_FSTS_ICE            0x00000020U
#define VTD_FSTS_ITE            0x00000040U
#define VTD_FSTS_FRI            0x0000ff00U

/* 11.4.7.2 to 11.4.7.5 Fault event; 11.4.9.6 on: invalidation event, alike. */
#define VTD_FECTL               0x038
#define VTD_FEDATA              0x03c
#define VTD_FEADDR              0x040
#define VTD_FEUADDR             0x044
#define VTD_IECTL               0x0a0
#define VTD_IEDATA              0x0a4
#define VTD_IEADDR              0x0a8
#define VTD_IEUADDR             0x0ac
#define VTD_EVENT_IM            0x80000000U
#define VTD_EVENT_IP            0x40000000U
#define VTD_EVENT_DATA          0x0000ffffU
#define VTD_EVENT_ADDR          0xfffffffcU

/* 11.4.9.1 to 11.4.9.3 Invalidation queue head, tail, address. */
#define VTD_IQH                 0x080
#define VTD_IQT                 0x088
#define VTD_IQ_OFFSET           0x000000000007fff0ULL /* of a descriptor */
#define VTD_IQA                 0x090
#define VTD_IQA_IQA             0xfffffffffffff000ULL
#define VTD_IQA_QS              0x0000000000000007ULL /* 2^(8+QS) entries */
#define VTD_IQ_ENTRIES_ORDER    8

/* 11.4.9.4 Invalidation completion status. */
#define VTD_ICS                 0x09c
#define VTD_ICS_IWC             0x00000001U

/* 11.4.9.10 Interrupt remapping table address. */
#define VTD_IRTA                0x0b8
#define VTD_IRTA_ADDR           0xfffffffffffff000ULL
#define VTD_IRTA_EIME           0x0000000000000800ULL
#define VTD_IRTA_S              0x000000000000000fULL /* 2^(S+1) entries */

/* 11.4.9.9 Invalidation queue error record. */
#define VTD_IQERCD              0x0b0

/* 11.4.8.2 Invalidate address, 11.4.8.1 IOTLB invalidate; at ECAP.IRO. */
#define VTD_IVA                 0x0f0
#define VTD_IVA_ADDR            0xfffffffffffff000ULL
#define VTD_IVA_IH              0x0000000000000040ULL
#define VTD_IVA_AM              0x000000000000003fULL
#define VTD_IOTLB               0x0f8
#define VTD_IOTLB_IVT           0x8000000000000000ULL
#define VTD_IOTLB_IIRG          0x3000000000000000ULL
#define VTD_IOTLB_IAIG          0x0600000000000000ULL
#define VTD_IOTLB_DR            0x0002000000000000ULL
#define VTD_IOTLB_DW            0x0001000000000000ULL
#define VTD_IOTLB_DID           0x0000ffff00000000ULL

/* 11.4.7.8 Fault recording, 16 bytes each; at CAP.FRO. */
#define VTD_FRCD                0x220
#define VTD_FRCD_SIZE           16
#define VTD_FRCD_LO_FI          0xfffffffffffff000ULL
#define VTD_FRCD_LO_INDEX       0xffff000000000000ULL /* of an interrupt */
#define VTD_FRCD_HI_F           0x8000000000000000ULL
#define VTD_FRCD_HI_T1          0x4000000000000000ULL /* a read */
#define VTD_FRCD_HI_FR          0x000000ff00000000ULL
#define VTD_FRCD_HI_SID         0x000000000000ffffULL

/* 7.1.3 Fault reasons of legacy mode; 0 is none. */
#define VTD_FR_ROOT_NOT_PRESENT     0x01
#define VTD_FR_CONTEXT_NOT_PRESENT  0x02
#define VTD_FR_CONTEXT_INVALID      0x03
#define VTD_FR_BEYOND_WIDTH         0x04
#define VTD_FR_WRITE                0x05
#define VTD_FR_READ                 0x06
#define VTD_FR_TABLE_ADDR           0x07
#define VTD_FR_ROOT_ADDR            0x08
#define VTD_FR_CONTEXT_ADDR         0x09
#define VTD_FR_ROOT_RSVD            0x0a
#define VTD_FR_CONTEXT_RSVD         0x0b
#define VTD_FR_TABLE_RSVD           0x0c
/* Of interrupt requests. */
#define VTD_FR_IR_REQUEST_RSVD      0x20
#define VTD_FR_IR_INDEX             0x21
#define VTD_FR_IR_NOT_PRESENT       0x22
#define VTD_FR_IR_TABLE_ADDR        0x23
#define VTD_FR_IR_ENTRY_RSVD        0x24
#define VTD_FR_IR_COMPATIBILITY     0x25
#define VTD_FR_IR_SOURCE            0x26

/* 9.1 Root entry. */
struct vtd_root_entry {
    uint64_t lo, hi;
};
#define VTD_ROOT_P              0x0000000000000001ULL
#define VTD_ROOT_CTP            0xfffffffffffff000ULL
#define VTD_ROOT_LO_RSVD        0x0000000000000ffeULL

/* 9.3 Context entry. */
struct vtd_context_entry {
    uint64_t lo, hi;
};
#define VTD_CTX_P               0x0000000000000001ULL
#define VTD_CTX_FPD             0x0000000000000002ULL
#define VTD_CTX_TT              0x000000000000000cULL
#define VTD_CTX_LO_RSVD         0x0000000000000ff0ULL
#define VTD_CTX_SLPTPTR         0xfffffffffffff000ULL
#define VTD_CTX_HI_AW           0x0000000000000007ULL /* levels - 2 */
#define VTD_CTX_HI_DID          0x0000000000ffff00ULL
#define VTD_CTX_HI_RSVD         0xffffffffff000080ULL
#define VTD_TT_MULTI_LEVEL      0
#define VTD_TT_PASS_THROUGH     2

/* 9.8 Second-level table entries. */
#define VTD_PTE_R               0x0000000000000001ULL
#define VTD_PTE_W               0x0000000000000002ULL
#define VTD_PTE_SP              0x0000000000000080ULL
#define VTD_PTE_SNP             0x0000000000000800ULL
#define VTD_PTE_TM              0x4000000000000000ULL
#define VTD_PTE_ADDR            0x000ffffffffff000ULL
#define VTD_PTE_IGNORED         0xbff0000000000000ULL /* for software */
#define VTD_PTE_IGNORED_LINK    0x0000000000000400ULL /* not in a leaf */

/* 5.1.2.2, 5.1.5.2 Interrupt request in remappable format. */
#define VTD_MSI_BASE            0x00000000fee00000ULL
#define VTD_MSI_BASE_MASK       0xfffffffffff00000ULL
#define VTD_MSI_INDEX           0x00000000000fffe0ULL /* bits 14:0 */
#define VTD_MSI_REMAPPABLE      0x0000000000000010ULL
#define VTD_MSI_SHV             0x0000000000000008ULL /* a subhandle */
#define VTD_MSI_INDEX_15        0x0000000000000004ULL
#define VTD_MSI_DATA_SUBHANDLE  0x0000ffffU
#define VTD_MSI_DATA_RSVD       0xffff0000U           /* with SHV */

/* 5.1.5.1 Redirection entry of an IOAPIC in remappable format. */
#define VTD_RTE_INDEX           0xfffe000000000000ULL /* bits 14:0 */
#define VTD_RTE_REMAPPABLE      0x0001000000000000ULL
#define VTD_RTE_INDEX_15        0x0000000000000800ULL

/* 9.10 Interrupt remapping table entry. */
struct vtd_irte {
    uint64_t lo, hi;
};
#define VTD_IRTE_P              0x0000000000000001ULL
#define VTD_IRTE_FPD            0x0000000000000002ULL
#define VTD_IRTE_DM             0x0000000000000004ULL /* logical */
#define VTD_IRTE_RH             0x0000000000000008ULL /* any one of them */
#define VTD_IRTE_TM             0x0000000000000010ULL /* level */
#define VTD_IRTE_DLM            0x00000000000000e0ULL
#define VTD_IRTE_V              0x0000000000ff0000ULL
#define VTD_IRTE_LO_RSVD        0x00000000ff00f000ULL /* IM: CAP.PI is 0 */
#define VTD_IRTE_DST            0xffffffff00000000ULL
#define VTD_IRTE_DST_XAPIC      0x0000ff0000000000ULL
#define VTD_IRTE_HI_SID         0x000000000000ffffULL
#define VTD_IRTE_HI_SQ          0x0000000000030000ULL
#define VTD_IRTE_HI_SVT         0x00000000000c0000ULL
#define VTD_IRTE_HI_RSVD        0xfffffffffff00000ULL
#define VTD_SVT_NONE            0
#define VTD_SVT_SID             1 /* less what SQ leaves out */
#define VTD_SVT_BUS             2 /* from SID's upper byte to its lower one */
#define VTD_DLM_FIXED           0
#define VTD_DLM_LOWEST          1
#define VTD_DLM_SMI             2
#define VTD_DLM_NMI             4
#define VTD_DLM_INIT            5
#define VTD_DLM_EXTINT          7

#define VTD_PAGE_SHIFT          12
#define VTD_LEVEL_STRIDE        9
#define VTD_TABLE_ENTRIES       (1U << VTD_LEVEL_STRIDE)
/* Bytes translated by one entry of a table of that level; 1: leaf tables. */
#define VTD_LEVEL_SHIFT(level)  (VTD_PAGE_SHIFT + \
                                 ((level) - 1) * VTD_LEVEL_STRIDE)
#define VTD_LEVEL_SIZE(level)   ((uint64_t)1 << VTD_LEVEL_SHIFT(level))
#define VTD_LEVEL_PAGES(level)  (1U << (((level) - 1) * VTD_LEVEL_STRIDE))
#define VTD_LEVEL_INDEX(addr, level) \
    (((addr) >> VTD_LEVEL_SHIFT(level)) & (VTD_TABLE_ENTRIES - 1))
/* Address width of a table of so many levels. */
#define VTD_LEVEL_WIDTH(levels) (VTD_PAGE_SHIFT + (levels) * VTD_LEVEL_STRIDE)

/* 6.5.2 Invalidation descriptors of 128 bits. */
struct vtd_descriptor {
    uint64_t lo, hi;
};
#define VTD_DESC_TYPE           0x000000000000000fULL
#define VTD_DESC_TYPE_HI        0x0000000000000e00ULL /* type, upper bits */
#define VTD_DESC_GRANU          0x0000000000000030ULL
#define VTD_DESC_CONTEXT        1
#define VTD_DESC_IOTLB          2
#define VTD_DESC_DEV_TLB        3
#define VTD_DESC_IEC            4
#define VTD_DESC_WAIT           5

/* 6.5.2.1 Context-cache invalidate. */
#define VTD_DESC_CC_DID         0x00000000ffff0000ULL
#define VTD_DESC_CC_SID         0x0000ffff00000000ULL
#define VTD_DESC_CC_FM          0x0003000000000000ULL
#define VTD_DESC_CC_LO_RSVD     0xfffc00000000ffc0ULL

/* 6.5.2.3 IOTLB invalidate. */
#define VTD_DESC_IOTLB_DW       0x0000000000000040ULL
#define VTD_DESC_IOTLB_DR       0x0000000000000080ULL
#define VTD_DESC_IOTLB_DID      0x00000000ffff0000ULL
#define VTD_DESC_IOTLB_LO_RSVD  0xffffffff0000ff00ULL
#define VTD_DESC_IOTLB_AM       0x000000000000003fULL
#define VTD_DESC_IOTLB_IH       0x0000000000000040ULL
#define VTD_DESC_IOTLB_ADDR     0xfffffffffffff000ULL
#define VTD_DESC_IOTLB_HI_RSVD  0x0000000000000f80ULL

/* 6.5.2.7 Interrupt entry cache invalidate. */
#define VTD_DESC_IEC_G          0x0000000000000010ULL
#define VTD_DESC_IEC_IM         0x00000000f8000000ULL
#define VTD_DESC_IEC_IIDX       0x0000ffff00000000ULL
#define VTD_DESC_IEC_LO_RSVD    0xffff000007ffffe0ULL

/* 6.5.2.8 Invalidation wait. */
#define VTD_DESC_WAIT_IF        0x0000000000000010ULL
#define VTD_DESC_WAIT_SW        0x0000000000000020ULL
#define VTD_DESC_WAIT_FN        0x0000000000000040ULL
#define VTD_DESC_WAIT_DATA      0xffffffff00000000ULL
#define VTD_DESC_WAIT_LO_RSVD   0x00000000ffffff80ULL
#define VTD_DESC_WAIT_ADDR      0xfffffffffffffffcULL

#endif /* VIOMMU_VTD_SPEC_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
