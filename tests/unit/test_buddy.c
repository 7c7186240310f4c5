/* SPDX-License-Identifier: BSD-2-Clause */
/* The buddy: sizes, arguments, borders, exhaustion, misuse, one by one. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <earlymm/buddy.h>
#include <earlymm/error.h>

#define GIB_PAGES (1ULL << (30 - PAGE_SHIFT))

struct fixture {
	struct buddy b;
	struct buddy_tree trees[3];
	struct buddy_hart harts[2];
	void *meta[3];
};

static int setup(void **state)
{
	struct fixture *f = aligned_alloc(64, sizeof(*f));

	assert_non_null(f);
	memset(f, 0xa5, sizeof(*f));
	memset(f->meta, 0, sizeof(f->meta));
	assert_int_equal(buddy_init(&f->b, f->trees, 3, f->harts, 2), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 3; i++)
		free(f->meta[i]);
	free(f);
	return 0;
}

/* A tree on memory full of ones: nothing may be taken for granted. */
static void add_tree(struct fixture *f, uint64_t start, uint64_t end)
{
	uint64_t bytes = buddy_tree_bytes(start, end);
	uint32_t i = f->b.nr_trees;

	f->meta[i] = malloc(bytes);
	assert_non_null(f->meta[i]);
	memset(f->meta[i], 0xff, bytes);
	assert_int_equal(buddy_add_tree(&f->b, start, end, f->meta[i], bytes), 0);
}

static void add_all(struct fixture *f, uint64_t start, uint64_t end)
{
	add_tree(f, start, end);
	assert_int_equal(buddy_add_range(f->harts, start, end, 0, UINT64_MAX), 0);
	assert_int_equal(buddy_nr_free(&f->b), end - start);
	assert_true(buddy_is_valid(&f->b));
}

/* The goal is 0.14 bytes a page; a small tree may take 1 KiB more. */
static void test_metadata_size(void **state)
{
	(void)state;
	for (uint64_t nr = 16; nr <= 1ULL << 34; nr *= 2)
		for (uint64_t start = 0; start < 3 * 4097; start += 4097) {
			uint64_t bytes = buddy_tree_bytes(start, start + nr);

			assert_true(bytes >= nr / 8);
			assert_true(bytes <= nr * 14 / 100 + 1024);
		}
}

static void test_arguments(void **state)
{
	struct fixture *f = *state;
	uint64_t word[64];

	assert_int_equal(buddy_alloc(f->harts, 0), -EMM_ENOMEM); /* no tree yet */
	assert_int_equal(buddy_free(f->harts, 0, 0), -EMM_ERANGE);
	assert_int_equal(buddy_init(NULL, f->trees, 3, f->harts, 2), -EMM_EINVAL);
	assert_int_equal(buddy_init(&f->b, f->trees, 3, f->harts, 0), -EMM_EINVAL);
	assert_int_equal(buddy_add_tree(&f->b, 5, 5, word, sizeof(word)), -EMM_EINVAL);
	assert_int_equal(buddy_add_tree(&f->b, 0, 64, (char *)word + 4, sizeof(word)), -EMM_EINVAL);
	assert_int_equal(buddy_add_tree(&f->b, 0, 64, word, 8), -EMM_ENOSPC);
	add_all(f, 1000, 2000);
	assert_int_equal(buddy_add_tree(&f->b, 1999, 2100, word, sizeof(word)), -EMM_EOVERLAP);
	add_tree(f, 2000, 3000);
	add_tree(f, 9000, 9001);
	assert_int_equal(buddy_add_tree(&f->b, 9999, 10000, word, sizeof(word)), -EMM_ENOSPC);
	assert_int_equal(buddy_add_range(f->harts, 5, 5, 0, 100), -EMM_EINVAL);
	assert_int_equal(buddy_add_range(f->harts, 2005, 2010, 2006, 3000), -EMM_EINVAL);
	assert_int_equal(buddy_add_range(f->harts, 2005, 2010, 2000, 2009), -EMM_EINVAL);
	assert_int_equal(buddy_add_range(f->harts, 2990, 3001, 2000, 4000), -EMM_ERANGE);
	assert_int_equal(buddy_alloc(f->harts, BUDDY_MAX_ORDER + 1), -EMM_EINVAL);
	assert_int_equal(buddy_alloc(f->harts, ~0U), -EMM_EINVAL);
	assert_int_equal(buddy_free(f->harts, 1001, 1), -EMM_EINVAL);
	assert_int_equal(buddy_free(f->harts, 1024, 64), -EMM_EINVAL);
	assert_int_equal(buddy_free(f->harts, 0, BUDDY_MAX_ORDER), -EMM_ERANGE);
	assert_int_equal(buddy_free(f->harts, UINT64_MAX, 0), -EMM_ERANGE);
	assert_int_equal(buddy_free(f->harts, ~63ULL, 6), -EMM_ERANGE);
	assert_int_equal(buddy_split(f->harts, 1001, 1), -EMM_EINVAL);
	assert_int_equal(buddy_split(f->harts, 5000, 1), -EMM_ERANGE);
	/* A block that begins inside and ends outside. */
	assert_int_equal(buddy_free(f->harts, 1984, 5), -EMM_ERANGE);
	assert_int_equal(buddy_nr_free(&f->b), 1000);
}

