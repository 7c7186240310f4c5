/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list buddy against a naive model. Here it chooses the frames itself (in test_buddy_diff it
 * follows the radix buddy), on two harts, with compound blocks, references, splits and claims; and
 * since it has a record of every page, the answer to any free, however wrong, is known.
 * BUDDY_DIFF_OPS sets the operations, a fifth of which are done here, BUDDY_DIFF_SEED the seed.
 */
#include "helper_page_model.h"

#include <stdlib.h>
#include <string.h>

#include <earlymm/error.h>
#include <earlymm/list_buddy.h>

#define NO_HEAD 0xff
#define SEED    page_model_env("BUDDY_DIFF_SEED", 42)
#define ALL_OPS page_model_env("BUDDY_DIFF_OPS", 10000000)

struct fixture {
	struct list_zone z;
	struct list_hart harts[2];
	void *memmap;
	uint8_t *head; /* the order of the block in use that begins with a page */
	struct page_model m;
};

static uint64_t pick(struct fixture *f, uint64_t n)
{
	return (page_model_random(&f->m) >> 20) % n;
}

static struct list_hart *any_hart(struct fixture *f)
{
	return &f->harts[pick(f, 2)];
}

static void drain_all(struct fixture *f)
{
	list_drain(&f->harts[0]);
	list_drain(&f->harts[1]);
}

/* ---- the same state ---- */

static void check_blocks(struct fixture *f)
{
	uint64_t model[MODEL_ORDERS], list[LIST_MAX_ORDER + 1];

	list_nr_blocks(&f->z, list);
	page_model_nr_blocks(&f->m, model, f->z.max_order);
	for (unsigned int k = 0; k < MODEL_ORDERS; k++)
		assert_int_equal(list[k], model[k]);
}

static void check_whole_state(struct fixture *f)
{
	uint64_t held = list_nr_held(&f->harts[0]) + list_nr_held(&f->harts[1]);

	assert_true(list_is_valid(&f->z));
	assert_int_equal(list_nr_free(&f->z) + held, f->m.total_free);
	for (uint64_t pfn = f->m.base_pfn; pfn < f->m.base_pfn + f->m.nr_pages; pfn++) {
		bool is_free = list_page_is_free(&f->z, pfn);

		if (is_free && page_model_state(&f->m, pfn) != PAGE_FREE)
			fail_msg("pfn %#llx is on a list", (unsigned long long)pfn);
		if (!is_free && page_model_state(&f->m, pfn) == PAGE_FREE)
			held--;
	}
	assert_int_equal(held, 0);
	if (pick(f, 2)) {
		drain_all(f);
		check_blocks(f);
	}
}

/* ---- operations ---- */

static void taken(struct fixture *f, int64_t pfn, unsigned int order)
{
	page_model_take(&f->m, pfn, order);
	f->head[(uint64_t)pfn - f->m.base_pfn] = (uint8_t)order;
}

static void op_alloc(struct fixture *f, unsigned int order)
{
	unsigned int flags = pick(f, 4) ? 0 : LIST_COMP;
	struct list_hart *h = any_hart(f);
	int64_t pfn = list_alloc_pages(h, order, flags);
	struct page *page;

	if (pfn < 0) {
		const struct list_hart *other = &f->harts[h == &f->harts[0]];

		/* The other hart may have what is missing, and does not answer now. */
		assert_int_equal(pfn, list_nr_held(other) ? -EMM_EAGAIN : -EMM_ENOMEM);
		assert_int_equal(list_nr_held(h), 0);
		drain_all(f);
		pfn = list_alloc_pages(h, order, flags);
	}
	if (pfn < 0) {
		assert_int_equal(pfn, -EMM_ENOMEM);
		assert_int_equal(f->m.nr_whole[order], 0);
		return;
	}
	taken(f, pfn, order);
	page = pfn_to_page(&f->z, (uint64_t)pfn);
	assert_int_equal(PageHead(page), order && flags);
	assert_ptr_equal(compound_head(page + (1ULL << order) - 1),
			 flags ? page : page + (1ULL << order) - 1);
}

