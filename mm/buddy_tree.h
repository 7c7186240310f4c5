/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The trees' layout, and how a word, a run in it and its hints are reached. Private to mm/buddy*.
 *
 * A node of level L is the word for RADIX children of RADIX^L pages each, followed by the hints
 * of every level below: for each level l < L and each kind (the class of the largest run, 2^k
 * bits; for level 0 see HINT_ANY), a word with a bit for each child. In a node of level l + 1 the
 * bit speaks for that child's word; above it: something below that child says so. A level 0 node
 * is its word alone.
 */
#ifndef MM_BUDDY_TREE_H
#define MM_BUDDY_TREE_H

#include <earlymm/buddy.h>
#include <earlymm/error.h>
#include "atomic.h"
#include "bitops.h"

#define RADIX_SHIFT  BUDDY_RADIX_SHIFT
#define TOP          BUDDY_TOP
#define WORD_FULL    (~0ULL >> (64U - BUDDY_RADIX))
#define BITS_OF(idx) ((unsigned int)((idx) & (BUDDY_RADIX - 1)))

/*
 * Kinds of hints for words of a level: by the class of their largest run; for level 0 there is but
 * one, HINT_ANY: the word holds something, or did so since it was last taken as a whole.
 */
#define HINT_ANY        0
#define NR_KINDS(level) ((level) ? RADIX_SHIFT : 1U)

/* Hint words in a node for the levels below @level; words of a node: its own and these. */
#define HINTS_BELOW(level) ((level) ? 1U + ((level)-1U) * RADIX_SHIFT : 0U)
#define NODE_WORDS(level)  (1U + HINTS_BELOW(level))
#define NODE_BYTES(level)  (NODE_WORDS(level) * sizeof(uint64_t))

/* log2 of the pages that a bit, or a word, of @level stands for. */
#define BIT_SHIFT(level)  ((level)*RADIX_SHIFT)
#define WORD_SHIFT(level) (((level) + 1U) * RADIX_SHIFT)

/* Loops over levels or words of a node, whose bounds are constants, in set-up code. */
#ifdef __clang__
#define UNROLL   _Pragma("clang loop unroll(full)")
#define UNROLL32 _Pragma("clang loop unroll(full)")
#else
#define UNROLL   _Pragma("GCC unroll 20")
#define UNROLL32 _Pragma("GCC unroll 32")
#endif

static inline uint64_t *buddy_node(const struct buddy_tree *t, unsigned int level, uint64_t idx)
{
	return (uint64_t *)(t->node0[level] + idx * NODE_BYTES(level));
}

/* In the node @n of a level above @level: the hints for @level's runs of class @cls. */
static inline uint64_t *node_hint(uint64_t *n, unsigned int level, unsigned int cls)
{
	return n + 1 + HINTS_BELOW(level) + cls;
}

/* Does the block lie in the tree as a whole? No overflow for any @pfn. */
static inline bool tree_covers(const struct buddy_tree *t, uint64_t pfn, uint64_t nr_pages)
{
	uint64_t span = t->end_pfn - t->start_pfn;

	return nr_pages <= span && pfn - t->start_pfn <= span - nr_pages;
}

/* A run of 2^@cls bits, at bit 0. */
static inline uint64_t run_mask(unsigned int cls)
{
	return ~0ULL >> (64U - (1U << cls));
}

/* The bits of a block of @order in its level 1 word. RADIX_SHIFT <= @order < 2 * RADIX_SHIFT. */
static inline uint64_t large_mask(uint64_t pfn, unsigned int order)
{
	uint64_t nr_bits = (1ULL << order) >> RADIX_SHIFT;

	return ((1ULL << nr_bits) - 1) << BITS_OF(pfn >> RADIX_SHIFT);
}

/*
 * The bits of word @idx of @level whose blocks have frames of [start_pfn, end_pfn), of which the word has
 * some.
 */
static inline uint64_t bits_of_frames(unsigned int level, uint64_t idx, uint64_t start_pfn,
				      uint64_t end_pfn)
{
	uint64_t first = start_pfn >> BIT_SHIFT(level), base = idx << RADIX_SHIFT;
	uint64_t last = (end_pfn - 1) >> BIT_SHIFT(level), bits = ~0ULL;

	if (first > base)
		bits <<= first - base;
	if (last - base < 63)
		bits &= ~0ULL >> (63 - (last - base));
	return bits;
}

