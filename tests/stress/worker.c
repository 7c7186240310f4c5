/* SPDX-License-Identifier: BSD-2-Clause */
/* What a hart does in a round. */
#include "stress.h"

/* The one that the next operation is done with, of a hart that has two. */
static struct buddy_hart *any_hart(struct worker *w)
{
	return w->sibling && stress_random(&w->rng) & 1 ? w->sibling : w->h;
}

static void drain(struct worker *w)
{
	buddy_drain(w->h);
	if (w->sibling)
		buddy_drain(w->sibling);
}

/* What an owner writes into its pages, and finds there. */
static void write_pages(struct worker *w, const struct block *blk)
{
	uint64_t at = blk->pfn - w->s->base_pfn;

	for (uint64_t i = 0; i < 1ULL << blk->order; i = stress_next_page(blk, i))
		w->s->contents[at + i] = (uint32_t)(blk->pfn + blk->order);
}

static void check_pages(struct worker *w, const struct block *blk)
{
	uint64_t at = blk->pfn - w->s->base_pfn;

	for (uint64_t i = 0; i < 1ULL << blk->order; i = stress_next_page(blk, i)) {
		if (w->s->contents[at + i] != (uint32_t)(blk->pfn + blk->order)) {
			stress_fail(w->s, "written by another", blk->pfn + i, blk->order);
			return;
		}
		w->s->contents[at + i] = 0;
	}
}

static void got_block(struct worker *w, uint64_t pfn, unsigned int order)
{
	struct stress *s = w->s;
	struct block blk = { pfn, order, (uint8_t)(w->id + 1) };

	if (pfn < s->base_pfn || pfn + (1ULL << order) > s->base_pfn + s->nr_pages ||
	    (pfn & ((1ULL << order) - 1))) {
		stress_fail(s, "outside, or misaligned", pfn, order);
		return;
	}
	stress_own(s, &blk, 0, blk.owner);
	write_pages(w, &blk);
	w->live[w->nr_live++] = blk;
	w->live_pages += 1ULL << order;
}

/* Frees the block as it is, or, after buddy_split(), in parts. */
static void give_back(struct worker *w, const struct block *blk)
{
	uint64_t pick = stress_random(&w->rng);
	unsigned int order = blk->order;

	check_pages(w, blk);
	stress_own(w->s, blk, blk->owner, 0);
	if (order && pick % 8 == 0 && w->s->shape->kind != STRESS_ENOUGH) {
		if (buddy_split(any_hart(w), blk->pfn, order))
			stress_fail(w->s, "cannot be split", blk->pfn, order);
		order = (unsigned int)(pick / 8 % order);
	}
	for (uint64_t i = 0; i < 1ULL << blk->order; i += 1ULL << order)
		if (buddy_free(any_hart(w), blk->pfn + i, order))
			stress_fail(w->s, "cannot be freed", blk->pfn + i, order);
}

static struct block forget(struct worker *w, unsigned int at)
{
	struct block blk = w->live[at];

	w->live[at] = w->live[--w->nr_live];
	w->live_pages -= 1ULL << blk.order;
	return blk;
}

/* To another hart, or, if its mailbox is full, freed here. */
static void send(struct worker *w, struct block blk)
{
	struct mailbox *box = &w->s->boxes[stress_random(&w->rng) % w->s->shape->nr_harts];
	bool sent;

	stress_release();
	pthread_mutex_lock(&box->lock);
	sent = box->nr < BOX_SIZE;
	if (sent)
		box->blocks[box->nr++] = blk;
	pthread_mutex_unlock(&box->lock);
	if (!sent)
		give_back(w, &blk);
}

void stress_read_mail(struct worker *w, bool all)
{
	struct mailbox *box = &w->s->boxes[w->id];
	bool got;

	do {
		struct block blk;

		pthread_mutex_lock(&box->lock);
		got = box->nr != 0;
		if (got)
			blk = box->blocks[--box->nr];
		pthread_mutex_unlock(&box->lock);
		if (got)
			give_back(w, &blk);
	} while (got && all);
}

static void alloc(struct worker *w, unsigned int order)
{
	int64_t pfn = buddy_alloc(any_hart(w), order);

	w->answers[pfn >= 0 ? 0 : pfn == -EMM_ENOMEM ? 1 : 2]++;
	if (pfn >= 0)
		got_block(w, (uint64_t)pfn, order);
	else if (pfn != -EMM_ENOMEM && pfn != -EMM_EAGAIN)
		stress_fail(w->s, "strange answer", (uint64_t)pfn, order);
}

static int claim(struct worker *w, uint64_t pfn, unsigned int order)
{
	int ret = buddy_claim(any_hart(w), pfn, order);

	w->answers[ret == 0 ? 0 : ret == -EMM_EBUSY ? 1 : 2]++;
	if (!ret)
		got_block(w, pfn, order);
	else if (ret != -EMM_EBUSY && ret != -EMM_EAGAIN)
		stress_fail(w->s, "strange answer to a claim", pfn, order);
	return ret;
}

