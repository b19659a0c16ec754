// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices come and go.
 *
 * A device is "taken" while a driver has it that maps by Linux's DMA API, and
 * waits for one else. While it is taken its dma_ops are the module's, see ops.c,
 * and the module cannot be unloaded. Two ways end that:
 *
 * - its driver goes. Before the driver is told to, the book begins to drain, so
 *   that all is unmapped when the IOMMU group may change.
 * - it is given back while the driver works. The book drains, new mappings are the
 *   kernel's, and when the driver has unmapped what it had here the kernel's own
 *   mapper takes over; that may be soon or, for the buffers of an idle network
 *   card, when it is next brought down.
 *
 * Locks: the device's own (device_lock) for coming and going, then `table` for the
 * list, then a device's spinlock. Attributes of a device take only its mutex
 * `settings` and the spinlock, since they are waited for when it goes.
 */
#include <linux/crash_dump.h>
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "strategy.h"

static LIST_HEAD(taken_list);
static DEFINE_MUTEX(table);
struct kobject *root;

/* After it nobody is in a function that had begun before. */
static void everybody(void)
{
	synchronize_rcu();
	synchronize_rcu_tasks();
}

/* It is a part of the struct taken. */
static void proxy_release(struct device *dev)
{
}

/* The caller holds the device's lock, and it is WAITING. */
static int begin(struct taken *t, bool in_use)
{
	struct device *dev = &t->pdev->dev;
	struct mapper own = { &strategy_ops, false };
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);
	struct pci_driver *drv = to_pci_driver(dev->driver);
	int rc;

	/* As VFIO's, which maps by itself. */
	if (!drv || drv->driver_managed_dma)
		return 0;
	if (!domain || !(domain->type & __IOMMU_DOMAIN_DMA_API) ||
	    !(domain->pgsize_bitmap & PAGE_SIZE)) {
		dev_warn(dev, "dma_strategy: no IOMMU translates its DMA\n");
		return -ENODEV;
	}
	t->kernels = get_mapper(dev);
	if (!is_kernels(t->kernels)) {
		dev_warn(dev, "dma_strategy: somebody else maps its DMA\n");
		return -EBUSY;
	}
	/* The kernel bounces what such a device shares a page with. */
	if (t->pdev->untrusted || is_kdump_kernel()) {
		dev_warn(dev, "dma_strategy: the kernel's own mapper has to map its DMA\n");
		return -EPERM;
	}

	memset(&t->proxy, 0, sizeof(t->proxy));
	device_initialize(&t->proxy);
	t->proxy.release = proxy_release;
	rc = dev_set_name(&t->proxy, "%s", dev_name(dev));
	if (rc)
		goto out;
	t->proxy.dma_mask = dev->dma_mask;
	t->proxy.coherent_dma_mask = dev->coherent_dma_mask;
	t->proxy.bus_dma_limit = dev->bus_dma_limit;
	t->proxy.dma_parms = dev->dma_parms;
	t->proxy.iommu_group = dev->iommu_group;
	t->proxy.iommu = dev->iommu;
	set_dev_node(&t->proxy, dev_to_node(dev));
	set_mapper(&t->proxy, t->kernels);
	t->domain = domain;
	iommu_iotlb_gather_init(&t->gather);

	rc = taken_enter(t);
	if (rc)
		goto out;
	__module_get(THIS_MODULE);
	spin_lock_irq(&t->lock);
	t->state = TAKEN;
	book_resume(&t->book);
	spin_unlock_irq(&t->lock);
	if (in_use)
		change_mapper(dev, own, everybody);
	else
		set_mapper(dev, own);
	dev_info(dev, "dma_strategy: takes it, %s\n",
		 strategy_names[t->book.set.strategy]);
	return 0;
 out:
	t->proxy.iommu_group = NULL;
	t->proxy.iommu = NULL;
	put_device(&t->proxy);
	return rc;
}

/* From here on the kernel maps. */
static void drain(struct taken *t)
{
	bool more;

	do {
		spin_lock_irq(&t->lock);
		if (t->state != WAITING)
			t->state = DRAINING;
		more = t->state == DRAINING &&
		       book_drain(&t->book, ktime_get_ns());
		spin_unlock_irq(&t->lock);
		cond_resched();
	} while (more);
}

/*
 * Nothing is mapped here any more, and the device is the kernel's. The caller
 * holds its lock.
 */
static void finish(struct taken *t, bool in_use)
{
	struct device *dev = &t->pdev->dev;

	if (in_use)
		change_mapper(dev, t->kernels, everybody);
	else
		set_mapper(dev, t->kernels);
	/* Nobody begins a call any more; those that have begun end. */
	everybody();
	while (atomic_read(&t->inside))
		msleep(10);
	hrtimer_cancel(&t->timer);
	t->armed = 0;
	/* Where the kernel defers: what it took back is not cached any more. */
	iommu_flush_iotlb_all(t->domain);
	taken_leave(t);
	t->proxy.iommu_group = NULL;
	t->proxy.iommu = NULL;
	put_device(&t->proxy);
	t->state = WAITING;
	dev_info(dev, "dma_strategy: the kernel has it back\n");
	module_put(THIS_MODULE);
}

