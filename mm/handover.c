/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The handover from memblock to the buddy, one pass over the free ranges. The walk is that of
 * memblock_next_free(), written out: most of what a handover costs is in these two loops.
 */
#include <earlymm/handover.h>
#include "buddy_build.h"

int memblock_free_all(struct mm *mm, const struct memblock *mb)
{
	const struct memblock_region *mem = mb->memory.regions;
	const struct memblock_region *mem_end = mem + mb->memory.cnt;
	const struct memblock_region *rsv = mb->reserved.regions;
	const struct memblock_region *rsv_end = rsv + mb->reserved.cnt;
	const phys_addr_t lowest = PFN_PHYS(mm->start_pfn), highest = PFN_PHYS(mm->end_pfn);
	uint64_t managed = 0;
	struct buddy_builder bb;

	if (mm->state != MM_READY)
		return -EMM_ESTATE;
	build_begin(&bb, &mm->buddy);
	for (; mem < mem_end; mem++) {
		phys_addr_t cur = mem->base, limit = mem->base + mem->size;

		if (mem->flags & MEMBLOCK_NOT_FREE)
			continue;
		if (cur < lowest)
			cur = lowest;
		if (limit > highest)
			limit = highest;
		while (cur < limit) {
			/* Free up to the next reservation; it may reach in from an earlier bank. */
			phys_addr_t free_limit = limit, next = limit;
			uint64_t start, end;

			if (rsv < rsv_end && rsv->base < limit) {
				free_limit = rsv->base;
				next = rsv->base + rsv->size;
				if (next <= limit)
					rsv++;
			}
			start = PFN_UP(cur);
			end = PFN_DOWN(free_limit);
			if (cur < next)
				cur = next;
			if (start < end) {
				int ret = build_range(&bb, start, end);

				if (ret)
					return ret;
				managed += end - start;
			}
		}
	}
	build_end(&bb);
	mm->managed_pages = managed;
	mm->state = MM_HANDED_OVER;
	return 0;
}
