/* SPDX-License-Identifier: BSD-2-Clause */
/* age, burst and frag: what the loops do, what is scored, how it scales. */
#include "test_bench_naive.h"

#include "bench_impl.h"

#define SMALL_PAGES 1024
#define ARENA       2048
#define STEPS       3000
#define MAX_LIVE    256
#define MAX_EVENTS  (2 * STEPS)

/* An allocator that gives the last page that it got back, and knows which are in use. */
struct stack {
	int64_t free[1024];
	unsigned int nr;
	bool used[1024];
};

static int64_t stack_alloc(void *self, unsigned int order)
{
	struct stack *s = self;

	assert_int_equal(order, 0);
	if (!s->nr)
		return -EMM_ENOMEM;
	s->used[s->free[--s->nr]] = true;
	return s->free[s->nr];
}

static int stack_free(void *self, uint64_t pfn, unsigned int order)
{
	struct stack *s = self;

	assert_int_equal(order, 0);
	assert_true(pfn < ARRAY_SIZE(s->used) && s->used[pfn]);
	s->used[pfn] = false;
	s->free[s->nr++] = (int64_t)pfn;
	return 0;
}

struct looped {
	struct stack stack;
	struct page_allocator pa;
	struct aging aging;
	int64_t live[MAX_LIVE], trace[MAX_EVENTS];
};

static const struct bench_clock no_clock = { .tb_hz = 1, .read = fake_read };

static struct looped *looped_new(unsigned int pages, unsigned int nr_live, bool filled)
{
	struct looped *l = calloc(1, sizeof(*l));

	for (unsigned int i = 0; i < pages; i++)
		l->stack.free[l->stack.nr++] = i;
	l->pa = (struct page_allocator){ .alloc = stack_alloc,
					 .free = stack_free,
					 .self = &l->stack };
	l->aging = (struct aging){ .live = l->live, .nr_live = nr_live, .burst = 8, .random = 42 };
	for (unsigned int i = 0; i < nr_live; i++)
		l->live[i] = filled ? stack_alloc(&l->stack, 0) : -1;
	return l;
}

/* The table holds exactly what is in use. Returns how many pages that is. */
static unsigned int check_live(const struct looped *l)
{
	unsigned int n = 0, used = 0;
	bool seen[1024] = { false };

	for (unsigned int i = 0; i < l->aging.nr_live; i++) {
		if (l->live[i] < 0)
			continue;
		assert_false(seen[l->live[i]]);
		seen[l->live[i]] = true;
		assert_true(l->stack.used[l->live[i]]);
		n++;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(l->stack.used); i++)
		used += l->stack.used[i];
	assert_int_equal(n, used);
	return n;
}

static void test_age_loop(void **state)
{
	struct looped *whole = looped_new(600, 100, true), *parts = looped_new(600, 100, true);
	struct loop_result res;

	(void)state;
	loop_age(&no_clock, &whole->pa, &whole->aging, STEPS, whole->trace, &res);
	assert_int_equal(res.logged, STEPS);
	assert_int_equal(res.failed_frees, 0);
	assert_int_equal(check_live(whole), 100);
	for (unsigned int i = 0; i < MAX_EVENTS; i++)
		assert_int_equal(EVENT_IS_GIVE(whole->trace[i]) != 0, i % 2 == 0);
	/* The first page to go is the one that the seed says. */
	assert_int_equal(EVENT_PFN(whole->trace[0]), 599 - 45454805674 % 100);

	/* In pieces it is the same. */
	loop_age(&no_clock, &parts->pa, &parts->aging, 1, parts->trace, &res);
	loop_age(&no_clock, &parts->pa, &parts->aging, STEPS - 1, parts->trace + 2, &res);
	assert_memory_equal(whole->trace, parts->trace, sizeof(whole->trace));
	assert_int_equal(whole->aging.random, parts->aging.random);
	free(whole);
	free(parts);
}

/* Each burst frees pages that differ, then takes as many. */
static void test_burst_loop(void **state)
{
	struct looped *l = looped_new(300, 100, true);
	struct loop_result res;

	(void)state;
	loop_burst(&no_clock, &l->pa, &l->aging, 100, l->trace, &res);
	assert_int_equal(res.logged, 800);
	assert_int_equal(check_live(l), 100);
	for (unsigned int i = 0; i < 1600; i++)
		assert_int_equal(EVENT_IS_GIVE(l->trace[i]) != 0, i % 16 < 8);

	/* All of what is live may go in one burst. */
	l->aging.burst = 100;
	loop_burst(&no_clock, &l->pa, &l->aging, 10, l->trace, &res);
	assert_int_equal(check_live(l), 100);
	free(l);
}

