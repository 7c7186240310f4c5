/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who takes which memory: the enumeration of all claims, and their registration in memblock. A
 * byte that two claim stays with the first.
 */
#include "map.h"

#include <earlymm/error.h>

#include <inttypes.h>

struct enumeration {
	dt_claim_fn fn;
	void *ctx;
	uint32_t seq;
};

static int claim(struct enumeration *e, phys_addr_t base, phys_addr_t size,
		 enum memblock_cause cause, const char *name)
{
	struct dt_claim c = {
		.base = base,
		.size = size > PHYS_ADDR_MAX - base ? PHYS_ADDR_MAX - base : size,
		.cause = cause,
		.name = name,
		.seq = e->seq++,
	};

	return c.size ? e->fn(e->ctx, &c) : 0;
}

int dt_for_each_claim(struct dt_map *map, dt_claim_fn fn, void *ctx, struct dt_log *log)
{
	struct enumeration e = { .fn = fn, .ctx = ctx };
	const struct dt_info *info = map->info;
	uint64_t base, size;
	uint32_t i;
	int ret = 0;

	for (i = 0; !ret && i < map->nr_fixed; i++)
		ret = claim(&e, map->fixed[i].base, map->fixed[i].size, map->fixed[i].cause,
			    map->fixed[i].name);
	if (!ret)
		ret = claim(&e, map->fdt_pa, info->totalsize, CAUSE_FDT, "device tree");
	if (!ret)
		ret = claim(&e, info->initrd_base, info->initrd_size, CAUSE_INITRD, "initrd");
	for (i = 0; !ret && i < info->nr_memreserve; i++) {
		if (fdt_get_mem_rsv(map->fdt, (int)i, &base, &size))
			return -EMM_EBADTREE;
		if (size > PHYS_ADDR_MAX - base && base + size)
			dt_error(log, DT_CUT_MESSAGE, "/memreserve/", base);
		ret = claim(&e, base, size, CAUSE_MEMRESERVE, "/memreserve/");
	}
	if (!ret)
		ret = claim(&e, info->elfcorehdr_base, info->elfcorehdr_size, CAUSE_OTHER,
			    "elfcorehdr");
	if (!ret)
		ret = dt_for_each_reserved(map->fdt, info, fn, ctx, &e.seq, log);
	return ret;
}

bool dt_is_own_entry(const struct dt_claim *c, phys_addr_t base, phys_addr_t size)
{
	return c->cause == CAUSE_MEMRESERVE && PFN_DOWN(c->base) == PFN_DOWN(base) &&
	       PFN_UP(dt_claim_end(c)) == PFN_UP(base + size);
}

/* The overlaps with the lowest addresses, ascending. */
struct overlaps {
	struct dt_map *map;
	struct dt_claim lowest[DT_MAX_OVERLAP_LINES];
	uint32_t nr_lowest;
};

static void note_overlap(struct overlaps *o, const struct dt_claim *c)
{
	uint32_t i = o->nr_lowest;

	o->map->info->nr_overlaps++;
	if (i == DT_MAX_OVERLAP_LINES) {
		if (o->lowest[i - 1].base <= c->base)
			return;
		i--;
	} else {
		o->nr_lowest++;
	}
	for (; i && o->lowest[i - 1].base > c->base; i--)
		o->lowest[i] = o->lowest[i - 1];
	o->lowest[i] = *c;
}

bool dt_overlaps_nomap(const struct memblock *mb, phys_addr_t base, phys_addr_t end)
{
	const struct memblock_region *r = mb->memory.regions;
	unsigned long low = 0, high = mb->memory.cnt;

	while (low < high) {
		unsigned long mid = low + (high - low) / 2;

		if (r[mid].base + r[mid].size > base)
			high = mid;
		else
			low = mid + 1;
	}
	for (; low < mb->memory.cnt && r[low].base < end; low++) {
		if (r[low].flags & MEMBLOCK_NOMAP)
			return true;
	}
	return false;
}

/* Whether @c overlaps what is registered, unless it is the entry of what is in use itself. */
static bool overlaps_earlier(const struct dt_map *map, const struct dt_claim *c)
{
	const struct dt_info *info = map->info;
	uint32_t i;

	if (info->nr_nomap_ranges && dt_overlaps_nomap(map->mb, c->base, dt_claim_end(c)))
		return true;
	if (!memblock_is_region_reserved(map->mb, c->base, c->size))
		return false;
	if (dt_is_own_entry(c, map->fdt_pa, info->totalsize) ||
	    (info->initrd_size && dt_is_own_entry(c, info->initrd_base, info->initrd_size)))
		return false;
	for (i = 0; i < map->nr_fixed; i++) {
		if (dt_is_own_entry(c, map->fixed[i].base, map->fixed[i].size))
			return false;
	}
	return true;
}

/*
 * The first piece of [base, end), which is whole pages, that is in use by the image or the tree.
 * (Not by the initrd: one that collides is disabled.) Returns its user, or NULL: then *@at = end.
 */
