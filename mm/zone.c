/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The zones of a machine: where they are in the memory map, the metadata of each, and what is set
 * up once the handover is over.
 */
#include "buddy_init.h"
#include "memblock_internal.h"
#include "page_record.h"

/* One piece of memory of one node and one zone, upwards. */
struct piece {
	uint64_t start_pfn;
	uint64_t end_pfn;
	enum zone_type type;
	int nid;
};

static enum zone_type type_of(const struct page_alloc_config *cfg, uint64_t pfn, uint64_t *end_pfn)
{
	uint64_t high = cfg->highmem_pfn ? cfg->highmem_pfn : UINT64_MAX;
	uint64_t end = pfn < DMA32_END_PFN ? DMA32_END_PFN : UINT64_MAX;

	if (pfn >= high) {
		*end_pfn = UINT64_MAX;
		return ZONE_HIGHMEM;
	}
	*end_pfn = end < high ? end : high;
	return pfn < DMA32_END_PFN ? ZONE_DMA32 : ZONE_NORMAL;
}

static void begin_zone(struct zone *z, const struct piece *p)
{
	z->type = z->within = p->type;
	z->nid = p->nid;
	z->present_pages = 0;
	z->harts = NULL;
	z->records = NULL;
	z->mm.start_pfn = p->start_pfn;
	z->mm.end_pfn = p->end_pfn;
}

/* Adds memory, upwards; false if there is no room for another zone. */
static bool add_piece(struct page_alloc *pa, const struct piece *p)
{
	struct zone *z = pa->nr_zones ? &pa->zones[pa->nr_zones - 1] : NULL;

	if (!z || z->type != p->type || z->nid != p->nid) {
		if (pa->nr_zones == PAGE_ALLOC_MAX_ZONES)
			return false;
		z = &pa->zones[pa->nr_zones++];
		begin_zone(z, p);
	}
	z->mm.end_pfn = p->end_pfn;
	z->present_pages += p->end_pfn - p->start_pfn;
	return true;
}

/* All memory, in entries of one kind: a page that two entries share belongs to neither. */
static bool find_zones(struct page_alloc *pa, const struct memblock *mb,
		       const struct page_alloc_config *cfg)
{
	pa->nr_zones = 0;
	for (unsigned long i = 0; i < mb->memory.cnt; i++) {
		const struct memblock_region *r = &mb->memory.regions[i];
		uint64_t end = PFN_DOWN(r->base + r->size);
		struct piece p = { .start_pfn = PFN_UP(r->base), .nid = r->nid };

		if (p.nid < 0 || !pa->by_node)
			p.nid = 0;
		if (p.nid >= PAGE_ALLOC_MAX_NODES)
			return false;
		for (; p.start_pfn < end; p.start_pfn = p.end_pfn) {
			p.type = type_of(cfg, p.start_pfn, &p.end_pfn);
			if (p.end_pfn > end)
				p.end_pfn = end;
			if (!add_piece(pa, &p))
				return false;
		}
	}
	return true;
}

static void refuse_cma(const struct page_alloc_config *cfg, const struct pfn_range *area,
		       const char *why)
{
	print_to(cfg->out, "cma: the area [%#llx-%#llx] is not lent: %s\n",
		 (unsigned long long)PFN_PHYS(area->start),
		 (unsigned long long)PFN_PHYS(area->end) - 1, why);
}

/* Is all of the area reserved for a region of the tree, and for nothing else? */
static bool is_kept_for_region(const struct memblock *mb, const struct pfn_range *area)
{
	phys_addr_t base = PFN_PHYS(area->start), end = PFN_PHYS(area->end);
	bool one_cause;

	return memblock_all_reserved(mb, base, end, &one_cause) && one_cause &&
	       MEMBLOCK_CAUSE(memblock_search(&mb->reserved, base)->flags) == CAUSE_RESERVED_MEMORY;
}

/* The entry of memory that holds the area as a whole, or NULL. */
static const struct memblock_region *bank_of(const struct memblock *mb,
					     const struct pfn_range *area)
{
	const struct memblock_region *r = memblock_search(&mb->memory, PFN_PHYS(area->start));

	if (!r || area->end > PFN_DOWN(region_end(r)) || (r->flags & MEMBLOCK_NOT_FREE))
		return NULL;
	return r;
}

