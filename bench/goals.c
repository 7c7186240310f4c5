/* SPDX-License-Identifier: BSD-2-Clause */
/* The goals: what the system's own allocator should need at most, or score at least. */
#include "report.h"

#define PAIR_GOAL       4000
#define PAIR_LARGE_GOAL 10000
#define CHURN_GOAL      2600
#define CHURN_GOAL_ZB   2000
#define HEALING_GOAL    4500
#define SCORE_GOAL      365
#define SCORE_HEALING   380
#define API_GOAL        3400
#define MOBILITY_GOAL   900 /* thousandths */
#define LATENCY_GOAL    1000
#define HANDOVER_GOAL   600
#define HANDOVER_LARGE  2000 /* with more than ONE_GIB, which may be several zones */
#define ONE_GIB         ((uint64_t)1 << (30 - PAGE_SHIFT)) /* pages */

enum goal_id {
	GOAL_PAIR0,
	GOAL_PAIR9,
	GOAL_PAIR10,
	GOAL_BULK_ALLOC,
	GOAL_FREE_ORDERED,
	GOAL_FREE_RANDOM,
	GOAL_CHURN,
	GOAL_CHURN_ZB,
	GOAL_AGE,
	GOAL_BURST,
	GOAL_HEALING_CHURN,
	GOAL_HEALING_AGE,
	GOAL_HEALING_BURST,
	GOAL_API_CHURN,
	GOAL_MOBILITY,
	GOAL_LATENCY_ALLOC,
	GOAL_LATENCY_FREE,
	GOAL_META,
	GOAL_HANDOVER,
	GOAL_READY,
	NR_GOALS
};

/* In units of 10^-digits; a score is to be at least its limit, the others at most. */
static const struct goal {
	const char *name;
	int64_t limit;
	unsigned int digits;
	bool is_score;
} goals[NR_GOALS] = {
	[GOAL_PAIR0] = { "pair order 0", PAIR_GOAL, 2, false },
	[GOAL_PAIR9] = { "pair order 9", PAIR_LARGE_GOAL, 2, false },
	[GOAL_PAIR10] = { "pair order 10", PAIR_LARGE_GOAL, 2, false },
	[GOAL_BULK_ALLOC] = { "bulk alloc", 1500, 2, false },
	[GOAL_FREE_ORDERED] = { "free ordered", 2400, 2, false },
	[GOAL_FREE_RANDOM] = { "free random", 2400, 2, false },
	[GOAL_CHURN] = { "churn", CHURN_GOAL, 2, false },
	[GOAL_CHURN_ZB] = { "churn, zb", CHURN_GOAL_ZB, 2, false },
	[GOAL_AGE] = { "age", SCORE_GOAL, 0, true },
	[GOAL_BURST] = { "burst", SCORE_GOAL, 0, true },
	[GOAL_HEALING_CHURN] = { "healing churn", HEALING_GOAL, 2, false },
	[GOAL_HEALING_AGE] = { "healing age", SCORE_HEALING, 0, true },
	[GOAL_HEALING_BURST] = { "healing burst", SCORE_HEALING, 0, true },
	[GOAL_API_CHURN] = { "churn, whole API", API_GOAL, 2, false },
	[GOAL_MOBILITY] = { "mobility, %", MOBILITY_GOAL, 1, true },
	[GOAL_LATENCY_ALLOC] = { "slowest alloc", LATENCY_GOAL, 0, false },
	[GOAL_LATENCY_FREE] = { "slowest free", LATENCY_GOAL, 0, false },
	[GOAL_META] = { "metadata", 1400, 4, false },
	[GOAL_HANDOVER] = { "handover", HANDOVER_GOAL, 0, false },
	[GOAL_READY] = { "ready", 250000, 0, false },
};

