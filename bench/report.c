/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables for people: our figures, the goals, and what others need. 100 columns, one screen. */
#include "report.h"
#include "team.h"

#define WIDE_TABLE 4 /* allocators in one table of pairs */
#define NAME       "%-27.27s"

static const char *const headings[2][NR_COLUMNS] = {
	{ "pair", "pair", "bulk", "free", "free", "churn", "hand-", "meta", "age/" },
	{ "order 0", "order 9", "alloc", "ordered", "random", "step", "over", "B/page", "burst" },
};

static const char *const detail_headings[2][NR_DETAILS] = {
	{ "churn", "age", "burst", "age", "burst", "frag", "alloc", "alloc", "alloc", "free",
	  "free", "free" },
	{ "ord 0", "step", "step", "ord 3", "ord 3", "ord 9", "p50", "p99", "max", "p50", "p99",
	  "max" },
};

static void print_row(const struct bench *b, const char *name, const char *const *cell)
{
	print_to(b->cfg.out, NAME, name);
	for (unsigned int i = 0; i < NR_COLUMNS; i++)
		print_to(b->cfg.out, " %7s", cell[i]);
	print_to(b->cfg.out, "\n");
}

static void print_detail_row(const struct bench *b, const char *name, const char *const *cell)
{
	print_to(b->cfg.out, NAME, name);
	for (unsigned int i = 0; i < NR_DETAILS; i++)
		print_to(b->cfg.out, " %5s", cell[i]);
	print_to(b->cfg.out, "\n");
}

static void print_allocator(const struct bench *b, const struct bench_figures *fig)
{
	unsigned int nine = BENCH_MAX_ORDER < 9 ? BENCH_MAX_ORDER : 9;
	char text[NR_COLUMNS][CELL_TEXT], name[ROW_NAME];
	int64_t meta = FIGURE_NA;
	const char *cell[NR_COLUMNS];

	if (fig->meta_bytes && b->arena.pages)
		meta = (int64_t)(fig->meta_bytes * BYTES_SCALE / b->arena.pages);
	cell[COL_PAIR0] = cell_text(text[COL_PAIR0], fig->pair[1][0], 2);
	cell[COL_PAIR9] = cell_text(text[COL_PAIR9], fig->pair[1][nine], 2);
	cell[COL_BULK_ALLOC] = cell_text(text[COL_BULK_ALLOC], fig->bulk[0], 2);
	cell[COL_FREE_ORDERED] = cell_text(text[COL_FREE_ORDERED], fig->bulk[1], 2);
	cell[COL_FREE_RANDOM] = cell_text(text[COL_FREE_RANDOM], fig->bulk[3], 2);
	cell[COL_CHURN] = cell_text(text[COL_CHURN], fig->churn, 2);
	cell[COL_HANDOVER] = "-";
	cell[COL_META] = cell_text(text[COL_META], meta, 4);
	cell[COL_SCORES] = pair_text(text[COL_SCORES], fig->age_score.had[SCORE_ORDER9],
				     fig->burst_score.had[SCORE_ORDER9]);
	print_row(b, row_name(name, b, fig->ops), cell);
}

/* What is the boot's, and what was measured on the machine's own allocator. */
static void print_live(const struct bench *b)
{
	char churn[CELL_TEXT], handover[CELL_TEXT];
	const char *cell[NR_COLUMNS];

	for (unsigned int i = 0; i < NR_COLUMNS; i++)
		cell[i] = "-";
	cell[COL_CHURN] = cell_text(churn, b->live_churn, 2);
	if (b->has_handover && b->exact)
		cell[COL_HANDOVER] = cell_text(handover, (int64_t)b->handover_ins, 0);
	print_row(b, is_zb(b->cfg.system->ops) ? "  the live system's, zb" : "  the live system's",
		  cell);
}

static void print_goal_row(const struct bench *b)
{
	char text[NR_COLUMNS][CELL_TEXT];
	const char *cell[NR_COLUMNS];

	for (unsigned int i = 0; i < NR_COLUMNS; i++)
		cell[i] = goal_cell(b, text[i], (enum report_column)i);
	print_row(b, "  goal", cell);
}

