/* SPDX-License-Identifier: BSD-2-Clause */
/* dt_to_memblock(): the order in which the tree becomes the memory map. */
#include "map.h"

#include <earlymm/error.h>

#include <inttypes.h>
#include <string.h>

/* A seed is secret and of use once. This program has no use for it. */
static void wipe_seeds(struct dt_info *info, void *fdt)
{
	char *blob = fdt;
	uint32_t i;

	for (i = 0; i < ARRAY_SIZE(info->seeds); i++) {
		memset(blob + info->seeds[i].offset, 0, info->seeds[i].len);
		info->nr_seed_bytes += info->seeds[i].len;
		info->seeds[i].len = 0;
	}
}

static int add_bank(void *ctx, const struct dt_bank *bank)
{
	return memblock_add_node(ctx, bank->base, bank->size, bank->nid, bank->flags);
}

/* Says why there is no map, puts @mb back to what it was, and returns @ret. */
static int give_up(const struct dt_map *map, int ret)
{
	const struct dt_info *info = map->info;
	struct memblock *mb = map->mb;
	const struct printer *debug = mb->debug, *warn = mb->warn;
	bool bottom_up = mb->bottom_up, movable_node = mb->movable_node;
	bool can_resize = mb->can_resize;
	phys_addr_t limit = mb->current_limit;

	print_to(map->log.out, "dt: no memory map: %s\n", emm_strerror(ret));
	if (ret == -EMM_ENOSPC)
		print_to(map->log.out,
			 "dt: %" PRIu32 " banks and %" PRIu32
			 " reservations do not fit in %lu and %lu entries%s\n",
			 info->nr_banks, info->nr_memreserve + info->nr_static_ranges,
			 mb->memory.max, mb->reserved.max,
			 map->no_room ? ", and there is no room for larger arrays: try a larger "
					"INIT_MEMBLOCK_REGIONS"
				      : "");
	memblock_init(mb, mb->map);
	mb->debug = debug;
	mb->warn = warn;
	mb->bottom_up = bottom_up;
	mb->movable_node = movable_node;
	mb->can_resize = can_resize;
	mb->current_limit = limit;
	return ret;
}

static int build(struct dt_map *map)
{
	int ret;

	ret = dt_place_arrays(map);
	if (!ret)
		ret = dt_for_each_bank(map->fdt, map->info, add_bank, map->mb, &map->log);
	if (!ret && !map->mb->memory.cnt) {
		print_to(map->log.out,
			 "dt: the tree has no memory: %" PRIu32 " enabled nodes with device_type "
			 "\"memory\", %" PRIu32 " ranges, none of use\n",
			 map->info->nr_memory_nodes, map->info->nr_banks);
		ret = -EMM_ENOENT;
	}
	if (ret)
		return ret;
	dt_check_initrd(map);
	return dt_register_claims(map);
}

int dt_to_memblock(struct dt_info *info, void *fdt, phys_addr_t fdt_pa,
		   const struct dt_fixed *fixed, unsigned int nr_fixed, struct memblock *mb,
		   const struct printer *out)
{
	struct dt_map map = {
		.info = info,
		.fdt = fdt,
		.fdt_pa = fdt_pa,
		.fixed = fixed,
		.nr_fixed = nr_fixed,
		.mb = mb,
		.log = { .out = out },
	};
	int ret;

	if (!info || !fdt || !mb || (nr_fixed && !fixed))
		return -EMM_EINVAL;
	if (mb->memory.cnt || mb->reserved.cnt)
		return -EMM_ESTATE;
	info->nr_overlaps = info->nr_nomap_refused = info->fixed_claimed = 0;
	wipe_seeds(info, fdt);
	ret = build(&map);
	info->nr_banks_skipped = map.log.banks_skipped;
	info->nr_dynamic_bad = map.log.dynamic_bad;
	info->nr_errors += map.log.errors;
	dt_log_end(&map.log);
	return ret ? give_up(&map, ret) : 0;
}
