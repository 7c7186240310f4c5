/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of huge pages: filled before and after the handover, by node and evenly, from too little
 * memory and for hostile numbers; handed out, taken back, given up. The books balance throughout.
 */
#include "helper_hugetlb.h"

#include <string.h>

#include <earlymm/reserved_area.h>

#define RAM      GIB(2)
#define ORDER_2M 9U
#define ORDER_1G 18U

static void expect_text(const struct helper_hugetlb *f, const char *text)
{
	if (strcmp(f->h->out.text, text))
		fail_msg("printed:\n%sinstead of:\n%s", f->h->out.text, text);
}

static const struct hstate *pool(const struct helper_hugetlb *f, unsigned int order)
{
	const struct hstate *s = hugetlb_hstate(&f->huge, order);

	assert_non_null(s);
	return s;
}

/* Both kinds, in full: gigantic ones are reserved, the others are used memory. */
static void test_both_kinds(void **state)
{
	struct helper_hugetlb *f = *state;

	helper_hugetlb_node(f, RAM, GIB(8), NONE);
	memblock_reserve_cause(&f->h->mb, RAM, MIB(3), CAUSE_IMAGE);
	helper_hugetlb_ask(f, ORDER_1G, 3);
	helper_hugetlb_ask(f, ORDER_2M, 100);
	f->request.default_size = 1;
	helper_hugetlb_early(f);
	assert_int_equal(pool(f, ORDER_2M)->pages_bytes, PAGE_SIZE);
	helper_hugetlb_handover(f);
	expect_text(f, "");
	assert_true(pool(f, ORDER_1G)->gigantic && !pool(f, ORDER_2M)->gigantic);
	assert_int_equal(pool(f, ORDER_1G)->nr_huge_pages, 3);
	assert_int_equal(pool(f, ORDER_1G)->free_huge_pages, 3);
	assert_int_equal(pool(f, ORDER_2M)->nr_huge_pages, 100);
	assert_int_equal(hugetlb_used_pages(&f->huge), 100 * 512);
	/* A page of records for each size. */
	assert_int_equal(hugetlb_reserved_pages(&f->huge), 3 * (1 << 18) + 2);
	assert_null(hugetlb_hstate(&f->huge, 10));
	hugetlb_report(&f->huge, &f->h->printer);
	expect_text(f, "  huge page size     node            asked for      in pool         free\n"
		       "           1 GiB      all                    3            3            3  "
		       "gigantic\n"
		       "           2 MiB      all                  100          100          100  "
		       "default\n");
}

/* The pool lends pages out, once each, lowest first; wrong and double frees change nothing. */
static void test_alloc_and_free(void **state)
{
	struct helper_hugetlb *f = *state;
	int64_t pfn[4];

	helper_hugetlb_node(f, RAM, GIB(4), NONE);
	helper_hugetlb_ask(f, ORDER_1G, 2);
	helper_hugetlb_ask(f, ORDER_2M, 4);
	helper_hugetlb_fill(f);
	assert_int_equal(hugetlb_alloc(&f->huge, 3, NONE), -EMM_EINVAL);
	assert_int_equal(hugetlb_free(&f->huge, 512, 3), -EMM_EINVAL);
	for (unsigned int i = 0; i < 4; i++) {
		pfn[i] = hugetlb_alloc(&f->huge, ORDER_2M, NONE);
		assert_true(pfn[i] > 0 && pfn[i] % 512 == 0);
		assert_true(!i || pfn[i] > pfn[i - 1]);
		assert_int_equal(pool(f, ORDER_2M)->free_huge_pages, 3 - i);
		assert_true(hugetlb_is_valid(&f->huge));
	}
	assert_int_equal(hugetlb_alloc(&f->huge, ORDER_2M, NONE), -EMM_ENOMEM);
	assert_int_equal(hugetlb_free(&f->huge, (uint64_t)pfn[2], ORDER_2M), 0);
	assert_int_equal(hugetlb_free(&f->huge, (uint64_t)pfn[2], ORDER_2M), -EMM_EDOUBLE);
	assert_int_equal(hugetlb_free(&f->huge, (uint64_t)pfn[1] + 1, ORDER_2M), -EMM_ENOENT);
	assert_int_equal(hugetlb_free(&f->huge, (uint64_t)pfn[1], ORDER_1G), -EMM_ENOENT);
	assert_int_equal(hugetlb_free(&f->huge, 0, ORDER_2M), -EMM_ENOENT);
	assert_int_equal(hugetlb_free(&f->huge, UINT64_MAX, ORDER_2M), -EMM_ENOENT);
	/* Whatever lies behind the records is none. */
	pool(f, ORDER_2M)->pages[4] =
		(struct huge_page){ UINT64_MAX, 0, 0, HUGE_PAGE_IN_USE, false };
	assert_int_equal(hugetlb_free(&f->huge, UINT64_MAX, ORDER_2M), -EMM_ENOENT);
	assert_int_equal(pool(f, ORDER_2M)->free_huge_pages, 1);
	assert_int_equal(hugetlb_alloc(&f->huge, ORDER_2M, NONE), pfn[2]);
	helper_hugetlb_balance(f, 0);
	/* The buddy never has a page of the pool. */
	for (unsigned int i = 0; i < 4; i++)
		for (unsigned int p = 0; p < 512; p++)
			assert_false(
				buddy_page_is_free(&page_zone(&f->pa, (uint64_t)pfn[i])->mm.buddy,
						   (uint64_t)pfn[i] + p));
}

