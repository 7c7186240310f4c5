/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * age and burst: all memory was in use once, a random quarter of it stays so, and for a long time
 * pages go and others come. frag: slots are filled and emptied at random. What the allocator makes
 * of that is its score. A run is too long for the log: it goes in pieces, and each is verified
 * before the next.
 */
#include "bench_impl.h"
#include "random.h"

static bool is_null(const struct bench_rep *r)
{
	return r->pa->ops == &bench_alloc_null;
}

static uint64_t nr_steps(const struct bench_scale *s, const struct workload *wl,
			 unsigned int shrink)
{
	switch (wl->bit) {
	case BENCH_AGE:
		return s->age_steps >> shrink;
	case BENCH_BURST:
		return s->burst * (s->burst_rounds >> shrink); /* whole bursts */
	default:
		return s->frag_steps >> shrink;
	}
}

/* A step of age or burst is a free and an alloc, one of frag either. */
static uint64_t events_of(const struct workload *wl, uint64_t steps)
{
	return wl->bit == BENCH_FRAG ? steps : 2 * steps;
}

/* Steps of a piece: as many as the trace has room for; whole bursts. */
static uint64_t piece_steps(const struct bench *b, const struct workload *wl)
{
	uint64_t steps = b->trace_entries / events_of(wl, 1);

	return wl->bit == BENCH_BURST ? steps - steps % b->arena.scale.burst : steps;
}

uint64_t age_pieces(const struct bench *b, const struct workload *wl)
{
	uint64_t piece;

	if (!wl->traced)
		return 0;
	piece = piece_steps(b, wl);
	return (nr_steps(&b->arena.scale, wl, 0) + piece - 1) / piece;
}

/* A page that goes before the workload starts. */
static void give_one(struct bench_rep *r, int64_t pfn)
{
	if (r->pa->free(r->pa->self, (uint64_t)pfn, 0))
		r->failed_frees++;
	if (!is_null(r))
		shadow_give(&r->place->map, pfn, 0);
}

static void prepare_slots(struct bench_rep *r)
{
	struct aging *a = &r->aging;

	*a = (struct aging){ .live = r->b->log,
			     .nr_live = r->place->scale.frag_slots,
			     .random = r->b->cfg.options.seed };
	for (uint64_t i = 0; i < a->nr_live; i++)
		a->live[i] = -1;
}

/* Takes all of memory, and leaves a random part of it live. False: that was not to be had. */
static bool prepare_live(struct bench_rep *r)
{
	const struct bench_scale *scale = &r->place->scale;
	struct aging *a = &r->aging;
	uint64_t pages = r->place->pages;
	struct loop_result res;

	*a = (struct aging){ .live = r->b->log, .burst = scale->burst };
	a->random = r->b->cfg.options.seed;
	loop_alloc(&r->b->cfg.clock, r->pa, a->live, pages, &res);
	a->nr_live = pages;
	for (uint64_t i = 0; i < pages && !is_null(r); i++) {
		int64_t pfn = a->live[i];
		enum bench_verdict v =
			pfn < 0 ? BENCH_ALLOC_FAILED : shadow_take(&r->place->map, pfn, 0);

		if (v != BENCH_OK) {
			fault_block(&r->fault, v, i, pfn, 0);
			return false;
		}
	}
	shuffle(a->live, pages, &a->random);
	while (a->nr_live > scale->live)
		give_one(r, a->live[--a->nr_live]);
	return true;
}

/* A piece: timed, then verified. */
static bool run_piece(struct bench_rep *r, uint64_t steps)
{
	const struct bench_clock *clock = &r->b->cfg.clock;
	uint64_t nr_events = events_of(r->wl, steps);
	struct aging *a = &r->aging;
	struct loop_result res;

	if (r->wl->bit == BENCH_AGE)
		loop_age(clock, r->pa, a, steps, r->b->trace, &res);
	else if (r->wl->bit == BENCH_BURST)
		loop_burst(clock, r->pa, a, steps / a->burst, r->b->trace, &res);
	else
		loop_slots(clock, r->pa, a, steps, r->b->trace, &res);
	r->time[0].ins += res.time.ins;
	r->time[0].cyc += res.time.cyc;
	r->time[0].tb += res.time.tb;
	r->ops[0] += steps;
	r->failed_frees += res.failed_frees;
	if (is_null(r))
		return true;
	for (uint64_t i = 0; i < nr_events; i++)
		if (!EVENT_IS_GIVE(r->b->trace[i]))
			r->chk = pfn_checksum(r, r->chk, EVENT_PFN(r->b->trace[i]));
	return replay_trace(r, &r->fault, nr_events) == BENCH_OK;
}

void age_timed(struct bench_rep *r, unsigned int shrink)
{
	uint64_t steps = nr_steps(&r->place->scale, r->wl, shrink);

	r->fault = (struct bench_fault){ .verdict = BENCH_OK };
	r->time[0] = (struct bench_stamp){ 0 };
	r->ops[0] = 0;
	r->nr_log = 0;
	r->failed_allocs = 0;
	r->chk = CRC16_INIT;
	shadow_reset(&r->place->map);
	if (r->wl->bit == BENCH_FRAG)
		prepare_slots(r);
	else if (!prepare_live(r))
		return;
	while (steps) {
		uint64_t piece = piece_steps(r->b, r->wl);

		if (piece > steps)
			piece = steps;
		if (!run_piece(r, piece))
			return;
		steps -= piece;
		if (!shrink)
			bench_progress(r->b, r->wl->name, r->pa->ops->name);
	}
}

void age_undo(struct bench_rep *r)
{
	const struct aging *a = &r->aging;

	for (uint64_t i = 0; i < a->nr_live; i++)
		free_one(r, a->live[i], 0);
}

enum bench_verdict age_replay(struct bench_rep *r, struct bench_fault *f)
{
	*f = r->fault;
	return f->verdict;
}