/*
 * Two trees that touch in the middle of a block of 16:
 *     ... 1000      1008 ...
 *   tree A    ][    tree B
 * Expect no block across the border, although all its pages are free.
 */
static void test_no_merge_across_trees(void **state)
{
	struct fixture *f = *state;
	uint64_t counts[BUDDY_MAX_ORDER + 1];
	bool seen[2048] = { false };
	int64_t pfn;

	add_all(f, 0, 1000);
	add_tree(f, 1000, 2048);
	assert_int_equal(buddy_add_range(f->harts, 1000, 2048, 1000, 2048), 0);
	buddy_nr_blocks(&f->b, counts);
	assert_int_equal(counts[3], 2); /* [992, 1000) and [1000, 1008) */
	while ((pfn = buddy_alloc(f->harts, 4)) >= 0) {
		assert_int_not_equal(pfn, 992);
		seen[pfn] = true;
	}
	assert_true(seen[976] && seen[1008]);
	assert_int_equal(buddy_nr_free(&f->b), 16);
}

/*
 * Turned from one tree to the other all the time, also with a block freed last that was its own
 * and then went to another: the blocks are of the tree that was asked for, until it has no more.
 */
static void test_prefer(void **state)
{
	struct fixture *f = *state;
	struct buddy_hart *h = f->harts;

	add_all(f, 0, 16384);
	add_tree(f, GIB_PAGES, GIB_PAGES + 16384);
	assert_int_equal(buddy_add_range(h, GIB_PAGES, GIB_PAGES + 16384, 0, UINT64_MAX), 0);
	for (unsigned int order = 0; order <= 12; order++) {
		for (unsigned int i = 0; i < 64; i++) {
			const struct buddy_tree *t = &f->b.trees[i & 1];
			int64_t pfn[2];

			buddy_prefer(h, t);
			for (unsigned int j = 0; j < 2; j++) {
				pfn[j] = buddy_alloc(h, order);
				assert_in_range(pfn[j], t->start_pfn, t->end_pfn - 1);
			}
			assert_int_equal(buddy_free(h, (uint64_t)pfn[i >> 1 & 1], order), 0);
			if (i & 4)
				buddy_prefer(h, &f->b.trees[~i & 1]);
			assert_int_equal(buddy_free(h, (uint64_t)pfn[~i >> 1 & 1], order), 0);
		}
		buddy_drain(h);
		assert_int_equal(buddy_nr_free(&f->b), 2 * 16384);
		assert_true(buddy_is_valid(&f->b));
	}
	buddy_prefer(h, &f->b.trees[1]);
	for (unsigned int i = 0; i < 4; i++)
		assert_in_range(buddy_alloc(h, 12), GIB_PAGES, GIB_PAGES + 16383);
	assert_in_range(buddy_alloc(h, 12), 0, 16383);
}

