/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list buddy's way to memory: the memmap, reserved pages, the part of the memmap that holes do
 * not need, the handover. With 4 KiB pages 64 struct pages fill a page.
 */
#include "helper_list.h"

#include <stdlib.h>
#include <string.h>

#define PAGES_PER_MAP_PAGE (PAGE_SIZE / sizeof(struct page))

struct fixture {
	struct memblock mb;
	struct phys_map map;
	struct list_zone z;
	struct list_hart hart;
	void *memmap; /* what stands for the memory that memblock gave */
	phys_addr_t memmap_pa;
	uint64_t memmap_bytes;
	bool unreachable;
};

static void *to_memmap(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	struct fixture *f = ctx;

	if (f->unreachable)
		return NULL;
	assert_null(f->memmap);
	f->memmap_pa = pa;
	f->memmap_bytes = bytes;
	f->memmap = malloc(bytes);
	assert_non_null(f->memmap);
	memset(f->memmap, 0xa5, bytes);
	return f->memmap;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->map = (struct phys_map){ .phys_to_virt = to_memmap, .ctx = f };
	memblock_init(&f->mb, &f->map);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->memmap);
	free(f);
	return 0;
}

static void add(struct fixture *f, uint64_t start, uint64_t end, int nid)
{
	assert_int_equal(memblock_add_node(&f->mb, PFN_PHYS(start), PFN_PHYS(end - start), nid, 0),
			 0);
}

static void zone_init(struct fixture *f, uint64_t start, uint64_t end, unsigned int max_order,
		      int nid)
{
	assert_int_equal(list_zone_init(&f->z, &f->hart, 1, start, end, max_order, nid), 0);
}

/* From the map to the handover. */
static void hand_over(struct fixture *f, uint64_t start, uint64_t end, unsigned int max_order,
		      int nid)
{
	zone_init(f, start, end, max_order, nid);
	assert_int_equal(list_alloc_memmap(&f->z, &f->mb), 0);
	assert_int_equal(list_memmap_init(&f->z, &f->mb), 0);
	assert_int_equal(list_memblock_free_all(&f->z, &f->mb), 0);
	assert_true(list_is_valid(&f->z));
}

static uint64_t count_reserved(const struct fixture *f, uint64_t start, uint64_t end)
{
	uint64_t nr = 0;

	for (uint64_t pfn = start; pfn < end; pfn++)
		nr += PageReserved(pfn_to_page(&f->z, pfn));
	return nr;
}

/* ---- set-up ---- */

static void test_zone_init(void **state)
{
	struct fixture *f = *state;
	struct list_zone *z = &f->z;
	struct list_hart *h = &f->hart;

	assert_int_equal(list_zone_init(NULL, h, 1, 0, 1, 0, 0), -EMM_EINVAL);
	assert_int_equal(list_zone_init(z, NULL, 1, 0, 1, 0, 0), -EMM_EINVAL);
	assert_int_equal(list_zone_init(z, h, 0, 0, 1, 0, 0), -EMM_EINVAL);
	assert_int_equal(list_zone_init(z, h, 1, 7, 7, 0, 0), -EMM_EINVAL);
	assert_int_equal(list_zone_init(z, h, 1, 8, 7, 0, 0), -EMM_EINVAL);
	assert_int_equal(list_zone_init(z, h, 1, 0, PFN_DOWN(PHYS_ADDR_MAX) + 1, 0, 0),
			 -EMM_EINVAL);
	assert_int_equal(list_zone_init(z, h, 1, 0, UINT64_MAX, 0, 0), -EMM_EINVAL);
	assert_int_equal(list_zone_init(z, h, 1, 0, 1, LIST_MAX_ORDER + 1, 0), -EMM_EINVAL);
	assert_int_equal(list_zone_init(z, h, 1, 0, 1, 0, -2), -EMM_EINVAL);
	memset(z, 0xa5, sizeof(*z));
	memset(h, 0xa5, sizeof(*h));
	assert_int_equal(list_zone_init(z, h, 1, 3, PFN_DOWN(PHYS_ADDR_MAX), LIST_MAX_ORDER,
					NUMA_NO_NODE),
			 0);
	assert_int_equal(z->map_start_pfn, 0);
	assert_int_equal(z->map_end_pfn, 1ULL << (64 - PAGE_SHIFT));
	assert_int_equal(list_nr_free(z) + list_nr_held(h), 0);
	assert_false(list_is_valid(z)); /* nothing is known of any page */
}

