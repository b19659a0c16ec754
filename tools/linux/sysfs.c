// SPDX-License-Identifier: GPL-2.0-only
/* The directory of a device: its settings, and its counters. */
#include <linux/math64.h>

#include "strategy.h"

const char *const strategy_names[BOOK_SHARED + 1] = {
	[BOOK_STRICT] = "strict",
	[BOOK_DEFERRED] = "deferred",
	[BOOK_OPTIMISTIC] = "optimistic",
	[BOOK_SHARED] = "shared",
};

static int change(struct taken *t, const struct book_settings *set)
{
	bool more;
	u64 since;

	if (book_check(set))
		return -EINVAL;
	spin_lock_irq(&t->lock);
	book_set(&t->book, set);
	since = ktime_get_ns();
	spin_unlock_irq(&t->lock);
	/* What lingers might do so for longer than is now allowed. */
	do {
		spin_lock_irq(&t->lock);
		more = book_purge(&t->book, ktime_get_ns(), since);
		spin_unlock_irq(&t->lock);
		cond_resched();
	} while (more);
	return 0;
}

static struct taken *taken_of_kobj(struct kobject *kobj)
{
	return container_of(kobj, struct taken, kobj);
}

static void taken_release(struct kobject *kobj)
{
	struct taken *t = taken_of_kobj(kobj);

	pci_dev_put(t->pdev);
	kvfree(t);
}

static ssize_t strategy_show(struct kobject *kobj, struct kobj_attribute *a,
			     char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  strategy_names[READ_ONCE(taken_of_kobj(kobj)->book.set.strategy)]);
}

static ssize_t strategy_store(struct kobject *kobj, struct kobj_attribute *a,
			      const char *buf, size_t len)
{
	struct taken *t = taken_of_kobj(kobj);
	struct book_settings set;
	int i = sysfs_match_string(strategy_names, buf), rc;

	if (i < 0)
		return i;
	mutex_lock(&t->settings);
	set = t->book.set;
	set.strategy = i;
	rc = change(t, &set);
	mutex_unlock(&t->settings);
	return rc ?: len;
}
static struct kobj_attribute strategy_attr = __ATTR_RW(strategy);

#define SETTING(name)							\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *a, \
			   char *buf)					\
{									\
	return sysfs_emit(buf, "%u\n",					\
			  READ_ONCE(taken_of_kobj(kobj)->book.set.name)); \
}									\
									\
static ssize_t name##_store(struct kobject *kobj, struct kobj_attribute *a, \
			    const char *buf, size_t len)		\
{									\
	struct taken *t = taken_of_kobj(kobj);				\
	struct book_settings set;					\
	u32 value;							\
	int rc = kstrtou32(buf, 0, &value);				\
									\
	if (rc)								\
		return rc;						\
	mutex_lock(&t->settings);					\
	set = t->book.set;						\
	set.name = value;						\
	rc = change(t, &set);						\
	mutex_unlock(&t->settings);					\
	return rc ?: len;						\
}									\
static struct kobj_attribute name##_attr = __ATTR_RW(name)

SETTING(window_us);
SETTING(quota);
SETTING(batch);

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *a,
			  char *buf)
{
	static const char *const states[] = {
		[WAITING] = "waiting",
		[TAKEN] = "taken",
		[DRAINING] = "draining",
	};

	return sysfs_emit(buf, "%s\n",
			  states[READ_ONCE(taken_of_kobj(kobj)->state)]);
}
static struct kobj_attribute state_attr = __ATTR_RO(state);

#define COUNTER(name, value)						\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *a, \
			   char *buf)					\
{									\
	struct taken *t = taken_of_kobj(kobj);				\
	u64 v;								\
									\
	spin_lock_irq(&t->lock);					\
	v = value;							\
	spin_unlock_irq(&t->lock);					\
	return sysfs_emit(buf, "%llu\n", v);				\
}									\
static struct kobj_attribute name##_attr = __ATTR_RO(name)

COUNTER(maps, t->book.count.maps);
COUNTER(hits, t->book.count.hits);
COUNTER(unmaps, t->book.count.unmaps);
COUNTER(evictions, t->book.count.evictions);
COUNTER(flushes, t->book.count.flushes);
COUNTER(errors, t->book.count.errors);
COUNTER(lost, t->book.count.lost);
COUNTER(passed, t->passed);
COUNTER(live_pages, t->book.count.live_pages);
COUNTER(stale_pages, t->book.count.stale_pages);
COUNTER(most_stale_pages, t->book.count.most_stale_pages);
COUNTER(longest_stale_us, div_u64(t->book.count.longest_stale_ns, 1000));
COUNTER(kept_pages, t->book.count.kept_pages);

static struct attribute *taken_attrs[] = {
	&strategy_attr.attr, &window_us_attr.attr, &quota_attr.attr,
	&batch_attr.attr, &state_attr.attr, &maps_attr.attr, &hits_attr.attr,
	&unmaps_attr.attr, &evictions_attr.attr, &flushes_attr.attr,
	&errors_attr.attr, &lost_attr.attr, &passed_attr.attr,
	&live_pages_attr.attr, &stale_pages_attr.attr,
	&most_stale_pages_attr.attr, &longest_stale_us_attr.attr,
	&kept_pages_attr.attr, NULL,
};
ATTRIBUTE_GROUPS(taken);

const struct kobj_type taken_type = {
	.release = taken_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = taken_groups,
};
