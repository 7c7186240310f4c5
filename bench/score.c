/* SPDX-License-Identifier: BSD-2-Clause */
/* How many large blocks can be had beside the pages that are live: taken, checked, given back. */
#include "bench_impl.h"

static const unsigned int score_orders[BENCH_SCORES] = { [SCORE_ORDER9] = 9, [SCORE_ORDER3] = 3 };

/* Blocks of r->order into the trace until there are no more, or more than there can be. */
static uint64_t take_blocks(struct bench_rep *r, uint64_t most)
{
	uint64_t n = 0;

	while (n < most && n < r->b->trace_entries) {
		int64_t pfn = r->pa->alloc(r->pa->self, r->order);

		if (pfn < 0)
			break;
		r->b->trace[n++] = pfn;
	}
	return n;
}

/* Checks the blocks in the trace against the live pages and each other. */
static enum bench_verdict check_blocks(struct bench_rep *r, uint64_t n, uint16_t *chk)
{
	enum bench_verdict v = BENCH_OK;
	uint64_t i;

	for (i = 0; i < n && v == BENCH_OK; i++) {
		v = shadow_take(&r->place->map, r->b->trace[i], r->order);
		if (v != BENCH_OK)
			fault_block(&r->fault, v, i, r->b->trace[i], r->order);
		else
			*chk = pfn_checksum(r, *chk, r->b->trace[i]);
	}
	if (v != BENCH_OK)
		return v;
	while (i > 0)
		shadow_give(&r->place->map, r->b->trace[--i], r->order);
	return BENCH_OK;
}

static void score_order(struct bench_rep *r, enum bench_score_order s)
{
	uint64_t free_pages = r->place->pages - r->aging.nr_live;
	uint64_t ideal, n;
	uint16_t chk = CRC16_INIT;

	r->order = score_orders[s];
	ideal = free_pages >> r->order;
	r->score.ideal[s] = (int64_t)ideal;
	if (r->order > r->pa->max_order) {
		r->score.had[s] = FIGURE_NA;
		if (!r->rep)
			emit_frag_na(r, false);
		return;
	}
	n = take_blocks(r, ideal + 1);
	if (check_blocks(r, n, &chk) == BENCH_OK) {
		r->score.had[s] = (int64_t)n;
		if (!r->rep)
			emit_frag(r, false, n, ideal, chk);
	}
	for (uint64_t i = 0; i < n; i++)
		if (r->pa->free(r->pa->self, (uint64_t)r->b->trace[i], r->order))
			r->failed_frees++;
}

/* After a drain, as a kernel would before it says that there is no large block. */
void score_take(struct bench_rep *r)
{
	for (unsigned int s = 0; s < BENCH_SCORES; s++) {
		r->score.had[s] = FIGURE_FAILED;
		if (r->fault.verdict != BENCH_OK)
			continue;
		bench_drain(r->pa);
		score_order(r, (enum bench_score_order)s);
	}
	r->order = 0;
}

void score_na(struct bench_rep *r)
{
	for (unsigned int s = 0; s < BENCH_SCORES; s++) {
		r->order = score_orders[s];
		r->score.had[s] = FIGURE_NA;
		emit_frag_na(r, false);
	}
	r->order = 0;
}