static void test_states(void **state)
{
	struct fixture *f = *state;
	static uint64_t room[64 * 8];

	add(f, 0, 64, 0);
	zone_init(f, 0, 64, 3, NUMA_NO_NODE);
	assert_int_equal(list_memmap_init(&f->z, &f->mb), -EMM_ESTATE);
	assert_int_equal(list_memblock_free_all(&f->z, &f->mb), -EMM_ESTATE);
	assert_int_equal(list_add_range(&f->z, 0, 1), -EMM_ESTATE);
	assert_int_equal(list_reserve_bootmem_region(&f->z, 0, 1), -EMM_ESTATE);
	assert_int_equal(list_free_unused_memmap(&f->z, &f->mb), -EMM_ESTATE);
	assert_int_equal(list_set_memmap(&f->z, NULL, 4096), -EMM_EINVAL);
	assert_int_equal(list_set_memmap(&f->z, (char *)room + 4, 4100), -EMM_EINVAL);
	assert_int_equal(list_memmap_bytes(0, 64, 3), 64 * 64 + 8);
	assert_int_equal(list_set_memmap(&f->z, room, 64 * 64 + 7), -EMM_ENOSPC);
	assert_int_equal(list_alloc_memmap(&f->z, &f->mb), 0);
	assert_int_equal(list_alloc_memmap(&f->z, &f->mb), -EMM_ESTATE);
	assert_int_equal(list_set_memmap(&f->z, room, sizeof(room)), -EMM_ESTATE);
	assert_int_equal(list_memblock_free_all(&f->z, &f->mb), -EMM_ESTATE);
	assert_int_equal(list_memmap_init(&f->z, &f->mb), 0);
	assert_int_equal(list_memmap_init(&f->z, &f->mb), -EMM_ESTATE);
	assert_int_equal(list_memblock_free_all(&f->z, &f->mb), 0);
	assert_int_equal(list_memblock_free_all(&f->z, &f->mb), -EMM_ESTATE);
	assert_int_equal(list_free_unused_memmap(&f->z, &f->mb), -EMM_ESTATE);
	assert_int_equal(f->z.managed_pages, 64 - 2); /* 4096 + 8 bytes of memmap */
}

/* Whole blocks, and a bit for each if there are three or more. */
static void test_memmap_bytes(void **state)
{
	(void)state;
	assert_int_equal(list_memmap_bytes(0, 1 << 18, 18), 64ULL << 18);
	assert_int_equal(list_memmap_bytes(5, 6, 0), 64);
	assert_int_equal(list_memmap_bytes(5, 6, 10), 64 * 1024);
	assert_int_equal(list_memmap_bytes(1023, 1025, 10), 64 * 2048);
	assert_int_equal(list_memmap_bytes(1023, 2049, 10), 64 * 3072 + 8);
	assert_int_equal(list_memmap_bytes(0, 64 * 8, 3), 64 * 512 + 8);
	assert_int_equal(list_memmap_bytes(0, 65 * 8, 3), 64 * 520 + 16);
}

/* No room, or out of reach: an error, and memblock is as it was. */
static void test_no_memmap(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 64, 0);
	zone_init(f, 0, 64, 3, NUMA_NO_NODE);
	assert_int_equal(memblock_reserve(&f->mb, 0, PFN_PHYS(63)), 0);
	assert_int_equal(list_alloc_memmap(&f->z, &f->mb), -EMM_ENOMEM);
	assert_int_equal(memblock_free(&f->mb, 0, PFN_PHYS(63)), 0);
	f->unreachable = true;
	assert_int_equal(list_alloc_memmap(&f->z, &f->mb), -EMM_EFAULT);
	f->mb.map = NULL;
	assert_int_equal(list_alloc_memmap(&f->z, &f->mb), -EMM_EFAULT);
	assert_int_equal(memblock_reserved_size(&f->mb), 0);
	assert_int_equal(f->z.state, LIST_EMPTY);
}

