/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy, the list buddy and a naive model against each other, on the same memory: the buddy
 * chooses the frames, the list buddy claims the same ones, so all three hold the same set. Whether
 * there is a block of an order, what is refused and with which error, and which free blocks there
 * are once nothing is kept back, must be the same for all.
 * BUDDY_DIFF_OPS sets the operations, BUDDY_DIFF_ROUNDS how often ranges are added late,
 * BUDDY_DIFF_SEED the seed.
 */
#include "helper_page_model.h"

#include <stdlib.h>

#include <earlymm/buddy.h>
#include <earlymm/error.h>
#include <earlymm/list_buddy.h>

/* Per cent of the operations that this program does: less where the source is tested once more. */
#ifndef BUDDY_DIFF_SHARE
#define BUDDY_DIFF_SHARE 100
#endif
#ifndef MAX_PAGES
#define MAX_PAGES (1U << 20)
#endif
#define MAX_TREES    4
#define NR_ORDERS    (BUDDY_MAX_ORDER + 1)
#define MAX_ORDER(n) ((n) < BUDDY_MAX_ORDER ? (n) : BUDDY_MAX_ORDER)

struct fixture {
	struct buddy b;
	struct buddy_tree trees[MAX_TREES];
	struct buddy_hart hart;
	void *meta[MAX_TREES];
	struct list_zone zones[MAX_TREES]; /* one for each tree */
	struct list_hart list_harts[MAX_TREES][2];
	void *memmap[MAX_TREES];
	unsigned int list_order; /* the largest that the zones have */
	unsigned int same_order; /* up to which free blocks must be the same */
	struct page_model m;
};

/* ---- the zones ---- */

/* Which zone @pfn is in; the first if none. */
static unsigned int zone_of(const struct fixture *f, uint64_t pfn)
{
	for (unsigned int i = 0; i < f->b.nr_trees; i++)
		if (pfn - f->zones[i].start_pfn < f->zones[i].spanned_pages)
			return i;
	return 0;
}

static int list_free(struct fixture *f, uint64_t pfn, unsigned int order)
{
	return list_free_pages(&f->list_harts[zone_of(f, pfn)][page_model_random(&f->m) >> 63], pfn,
			       order);
}

static void list_drain_all(struct fixture *f)
{
	for (unsigned int i = 0; i < f->b.nr_trees; i++)
		for (unsigned int k = 0; k < 2; k++)
			list_drain(&f->list_harts[i][k]);
}

static uint64_t list_held(const struct fixture *f)
{
	uint64_t held = 0;

	for (unsigned int i = 0; i < f->b.nr_trees; i++)
		for (unsigned int k = 0; k < 2; k++)
			held += list_nr_held(&f->list_harts[i][k]);
	return held;
}

/* The block that the buddy chose; a hart may have a part of it. */
static void list_take(struct fixture *f, uint64_t pfn, unsigned int order)
{
	struct list_zone *z = &f->zones[zone_of(f, pfn)];
	int err = list_claim(z, pfn, order);

	if (err == -EMM_EBUSY) {
		list_drain_all(f);
		err = list_claim(z, pfn, order);
	}
	assert_int_equal(err, 0);
}

static void list_has_none(struct fixture *f, unsigned int order)
{
	if (order > f->list_order)
		return;
	list_drain_all(f);
	for (unsigned int i = 0; i < f->b.nr_trees; i++)
		assert_int_equal(list_alloc_pages(&f->list_harts[i][0], order, 0), -EMM_ENOMEM);
}

/* ---- the same state ---- */

static void check_pages(struct fixture *f)
{
	const struct page_model *m = &f->m;
	uint64_t held = buddy_nr_held(&f->hart), listed = list_held(f);

	for (uint64_t pfn = m->base_pfn; pfn < m->base_pfn + m->nr_pages; pfn++) {
		bool expect = page_model_state(m, pfn) == PAGE_FREE;
		bool in_tree = buddy_page_is_free(&f->b, pfn);
		bool in_list = list_page_is_free(&f->zones[zone_of(f, pfn)], pfn);

		if ((in_tree || in_list) && !expect)
			fail_msg("pfn %#llx is free in the %s, not in the model",
				 (unsigned long long)pfn, in_tree ? "tree" : "list");
		if (expect && ((!in_tree && !held) || (!in_list && !listed)))
			fail_msg("pfn %#llx is lost in the %s", (unsigned long long)pfn,
				 in_list ? "tree" : "list");
		held -= expect && !in_tree;
		listed -= expect && !in_list;
	}
}