/* The core of the system's allocator in a setting and a build; NULL: not measured. */
static const struct bench_figures *core_figures(const struct bench *b, const char *setting, bool zb)
{
	const struct page_allocator_ops *system = b->cfg.system->ops;
	const char *name = system->core ? system->core : system->name;

	for (unsigned int i = 0; i < b->nr_figures; i++) {
		const struct page_allocator_ops *ops = b->figures[i].ops;

		if (same_word(ops->name, name) && same_word(ops->setting, setting) &&
		    is_zb(ops) == zb)
			return &b->figures[i];
	}
	return NULL;
}

/* What is built on it, in the default setting and the image's own build; NULL: not measured. */
static const struct bench_figures *api_figures(const struct bench *b)
{
	for (unsigned int i = 0; i < b->nr_figures; i++) {
		const struct page_allocator_ops *ops = b->figures[i].ops;

		if (ops->core && same_word(ops->setting, "default") && !is_zb(ops))
			return &b->figures[i];
	}
	return NULL;
}

/* As thousandths of what there could be; what is no number stays as it is. */
static int64_t per_mille(const struct bench_score *score)
{
	int64_t had = score->had[SCORE_ORDER9];

	return is_number(had) ? had * 1000 / score->ideal[SCORE_ORDER9] : had;
}

static void take_default(const struct bench *b, const struct bench_figures *fig, int64_t *value)
{
	unsigned int nine = BENCH_MAX_ORDER < 9 ? BENCH_MAX_ORDER : 9;
	unsigned int ten = BENCH_MAX_ORDER < 10 ? BENCH_MAX_ORDER : 10;

	value[GOAL_PAIR0] = fig->pair[1][0];
	value[GOAL_PAIR9] = fig->pair[1][nine];
	value[GOAL_PAIR10] = fig->pair[1][ten];
	value[GOAL_BULK_ALLOC] = fig->bulk[0];
	value[GOAL_FREE_ORDERED] = fig->bulk[1];
	value[GOAL_FREE_RANDOM] = fig->bulk[3];
	value[GOAL_CHURN] = fig->churn;
	value[GOAL_LATENCY_ALLOC] = fig->latencies[LATENCY_ALLOC].max;
	value[GOAL_LATENCY_FREE] = fig->latencies[LATENCY_FREE].max;
	if (!b->arena.full) /* less memory, other scores; and a tree weighs more there */
		return;
	value[GOAL_AGE] = fig->age_score.had[SCORE_ORDER9];
	value[GOAL_BURST] = fig->burst_score.had[SCORE_ORDER9];
	value[GOAL_META] = (int64_t)(fig->meta_bytes * BYTES_SCALE / b->arena.pages);
}

/* What came of each goal; FIGURE_NOT_RUN where there is nothing to judge. */
static void take_values(const struct bench *b, int64_t value[NR_GOALS])
{
	const struct bench_figures *plain = core_figures(b, "default", false);
	const struct bench_figures *zb = core_figures(b, "default", true);
	const struct bench_figures *healing = core_figures(b, "healing", false);
	const struct bench_figures *api = api_figures(b);

	for (unsigned int i = 0; i < NR_GOALS; i++)
		value[i] = FIGURE_NOT_RUN;
	if (!b->exact)
		return;
	if (plain)
		take_default(b, plain, value);
	if (zb)
		value[GOAL_CHURN_ZB] = zb->churn;
	if (healing)
		value[GOAL_HEALING_CHURN] = healing->churn;
	if (healing && b->arena.full) {
		value[GOAL_HEALING_AGE] = healing->age_score.had[SCORE_ORDER9];
		value[GOAL_HEALING_BURST] = healing->burst_score.had[SCORE_ORDER9];
	}
	if (api)
		value[GOAL_API_CHURN] = api->churn;
	if (api && b->arena.full)
		value[GOAL_MOBILITY] = per_mille(&api->mobility_score);
	if (b->has_handover)
		value[GOAL_HANDOVER] = (int64_t)b->handover_ins;
	if (b->has_ready)
		value[GOAL_READY] = (int64_t)b->ready_ins;
}