/* All of 1 GiB in blocks of each order, freed upwards and downwards: one whole block again. */
static void test_exhaust_each_order(void **state)
{
	struct fixture *f = *state;
	uint64_t counts[BUDDY_MAX_ORDER + 1];

	add_all(f, GIB_PAGES, 2 * GIB_PAGES);
	for (unsigned int order = 0; order <= BUDDY_MAX_ORDER; order++) {
		for (unsigned int down = 0; down < 2; down++) {
			uint64_t nr = 0, last = (GIB_PAGES >> order) - 1;

			while (buddy_alloc(f->harts, order) >= 0)
				nr++;
			assert_int_equal(nr, GIB_PAGES >> order);
			assert_int_equal(buddy_nr_free(&f->b) + buddy_nr_held(f->harts), 0);
			for (uint64_t i = 0; i < nr; i++)
				assert_int_equal(
					buddy_free(f->harts,
						   GIB_PAGES + ((down ? last - i : i) << order),
						   order),
					0);
			buddy_drain(f->harts);
			buddy_nr_blocks(&f->b, counts);
			assert_int_equal(counts[BUDDY_MAX_ORDER], 1);
			assert_int_equal(buddy_nr_free(&f->b), GIB_PAGES);
			assert_true(buddy_is_valid(&f->b));
		}
	}
}

/* Every refusal leaves the state as it was. */
static void test_double_free(void **state)
{
	struct fixture *f = *state;
	struct buddy_hart *h = f->harts;
	int64_t a;

	add_all(f, 0, 8192);
	for (unsigned int order = 0; order <= 12; order++) {
		uint64_t free_before;

		a = buddy_alloc(h, order);
		assert_true(a >= 0);
		assert_int_equal(buddy_free(h, (uint64_t)a, order), 0);
		buddy_drain(h); /* now it is merged, far above its own word */
		free_before = buddy_nr_free(&f->b);
		assert_int_equal(free_before, 8192);
		assert_int_equal(buddy_free(h, (uint64_t)a, order), -EMM_EDOUBLE);
		assert_int_equal(buddy_free(h, (uint64_t)a, 0), -EMM_EDOUBLE);
		assert_int_equal(buddy_nr_free(&f->b), free_before);
		assert_true(buddy_is_valid(&f->b));
	}
	/* Part of the block is free: order 2 over a free page, nothing of it may become free. */
	while (buddy_alloc(h, 0) >= 0)
		;
	assert_int_equal(buddy_free(h, 101, 0), 0);
	assert_int_equal(buddy_free(h, 100, 2), -EMM_EDOUBLE);
	assert_int_equal(buddy_nr_free(&f->b), 1);
	assert_int_equal(h->events.double_frees, 2 * 13 + 1);
}

/* A block given back on another hart than had it; what one hart holds, another cannot have. */
static void test_two_harts(void **state)
{
	struct fixture *f = *state;
	int64_t pfn;

	add_all(f, 0, 64);
	pfn = buddy_alloc(&f->harts[0], 0);
	assert_int_equal(pfn, 0);
	assert_int_equal(buddy_nr_held(&f->harts[0]), 62);
	assert_int_equal(buddy_alloc(&f->harts[1], 0), 63);
	/* Another hart may hold more, and does not answer. */
	assert_int_equal(buddy_alloc(&f->harts[1], 0), -EMM_EAGAIN);
	assert_int_equal(buddy_free(&f->harts[1], (uint64_t)pfn, 0), 0);
	assert_int_equal(buddy_alloc(&f->harts[1], 0), 0);
	assert_int_equal(buddy_free(&f->harts[1], 63, 0), 0);
	assert_true(buddy_is_valid(&f->b));
	buddy_drain(&f->harts[0]);
	assert_int_equal(buddy_alloc(&f->harts[1], 5), 32);
	/* A hart in the middle of an operation: no answer can be had. */
	f->harts[0].seq |= 1;
	assert_int_equal(buddy_alloc(&f->harts[1], 6), -EMM_EAGAIN);
	f->harts[0].seq++;
	assert_int_equal(buddy_alloc(&f->harts[1], 6), -EMM_ENOMEM);
}

/*
 * One hart has used up all there is and stands still: for the others, too, nothing is free, however
 * often both look. What it frees is had again, and a hart that holds something does not say no.
 */
