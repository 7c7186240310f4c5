/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks over the maps. The two pointers and the address of a free walk only ever move one way,
 * which makes the whole walk linear.
 */
#include "memblock_internal.h"

static void init_filter(struct memblock_iter *it, const struct memblock *mb, int nid,
			uint32_t flags)
{
	it->skip = MEMBLOCK_NOMAP | MEMBLOCK_DRIVER_MANAGED;
	if (mb->movable_node && !(flags & MEMBLOCK_HOTPLUG))
		it->skip |= MEMBLOCK_HOTPLUG;
	it->want = flags & MEMBLOCK_MIRROR;
	it->nid = nid;
}

static bool left_out(const struct memblock_iter *it, const struct memblock_region *r)
{
	return (r->flags & it->skip) || (r->flags & it->want) != it->want ||
	       (it->nid != NUMA_NO_NODE && it->nid != r->nid);
}

void memblock_iter_free_init(struct memblock_iter *it, const struct memblock *mb, int nid,
			     uint32_t flags)
{
	init_filter(it, mb, nid, flags);
	it->mem = mb->memory.regions;
	it->mem_stop = it->mem + mb->memory.cnt;
	it->rsv = mb->reserved.regions;
	it->rsv_stop = it->rsv + mb->reserved.cnt;
	it->cur = 0;
}

bool memblock_next_free(struct memblock_iter *it, phys_addr_t *start, phys_addr_t *end)
{
	const struct memblock_region *mem, *rsv = it->rsv;
	phys_addr_t cur = it->cur;

	for (mem = it->mem; mem != it->mem_stop; mem++) {
		phys_addr_t mem_end = region_end(mem);

		if (left_out(it, mem))
			continue;
		if (cur < mem->base)
			cur = mem->base;
		while (cur < mem_end) {
			phys_addr_t from = cur, to = mem_end;

			while (rsv != it->rsv_stop && region_end(rsv) <= cur)
				rsv++;
			if (rsv != it->rsv_stop && rsv->base < mem_end) {
				to = rsv->base;
				cur = region_end(rsv);
			} else {
				cur = mem_end;
			}
			if (from < to) {
				it->mem = mem;
				it->rsv = rsv;
				it->cur = cur;
				*start = from;
				*end = to;
				return true;
			}
		}
	}
	return false;
}

void memblock_iter_free_init_reverse(struct memblock_iter *it, const struct memblock *mb, int nid,
				     uint32_t flags)
{
	init_filter(it, mb, nid, flags);
	it->mem_stop = mb->memory.regions;
	it->mem = it->mem_stop + mb->memory.cnt;
	it->rsv_stop = mb->reserved.regions;
	it->rsv = it->rsv_stop + mb->reserved.cnt;
	it->cur = PHYS_ADDR_MAX;
}

bool memblock_prev_free(struct memblock_iter *it, phys_addr_t *start, phys_addr_t *end)
{
	const struct memblock_region *mem, *rsv = it->rsv;
	phys_addr_t cur = it->cur;

	for (mem = it->mem; mem != it->mem_stop; mem--) {
		phys_addr_t mem_base = mem[-1].base;

		if (left_out(it, &mem[-1]))
			continue;
		if (cur > region_end(&mem[-1]))
			cur = region_end(&mem[-1]);
		while (cur > mem_base) {
			phys_addr_t from = mem_base, to = cur;

			while (rsv != it->rsv_stop && rsv[-1].base >= cur)
				rsv--;
			if (rsv != it->rsv_stop && region_end(&rsv[-1]) > mem_base) {
				from = region_end(&rsv[-1]);
				cur = rsv[-1].base;
			} else {
				cur = mem_base;
			}
			if (from < to) {
				it->mem = mem;
				it->rsv = rsv;
				it->cur = cur;
				*start = from;
				*end = to;
				return true;
			}
		}
	}
	return false;
}

void memblock_iter_region_init(struct memblock_iter *it, const struct memblock_type *type, int nid)
{
	it->mem = type->regions;
	it->mem_stop = it->mem + type->cnt;
	it->rsv = NULL;
	it->rsv_stop = NULL;
	it->cur = 0;
	it->skip = 0;
	it->want = 0;
	it->nid = nid;
}

const struct memblock_region *memblock_next_region(struct memblock_iter *it)
{
	while (it->mem != it->mem_stop) {
		const struct memblock_region *r = it->mem++;

		if (!left_out(it, r))
			return r;
	}
	return NULL;
}

bool memblock_next_mem_pfn_range(struct memblock_iter *it, uint64_t *start_pfn, uint64_t *end_pfn,
				 const struct memblock_region **region)
{
	const struct memblock_region *r;

	while ((r = memblock_next_region(it)) != NULL) {
		uint64_t start = PFN_UP(r->base), end = PFN_DOWN(region_end(r));

		if (start >= end)
			continue;
		*start_pfn = start;
		*end_pfn = end;
		if (region)
			*region = r;
		return true;
	}
	return false;
}

bool memblock_next_reserved_pfn_range(struct memblock_iter *it, uint64_t *start_pfn,
				      uint64_t *end_pfn, const struct memblock_region **region)
{
	const struct memblock_region *r;

	while ((r = memblock_next_region(it)) != NULL) {
		/* cur: the first frame that has not been reported. */
		uint64_t start = max_addr_of(PFN_DOWN(r->base), it->cur);
		uint64_t end = PFN_UP(region_end(r));

		if (start >= end)
			continue;
		it->cur = end;
		*start_pfn = start;
		*end_pfn = end;
		if (region)
			*region = r;
		return true;
	}
	return false;
}
