/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buddy: a page allocator of orders 0 to BUDDY_MAX_ORDER on trees of 64-bit words, one bit a
 * block; no page that it manages is ever touched. docs/architecture.md has the design and the
 * protocol; "rule N" in a comment is a rule of that protocol. All memory is the caller's.
 */
#ifndef EARLYMM_BUDDY_H
#define EARLYMM_BUDDY_H

#include <earlymm/types.h>

/* log2 of the bits a word uses: 6 in earnest; 1 or 2 for an explorer of interleavings. */
#ifndef BUDDY_RADIX_SHIFT
#define BUDDY_RADIX_SHIFT 6
#endif
/* Levels of words; one word of level L has a bit for each of BUDDY_RADIX children. */
#ifndef BUDDY_LEVELS
#define BUDDY_LEVELS 4
#endif

#define BUDDY_RADIX     (1U << BUDDY_RADIX_SHIFT)
#define BUDDY_TOP       (BUDDY_LEVELS - 1)
#define BUDDY_MAX_ORDER (BUDDY_RADIX_SHIFT * BUDDY_TOP) /* 18: 1 GiB of 4 KiB pages */

/*
 * A tree covers the frames [start_pfn, end_pfn): one bank, or several with small gaps between
 * them. Blocks are aligned by absolute frame number. node0[L] is the address that the node of
 * level L with number 0 would have, so that a node is found without a subtraction.
 */
struct buddy_tree {
	uint64_t start_pfn;
	uint64_t end_pfn;
	uintptr_t node0[BUDDY_LEVELS];
};

/*
 * Blocks of a small order, below BUDDY_NR_STACKS, wait for their hart in a stack for each order. A
 * stack is filled from one word of the tree, with as many blocks as that has.
 */
#define BUDDY_NR_STACKS BUDDY_RADIX_SHIFT

/* The frames of all stacks, each stack with a word below it that says -1. */
#define BUDDY_STACK_WORDS (2 * BUDDY_RADIX - 2 + BUDDY_NR_STACKS)

/* Orders up to 2 are also taken from words in use; above, a word holds too few blocks. */
#define BUDDY_NR_SCANNED (BUDDY_NR_STACKS < 3 ? BUDDY_NR_STACKS : 3U)

/*
 * How often the slow paths ran, since the hart's first allocation or free; garbage before, while
 * @is_ready is 0. Read by anyone, written by the hart alone.
 */
struct buddy_events {
	uint64_t refills; /* a stack was filled from a word that is partly in use */
	uint64_t splits; /* a wholly free block became a word of smaller ones */
	uint64_t carries; /* a word became full and moved to the level above */
	uint64_t stale_hints; /* a hint led to a word without such a run */
	uint64_t drains;
	uint64_t claim_retries; /* looks of buddy_claim() after the first */
	uint64_t double_frees; /* refused with -EMM_EDOUBLE */
	uint64_t failures; /* answered with -EMM_ENOMEM */
	uint64_t moves; /* the hart's span had no wholly free word left: to another one */
};

/* How words in use are reused; see buddy_tune(). */
enum buddy_setting {
	BUDDY_DEFAULT,
	BUDDY_HEALING,
};

/* Large blocks that a hart remembers to have freed. */
#define BUDDY_NR_LARGE 8U

/* Where refills of an order look: level 0 words from @low to @limit, round and round. */
struct buddy_scan {
	uint64_t next; /* the word to look at next; UINT64_MAX: none was looked at yet */
	uint64_t first; /* the lowest word that has been valid, if it is below @limit */
	uint64_t limit;
	uint64_t low; /* the span's first word, or, if @is_movable, one above it */
	uint64_t width; /* as bits: how many words a refill looks at */
	uint64_t streak; /* refills in a row for which the next word did */
};

/*
 * What one hart has to itself. Others read @seq (rule 6), @holds and @events, and ask for a drain
 * by setting @request and closing both fast paths: @nr_orders and @window_pages become 0 (rule 7).
 * A hart may have two, see buddy_pair(): what is said of harts here holds for each of them.
 */
