/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy's fast paths, in line: in buddy_alloc() and buddy_free(), and in the page allocator's
 * own. They are counted in single instructions (tests/boot/test_fast_paths.py).
 */
#ifndef MM_BUDDY_FAST_H
#define MM_BUDDY_FAST_H

#include "buddy_tree.h"

/* atomic_or_partial() for one page. */
static inline bool put_page(uint64_t *word, uint64_t pfn)
{
#ifdef atomic_or_bit_partial
	if (BUDDY_RADIX == 64)
		return atomic_or_bit_partial(word, pfn);
#endif
	return atomic_or_partial(word, 1ULL << BITS_OF(pfn), WORD_FULL);
}

/* Is the small block one that the fast path can free? The window has whole words only. */
static inline bool in_window(const struct buddy_hart *h, uint64_t pfn, uint64_t size)
{
	return !(pfn & (size - 1)) && pfn - h->window_pfn < atomic_read(&h->window_pages);
}

static inline uint64_t *window_word(const struct buddy_hart *h, uint64_t pfn)
{
	return (uint64_t *)(h->words + (pfn >> RADIX_SHIFT) * sizeof(uint64_t));
}

/*
 * A free into a word that holds something and is not full with it: of a page, or of a larger small
 * block. False: that takes more, or is refused.
 */
static inline bool buddy_free_page_fast(const struct buddy_hart *h, uint64_t pfn)
{
	uint64_t *word = window_word(h, pfn);

	return likely(in_window(h, pfn, 1) && put_page(word, pfn));
}

static inline bool buddy_free_run_fast(const struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	uint64_t *word = window_word(h, pfn), size = 1ULL << order;

	return in_window(h, pfn, size) &&
	       atomic_or_partial(word, ((1ULL << size) - 1) << BITS_OF(pfn), WORD_FULL);
}

#endif