/* Free blocks by order, when nobody keeps anything back: all is merged, so they are the same. */
static void check_blocks(struct fixture *f)
{
	uint64_t model[MODEL_ORDERS], tree[MODEL_ORDERS] = { 0 }, list[MODEL_ORDERS] = { 0 };

	for (unsigned int i = 0; i < f->b.nr_trees; i++) {
		uint64_t counts[LIST_MAX_ORDER + 1];

		list_nr_blocks(&f->zones[i], counts);
		for (unsigned int k = 0; k < MODEL_ORDERS; k++)
			list[k] += counts[k];
	}
	buddy_nr_blocks(&f->b, tree);
	page_model_nr_blocks(&f->m, model, f->same_order);
	page_model_fold(tree, f->same_order);
	page_model_fold(list, f->same_order);
	for (unsigned int k = 0; k < MODEL_ORDERS; k++) {
		assert_int_equal(tree[k], model[k]);
		assert_int_equal(list[k], model[k]);
	}
}

static void check_whole_state(struct fixture *f)
{
	uint64_t listed = list_held(f);

	assert_true(buddy_is_valid(&f->b));
	for (unsigned int i = 0; i < f->b.nr_trees; i++) {
		assert_true(list_is_valid(&f->zones[i]));
		listed += list_nr_free(&f->zones[i]);
	}
	assert_int_equal(buddy_nr_free(&f->b) + buddy_nr_held(&f->hart), f->m.total_free);
	assert_int_equal(listed, f->m.total_free);
	check_pages(f);
	list_drain_all(f);
	if (page_model_random(&f->m) >> 63) {
		buddy_drain(&f->hart);
		check_blocks(f);
	}
}

/* ---- operations ---- */

static void op_alloc(struct fixture *f, unsigned int order)
{
	int64_t pfn = buddy_alloc(&f->hart, order);

	if (pfn < 0) {
		assert_int_equal(pfn, -EMM_ENOMEM);
		assert_int_equal(f->m.nr_whole[order], 0);
		assert_int_equal(buddy_nr_held(&f->hart), 0);
		list_has_none(f, order);
		return;
	}
	page_model_take(&f->m, pfn, order);
	list_take(f, (uint64_t)pfn, order);
}

/* Frees the block as it is, or, after a split, as two halves or page by page. */
static void op_free(struct fixture *f, unsigned int at)
{
	struct page_model *m = &f->m;
	struct live_block blk = m->live[at];
	unsigned int order = blk.order;
	uint64_t pick = page_model_random(m) >> 32;

	m->live[at] = m->live[--m->nr_live];
	if (order && pick % 16 == 0) {
		assert_int_equal(buddy_split(&f->hart, blk.pfn, order), 0);
		order = order > 10 || pick & 16 ? order - 1 : 0;
		assert_int_equal(list_split_page(&f->zones[zone_of(f, blk.pfn)], blk.pfn, blk.order,
						 order),
				 0);
	}
	page_model_set(m, blk.pfn, blk.order, PAGE_FREE);
	for (uint64_t i = 0; i < 1ULL << blk.order; i += 1ULL << order) {
		assert_int_equal(buddy_free(&f->hart, blk.pfn + i, order), 0);
		assert_int_equal(list_free(f, blk.pfn + i, order), 0);
	}
}

/* Both refuse it, for the same reason. */
static void refused(struct fixture *f, uint64_t pfn, unsigned int order, int err)
{
	assert_int_equal(buddy_free(&f->hart, pfn, order), err);
	assert_int_equal(list_free(f, pfn, order), err);
}

/* Calls that must be refused and change nothing. */
static void op_misuse(struct fixture *f)
{
	struct page_model *m = &f->m;
	uint64_t pfn = m->base_pfn + page_model_random(m) % m->nr_pages;
	unsigned int order = (unsigned int)(page_model_random(m) >> 40) % MAX_ORDER(3);
	uint64_t start = pfn & ~((1ULL << order) - 1);
	struct live_block was;
	unsigned int at;

	switch ((page_model_random(m) >> 33) % 4) {
	case 0:
		refused(f, pfn | 1, 1 + order, -EMM_EINVAL);
		return;
	case 1:
		refused(f, m->base_pfn + m->nr_pages + start, order, -EMM_ERANGE);
		assert_int_equal(buddy_free(&f->hart, pfn, NR_ORDERS), -EMM_EINVAL);
		assert_int_equal(buddy_alloc(&f->hart, NR_ORDERS), -EMM_EINVAL);
		assert_int_equal(list_free(f, pfn, f->list_order + 1), -EMM_EINVAL);
		assert_int_equal(list_alloc_pages(&f->list_harts[0][0], f->list_order + 1, 0),
				 -EMM_EINVAL);
		return;
	default:
		break;
	}
	/* A double free of a page that has been in use before. */
	if (!m->nr_live)
		return;
	at = (unsigned int)(page_model_random(m) % m->nr_live);
	was = m->live[at];
	m->live[at] = m->live[--m->nr_live];
	page_model_set(m, was.pfn, was.order, PAGE_FREE);
	assert_int_equal(buddy_free(&f->hart, was.pfn, was.order), 0);
	assert_int_equal(list_free(f, was.pfn, was.order), 0);
	refused(f, was.pfn, was.order, -EMM_EDOUBLE);
	/* A part of it: the buddy sees it while it is in a word of the same level. */
	if (was.order % BUDDY_RADIX_SHIFT)
		refused(f, was.pfn, was.order - 1, -EMM_EDOUBLE);
	else if (was.order)
		assert_int_equal(list_free(f, was.pfn, was.order - 1), -EMM_EDOUBLE);
}

