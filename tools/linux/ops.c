// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dma_map_ops of a device that is taken. What a driver maps for a while goes
 * through its book; all else (coherent memory, registers of other devices, pages
 * that are no memory) is left to the kernel's own mapper, by the proxy.
 *
 * Addresses come from the kernel's mapper, too, which makes the book's and its own
 * apart from each other: what this module does not know when it is unmapped was
 * mapped by the kernel, before the device was taken or while it drains.
 *
 * On x86 all DMA is coherent, and a trusted device's is not bounced, so there is
 * nothing to do for the sync operations.
 */
#include <linux/memremap.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/scatterlist.h>
#include <linux/xarray.h>

#include "strategy.h"

#ifndef CONFIG_X86
#error "the sync operations are for machines where DMA is coherent"
#endif

/* What kept addresses point to while they are given back: zeros, read-only. */
#define DUMMY_ORDER	4
static struct page *dummy;

static DEFINE_XARRAY(all);

static unsigned long key(struct pci_dev *pdev)
{
	return ((unsigned long)pci_domain_nr(pdev->bus) << 16) | pci_dev_id(pdev);
}

/* Those with these ops are there until everybody has left them. */
struct taken *taken_of(struct device *dev)
{
	return xa_load(&all, key(to_pci_dev(dev)));
}

int taken_enter(struct taken *t)
{
	return xa_insert(&all, key(t->pdev), t, GFP_KERNEL);
}

void taken_leave(struct taken *t)
{
	xa_erase(&all, key(t->pdev));
}

int ops_init(void)
{
	dummy = alloc_pages(GFP_KERNEL | __GFP_ZERO, DUMMY_ORDER);
	return dummy ? 0 : -ENOMEM;
}

void ops_exit(void)
{
	__free_pages(dummy, DUMMY_ORDER);
}

/* ---- the hardware, as the book sees it; with the lock held --------------- */

static int prot_of(u32 rights)
{
	return IOMMU_CACHE | (rights & BOOK_READ ? IOMMU_READ : 0) |
	       (rights & BOOK_WRITE ? IOMMU_WRITE : 0);
}

static enum dma_data_direction dir_of(u32 rights)
{
	return rights == BOOK_READ ? DMA_TO_DEVICE :
	       rights == BOOK_WRITE ? DMA_FROM_DEVICE : DMA_BIDIRECTIONAL;
}

static size_t bytes(u32 pages)
{
	return (size_t)pages << BOOK_PAGE_SHIFT;
}

/* Its mask, which is the device's, is the limit. */
static int hw_create(void *ctx, u64 pfn, u32 pages, u32 rights, u64 limit,
		     u64 *addr)
{
	struct taken *t = ctx;
	dma_addr_t a = dma_map_page_attrs(&t->proxy, pfn_to_page(pfn), 0,
					  bytes(pages), dir_of(rights),
					  DMA_ATTR_SKIP_CPU_SYNC);

	if (dma_mapping_error(&t->proxy, a))
		return -ENOMEM;
	*addr = a;
	return 0;
}

static int hw_map(void *ctx, u64 addr, u64 pfn, u32 pages, u32 rights)
{
	struct taken *t = ctx;

	return iommu_map_now(t->domain, addr, PFN_PHYS(pfn), bytes(pages),
			     prot_of(rights)) ? -ENOMEM : 0;
}

static int hw_clear(void *ctx, u64 addr, u32 pages)
{
	struct taken *t = ctx;
	size_t done;

	/* Nothing is flushed before hw_flush(), though it is not the next one. */
	t->gather.queued = true;
	done = iommu_unmap_fast(t->domain, addr, bytes(pages), &t->gather);
	if (done == bytes(pages))
		return 0;
	dev_warn_once(&t->pdev->dev, "dma_strategy: %zu bytes of %zu at %#llx were mapped\n",
		      done, bytes(pages), addr);
	return -EIO;
}

static void hw_flush(void *ctx, u64 from, u64 to)
{
	struct taken *t = ctx;

	t->gather.queued = false;
	t->gather.start = from;
	t->gather.end = to - 1;
	/* Frees the pages of tables, too, and begins anew. */
	iommu_iotlb_sync(t->domain, &t->gather);
}

/* The kernel takes an address back only if something is mapped there. */
static void hw_end(void *ctx, u64 addr, u32 pages)
{
	struct taken *t = ctx;
	u32 at, some;

	for (at = 0; at < pages; at += some) {
		some = min(pages - at, 1u << DUMMY_ORDER);
		if (hw_map(ctx, addr + bytes(at), page_to_pfn(dummy), some,
			   BOOK_READ)) {
			/* It stays the book's for ever. */
			t->book.count.lost++;
			if (at && !hw_clear(ctx, addr, at))
				hw_flush(ctx, addr, addr + bytes(at));
			return;
		}
	}
	dma_unmap_page_attrs(&t->proxy, addr, bytes(pages), DMA_TO_DEVICE,
			     DMA_ATTR_SKIP_CPU_SYNC);
}

static void *hw_alloc(size_t size) { return kzalloc(size, GFP_ATOMIC); }
static void hw_free(void *p) { kfree(p); }

