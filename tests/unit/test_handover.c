/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From memblock to the buddy: metadata, the handover, the audit; on the map of a real i.MX6 board
 * and on random maps, page by page. RAM is never touched, only the metadata, which a map of the
 * test's own puts somewhere else.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <earlymm/error.h>
#include <earlymm/handover.h>

#ifndef TEST_DATA
#define TEST_DATA "tests/data/"
#endif

/* Whatever lies at a physical address that is asked for: garbage, at first. */
struct backing {
	phys_addr_t pa;
	uint64_t bytes;
	void *ptr;
};

struct backings {
	struct backing at[64];
	unsigned int nr;
};

static void *backing_ptr(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	struct backings *all = ctx;

	for (unsigned int i = 0; i < all->nr; i++)
		if (all->at[i].pa == pa && all->at[i].bytes >= bytes)
			return all->at[i].ptr;
	if (all->nr == ARRAY_SIZE(all->at))
		return NULL;
	all->at[all->nr] = (struct backing){ pa, bytes, aligned_alloc(64, (bytes + 63) & ~63ULL) };
	memset(all->at[all->nr].ptr, 0xa5, bytes);
	return all->at[all->nr++].ptr;
}

struct fixture {
	struct memblock mb;
	struct phys_map map;
	struct backings backings;
	struct mm mm;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->map.phys_to_virt = backing_ptr;
	f->map.ctx = &f->backings;
	memblock_init(&f->mb, &f->map);
	memblock_allow_resize(&f->mb);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < f->backings.nr; i++)
		free(f->backings.at[i].ptr);
	free(f);
	return 0;
}

/* The buddy for a zone, its metadata outside the zone's memory map, so that counts are the map's. */
static void handover_zone(struct fixture *f, struct mm *mm, uint64_t start_pfn, uint64_t end_pfn)
{
	assert_int_equal(mm_plan(mm, &f->mb, start_pfn, end_pfn, 1), 0);
	mm->meta_pa = 0x1000 * (f->backings.nr + 1);
	mm->state = MM_PLACED;
	assert_int_equal(mm_init(mm, &f->mb), 0);
	assert_int_equal(memblock_free_all(mm, &f->mb), 0);
}

struct imx6 {
	uint64_t lowmem_end, low_present, low_managed, high_present, high_managed;
};

static void imx6_read(struct fixture *f, struct imx6 *expect)
{
	FILE *in = fopen(TEST_DATA "imx6-memory-map.txt", "r");
	char line[200], word[40];
	unsigned long long a, b;
	unsigned int nr_reserved = 0;

	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		if (sscanf(line, "memory %llx %llx", &a, &b) == 2) {
			assert_int_equal(memblock_add(&f->mb, a, b), 0);
		} else if (sscanf(line, "reserved %llx %llx", &a, &b) == 2) {
			assert_int_equal(memblock_reserve(&f->mb, a, b), 0);
			nr_reserved++;
		} else if (sscanf(line, "lowmem-end %llx", &a) == 1) {
			expect->lowmem_end = a;
		} else if (sscanf(line, "expect %39s %llx", word, &a) == 2) {
			if (!strcmp(word, "low-present-pages"))
				expect->low_present = a;
			else if (!strcmp(word, "low-managed-pages"))
				expect->low_managed = a;
			else if (!strcmp(word, "high-present-pages"))
				expect->high_present = a;
			else if (!strcmp(word, "high-managed-pages"))
				expect->high_managed = a;
			else
				fail_msg("unknown word %s", word);
		} else if (line[0] != '#' && line[0] != '\n') {
			fail_msg("not understood: %s", line);
		}
	}
	fclose(in);
	assert_int_equal(nr_reserved, 35);
}

