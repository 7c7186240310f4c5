/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for a suite's tests, from the allocator that is live, and the state that this is in. */
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

/* The caches of the hart go back to the buddy first. */
void live_state_take(struct live_state *s, const struct selftest_env *env);

/* Whether @is is sound and the same as @was; @k gets what differs. */
bool live_state_is(const struct live_state *is, const struct live_state *was, const struct ktap *k);

struct test_memory {
	void *base;
	size_t bytes;
	phys_addr_t pa;
	/* The buddy's blocks, side by side. */
	unsigned int order;
	unsigned int nr_blocks;
};

/*
 * test_memory_get() - one range of up to @most bytes, which leaves the allocator a part of what is
 * free, as low as it lies. Nothing is written to it. Fills in env->own_pfn and env->own_pages.
 * Returns NULL, or why there is none.
 */
const char *test_memory_get(struct test_memory *m, struct selftest_env *env, uint64_t most);

/* Gives it back. Returns 0 or the allocator's error. */
int test_memory_put(struct test_memory *m, struct selftest_env *env);

#endif
