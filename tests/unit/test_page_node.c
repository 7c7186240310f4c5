/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes: which is asked first, where an allocation goes when that has none, and what is counted. */
#include "helper_pages.h"

#include <earlymm/error.h>
#include <earlymm/page_contig.h>

#define NODE_BASE(nid) (0x100000000ULL + (uint64_t)(nid)*MIB(64))
#define NODE_PAGES     8192ULL

/* 0 - 1 - 2 - 3 in a row; *@ctx is from end to end. */
static int in_a_row(void *ctx, int from, int to)
{
	const int *far = ctx;

	int steps = from < to ? to - from : from - to;

	return steps == 3 ? *far : steps;
}

static void start_nodes(struct helper_pages *f, int nr_nodes)
{
	for (int nid = 0; nid < nr_nodes; nid++)
		helper_pages_ram(f, NODE_BASE(nid), NODE_PAGES << PAGE_SHIFT, nid);
	helper_pages_start(f);
	assert_int_equal(f->pa.nr_nodes, nr_nodes);
	assert_true(f->pa.by_node);
}

static int node_of(const struct helper_pages *f, int64_t pfn)
{
	const struct zone *z = page_zone(&f->pa, (uint64_t)pfn);

	assert_true(pfn >= 0 && z);
	return z->nid;
}

static struct zone_hart *books(struct helper_pages *f, int nid, uint32_t hart)
{
	return &helper_zone(f, ZONE_NORMAL, nid)->harts[hart];
}

/* Takes all that @hart may have from @nid, by the order of a large block; returns how many pages. */
static uint64_t use_up(struct helper_pages *f, uint32_t hart, int nid)
{
	struct page_hart *h = &f->pa.harts[hart];
	uint64_t nr_pages = 0;

	for (unsigned int order = 10; order != ~0U; order--)
		while (alloc_pages_node(h, nid, GFP_KERNEL | __GFP_THISNODE, order) >= 0)
			nr_pages += 1ULL << order;
	return nr_pages;
}

static void test_two_nodes(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h;
	uint64_t used = 0;
	int64_t pfn;

	start_nodes(f, 2);
	h = &f->pa.harts[0];
	for (int i = 0; i < 200; i++) {
		int nid = i % 3 - 1;

		pfn = alloc_pages_node(h, nid, i & 8 ? GFP_HIGHUSER_MOVABLE : GFP_KERNEL,
				       (unsigned int)i % 9);
		assert_int_equal(node_of(f, pfn), nid < 0 ? 0 : nid);
		used += 1ULL << i % 9;
	}
	helper_pages_expect(f, used);
	assert_int_equal(books(f, 0, 0)->fallbacks[0] + books(f, 1, 0)->fallbacks[0], 0);
	assert_int_equal(alloc_pages_node(h, 2, GFP_KERNEL, 0), -EMM_EINVAL);
	assert_int_equal(alloc_pages_node(h, -2, GFP_KERNEL, 0), -EMM_EINVAL);
	assert_int_equal(alloc_pages_node(h, 1, GFP_KERNEL, BUDDY_MAX_ORDER + 1), -EMM_EINVAL);
	assert_int_equal(alloc_pages_node(h, 1, 0x100, 0), -EMM_EINVAL);
	assert_int_equal(h->refusals, 4);
	helper_pages_expect(f, used);
}