static void test_slots_loop(void **state)
{
	struct looped *l = looped_new(300, 256, false);
	struct loop_result res;
	unsigned int takes = 0, gives = 0;

	(void)state;
	loop_slots(&no_clock, &l->pa, &l->aging, STEPS, l->trace, &res);
	for (unsigned int i = 0; i < STEPS; i++) {
		bool give = EVENT_IS_GIVE(l->trace[i]);

		gives += give;
		takes += !give;
	}
	assert_int_equal(takes - gives, check_live(l));
	assert_in_range(check_live(l), 80, 180); /* about half */
	free(l);
}

/* When memory is out, the error is in the trace, and nobody frees it. */
static void test_failed_allocs(void **state)
{
	struct looped *l = looped_new(256, 256, true);
	struct loop_result res;

	(void)state;
	l->stack.nr = 0;
	l->live[3] = -EMM_ENOMEM; /* as if */
	loop_age(&no_clock, &l->pa, &l->aging, 2000, l->trace, &res);
	assert_int_equal(res.failed_frees, 0);
	l->live[3] = stack_alloc(&l->stack, 0);
	loop_burst(&no_clock, &l->pa, &l->aging, 10, l->trace, &res);
	loop_slots(&no_clock, &l->pa, &l->aging, 100, l->trace, &res);
	assert_int_equal(res.failed_frees, 0);
	assert_int_equal(EVENT_PFN(EVENT_TAKE((int64_t)-EMM_ENOMEM)), -EMM_ENOMEM);
	assert_int_equal(EVENT_PFN(EVENT_GIVE((int64_t)-EMM_ENOMEM)), -EMM_ENOMEM);
	assert_int_equal(EVENT_IS_GIVE(EVENT_TAKE((int64_t)-EMM_ENOMEM)), 0);
	free(l);
}

/*
 * Pages 0, 512 and 1030 of 2048 are live:
 *	|x       |x       |  x     |        |	order 9: one block of the three there could be
 * and of 255 blocks of order 3 that there could be, 253 are there.
 */
static void test_score(void **state)
{
	static uint64_t words[ARENA / 64];
	static int64_t log[3], trace[4096];
	static uint8_t used[ARENA];
	static const uint64_t live[3] = { 0, 512, 1030 };
	struct naive n = { .pages = ARENA, .nr_free = ARENA - 3, .used = used };
	struct page_allocator pa = { .alloc = naive_alloc,
				     .free = naive_free,
				     .self = &n,
				     .state = &n,
				     .ops = &naive_ops,
				     .max_order = 18 };
	struct bench b = { .log = log, .trace = trace, .trace_entries = 4096 };
	const struct workload *wl = bench_workloads;
	struct bench_rep r = { .b = &b, .place = &b.arena, .pa = &pa };

	(void)state;
	while (wl->bit != BENCH_AGE)
		wl++;
	r.wl = wl;
	b.records.sink = keep_line;
	nr_lines = 0;
	b.arena_range = (struct bench_range){ 0, ARENA };
	b.arena = (struct bench_place){ .name = "arena",
					.map = { &b.arena_range, 1, words },
					.pages = ARENA };
	shadow_reset(&b.arena.map);
	for (unsigned int i = 0; i < 3; i++) {
		used[live[i]] = 1;
		log[i] = (int64_t)live[i];
		assert_int_equal(shadow_take(&b.arena.map, log[i], 0), BENCH_OK);
	}
	r.aging = (struct aging){ .live = log, .nr_live = 3 };
	score_live(&r);
	assert_int_equal(r.score.had[SCORE_ORDER9], 1);
	assert_int_equal(r.score.ideal[SCORE_ORDER9], 3);
	assert_int_equal(r.score.had[SCORE_ORDER3], 253);
	assert_int_equal(r.score.ideal[SCORE_ORDER3], 255);
	assert_int_equal(n.nr_free, ARENA - 3);
	assert_int_equal(r.failed_frees, 0);
	assert_non_null(line_with("frag bench=age alloc=naive where=arena setting=default ",
				  "arena=2048 order=9 state=live had=1 ideal=3 chk=", ""));
	assert_non_null(line_with("frag ", "order=3 state=live had=253 ideal=255 ", ""));

	/* The map is as it was, so that it can be done again; later repetitions say nothing. */
	r.rep = 1;
	score_live(&r);
	assert_int_equal(r.score.had[SCORE_ORDER9], 1);
	assert_int_equal(nr_lines, 2);
}