static void test_all_used_by_one(void **state)
{
	struct fixture *f = *state;

	add_all(f, 0, 4096);
	for (unsigned int order = 0; order <= 7; order++) {
		uint64_t nr = 0;

		while (buddy_alloc(&f->harts[0], order) >= 0)
			nr++;
		assert_int_equal(nr, 4096 >> order);
		assert_int_equal(buddy_nr_held(&f->harts[0]), 0);
		for (unsigned int i = 0; i < 4; i++)
			assert_int_equal(buddy_alloc(&f->harts[~i & 1], i / 2 * order),
					 -EMM_ENOMEM);
		assert_int_equal(buddy_free(&f->harts[1], 0, order), 0);
		assert_int_equal(buddy_alloc(&f->harts[1], order), 0);
		for (uint64_t i = 0; i < nr; i++)
			assert_int_equal(buddy_free(&f->harts[0], i << order, order), 0);
		buddy_drain(&f->harts[0]);
		buddy_drain(&f->harts[1]);
		assert_int_equal(buddy_nr_free(&f->b), 4096);
		assert_true(buddy_is_valid(&f->b));
	}
}

/* An order-12 block, split, freed in parts of all sizes (rule 8). */
static void test_split(void **state)
{
	struct fixture *f = *state;
	uint64_t at, counts[BUDDY_MAX_ORDER + 1];
	int64_t pfn;

	add_all(f, 0, 8192);
	pfn = buddy_alloc(f->harts, 12);
	assert_int_equal(pfn, 4096); /* large blocks come from the top */
	assert_int_equal(buddy_split(f->harts, 4096, 12), 0);
	assert_int_equal(buddy_nr_free(&f->b), 4096);
	assert_int_equal(buddy_free(f->harts, 4096, 0), 0);
	for (at = 4097; at < 8192; at += 1ULL << (unsigned int)__builtin_ctzll(at))
		assert_int_equal(buddy_free(f->harts, at, (unsigned int)__builtin_ctzll(at)), 0);
	assert_int_equal(buddy_nr_free(&f->b), 8192);
	buddy_nr_blocks(&f->b, counts);
	assert_int_equal(counts[13], 1);
	assert_true(buddy_is_valid(&f->b));
}

/* The predicate must see what it is for: each damage is done and undone. */
static void test_is_valid_sees(void **state)
{
	struct fixture *f = *state;
	struct buddy_hart *h = f->harts;
	uint64_t *word0;
	int64_t pfn, *top;

	add_all(f, 0, 4096);
	pfn = buddy_alloc(h, 0);
	assert_int_equal(buddy_free(h, (uint64_t)pfn, 0), 0);
	assert_true(buddy_is_valid(&f->b));
	word0 = (uint64_t *)f->trees[0].node0[0];
	assert_int_equal(*word0, 1ULL << 63 | 1);
	*word0 |= 2; /* page 1 is in the stack too */
	assert_false(buddy_is_valid(&f->b));
	*word0 ^= 2;
	top = h->top[0];
	h->top[0] = top + 1;
	top[1] = top[0]; /* twice in the stack */
	assert_false(buddy_is_valid(&f->b));
	h->top[0] = top;
	assert_int_equal(*top, 1);
	*top = 4096; /* outside */
	assert_false(buddy_is_valid(&f->b));
	*top = 1;
	h->top[1]++; /* not aligned */
	*h->top[1] = 65;
	assert_false(buddy_is_valid(&f->b));
	h->top[1]--;
	assert_true(buddy_is_valid(&f->b));
	f->trees[0].end_pfn = 0;
	assert_false(buddy_is_valid(&f->b));
	f->trees[0].end_pfn = 4096;
	assert_true(buddy_is_valid(&f->b));
	buddy_drain(f->harts);
	*word0 = 1; /* free once more, below the block that it has merged to */
	assert_false(buddy_is_valid(&f->b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_metadata_size),
		cmocka_unit_test_setup_teardown(test_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_merge_across_trees, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prefer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_exhaust_each_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_double_free, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_harts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_used_by_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_split, setup, teardown),
		cmocka_unit_test_setup_teardown(test_is_valid_sees, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
