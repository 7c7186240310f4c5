/* SPDX-License-Identifier: BSD-2-Clause */
/* The one machine that there is in the payload. */
#include "live.h"

#include "runner.h"

static int setup(void **state)
{
	*state = (void *)(uintptr_t)runner.env;
	return 0;
}

int live_run_group(enum selftest_phase phase, const struct CMUnitTest *tests, size_t nr)
{
	(void)phase;
	return _cmocka_run_group_tests("live", tests, nr, setup, NULL);
}
