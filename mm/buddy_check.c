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
	uint64_t start_pfn; /* words that have nothing to do with these frames are left out */
	uint64_t end_pfn;
};

/* The bits of word @idx that are among the bits [first, end) of its level. */
static uint64_t bits_between(uint64_t idx, uint64_t first, uint64_t end)
{
	const uint64_t base = idx << RADIX_SHIFT;
	uint64_t bits = WORD_FULL;

	if (end <= base || first > base + (BUDDY_RADIX - 1) || first >= end)
		return 0;
	if (first > base)
		bits &= WORD_FULL << (first - base);
	if (end - base < BUDDY_RADIX)
		bits &= ~(WORD_FULL << (end - base));
	return bits;
}

/* Children of the node @idx of level @up that have a part of the walk's frames. */
static uint64_t children_in(const struct walk *w, unsigned int up, uint64_t idx)
{
	return bits_between(idx, w->start_pfn >> BIT_SHIFT(up),
			    ((w->end_pfn - 1) >> BIT_SHIFT(up)) + 1);
}

static bool visit_word(const struct walk *w, const struct buddy_tree *t, unsigned int level,
		       uint64_t idx)
{
	uint64_t word = atomic_read(buddy_node(t, level, idx));

	return !word || w->fn(w->ctx, t, level, idx, word);
}

/* The words of @level below the node @idx of level @up. The depth is that of the tree. */
static bool walk_below(const struct walk *w, const struct buddy_tree *t, unsigned int level,
		       unsigned int up, uint64_t idx)
{
	uint64_t hints;

	if (up == level)
		return visit_word(w, t, level, idx);
	hints = children_in(w, up, idx);
	if (hints)
		hints &= buddy_hints_from(buddy_node(t, up, idx), level, 0);
	/* They say that what is below has been written: now look at it. */
	atomic_fence_acquire();
	for (; hints; hints &= hints - 1)
		if (!walk_below(w, t, level, up - 1, (idx << RADIX_SHIFT) | ffs64(hints)))
			return false;
	return true;
}

static bool walk_tree(const struct walk *w, const struct buddy_tree *t)
{
	uint64_t start = w->start_pfn > t->start_pfn ? w->start_pfn : t->start_pfn;
	uint64_t end = w->end_pfn < t->end_pfn ? w->end_pfn : t->end_pfn;

	for (unsigned int level = BUDDY_LEVELS; level-- > 0;)
		for (uint64_t top = start >> WORD_SHIFT(TOP); top <= (end - 1) >> WORD_SHIFT(TOP);
		     top++)
			if (!walk_below(w, t, level, TOP, top))
				return false;
	return true;
}

/* Trees are ascending: those before the first that reaches beyond @pfn are stepped over at once. */
static uint32_t first_tree(const struct buddy *b, uint64_t pfn)
{
	uint32_t low = 0, high = b->nr_trees;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (b->trees[mid].end_pfn > pfn)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static bool walk_words_in(const struct buddy *b, const struct walk *w)
{
	if (w->start_pfn >= w->end_pfn)
		return true;
	for (uint32_t i = first_tree(b, w->start_pfn); i < b->nr_trees; i++) {
		if (b->trees[i].start_pfn >= w->end_pfn)
			break;
		if (!walk_tree(w, &b->trees[i]))
			return false;
	}
	return true;
}

static bool walk_words(const struct buddy *b, word_fn fn, void *ctx)
{
	const struct walk w = { fn, ctx, 0, UINT64_MAX };

	return walk_words_in(b, &w);
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

/* Blocks that begin in [start_pfn, end_pfn). */
struct block_count {
	uint64_t start_pfn;
	uint64_t end_pfn;
	uint64_t *counts;
};

static uint64_t bits_up(uint64_t pfn, unsigned int level)
{
	return (pfn >> BIT_SHIFT(level)) + ((pfn & ((1ULL << BIT_SHIFT(level)) - 1)) != 0);
}

/* The maximal aligned blocks of a word, by class. The top has single bits only. */
static bool count_blocks(void *ctx, const struct buddy_tree *t, unsigned int level, uint64_t idx,
			 uint64_t word)
{
	const struct block_count *c = ctx;
	uint64_t wanted =
		bits_between(idx, bits_up(c->start_pfn, level), bits_up(c->end_pfn, level));

	(void)t;
	if (level == TOP) {
		c->counts[BUDDY_MAX_ORDER] += hweight64(word & wanted);
		return true;
	}
	for (unsigned int cls = RADIX_SHIFT; cls-- > 0;) {
		uint64_t starts = run_starts(word, cls);

		c->counts[level * RADIX_SHIFT + cls] += hweight64(starts & wanted);
		word &= ~run_bits(starts, cls);
	}
	return true;
}

void buddy_nr_blocks_in(const struct buddy *b, uint64_t start_pfn, uint64_t end_pfn,
			uint64_t counts[BUDDY_MAX_ORDER + 1])
{
	struct block_count c = { start_pfn, end_pfn, counts };
	const struct walk w = { count_blocks, &c, start_pfn, end_pfn };

	for (unsigned int order = 0; order <= BUDDY_MAX_ORDER; order++)
		counts[order] = 0;
	walk_words_in(b, &w);
}

void buddy_nr_blocks(const struct buddy *b, uint64_t counts[BUDDY_MAX_ORDER + 1])
{
	buddy_nr_blocks_in(b, 0, UINT64_MAX, counts);
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

		for (unsigned int order = 0; atomic_read32(&h->is_ready) && order < BUDDY_NR_STACKS;
		     order++)
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
		for (unsigned int order = 0;
		     atomic_read32(&b->harts[i].is_ready) && order < BUDDY_NR_STACKS; order++)
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
