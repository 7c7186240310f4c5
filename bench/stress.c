/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All harts at random on the live system: all sizes and kinds of pages, one at a time and many,
 * freed where they were had or by another hart, now and then until there are none left. Each block
 * is claimed in the shared shadow map as long as a hart has it. In the end all is given back,
 * drained and merged.
 */
#include "random.h"
#include "team.h"

#define STRESS_STEPS  200000
#define MAX_STRESS    10 /* the largest order */
#define MOST_OF_BATCH 32
#define CHECK_EVERY   256 /* steps between two turns of the mood */

/* What is asked for; with one more that may take the last page. */
static const gfp_t kinds_of_pages[] = {
	GFP_KERNEL,
	GFP_KERNEL | __GFP_MOVABLE,
	GFP_HIGHUSER,
	GFP_ATOMIC,
	GFP_HIGHUSER_MOVABLE,
	GFP_DMA32,
	GFP_KERNEL | __GFP_THISNODE,
	GFP_HIGHUSER_MOVABLE | __GFP_MEMALLOC,
};

static struct shadow_map *map_of(struct team *t)
{
	return &t->r->place->map;
}

/* 0: it was given back. */
static bool give_back(struct team *t, struct hart_work *w, uint32_t hart, int64_t pfn,
		      unsigned int order)
{
	if (shadow_release(map_of(t), pfn, order) != BENCH_OK)
		team_fault(t, hart, BENCH_OVERLAP, w->res.logged, pfn, order);
	else if (w->pa.free(w->pa.self, (uint64_t)pfn, order))
		team_fault(t, hart, BENCH_FREE_FAILED, w->res.logged, pfn, order);
	return !team_is_stopped(t);
}

static void keep(struct team *t, struct hart_work *w, uint32_t hart, int64_t pfn,
		 unsigned int order)
{
	enum bench_verdict v = shadow_claim(map_of(t), pfn, order);

	w->slots[w->nr_live++] = (struct churn_slot){ .pfn = pfn, .order = order };
	w->res.logged++;
	if (v != BENCH_OK)
		team_fault(t, hart, v, w->res.logged, pfn, order);
}

/* An answer that is no block: out of memory, or others have it in flight; nothing else. */
static void count_error(struct team *t, struct hart_work *w, uint32_t hart, int64_t err,
			unsigned int order)
{
	if (err == -EMM_ENOMEM)
		w->nr_none++;
	else if (err == -EMM_EAGAIN)
		w->nr_again++;
	else
		team_fault(t, hart, BENCH_STRANGE, w->res.logged, err, order);
}

static bool alloc_one(struct team *t, struct hart_work *w, uint32_t hart, unsigned int order,
		      gfp_t gfp)
{
	int64_t pfn = w->pa.alloc_gfp ? w->pa.alloc_gfp(w->pa.self, gfp, order)
				      : w->pa.alloc(w->pa.self, order);

	if (pfn < 0)
		count_error(t, w, hart, pfn, order);
	else
		keep(t, w, hart, pfn, order);
	return pfn >= 0;
}

static struct churn_slot forget(struct hart_work *w, uint64_t at)
{
	struct churn_slot block = w->slots[at];

	w->slots[at] = w->slots[--w->nr_live];
	return block;
}

/* To the box of another hart, or, if that is full, freed here. */
static void send(struct team *t, struct hart_work *w, uint32_t hart, struct churn_slot block,
		 uint64_t pick)
{
	struct hart_work *to = &t->b->work[pick % t->nr];
	uint64_t none = 0;

	if (!__atomic_compare_exchange_n(&to->box[pick / t->nr % BOX_ENTRIES], &none,
					 PACK_BLOCK(block.pfn, block.order), false,
					 __ATOMIC_RELEASE, __ATOMIC_RELAXED))
		give_back(t, w, hart, block.pfn, (unsigned int)block.order);
}

static void read_mail(struct team *t, struct hart_work *w, uint32_t hart, uint64_t from,
		      uint64_t to)
{
	for (uint64_t i = from; i < to; i++) {
		uint64_t block = __atomic_exchange_n(&w->box[i % BOX_ENTRIES], 0, __ATOMIC_ACQUIRE);

		if (block)
			give_back(t, w, hart, (int64_t)PACKED_PFN(block), PACKED_ORDER(block));
	}
}