/* The counts that the board's own kernel printed: 0x1d38 pages less than there are in low memory. */
static void test_imx6(void **state)
{
	struct fixture *f = *state;
	struct imx6 expect = { 0 };
	struct mm_audit audit;
	struct mm high;

	imx6_read(f, &expect);
	handover_zone(f, &f->mm, 0, PFN_DOWN(expect.lowmem_end));
	handover_zone(f, &high, PFN_DOWN(expect.lowmem_end), PFN_DOWN(PHYS_ADDR_MAX));

	assert_int_equal(mm_audit(&f->mm, &f->mb, 0, &audit), 0);
	assert_int_equal(audit.present, expect.low_present);
	assert_int_equal(audit.managed, expect.low_managed);
	assert_int_equal(audit.free, 0x2e2c8);
	assert_int_equal(mm_audit_reserved(&audit), 0x1d38);
	assert_int_equal(mm_audit(&high, &f->mb, 0, &audit), 0);
	assert_int_equal(audit.present, expect.high_present);
	assert_int_equal(audit.managed, expect.high_managed);
	assert_int_equal(audit.free, 0x1c000);
	assert_int_equal(audit.lost, 0);
	assert_true(buddy_is_valid(&f->mm.buddy) && buddy_is_valid(&high.buddy));
}

static uint64_t next_random(uint64_t *rng)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return *rng;
}

/* What each page of a random map is: memory, reserved or no-map somewhere. */
enum { IS_MEMORY = 1, IS_RESERVED = 2, IS_NOMAP = 4 };
#define RANDOM_PAGES 40000

static void paint(uint8_t *pages, uint64_t start, uint64_t end, uint8_t what)
{
	for (uint64_t pfn = start; pfn < end && pfn < 2 * RANDOM_PAGES; pfn++)
		pages[pfn] |= what;
}

/* Banks and reservations anywhere, the latter off page borders, some no-map. */
static void random_map(struct fixture *f, uint64_t *rng, uint8_t *pages)
{
	unsigned int nr_banks = 1 + (unsigned int)(next_random(rng) % 6);
	unsigned int nr_reserved = (unsigned int)(next_random(rng) % 20);

	for (unsigned int i = 0; i < nr_banks; i++) {
		uint64_t start = next_random(rng) % RANDOM_PAGES;
		uint64_t nr = 1 + next_random(rng) % (RANDOM_PAGES / nr_banks);

		assert_int_equal(memblock_add_node(&f->mb, PFN_PHYS(start), PFN_PHYS(nr),
						   (int)(start / 16384), 0),
				 0);
		paint(pages, start, start + nr, IS_MEMORY);
	}
	for (unsigned int i = 0; i < nr_reserved; i++) {
		phys_addr_t base = next_random(rng) % PFN_PHYS(RANDOM_PAGES);
		phys_addr_t size = 1 + next_random(rng) % (PFN_PHYS(1) << (next_random(rng) % 12));

		if (next_random(rng) % 4) {
			assert_int_equal(
				memblock_reserve_cause(&f->mb, base, size, CAUSE_IMAGE + i % 3), 0);
			paint(pages, PFN_DOWN(base), PFN_UP(base + size), IS_RESERVED);
		} else {
			base &= PAGE_MASK;
			size = PFN_PHYS(PFN_UP(size));
			assert_int_equal(memblock_mark_nomap(&f->mb, base, size), 0);
			paint(pages, PFN_DOWN(base), PFN_DOWN(base + size), IS_NOMAP);
		}
	}
}

/* Every page that is memory and nothing else is free in the buddy; no other is. */
static void test_random_maps(void **state)
{
	uint64_t rng = 42;

	(void)state;
	for (unsigned int round = 0; round < 150; round++) {
		static uint8_t pages[2 * RANDOM_PAGES];
		uint64_t present = 0, managed = 0;
		struct mm_audit audit;
		struct fixture *f;

		setup((void **)&f);
		memset(pages, 0, sizeof(pages));
		random_map(f, &rng, pages);
		handover_zone(f, &f->mm, 0, PFN_DOWN(PHYS_ADDR_MAX));
		assert_true(buddy_is_valid(&f->mm.buddy));
		assert_int_equal(mm_audit(&f->mm, &f->mb, 0, &audit), 0);
		for (uint64_t pfn = 0; pfn < 2 * RANDOM_PAGES; pfn++) {
			present += pages[pfn] & IS_MEMORY;
			managed += pages[pfn] == IS_MEMORY;
			if (buddy_page_is_free(&f->mm.buddy, pfn) != (pages[pfn] == IS_MEMORY))
				fail_msg("round %u: pfn %llu is wrong", round,
					 (unsigned long long)pfn);
		}
		assert_int_equal(audit.managed, managed);
		assert_int_equal(audit.present, present);
		teardown((void **)&f);
	}
}

