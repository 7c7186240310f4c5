/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy against a naive model: a byte a page and, for each order, the free pages in each
 * aligned block. The model's answer to "is there such a block" is exact, and so must be the
 * buddy's: an aligned free run of any order can always be had.
 * BUDDY_DIFF_OPS sets the operations, BUDDY_DIFF_ROUNDS how often ranges are added late,
 * BUDDY_DIFF_SEED the seed.
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <earlymm/buddy.h>
#include <earlymm/error.h>

/* Per cent of the operations that this program does: less where the source is tested once more. */
#ifndef BUDDY_DIFF_SHARE
#define BUDDY_DIFF_SHARE 100
#endif
#ifndef MAX_PAGES
#define MAX_PAGES (1U << 20)
#endif
#define MAX_LIVE     65536
#define NR_ORDERS    (BUDDY_MAX_ORDER + 1)
#define MAX_ORDER(n) ((n) < BUDDY_MAX_ORDER ? (n) : BUDDY_MAX_ORDER)

enum page_state { PAGE_HOLE, PAGE_FREE, PAGE_USED };

struct live_block {
	uint64_t pfn;
	unsigned int order;
};

struct model {
	uint64_t base_pfn; /* a multiple of the largest block */
	uint64_t nr_pages;
	uint8_t state[MAX_PAGES];
	uint32_t *nr_free[NR_ORDERS]; /* free pages of each aligned block */
	uint64_t nr_whole[NR_ORDERS]; /* blocks that are wholly free */
	uint64_t total_free;
	struct live_block live[MAX_LIVE];
	unsigned int nr_live;
};

struct fixture {
	struct buddy b;
	struct buddy_tree trees[4];
	struct buddy_hart hart;
	void *meta[4];
	struct model m;
	uint64_t rng;
};

static uint64_t random64(struct fixture *f)
{
	f->rng ^= f->rng << 13;
	f->rng ^= f->rng >> 7;
	f->rng ^= f->rng << 17;
	return f->rng;
}

/* Sets the state of a naturally aligned block whose pages all have another state. */
static void model_set(struct model *m, uint64_t pfn, unsigned int order, enum page_state to)
{
	uint64_t at = pfn - m->base_pfn;
	uint32_t nr = 1U << order;
	bool to_free = to == PAGE_FREE, was_free = m->state[at] == PAGE_FREE;

	memset(&m->state[at], (int)to, nr);
	if (to_free == was_free)
		return;
	m->total_free += to_free ? nr : -(uint64_t)nr;
	for (unsigned int k = 0; k < NR_ORDERS; k++) {
		uint32_t size = 1U << k, delta = k < order ? size : nr;
		uint64_t blocks = k < order ? nr >> k : 1;

		for (uint64_t i = at >> k; i < (at >> k) + blocks; i++) {
			if (!to_free && m->nr_free[k][i] == size)
				m->nr_whole[k]--;
			m->nr_free[k][i] += to_free ? delta : -delta;
			if (to_free && m->nr_free[k][i] == size)
				m->nr_whole[k]++;
		}
	}
}

static void check_whole_state(struct fixture *f)
{
	struct model *m = &f->m;
	uint64_t held = buddy_nr_held(&f->hart);

	assert_true(buddy_is_valid(&f->b));
	assert_int_equal(buddy_nr_free(&f->b) + held, m->total_free);
	for (uint64_t i = 0; i < m->nr_pages; i++) {
		bool is_free = buddy_page_is_free(&f->b, m->base_pfn + i);

		if (is_free && m->state[i] != PAGE_FREE)
			fail_msg("pfn %#llx is free in the tree, not in the model",
				 (unsigned long long)(m->base_pfn + i));
		if (!is_free && m->state[i] == PAGE_FREE) {
			if (!held)
				fail_msg("pfn %#llx is lost",
					 (unsigned long long)(m->base_pfn + i));
			held--;
		}
	}
}

static void op_alloc(struct fixture *f, unsigned int order)
{
	struct model *m = &f->m;
	int64_t pfn = buddy_alloc(&f->hart, order);

	if (pfn < 0) {
		assert_int_equal(pfn, -EMM_ENOMEM);
		assert_int_equal(m->nr_whole[order], 0);
		assert_int_equal(buddy_nr_held(&f->hart), 0);
		return;
	}
	assert_int_equal((uint64_t)pfn & ((1ULL << order) - 1), 0);
	assert_in_range((uint64_t)pfn, m->base_pfn, m->base_pfn + m->nr_pages - (1ULL << order));
	for (uint64_t i = 0; i < 1ULL << order; i++)
		assert_int_equal(m->state[(uint64_t)pfn - m->base_pfn + i], PAGE_FREE);
	model_set(m, (uint64_t)pfn, order, PAGE_USED);
	m->live[m->nr_live++] = (struct live_block){ (uint64_t)pfn, order };
}