/*
 * node 0: 4 GiB | node 1: 2 GiB | node 2: 8 GiB | node 5: 1 GiB and a bit
 * An equal share of each, and of those that have more what others have not.
 */
static void four_nodes(struct helper_hugetlb *f)
{
	helper_hugetlb_node(f, RAM, GIB(4), 0);
	helper_hugetlb_node(f, RAM + GIB(4), GIB(2), 1);
	helper_hugetlb_node(f, GIB(16), GIB(8), 2);
	helper_hugetlb_node(f, GIB(32) - MIB(64), GIB(1) + MIB(64), 5);
}

static void expect_nodes(const struct helper_hugetlb *f, unsigned int order, uint64_t n0,
			 uint64_t n1, uint64_t n2, uint64_t n5)
{
	const struct hstate *s = pool(f, order);
	const uint64_t want[] = { n0, n1, n2, n5, 0 };
	unsigned int none = f->huge.nid[0] == NONE;

	for (unsigned int slot = 0; slot < 5; slot++)
		assert_int_equal(s->nr_huge_pages_node[slot + none], want[slot]);
	assert_int_equal(s->nr_huge_pages_node[0], none ? 0 : n0);
	/* And they do lie there. */
	for (uint32_t i = 0; i < s->nr_pages; i++) {
		uint64_t start, end;
		int nid;

		assert_int_equal(
			memblock_search_pfn_nid(&f->h->mb, s->pages[i].pfn, &start, &end, &nid), 0);
		assert_int_equal(nid, f->huge.nid[s->pages[i].slot]);
	}
}

static void test_even_shares(void **state)
{
	struct helper_hugetlb *f = *state;

	four_nodes(f);
	helper_hugetlb_ask(f, ORDER_1G, 8);
	helper_hugetlb_ask(f, ORDER_2M, 403);
	helper_hugetlb_fill(f);
	expect_text(f, "");
	/*
	 * Records lie in the first GiB of node 0. Shares of 2, 2, 2 and 2; node 5 has one, and the
	 * one that is missing comes from the bottom. Of 2 MiB, node 1 has none left, node 5 32,
	 * one of which holds its reserve.
	 */
	expect_nodes(f, ORDER_1G, 3, 2, 2, 1);
	expect_nodes(f, ORDER_2M, 221, 0, 151, 31);
	assert_int_equal(hugetlb_alloc(&f->huge, ORDER_1G, 5), PFN_DOWN(GIB(32)));
	assert_int_equal(hugetlb_alloc(&f->huge, ORDER_1G, 5), -EMM_ENOMEM);
	assert_int_equal(hugetlb_alloc(&f->huge, ORDER_1G, 3), -EMM_ENOMEM);
	assert_int_equal(hugetlb_alloc(&f->huge, ORDER_1G, 1), PFN_DOWN(RAM + GIB(4)));
	f->h->out.len = 0;
	hugetlb_report(&f->huge, &f->h->printer);
	expect_text(f,
		    "  huge page size     node            asked for      in pool         free\n"
		    "           1 GiB      all                    8            8            6  "
		    "gigantic  default\n"
		    "                        0                                 3            3\n"
		    "                        1                                 2            1\n"
		    "                        2                                 2            2\n"
		    "                        5                                 1            0\n"
		    "           2 MiB      all                  403          403          403\n"
		    "                        0                               221          221\n"
		    "                        2                               151          151\n"
		    "                        5                                31           31\n");
}

