/* SPDX-License-Identifier: BSD-2-Clause */
/* A test that traps: the run ends there, as failed. */
#include "test.h"

static void comes_before(void **state)
{
	(void)state;
}

static void traps(void **state)
{
	(void)state;
	__builtin_trap();
}

static void comes_after(void **state)
{
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_before),
		cmocka_unit_test(traps),
		cmocka_unit_test(comes_after),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
