/* SPDX-License-Identifier: MIT */
/*
 * viommu_domctl.h: an Intel VT-d unit emulated by Xen for an HVM guest.
 *
 * XEN_DOMCTL_viommu_op, and what it reports. Included by domctl.h.
 */
#ifndef XEN_PUBLIC_VIOMMU_DOMCTL_H
#define XEN_PUBLIC_VIOMMU_DOMCTL_H

#if !defined(__XEN__) && !defined(__XEN_TOOLS__)
#error "the viommu operations are for the toolstack only"
#endif

/* Guest-physical address of the unit's register page (4 KiB). */
#define XEN_VIOMMU_REGISTER_BASE  0xfed90000U

/*
 * PCI slots of the guest's bus 0 that the unit translates: the DMAR table
 * names them, and a device can be bound at these only.
 */
#define XEN_VIOMMU_SLOT_FIRST     0x10
#define XEN_VIOMMU_SLOT_LAST      0x1f

/*
 * Quota of shadow table pages, unless create says otherwise, of a guest with so
 * many pages: enough to map all of them one by one for several devices.
 */
#define XEN_VIOMMU_TABLE_PAGES(pages) (2048 + (pages) / 128)

/*
 * Every counter of a unit: name, and what it counts. Their order is the order
 * in which get_info copies them, so new ones go to the end. All count since the
 * unit was created, except those marked "now".
 */
#define XEN_VIOMMU_COUNTERS(X)                                              \
    X(reg_reads,         "register reads that trapped (exits)")             \
    X(reg_writes,        "register writes that trapped (exits)")            \
    X(qi_iotlb,          "IOTLB invalidation descriptors")                  \
    X(qi_context,        "context-cache invalidation descriptors")          \
    X(qi_iec,            "interrupt entry cache invalidation descriptors")  \
    X(qi_wait,           "invalidation wait descriptors")                   \
    X(syncs,             "ranges compared with the guest's tables")         \
    X(leaves_mapped,     "shadow leaves written")                           \
    X(leaves_unmapped,   "shadow leaves removed")                           \
    X(leaves_revived,    "stale shadow leaves taken into use again")        \
    X(leaves_stale,      "pages of stale shadow leaves, now")               \
    X(max_stale_us,      "longest time a leaf stayed stale, microseconds")  \
    X(hw_flush_page,     "page-selective flushes of physical IOTLBs")       \
    X(hw_flush_domain,   "domain-selective flushes of physical IOTLBs")     \
    X(pages_pinned,      "pages held by shadow tables, when last asked")    \
    X(table_pages,       "pages used by shadow tables, now")                \
    X(faults_forwarded,  "physical DMA faults reported to the guest")       \
    X(faults_dropped,    "physical DMA faults not reported to the guest")   \
    X(sidecore_batches,  "polls by a sidecore that found work")             \
    X(sidecore_wakeups,  "times that an idle sidecore was woken")           \
    X(trap_fallbacks,    "times that a sidecore was given up for trapping") \
    X(reg_commands,      "register-based invalidations")                    \
    X(contexts_switched, "times that a device got another table")           \
    X(deferrals,         "commands finished outside their register write")  \
    X(longest_entry,     "most work items done in one entry")               \
    X(rej_descriptor,    "refused: unknown or malformed descriptor")        \
    X(rej_queue,         "refused: queue outside memory, or bad tail")      \
    X(rej_status,        "refused: wait status address not writable RAM")   \
    X(rej_command,       "refused: unsupported register command")           \
    X(rej_root,          "refused: root table not in RAM, or bad entry")    \
    X(rej_context,       "refused: malformed context entry")                \
    X(rej_table,         "refused: second-level table not in RAM")          \
    X(rej_entry,         "refused: reserved bits in a second-level entry")  \
    X(rej_frame,         "refused: leaf names no RAM page of the guest")    \
    X(rej_quota,         "refused: shadow table quota used up")             \
    X(rej_hardware,      "refused: no physical domain ID or context entry") \
    X(leaves_lingered,   "shadow leaves that became stale")                 \
    X(stale_evicted,     "stale leaves ended early: the quota was used up") \
    X(stale_replaced,    "stale leaves ended early: mapped differently")    \
    X(no_exit_begins,    "times that the register page became memory")      \
    X(no_exit_idles,     "times that it traps again since nothing came")    \
    X(rej_inbox,         "refused: guest removed the register page itself") \
    X(stale_joined,      "stale leaves ended early: a flush was due anyway") \
    X(p2m_lookups,       "lookups of guest memory in the p2m")              \
    X(rej_event,         "refused: event message that is no interrupt")     \
    X(plain_accesses,    "trapped accesses done without the emulator")      \
    X(irte_remapped,     "interrupts remapped")                             \
    X(irte_compat,       "interrupts in compatibility format let through")  \
    X(irte_blocked,      "interrupts blocked")                              \
    X(irte_unreported,   "blocked interrupts that made no fault record")