static int64_t limit_of(const struct bench *b, enum goal_id id)
{
	if (id == GOAL_HANDOVER && b->live.pages > ONE_GIB)
		return HANDOVER_LARGE;
	return goals[id].limit;
}

static bool is_met(const struct bench *b, enum goal_id id, int64_t value)
{
	if (!is_number(value))
		return false;
	return goals[id].is_score ? value >= limit_of(b, id) : value <= limit_of(b, id);
}

/* Items of a list that goes on over several lines. */
struct list {
	const struct printer *out;
	unsigned int column;
};

static void put_item(struct list *l, const char *text, bool last)
{
	char item[REPORT_WIDTH] = "";
	const char *end = item + sizeof(item) - 1;
	unsigned int n =
		(unsigned int)(append(append(item, end, text), end, last ? "" : ";") - item);

	if (l->column + 1 + n > REPORT_WIDTH) {
		print_to(l->out, "\n ");
		l->column = 1;
	}
	print_to(l->out, " %s", item);
	l->column += 1 + n;
}

/* name value of limit (distance) */
static void put_goal(struct list *l, enum goal_id id, int64_t value, int64_t limit, bool last)
{
	const struct goal *g = &goals[id];
	char text[REPORT_WIDTH] = "", cell[CELL_TEXT];
	const char *end = text + sizeof(text) - 1;
	char *at = append(text, end, g->name);

	at = append(append(at, end, " "), end, cell_text(cell, value, g->digits));
	at = append(append(at, end, " of "), end, cell_text(cell, limit, g->digits));
	if (is_number(value)) {
		at = append(at, end, value > limit ? " (+" : " (");
		at = append(at, end, cell_text(cell, value - limit, g->digits));
		append(at, end, ")");
	}
	put_item(l, text, last);
}

/* Those that are met or those that are missed, after a word that says which they are. */
static void print_some(const struct bench *b, const int64_t *value, bool met, unsigned int nr,
		       unsigned int judged)
{
	struct list l = { .out = b->cfg.out, .column = 24 };

	if (!nr)
		return;
	print_to(b->cfg.out, "goals %s, %u of %u:", met ? "met" : "missed", nr, judged);
	for (unsigned int i = 0; i < NR_GOALS; i++) {
		enum goal_id id = (enum goal_id)i;

		if (value[i] != FIGURE_NOT_RUN && is_met(b, id, value[i]) == met)
			put_goal(&l, id, value[i], limit_of(b, id), !--nr);
	}
	print_to(b->cfg.out, "\n");
}

void print_goals(const struct bench *b)
{
	int64_t value[NR_GOALS];
	unsigned int met = 0, judged = 0;

	take_values(b, value);
	for (unsigned int i = 0; i < NR_GOALS; i++) {
		judged += value[i] != FIGURE_NOT_RUN;
		met += is_met(b, (enum goal_id)i, value[i]);
	}
	print_some(b, value, false, judged - met, judged);
	print_some(b, value, true, met, judged);
}

const char *goal_cell(const struct bench *b, char text[CELL_TEXT], enum report_column column)
{
	static const enum goal_id ids[NR_COLUMNS] = {
		[COL_PAIR0] = GOAL_PAIR0,
		[COL_PAIR9] = GOAL_PAIR9,
		[COL_BULK_ALLOC] = GOAL_BULK_ALLOC,
		[COL_FREE_ORDERED] = GOAL_FREE_ORDERED,
		[COL_FREE_RANDOM] = GOAL_FREE_RANDOM,
		[COL_CHURN] = GOAL_CHURN,
		[COL_HANDOVER] = GOAL_HANDOVER,
		[COL_META] = GOAL_META,
	};

	if (column == COL_SCORES)
		return pair_text(text, goals[GOAL_AGE].limit, goals[GOAL_BURST].limit);
	return cell_text(text, limit_of(b, ids[column]), goals[ids[column]].digits);
}