/* Where the next block of each size goes as node after node is used up. */
static void check_order(struct helper_pages *f, int nid, const int *order, int nr_nodes)
{
	struct page_hart *h = &f->pa.harts[0];
	uint64_t used[4] = { 0 }, all = 0;
	int64_t first[4], pfn;

	for (int i = 0; i < nr_nodes; i++) {
		struct zone_hart *zh = books(f, order[i], 0);
		uint32_t fallbacks = zh->fallbacks[3];

		first[i] = alloc_pages_node(h, nid, GFP_KERNEL, 3);
		assert_int_equal(node_of(f, first[i]), order[i]);
		assert_int_equal(zh->fallbacks[3] > fallbacks, i > 0);
		used[i] = use_up(f, 0, order[i]);
		assert_true(used[i] > NODE_PAGES / 2);
		all += used[i] + 8;
		helper_pages_expect(f, all);
	}
	pfn = alloc_pages_node(h, nid, GFP_KERNEL, 3);
	assert_int_equal(pfn, -EMM_ENOMEM);
	for (int i = 0; i < nr_nodes; i++)
		assert_int_equal(free_pages(h, (uint64_t)first[i], 3), 0);
	helper_pages_expect(f, all - 8 * (uint64_t)nr_nodes);
	/* The nearest has memory again, and is had again. */
	pfn = alloc_pages_node(h, nid, GFP_ATOMIC, 0);
	assert_int_equal(node_of(f, pfn), nid);
}

static void test_row_from_0(void **state)
{
	struct helper_pages *f = *state;
	int far = 10;

	f->cfg.distance = in_a_row;
	f->cfg.distance_ctx = &far;
	start_nodes(f, 4);
	check_order(f, 0, (const int[]){ 0, 1, 2, 3 }, 4);
}

static void test_row_from_2(void **state)
{
	struct helper_pages *f = *state;
	int far = 10;

	f->cfg.distance = in_a_row;
	f->cfg.distance_ctx = &far;
	start_nodes(f, 4);
	/* Of two that are as near the next in a round comes first: 3 before 1. */
	check_order(f, 2, (const int[]){ 2, 3, 1, 0 }, 4);
}

static void test_ring(void **state)
{
	struct helper_pages *f = *state;
	int far = 1;

	f->cfg.distance = in_a_row;
	f->cfg.distance_ctx = &far;
	start_nodes(f, 4);
	check_order(f, 3, (const int[]){ 3, 0, 2, 1 }, 4);
}

/* All alike: the next in a round. */
static void test_no_distances(void **state)
{
	struct helper_pages *f = *state;

	start_nodes(f, 4);
	check_order(f, 1, (const int[]){ 1, 2, 3, 0 }, 4);
}

/* A node is never left with __GFP_THISNODE, and no other than those of the mask is asked. */
static void test_this_node_and_mask(void **state)
{
	struct helper_pages *f = *state;
	uint64_t mask = 1ULL << 1 | 1ULL << 3, none = 0, used = 0;
	struct page_hart *h;

	start_nodes(f, 4);
	h = &f->pa.harts[0];
	used += use_up(f, 0, 2);
	assert_int_equal(alloc_pages_node(h, 2, __GFP_THISNODE, 0), -EMM_ENOMEM);
	assert_true(books(f, 2, 0)->failures[0] >= 2);
	assert_int_equal(node_of(f, alloc_pages_nodemask(h, 0, 0, 2, NULL)), 3);
	assert_int_equal(node_of(f, alloc_pages_nodemask(h, 0, 0, 0, &mask)), 1);
	assert_int_equal(node_of(f, alloc_pages_nodemask(h, 0, 0, 2, &mask)), 3);
	assert_int_equal(node_of(f, alloc_pages_nodemask(h, 0, 0, NUMA_NO_NODE, &mask)), 1);
	helper_pages_expect(f, used + 4);
	assert_int_equal(alloc_contig_pages(h, 300, __GFP_THISNODE, 2), -EMM_ENOMEM);
	/* What is had in this way does not lead the next allocation astray. */
	assert_int_equal(node_of(f, alloc_page(h, GFP_KERNEL)), 0);
	used += use_up(f, 0, 1) + use_up(f, 0, 3) + 5;
	assert_int_equal(alloc_pages_nodemask(h, 0, 0, 1, &mask), -EMM_ENOMEM);
	assert_int_equal(alloc_pages_nodemask(h, 0, 2, 0, &none), -EMM_ENOMEM);
	assert_int_equal(h->refusals, 1);
	assert_int_equal(node_of(f, alloc_pages_node(h, 1, 0, 0)), 0);
	helper_pages_expect(f, used + 1);
}

