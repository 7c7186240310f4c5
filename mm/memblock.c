/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memblock's core: adding a range to a sorted array and taking one out. Both count first, then
 * make room, then change the array, so that a failure changes nothing.
 */
#include "memblock_internal.h"

_Static_assert(INIT_MEMBLOCK_REGIONS >= 1, "an empty map's first entry reads as zero");
_Static_assert(SMP_CACHE_BYTES > 0 && !(SMP_CACHE_BYTES & (SMP_CACHE_BYTES - 1)),
	       "the default alignment is a power of two");

static void init_type(struct memblock_type *type, struct memblock_region *regions, const char *name)
{
	type->cnt = 0;
	type->max = INIT_MEMBLOCK_REGIONS;
	type->total_size = 0;
	type->regions = regions;
	type->name = name;
	regions[0] = (struct memblock_region){ 0 };
}

void memblock_init(struct memblock *mb, const struct phys_map *map)
{
	mb->bottom_up = false;
	mb->current_limit = PHYS_ADDR_MAX;
	init_type(&mb->memory, mb->memory_init_regions, "memory");
	init_type(&mb->reserved, mb->reserved_init_regions, "reserved");
	mb->can_resize = false;
	mb->movable_node = false;
	mb->map = map;
	mb->debug = NULL;
	mb->warn = NULL;
	mb->memory_array = (struct memblock_array){ 0 };
	mb->reserved_array = (struct memblock_array){ 0 };
}

