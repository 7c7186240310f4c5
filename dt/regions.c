/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dt_place_dynamic() and dt_list_static(): places for the dynamic children of /reserved-memory,
 * and the table of its regions for whoever uses them: CMA, drivers, the console.
 */
#include "map.h"

#include <earlymm/error.h>

#include <inttypes.h>

#define NR_DEFAULTS 2

/* Regions that are looked at for overlaps; of more, none may be lent. */
#define MAX_LOOKS 64

struct region_walk {
	struct dt_info *info;
	const void *fdt;
	const struct memblock *mb;
	struct memblock *places; /* the same, where there is something to be placed */
	struct dt_found last;
	bool has_hotplug; /* there is memory that had better stay free */
	const char *holders[NR_DEFAULTS]; /* names; NULL: nobody yet */
	struct dt_log log;
	/* of the child at hand */
	const struct dt_node *child;
	uint32_t flags;
	uint32_t nr_entries;
	uint32_t nr_looks; /* for overlaps of one region with the others */
};

/* ---- what a region is ---- */

static uint32_t child_flags(const struct dt_node *child)
{
	uint32_t flags = 0;

	if (dt_has(child, PROP_NO_MAP))
		flags |= DT_REGION_NOMAP;
	else if (dt_has(child, PROP_REUSABLE))
		flags |= DT_REGION_REUSABLE;
	if (dt_is_dma_pool(child))
		flags |= DT_REGION_DMA_POOL;
	return flags;
}

static bool is_cma(uint32_t flags)
{
	return (flags & DT_REGION_REUSABLE) && (flags & DT_REGION_DMA_POOL);
}

/* Of each kind of default pool there may be one; the first in the tree is it. */
static const struct {
	enum dt_prop prop;
	uint32_t flag;
	const char *name;
	const char *needs;
} defaults[NR_DEFAULTS] = {
	{ PROP_CMA_DEFAULT, DT_REGION_CMA_DEFAULT, "linux,cma-default", "CMA areas" },
	{ PROP_DMA_DEFAULT, DT_REGION_DMA_DEFAULT, "linux,dma-default",
	  "a shared-dma-pool that is not reusable" },
};

static uint32_t default_flags(struct region_walk *w, uint32_t flags)
{
	const bool fits[NR_DEFAULTS] = {
		flags & DT_REGION_CMA,
		(flags & DT_REGION_DMA_POOL) && !(flags & DT_REGION_REUSABLE),
	};
	char name[DT_NAME_SIZE], other[DT_NAME_SIZE];
	uint32_t added = 0, i;

	for (i = 0; i < NR_DEFAULTS; i++) {
		if (!dt_has(w->child, defaults[i].prop))
			continue;
		dt_printable(w->child->name, name, sizeof(name));
		if (!fits[i]) {
			dt_error(&w->log, "dt: %s: %s is only for %s: ignored\n", name,
				 defaults[i].name, defaults[i].needs);
		} else if (w->holders[i]) {
			dt_error(&w->log, "dt: %s: a second %s, ignored: %s has it\n", name,
				 defaults[i].name,
				 dt_printable(w->holders[i], other, sizeof(other)));
		} else {
			w->holders[i] = w->child->name;
			added |= defaults[i].flag;
		}
	}
	return added;
}

static int node_of(const struct memblock *mb, phys_addr_t base)
{
	const struct memblock_region *r = memblock_search(&mb->memory, base);

	return r ? r->nid : NUMA_NO_NODE;
}

static void list(struct region_walk *w, phys_addr_t base, phys_addr_t size, uint32_t flags)
{
	struct dt_info *info = w->info;

	if (info->nr_regions == info->max_regions) {
		info->nr_regions_dropped++;
		return;
	}
	info->regions[info->nr_regions++] = (struct dt_region){
		.name = w->child->name,
		.base = base,
		.size = size,
		.nid = node_of(w->mb, base),
		.flags = flags,
	};
}

/* ---- static regions ---- */