/* What the full arena has, and that small ones have less of it. */
static void test_scale(void **state)
{
	struct bench_scale s;

	(void)state;
	scale_for(&s, 1 << 18, 262144, true);
	assert_int_equal(s.live, 65536);
	assert_int_equal(s.age_steps, 1000000);
	assert_int_equal(s.burst, 512);
	assert_int_equal(s.burst_rounds, 2000);
	assert_int_equal(s.frag_slots, 65536);
	assert_int_equal(s.frag_steps, 500000);
	scale_for(&s, 64, 16384, true);
	assert_int_equal(s.live, 16);
	assert_int_equal(s.age_steps, 62500);
	assert_int_equal(s.burst, 1);
	assert_int_equal(s.burst_rounds, 64000);
	assert_int_equal(s.frag_slots, 16);
	assert_int_equal(s.frag_steps, 31250);
}

/* A right allocator, from the smallest arena on; each step costs an alloc and a free. */
static void test_right(void **state)
{
	static const uint64_t sizes[] = { 64, 512, 3 * SMALL_PAGES, 5 * SMALL_PAGES };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct machine *m = machine_new(sizes[i]);
		const struct bench_figures *fig = &m->bench.figures[0];
		uint64_t pages;

		m->cfg.options.workloads = BENCH_AGE | BENCH_BURST | BENCH_FRAG;
		assert_int_equal(machine_run(m), 0);
		assert_int_equal(m->bench.units_done, m->bench.units);
		pages = m->bench.arena.pages;
		assert_int_equal(fig->age, (ALLOC_COST + FREE_COST) * 100);
		assert_int_equal(fig->burst, (ALLOC_COST + FREE_COST) * 100);
		assert_in_range(fig->frag, FREE_COST * 100, ALLOC_COST * 100);
		assert_int_equal(fig->age_score.ideal[SCORE_ORDER3], pages * 3 / 4 / 8);
		assert_int_equal(fig->burst_score.ideal[SCORE_ORDER9], pages * 3 / 4 / 512);
		assert_int_equal(fig->freed_score.had[SCORE_ORDER9], pages / 512);
		assert_int_equal(fig->freed_score.had[SCORE_ORDER3], pages / 8);
		assert_int_equal(count_lines(" frag bench=frag "), 4);
		assert_int_equal(count_lines(" frag bench=age "), 2);
		machine_free(m);
	}
}

/* Where time is all there is, the other workloads are repeated. */
static void test_noisy(void **state)
{
	struct machine *m = machine_new(3 * SMALL_PAGES);

	(void)state;
	fake_noisy = true;
	m->cfg.options.workloads = BENCH_AGE | BENCH_CHURN0;
	assert_int_equal(machine_run(m), 0);
	assert_int_equal(count_lines(" smp bench=age "), 1);
	assert_int_equal(count_lines(" smp bench=churn0 "), 5);
	assert_int_equal(m->bench.units_done, m->bench.units);
	assert_int_equal(m->bench.figures[0].age, (ALLOC_COST + FREE_COST) * 300);
	machine_free(m);

	m = machine_new(3 * SMALL_PAGES);
	m->cfg.options.workloads = BENCH_AGE;
	m->cfg.options.reps = 2;
	assert_int_equal(machine_run(m), 0);
	assert_int_equal(count_lines(" smp bench=age "), 2);
	assert_int_equal(count_lines(" frag bench=age "), 2);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_age_loop),   cmocka_unit_test(test_burst_loop),
		cmocka_unit_test(test_slots_loop), cmocka_unit_test(test_failed_allocs),
		cmocka_unit_test(test_score),      cmocka_unit_test(test_scale),
		cmocka_unit_test(test_right),      cmocka_unit_test(test_noisy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