struct buddy_hart {
	int64_t *top[BUDDY_NR_STACKS]; /* the next block of each order, or the -1 below the last */
	uint32_t nr_orders; /* that the fast path serves: BUDDY_NR_STACKS, or none */
	uint32_t setting; /* enum buddy_setting */
	/* What the fast path frees: the whole words of @tree. @words: the tree's node0[0]. */
	uint64_t window_pfn;
	uint64_t window_pages;
	uintptr_t words;
	uint64_t seq; /* odd while bits of shared words are in registers only */
	const struct buddy_tree *tree; /* the tree that was used last; NULL: there is none */
	struct buddy *buddy;
	struct buddy_hart *sibling; /* the same hart's other one, or NULL */
	uint64_t request; /* not 0: another hart wants the stacks drained */
	uint64_t holds; /* 0: the stacks are empty */
	uint32_t is_ready; /* top[] and what is below have been set */
	uint32_t is_movable; /* the second of buddy_pair() */
	/*
	 * Where its small blocks come from: the tree, or, where other harts share that, a part of it, its
	 * own or one that it has gone to (mm/buddy_span.c).
	 */
	uint64_t span_pfn;
	uint64_t span_end;
	uint64_t
		word_mask; /* the span's bits of a level 1 word: all, or one word's has several spans */
	struct buddy_scan scan[BUDDY_NR_SCANNED];
	uint64_t base_pfn; /* @is_movable: from here on it has had its pages */
	uint64_t
		noted_from; /* words of the span that become free from this one on lower the frontier */
	uint64_t frontier_pfn; /* no wholly free word is known of below, or none from there on */
	/* Below: wholly free words are taken without a look at those in use, as long as there are. */
	uint64_t ample_pfn;
	uint64_t group_pfn; /* no wholly free level 1 word is known of below */
	/* Blocks of level 1 that were freed and may be free still, as pfn | order; 0: none. */
	uint64_t large; /* the last */
	uint64_t large_before[BUDDY_NR_LARGE]; /* those before it, as a ring */
	uint32_t large_at; /* the newest there */
	uint32_t is_shared; /* the span is not all of the tree */
	uint64_t large_idx; /* the level 1 word that gave a block last; UINT64_MAX: none */
	struct buddy_events events;
	uint64_t drained[BUDDY_NR_STACKS]; /* blocks that went from stacks to trees; as @events */
	int64_t stack[BUDDY_STACK_WORDS];
} __attribute__((aligned(64)));

struct buddy {
	struct buddy_tree *trees; /* ascending, disjoint */
	uint32_t nr_trees;
	uint32_t max_trees;
	struct buddy_hart *harts;
	uint32_t nr_harts;
	uint32_t setting; /* enum buddy_setting, of its harts */
	uint32_t nr_sharers; /* harts: two of harts[] that are a pair are one */
};

/*
 * buddy_tune() - how words that are partly in use are reused, by all harts of @b that have not
 * allocated or freed yet: call it after buddy_init(). BUDDY_DEFAULT takes pages from a word when
 * about nine are free in it, and where it has an eighth of its tree to itself it uses up words
 * that are wholly free instead; BUDDY_HEALING takes them when two are free: less memory is touched and
 * more of it merges, at a higher price an operation. docs/allocators.md has the figures.
 */
void buddy_tune(struct buddy *b, enum buddy_setting setting);

/*
 * buddy_lay_out() - a tree over [start_pfn, end_pfn) as it would lie from address 0 on.
 * Precondition: start_pfn < end_pfn. O(levels). Returns the bytes of metadata that it takes: about
 * 0.13 a page, and at most 1 KiB more.
 */
uint64_t buddy_lay_out(struct buddy_tree *layout, uint64_t start_pfn, uint64_t end_pfn);

/* buddy_tree_bytes() - what buddy_lay_out() returns, and nothing else. */
uint64_t buddy_tree_bytes(uint64_t start_pfn, uint64_t end_pfn);

/*
 * buddy_init() - an allocator without memory. @trees and @harts are the caller's arrays and live
 * as long as @b; hart i uses &harts[i]. Neither needs to be zeroed. O(nr_harts).
 * Returns -EMM_EINVAL for NULL or no harts.
 */
int buddy_init(struct buddy *b, struct buddy_tree *trees, uint32_t max_trees,
	       struct buddy_hart *harts, uint32_t nr_harts);

/*
 * buddy_add_harts() - the array of harts has @nr_harts now: those that are new are set up, as by
 * buddy_init(). No other hart may be in an operation. O(nr_harts).
 */
