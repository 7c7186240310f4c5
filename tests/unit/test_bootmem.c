/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bootmem by hand: nodes, ranges, allocations. In the drawings a letter is a page: '.' free, 'R'
 * reserved; node 0 begins at frame 16, where nothing else is said.
 */
#include "helper_bootmem.h"

#include <string.h>

/* Bitmaps lie from frame 1024 on, a page each, outside the nodes. */
static struct bootmem_data *add_node(struct helper_bootmem *h, int nid, uint64_t start_pfn,
				     uint64_t pages)
{
	uint64_t map_pfn = 1024 + h->bm.nr_nodes;

	assert_int_equal(
		init_bootmem_node(&h->bm, nid, map_pfn, start_pfn, start_pfn + pages, NULL), 0);
	return &h->bdata[h->bm.nr_nodes - 1];
}

/* The same with all of it free. */
static struct bootmem_data *add_free_node(struct helper_bootmem *h, int nid, uint64_t start_pfn,
					  uint64_t pages)
{
	struct bootmem_data *bdata = add_node(h, nid, start_pfn, pages);

	assert_int_equal(free_bootmem(&h->bm, PAGES(start_pfn), PAGES(pages)), 0);
	return bdata;
}

static void test_bootmap_pages(void **state)
{
	(void)state;
	assert_int_equal(bootmem_bootmap_pages(0), 0);
	assert_int_equal(bootmem_bootmap_pages(1), 1);
	assert_int_equal(bootmem_bootmap_pages(8 * PAGE_SIZE), 1);
	assert_int_equal(bootmem_bootmap_pages(8 * PAGE_SIZE + 1), 2);
	assert_int_equal(bootmem_bootmap_pages(1ULL << 52), 1ULL << 37);
}

/* All bits are set at first, in whole words, and the bytes behind them are left alone. */
static void test_init(void **state)
{
	struct helper_bootmem *h = *state;
	uint64_t bytes = 0;

	assert_int_equal(init_bootmem(&h->bm, 100, 70, &bytes), 0);
	assert_int_equal(bytes, 16);
	assert_true(helper_ram_is(&h->ram, PAGES(100), 8, 0xff));
	assert_int_equal(*helper_ram_at(&h->ram, PAGES(100) + 8), 0xff);
	assert_true(helper_ram_is(&h->ram, PAGES(100) + 16, 64, ARENA_FILL));
	assert_ptr_equal(h->bdata[0].node_bootmem_map, helper_ram_at(&h->ram, PAGES(100)));
	assert_int_equal(h->bdata[0].node_boot_start, 0);
	assert_int_equal(h->bdata[0].node_low_pfn, 70);
	assert_int_equal(h->bdata[0].nid, 0);
	assert_int_equal(h->bdata[0].last_offset, 0);
	assert_int_equal(h->bdata[0].last_success, 0);
	assert_int_equal(h->bm.min_low_pfn, 100);
	assert_int_equal(h->bm.max_low_pfn, 70);

	assert_int_equal(init_bootmem_node(&h->bm, 3, 101, 80, 90, &bytes), 0);
	assert_int_equal(bytes, 8);
	assert_int_equal(h->bdata[1].node_boot_start, PAGES(80));
	assert_int_equal(h->bdata[1].nid, 3);
	assert_int_equal(h->bm.min_low_pfn, 100);
	assert_int_equal(h->bm.max_low_pfn, 90);
	assert_int_equal(h->bm.max_pfn, 90);
	assert_int_equal(h->bm.saved_max_pfn, 90);
	assert_int_equal(h->bm.nr_all_pages, 80);
	assert_int_equal(
		init_bootmem_core(&h->bm, 1, MEMBLOCK_HOTPLUG, PAGES(102) + 8, 90, 91, &bytes), 0);
	assert_int_equal(h->bdata[2].flags, MEMBLOCK_HOTPLUG);
	assert_int_equal(*helper_ram_at(&h->ram, PAGES(102) + 7), ARENA_FILL);
	assert_int_equal(*helper_ram_at(&h->ram, PAGES(102) + 8), 0xff);
}