static void alloc_many(struct team *t, struct hart_work *w, uint32_t hart, uint64_t nr)
{
	uint64_t pfns[MOST_OF_BATCH];
	int64_t had;

	if (!w->pa.alloc_bulk || w->nr_live + nr > w->plan.nr_slots)
		return;
	had = w->pa.alloc_bulk(w->pa.self, nr, pfns);
	if (had < 0)
		count_error(t, w, hart, had, 0);
	for (int64_t i = 0; i < had; i++)
		keep(t, w, hart, (int64_t)pfns[i], 0);
}

/* Of the last blocks those that are single pages. */
static void free_many(struct team *t, struct hart_work *w, uint32_t hart, uint64_t nr)
{
	uint64_t pfns[MOST_OF_BATCH], n = 0;

	if (!w->pa.free_bulk)
		return;
	for (uint64_t at = w->nr_live; at-- > 0 && n < nr;) {
		if (w->slots[at].order)
			continue;
		pfns[n] = (uint64_t)forget(w, at).pfn;
		if (shadow_release(map_of(t), (int64_t)pfns[n], 0) != BENCH_OK)
			team_fault(t, hart, BENCH_OVERLAP, w->res.logged, (int64_t)pfns[n], 0);
		n++;
	}
	if (n && w->pa.free_bulk(w->pa.self, n, pfns))
		team_fault(t, hart, BENCH_FREE_FAILED, w->res.logged, (int64_t)pfns[0], 0);
}

/* Large blocks until there are none, or no room to note them: the others feel it. */
static void take_the_rest(struct team *t, struct hart_work *w, uint32_t hart)
{
	for (unsigned int order = MAX_STRESS + 1; order-- > 0;)
		while (w->nr_live < w->plan.nr_slots && !team_is_stopped(t))
			if (!alloc_one(t, w, hart, order, GFP_HIGHUSER_MOVABLE | __GFP_MEMALLOC))
				break;
	w->filling = false;
}

static unsigned int any_order(const struct team *t, uint64_t pick)
{
	unsigned int top = t->r->pa->max_order < MAX_STRESS ? t->r->pa->max_order : MAX_STRESS;

	return pick & 1 ? (unsigned int)((pick >> 1) % (top + 1)) : 0;
}

static void step(struct team *t, struct hart_work *w, uint32_t hart, uint64_t x)
{
	uint64_t pick = x >> 16;

	switch (x % 64) {
	case 0:
		if (w->pa.drain_own)
			w->pa.drain_own(w->pa.self);
		return;
	case 1:
	case 2:
		read_mail(t, w, hart, pick, pick + 4);
		return;
	case 3:
		alloc_many(t, w, hart, 1 + pick % MOST_OF_BATCH);
		return;
	case 4:
		free_many(t, w, hart, 1 + pick % MOST_OF_BATCH);
		return;
	}
	if (pick % 16 < (w->filling ? 11 : 6)) {
		if (w->nr_live < w->plan.nr_slots)
			alloc_one(t, w, hart, any_order(t, x >> 24),
				  kinds_of_pages[(x >> 40) % ARRAY_SIZE(kinds_of_pages)]);
	} else if (w->nr_live) {
		struct churn_slot block = forget(w, (x >> 32) % w->nr_live);

		if (x % 64 < 16)
			send(t, w, hart, block, x >> 8);
		else
			give_back(t, w, hart, block.pfn, (unsigned int)block.order);
	}
}

static void work(struct team *t, struct hart_work *w, uint32_t hart)
{
	for (uint64_t i = 0; i < w->plan.steps && !team_is_stopped(t); i++) {
		uint64_t x = xorshift64(&w->random);

		if (i % CHECK_EVERY == 0) {
			w->filling = x >> 60 & 1;
			if (x >> 48 & 15) {
				step(t, w, hart, x);
				continue;
			}
			take_the_rest(t, w, hart);
		}
		step(t, w, hart, x);
	}
	while (w->nr_live && !team_is_stopped(t)) {
		struct churn_slot block = forget(w, w->nr_live - 1);

		give_back(t, w, hart, block.pfn, (unsigned int)block.order);
	}
}

