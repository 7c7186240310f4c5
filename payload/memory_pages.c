/* SPDX-License-Identifier: BSD-2-Clause */
/* From the memory map to the page allocator: its zones, what they are made of, and the first page. */
#include <string.h>

#include <earlymm/error.h>

#include "console.h"
#include "exit.h"
#include "harts.h"
#include "memory.h"

/* ---- areas that are lent ---- */

static void insert_area(struct pfn_range *areas, uint32_t nr, struct pfn_range area)
{
	for (; nr && areas[nr - 1].start > area.start; nr--)
		areas[nr] = areas[nr - 1];
	areas[nr] = area;
}

/* The first in the tree that may be, upwards. Returns how many. */
static uint32_t find_areas(const struct dt_info *info, struct pfn_range areas[PAGE_ALLOC_MAX_CMA])
{
	uint32_t nr = 0, nr_more = 0;

	for (uint32_t i = 0; i < info->nr_regions; i++) {
		const struct dt_region *r = &info->regions[i];

		if (!(r->flags & DT_REGION_LENDABLE))
			continue;
		if (nr == PAGE_ALLOC_MAX_CMA) {
			nr_more++;
			continue;
		}
		insert_area(areas, nr++,
			    (struct pfn_range){ PFN_UP(r->base), PFN_DOWN(r->base + r->size) });
	}
	if (nr_more)
		print("cma: %u areas are lent, %u more are not\n", nr, nr_more);
	return nr;
}

/* ---- nodes ---- */

static int distance(void *ctx, int from, int to)
{
	return dt_distance(ctx, from, to);
}

static bool has_nodes(const struct page_alloc *pa)
{
	for (uint32_t i = 0; i < pa->nr_zones; i++)
		if (pa->zones[i].nid)
			return true;
	return false;
}

/* The node that has memory and is nearest to @nid. */
static int nearest_node(const struct memory *m, int nid)
{
	const struct zone *best = &m->pages.zones[0];

	for (uint32_t i = 1; i < m->pages.nr_zones; i++) {
		const struct zone *z = &m->pages.zones[i];

		if (dt_distance(&m->distances, nid, z->nid) <
		    dt_distance(&m->distances, nid, best->nid))
			best = z;
	}
	return best->nid;
}

static void find_nodes(struct memory *m, struct dt_info *info, const void *fdt)
{
	m->boot_nid = 0;
	if (!has_nodes(&m->pages))
		return;
	if (dt_read_distances(info, fdt, &m->distances, &console))
		payload_fail("the distances of memory nodes cannot be read");
	if (info->boot_hart_nid != NUMA_NO_NODE)
		m->boot_nid = nearest_node(m, info->boot_hart_nid);
}

/* ---- the plan ---- */

static int place_zone(struct memory *m, struct mm *mm, int nid)
{
	phys_addr_t pa;
	int err = early_alloc(&m->early, mm->meta_bytes, 0, 0, PHYS_ADDR_MAX, nid, CAUSE_METADATA,
			      &pa);

	return err ? err : mm_set_metadata(mm, &m->mb, pa);
}

/* In one place for all zones, if there is one. */
static int place_together(struct memory *m)
{
	struct zone *z = m->pages.zones, *end = z + m->pages.nr_zones;
	uint64_t bytes = 0;
	phys_addr_t pa;
	int err;

	for (; z < end; z++)
		bytes += PFN_PHYS(PFN_UP(z->mm.meta_bytes));
	err = early_alloc(&m->early, bytes, 0, 0, PHYS_ADDR_MAX, NUMA_NO_NODE, CAUSE_METADATA, &pa);
	for (z = m->pages.zones; z < end && !err; z++) {
		err = mm_set_metadata(&z->mm, &m->mb, pa);
		pa += PFN_PHYS(PFN_UP(z->mm.meta_bytes));
	}
	return err;
}

/* On the zones' own nodes, where these have room. */
static void place_metadata(struct memory *m)
{
	const struct page_alloc *pa = &m->pages;
	const bool by_node = has_nodes(pa);
	uint64_t bytes = 0;
	char size[16];
	int err = by_node ? -EMM_ENOMEM : place_together(m);

	if (err == -EMM_ENOMEM) {
		err = 0;
		for (uint32_t i = 0; i < pa->nr_zones && !err; i++)
			err = place_zone(m, &m->pages.zones[i].mm,
					 by_node ? pa->zones[i].nid : NUMA_NO_NODE);
	}
	if (!err)
		return;
	for (uint32_t i = 0; i < pa->nr_zones; i++)
		bytes += pa->zones[i].mm.meta_bytes;
	payload_fail("no room for the page allocator's metadata (%s): %s; reserve less",
		     size_text(size, bytes), emm_strerror(err));
}

/* On the harts' own nodes, where these have room. One that gets none is left out later. */
static void place_harts(struct memory *m)
{
	const bool by_node = has_nodes(&m->pages);

	for (uint32_t i = 1; i < m->pages.nr_harts; i++) {
		int nid = by_node ? harts_plan_nid(i) : NUMA_NO_NODE;
		phys_addr_t pa;

		if (nid != NUMA_NO_NODE)
			nid = nearest_node(m, nid);
		if (!early_alloc(&m->early, HART_BYTES, 0, 0, PHYS_ADDR_MAX, nid, CAUSE_HARTS, &pa))
			harts_give(i, pa, nid == NUMA_NO_NODE ? 0 : nid);
	}
}

