/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A case of a workload: its repetitions, each set up, warmed up, timed and verified; then what it
 * costs, net of what the null allocator's did.
 */
#include "bench_impl.h"
#include "stats.h"

#define WARM_SHRINK 4 /* a warm-up is a sixteenth of the workload */

/* Can the allocator do this case at all? */
static bool is_capable(const struct bench_rep *r)
{
	unsigned int order = r->wl->max_order(r);

	if (!r->pa->alloc || !r->pa->free || order > r->pa->max_order)
		return false;
	if (r->wl->is_capable && !r->wl->is_capable(r->pa))
		return false;
	/* Not one block of it, if there is a reserve to be kept. */
	return r->place != &r->b->arena ||
	       bench_reserve(r) + ((uint64_t)1 << order) <= r->place->pages;
}

static uint64_t count_failed(const struct bench_rep *r)
{
	uint64_t failed = 0;

	for (uint64_t i = 0; i < r->nr_log; i++)
		failed += r->b->log[i] < 0;
	return failed;
}

/* The timed part, and the records of it. */
static void run_timed(struct bench_rep *r)
{
	r->failed_frees = 0;
	r->wl->timed(r, 0);
	if (!r->wl->traced) {
		r->failed_allocs = count_failed(r);
		r->chk = log_checksum(r);
	}
	r->b->blocks_checked += r->nr_log;
	for (unsigned int op = 0; op < r->wl->nr_ops; op++)
		emit_smp(r, op, r->chk);
	if (r->wl->traced)
		score_live(r);
}

static enum case_state run_rep_null(struct bench_rep *r)
{
	struct bench_fault f;

	bench_setup(r, &bench_alloc_null, &f);
	r->wl->timed(r, WARM_SHRINK);
	r->wl->timed(r, 0);
	for (unsigned int op = 0; op < r->wl->nr_ops; op++)
		emit_cal(r, op);
	if (r->wl->after)
		r->wl->after(r, &f);
	return CASE_OK;
}

/* warm up, start, run, stop, verify; in an arena of its own. */
static enum case_state run_rep_arena(struct bench_rep *r, const struct page_allocator_ops *ops)
{
	struct bench_fault f;
	enum case_state state = CASE_OK;

	*r->pa = (struct page_allocator){ .ops = ops };
	if (!workspace_has_room(r->b, ops))
		return CASE_NA;
	if (bench_setup(r, ops, &f) != BENCH_OK)
		goto failed;
	if (!is_capable(r)) {
		bench_teardown(r->pa);
		return CASE_NA;
	}
	r->wl->timed(r, WARM_SHRINK);
	bench_teardown(r->pa);

	if (bench_setup(r, ops, &f) != BENCH_OK)
		goto failed;
	r->free_before = r->place->pages;
	run_timed(r);
	if (verify_rep(r, &f) != BENCH_OK || (r->wl->after && r->wl->after(r, &f) != BENCH_OK)) {
		verify_report(r, &f);
		state = CASE_FAILED;
	}
	bench_teardown(r->pa);
	return state;
failed:
	verify_report(r, &f);
	return CASE_FAILED;
}

/* The same on the live allocator: as it is, so without a warm-up. */
static enum case_state run_rep_live(struct bench_rep *r)
{
	struct bench_fault f;

	if (!is_capable(r))
		return CASE_NA;
	bench_drain(r->pa);
	r->free_before = r->pa->ops->nr_free(r->pa);
	run_timed(r);
	r->b->live_churn_failed = r->failed_allocs;
	if (verify_rep(r, &f) == BENCH_OK)
		return CASE_OK;
	verify_report(r, &f);
	return CASE_FAILED;
}

/* A long workload evens out by itself what is noisy. */
uint32_t bench_reps(const struct bench *b, const struct workload *wl)
{
	return wl->traced && !b->cfg.options.reps ? 1 : b->reps;
}

void case_run(struct bench_rep *r, const struct page_allocator_ops *ops, struct case_cost *cost)
{
	int64_t samples[BENCH_BULK_OPS][BENCH_MAX_REPS];
	struct bench *b = r->b;
	uint32_t nr_reps = bench_reps(b, r->wl);
	enum case_state state = CASE_OK;

	for (r->rep = 0; r->rep < nr_reps && state == CASE_OK; r->rep++) {
		if (!ops)
			state = run_rep_live(r);
		else if (ops == &bench_alloc_null)
			state = run_rep_null(r);
		else
			state = run_rep_arena(r, ops);
		for (unsigned int op = 0; op < r->wl->nr_ops && state == CASE_OK; op++) {
			const struct bench_stamp *t = &r->time[op];

			samples[op][r->rep] =
				(int64_t)(b->exact ? t->ins
						   : stats_ticks_to_ns(t->tb, b->cfg.clock.tb_hz));
			cost->ops[op] = r->ops[op];
		}
		if (state == CASE_NA)
			b->units_done += (nr_reps - r->rep) * (1 + age_pieces(b, r->wl)) - 1;
		bench_progress(b, r->wl->name, r->pa->ops->name);
	}
	cost->state = state;
	if (r->wl->na && state == CASE_NA)
		r->wl->na(r);
	for (unsigned int op = 0; op < r->wl->nr_ops && state == CASE_OK; op++)
		cost->total[op] = stats_median(samples[op], nr_reps);
}

void case_figures(struct bench_rep *r, const struct case_cost *cost, const struct case_cost *null,
		  int64_t *figure)
{
	for (unsigned int op = 0; op < r->wl->nr_ops; op++) {
		if (cost->state == CASE_FAILED) {
			figure[op] = FIGURE_FAILED;
			continue;
		}
		figure[op] =
			cost->state == CASE_NA
				? FIGURE_NA
				: stats_net_x100(cost->total[op], null->total[op], cost->ops[op]);
		emit_res(r, op, figure[op]);
	}
}
