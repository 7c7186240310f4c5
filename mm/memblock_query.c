/* SPDX-License-Identifier: BSD-2-Clause */
/* What memblock can tell about its maps. */
#include "memblock_internal.h"

phys_addr_t memblock_phys_mem_size(const struct memblock *mb)
{
	return mb->memory.total_size;
}

phys_addr_t memblock_reserved_size(const struct memblock *mb)
{
	return mb->reserved.total_size;
}

phys_addr_t memblock_start_of_DRAM(const struct memblock *mb)
{
	return mb->memory.cnt ? mb->memory.regions[0].base : 0;
}

phys_addr_t memblock_end_of_DRAM(const struct memblock *mb)
{
	return mb->memory.cnt ? region_end(&mb->memory.regions[mb->memory.cnt - 1]) : 0;
}

const struct memblock_region *memblock_search(const struct memblock_type *type, phys_addr_t addr)
{
	unsigned long i = memblock_first_above(type, addr);

	return i < type->cnt && type->regions[i].base <= addr ? &type->regions[i] : NULL;
}

bool memblock_is_memory(const struct memblock *mb, phys_addr_t addr)
{
	return memblock_search(&mb->memory, addr) != NULL;
}

bool memblock_is_map_memory(const struct memblock *mb, phys_addr_t addr)
{
	const struct memblock_region *r = memblock_search(&mb->memory, addr);

	return r && !(r->flags & MEMBLOCK_NOMAP);
}

bool memblock_is_reserved(const struct memblock *mb, phys_addr_t addr)
{
	return memblock_search(&mb->reserved, addr) != NULL;
}

bool memblock_is_region_memory(const struct memblock *mb, phys_addr_t base, phys_addr_t size)
{
	const struct memblock_type *type = &mb->memory;
	phys_addr_t end = range_end(base, size);
	unsigned long i = memblock_first_above(type, base);

	if (base >= end)
		return false;
	for (; i < type->cnt && type->regions[i].base <= base; i++) {
		base = region_end(&type->regions[i]);
		if (base >= end)
			return true;
	}
	return false;
}

bool memblock_is_region_reserved(const struct memblock *mb, phys_addr_t base, phys_addr_t size)
{
	return memblock_overlaps_region(&mb->reserved, base, size);
}

bool memblock_overlaps_region(const struct memblock_type *type, phys_addr_t base, phys_addr_t size)
{
	phys_addr_t end = range_end(base, size);
	unsigned long i = memblock_first_above(type, base);

	return base < end && i < type->cnt && type->regions[i].base < end;
}

int memblock_search_pfn_nid(const struct memblock *mb, uint64_t pfn, uint64_t *start_pfn,
			    uint64_t *end_pfn, int *nid)
{
	const struct memblock_region *r;

	if (pfn > PFN_DOWN(PHYS_ADDR_MAX))
		return -EMM_ENOENT;
	r = memblock_search(&mb->memory, PFN_PHYS(pfn));
	if (!r)
		return -EMM_ENOENT;
	*start_pfn = PFN_DOWN(r->base);
	*end_pfn = PFN_DOWN(region_end(r));
	*nid = r->nid;
	return 0;
}

/* @flags: those that entries of this type may have, the cause aside. */
static bool type_is_valid(const struct memblock_type *type, uint32_t flags)
{
	phys_addr_t total = 0;
	unsigned long i;

	if (!type->regions || !type->name || !type->max || type->cnt > type->max)
		return false;
	for (i = 0; i < type->cnt; i++) {
		const struct memblock_region *r = &type->regions[i];
		const struct memblock_region *prev = i ? r - 1 : NULL;

		if (!r->size || r->size > PHYS_ADDR_MAX - r->base || r->nid < NUMA_NO_NODE ||
		    (r->flags & ~flags & ((1U << MEMBLOCK_CAUSE_SHIFT) - 1)))
			return false;
		if (prev && (r->base < region_end(prev) ||
			     (r->base == region_end(prev) && same_kind(prev, r))))
			return false;
		total += r->size;
	}
	return total == type->total_size;
}

static bool causes_are_valid(const struct memblock_type *type, uint32_t limit)
{
	unsigned long i;

	for (i = 0; i < type->cnt; i++) {
		if (type->regions[i].flags >> MEMBLOCK_CAUSE_SHIFT >= limit)
			return false;
	}
	return true;
}

static bool empty_is_zero(const struct memblock_type *type)
{
	const struct memblock_region *r = type->regions;

	return type->cnt || (!r->base && !r->size && !r->flags && !r->nid);
}

bool memblock_is_valid(const struct memblock *mb)
{
	const struct memblock_type *memory = &mb->memory, *reserved = &mb->reserved;

	return type_is_valid(memory, MEMBLOCK_MEMORY_FLAGS) && causes_are_valid(memory, 1) &&
	       type_is_valid(reserved, MEMBLOCK_RESERVED_FLAGS) &&
	       causes_are_valid(reserved, NR_CAUSES) && empty_is_zero(memory) &&
	       empty_is_zero(reserved) &&
	       (memory->regions == mb->memory_init_regions) == !mb->memory_array.size &&
	       (reserved->regions == mb->reserved_init_regions) == !mb->reserved_array.size;
}

bool memblock_all_reserved(const struct memblock *mb, phys_addr_t base, phys_addr_t end,
			   bool *one_cause)
{
	const struct memblock_type *rsv = &mb->reserved;
	unsigned long first = memblock_first_above(rsv, base);
	phys_addr_t at = base;

	*one_cause = true;
	for (unsigned long i = first; at < end; i++) {
		const struct memblock_region *r = &rsv->regions[i];

		if (i == rsv->cnt || r->base > at)
			return false;
		if (MEMBLOCK_CAUSE(r->flags) != MEMBLOCK_CAUSE(rsv->regions[first].flags))
			*one_cause = false;
		at = region_end(r);
	}
	return true;
}
