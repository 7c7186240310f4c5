/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * earlymm's page allocator as a struct page_allocator: alloc_pages() with zones and watermarks, in
 * the arena or live. The arena is all the memory of a map of its own.
 */
#include <earlymm/error.h>
#include <earlymm/page_owner.h>
#include "page_allocator.h"

/* Where the metadata is in the map's eyes: beyond every address of memory. */
#define META_PA ((phys_addr_t)1 << 62)

/* Of what is recorded: beside the bits; of a page's owner; and beside the owners. */
#define BITS_MORE   1024
#define OWNER_BYTES 16
#define OWNERS_MORE 13312

struct arena_api {
	struct page_alloc pages;
	struct memblock mb;
	struct phys_map map;
	const struct phys_map *pages_map;
	uint8_t *meta;
	uint64_t meta_bytes;
};

/* ---- what is timed ---- */

static int64_t adapter_alloc(void *self, unsigned int order)
{
	return alloc_pages(self, GFP_KERNEL, order);
}

static int64_t adapter_alloc_movable(void *self, unsigned int order)
{
	return alloc_pages(self, GFP_KERNEL | __GFP_MOVABLE, order);
}

static int64_t adapter_alloc_gfp(void *self, gfp_t gfp, unsigned int order)
{
	return alloc_pages(self, gfp, order);
}

static int64_t adapter_alloc_bulk(void *self, uint64_t nr, uint64_t *pfns)
{
	return alloc_pages_bulk(self, GFP_KERNEL, nr, pfns);
}

static int adapter_free_bulk(void *self, uint64_t nr, const uint64_t *pfns)
{
	return free_pages_bulk(self, nr, pfns, NULL);
}

static void adapter_drain_own(void *self)
{
	page_hart_drain(self);
}

static int adapter_free(void *self, uint64_t pfn, unsigned int order)
{
	return free_pages(self, pfn, order);
}

/* ---- what is not ---- */

/* Whatever zone it is in, and below all watermarks. */
static int64_t adapter_alloc_all(void *self, unsigned int order)
{
	return alloc_pages(self, GFP_HIGHUSER_MOVABLE | __GFP_MEMALLOC, order);
}

static void adapter_drain(struct page_allocator *pa)
{
	const struct page_hart *self = pa->self;

	for (uint32_t i = 0; i < self->pa->nr_harts; i++)
		page_hart_drain(&self->pa->harts[i]);
}

static void *adapter_self_of(const struct page_allocator *pa, uint32_t hart)
{
	const struct page_hart *self = pa->self;

	return &self->pa->harts[hart];
}

static uint64_t adapter_nr_free(const struct page_allocator *pa)
{
	const struct page_hart *h = pa->self;
	uint64_t nr_pages = page_quarantined(h->pa, NULL);

	for (uint32_t i = 0; i < h->pa->nr_zones; i++) {
		const struct mm *mm = &h->pa->zones[i].mm;

		if (mm->state != MM_HANDED_OVER)
			continue;
		nr_pages += buddy_nr_free(&mm->buddy);
		for (uint32_t k = 0; k < mm->buddy.nr_harts; k++)
			nr_pages += buddy_nr_held(&mm->buddy.harts[k]);
	}
	return nr_pages;
}

static uint64_t adapter_reserve(const struct page_allocator *pa)
{
	const struct page_hart *h = pa->self;
	uint64_t nr_pages = 0;

	for (uint32_t i = 0; i < h->pa->nr_zones; i++)
		nr_pages += h->pa->zones[i].wmark[WMARK_MIN] +
			    h->pa->zones[i].lowmem_reserve[ZONE_NORMAL];
	return nr_pages;
}

static void use(struct page_allocator *pa, struct page_hart *h)
{
	pa->alloc = adapter_alloc;
	pa->free = adapter_free;
	pa->self = h;
	pa->self_of = adapter_self_of;
	pa->nr_harts = h->pa->nr_harts;
	pa->max_order = BUDDY_MAX_ORDER;
	pa->alloc_all = adapter_alloc_all;
	pa->alloc_movable = adapter_alloc_movable;
	pa->alloc_gfp = adapter_alloc_gfp;
	pa->drain_own = adapter_drain_own;
	pa->alloc_bulk = adapter_alloc_bulk;
	pa->free_bulk = adapter_free_bulk;
}

/* ---- in the arena ---- */

static void *reach(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	const struct arena_api *a = ctx;

	if (pa < META_PA)
		return a->pages_map ? phys_to_virt(a->pages_map, pa, bytes) : NULL;
	if (pa - META_PA > a->meta_bytes || bytes > a->meta_bytes - (pa - META_PA))
		return NULL;
	return a->meta + (pa - META_PA);
}

/* Of each hart: its contexts, its books in the zone, its way in. */
#define HART_BYTES                                                              \
	(MIGRATE_TYPES * sizeof(struct buddy_hart) + sizeof(struct zone_hart) + \
	 sizeof(struct page_hart))

