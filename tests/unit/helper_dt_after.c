/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_dt_after.h"

#include <earlymm/error.h>
#include <stdlib.h>
#include <string.h>

#define MAX_REGIONS 24
#define CUT_BASE    0x88000000
#define CUT_SIZE    ((phys_addr_t)1 << 30)

/* A map as it was; its arrays are copies. */
struct before {
	struct memblock mb;
	struct dt_region regions[MAX_REGIONS];
};

static struct before before;

static void *copy(const void *data, size_t bytes)
{
	void *to = malloc(bytes + 1);

	if (!to)
		abort();
	return memcpy(to, data, bytes);
}

static void take(const struct memblock *mb)
{
	memblock_init(&before.mb, NULL);
	before.mb.memory = mb->memory;
	before.mb.reserved = mb->reserved;
	before.mb.memory.regions =
		copy(mb->memory.regions, mb->memory.cnt * sizeof(*mb->memory.regions));
	before.mb.reserved.regions =
		copy(mb->reserved.regions, mb->reserved.cnt * sizeof(*mb->reserved.regions));
}

static void drop(void)
{
	free(before.mb.memory.regions);
	free(before.mb.reserved.regions);
}

/* No byte of it may be had. */
static bool is_taken(const struct memblock *mb, phys_addr_t base, phys_addr_t size)
{
	struct memblock_iter it;
	phys_addr_t start, end;

	memblock_iter_free_init(&it, mb, NUMA_NO_NODE, MEMBLOCK_HOTPLUG);
	while (memblock_next_free(&it, &start, &end)) {
		if (start < base + size && base < end)
			return false;
	}
	return true;
}

static bool overlap(const struct dt_region *a, const struct dt_region *b)
{
	return a->base < b->base + b->size && b->base < a->base + a->size;
}

/* A dynamic region lies where free memory was, clear of the others, and is kept from now on. */
static const char *badly_placed(const struct dt_info *info, const struct memblock *mb)
{
	if (info->nr_dynamic !=
	    info->nr_dynamic_bad + info->nr_dynamic_placed + info->nr_dynamic_failed)
		return "the counts of dynamic regions";
	if (info->nr_regions > MAX_REGIONS)
		return "more regions than fit";
	for (uint32_t i = 0; i < info->nr_regions; i++) {
		const struct dt_region *r = &before.regions[i];

		if (!(r->flags & DT_REGION_DYNAMIC))
			continue;
		if (r->base < PAGE_SIZE || !r->size)
			return "a region without size, or at 0";
		if (!memblock_is_region_memory(&before.mb, r->base, r->size) ||
		    memblock_is_region_reserved(&before.mb, r->base, r->size) ||
		    !memblock_is_map_memory(&before.mb, r->base) ||
		    !memblock_is_map_memory(&before.mb, r->base + r->size - 1))
			return "a region that was not free";
		if (!is_taken(mb, r->base, r->size))
			return "a region that is free";
		for (uint32_t j = 0; j < i; j++) {
			if ((before.regions[j].flags & DT_REGION_DYNAMIC) &&
			    overlap(r, &before.regions[j]))
				return "two regions that overlap";
		}
	}
	return NULL;
}

static const char *place(struct dt_info *info, const void *fdt, struct memblock *mb,
			 const struct printer *out)
{
	struct dt_distances distances;

	if (dt_place_dynamic(info, fdt, mb, before.regions, MAX_REGIONS, out))
		return "dt_place_dynamic()";
	if (!memblock_is_valid(mb))
		return "the map after dt_place_dynamic()";
	if (dt_list_static(info, fdt, mb, out))
		return "dt_list_static()";
	if (dt_read_distances(info, fdt, &distances, out) ||
	    dt_distance(&distances, 1, 1) != DT_LOCAL_DISTANCE)
		return "dt_read_distances()";
	return badly_placed(info, mb);
}

long dt_after(struct dt_info *info, const void *fdt, struct memblock *mb, bool cut,
	      const struct printer *out, const char **broken)
{
	*broken = NULL;
	/* Where the entry cannot be split, the map stays. */
	if (cut)
		memblock_remove(mb, CUT_BASE, CUT_SIZE);
	if (!mb->memory.cnt)
		return 0;
	if (dt_recheck_initrd(info, fdt, mb, out))
		*broken = "dt_recheck_initrd()";
	else if (info->initrd_size &&
		 !memblock_is_region_memory(mb, info->initrd_base, info->initrd_size))
		*broken = "an initrd outside memory";
	else if (!memblock_is_valid(mb))
		*broken = "the map after dt_recheck_initrd()";
	if (*broken)
		return -1;
	memblock_allow_resize(mb);
	take(mb);
	*broken = place(info, fdt, mb, out);
	drop();
	return *broken ? -1 : (long)info->nr_dynamic_placed;
}