static void print_detail(const struct bench *b, const struct bench_figures *fig)
{
	const struct bench_latency *alloc = &fig->latencies[LATENCY_ALLOC];
	const struct bench_latency *free = &fig->latencies[LATENCY_FREE];
	const struct {
		int64_t figure;
		unsigned int digits;
	} values[NR_DETAILS] = {
		[DET_CHURN0] = { fig->churn0, 2 },
		[DET_AGE] = { fig->age, 2 },
		[DET_BURST] = { fig->burst, 2 },
		[DET_AGE3] = { fig->age_score.had[SCORE_ORDER3], 0 },
		[DET_BURST3] = { fig->burst_score.had[SCORE_ORDER3], 0 },
		[DET_FRAG9] = { fig->frag_score.had[SCORE_ORDER9], 0 },
		[DET_ALLOC_P50] = { alloc->p50, 0 },
		[DET_ALLOC_P99] = { alloc->p99, 0 },
		[DET_ALLOC_MAX] = { alloc->max, 0 },
		[DET_FREE_P50] = { free->p50, 0 },
		[DET_FREE_P99] = { free->p99, 0 },
		[DET_FREE_MAX] = { free->max, 0 },
	};
	char text[NR_DETAILS][CELL_TEXT], name[ROW_NAME];
	const char *cell[NR_DETAILS];

	for (unsigned int i = 0; i < NR_DETAILS; i++)
		cell[i] = cell_text(text[i], values[i].figure, values[i].digits);
	print_detail_row(b, row_name(name, b, fig->ops), cell);
}

/* As many blocks as there could be: the same for every allocator that was measured. */
static void print_ideal(const struct bench *b)
{
	char text[NR_DETAILS][CELL_TEXT];
	const char *cell[NR_DETAILS];

	for (unsigned int i = 0; i < NR_DETAILS; i++)
		cell[i] = "-";
	for (unsigned int i = 0; i < b->nr_figures; i++) {
		const struct bench_figures *fig = &b->figures[i];

		if (is_number(fig->age_score.had[SCORE_ORDER3]))
			cell[DET_AGE3] =
				cell_text(text[DET_AGE3], fig->age_score.ideal[SCORE_ORDER3], 0);
		if (is_number(fig->burst_score.had[SCORE_ORDER3]))
			cell[DET_BURST3] = cell_text(text[DET_BURST3],
						     fig->burst_score.ideal[SCORE_ORDER3], 0);
		if (is_number(fig->frag_score.had[SCORE_ORDER9]))
			cell[DET_FRAG9] =
				cell_text(text[DET_FRAG9], fig->frag_score.ideal[SCORE_ORDER9], 0);
	}
	print_detail_row(b, "  there could be", cell);
}

static bool has_details(const struct bench *b)
{
	return b->cfg.options.workloads &
	       (BENCH_CHURN0 | BENCH_AGE | BENCH_BURST | BENCH_FRAG | BENCH_LATENCY);
}

static void print_details(const struct bench *b)
{
	print_detail_row(b, "", detail_headings[0]);
	print_detail_row(b, "small, healing, each call", detail_headings[1]);
	for (unsigned int i = 0; i < b->nr_figures; i++)
		print_detail(b, &b->figures[i]);
	print_ideal(b);
	if (b->exact)
		print_detail_row(b, bench_detail_reference.name, bench_detail_reference.cell);
}

static void print_verdict(const struct bench *b)
{
	if (b->failures)
		print_to(b->cfg.out, "NOT VERIFIED: %u checks failed, see above\n", b->failures);
	else
		print_to(b->cfg.out,
			 "verified: %lu blocks, none overlapping, misaligned or outside; all pages "
			 "back, all merged\n",
			 (unsigned long)b->blocks_checked);
}

/* Pairs by order, for up to WIDE_TABLE allocators side by side. */
static void print_pairs(const struct bench *b, unsigned int first)
{
	const struct printer *out = b->cfg.out;
	unsigned int end = first + WIDE_TABLE < b->nr_figures ? first + WIDE_TABLE : b->nr_figures;
	char text[CELL_TEXT], name[ROW_NAME];

	print_to(out, "\n%-14s", "pair, by order");
	for (unsigned int i = first; i < end; i++)
		print_to(out, " %19.19s", row_name(name, b, b->figures[i].ops));
	print_to(out, "\n%14s", "pages");
	for (unsigned int i = first; i < end; i++)
		print_to(out, " %9s %9s", "empty", "held");
	print_to(out, "\n");
	for (unsigned int order = 0; order <= BENCH_MAX_ORDER; order++) {
		print_to(out, "%2u %11lu", order, 1UL << order);
		for (unsigned int i = first; i < end; i++)
			for (unsigned int held = 0; held < 2; held++)
				print_to(out, " %9s",
					 cell_text(text, b->figures[i].pair[held][order], 2));
		print_to(out, "\n");
	}
}