/* ---- the memmap ---- */

/*
 *   0    5        20   24        37   40
 *   |----|mmmmmmmm|----|nnnnmmmmm|----|      m: memory, n: no-map
 *     zone: 2 ................ 35
 */
static void test_memmap_init(void **state)
{
	struct fixture *f = *state;

	add(f, 5, 20, 0);
	add(f, 24, 37, 0);
	assert_int_equal(memblock_mark_nomap(&f->mb, PFN_PHYS(24), PFN_PHYS(4)), 0);
	zone_init(f, 2, 35, 3, NUMA_NO_NODE);
	f->memmap = malloc(list_memmap_bytes(2, 35, 3));
	memset(f->memmap, 0xa5, list_memmap_bytes(2, 35, 3));
	assert_int_equal(list_set_memmap(&f->z, f->memmap, list_memmap_bytes(2, 35, 3)), 0);
	assert_int_equal(list_memmap_init(&f->z, &f->mb), 0);
	assert_int_equal(f->z.spanned_pages, 33);
	assert_int_equal(f->z.present_pages, 15 + 11);
	for (uint64_t pfn = 0; pfn < 40; pfn++) {
		const struct page *page = pfn_to_page(&f->z, pfn);
		bool memory = (pfn >= 5 && pfn < 20) || (pfn >= 24 && pfn < 35);

		assert_int_equal(page->flags, memory ? 0 : PG_reserved);
		assert_int_equal(page_count(page), 1);
		assert_int_equal(page->private, LIST_NO_ORDER);
		assert_int_equal(page->_mapcount, -1);
		assert_int_equal(page->index + page->memcg_data, 0);
		assert_null(page->mapping);
		assert_true(page->lru.next == &page->lru && page->lru.prev == &page->lru);
		assert_int_equal(list_free_pages(&f->hart, pfn, 0),
				 pfn < 2 || pfn >= 35 ? -EMM_ERANGE : -EMM_EINVAL);
	}
	assert_true(list_is_valid(&f->z));
	/* Without memmap_pa there is nothing to give back. */
	assert_int_equal(list_free_unused_memmap(&f->z, &f->mb), -EMM_ESTATE);
	assert_int_equal(list_memblock_free_all(&f->z, &f->mb), 0);
	assert_int_equal(f->z.managed_pages, 15 + 7);
	assert_int_equal(count_reserved(f, 24, 28), 4);
	assert_int_equal(count_reserved(f, 0, 40), 40 - 22);
	assert_true(list_is_valid(&f->z));
}

/* Bytes, rounded outwards to frames. */
static void test_reserve_bootmem_region(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 64, 0);
	zone_init(f, 8, 40, 3, NUMA_NO_NODE);
	assert_int_equal(list_alloc_memmap(&f->z, &f->mb), 0);
	assert_int_equal(list_memmap_init(&f->z, &f->mb), 0);
	assert_int_equal(count_reserved(f, 8, 40), 0);
	assert_int_equal(list_reserve_bootmem_region(&f->z, PFN_PHYS(10) - 1, PFN_PHYS(10) + 1), 0);
	assert_int_equal(count_reserved(f, 9, 11), 2);
	assert_int_equal(count_reserved(f, 8, 40), 2);
	assert_int_equal(list_reserve_bootmem_region(&f->z, PFN_PHYS(20), PFN_PHYS(22)), 0);
	assert_int_equal(count_reserved(f, 20, 22), 2);
	assert_int_equal(count_reserved(f, 8, 40), 4);
	/* Empty, turned round, outside, and over all. */
	assert_int_equal(list_reserve_bootmem_region(&f->z, PFN_PHYS(30), PFN_PHYS(30)), 0);
	assert_int_equal(list_reserve_bootmem_region(&f->z, PFN_PHYS(30) + 5, PFN_PHYS(30) + 5), 0);
	assert_int_equal(list_reserve_bootmem_region(&f->z, PFN_PHYS(34), PFN_PHYS(30)), 0);
	assert_int_equal(list_reserve_bootmem_region(&f->z, PFN_PHYS(40), PHYS_ADDR_MAX), 0);
	assert_int_equal(count_reserved(f, 8, 40), 4);
	assert_int_equal(list_reserve_bootmem_region(&f->z, 0, PHYS_ADDR_MAX), 0);
	assert_int_equal(count_reserved(f, 8, 40), 32);
}