/* The audit must see a page too few and a page too many. */
static void test_audit_sees(void **state)
{
	struct fixture *f = *state;
	struct mm_audit audit;
	int64_t pfn;

	assert_int_equal(memblock_add(&f->mb, 0x80000000, 64 << 20), 0);
	assert_int_equal(memblock_reserve_cause(&f->mb, 0x80000000, 0x20000, CAUSE_IMAGE), 0);
	assert_int_equal(mm_audit(&f->mm, &f->mb, 0, &audit), -EMM_ESTATE);
	assert_int_equal(mm_plan(&f->mm, &f->mb, 0, UINT64_MAX, 2), 0);
	assert_int_equal(mm_init(&f->mm, &f->mb), -EMM_ESTATE);
	assert_int_equal(mm_place_metadata(&f->mm, &f->mb), 0);
	assert_int_equal(f->mm.meta_pa, 0x80020000); /* right behind the image */
	assert_int_equal(memblock_free_all(&f->mm, &f->mb), -EMM_ESTATE);
	assert_int_equal(mm_init(&f->mm, &f->mb), 0);
	assert_int_equal(memblock_free_all(&f->mm, &f->mb), 0);
	assert_int_equal(memblock_free_all(&f->mm, &f->mb), -EMM_ESTATE);

	assert_int_equal(mm_audit(&f->mm, &f->mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_IMAGE], 32);
	assert_int_equal(audit.reserved[CAUSE_METADATA], PFN_UP(f->mm.meta_bytes));
	assert_int_equal(audit.present, 16384);

	pfn = buddy_alloc(f->mm.buddy.harts, 3);
	assert_true(pfn >= 0);
	assert_int_equal(mm_audit(&f->mm, &f->mb, 8, &audit), 0);
	assert_int_equal(mm_audit(&f->mm, &f->mb, 7, &audit), -EMM_EINVAL);
	assert_int_equal(audit.lost, 1);
	assert_int_equal(mm_audit(&f->mm, &f->mb, 10, &audit), -EMM_EINVAL);
	assert_int_equal(audit.lost, 2);
	/* Reserved behind the allocator's back: managed and reserved at once. */
	assert_int_equal(memblock_reserve(&f->mb, 0x81000000, 0x1800), 0);
	assert_int_equal(mm_audit(&f->mm, &f->mb, 8, &audit), -EMM_EINVAL);
	assert_int_equal(audit.lost, 2);
}

/*
 * Where trees begin and end:
 *   |bank|gap 16 MiB|bank|    gap 16 MiB + 1 page    |bank|bank on another node|
 *   [ -------- tree ---- ]                           [tree][ ------ tree ----- ]
 */