unsigned long memblock_first_above(const struct memblock_type *type, phys_addr_t addr)
{
	const struct memblock_region *r = type->regions;
	unsigned long low = 0, high = type->cnt;

	while (low < high) {
		unsigned long mid = low + (high - low) / 2;

		if (region_end(&r[mid]) > addr)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* Entry by entry: the memmove of a small C library goes byte by byte, eighteen times slower. */
void memblock_move_tail(struct memblock_type *type, unsigned long from, unsigned long to)
{
	struct memblock_region *r = type->regions;
	unsigned long n = type->cnt - from, i;

	if (to > from) {
		for (i = n; i > 0; i--)
			r[to + i - 1] = r[from + i - 1];
	} else if (to < from) {
		for (i = 0; i < n; i++)
			r[to + i] = r[from + i];
	}
	type->cnt = to + n;
}

/* A stretch of the range to add that lies between two entries, and which of them it joins. */
struct gap {
	phys_addr_t start;
	phys_addr_t end;
	bool joins_left;
	bool joins_right;
};

/* @left and @right: neighbours in the array, NULL at its ends. False if no stretch is free. */
static bool gap_between(const struct memblock_region *left, const struct memblock_region *right,
			const struct memblock_region *add, struct gap *gap)
{
	gap->start = left ? max_addr_of(add->base, region_end(left)) : add->base;
	gap->end = right ? min_addr_of(region_end(add), right->base) : region_end(add);
	if (gap->start >= gap->end)
		return false;
	gap->joins_left = left && region_end(left) == gap->start && same_kind(left, add);
	gap->joins_right = right && right->base == gap->end && same_kind(right, add);
	return true;
}

/* What adding a range will do: gaps before entries [low, high] (high may be cnt). */
struct add_plan {
	unsigned long low;
	unsigned long high;
	unsigned long fresh; /* gaps that become entries */
	unsigned long joins; /* gaps that join at least one entry */
	unsigned long gone; /* gaps that join two entries into one */
};

static void plan_add(const struct memblock_type *type, const struct memblock_region *add,
		     struct add_plan *plan)
{
	const struct memblock_region *r = type->regions;
	unsigned long i = memblock_first_above(type, add->base);
	struct gap gap;

	*plan = (struct add_plan){ .low = i };
	for (;; i++) {
		const struct memblock_region *right = i < type->cnt ? &r[i] : NULL;

		if (gap_between(i ? &r[i - 1] : NULL, right, add, &gap)) {
			plan->fresh += !gap.joins_left && !gap.joins_right;
			plan->joins += gap.joins_left || gap.joins_right;
			plan->gone += gap.joins_left && gap.joins_right;
		}
		if (!right || right->base >= region_end(add))
			break;
	}
	plan->high = i;
}

/* Fills the gaps that join an entry, in one pass upward that never needs more room. */
static void join_gaps(struct memblock_type *type, const struct memblock_region *add,
		      struct add_plan *plan)
{
	struct memblock_region *r = type->regions;
	unsigned long from, to = plan->low;
	struct gap gap;

	for (from = plan->low; from <= plan->high; from++) {
		struct memblock_region *left = to ? &r[to - 1] : NULL;
		struct memblock_region *right = from < type->cnt ? &r[from] : NULL;

		if (gap_between(left, right, add, &gap)) {
			if (gap.joins_left) {
				left->size += gap.end - gap.start;
				type->total_size += gap.end - gap.start;
			}
			if (gap.joins_left && gap.joins_right) {
				left->size += right->size;
				continue;
			}
			if (!gap.joins_left && gap.joins_right) {
				right->base = gap.start;
				right->size += gap.end - gap.start;
				type->total_size += gap.end - gap.start;
			}
		}
		if (right)
			r[to++] = *right;
	}
	if (plan->gone) {
		memblock_move_tail(type, from < type->cnt ? from : type->cnt, to);
		plan->high -= plan->gone;
	}
}

/* Makes entries of the gaps that are left, in one pass downward. There is room for them. */
static void insert_gaps(struct memblock_type *type, const struct memblock_region *add,
			const struct add_plan *plan)
{
	struct memblock_region *r = type->regions;
	unsigned long i = plan->high, left_over = plan->fresh;
	struct gap gap;

	memblock_move_tail(type, i, i + left_over);
	while (left_over) {
		/* The entry that was at i is at i + left_over now. */
		unsigned long to = i + left_over;

		if (gap_between(i ? &r[i - 1] : NULL, to < type->cnt ? &r[to] : NULL, add, &gap)) {
			r[to - 1].base = gap.start;
			r[to - 1].size = gap.end - gap.start;
			r[to - 1].flags = add->flags;
			r[to - 1].nid = add->nid;
			type->total_size += gap.end - gap.start;
			left_over--;
		}
		i--;
		if (left_over)
			r[i + left_over] = r[i];
	}
}

int memblock_add_range(struct memblock *mb, struct memblock_type *type,
		       const struct memblock_region *add)
{
	struct add_plan plan;
	int err;

	plan_add(type, add, &plan);
	/* Growth changes the reserved array: plan again. It leaves room enough, so only once. */
	while (plan.fresh > plan.gone && !memblock_has_room(type, plan.fresh - plan.gone)) {
		err = memblock_make_room(mb, type, plan.fresh - plan.gone, add->base,
					 region_end(add));
		if (err)
			return err;
		plan_add(type, add, &plan);
	}
	if (plan.joins)
		join_gaps(type, add, &plan);
	if (plan.fresh)
		insert_gaps(type, add, &plan);
	return 0;
}

/* Takes [base, end) out of the middle of entry @i. There is room for one more. */
static void split_entry(struct memblock_type *type, unsigned long i, phys_addr_t base,
			phys_addr_t end)
{
	struct memblock_region *r = type->regions;
	phys_addr_t old_end = region_end(&r[i]);

	memblock_move_tail(type, i, i + 1);
	r[i].base = r[i + 1].base;
	r[i].size = base - r[i].base;
	r[i].flags = r[i + 1].flags;
	r[i].nid = r[i + 1].nid;
	r[i + 1].base = end;
	r[i + 1].size = old_end - end;
	type->total_size -= end - base;
}

/* Takes [base, end) out of entries @i and up; it lies in the middle of none of them. */
static void cut_entries(struct memblock_type *type, unsigned long i, phys_addr_t base,
			phys_addr_t end)
{
	struct memblock_region *r = type->regions;
	unsigned long to;

	if (r[i].base < base) {
		type->total_size -= region_end(&r[i]) - base;
		r[i].size = base - r[i].base;
		i++;
	}
	for (to = i; i < type->cnt && region_end(&r[i]) <= end; i++)
		type->total_size -= r[i].size;
	if (i < type->cnt && r[i].base < end) {
		type->total_size -= end - r[i].base;
		r[i].size -= end - r[i].base;
		r[i].base = end;
	}
	memblock_move_tail(type, i, to);
	if (!type->cnt)
		r[0] = (struct memblock_region){ 0 };
}

int memblock_remove_range(struct memblock *mb, struct memblock_type *type, phys_addr_t base,
			  phys_addr_t end)
{
	for (;;) {
		unsigned long i = memblock_first_above(type, base);
		const struct memblock_region *r = &type->regions[i];
		int err;

		if (base >= end || i == type->cnt || r->base >= end)
			return 0;
		if (r->base >= base || region_end(r) <= end) {
			cut_entries(type, i, base, end);
			return 0;
		}
		if (memblock_has_room(type, 1)) {
			split_entry(type, i, base, end);
			return 0;
		}
		/* Growth changes the reserved array: look again. */
		err = memblock_make_room(mb, type, 1, base, end);
		if (err)
			return err;
	}
}

static int add_region(struct memblock *mb, struct memblock_type *type, phys_addr_t base,
		      phys_addr_t size, uint32_t flags, int nid)
{
	struct memblock_region add = {
		.base = base,
		.size = range_end(base, size) - base,
		.flags = flags,
		.nid = nid,
	};

	return memblock_add_range(mb, type, &add);
}

int memblock_add(struct memblock *mb, phys_addr_t base, phys_addr_t size)
{
	memblock_debug_call(mb, "memblock_add", base, size, 0, MEMBLOCK_CALLER);
	return add_region(mb, &mb->memory, base, size, 0, NUMA_NO_NODE);
}

int memblock_add_node(struct memblock *mb, phys_addr_t base, phys_addr_t size, int nid,
		      uint32_t flags)
{
	memblock_debug_call(mb, "memblock_add_node", base, size, flags, MEMBLOCK_CALLER);
	if (nid < NUMA_NO_NODE || (flags & ~MEMBLOCK_MEMORY_FLAGS))
		return -EMM_EINVAL;
	return add_region(mb, &mb->memory, base, size, flags, nid);
}

int memblock_remove(struct memblock *mb, phys_addr_t base, phys_addr_t size)
{
	memblock_debug_call(mb, "memblock_remove", base, size, 0, MEMBLOCK_CALLER);
	return memblock_remove_range(mb, &mb->memory, base, range_end(base, size));
}

int memblock_reserve(struct memblock *mb, phys_addr_t base, phys_addr_t size)
{
	memblock_debug_call(mb, "memblock_reserve", base, size, 0, MEMBLOCK_CALLER);
	return add_region(mb, &mb->reserved, base, size, 0, NUMA_NO_NODE);
}

int memblock_reserve_cause(struct memblock *mb, phys_addr_t base, phys_addr_t size,
			   enum memblock_cause cause)
{
	uint32_t flags = cause_flags(cause);

	memblock_debug_call(mb, "memblock_reserve", base, size, flags, MEMBLOCK_CALLER);
	if (!is_cause(cause))
		return -EMM_EINVAL;
	return add_region(mb, &mb->reserved, base, size, flags, NUMA_NO_NODE);
}

int memblock_reserve_kern(struct memblock *mb, phys_addr_t base, phys_addr_t size,
			  enum memblock_cause cause)
{
	uint32_t flags = cause_flags(cause) | MEMBLOCK_RSRV_KERN;

	memblock_debug_call(mb, "memblock_reserve_kern", base, size, flags, MEMBLOCK_CALLER);
	if (!is_cause(cause))
		return -EMM_EINVAL;
	return add_region(mb, &mb->reserved, base, size, flags, NUMA_NO_NODE);
}

int memblock_free(struct memblock *mb, phys_addr_t base, phys_addr_t size)
{
	memblock_debug_call(mb, "memblock_free", base, size, 0, MEMBLOCK_CALLER);
	return memblock_remove_range(mb, &mb->reserved, base, range_end(base, size));
}
