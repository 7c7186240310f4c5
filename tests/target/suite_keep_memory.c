/* SPDX-License-Identifier: BSD-2-Clause */
/* A test that passes and leaves live memblock another one: that must be seen. */
#include "live.h"

static void keeps_a_reservation(void **state)
{
	struct selftest_env *env = *state;
	phys_addr_t pa;

	assert_int_equal(memblock_phys_alloc(env->mb, PAGE_SIZE, PAGE_SIZE, 0, PHYS_ADDR_MAX, NONE,
					     CAUSE_ALLOC, &pa),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_a_reservation),
	};

	return live_run(SELFTEST_MEMBLOCK, tests);
}
