/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With TEST_LIST in the environment a program prints the names of its tests, instead of running
 * them: tests/boot/test_selftest.py compares them with the payload's. This function comes before
 * the shared library's of the same name, which it calls.
 */
#define _GNU_SOURCE
#include "test.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int _cmocka_run_group_tests(const char *name, const struct CMUnitTest *const tests, const size_t nr,
			    CMFixtureFunction setup, CMFixtureFunction teardown)
{
	int (*run)(const char *, const struct CMUnitTest *, size_t, CMFixtureFunction,
		   CMFixtureFunction);
	void *next = dlsym(RTLD_NEXT, __func__);

	if (!getenv("TEST_LIST")) {
		assert_non_null(next);
		memcpy(&run, &next, sizeof(run));
		return run(name, tests, nr, setup, teardown);
	}
	for (size_t i = 0; i < nr; i++)
		puts(tests[i].name);
	return 0;
}
