/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The benchmark of the list buddy, and of an allocator whose metadata does not fit: that is n/a, and
 * the arena of the others is as large as it would be without it.
 */
#include "test_bench_naive.h"

#include "bench_impl.h"

#define PAGES       3072
#define ARENA_PAGES 2048

static const struct page_allocator_ops *const naive_and_list[] = { &naive_ops, &bench_alloc_list,
								   NULL };

/* All workloads, with a workspace of so many bytes. */
static struct machine *run_with(uint64_t (*bytes)(const struct bench_config *cfg), uint64_t less)
{
	struct machine *m = machine_new(PAGES);

	m->cfg.allocators = naive_and_list;
	m->cfg.workspace_bytes = bytes(&m->cfg) - less;
	m->cfg.workspace = aligned_alloc(64, m->cfg.workspace_bytes & ~(uint64_t)63);
	memset(m->cfg.workspace, 0x5a, m->cfg.workspace_bytes & ~(uint64_t)63);
	assert_int_equal(bench_init(&m->bench, &m->cfg), 0);
	assert_int_equal(bench_run(&m->bench), 0);
	check_lines();
	return m;
}

static void test_all_workloads(void **state)
{
	struct machine *m = run_with(bench_workspace_bytes, 0);

	(void)state;
	assert_int_equal(m->bench.failures, 0);
	assert_int_equal(m->bench.arena.pages, ARENA_PAGES);
	assert_int_equal(m->bench.figures[1].meta_bytes, ARENA_PAGES * 64);
	/* It costs nothing on this clock, but it was measured. */
	assert_int_equal(m->bench.figures[1].churn, 0);
	assert_int_equal(m->bench.figures[1].pair[1][10], 0);
	/* Calls for many pages, and movable ones, are what it does not have. */
	assert_int_equal(count_lines_of("alloc=list", "na *"), 4 + 1 + 2);
	assert_int_equal(count_lines_of("res bench=bulkapi alloc=list", "net_x100=na *"), 4);
	assert_non_null(line_with("res bench=mobility alloc=list", "net_x100=na *", ""));
	assert_non_null(
		line_with("frag bench=exhaust alloc=list", "order=0 had=2048 ideal=2048", ""));
	assert_non_null(
		line_with("frag bench=exhaust alloc=list", "order=mix had=2048 ideal=2048", ""));
	machine_free(m);
}

static void check_not_there(const struct machine *m)
{
	const struct bench_figures *list = &m->bench.figures[1];

	assert_int_equal(m->bench.failures, 0);
	assert_int_equal(list->churn, FIGURE_NA);
	assert_int_equal(list->churn0, FIGURE_NA);
	assert_int_equal(list->bulk[3], FIGURE_NA);
	assert_int_equal(list->pair[0][0], FIGURE_NA);
	assert_null(line_with(" smp ", "alloc=list", ""));
	assert_non_null(line_with("res bench=churn alloc=list", "net_x100=na *", ""));
	assert_non_null(line_with("frag bench=exhaust alloc=list", "order=mix had=na", ""));
}

static void test_no_room(void **state)
{
	struct machine *m = run_with(bench_workspace_least, 0);

	(void)state;
	assert_int_equal(m->bench.arena.pages, ARENA_PAGES);
	assert_int_equal(m->bench.figures[0].pair[1][0], (ALLOC_COST + FREE_COST) * 100);
	check_not_there(m);
	machine_free(m);

	/* With a little less than all need it is the same; with less than the first needs, the arena halves. */
	m = run_with(bench_workspace_bytes, 64);
	assert_int_equal(m->bench.arena.pages, ARENA_PAGES);
	check_not_there(m);
	machine_free(m);

	m = run_with(bench_workspace_least, 64);
	assert_int_equal(m->bench.arena.pages, ARENA_PAGES / 2);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_workloads),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
