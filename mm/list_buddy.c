/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The zone's free lists: blocks are split on the way out and merge with their buddies on the way in.
 * Small orders pass through the hart's own lists in front of them.
 */
#include "list_buddy_zone.h"

#define NOINLINE     __attribute__((noinline))
#define NR_PCP_LISTS (LIST_COSTLY_ORDER + 1)

/* Flags that a page must not have when it is freed. Linux: PAGE_FLAGS_CHECK_AT_FREE. */
#define CHECK_AT_FREE (PG_reserved | PG_buddy | PG_tail)

/* ---- free lists ---- */

static inline uint64_t __find_buddy_pfn(uint64_t pfn, unsigned int order)
{
	return pfn ^ ((uint64_t)1 << order);
}

/* Linux compares the zones too; here a zone has a memmap to itself. */
static inline bool page_is_buddy(const struct page *buddy, unsigned int order)
{
	return PageBuddy(buddy) && buddy_order(buddy) == order;
}

static inline void add_to_free_list(struct list_zone *z, struct page *page, unsigned int order,
				    bool tail)
{
	struct free_area *area = &z->free_area[order];

	set_buddy_order(page, order);
	if (tail)
		list_add_tail(&page->lru, &area->free_list);
	else
		list_add(&page->lru, &area->free_list);
	area->nr_free++;
}

static inline void del_page_from_free_list(struct list_zone *z, struct page *page,
					   unsigned int order)
{
	list_del(&page->lru);
	set_page_flags(page, page_flags(page) & ~(uint64_t)PG_buddy);
	z->free_area[order].nr_free--;
}

/*
 * Would the block that @page is half of merge at once if its other half came back? Then it is better
 * not to hand this one out soon: it goes to the tail of its list.
 */
static inline bool buddy_merge_likely(const struct list_zone *z, const struct page *page,
				      uint64_t pfn, unsigned int order)
{
	uint64_t higher_pfn = pfn & ~((uint64_t)1 << order);
	uint64_t higher_buddy = __find_buddy_pfn(higher_pfn, order + 1);

	if (order + 1 >= z->max_order)
		return false;
	return page_is_buddy(page + (int64_t)(higher_buddy - pfn), order + 1);
}

static inline void __free_one_page(struct list_zone *z, struct page *page, uint64_t pfn,
				   unsigned int order)
{
	while (order < z->max_order) {
		uint64_t buddy_pfn = __find_buddy_pfn(pfn, order);
		struct page *buddy = page + (int64_t)(buddy_pfn - pfn);

		if (!page_is_buddy(buddy, order))
			break;
		del_page_from_free_list(z, buddy, order);
		if (buddy_pfn < pfn) {
			page = buddy;
			pfn = buddy_pfn;
		}
		order++;
	}
	add_to_free_list(z, page, order, buddy_merge_likely(z, page, pfn, order));
}

/* @page heads a block of order @high: what is left of it beyond order @low goes to the lists. */
static inline void expand(struct list_zone *z, struct page *page, unsigned int low,
			  unsigned int high)
{
	while (high > low) {
		high--;
		add_to_free_list(z, page + ((uint64_t)1 << high), high, false);
	}
}

static inline struct page *__rmqueue_smallest(struct list_zone *z, unsigned int order)
{
	for (unsigned int current = order; current <= z->max_order; current++) {
		const struct list_head *list = &z->free_area[current].free_list;
		struct page *page;

		if (list_empty(list))
			continue;
		page = lru_to_page(list->next);
		del_page_from_free_list(z, page, current);
		expand(z, page, order, current);
		return page;
	}
	return NULL;
}

void list_free_to_zone(struct list_zone *z, uint64_t pfn, unsigned int order)
{
	__free_one_page(z, pfn_to_page(z, pfn), pfn, order);
}

/* ---- the hart's lists ---- */

/* How many blocks are had at a time: 1 if nothing is to stay with the hart. */
static inline uint64_t nr_pcp_alloc(const struct per_cpu_pages *pcp, unsigned int order)
{
	uint64_t nr = pcp->batch >> order;

	if (pcp->batch == 1)
		return 1;
	return nr > 2 ? nr : 2;
}

/* Up to @count blocks onto the list of their order. */
static void rmqueue_bulk(struct list_zone *z, unsigned int order, uint64_t count,
			 struct per_cpu_pages *pcp)
{
	struct list_head *list = &pcp->lists[order];
	struct queued_waiter self;
	uint64_t nr = 0;

	zone_lock(z, &self);
	for (; nr < count; nr++) {
		struct page *page = __rmqueue_smallest(z, order);

		if (!page)
			break;
		list_add_tail(&page->lru, list);
	}
	zone_unlock(z, &self);
	set_pcp_count(pcp, pcp->count + (nr << order));
}

static inline struct page *take_from_pcp(struct per_cpu_pages *pcp, struct list_head *entry,
					 unsigned int order)
{
	list_del(entry);
	set_pcp_count(pcp, pcp->count - ((uint64_t)1 << order));
	return lru_to_page(entry);
}

