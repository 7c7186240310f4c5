/* SPDX-License-Identifier: BSD-2-Clause */
/* The benchmark as a whole, over allocators that are right: figures, records, scaling, report. */
#include "test_bench_naive.h"

#include <earlymm/buddy.h>
#include "bench_impl.h"

#define FULL_PAGES  262144
#define SMALL_PAGES 1024
#define NET_PAIR    ((ALLOC_COST + FREE_COST) * 100)

/* An allocator that counts, and has no end of pages. */
struct counting {
	int64_t next;
	uint64_t allocs, frees, by_order[64];
};

static int64_t counting_alloc(void *self, unsigned int order)
{
	struct counting *c = self;

	c->allocs++;
	c->by_order[order]++;
	return c->next++;
}

static int counting_free(void *self, uint64_t pfn, unsigned int order)
{
	struct counting *c = self;

	assert_true(pfn < (uint64_t)c->next && order <= 9);
	c->frees++;
	return 0;
}

/* The place and the repetition that the loop and the replay of a churn need, in 1 GiB. */
static struct bench_rep churn_rep(struct bench *b, enum bench_workload bit)
{
	const struct workload *wl = bench_workloads;

	while (wl->bit != bit)
		wl++;
	b->cfg.options.seed = 42;
	b->arena_range = (struct bench_range){ 0, FULL_PAGES };
	b->arena = (struct bench_place){
		.map = { .ranges = &b->arena_range, .nr_ranges = 1, .words = b->shadow_words },
		.pages = FULL_PAGES,
		.full = true,
	};
	scale_for(&b->arena.scale, FULL_PAGES, 1 << 20, true);
	return (struct bench_rep){ .b = b, .wl = wl, .place = &b->arena };
}

/* 200 000 steps with seed 42 are 101 027 allocs and 98 973 frees, whatever the orders. */
static void check_churn_counts(enum bench_workload bit)
{
	static struct churn_slot slots[4096];
	static int64_t log[200000];
	struct counting counting = { .next = 0 };
	const struct page_allocator pa = {
		.alloc = counting_alloc, .free = counting_free, .self = &counting, .max_order = 9
	};
	const struct bench_clock clock = { .tb_hz = 1, .read = fake_read };
	struct bench b = { .slots = slots, .log = log };
	struct bench_rep r = churn_rep(&b, bit);
	struct loop_result res;
	struct churn plan;

	workload_churn_plan(&r, &plan, 0);
	assert_int_equal(plan.nr_slots, 4096);
	assert_int_equal(plan.steps, 200000);
	loop_churn(&clock, &pa, &plan, log, &res);
	assert_int_equal(counting.allocs, 101027);
	assert_int_equal(counting.frees, 98973);
	assert_int_equal(res.logged, 101027);
	assert_int_equal(res.failed_frees, 0);
	for (int i = 0; i < 101027; i++)
		assert_int_equal(log[i], i);
	if (bit == BENCH_CHURN0) {
		assert_int_equal(counting.by_order[0], 101027);
		return;
	}
	/* 70, 12, 8, 6, 2 and 2 of a hundred. */
	assert_in_range(counting.by_order[0], 70000, 71500);
	assert_in_range(counting.by_order[1], 11700, 12500);
	assert_in_range(counting.by_order[2], 7700, 8400);
	assert_in_range(counting.by_order[3], 5800, 6300);
	assert_in_range(counting.by_order[4], 1900, 2150);
	assert_in_range(counting.by_order[9], 1900, 2150);
}

static void test_churn_counts(void **state)
{
	(void)state;
	check_churn_counts(BENCH_CHURN);
	check_churn_counts(BENCH_CHURN0);
}