/* A range is added once, whole or not at all; reserved pages may be added later. */
static void test_add_range(void **state)
{
	struct helper_list *f = helper_list_mapped(100, 200, 4);

	(void)state;
	assert_int_equal(list_reserve_bootmem_region(&f->z, PFN_PHYS(150), PFN_PHYS(160)), 0);
	assert_int_equal(list_add_range(&f->z, 100, 150), 0);
	/* 100-103, 104-111, 112-127, 128-143, 144-147, 148-149 */
	expect_blocks(f, 0, 1, 2, 1, 2);
	assert_int_equal(list_set_pcp(&f->harts[0], 1, 1), 0);
	assert_int_equal(list_claim(&f->z, 112, 4), 0);
	helper_list_remember(f);
	assert_int_equal(list_add_range(&f->z, 160, 160), -EMM_EINVAL);
	assert_int_equal(list_add_range(&f->z, 161, 160), -EMM_EINVAL);
	assert_int_equal(list_add_range(&f->z, 99, 100), -EMM_ERANGE);
	assert_int_equal(list_add_range(&f->z, 190, 201), -EMM_ERANGE);
	assert_int_equal(list_add_range(&f->z, 0, UINT64_MAX), -EMM_ERANGE);
	assert_int_equal(list_add_range(&f->z, 149, 155), -EMM_EDOUBLE);
	assert_int_equal(list_add_range(&f->z, 112, 113), -EMM_EDOUBLE); /* in use */
	assert_int_equal(list_add_range(&f->z, 127, 128), -EMM_EDOUBLE);
	helper_list_check_unchanged(f);
	assert_int_equal(list_add_range(&f->z, 160, 200), 0);
	assert_int_equal(f->z.managed_pages, 90);
	assert_int_equal(list_add_range(&f->z, 150, 160), 0); /* what was reserved until now */
	assert_int_equal(f->z.managed_pages, 100);
	assert_int_equal(list_free_pages(&f->harts[0], 112, 4), -0);
	expect_blocks(f, 0, 0, 1, 2, 5);
	helper_list_delete(f);
}

/* ---- holes ---- */

/*
 *   0        1024               8192    9216      blocks of 256 pages; a page of memmap is 64 pages
 *   |mmmmmmmm|------------------|mmmmmmm|         hole: 7168 struct pages, 112 pages of memmap
 */
