/* SPDX-License-Identifier: BSD-2-Clause */
/* The table for people: our figures, the goals, and what others need. 100 columns, one screen. */
#include "bench_impl.h"
#include "stats.h"

#define CELL        10 /* characters of a cell's text at most, with its end */
#define WIDE_TABLE  4 /* allocators in one table of pairs */
#define BYTES_SCALE 10000 /* metadata is in 1/10000 byte a page */

static const char *const headings[2][NR_COLUMNS] = {
	{ "pair", "pair", "bulk", "free", "free", "churn", "churn", "hand-", "metadata" },
	{ "order 0", "order 9", "alloc", "ordered", "random", "step", "order 0", "over", "B/page" },
};

/* A figure and what it should not exceed, in units of 10^-digits. */
struct goal {
	const char *name;
	int64_t limit;
	unsigned int digits;
	int64_t value; /* or FIGURE_… */
};

/* For rv64gc, and for the build with Zba, Zbb and Zbs. */
#define CHURN_GOAL    2600
#define CHURN_GOAL_ZB 2000

#define ROW_NAME      28 /* with its end */

enum { GOAL_PAIR10 = NR_COLUMNS, GOAL_READY, NR_GOALS };

/* Hundredths, but for handover and ready (whole) and metadata; limit 0: no goal. */
static const struct goal goals[NR_GOALS] = {
	[COL_PAIR0] = { "pair order 0", 4000, 2, 0 },
	[COL_PAIR9] = { "pair order 9", 10000, 2, 0 },
	[COL_BULK_ALLOC] = { "bulk alloc", 1500, 2, 0 },
	[COL_FREE_ORDERED] = { "bulk free ordered", 2400, 2, 0 },
	[COL_FREE_RANDOM] = { "bulk free random", 2400, 2, 0 },
	[COL_CHURN] = { "churn step", CHURN_GOAL, 2, 0 },
	[COL_CHURN0] = { "churn0 step", 0, 2, 0 },
	[COL_HANDOVER] = { "handover", 600, 0, 0 },
	[COL_META] = { "metadata", 1400, 4, 0 },
	[GOAL_PAIR10] = { "pair order 10", 10000, 2, 0 },
	[GOAL_READY] = { "ready", 250000, 0, 0 },
};

/* Is it the build for Zba, Zbb and Zbs? */
static bool is_zb(const struct page_allocator_ops *ops)
{
	return ops->hot && ops->hot[0] == 'z';
}

static bool is_number(int64_t figure)
{
	return figure > FIGURE_FAILED;
}

/* As short as its size allows: two decimals below 100, one below 10 000, then none, k, M. */
static const char *cell_text(char text[STATS_TEXT], int64_t figure, unsigned int digits)
{
	int64_t whole = figure;

	if (figure == FIGURE_NOT_RUN)
		return "-";
	if (figure == FIGURE_NA)
		return "n/a";
	if (figure == FIGURE_FAILED)
		return "FAILED";
	for (unsigned int i = 0; i < digits; i++)
		whole /= 10;
	if (digits == 4)
		return stats_fixed(text, figure, digits, whole < 10 ? 4 : 1);
	if (whole >= 10000000 || whole <= -10000000) {
		unsigned int n = 0;

		stats_fixed(text, whole, 6, 1);
		while (text[n])
			n++;
		text[n] = 'M';
		text[n + 1] = '\0';
		return text;
	}
	return stats_fixed(text, figure, digits, digits && whole < 100000 ? 1 : 0);
}

static char *append(char *at, const char *end, const char *text)
{
	while (*text && at < end)
		*at++ = *text++;
	*at = '\0';
	return at;
}

/* An allocator's name, and what is special about this one: its setting, its build. */
static const char *row_name(char name[ROW_NAME], const struct page_allocator_ops *ops)
{
	const char *end = name + ROW_NAME - 1;
	char *at = append(name, end, ops->name);

	if (ops->setting[0] != 'd') /* default */
		at = append(append(at, end, ", "), end, ops->setting);
	if (is_zb(ops))
		append(append(at, end, ", "), end, ops->hot);
	return name;
}

