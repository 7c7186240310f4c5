/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A zone's way to memory: its memmap placed and written, reserved pages marked, what the memmap has
 * for holes given back, then every free range of memblock added in the largest blocks that fit.
 */
#include "bitops.h"
#include "list_buddy_zone.h"

/* A hart keeps at most so many batches: as Linux had it up to 5.13, before it looked at watermarks. */
#define HIGH_BATCHES 6

#define MAX_END_PFN  PFN_DOWN(PHYS_ADDR_MAX)

/* Frames [start, end). */
struct frames {
	uint64_t start;
	uint64_t end;
};

static uint64_t block_pages(const struct list_zone *z)
{
	return (uint64_t)1 << z->max_order;
}

static uint64_t round_down_to(uint64_t pfn, uint64_t block)
{
	return pfn & ~(block - 1);
}

static uint64_t round_up_to(uint64_t pfn, uint64_t block)
{
	return round_down_to(pfn + block - 1, block);
}

/* False if nothing of @f is in the zone's span. */
static bool clip_to_zone(const struct list_zone *z, struct frames *f)
{
	if (f->start < z->start_pfn)
		f->start = z->start_pfn;
	if (f->end > zone_end_pfn(z))
		f->end = zone_end_pfn(z);
	return f->start < f->end;
}

/* The zone's memory, entry by entry, no-map included. */
static bool next_memory(struct memblock_iter *it, const struct list_zone *z, struct frames *f,
			const struct memblock_region **region)
{
	while (memblock_next_mem_pfn_range(it, &f->start, &f->end, region))
		if (clip_to_zone(z, f))
			return true;
	return false;
}

/* ---- set-up ---- */

/* By the zone's size, as Linux's zone_batchsize() for pages of 4 KiB. */
static uint64_t zone_batchsize(uint64_t managed_pages)
{
	const uint64_t most = ((uint64_t)1 << 20) / PAGE_SIZE;
	uint64_t batch = managed_pages / 1024;

	if (batch > most)
		batch = most;
	batch /= 4;
	if (batch < 1)
		batch = 1;
	batch = ((uint64_t)1 << fls64(batch + batch / 2)) - 1;
	return batch ? batch : 1;
}

static void set_pcp_of_all(struct list_zone *z)
{
	uint64_t batch = zone_batchsize(z->managed_pages);

	for (uint32_t i = 0; i < z->nr_harts; i++)
		list_set_pcp(&z->harts[i], batch, HIGH_BATCHES * batch);
}

int list_set_pcp(struct list_hart *h, uint64_t batch, uint64_t high)
{
	if (!batch || high < batch)
		return -EMM_EINVAL;
	h->pcp.batch = batch;
	h->pcp.high = high;
	return 0;
}

static void init_hart(struct list_zone *z, struct list_hart *h)
{
	*h = (struct list_hart){ .zone = z };
	for (unsigned int i = 0; i < ARRAY_SIZE(h->pcp.lists); i++)
		list_init(&h->pcp.lists[i]);
}

int list_zone_init(struct list_zone *z, struct list_hart *harts, uint32_t nr_harts,
		   uint64_t start_pfn, uint64_t end_pfn, unsigned int max_order, int nid)
{
	if (!z || !harts || !nr_harts || start_pfn >= end_pfn || end_pfn > MAX_END_PFN ||
	    max_order > LIST_MAX_ORDER || nid < NUMA_NO_NODE)
		return -EMM_EINVAL;
	*z = (struct list_zone){
		.state = LIST_EMPTY,
		.nr_harts = nr_harts,
		.max_order = max_order,
		.nid = nid,
		.start_pfn = start_pfn,
		.spanned_pages = end_pfn - start_pfn,
		.harts = harts,
		.map_start_pfn = round_down_to(start_pfn, (uint64_t)1 << max_order),
		.map_end_pfn = round_up_to(end_pfn, (uint64_t)1 << max_order),
	};
	for (unsigned int i = 0; i <= LIST_MAX_ORDER; i++)
		list_init(&z->free_area[i].free_list);
	for (uint32_t i = 0; i < nr_harts; i++)
		init_hart(z, &harts[i]);
	set_pcp_of_all(z);
	return 0;
}