/* Is all of the block free? Then it can be claimed, once nobody holds a part of it. */
static void op_claim(struct fixture *f, unsigned int order)
{
	uint64_t pfn = f->m.base_pfn + pick(f, f->m.nr_pages);
	bool all_free = true;
	int err;

	pfn &= ~((1ULL << order) - 1);
	for (uint64_t i = 0; i < 1ULL << order && all_free; i++)
		all_free = page_model_state(&f->m, pfn + i) == PAGE_FREE;
	err = list_claim(&f->z, pfn, order);
	if (err == -EMM_EBUSY && all_free) {
		drain_all(f);
		err = list_claim(&f->z, pfn, order);
	}
	if (pfn < f->z.start_pfn || pfn + (1ULL << order) > f->z.start_pfn + f->z.spanned_pages)
		assert_int_equal(err, -EMM_ERANGE);
	else
		assert_int_equal(err, all_free ? 0 : -EMM_EBUSY);
	if (!err)
		taken(f, (int64_t)pfn, order);
}

static void op_free(struct fixture *f, unsigned int at)
{
	struct live_block blk = f->m.live[at];
	struct page *page = pfn_to_page(&f->z, blk.pfn);

	if (!pick(f, 8)) {
		get_page(page);
		assert_int_equal(list_free_pages(any_hart(f), blk.pfn, blk.order), 0);
		assert_int_equal(page_count(page), 1);
	}
	f->m.live[at] = f->m.live[--f->m.nr_live];
	assert_int_equal(list_free_pages(any_hart(f), blk.pfn, blk.order), 0);
	f->head[blk.pfn - f->m.base_pfn] = NO_HEAD;
	page_model_set(&f->m, blk.pfn, blk.order, PAGE_FREE);
}

/* Into a few smaller blocks, which all live on. */
static void op_split(struct fixture *f, unsigned int at)
{
	struct live_block *blk = &f->m.live[at], part;
	unsigned int less = blk->order < 3 ? blk->order : 1 + (unsigned int)pick(f, 3);
	uint64_t nr = 1ULL << less;
	int err;

	if (f->m.nr_live + nr > MODEL_MAX_LIVE)
		return;
	part = (struct live_block){ blk->pfn, blk->order - less };
	err = list_split_page(&f->z, blk->pfn, blk->order, part.order);
	if (PageHead(pfn_to_page(&f->z, blk->pfn))) {
		assert_int_equal(err, -EMM_EINVAL);
		return;
	}
	assert_int_equal(err, 0);
	*blk = part;
	f->head[part.pfn - f->m.base_pfn] = (uint8_t)part.order;
	for (uint64_t i = 1; i < nr; i++) {
		part.pfn += 1ULL << part.order;
		f->head[part.pfn - f->m.base_pfn] = (uint8_t)part.order;
		f->m.live[f->m.nr_live++] = part;
	}
}

/* What a free of this must return. */
static int expected(const struct fixture *f, uint64_t pfn, unsigned int order)
{
	if (order > f->z.max_order || (pfn & ((1ULL << order) - 1)))
		return -EMM_EINVAL;
	if (pfn < f->z.start_pfn || pfn >= f->z.start_pfn + f->z.spanned_pages)
		return -EMM_ERANGE;
	if (page_model_state(&f->m, pfn) == PAGE_HOLE)
		return -EMM_EINVAL;
	if (f->head[pfn - f->m.base_pfn] == NO_HEAD)
		return -EMM_EDOUBLE;
	return f->head[pfn - f->m.base_pfn] == order ? 0 : -EMM_EINVAL;
}

/* Any frame, any order. */
static void op_misuse(struct fixture *f)
{
	uint64_t pfn = f->m.base_pfn + pick(f, f->m.nr_pages + 100) - 50;
	unsigned int order = (unsigned int)pick(f, f->z.max_order + 2);
	int err;

	if (pick(f, 4))
		order = (unsigned int)pick(f, 3);
	if (pick(f, 4))
		pfn &= ~((1ULL << order) - 1);
	if (!pick(f, 50))
		pfn = page_model_random(&f->m);
	err = expected(f, pfn, order);
	if (err)
		assert_int_equal(list_free_pages(any_hart(f), pfn, order), err);
}

