/* SPDX-License-Identifier: BSD-2-Clause */
/* What several harts do together, for people. */
#include "report.h"
#include "team.h"

#define PER_TABLE  6 /* numbers of harts side by side */
#define SCALE_GOAL 180

static const char *name_of_kind(const struct team_kind *kind)
{
	if (kind->least == 1)
		return kind->wl.bit == BENCH_CHURN0 ? "scale, churn0" : "scale, churn";
	return kind->wl.bit == BENCH_CHURN0 ? "remote, order 0" : "remote, all orders";
}

static const char *why_not(const struct bench *b, int64_t figure)
{
	if (!team_is_possible(b))
		return "n/a: there is one hart only";
	return figure == FIGURE_NA ? "n/a: for one hart only, or no room" : "-";
}

static void print_rates(const struct bench *b, const struct page_allocator_ops *ops,
			const struct bench_rates *rates, unsigned int first, unsigned int end)
{
	const struct printer *out = b->cfg.out;
	char name[ROW_NAME], text[CELL_TEXT], ratio[STATS_TEXT];

	print_to(out, "%-27.27s", row_name(name, b, ops));
	if (!is_number(rates->kops_x100[0])) {
		print_to(out, " %s\n",
			 rates->kops_x100[0] == FIGURE_FAILED ? "FAILED"
							      : why_not(b, rates->kops_x100[0]));
		return;
	}
	for (unsigned int i = first; i < end; i++)
		print_to(out, " %6s %4s", cell_text(text, rates->kops_x100[i] / 100, 0),
			 stats_fixed(ratio, rates->ratio_x100[i], 2, 2));
	print_to(out, "%s\n", rates->failed ? "  (memory was short)" : "");
}

static void print_kind(const struct bench *b, const struct team_kind *kind, bool is_scale,
		       unsigned int op)
{
	const struct printer *out = b->cfg.out;
	uint32_t counts[BENCH_MAX_COUNTS];
	unsigned int n = team_counts(b, kind->least, counts), first = 0;

	do {
		unsigned int end = first + PER_TABLE < n ? first + PER_TABLE : n;

		print_to(out, "%-27.27s", name_of_kind(kind));
		for (unsigned int i = first; i < end; i++)
			print_to(out, " %6u hart%s", counts[i], counts[i] > 1 ? "s" : " ");
		print_to(out, "\n");
		for (unsigned int i = 0; i < b->nr_figures; i++)
			print_rates(b, b->figures[i].ops,
				    is_scale ? &b->figures[i].scale[op] : &b->figures[i].remote[op],
				    first, end);
		first = end;
	} while (first < n);
}

/* Two harts against one, of the system's core in its default setting. */
static void print_scale_goal(const struct bench *b)
{
	const struct page_allocator_ops *system = b->cfg.system->ops;
	const char *name = system->core ? system->core : system->name;
	char text[STATS_TEXT];

	for (unsigned int i = 0; i < b->nr_figures; i++) {
		const struct bench_figures *fig = &b->figures[i];
		int64_t ratio = fig->scale[0].ratio_x100[1];

		if (!same_word(fig->ops->name, name) || !same_word(fig->ops->setting, "default") ||
		    is_zb(fig->ops) || !is_number(ratio))
			continue;
		print_to(b->cfg.out, "goal %s: two harts %s of one, 1.80 wanted\n",
			 b->exact              ? "not judged"
			 : ratio >= SCALE_GOAL ? "met"
					       : "missed",
			 stats_fixed(text, ratio, 2, 2));
	}
}

void print_teams(const struct bench *b)
{
	const struct printer *out = b->cfg.out;
	uint32_t chosen = b->cfg.options.workloads;

	if (chosen & (BENCH_SCALE | BENCH_REMOTE))
		print_to(out,
			 "\nseveral harts, %lu steps each: thousand operations a second of all "
			 "together, "
			 "and\nhow many times what the fewest do; median of %u, nothing "
			 "subtracted\n",
			 (unsigned long)b->hart_steps, b->reps);
	if (b->exact && team_is_possible(b))
		print_to(out,
			 "(counted time: that of all harts, one after the other; no measure)\n");
	for (unsigned int op = 0; op < BENCH_TEAM_OPS && chosen & BENCH_SCALE; op++)
		print_kind(b, &scale_kinds[op], true, op);
	if (chosen & BENCH_SCALE)
		print_scale_goal(b);
	for (unsigned int op = 0; op < BENCH_TEAM_OPS && chosen & BENCH_REMOTE; op++)
		print_kind(b, &remote_kinds[op], false, op);
	if (!(chosen & BENCH_STRESS))
		return;
	if (!b->stressed)
		print_to(out, "stress: n/a: there is one hart only\n");
	else
		print_to(out,
			 "stress: %u harts, %lu operations; %lu times out of memory, %lu times to "
			 "try "
			 "again\n",
			 b->cfg.harts->nr, (unsigned long)b->stress_ops,
			 (unsigned long)b->stress_none, (unsigned long)b->stress_again);
}