static inline int64_t hart_page_to_pfn(const struct list_hart *h, const struct page *page)
{
	return (int64_t)(((uintptr_t)page - h->page0) / sizeof(struct page));
}

/* Gives back @count pages, if there are so many: the oldest of list @first, then of those after it. */
static void free_pcppages_bulk(struct list_zone *z, uint64_t count, struct per_cpu_pages *pcp,
			       unsigned int first)
{
	struct queued_waiter self;
	uint64_t left = count, held = pcp->count;

	zone_lock(z, &self);
	for (unsigned int i = 0; i < NR_PCP_LISTS && left; i++) {
		unsigned int order = (first + i) % NR_PCP_LISTS;
		const struct list_head *list = &pcp->lists[order];
		uint64_t nr_pages = (uint64_t)1 << order;

		while (left && !list_empty(list)) {
			struct page *page = lru_to_page(list->prev);

			list_del(&page->lru);
			__free_one_page(z, page, page_to_pfn(z, page), order);
			held -= nr_pages;
			left = left > nr_pages ? left - nr_pages : 0;
		}
	}
	zone_unlock(z, &self);
	set_pcp_count(pcp, held);
}

void list_drain(struct list_hart *h)
{
	free_pcppages_bulk(h->zone, h->pcp.count, &h->pcp, 0);
}

static struct page *rmqueue(struct list_zone *z, unsigned int order)
{
	struct queued_waiter self;
	struct page *page;

	zone_lock(z, &self);
	page = __rmqueue_smallest(z, order);
	zone_unlock(z, &self);
	return page;
}

/*
 * The lists were empty: what the hart holds itself may be the block once it has merged; or what the
 * others do. -EMM_ENOMEM or -EMM_EAGAIN; or 0 and the block.
 */
static NOINLINE int rmqueue_after_drain(struct list_hart *h, unsigned int order, struct page **page)
{
	int asked;

	if (h->pcp.count) {
		list_drain(h);
		*page = rmqueue(h->zone, order);
		if (*page)
			return 0;
	}
	asked = list_drain_others(h);
	if (asked)
		*page = rmqueue(h->zone, order);
	if (*page)
		return 0;
	return asked < 0 ? asked : -EMM_ENOMEM;
}

/* ---- blocks in use ---- */

static NOINLINE void prep_compound_page(struct page *page, unsigned int order)
{
	set_page_flags(page, page_flags(page) | PG_head);
	for (uint64_t i = 1; i < (uint64_t)1 << order; i++) {
		set_page_flags(&page[i], page_flags(&page[i]) | PG_tail);
		page[i].compound_head = page;
	}
}

static inline void prep_new_page(struct page *page, unsigned int order)
{
	page->private = order;
	set_page_count(page, 1);
}

static NOINLINE void free_compound_page(struct page *page, unsigned int order)
{
	set_page_flags(page, page_flags(page) & ~(uint64_t)PG_head);
	for (uint64_t i = 1; i < (uint64_t)1 << order; i++)
		set_page_flags(&page[i], page_flags(&page[i]) & ~(uint64_t)PG_tail);
}

/* Is [pfn, pfn + 2^order) a block that this zone can have? 0 or a negative EMM_E…. */
static inline int check_block(const struct list_zone *z, uint64_t pfn, unsigned int order)
{
	if (order > z->max_order || (pfn & (((uint64_t)1 << order) - 1)))
		return -EMM_EINVAL;
	if (pfn - z->start_pfn >= z->spanned_pages || (z->absent && !list_pfn_valid(z, pfn)))
		return -EMM_ERANGE;
	return 0;
}

/* Does a block in use of this order begin here? 0 or a negative EMM_E…. Linux: bad_page. */
static inline int check_in_use(const struct page *page, unsigned int order)
{
	int32_t count = page_count(page);

	if (count > 0 && !(page_flags(page) & CHECK_AT_FREE) && page->private == order &&
	    !page->mapping)
		return 0;
	return count > 0 ? -EMM_EINVAL : -EMM_EDOUBLE;
}

/* ---- the calls ---- */

/* All that the fast path below has no room for: refills, orders without lists, compound blocks. */
static NOINLINE int64_t alloc_slow(struct list_hart *h, unsigned int order, unsigned int flags)
{
	struct per_cpu_pages *pcp = &h->pcp;
	struct list_zone *z = h->zone;
	struct page *page;

	if (order > z->max_order)
		return -EMM_EINVAL;
	if (atomic_read(&h->request))
		list_answer(h);
	if (order > LIST_COSTLY_ORDER) {
		page = rmqueue(z, order);
	} else {
		const struct list_head *list = &pcp->lists[order];

		if (list_empty(list))
			rmqueue_bulk(z, order, nr_pcp_alloc(pcp, order), pcp);
		page = list_empty(list) ? NULL : take_from_pcp(pcp, list->next, order);
	}
	if (!page) {
		int err = rmqueue_after_drain(h, order, &page);

		if (err)
			return err;
	}
	prep_new_page(page, order);
	if (order && (flags & LIST_COMP))
		prep_compound_page(page, order);
	return hart_page_to_pfn(h, page);
}