static void test_init_errors(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;

	add_node(h, 0, 16, 16);
	assert_int_equal(init_bootmem_node(bm, 0, 100, 40, 40, NULL), -EMM_EINVAL);
	assert_int_equal(init_bootmem_node(bm, 0, 100, 41, 40, NULL), -EMM_EINVAL);
	assert_int_equal(init_bootmem_node(bm, -2, 100, 40, 50, NULL), -EMM_EINVAL);
	assert_int_equal(init_bootmem_node(bm, 0, 1ULL << 52, 40, 50, NULL), -EMM_EINVAL);
	assert_int_equal(init_bootmem_node(bm, 0, 100, 40, 1ULL << 52, NULL), -EMM_EINVAL);
	assert_int_equal(init_bootmem_core(bm, 0, 0, PAGES(100) + 4, 40, 50, NULL), -EMM_EINVAL);
	assert_int_equal(init_bootmem_core(bm, 0, MEMBLOCK_NOMAP, PAGES(100), 40, 50, NULL),
			 -EMM_EINVAL);
	assert_int_equal(init_bootmem_core(bm, 0, 0, PHYS_ADDR_MAX - 7, 40, 50, NULL), -EMM_EINVAL);
	assert_int_equal(init_bootmem_node(bm, 0, 100, 31, 50, NULL), -EMM_EOVERLAP);
	assert_int_equal(init_bootmem_node(bm, 0, BOOT_RAM_PAGES, 40, 50, NULL), -EMM_EFAULT);
	bm->map = NULL;
	assert_int_equal(init_bootmem_node(bm, 0, 100, 40, 50, NULL), -EMM_EFAULT);
	bm->map = &h->ram.map;
	assert_int_equal(bm->nr_nodes, 1);
	assert_int_equal(bm->max_low_pfn, 32);
	assert_int_equal(bm->nr_all_pages, 16);
	add_node(h, 0, 32, 1);
	add_node(h, 0, 33, 1);
	add_node(h, 0, 34, 1);
	assert_int_equal(init_bootmem_node(bm, 0, 100, 40, 50, NULL), -EMM_ENOSPC);
}

/* Freeing rounds inwards, reserving outwards.  x: a byte of it
 *   pages    16  17  18  19  20          free  [17.5, 20.5)  ->  18, 19
 *            RRRRRRRR........RRRR        reserve  one byte of 18  ->  18
 */
static void test_rounding(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;

	add_node(h, 0, 16, 8);
	expect_bits(bm, 16, "RRRRRRRR");
	assert_int_equal(free_bootmem(bm, PAGES(17) + 2048, PAGES(3)), 0);
	expect_bits(bm, 16, "RR..RRRR");
	assert_int_equal(reserve_bootmem(bm, PAGES(18) + 5, 1), 0);
	expect_bits(bm, 16, "RRR.RRRR");
	/* Not a whole page in it: nothing. */
	assert_int_equal(free_bootmem(bm, PAGES(16) + 1, PAGES(1)), 0);
	assert_int_equal(free_bootmem(bm, PAGES(16), PAGES(1) - 1), 0);
	expect_bits(bm, 16, "RRR.RRRR");
	/* Up to the node's last byte, and in: page 15 is outside, and rounded off. */
	assert_int_equal(free_bootmem(bm, PAGES(20), PAGES(4)), 0);
	assert_int_equal(free_bootmem(bm, PAGES(15) + 1, PAGES(2)), 0);
	expect_bits(bm, 16, ".RR.....");
	assert_int_equal(reserve_bootmem(bm, PAGES(24) - 1, 1), 0);
	assert_int_equal(reserve_bootmem(bm, PAGES(22) - 1, 2), 0);
	expect_bits(bm, 16, ".RR..RRR");
}

/* Runs that begin, end and lie across the borders of bitmap words: bits 64, 128, 192. */
static void test_words(void **state)
{
	static const uint64_t edges[] = { 0, 1, 63, 64, 65, 127, 128, 129, 191, 192, 200 };
	struct helper_bootmem *h = *state;

	add_free_node(h, 0, 16, 200);
	for (unsigned int a = 0; a < ARRAY_SIZE(edges); a++) {
		for (unsigned int z = a + 1; z < ARRAY_SIZE(edges); z++) {
			uint64_t from = 16 + edges[a], to = 16 + edges[z];

			assert_int_equal(reserve_bootmem(&h->bm, PAGES(from), PAGES(to - from)), 0);
			for (uint64_t pfn = 16; pfn < 216; pfn++)
				assert_int_equal(helper_is_reserved(&h->bm, pfn),
						 pfn >= from && pfn < to);
			assert_int_equal(free_bootmem(&h->bm, PAGES(from), PAGES(to - from)), 0);
			for (uint64_t pfn = 16; pfn < 216; pfn++)
				assert_false(helper_is_reserved(&h->bm, pfn));
		}
	}
}

