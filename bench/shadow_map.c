/* SPDX-License-Identifier: BSD-2-Clause */
/* The shadow map: a bit a page of what is handed out. */
#include <stddef.h>
#include "shadow_map.h"

#define LARGEST_ORDER 40 /* no block is larger: keeps shifts and sums in range */

static uint64_t total_pages(const struct bench_range *ranges, unsigned int nr_ranges)
{
	uint64_t pages = 0;

	for (unsigned int i = 0; i < nr_ranges; i++)
		pages += ranges[i].end_pfn - ranges[i].start_pfn;
	return pages;
}

uint64_t shadow_words(const struct bench_range *ranges, unsigned int nr_ranges)
{
	return (total_pages(ranges, nr_ranges) + 63) / 64;
}

void shadow_reset(struct shadow_map *map)
{
	uint64_t words = shadow_words(map->ranges, map->nr_ranges);

	/* Not memset: the C library's may go byte by byte, and this is up to megabytes. */
	for (uint64_t i = 0; i < words; i++)
		((volatile uint64_t *)map->words)[i] = 0;
}

const struct bench_range *shadow_range(const struct shadow_map *map, uint64_t pfn,
				       uint64_t nr_pages)
{
	unsigned int lo = 0, hi = map->nr_ranges;

	while (lo < hi) {
		unsigned int mid = lo + (hi - lo) / 2;

		if (map->ranges[mid].end_pfn <= pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == map->nr_ranges || pfn < map->ranges[lo].start_pfn ||
	    map->ranges[lo].end_pfn - pfn < nr_pages)
		return NULL;
	return &map->ranges[lo];
}

enum bench_verdict shadow_check(const struct shadow_map *map, int64_t pfn, unsigned int order)
{
	if (order > LARGEST_ORDER || pfn < 0)
		return BENCH_OUTSIDE;
	if ((uint64_t)pfn & (((uint64_t)1 << order) - 1))
		return BENCH_MISALIGNED;
	return shadow_range(map, (uint64_t)pfn, (uint64_t)1 << order) ? BENCH_OK : BENCH_OUTSIDE;
}

/* The number of @pfn's bit; @pfn is inside a range. */
static uint64_t bit_of(const struct shadow_map *map, uint64_t pfn)
{
	const struct bench_range *r = shadow_range(map, pfn, 1);

	return total_pages(map->ranges, (unsigned int)(r - map->ranges)) + pfn - r->start_pfn;
}

/* The part of bits [*bit, end) that lies in one word; *bit moves past it. */
static uint64_t next_mask(uint64_t *bit, uint64_t end)
{
	uint64_t at = *bit % 64;
	uint64_t n = 64 - at < end - *bit ? 64 - at : end - *bit;

	*bit += n;
	return (n == 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1) << at;
}

enum bench_verdict shadow_take(struct shadow_map *map, int64_t pfn, unsigned int order)
{
	enum bench_verdict verdict = shadow_check(map, pfn, order);
	uint64_t first, end, bit;

	if (verdict != BENCH_OK)
		return verdict;
	first = bit_of(map, (uint64_t)pfn);
	end = first + ((uint64_t)1 << order);
	for (bit = first; bit < end;) {
		const uint64_t *word = &map->words[bit / 64];

		if (*word & next_mask(&bit, end))
			return BENCH_OVERLAP;
	}
	for (bit = first; bit < end;) {
		uint64_t *word = &map->words[bit / 64];

		*word |= next_mask(&bit, end);
	}
	return BENCH_OK;
}

void shadow_give(struct shadow_map *map, int64_t pfn, unsigned int order)
{
	uint64_t bit = bit_of(map, (uint64_t)pfn);
	uint64_t end = bit + ((uint64_t)1 << order);

	while (bit < end) {
		uint64_t *word = &map->words[bit / 64];

		*word &= ~next_mask(&bit, end);
	}
}

enum bench_verdict shadow_claim(const struct shadow_map *map, int64_t pfn, unsigned int order)
{
	enum bench_verdict verdict = shadow_check(map, pfn, order);
	uint64_t bit, end;

	if (verdict != BENCH_OK)
		return verdict;
	bit = bit_of(map, (uint64_t)pfn);
	for (end = bit + ((uint64_t)1 << order); bit < end;) {
		uint64_t *word = &map->words[bit / 64];
		uint64_t mask = next_mask(&bit, end);

		if (__atomic_fetch_or(word, mask, __ATOMIC_RELAXED) & mask)
			verdict = BENCH_OVERLAP;
	}
	return verdict;
}

enum bench_verdict shadow_release(const struct shadow_map *map, int64_t pfn, unsigned int order)
{
	enum bench_verdict verdict = BENCH_OK;
	uint64_t bit = bit_of(map, (uint64_t)pfn);
	uint64_t end = bit + ((uint64_t)1 << order);

	while (bit < end) {
		uint64_t *word = &map->words[bit / 64];
		uint64_t mask = next_mask(&bit, end);

		if (~__atomic_fetch_and(word, ~mask, __ATOMIC_RELAXED) & mask)
			verdict = BENCH_OVERLAP;
	}
	return verdict;
}

bool shadow_is_empty(const struct shadow_map *map)
{
	uint64_t words = shadow_words(map->ranges, map->nr_ranges), any = 0;

	for (uint64_t i = 0; i < words; i++)
		any |= map->words[i];
	return !any;
}