/* So many on each node, also where the other nodes are searched first; what is missing is said. */
static void test_by_node(void **state)
{
	struct helper_hugetlb *f = *state;
	struct hugetlb_count *count;

	four_nodes(f);
	helper_hugetlb_node(f, GIB(64), GIB(2), NONE);
	count = helper_hugetlb_ask(f, ORDER_1G, 0);
	helper_hugetlb_ask_node(count, NONE, 1);
	helper_hugetlb_ask_node(count, 2, 5);
	helper_hugetlb_ask_node(count, 5, 2);
	helper_hugetlb_ask_node(count, 7, 1);
	count = helper_hugetlb_ask(f, ORDER_2M, 0);
	helper_hugetlb_ask_node(count, 5, 20);
	helper_hugetlb_ask_node(count, 0, 30);
	helper_hugetlb_ask_node(count, 1, 40);
	helper_hugetlb_ask_node(count, 5 + 1000, 4);
	helper_hugetlb_fill(f);
	expect_nodes(f, ORDER_1G, 0, 0, 5, 1);
	expect_nodes(f, ORDER_2M, 30, 40, 0, 20);
	assert_int_equal(pool(f, ORDER_1G)->max_huge_pages, 9);
	expect_text(f,
		    "HugeTLB: there is no node -1, hugepages=-1:1 ignored\n"
		    "HugeTLB: allocating 2 of page size 1 GiB failed on node 5. Only allocated 1 "
		    "hugepages.\n"
		    "HugeTLB: there is no node 7, hugepages=7:1 ignored\n"
		    "HugeTLB: there is no node 1005, hugepages=1005:4 ignored\n");
}

/* Orders that the hart caches: each tree's pages come from that tree. */
static void test_small_orders_by_node(void **state)
{
	struct helper_hugetlb *f = *state;

	for (unsigned int order = 1; order < 6; order += 2) {
		struct hugetlb_count *count = helper_hugetlb_ask(f, order, 0);

		helper_hugetlb_ask_node(count, 2, 1000);
		helper_hugetlb_ask_node(count, 0, 100);
		helper_hugetlb_ask_node(count, 1, 10);
	}
	four_nodes(f);
	helper_hugetlb_fill(f);
	for (unsigned int order = 1; order < 6; order += 2)
		expect_nodes(f, order, 100, 10, 1000, 0);
	expect_text(f, "");
}

/* A node of which nothing is left: the pages of the others are not taken for its own. */
static void test_node_is_used_up(void **state)
{
	struct helper_hugetlb *f = *state;

	four_nodes(f);
	memblock_reserve(&f->h->mb, GIB(32) - MIB(64), MIB(64));
	memblock_reserve(&f->h->mb, GIB(32), GIB(1) - MIB(16));
	helper_hugetlb_ask_node(helper_hugetlb_ask(f, ORDER_2M, 0), 5, 20);
	helper_hugetlb_ask_node(helper_hugetlb_ask(f, 4, 0), 5, 100);
	helper_hugetlb_ask_node(helper_hugetlb_ask(f, ORDER_1G, 0), 5, 1);
	helper_hugetlb_fill(f);
	/* 16 MiB less the reserve. */
	assert_int_equal(pool(f, ORDER_2M)->nr_huge_pages, 7);
	assert_int_equal(pool(f, 4)->nr_huge_pages, 31);
	assert_int_equal(pool(f, ORDER_1G)->nr_huge_pages, 0);
	assert_int_equal(pool(f, ORDER_2M)->nr_huge_pages,
			 pool(f, ORDER_2M)->nr_huge_pages_node[3]);
	assert_int_equal(pool(f, 4)->nr_huge_pages, pool(f, 4)->nr_huge_pages_node[3]);
	assert_non_null(strstr(f->h->out.text, "HugeTLB: allocating 1 of page size 1 GiB failed on "
					       "node 5. Only allocated 0 hugepages.\n"));
}

