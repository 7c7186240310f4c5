/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy's hints: which words to look at, as bitmaps that mirror the tree, a kind each. In a
 * quiet moment a word of level 0 that holds something has HINT_ANY; one above has the class of
 * its largest run or a larger one; so have all hint words above. Bits too many cost time only.
 */
#include "buddy_tree.h"

/* The hints of @level from @kind on in the node @n, together. */
static inline uint64_t hints_from(const uint64_t *n, unsigned int level, unsigned int kind)
{
	const uint64_t *hint = n + 1 + HINTS_BELOW(level);
	const uint64_t *end = hint + NR_KINDS(level);
	uint64_t v = 0;

	if (level && !kind) {
		UNROLL
		for (unsigned int k = 0; k < RADIX_SHIFT; k++)
			v |= atomic_read(&hint[k]);
		return v;
	}
	for (hint += kind; hint < end; hint++)
		v |= atomic_read(hint);
	return v;
}

uint64_t buddy_hints_from(const uint64_t *n, unsigned int level, unsigned int kind)
{
	return hints_from(n, level, kind);
}

/* Sets the bit of @idx in its parent's hint word at level @up, and on upwards where it is new. */
static void hint_set_from(const struct buddy_tree *t, unsigned int up, unsigned int level,
			  unsigned int kind, uint64_t idx)
{
	for (; up && up < BUDDY_LEVELS; up++) {
		uint64_t bit = 1ULL << BITS_OF(idx);
		uint64_t *hint;

		idx >>= RADIX_SHIFT;
		hint = node_hint(buddy_node(t, up, idx), level, kind);
		/*
		 * The load comes after the AMO that put the word's bits (.aq). If it still sees the
		 * bit, whoever clears it will look at the word later and find them.
		 */
		if (atomic_read(hint) & bit)
			return;
		if (atomic_fetch_or(hint, bit))
			return;
	}
}

void buddy_hint_set(const struct buddy_tree *t, unsigned int level, unsigned int kind, uint64_t idx)
{
	hint_set_from(t, level + 1, level, kind, idx);
}

/* The summaries above the level 1 (or @level + 1) node @idx, whose hint word was empty before. */
void buddy_hint_set_above(const struct buddy_tree *t, unsigned int level, unsigned int kind,
			  uint64_t idx)
{
	hint_set_from(t, level + 2, level, kind, idx);
}

/*
 * Clears the bit of @idx at level @up; where that leaves a hint word empty, clears its summary,
 * then looks again at what the summary speaks for and sets it again if needed (rule 5). @below is
 * the hint word that the first bit speaks for; NULL: the caller looks at the word itself.
 */
static void hint_clear_from(const struct buddy_tree *t, unsigned int up, unsigned int level,
			    unsigned int kind, uint64_t idx, const uint64_t *below)
{
	for (; up < BUDDY_LEVELS; up++) {
		uint64_t bit = 1ULL << BITS_OF(idx);
		uint64_t *hint = node_hint(buddy_node(t, up, idx >> RADIX_SHIFT), level, kind);
		uint64_t rest = atomic_fetch_and(hint, ~bit) & ~bit;

		if (below && atomic_read(below)) {
			hint_set_from(t, up, level, kind, idx);
			return;
		}
		if (rest)
			return;
		below = hint;
		idx >>= RADIX_SHIFT;
	}
}

void buddy_hint_clear(const struct buddy_tree *t, unsigned int level, unsigned int kind,
		      uint64_t idx)
{
	hint_clear_from(t, level + 1, level, kind, idx, NULL);
}

static inline unsigned int pick(uint64_t v, bool from_top)
{
	return from_top ? fls64(v) : ffs64(v);
}