/* From the starts of the aligned runs of 2^(@cls - 1) bits to those of 2^@cls. */
static inline uint64_t run_next(uint64_t starts, unsigned int cls)
{
	static const uint64_t aligned[6] = { ~0ULL,
					     0x5555555555555555ULL,
					     0x1111111111111111ULL,
					     0x0101010101010101ULL,
					     0x0001000100010001ULL,
					     0x0000000100000001ULL };

	return starts & (starts >> (1U << (cls - 1))) & aligned[cls];
}

/* The aligned runs of 2^@cls bits in @x: a bit at the start of each. */
static inline uint64_t run_starts(uint64_t x, unsigned int cls)
{
	for (unsigned int k = 1; k <= cls; k++)
		x = run_next(x, k);
	return x;
}

/* The bits of the runs of 2^@cls that begin at @starts. */
static inline uint64_t run_bits(uint64_t starts, unsigned int cls)
{
	for (unsigned int k = 0; k < cls; k++)
		starts |= starts << (1U << k);
	return starts;
}

/* The class of the largest aligned run in @x, which is neither 0 nor full. */
static inline unsigned int largest_class(uint64_t x)
{
	unsigned int cls = 0;

	while (cls + 1 < RADIX_SHIFT) {
		x = run_next(x, cls + 1);
		if (!x)
			break;
		cls++;
	}
	return cls;
}

/* Rule 6: the hart's number is odd while bits are on their way between shared words. */
static inline void seq_begin(struct buddy_hart *h)
{
	atomic_set(&h->seq, h->seq + 1); /* ordered by the release of the next AMO */
}

static inline void seq_end(struct buddy_hart *h)
{
	atomic_set_release(&h->seq, h->seq + 1);
}

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* mm/buddy.c */
const struct buddy_tree *buddy_find_tree(const struct buddy *b, uint64_t pfn, uint64_t nr_pages);
int64_t buddy_alloc_rest(struct buddy_hart *h, unsigned int order);
bool buddy_harts_settled(const struct buddy_hart *self, uint64_t *sum);
bool buddy_drain_others(struct buddy_hart *h, bool *asked);

/*
 * mm/buddy_find.c: the first of @nr_pages free pages in a row within [start_pfn, end_pfn) and the tree,
 * the lowest, a multiple of 2^@align_order; UINT64_MAX: there are none. O(words that hold something).
 */
uint64_t buddy_find_run(const struct buddy_tree *t, uint64_t start_pfn, uint64_t end_pfn,
			uint64_t nr_pages, unsigned int align_order);

/*
 * mm/buddy_bulk.c: frees the pages @bits of the level 0 word @idx, all or none. Returns -EMM_ERANGE
 * (the hart's window is elsewhere), -EMM_EDOUBLE (one is free; not counted).
 */
int buddy_free_bits(struct buddy_hart *h, uint64_t idx, uint64_t bits);
/* Counts a free that was found to be wrong before the buddy saw it. Returns -EMM_EDOUBLE. */
int buddy_refuse_free(struct buddy_hart *h);

/* mm/buddy_free.c */
int buddy_free_slow(struct buddy_hart *h, uint64_t pfn, unsigned int order);
/* mm/buddy_claim.c */
int buddy_claim_once(struct buddy_hart *h, const struct buddy_tree *t, uint64_t pfn,
		     unsigned int order);

/* mm/buddy_large.c */
int64_t buddy_alloc_large(struct buddy_hart *h, unsigned int order);
int64_t buddy_take_large_in_span(struct buddy_hart *h, unsigned int order);

/* mm/buddy_movable.c */
void buddy_turn_movable(struct buddy_hart *h);
uint64_t buddy_highest_word(const struct buddy_hart *h);
uint64_t buddy_lowest_group(const struct buddy_hart *h);
uint64_t buddy_highest_group(const struct buddy_hart *h);
bool buddy_whole_is_near(struct buddy_hart *h);
bool buddy_group_is_better(struct buddy_hart *h, uint64_t pfn);
int64_t buddy_take_in_span(struct buddy_hart *h);

/* mm/buddy_span.c */
/* A part of a tree, for one hart: whole level 1 words, or @word_mask of one. */
struct buddy_span {
	uint64_t start_pfn;
	uint64_t end_pfn;
	uint64_t word_mask;
	bool is_shared;
};
void buddy_begin_at_home(struct buddy_hart *h);
void buddy_go_home(struct buddy_hart *h);
bool buddy_should_go_home(const struct buddy_hart *h);
bool buddy_go_elsewhere(struct buddy_hart *h);

