/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owners, in line. The record at a block's first frame is PAGE_IN_USE, with its order, exactly as
 * long as it is in use: so one comparison tells a right free, and looking for what is wrong with
 * another may take its time.
 */
#ifndef MM_PAGE_OWNER_FAST_H
#define MM_PAGE_OWNER_FAST_H

#include "page_record.h"

#define OWNER_LOW_MASK ((1ULL << OWNER_SHIFT) - 1)

static inline struct page_owner *owner_of(const struct page_records *r, uint64_t pfn)
{
	return (struct page_owner *)(r->owners + pfn * sizeof(struct page_owner));
}

/* Of page_owner.allocated, and of .freed. */
static inline uintptr_t owner_caller(uint64_t packed)
{
	return (uintptr_t)((int64_t)packed >> OWNER_SHIFT);
}

static inline enum page_owner_state owner_state(uint64_t allocated, unsigned int *order)
{
	*order = (unsigned int)(allocated >> 2) & 0x1f;
	return (enum page_owner_state)(allocated & 3);
}

static inline uint64_t owner_in_use(unsigned int order)
{
	return (uint64_t)order << 2 | PAGE_IN_USE;
}

/* Is it the first frame of a block in use, of this order? *@allocated: by whom. */
static inline bool owner_has_block(const struct page_records *r, uint64_t pfn, unsigned int order,
				   uint64_t *allocated)
{
	*allocated = atomic_read(&owner_of(r, pfn)->allocated);
	return (*allocated & OWNER_LOW_MASK) == owner_in_use(order);
}

/* A block of order 1 and more: where it lies, and that its frames have been handed out. */
void page_owner_mark(const struct page_records *r, uint64_t pfn, unsigned int order);

static inline void page_owner_alloc(const struct page_records *r, uint64_t pfn, unsigned int order,
				    uintptr_t caller)
{
	atomic_set(&owner_of(r, pfn)->allocated,
		   (uint64_t)caller << OWNER_SHIFT | owner_in_use(order));
	if (order)
		page_owner_mark(r, pfn, order);
}

/* Is it a block in use? Then it is free from now on, but for its mark. */
static inline bool page_owner_free(const struct page_records *r, uint64_t pfn, unsigned int order,
				   uintptr_t caller)
{
	struct page_owner *o = owner_of(r, pfn);
	uint64_t allocated;

	if (unlikely(!owner_has_block(r, pfn, order, &allocated)))
		return false;
	/* Of two harts that free it at the same time one is wrong. */
	if (unlikely(!atomic_cmpxchg(&o->allocated, allocated,
				     allocated ^ PAGE_IN_USE ^ PAGE_FREED)))
		return false;
	atomic_set(&o->freed, (uint64_t)caller << OWNER_SHIFT | (o->freed & OWNER_MIDDLE));
	return true;
}

#endif