static void op(struct fixture *f, unsigned int bias)
{
	struct page_model *m = &f->m;
	unsigned int max_order = f->z.max_order;

	if (!pick(f, 997))
		list_drain(any_hart(f));
	if (!pick(f, 7))
		op_misuse(f);
	if (!pick(f, 30) && m->nr_live)
		op_split(f, (unsigned int)pick(f, m->nr_live));
	if (m->nr_live && (pick(f, 100) >= bias || m->nr_live == MODEL_MAX_LIVE))
		op_free(f, (unsigned int)pick(f, m->nr_live));
	else if (pick(f, 10))
		op_alloc(f, page_model_random_order(m, max_order));
	else
		op_claim(f, page_model_random_order(m, max_order < 7 ? max_order : 7));
}

static void run_ops(struct fixture *f, uint64_t ops)
{
	uint64_t check_every = f->m.nr_pages * 8 + 1000;
	unsigned int bias = 50;

	for (uint64_t i = 0; i < ops; i++) {
		/* Fill for a while, or empty. */
		if (!pick(f, 4096))
			bias = 30 + (unsigned int)pick(f, 41);
		op(f, bias);
		if (i % check_every == 0)
			check_whole_state(f);
	}
	while (f->m.nr_live)
		op_free(f, f->m.nr_live - 1);
	check_whole_state(f);
	drain_all(f);
	check_blocks(f);
}

static struct fixture *fixture_new(uint64_t base, uint64_t nr_pages, uint64_t start, uint64_t end,
				   unsigned int max_order, uint64_t seed)
{
	struct fixture *f = calloc(1, sizeof(*f));
	uint64_t bytes = list_memmap_bytes(start, end, max_order);

	assert_non_null(f);
	page_model_init(&f->m, base, nr_pages, seed);
	f->head = malloc(nr_pages);
	f->memmap = malloc(bytes);
	assert_true(f->head && f->memmap);
	memset(f->head, NO_HEAD, nr_pages);
	memset(f->memmap, 0xa5, bytes);
	assert_int_equal(list_zone_init(&f->z, f->harts, 2, start, end, max_order, NUMA_NO_NODE),
			 0);
	assert_int_equal(list_set_memmap(&f->z, f->memmap, bytes), 0);
	assert_int_equal(list_memmap_init(&f->z, NULL), 0);
	return f;
}

static void add_range(struct fixture *f, uint64_t start, uint64_t end)
{
	assert_int_equal(list_add_range(&f->z, start, end), 0);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(list_set_pcp(&f->harts[i], 1 + 6 * i, 5 + 37 * i), 0);
	page_model_add(&f->m, start, end);
}

static void fixture_delete(struct fixture *f)
{
	page_model_exit(&f->m);
	free(f->head);
	free(f->memmap);
	free(f);
}

/* A few pages, every largest order from 0 on. */
static void test_small_zones(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t start = 1024 + i * 13 % 128, end = start + 1 + i * 37 % 300;
		struct fixture *f =
			fixture_new(1024, 512, start, end, (unsigned int)(i % 10), SEED + i);

		add_range(f, start, end);
		run_ops(f, ALL_OPS / 10 / 100);
		fixture_delete(f);
	}
}

/* Odd ends, a hole that stays, and one that is filled while the rest is in use. */
static void test_holes(void **state)
{
	struct fixture *f = fixture_new(0x80000, 16384, 0x80003, 0x83e80, 11, SEED);

	(void)state;
	add_range(f, 0x80003, 0x80300);
	add_range(f, 0x81388, 0x82000);
	add_range(f, 0x82100, 0x83e80);
	run_ops(f, ALL_OPS / 20);
	add_range(f, 0x80301, 0x81388);
	run_ops(f, ALL_OPS / 20);
	fixture_delete(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_zones),
		cmocka_unit_test(test_holes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