const struct book_hw strategy_hw = {
	.create = hw_create,
	.map = hw_map,
	.clear = hw_clear,
	.flush = hw_flush,
	.end = hw_end,
	.alloc = hw_alloc,
	.free = hw_free,
};

/* ---- time ---------------------------------------------------------------- */

/* With the lock held, after whatever may have made something stale. */
static void arm(struct taken *t)
{
	u64 due = book_due(&t->book);

	if (!due || (t->armed && t->armed <= due))
		return;
	t->armed = due;
	hrtimer_start(&t->timer, ns_to_ktime(due), HRTIMER_MODE_ABS_SOFT);
}

enum hrtimer_restart taken_timer(struct hrtimer *timer)
{
	struct taken *t = container_of(timer, struct taken, timer);
	unsigned long flags;

	spin_lock_irqsave(&t->lock, flags);
	book_tick(&t->book, ktime_get_ns());
	t->armed = 0;
	arm(t);
	spin_unlock_irqrestore(&t->lock, flags);
	return HRTIMER_NORESTART;
}

/* ---- mapping ------------------------------------------------------------- */

static bool ours(phys_addr_t phys, unsigned long attrs)
{
	return !(attrs & (DMA_ATTR_MMIO | DMA_ATTR_PRIVILEGED)) &&
	       pfn_valid(PHYS_PFN(phys)) &&
	       !is_zone_device_page(pfn_to_page(PHYS_PFN(phys)));
}

static u32 pages_of(phys_addr_t phys, size_t size)
{
	return PHYS_PFN(phys + size - 1) - PHYS_PFN(phys) + 1;
}

/* -EBUSY: the kernel is to do it. */
static int map_ours(struct taken *t, phys_addr_t phys, size_t size,
		    enum dma_data_direction dir, unsigned long attrs,
		    dma_addr_t *addr)
{
	u32 rights = dir == DMA_TO_DEVICE ? BOOK_READ :
		     dir == DMA_FROM_DEVICE ? BOOK_WRITE :
		     BOOK_READ | BOOK_WRITE;
	int rc = -EBUSY;
	unsigned long flags;
	u64 a = 0;

	if (!size || size > UINT_MAX)
		return -EINVAL;
	spin_lock_irqsave(&t->lock, flags);
	if (ours(phys, attrs))
		rc = book_map(&t->book, ktime_get_ns(), PHYS_PFN(phys),
			      pages_of(phys, size), rights,
			      dma_get_mask(&t->proxy), &a);
	if (rc == -EBUSY)
		t->passed++;
	spin_unlock_irqrestore(&t->lock, flags);
	*addr = a + offset_in_page(phys);
	return rc;
}

static bool unmap_ours(struct taken *t, dma_addr_t addr)
{
	unsigned long flags;
	bool was_ours, drained;

	spin_lock_irqsave(&t->lock, flags);
	was_ours = book_unmap(&t->book, ktime_get_ns(), addr & PAGE_MASK);
	arm(t);
	drained = was_ours && t->state == DRAINING && !t->book.count.live_pages;
	spin_unlock_irqrestore(&t->lock, flags);
	if (drained)
		taken_drained();
	return was_ours;
}

#if MAP_PHYS
static dma_addr_t map_phys(struct device *dev, phys_addr_t phys, size_t size,
			   enum dma_data_direction dir, unsigned long attrs)
{
	struct taken *t = taken_of(dev);
	dma_addr_t addr;
	int rc = map_ours(t, phys, size, dir, attrs, &addr);

	if (rc == -EBUSY)
		return dma_map_phys(&t->proxy, phys, size, dir, attrs);
	return rc ? DMA_MAPPING_ERROR : addr;
}

static void unmap_phys(struct device *dev, dma_addr_t addr, size_t size,
		       enum dma_data_direction dir, unsigned long attrs)
{
	struct taken *t = taken_of(dev);

	if ((attrs & DMA_ATTR_MMIO) || !unmap_ours(t, addr))
		dma_unmap_phys(&t->proxy, addr, size, dir, attrs);
}
#else
static dma_addr_t map_page(struct device *dev, struct page *page,
			   unsigned long offset, size_t size,
			   enum dma_data_direction dir, unsigned long attrs)
{
	struct taken *t = taken_of(dev);
	dma_addr_t addr;
	int rc = map_ours(t, page_to_phys(page) + offset, size, dir, attrs,
			  &addr);

	if (rc == -EBUSY)
		return dma_map_page_attrs(&t->proxy, page, offset, size, dir,
					  attrs);
	return rc ? DMA_MAPPING_ERROR : addr;
}

static void unmap_page(struct device *dev, dma_addr_t addr, size_t size,
		       enum dma_data_direction dir, unsigned long attrs)
{
	struct taken *t = taken_of(dev);

	if (!unmap_ours(t, addr))
		dma_unmap_page_attrs(&t->proxy, addr, size, dir, attrs);
}

static dma_addr_t map_resource(struct device *dev, phys_addr_t phys, size_t size,
			       enum dma_data_direction dir, unsigned long attrs)
{
	return dma_map_resource(&taken_of(dev)->proxy, phys, size, dir, attrs);
}