static void claim_any(struct worker *w, unsigned int order)
{
	uint64_t nr, first = stress_first_block(w->s, order, &nr);

	if (nr)
		claim(w, first + (stress_random(&w->rng) % nr << order), order);
}

static void mixed_op(struct worker *w, bool filling)
{
	struct stress *s = w->s;
	uint64_t pick = stress_random(&w->rng), most = s->nr_pages * 13 / 10 / s->shape->nr_harts;
	unsigned int order = 0;

	if (pick >> 8 & 1)
		order = (unsigned int)((pick >> 9) %
				       (1 +
					(pick >> 30 & 3 && s->max_order > 7 ? 7 : s->max_order)));
	switch (pick % 64) {
	case 0:
		buddy_drain(any_hart(w));
		return;
	case 1:
		if (w->id < s->nr_holes)
			stress_add_piece(s, any_hart(w), &s->holes[w->id]);
		return;
	case 2:
	case 3:
		stress_read_mail(w, false);
		return;
	}
	if (w->nr_live < MAX_LIVE && w->live_pages <= most &&
	    (pick >> 16) % 16 < (filling ? 11 : 6)) {
		if (pick % 64 < 12)
			claim_any(w, order);
		else
			alloc(w, order);
	} else if (w->nr_live) {
		struct block blk = forget(w, (unsigned int)((pick >> 32) % w->nr_live));

		if (pick % 64 < 16)
			send(w, blk);
		else
			give_back(w, &blk);
	}
}

static void work_mixed(struct worker *w)
{
	bool filling = true;

	for (uint64_t op = 0; op < w->s->shape->round_ops; op++) {
		if (stress_random(&w->rng) % 256 == 0)
			filling = !filling;
		mixed_op(w, filling);
	}
}

/*
 * Block i is the hart's with number i modulo the harts, but for those that nobody touches: so
 * all share words, and what a hart frees nobody else takes.
 */
static void own_blocks_op(struct worker *w, unsigned int first_hart, uint64_t nr_kept, bool exact)
{
	struct stress *s = w->s;
	unsigned int order = s->own_order, harts = s->shape->nr_harts - first_hart;
	uint64_t nr, first = stress_first_block(s, order, &nr), i;
	int ret;

	if (nr < nr_kept + harts)
		return;
	i = stress_random(&w->rng) % ((nr - nr_kept) / harts) * harts + nr_kept + w->id -
	    first_hart;
	for (unsigned int at = 0; at < w->nr_live; at++)
		if (w->live[at].pfn == first + (i << order)) {
			struct block blk = forget(w, at);

			give_back(w, &blk);
			return;
		}
	if (w->nr_live == MAX_LIVE)
		return;
	ret = claim(w, first + (i << order), order);
	if (exact && ret && ret != -EMM_EAGAIN)
		stress_fail(s, "busy, and free all the time", first + (i << order), order);
}

static void work_exact(struct worker *w)
{
	for (uint64_t op = 0; op < w->s->shape->round_ops; op++)
		own_blocks_op(w, 0, 0, true);
}

/* Hart 0 allocates, and gives back at once what it got; the others never take block 0. */
static void work_almost_out(struct worker *w)
{
	struct stress *s = w->s;
	uint64_t nr;

	stress_first_block(s, s->own_order, &nr);
	for (uint64_t op = 0; op < s->shape->round_ops && nr; op++) {
		uint64_t none = w->answers[1];

		if (w->id) {
			own_blocks_op(w, 1, 1, false);
			drain(w);
			continue;
		}
		alloc(w, s->own_order);
		if (w->answers[1] != none)
			stress_fail(s, "none, and one was free all the time", 0, s->own_order);
		while (w->nr_live) {
			struct block blk = forget(w, 0);

			give_back(w, &blk);
		}
		drain(w);
	}
}

/* Each has one block at most, of an order that no hart keeps for itself. */
static void work_enough(struct worker *w)
{
	struct stress *s = w->s;

	for (uint64_t op = 0; op < s->shape->round_ops; op++) {
		uint64_t none = w->answers[1];

		if (w->nr_live) {
			struct block blk = forget(w, 0);

			give_back(w, &blk);
			continue;
		}
		alloc(w, s->own_order);
		if (w->answers[1] != none)
			stress_fail(s, "none, and there is one for each hart", 0, s->own_order);
	}
}

void stress_work(struct worker *w)
{
	switch (w->s->shape->kind) {
	case STRESS_MIXED:
		work_mixed(w);
		break;
	case STRESS_EXACT:
		work_exact(w);
		break;
	case STRESS_ALMOST_OUT:
		work_almost_out(w);
		break;
	case STRESS_ENOUGH:
		work_enough(w);
		break;
	}
	while (w->nr_live) {
		struct block blk = forget(w, w->nr_live - 1);

		give_back(w, &blk);
	}
	/* Nobody will answer from now on. */
	if (w->id)
		buddy_drain(w->h);
}