void buddy_add_harts(struct buddy *b, uint32_t nr_harts);

/*
 * buddy_pair() - two of the harts[] of one buddy are used by the same hart from now on, never both
 * at the same time: one for pages that cannot be moved, one for those that can. Each drains the
 * other where it would ask another hart to, and either answers for both. Called before the first
 * operation of either. O(1). Where harts share trees (mm/buddy_span.c) hart i is the one whose
 * @unmovable is harts[i]; those for movable pages come behind the others in harts[].
 */
void buddy_pair(struct buddy_hart *unmovable, struct buddy_hart *movable);

/*
 * buddy_add_tree() - covers [start_pfn, end_pfn), with no page free in it yet.
 * @meta: buddy_tree_bytes() bytes, 8-byte aligned, of any content: only the words of the top
 * level are written now, one for each 64 GiB. Trees are added in ascending order, before the
 * first allocation. O(end_pfn - start_pfn in units of the top level's word).
 * Returns -EMM_EINVAL (empty, beyond the address space, @meta NULL or unaligned), -EMM_EOVERLAP
 * (not above the last tree), -EMM_ENOSPC (@max_trees reached, or @meta_bytes too small).
 */
int buddy_add_tree(struct buddy *b, uint64_t start_pfn, uint64_t end_pfn, void *meta,
		   uint64_t meta_bytes);

/*
 * buddy_add_laid_out() - the same with a layout of buddy_lay_out()'s, which has the limits, and as
 * many bytes at @meta as that returned. The same errors, but for an empty range and too few bytes.
 */
int buddy_add_laid_out(struct buddy *b, const struct buddy_tree *layout, void *meta);

/*
 * buddy_add_range() - makes [start_pfn, end_pfn) free (rule 8), at any time.
 * [hole_start, hole_end) is the largest range around it, within the tree, of which no page was
 * ever added (pages in use count as added; 0 and UINT64_MAX stand for the tree's own limits).
 * It tells which words hold something already: those that reach out of the hole. Words wholly
 * inside it are written for the first time; none below a whole block is touched.
 * Nothing may be added twice: for pages of a block in use there are buddy_split() and free.
 * O(log of the range). Safe against other harts' operations, not against another call for the
 * same hole. Returns -EMM_EINVAL (empty, or not inside the hole), -EMM_ERANGE (no tree covers it),
 * -EMM_EDOUBLE (a page of it is free already; other pages of the range may have been added).
 * Linux: __free_pages_memory, memblock_free_late, adjust_managed_page_count.
 */
int buddy_add_range(struct buddy_hart *h, uint64_t start_pfn, uint64_t end_pfn, uint64_t hole_start,
		    uint64_t hole_end);

/*
 * buddy_alloc() - a block of 2^order pages, aligned to its size.
 * 0 <= order <= BUDDY_MAX_ORDER. Small orders come from the hart's own stacks, in ten
 * instructions; a refill or a larger order is O(levels). When only fragments are left, and before
 * an error, it is O(words that hold something), in all trees.
 * Returns its first frame, or -EMM_EINVAL (order), -EMM_ENOMEM (no such block is free, with the
 * stacks of all harts drained and no other hart in the middle of an operation), -EMM_EAGAIN (other
 * harts kept memory in flight throughout a bounded number of searches, or one that may hold blocks
 * did not answer buddy_request_drain() in time: usual where several harts fight for the last
 * blocks; try again, or take it as -EMM_ENOMEM).
 * Not to be called from a trap handler that interrupted the same hart's allocator (rule 7).
 */
int64_t buddy_alloc(struct buddy_hart *h, unsigned int order);

/*
 * buddy_free() - gives back a block that buddy_alloc() returned, with the same order; on any hart.
 * Amortised O(1). Returns -EMM_EINVAL (order, or pfn not aligned to it), -EMM_ERANGE (not inside
 * a tree), -EMM_EDOUBLE (a page of it is free: nothing was changed).
 * Unseen, for want of a record per page: a block that another has got in the meantime or that
 * lies in a hart's stack; two harts that free the same block at the same moment, or one that frees
 * it again while another frees what it merges with; a block of order
 * 6 and more of which a part is free; a part of a larger block, in use or free, without
 * buddy_split(), and frames that were never handed out or never added: their own words may never
 * have been written, and the answer is chance.
 */
