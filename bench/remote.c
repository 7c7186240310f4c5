/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One hart allocates, the next one frees: harts 2k and 2k + 1, with a ring between them. What is on
 * its way is as much as the ring holds, and what the two have in hand.
 */
#include "random.h"
#include "team.h"

static void prepare(struct team *t, unsigned int shrink)
{
	struct bench *b = t->b;
	bool small = t->r->wl->bit == BENCH_CHURN0;

	/* An arena that holds what is on its way and as much again does not run out. */
	t->r->may_fail = t->nr * 2 * RING_ENTRIES * 16 > b->arena.pages;
	workload_churn_orders(b->churn_orders, small ? 0 : b->arena.scale.churn_max_order);
	for (uint32_t i = 0; i < t->nr; i++) {
		struct hart_work *w = &b->work[i];

		w->plan = (struct churn){
			.slots = w->slots,
			.steps = b->hart_steps >> shrink,
			.seed = team_seed(b, i),
			.orders = b->churn_orders,
		};
		w->head = w->tail = w->is_done = 0;
		w->turns = 0;
	}
}

/* Into the ring of @w, whose hart this is. False: all are to end, and the block is kept. */
static bool put(struct team *t, struct hart_work *w, uint64_t block)
{
	uint64_t tail = w->tail;

	while (tail - __atomic_load_n(&w->head, __ATOMIC_ACQUIRE) == RING_ENTRIES)
		if (!team_wait(t, w))
			return false;
	w->ring[tail % RING_ENTRIES] = block;
	__atomic_store_n(&w->tail, tail + 1, __ATOMIC_RELEASE);
	return true;
}

/* Out of the ring of @from, the hart before; @w is this one. 0: nothing will come any more. */
static uint64_t take(struct team *t, struct hart_work *w, struct hart_work *from)
{
	uint64_t head = from->head, block;

	while (__atomic_load_n(&from->tail, __ATOMIC_ACQUIRE) == head) {
		bool is_done = __atomic_load_n(&from->is_done, __ATOMIC_ACQUIRE);

		if (is_done && __atomic_load_n(&from->tail, __ATOMIC_ACQUIRE) == head)
			return 0;
		if (!team_wait(t, w))
			return 0;
	}
	block = from->ring[head % RING_ENTRIES];
	__atomic_store_n(&from->head, head + 1, __ATOMIC_RELEASE);
	return block;
}

static void allocate(struct team *t, struct hart_work *w)
{
	uint64_t x = w->plan.seed, n = 0;

	for (uint64_t left = w->plan.steps; left; left--) {
		unsigned int order = w->plan.orders[(xorshift64(&x) >> 32) % CHURN_PERCENT];
		int64_t pfn = w->pa.alloc(w->pa.self, order);

		w->log[n++] = pfn;
		if (pfn < 0)
			w->failed_allocs++;
		else if (!put(t, w, PACK_BLOCK(pfn, order)))
			break;
	}
	w->res.logged = n;
	__atomic_store_n(&w->is_done, 1, __ATOMIC_RELEASE);
}

static void timed(struct team *t, struct hart_work *w, uint32_t hart)
{
	uint64_t block;

	if (hart % 2 == 0) {
		allocate(t, w);
		return;
	}
	while ((block = take(t, w, &t->b->work[hart - 1])) != 0)
		if (w->pa.free(w->pa.self, PACKED_PFN(block), PACKED_ORDER(block)))
			w->failed_frees++;
}

/* A block that was allocated and freed elsewhere is one. */
static uint64_t count_ops(const struct team *t)
{
	uint64_t ops = 0;

	for (uint32_t i = 0; i < t->nr; i += 2)
		ops += t->b->work[i].res.logged;
	return ops;
}

/* Nothing is held in the end; which blocks were so at the same time only the claims tell. */
static enum bench_verdict verify(struct team *t, struct bench_fault *f)
{
	enum bench_verdict v;

	bench_drain(t->r->pa);
	if (t->has_fault) {
		*f = t->fault;
		return f->verdict;
	}
	for (uint32_t i = 0; i < t->nr; i++) {
		const struct hart_work *w = &t->b->work[i];
		uint64_t x = w->plan.seed;

		for (uint64_t k = 0; k < w->res.logged; k++) {
			unsigned int order = w->plan.orders[(xorshift64(&x) >> 32) % CHURN_PERCENT];
			bool full = t->r->place->full && !t->r->may_fail;

			v = shadow_check(&t->r->place->map, w->log[k], order);
			if (w->log[k] < 0)
				v = full ? BENCH_ALLOC_FAILED : BENCH_OK;
			if (v == BENCH_OK)
				continue;
			fault_block(f, v, k, w->log[k], order);
			f->hart = i + 1;
			return v;
		}
		if (w->failed_frees) {
			fault_numbers(f, BENCH_FREE_FAILED, 0, w->failed_frees);
			f->hart = i + 1;
			return f->verdict;
		}
	}
	v = verify_books(t->r, f);
	return v == BENCH_OK ? verify_merged(t->r, f) : v;
}

static void claimed_allocate(struct team *t, struct hart_work *w, uint32_t hart)
{
	uint64_t x = w->plan.seed;

	for (uint64_t step = 0; step < w->plan.steps && !team_is_stopped(t); step++) {
		unsigned int order = w->plan.orders[(xorshift64(&x) >> 32) % CHURN_PERCENT];
		int64_t pfn = w->pa.alloc(w->pa.self, order);
		enum bench_verdict v;

		if (pfn < 0)
			continue;
		v = shadow_claim(&t->r->place->map, pfn, order);
		if (v != BENCH_OK)
			team_fault(t, hart, v, step, pfn, order);
		else if (!put(t, w, PACK_BLOCK(pfn, order)))
			break;
	}
	__atomic_store_n(&w->is_done, 1, __ATOMIC_RELEASE);
}

static void claimed(struct team *t, struct hart_work *w, uint32_t hart)
{
	uint64_t block, n = 0;

	if (hart % 2 == 0) {
		claimed_allocate(t, w, hart);
		return;
	}
	while ((block = take(t, w, &t->b->work[hart - 1])) != 0) {
		int64_t pfn = (int64_t)PACKED_PFN(block);
		unsigned int order = PACKED_ORDER(block);

		if (shadow_release(&t->r->place->map, pfn, order) != BENCH_OK)
			team_fault(t, hart, BENCH_OVERLAP, n, pfn, order);
		else if (w->pa.free(w->pa.self, (uint64_t)pfn, order))
			team_fault(t, hart, BENCH_FREE_FAILED, n, pfn, order);
		n++;
	}
}

const struct team_kind remote_kinds[BENCH_TEAM_OPS] = {
	{
		.wl = { .name = "remote", .bit = BENCH_CHURN0, .nr_ops = 1, .op = { "order0" } },
		.least = 2,
		.prepare = prepare,
		.timed = timed,
		.ops = count_ops,
		.verify = verify,
		.claimed = claimed,
	},
	{
		.wl = { .name = "remote", .bit = BENCH_CHURN, .nr_ops = 1, .op = { "mix" } },
		.least = 2,
		.prepare = prepare,
		.timed = timed,
		.ops = count_ops,
		.verify = verify,
		.claimed = claimed,
	},
};
