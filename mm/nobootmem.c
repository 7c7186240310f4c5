/* SPDX-License-Identifier: BSD-2-Clause */
/* nobootmem: bootmem's calls on top of memblock. Linux: mm/nobootmem.c. */
#include <earlymm/handover.h>
#include "bootmem_internal.h"

void nobootmem_init(struct bootmem *bm, struct memblock *mb)
{
	phys_addr_t ram = memblock_start_of_DRAM(mb);

	bootmem_init(bm, mb->map, NULL, 0);
	bm->mb = mb;
	bm->printer = mb->warn;
	bm->nobootmem = true;
	bm->max_dma_address = max_addr_of(MAX_DMA_ADDRESS, ram);
	bm->min_low_pfn = PFN_UP(ram);
	bm->max_low_pfn = PFN_DOWN(memblock_end_of_DRAM(mb));
	bm->max_pfn = bm->max_low_pfn;
	bm->saved_max_pfn = bm->max_low_pfn;
	bm->nr_all_pages = PFN_DOWN(memblock_phys_mem_size(mb));
}

int nobootmem_reserve(struct bootmem *bm, phys_addr_t addr, phys_addr_t size)
{
	if (!size)
		return -EMM_EINVAL;
	if (bm->handed_over)
		return -EMM_ESTATE;
	if (size > PHYS_ADDR_MAX - addr || !memblock_is_region_memory(bm->mb, addr, size))
		return -EMM_ERANGE;
	if (memblock_is_region_reserved(bm->mb, addr, size))
		return -EMM_EBUSY;
	return memblock_reserve(bm->mb, addr, size);
}

int nobootmem_free(struct bootmem *bm, phys_addr_t addr, phys_addr_t size)
{
	bool one_cause;
	int err;

	if (!size)
		return -EMM_EINVAL;
	if (bm->handed_over)
		return -EMM_ESTATE;
	if (size > PHYS_ADDR_MAX - addr)
		return -EMM_ERANGE;
	err = memblock_may_free(bm->mb, addr, addr + size);
	if (err)
		return err;
	if (!memblock_all_reserved(bm->mb, addr, addr + size, &one_cause))
		return -EMM_EDOUBLE;
	return memblock_free(bm->mb, addr, size);
}

int nobootmem_alloc(struct bootmem *bm, phys_addr_t size, phys_addr_t align, phys_addr_t goal,
		    phys_addr_t limit, int nid, enum memblock_cause cause, bool zero,
		    phys_addr_t *pa)
{
	phys_addr_t at;
	void *block;
	int err = memblock_phys_alloc(bm->mb, size, align, goal, limit, nid, cause, &at);

	if (err)
		return err;
	if (zero) {
		block = bm->map ? phys_to_virt(bm->map, at, size) : NULL;
		if (!block) {
			/* This never needs an entry more than there was before. */
			memblock_free(bm->mb, at, size);
			return -EMM_EFAULT;
		}
		__builtin_memset(block, 0, (size_t)size);
	}
	*pa = at;
	return 0;
}

/*
 * In Linux this also clears the HOTPLUG marks and marks the pages of reserved ranges. Here the
 * marks are no obstacle, and there are no struct pages to mark.
 */
static int free_low_memory_core_early(struct mm *mm, const struct memblock *mb)
{
	return memblock_free_all(mm, mb);
}

int nobootmem_free_all(struct bootmem *bm, struct mm *mm)
{
	int err = free_low_memory_core_early(mm, bm->mb);

	if (!err)
		bm->handed_over = true;
	return err;
}
