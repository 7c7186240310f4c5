/* SPDX-License-Identifier: BSD-2-Clause */
/* Sorting, medians and net figures. */
#include "stats.h"

void stats_sort(int64_t *v, uint64_t n)
{
	/* Shell's sort with Ciura's gaps, carried on by a factor of about 2.25. */
	static const uint32_t gaps[] = { 861504, 382885, 170171, 75632, 33614, 14938,
					 6639,   2951,   1311,   701,   301,   132,
					 57,     23,     10,     4,     1 };

	for (unsigned int g = 0; g < sizeof(gaps) / sizeof(gaps[0]); g++) {
		uint64_t gap = gaps[g];

		for (uint64_t i = gap; i < n; i++) {
			int64_t x = v[i];
			uint64_t j = i;

			for (; j >= gap && v[j - gap] > x; j -= gap)
				v[j] = v[j - gap];
			v[j] = x;
		}
	}
}

int64_t stats_median(int64_t *v, uint64_t n)
{
	int64_t low, high;

	stats_sort(v, n);
	low = v[(n - 1) / 2];
	high = v[n / 2];
	return low + (high - low) / 2;
}

int64_t stats_net_x100(int64_t total, int64_t null, uint64_t ops)
{
	int64_t x = (total - null) * 100;
	int64_t half = (int64_t)(ops / 2);

	return (x + (x < 0 ? -half : half)) / (int64_t)ops;
}

uint64_t stats_ticks_to_ns(uint64_t ticks, uint64_t hz)
{
	return ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
}

static uint64_t ten_to_the(unsigned int n)
{
	uint64_t x = 1;

	while (n--)
		x *= 10;
	return x;
}

char *stats_fixed(char *text, int64_t x, unsigned int digits, unsigned int keep)
{
	uint64_t abs = x < 0 ? 0 - (uint64_t)x : (uint64_t)x;
	uint64_t unit = ten_to_the(digits - keep);
	char reversed[STATS_TEXT];
	unsigned int n = 0, len = 0;

	abs = (abs + unit / 2) / unit;
	for (unsigned int digit = 0; abs || digit <= keep; digit++) {
		if (digit && digit == keep)
			reversed[n++] = '.';
		reversed[n++] = (char)('0' + abs % 10);
		abs /= 10;
	}
	if (x < 0)
		reversed[n++] = '-';
	while (n)
		text[len++] = reversed[--n];
	text[len] = '\0';
	return text;
}

uint64_t stats_pow2_floor(uint64_t x)
{
	while (x & (x - 1))
		x &= x - 1;
	return x;
}

unsigned int stats_log2(uint64_t x)
{
	unsigned int n = 0;

	while (x >>= 1)
		n++;
	return n;
}