static int64_t per_page(uint64_t bytes, uint64_t pages)
{
	return bytes && pages ? (int64_t)(bytes * BYTES_SCALE / pages) : FIGURE_NA;
}

/* The goals with an allocator's values. Boot phases belong to the first one, the system's own. */
static void take_values(const struct bench *b, unsigned int index, struct goal *goal)
{
	const struct bench_figures *fig = &b->figures[index];
	unsigned int nine = BENCH_MAX_ORDER < 9 ? BENCH_MAX_ORDER : 9;
	unsigned int ten = BENCH_MAX_ORDER < 10 ? BENCH_MAX_ORDER : 10;

	for (unsigned int i = 0; i < NR_GOALS; i++)
		goal[i] = goals[i];
	goal[COL_PAIR0].value = fig->pair[1][0];
	goal[COL_PAIR9].value = fig->pair[1][nine];
	goal[COL_BULK_ALLOC].value = fig->bulk[0];
	goal[COL_FREE_ORDERED].value = fig->bulk[1];
	goal[COL_FREE_RANDOM].value = fig->bulk[3];
	goal[COL_CHURN].value = fig->churn;
	if (is_zb(fig->ops))
		goal[COL_CHURN].limit = CHURN_GOAL_ZB;
	goal[COL_CHURN0].value = fig->churn0;
	goal[COL_HANDOVER].value = FIGURE_NOT_RUN;
	goal[COL_META].value = per_page(fig->meta_bytes, b->arena.pages);
	if (!b->arena.full)
		goal[COL_META].limit = 0; /* what a tree costs at least weighs more there */
	goal[GOAL_PAIR10].value = fig->pair[1][ten];
	goal[GOAL_READY].value = FIGURE_NOT_RUN;
	if (!index && b->has_handover && b->exact)
		goal[COL_HANDOVER].value = (int64_t)b->handover_ins;
	if (!index && b->has_ready && b->exact)
		goal[GOAL_READY].value = (int64_t)b->ready_ins;
}

static void print_row(const struct bench *b, const char *name, const char *const *cell)
{
	print_to(b->cfg.out, "%-27.27s", name);
	for (unsigned int i = 0; i < NR_COLUMNS; i++)
		print_to(b->cfg.out, " %7s%s", cell[i], i + 1 == NR_COLUMNS ? "\n" : "");
}

/* A row of figures: of an allocator, of the goals, or (@sign) of how far they are apart. */
static void print_figures(const struct bench *b, const char *name, const int64_t *figure, bool sign)
{
	char text[1 + STATS_TEXT];

	print_to(b->cfg.out, "%-27.27s", name);
	for (unsigned int i = 0; i < NR_COLUMNS; i++) {
		const char *cell = cell_text(text + 1, figure[i], goals[i].digits);

		if (sign && is_number(figure[i]) && figure[i] > 0) {
			text[0] = '+';
			cell = text;
		}
		print_to(b->cfg.out, " %7s", cell);
	}
	print_to(b->cfg.out, "\n");
}

static void print_allocator(const struct bench *b, unsigned int index)
{
	struct goal goal[NR_GOALS];
	int64_t figure[NR_COLUMNS];
	char name[ROW_NAME];

	take_values(b, index, goal);
	for (unsigned int i = 0; i < NR_COLUMNS; i++)
		figure[i] = goal[i].value;
	print_figures(b, row_name(name, b->figures[index].ops), figure, false);
}

static void print_live(const struct bench *b)
{
	int64_t figure[NR_COLUMNS];

	if (b->live_churn == FIGURE_NOT_RUN)
		return;
	for (unsigned int i = 0; i < NR_COLUMNS; i++)
		figure[i] = i == COL_CHURN ? b->live_churn : FIGURE_NOT_RUN;
	print_figures(b,
		      is_zb(b->cfg.system->ops) ? "  the live system's, zb" : "  the live system's",
		      figure, false);
}

static bool is_judged(const struct goal *g)
{
	return g->limit && is_number(g->value);
}

