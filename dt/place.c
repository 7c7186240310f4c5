/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Larger arrays for memblock, before there is a map to allocate them from. A window over memory is
 * kept as a bitmap on the stack, a bit a granule: banks set what they cover, claims clear what they
 * touch, and whatever order the tree has, two passes over it tell what is free in the window.
 */
#include "map.h"

#include <earlymm/error.h>

#include <inttypes.h>

#define PLACE_BITS 8192U
/* Windows tried upward from one start: each costs a pass over the banks and one over the claims. */
#define PLACE_WINDOWS 8
/* Entries for what comes after the tree: metadata, early allocations, marks. */
#define SLACK_MEMORY   16
#define SLACK_RESERVED 32
/* Smallest array that is worth moving to. */
#define MIN_ENTRIES 512

struct window {
	struct dt_map *map;
	bool hotpluggable; /* such banks may be used */
	unsigned int shift; /* log2 of the granule's bytes */
	uint64_t first; /* the number of the granule that bit 0 stands for */
	phys_addr_t need; /* bytes looked for */
	phys_addr_t above; /* where the next window should start; PHYS_ADDR_MAX: no memory there */
	phys_addr_t lowest; /* of all banks */
	phys_addr_t highest;
	uint64_t bits[PLACE_BITS / 64];
};

/* Sets or clears the bits of granules [from, to) that are in the window. */
static void mark(struct window *w, uint64_t from, uint64_t to, bool set)
{
	uint64_t last = w->first + PLACE_BITS;

	from = from > w->first ? from : w->first;
	to = to < last ? to : last;
	while (from < to) {
		uint64_t bit = from - w->first, *word = &w->bits[bit / 64], mask;
		uint64_t n = 64 - bit % 64;

		n = n < to - from ? n : to - from;
		mask = (n == 64 ? ~0ULL : (1ULL << n) - 1) << bit % 64;
		*word = set ? *word | mask : *word & ~mask;
		from += n;
	}
}

static uint64_t granule_up(const struct window *w, phys_addr_t pa)
{
	return (pa >> w->shift) + ((pa & ((1ULL << w->shift) - 1)) != 0);
}

static phys_addr_t window_end(const struct window *w)
{
	uint64_t last = w->first + PLACE_BITS;

	return last > PHYS_ADDR_MAX >> w->shift ? PHYS_ADDR_MAX : last << w->shift;
}

static int mark_bank(void *ctx, const struct dt_bank *bank)
{
	struct window *w = ctx;
	phys_addr_t base = bank->base, end = bank->base + bank->size, from;

	if ((bank->flags & MEMBLOCK_HOTPLUG) && !w->hotpluggable)
		return 0;
	if (end > w->map->mb->current_limit)
		end = w->map->mb->current_limit;
	if (!base)
		base = PAGE_SIZE;
	if (base >= end)
		return 0;
	mark(w, granule_up(w, base), end >> w->shift, true);
	if (end > window_end(w)) {
		from = window_end(w) - w->need;
		from = from > base ? from : base;
		w->above = from < w->above ? from : w->above;
	}
	return 0;
}

static int clear_claim(void *ctx, const struct dt_claim *c)
{
	struct window *w = ctx;

	mark(w, c->base >> w->shift, granule_up(w, dt_claim_end(c)), false);
	return 0;
}

/* The lowest run of set bits that is long enough, as an address; 0: none. */
static phys_addr_t find_run(const struct window *w)
{
	uint64_t want = granule_up(w, w->need), run = 0;
	uint32_t i;

	for (i = 0; i < PLACE_BITS; i++) {
		if (!(i % 64) && !w->bits[i / 64]) {
			run = 0;
			i += 63;
			continue;
		}
		run = w->bits[i / 64] >> i % 64 & 1 ? run + 1 : 0;
		if (run == want)
			return (w->first + i + 1 - want) << w->shift;
	}
	return 0;
}

static phys_addr_t try_window(struct window *w, phys_addr_t start, unsigned int shift)
{
	uint32_t i;

	w->shift = shift;
	w->first = start >> shift;
	w->above = PHYS_ADDR_MAX;
	for (i = 0; i < ARRAY_SIZE(w->bits); i++)
		w->bits[i] = 0;
	if (dt_for_each_bank(w->map->fdt, w->map->info, mark_bank, w, NULL) ||
	    dt_for_each_claim(w->map, clear_claim, w, NULL))
		return 0;
	return find_run(w);
}

