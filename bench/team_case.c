/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cases of scale and remote: repetitions, in each of which all numbers of harts have their turn,
 * so that what disturbs the machine disturbs all alike; then once more with claims, for each number.
 */
#include "stats.h"
#include "team.h"

#define WARM_SHRINK  4
#define CLAIM_SHRINK 2

/* One kind of case with one allocator. */
struct team_case {
	struct team t;
	struct bench_rep rep;
	struct page_allocator pa;
	const struct page_allocator_ops *ops;
	const struct team_kind *kind;
	struct bench_rates *rates;
	uint32_t counts[BENCH_MAX_COUNTS];
	unsigned int nr_counts;
	int64_t kops[BENCH_MAX_COUNTS][BENCH_MAX_REPS];
	int64_t ratio[BENCH_MAX_COUNTS][BENCH_MAX_REPS];
};

/* A set-up of its own, and work on @nr harts in it. False: *f says why not. */
static bool run_in_new(struct team_case *c, uint32_t nr, unsigned int shrink,
		       void (*work)(struct team *t, struct hart_work *w, uint32_t hart),
		       struct bench_fault *f)
{
	struct team *t = &c->t;

	c->rep.nr_callers = nr;
	if (!team_setup(t, c->ops, f))
		return false;
	t->nr = nr;
	c->kind->prepare(t, shrink);
	if (team_run(t, nr, work))
		return true;
	*f = t->fault;
	return false;
}

static void count_failures(struct team_case *c)
{
	struct bench_rep *r = &c->rep;
	uint16_t chk = CRC16_INIT;

	r->failed_allocs = r->failed_frees = 0;
	for (uint32_t i = 0; i < c->t.nr; i++) {
		const struct hart_work *w = &c->t.b->work[i];

		for (uint64_t k = 0; k < w->res.logged; k++) {
			r->failed_allocs += w->log[k] < 0;
			chk = pfn_checksum(r, chk, w->log[k]);
		}
		r->failed_frees += w->res.failed_frees + w->failed_frees;
		c->t.b->blocks_checked += w->res.logged;
	}
	r->chk = chk;
	if (r->failed_allocs)
		c->rates->failed = true;
}

/* warm up, start, run, stop, verify. */
static bool run_once(struct team_case *c, unsigned int count, struct bench_fault *f)
{
	const struct team_kind *kind = c->kind;
	struct team *t = &c->t;
	uint64_t ops, hz = t->b->cfg.clock.tb_hz;

	if (!run_in_new(c, c->counts[count], WARM_SHRINK, kind->timed, f))
		return false;
	bench_teardown(&c->pa);
	if (!run_in_new(c, c->counts[count], 0, kind->timed, f))
		return false;
	ops = kind->ops(t);
	count_failures(c);
	emit_team_smp(t, kind, ops);
	emit_team_own(t, kind);
	c->kops[count][c->rep.rep] = (int64_t)(ops * hz / 10 / t->wall_tb);
	c->rep.failed_frees = 0;
	if (kind->verify(t, f) != BENCH_OK)
		return false;
	bench_teardown(&c->pa);
	return true;
}

/* Untimed: does a hart ever have what another one has? */
static bool run_claimed(struct team_case *c, unsigned int count, struct bench_fault *f)
{
	struct team *t = &c->t;

	shadow_reset(&c->rep.place->map);
	if (!run_in_new(c, c->counts[count], CLAIM_SHRINK, c->kind->claimed, f))
		return false;
	if (t->has_fault) {
		if (t->fault.verdict == BENCH_OVERLAP)
			team_name_other(t);
		*f = t->fault;
		return false;
	}
	bench_drain(&c->pa);
	if (!shadow_is_empty(&c->rep.place->map)) {
		fault_numbers(f, BENCH_LEAK, 0, 1);
		return false;
	}
	if (verify_books(&c->rep, f) != BENCH_OK || verify_merged(&c->rep, f) != BENCH_OK)
		return false;
	bench_teardown(&c->pa);
	return true;
}

