/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy's exact claim: one block, named by its first frame, if all of it is free. Whatever
 * larger block it is part of is split as in an allocation.
 */
#include "buddy_tree.h"

/* Searches that may find memory in flight before buddy_claim() answers -EMM_EAGAIN. */
#define CLAIM_TURNS 64

/* The block that is wanted: the bits @mask of a word of @level. */
struct claim {
	struct buddy_hart *h;
	const struct buddy_tree *t;
	uint64_t pfn;
	unsigned int level;
	uint64_t mask;
};

/* What stands for the block in its word of level @up: its own bits, or the one it is part of. */
static uint64_t bits_at(const struct claim *c, unsigned int up)
{
	return up == c->level ? c->mask : 1ULL << BITS_OF(c->pfn >> BIT_SHIFT(up));
}

/*
 * May the block's word of level @up be read? Of a block in use, words may never have been written:
 * rule 2. A word that holds something and has no hint is one whose hart is in flight.
 */
static bool may_read(const struct claim *c, unsigned int up)
{
	uint64_t idx = c->pfn >> WORD_SHIFT(up);

	if (up == TOP)
		return true;
	if (up == 0)
		return buddy_hint_test(c->t, 0, HINT_ANY, idx);
	for (unsigned int kind = 0; kind < RADIX_SHIFT; kind++)
		if (buddy_hint_test(c->t, up, kind, idx))
			return true;
	return false;
}

/* The bit of level @up is ours: each word below it keeps all but what leads to the block. */
static void split_down(const struct claim *c, unsigned int up)
{
	while (up-- > c->level) {
		uint64_t idx = c->pfn >> WORD_SHIFT(up);

		/* Rule 3. Half of the word at least is left, as one run. */
		buddy_node_init(c->t, up, idx, WORD_FULL & ~bits_at(c, up));
		buddy_hint_set(c->t, up, up ? RADIX_SHIFT - 1 : HINT_ANY, idx);
		c->h->events.splits++;
	}
}

/*
 * Takes @want out of the word @idx of level @up, and what is below it out of that. A put that has
 * filled a level 0 word trusts whoever takes a part of it to know that the rest has its hint; it
 * may have been cleared since it led here.
 */
static int take_bits(const struct claim *c, unsigned int up, uint64_t idx, uint64_t want)
{
	uint64_t old = atomic_fetch_and(buddy_node(c->t, up, idx), ~want);

	if (up == 0 && (old & ~want))
		buddy_hint_set(c->t, 0, HINT_ANY, idx);
	if ((old & want) == want) {
		split_down(c, up);
		return 0;
	}
	if (old & want)
		buddy_put(c->h, c->t, up, idx, old & want);
	return -EMM_EAGAIN;
}

/*
 * One way down from the top, in flight. Returns -EMM_EBUSY if the block was nowhere free as a
 * whole, -EMM_EAGAIN if another hart was faster. Hints above level 0 may be left with too large
 * a kind, for the next search to correct.
 */
static int claim_once(const struct claim *c)
{
	for (unsigned int up = BUDDY_LEVELS; up-- > c->level;) {
		uint64_t idx = c->pfn >> WORD_SHIFT(up), want = bits_at(c, up);

		if (!may_read(c, up))
			continue;
		/* The hint said that the word was written: now look at it. */
		atomic_fence_acquire();
		if ((atomic_read(buddy_node(c->t, up, idx)) & want) != want)
			continue;
		return take_bits(c, up, idx, want);
	}
	return -EMM_EBUSY;
}

/* The same by arguments. 2^@order pages at @pfn, all of them in @t. */
int buddy_claim_once(struct buddy_hart *h, const struct buddy_tree *t, uint64_t pfn,
		     unsigned int order)
{
	unsigned int level = order / RADIX_SHIFT;
	struct claim c = {
		.h = h,
		.t = t,
		.pfn = pfn,
		.level = level,
		.mask = run_mask(order % RADIX_SHIFT) << BITS_OF(pfn >> BIT_SHIFT(level)),
	};

	return claim_once(&c);
}

int buddy_claim(struct buddy_hart *h, uint64_t pfn, unsigned int order)
{
	const struct buddy_tree *t;

	if (order > BUDDY_MAX_ORDER || (pfn & ((1ULL << order) - 1)))
		return -EMM_EINVAL;
	t = buddy_find_tree(h->buddy, pfn, 1ULL << order);
	if (!t)
		return -EMM_ERANGE;
	if (atomic_read32(&h->is_ready) && atomic_read_acquire(&h->request))
		buddy_hart_open(h);
	buddy_drain_own(h);
	for (unsigned int turn = 0; turn < CLAIM_TURNS; turn++) {
		uint64_t before, after;
		bool settled = buddy_harts_settled(h, &before);
		int ret;

		h->events.claim_retries += turn != 0;
		seq_begin(h);
		ret = buddy_claim_once(h, t, pfn, order);
		seq_end(h);
		if (!ret)
			return 0;
		/* The search's last loads come before those of the numbers (rule 6). */
		atomic_fence_acquire();
		if (ret == -EMM_EBUSY && settled && buddy_harts_settled(h, &after) &&
		    before == after)
			return ret;
	}
	return -EMM_EAGAIN;
}