/* Words of the bitmap of blocks; a hole that is a whole block lies between two others. */
static uint64_t absent_words(uint64_t nr_blocks)
{
	return nr_blocks > 2 ? (nr_blocks + 63) / 64 : 0;
}

uint64_t list_memmap_bytes(uint64_t start_pfn, uint64_t end_pfn, unsigned int max_order)
{
	uint64_t block = (uint64_t)1 << max_order;
	uint64_t pages = round_up_to(end_pfn, block) - round_down_to(start_pfn, block);

	return pages * sizeof(struct page) + absent_words(pages >> max_order) * sizeof(uint64_t);
}

static uint64_t zone_memmap_bytes(const struct list_zone *z)
{
	return list_memmap_bytes(z->start_pfn, zone_end_pfn(z), z->max_order);
}

int list_set_memmap(struct list_zone *z, void *memmap, uint64_t bytes)
{
	uint64_t pages = z->map_end_pfn - z->map_start_pfn;
	uint64_t words = absent_words(pages >> z->max_order);

	if (z->state != LIST_EMPTY)
		return -EMM_ESTATE;
	if (!memmap || ((uintptr_t)memmap & 7))
		return -EMM_EINVAL;
	if (bytes < zone_memmap_bytes(z))
		return -EMM_ENOSPC;
	z->page0 = (uintptr_t)memmap - z->map_start_pfn * sizeof(struct page);
	if (words)
		z->absent = (uint64_t *)((struct page *)memmap + pages);
	for (uint64_t i = 0; i < words; i++)
		z->absent[i] = 0;
	for (uint32_t i = 0; i < z->nr_harts; i++) {
		z->harts[i].page0 = z->page0;
		z->harts[i].start_pfn = z->start_pfn;
		z->harts[i].fast_pages = z->spanned_pages;
	}
	z->state = LIST_PLACED;
	return 0;
}

int list_alloc_memmap(struct list_zone *z, struct memblock *mb)
{
	uint64_t bytes;
	phys_addr_t pa;
	void *memmap;
	int err;

	if (z->state != LIST_EMPTY)
		return -EMM_ESTATE;
	bytes = zone_memmap_bytes(z);
	err = memblock_phys_alloc(mb, bytes, 0, 0, MEMBLOCK_ALLOC_ACCESSIBLE, z->nid,
				  CAUSE_METADATA, &pa);
	if (err)
		return err;
	memmap = mb->map ? phys_to_virt(mb->map, pa, bytes) : NULL;
	if (!memmap) {
		memblock_free(mb, pa, bytes);
		return -EMM_EFAULT;
	}
	z->memmap_pa = pa;
	return list_set_memmap(z, memmap, bytes);
}

/* ---- the memmap ---- */

/* All of it at once: nothing depends on what the memory held. Linux: __init_single_page. */
static void memmap_init_range(struct list_zone *z, uint64_t start, uint64_t end, uint64_t flags)
{
	for (uint64_t pfn = start; pfn < end; pfn++) {
		struct page *page = pfn_to_page(z, pfn);

		page->flags = flags;
		list_init(&page->lru);
		page->mapping = NULL;
		page->index = 0;
		page->private = LIST_NO_ORDER;
		page->_mapcount = -1;
		init_page_count(page);
		page->memcg_data = 0;
	}
}

static void init_unavailable_range(struct list_zone *z, uint64_t start, uint64_t end)
{
	memmap_init_range(z, start, end, PG_reserved);
}

