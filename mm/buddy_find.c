/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free runs of any length, the lowest first: the bits of all levels, merged on the way up. What is
 * found is no more than a hint, as other harts do not stand still: who wants it claims it.
 */
#include "buddy_tree.h"

/* The next frames, from where the walk is on, that bits of one level say are free. */
struct level_run {
	uint64_t start_pfn; /* UINT64_MAX: there are none */
	uint64_t end_pfn;
};

/*
 * The lowest word of @level from @idx on that is hinted, or UINT64_MAX; of the top level, which has
 * no hints, @idx itself. From the top down: rule 2.
 */
static uint64_t next_word(const struct buddy_tree *t, unsigned int level, uint64_t idx)
{
	uint64_t last = (t->end_pfn - 1) >> WORD_SHIFT(level);

	while (idx <= last) {
		uint64_t node = idx >> BIT_SHIFT(TOP - level);
		unsigned int up = TOP;

		for (; up > level; up--) {
			uint64_t child = idx >> BIT_SHIFT(up - 1 - level);
			uint64_t v = buddy_hints_from(buddy_node(t, up, node), level, 0);

			v &= ~0ULL << BITS_OF(child);
			if (!v)
				break;
			node = node << RADIX_SHIFT | ffs64(v);
			if (node != child)
				idx = node << BIT_SHIFT(up - 1 - level);
		}
		if (up == level)
			return idx;
		idx = (node + 1) << BIT_SHIFT(up - level);
	}
	return UINT64_MAX;
}

/* The first run of @level that ends behind @pfn; it may begin before. */
static struct level_run next_run(const struct buddy_tree *t, unsigned int level, uint64_t pfn)
{
	uint64_t idx = pfn >> WORD_SHIFT(level), word = 0;
	uint64_t mask = ~0ULL << BITS_OF(pfn >> BIT_SHIFT(level));
	struct level_run run = { UINT64_MAX, UINT64_MAX };
	unsigned int first;

	for (;; idx++) {
		uint64_t at = next_word(t, level, idx);

		if (at == UINT64_MAX)
			return run;
		if (at != idx)
			mask = ~0ULL;
		idx = at;
		/* The hint said that the word was written: now look at it. */
		atomic_fence_acquire();
		word = atomic_read(buddy_node(t, level, idx)) & mask;
		if (word)
			break;
		mask = ~0ULL;
	}
	first = ffs64(word);
	/* The bits above the run, if there are any; behind a word's end nothing is set. */
	word = ~(word >> first) & (WORD_FULL >> first);
	run.start_pfn = (idx << RADIX_SHIFT | first) << BIT_SHIFT(level);
	run.end_pfn = run.start_pfn +
		      ((uint64_t)(word ? ffs64(word) : BUDDY_RADIX - first) << BIT_SHIFT(level));
	return run;
}

/* The run that begins lowest, of all levels, and ends behind @pfn. */
static struct level_run lowest_run(const struct buddy_tree *t, struct level_run *runs, uint64_t pfn)
{
	struct level_run *best = runs;

	for (unsigned int level = 0; level < BUDDY_LEVELS; level++) {
		struct level_run *run = &runs[level];

		if (run->start_pfn != UINT64_MAX && run->end_pfn <= pfn)
			*run = next_run(t, level, pfn);
		if (run->start_pfn < best->start_pfn)
			best = run;
	}
	return *best;
}

uint64_t buddy_find_run(const struct buddy_tree *t, uint64_t start_pfn, uint64_t end_pfn,
			uint64_t nr_pages, unsigned int align_order)
{
	uint64_t align = (1ULL << align_order) - 1, at;
	struct level_run runs[BUDDY_LEVELS];

	if (start_pfn < t->start_pfn)
		start_pfn = t->start_pfn;
	if (end_pfn > t->end_pfn)
		end_pfn = t->end_pfn;
	start_pfn = (start_pfn + align) & ~align;
	if (start_pfn >= end_pfn)
		return UINT64_MAX;
	for (unsigned int level = 0; level < BUDDY_LEVELS; level++)
		runs[level] = next_run(t, level, start_pfn);
	at = start_pfn;
	while (start_pfn < end_pfn && nr_pages <= end_pfn - start_pfn) {
		struct level_run run = lowest_run(t, runs, at);

		if (run.start_pfn == UINT64_MAX)
			break;
		if (run.start_pfn > at) {
			/* Not in one piece. */
			start_pfn = (run.start_pfn + align) & ~align;
			at = start_pfn;
			continue;
		}
		at = run.end_pfn;
		if (at - start_pfn >= nr_pages)
			return start_pfn;
	}
	return UINT64_MAX;
}