/* A page by single calls and by calls for many; and what is left between pages that stay. */
static void print_api(const struct bench *b)
{
	static const unsigned int columns[] = { 0, 1, 3 }; /* of the bulk's figures */
	const struct printer *out = b->cfg.out;
	char text[CELL_TEXT], name[ROW_NAME];

	print_to(out, "\n" NAME " %23s  %23s  %15s\n", "", "a page, a call for each",
		 "a page, 512 a call", "mobility");
	print_to(out, NAME, "many pages, movable pages");
	for (unsigned int i = 0; i < 2; i++)
		print_to(out, " %7s %7s %7s ", "alloc", "ordered", "random");
	print_to(out, " %7s %7s\n", "step", "ord 9");
	for (unsigned int i = 0; i < b->nr_figures; i++) {
		const struct bench_figures *fig = &b->figures[i];

		print_to(out, NAME, row_name(name, b, fig->ops));
		for (size_t k = 0; k < 2 * ARRAY_SIZE(columns); k++) {
			const int64_t *figure = k < ARRAY_SIZE(columns) ? fig->bulk : fig->bulkapi;
			unsigned int op = columns[k % ARRAY_SIZE(columns)];

			print_to(out, " %7s%s", cell_text(text, figure[op], 2),
				 k % ARRAY_SIZE(columns) == 2 ? " " : "");
		}
		print_to(out, " %7s", cell_text(text, fig->mobility, 2));
		print_to(out, " %7s\n", cell_text(text, fig->mobility_score.had[SCORE_ORDER9], 0));
	}
}

static void print_latencies(const struct bench *b)
{
	const struct printer *out = b->cfg.out;
	char text[CELL_TEXT], name[ROW_NAME];

	print_to(out, "\n" NAME " %6s %8s %8s %8s %8s %8s %8s\n", "single calls in the churn", "",
		 "min", "p50", "p90", "p99", "p99.9", "max");
	for (unsigned int i = 0; i < b->nr_figures; i++) {
		for (unsigned int op = 0; op < BENCH_LATENCY_OPS; op++) {
			const struct bench_latency *l = &b->figures[i].latencies[op];
			const int64_t values[] = {
				l->min, l->p50, l->p90, l->p99, l->p999, l->max
			};

			print_to(out, NAME " %6s", op ? "" : row_name(name, b, b->figures[i].ops),
				 op ? "free" : "alloc");
			for (size_t v = 0; v < ARRAY_SIZE(values); v++)
				print_to(out, " %8s", cell_text(text, values[v], 0));
			print_to(out, "\n");
		}
	}
}

static void print_references(const struct bench *b)
{
	if (!b->exact) {
		print_to(b->cfg.out,
			 "goals and other allocators' figures are instructions: not shown\n");
		return;
	}
	for (const struct reference *ref = bench_references; ref->name; ref++)
		print_row(b, ref->name, ref->cell);
	for (const char *const *note = bench_reference_notes; *note; note++)
		print_to(b->cfg.out, "%s\n", *note);
}

static void print_one_hart(const struct bench *b)
{
	const struct printer *out = b->cfg.out;

	print_to(out,
		 "\npage churn, arena %lu MiB, seed %lu, %u repetition%s: %s, net of the loop\n",
		 (unsigned long)(b->arena.pages >> (20 - PAGE_SHIFT)),
		 (unsigned long)b->cfg.options.seed, b->reps, b->reps > 1 ? "s" : "",
		 b->exact ? "instructions (exact)" : "ns (instructions are not exact)");
	print_row(b, "", headings[0]);
	print_row(b, "allocator", headings[1]);
	for (unsigned int i = 0; i < b->nr_figures; i++)
		print_allocator(b, &b->figures[i]);
	print_live(b);
	if (b->exact)
		print_goal_row(b);
	print_references(b);
	if (has_details(b))
		print_details(b);
	if (b->exact && b->nr_figures)
		print_goals(b);
	if (b->cfg.options.verbose) {
		for (unsigned int i = 0; i < b->nr_figures; i += WIDE_TABLE)
			print_pairs(b, i);
		print_latencies(b);
		print_api(b);
	}
}

void bench_report(const struct bench *b)
{
	if (b->cfg.options.workloads & BENCH_ALL)
		print_one_hart(b);
	print_teams(b);
	print_verdict(b);
}