/* A hart on another node; frees go to the node of the page, whoever frees it. */
static void test_harts(void **state)
{
	struct helper_pages *f = *state;
	int64_t pfn[4][64];

	f->cfg.nr_harts = 4;
	start_nodes(f, 3);
	assert_int_equal(page_alloc_set_node(&f->pa, 1, 1), 0);
	assert_int_equal(page_alloc_set_node(&f->pa, 2, 2), 0);
	assert_int_equal(page_alloc_set_node(&f->pa, 3, 3), -EMM_ENOENT);
	assert_int_equal(page_alloc_set_node(&f->pa, 4, 0), -EMM_EINVAL);
	for (int i = 0; i < 64; i++)
		for (uint32_t hart = 0; hart < 4; hart++) {
			pfn[hart][i] = alloc_page(&f->pa.harts[hart], GFP_KERNEL);
			assert_int_equal(node_of(f, pfn[hart][i]), hart % 3);
		}
	helper_pages_expect(f, 256);
	for (int i = 0; i < 64; i++)
		for (uint32_t hart = 0; hart < 4; hart++)
			assert_int_equal(
				free_page(&f->pa.harts[(hart + 1) % 4], (uint64_t)pfn[hart][i]), 0);
	helper_pages_expect(f, 0);
	/* From its first block on, a hart that has moved takes from its new node. */
	assert_int_equal(page_alloc_set_node(&f->pa, 1, 2), 0);
	assert_int_equal(node_of(f, alloc_page(&f->pa.harts[1], GFP_KERNEL)), 2);
	assert_int_equal(node_of(f, alloc_page(&f->pa.harts[1], GFP_ATOMIC)), 2);
	helper_pages_expect(f, 2);
}

/* Node ids that there is no room for: all is node 0, whatever is asked for. */
static void test_not_told_apart(void **state)
{
	struct helper_pages *f = *state;
	uint64_t mask = 1ULL << 5;
	struct page_hart *h;

	helper_pages_ram(f, NODE_BASE(0), MIB(32), 0);
	helper_pages_ram(f, NODE_BASE(1), MIB(32), PAGE_ALLOC_MAX_NODES);
	helper_pages_start(f);
	h = &f->pa.harts[0];
	assert_false(f->pa.by_node);
	assert_int_equal(f->pa.nr_zones, 1);
	assert_int_equal(node_of(f, alloc_pages_node(h, PAGE_ALLOC_MAX_NODES, __GFP_THISNODE, 0)),
			 0);
	assert_int_equal(node_of(f, alloc_pages_nodemask(h, 0, 0, 3, &mask)), 0);
	assert_true(use_up(f, 0, 0) > 14000);
}

/* A node in between that has none. */
static void test_no_memory_there(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h;

	helper_pages_ram(f, NODE_BASE(0), MIB(32), 0);
	helper_pages_ram(f, NODE_BASE(1), MIB(32), 2);
	f->cfg.nr_harts = 2;
	helper_pages_start(f);
	h = &f->pa.harts[0];
	assert_int_equal(f->pa.nr_nodes, 3);
	assert_int_equal(node_of(f, alloc_pages_node(h, 1, 0, 4)), 2);
	assert_int_equal(alloc_pages_node(h, 1, __GFP_THISNODE, 0), -EMM_ENOMEM);
	assert_int_equal(h->refusals, 1);
	assert_int_equal(page_alloc_set_node(&f->pa, 1, 1), 0);
	assert_int_equal(node_of(f, alloc_page(&f->pa.harts[1], GFP_KERNEL)), 2);
	helper_pages_expect(f, 17);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_two_nodes),       pages_test(test_row_from_0),
		pages_test(test_row_from_2),      pages_test(test_ring),
		pages_test(test_no_distances),    pages_test(test_this_node_and_mask),
		pages_test(test_harts),           pages_test(test_not_told_apart),
		pages_test(test_no_memory_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