static bool run_all(struct team_case *c, struct bench_fault *f)
{
	struct bench *b = c->t.b;

	for (c->rep.rep = 0; c->rep.rep < b->reps; c->rep.rep++) {
		for (unsigned int i = 0; i < c->nr_counts; i++) {
			if (!run_once(c, i, f))
				return false;
			c->ratio[i][c->rep.rep] =
				c->kops[0][c->rep.rep]
					? c->kops[i][c->rep.rep] * 100 / c->kops[0][c->rep.rep]
					: 0;
			bench_progress(b, c->kind->wl.name, c->ops->name);
		}
	}
	c->rep.rep = 0;
	for (unsigned int i = 0; i < c->nr_counts; i++) {
		if (!run_claimed(c, i, f))
			return false;
		bench_progress(b, c->kind->wl.name, c->ops->name);
	}
	return true;
}

static void set_rates(struct bench_rates *rates, int64_t figure)
{
	for (unsigned int i = 0; i < BENCH_MAX_COUNTS; i++)
		rates->kops_x100[i] = rates->ratio_x100[i] = figure;
}

/* With one hart, or with an allocator for one: that is said, too. */
static void emit_na(struct team_case *c)
{
	c->t.nr = 1;
	set_rates(c->rates, FIGURE_NA);
	for (unsigned int i = 0; i < c->nr_counts || !i; i++) {
		if (c->nr_counts)
			c->t.nr = c->counts[i];
		emit_team_res(&c->t, c->kind, FIGURE_NA, FIGURE_NA);
	}
}

static void run_case(struct team_case *c)
{
	struct bench *b = c->t.b;
	struct bench_fault f = { .verdict = BENCH_OK };

	set_rates(c->rates, FIGURE_NOT_RUN);
	if (!c->nr_counts || !team_is_capable(b, c->ops)) {
		emit_na(c);
		b->units_done += (uint64_t)c->nr_counts * (b->reps + 1);
		return;
	}
	if (b->harts_lost)
		return;
	if (!run_all(c, &f)) {
		set_rates(c->rates, FIGURE_FAILED);
		verify_report(&c->rep, &f);
		return;
	}
	for (unsigned int i = 0; i < c->nr_counts; i++) {
		c->rates->kops_x100[i] = stats_median(c->kops[i], b->reps);
		c->rates->ratio_x100[i] = stats_median(c->ratio[i], b->reps);
		c->t.nr = c->counts[i];
		emit_team_res(&c->t, c->kind, c->rates->kops_x100[i], c->rates->ratio_x100[i]);
	}
}

static const struct {
	enum bench_workload bit;
	const struct team_kind *kinds;
} workloads[] = { { BENCH_SCALE, scale_kinds }, { BENCH_REMOTE, remote_kinds } };

static struct bench_rates *rates_of(struct bench_figures *fig, enum bench_workload bit,
				    unsigned int op)
{
	return bit == BENCH_SCALE ? &fig->scale[op] : &fig->remote[op];
}

static void run_kind(struct bench *b, enum bench_workload bit, const struct team_kind *kind,
		     unsigned int op)
{
	for (unsigned int i = 0; i < b->nr_figures; i++) {
		struct team_case c = { .ops = b->figures[i].ops, .kind = kind };

		c.rates = rates_of(&b->figures[i], bit, op);
		c.pa = (struct page_allocator){ .ops = c.ops };
		c.rep = (struct bench_rep){
			.b = b,
			.wl = &kind->wl,
			.place = &b->arena,
			.pa = &c.pa,
		};
		c.t.b = b;
		c.t.r = &c.rep;
		c.nr_counts = team_counts(b, kind->least, c.counts);
		run_case(&c);
	}
}

void team_run_all(struct bench *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++)
		for (unsigned int op = 0; op < BENCH_TEAM_OPS; op++)
			if (b->cfg.options.workloads & workloads[i].bit)
				run_kind(b, workloads[i].bit, &workloads[i].kinds[op], op);
}

uint64_t team_units(const struct bench *b)
{
	uint32_t counts[BENCH_MAX_COUNTS];
	uint64_t units = 0;

	for (size_t i = 0; i < ARRAY_SIZE(workloads); i++)
		if (b->cfg.options.workloads & workloads[i].bit)
			units += BENCH_TEAM_OPS * (uint64_t)b->nr_figures * (b->reps + 1) *
				 team_counts(b, workloads[i].kinds->least, counts);
	return units;
}