/* Frees the block as it is, or, after buddy_split(), as two halves or page by page. */
static void op_free(struct fixture *f, unsigned int at)
{
	struct model *m = &f->m;
	struct live_block blk = m->live[at];
	unsigned int order = blk.order;
	uint64_t pick = random64(f) >> 32;

	m->live[at] = m->live[--m->nr_live];
	if (order && pick % 16 == 0) {
		assert_int_equal(buddy_split(&f->hart, blk.pfn, order), 0);
		order = order > 10 || pick & 16 ? order - 1 : 0;
	}
	model_set(m, blk.pfn, blk.order, PAGE_FREE);
	for (uint64_t i = 0; i < 1ULL << blk.order; i += 1ULL << order)
		assert_int_equal(buddy_free(&f->hart, blk.pfn + i, order), 0);
}

/* Calls that must be refused and change nothing. */
static void op_misuse(struct fixture *f)
{
	struct model *m = &f->m;
	uint64_t pfn = m->base_pfn + random64(f) % m->nr_pages;
	unsigned int order = (unsigned int)(random64(f) >> 40) % MAX_ORDER(3);
	uint64_t start = pfn & ~((1ULL << order) - 1);

	switch ((random64(f) >> 33) % 4) {
	case 0:
		assert_int_equal(buddy_free(&f->hart, pfn | 1, 1 + order), -EMM_EINVAL);
		break;
	case 1:
		assert_int_equal(buddy_free(&f->hart, m->base_pfn + m->nr_pages + start, order),
				 -EMM_ERANGE);
		assert_int_equal(buddy_free(&f->hart, pfn, NR_ORDERS), -EMM_EINVAL);
		assert_int_equal(buddy_alloc(&f->hart, NR_ORDERS), -EMM_EINVAL);
		break;
	default:
		/* A double free of a page that has been in use before. */
		if (m->nr_live) {
			struct live_block *blk = &m->live[random64(f) % m->nr_live];
			struct live_block was = *blk;

			model_set(m, was.pfn, was.order, PAGE_FREE);
			assert_int_equal(buddy_free(&f->hart, was.pfn, was.order), 0);
			*blk = m->live[--m->nr_live];
			assert_int_equal(buddy_free(&f->hart, was.pfn, was.order), -EMM_EDOUBLE);
			/* A part of it: seen while it is in a word of the same level. */
			if (was.order % BUDDY_RADIX_SHIFT)
				assert_int_equal(buddy_free(&f->hart, was.pfn, was.order - 1),
						 -EMM_EDOUBLE);
		}
	}
}

static unsigned int random_order(struct fixture *f, unsigned int max_order)
{
	uint64_t pick = random64(f) >> 32;

	switch (pick % 8) {
	case 0:
	case 1:
		return (unsigned int)(pick / 8 % (max_order + 1));
	case 2:
	case 3:
		return (unsigned int)(pick / 8 % (max_order < 5 ? max_order + 1 : 6));
	default:
		return 0;
	}
}

static void run_ops(struct fixture *f, uint64_t ops, unsigned int max_order)
{
	struct model *m = &f->m;
	uint64_t check_every = m->nr_pages * 24 + 1000;
	unsigned int bias = 50;

	for (uint64_t op = 0; op < ops; op++) {
		uint64_t pick = random64(f) >> 32;

		if (pick % 4096 == 0)
			bias = 30 +
			       (unsigned int)(pick / 4096 % 41); /* fill for a while, or empty */
		if (pick % 997 == 0)
			buddy_drain(&f->hart);
		if (pick % 61 == 0)
			op_misuse(f);
		if (m->nr_live && (pick % 100 >= bias || m->nr_live == MAX_LIVE))
			op_free(f, (unsigned int)(random64(f) % m->nr_live));
		else
			op_alloc(f, random_order(f, max_order));
		if (op % check_every == 0)
			check_whole_state(f);
	}
	check_whole_state(f);
	while (m->nr_live)
		op_free(f, m->nr_live - 1);
	buddy_drain(&f->hart);
	assert_int_equal(buddy_nr_held(&f->hart), 0);
	check_whole_state(f);
}

static void add_tree(struct fixture *f, uint64_t start, uint64_t end)
{
	uint64_t bytes = buddy_tree_bytes(start, end);
	void *meta = malloc(bytes);

	assert_non_null(meta);
	/* Words and hints must not need initial values: any content will do. */
	for (uint64_t i = 0; i < bytes; i++)
		((uint8_t *)meta)[i] = (uint8_t)(random64(f) >> 40);
	f->meta[f->b.nr_trees] = meta;
	assert_int_equal(buddy_add_tree(&f->b, start, end, meta, bytes), 0);
}

static void model_add(struct model *m, uint64_t start, uint64_t end)
{
	for (uint64_t pfn = start; pfn < end; pfn++)
		model_set(m, pfn, 0, PAGE_FREE);
}

static void add_range(struct fixture *f, uint64_t start, uint64_t end, uint64_t hole_start)
{
	assert_int_equal(buddy_add_range(&f->hart, start, end, hole_start, UINT64_MAX), 0);
	model_add(&f->m, start, end);
}

