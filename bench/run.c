/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The course of a benchmark: the churn on the live system first, as it came up; then an arena is
 * taken from it and every allocator goes through every workload there, the null allocator first.
 */
#include "bench_impl.h"
#include "stats.h"
#include "team.h"

#define NOISY_REPS         5
#define WARM_SHRINK        4 /* a warm-up is a sixteenth of the workload */
#define SECONDS_PER_REPORT 2
#define PROGRESS_PER_LINE  8

int bench_init(struct bench *b, const struct bench_config *cfg)
{
	const struct bench_range *ranges = cfg->ranges;

	*b = (struct bench){ .cfg = *cfg, .live_churn = FIGURE_NOT_RUN };
	b->records.sink = cfg->sink;
	b->records.ctx = cfg->sink_ctx;
	b->records.brief = cfg->options.brief;
	if (!cfg->options.seed || !cfg->clock.tb_hz || cfg->options.reps > BENCH_MAX_REPS) {
		print_to(cfg->out, "bench: seed and timebase must not be 0, reps not above %d\n",
			 BENCH_MAX_REPS);
		return -EMM_EINVAL;
	}
	for (unsigned int i = 0; i < cfg->nr_ranges; i++) {
		if (ranges[i].start_pfn < ranges[i].end_pfn &&
		    (!i || ranges[i - 1].end_pfn <= ranges[i].start_pfn))
			continue;
		print_to(cfg->out, "bench: range %u is empty, or not above the one before\n", i);
		return -EMM_EINVAL;
	}
	if (cfg->harts && cfg->harts->nr > BENCH_MAX_HARTS) {
		print_to(cfg->out, "bench: more than %d harts\n", BENCH_MAX_HARTS);
		return -EMM_EINVAL;
	}
	b->exact = clock_is_exact(&cfg->clock);
	b->reps = cfg->options.reps ? cfg->options.reps : b->exact ? 1 : NOISY_REPS;
	return 0;
}

/* Without records in between, all of it is one line, or a few. */
static void print_short_progress(struct bench *b, unsigned int percent, const char *bench)
{
	if (b->progress_items == PROGRESS_PER_LINE)
		bench_progress_close(b);
	print_to(b->cfg.out, b->progress_items++ ? ", %u %%" : "bench: %u %%", percent);
	if (b->progress_name != bench)
		print_to(b->cfg.out, " %s", bench);
	b->progress_name = bench;
}

void bench_progress_close(struct bench *b)
{
	if (b->progress_items)
		print_to(b->cfg.out, "\n");
	b->progress_items = 0;
	b->progress_name = NULL;
}

void bench_progress(struct bench *b, const char *bench, const char *alloc)
{
	uint64_t now = clock_tb(&b->cfg.clock);
	unsigned int percent;

	b->units_done++;
	if (now - b->last_tb < SECONDS_PER_REPORT * b->cfg.clock.tb_hz)
		return;
	b->last_tb = now;
	percent = (unsigned int)(b->units_done * 100 / b->units);
	if (b->records.brief)
		print_short_progress(b, percent, bench);
	else
		print_to(b->cfg.out, "bench: %3u %%  %s of %s\n", percent, bench, alloc);
}

static struct bench_rep new_rep(struct bench *b, const struct workload *wl,
				struct bench_place *place, struct page_allocator *pa)
{
	return (struct bench_rep){ .b = b, .wl = wl, .place = place, .pa = pa };
}

static void run_null(struct bench *b, const struct workload *wl, struct bench_place *place,
		     struct case_cost *null)
{
	struct page_allocator pa;
	struct bench_rep r = new_rep(b, wl, place, &pa);

	case_run(&r, &bench_alloc_null, null);
}

/* A pair needs a free block beside the page that is held. */
static unsigned int top_order(const struct bench *b, bool held)
{
	return stats_log2(b->arena.pages) - held;
}

static int64_t *figures_of(struct bench_figures *fig, const struct workload *wl)
{
	switch (wl->bit) {
	case BENCH_BULK:
		return fig->bulk;
	case BENCH_BULKAPI:
		return fig->bulkapi;
	case BENCH_CHURN:
		return &fig->churn;
	case BENCH_AGE:
		return &fig->age;
	case BENCH_BURST:
		return &fig->burst;
	case BENCH_FRAG:
		return &fig->frag;
	case BENCH_MOBILITY:
		return &fig->mobility;
	case BENCH_LATENCY:
		return &fig->latency;
	default:
		return &fig->churn0;
	}
}

