// SPDX-License-Identifier: GPL-2.0-only
/*
 * dma_strategy: how the DMA of chosen PCI devices is mapped. docs/linux-module.md
 * is for its users. Here is what they say: parameters, and the files take and
 * give_back.
 */
#include <linux/module.h>

#include "strategy.h"

static char *devices;
module_param(devices, charp, 0444);
MODULE_PARM_DESC(devices, "ADDRESS=STRATEGY[/WINDOW_US[/QUOTA[/BATCH]]],... to take at load; strict, deferred, optimistic or shared");

static unsigned int window_us = 10000;
module_param(window_us, uint, 0444);
MODULE_PARM_DESC(window_us, "how long something may be reachable that was unmapped; default 10000");

static unsigned int quota = 4096;
module_param(quota, uint, 0444);
MODULE_PARM_DESC(quota, "optimistic: so many pages may be; default 4096");

static unsigned int batch = 250;
module_param(batch, uint, 0444);
MODULE_PARM_DESC(batch, "so many mappings are removed at a time; default 250");

/* STRATEGY[/WINDOW_US[/QUOTA[/BATCH]]], cut into pieces here */
static int parse(char *text, struct book_settings *set)
{
	u32 *const numbers[] = { &set->window_us, &set->quota, &set->batch };
	char *word = strsep(&text, "/");
	int i, rc;

	i = match_string(strategy_names, BOOK_SHARED + 1, word);
	if (i < 0)
		return -EINVAL;
	*set = (struct book_settings){ i, window_us, quota, batch };
	for (i = 0; text; i++) {
		if (i == ARRAY_SIZE(numbers))
			return -EINVAL;
		rc = kstrtou32(strsep(&text, "/"), 0, numbers[i]);
		if (rc)
			return rc;
	}
	return book_check(set);
}

static struct pci_dev *device_of(const char *address)
{
	unsigned int domain, bus, slot, fn;
	char end;

	if (sscanf(address, "%x:%x:%x.%x%c", &domain, &bus, &slot, &fn, &end) != 4 ||
	    bus > 255 || slot > 31 || fn > 7)
		return NULL;
	return pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, fn));
}

/* ADDRESS=STRATEGY..., cut into pieces here */
static int take_text(char *text)
{
	char *address = strsep(&text, "=");
	struct book_settings set;
	struct pci_dev *pdev;
	int rc;

	if (!text || parse(text, &set))
		return -EINVAL;
	pdev = device_of(address);
	if (!pdev)
		return -ENODEV;
	rc = take(pdev, &set);
	pci_dev_put(pdev);
	return rc;
}

static ssize_t take_store(struct kobject *kobj, struct kobj_attribute *a,
			  const char *buf, size_t len)
{
	char *text = kstrdup(buf, GFP_KERNEL);
	int rc = text ? take_text(strim(text)) : -ENOMEM;

	kfree(text);
	return rc ?: len;
}
static struct kobj_attribute take_attr = __ATTR_WO(take);

static ssize_t give_back_store(struct kobject *kobj, struct kobj_attribute *a,
			       const char *buf, size_t len)
{
	char *text = kstrdup(buf, GFP_KERNEL);
	struct pci_dev *pdev = text ? device_of(strim(text)) : NULL;
	int rc = pdev ? give_back(pdev) : text ? -ENODEV : -ENOMEM;

	pci_dev_put(pdev);
	kfree(text);
	return rc ?: len;
}
static struct kobj_attribute give_back_attr = __ATTR_WO(give_back);

static struct attribute *root_attrs[] = {
	&take_attr.attr, &give_back_attr.attr, NULL,
};
static const struct attribute_group root_group = { .attrs = root_attrs };

/* Is it ADDRESS=SETTINGS? Whether there is such a device is seen later. */
static int check_text(const char *text)
{
	char *copy = kstrdup(text, GFP_KERNEL), *rest = copy;
	struct book_settings set;
	int rc = -ENOMEM;

	if (copy) {
		strsep(&rest, "=");
		rc = rest ? parse(rest, &set) : -EINVAL;
	}
	kfree(copy);
	return rc;
}

/* Calls fn for each device of the parameter, until it fails. */
static int each_device(int (*fn)(char *text))
{
	char *copy = kstrdup(devices ?: "", GFP_KERNEL), *rest = copy, *one;
	int rc = copy ? 0 : -ENOMEM;

	while (!rc && rest && *rest) {
		one = strsep(&rest, ",");
		rc = fn(one);
	}
	kfree(copy);
	return rc;
}

static int check_device(char *text)
{
	int rc = check_text(text);

	if (rc)
		pr_err("dma_strategy: devices: \"%s\" is not ADDRESS=STRATEGY[/WINDOW_US[/QUOTA[/BATCH]]] within its bounds\n",
		       text);
	return rc;
}

/* One that is not there is no reason not to take the others. */
static int take_device(char *text)
{
	char *settings = strchr(text, '=');
	int len = settings - text;
	int rc = take_text(text);

	if (rc)
		pr_err("dma_strategy: devices: cannot take %.*s: error %d\n",
		       len, text, rc);
	return 0;
}

static int __init start(void)
{
	struct book_settings set = { BOOK_STRICT, window_us, quota, batch };
	int rc = book_check(&set);

	if (rc)
		pr_err("dma_strategy: window_us, quota or batch is out of bounds\n");
	else
		rc = each_device(check_device);
	if (rc)
		return rc;
	rc = ops_init();
	if (rc)
		return rc;
	rc = take_init();
	if (!rc)
		rc = sysfs_create_group(root, &root_group);
	if (rc) {
		take_exit();
		ops_exit();
		return rc;
	}
	each_device(take_device);
	return 0;
}

static void __exit end(void)
{
	sysfs_remove_group(root, &root_group);
	take_exit();
	ops_exit();
}

module_init(start);
module_exit(end);
MODULE_DESCRIPTION("Strategies of mapping for DMA, for chosen PCI devices");
MODULE_LICENSE("GPL");
