/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Limits: memory that is not to be used is cut off the map. None of these ever needs a new entry,
 * so none can fail for want of room.
 */
#include "memblock_internal.h"

void memblock_set_current_limit(struct memblock *mb, phys_addr_t limit)
{
	memblock_debug_setting(mb, "memblock_set_current_limit", limit, MEMBLOCK_CALLER);
	mb->current_limit = limit;
}

phys_addr_t memblock_get_current_limit(const struct memblock *mb)
{
	return mb->current_limit;
}

void memblock_set_bottom_up(struct memblock *mb, bool enable)
{
	memblock_debug_setting(mb, "memblock_set_bottom_up", enable, MEMBLOCK_CALLER);
	mb->bottom_up = enable;
}

/* Cuts entry @from down to [base, end) and puts it at @to; an empty one is dropped. */
static unsigned long keep_part(struct memblock_type *type, unsigned long from, unsigned long to,
			       phys_addr_t base, phys_addr_t end)
{
	struct memblock_region r = type->regions[from];

	type->total_size -= r.size;
	if (base >= end)
		return to;
	r.base = base;
	r.size = end - base;
	type->total_size += r.size;
	type->regions[to] = r;
	return to + 1;
}

static void set_count(struct memblock_type *type, unsigned long cnt)
{
	type->cnt = cnt;
	if (!cnt)
		type->regions[0] = (struct memblock_region){ 0 };
}

int memblock_trim_memory(struct memblock *mb, phys_addr_t align)
{
	struct memblock_type *type = &mb->memory;
	unsigned long from, to = 0;

	memblock_debug_call(mb, "memblock_trim_memory", 0, align, 0, MEMBLOCK_CALLER);
	if (!is_power_of_two(align))
		return -EMM_EINVAL;
	for (from = 0; from < type->cnt; from++) {
		phys_addr_t base = type->regions[from].base;
		phys_addr_t end = region_end(&type->regions[from]) & ~(align - 1);
		phys_addr_t up = -base & (align - 1);

		/* Where rounding up would pass the top nothing is left. */
		to = keep_part(type, from, to, up > PHYS_ADDR_MAX - base ? end : base + up, end);
	}
	set_count(type, to);
	return 0;
}

/* The address at which the first @limit bytes of memory end; PHYS_ADDR_MAX if there are fewer. */
static phys_addr_t address_of_limit(const struct memblock *mb, phys_addr_t limit)
{
	unsigned long i;

	for (i = 0; i < mb->memory.cnt; i++) {
		const struct memblock_region *r = &mb->memory.regions[i];

		if (limit <= r->size)
			return r->base + limit;
		limit -= r->size;
	}
	return PHYS_ADDR_MAX;
}

/* Whether any of @r is in use as an array of @mb itself. */
static bool holds_array(const struct memblock *mb, const struct memblock_region *r)
{
	const struct memblock_array *array[2] = { &mb->memory_array, &mb->reserved_array };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(array); i++) {
		if (array[i]->base < region_end(r) && r->base < array[i]->base + array[i]->size)
			return true;
	}
	return false;
}

/*
 * Drops what lies outside [base, end), except, if @keep_nomap, NOMAP entries, and reservations that
 * hold an array in use: memory may be added there again.
 */
static void keep_range(struct memblock *mb, struct memblock_type *type, phys_addr_t base,
		       phys_addr_t end, bool keep_nomap)
{
	unsigned long from, to = 0;

	for (from = 0; from < type->cnt; from++) {
		const struct memblock_region *r = &type->regions[from];

		if (type == &mb->reserved ? holds_array(mb, r)
					  : keep_nomap && (r->flags & MEMBLOCK_NOMAP))
			to = keep_part(type, from, to, r->base, region_end(r));
		else
			to = keep_part(type, from, to, max_addr_of(base, r->base),
				       min_addr_of(end, region_end(r)));
	}
	set_count(type, to);
}

static void cap_maps(struct memblock *mb, phys_addr_t base, phys_addr_t end, bool keep_nomap)
{
	keep_range(mb, &mb->memory, base, end, keep_nomap);
	keep_range(mb, &mb->reserved, base, end, keep_nomap);
}

void memblock_enforce_memory_limit(struct memblock *mb, phys_addr_t limit)
{
	phys_addr_t end = address_of_limit(mb, limit);

	memblock_debug_call(mb, "memblock_enforce_memory_limit", 0, limit, 0, MEMBLOCK_CALLER);
	if (limit)
		cap_maps(mb, 0, end, false);
}

void memblock_cap_memory_range(struct memblock *mb, phys_addr_t base, phys_addr_t size)
{
	memblock_debug_call(mb, "memblock_cap_memory_range", base, size, 0, MEMBLOCK_CALLER);
	if (size && mb->memory.cnt)
		cap_maps(mb, base, range_end(base, size), true);
}

void memblock_mem_limit_remove_map(struct memblock *mb, phys_addr_t limit)
{
	phys_addr_t end = address_of_limit(mb, limit);

	memblock_debug_call(mb, "memblock_mem_limit_remove_map", 0, limit, 0, MEMBLOCK_CALLER);
	if (limit)
		cap_maps(mb, 0, end, true);
}
