/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for the tests, from the allocator that is live, whose state is compared afterwards. */
#ifndef TESTS_TARGET_MEMORY_H
#define TESTS_TARGET_MEMORY_H

#include <earlymm/handover.h>

#include "ktap.h"
#include "selftest.h"

/* What the live allocators hold, in numbers that tell two states apart. */
struct live_state {
	uint64_t map; /* a sum over memblock's arrays */
	uint64_t blocks[BUDDY_MAX_ORDER + 1]; /* free blocks of the buddy by order */
	uint64_t lost; /* pages, by the audit; UINT64_MAX: something is not valid */
};

struct test_memory {
	struct live_state before;
	phys_addr_t pa;
	unsigned int order; /* of the buddy's block */
	void *base;
	size_t bytes;
};

/*
 * test_memory_get() - takes up to 320 MiB, and leaves the allocator a part of what is free. Fills in
 * env->own_pfn and env->own_pages. False, and *@reason, if there is too little.
 */
bool test_memory_get(struct test_memory *m, struct selftest_env *env, const char **reason);

/*
 * test_memory_put() - gives it back. Returns whether the live allocators then are as they were
 * before; @k gets what differs.
 */
bool test_memory_put(struct test_memory *m, const struct selftest_env *env, const struct ktap *k);

#endif
