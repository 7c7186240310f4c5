/* SPDX-License-Identifier: BSD-2-Clause */
/* How many large blocks can be had beside the pages that are live: taken, checked, given back. */
#include "bench_impl.h"

static const unsigned int score_orders[BENCH_SCORES] = { [SCORE_ORDER9] = 9, [SCORE_ORDER3] = 3 };

/* Pages that are live; all that age.c has left. */
static uint64_t count_live(const struct bench_rep *r)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < r->aging.nr_live; i++)
		n += r->aging.live[i] >= 0;
	return n;
}

/* Blocks of r->order into the trace until there are no more, or @most. */
static uint64_t take_blocks(struct bench_rep *r, uint64_t most)
{
	uint64_t n = 0;

	while (n < most && n < r->b->trace_entries) {
		int64_t pfn = bench_alloc_all(r->pa, r->order);

		if (pfn < 0)
			break;
		r->b->trace[n++] = pfn;
	}
	return n;
}

/* Checks the blocks in the trace against the live pages and each other. */
static enum bench_verdict check_blocks(struct bench_rep *r, uint64_t n, uint16_t *chk)
{
	for (uint64_t i = 0; i < n; i++) {
		int64_t pfn = r->b->trace[i];
		enum bench_verdict v = shadow_take(&r->place->map, pfn, r->order);

		if (v != BENCH_OK)
			return fault_block(&r->fault, v, i, pfn, r->order);
		*chk = pfn_checksum(r, *chk, pfn);
	}
	for (uint64_t i = 0; i < n; i++)
		shadow_give(&r->place->map, r->b->trace[i], r->order);
	return BENCH_OK;
}

/* One more than there can be is asked for: it would overlap. */
static int64_t score_order(struct bench_rep *r, struct frag_result *result)
{
	int64_t score = FIGURE_FAILED;
	uint64_t n;

	if (r->order > r->pa->max_order) {
		result->had = UINT64_MAX;
		score = FIGURE_NA;
	} else {
		n = take_blocks(r, result->ideal + 1);
		if (check_blocks(r, n, &result->chk) == BENCH_OK)
			score = (int64_t)n;
		for (uint64_t i = 0; i < n; i++)
			free_one(r, r->b->trace[i], r->order);
		result->had = n;
	}
	if (!r->rep && score != FIGURE_FAILED)
		emit_frag(r, false, result);
	return score;
}

/* After a drain, as a kernel does before it says that there is no large block. */
static void score(struct bench_rep *r, struct bench_score *s, const char *state, uint64_t nr_free)
{
	for (unsigned int i = 0; i < BENCH_SCORES; i++) {
		struct frag_result result = { .state = state, .chk = CRC16_INIT };

		s->had[i] = FIGURE_FAILED;
		if (r->fault.verdict != BENCH_OK)
			continue;
		r->order = score_orders[i];
		result.ideal = nr_free >> r->order;
		s->ideal[i] = (int64_t)result.ideal;
		bench_drain(r->pa);
		s->had[i] = score_order(r, &result);
	}
	r->order = 0;
}

void score_live(struct bench_rep *r)
{
	score(r, &r->score, "live", r->place->pages - count_live(r));
}

enum bench_verdict score_freed(struct bench_rep *r, struct bench_fault *f)
{
	if (r->pa->ops == &bench_alloc_null)
		return BENCH_OK;
	shadow_reset(&r->place->map);
	score(r, &r->freed_score, "freed", r->place->pages);
	*f = r->fault;
	if (f->verdict != BENCH_OK)
		return f->verdict;
	if (r->failed_frees)
		return fault_numbers(f, BENCH_FREE_FAILED, 0, r->failed_frees);
	return verify_books(r, f);
}

void score_na(struct bench_rep *r)
{
	for (unsigned int i = 0; i < BENCH_SCORES; i++) {
		r->order = score_orders[i];
		r->score.had[i] = r->freed_score.had[i] = FIGURE_NA;
		emit_frag(r, false, &(struct frag_result){ .state = "live", .had = UINT64_MAX });
		if (r->wl->after)
			emit_frag(r, false,
				  &(struct frag_result){ .state = "freed", .had = UINT64_MAX });
	}
	r->order = 0;
}