/* One way down from the top's hint word @v. Returns the word's number, or -1 if a hint was stale. */
static inline int64_t hint_descend(const struct buddy_tree *t, unsigned int level,
				   unsigned int kind, uint64_t idx, uint64_t v, bool from_top)
{
	for (unsigned int up = TOP; up > level + 1; up--) {
		const uint64_t *hint;

		idx = (idx << RADIX_SHIFT) | pick(v, from_top);
		hint = node_hint(buddy_node(t, up - 1, idx), level, kind);
		v = atomic_read(hint);
		if (!v) {
			hint_clear_from(t, up, level, kind, idx, hint);
			return -1;
		}
	}
	return (int64_t)((idx << RADIX_SHIFT) | pick(v, from_top));
}

/* Is any word of @level hinted by a kind from @kind on? Often there is none at all. */
bool buddy_hint_any(const struct buddy_tree *t, unsigned int level, unsigned int kind)
{
	uint64_t last = (t->end_pfn - 1) >> WORD_SHIFT(TOP);

	for (uint64_t top = t->start_pfn >> WORD_SHIFT(TOP); top <= last; top++)
		if (hints_from(buddy_node(t, TOP, top), level, kind))
			return true;
	return false;
}

/*
 * The lowest (or highest) word of @level that a hint of kind *@kind leads to, or, failing that, of
 * a kind above, by its number; *@kind becomes the kind found. -1 if there is none. Within the
 * span of one word of the top level a better kind goes before a better address.
 * Each turn of the loops ends them, goes on, or clears a stale summary. What a hint is worth shows
 * when the word is claimed, with acquire, and "none" is believed behind a fence (rule 6): relaxed
 * loads do.
 */
int64_t buddy_hint_find(const struct buddy_tree *t, unsigned int level, unsigned int *kind,
			bool from_top)
{
	uint64_t first = t->start_pfn >> WORD_SHIFT(TOP);
	uint64_t last = (t->end_pfn - 1) >> WORD_SHIFT(TOP);

	for (uint64_t i = first; i <= last; i++) {
		uint64_t top = from_top ? first + last - i : i;
		const uint64_t *hints = node_hint(buddy_node(t, TOP, top), level, 0);

		for (unsigned int k = *kind; k < NR_KINDS(level); k++) {
			uint64_t v;

			while ((v = atomic_read(&hints[k]))) {
				int64_t idx = hint_descend(t, level, k, top, v, from_top);

				if (idx >= 0) {
					*kind = k;
					return idx;
				}
			}
		}
	}
	return -1;
}

/*
 * The nearest word of @level from @idx on, upwards or downwards, that is hinted by any kind, or
 * UINT64_MAX; of the top level, which has no hints, @idx itself. From the top down: whether a node has
 * ever been valid is known by the hints that lead to it. Each new start is for an @idx further on.
 */
static inline __attribute__((always_inline)) uint64_t
hint_from(const struct buddy_tree *t, unsigned int level, uint64_t idx, bool down)
{
	uint64_t first = t->start_pfn >> WORD_SHIFT(level);
	uint64_t last = (t->end_pfn - 1) >> WORD_SHIFT(level);

	/* Below 0 lies UINT64_MAX. */
	while (idx <= last && (!down || idx >= first)) {
		uint64_t node = idx >> BIT_SHIFT(TOP - level);
		unsigned int up = TOP;

		for (; up > level; up--) {
			uint64_t child = idx >> BIT_SHIFT(up - 1 - level);
			uint64_t v = hints_from(buddy_node(t, up, node), level, 0);

			v &= down ? ~0ULL >> (63 - BITS_OF(child)) : ~0ULL << BITS_OF(child);
			if (!v)
				break;
			node = node << RADIX_SHIFT | pick(v, down);
			if (node != child)
				idx = ((node + down) << BIT_SHIFT(up - 1 - level)) - down;
		}
		if (up == level)
			return idx;
		idx = ((node + !down) << BIT_SHIFT(up - level)) - down;
	}
	return UINT64_MAX;
}

/* The lowest word of level 0 from @idx on that is hinted, or UINT64_MAX. */
uint64_t buddy_hint_next(const struct buddy_tree *t, uint64_t idx)
{
	return hint_from(t, 0, idx, false);
}

/* The same for any level, and any kind. */
uint64_t buddy_hint_above(const struct buddy_tree *t, unsigned int level, uint64_t idx)
{
	return hint_from(t, level, idx, false);
}