static void test_free_unused_memmap(void **state)
{
	struct fixture *f = *state;
	uint64_t bytes = list_memmap_bytes(0, 9216, 8);
	const struct page in_use = { ._refcount = 1 }; /* whoever has that memory may write this */

	add(f, 0, 1024, 0);
	add(f, 8192, 9216, 0);
	assert_int_equal(bytes, 9216 * 64 + 8);
	assert_int_equal(memblock_reserve(&f->mb, PFN_PHYS(2000), PFN_PHYS(3000)), 0);
	zone_init(f, 0, 9216, 8, NUMA_NO_NODE);
	assert_int_equal(list_alloc_memmap(&f->z, &f->mb), 0);
	assert_int_equal(list_memmap_init(&f->z, &f->mb), 0);
	for (uint64_t pfn = 1025; pfn < 8191; pfn++)
		*pfn_to_page(&f->z, pfn) = in_use;
	assert_int_equal(list_memblock_free_all(&f->z, &f->mb), 0);
	assert_true(list_is_valid(&f->z));
	assert_int_equal(f->memmap_bytes, bytes);
	/* Its last 64-byte line ends at 9216 pages, so it begins on no page border. */
	assert_int_equal(f->memmap_pa, PFN_PHYS(9216) - 9216 * 64 - 64);
	assert_int_equal(f->z.unused_pages, 7168 / PAGES_PER_MAP_PAGE - 1);
	assert_int_equal(f->z.present_pages, 2048);
	assert_int_equal(f->z.managed_pages, 2048 - PFN_UP(bytes) + 111);
	assert_int_equal(list_nr_free(&f->z), f->z.managed_pages);
	assert_true(list_pfn_valid(&f->z, 1023) && !list_pfn_valid(&f->z, 1024));
	assert_true(list_pfn_valid(&f->z, 8192) && !list_pfn_valid(&f->z, 8191));
	assert_int_equal(list_free_pages(&f->hart, 1024, 0), -EMM_ERANGE);
	assert_int_equal(list_free_pages(&f->hart, 2000, 0), -EMM_ERANGE);
	assert_int_equal(list_free_pages(&f->hart, 4096, 8), -EMM_ERANGE);
	assert_int_equal(list_claim(&f->z, 4096, 8), -EMM_ERANGE);
	assert_int_equal(list_add_range(&f->z, 1020, 1030), -EMM_EDOUBLE);
	assert_int_equal(list_add_range(&f->z, 1024, 1030), -EMM_ERANGE);
	for (uint64_t n = f->z.managed_pages; n > 0; n--)
		assert_true(list_alloc_pages(&f->hart, 0, 0) >= 0);
	assert_int_equal(list_alloc_pages(&f->hart, 0, 0), -EMM_ENOMEM);
	assert_int_equal(list_free_pages(&f->hart, 0, 0), 0);
	assert_int_equal(list_free_pages(&f->hart, 0, 0), -EMM_EDOUBLE);
	assert_true(list_is_valid(&f->z));
	/* Whose memory that is now, nobody of us has touched. */
	for (uint64_t pfn = 1025; pfn < 8191; pfn++)
		assert_memory_equal(pfn_to_page(&f->z, pfn), &in_use, sizeof(in_use));
}

/* Holes are rounded inwards to blocks: one that reaches into every block gives nothing. */
static void test_small_holes(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 1000, 0);
	add(f, 1500, 3000, 0);
	add(f, 4096, 8192, 0);
	hand_over(f, 0, 8192, 10, NUMA_NO_NODE);
	/* Frames 1000-1499 and 3000-4095: of blocks 0, 1, 2, 3 only the last is empty. */
	assert_false(list_pfn_valid(&f->z, 3072) || list_pfn_valid(&f->z, 4095));
	assert_true(list_pfn_valid(&f->z, 1024) && list_pfn_valid(&f->z, 3071));
	assert_int_equal(f->z.unused_pages, 1024 / PAGES_PER_MAP_PAGE - 1);
	assert_int_equal(list_nr_free(&f->z), f->z.managed_pages);
}

/* One node's zone: the other's memory is a hole in it. */
static void test_nodes(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 2048, 0);
	add(f, 2048, 4096, 1);
	hand_over(f, 0, 4096, 8, 0);
	assert_true(f->memmap_pa + f->memmap_bytes <= PFN_PHYS(2048)); /* on its node */
	assert_int_equal(f->z.present_pages, 2048);
	assert_int_equal(f->z.unused_pages, 2048 / PAGES_PER_MAP_PAGE - 1);
	for (uint64_t pfn = 2048; pfn < 4096; pfn++)
		assert_false(list_page_is_free(&f->z, pfn));
	assert_int_equal(f->z.managed_pages, 2048 - PFN_UP(f->memmap_bytes) + f->z.unused_pages);
}

