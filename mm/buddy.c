/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy's operations: blocks of a hart's own bits in the fast path, refill from the trees,
 * free with the checks that cost next to nothing, drain.
 */
#include "buddy_tree.h"

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* Published words that a refill looks at, in vain, before it takes a wholly free one. */
#define PUBLISHED_TURNS 8

/* Searches that may find memory in flight before buddy_alloc() answers -EMM_EAGAIN. */
#define SETTLE_TURNS 64

/*
 * Only every so many operations of a hart a free tells where it went: a word is looked at again
 * when some pages have gathered in it, so that a refill is worth its cost. Fewer: memory heals
 * better.
 */
#ifndef BUDDY_PUBLISH_EVERY
#define BUDDY_PUBLISH_EVERY 8
#endif

/* In flight, seq is odd and grows by 2 from operation to operation. */
static inline bool publish_is_due(uint64_t seq)
{
	return (seq >> 1) % BUDDY_PUBLISH_EVERY == 0;
}

/* Tells those who look for blocks of class @cls that the word holds some. */
static void publish(const struct buddy_tree *t, unsigned int cls, uint64_t idx)
{
	if (HINT_CLASSES)
		buddy_hint_set(t, 0, hint_of(cls), idx);
}

/*
 * Claims what is in a level 0 word: runs of class @cls stay with the hart, other bits go back at
 * once. Precondition: the hint that led here is cleared (rule 5), or is HINT_ANY, which nobody
 * clears without another look at the word. False if there is no such run.
 */
static bool claim_word(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls,
		       uint64_t idx)
{
	uint64_t word = atomic_xchg(buddy_node(t, 0, idx), 0);
	uint64_t starts = run_starts(word, cls);
	uint64_t rest = word & ~run_bits(starts, cls);

	if (rest) {
		unsigned int largest = largest_class(rest);

		buddy_put(h, t, 0, idx, rest);
		/* Not where the same search would find it again, in vain. */
		if (starts || hint_of(largest) < hint_of(cls))
			publish(t, largest, idx);
	}
	if (!starts)
		return false;
	h->cache[cls].starts = starts;
	h->cache[cls].base_pfn = idx << RADIX_SHIFT;
	h->events.refills++;
	return true;
}

struct sweep {
	struct buddy_hart *h;
	unsigned int cls;
};

/* Of buddy_hint_walk(): stops at the first word that could be claimed. */
static bool sweep_word(void *ctx, const struct buddy_tree *t, unsigned int level, uint64_t idx)
{
	const struct sweep *s = ctx;
	uint64_t word = atomic_read(buddy_node(t, 0, idx));

	(void)level;
	if (!word) {
		buddy_hint_clear(t, 0, HINT_ANY, idx);
		if (atomic_read(buddy_node(t, 0, idx)))
			buddy_hint_set(t, 0, HINT_ANY, idx);
		return true;
	}
	return !run_starts(word, s->cls) || !claim_word(s->h, t, s->cls, idx);
}

/* Does a word that is free at level 1, not as part of a larger block, lie below the frame @pfn? */
static bool free_word_below(const struct buddy_tree *t, uint64_t pfn)
{
	/* Below the top level a word has hints; where level 1 is the top, nothing is compared. */
	int64_t idx = TOP > 1 ? buddy_hint_lowest(t, 1, 0) : -1;
	uint64_t word;

	if (idx < 0)
		return false;
	word = atomic_read(buddy_node(t, 1, (uint64_t)idx));
	return word && (((uint64_t)idx << RADIX_SHIFT) | ffs64(word)) << BIT_SHIFT(1) < pfn;
}

/*
 * Fills the cache of order @cls from published words or from a wholly free one, whichever lies
 * lower: what is in use gathers at the bottom, and the top heals. Failing both, from any word that
 * has such a block. Returns 0 or an error.
 */
static int refill_from_tree(struct buddy_hart *h, const struct buddy_tree *t, unsigned int cls)
{
	struct sweep s = { h, cls };
	int64_t pfn;

	for (unsigned int turn = 0; HINT_CLASSES && turn < PUBLISHED_TURNS; turn++) {
		int64_t idx = buddy_hint_lowest(t, 0, hint_of(cls));

		if (idx < 0 || free_word_below(t, (uint64_t)idx << RADIX_SHIFT))
			break;
		buddy_hint_clear_all(t, 0, hint_of(cls), (uint64_t)idx);
		if (claim_word(h, t, cls, (uint64_t)idx))
			return 0;
		h->events.stale_hints++;
	}
	pfn = buddy_take(h, t, 1, 0, false);
	if (pfn < 0)
		return buddy_hint_walk(t, 0, 1U << HINT_ANY, sweep_word, &s) ? (int)pfn : 0;
	buddy_node_init(t, 0, (uint64_t)pfn >> RADIX_SHIFT, 0);
	h->cache[cls].starts = run_starts(WORD_FULL, cls);
	h->cache[cls].base_pfn = (uint64_t)pfn;
	h->events.splits++;
	return 0;
}