/* So many harts share a tree. */
#define SHARE_FROM 2

/* mm/buddy_refill.c */
int64_t buddy_refill(struct buddy_hart *h, unsigned int cls);
int64_t buddy_refill_scan(struct buddy_hart *h, unsigned int cls);
bool buddy_sweep(struct buddy_hart *h, unsigned int cls);
int64_t buddy_alloc_refill(int64_t **at, unsigned int order);

/* mm/buddy_word.c */
uint64_t buddy_lowest_word(const struct buddy_hart *h);
bool buddy_free_group(struct buddy_hart *h);
bool buddy_free_word_below(struct buddy_hart *h, uint64_t pfn);
int64_t buddy_refill_whole(struct buddy_hart *h, unsigned int cls);
int64_t buddy_alloc_whole(struct buddy_hart *h, unsigned int cls);
int64_t buddy_refill_slow(struct buddy_hart *h, unsigned int cls);

/* Above this order a word holds too few blocks to be worth a search. */
#define MAX_SCANNED_ORDER (BUDDY_NR_SCANNED - 1)

/* After a refill that had to take a wholly free word, as when memory fills up: the words to scan. */
#define NARROW_SCAN 3

/* Up to this order a run stays in a word that is taken, so that a free there is a simple one. */
#define MAX_KEPT_ORDER 2

/*
 * The lowest eighth of a tree, as a shift, is not packed as long as there is a wholly free word in it:
 * so much may be spread, for two thirds of the instructions that a refill from words in use takes.
 */
#define AMPLE_SHIFT 3

/*
 * A wholly free word below this frame is taken at once: it is next to the words in use, or the tree
 * is as good as empty.
 */
static inline uint64_t whole_end_pfn(const struct buddy_hart *h, unsigned int cls)
{
	uint64_t end_pfn;

	if (cls > MAX_SCANNED_ORDER)
		return UINT64_MAX;
	end_pfn = (h->scan[cls].limit + 2) << RADIX_SHIFT;
	return end_pfn > h->ample_pfn ? end_pfn : h->ample_pfn;
}

/* Does a run of class @cls stay in a word that is taken? Not where it would be half of them. */
static inline bool keeps_run(unsigned int cls)
{
	return cls <= MAX_KEPT_ORDER && BUDDY_RADIX >> cls > 2;
}

/* mm/buddy_stack.c */
void buddy_hart_open(struct buddy_hart *h);
bool buddy_drain_own(struct buddy_hart *h);
void buddy_hart_turn_to(struct buddy_hart *h, const struct buddy_tree *t);
void buddy_go_to(struct buddy_hart *h, const struct buddy_span *s);

/* Where a hart's stack of @order lies in its array: the -1 below the first entry. */
static inline unsigned int stack_bottom(unsigned int order)
{
	return 2 * BUDDY_RADIX - 2 * (BUDDY_RADIX >> order) + order;
}

/* How many blocks of a small order wait on the stack. The hart is ready. */
static inline uint64_t stack_depth(const struct buddy_hart *h, unsigned int order)
{
	return (uint64_t)(h->top[order] - &h->stack[stack_bottom(order)]);
}

/* The next block of a small order, of which the stack is not empty. */
static inline int64_t stack_pop(struct buddy_hart *h, unsigned int order)
{
	return *h->top[order]--;
}

/* mm/buddy_hint.c */
void buddy_hint_set(const struct buddy_tree *t, unsigned int level, unsigned int kind,
		    uint64_t idx);
void buddy_hint_clear(const struct buddy_tree *t, unsigned int level, unsigned int cls,
		      uint64_t idx);
/* What a walk over words calls with each; false stops it. */
typedef bool (*buddy_word_fn)(void *ctx, const struct buddy_tree *t, unsigned int level,
			      uint64_t idx);
bool buddy_hint_walk(const struct buddy_tree *t, unsigned int level, uint32_t kinds,
		     buddy_word_fn fn, void *ctx);
bool buddy_hint_any(const struct buddy_tree *t, unsigned int level, unsigned int kind);
int64_t buddy_hint_find(const struct buddy_tree *t, unsigned int level, unsigned int *kind,
			bool from_top);
