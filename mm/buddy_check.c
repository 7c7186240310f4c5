/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy seen from outside in a quiet moment: what is free, by the bits alone, and whether the
 * invariants hold. Words are reached as the allocator reaches them: through the top and hints.
 */
#include "buddy_tree.h"

/* What walk_words() calls with each word that holds something; false stops it. */
typedef bool (*word_fn)(void *ctx, const struct buddy_tree *t, unsigned int level, uint64_t idx,
			uint64_t word);

struct walk {
	word_fn fn;
	void *ctx;
};

static bool visit_word(void *ctx, const struct buddy_tree *t, unsigned int level, uint64_t idx)
{
	const struct walk *w = ctx;
	uint64_t word = atomic_read(buddy_node(t, level, idx));

	return !word || w->fn(w->ctx, t, level, idx, word);
}

static bool walk_words(const struct buddy *b, word_fn fn, void *ctx)
{
	struct walk w = { fn, ctx };

	for (uint32_t i = 0; i < b->nr_trees; i++) {
		const struct buddy_tree *t = &b->trees[i];
		uint64_t last = (t->end_pfn - 1) >> WORD_SHIFT(TOP);

		for (uint64_t top = t->start_pfn >> WORD_SHIFT(TOP); top <= last; top++)
			if (!visit_word(&w, t, TOP, top))
				return false;
		for (unsigned int level = 0; level < TOP; level++)
			if (!buddy_hint_walk(t, level, ~0U, visit_word, &w))
				return false;
	}
	return true;
}

static bool count_pages(void *ctx, const struct buddy_tree *t, unsigned int level, uint64_t idx,
			uint64_t word)
{
	uint64_t *nr_pages = ctx;

	(void)t;
	(void)idx;
	*nr_pages += (uint64_t)hweight64(word) << BIT_SHIFT(level);
	return true;
}

uint64_t buddy_nr_free(const struct buddy *b)
{
	uint64_t nr_pages = 0;

	walk_words(b, count_pages, &nr_pages);
	return nr_pages;
}

/* The maximal aligned blocks of a word, by class. The top has single bits only. */
static bool count_blocks(void *ctx, const struct buddy_tree *t, unsigned int level, uint64_t idx,
			 uint64_t word)
{
	uint64_t *counts = ctx;

	(void)t;
	(void)idx;
	if (level == TOP) {
		counts[BUDDY_MAX_ORDER] += hweight64(word);
		return true;
	}
	for (unsigned int cls = RADIX_SHIFT; cls-- > 0;) {
		uint64_t starts = run_starts(word, cls);

		counts[level * RADIX_SHIFT + cls] += hweight64(starts);
		word &= ~run_bits(starts, cls);
	}
	return true;
}

void buddy_nr_blocks(const struct buddy *b, uint64_t counts[BUDDY_MAX_ORDER + 1])
{
	for (unsigned int order = 0; order <= BUDDY_MAX_ORDER; order++)
		counts[order] = 0;
	walk_words(b, count_blocks, counts);
}

/* Is there a hint of some class, at least @cls, that leads to the word? */
static bool word_is_hinted(const struct buddy_tree *t, unsigned int level, uint64_t idx,
			   unsigned int cls)
{
	for (; cls < NR_KINDS(level); cls++)
		if (buddy_hint_test(t, level, cls, idx))
			return true;
	return false;
}

bool buddy_page_is_free(const struct buddy *b, uint64_t pfn)
{
	const struct buddy_tree *t = buddy_find_tree(b, pfn, 1);

	if (!t)
		return false;
	for (unsigned int level = 0; level < BUDDY_LEVELS; level++) {
		uint64_t idx = pfn >> WORD_SHIFT(level);

		/* A node that no hint leads to may never have been written. */
		if (level < TOP && !word_is_hinted(t, level, idx, 0))
			continue;
		if (atomic_read(buddy_node(t, level, idx)) >> BITS_OF(pfn >> BIT_SHIFT(level)) & 1)
			return true;
	}
	return false;
}

/* Does the word @idx of @level lie below a bit that is set? */
static bool word_is_covered(const struct buddy_tree *t, unsigned int level, uint64_t idx)
{
	for (unsigned int up = level + 1; up < BUDDY_LEVELS; up++) {
		uint64_t parent = idx >> RADIX_SHIFT;

		if ((up == TOP || word_is_hinted(t, up, parent, 0)) &&
		    (atomic_read(buddy_node(t, up, parent)) >> BITS_OF(idx) & 1))
			return true;
		idx = parent;
	}
	return false;
}

static bool check_word(void *ctx, const struct buddy_tree *t, unsigned int level, uint64_t idx,
		       uint64_t word)
{
	uint64_t first = idx << WORD_SHIFT(level);

	(void)ctx;
	if (word & ~WORD_FULL)
		return false;
	if (first + ((uint64_t)ffs64(word) << BIT_SHIFT(level)) < t->start_pfn ||
	    first + ((uint64_t)(fls64(word) + 1) << BIT_SHIFT(level)) > t->end_pfn)
		return false;
	if (level == TOP)
		return true;
	return word != WORD_FULL && !word_is_covered(t, level, idx) &&
	       (level ? word_is_hinted(t, level, idx, largest_class(word))
		      : buddy_hint_test(t, 0, HINT_ANY, idx));
}

/* Is the page @pfn in the stack of a hart, but for the entry @but itself? */
static bool page_is_held(const struct buddy *b, uint64_t pfn, const int64_t *but)
{
	for (uint32_t i = 0; i < b->nr_harts; i++) {
		const struct buddy_hart *h = &b->harts[i];

		for (unsigned int order = 0; h->is_ready && order < BUDDY_NR_STACKS; order++)
			for (const int64_t *e = &h->stack[stack_bottom(order) + 1];
			     e <= h->top[order]; e++)
				if (e != but && (uint64_t)*e >> order == pfn >> order)
					return true;
	}
	return false;
}

static bool stack_is_valid(const struct buddy *b, const struct buddy_hart *h, unsigned int order)
{
	const int64_t *bottom = &h->stack[stack_bottom(order)];

	if (*bottom != -1 || h->top[order] < bottom ||
	    h->top[order] > bottom + (BUDDY_RADIX >> order))
		return false;
	for (const int64_t *e = bottom + 1; e <= h->top[order]; e++) {
		uint64_t pfn = (uint64_t)*e, end_pfn = pfn + (1ULL << order);

		if (*e < 0 || (pfn & ((1ULL << order) - 1)) ||
		    !buddy_find_tree(b, pfn, end_pfn - pfn))
			return false;
		for (; pfn < end_pfn; pfn++)
			if (buddy_page_is_free(b, pfn) || page_is_held(b, pfn, e))
				return false;
	}
	return true;
}

static bool stacks_are_valid(const struct buddy *b)
{
	for (uint32_t i = 0; i < b->nr_harts; i++)
		for (unsigned int order = 0; b->harts[i].is_ready && order < BUDDY_NR_STACKS;
		     order++)
			if (!stack_is_valid(b, &b->harts[i], order))
				return false;
	return true;
}

bool buddy_is_valid(const struct buddy *b)
{
	for (uint32_t i = 0; i < b->nr_trees; i++) {
		const struct buddy_tree *t = &b->trees[i];

		if (t->start_pfn >= t->end_pfn || (i && t->start_pfn < t[-1].end_pfn))
			return false;
	}
	return stacks_are_valid(b) && walk_words(b, check_word, NULL);
}
