/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shadow map: the benchmark's own ledger, a bit a page, of what an allocator has handed out.
 * It is kept outside the timed part, and says whether a block may be where it is.
 */
#ifndef BENCH_SHADOW_MAP_H
#define BENCH_SHADOW_MAP_H

#include <stdbool.h>
#include <stdint.h>

/* Frames [start_pfn, end_pfn). */
struct bench_range {
	uint64_t start_pfn;
	uint64_t end_pfn;
};

/* What can be wrong with a run. */
enum bench_verdict {
	BENCH_OK,
	BENCH_OVERLAP, /* a block handed out overlaps one still held */
	BENCH_MISALIGNED, /* its first frame is no multiple of its size */
	BENCH_OUTSIDE, /* it is not wholly inside the memory given to the allocator */
	BENCH_ALLOC_FAILED, /* where memory cannot have been short */
	BENCH_FREE_FAILED, /* a block in use was refused */
	BENCH_COUNT, /* not the number of operations that the seed gives */
	BENCH_LEAK, /* after free-all fewer pages are free than before */
	BENCH_SURPLUS, /* … or more */
	BENCH_NOT_ALL, /* "out of memory" with pages left that fit */
	BENCH_NOT_MERGED, /* after free-all buddies are free, but not the block they make */
	BENCH_RESERVE, /* the emergency reserve was given away */
	BENCH_SETUP, /* set-up failed, or left another number of pages free */
	BENCH_STRANGE, /* an answer that is neither a block nor an error that there is */
	BENCH_LOST_HART, /* a hart did not start, or did not end */
};

/* Ranges ascend and are disjoint. No block reaches from one into another, nor merges across. */
struct shadow_map {
	const struct bench_range *ranges;
	unsigned int nr_ranges;
	uint64_t *words; /* shadow_words(), a bit for each page of the ranges, in order */
};

/* 64-bit words that the map of these ranges needs. */
uint64_t shadow_words(const struct bench_range *ranges, unsigned int nr_ranges);

/* Nothing is handed out. O(words). */
void shadow_reset(struct shadow_map *map);

/* The range that holds all of [pfn, pfn + nr_pages), or NULL. O(log of the ranges). */
const struct bench_range *shadow_range(const struct shadow_map *map, uint64_t pfn,
				       uint64_t nr_pages);

/* Aligned and inside? Without a look at the bits. BENCH_OK, BENCH_MISALIGNED or BENCH_OUTSIDE. */
enum bench_verdict shadow_check(const struct shadow_map *map, int64_t pfn, unsigned int order);

/*
 * shadow_take() - a block was handed out: checks it, and marks its pages if it is good.
 * Returns BENCH_OK, BENCH_MISALIGNED, BENCH_OUTSIDE or BENCH_OVERLAP. O(2^order / 64).
 */
enum bench_verdict shadow_take(struct shadow_map *map, int64_t pfn, unsigned int order);

/* A block that shadow_take() accepted was given back. */
void shadow_give(struct shadow_map *map, int64_t pfn, unsigned int order);

/*
 * shadow_claim(), shadow_release() - the same for several harts at once, by atomic operations. A
 * block is claimed after it was handed out, and released before it is freed; one that overlaps
 * leaves the map as it may be. shadow_release() returns BENCH_OVERLAP if not all of it was claimed.
 */
enum bench_verdict shadow_claim(const struct shadow_map *map, int64_t pfn, unsigned int order);
enum bench_verdict shadow_release(const struct shadow_map *map, int64_t pfn, unsigned int order);

/* Is nothing handed out? O(words). */
bool shadow_is_empty(const struct shadow_map *map);

#endif
