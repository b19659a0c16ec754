// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver of the edu device, for tests: it calls the DMA API as it is told to,
 * see edu-dma.h. The device itself is driven from user space.
 */
#include <linux/dma-mapping.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/uaccess.h>

#include "edu-dma.h"

static struct pci_dev *edu;
static struct page *arena;
static struct scatterlist parts[EDU_PARTS];
static u32 nparts, parts_dir;
static void *coherent;
static dma_addr_t coherent_addr;
static size_t coherent_len;
static DEFINE_MUTEX(calls);

static int in_arena(u64 offset, u64 len)
{
	return len && offset < ARENA_PAGES * PAGE_SIZE &&
	       len <= ARENA_PAGES * PAGE_SIZE - offset;
}

static int map(struct device *dev, struct edu_call *c)
{
	dma_addr_t a;

	if (!in_arena(c->offset, c->len) || c->dir > EDU_FROM_DEVICE)
		return -EINVAL;
	a = dma_map_page(dev, arena + c->offset / PAGE_SIZE, c->offset % PAGE_SIZE,
			 c->len, c->dir);
	c->addr[0] = a;
	return dma_mapping_error(dev, a);
}

static int map_sg(struct device *dev, struct edu_call *c)
{
	struct scatterlist *sg;
	int n, part;
	u32 i;

	if (!c->count || c->count > EDU_PARTS || nparts || c->dir > EDU_FROM_DEVICE)
		return -EINVAL;
	sg_init_table(parts, c->count);
	for (i = 0; i < c->count; i++) {
		u64 at = c->offset + (u64)i * c->stride;

		if (!in_arena(at, c->len))
			return -EINVAL;
		sg_set_page(&parts[i], arena + at / PAGE_SIZE, c->len, at % PAGE_SIZE);
	}
	n = dma_map_sg(dev, parts, c->count, c->dir);
	if (!n)
		return -ENOMEM;
	nparts = c->count;
	parts_dir = c->dir;
	/* Where each part is, also if some were merged. */
	i = 0;
	for_each_sg(parts, sg, n, part) {
		dma_addr_t a = sg_dma_address(sg);
		u32 left;

		for (left = sg_dma_len(sg); left && i < nparts; left -= c->len, a += c->len)
			c->addr[i++] = a;
	}
	return 0;
}

static int pairs(struct device *dev, struct edu_call *c)
{
	u32 i;

	for (i = 0; i < c->count; i++) {
		dma_addr_t a = dma_map_page(dev, arena + i % 16, 0, PAGE_SIZE, c->dir);

		if (dma_mapping_error(dev, a))
			return -EIO;
		dma_unmap_page(dev, a, PAGE_SIZE, c->dir);
		if (!(i % 1024))
			cond_resched();
	}
	return 0;
}

static void free_coherent(struct device *dev)
{
	if (coherent)
		dma_free_coherent(dev, coherent_len, coherent, coherent_addr);
	coherent = NULL;
}

static int call(struct device *dev, struct edu_call *c)
{
	dma_addr_t a;

	switch (c->op) {
	case EDU_MAP:
		return map(dev, c);
	case EDU_UNMAP:
		dma_unmap_page(dev, c->addr[0], c->len, c->dir);
		return 0;
	case EDU_MAP_SG:
		return map_sg(dev, c);
	case EDU_UNMAP_SG:
		if (!nparts)
			return -EINVAL;
		dma_unmap_sg(dev, parts, nparts, parts_dir);
		nparts = 0;
		return 0;
	case EDU_ALLOC:
		if (coherent || !c->len)
			return -EINVAL;
		coherent_len = c->len;
		coherent = dma_alloc_coherent(dev, coherent_len, &coherent_addr, GFP_KERNEL);
		c->addr[0] = coherent_addr;
		return coherent ? 0 : -ENOMEM;
	case EDU_FREE:
		free_coherent(dev);
		return 0;
	case EDU_RESOURCE:
		a = dma_map_resource(dev, pci_resource_start(edu, 0), PAGE_SIZE,
				     DMA_BIDIRECTIONAL, 0);
		c->addr[0] = a;
		if (dma_mapping_error(dev, a))
			return -EIO;
		dma_unmap_resource(dev, a, PAGE_SIZE, DMA_BIDIRECTIONAL, 0);
		return 0;
	case EDU_MASK:
		return dma_set_mask_and_coherent(dev, DMA_BIT_MASK(c->count));
	case EDU_PAIRS:
		return c->dir > EDU_FROM_DEVICE ? -EINVAL : pairs(dev, c);
	case EDU_MEMORY:
		c->addr[0] = page_to_phys(arena);
		return 0;
	}
	return -EINVAL;
}

