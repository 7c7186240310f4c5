/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The timed workloads: what each does with the loops, and how it gives back what it holds in the
 * end. exhaust, which is not timed, has a file of its own.
 */
#include "bench_impl.h"
#include "random.h"

void collect(struct bench_rep *r, unsigned int op, const struct loop_result *res, uint64_t ops)
{
	r->time[op] = res->time;
	r->ops[op] = ops;
	r->failed_frees += res->failed_frees;
}

void free_one(struct bench_rep *r, int64_t pfn, unsigned int order)
{
	if (pfn >= 0 && r->pa->free(r->pa->self, (uint64_t)pfn, order))
		r->failed_frees++;
}

/* ---- pair: alloc and free of one block, again and again ---- */

static unsigned int pair_max_order(const struct bench_rep *r)
{
	return r->order;
}

static void pair_timed(struct bench_rep *r, unsigned int shrink)
{
	uint64_t n = r->place->scale.pairs >> shrink;
	struct loop_result res;

	r->held_pfn = r->held ? r->pa->alloc(r->pa->self, 0) : -1;
	loop_pair(&r->b->cfg.clock, r->pa, r->b->log, n, r->order, &res);
	collect(r, 0, &res, n);
	r->nr_log = n;
}

static void pair_undo(struct bench_rep *r)
{
	free_one(r, r->held_pfn, 0);
}

/* ---- bulk: many pages, in order and in random order ---- */

static unsigned int bulk_max_order(const struct bench_rep *r)
{
	(void)r;
	return 0;
}

static void shuffled_copy(int64_t *to, const int64_t *from, uint64_t n, uint64_t seed)
{
	for (uint64_t i = 0; i < n; i++)
		to[i] = from[i];
	shuffle(to, n, &seed);
}

static bool is_by_batch(const struct bench_rep *r)
{
	return r->wl->bit == BENCH_BULKAPI;
}

static bool bulkapi_is_capable(const struct page_allocator *pa)
{
	return pa->alloc_bulk && pa->free_bulk;
}

static uint64_t batch_of(uint64_t n)
{
	return n < BENCH_BATCH ? n : BENCH_BATCH;
}

/* The timed loops: a page a call, or a batch. */
static void bulk_alloc(struct bench_rep *r, int64_t *log, uint64_t n, struct loop_result *res)
{
	const struct bench_clock *clock = &r->b->cfg.clock;

	if (!is_by_batch(r)) {
		loop_alloc(clock, r->pa, log, n, res);
		return;
	}
	/* The null allocator does not write them. */
	for (uint64_t i = 0; i < n; i++)
		log[i] = is_null(r) ? 0 : -EMM_ENOMEM;
	loop_alloc_bulk(clock, r->pa, log, n, batch_of(n), res);
}

static void bulk_free(struct bench_rep *r, const int64_t *pfns, uint64_t n, struct loop_result *res)
{
	const struct bench_clock *clock = &r->b->cfg.clock;

	if (is_by_batch(r))
		loop_free_bulk(clock, r->pa, pfns, n, batch_of(n), res);
	else
		loop_free(clock, r->pa, pfns, n, res);
}

/*
 * Allocs of figure @op into log[0..n) and frees of the next one. A failed alloc ends the workload:
 * what was had is given back at once, and false returned.
 */
static bool bulk_round(struct bench_rep *r, unsigned int op, int64_t *log, uint64_t n, bool shuffle)
{
	int64_t *pfns = log;
	struct loop_result res;

	bulk_alloc(r, log, n, &res);
	collect(r, op, &res, n);
	r->nr_log += n;
	for (uint64_t i = 0; i < n; i++) {
		if (log[i] >= 0)
			continue;
		for (uint64_t j = 0; j < n; j++)
			free_one(r, log[j], 0);
		return false;
	}
	if (shuffle) {
		pfns = log + n;
		shuffled_copy(pfns, log, n, r->b->cfg.options.seed);
	}
	bulk_free(r, pfns, n, &res);
	collect(r, op + 1, &res, n);
	return true;
}

static void bulk_timed(struct bench_rep *r, unsigned int shrink)
{
	uint64_t n = r->place->scale.bulk_pages >> shrink;

	if (!n)
		n = 1;
	r->nr_log = 0;
	for (unsigned int op = 0; op < BENCH_BULK_OPS; op++)
		collect(r, op, &(struct loop_result){ 0 }, n);
	if (bulk_round(r, 0, r->b->log, n, false))
		bulk_round(r, 2, r->b->log + n, n, true);
}

static void bulk_undo(struct bench_rep *r)
{
	(void)r; /* all is free */
}

/* ---- mobility: see there ---- */

static bool mobility_is_capable(const struct page_allocator *pa)
{
	return pa->alloc_movable != NULL;
}

/* ---- churn: random blocks come and go ---- */

static unsigned int churn_max_order(const struct bench_rep *r)
{
	return r->wl->bit == BENCH_CHURN0 ? 0 : r->place->scale.churn_max_order;
}

