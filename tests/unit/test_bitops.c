/* SPDX-License-Identifier: BSD-2-Clause */
/* The bit scans that rv64gc uses, on the host, against the compiler's builtins. */
#include "test.h"

#define BITOPS_PORTABLE
#define bitops_debruijn_index tested_debruijn_index
#include "../../mm/bitops.c"

static void check(uint64_t x)
{
	assert_int_equal(hweight64(x), __builtin_popcountll(x));
	assert_int_equal(lowest_bit(x), x & -x);
	if (!x)
		return;
	assert_int_equal(ffs64(x), __builtin_ctzll(x));
	assert_int_equal(fls64(x), 63 - __builtin_clzll(x));
}

static void test_table(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(bitops_debruijn_index[(BITOPS_DEBRUIJN << i) >> 58], i);
}

static void test_scans(void **state)
{
	uint64_t x = 42;

	(void)state;
	check(0);
	check(~0ULL);
	for (unsigned int i = 0; i < 64; i++)
		for (unsigned int j = 0; j < 64; j++)
			check((1ULL << i) | (1ULL << j));
	for (unsigned int i = 0; i < 10000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		check(x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_scans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