void memory_plan(struct memory *m, struct dt_info *info, const void *fdt,
		 const struct boot_options *opt)
{
	struct pfn_range areas[PAGE_ALLOC_MAX_CMA];
	const struct page_alloc_config cfg = {
		.nr_harts = info->nr_harts < 2 ? 1 : harts_plan(fdt, info, opt->harts),
		.features = opt->page_features,
		.highmem_pfn = PFN_DOWN(opt->highmem_start),
		.one_node = !opt->numa,
		.cma = areas,
		.nr_cma = opt->cma ? find_areas(info, areas) : 0,
		.distance = distance,
		.distance_ctx = &m->distances,
		.out = &console,
	};
	struct page_alloc *pa = &m->pages;
	int err = page_alloc_plan(pa, &m->mb, &cfg);

	if (err)
		payload_fail("no memory that may be mapped: %s", emm_strerror(err));
	if (pa->zones[0].type == ZONE_HIGHMEM)
		payload_fail("highmem=%#lx leaves no memory below it", opt->highmem_start);
	if (opt->numa && !pa->by_node)
		print("the tree has more nodes than there can be: they are not told apart\n");
	find_nodes(m, info, fdt);
	place_metadata(m);
	if (pa->nr_harts > 1)
		place_harts(m);
}

void memory_poison(struct memory *m)
{
	for (uint32_t i = 0; i < m->pages.nr_zones; i++) {
		const struct mm *mm = &m->pages.zones[i].mm;
		uint64_t *word = (uint64_t *)(uintptr_t)mm->meta_pa;
		uint64_t *end = word + mm->meta_bytes / sizeof(uint64_t);

		/* Bits set and clear, and pointers to nowhere. */
		for (uint64_t junk = 0x9e3779b97f4a7c15; word < end;
		     word++, junk += 0x9e3779b97f4a7c15)
			*word = junk;
	}
}

/* ---- the handover ---- */

void memory_handover(struct memory *m, struct phase_log *log, enum buddy_setting setting)
{
	struct page_alloc *pa = &m->pages;
	struct zone *z = pa->zones, *end = z + pa->nr_zones;
	int err = 0;

	phase_begin(log, PHASE_HANDOVER);
	for (; z < end && !err; z++) {
		err = mm_init(&z->mm, &m->mb);
		if (!err && z->type < ZONE_HIGHMEM)
			err = early_free_all(&m->early, &z->mm);
	}
	phase_end(log);
	if (err)
		payload_fail("handover: %s", emm_strerror(err));
	for (uint32_t i = 0; setting != BUDDY_DEFAULT && i < pa->nr_zones; i++)
		buddy_tune(&pa->zones[i].mm.buddy, setting);
}

void memory_start_zones(struct memory *m)
{
	struct page_alloc *pa = &m->pages;
	int err = page_alloc_init(pa);

	if (!err && m->boot_nid)
		err = page_alloc_set_node(pa, 0, m->boot_nid);
	if (err)
		payload_fail("the zones cannot be set up: %s", emm_strerror(err));
}

bool memory_has_highmem(const struct memory *m)
{
	for (uint32_t i = 0; i < m->pages.nr_zones; i++)
		if (m->pages.zones[i].type == ZONE_HIGHMEM)
			return true;
	return false;
}

void memory_free_high(struct memory *m)
{
	struct page_alloc *pa = &m->pages;
	int err = 0;

	/* By the early allocator, which may have bitmaps of its own. */
	for (uint32_t i = 0; i < pa->nr_zones && !err; i++)
		if (pa->zones[i].type == ZONE_HIGHMEM)
			err = early_free_all(&m->early, &pa->zones[i].mm);
	if (!err && free_highpages(pa, &m->mb) < 0)
		err = -EMM_ESTATE;
	if (err)
		payload_fail("high memory cannot be handed over: %s", emm_strerror(err));
}

void memory_end_early(struct memory *m)
{
	m->early_bytes = early_metadata_bytes(&m->early);
	strncpy(m->early_name, early_name(m->early.kind), sizeof(m->early_name) - 1);
	m->early_name[sizeof(m->early_name) - 1] = '\0';
}

void memory_try(struct memory *m)
{
	struct page_hart *hart = memory_hart(m);
	int64_t pfn = alloc_pages(hart, GFP_KERNEL, 0);

	if (pfn == -EMM_ENOMEM) /* there may be no more than the reserve */
		pfn = alloc_pages(hart, __GFP_MEMALLOC | __GFP_HIGHMEM, 0);
	if (pfn < 0)
		payload_fail("no page can be had after the handover: %s; everything is reserved",
			     emm_strerror((int)pfn));
	if (!memblock_is_map_memory(&m->mb, PFN_PHYS(pfn)) ||
	    memblock_is_reserved(&m->mb, PFN_PHYS(pfn)))
		payload_fail("the first page, pfn %#lx, is not free memory", pfn);
	if (free_pages(hart, (uint64_t)pfn, 0))
		payload_fail("the first page, pfn %#lx, cannot be freed", pfn);
	page_hart_drain(hart);
}