/* The goals as a row, and how far the first allocator is from them. */
static void print_goal_rows(const struct bench *b)
{
	int64_t limit[NR_COLUMNS], distance[NR_COLUMNS];
	struct goal goal[NR_GOALS];

	take_values(b, 0, goal);
	for (unsigned int i = 0; i < NR_COLUMNS; i++) {
		const struct goal *g = &goal[i];

		limit[i] = g->limit ? g->limit : FIGURE_NOT_RUN;
		distance[i] = is_judged(g) ? g->value - g->limit : FIGURE_NOT_RUN;
	}
	print_figures(b, "  goal: at most", limit, false);
	print_figures(b, "  below (-) or above (+) it", distance, true);
}

static void print_goal(const struct bench *b, const char *before, const struct goal *g)
{
	char value[STATS_TEXT], limit[STATS_TEXT], distance[STATS_TEXT];

	print_to(b->cfg.out, "%s%s: %s of %s (%s%s)", before, g->name,
		 cell_text(value, g->value, g->digits), cell_text(limit, g->limit, g->digits),
		 g->value > g->limit ? "+" : "",
		 cell_text(distance, g->value - g->limit, g->digits));
}

/* The churn's goal for the build with Zba, Zbb and Zbs, where that is measured beside the first. */
static void print_goal_zb(const struct bench *b)
{
	struct goal goal[NR_GOALS];

	for (unsigned int i = 1; i < b->nr_figures; i++) {
		const struct page_allocator_ops *ops = b->figures[i].ops;

		take_values(b, i, goal);
		if (!is_zb(ops) || ops->setting[0] != 'd' || !is_judged(&goal[COL_CHURN]))
			continue;
		print_goal(b, "with Zba, Zbb and Zbs: ", &goal[COL_CHURN]);
		print_to(b->cfg.out, "\n");
	}
}

/* How many goals are met, and those that have no column. */
static void print_goals(const struct bench *b)
{
	unsigned int met = 0, judged = 0;
	struct goal goal[NR_GOALS];

	take_values(b, 0, goal);
	for (unsigned int i = 0; i < NR_GOALS; i++) {
		judged += is_judged(&goal[i]);
		met += is_judged(&goal[i]) && goal[i].value <= goal[i].limit;
	}
	print_to(b->cfg.out, "goals: %u of %u met", met, judged);
	for (unsigned int i = NR_COLUMNS; i < NR_GOALS; i++)
		if (is_judged(&goal[i]))
			print_goal(b, "; ", &goal[i]);
	print_to(b->cfg.out, "\n");
	print_goal_zb(b);
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
	char text[STATS_TEXT], name[ROW_NAME];

	print_to(out, "\n%-14s", "pair, by order");
	for (unsigned int i = first; i < end; i++)
		print_to(out, " %19.19s", row_name(name, b->figures[i].ops));
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

void bench_report(const struct bench *b)
{
	const struct printer *out = b->cfg.out;

	print_to(out,
		 "\npage churn, arena %lu MiB, seed %lu, %u repetition%s: %s, net of the loop\n",
		 (unsigned long)(b->arena.pages >> (20 - PAGE_SHIFT)),
		 (unsigned long)b->cfg.options.seed, b->reps, b->reps > 1 ? "s" : "",
		 b->exact ? "instructions (exact)" : "ns (instructions are not exact)");
	print_row(b, "", headings[0]);
	print_row(b, "allocator", headings[1]);
	for (unsigned int i = 0; i < b->nr_figures; i++) {
		print_allocator(b, i);
		if (!i)
			print_live(b);
		if (!i && b->exact)
			print_goal_rows(b);
	}
	if (b->exact)
		for (const struct reference *ref = bench_references; ref->name; ref++)
			print_row(b, ref->name, ref->cell);
	else
		print_to(out, "goals and other allocators' figures are instructions: not shown\n");
	if (b->exact && b->nr_figures)
		print_goals(b);
	if (b->cfg.options.verbose)
		for (unsigned int i = 0; i < b->nr_figures; i += WIDE_TABLE)
			print_pairs(b, i);
	print_verdict(b);
}
