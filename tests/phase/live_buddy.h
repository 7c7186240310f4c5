/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of a live buddy share: its state, and what must be free by the map. */
#ifndef TESTS_PHASE_LIVE_BUDDY_H
#define TESTS_PHASE_LIVE_BUDDY_H

#include "live.h"

struct buddy_state {
	uint64_t blocks[BUDDY_MAX_ORDER + 1];
	uint64_t nr_free;
};

/* Drains the hart's caches first. */
void buddy_state_take(struct buddy_state *s, const struct selftest_env *env);

/* The same after the tests: also valid, and the books balance. */
void buddy_state_check(const struct buddy_state *was, const struct selftest_env *env);

/* Whether @pfn is a whole page of memory that may be had, and no byte of it is reserved. */
bool map_has_free(const struct selftest_env *env, uint64_t pfn);

/* Blocks of an order that can be had, if nothing but this order is asked for. */
uint64_t nr_blocks_of(const struct buddy_state *s, unsigned int order);

#endif
