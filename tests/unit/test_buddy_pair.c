/* SPDX-License-Identifier: BSD-2-Clause */
/* Two sets of stacks of the same hart: what one holds is no obstacle to the other. */
#include "test.h"

#include <stdlib.h>
#include <string.h>

#include <earlymm/buddy.h>
#include <earlymm/error.h>

#define NR_PAGES 64

/* The pair is harts[0] and harts[1]; harts[2] is another hart. */
struct fixture {
	struct buddy b;
	struct buddy_tree tree;
	struct buddy_hart harts[3];
	void *meta;
};

/* One word of pages, all free, in memory full of garbage. */
static int setup(void **state)
{
	struct fixture *f = aligned_alloc(64, sizeof(*f));
	uint64_t bytes = buddy_tree_bytes(0, NR_PAGES);

	assert_non_null(f);
	memset(f, 0xa5, sizeof(*f));
	f->meta = malloc(bytes);
	assert_non_null(f->meta);
	memset(f->meta, 0xff, bytes);
	assert_int_equal(buddy_init(&f->b, &f->tree, 1, f->harts, 3), 0);
	assert_int_equal(buddy_add_tree(&f->b, 0, NR_PAGES, f->meta, bytes), 0);
	buddy_pair(&f->harts[0], &f->harts[1]);
	assert_int_equal(buddy_add_range(f->harts, 0, NR_PAGES, 0, UINT64_MAX), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->meta);
	free(f);
	return 0;
}

static void test_setup(void **state)
{
	struct fixture *f = *state;

	assert_ptr_equal(f->harts[0].sibling, &f->harts[1]);
	assert_ptr_equal(f->harts[1].sibling, &f->harts[0]);
	assert_null(f->harts[2].sibling);
	assert_int_equal(f->harts[0].is_movable, 0);
	assert_int_equal(f->harts[1].is_movable, 1);
	assert_int_equal(f->harts[2].is_movable, 0);
}

/* All pages are had although the sibling keeps nearly all: at once, and then the answer is "none". */
static void test_sibling_is_drained(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 2; i++) {
		struct buddy_hart *h = &f->harts[i], *sibling = &f->harts[!i];
		bool seen[NR_PAGES] = { false };
		int64_t pfn = buddy_alloc(sibling, 0);

		assert_in_range(pfn, 0, NR_PAGES - 1);
		assert_in_range(buddy_nr_held(sibling), NR_PAGES - 2, NR_PAGES - 1);
		seen[pfn] = true;
		for (unsigned int k = 1; k < NR_PAGES; k++) {
			pfn = buddy_alloc(h, 0);
			assert_in_range(pfn, 0, NR_PAGES - 1);
			assert_false(seen[pfn]);
			seen[pfn] = true;
		}
		assert_int_equal(buddy_alloc(h, 0), -EMM_ENOMEM);
		assert_int_equal(buddy_alloc(sibling, 0), -EMM_ENOMEM);
		for (uint64_t p = 0; p < NR_PAGES; p++)
			assert_int_equal(buddy_free(h, p, 0), 0);
		assert_int_equal(buddy_nr_free(&f->b), NR_PAGES);
		assert_true(buddy_is_valid(&f->b));
	}
}

/* Small pieces on both sides: the whole is had, by whichever asks for it. */
static void test_both_are_drained(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 2; i++) {
		int64_t pfn[2];

		for (unsigned int k = 0; k < 2; k++)
			pfn[k] = buddy_alloc(&f->harts[k], k);
		for (unsigned int k = 0; k < 2; k++)
			assert_int_equal(buddy_free(&f->harts[k], (uint64_t)pfn[k], k), 0);
		assert_int_equal(buddy_alloc(&f->harts[i], 6), 0);
		assert_int_equal(buddy_alloc(&f->harts[!i], 0), -EMM_ENOMEM);
		assert_int_equal(buddy_free(&f->harts[i], 0, 6), 0);
		assert_true(buddy_is_valid(&f->b));
	}
}