struct sharing {
	phys_addr_t base;
	phys_addr_t size;
	uint32_t nr;
};

static int count_sharing(void *ctx, const struct dt_claim *c)
{
	struct sharing *s = ctx;

	s->nr += dt_intersect(c->base, c->size, s->base, s->size);
	return 0;
}

/*
 * What keeps a region that is reserved from being lent, or NULL: somebody else's bytes in it. That
 * of other causes is in memblock; children of /reserved-memory have but one cause.
 */
static const char *lending_obstacle(struct region_walk *w, const struct dt_claim *c)
{
	const struct memblock_region *r = memblock_search(&w->mb->memory, c->base);
	struct sharing sharing = { .base = c->base, .size = c->size };
	uint32_t seq = 0;

	if (!r || (r->flags & MEMBLOCK_NOMAP) || r->base + r->size < dt_claim_end(c))
		return "it is not in one bank of mapped memory";
	r = memblock_search(&w->mb->reserved, c->base);
	if (!r || MEMBLOCK_CAUSE(r->flags) != CAUSE_RESERVED_MEMORY ||
	    r->base + r->size < dt_claim_end(c))
		return "part of it is reserved for something else";
	if (!w->info->nr_overlaps && !w->info->nr_nomap_refused)
		return NULL;
	/* Each look is a walk over all regions. */
	if (w->nr_looks++ >= MAX_LOOKS)
		return "there are too many to look for overlaps";
	if ((dt_for_each_reserved(w->fdt, w->info, count_sharing, &sharing, &seq, NULL) ||
	     sharing.nr != 1))
		return "it overlaps another region";
	return NULL;
}

static int static_entry(void *ctx, const struct dt_claim *c)
{
	struct region_walk *w = ctx;
	uint32_t flags = w->flags;
	const char *obstacle;
	char name[DT_NAME_SIZE];

	if (flags & DT_REGION_REUSABLE) {
		obstacle = lending_obstacle(w, c);
		if (obstacle)
			dt_error(&w->log,
				 "dt: %s: " DT_RANGE " is reserved, but cannot be lent: %s\n",
				 dt_printable(c->name, name, sizeof(name)),
				 DT_RANGE_ARGS(c->base, c->size), obstacle);
		else
			flags |= DT_REGION_LENDABLE;
		/* That a CMA area is not aligned has been said. */
		if (!obstacle && is_cma(flags) && !((c->base | c->size) & (DT_CMA_GRANULE - 1)))
			flags |= DT_REGION_CMA;
	}
	if (!w->nr_entries++)
		flags |= default_flags(w, flags);
	list(w, c->base, c->size, flags);
	return 0;
}

/* ---- dynamic regions ---- */

static bool has_hotplug(const struct memblock *mb)
{
	unsigned long i;

	for (i = 0; i < mb->memory.cnt; i++) {
		if (mb->memory.regions[i].flags & MEMBLOCK_HOTPLUG)
			return true;
	}
	return false;
}

/* Where memory cannot be taken away again, if there is room. */
static int find_place(struct region_walk *w, const struct dt_dynamic *d, phys_addr_t *base)
{
	bool movable_node = w->places->movable_node;
	int ret;

	w->places->movable_node = true;
	ret = dt_find_dynamic(w->places, &w->last, d, base);
	w->places->movable_node = movable_node;
	if (ret && w->has_hotplug)
		ret = dt_find_dynamic(w->places, &w->last, d, base);
	return ret;
}

