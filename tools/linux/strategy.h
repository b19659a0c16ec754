/* SPDX-License-Identifier: GPL-2.0-only */
/* A device that the module maps for; see take.c for who may do what when. */
#ifndef STRATEGY_H
#define STRATEGY_H

#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>

#include "book.h"
#include "compat.h"

enum taken_state {
	WAITING,	/* no driver has the device that would map */
	TAKEN,
	DRAINING,	/* the kernel maps, what was mapped here is still in use */
};

struct taken {
	struct kobject kobj;
	struct list_head list;
	struct pci_dev *pdev;
	bool leaving;			/* it was given back */

	struct mutex settings;		/* one change of them at a time */

	spinlock_t lock;		/* state, book, gather, armed, passed */
	enum taken_state state;
	struct book book;
	struct iommu_iotlb_gather gather;
	u64 armed;			/* when the timer comes; 0: not */
	u64 passed;			/* mappings left to the kernel */

	/* These are as they are from WAITING to WAITING. */
	struct iommu_domain *domain;
	struct mapper kernels;
	/*
	 * The device as the kernel's own mapper sees it: by it we ask for what we
	 * do not do, and for addresses. Known to nobody else.
	 */
	struct device proxy;

	atomic_t inside;		/* calls that may sleep */
	struct hrtimer timer;
};

/* ops.c */
extern const struct dma_map_ops strategy_ops;
extern const struct book_hw strategy_hw;

int ops_init(void);
void ops_exit(void);
struct taken *taken_of(struct device *dev);
int taken_enter(struct taken *t);	/* from here on taken_of() finds it */
void taken_leave(struct taken *t);
enum hrtimer_restart taken_timer(struct hrtimer *timer);

/* take.c */
extern struct kobject *root;	/* /sys/kernel/dma_strategy */
int take_init(void);		/* take_exit() is due also when it fails */
void take_exit(void);
/* -EEXIST: it is taken, or draining. Others: see the kernel's log. */
int take(struct pci_dev *pdev, const struct book_settings *set);
int give_back(struct pci_dev *pdev);	/* -ENOENT */
/* The last live mapping of a draining device is gone. */
void taken_drained(void);

/* sysfs.c */
extern const char *const strategy_names[BOOK_SHARED + 1];
extern const struct kobj_type taken_type;

#endif