/* A node with several trees; and memory that is hotpluggable, or in pieces that touch. */
static void test_several_trees(void **state)
{
	struct helper_hugetlb *f = *state;
	struct hugetlb_count *count;

	for (unsigned int i = 0; i < 4; i++)
		helper_hugetlb_node(f, RAM + i * GIB(1), MIB(64), 1);
	helper_hugetlb_node(f, GIB(8), MIB(64), 0);
	count = helper_hugetlb_ask(f, ORDER_2M, 0);
	helper_hugetlb_ask_node(count, 1, 40);
	helper_hugetlb_ask_node(count, 0, 10);
	helper_hugetlb_fill(f);
	assert_int_equal(pool(f, ORDER_2M)->nr_huge_pages_node[0], 10);
	assert_int_equal(pool(f, ORDER_2M)->nr_huge_pages_node[1], 40);
	expect_text(f, "");
}

static void test_all_there_is(void **state)
{
	struct helper_hugetlb *f = *state;

	helper_memsim_add(f->s, RAM, MIB(64));
	f->h->mb.movable_node = true;
	for (unsigned int i = 0; i < 8; i++)
		assert_int_equal(
			memblock_add_node(&f->h->mb, RAM + i * MIB(8) + (i ? MIB(1) : 0),
					  MIB(8) + (i ? 0 : MIB(1)) - (i == 7 ? MIB(1) : 0), NONE,
					  i % 2 ? MEMBLOCK_HOTPLUG : 0),
			0);
	assert_int_equal(f->h->mb.memory.cnt, 8);
	helper_hugetlb_ask(f, ORDER_2M, 1000);
	helper_hugetlb_fill(f);
	assert_int_equal(pool(f, ORDER_2M)->nr_huge_pages, 31);
	assert_int_equal(alloc_pages(f->pa.harts, GFP_HIGHUSER, ORDER_2M), -EMM_ENOMEM);
}