/* What page_alloc_plan() will say of a zone with one hart; set-up fails if it says more. */
static uint64_t zone_bytes(uint64_t start_pfn, uint64_t end_pfn)
{
	return MIGRATE_TYPES * sizeof(struct buddy_hart) + sizeof(struct buddy_tree) +
	       buddy_tree_bytes(start_pfn, end_pfn) + sizeof(struct zone_hart);
}

/* An arena is aligned to its size, so that it lies on one side of the zones' border. */
static uint64_t adapter_meta_bytes(uint64_t start_pfn, uint64_t end_pfn)
{
	return zone_bytes(start_pfn, end_pfn) + sizeof(struct page_hart);
}

/* With a bit a page recorded, with the owner too: as much as that may be at the most. */
static uint64_t bit_meta_bytes(uint64_t start_pfn, uint64_t end_pfn)
{
	return adapter_meta_bytes(start_pfn, end_pfn) + (end_pfn - start_pfn) / 8 + BITS_MORE;
}

static uint64_t owner_meta_bytes(uint64_t start_pfn, uint64_t end_pfn)
{
	return bit_meta_bytes(start_pfn, end_pfn) + (end_pfn - start_pfn) * OWNER_BYTES +
	       OWNERS_MORE;
}

static int plan(struct arena_api *a, uint64_t start_pfn, uint64_t end_pfn,
		const struct page_allocator *pa)
{
	const struct page_alloc_config cfg = {
		.nr_harts = allocator_harts(pa),
		.features = pa->ops->features,
	};
	int ret;

	memblock_init(&a->mb, &a->map);
	ret = memblock_add_node(&a->mb, PFN_PHYS(start_pfn), PFN_PHYS(end_pfn - start_pfn), 0, 0);
	if (!ret)
		ret = page_alloc_plan(&a->pages, &a->mb, &cfg);
	if (!ret && (a->pages.nr_zones != 1 || a->pages.zones[0].mm.meta_bytes > a->meta_bytes))
		ret = -EMM_ENOSPC;
	return ret;
}

static int adapter_setup(struct page_allocator *pa, uint64_t start_pfn, uint64_t end_pfn,
			 void *meta, uint64_t meta_bytes)
{
	struct arena_api *a = pa->state;
	struct mm *mm = &a->pages.zones[0].mm;
	int ret;

	a->map = (struct phys_map){ .phys_to_virt = reach, .ctx = a };
	a->pages_map = pa->map;
	a->meta = meta;
	a->meta_bytes = meta_bytes;
	ret = plan(a, start_pfn, end_pfn, pa);
	if (!ret)
		ret = mm_set_metadata(mm, &a->mb, META_PA);
	if (!ret)
		ret = mm_init(mm, &a->mb);
	if (!ret)
		ret = memblock_free_all(mm, &a->mb);
	if (!ret)
		ret = page_alloc_init(&a->pages);
	if (!ret)
		use(pa, &a->pages.harts[0]);
	return ret;
}

static int unmovable_setup(struct page_allocator *pa, uint64_t start_pfn, uint64_t end_pfn,
			   void *meta, uint64_t meta_bytes)
{
	int ret = adapter_setup(pa, start_pfn, end_pfn, meta, meta_bytes);

	pa->alloc_movable = adapter_alloc;
	return ret;
}

/* What all have in common, live or not; and those in the arena. */
#define API_OPS                                                                   \
	.name = "api", .hot = BENCH_HOT, .core = "buddy", .drain = adapter_drain, \
	.nr_free = adapter_nr_free, .reserve = adapter_reserve
#define ARENA_OPS                                                                           \
	API_OPS, .state_bytes = sizeof(struct arena_api), .meta_bytes = adapter_meta_bytes, \
		 .hart_bytes = HART_BYTES

const struct page_allocator_ops bench_alloc_api = {
	ARENA_OPS,
	.setting = "default",
	.setup = adapter_setup,
};

const struct page_allocator_ops bench_alloc_api_unmovable = {
	ARENA_OPS,
	.setting = "unmovable",
	.on_request = true,
	.setup = unmovable_setup,
};

#define RECORDING_OPS \
	API_OPS, .on_request = true, .state_bytes = sizeof(struct arena_api), .setup = adapter_setup

const struct page_allocator_ops bench_alloc_api_compound = {
	RECORDING_OPS,
	.setting = "compound",
	.meta_bytes = bit_meta_bytes,
	.features = PAGE_ALLOC_COMPOUND,
};

const struct page_allocator_ops bench_alloc_api_owner = {
	RECORDING_OPS,
	.setting = "owner",
	.meta_bytes = owner_meta_bytes,
	.features = PAGE_ALLOC_OWNER,
};

const struct page_allocator_ops bench_alloc_api_poison = {
	RECORDING_OPS,
	.setting = "poison",
	.meta_bytes = bit_meta_bytes,
	.features = PAGE_ALLOC_POISON,
};

/* ---- live ---- */

static const struct page_allocator_ops live_ops = {
	API_OPS,
	.setting = "default",
};

void page_allocator_from_pages(struct page_allocator *pa, struct page_hart *h)
{
	*pa = (struct page_allocator){ .ops = &live_ops, .state = h->pa };
	use(pa, h);
}