/* The highest word of @level up to @idx, of any kind. */
uint64_t buddy_hint_below(const struct buddy_tree *t, unsigned int level, uint64_t idx)
{
	return hint_from(t, level, idx, true);
}

/*
 * The lowest word of @level that a hint of @kind or a kind above leads to, whichever; -1 if there
 * is none. Stale summaries are cleared on the way, each at the price of a new start.
 */
int64_t buddy_hint_lowest(const struct buddy_tree *t, unsigned int level, unsigned int kind)
{
	uint64_t last = (t->end_pfn - 1) >> WORD_SHIFT(TOP);

	for (uint64_t top = t->start_pfn >> WORD_SHIFT(TOP); top <= last;) {
		uint64_t v = hints_from(buddy_node(t, TOP, top), level, kind);
		uint64_t idx = top;
		unsigned int up = TOP;

		if (!v) {
			top++;
			continue;
		}
		for (; v && up > level + 1; up--) {
			idx = (idx << RADIX_SHIFT) | ffs64(v);
			v = hints_from(buddy_node(t, up - 1, idx), level, kind);
		}
		if (v)
			return (int64_t)((idx << RADIX_SHIFT) | ffs64(v));
		for (unsigned int k = kind; k < NR_KINDS(level); k++)
			hint_clear_from(t, up + 1, level, k, idx,
					node_hint(buddy_node(t, up, idx), level, k));
	}
	return -1;
}

/* Clears the hints of a word from @kind on, where they are set. */
void buddy_hint_clear_all(const struct buddy_tree *t, unsigned int level, unsigned int kind,
			  uint64_t idx)
{
	const uint64_t *hint = node_hint(buddy_node(t, level + 1, idx >> RADIX_SHIFT), level, 0);

	for (; kind < NR_KINDS(level); kind++)
		if (atomic_read(&hint[kind]) >> BITS_OF(idx) & 1)
			buddy_hint_clear(t, level, kind, idx);
}

/* One level of buddy_hint_walk(): the children of node @idx of level @up. */
static bool walk_node(const struct buddy_tree *t, unsigned int level, unsigned int up, uint64_t idx,
		      uint32_t kinds, buddy_word_fn fn, void *ctx)
{
	uint64_t hints = 0;

	for (unsigned int kind = 0; kind < NR_KINDS(level); kind++)
		if (kinds >> kind & 1)
			hints |=
				atomic_read_acquire(node_hint(buddy_node(t, up, idx), level, kind));
	for (; hints; hints &= hints - 1) {
		uint64_t child = (idx << RADIX_SHIFT) | ffs64(hints);

		if (!(up > level + 1 ? walk_node(t, level, up - 1, child, kinds, fn, ctx)
				     : fn(ctx, t, level, child)))
			return false;
	}
	return true;
}

/*
 * Calls @fn for each word of @level that a hint of @kinds (a bit each) leads to, upwards, each
 * once. False if @fn stopped it. The depth is that of the tree.
 */
bool buddy_hint_walk(const struct buddy_tree *t, unsigned int level, uint32_t kinds,
		     buddy_word_fn fn, void *ctx)
{
	uint64_t last = (t->end_pfn - 1) >> WORD_SHIFT(TOP);

	for (uint64_t top = t->start_pfn >> WORD_SHIFT(TOP); top <= last; top++)
		if (!walk_node(t, level, TOP, top, kinds, fn, ctx))
			return false;
	return true;
}

/* Do the hints of kind @kind lead to word @idx of @level? */
bool buddy_hint_test(const struct buddy_tree *t, unsigned int level, unsigned int kind,
		     uint64_t idx)
{
	for (unsigned int up = TOP; up > level; up--) {
		uint64_t child = idx >> ((up - 1 - level) * RADIX_SHIFT);
		const uint64_t *hint =
			node_hint(buddy_node(t, up, child >> RADIX_SHIFT), level, kind);

		if (!(atomic_read(hint) >> BITS_OF(child) & 1))
			return false;
	}
	return true;
}