/* What there is besides figures. */
static void keep_results(struct bench_figures *fig, const struct bench_rep *r)
{
	switch (r->wl->bit) {
	case BENCH_AGE:
		fig->age_score = r->score;
		break;
	case BENCH_BURST:
		fig->burst_score = r->score;
		break;
	case BENCH_FRAG:
		fig->frag_score = r->score;
		fig->freed_score = r->freed_score;
		break;
	case BENCH_MOBILITY:
		fig->mobility_score = r->score;
		break;
	case BENCH_LATENCY:
		for (unsigned int op = 0; op < BENCH_LATENCY_OPS; op++)
			fig->latencies[op] = r->latencies[op];
		break;
	default:
		break;
	}
}

static void run_arena_workload(struct bench *b, const struct workload *wl,
			       struct bench_figures *fig, const struct case_cost *null)
{
	struct page_allocator pa;
	struct bench_rep r = new_rep(b, wl, &b->arena, &pa);
	struct case_cost cost;

	if (!wl->by_order) {
		case_run(&r, fig->ops, &cost);
		case_figures(&r, &cost, null, figures_of(fig, wl));
		keep_results(fig, &r);
		return;
	}
	for (unsigned int held = 0; held < 2; held++) {
		r.held = held;
		for (r.order = 0; r.order <= top_order(b, held); r.order++) {
			case_run(&r, fig->ops, &cost);
			case_figures(&r, &cost, null, &fig->pair[held][r.order]);
		}
	}
}

static void init_figures(struct bench *b)
{
	const struct page_allocator_ops *const *ops = bench_next(&b->cfg, NULL);

	for (b->nr_figures = 0; *ops && b->nr_figures < BENCH_MAX_ALLOCATORS;
	     ops = bench_next(&b->cfg, ops)) {
		struct bench_figures *fig = &b->figures[b->nr_figures++];

		*fig = (struct bench_figures){ .ops = *ops };
		for (unsigned int i = 0; i <= BENCH_MAX_ORDER; i++)
			fig->pair[0][i] = fig->pair[1][i] = FIGURE_NOT_RUN;
		for (unsigned int i = 0; i < BENCH_BULK_OPS; i++)
			fig->bulk[i] = fig->bulkapi[i] = FIGURE_NOT_RUN;
		fig->churn = fig->churn0 = fig->age = fig->burst = FIGURE_NOT_RUN;
		fig->frag = fig->latency = fig->mobility = FIGURE_NOT_RUN;
		for (unsigned int i = 0; i < BENCH_SCORES; i++)
			fig->age_score.had[i] = fig->burst_score.had[i] = fig->frag_score.had[i] =
				fig->freed_score.had[i] = fig->mobility_score.had[i] =
					FIGURE_NOT_RUN;
		latency_init(fig->latencies, FIGURE_NOT_RUN);
		for (unsigned int i = 0; i < BENCH_TEAM_OPS; i++)
			fig->scale[i].kops_x100[0] = fig->scale[i].ratio_x100[1] =
				fig->remote[i].kops_x100[0] = FIGURE_NOT_RUN;
	}
}

/* How many times bench_progress() will be called. */
static uint64_t count_units(const struct bench *b)
{
	uint64_t units = b->cfg.options.workloads & BENCH_CHURN ? 2 * b->reps : 0;

	for (const struct workload *wl = bench_workloads; wl->name; wl++) {
		uint64_t cases = wl->by_order ? top_order(b, false) + top_order(b, true) + 2 : 1;

		if (b->cfg.options.workloads & wl->bit)
			units += (cases * b->nr_figures + 1) * bench_reps(b, wl) *
				 (1 + age_pieces(b, wl));
	}
	if (b->cfg.options.workloads & BENCH_EXHAUST)
		units += (uint64_t)exhaust_cases(b) * b->nr_figures;
	if (b->cfg.options.workloads & BENCH_STRESS && team_is_possible(b))
		units += b->reps;
	return units + team_units(b);
}

static void run_arena(struct bench *b)
{
	uint32_t chosen = b->cfg.options.workloads;

	for (unsigned int i = 0; i < b->nr_figures; i++) {
		struct bench_figures *fig = &b->figures[i];

		if (fig->ops->meta_bytes)
			fig->meta_bytes = fig->ops->meta_bytes(b->arena_range.start_pfn,
							       b->arena_range.end_pfn);
	}
	for (const struct workload *wl = bench_workloads; wl->name; wl++) {
		struct case_cost null;

		if (!(chosen & wl->bit))
			continue;
		run_null(b, wl, &b->arena, &null);
		for (unsigned int i = 0; i < b->nr_figures; i++)
			run_arena_workload(b, wl, &b->figures[i], &null);
	}
	for (unsigned int i = 0; i < b->nr_figures && (chosen & BENCH_EXHAUST); i++)
		exhaust_run(b, b->figures[i].ops);
	team_run_all(b);
}