/* The order for each value of (x >> 32) % 100. */
void workload_churn_orders(uint8_t orders[CHURN_PERCENT], unsigned int max_order)
{
	static const struct {
		uint8_t below, order;
	} share[] = { { 70, 0 }, { 82, 1 }, { 90, 2 }, { 96, 3 }, { 98, 4 }, { 100, 9 } };
	unsigned int s = 0;

	for (unsigned int i = 0; i < CHURN_PERCENT; i++) {
		if (i == share[s].below)
			s++;
		orders[i] = share[s].order < max_order ? share[s].order : (uint8_t)max_order;
	}
}

void workload_churn_plan(struct bench_rep *r, struct churn *plan, unsigned int shrink)
{
	const struct bench_scale *scale = &r->place->scale;

	workload_churn_orders(r->b->churn_orders, churn_max_order(r));
	*plan = (struct churn){
		.slots = r->b->slots,
		.nr_slots = scale->slots,
		.steps = scale->steps >> shrink,
		.seed = r->b->cfg.options.seed,
		.orders = r->b->churn_orders,
	};
	for (uint64_t i = 0; i < plan->nr_slots; i++)
		plan->slots[i] = (struct churn_slot){ .pfn = -1 };
}

static void churn_timed(struct bench_rep *r, unsigned int shrink)
{
	struct loop_result res;
	struct churn plan;

	workload_churn_plan(r, &plan, shrink);
	loop_churn(&r->b->cfg.clock, r->pa, &plan, r->b->log, &res);
	collect(r, 0, &res, plan.steps);
	r->nr_log = res.logged;
}

static void churn_undo(struct bench_rep *r)
{
	for (uint64_t i = 0; i < r->place->scale.slots; i++)
		free_one(r, r->b->slots[i].pfn, (unsigned int)r->b->slots[i].order);
}

const struct workload bench_workloads[] = {
	{
		.name = "pair",
		.bit = BENCH_PAIR,
		.nr_ops = 1,
		.op = { "pair" },
		.by_order = true,
		.max_order = pair_max_order,
		.timed = pair_timed,
		.undo = pair_undo,
		.replay = replay_pair,
	},
	{
		.name = "bulk",
		.bit = BENCH_BULK,
		.nr_ops = BENCH_BULK_OPS,
		.op = { "alloc", "free_ordered", "alloc2", "free_random" },
		.max_order = bulk_max_order,
		.timed = bulk_timed,
		.undo = bulk_undo,
		.replay = replay_bulk,
	},
	{
		.name = "bulkapi",
		.bit = BENCH_BULKAPI,
		.nr_ops = BENCH_BULK_OPS,
		.op = { "alloc", "free_ordered", "alloc2", "free_random" },
		.max_order = bulk_max_order,
		.is_capable = bulkapi_is_capable,
		.timed = bulk_timed,
		.undo = bulk_undo,
		.replay = replay_bulk,
	},
	{
		.name = "churn",
		.bit = BENCH_CHURN,
		.nr_ops = 1,
		.op = { "step" },
		.max_order = churn_max_order,
		.timed = churn_timed,
		.undo = churn_undo,
		.replay = replay_churn,
	},
	{
		.name = "churn0",
		.bit = BENCH_CHURN0,
		.nr_ops = 1,
		.op = { "step" },
		.max_order = churn_max_order,
		.timed = churn_timed,
		.undo = churn_undo,
		.replay = replay_churn,
	},
	{
		.name = "age",
		.bit = BENCH_AGE,
		.nr_ops = 1,
		.op = { "step" },
		.traced = true,
		.max_order = bulk_max_order,
		.timed = age_timed,
		.undo = age_undo,
		.replay = age_replay,
		.na = score_na,
	},
	{
		.name = "burst",
		.bit = BENCH_BURST,
		.nr_ops = 1,
		.op = { "step" },
		.traced = true,
		.max_order = bulk_max_order,
		.timed = age_timed,
		.undo = age_undo,
		.replay = age_replay,
		.na = score_na,
	},
	{
		.name = "frag",
		.bit = BENCH_FRAG,
		.nr_ops = 1,
		.op = { "step" },
		.traced = true,
		.max_order = bulk_max_order,
		.timed = age_timed,
		.undo = age_undo,
		.replay = age_replay,
		.after = score_freed,
		.na = score_na,
	},
	{
		.name = "mobility",
		.bit = BENCH_MOBILITY,
		.nr_ops = 1,
		.op = { "step" },
		.traced = true,
		.max_order = bulk_max_order,
		.is_capable = mobility_is_capable,
		.timed = age_timed,
		.undo = age_undo,
		.replay = age_replay,
		.na = score_na,
	},
	{
		.name = "latency",
		.bit = BENCH_LATENCY,
		.nr_ops = 1,
		.op = { "step" },
		.max_order = churn_max_order,
		.timed = latency_timed,
		.undo = churn_undo,
		.replay = replay_churn,
		.after = latency_after,
		.na = latency_na,
	},
	{ .name = NULL },
};