static void run_ops(struct fixture *f, uint64_t ops, unsigned int max_order)
{
	struct page_model *m = &f->m;
	uint64_t check_every = m->nr_pages * 24 + 1000;
	unsigned int bias = 50;

	for (uint64_t op = 0; op < ops; op++) {
		uint64_t pick = page_model_random(m) >> 32;

		if (pick % 4096 == 0)
			bias = 30 +
			       (unsigned int)(pick / 4096 % 41); /* fill for a while, or empty */
		if (pick % 997 == 0)
			buddy_drain(&f->hart);
		if (pick % 61 == 0)
			op_misuse(f);
		if (m->nr_live && (pick % 100 >= bias || m->nr_live == MODEL_MAX_LIVE))
			op_free(f, (unsigned int)(page_model_random(m) % m->nr_live));
		else
			op_alloc(f, page_model_random_order(m, max_order));
		if (op % check_every == 0)
			check_whole_state(f);
	}
	check_whole_state(f);
	while (m->nr_live)
		op_free(f, m->nr_live - 1);
	check_whole_state(f);
	buddy_drain(&f->hart);
	assert_int_equal(buddy_nr_held(&f->hart), 0);
	assert_int_equal(list_held(f), 0);
	check_blocks(f);
}

/* ---- set-up ---- */

static void add_zone(struct fixture *f, uint64_t start, uint64_t end)
{
	unsigned int i = f->b.nr_trees - 1;
	uint64_t bytes = list_memmap_bytes(start, end, f->list_order);

	assert_int_equal(list_zone_init(&f->zones[i], f->list_harts[i], 2, start, end,
					f->list_order, NUMA_NO_NODE),
			 0);
	f->memmap[i] = malloc(bytes);
	assert_non_null(f->memmap[i]);
	for (uint64_t k = 0; k < bytes / 8; k++)
		((uint64_t *)f->memmap[i])[k] = page_model_random(&f->m);
	assert_int_equal(list_set_memmap(&f->zones[i], f->memmap[i], bytes), 0);
	assert_int_equal(list_memmap_init(&f->zones[i], NULL), 0);
}

static void add_tree(struct fixture *f, uint64_t start, uint64_t end)
{
	uint64_t bytes = buddy_tree_bytes(start, end);
	void *meta = malloc(bytes);

	assert_non_null(meta);
	/* Words and hints must not need initial values: any content will do. */
	for (uint64_t i = 0; i < bytes; i++)
		((uint8_t *)meta)[i] = (uint8_t)(page_model_random(&f->m) >> 40);
	f->meta[f->b.nr_trees] = meta;
	assert_int_equal(buddy_add_tree(&f->b, start, end, meta, bytes), 0);
	add_zone(f, start, end);
}

/* Of the hole [hole_start, hole_end). Harts of the list buddy move a few pages at a time. */
static void add_range(struct fixture *f, uint64_t start, uint64_t end, uint64_t hole_start,
		      uint64_t hole_end)
{
	unsigned int zone = zone_of(f, start);

	assert_int_equal(buddy_add_range(&f->hart, start, end, hole_start, hole_end), 0);
	assert_int_equal(list_add_range(&f->zones[zone], start, end), 0);
	for (unsigned int k = 0; k < 2; k++)
		assert_int_equal(list_set_pcp(&f->list_harts[zone][k], 3 + 4 * k, 20 + 9 * k), 0);
	page_model_add(&f->m, start, end);
}

static struct fixture *fixture_new(uint64_t base_pfn, uint64_t nr_pages, uint64_t seed,
				   unsigned int list_order)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	page_model_init(&f->m, base_pfn, nr_pages, seed);
	f->list_order = list_order;
	f->same_order = MAX_ORDER(list_order);
	assert_int_equal(buddy_init(&f->b, f->trees, ARRAY_SIZE(f->trees), &f->hart, 1), 0);
	return f;
}

