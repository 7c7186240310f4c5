/* SPDX-License-Identifier: BSD-2-Clause */
/* Bitmaps, a word at a time. Bit i is bit i % 64 of word i / 64. */
#include "bitops.h"
#include "bootmem_internal.h"

/* The bits of the word that bit @from lies in, from it on. */
static uint64_t from_mask(uint64_t from)
{
	return ~0ULL << (from % BITMAP_WORD_BITS);
}

/* The bits below @to in the word that bit @to - 1 lies in. */
static uint64_t to_mask(uint64_t to)
{
	return ~0ULL >> ((BITMAP_WORD_BITS - to % BITMAP_WORD_BITS) % BITMAP_WORD_BITS);
}

/* @fill: what the words become, all ones or 0. */
static void fill_bits(uint64_t *map, uint64_t from, uint64_t to, uint64_t fill)
{
	uint64_t first, last, mask;

	if (from >= to)
		return;
	first = from / BITMAP_WORD_BITS;
	last = (to - 1) / BITMAP_WORD_BITS;
	mask = from_mask(from);
	if (first < last) {
		map[first] = (map[first] & ~mask) | (fill & mask);
		while (++first < last)
			map[first] = fill;
		mask = ~0ULL;
	}
	mask &= to_mask(to);
	map[last] = (map[last] & ~mask) | (fill & mask);
}

void bitmap_set(uint64_t *map, uint64_t from, uint64_t to)
{
	fill_bits(map, from, to, ~0ULL);
}

void bitmap_clear(uint64_t *map, uint64_t from, uint64_t to)
{
	fill_bits(map, from, to, 0);
}

/* The first bit in [from, to) that is set in map ^ flip. */
static inline uint64_t next_bit(const uint64_t *map, uint64_t from, uint64_t to, uint64_t flip)
{
	uint64_t at, word;

	if (from >= to)
		return to;
	at = from / BITMAP_WORD_BITS;
	word = (map[at] ^ flip) & from_mask(from);
	while (!word) {
		if (++at > (to - 1) / BITMAP_WORD_BITS)
			return to;
		word = map[at] ^ flip;
	}
	return min_pfn_of(at * BITMAP_WORD_BITS + ffs64(word), to);
}

uint64_t bitmap_next_set(const uint64_t *map, uint64_t from, uint64_t to)
{
	return next_bit(map, from, to, 0);
}

uint64_t bitmap_next_clear(const uint64_t *map, uint64_t from, uint64_t to)
{
	return next_bit(map, from, to, ~0ULL);
}

uint64_t bitmap_after_last_clear(const uint64_t *map, uint64_t to)
{
	uint64_t at, word;

	if (!to)
		return 0;
	at = (to - 1) / BITMAP_WORD_BITS;
	word = ~map[at] & to_mask(to);
	while (!word) {
		if (!at--)
			return 0;
		word = ~map[at];
	}
	return at * BITMAP_WORD_BITS + fls64(word) + 1;
}