/* Twice, outside, empty: an error, a line that says which page, and nothing changed. */
static void test_range_errors(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;

	add_node(h, 0, 16, 8);
	assert_int_equal(free_bootmem(bm, PAGES(18), PAGES(4)), 0);
	expect_bits(bm, 16, "RR....RR");
	assert_int_equal(free_bootmem(bm, PAGES(16), PAGES(3)), -EMM_EDOUBLE);
	assert_string_equal(h->out.text, "bootmem: frame 0x12 is freed twice\n");
	h->out.len = 0;
	assert_int_equal(reserve_bootmem(bm, PAGES(20), PAGES(3)), -EMM_EBUSY);
	assert_string_equal(h->out.text, "bootmem: frame 0x16 is reserved twice\n");
	h->out.len = 0;
	assert_int_equal(reserve_bootmem(bm, PAGES(23), PAGES(1) + 1), -EMM_EBUSY);
	assert_int_equal(reserve_bootmem(bm, PAGES(15), PAGES(1)), -EMM_ERANGE);
	assert_int_equal(free_bootmem(bm, PAGES(15), PAGES(2)), -EMM_ERANGE);
	assert_int_equal(free_bootmem(bm, PAGES(22), PAGES(3)), -EMM_ERANGE);
	assert_non_null(strstr(h->out.text, "bootmem: frame 0x18 is on no such node\n"));
	assert_int_equal(free_bootmem(bm, PAGES(24), 8), -EMM_ERANGE);
	assert_int_equal(free_bootmem(bm, PAGES(23), 8), 0);
	assert_int_equal(reserve_bootmem(bm, PAGES(18), 0), -EMM_EINVAL);
	assert_int_equal(free_bootmem(bm, PAGES(22), 0), -EMM_EINVAL);
	assert_int_equal(reserve_bootmem(bm, PAGES(18), PHYS_ADDR_MAX), -EMM_ERANGE);
	assert_int_equal(free_bootmem(bm, PAGES(22), PHYS_ADDR_MAX - PAGES(22) + 1), -EMM_ERANGE);
	assert_int_equal(free_bootmem(bm, PHYS_ADDR_MAX, 1), -EMM_ERANGE);
	assert_int_equal(reserve_bootmem_node(bm, -2, PAGES(18), 1), -EMM_EINVAL);
	assert_int_equal(free_bootmem_node(bm, -2, PAGES(18), 1), -EMM_EINVAL);
	expect_bits(bm, 16, "RR....RR");
	/* Silence is allowed. */
	bm->printer = NULL;
	assert_int_equal(free_bootmem(bm, PAGES(16), PAGES(3)), -EMM_EDOUBLE);
}

/*
 *   frames   16      24  26      32       36
 *            |node 0 |   |node 1 |  node 0 |
 * A range may go over nodes that touch, all of it or nothing; _node keeps to one number, _core to
 * one bdata.
 */
static void test_ranges_over_nodes(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;

	add_node(h, 0, 16, 8);
	add_node(h, 1, 26, 6);
	add_node(h, 0, 32, 4);
	assert_int_equal(free_bootmem(bm, PAGES(30), PAGES(4)), 0);
	expect_bits(bm, 24, "RRRRRR....RR");
	assert_int_equal(reserve_bootmem(bm, PAGES(31), PAGES(2)), 0);
	expect_bits(bm, 24, "RRRRRR.RR.RR");
	assert_int_equal(free_bootmem(bm, PAGES(22), PAGES(6)), -EMM_ERANGE);
	/* The second of two nodes says no: the first is as it was. */
	assert_int_equal(free_bootmem(bm, PAGES(31), PAGES(3)), -EMM_EDOUBLE);
	assert_int_equal(reserve_bootmem(bm, PAGES(30), PAGES(2)), -EMM_EBUSY);
	expect_bits(bm, 24, "RRRRRR.RR.RR");
	assert_int_equal(free_bootmem_node(bm, 1, PAGES(31), PAGES(2)), -EMM_ERANGE);
	assert_int_equal(free_bootmem_node(bm, 0, PAGES(31), PAGES(1)), -EMM_ERANGE);
	assert_int_equal(free_bootmem_node(bm, 1, PAGES(31), PAGES(1)), 0);
	assert_int_equal(reserve_bootmem_node(bm, 0, PAGES(31), PAGES(1)), -EMM_ERANGE);
	assert_int_equal(reserve_bootmem_node(bm, 1, PAGES(31), PAGES(1)), 0);
	assert_int_equal(free_bootmem_node(bm, NUMA_NO_NODE, PAGES(31), PAGES(1)), 0);
	expect_bits(bm, 24, "RRRRRR..R.RR");
	assert_int_equal(free_bootmem_core(bm, &h->bdata[0], PAGES(32), PAGES(1)), -EMM_ERANGE);
	assert_int_equal(free_bootmem_core(bm, &h->bdata[2], PAGES(31), PAGES(2)), -EMM_ERANGE);
	assert_int_equal(free_bootmem_core(bm, &h->bdata[2], PAGES(32), PAGES(1)), 0);
	assert_int_equal(reserve_bootmem_core(bm, &h->bdata[1], PAGES(32), PAGES(1)), -EMM_ERANGE);
	assert_int_equal(reserve_bootmem_core(bm, &h->bdata[2], PAGES(32), PAGES(2)), 0);
	expect_bits(bm, 24, "RRRRRR..RRRR");
	assert_int_equal(reserve_bootmem_core(bm, NULL, PAGES(30), 1), -EMM_EINVAL);
	assert_int_equal(free_bootmem_core(bm, NULL, PAGES(30), 1), -EMM_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bootmap_pages),
		bootmem_test(test_init),
		bootmem_test(test_init_errors),
		bootmem_test(test_rounding),
		bootmem_test(test_words),
		bootmem_test(test_range_errors),
		bootmem_test(test_ranges_over_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