int64_t list_alloc_pages(struct list_hart *h, unsigned int order, unsigned int flags)
{
	if (order <= LIST_COSTLY_ORDER && !flags) {
		struct list_head *list = &h->pcp.lists[order], *first = list->next;

		if (first != list) {
			struct page *page = take_from_pcp(&h->pcp, first, order);

			prep_new_page(page, order);
			return hart_page_to_pfn(h, page);
		}
	}
	return alloc_slow(h, order, flags);
}

static NOINLINE int free_above_high(struct list_hart *h, unsigned int order)
{
	if (atomic_read(&h->request)) {
		list_answer(h);
		return 0;
	}
	free_pcppages_bulk(h->zone, h->pcp.batch, &h->pcp, order);
	return 0;
}

static inline int free_to_pcp(struct list_hart *h, struct page *page, unsigned int order)
{
	struct per_cpu_pages *pcp = &h->pcp;
	uint64_t count = pcp->count + ((uint64_t)1 << order);

	list_add(&page->lru, &pcp->lists[order]);
	set_pcp_count(pcp, count);
	return count >= pcp->high ? free_above_high(h, order) : 0;
}

/* Any block, any mistake. */
static NOINLINE int free_slow(struct list_hart *h, uint64_t pfn, unsigned int order)
{
	struct list_zone *z = h->zone;
	int err = check_block(z, pfn, order);
	struct queued_waiter self;
	struct page *page;

	if (!atomic_read(&h->fast_pages))
		list_answer(h);
	if (err)
		return err;
	page = pfn_to_page(z, pfn);
	err = check_in_use(page, order);
	if (err)
		return err;
	if (put_page_ref(page))
		return 0;
	if (PageHead(page))
		free_compound_page(page, order);
	if (order <= LIST_COSTLY_ORDER)
		return free_to_pcp(h, page, order);
	zone_lock(z, &self);
	__free_one_page(z, page, pfn, order);
	zone_unlock(z, &self);
	return 0;
}

int list_free_pages(struct list_hart *h, uint64_t pfn, unsigned int order)
{
	if (order <= LIST_COSTLY_ORDER && pfn - h->start_pfn < atomic_read(&h->fast_pages)) {
		struct page *page = (struct page *)(h->page0 + pfn * sizeof(struct page));

		/* The order that the block has says that it is aligned, too. */
		if (page->private == order && !(page_flags(page) | (uintptr_t)page->mapping) &&
		    page_count(page) == 1) {
			set_page_count(page, 0);
			return free_to_pcp(h, page, order);
		}
	}
	return free_slow(h, pfn, order);
}

int list_split_page(struct list_zone *z, uint64_t pfn, unsigned int order, unsigned int new_order)
{
	int err = check_block(z, pfn, order);
	struct page *page;

	if (err)
		return err;
	if (new_order > order)
		return -EMM_EINVAL;
	page = pfn_to_page(z, pfn);
	err = check_in_use(page, order);
	if (err)
		return err;
	if (PageHead(page))
		return -EMM_EINVAL;
	if (page_count(page) != 1)
		return -EMM_EBUSY;
	for (uint64_t i = 0; i < (uint64_t)1 << order; i += (uint64_t)1 << new_order) {
		page[i].private = new_order;
		set_page_count(&page[i], 1);
	}
	return 0;
}

/* The free block that @pfn is in, at least of order @order; NULL if there is none. */
static struct page *find_free_block(const struct list_zone *z, uint64_t pfn, unsigned int order)
{
	for (; order <= z->max_order; order++) {
		struct page *page = pfn_to_page(z, pfn & ~(((uint64_t)1 << order) - 1));

		if (page_is_buddy(page, order))
			return page;
	}
	return NULL;
}

/* Halves the free block at @page until @target heads one of order @low; the rest is listed. */
static void break_down_buddy_pages(struct list_zone *z, struct page *page, struct page *target,
				   unsigned int low, unsigned int high)
{
	while (high > low) {
		struct page *upper = page + ((uint64_t)1 << --high);

		if (target >= upper) {
			add_to_free_list(z, page, high, false);
			page = upper;
		} else {
			add_to_free_list(z, upper, high, false);
		}
	}
}

int list_claim(struct list_zone *z, uint64_t pfn, unsigned int order)
{
	int err = check_block(z, pfn, order);
	struct queued_waiter self;
	struct page *page, *target;

	if (err)
		return err;
	if (pfn - z->start_pfn + ((uint64_t)1 << order) > z->spanned_pages)
		return -EMM_ERANGE;
	target = pfn_to_page(z, pfn);
	zone_lock(z, &self);
	page = find_free_block(z, pfn, order);
	if (page) {
		unsigned int found = buddy_order(page);

		del_page_from_free_list(z, page, found);
		break_down_buddy_pages(z, page, target, order, found);
	}
	zone_unlock(z, &self);
	if (!page)
		return -EMM_EBUSY;
	prep_new_page(target, order);
	return 0;
}
