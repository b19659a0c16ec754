/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What differs between the kernels that the module is for: 6.1, 6.12 and 7.x.
 * Nothing else looks at LINUX_VERSION_CODE.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/hrtimer.h>
#include <linux/iommu.h>
#include <linux/version.h>

/* Who maps for a device: its dma_ops or, since 6.12, a flag that calls the IOMMU's. */
struct mapper {
	const struct dma_map_ops *ops;
	bool iommu;
};

#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 1, 0)
#define get_flag(dev)		dev_dma_iommu(dev)
#define set_flag(dev, on)	dev_assign_dma_iommu(dev, on)
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define get_flag(dev)		((dev)->dma_iommu)
#define set_flag(dev, on)	((dev)->dma_iommu = (on))
#else
#define get_flag(dev)		false
#define set_flag(dev, on)	((void)(on))
#endif

static inline struct mapper get_mapper(struct device *dev)
{
	return (struct mapper){ dev->dma_ops, get_flag(dev) };
}

/* Is it Linux's own for IOMMUs? The caller has seen that there is one. */
static inline bool is_kernels(struct mapper m)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
	return m.iommu && !m.ops;
#else
	return m.ops;
#endif
}

static inline void set_mapper(struct device *dev, struct mapper m)
{
	WRITE_ONCE(dev->dma_ops, m.ops);
	set_flag(dev, m.iommu);
}

/*
 * The same for a device that is in use. Who maps reads first dma_ops, then the
 * flag: with neither it would think that there is no IOMMU. So the one that comes
 * is there, for everybody, before the other one goes. Sleeps.
 */
static inline void change_mapper(struct device *dev, struct mapper m,
				 void (*everybody)(void))
{
	if (m.iommu) {
		set_flag(dev, true);
		everybody();
		WRITE_ONCE(dev->dma_ops, m.ops);
	} else {
		WRITE_ONCE(dev->dma_ops, m.ops);
		everybody();
		set_flag(dev, false);
	}
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define iommu_map_now(d, iova, phys, size, prot) \
	iommu_map(d, iova, phys, size, prot, GFP_ATOMIC)
#else
#define iommu_map_now	iommu_map_atomic
#endif

static inline void timer_init(struct hrtimer *timer,
			      enum hrtimer_restart (*fn)(struct hrtimer *))
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup(timer, fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
#else
	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
	timer->function = fn;
#endif
}

/* Pages became physical addresses, and resources one of their attributes. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define MAP_PHYS	1
#else
#define MAP_PHYS	0
#define DMA_ATTR_MMIO	0
#endif

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#define ALLOC_PAGES_OP	alloc_pages_op
#else
#define ALLOC_PAGES_OP	alloc_pages
#endif

#endif