static struct fixture *fixture_new(uint64_t base_pfn, uint64_t nr_pages, uint64_t seed)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->rng = seed * 0x9e3779b97f4a7c15ULL + 1;
	f->m.base_pfn = base_pfn;
	f->m.nr_pages = nr_pages;
	for (unsigned int k = 0; k < NR_ORDERS; k++) {
		f->m.nr_free[k] = calloc((nr_pages >> k) + 2, sizeof(uint32_t));
		assert_non_null(f->m.nr_free[k]);
	}
	assert_int_equal(buddy_init(&f->b, f->trees, ARRAY_SIZE(f->trees), &f->hart, 1), 0);
	return f;
}

static void fixture_delete(struct fixture *f)
{
	for (uint32_t i = 0; i < f->b.nr_trees; i++)
		free(f->meta[i]);
	for (unsigned int k = 0; k < NR_ORDERS; k++)
		free(f->m.nr_free[k]);
	free(f);
}

static uint64_t env_u64(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static uint64_t ops_of(uint64_t share)
{
	return env_u64("BUDDY_DIFF_OPS", 10000000) * share / 100 * BUDDY_DIFF_SHARE / 100;
}

#define SEED env_u64("BUDDY_DIFF_SEED", 42)

/* One word's worth of pages up to a few: every border case of a small tree comes up often. */
static void test_small_arenas(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 200; i++) {
		uint64_t nr_pages = 1 + (i * 37) % 300;
		struct fixture *f = fixture_new(0x40000 * (i % 3), 1024, SEED + i);
		uint64_t start = f->m.base_pfn + (i * 13) % 128;

		add_tree(f, start, start + nr_pages);
		add_range(f, start, start + nr_pages, 0);
		run_ops(f, ops_of(30) / 200, MAX_ORDER(7));
		fixture_delete(f);
	}
}

/* 64 MiB and its edges off every border, with two holes: orders up to 12. */
static void test_holes(void **state)
{
	struct fixture *f = fixture_new(0x80000, 16384, SEED);

	(void)state;
	add_tree(f, 0x80000 + 3, 0x80000 + 16000);
	add_range(f, 0x80000 + 3, 0x80000 + 700, 0);
	add_range(f, 0x80000 + 701, 0x80000 + 5000, 0x80000 + 700);
	add_range(f, 0x80000 + 8192, 0x80000 + 16000, 0x80000 + 5000);
	run_ops(f, ops_of(40), MAX_ORDER(12));
	fixture_delete(f);
}

/*
 * Four trees that touch, at multiples of the largest order used, where the model would not merge
 * either: allocation goes from tree to tree, free finds the right one.
 */
static void test_several_trees(void **state)
{
	struct fixture *f = fixture_new(0, 8192, SEED);
	static const uint64_t border[] = { 1, 992, 2048, 4096, 8192 };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		add_tree(f, border[i], border[i + 1]);
		add_range(f, border[i], border[i + 1], border[i]);
	}
	run_ops(f, ops_of(10), MAX_ORDER(5));
	fixture_delete(f);
}

/* 4 GiB: all orders, the top level with several bits. */
static void test_all_orders(void **state)
{
	struct fixture *f = fixture_new(0x100000, MAX_PAGES, SEED);

	(void)state;
	add_tree(f, 0x100000, 0x100000 + MAX_PAGES);
	add_range(f, 0x100000 + 17, 0x100000 + MAX_PAGES, 0);
	run_ops(f, ops_of(20), BUDDY_MAX_ORDER);
	fixture_delete(f);
}

/* Ranges added while the rest is in use (rule 8), whole holes and parts of them. */
static void test_late_ranges(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < env_u64("BUDDY_DIFF_ROUNDS", 64); i++) {
		struct fixture *f = fixture_new(0, 16384, SEED + i);
		uint64_t a = 1 + random64(f) % 8000, z = a + 1 + random64(f) % 8000;
		uint64_t b = a + random64(f) % (z - a), c = b + 1 + random64(f) % (z - b);

		add_tree(f, 0, 16384);
		add_range(f, 0, a, 0);
		add_range(f, z, 16384, a);
		run_ops(f, 2000, MAX_ORDER(9));
		/* [a, z) is a hole; [b, c) of it comes first, then what is left at both ends. */
		assert_int_equal(buddy_add_range(&f->hart, b, c, a, z), 0);
		model_add(&f->m, b, c);
		run_ops(f, 2000, MAX_ORDER(9));
		if (a < b) {
			assert_int_equal(buddy_add_range(&f->hart, a, b, a, b), 0);
			model_add(&f->m, a, b);
		}
		run_ops(f, 2000, MAX_ORDER(9));
		if (c < z) {
			assert_int_equal(buddy_add_range(&f->hart, c, z, c, z), 0);
			model_add(&f->m, c, z);
		}
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