/* With all harts at rest: what is in the boxes, the stacks, the books. */
static enum bench_verdict verify(struct team *t, struct bench_fault *f)
{
	struct bench_rep *r = t->r;
	enum bench_verdict v;

	for (uint32_t i = 0; i < t->nr && !t->has_fault; i++)
		read_mail(t, &t->b->work[i], i, 0, BOX_ENTRIES);
	if (t->has_fault) {
		for (uint32_t i = 0; i < t->nr; i++)
			t->b->work[i].plan.nr_slots = t->b->work[i].nr_live;
		if (t->fault.verdict == BENCH_OVERLAP)
			team_name_other(t);
		*f = t->fault;
		return f->verdict;
	}
	bench_drain(r->pa);
	if (!shadow_is_empty(map_of(t)))
		return fault_numbers(f, BENCH_NOT_ALL, 1, 0);
	v = verify_books(r, f);
	return v == BENCH_OK ? verify_merged(r, f) : v;
}

static void prepare(struct team *t, uint64_t steps)
{
	for (uint32_t i = 0; i < t->nr; i++) {
		struct hart_work *w = &t->b->work[i];

		w->plan = (struct churn){ .slots = w->slots,
					  .nr_slots = t->b->hart_slots,
					  .steps = steps };
		w->random = team_seed(t->b, i) + 1000 * t->r->rep;
		w->nr_live = w->nr_none = w->nr_again = 0;
		w->filling = true;
		for (unsigned int k = 0; k < BOX_ENTRIES; k++)
			w->box[k] = 0;
	}
}

static uint64_t live_slots(const struct bench *b)
{
	return b->hart_slots;
}

static const struct team_kind kind = {
	.wl = { .name = "stress", .bit = BENCH_STRESS, .nr_ops = 1, .op = { "mixed" } },
	.slots = live_slots,
};

static bool stress_once(struct team *t, uint64_t steps)
{
	struct bench *b = t->b;
	struct bench_rep *r = t->r;
	struct bench_fault f;
	bool done;

	shadow_reset(map_of(t));
	bench_drain(r->pa);
	r->free_before = r->pa->ops->nr_free(r->pa);
	r->failed_allocs = r->failed_frees = 0;
	team_enlist(t);
	prepare(t, steps);
	done = team_run(t, t->nr, work);
	if (!done)
		f = t->fault;
	for (uint32_t i = 0; i < t->nr; i++) {
		b->blocks_checked += b->work[i].res.logged;
		b->stress_none += b->work[i].nr_none;
		b->stress_again += b->work[i].nr_again;
		r->failed_allocs += b->work[i].nr_none + b->work[i].nr_again;
	}
	b->stress_ops += t->nr * steps;
	if (done) {
		emit_team_smp(t, &kind, t->nr * steps);
		if (verify(t, &f) == BENCH_OK)
			return true;
	}
	verify_report(r, &f);
	return false;
}

bool stress_run(struct bench *b)
{
	uint64_t steps = b->cfg.options.steps ? b->cfg.options.steps : STRESS_STEPS;
	struct bench_rep r = {
		.b = b,
		.wl = &kind.wl,
		.place = &b->live,
		.pa = b->cfg.system,
		.chk = CRC16_INIT,
	};
	struct team t = { .b = b, .r = &r, .nr = 1 };

	if (!team_is_possible(b) || !b->cfg.system->self_of) {
		emit_team_res(&t, &kind, FIGURE_NA, FIGURE_NA);
		return true;
	}
	b->stressed = true;
	t.nr = b->cfg.harts->nr;
	r.nr_callers = t.nr;
	for (r.rep = 0; r.rep < b->reps; r.rep++) {
		if (b->harts_lost || !stress_once(&t, steps))
			return false;
		bench_progress(b, "stress", r.pa->ops->name);
	}
	return true;
}