static void fixture_delete(struct fixture *f)
{
	for (uint32_t i = 0; i < f->b.nr_trees; i++) {
		free(f->meta[i]);
		free(f->memmap[i]);
	}
	page_model_exit(&f->m);
	free(f);
}

static uint64_t ops_of(uint64_t share)
{
	return page_model_env("BUDDY_DIFF_OPS", 5000000) * share / 100 * BUDDY_DIFF_SHARE / 100;
}

#define SEED page_model_env("BUDDY_DIFF_SEED", 42)

/* One word's worth of pages up to a few: every border case of a small tree comes up often. */
static void test_small_arenas(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t nr_pages = 1 + (i * 37) % 300;
		struct fixture *f = fixture_new(0x40000 * (i % 3), 1024, SEED + i, 10);
		uint64_t start = f->m.base_pfn + (i * 13) % 128;

		add_tree(f, start, start + nr_pages);
		add_range(f, start, start + nr_pages, 0, UINT64_MAX);
		run_ops(f, ops_of(30) / 200, MAX_ORDER(7));
		fixture_delete(f);
	}
}

/* 64 MiB and its edges off every border, with two holes: orders up to 12. */
static void test_holes(void **state)
{
	struct fixture *f = fixture_new(0x80000, 16384, SEED, 14);

	(void)state;
	add_tree(f, 0x80000 + 3, 0x80000 + 16000);
	add_range(f, 0x80000 + 3, 0x80000 + 700, 0, UINT64_MAX);
	add_range(f, 0x80000 + 701, 0x80000 + 5000, 0x80000 + 700, UINT64_MAX);
	add_range(f, 0x80000 + 8192, 0x80000 + 16000, 0x80000 + 5000, UINT64_MAX);
	run_ops(f, ops_of(40), MAX_ORDER(12));
	fixture_delete(f);
}

/*
 * Four trees that touch, at multiples of the largest order used, where the model would not merge
 * either: allocation goes from tree to tree, free finds the right one.
 */
static void test_several_trees(void **state)
{
	struct fixture *f = fixture_new(0, 8192, SEED, 12);
	static const uint64_t border[] = { 1, 992, 2048, 4096, 8192 };

	(void)state;
	f->same_order = MAX_ORDER(5);
	for (unsigned int i = 0; i < 4; i++) {
		add_tree(f, border[i], border[i + 1]);
		add_range(f, border[i], border[i + 1], border[i], UINT64_MAX);
	}
	run_ops(f, ops_of(10), MAX_ORDER(5));
	fixture_delete(f);
}

/* 4 GiB: all orders, the top level with several bits. */
static void test_all_orders(void **state)
{
	struct fixture *f = fixture_new(0x100000, MAX_PAGES, SEED, LIST_MAX_ORDER);

	(void)state;
	add_tree(f, 0x100000, 0x100000 + MAX_PAGES);
	add_range(f, 0x100000 + 17, 0x100000 + MAX_PAGES, 0, UINT64_MAX);
	run_ops(f, ops_of(20), BUDDY_MAX_ORDER);
	fixture_delete(f);
}

/* Ranges added while the rest is in use (rule 8), whole holes and parts of them. */
static void test_late_ranges(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < page_model_env("BUDDY_DIFF_ROUNDS", 64); i++) {
		struct fixture *f = fixture_new(0, 16384, SEED + i, 14);
		uint64_t a = 1 + page_model_random(&f->m) % 8000,
			 z = a + 1 + page_model_random(&f->m) % 8000;
		uint64_t b = a + page_model_random(&f->m) % (z - a),
			 c = b + 1 + page_model_random(&f->m) % (z - b);

		add_tree(f, 0, 16384);
		add_range(f, 0, a, 0, UINT64_MAX);
		add_range(f, z, 16384, a, UINT64_MAX);
		run_ops(f, 2000, MAX_ORDER(9));
		/* [a, z) is a hole; [b, c) of it comes first, then what is left at both ends. */
		add_range(f, b, c, a, z);
		run_ops(f, 2000, MAX_ORDER(9));
		if (a < b)
			add_range(f, a, b, a, b);
		run_ops(f, 2000, MAX_ORDER(9));
		if (c < z)
			add_range(f, c, z, c, z);
		run_ops(f, 2000, MAX_ORDER(12));
		assert_int_equal(f->m.total_free, 16384);
		assert_int_equal(buddy_alloc(&f->hart, MAX_ORDER(14)) & ((1 << MAX_ORDER(14)) - 1),
				 0);
		fixture_delete(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_arenas),  cmocka_unit_test(test_holes),
		cmocka_unit_test(test_several_trees), cmocka_unit_test(test_all_orders),
		cmocka_unit_test(test_late_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