static long edu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct edu_call c;
	int rc;

	if (cmd != EDU_CALL)
		return -ENOTTY;
	if (copy_from_user(&c, (void __user *)arg, sizeof(c)))
		return -EFAULT;
	mutex_lock(&calls);
	rc = edu ? call(&edu->dev, &c) : -ENODEV;
	mutex_unlock(&calls);
	if (!rc && copy_to_user((void __user *)arg, &c, sizeof(c)))
		return -EFAULT;
	return rc;
}

static int edu_mmap(struct file *file, struct vm_area_struct *vma)
{
	size_t len = vma->vm_end - vma->vm_start;
	int rc = -EINVAL;

	mutex_lock(&calls);
	if (vma->vm_pgoff == 0 && len == ARENA_PAGES * PAGE_SIZE) {
		rc = remap_pfn_range(vma, vma->vm_start, page_to_pfn(arena), len,
				     vma->vm_page_prot);
	} else if (edu && coherent && vma->vm_pgoff == COHERENT_AT >> PAGE_SHIFT) {
		vma->vm_pgoff = 0;
		rc = dma_mmap_coherent(&edu->dev, vma, coherent, coherent_addr,
				       coherent_len);
	}
	mutex_unlock(&calls);
	return rc;
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = edu_ioctl,
	.mmap = edu_mmap,
};
static struct miscdevice misc = {
	.minor = MISC_DYNAMIC_MINOR, .name = "edu-dma", .fops = &fops,
};

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int rc = edu ? -EBUSY : pci_enable_device(pdev);

	if (!rc)
		rc = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (rc)
		return rc;
	pci_set_master(pdev);
	mutex_lock(&calls);
	edu = pdev;
	mutex_unlock(&calls);
	return 0;
}

static void edu_remove(struct pci_dev *pdev)
{
	mutex_lock(&calls);
	if (nparts)
		dma_unmap_sg(&pdev->dev, parts, nparts, parts_dir);
	nparts = 0;
	free_coherent(&pdev->dev);
	edu = NULL;
	mutex_unlock(&calls);
	pci_clear_master(pdev);
	pci_disable_device(pdev);
}

static const struct pci_device_id ids[] = { { PCI_DEVICE(0x1234, 0x11e8) }, { } };
static struct pci_driver driver = {
	.name = "edu_dma", .id_table = ids, .probe = edu_probe, .remove = edu_remove,
};

static int __init start(void)
{
	int rc;

	arena = alloc_pages(GFP_KERNEL | __GFP_ZERO, get_order(ARENA_PAGES * PAGE_SIZE));
	if (!arena)
		return -ENOMEM;
	rc = pci_register_driver(&driver);
	if (!rc) {
		rc = misc_register(&misc);
		if (rc)
			pci_unregister_driver(&driver);
	}
	if (rc)
		__free_pages(arena, get_order(ARENA_PAGES * PAGE_SIZE));
	return rc;
}

static void __exit end(void)
{
	misc_deregister(&misc);
	pci_unregister_driver(&driver);
	__free_pages(arena, get_order(ARENA_PAGES * PAGE_SIZE));
}

module_init(start);
module_exit(end);
MODULE_DESCRIPTION("Calls of the DMA API for an edu device, for tests");
MODULE_LICENSE("GPL");