/* Free pages go back for good: early ones leave memblock, the others their place in the buddy. */
static void test_release(void **state)
{
	struct helper_hugetlb *f = *state;
	uint64_t managed, nr = 77;
	int64_t in_use;

	helper_hugetlb_node(f, RAM, GIB(6), NONE);
	helper_hugetlb_ask(f, ORDER_1G, 3);
	helper_hugetlb_ask(f, ORDER_2M, 10);
	helper_hugetlb_fill(f);
	managed = helper_hugetlb_managed(f);
	in_use = hugetlb_alloc(&f->huge, ORDER_1G, NONE);
	assert_int_equal(hugetlb_release(&f->huge, f->pa.harts, &f->h->mb, 5, NONE, 1, &nr),
			 -EMM_EINVAL);
	assert_int_equal(nr, 77);
	assert_int_equal(hugetlb_release(&f->huge, f->pa.harts, &f->h->mb, ORDER_1G, NONE, 1, &nr),
			 0);
	assert_int_equal(nr, 1);
	assert_int_equal(helper_hugetlb_managed(f), managed + (1 << 18));
	helper_hugetlb_balance(f, 0);
	/* More than are free. */
	assert_int_equal(hugetlb_release(&f->huge, f->pa.harts, &f->h->mb, ORDER_1G, NONE, 9, &nr),
			 0);
	assert_int_equal(nr, 1);
	assert_int_equal(pool(f, ORDER_1G)->nr_huge_pages, 1);
	assert_int_equal(pool(f, ORDER_1G)->free_huge_pages, 0);
	helper_hugetlb_balance(f, 0);
	assert_int_equal(hugetlb_release(&f->huge, f->pa.harts, &f->h->mb, ORDER_2M, NONE, 4, NULL),
			 0);
	assert_int_equal(hugetlb_used_pages(&f->huge), 6 * 512);
	assert_int_equal(helper_hugetlb_managed(f), managed + (2 << 18));
	helper_hugetlb_balance(f, 0);
	/* Pages that are gone are none of the pool's. */
	for (uint32_t i = 0; i < pool(f, ORDER_1G)->nr_pages; i++) {
		uint64_t pfn = pool(f, ORDER_1G)->pages[i].pfn;

		assert_int_equal(hugetlb_free(&f->huge, pfn, ORDER_1G),
				 pfn == (uint64_t)in_use ? 0 : -EMM_ENOENT);
	}
	/* All of it, and blocks of 1 GiB can be had from the buddy again. */
	assert_int_equal(hugetlb_release(&f->huge, f->pa.harts, &f->h->mb, ORDER_1G, NONE, 9, &nr),
			 0);
	assert_int_equal(nr, 1);
	assert_int_equal(hugetlb_release(&f->huge, f->pa.harts, &f->h->mb, ORDER_2M, NONE, 9, &nr),
			 0);
	assert_int_equal(nr, 6);
	assert_int_equal(hugetlb_used_pages(&f->huge), 0);
	helper_hugetlb_balance(f, 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_true(alloc_pages(f->pa.harts, GFP_HIGHUSER, 18) > 0);
}

/* By node; and an early page cannot go when memblock has gone: it stays in the pool. */
static void test_release_fails(void **state)
{
	struct helper_hugetlb *f = *state;
	uint64_t nr;

	four_nodes(f);
	helper_hugetlb_ask(f, ORDER_1G, 8);
	helper_hugetlb_early(f);
	assert_int_equal(hugetlb_release(&f->huge, NULL, &f->h->mb, ORDER_1G, 2, 1, &nr),
			 -EMM_ESTATE);
	helper_hugetlb_handover(f);
	assert_int_equal(hugetlb_release(&f->huge, f->pa.harts, &f->h->mb, ORDER_1G, 2, 1, &nr), 0);
	assert_int_equal(nr, 1);
	assert_int_equal(hugetlb_release(&f->huge, f->pa.harts, &f->h->mb, ORDER_1G, 5, 2, &nr), 0);
	assert_int_equal(nr, 1);
	expect_nodes(f, ORDER_1G, 3, 2, 1, 0);
	helper_hugetlb_balance(f, 0);
	assert_int_equal(page_alloc_discard(&f->pa, &f->h->mb), 0);
	assert_int_equal(hugetlb_release(&f->huge, f->pa.harts, &f->h->mb, ORDER_1G, 2, 2, &nr),
			 -EMM_ERANGE);
	assert_int_equal(nr, 0);
	assert_int_equal(pool(f, ORDER_1G)->free_huge_pages, 6);
	assert_true(hugetlb_is_valid(&f->huge));
}

/* More nodes than have numbers: the pages of the others are there, for who takes any. */
static void test_many_nodes(void **state)
{
	struct helper_hugetlb *f = *state;
	unsigned int others = 0;

	helper_memsim_add(f->s, RAM, GIB(8));
	for (int i = 0; i < 20; i++)
		assert_int_equal(memblock_add_node(&f->h->mb, RAM + (phys_addr_t)i * MIB(128),
						   MIB(128), 100 - i, 0),
				 0);
	assert_int_equal(memblock_add(&f->h->mb, RAM + GIB(6), MIB(128)), 0);
	helper_hugetlb_ask(f, ORDER_2M, 700);
	helper_hugetlb_ask(f, 12, 60);
	helper_hugetlb_fill(f);
	assert_int_equal(f->huge.nr_nodes, HUGETLB_MAX_NODES);
	assert_int_equal(f->huge.nid[0], NUMA_NO_NODE);
	assert_int_equal(f->huge.nid[1], 81);
	assert_int_equal(f->huge.nid[15], 95);
	assert_int_equal(pool(f, ORDER_2M)->nr_huge_pages, 700);
	assert_int_equal(pool(f, 12)->nr_huge_pages, 60);
	assert_int_equal(pool(f, ORDER_2M)->nr_huge_pages_node[3], 32);
	assert_true(pool(f, ORDER_2M)->nr_huge_pages_node[16] > 0);
	assert_int_equal(hugetlb_alloc(&f->huge, ORDER_2M, 100), -EMM_ENOMEM);
	for (unsigned int i = 0; i < 700; i++) {
		int64_t pfn = hugetlb_alloc(&f->huge, ORDER_2M, NONE);

		assert_true(pfn > 0);
		others += (uint64_t)pfn < PFN_DOWN(RAM + 5 * MIB(128));
	}
	assert_int_equal(others, pool(f, ORDER_2M)->nr_huge_pages_node[16]);
	f->h->out.len = 0;
	hugetlb_report(&f->huge, &f->h->printer);
	assert_non_null(strstr(f->h->out.text, "  others "));
	assert_true(f->h->out.len < 80 * 40);
}

#define hugetlb_test(f) \
	cmocka_unit_test_setup_teardown(f, helper_hugetlb_setup, helper_hugetlb_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		hugetlb_test(test_both_kinds),
		hugetlb_test(test_alloc_and_free),
		hugetlb_test(test_even_shares),
		hugetlb_test(test_by_node),
		hugetlb_test(test_small_orders_by_node),
		hugetlb_test(test_node_is_used_up),
		hugetlb_test(test_several_trees),
		hugetlb_test(test_all_there_is),
		hugetlb_test(test_release),
		hugetlb_test(test_release_fails),
		hugetlb_test(test_many_nodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