static bool is_drained(struct taken *t)
{
	bool r;

	spin_lock_irq(&t->lock);
	r = t->state == DRAINING && !t->book.count.live_pages;
	spin_unlock_irq(&t->lock);
	return r;
}

static void remove(struct taken *t)
{
	list_del(&t->list);
	mutex_unlock(&table);
	kobject_del(&t->kobj);
	kobject_put(&t->kobj);
	mutex_lock(&table);
}

/*
 * Devices whose last mapping is gone. There are few; each pass looks at all, since
 * the list may be another one after a lock was dropped.
 */
static void finish_drained(struct work_struct *work)
{
	struct pci_dev *pdev;
	struct taken *t;

	do {
		pdev = NULL;
		mutex_lock(&table);
		list_for_each_entry(t, &taken_list, list) {
			if (t->leaving && is_drained(t)) {
				pdev = pci_dev_get(t->pdev);
				break;
			}
		}
		mutex_unlock(&table);
		if (!pdev)
			return;
		device_lock(&pdev->dev);
		mutex_lock(&table);
		list_for_each_entry(t, &taken_list, list) {
			if (t->pdev == pdev && t->leaving && is_drained(t)) {
				finish(t, true);
				remove(t);
				break;
			}
		}
		mutex_unlock(&table);
		device_unlock(&pdev->dev);
		pci_dev_put(pdev);
	} while (1);
}
static DECLARE_WORK(drained_work, finish_drained);

void taken_drained(void)
{
	schedule_work(&drained_work);
}

static struct taken *find(struct pci_dev *pdev)
{
	struct taken *t;

	list_for_each_entry(t, &taken_list, list)
		if (t->pdev == pdev)
			return t;
	return NULL;
}

int take(struct pci_dev *pdev, const struct book_settings *set)
{
	struct taken *t;
	int rc;

	device_lock(&pdev->dev);
	mutex_lock(&table);
	rc = -EEXIST;
	if (find(pdev))
		goto out;
	rc = -ENOMEM;
	t = kvzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		goto out;
	t->pdev = pci_dev_get(pdev);
	mutex_init(&t->settings);
	spin_lock_init(&t->lock);
	timer_init(&t->timer, taken_timer);
	book_init(&t->book, set, &strategy_hw, t);
	rc = kobject_init_and_add(&t->kobj, &taken_type, root, "%s",
				  pci_name(pdev));
	if (!rc)
		rc = begin(t, true);
	if (rc) {
		mutex_unlock(&table);
		kobject_put(&t->kobj);
		mutex_lock(&table);
	} else {
		list_add_tail(&t->list, &taken_list);
	}
 out:
	mutex_unlock(&table);
	device_unlock(&pdev->dev);
	return rc;
}

/* What the driver still has mapped here is unmapped by and by. */
int give_back(struct pci_dev *pdev)
{
	struct taken *t;
	int rc = -ENOENT;

	device_lock(&pdev->dev);
	mutex_lock(&table);
	t = find(pdev);
	if (t) {
		rc = 0;
		t->leaving = true;
		drain(t);
		if (is_drained(t))
			finish(t, true);
		if (t->state == WAITING)
			remove(t);
	}
	mutex_unlock(&table);
	device_unlock(&pdev->dev);
	return rc;
}

static int notified(struct notifier_block *nb, unsigned long action, void *data)
{
	struct pci_dev *pdev = to_pci_dev(data);
	struct taken *t;

	mutex_lock(&table);
	t = find(pdev);
	if (!t)
		goto out;
	switch (action) {
	case BUS_NOTIFY_BIND_DRIVER:
		if (t->state == WAITING)
			begin(t, false);
		break;
	case BUS_NOTIFY_UNBIND_DRIVER:
		drain(t);
		break;
	case BUS_NOTIFY_DRIVER_NOT_BOUND:
	case BUS_NOTIFY_UNBOUND_DRIVER:
		drain(t);
		if (t->state == DRAINING) {
			bool more = !is_drained(t);

			if (more)
				dev_warn(&pdev->dev, "dma_strategy: its driver has left DMA mapped\n");
			while (more) {
				spin_lock_irq(&t->lock);
				more = book_abandon(&t->book, ktime_get_ns());
				spin_unlock_irq(&t->lock);
			}
			finish(t, false);
		}
		if (t->leaving)
			remove(t);
		break;
	case BUS_NOTIFY_REMOVED_DEVICE:
		remove(t);
		break;
	}
 out:
	mutex_unlock(&table);
	return NOTIFY_OK;
}
static struct notifier_block notifier = { .notifier_call = notified };

int take_init(void)
{
	root = kobject_create_and_add("dma_strategy", kernel_kobj);
	return root ? bus_register_notifier(&pci_bus_type, &notifier) : -ENOMEM;
}

/* No device is taken: those that are hold the module. */
void take_exit(void)
{
	struct taken *t;

	bus_unregister_notifier(&pci_bus_type, &notifier);
	flush_work(&drained_work);
	mutex_lock(&table);
	while ((t = list_first_entry_or_null(&taken_list, struct taken, list)))
		remove(t);
	mutex_unlock(&table);
	kobject_put(root);
	/* Who was on the way out of our functions when the last one was given back. */
	everybody();
}