/* What may not be mapped, or is a driver's, is reserved; what can be unplugged is handed over. */
static void test_flags(void **state)
{
	struct fixture *f = *state;

	f->mb.movable_node = true;
	add(f, 0, 256, 0);
	assert_int_equal(memblock_add_node(&f->mb, PFN_PHYS(256), PFN_PHYS(64), 0,
					   MEMBLOCK_DRIVER_MANAGED),
			 0);
	assert_int_equal(
		memblock_add_node(&f->mb, PFN_PHYS(320), PFN_PHYS(64), 0, MEMBLOCK_HOTPLUG), 0);
	assert_int_equal(memblock_mark_nomap(&f->mb, PFN_PHYS(16), PFN_PHYS(16)), 0);
	/* A reservation whose struct pages are to stay as they are. */
	assert_int_equal(memblock_reserve(&f->mb, PFN_PHYS(40), PFN_PHYS(8)), 0);
	assert_int_equal(memblock_reserved_mark_noinit(&f->mb, PFN_PHYS(40), PFN_PHYS(8)), 0);
	/* One that begins and ends inside pages. */
	assert_int_equal(memblock_reserve(&f->mb, PFN_PHYS(50) + 100, PFN_PHYS(2)), 0);
	hand_over(f, 0, 384, 6, NUMA_NO_NODE);
	assert_int_equal(f->memmap_pa, PFN_PHYS(256) - 384 * 64 - 64);
	assert_int_equal(f->z.present_pages, 384);
	assert_int_equal(f->z.managed_pages, 384 - 64 - 16 - 8 - 3 - 7);
	assert_int_equal(count_reserved(f, 16, 32), 16);
	assert_int_equal(count_reserved(f, 256, 320), 64);
	assert_int_equal(count_reserved(f, 320, 384), 0);
	assert_int_equal(count_reserved(f, 50, 53), 3);
	assert_int_equal(count_reserved(f, 40, 48), 0);
	assert_false(list_page_is_free(&f->z, 40) || list_page_is_free(&f->z, 47));
	assert_int_equal(list_free_pages(&f->hart, 40, 0), -EMM_EINVAL);
	assert_int_equal(list_free_pages(&f->hart, 50, 0), -EMM_EINVAL);
}

/* The harts' limits fit the pages that were handed over. */
static void test_pcp_after_handover(void **state)
{
	struct fixture *f = *state;

	add(f, 0, 16384, 0);
	hand_over(f, 0, 16384, 10, NUMA_NO_NODE);
	assert_int_equal(f->hart.pcp.batch, 3);
	assert_int_equal(f->hart.pcp.high, 18);
}

/* ---- random maps ---- */

enum { IS_MEMORY = 1, IS_RESERVED = 2, IS_NOMAP = 4 };
#define RANDOM_PAGES 8192

static uint64_t next_random(uint64_t *rng)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return *rng;
}

static void paint(uint8_t *pages, uint64_t start, uint64_t end, uint8_t what)
{
	for (uint64_t pfn = start; pfn < end && pfn < 2 * RANDOM_PAGES; pfn++)
		pages[pfn] |= what;
}

static void random_map(struct fixture *f, uint64_t *rng, uint8_t *pages)
{
	unsigned int nr_banks = 1 + (unsigned int)(next_random(rng) % 6);
	unsigned int nr_reserved = (unsigned int)(next_random(rng) % 20);

	/* Room for any memmap. */
	add(f, 0, 1024, 0);
	paint(pages, 0, 1024, IS_MEMORY);
	for (unsigned int i = 0; i < nr_banks; i++) {
		uint64_t start = next_random(rng) % RANDOM_PAGES;
		uint64_t nr = 1 + next_random(rng) % (RANDOM_PAGES / nr_banks);

		add(f, start, start + nr, 0);
		paint(pages, start, start + nr, IS_MEMORY);
	}
	for (unsigned int i = 0; i < nr_reserved; i++) {
		phys_addr_t base = PFN_PHYS(1024) + next_random(rng) % PFN_PHYS(RANDOM_PAGES);
		phys_addr_t size = 1 + next_random(rng) % (PFN_PHYS(1) << (next_random(rng) % 9));

		if (next_random(rng) % 4) {
			assert_int_equal(memblock_reserve(&f->mb, base, size), 0);
			paint(pages, PFN_DOWN(base), PFN_UP(base + size), IS_RESERVED);
		} else {
			base &= PAGE_MASK;
			size = PFN_PHYS(PFN_UP(size));
			assert_int_equal(memblock_mark_nomap(&f->mb, base, size), 0);
			paint(pages, PFN_DOWN(base), PFN_DOWN(base + size), IS_NOMAP);
		}
	}
}

static bool has_memory(const uint8_t *pages, uint64_t start, uint64_t end)
{
	for (uint64_t pfn = start; pfn < end; pfn++)
		if (pages[pfn] & IS_MEMORY)
			return true;
	return false;
}