/* A log that is too short or too long for the seed, and one with a failed alloc in it. */
static void test_replay_counts(void **state)
{
	static uint64_t words[FULL_PAGES / 64];
	static struct churn_slot slots[4096];
	static int64_t log[101030];
	struct bench b = { .slots = slots, .log = log, .shadow_words = words };
	struct bench_rep r = churn_rep(&b, BENCH_CHURN0);
	struct bench_fault f;

	(void)state;
	for (int i = 0; i < 101030; i++)
		log[i] = i;
	r.nr_log = 101027;
	shadow_reset(&b.arena.map);
	assert_int_equal(replay_churn(&r, &f), BENCH_OK);

	r.nr_log = 101026;
	log[101026] = -1; /* beyond the end: not looked at */
	shadow_reset(&b.arena.map);
	assert_int_equal(replay_churn(&r, &f), BENCH_COUNT);
	assert_int_equal(f.want, 101027);
	assert_int_equal(f.got, 101026);

	r.nr_log = 101028;
	log[101026] = 101026;
	shadow_reset(&b.arena.map);
	assert_int_equal(replay_churn(&r, &f), BENCH_COUNT);
	assert_int_equal(f.want, 101027);
	assert_int_equal(f.got, 101028);

	r.nr_log = 101027;
	log[500] = -EMM_ENOMEM;
	shadow_reset(&b.arena.map);
	assert_int_equal(replay_churn(&r, &f), BENCH_ALLOC_FAILED);
	assert_int_equal(f.index, 500);
}

/* With a right allocator the full churn passes, and its one failure in 200 000 steps does not. */
static void test_full_churn(void **state)
{
	struct machine *m = machine_new(FULL_PAGES + SMALL_PAGES);

	(void)state;
	m->cfg.options.workloads = BENCH_CHURN;
	assert_int_equal(machine_run(m), 0);
	assert_true(m->bench.arena.full);
	machine_free(m);

	m = machine_new(FULL_PAGES + SMALL_PAGES);
	m->cfg.options.workloads = BENCH_CHURN;
	naive_fault = (struct naive_fault){ .wrong = FAILS, .at = 90000 };
	assert_int_equal(machine_run(m), -BENCH_EVERIFY);
	assert_non_null(strstr(said, "FAILED churn of naive in arena: allocation 89999, order "));
	assert_non_null(strstr(said, "failed with -2 though memory is free"));
	machine_free(m);
}

/* Every workload, on an arena that is not the full one. */
static void test_all_right(void **state)
{
	struct machine *m = machine_new(3 * SMALL_PAGES);
	const struct bench_figures *fig = &m->bench.figures[0];

	(void)state;
	assert_int_equal(machine_run(m), 0);
	assert_int_equal(m->bench.failures, 0);
	assert_int_equal(m->bench.pages_missing, 0);
	assert_int_equal(m->bench.arena.pages, 2 * SMALL_PAGES);
	assert_int_equal(m->bench.live.pages, 3 * SMALL_PAGES);
	assert_int_equal(m->bench.units_done, m->bench.units);
	assert_string_equal(said, "");

	/* The null allocator costs nothing on this clock, so net is what the naive one says. */
	for (unsigned int order = 0; order <= 11; order++) {
		assert_int_equal(fig->pair[0][order], NET_PAIR);
		assert_int_equal(fig->pair[1][order], order < 11 ? NET_PAIR : FIGURE_NOT_RUN);
	}
	assert_int_equal(fig->pair[0][12], FIGURE_NOT_RUN);
	assert_int_equal(fig->bulk[0], ALLOC_COST * 100);
	assert_int_equal(fig->bulk[1], FREE_COST * 100);
	assert_int_equal(fig->bulk[2], ALLOC_COST * 100);
	assert_int_equal(fig->bulk[3], FREE_COST * 100);
	assert_true(fig->churn > FREE_COST * 100 && fig->churn < ALLOC_COST * 100);
	assert_true(fig->churn0 > FREE_COST * 100 && fig->churn0 < ALLOC_COST * 100);
	assert_true(m->bench.live_churn > FREE_COST * 100);

	assert_non_null(line_with("res bench=pair alloc=naive where=arena setting=default ",
				  "order=3 state=held op=pair unit=ins net_x100=4200 *", ""));
	assert_non_null(line_with("res bench=bulk ", "op=free_random unit=ins net_x100=1200 ", ""));
	assert_int_equal(count_lines(" cal bench=pair "), 1);
	assert_int_equal(count_lines(" cal bench=bulk "), 4);
	assert_int_equal(count_lines(" cal bench=churn "), 2);
	assert_int_equal(count_lines(" smp bench=pair "), 12 + 11);
	assert_int_equal(count_lines(" res bench=pair "), 12 + 11);
	assert_int_equal(count_lines(" frag bench=exhaust "), 13);
	assert_non_null(line_with("frag bench=exhaust ", "order=4 had=128 ideal=128 ", ""));
	assert_non_null(line_with("frag bench=exhaust ", "order=mix had=2048 ideal=2048 ", ""));
	assert_null(line_with("order=18", "", ""));
	machine_free(m);
}

