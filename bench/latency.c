/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * latency: the churn with each call timed on its own. What a call of the null allocator takes, the
 * looks at the clock included, is subtracted.
 */
#include "bench_impl.h"
#include "stats.h"

#define PER_MILLE 1000

void latency_timed(struct bench_rep *r, unsigned int shrink)
{
	struct bench *b = r->b;
	struct loop_result res;
	struct churn plan;

	workload_churn_plan(r, &plan, shrink);
	loop_latency(&b->cfg.clock, r->pa, &plan, b->exact, b->log, (void *)b->trace, &res);
	collect(r, 0, &res, plan.steps);
	r->nr_log = res.logged;
}

/* The calls of one kind into the log, sorted: instructions or ns. Returns how many. */
static uint64_t sort_calls(struct bench_rep *r, unsigned int op)
{
	const uint32_t *calls = (const void *)r->b->trace;
	uint64_t hz = r->b->cfg.clock.tb_hz;
	uint64_t n = 0;

	for (uint64_t i = 0; i < r->ops[0]; i++) {
		uint64_t ticks = CALL_TICKS(calls[i]);

		if (CALL_IS_FREE(calls[i]) == (op == LATENCY_FREE))
			r->b->log[n++] =
				(int64_t)(r->b->exact ? ticks : stats_ticks_to_ns(ticks, hz));
	}
	stats_sort(r->b->log, n);
	return n;
}

/* The smallest value that so many of a thousand do not exceed. */
static int64_t quantile(const int64_t *sorted, uint64_t n, uint64_t per_mille)
{
	return sorted[(n * per_mille + PER_MILLE - 1) / PER_MILLE - 1];
}

static void set_all(struct bench_latency *l, int64_t figure)
{
	*l = (struct bench_latency){ figure, figure, figure, figure, figure, figure };
}

void latency_init(struct bench_latency latencies[BENCH_LATENCY_OPS], int64_t figure)
{
	for (unsigned int op = 0; op < BENCH_LATENCY_OPS; op++)
		set_all(&latencies[op], figure);
}

enum bench_verdict latency_after(struct bench_rep *r, struct bench_fault *f)
{
	int64_t *sorted = r->b->log;

	(void)f;
	for (unsigned int op = 0; op < BENCH_LATENCY_OPS; op++) {
		struct bench_latency *l = &r->latencies[op];
		uint64_t n = sort_calls(r, op);

		if (r->pa->ops == &bench_alloc_null) {
			r->b->null_latency[op] = n ? quantile(sorted, n, 500) : 0;
			continue;
		}
		set_all(l, FIGURE_NA);
		if (!n) /* only allocs, and all of them failed */
			continue;
		for (uint64_t i = 0; i < n; i++)
			sorted[i] -= r->b->null_latency[op];
		*l = (struct bench_latency){
			.min = sorted[0],
			.p50 = quantile(sorted, n, 500),
			.p90 = quantile(sorted, n, 900),
			.p99 = quantile(sorted, n, 990),
			.p999 = quantile(sorted, n, 999),
			.max = sorted[n - 1],
		};
		if (!r->rep)
			emit_hist(r, op, l, sorted, n);
	}
	return BENCH_OK;
}

void latency_na(struct bench_rep *r)
{
	latency_init(r->latencies, FIGURE_NA);
	for (unsigned int op = 0; op < BENCH_LATENCY_OPS; op++)
		emit_hist_na(r, op);
}
