/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has a block, who had it, and what is wrong with a call. The right ones: page_owner_fast.h. */
#include "page_owner_fast.h"

void page_owner_mark(const struct page_records *r, uint64_t pfn, unsigned int order)
{
	uint64_t *middle = &owner_of(r, block_bit(pfn, order))->freed;
	uint64_t freed = atomic_read(middle);

	if (!(freed & OWNER_MIDDLE))
		atomic_set(middle, freed | OWNER_MIDDLE);
	page_mark_block(r, pfn, order);
}

/* ---- what is on record ---- */

static void read_record(const struct page_records *r, uint64_t pfn, struct page_owner_info *info)
{
	const struct page_owner *o = owner_of(r, pfn);
	uint64_t allocated = atomic_read(&o->allocated);

	info->state = owner_state(allocated, &info->order);
	info->pfn = pfn;
	info->allocated_by = owner_caller(allocated);
	info->freed_by = owner_caller(atomic_read(&o->freed));
}

/* Frame @pfn was never the first of a block that is on record still: was it inside one? */
static void look_for_freed(const struct page_records *r, uint64_t pfn, struct page_owner_info *info)
{
	for (unsigned int order = 1; block_is_recorded(r, pfn, order); order++) {
		uint64_t start = block_start(pfn, order);
		struct page_owner_info first;

		if (!(atomic_read(&owner_of(r, block_bit(start, order))->freed) & OWNER_MIDDLE))
			continue;
		info->state = PAGE_FREED;
		read_record(r, start, &first);
		if (first.state == PAGE_FREED && first.order >= order) {
			*info = first;
			return;
		}
	}
}

int page_owner_lookup(const struct page_alloc *pa, uint64_t pfn, struct page_owner_info *info)
{
	const struct page_records *r;
	unsigned int order;

	*info = (struct page_owner_info){ .pfn = pfn };
	if (!(pa->features & PAGE_ALLOC_OWNER))
		return -EMM_ESTATE;
	r = page_records_of(pa, pfn, 1);
	if (!r)
		return -EMM_ERANGE;
	order = page_find_block(r, pfn);
	read_record(r, block_start(pfn, order), info);
	if (info->state == PAGE_NEVER_USED)
		look_for_freed(r, pfn, info);
	return 0;
}

/* ---- misuse ---- */

static int find_fault(const struct page_alloc *pa, uint64_t pfn, unsigned int order,
		      struct page_owner_info *info, const char **what)
{
	int err = page_owner_lookup(pa, pfn, info);

	*what = "no such order";
	if (order > BUDDY_MAX_ORDER)
		return -EMM_EINVAL;
	*what = "outside memory";
	if (err)
		return err;
	*what = "not aligned to its order";
	if (pfn != block_start(pfn, order))
		return -EMM_EINVAL;
	*what = "never handed out";
	if (info->state == PAGE_NEVER_USED)
		return -EMM_ERANGE;
	*what = "inside a block in use";
	if (info->state == PAGE_IN_USE && info->pfn != pfn)
		return -EMM_EINVAL;
	*what = "wrong order";
	if (info->state == PAGE_IN_USE && info->order != order)
		return -EMM_EINVAL;
	/* Or it was, a moment ago: another hart's free came first. */
	*what = "double free";
	return -EMM_EDOUBLE;
}

int page_owner_refuse(struct page_hart *h, const char *call, uint64_t pfn, unsigned int order,
		      uintptr_t caller)
{
	static const char *const states[] = { "never handed out", "in use", "free" };
	struct page_owner_info info;
	const char *what;
	int err = find_fault(h->pa, pfn, order, &info, &what);

	page_count_misuse(&h->pa->misuses);
	print_to(h->pa->out,
		 "page_owner: %s of pfn 0x%llx, order %u: %s; called from 0x%llx; on record: "
		 "order %u at pfn 0x%llx, %s, allocated by 0x%llx, freed by 0x%llx\n",
		 call, (unsigned long long)pfn, order, what, (unsigned long long)caller, info.order,
		 (unsigned long long)info.pfn, states[info.state],
		 (unsigned long long)info.allocated_by, (unsigned long long)info.freed_by);
	return err;
}

int page_owner_split(struct page_hart *h, uint64_t pfn, unsigned int order, unsigned int into,
		     uintptr_t caller)
{
	const struct page_records *r = page_records_for(h, pfn, 1);
	uint64_t allocated = 0;

	if (unlikely(!r || !owner_has_block(r, pfn, order, &allocated)))
		return page_owner_refuse(h, "split", pfn, order, caller);
	if (order)
		page_unmark_block(r, pfn, order);
	for (uint64_t at = pfn; at < pfn + (1ULL << order); at += 1ULL << into)
		page_owner_alloc(r, at, into, owner_caller(allocated));
	return 0;
}