/* Counts go down with the arena, in powers of two, and the records say so. */
static void test_scaling(void **state)
{
	static const struct {
		uint64_t pages, arena, slots, bulk, steps, pairs;
	} cases[] = {
		{ 64, 64, 1, 4, 12500, 6250 },
		{ 1023, 512, 8, 32, 12500, 6250 },
		{ 4095, 2048, 32, 128, 12500, 6250 },
		{ 4096, 4096, 64, 256, 200000, 100000 },
	};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
		struct machine *m = machine_new(cases[i].pages);
		const struct bench_scale *scale = &m->bench.arena.scale;
		char part[80];

		m->cfg.options.workloads = BENCH_CHURN0 | BENCH_BULK;
		assert_int_equal(machine_run(m), 0);
		assert_int_equal(m->bench.arena.pages, cases[i].arena);
		assert_false(m->bench.arena.full);
		assert_int_equal(scale->slots, cases[i].slots);
		assert_int_equal(scale->bulk_pages, cases[i].bulk);
		assert_int_equal(scale->steps, cases[i].steps);
		assert_int_equal(scale->pairs, cases[i].pairs);
		snprintf(part, sizeof(part), " arena=%u slots=%u ", (unsigned int)cases[i].arena,
			 (unsigned int)cases[i].slots);
		assert_non_null(line_with("smp bench=churn0 ", part, " fail=0 "));
		machine_free(m);
	}
}

/* With slots for more than there is, allocations fail: that is counted, and no fault. */
static void test_memory_short(void **state)
{
	struct machine *m = machine_new(64);
	const char *line;

	(void)state;
	m->cfg.options.workloads = BENCH_CHURN;
	naive_fault = (struct naive_fault){ .wrong = FAILS, .at = 100 };
	assert_int_equal(machine_run(m), 0);
	line = line_with("smp bench=churn ", "where=arena", "");
	assert_non_null(line);
	assert_null(strstr(line, " fail=0 "));
	machine_free(m);
}

/* The whole of it in 1 GiB with the buddy that is the point of it all, live and in the arena. */
static void test_full_arena(void **state)
{
	static const struct page_allocator_ops *const only[] = { &bench_alloc_buddy, NULL };
	const struct bench_range ranges[2] = { { (1 << 18) + 1, (1 << 18) + 3 },
					       { 400000, 1200000 } };
	struct machine *m = machine_new(64);
	struct page_allocator system;
	struct buddy_hart hart;
	struct buddy_tree tree;
	struct buddy buddy;
	uint64_t bytes = buddy_tree_bytes(1 << 18, 1200000);
	void *meta = malloc(bytes);

	(void)state;
	assert_int_equal(buddy_init(&buddy, &tree, 1, &hart, 1), 0);
	assert_int_equal(buddy_add_tree(&buddy, 1 << 18, 1200000, meta, bytes), 0);
	assert_int_equal(buddy_add_range(&hart, (1 << 18) + 1, (1 << 18) + 3, 0, UINT64_MAX), 0);
	assert_int_equal(buddy_add_range(&hart, 400000, 1200000, (1 << 18) + 3, UINT64_MAX), 0);
	page_allocator_from_buddy(&system, &buddy, &hart, BUDDY_DEFAULT);
	m->cfg.system = &system;
	m->cfg.ranges = ranges;
	m->cfg.nr_ranges = 2;
	m->cfg.allocators = only;
	assert_int_equal(machine_run(m), 0);
	assert_true(m->bench.arena.full);
	assert_int_equal(count_lines(" smp bench=pair "), 19 + 18);
	assert_int_equal(count_lines(" frag bench=exhaust "), 20);
	assert_non_null(line_with("frag ", "order=18 had=1 ideal=1 ", ""));
	assert_non_null(line_with("frag ", "order=0 had=262144 ideal=262144 ", ""));
	assert_non_null(line_with("smp bench=churn alloc=buddy where=arena setting=default ",
				  "arena=262144 slots=4096 op=step rep=0 ops=200000 ", "fail=0"));
	assert_non_null(line_with("smp bench=churn alloc=buddy where=system setting=default ",
				  "arena=800002 slots=4096 op=step rep=0 ops=200000 ", "fail=0"));
	assert_non_null(line_with("smp bench=bulk ", "ops=16384 ", "op=alloc2"));
	machine_free(m);
	free(meta);
}

