/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The initrd: used only where it lies in mapped memory and shares it with nothing.
 * Linux: reserve_initrd_mem.
 */
#include "map.h"

#include <earlymm/error.h>

#include <inttypes.h>

struct collision {
	const struct dt_info *info;
	struct dt_claim with;
};

static int collide(void *ctx, const struct dt_claim *c)
{
	struct collision *hit = ctx;
	phys_addr_t base = hit->info->initrd_base, size = hit->info->initrd_size;

	if (c->cause == CAUSE_INITRD || dt_is_own_entry(c, base, size) ||
	    !dt_intersect(c->base, c->size, base, size))
		return 0;
	hit->with = *c;
	return 1;
}

void dt_check_initrd(struct dt_map *map)
{
	struct dt_info *info = map->info;
	phys_addr_t base = info->initrd_base, size = info->initrd_size;
	struct collision hit = { .info = info };
	char name[DT_NAME_SIZE];

	if (!size)
		return;
	if (!memblock_is_region_memory(map->mb, base, size)) {
		dt_error(&map->log, "dt: initrd " DT_RANGE " disabled: not in memory\n",
			 DT_RANGE_ARGS(base, size));
		info->initrd_size = 0;
	} else if (dt_for_each_claim(map, collide, &hit, NULL) > 0) {
		dt_error(&map->log,
			 "dt: initrd " DT_RANGE " disabled: overlaps %s%s " DT_RANGE "\n",
			 DT_RANGE_ARGS(base, size), hit.with.cause == CAUSE_NOMAP ? "no-map " : "",
			 dt_printable(hit.with.name, name, sizeof(name)),
			 DT_RANGE_ARGS(hit.with.base, hit.with.size));
		info->initrd_size = 0;
	}
}

/* What /memreserve/ has of [base, end) stays reserved when the initrd does not keep it. */
static int reserve_rest(struct memblock *mb, const void *fdt, const struct dt_info *info,
			phys_addr_t base, phys_addr_t end)
{
	uint64_t from, size;
	uint32_t i;
	int ret = 0;

	for (i = 0; !ret && i < info->nr_memreserve; i++) {
		phys_addr_t to;

		if (fdt_get_mem_rsv(fdt, (int)i, &from, &size))
			return -EMM_EBADTREE;
		to = size > PHYS_ADDR_MAX - from ? PHYS_ADDR_MAX : from + size;
		from = from > base ? from : base;
		to = to < end ? to : end;
		if (from < to)
			ret = memblock_reserve_cause(mb, from, to - from, CAUSE_MEMRESERVE);
	}
	return ret;
}

/* Its reservation may have been cut down, or away, with the memory. */
static int free_initrd(struct memblock *mb, const void *fdt, const struct dt_info *info)
{
	phys_addr_t base = info->initrd_base, size = info->initrd_size;
	unsigned long i = 0;
	int ret = 0;

	while (!ret && i < mb->reserved.cnt) {
		struct memblock_region r = mb->reserved.regions[i];

		if (MEMBLOCK_CAUSE(r.flags) != CAUSE_INITRD ||
		    !dt_intersect(r.base, r.size, base, size)) {
			i++;
			continue;
		}
		ret = memblock_free(mb, r.base, r.size);
		if (!ret)
			ret = reserve_rest(mb, fdt, info, r.base, r.base + r.size);
	}
	return ret;
}

int dt_recheck_initrd(struct dt_info *info, const void *fdt, struct memblock *mb,
		      const struct printer *out)
{
	phys_addr_t base, size;
	bool memory;
	int ret;

	if (!info || !fdt || !mb)
		return -EMM_EINVAL;
	base = info->initrd_base;
	size = info->initrd_size;
	if (!size)
		return 0;
	memory = memblock_is_region_memory(mb, base, size);
	if (memory && !dt_overlaps_nomap(mb, base, base + size))
		return 0;
	ret = free_initrd(mb, fdt, info);
	if (ret)
		return ret;
	info->initrd_size = 0;
	info->nr_errors++;
	print_to(out, "dt: initrd " DT_RANGE " disabled: not in the memory that is left\n",
		 DT_RANGE_ARGS(base, size));
	return 0;
}