/* Does a page of the memmap hold nothing but struct pages of blocks without memory? One by one. */
static bool is_unused(const struct fixture *f, const uint8_t *pages, uint64_t map_page)
{
	uint64_t size = 1ULL << f->z.max_order, last = UINT64_MAX;
	phys_addr_t at = PFN_PHYS(map_page);

	for (phys_addr_t byte = at; byte < at + PAGE_SIZE; byte += 8) {
		uint64_t pfn = (byte - f->memmap_pa) / 64 + f->z.map_start_pfn;
		uint64_t start = pfn & ~(size - 1), end = start + size;

		if (byte < f->memmap_pa || pfn >= f->z.map_end_pfn)
			return false;
		if (start == last)
			continue;
		last = start;
		if (start < f->z.start_pfn)
			start = f->z.start_pfn;
		if (end > f->z.start_pfn + f->z.spanned_pages)
			end = f->z.start_pfn + f->z.spanned_pages;
		if (has_memory(pages, start, end))
			return false;
	}
	return true;
}

/* Paints the memmap's pages that stay; returns how many do not. */
static uint64_t paint_memmap(const struct fixture *f, uint8_t *pages)
{
	uint64_t first = PFN_DOWN(f->memmap_pa), unused = 0;

	for (uint64_t at = first; at < PFN_UP(f->memmap_pa + f->memmap_bytes); at++) {
		if (is_unused(f, pages, at))
			unused++;
		else
			pages[at] |= IS_RESERVED;
	}
	return unused;
}

static void check_random_zone(struct fixture *f, uint8_t *pages)
{
	uint64_t unused = paint_memmap(f, pages), present = 0, managed = 0;

	for (uint64_t pfn = f->z.map_start_pfn; pfn < f->z.map_end_pfn; pfn++) {
		bool inside = pfn - f->z.start_pfn < f->z.spanned_pages;
		bool free = inside && pages[pfn] == IS_MEMORY;
		uint64_t block = pfn >> f->z.max_order << f->z.max_order;

		present += inside && (pages[pfn] & IS_MEMORY);
		managed += free;
		if (list_page_is_free(&f->z, pfn) != free)
			fail_msg("pfn %llu is wrong", (unsigned long long)pfn);
		if (list_pfn_valid(&f->z, pfn)) {
			if (PageReserved(pfn_to_page(&f->z, pfn)) == free)
				fail_msg("pfn %llu is %sreserved", (unsigned long long)pfn,
					 free ? "" : "not ");
		} else if (pfn == block) {
			assert_false(has_memory(pages, block, block + (1ULL << f->z.max_order)));
		}
	}
	assert_int_equal(f->z.unused_pages, unused);
	assert_int_equal(f->z.present_pages, present);
	assert_int_equal(f->z.managed_pages, managed);
	assert_int_equal(list_nr_free(&f->z), managed);
	assert_int_equal(memblock_is_valid(&f->mb), true);
}

static void test_random_maps(void **state)
{
	uint8_t *pages = malloc(2 * RANDOM_PAGES);
	uint64_t rng = 42, unused = 0;

	(void)state;
	assert_non_null(pages);
	for (unsigned int round = 0; round < 96; round++) {
		uint64_t start = next_random(&rng) % 1024;
		uint64_t end = RANDOM_PAGES + next_random(&rng) % RANDOM_PAGES;
		struct fixture *f;

		setup((void **)&f);
		memset(pages, 0, 2 * RANDOM_PAGES);
		random_map(f, &rng, pages);
		if (round % 4 == 0)
			start = 0;
		hand_over(f, start, end, round % 12, NUMA_NO_NODE);
		check_random_zone(f, pages);
		unused += f->z.unused_pages;
		teardown((void **)&f);
	}
	assert_true(unused > 1000); /* the maps had holes to speak of */
	free(pages);
}

#define list_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		list_test(test_zone_init),
		list_test(test_states),
		cmocka_unit_test(test_memmap_bytes),
		list_test(test_no_memmap),
		list_test(test_memmap_init),
		list_test(test_reserve_bootmem_region),
		cmocka_unit_test(test_add_range),
		list_test(test_free_unused_memmap),
		list_test(test_small_holes),
		list_test(test_nodes),
		list_test(test_flags),
		list_test(test_pcp_after_handover),
		cmocka_unit_test(test_random_maps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