#define XEN_VIOMMU_COUNTER_INDEX_(name, what) XEN_VIOMMU_CNT_##name,
enum {
    XEN_VIOMMU_COUNTERS(XEN_VIOMMU_COUNTER_INDEX_)
    XEN_VIOMMU_NR_COUNTERS
};
#undef XEN_VIOMMU_COUNTER_INDEX_

/*
 * Where the guest's IOAPIC is as a requester of interrupts: SSSS:BB:DD.F. No
 * device is on that bus.
 */
#define XEN_VIOMMU_IOAPIC_SBDF    0xff00U

/*
 * gflags of XEN_DOMCTL_bind_pt_irq for a message in remappable format, which is
 * handed on whole: the low byte of its data is gvec. Beside these only
 * XEN_DOMCTL_VMSI_X86_UNMASKED is as for other messages.
 */
#define XEN_VIOMMU_MSI_REMAPPABLE 0x80000000U
#define XEN_VIOMMU_MSI_HANDLE     0x0000ffffU
#define XEN_VIOMMU_MSI_SHV        0x00020000U /* address bit 3 */
#define XEN_VIOMMU_MSI_DATA       0x03fc0000U /* bits 15:8 of the data */
#define XEN_VIOMMU_MSI_DATA_HIGH  0x04000000U /* its bits 31:16 are not 0 */

/* A device behind the unit. */
struct xen_viommu_device {
    uint32_t vsbdf;   /* SSSS:BB:DD.F in the guest; segment and bus are 0. */
    uint32_t sbdf;    /* SSSS:BB:DD.F of the host. */
    uint32_t table;   /* What translates its DMA now: */
#define XEN_VIOMMU_TABLE_identity  0 /* the domain's own table */
#define XEN_VIOMMU_TABLE_shadow    1 /* a shadow of a guest table */
#define XEN_VIOMMU_TABLE_blocked   2 /* nothing is reachable */
    uint32_t domain;  /* Guest's domain ID of its shadow table, else 0. */
};
typedef struct xen_viommu_device xen_viommu_device_t;
DEFINE_XEN_GUEST_HANDLE(xen_viommu_device_t);

/* How a unit works. */
struct xen_viommu_settings {
    uint32_t mode;
#define XEN_VIOMMU_MODE_trap       0 /* Every register access is an exit. */
#define XEN_VIOMMU_MODE_sidecore   1 /* None is, while a sidecore polls. */
    uint32_t teardown;
#define XEN_VIOMMU_TEARDOWN_strict     0 /* What is unmapped goes at once. */
#define XEN_VIOMMU_TEARDOWN_optimistic 1 /* It may linger, to come back. */
    uint32_t window_us;   /* How long it may: 1 to 1000000. */
    uint32_t quota;       /* How many pages may at a time: 1 to 65536. */
    /*
     * How long the sidecore may leave a guest alone before the guest's
     * register accesses trap again: 1000 to 1000000 microseconds.
     */
    uint32_t fallback_us;
    /*
     * How long a guest gives no command before its register accesses trap
     * again, so that the sidecore can sleep: 1000 to 60000000 microseconds.
     */
    uint32_t idle_us;
};
typedef struct xen_viommu_settings xen_viommu_settings_t;

#define XEN_VIOMMU_DEFAULT_SETTINGS {                                       \
    .mode = XEN_VIOMMU_MODE_trap,                                           \
    .teardown = XEN_VIOMMU_TEARDOWN_optimistic,                             \
    .window_us = 5000,                                                      \
    .quota = 4096,                                                          \
    .fallback_us = 20000,                                                   \
    .idle_us = 100000,                                                      \
}

/*
 * XEN_DOMCTL_viommu_op. For the control domain only. Common errors:
 *   -EOPNOTSUPP  Xen was built without CONFIG_VIOMMU, or the host has no VT-d
 *   -EINVAL      unknown cmd, a pad that is not 0, not an HVM domain
 *   -ENOENT      (all but create) the domain has no unit
 */
struct xen_domctl_viommu_op {
    uint32_t cmd;
    uint32_t pad;

    /*
     * Gives the domain a unit. Once, before the domain first runs.
     *   -EEXIST      it has one
     *   -EBUSY       the domain ran already, or devices are assigned to it
     *   -EXDEV       the domain was created without passthrough
     *   -EOPNOTSUPP  no VT-d, no HAP, altp2m or nested HVM in use
     *   -ENOMEM
     */
#define XEN_DOMCTL_VIOMMU_create    0

    /*
     * Puts an assigned device behind the unit at a slot of the guest. While
     * translation is off the device keeps seeing the guest's memory.
     *   -ENODEV      no such device is assigned to the domain
     *   -ERANGE      vsbdf is outside XEN_VIOMMU_SLOT_FIRST..LAST on bus 0
     *   -EEXIST      the device, or the slot, is bound
     *   -EOPNOTSUPP  the device has an RMRR, or is behind a legacy bridge
     *   -ENOMEM, -ENOSPC (physical domain IDs)
     */
#define XEN_DOMCTL_VIOMMU_bind      1

