/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Growth of memblock's arrays. Everything that can fail (places, pointers) is settled before
 * anything changes; the rest has its room assured.
 */
#include "memblock_internal.h"

/*
 * Room that growth leaves beyond what it was asked for: an entry for either new array, one for a
 * split when either old one is freed. This also covers the up to two entries that a plan made
 * before may need more because an old array it touched is gone (then only one array grew).
 */
#define GROW_SLACK 4

/* An array that is found, but not yet in use. */
struct new_array {
	struct memblock_array at;
	unsigned long max;
	struct memblock_region *regions;
};

/* Ranges that no new array may touch: the caller's, the arrays in use, the other new one. */
struct avoid_list {
	struct memblock_array range[4];
	unsigned int nr;
};

static struct memblock_array *array_of(struct memblock *mb, const struct memblock_type *type)
{
	return type == &mb->memory ? &mb->memory_array : &mb->reserved_array;
}

static int full(const struct memblock *mb, const struct memblock_type *type, const char *why)
{
	print_to(mb->warn, "memblock: the %s array is full (%lu entries): %s\n", type->name,
		 type->max, why);
	return -EMM_ENOSPC;
}

static int find_array(const struct memblock *mb, const struct memblock_type *type,
		      unsigned long more, const struct avoid_list *avoid, struct new_array *new)
{
	struct memblock_want want = {
		.align = PAGE_SIZE,
		.start = PAGE_SIZE,
		.end = mb->current_limit,
		.nid = NUMA_NO_NODE,
		.flags = memblock_choose_flags(mb),
		.avoid = avoid->range,
		.nr_avoid = avoid->nr,
	};

	/* cnt is bounded by memory, so neither this nor the size in bytes overflows. */
	for (new->max = type->max; new->max < type->cnt + more + GROW_SLACK;)
		new->max *= 2;
	want.size = (new->max * sizeof(struct memblock_region) + PAGE_SIZE - 1) & PAGE_MASK;
	if (memblock_find(mb, &want, &new->at.base)) {
		want.flags = 0;
		if (memblock_find(mb, &want, &new->at.base))
			return full(mb, type,
				    "no free memory for a larger one; "
				    "raise INIT_MEMBLOCK_REGIONS");
	}
	new->at.size = want.size;
	new->regions = mb->map ? phys_to_virt(mb->map, new->at.base, want.size) : NULL;
	if (!new->regions) {
		print_to(mb->warn, "memblock: no access to 0x%016llx for a larger %s array\n",
			 (unsigned long long)new->at.base, type->name);
		return -EMM_EFAULT;
	}
	return 0;
}

/* Frees the bytes of an array out of use; only what is reserved as memblock's own. */
static int free_array(struct memblock *mb, const struct memblock_array *old)
{
	const struct memblock_type *type = &mb->reserved;
	phys_addr_t base = old->base, end = old->base + old->size;
	int err;

	while (base < end) {
		unsigned long i = memblock_first_above(type, base);
		const struct memblock_region *r = &type->regions[i];
		phys_addr_t start, stop;

		if (i == type->cnt || r->base >= end)
			break;
		start = max_addr_of(base, r->base);
		stop = min_addr_of(end, region_end(r));
		if (MEMBLOCK_CAUSE(r->flags) == CAUSE_MEMBLOCK) {
			err = memblock_remove_range(mb, &mb->reserved, start, stop);
			if (err)
				return err;
		}
		base = stop;
	}
	return 0;
}

static struct memblock_array switch_array(struct memblock *mb, struct memblock_type *type,
					  const struct new_array *new)
{
	struct memblock_array *array = array_of(mb, type), old = *array;
	unsigned long i;

	/* The first entry is copied even if the map is empty: it must read as zero. */
	for (i = 0; i == 0 || i < type->cnt; i++)
		new->regions[i] = type->regions[i];
	type->regions = new->regions;
	type->max = new->max;
	*array = new->at;
	print_to(mb->debug, "memblock: the %s array has %lu entries, at 0x%016llx\n", type->name,
		 type->max, (unsigned long long)new->at.base);
	return old;
}