/* Makes a zone of an area, behind all others. */
static void add_cma(struct page_alloc *pa, const struct memblock *mb,
		    const struct page_alloc_config *cfg, const struct pfn_range *area)
{
	const struct memblock_region *bank = bank_of(mb, area);
	struct piece p = { .start_pfn = area->start, .end_pfn = area->end, .type = ZONE_CMA };
	enum zone_type within;
	uint64_t border;
	struct zone *z;

	if (area->start >= area->end || !bank) {
		refuse_cma(cfg, area, "it is not within one bank of memory");
		return;
	}
	within = type_of(cfg, area->start, &border);
	if (area->end > border) {
		refuse_cma(cfg, area, "it crosses the border of a zone");
		return;
	}
	if (!is_kept_for_region(mb, area)) {
		refuse_cma(cfg, area, "something else is reserved in it, or part of it is not");
		return;
	}
	if (pa->nr_zones == PAGE_ALLOC_MAX_ZONES) {
		refuse_cma(cfg, area, "there are too many zones");
		return;
	}
	p.nid = pa->by_node && bank->nid > 0 ? bank->nid : 0;
	z = &pa->zones[pa->nr_zones++];
	begin_zone(z, &p);
	z->within = within;
	z->present_pages = area->end - area->start;
	pa->cma[pa->nr_cma++] = *area;
}

/* The metadata of a zone: a pair of contexts a hart, and its books; with the first, the harts. */
static int plan_zone(struct page_alloc *pa, uint32_t i, const struct memblock *mb)
{
	struct zone *z = &pa->zones[i];
	const bool is_cma = z->type == ZONE_CMA;
	const struct mm_request request = {
		.start_pfn = z->mm.start_pfn,
		.end_pfn = z->mm.end_pfn,
		.nr_harts = pa->nr_harts,
		.nr_contexts = MIGRATE_TYPES * pa->nr_harts,
		.extra_bytes = pa->nr_harts *
			       (sizeof(struct zone_hart) + (i ? 0 : sizeof(struct page_hart))),
		.holes = is_cma ? NULL : pa->cma,
		.nr_holes = is_cma ? 0 : pa->nr_cma,
	};
	int err = mm_plan_with(&z->mm, mb, &request);

	if (!err)
		page_records_plan(pa, z);
	return err;
}

/* Takes zones out that have no memory that may be handed out. */
static int plan_zones(struct page_alloc *pa, const struct memblock *mb)
{
	uint32_t nr = 0;

	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		int err;

		if (nr < i)
			pa->zones[nr] = pa->zones[i];
		err = plan_zone(pa, nr, mb);
		if (!err)
			nr++;
		else if (err != -EMM_ENOENT)
			return err;
	}
	pa->nr_zones = nr;
	return nr ? 0 : -EMM_ENOENT;
}

static bool is_good(const struct page_alloc_config *cfg)
{
	if (!cfg->nr_harts || cfg->nr_cma > PAGE_ALLOC_MAX_CMA ||
	    (cfg->features &
	     ~(uint32_t)(PAGE_ALLOC_COMPOUND | PAGE_ALLOC_OWNER | PAGE_ALLOC_POISON)))
		return false;
	for (uint32_t i = 1; i < cfg->nr_cma; i++)
		if (cfg->cma[i].start < cfg->cma[i - 1].end)
			return false;
	return true;
}

int page_alloc_plan(struct page_alloc *pa, const struct memblock *mb,
		    const struct page_alloc_config *cfg)
{
	if (!is_good(cfg))
		return -EMM_EINVAL;
	pa->nr_harts = cfg->nr_harts;
	pa->features = cfg->features;
	if (pa->features & PAGE_ALLOC_OWNER)
		pa->features |= PAGE_ALLOC_COMPOUND;
	pa->distance = cfg->distance;
	pa->distance_ctx = cfg->distance_ctx;
	pa->out = cfg->out;
	pa->map = mb->map;
	pa->nr_cma = 0;
	pa->nr_nodes = 0;
	pa->misuses = 0;
	pa->damaged_pages = 0;
	pa->owner_sums = NULL;
	pa->harts = NULL;
	pa->by_node = !cfg->one_node;
	if (!find_zones(pa, mb, cfg)) {
		pa->by_node = false;
		if (!find_zones(pa, mb, cfg))
			return -EMM_ENOSPC;
	}
	for (uint32_t i = 0; i < cfg->nr_cma; i++)
		add_cma(pa, mb, cfg, &cfg->cma[i]);
	return plan_zones(pa, mb);
}