/* The churn on the machine's own allocator. False if it is not to be trusted any more. */
static bool run_live(struct bench *b)
{
	const struct workload *wl = bench_workloads;
	struct bench_rep r;
	struct case_cost null, cost;

	while (wl->bit != BENCH_CHURN)
		wl++;
	r = new_rep(b, wl, &b->live, b->cfg.system);
	run_null(b, wl, &b->live, &null);
	case_run(&r, NULL, &cost);
	case_figures(&r, &cost, &null, &b->live_churn);
	return cost.state != CASE_FAILED;
}

static void init_places(struct bench *b, uint64_t arena_pages)
{
	struct page_allocator *system = b->cfg.system;

	b->live = (struct bench_place){
		.name = "system",
		.map = { .ranges = b->cfg.ranges,
			 .nr_ranges = b->cfg.nr_ranges,
			 .words = b->shadow_words },
		.pages = system->ops->nr_free(system),
	};
	scale_for(&b->live.scale, b->live.pages, b->log_entries, b->exact);
	if (b->live.scale.slots > b->nr_slots)
		b->live.scale.slots = b->nr_slots;
	if (b->live.scale.churn_max_order > system->max_order)
		b->live.scale.churn_max_order = system->max_order;

	b->arena = (struct bench_place){
		.name = "arena",
		.map = { .ranges = &b->arena_range, .nr_ranges = 1, .words = b->shadow_words },
		.pages = arena_pages,
	};
	scale_for(&b->arena.scale, arena_pages, b->log_entries, b->exact);
}

/* The largest block there is, up to b->arena.pages. Returns its order, or -EMM_ENOMEM. */
static int take_arena(struct bench *b)
{
	struct page_allocator *system = b->cfg.system;
	unsigned int order = stats_log2(b->arena.pages);

	if (order > system->max_order)
		order = system->max_order;
	for (; (uint64_t)1 << order >= MIN_ARENA_PAGES; order--) {
		int64_t pfn = system->alloc(system->self, order);

		if (pfn < 0)
			continue;
		b->arena.pages = (uint64_t)1 << order;
		b->arena_range.start_pfn = (uint64_t)pfn;
		b->arena_range.end_pfn = (uint64_t)pfn + b->arena.pages;
		b->arena.full = order == BENCH_MAX_ORDER;
		scale_for(&b->arena.scale, b->arena.pages, b->log_entries, b->exact);
		return (int)order;
	}
	print_to(b->cfg.out, "bench: no block of %d pages is free for the arena\n",
		 MIN_ARENA_PAGES);
	return -EMM_ENOMEM;
}

/* Everything, with the workspace at hand. Returns 0 or a negative EMM_E…. */
static int run_places(struct bench *b)
{
	struct page_allocator *system = b->cfg.system;
	int order;

	if ((b->cfg.options.workloads & BENCH_CHURN) && !run_live(b))
		return 0;
	order = take_arena(b);
	if (order < 0)
		return order;
	run_arena(b);
	if (system->free(system->self, b->arena_range.start_pfn, (unsigned int)order)) {
		bench_progress_close(b);
		print_to(b->cfg.out, "bench: FAILED to give the arena back\n");
		b->failures++;
	}
	if (b->cfg.options.workloads & BENCH_STRESS)
		stress_run(b);
	return 0;
}

int bench_run(struct bench *b)
{
	struct page_allocator *system = b->cfg.system;
	uint64_t arena_pages, free_before, free_after;
	int ret;

	if (!system || !b->cfg.nr_ranges) {
		print_to(b->cfg.out, "bench: no page allocator to take memory from\n");
		return -EMM_EINVAL;
	}
	bench_drain(system);
	arena_pages = workspace_open(b);
	if (!arena_pages) {
		print_to(b->cfg.out, "bench: the workspace needs %lu bytes, 64-byte aligned\n",
			 (unsigned long)bench_workspace_bytes(&b->cfg));
		return -EMM_ENOSPC;
	}
	free_before = system->ops->nr_free(system);
	init_places(b, arena_pages);
	init_figures(b);
	b->units = count_units(b);
	b->units_done = 0;
	b->last_tb = clock_tb(&b->cfg.clock);

	ret = run_places(b);
	bench_progress_close(b);
	bench_drain(system);
	free_after = system->ops->nr_free(system);
	if (free_after < free_before) {
		b->pages_missing = free_before - free_after;
		b->failures++;
		print_to(b->cfg.out, "bench: FAILED: %lu pages of the system are missing\n",
			 (unsigned long)b->pages_missing);
	}
	return ret ? ret : b->failures ? -BENCH_EVERIFY : 0;
}
