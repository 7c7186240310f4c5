/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's harts as threads, for tests of bench/ on the host. */
#ifndef HELPER_THREADS_H
#define HELPER_THREADS_H

#include "bench.h"

/* @nr harts, of which @missing never comes (0: all do). */
struct helper_threads {
	struct bench_harts harts;
	uint32_t missing;
};

void helper_threads_init(struct helper_threads *t, uint32_t nr);

/* A clock of real time, in ns; instructions are time, too. */
void helper_threads_clock(struct bench_clock *clock);

#endif
