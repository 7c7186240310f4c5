/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * age and burst: all memory was in use once, a random quarter of it stays so, and for a long time
 * pages go and others come. mobility: the same with movable pages, between others that stay; those
 * live go in the end. frag: slots are filled and emptied at random. What the allocator makes
 * of that is its score. A run is too long for the log: it goes in pieces, and each is verified
 * before the next.
 */
#include "bench_impl.h"
#include "random.h"

#define UNMOVABLE_SHARE    10 /* of mobility: one page in so many stays where it is */
#define MOVABLE_LIVE_SHARE 4 /* and of the others one in so many is live */

static uint64_t nr_steps(const struct bench_scale *s, const struct workload *wl,
			 unsigned int shrink)
{
	switch (wl->bit) {
	case BENCH_AGE:
	case BENCH_MOBILITY:
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

	if (!fill_arena(r, 0))
		return false;
	a->burst = scale->burst;
	shuffle(a->live, a->nr_live, &a->random);
	while (a->nr_live > scale->live)
		give_one(r, a->live[--a->nr_live]);
	return true;
}

/* The same with pages that stay: they do not take part. Of the others a quarter is left. */
static bool prepare_mobility(struct bench_rep *r)
{
	struct aging *a = &r->aging;
	uint64_t nr_live;

	if (!fill_arena(r, UNMOVABLE_SHARE))
		return false;
	nr_live = a->nr_live / MOVABLE_LIVE_SHARE;
	shuffle(a->live, a->nr_live, &a->random);
	while (a->nr_live > nr_live)
		give_one(r, a->live[--a->nr_live]);
	return true;
}

/* The movable pages go, as if they were moved away: what stays is what the score is about. */
static void end_mobility(struct bench_rep *r)
{
	struct aging *a = &r->aging;

	while (a->nr_live)
		give_one(r, a->live[--a->nr_live]);
	a->live = a->others;
	a->nr_live = a->nr_others;
}

/* A piece: timed, then verified. */
static bool run_piece(struct bench_rep *r, uint64_t steps)
{
	const struct bench_clock *clock = &r->b->cfg.clock;
	uint64_t nr_events = events_of(r->wl, steps);
	struct page_allocator movable = *r->pa;
	struct aging *a = &r->aging;
	struct loop_result res;

	movable.alloc = movable.alloc_movable;
	if (r->wl->bit == BENCH_MOBILITY)
		loop_age(clock, &movable, a, steps, r->b->trace, &res);
	else if (r->wl->bit == BENCH_AGE)
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

/* The pages that are live to begin with. False: r->fault says why not. */
static bool prepare(struct bench_rep *r)
{
	if (r->wl->bit == BENCH_MOBILITY)
		return prepare_mobility(r);
	if (r->wl->bit != BENCH_FRAG)
		return prepare_live(r);
	prepare_slots(r);
	return true;
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
	if (!prepare(r))
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
	if (r->wl->bit == BENCH_MOBILITY)
		end_mobility(r);
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
