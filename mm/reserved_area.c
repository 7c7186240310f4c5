/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reserved pages that become free after the handover. buddy_add_range() wants to know the hole
 * around them, the largest range of which no page was ever added: the map has it, because a page
 * was added if and only if it lies wholly in an entry of mapped memory and no byte is reserved.
 */
#include <earlymm/reserved_area.h>
#include "buddy_tree.h"
#include "memblock_internal.h"

/* The frames of @pages that lie wholly in the entry @r. False if there are none. */
static bool clip_to_entry(const struct memblock_region *r, const struct pfn_range *pages,
			  struct pfn_range *piece)
{
	uint64_t start = PFN_UP(r->base), end = PFN_DOWN(region_end(r));

	piece->start = start > pages->start ? start : pages->start;
	piece->end = end < pages->end ? end : pages->end;
	return piece->start < piece->end;
}

/* Is all of @pages memory that has trees here? They are within the limits. 0 or -EMM_ERANGE. */
static int check_memory(const struct mm *mm, const struct memblock *mb,
			const struct pfn_range *pages)
{
	phys_addr_t at = PFN_PHYS(pages->start), end = PFN_PHYS(pages->end);
	unsigned long i = memblock_first_above(&mb->memory, at);

	for (; at < end; i++) {
		const struct memblock_region *r = &mb->memory.regions[i];
		struct pfn_range piece;

		if (i == mb->memory.cnt || r->base > at || (r->flags & MEMBLOCK_NOT_FREE))
			return -EMM_ERANGE;
		if (clip_to_entry(r, pages, &piece) &&
		    !buddy_find_tree(&mm->buddy, piece.start, piece.end - piece.start))
			return -EMM_ERANGE;
		at = region_end(r);
	}
	return 0;
}

static bool array_overlaps(const struct memblock_array *array, phys_addr_t base, phys_addr_t end)
{
	return array->size && array->base < end && base < array->base + array->size;
}

/* Must an entry be cut in two to take [base, end) out? The range is reserved. */
static bool is_inside_entry(const struct memblock_type *type, phys_addr_t base, phys_addr_t end)
{
	const struct memblock_region *r = &type->regions[memblock_first_above(type, base)];

	return r->base < base && region_end(r) > end;
}

static int check_reserved(const struct memblock *mb, const struct pfn_range *pages)
{
	phys_addr_t base = PFN_PHYS(pages->start), end = PFN_PHYS(pages->end);
	bool one_cause;

	if (!memblock_all_reserved(mb, base, end, &one_cause))
		return -EMM_EDOUBLE;
	if (array_overlaps(&mb->memory_array, base, end) ||
	    array_overlaps(&mb->reserved_array, base, end))
		return -EMM_EBUSY;
	if (is_inside_entry(&mb->reserved, base, end) && !memblock_has_room(&mb->reserved, 1))
		return -EMM_ENOSPC;
	return 0;
}

/* The hole around @pages, of which none was ever added: up to the nearest pages that were. */
static struct pfn_range find_hole(const struct memblock *mb, const struct pfn_range *pages)
{
	struct pfn_range hole = { 0, UINT64_MAX };
	struct memblock_iter it;
	phys_addr_t start, end;

	/* All that the handover took: hotpluggable memory too. */
	memblock_iter_free_init(&it, mb, NUMA_NO_NODE, MEMBLOCK_HOTPLUG);
	while (memblock_next_free(&it, &start, &end)) {
		uint64_t first = PFN_UP(start), last = PFN_DOWN(end);

		if (first >= last)
			continue;
		if (first >= pages->end) {
			hole.end = first;
			break;
		}
		hole.start = last;
	}
	return hole;
}

/* Adds @pages, which were checked, entry by entry: each lies in a tree, the border may not. */
static int add_pages(struct mm *mm, const struct memblock *mb, const struct pfn_range *pages,
		     struct pfn_range hole, uint64_t *nr_pages)
{
	unsigned long i = memblock_first_above(&mb->memory, PFN_PHYS(pages->start));

	for (; i < mb->memory.cnt && mb->memory.regions[i].base < PFN_PHYS(pages->end); i++) {
		struct pfn_range piece;
		int err;

		if (!clip_to_entry(&mb->memory.regions[i], pages, &piece))
			continue;
		err = buddy_add_range(mm->buddy.harts, piece.start, piece.end, hole.start,
				      hole.end);
		if (err)
			return err;
		hole.start = piece.end;
		atomic_add(&mm->managed_pages, piece.end - piece.start);
		*nr_pages += piece.end - piece.start;
	}
	return 0;
}

/* Who gets pages: one struct mm, or each zone what lies in it. */
struct takers {
	struct mm *mm;
	struct page_alloc *pa; /* NULL: @mm */
};

/*
 * Splits off the lowest part of @pages that goes to one taker, which is returned, NULL if there is
 * none. CMA areas take nothing: the zone around them has no tree for their pages.
 */
static struct mm *next_part(const struct takers *t, struct pfn_range *pages, struct pfn_range *part)
{
	*part = *pages;
	if (!t->pa) {
		pages->start = pages->end;
		return t->mm;
	}
	for (uint32_t i = 0; i < t->pa->nr_zones; i++) {
		struct zone *z = &t->pa->zones[i];

		if (z->type == ZONE_CMA || pages->start < z->mm.start_pfn ||
		    pages->start >= z->mm.end_pfn)
			continue;
		if (part->end > z->mm.end_pfn)
			part->end = z->mm.end_pfn;
		pages->start = part->end;
		return &z->mm;
	}
	return NULL;
}