static const char *first_use(const struct dt_map *map, phys_addr_t base, phys_addr_t end,
			     phys_addr_t *at, phys_addr_t *until)
{
	const char *user = NULL;
	uint32_t i;

	*at = *until = end;
	for (i = 0; i <= map->nr_fixed; i++) {
		bool tree = i == map->nr_fixed;
		phys_addr_t from = tree ? map->fdt_pa : map->fixed[i].base;
		phys_addr_t size = tree ? map->info->totalsize : map->fixed[i].size;
		phys_addr_t to = size > PHYS_ADDR_MAX - from ? PHYS_ADDR_MAX : from + size;

		if (!size)
			continue;
		from &= PAGE_MASK;
		to = PFN_UP(to) > PFN_DOWN(PHYS_ADDR_MAX) ? PHYS_ADDR_MAX : PFN_PHYS(PFN_UP(to));
		from = from > base ? from : base;
		to = to < end ? to : end;
		if (from < to && from < *at) {
			*at = from;
			*until = to;
			user = tree ? "device tree" : map->fixed[i].name;
		}
	}
	return user;
}

/* Pages in use stay reserved, whole, and mapped; the others of the range become no-map. */
static int register_nomap(struct overlaps *o, const struct dt_claim *c)
{
	struct dt_map *map = o->map;
	bool overlap = overlaps_earlier(map, c), refused = false;
	phys_addr_t base = c->base, end = dt_claim_end(c), at, until;
	char name[DT_NAME_SIZE];
	int ret = 0;

	while (!ret && base < end) {
		const char *user = first_use(map, base, end, &at, &until);

		if (user) {
			refused = true;
			dt_error(&map->log,
				 "dt: %s: no-map refused for " DT_RANGE
				 ", in use by %s: reserved\n",
				 dt_printable(c->name, name, sizeof(name)),
				 DT_RANGE_ARGS(at, until - at), user);
			ret = memblock_reserve_cause(map->mb, at, until - at,
						     CAUSE_RESERVED_MEMORY);
		}
		if (!ret && base < at)
			ret = memblock_mark_nomap(map->mb, base, at - base);
		base = until;
	}
	map->info->nr_nomap_refused += refused;
	if (overlap && !refused)
		note_overlap(o, c);
	return ret;
}

/* What is in use now, but not only: it must not become free when its user has done with it. */
static void note_fixed(const struct dt_map *map, const struct dt_claim *c)
{
	for (uint32_t i = 0; c->seq >= map->nr_fixed && i < map->nr_fixed && i < 32; i++) {
		phys_addr_t base = map->fixed[i].base, size = map->fixed[i].size;

		/* By pages: a claim of some bytes keeps the page. */
		if (PFN_DOWN(c->base) < PFN_UP(base + size) &&
		    PFN_DOWN(base) < PFN_UP(dt_claim_end(c)) && !dt_is_own_entry(c, base, size))
			map->info->fixed_claimed |= 1U << i;
	}
}

static int register_claim(void *ctx, const struct dt_claim *c)
{
	struct overlaps *o = ctx;
	struct dt_map *map = o->map;

	note_fixed(map, c);
	if (c->cause == CAUSE_NOMAP)
		return register_nomap(o, c);
	if (c->seq < map->nr_fixed) {
		if (!memblock_is_region_memory(map->mb, c->base, c->size))
			dt_error(&map->log,
				 "dt: %s " DT_RANGE " is not in the memory that the tree has\n",
				 c->name, DT_RANGE_ARGS(c->base, c->size));
	} else if (overlaps_earlier(map, c)) {
		note_overlap(o, c);
	}
	return memblock_reserve_cause(map->mb, c->base, c->size, c->cause);
}

struct partner {
	const struct dt_claim *of;
	struct dt_claim found;
};

static int find_partner(void *ctx, const struct dt_claim *c)
{
	struct partner *p = ctx;

	if (c->seq >= p->of->seq)
		return 2;
	if (!dt_intersect(c->base, c->size, p->of->base, p->of->size))
		return 0;
	p->found = *c;
	return 1;
}

static void report_overlaps(struct overlaps *o)
{
	struct dt_map *map = o->map;
	char name[DT_NAME_SIZE], other[DT_NAME_SIZE];
	uint32_t i;

	for (i = 0; i < o->nr_lowest; i++) {
		const struct dt_claim *c = &o->lowest[i];
		struct partner p = { .of = c };

		if (dt_for_each_claim(map, find_partner, &p, NULL) != 1)
			continue;
		dt_note(&map->log, "dt: %s " DT_RANGE " overlaps %s " DT_RANGE "\n",
			dt_printable(c->name, name, sizeof(name)), DT_RANGE_ARGS(c->base, c->size),
			dt_printable(p.found.name, other, sizeof(other)),
			DT_RANGE_ARGS(p.found.base, p.found.size));
	}
	if (map->info->nr_overlaps > o->nr_lowest)
		dt_note(&map->log, "dt: %" PRIu32 " more overlaps\n",
			map->info->nr_overlaps - o->nr_lowest);
}

int dt_register_claims(struct dt_map *map)
{
	struct overlaps o = { .map = map };
	int ret;

	ret = dt_for_each_claim(map, register_claim, &o, &map->log);
	if (!ret)
		report_overlaps(&o);
	return ret;
}