int list_memmap_init(struct list_zone *z, const struct memblock *mb)
{
	uint64_t hole = z->map_start_pfn;
	struct memblock_iter it;
	struct frames f;

	if (z->state != LIST_PLACED)
		return -EMM_ESTATE;
	z->present_pages = 0;
	if (mb) {
		memblock_iter_region_init(&it, &mb->memory, z->nid);
		while (next_memory(&it, z, &f, NULL)) {
			init_unavailable_range(z, hole, f.start);
			memmap_init_range(z, f.start, f.end, 0);
			z->present_pages += f.end - f.start;
			hole = f.end;
		}
	} else {
		init_unavailable_range(z, hole, z->start_pfn);
		memmap_init_range(z, z->start_pfn, zone_end_pfn(z), 0);
		z->present_pages = z->spanned_pages;
		hole = zone_end_pfn(z);
	}
	init_unavailable_range(z, hole, z->map_end_pfn);
	z->state = LIST_MAPPED;
	return 0;
}

bool list_pfn_valid(const struct list_zone *z, uint64_t pfn)
{
	uint64_t block = (pfn - z->map_start_pfn) >> z->max_order;

	return pfn >= z->map_start_pfn && pfn < z->map_end_pfn &&
	       !(z->absent && z->absent[block / 64] >> (block % 64) & 1);
}

int list_reserve_bootmem_region(struct list_zone *z, phys_addr_t start, phys_addr_t end)
{
	struct frames f = { PFN_DOWN(start), PFN_UP(end) };

	if (z->state != LIST_MAPPED && z->state != LIST_HANDED_OVER)
		return -EMM_ESTATE;
	if (start >= end || !clip_to_zone(z, &f))
		return 0;
	for (uint64_t pfn = f.start; pfn < f.end; pfn++)
		if (list_pfn_valid(z, pfn))
			pfn_to_page(z, pfn)->flags |= PG_reserved;
	return 0;
}

/* Reserved, no-map, or a driver's: not for the lists. */
static void memmap_init_reserved_pages(struct list_zone *z, const struct memblock *mb)
{
	const struct memblock_region *r;
	struct memblock_iter it;

	memblock_iter_region_init(&it, &mb->memory, NUMA_NO_NODE);
	while ((r = memblock_next_region(&it)) != NULL)
		if (r->flags & MEMBLOCK_NOT_FREE)
			list_reserve_bootmem_region(z, r->base, r->base + r->size);
	memblock_iter_region_init(&it, &mb->reserved, NUMA_NO_NODE);
	while ((r = memblock_next_region(&it)) != NULL)
		if (!(r->flags & MEMBLOCK_RSRV_NOINIT))
			list_reserve_bootmem_region(z, r->base, r->base + r->size);
}

/* ---- what the memmap has for holes ---- */

/* The struct pages of the blocks in [start, end), of which no page is memory. */
static int free_memmap(struct list_zone *z, struct memblock *mb, uint64_t start, uint64_t end)
{
	phys_addr_t base = z->memmap_pa, first, last;
	int err;

	first = PFN_UP(base + (start - z->map_start_pfn) * sizeof(struct page));
	last = PFN_DOWN(base + (end - z->map_start_pfn) * sizeof(struct page));
	if (first >= last)
		return 0;
	err = memblock_free(mb, PFN_PHYS(first), PFN_PHYS(last - first));
	if (err)
		return err;
	z->unused_pages += last - first;
	for (uint32_t i = 0; i < z->nr_harts; i++)
		z->harts[i].fast_pages = 0;
	for (uint64_t pfn = start; pfn < end; pfn += block_pages(z)) {
		uint64_t block = (pfn - z->map_start_pfn) >> z->max_order;

		z->absent[block / 64] |= (uint64_t)1 << (block % 64);
	}
	return 0;
}

