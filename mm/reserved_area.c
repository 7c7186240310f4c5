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

static bool wholly_reserved(const struct memblock *mb, phys_addr_t base, phys_addr_t end)
{
	const struct memblock_type *type = &mb->reserved;

	for (unsigned long i = memblock_first_above(type, base); base < end; i++) {
		if (i == type->cnt || type->regions[i].base > base)
			return false;
		base = region_end(&type->regions[i]);
	}
	return true;
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

static int check_reserved(const struct mm *mm, const struct memblock *mb,
			  const struct pfn_range *pages)
{
	const struct memblock_array metadata = { mm->meta_pa, mm->meta_bytes };
	phys_addr_t base = PFN_PHYS(pages->start), end = PFN_PHYS(pages->end);

	if (!wholly_reserved(mb, base, end))
		return -EMM_EDOUBLE;
	if (array_overlaps(&mb->memory_array, base, end) ||
	    array_overlaps(&mb->reserved_array, base, end) || array_overlaps(&metadata, base, end))
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
		mm->managed_pages += piece.end - piece.start;
		*nr_pages += piece.end - piece.start;
	}
	return 0;
}

int free_reserved_area(struct mm *mm, struct memblock *mb, phys_addr_t base, phys_addr_t size,
		       uint64_t *nr_pages)
{
	struct pfn_range pages = { .start = PFN_UP(base) };
	uint64_t added = 0;
	int err;

	if (size > PHYS_ADDR_MAX - base)
		return -EMM_EINVAL;
	if (mm->state != MM_HANDED_OVER)
		return -EMM_ESTATE;
	mb->can_resize = false;
	pages.end = PFN_DOWN(base + size);
	if (!pages.start)
		pages.start = 1;
	if (pages.start < pages.end) {
		err = check_memory(mm, mb, &pages);
		if (!err)
			err = check_reserved(mm, mb, &pages);
		/* An error of the buddy's would mean that the map was changed behind its back. */
		if (!err)
			err = add_pages(mm, mb, &pages, find_hole(mb, &pages), &added);
		if (!err)
			err = memblock_remove_range(mb, &mb->reserved, PFN_PHYS(pages.start),
						    PFN_PHYS(pages.end));
		if (err)
			return err;
	}
	if (nr_pages)
		*nr_pages = added;
	return 0;
}

/*
 * The whole pages of an array that are reserved as memblock's own: checked or, if @give, added.
 * Those below @added_end were added just now, and the map does not know.
 */
static int give_array(struct mm *mm, const struct memblock *mb, const struct memblock_array *array,
		      bool give, uint64_t *added_end)
{
	const struct memblock_type *type = &mb->reserved;
	phys_addr_t array_end = array->base + array->size;
	unsigned long i = memblock_first_above(type, array->base);

	for (; i < type->cnt && type->regions[i].base < array_end; i++) {
		const struct memblock_region *r = &type->regions[i];
		struct pfn_range pages = {
			PFN_UP(max_addr_of(r->base, array->base)),
			PFN_DOWN(min_addr_of(region_end(r), array_end)),
		};
		uint64_t nr_pages = 0;
		struct pfn_range hole;
		int err;

		if (MEMBLOCK_CAUSE(r->flags) != CAUSE_MEMBLOCK || pages.start >= pages.end)
			continue;
		if (!give) {
			err = check_memory(mm, mb, &pages);
		} else {
			hole = find_hole(mb, &pages);
			if (hole.start < *added_end)
				hole.start = *added_end;
			err = add_pages(mm, mb, &pages, hole, &nr_pages);
			*added_end = pages.end;
		}
		if (err)
			return err;
	}
	return 0;
}

int memblock_discard(struct mm *mm, struct memblock *mb)
{
	bool memory_first = mb->memory_array.base < mb->reserved_array.base;
	const struct memblock_array arrays[2] = {
		memory_first ? mb->memory_array : mb->reserved_array,
		memory_first ? mb->reserved_array : mb->memory_array,
	};
	uint64_t added_end = 0;

	if (mm->state != MM_HANDED_OVER)
		return -EMM_ESTATE;
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(arrays); i++) {
		int err = give_array(mm, mb, &arrays[i % ARRAY_SIZE(arrays)],
				     i >= ARRAY_SIZE(arrays), &added_end);

		if (err)
			return err;
	}
	memblock_init(mb, mb->map);
	return 0;
}