static int use_array(struct memblock *mb, struct memblock_type *type, const struct new_array *new)
{
	const struct memblock_region add = {
		.base = new->at.base,
		.size = new->at.size,
		.flags = cause_flags(CAUSE_MEMBLOCK) | MEMBLOCK_RSRV_KERN,
		.nid = NUMA_NO_NODE,
	};
	struct memblock_array old = switch_array(mb, type, new);
	int err = memblock_add_range(mb, &mb->reserved, &add);

	return err ? err : free_array(mb, &old);
}

int memblock_make_room(struct memblock *mb, struct memblock_type *type, unsigned long more,
		       phys_addr_t base, phys_addr_t end)
{
	struct memblock_type *reserved = &mb->reserved;
	bool grow_reserved = type == reserved || !memblock_has_room(reserved, 2);
	struct avoid_list avoid = {
		.range = { { base, end - base }, mb->memory_array, mb->reserved_array },
		.nr = 3,
	};
	struct new_array new_reserved, new_memory;
	int err;

	if (!mb->can_resize)
		return full(mb, type,
			    "call memblock_allow_resize() once all that is live is "
			    "reserved, or raise INIT_MEMBLOCK_REGIONS");
	if (!mb->memory.cnt)
		return full(mb, type,
			    "no memory is registered to hold a larger one; call memblock_add() "
			    "first, or raise INIT_MEMBLOCK_REGIONS");
	if (grow_reserved) {
		err = find_array(mb, reserved, type == reserved ? more : 0, &avoid, &new_reserved);
		if (err)
			return err;
		avoid.range[avoid.nr++] = new_reserved.at;
	}
	if (type != reserved) {
		err = find_array(mb, type, more, &avoid, &new_memory);
		if (err)
			return err;
	}
	/* Neither can fail from here: the places are free, and there is room to record them. */
	err = grow_reserved ? use_array(mb, reserved, &new_reserved) : 0;
	if (!err && type != reserved)
		err = use_array(mb, type, &new_memory);
	return err;
}

void memblock_allow_resize(struct memblock *mb)
{
	memblock_debug_setting(mb, "memblock_allow_resize", true, MEMBLOCK_CALLER);
	mb->can_resize = true;
}

static bool overlap(uint64_t a, uint64_t a_bytes, uint64_t b, uint64_t b_bytes)
{
	return a < b ? b - a < a_bytes : a - b < b_bytes;
}

/* Whether @new, which is mapped, covers (part of) an array that is in use, or @mb itself. */
static bool array_in_use(const struct memblock *mb, const struct new_array *new)
{
	const struct memblock_array *array[2] = { &mb->memory_array, &mb->reserved_array };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(array); i++) {
		if (overlap(new->at.base, new->at.size, array[i]->base, array[i]->size))
			return true;
	}
	return overlap((uintptr_t) new->regions, new->at.size, (uintptr_t)mb, sizeof(*mb));
}

int memblock_place_array(struct memblock *mb, struct memblock_type *type, phys_addr_t base,
			 unsigned long max)
{
	struct new_array new = { .max = max };
	struct memblock_array old;
	unsigned long room;

	memblock_debug_setting(mb, "memblock_place_array", max, MEMBLOCK_CALLER);
	if (!type_is_of(mb, type) || base % _Alignof(struct memblock_region) || !max ||
	    max < type->cnt || max > (PHYS_ADDR_MAX - base) / sizeof(struct memblock_region))
		return -EMM_EINVAL;
	new.at.base = base;
	new.at.size = max * sizeof(struct memblock_region);
	new.regions = mb->map ? phys_to_virt(mb->map, base, new.at.size) : NULL;
	if (!new.regions)
		return -EMM_EFAULT;
	if (array_in_use(mb, &new))
		return -EMM_EOVERLAP;
	room = (type == &mb->reserved ? max : mb->reserved.max) - mb->reserved.cnt;
	if (array_of(mb, type)->size && !room)
		return full(mb, &mb->reserved, "no entry left to free an old array with");
	old = switch_array(mb, type, &new);
	return free_array(mb, &old);
}