static char (*run_once(uint64_t seed, unsigned int *n))[RECORD_MAX + 1]
{
	struct machine *m = machine_new(3 * SMALL_PAGES);
	char(*copy)[RECORD_MAX + 1];

	m->cfg.options.seed = seed;
	assert_int_equal(machine_run(m), 0);
	copy = calloc(nr_lines, sizeof(*copy));
	memcpy(copy, lines, nr_lines * sizeof(*copy));
	*n = nr_lines;
	machine_free(m);
	return copy;
}

static void test_determinism(void **state)
{
	char(*a)[RECORD_MAX + 1], (*b)[RECORD_MAX + 1], (*c)[RECORD_MAX + 1];
	unsigned int na, nb, nc, differ = 0;

	(void)state;
	a = run_once(42, &na);
	b = run_once(42, &nb);
	c = run_once(43, &nc);
	assert_int_equal(na, nb);
	assert_int_equal(na, nc);
	for (unsigned int i = 0; i < na; i++) {
		assert_string_equal(a[i], b[i]);
		differ += strcmp(a[i], c[i]) != 0;
	}
	/* Every churn, bulk and exhaust is another one with another seed. */
	assert_true(differ > 0);
	for (unsigned int i = 0; i < na; i++) {
		bool random = strstr(a[i], " smp bench=churn") || strstr(a[i], "order=mix");

		assert_true(!random || strcmp(a[i], c[i]));
	}
	free(a);
	free(b);
	free(c);
}

/* When instret is not exact: ns, five repetitions, medians, fewer pairs. */
static void test_noisy(void **state)
{
	struct machine *m = machine_new(3 * SMALL_PAGES);

	(void)state;
	fake_noisy = true;
	m->cfg.options.workloads = BENCH_PAIR;
	assert_int_equal(machine_run(m), 0);
	assert_false(m->bench.exact);
	assert_int_equal(m->bench.reps, 5);
	assert_int_equal(m->bench.arena.scale.pairs, 625);
	assert_int_equal(count_lines(" smp bench=pair "), 5 * (12 + 11));
	assert_int_equal(count_lines(" cal bench=pair "), 5);
	assert_int_equal(count_lines("unit=ins"), 0);
	/* A tick is a ns, and three of them an instruction. */
	assert_int_equal(count_lines(" unit=ns net_x100=12600 "), 12 + 11);
	bench_report(&m->bench);
	assert_non_null(strstr(said, "ns (instructions are not exact)"));
	assert_null(strstr(said, "goal: at most"));
	assert_null(strstr(said, "Linux"));
	machine_free(m);
}

/* What an allocator lacks is n/a in the table and na in the records. */
static void test_lacks(void **state)
{
	struct machine *m = machine_new(3 * SMALL_PAGES);

	(void)state;
	m->cfg.allocators = naive_only;
	naive_lacks_free = true;
	assert_int_equal(machine_run(m), 0);
	assert_non_null(line_with("res bench=churn alloc=naive where=arena ", "net_x100=na ", ""));
	assert_int_equal(count_lines(" res bench=pair "), 12 + 11);
	assert_int_equal(count_lines(" smp bench=pair "), 0);
	assert_int_equal(count_lines(" had=na ideal=na "), 13 + 10);
	bench_report(&m->bench);
	assert_non_null(strstr(said, "    n/a     n/a     n/a"));
	machine_free(m);

	m = machine_new(3 * SMALL_PAGES);
	naive_max_order = 3;
	assert_int_equal(machine_run(m), 0);
	assert_non_null(line_with("res bench=churn alloc=naive where=arena ", "net_x100=na ", ""));
	assert_non_null(line_with("res bench=churn0 ", "net_x100=", "where=arena"));
	assert_null(line_with("res bench=churn0 ", "net_x100=na", "where=arena"));
	assert_int_equal(count_lines(" res bench=pair "), 12 + 11);
	assert_int_equal(count_lines(" smp bench=pair "), 4 + 4);
	assert_int_equal(count_lines(" had=na ideal=na "), 8 + 5);
	machine_free(m);
}

