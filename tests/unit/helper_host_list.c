/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With TEST_LIST in the environment a program prints the names of its tests, instead of running
 * them: tests/boot/test_selftest.py compares them with the payload's. The linker sends all calls
 * of _cmocka_run_group_tests() here (--wrap in mk/host.mk).
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>

int __real__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t nr,
				   CMFixtureFunction setup, CMFixtureFunction teardown);
int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t nr,
				   CMFixtureFunction setup, CMFixtureFunction teardown);

int __wrap__cmocka_run_group_tests(const char *name, const struct CMUnitTest *tests, size_t nr,
				   CMFixtureFunction setup, CMFixtureFunction teardown)
{
	if (!getenv("TEST_LIST"))
		return __real__cmocka_run_group_tests(name, tests, nr, setup, teardown);
	for (size_t i = 0; i < nr; i++)
		puts(tests[i].name);
	return 0;
}