static phys_addr_t search_upward(struct window *w, phys_addr_t start, unsigned int shift)
{
	phys_addr_t found = 0;
	int i;

	for (i = 0; !found && i < PLACE_WINDOWS && start != PHYS_ADDR_MAX; i++) {
		found = try_window(w, start, shift);
		start = w->above;
	}
	return found;
}

static int measure_bank(void *ctx, const struct dt_bank *bank)
{
	struct window *w = ctx;
	phys_addr_t end = bank->base + bank->size;

	w->lowest = bank->base < w->lowest ? bank->base : w->lowest;
	w->highest = end > w->highest ? end : w->highest;
	return 0;
}

/*
 * Memory right above the image is there, whatever else the tree claims, and no firmware that the
 * tree forgot lives in it: look there first, then in all of memory by large granules, then from
 * its start by small ones. Hotpluggable memory is the last resort.
 */
static phys_addr_t search(struct dt_map *map, phys_addr_t need, phys_addr_t image_end)
{
	struct window w;
	unsigned int fine = PAGE_SHIFT, coarse = PAGE_SHIFT;
	phys_addr_t found = 0;
	int hot;

	w.map = map;
	w.need = need;
	w.lowest = PHYS_ADDR_MAX;
	w.highest = 0;
	if (dt_for_each_bank(map->fdt, map->info, measure_bank, &w, NULL) || !w.highest)
		return 0;
	while ((uint64_t)PLACE_BITS << fine < 4 * w.need)
		fine++;
	while ((w.highest >> coarse) - (w.lowest >> coarse) >= PLACE_BITS)
		coarse++;
	for (hot = 0; !found && hot <= (map->info->nr_hotpluggable != 0); hot++) {
		w.hotpluggable = hot;
		found = search_upward(&w, image_end, fine);
		if (!found)
			found = try_window(&w, w.lowest, coarse);
		if (!found)
			found = search_upward(&w, w.lowest, fine);
	}
	return found;
}

/* Entries of the array to move to for @need entries at most; 0: the one in use does. */
static uint64_t array_entries(const struct memblock_type *type, uint64_t need)
{
	uint64_t n = MIN_ENTRIES;

	if (need <= type->max)
		return 0;
	while (n < need)
		n *= 2;
	return n;
}

static phys_addr_t array_pages(uint64_t entries)
{
	return (entries * sizeof(struct memblock_region) + PAGE_SIZE - 1) & PAGE_MASK;
}

static int move_array(struct memblock *mb, struct memblock_type *type, phys_addr_t *base,
		      uint64_t entries)
{
	int ret;

	if (!entries)
		return 0;
	ret = memblock_place_array(mb, type, *base, entries);
	if (!ret)
		ret = memblock_reserve_cause(mb, *base, entries * sizeof(struct memblock_region),
					     CAUSE_MEMBLOCK);
	*base += array_pages(entries);
	return ret;
}

int dt_place_arrays(struct dt_map *map)
{
	const struct dt_info *info = map->info;
	uint64_t in_use = map->nr_fixed + 3ULL; /* and tree, initrd, elfcorehdr */
	uint64_t usable = info->has_usable ? DT_MAX_USABLE : 0, memory, reserved;
	phys_addr_t found, image_end = 0;
	uint32_t i;
	int ret;

	/* A range has two ends, and each end makes one entry more at most. */
	memory = 2 * (info->nr_banks + usable + info->nr_nomap_ranges + info->nr_dynamic_nomap +
		      (info->nr_nomap_ranges ? in_use : 0));
	/* no-map over what is in use reserves the rest of its pages. */
	reserved = 2ULL * (in_use * (info->nr_nomap_ranges ? 2 : 1) + info->nr_memreserve +
			   info->nr_static_ranges + 2) +
		   info->nr_dynamic;
	memory = array_entries(&map->mb->memory, memory + SLACK_MEMORY);
	reserved = array_entries(&map->mb->reserved, reserved + SLACK_RESERVED);
	if (!memory && !reserved)
		return 0;
	for (i = 0; i < map->nr_fixed; i++) {
		phys_addr_t end = map->fixed[i].base + map->fixed[i].size;

		image_end = end > image_end ? end : image_end;
	}
	found = search(map,
		       (memory ? array_pages(memory) : 0) + (reserved ? array_pages(reserved) : 0),
		       image_end);
	if (!found) {
		map->no_room = true;
		return 0;
	}
	ret = move_array(map->mb, &map->mb->memory, &found, memory);
	return ret ? ret : move_array(map->mb, &map->mb->reserved, &found, reserved);
}