    /*
     * Takes a device from behind the unit. Deassigning a device implies it.
     *   -ENODEV      the device is not bound
     */
#define XEN_DOMCTL_VIOMMU_unbind    2

    /*
     * Reports on the unit. Copies at most as many counters and devices as
     * there is room for, and returns how many exist.
     *   -EFAULT      a buffer is not accessible
     */
#define XEN_DOMCTL_VIOMMU_get_info  3

    /*
     * Changes all settings, at any time. In sidecore mode Xen assigns the
     * guest to the sidecore that has the fewest, and to another when that ends.
     *   -ERANGE      a value is not among those that its comment gives
     *   -ENXIO       sidecore mode, and no sidecore runs
     *   -ENOMEM      for the quota, or the register page
     */
#define XEN_DOMCTL_VIOMMU_set       4

    /*
     * Makes the domain, a PVH one, a sidecore: its vCPU 0 may then call
     * HVMOP_viommu_poll. It stays one until it is destroyed.
     *   -EINVAL      a PV domain, or one with a unit
     *   -EEXIST      it is one
     *   -ENOSPC      there are XEN_VIOMMU_MAX_SIDECORES
     */
#define XEN_DOMCTL_VIOMMU_sidecore_start  5
#define XEN_VIOMMU_MAX_SIDECORES    16

    /*
     * Reports on a sidecore. On a domain that is none: -ENOENT.
     */
#define XEN_DOMCTL_VIOMMU_sidecore_info   6

    union {
        struct {
            uint32_t table_pages;  /* IN: quota of table pages, 0: default.
                                    * All of them are set aside at once. */
            uint32_t flags;        /* IN: */
            /*
             * The guest may have less memory than its maximum, populated on
             * demand. Its devices then are blocked until it turns translation
             * on, and it cannot have them pass it by (ECAP.PT is 0). What it
             * maps for them is populated, and counts as its own access would.
             */
#define XEN_VIOMMU_CREATE_overcommit (1U << 0)
            /* The unit remaps interrupts, too (ECAP.IR, ECAP.EIM). */
#define XEN_VIOMMU_CREATE_intremap   (1U << 1)
        } create;

        xen_viommu_settings_t set; /* IN */

        struct {
            uint32_t nr_guests;    /* OUT: guests that it serves. */
            uint32_t flags;        /* OUT: */
#define XEN_VIOMMU_SIDECORE_asleep   (1U << 0) /* None of them has work. */
            uint64_aligned_t polls;      /* OUT: calls of HVMOP_viommu_poll. */
            uint64_aligned_t batches;    /* OUT: visits that found work. */
            uint64_aligned_t wakeups;    /* OUT */
            uint64_aligned_t silent_us;  /* OUT: since it last polled. */
        } sidecore;

        struct {
            uint32_t sbdf;         /* IN: the host's device. */
            uint32_t vsbdf;        /* IN: where the guest sees it. (bind) */
        } bind;                    /* and unbind */

        struct {
            uint32_t table_pages;  /* OUT: quota of shadow table pages. */
            uint32_t flags;        /* OUT: */
#define XEN_VIOMMU_FLAG_translation  (1U << 0) /* GSTS.TES */
#define XEN_VIOMMU_FLAG_queue        (1U << 1) /* GSTS.QIES */
#define XEN_VIOMMU_FLAG_quarantined  (1U << 2) /* The host failed it. */
#define XEN_VIOMMU_FLAG_overcommit   (1U << 3) /* As given to create. */
#define XEN_VIOMMU_FLAG_no_exit      (1U << 4) /* Registers do not trap now. */
#define XEN_VIOMMU_FLAG_intremap     (1U << 5) /* GSTS.IRES */
            uint64_aligned_t cap;  /* OUT: capability register. */
            uint64_aligned_t ecap; /* OUT: extended capability register. */
            uint32_t nr_counters;  /* IN: room, OUT: number. */
            uint32_t nr_devices;   /* IN: room, OUT: number. */
            xen_viommu_settings_t settings; /* OUT */
            uint32_t sidecore;     /* OUT: its domain, or DOMID_INVALID. */
            uint32_t pad;
            XEN_GUEST_HANDLE_64(uint64) counters;
            XEN_GUEST_HANDLE_64(xen_viommu_device_t) devices;
        } info;
    } u;
};
typedef struct xen_domctl_viommu_op xen_domctl_viommu_op_t;
DEFINE_XEN_GUEST_HANDLE(xen_domctl_viommu_op_t);

#endif /* XEN_PUBLIC_VIOMMU_DOMCTL_H */

/*
 * Local variables:
 * mode: C
 * c-file-style: "BSD"
 * c-basic-offset: 4
 * tab-width: 4
 * indent-tabs-mode: nil
 * End:
 */
