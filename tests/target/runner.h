/* SPDX-License-Identifier: BSD-2-Clause */
/* What runs the suites: shared by cmocka's functions, the tests' C library and the phases. */
#ifndef TESTS_TARGET_RUNNER_H
#define TESTS_TARGET_RUNNER_H

#include "heap.h"
#include "ktap.h"
#include "selftest.h"
#include "suite.h"

struct runner {
	struct ktap ktap;
	struct heap heap;
	const struct selftest_env *env;
	const char *suite; /* the name of the one that runs */
	unsigned int results[NR_VERDICTS]; /* of its tests */
	bool group_has_run;
	bool in_test; /* set-up and tear-down included */
};

/* There is one: cmocka's functions have no argument for it. */
extern struct runner runner;

/* Runs the tests of a suite; they may use the heap. Returns whether none has failed. */
bool suite_run(const struct suite *s);

/* For malloc(): the test that runs needs more memory than there is, and counts as skipped. */
_Noreturn void test_lacks_memory(size_t bytes);

#endif
