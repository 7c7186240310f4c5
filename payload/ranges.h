/* SPDX-License-Identifier: BSD-2-Clause */
/* What the page allocator was given, as the benchmark wants to know it. */
#ifndef PAYLOAD_RANGES_H
#define PAYLOAD_RANGES_H

#include "bench.h"
#include "memory.h"

/* memory_discard() may add so many to the list. */
#define MAX_DISCARDED_RANGES 2

/*
 * managed_ranges() - what was handed over, by the memory map, without huge pages. Ranges that touch are one, but where
 * a tree ends: nothing merges across. @ranges NULL: only counts them. O(regions +
 * huge pages). Returns how many.
 */
unsigned int managed_ranges(const struct memory *m, struct bench_range *ranges);

/*
 * memory_discard() - memblock=discard: memblock's grown arrays become free memory, and the map is
 * empty; m->audit is brought up to date. @ranges: the list of all @nr ranges, with room for
 * MAX_DISCARDED_RANGES more, @used_pages what is in use. Returns how many there are now.
 */
unsigned int memory_discard(struct memory *m, struct bench_range *ranges, unsigned int nr,
			    uint64_t used_pages);

#endif