static bool all_handed_over(const struct takers *t)
{
	if (!t->pa)
		return t->mm->state == MM_HANDED_OVER;
	for (uint32_t i = 0; i < t->pa->nr_zones; i++)
		if (t->pa->zones[i].mm.state != MM_HANDED_OVER)
			return false;
	return true;
}

static bool overlaps_metadata(const struct takers *t, const struct pfn_range *pages)
{
	for (uint32_t i = 0; i < (t->pa ? t->pa->nr_zones : 1); i++) {
		const struct mm *mm = t->pa ? &t->pa->zones[i].mm : t->mm;
		const struct memblock_array metadata = { mm->meta_pa, mm->meta_bytes };

		if (array_overlaps(&metadata, PFN_PHYS(pages->start), PFN_PHYS(pages->end)))
			return true;
	}
	return false;
}

/* What must hold for @pages to become free. */
static int check_pages(const struct takers *t, const struct memblock *mb, struct pfn_range pages)
{
	const struct pfn_range all = pages;
	struct pfn_range part;
	int err = 0;

	while (pages.start < pages.end && !err) {
		const struct mm *mm = next_part(t, &pages, &part);

		err = mm ? check_memory(mm, mb, &part) : -EMM_ERANGE;
	}
	if (!err)
		err = check_reserved(mb, &all);
	return !err && overlaps_metadata(t, &all) ? -EMM_EBUSY : err;
}

static int free_pages_of(const struct takers *t, struct memblock *mb, phys_addr_t base,
			 phys_addr_t size, uint64_t *nr_pages)
{
	struct pfn_range pages = { .start = PFN_UP(base) }, all, part;
	uint64_t added = 0;
	int err;

	if (size > PHYS_ADDR_MAX - base)
		return -EMM_EINVAL;
	if (!all_handed_over(t))
		return -EMM_ESTATE;
	mb->can_resize = false;
	pages.end = PFN_DOWN(base + size);
	if (!pages.start)
		pages.start = 1;
	if (pages.start < pages.end) {
		struct pfn_range hole = find_hole(mb, &pages);

		all = pages;
		err = check_pages(t, mb, pages);
		/* An error of the buddy's would mean that the map was changed behind its back. */
		while (pages.start < pages.end && !err) {
			struct mm *mm = next_part(t, &pages, &part);

			err = add_pages(mm, mb, &part, hole, &added);
			hole.start = part.end;
		}
		if (!err)
			err = memblock_remove_range(mb, &mb->reserved, PFN_PHYS(all.start),
						    PFN_PHYS(all.end));
		if (err)
			return err;
	}
	if (nr_pages)
		*nr_pages = added;
	return 0;
}

int free_reserved_area(struct mm *mm, struct memblock *mb, phys_addr_t base, phys_addr_t size,
		       uint64_t *nr_pages)
{
	const struct takers t = { .mm = mm };

	return free_pages_of(&t, mb, base, size, nr_pages);
}

int page_alloc_free_reserved(struct page_alloc *pa, struct memblock *mb, phys_addr_t base,
			     phys_addr_t size, uint64_t *nr_pages)
{
	const struct takers t = { .pa = pa };

	return free_pages_of(&t, mb, base, size, nr_pages);
}

/* Whole pages of an array: checked or, if @give, added. Those below @added_end were added just now. */
static int give_pages(const struct takers *t, const struct memblock *mb, struct pfn_range pages,
		      bool give, uint64_t *added_end)
{
	struct pfn_range part, hole;
	uint64_t nr_pages = 0;
	int err = 0;

	while (pages.start < pages.end && !err) {
		struct mm *mm = next_part(t, &pages, &part);

		if (!mm)
			return -EMM_ERANGE;
		if (!give) {
			err = check_memory(mm, mb, &part);
			continue;
		}
		hole = find_hole(mb, &part);
		if (hole.start < *added_end)
			hole.start = *added_end;
		err = add_pages(mm, mb, &part, hole, &nr_pages);
		*added_end = part.end;
	}
	return err;
}

/* The whole pages of an array that are reserved as memblock's own. */
static int give_array(const struct takers *t, const struct memblock *mb,
		      const struct memblock_array *array, bool give, uint64_t *added_end)
{
	const struct memblock_type *type = &mb->reserved;
	phys_addr_t array_end = array->base + array->size;
	unsigned long i = memblock_first_above(type, array->base);
	int err = 0;

	for (; i < type->cnt && type->regions[i].base < array_end && !err; i++) {
		const struct memblock_region *r = &type->regions[i];
		const struct pfn_range pages = {
			PFN_UP(max_addr_of(r->base, array->base)),
			PFN_DOWN(min_addr_of(region_end(r), array_end)),
		};

		if (MEMBLOCK_CAUSE(r->flags) == CAUSE_MEMBLOCK)
			err = give_pages(t, mb, pages, give, added_end);
	}
	return err;
}

static int discard(const struct takers *t, struct memblock *mb)
{
	bool memory_first = mb->memory_array.base < mb->reserved_array.base;
	const struct memblock_array arrays[2] = {
		memory_first ? mb->memory_array : mb->reserved_array,
		memory_first ? mb->reserved_array : mb->memory_array,
	};
	uint64_t added_end = 0;

	if (!all_handed_over(t))
		return -EMM_ESTATE;
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(arrays); i++) {
		int err = give_array(t, mb, &arrays[i % ARRAY_SIZE(arrays)],
				     i >= ARRAY_SIZE(arrays), &added_end);

		if (err)
			return err;
	}
	memblock_init(mb, mb->map);
	return 0;
}

int memblock_discard(struct mm *mm, struct memblock *mb)
{
	const struct takers t = { .mm = mm };

	return discard(&t, mb);
}

int page_alloc_discard(struct page_alloc *pa, struct memblock *mb)
{
	const struct takers t = { .pa = pa };

	return discard(&t, mb);
}
