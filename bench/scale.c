/* SPDX-License-Identifier: BSD-2-Clause */
/* The churn on several harts, with slots of their own, in one arena. */
#include "random.h"
#include "team.h"

#define SPEC_SLOTS  4096
#define CHURN_SHARE 16 /* a slot of all orders for so many pages of a hart's part of the arena */

/* The same for all numbers of harts, so that figures can be compared. */
static uint64_t churn0_slots(const struct bench *b)
{
	return b->hart_slots;
}

static uint64_t churn_slots(const struct bench *b)
{
	uint64_t slots = b->arena.pages / b->cfg.harts->nr / CHURN_SHARE;

	while (slots & (slots - 1))
		slots &= slots - 1;
	if (!slots)
		slots = 1;
	return slots < b->hart_slots ? slots : b->hart_slots;
}

static void prepare(struct team *t, unsigned int shrink)
{
	struct bench *b = t->b;
	bool small = t->r->wl->bit == BENCH_CHURN0;
	uint64_t slots = small ? churn0_slots(b) : churn_slots(b);

	t->r->may_fail = slots < SPEC_SLOTS;
	workload_churn_orders(b->churn_orders, small ? 0 : b->arena.scale.churn_max_order);
	for (uint32_t i = 0; i < t->nr; i++) {
		struct hart_work *w = &b->work[i];

		w->plan = (struct churn){
			.slots = w->slots,
			.nr_slots = slots,
			.steps = b->hart_steps >> shrink,
			.seed = team_seed(b, i),
			.orders = b->churn_orders,
		};
		for (uint64_t k = 0; k < slots; k++)
			w->slots[k] = (struct churn_slot){ .pfn = -1 };
	}
}

static void timed(struct team *t, struct hart_work *w, uint32_t hart)
{
	(void)hart;
	loop_churn(&t->b->cfg.clock, &w->pa, &w->plan, w->log, &w->res);
}

static uint64_t count_ops(const struct team *t)
{
	return t->nr * t->b->work[0].plan.steps;
}

/* What is in the hart's slots goes back. */
static void undo(struct team *t, struct hart_work *w, uint32_t hart)
{
	(void)t;
	(void)hart;
	for (uint64_t i = 0; i < w->plan.nr_slots; i++)
		if (w->slots[i].pfn >= 0 && w->pa.free(w->pa.self, (uint64_t)w->slots[i].pfn,
						       (unsigned int)w->slots[i].order))
			w->failed_frees++;
}

/* Each hart's log by itself; then what they held in the end, all together. */
static enum bench_verdict replay_logs(struct team *t, struct bench_fault *f)
{
	struct shadow_map *map = &t->r->place->map;
	enum bench_verdict v;

	for (uint32_t i = 0; i < t->nr; i++) {
		const struct hart_work *w = &t->b->work[i];

		shadow_reset(map);
		t->r->nr_log = w->res.logged;
		v = replay_churn_plan(t->r, f, &w->plan, w->log);
		if (v == BENCH_OK && w->res.failed_frees + w->failed_frees)
			v = fault_numbers(f, BENCH_FREE_FAILED, 0,
					  w->res.failed_frees + w->failed_frees);
		f->hart = i + 1;
		if (v != BENCH_OK)
			return v;
	}
	shadow_reset(map);
	for (uint32_t i = 0; i < t->nr; i++) {
		const struct hart_work *w = &t->b->work[i];

		for (uint64_t k = 0; k < w->plan.nr_slots; k++) {
			int64_t pfn = w->slots[k].pfn;
			unsigned int order = (unsigned int)w->slots[k].order;

			v = pfn < 0 ? BENCH_OK : shadow_take(map, pfn, order);
			if (v == BENCH_OK)
				continue;
			fault_block(&t->fault, v, k, pfn, order);
			t->fault.hart = i + 1;
			team_name_other(t);
			*f = t->fault;
			return v;
		}
	}
	return BENCH_OK;
}

static enum bench_verdict verify(struct team *t, struct bench_fault *f)
{
	enum bench_verdict v;

	if (!team_run(t, t->nr, undo)) {
		*f = t->fault;
		return f->verdict;
	}
	bench_drain(t->r->pa);
	v = replay_logs(t, f);
	if (v == BENCH_OK)
		v = verify_books(t->r, f);
	return v == BENCH_OK ? verify_merged(t->r, f) : v;
}

/* A step of the churn, each block in the shared map as long as the hart has it. */
static void claimed_step(struct team *t, struct hart_work *w, uint32_t hart, uint64_t x,
			 uint64_t step)
{
	struct churn_slot *slot = &w->slots[x & (w->plan.nr_slots - 1)];
	unsigned int order = (unsigned int)slot->order;
	const struct shadow_map *map = &t->r->place->map;
	enum bench_verdict v;

	if (slot->pfn >= 0) {
		int64_t pfn = slot->pfn;

		if (shadow_release(map, pfn, order) != BENCH_OK)
			team_fault(t, hart, BENCH_OVERLAP, step, pfn, order);
		else if (w->pa.free(w->pa.self, (uint64_t)pfn, order))
			team_fault(t, hart, BENCH_FREE_FAILED, step, pfn, order);
		else
			slot->pfn = -1;
		return;
	}
	order = w->plan.orders[(x >> 32) % CHURN_PERCENT];
	slot->order = order;
	slot->pfn = w->pa.alloc(w->pa.self, order);
	if (slot->pfn < 0) {
		if (t->r->place->full && !t->r->may_fail)
			team_fault(t, hart, BENCH_ALLOC_FAILED, step, slot->pfn, order);
		return;
	}
	v = shadow_claim(map, slot->pfn, order);
	if (v != BENCH_OK)
		team_fault(t, hart, v, step, slot->pfn, order);
}

static void claimed(struct team *t, struct hart_work *w, uint32_t hart)
{
	uint64_t x = w->plan.seed;

	for (uint64_t step = 0; step < w->plan.steps && !team_is_stopped(t); step++)
		claimed_step(t, w, hart, xorshift64(&x), step);
	for (uint64_t k = 0; k < w->plan.nr_slots && !team_is_stopped(t); k++)
		if (w->slots[k].pfn >= 0)
			claimed_step(t, w, hart, k, k);
}

const struct team_kind scale_kinds[BENCH_TEAM_OPS] = {
	{
		.wl = { .name = "scale", .bit = BENCH_CHURN0, .nr_ops = 1, .op = { "churn0" } },
		.least = 1,
		.slots = churn0_slots,
		.prepare = prepare,
		.timed = timed,
		.ops = count_ops,
		.verify = verify,
		.claimed = claimed,
	},
	{
		.wl = { .name = "scale", .bit = BENCH_CHURN, .nr_ops = 1, .op = { "churn" } },
		.least = 1,
		.slots = churn_slots,
		.prepare = prepare,
		.timed = timed,
		.ops = count_ops,
		.verify = verify,
		.claimed = claimed,
	},
};