int buddy_free(struct buddy_hart *h, uint64_t pfn, unsigned int order);

/*
 * buddy_split() - makes each page of an allocated block a block of its own, to be freed singly or
 * in any aligned parts (rule 8). The block stays allocated. Linux: split_page.
 * O(2^order / BUDDY_RADIX). Returns -EMM_EINVAL, -EMM_ERANGE.
 */
int buddy_split(struct buddy_hart *h, uint64_t pfn, unsigned int order);

/*
 * buddy_claim() - takes exactly the block [pfn, pfn + 2^order), if all of it is free; what it is
 * part of is split. Then it is as if buddy_alloc() had returned it. 0 <= order <= BUDDY_MAX_ORDER.
 * The calling hart's stacks are drained first, its sibling's too; what other harts keep is in use
 * until they drain. O(levels^2 * radix shift); no word is searched. Returns -EMM_EINVAL (order,
 * or pfn not aligned to it), -EMM_ERANGE (not inside a tree), -EMM_EBUSY (a page of it is in use,
 * held by another hart, or was never added), -EMM_EAGAIN (other harts kept memory in flight in
 * each of a bounded number of looks; try again). Where it fails, what is free stays so.
 * Linux: take_page_off_buddy, alloc_contig_range.
 */
int buddy_claim(struct buddy_hart *h, uint64_t pfn, unsigned int order);

/*
 * buddy_drain() - gives the hart's own blocks back to everybody; not its sibling's. O(blocks held).
 * Linux: drain_pages.
 */
void buddy_drain(struct buddy_hart *h);

/*
 * buddy_prefer() - the hart's next blocks come from @t, one of its buddy's trees, as long as that
 * has any, and from the others after it. The hart's own blocks are given back. A free into another
 * tree, or an allocation from one, makes that the preferred one.
 */
void buddy_prefer(struct buddy_hart *h, const struct buddy_tree *t);

/*
 * buddy_request_drain() - asks all other harts that may hold blocks to drain their stacks: each
 * does so in its next allocation that its stacks do not serve at once, free or claim. Does not wait.
 * Of siblings that hold something both are asked, and either answers; the caller's own is not.
 * Returns how many were asked. O(nr_harts). Linux: drain_all_pages.
 */
uint32_t buddy_request_drain(struct buddy_hart *self);

/* buddy_nr_held() - pages in the hart's stacks: free, but for this hart only. */
uint64_t buddy_nr_held(const struct buddy_hart *h);

/*
 * buddy_nr_free() - free pages in the trees, without those in stacks, counted from the bits.
 * For a quiet moment: exact only if no hart is in an operation. O(words that hold something).
 */
uint64_t buddy_nr_free(const struct buddy *b);

/* buddy_nr_blocks() - as buddy_nr_free(), free maximal blocks by order: counts[0..MAX_ORDER]. */
void buddy_nr_blocks(const struct buddy *b, uint64_t counts[BUDDY_MAX_ORDER + 1]);

/*
 * buddy_nr_blocks_in() - the same of those blocks that begin in [start_pfn, end_pfn), any frames:
 * what it says of ranges side by side adds up to what buddy_nr_blocks() says. A block that begins
 * before the range and reaches into it is not counted. O(levels + words in the range that hold
 * something) for each tree that is in it.
 */
void buddy_nr_blocks_in(const struct buddy *b, uint64_t start_pfn, uint64_t end_pfn,
			uint64_t counts[BUDDY_MAX_ORDER + 1]);

/* buddy_page_is_free() - is @pfn free in a tree (not: in a stack)? For a quiet moment. O(levels). */
bool buddy_page_is_free(const struct buddy *b, uint64_t pfn);

/*
 * buddy_is_valid() - the invariants, of all words that hints lead to: trees ascending; a word's
 * largest run can be found through hints; none below the top is full; no block is free twice;
 * stacks hold aligned blocks inside trees, each once, that are not free besides. (A word that no hint leads to
 * is not seen: it is missing in buddy_nr_free().) For a quiet moment.
 * O(words that hold something + the square of the blocks in stacks).
 */
bool buddy_is_valid(const struct buddy *b);

#endif
