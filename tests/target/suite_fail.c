/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests that fail, in each way there is, among tests that do not: for what becomes of them. A
 * program of the host too, under cmocka, whose verdicts are compared (tests/boot/test_selftest.py).
 */
#include "test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static int good_fixture(void **state)
{
	(void)state;
	return 0;
}

static int bad_fixture(void **state)
{
	(void)state;
	return -1;
}

static int asserting_fixture(void **state)
{
	(void)state;
	assert_true(false);
	return 0;
}

static int nr_torn_down;

static int counting_teardown(void **state)
{
	(void)state;
	nr_torn_down++;
	return 0;
}

static void passes(void **state)
{
	(void)state;
}

static void is_skipped(void **state)
{
	(void)state;
	skip();
}

static void all_that_hold(void **state)
{
	char text[] = "text", same[] = "text";

	(void)state;
	assert_true(2);
	assert_false(0);
	assert_non_null(text);
	assert_null(NULL);
	assert_int_equal(-1, UINT64_MAX);
	assert_int_not_equal(1, 2);
	assert_ptr_equal(text, &text[0]);
	assert_ptr_not_equal(text, same);
	assert_in_range(7, 7, 9);
	assert_in_range(9, 7, 9);
	assert_not_in_range(6, 7, 9);
	assert_not_in_range(10, 7, 9);
	assert_string_equal(text, same);
	assert_string_not_equal(text, "tex");
	assert_memory_equal(text, "texx", 3);
	assert_memory_not_equal(text, "texx", 4);
}

#define FAILING(name, statement)       \
	static void name(void **state) \
	{                              \
		(void)state;           \
		statement;             \
		still_here();          \
	}

/* Nothing that is to fail comes back. */
static void still_here(void)
{
	skip();
}

FAILING(fails_true, assert_true(nr_torn_down > 100))
FAILING(fails_false, assert_false(nr_torn_down <= 100))
FAILING(fails_non_null, assert_non_null(NULL))
FAILING(fails_null, assert_null("x"))
FAILING(fails_int_equal, assert_int_equal(-1, 0xffffffff))
FAILING(fails_int_not_equal, assert_int_not_equal(5, 5))
FAILING(fails_ptr_equal, assert_ptr_equal(&nr_torn_down, NULL))
FAILING(fails_ptr_not_equal, assert_ptr_not_equal(&nr_torn_down, &nr_torn_down))
FAILING(fails_below_range, assert_in_range(6, 7, 9))
FAILING(fails_above_range, assert_in_range(10, 7, 9))
FAILING(fails_not_in_range, assert_not_in_range(7, 7, 9))
FAILING(fails_string_equal, assert_string_equal("two\nlines", "two\nline"))
FAILING(fails_string_not_equal, assert_string_not_equal("a", "a"))
FAILING(fails_memory_equal, assert_memory_equal("abcd", "abXd", 4))
FAILING(fails_memory_not_equal, assert_memory_not_equal("abcd", "abXd", 2))
FAILING(fails_by_name, fail())
FAILING(fails_with_words, fail_msg("%d words and\a %s", 5, "# ok 1 more"))

static void torn_down_whatever_happened(void **state)
{
	(void)state;
	assert_int_equal(nr_torn_down, 3);
}

static void had_state(void **state)
{
	assert_string_equal(*state, "state");
}

static void memory_is_given_back(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++) {
		char *p = malloc(100000), *q = calloc(3, 1000);

		assert_non_null(p);
		assert_non_null(q);
		memset(p, 1, 100000);
		for (int j = 0; j < 3000; j++)
			assert_int_equal(q[j], 0);
		memset(q, 1, 3000);
		free(p);
		free(q);
	}
}

int main(void)
{
	static char text[] = "state";
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes),
		cmocka_unit_test(is_skipped),
		cmocka_unit_test(all_that_hold),
		cmocka_unit_test(fails_true),
		cmocka_unit_test(fails_false),
		cmocka_unit_test(fails_non_null),
		cmocka_unit_test(fails_null),
		cmocka_unit_test(fails_int_equal),
		cmocka_unit_test(fails_int_not_equal),
		cmocka_unit_test(fails_ptr_equal),
		cmocka_unit_test(fails_ptr_not_equal),
		cmocka_unit_test(fails_below_range),
		cmocka_unit_test(fails_above_range),
		cmocka_unit_test(fails_not_in_range),
		cmocka_unit_test(fails_string_equal),
		cmocka_unit_test(fails_string_not_equal),
		cmocka_unit_test(fails_memory_equal),
		cmocka_unit_test(fails_memory_not_equal),
		cmocka_unit_test(fails_by_name),
		cmocka_unit_test(fails_with_words),
		{ "bad_setup", passes, bad_fixture, counting_teardown, NULL },
		{ "asserting_setup", passes, asserting_fixture, counting_teardown, NULL },
		{ "bad_teardown", passes, good_fixture, bad_fixture, NULL },
		{ "asserting_teardown", passes, NULL, asserting_fixture, NULL },
		{ "passes_and_torn_down", passes, good_fixture, counting_teardown, NULL },
		{ "fails_and_torn_down", fails_by_name, good_fixture, counting_teardown, NULL },
		{ "skipped_and_torn_down", is_skipped, good_fixture, counting_teardown, NULL },
		{ "skipped_and_bad_teardown", is_skipped, good_fixture, bad_fixture, NULL },
		cmocka_unit_test(torn_down_whatever_happened),
		cmocka_unit_test_prestate(had_state, text),
		cmocka_unit_test(memory_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
