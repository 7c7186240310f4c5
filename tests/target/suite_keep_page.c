/* SPDX-License-Identifier: BSD-2-Clause */
/* A test that passes and does not give back what it has from the live buddy: that must be seen. */
#include "live_buddy.h"

static void keeps_a_page(void **state)
{
	struct selftest_env *env = *state;

	assert_true(buddy_alloc(env->hart, 0) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_a_page),
	};

	return live_run(SELFTEST_BUDDY, tests);
}
