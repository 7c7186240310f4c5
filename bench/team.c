/* SPDX-License-Identifier: BSD-2-Clause */
/* A team of harts: who takes part, the start in one moment, waits that end. */
#include "team.h"

#define START_SECONDS   10 /* for all harts to come */
#define WAIT_SECONDS    60 /* for another hart's next step */
#define LOOKS_PER_RELAX 32

enum { GO = 1, GO_HOME = 2 };

bool team_is_possible(const struct bench *b)
{
	return b->cfg.harts && b->cfg.harts->nr > 1;
}

unsigned int team_counts(const struct bench *b, uint32_t least, uint32_t counts[BENCH_MAX_COUNTS])
{
	uint32_t all = team_is_possible(b) ? b->cfg.harts->nr / least * least : 0;
	unsigned int n = 0;

	for (uint32_t nr = least; nr < all && n < BENCH_MAX_COUNTS - 1; nr *= 2)
		counts[n++] = nr;
	if (all)
		counts[n++] = all;
	return n;
}

uint64_t team_seed(const struct bench *b, uint32_t hart)
{
	uint64_t seed = b->cfg.options.seed + hart;

	return seed ? seed : 1;
}

static uint64_t now(const struct team *t)
{
	return clock_tb(&t->b->cfg.clock);
}

/*
 * A look at another hart's word costs little, and giving way to it may cost much; but where harts
 * take turns on one processor nothing comes without.
 */
static void turn(const struct team *t, uint32_t *turns)
{
	if (++*turns % LOOKS_PER_RELAX == 0)
		t->b->cfg.harts->relax();
}

/* Nobody works before all are there; nobody stays if one does not come. */
static void enter(void *arg, uint32_t hart)
{
	struct team *t = arg;
	struct hart_work *w = &t->b->work[hart];
	uint32_t turns = 0;
	uint64_t until = now(t) + START_SECONDS * (hart ? 2U : 1U) * t->b->cfg.clock.tb_hz;
	uint64_t start, go;

	__atomic_fetch_add(&t->arrived, 1, __ATOMIC_ACQ_REL);
	if (hart == 0) {
		while (__atomic_load_n(&t->arrived, __ATOMIC_ACQUIRE) < t->nr && now(t) < until)
			turn(t, &turns);
		go = __atomic_load_n(&t->arrived, __ATOMIC_ACQUIRE) < t->nr ? GO_HOME : GO;
		start = now(t);
		t->start_tb = start;
		__atomic_store_n(&t->go, go, __ATOMIC_RELEASE);
	} else {
		while (!(go = __atomic_load_n(&t->go, __ATOMIC_ACQUIRE)) && now(t) < until)
			turn(t, &turns);
		start = now(t);
	}
	if (go == GO)
		t->work(t, w, hart);
	w->end_tb = now(t);
	w->own_tb = w->end_tb - start;
}

bool team_run(struct team *t, uint32_t nr,
	      void (*work)(struct team *t, struct hart_work *w, uint32_t hart))
{
	const struct bench_harts *harts = t->b->cfg.harts;
	int ret;

	t->nr = nr;
	t->work = work;
	t->arrived = 0;
	t->go = 0;
	ret = harts->run(harts->ctx, nr, enter, t);
	if (ret || t->go != GO) {
		t->b->harts_lost = true;
		t->fault = (struct bench_fault){ .verdict = BENCH_LOST_HART };
		return false;
	}
	t->wall_tb = 1; /* a clock may be coarse */
	for (uint32_t i = 0; i < nr; i++)
		if (t->b->work[i].end_tb - t->start_tb > t->wall_tb)
			t->wall_tb = t->b->work[i].end_tb - t->start_tb;
	return true;
}

bool team_is_stopped(const struct team *t)
{
	return __atomic_load_n(&t->stop, __ATOMIC_RELAXED);
}

bool team_wait(struct team *t, struct hart_work *w)
{
	if (w->turns % LOOKS_PER_RELAX == 0 &&
	    now(t) - t->start_tb > WAIT_SECONDS * t->b->cfg.clock.tb_hz)
		team_fault(t, 0, BENCH_LOST_HART, 0, 0, 0);
	if (team_is_stopped(t))
		return false;
	turn(t, &w->turns);
	return true;
}

void team_fault(struct team *t, uint32_t hart, enum bench_verdict v, uint64_t index, int64_t pfn,
		unsigned int order)
{
	if (!__atomic_exchange_n(&t->has_fault, 1, __ATOMIC_ACQ_REL)) {
		fault_block(&t->fault, v, index, pfn, order);
		t->fault.hart = hart + 1;
		t->fault.got = 1; /* of refused frees */
	}
	__atomic_store_n(&t->stop, 1, __ATOMIC_RELAXED);
}

void team_name_other(struct team *t)
{
	struct bench_fault *f = &t->fault;
	int64_t end = f->pfn + ((int64_t)1 << f->order);

	for (uint32_t i = 0; i < t->nr && !f->other; i++) {
		const struct hart_work *w = &t->b->work[i];

		for (uint64_t k = 0; k < w->plan.nr_slots && i + 1 != f->hart; k++) {
			const struct churn_slot *slot = &w->slots[k];

			if (slot->pfn >= 0 && slot->pfn < end &&
			    f->pfn < slot->pfn + ((int64_t)1 << slot->order))
				f->other = i + 1;
		}
	}
}

bool team_is_capable(const struct bench *b, const struct page_allocator_ops *ops)
{
	return team_is_possible(b) && ops->hart_bytes && workspace_has_room(b, ops);
}

void team_enlist(struct team *t)
{
	struct page_allocator *pa = t->r->pa;

	for (uint32_t i = 0; i < t->b->cfg.harts->nr; i++) {
		struct hart_work *w = &t->b->work[i];

		w->pa = *pa;
		w->pa.self = pa->self_of(pa, i);
		w->res = (struct loop_result){ .logged = 0 };
		w->failed_allocs = w->failed_frees = 0;
		w->random = team_seed(t->b, i);
	}
	t->fault = (struct bench_fault){ .verdict = BENCH_OK };
	t->has_fault = t->stop = 0;
}

bool team_setup(struct team *t, const struct page_allocator_ops *ops, struct bench_fault *f)
{
	t->r->nr_harts = t->b->cfg.harts->nr;
	if (bench_setup(t->r, ops, f) != BENCH_OK)
		return false;
	t->r->free_before = t->r->place->pages;
	t->r->failed_frees = 0;
	team_enlist(t);
	return true;
}