uint64_t buddy_hints_from(const uint64_t *n, unsigned int level, unsigned int kind);
int64_t buddy_hint_lowest(const struct buddy_tree *t, unsigned int level, unsigned int kind);
uint64_t buddy_hint_next(const struct buddy_tree *t, uint64_t idx);
uint64_t buddy_hint_above(const struct buddy_tree *t, unsigned int level, uint64_t idx);
uint64_t buddy_hint_below(const struct buddy_tree *t, unsigned int level, uint64_t idx);
void buddy_hint_set_above(const struct buddy_tree *t, unsigned int level, unsigned int kind,
			  uint64_t idx);
void buddy_hint_clear_all(const struct buddy_tree *t, unsigned int level, unsigned int kind,
			  uint64_t idx);
bool buddy_hint_test(const struct buddy_tree *t, unsigned int level, unsigned int cls,
		     uint64_t idx);

/*
 * HINT_ANY for the word @idx, with the common case in line; @n1: its parent's node. Why a load will
 * do: see hint_set_from().
 */
static inline void hint_set_word(const struct buddy_tree *t, uint64_t *n1, uint64_t idx)
{
	uint64_t *hint = node_hint(n1, 0, HINT_ANY);
	uint64_t bit = 1ULL << BITS_OF(idx);

	if (!(atomic_read(hint) & bit) && !atomic_fetch_or(hint, bit))
		buddy_hint_set_above(t, 0, HINT_ANY, idx >> RADIX_SHIFT);
}

/* mm/buddy_tree.c */
int buddy_put(struct buddy_hart *h, const struct buddy_tree *t, unsigned int level, uint64_t idx,
	      uint64_t mask);
int buddy_put_finish(struct buddy_hart *h, const struct buddy_tree *t, unsigned int level,
		     uint64_t idx, uint64_t mask, uint64_t old);
int64_t buddy_take(struct buddy_hart *h, const struct buddy_tree *t, unsigned int level,
		   unsigned int cls, bool from_top);
void buddy_hint_correct(const struct buddy_tree *t, unsigned int level, uint64_t idx);
bool buddy_open_group(struct buddy_hart *h, uint64_t idx, uint64_t word);
void buddy_node_init(const struct buddy_tree *t, unsigned int level, uint64_t idx, uint64_t word);
bool buddy_ancestor_is_free(const struct buddy_tree *t, unsigned int level, uint64_t idx);

/*
 * The usual end of a carry from level 0: the bit is in its parent's word, whose hints need not
 * change. False: that has to be looked at.
 */
static inline bool carry_is_done(const struct buddy_tree *t, uint64_t idx, uint64_t old,
				 uint64_t mask)
{
	if (TOP < 2 || (old & mask) || (old | mask) == WORD_FULL)
		return false;
	/* Alone in its pair the bit adds nothing to the word's largest run. */
	if (old && !(old >> (bit_index(mask) ^ 1) & 1))
		return true;
	if (!old)
		return buddy_hints_from(buddy_node(t, 2, idx >> RADIX_SHIFT), 1, 0) >>
			       BITS_OF(idx) &
		       1;
	return (atomic_read(node_hint(buddy_node(t, 2, idx >> RADIX_SHIFT), 1, RADIX_SHIFT - 1)) >>
			BITS_OF(idx) &
		1);
}

/* Before the hart's first operation @tree is NULL, and nothing else is set. */
static inline void note_free_word(struct buddy_hart *h, const struct buddy_tree *t, uint64_t idx)
{
	uint64_t pfn = idx << RADIX_SHIFT;

	if (t == h->tree && pfn < h->frontier_pfn && pfn < h->span_end && idx >= h->noted_from)
		h->frontier_pfn = pfn;
}

/* A level 0 word was full, and is the caller's as a whole now. Its bit goes into the parent's. */
static inline int buddy_carry(struct buddy_hart *h, const struct buddy_tree *t, uint64_t idx)
{
	uint64_t mask = 1ULL << BITS_OF(idx), old;

	h->events.carries++;
	note_free_word(h, t, idx);
	if (unlikely(h->sibling))
		note_free_word(h->sibling, t, idx);
	idx >>= RADIX_SHIFT;
	old = atomic_fetch_or(buddy_node(t, 1, idx), mask);
	if (likely(carry_is_done(t, idx, old, mask)))
		return 0;
	return buddy_put_finish(h, t, 1, idx, mask, old);
}

#endif