static void unmap_resource(struct device *dev, dma_addr_t addr, size_t size,
			   enum dma_data_direction dir, unsigned long attrs)
{
	dma_unmap_resource(&taken_of(dev)->proxy, addr, size, dir, attrs);
}
#endif

static void unmap_first(struct taken *t, struct scatterlist *sgl, int n)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, n, i)
		unmap_ours(t, sg_dma_address(sg));
}

/*
 * Each part is an extent of its own: parts are found again one by one, and none
 * is merged with the one before it.
 */
static int map_sg(struct device *dev, struct scatterlist *sgl, int nents,
		  enum dma_data_direction dir, unsigned long attrs)
{
	struct taken *t = taken_of(dev);
	struct scatterlist *sg;
	dma_addr_t addr;
	int i, rc = 0;

	/* Either all of a list is the kernel's, or nothing. */
	for_each_sg(sgl, sg, nents, i)
		if (!ours(sg_phys(sg), attrs))
			rc = -EBUSY;
	for_each_sg(sgl, sg, rc ? 0 : nents, i) {
		rc = map_ours(t, sg_phys(sg), sg->length, dir, attrs, &addr);
		if (rc)
			break;
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = sg->length;
		sg_dma_unmark_bus_address(sg);
	}
	if (!rc)
		return nents;
	unmap_first(t, sgl, i);
	if (rc != -EBUSY)
		return rc;
	rc = dma_map_sg_attrs(&t->proxy, sgl, nents, dir, attrs);
	return rc ?: -EIO;
}

static void unmap_sg(struct device *dev, struct scatterlist *sgl, int nents,
		     enum dma_data_direction dir, unsigned long attrs)
{
	struct taken *t = taken_of(dev);
	unsigned long flags;
	bool is_ours;

	spin_lock_irqsave(&t->lock, flags);
	is_ours = book_has(&t->book, sg_dma_address(sgl) & PAGE_MASK);
	spin_unlock_irqrestore(&t->lock, flags);
	if (is_ours)
		unmap_first(t, sgl, nents);
	else
		dma_unmap_sg_attrs(&t->proxy, sgl, nents, dir, attrs);
}

/* ---- what the kernel does ------------------------------------------------ */

static struct taken *enter(struct device *dev)
{
	struct taken *t = taken_of(dev);

	atomic_inc(&t->inside);
	t->proxy.coherent_dma_mask = dev->coherent_dma_mask;
	return t;
}

static void leave(struct taken *t)
{
	atomic_dec(&t->inside);
}

static void *alloc_coherent(struct device *dev, size_t size, dma_addr_t *addr, gfp_t gfp,
		   unsigned long attrs)
{
	struct taken *t = enter(dev);
	void *p = dma_alloc_attrs(&t->proxy, size, addr, gfp, attrs);

	leave(t);
	return p;
}

static void free_coherent(struct device *dev, size_t size, void *p, dma_addr_t addr,
		 unsigned long attrs)
{
	struct taken *t = enter(dev);

	dma_free_attrs(&t->proxy, size, p, addr, attrs);
	leave(t);
}

static struct page *alloc_some(struct device *dev, size_t size, dma_addr_t *addr,
			       enum dma_data_direction dir, gfp_t gfp)
{
	struct taken *t = enter(dev);
	struct page *page = dma_alloc_pages(&t->proxy, size, addr, dir, gfp);

	leave(t);
	return page;
}

static void free_some(struct device *dev, size_t size, struct page *page,
		      dma_addr_t addr, enum dma_data_direction dir)
{
	struct taken *t = enter(dev);

	dma_free_pages(&t->proxy, size, page, addr, dir);
	leave(t);
}

static int mmap(struct device *dev, struct vm_area_struct *vma, void *p,
		dma_addr_t addr, size_t size, unsigned long attrs)
{
	struct taken *t = enter(dev);
	int rc = dma_mmap_attrs(&t->proxy, vma, p, addr, size, attrs);

	leave(t);
	return rc;
}

static int get_sgtable(struct device *dev, struct sg_table *sgt, void *p,
		       dma_addr_t addr, size_t size, unsigned long attrs)
{
	struct taken *t = enter(dev);
	int rc = dma_get_sgtable_attrs(&t->proxy, sgt, p, addr, size, attrs);

	leave(t);
	return rc;
}

static size_t max_mapping_size(struct device *dev)
{
	return dma_max_mapping_size(&taken_of(dev)->proxy);
}

const struct dma_map_ops strategy_ops = {
	.alloc = alloc_coherent,
	.free = free_coherent,
	.ALLOC_PAGES_OP = alloc_some,
	.free_pages = free_some,
	.mmap = mmap,
	.get_sgtable = get_sgtable,
#if MAP_PHYS
	.map_phys = map_phys,
	.unmap_phys = unmap_phys,
#else
	.map_page = map_page,
	.unmap_page = unmap_page,
	.map_resource = map_resource,
	.unmap_resource = unmap_resource,
#endif
	.map_sg = map_sg,
	.unmap_sg = unmap_sg,
	.max_mapping_size = max_mapping_size,
};