static unsigned int check_width(void)
{
	unsigned int column = 0, rows = 0;

	for (const char *c = said; *c; c++) {
		column = *c == '\n' ? 0 : column + 1;
		rows += *c == '\n';
		assert_true(column <= 100);
		assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7f));
	}
	assert_int_equal(column, 0);
	return rows;
}

static void test_report(void **state)
{
	struct machine *m = machine_new(3 * SMALL_PAGES);

	(void)state;
	assert_int_equal(machine_run(m), 0);
	m->bench.has_handover = m->bench.has_ready = true;
	m->bench.handover_ins = 571;
	m->bench.ready_ins = 250001;
	bench_report(&m->bench);
	assert_true(check_width() <= 40); /* one screen */
	assert_non_null(
		strstr(said, "naive                          42.0    42.0    30.0    12.0"));
	assert_non_null(strstr(
		said, "  goal                         40.0   100.0    15.0    24.0    24.0    "
		      "26.0     600  0.1400 365/365\n"));
	/* Scores and metadata have goals in the full arena only. */
	assert_non_null(strstr(said, "goals missed, 3 of 11: pair order 0 42.0 of 40.0 (+2.0); "
				     "bulk alloc 30.0 of 15.0 (+15.0);\n"
				     "  ready 250001 of 250000 (+1)\n"));
	assert_non_null(strstr(said, "goals met, 8 of 11: pair order 9 42.0 of 100.0 (-58.0); "
				     "pair order 10 42.0 of 100.0 (-58.0);\n"
				     "  free ordered 12.0 of 24.0 (-12.0); free random "));
	assert_non_null(
		strstr(said, "slowest free 12 of 1000 (-988); handover 571 of 600 (-29)\n"));
	assert_non_null(strstr(said, "Linux 6.12, server"));
	assert_non_null(strstr(said, "verified: "));
	assert_null(strstr(said, "pair, by order"));
	assert_null(strstr(said, "single calls in the churn"));

	said[0] = '\0';
	m->cfg.options.verbose = m->bench.cfg.options.verbose = true;
	m->bench.failures = 2;
	m->bench.figures[0].churn = 123456789012;
	m->bench.figures[0].churn0 = FIGURE_FAILED;
	m->bench.ready_ins = UINT32_MAX;
	bench_report(&m->bench);
	check_width();
	assert_non_null(strstr(said, "pair, by order"));
	assert_non_null(strstr(said, "single calls in the churn"));
	assert_non_null(strstr(said, "1234.6M"));
	assert_non_null(strstr(said, "FAILED"));
	assert_non_null(strstr(said, "NOT VERIFIED: 2 checks failed"));
	assert_null(strstr(said, "verified: "));
	machine_free(m);
}

/* One allocator in two settings: rows and records name both, and each has goals of its own. */
static void test_settings(void **state)
{
	struct page_allocator_ops healing = naive_ops, other = naive_ops;
	const struct page_allocator_ops *const three[] = { &naive_ops, &healing, &other, NULL };
	struct machine *m = machine_new(3 * SMALL_PAGES);

	(void)state;
	healing.setting = "healing";
	other.name = "other";
	m->cfg.allocators = three;
	m->cfg.options.workloads = BENCH_CHURN | BENCH_CHURN0;
	assert_int_equal(machine_run(m), 0);
	assert_int_equal(m->bench.nr_figures, 3);
	m->bench.figures[1].churn = 4600;
	bench_report(&m->bench);
	assert_true(check_width() <= 40);
	assert_non_null(strstr(said, "\nnaive, default   "));
	assert_non_null(strstr(said, "\nnaive, healing   "));
	assert_non_null(strstr(said, "\nother   "));
	assert_non_null(strstr(said, " healing churn 46.0 of 45.0 (+1.0)"));
	assert_non_null(line_with("res bench=churn0 alloc=naive ", "setting=healing ", ""));
	machine_free(m);

	/* alloc= chooses by name. */
	m = machine_new(3 * SMALL_PAGES);
	m->cfg.allocators = three;
	m->cfg.options.workloads = BENCH_CHURN0;
	strcpy(m->cfg.options.allocators, "other");
	assert_int_equal(machine_run(m), 0);
	assert_int_equal(m->bench.nr_figures, 1);
	assert_null(line_with(" res ", "alloc=naive", ""));
	bench_report(&m->bench);
	assert_null(strstr(said, "goals "));
	machine_free(m);
}

