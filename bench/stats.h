/* SPDX-License-Identifier: BSD-2-Clause */
/* Sorting, medians and net figures: whole numbers only. */
#ifndef BENCH_STATS_H
#define BENCH_STATS_H

#include <stdint.h>

/* Sorts v[0..n) upward. In place, O(n^1.3) or so. */
void stats_sort(int64_t *v, uint64_t n);

/* The middle of v[0..n), or the mean of the two middle ones; sorts v. 1 <= n. */
int64_t stats_median(int64_t *v, uint64_t n);

/* (total - null) * 100 / ops, rounded to the nearest. ops > 0. */
int64_t stats_net_x100(int64_t total, int64_t null, uint64_t ops);

/* Ticks of a counter of @hz as nanoseconds. 0 < hz <= 18 * 10^9. */
uint64_t stats_ticks_to_ns(uint64_t ticks, uint64_t hz);

/*
 * x, in units of 10^-digits, in decimal with @keep of the @digits decimals, rounded to nearest.
 * Returns @text, which has room for STATS_TEXT characters. keep <= digits <= 18.
 */
#define STATS_TEXT 24
char *stats_fixed(char *text, int64_t x, unsigned int digits, unsigned int keep);

/* The largest power of two that is at most @x; x > 0. */
uint64_t stats_pow2_floor(uint64_t x);

/* log2 of a power of two. */
unsigned int stats_log2(uint64_t x);

#endif
