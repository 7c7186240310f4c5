/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What no test may do, and the host's sanitizers or cmocka would not let pass: writing behind a
 * block of memory, and skipping where there is no test to skip.
 */
#include "test.h"

#include <stdlib.h>

static int skipping_fixture(void **state)
{
	(void)state;
	skip();
	return 0;
}

static void is_innocent(void **state)
{
	(void)state;
}

static void writes_behind(void **state)
{
	static volatile char *p;
	volatile size_t size = 100;

	(void)state;
	p = malloc(size);
	p[size] = 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_innocent),
		cmocka_unit_test_setup(is_innocent, skipping_fixture),
		cmocka_unit_test_teardown(is_innocent, skipping_fixture),
		cmocka_unit_test(writes_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