static void test_trees(void **state)
{
	struct fixture *f = *state;
	uint64_t gap = PFN_PHYS(MM_TREE_GAP_PAGES);
	phys_addr_t at = 0x80000000;

	assert_int_equal(memblock_add(&f->mb, at, 0x10000), 0);
	at += 0x10000 + gap;
	assert_int_equal(memblock_add(&f->mb, at, 0x10000), 0);
	at += 0x10000 + gap + PAGE_SIZE;
	assert_int_equal(memblock_add(&f->mb, at, 0x10000), 0);
	at += 0x10000;
	assert_int_equal(memblock_add_node(&f->mb, at, 0x10000, 1, 0), 0);
	assert_int_equal(mm_plan(&f->mm, &f->mb, 0, UINT64_MAX, 1), 0);
	assert_int_equal(f->mm.nr_trees, 3);
	/* A bank that may not be mapped has none, and no memory at all is an error. */
	assert_int_equal(memblock_mark_nomap(&f->mb, at, 0x10000), 0);
	assert_int_equal(mm_plan(&f->mm, &f->mb, 0, UINT64_MAX, 1), 0);
	assert_int_equal(f->mm.nr_trees, 2);
	assert_int_equal(mm_plan(&f->mm, &f->mb, 0, 0x80000, 1), -EMM_ENOENT);
	assert_int_equal(mm_plan(&f->mm, &f->mb, 5, 5, 1), -EMM_EINVAL);
	assert_int_equal(mm_plan(&f->mm, &f->mb, 0, 5, 0), -EMM_EINVAL);
}

/* Frame 0 is memory here; it must not be handed out. No room for metadata is an error. */
static void test_frame_0_and_no_room(void **state)
{
	struct fixture *f = *state;
	struct mm_audit audit;

	assert_int_equal(memblock_add(&f->mb, 0, 0x100000), 0);
	assert_int_equal(mm_plan(&f->mm, &f->mb, 0, UINT64_MAX, 1), 0);
	assert_int_equal(memblock_reserve(&f->mb, 0x1000, 0xff000), 0);
	assert_int_equal(mm_place_metadata(&f->mm, &f->mb), -EMM_ENOMEM);
	assert_int_equal(f->mb.reserved.cnt, 1); /* frame 0 is not reserved for nothing */
	assert_int_equal(memblock_free(&f->mb, 0x1000, 0xff000), 0);
	assert_int_equal(mm_place_metadata(&f->mm, &f->mb), 0);
	assert_int_equal(mm_init(&f->mm, &f->mb), 0);
	assert_int_equal(memblock_free_all(&f->mm, &f->mb), 0);
	assert_false(buddy_page_is_free(&f->mm.buddy, 0));
	assert_int_equal(mm_audit(&f->mm, &f->mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_OTHER], 1);
}

/* Memory that a driver manages is present, and reserved; it gets no tree. */
static void test_driver_managed(void **state)
{
	struct fixture *f = *state;
	struct mm_audit audit;

	assert_int_equal(memblock_add(&f->mb, 0x80000000, 64 << 20), 0);
	assert_int_equal(
		memblock_add_node(&f->mb, 0x90000000, 64 << 20, 1, MEMBLOCK_DRIVER_MANAGED), 0);
	handover_zone(f, &f->mm, 0, UINT64_MAX);
	assert_int_equal(f->mm.nr_trees, 1);
	assert_int_equal(mm_audit(&f->mm, &f->mb, 0, &audit), 0);
	assert_int_equal(audit.managed, 16384);
	assert_int_equal(audit.reserved[CAUSE_OTHER], 16384);
}

/* The first of two banks shrinks between plan and set-up: the second tree would overlap its own. */
static void test_map_changed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(memblock_add(&f->mb, 0x80000000, 256 << 20), 0);
	assert_int_equal(memblock_add(&f->mb, 0xa0000000, 256 << 20), 0);
	assert_int_equal(mm_plan(&f->mm, &f->mb, 0, UINT64_MAX, 1), 0);
	assert_int_equal(f->mm.nr_trees, 2);
	assert_int_equal(mm_place_metadata(&f->mm, &f->mb), 0);
	assert_int_equal(memblock_mark_nomap(&f->mb, 0x82000000, 32 << 20), 0);
	assert_int_equal(mm_init(&f->mm, &f->mb), -EMM_ESTATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_imx6, setup, teardown),
		cmocka_unit_test(test_random_maps),
		cmocka_unit_test_setup_teardown(test_audit_sees, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trees, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frame_0_and_no_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_driver_managed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map_changed, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