/* A block from one tree: in the cache of a small order, or as the frame returned. */
static int64_t search_tree(struct buddy_hart *h, const struct buddy_tree *t, unsigned int order)
{
	if (order < RADIX_SHIFT)
		return refill_from_tree(h, t, order);
	return buddy_take(h, t, order / RADIX_SHIFT, order % RADIX_SHIFT, true);
}

/* All trees, from the one that served last on and round: those below it are likely used up. */
static int64_t search_trees(struct buddy_hart *h, unsigned int order)
{
	const struct buddy *b = h->buddy;
	const struct buddy_tree *t = h->tree == &buddy_no_tree ? b->trees : h->tree;
	int64_t ret = -EMM_ENOMEM;

	for (uint32_t i = 0; i < b->nr_trees; i++, t++) {
		int64_t pfn;

		if (t == b->trees + b->nr_trees)
			t = b->trees;
		pfn = search_tree(h, t, order);
		if (pfn >= 0) {
			h->tree = t;
			return pfn;
		}
		if (pfn == -EMM_EAGAIN)
			ret = pfn;
	}
	return ret;
}

/*
 * Rule 6: the other harts' numbers added up, if none of them is in flight; else false. The same
 * sum before and after a search says that nothing was on its way meanwhile.
 */
bool buddy_harts_settled(const struct buddy_hart *self, uint64_t *sum)
{
	const struct buddy *b = self->buddy;

	*sum = 0;
	for (uint32_t i = 0; i < b->nr_harts; i++) {
		uint64_t seq;

		if (&b->harts[i] == self)
			continue;
		seq = atomic_read_acquire(&b->harts[i].seq);
		if (seq & 1)
			return false;
		*sum += seq;
	}
	return true;
}

/* The next block of the cache of @order, which is not empty. */
static inline int64_t cache_pop(struct buddy_cache *c)
{
	uint64_t starts = c->starts;
	uint64_t bit = lowest_bit(starts);

	c->starts = starts ^ bit;
	return (int64_t)(c->base_pfn + bit_index(bit));
}

/* The tree that served last has nothing: all trees, with the caches drained, until it is settled. */
static int64_t __attribute__((noinline)) alloc_anywhere(struct buddy_hart *h, unsigned int order)
{
	int64_t ret;

	for (unsigned int turn = 0; turn < SETTLE_TURNS; turn++) {
		uint64_t before, after;
		bool settled = buddy_harts_settled(h, &before);

		seq_begin(h);
		ret = search_trees(h, order);
		seq_end(h);
		if (ret >= 0)
			return ret;
		/* The search's last loads come before those of the numbers (rule 6). */
		atomic_fence_acquire();
		settled = settled && buddy_harts_settled(h, &after) && before == after;
		if (buddy_nr_held(h))
			buddy_drain(h); /* the next search finds what it cached */
		else if (ret == -EMM_ENOMEM && settled)
			return ret;
	}
	return -EMM_EAGAIN;
}

static int64_t __attribute__((noinline)) alloc_slow(struct buddy_hart *h, unsigned int order)
{
	int64_t ret = -EMM_ENOMEM;

	if (order > BUDDY_MAX_ORDER)
		return -EMM_EINVAL;
	if (likely(h->tree != &buddy_no_tree)) {
		seq_begin(h);
		ret = search_tree(h, h->tree, order);
		seq_end(h);
	}
	if (unlikely(ret < 0)) {
		ret = alloc_anywhere(h, order);
		if (ret < 0) {
			h->events.failures += ret == -EMM_ENOMEM;
			return ret;
		}
	}
	return order < RADIX_SHIFT ? cache_pop(&h->cache[order]) : ret;
}

int64_t buddy_alloc(struct buddy_hart *h, unsigned int order)
{
	if (likely(order < RADIX_SHIFT)) {
		struct buddy_cache *c = &h->cache[order];

		if (likely(c->starts))
			return cache_pop(c);
	}
	return alloc_slow(h, order);
}

const struct buddy_tree *buddy_find_tree(const struct buddy *b, uint64_t pfn, uint64_t nr_pages)
{
	uint32_t lo = 0, hi = b->nr_trees;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (b->trees[mid].end_pfn <= pfn)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo == b->nr_trees || !tree_covers(&b->trees[lo], pfn, nr_pages))
		return NULL;
	return &b->trees[lo];
}