static void place(struct region_walk *w, const struct dt_dynamic *d)
{
	uint32_t flags = w->flags | DT_REGION_DYNAMIC;
	phys_addr_t base = 0;
	char name[DT_NAME_SIZE];
	int ret = find_place(w, d, &base);

	dt_printable(w->child->name, name, sizeof(name));
	if (ret) {
		w->info->nr_dynamic_failed++;
		dt_report_no_room(d, name, &w->log);
		return;
	}
	if (d->nomap)
		ret = memblock_mark_nomap(w->places, base, d->size);
	else
		ret = memblock_reserve_cause(w->places, base, d->size, CAUSE_RESERVED_MEMORY);
	if (ret) {
		w->last = (struct dt_found){ 0 };
		w->info->nr_dynamic_failed++;
		dt_error(&w->log,
			 "dt: %s: not placed: 0x%" PRIx64 " bytes aligned to 0x%" PRIx64
			 " at 0x%" PRIx64 ": %s\n",
			 name, d->size, d->align, base, emm_strerror(ret));
		return;
	}
	w->info->nr_dynamic_placed++;
	if (flags & DT_REGION_REUSABLE)
		flags |= DT_REGION_LENDABLE;
	if (is_cma(flags))
		flags |= DT_REGION_CMA;
	flags |= default_flags(w, flags);
	list(w, base, d->size, flags);
}

/* ---- all of them ---- */

static void begin_child(struct region_walk *w, const struct dt_node *child)
{
	w->child = child;
	w->flags = child_flags(child);
	w->nr_entries = 0;
}

static int pool_or_dynamic(void *ctx, const struct dt_reserved_root *root,
			   const struct dt_node *child)
{
	struct region_walk *w = ctx;
	enum dt_child kind = dt_classify(child);
	struct dt_dynamic d;
	uint32_t seq = 0;

	begin_child(w, child);
	if (kind == CHILD_STATIC && dt_is_pool(child))
		return dt_for_each_entry(root, child, static_entry, w, &seq, NULL);
	if (kind == CHILD_DYNAMIC && !dt_read_dynamic(root, child, &d))
		place(w, &d);
	return 0;
}

static int other_static(void *ctx, const struct dt_reserved_root *root, const struct dt_node *child)
{
	struct region_walk *w = ctx;
	uint32_t seq = 0;

	if (dt_classify(child) != CHILD_STATIC || dt_is_pool(child))
		return 0;
	begin_child(w, child);
	return dt_for_each_entry(root, child, static_entry, w, &seq, NULL);
}

/* Once each: both passes add to what the table holds. */
static int run(struct region_walk *w, dt_child_fn fn, const struct printer *out)
{
	uint32_t before = w->info->nr_regions_dropped;
	int ret;

	w->log.out = out;
	ret = dt_for_each_child(w->fdt, w->info, fn, w, NULL);
	if (w->info->max_regions && w->info->nr_regions_dropped != before)
		dt_error(&w->log,
			 "dt: reserved-memory: %" PRIu32 " regions do not fit the table of %" PRIu32
			 ": they are reserved, but not listed\n",
			 w->info->nr_regions_dropped - before, w->info->max_regions);
	w->info->nr_errors += w->log.errors;
	dt_log_end(&w->log);
	return ret;
}

int dt_place_dynamic(struct dt_info *info, const void *fdt, struct memblock *mb,
		     struct dt_region *regions, unsigned int max_regions, const struct printer *out)
{
	if (!info || !fdt || !mb || (max_regions && !regions))
		return -EMM_EINVAL;
	if (!mb->memory.cnt || info->pools_listed)
		return -EMM_ESTATE;
	info->pools_listed = true;
	info->regions = regions;
	info->max_regions = max_regions;
	if (!info->nr_dynamic && !info->nr_pools)
		return 0;
	return run(&(struct region_walk){ .info = info,
					  .fdt = fdt,
					  .mb = mb,
					  .places = mb,
					  .has_hotplug = has_hotplug(mb) },
		   pool_or_dynamic, out);
}

int dt_list_static(struct dt_info *info, const void *fdt, const struct memblock *mb,
		   const struct printer *out)
{
	if (!info || !fdt || !mb)
		return -EMM_EINVAL;
	if (!info->pools_listed || info->static_listed)
		return -EMM_ESTATE;
	info->static_listed = true;
	return run(&(struct region_walk){ .info = info, .fdt = fdt, .mb = mb }, other_static, out);
}