int page_alloc_place(struct page_alloc *pa, struct memblock *mb)
{
	int err = 0;

	for (uint32_t i = 0; i < pa->nr_zones && !err; i++)
		err = mm_place_metadata(&pa->zones[i].mm, mb);
	for (uint32_t i = 0; i < pa->nr_zones && !err; i++)
		err = mm_init(&pa->zones[i].mm, mb);
	for (uint32_t i = 0; i < pa->nr_zones && !err; i++)
		if (pa->zones[i].type < ZONE_HIGHMEM)
			err = memblock_free_all(&pa->zones[i].mm, mb);
	return err;
}

/* ---- after the handover ---- */

/* All of an area: it is the map's reservation that lends it. */
static int hand_over_cma(struct zone *z)
{
	struct mm *mm = &z->mm;
	int err = buddy_add_range(mm->buddy.harts, mm->start_pfn, mm->end_pfn, 0, UINT64_MAX);

	if (err)
		return err;
	mm->managed_pages = mm->end_pfn - mm->start_pfn;
	mm->state = MM_HANDED_OVER;
	return 0;
}

/* Blocks may have come and gone before there were books. */
static void forget_use(struct buddy_hart *c)
{
	if (!c->is_ready)
		return;
	buddy_drain(c);
	for (unsigned int order = 0; order < BUDDY_NR_STACKS; order++)
		c->drained[order] = 0;
}

static int init_zone(struct page_alloc *pa, struct zone *z)
{
	struct mm *mm = &z->mm;
	struct zone_hart *zh;
	int err = 0;

	if (z->type == ZONE_CMA && mm->state == MM_READY)
		err = hand_over_cma(z);
	if (err)
		return err;
	if (mm->state != (z->type == ZONE_HIGHMEM ? MM_READY : MM_HANDED_OVER))
		return -EMM_ESTATE;
	zh = phys_to_virt(pa->map, mm->meta_pa + mm->meta_bytes - mm->extra_bytes, mm->extra_bytes);
	if (!zh)
		return -EMM_EFAULT;
	buddy_add_harts(&mm->buddy, mm->nr_contexts);
	z->harts = zh;
	/* Hart 0, which may have been in use, when it is known how many harts share a tree. */
	for (uint32_t i = pa->nr_harts; i-- > 0;) {
		zh[i] = (struct zone_hart){ .credit = 0 };
		buddy_pair(zone_context(z, i, MIGRATE_UNMOVABLE),
			   zone_context(z, i, MIGRATE_MOVABLE));
		forget_use(zone_context(z, i, MIGRATE_UNMOVABLE));
	}
	return 0;
}

int page_alloc_init(struct page_alloc *pa)
{
	uint64_t nr_pages = 0;

	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		int err = init_zone(pa, &pa->zones[i]);

		if (err)
			return err;
		nr_pages += pa->zones[i].type == ZONE_CMA ? 0 : pa->zones[i].present_pages;
	}
	pa->overcommit = mm_overcommit(PAGE_SHIFT, nr_pages);
	zone_setup_watermarks(pa);
	zone_setup_lists(pa);
	pa->harts = (struct page_hart *)(pa->zones[0].harts + pa->nr_harts);
	for (uint32_t id = 0; id < pa->nr_harts; id++)
		page_hart_init(pa, id);
	for (uint32_t i = 0; i < pa->nr_zones; i++)
		page_records_init(pa, &pa->zones[i]);
	return 0;
}

int64_t free_highpages(struct page_alloc *pa, const struct memblock *mb)
{
	int64_t nr_pages = 0;

	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		struct zone *z = &pa->zones[i];
		int err;

		if (z->type != ZONE_HIGHMEM)
			continue;
		err = z->mm.state == MM_READY ? memblock_free_all(&z->mm, mb) : 0;
		if (err)
			return err;
		if (pa->features & PAGE_ALLOC_POISON)
			page_poison_init(pa, z);
		nr_pages += (int64_t)z->mm.managed_pages;
	}
	zone_setup_watermarks(pa);
	for (uint32_t id = 0; id < pa->nr_harts; id++)
		page_hart_forget_best(&pa->harts[id]);
	return nr_pages;
}

enum overcommit_policy mm_overcommit(unsigned int page_shift, uint64_t nr_pages)
{
	return page_shift >= 14 && nr_pages <= 128 ? OVERCOMMIT_ALWAYS : OVERCOMMIT_GUESS;
}