static void test_claim_drains_sibling(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 2; i++) {
		int64_t pfn = buddy_alloc(&f->harts[!i], 0);

		assert_int_equal(buddy_claim(&f->harts[i], (uint64_t)pfn, 0), -EMM_EBUSY);
		assert_int_equal(buddy_free(&f->harts[!i], (uint64_t)pfn, 0), 0);
		pfn = buddy_alloc(&f->harts[!i], 0);
		assert_int_equal(buddy_claim(&f->harts[i], (uint64_t)pfn ^ 32, 5), 0);
		assert_int_equal(buddy_free(&f->harts[i], (uint64_t)pfn ^ 32, 5), 0);
		assert_int_equal(buddy_free(&f->harts[i], (uint64_t)pfn, 0), 0);
		assert_int_equal(buddy_claim(&f->harts[i], 0, 6), 0);
		assert_int_equal(buddy_free(&f->harts[i], 0, 6), 0);
	}
}

/* Another hart asks: each of the two answers for both, also one that was never used. */
static void test_either_answers(void **state)
{
	struct fixture *f = *state;
	struct buddy_hart *other = &f->harts[2];

	for (unsigned int holder = 0; holder < 2; holder++)
		for (unsigned int answers = 0; answers < 2; answers++) {
			int64_t pfn = buddy_alloc(&f->harts[holder], 0), got;

			assert_in_range(pfn, 0, NR_PAGES - 1);
			assert_int_equal(buddy_request_drain(&f->harts[!holder]), 0);
			assert_int_equal(buddy_alloc(other, 5), -EMM_EAGAIN);
			assert_int_equal(f->harts[0].request, 1);
			assert_int_equal(f->harts[1].request, 1);
			/* Not served by a stack: answers, and finds what the sibling gave back. */
			got = buddy_alloc(&f->harts[answers], 5);
			assert_in_range(got, 0, NR_PAGES - 1);
			assert_int_equal(f->harts[0].request, 0);
			assert_int_equal(f->harts[1].request, 0);
			assert_int_equal(buddy_nr_held(&f->harts[holder]), 0);
			assert_int_equal(buddy_free(&f->harts[answers], (uint64_t)got, 5), 0);
			assert_int_equal(buddy_alloc(other, 5), got);
			assert_int_equal(buddy_free(other, (uint64_t)got, 5), 0);
			assert_int_equal(buddy_free(other, (uint64_t)pfn, 0), 0);
			for (unsigned int i = 0; i < 3; i++)
				buddy_drain(&f->harts[i]);
			assert_int_equal(buddy_nr_free(&f->b), NR_PAGES);
			assert_true(buddy_is_valid(&f->b));
		}
}

/* What went back from the stacks, by order; garbage until the first operation. */
static void test_drained(void **state)
{
	struct fixture *f = *state;
	struct buddy_hart *h = &f->harts[2];

	for (unsigned int order = 0; order < BUDDY_NR_STACKS; order++) {
		int64_t pfn = buddy_alloc(h, order);
		uint64_t held = buddy_nr_held(h) >> order;

		assert_true(pfn >= 0);
		for (unsigned int k = order; k < BUDDY_NR_STACKS; k++)
			assert_int_equal(h->drained[k], 0);
		buddy_drain(h);
		assert_true(held || order == BUDDY_NR_STACKS - 1);
		assert_int_equal(h->drained[order], held);
		assert_int_equal(h->events.drains, order + 1);
		assert_int_equal(buddy_free(h, (uint64_t)pfn, order), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_setup, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sibling_is_drained, setup, teardown),
		cmocka_unit_test_setup_teardown(test_both_are_drained, setup, teardown),
		cmocka_unit_test_setup_teardown(test_claim_drains_sibling, setup, teardown),
		cmocka_unit_test_setup_teardown(test_either_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drained, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