/*
 * Free at any level, with everything checked before a bit is changed. @mask lies in one word.
 * A word that is 0 may be part of a larger free block: then this is a double free (rule 9).
 */
static int __attribute__((noinline)) free_slow(struct buddy_hart *h, const struct buddy_tree *t,
					       unsigned int level, uint64_t idx, uint64_t mask)
{
	uint64_t old = atomic_read(buddy_node(t, level, idx));
	int ret;

	if ((old & mask) || (!old && buddy_ancestor_is_free(t, level, idx))) {
		h->events.double_frees++;
		return -EMM_EDOUBLE;
	}
	seq_begin(h);
	ret = buddy_put(h, t, level, idx, mask);
	seq_end(h);
	return ret;
}

static int __attribute__((noinline))
free_checked(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	const struct buddy_tree *t;
	unsigned int level, cls;

	if (order > BUDDY_MAX_ORDER || (pfn & ((1ULL << order) - 1)))
		return -EMM_EINVAL;
	t = h->tree;
	if (!tree_covers(t, pfn, 1ULL << order)) {
		t = buddy_find_tree(h->buddy, pfn, 1ULL << order);
		if (!t)
			return -EMM_ERANGE;
		h->tree = t;
	}
	level = order / RADIX_SHIFT;
	cls = order % RADIX_SHIFT;
	return free_slow(h, t, level, pfn >> WORD_SHIFT(level),
			 run_mask(cls) << BITS_OF(pfn >> BIT_SHIFT(level)));
}

/*
 * The rest of a free whose AMO found @old: the carry, the word's first page, a double free that
 * raced, or the turn to publish the word. Ends the flight.
 */
static int __attribute__((noinline)) free_finish(struct buddy_hart *h, const struct buddy_tree *t,
						 uint64_t pfn, unsigned int cls, uint64_t old)
{
	uint64_t idx = pfn >> RADIX_SHIFT;
	unsigned int at = BITS_OF(pfn);
	uint64_t mask = run_mask(cls) << at;
	uint64_t now = old | mask;
	int ret = 0;

	if (!old || (old & mask) || now == WORD_FULL) {
		ret = buddy_put_finish(h, t, 0, idx, mask, old);
		if (ret)
			h->events.double_frees++;
	} else {
		/* The block that it has merged to: its buddies tell, without a search of the word. */
		while (cls + 1 < RADIX_SHIFT) {
			at &= ~((2U << cls) - 1);
			if (run_mask(cls + 1) << at & ~now)
				break;
			cls++;
		}
		publish(t, cls, idx);
	}
	seq_end(h);
	return ret;
}

int buddy_free(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	const struct buddy_tree *t = h->tree;
	uint64_t size, mask, old, now, seq;
	uint64_t *word;

	if (unlikely(order >= RADIX_SHIFT))
		return free_checked(h, pfn, order);
	size = 1ULL << order;
	if (unlikely((pfn & (size - 1)) || pfn < t->start_pfn || (pfn | (size - 1)) >= t->end_pfn))
		return free_checked(h, pfn, order);
	word = buddy_node(t, 0, pfn >> RADIX_SHIFT);
	mask = ((1ULL << size) - 1) << BITS_OF(pfn);
	old = atomic_read(word);
	if (unlikely(!old || (old & mask)))
		return free_slow(h, t, 0, pfn >> RADIX_SHIFT, mask);

	/* seq_begin() and seq_end(), with the number in a register. */
	seq = h->seq + 1;
	atomic_set(&h->seq, seq);
	old = atomic_fetch_or(word, mask);
	now = old | mask;
	if (unlikely(now == WORD_FULL || !old || (old & mask) || publish_is_due(seq)))
		return free_finish(h, t, pfn, order, old);
	atomic_set(&h->seq, seq + 1); /* ordered by the acquire of the AMO */
	return 0;
}

void buddy_drain(struct buddy_hart *h)
{
	seq_begin(h);
	for (unsigned int cls = 0; cls < RADIX_SHIFT; cls++) {
		struct buddy_cache *c = &h->cache[cls];

		if (!c->starts)
			continue;
		buddy_put(h, buddy_find_tree(h->buddy, c->base_pfn + ffs64(c->starts), 1), 0,
			  c->base_pfn >> RADIX_SHIFT, run_bits(c->starts, cls));
		c->starts = 0;
	}
	seq_end(h);
	h->events.drains++;
}

uint64_t buddy_nr_held(const struct buddy_hart *h)
{
	uint64_t nr_pages = 0;

	for (unsigned int cls = 0; cls < RADIX_SHIFT; cls++)
		nr_pages += (uint64_t)hweight64(h->cache[cls].starts) << cls;
	return nr_pages;
}