/* Lines about the progress come at most every two seconds. */
static void test_progress(void **state)
{
	struct machine *m = machine_new(3 * SMALL_PAGES);
	unsigned int n = 0;

	(void)state;
	m->cfg.clock.tb_hz = 10000; /* a slow machine: 3333 instructions a second */
	m->cfg.options.workloads = BENCH_PAIR;
	assert_int_equal(machine_run(m), 0);
	for (const char *c = said; (c = strstr(c, "bench: ")) != NULL; c++)
		n++;
	assert_int_equal(n, 12 + 11);
	assert_non_null(strstr(said, "bench: 100 %  pair of naive\n"));
	machine_free(m);
}

static void check_refused(struct machine *m, int expected, const char *message)
{
	assert_int_equal(bench_init(&m->bench, &m->cfg), 0);
	said[0] = '\0';
	assert_int_equal(bench_run(&m->bench), expected);
	assert_non_null(strstr(said, message));
}

static void test_refusals(void **state)
{
	const struct bench_range bad[][2] = { { { 5, 5 }, { 8, 9 } },
					      { { 5, 8 }, { 7, 9 } },
					      { { 7, 8 }, { 5, 6 } } };
	struct machine *m = machine_new(SMALL_PAGES);
	struct bench_config good = m->cfg;

	(void)state;
	check_refused(m, -EMM_ENOSPC, "the workspace needs ");
	m->cfg.workspace_bytes = 100;
	m->cfg.workspace = m->meta;
	check_refused(m, -EMM_ENOSPC, "the workspace needs ");
	m->cfg.system = NULL;
	check_refused(m, -EMM_EINVAL, "no page allocator");
	m->cfg = good;
	m->cfg.nr_ranges = 0;
	check_refused(m, -EMM_EINVAL, "no page allocator");

	m->cfg = good;
	m->cfg.options.seed = 0;
	assert_int_equal(bench_init(&m->bench, &m->cfg), -EMM_EINVAL);
	m->cfg = good;
	m->cfg.options.reps = BENCH_MAX_REPS + 1;
	assert_int_equal(bench_init(&m->bench, &m->cfg), -EMM_EINVAL);
	m->cfg = good;
	m->cfg.clock.tb_hz = 0;
	assert_int_equal(bench_init(&m->bench, &m->cfg), -EMM_EINVAL);
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		m->cfg = good;
		m->cfg.ranges = bad[i];
		m->cfg.nr_ranges = 2;
		assert_int_equal(bench_init(&m->bench, &m->cfg), -EMM_EINVAL);
	}
	m->cfg.workspace = NULL;
	machine_free(m);
}

/* Too little memory for an arena; and a workspace for less than all of it. */
static void test_little_memory(void **state)
{
	struct machine *m = machine_new(63);

	(void)state;
	assert_int_equal(machine_run(m), -EMM_ENOMEM);
	assert_non_null(strstr(said, "no block of 64 pages"));
	machine_free(m);

	m = machine_new(8 * SMALL_PAGES);
	m->cfg.workspace_bytes = 400000;
	m->cfg.workspace = aligned_alloc(64, 400000);
	assert_int_equal(bench_init(&m->bench, &m->cfg), 0);
	assert_int_equal(bench_run(&m->bench), 0);
	check_lines();
	assert_int_equal(m->bench.arena.pages, 2 * SMALL_PAGES);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_churn_counts), cmocka_unit_test(test_replay_counts),
		cmocka_unit_test(test_full_churn),   cmocka_unit_test(test_all_right),
		cmocka_unit_test(test_scaling),      cmocka_unit_test(test_memory_short),
		cmocka_unit_test(test_full_arena),   cmocka_unit_test(test_determinism),
		cmocka_unit_test(test_noisy),        cmocka_unit_test(test_lacks),
		cmocka_unit_test(test_report),       cmocka_unit_test(test_progress),
		cmocka_unit_test(test_refusals),     cmocka_unit_test(test_little_memory),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
