/* SPDX-License-Identifier: BSD-2-Clause */
/* Several pages of one word at once. */
#include "buddy_fast.h"

int buddy_refuse_free(struct buddy_hart *h)
{
	if (!atomic_read32(&h->is_ready))
		buddy_hart_open(h);
	h->events.double_frees++;
	return -EMM_EDOUBLE;
}

/*
 * With a word that is empty, or complete with @bits. As buddy_free()'s: rule 9 before a bit is
 * changed, and rule 4.
 */
static int free_bits_slow(struct buddy_hart *h, uint64_t idx, uint64_t bits)
{
	const struct buddy_tree *t = h->tree;
	uint64_t *word = buddy_node(t, 0, idx);
	uint64_t old = atomic_read(word);
	int ret;

	if (unlikely((old & bits) || (!old && buddy_ancestor_is_free(t, 0, idx))))
		return -EMM_EDOUBLE;
	seq_begin(h);
	if ((old | bits) == WORD_FULL && likely(atomic_cmpxchg(word, old, 0))) {
		ret = buddy_carry(h, t, idx);
	} else {
		old = atomic_fetch_or(word, bits);
		ret = buddy_put_finish(h, t, 0, idx, bits, old);
	}
	seq_end(h);
	return ret;
}

int buddy_free_bits(struct buddy_hart *h, uint64_t idx, uint64_t bits)
{
	/* The window has whole words only, and is that of the hart's tree. */
	if (unlikely(!in_window(h, idx << RADIX_SHIFT, 1)))
		return -EMM_ERANGE;
	if (likely(atomic_or_partial(window_word(h, idx << RADIX_SHIFT), bits, WORD_FULL)))
		return 0;
	return free_bits_slow(h, idx, bits);
}
