/* SPDX-License-Identifier: BSD-2-Clause */
/* xorshift64: the workloads' random numbers, the same on every machine. */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdint.h>

/* The next number; *state must not be 0, and never becomes it. */
static inline uint64_t xorshift64(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x;
}

/* Fisher and Yates: v[0..n) in random order. */
static inline void shuffle(int64_t *v, uint64_t n, uint64_t *state)
{
	for (uint64_t left = n; left > 1; left--) {
		uint64_t i = left - 1, j = xorshift64(state) % left;
		int64_t tmp = v[i];

		v[i] = v[j];
		v[j] = tmp;
	}
}

#endif