int list_free_unused_memmap(struct list_zone *z, struct memblock *mb)
{
	uint64_t hole = z->map_start_pfn;
	struct memblock_iter it;
	struct frames f;

	if (z->state != LIST_MAPPED || !z->memmap_pa)
		return -EMM_ESTATE;
	if (!z->absent)
		return 0;
	memblock_iter_region_init(&it, &mb->memory, z->nid);
	while (next_memory(&it, z, &f, NULL)) {
		uint64_t start = round_down_to(f.start, block_pages(z));

		if (hole < start) {
			int err = free_memmap(z, mb, hole, start);

			if (err)
				return err;
		}
		hole = round_up_to(f.end, block_pages(z));
	}
	return hole < z->map_end_pfn ? free_memmap(z, mb, hole, z->map_end_pfn) : 0;
}

/* ---- the handover ---- */

static void __free_pages_core(struct list_zone *z, uint64_t pfn, unsigned int order)
{
	uint64_t nr_pages = (uint64_t)1 << order;
	struct page *page = pfn_to_page(z, pfn);

	for (uint64_t i = 0; i < nr_pages; i++) {
		page[i].flags &= ~(uint64_t)PG_reserved;
		set_page_count(&page[i], 0);
		page[i].private = 0;
	}
	z->managed_pages += nr_pages;
	list_free_to_zone(z, pfn, order);
}

static void __free_pages_memory(struct list_zone *z, uint64_t start, uint64_t end)
{
	while (start < end) {
		unsigned int order = start ? ffs64(start) : z->max_order;

		if (order > z->max_order)
			order = z->max_order;
		while (start + ((uint64_t)1 << order) > end)
			order--;
		__free_pages_core(z, start, order);
		start += (uint64_t)1 << order;
	}
}

static void free_low_memory_core_early(struct list_zone *z, const struct memblock *mb)
{
	struct memblock_iter it;
	phys_addr_t start, end;

	memmap_init_reserved_pages(z, mb);
	memblock_iter_free_init(&it, mb, z->nid, MEMBLOCK_HOTPLUG);
	while (memblock_next_free(&it, &start, &end)) {
		struct frames f = { PFN_UP(start), PFN_DOWN(end) };

		if (clip_to_zone(z, &f))
			__free_pages_memory(z, f.start, f.end);
	}
}

int list_memblock_free_all(struct list_zone *z, struct memblock *mb)
{
	struct queued_waiter self;
	int err;

	if (z->state != LIST_MAPPED)
		return -EMM_ESTATE;
	err = z->memmap_pa ? list_free_unused_memmap(z, mb) : 0;
	if (err)
		return err;
	zone_lock(z, &self);
	free_low_memory_core_early(z, mb);
	zone_unlock(z, &self);
	set_pcp_of_all(z);
	z->state = LIST_HANDED_OVER;
	return 0;
}

/* Has every page a struct page, and was none made free before? 0 or a negative EMM_E…. */
static int check_new_range(const struct list_zone *z, uint64_t start, uint64_t end)
{
	while (start < end) {
		uint64_t block_end = round_down_to(start, block_pages(z)) + block_pages(z);

		if (!list_pfn_valid(z, start))
			return -EMM_ERANGE;
		for (; start < end && start < block_end; start++)
			if (pfn_to_page(z, start)->private != LIST_NO_ORDER)
				return -EMM_EDOUBLE;
	}
	return 0;
}

int list_add_range(struct list_zone *z, uint64_t start_pfn, uint64_t end_pfn)
{
	struct queued_waiter self;
	int err;

	if (z->state != LIST_MAPPED && z->state != LIST_HANDED_OVER)
		return -EMM_ESTATE;
	if (start_pfn >= end_pfn)
		return -EMM_EINVAL;
	if (start_pfn < z->start_pfn || end_pfn > zone_end_pfn(z))
		return -EMM_ERANGE;
	err = check_new_range(z, start_pfn, end_pfn);
	if (err)
		return err;
	zone_lock(z, &self);
	__free_pages_memory(z, start_pfn, end_pfn);
	zone_unlock(z, &self);
	set_pcp_of_all(z);
	return 0;
}
