/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole page allocator under the benchmark; and reserves that are not what they should be. */
#include "test_bench_naive.h"

#include <earlymm/page_alloc.h>
#include "bench_impl.h"

#define FULL_PAGES 262144

/* ---- the page allocator, in the arena ---- */

static struct machine *run_api(uint64_t pages, uint32_t workloads, const char *allocators)
{
	struct machine *m = machine_new(pages);

	m->cfg.allocators = NULL;
	m->cfg.options.workloads = workloads;
	snprintf(m->cfg.options.allocators, sizeof(m->cfg.options.allocators), "%s", allocators);
	assert_int_equal(machine_run(m), 0);
	assert_int_equal(m->bench.failures, 0);
	assert_int_equal(m->bench.units_done, m->bench.units);
	assert_string_equal(said, "");
	return m;
}

/* min_free_kbytes of 1 GiB is 4096: it stays out of reach for GFP_KERNEL, and of everybody's hands. */
static void test_full_arena(void **state)
{
	struct machine *m = run_api(
		FULL_PAGES, BENCH_EXHAUST | BENCH_CHURN | BENCH_AGE | BENCH_MOBILITY, "api");
	const struct bench_figures *fig = &m->bench.figures[0];

	(void)state;
	assert_true(m->bench.arena.full);
	assert_int_equal(m->bench.nr_figures, 1);
	assert_non_null(
		line_with("frag bench=exhaust alloc=api ", "order=0 had=261120 ideal=261120", ""));
	assert_non_null(
		line_with("frag bench=exhaust alloc=api ", "order=10 had=255 ideal=255", ""));
	assert_non_null(line_with("frag bench=exhaust alloc=api ", "order=17 had=1 ideal=1", ""));
	assert_non_null(line_with("frag bench=exhaust alloc=api ", "order=18 had=na", ""));
	assert_non_null(line_with("frag bench=exhaust alloc=api ", "order=mix had=261120 ", ""));
	assert_non_null(line_with("smp bench=churn alloc=api ", "ops=200000 ", "fail=0"));
	/* The reserve is part of what can be had beside the live pages. */
	assert_non_null(line_with("frag bench=age alloc=api ", "order=9 ", "ideal=384"));
	assert_true(fig->age_score.had[SCORE_ORDER9] >= 365);
	assert_true(fig->mobility_score.ideal[SCORE_ORDER9] > 450);
	machine_free(m);
}

/* The largest block is more than the reserve leaves. */
static void test_largest_block(void **state)
{
	struct machine *m = run_api(16384, BENCH_PAIR, "api");

	(void)state;
	assert_non_null(line_with("res bench=pair alloc=api ", "order=14 state=empty", "=na *"));
	assert_int_equal(count_lines_of("res bench=pair alloc=api ", "=na *"), 1);
	machine_free(m);
}

/* Every arena, down to the smallest, has a reserve that is what it should be. */
static void test_small_arenas(void **state)
{
	(void)state;
	for (uint64_t pages = 64; pages <= 32768; pages *= 8) {
		struct machine *m = run_api(pages, BENCH_ALL & ~(uint32_t)BENCH_PAIR, "api");

		assert_int_equal(m->bench.arena.pages, pages);
		assert_non_null(line_with("frag bench=exhaust alloc=api ", "order=mix had=", ""));
		machine_free(m);
	}
}

/* What the adapter says of its metadata is what the plan will say, wherever the arena is. */
static void test_metadata(void **state)
{
	const struct page_allocator_ops *ops = &bench_alloc_api;
	struct page_allocator pa = { .ops = ops };

	(void)state;
	pa.state = aligned_alloc(64, (ops->state_bytes + 63) & ~(uint64_t)63);
	for (uint64_t pages = 64; pages <= FULL_PAGES; pages *= 8) {
		for (uint64_t at = 1; at * pages < 1ULL << 44; at <<= 4) {
			uint64_t start = at * pages;
			uint64_t bytes = ops->meta_bytes(start, start + pages);
			void *meta = aligned_alloc(64, (bytes + 63) & ~(uint64_t)63);

			memset(meta, 0xa5, bytes);
			assert_int_equal(ops->setup(&pa, start, start + pages, meta, bytes), 0);
			assert_int_equal(ops->nr_free(&pa), pages);
			assert_int_not_equal(ops->setup(&pa, start, start + pages, meta, bytes - 8),
					     0);
			free(meta);
		}
	}
	free(pa.state);
}

/* Two settings of the same, one of them on request only. */
static void test_mobility(void **state)
{
	struct machine *m = run_api(FULL_PAGES, BENCH_MOBILITY, "api,api-unmovable,list");

	(void)state;
	assert_int_equal(m->bench.nr_figures, 3);
	for (unsigned int i = 0; i < 2; i++) {
		const struct bench_score *score = &m->bench.figures[i].mobility_score;

		/* One page in ten stays, and all of the rest is free in the end. */
		assert_in_range(score->ideal[SCORE_ORDER9], 459, 462);
		assert_true(score->had[SCORE_ORDER9] <= score->ideal[SCORE_ORDER9]);
		assert_true(score->had[SCORE_ORDER3] >= score->had[SCORE_ORDER9] * 64);
	}
	assert_int_equal(m->bench.figures[1].mobility_score.had[SCORE_ORDER9], 0);
	assert_non_null(line_with("smp bench=mobility alloc=api where=arena setting=default ",
				  "ops=1000000 ", "fail=0"));
	assert_non_null(line_with("frag bench=mobility alloc=list ", "had=na", ""));
	assert_null(line_with("mobility", "setting=healing", ""));
	machine_free(m);
}

/* The features that record something, and what they need: not much less than what is said. */
static void test_features(void **state)
{
	static const struct page_allocator_ops *const all[] = { &bench_alloc_api_compound,
								&bench_alloc_api_owner,
								&bench_alloc_api_poison };
	struct machine *m = run_api(4096, BENCH_CHURN | BENCH_BULKAPI | BENCH_EXHAUST,
				    "api-compound,api-owner,api-poison");

	(void)state;
	assert_int_equal(m->bench.nr_figures, 3);
	for (unsigned int i = 0; i < 3; i++) {
		struct page_allocator pa = { .ops = all[i] };
		uint64_t start = 1 << 18, end = start + 16384;
		uint64_t bytes = all[i]->meta_bytes(start, end);
		void *meta = aligned_alloc(64, (bytes + 63) & ~(uint64_t)63);

		assert_ptr_equal(m->bench.figures[i].ops, all[i]);
		pa.state = aligned_alloc(64, (all[i]->state_bytes + 63) & ~(uint64_t)63);
		assert_int_equal(all[i]->setup(&pa, start, end, meta, bytes), 0);
		assert_int_not_equal(all[i]->setup(&pa, start, end, meta, bytes - 4096), 0);
		free(meta);
		free(pa.state);
	}
	machine_free(m);
}

/* ---- live ---- */

static void *reach(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	(void)bytes;
	return (uint8_t *)ctx + pa;
}

/* Two zones, watermarks and all: the arena is had from it, and given back. */
static void test_live(void **state)
{
	static struct page_alloc pages;
	static struct memblock mb;
	const struct page_alloc_config cfg = { .nr_harts = 1 };
	const struct bench_range ranges[2] = { { DMA32_END_PFN - 20000, DMA32_END_PFN },
					       { DMA32_END_PFN, DMA32_END_PFN + 30000 } };
	struct machine *m = machine_new(64);
	uint8_t *meta = aligned_alloc(4096, 1 << 16);
	const struct phys_map map = { reach, meta };
	struct page_allocator system;
	phys_addr_t at = 0;

	(void)state;
	memblock_init(&mb, &map);
	assert_int_equal(
		memblock_add_node(&mb, PFN_PHYS(ranges[0].start_pfn), PFN_PHYS(50000), 0, 0), 0);
	assert_int_equal(page_alloc_plan(&pages, &mb, &cfg), 0);
	assert_int_equal(pages.nr_zones, 2);
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(mm_set_metadata(&pages.zones[i].mm, &mb, at), 0);
		at += PFN_PHYS(PFN_UP(pages.zones[i].mm.meta_bytes));
		assert_true(at <= 1 << 16);
		assert_int_equal(mm_init(&pages.zones[i].mm, &mb), 0);
		assert_int_equal(memblock_free_all(&pages.zones[i].mm, &mb), 0);
	}
	assert_int_equal(page_alloc_init(&pages), 0);
	page_allocator_from_pages(&system, &pages.harts[0]);
	assert_int_equal(system.ops->nr_free(&system), 50000);
	m->cfg.system = &system;
	m->cfg.ranges = ranges;
	m->cfg.nr_ranges = 2;
	m->cfg.options.workloads = BENCH_CHURN | BENCH_BULK;
	m->cfg.allocators = NULL;
	assert_int_equal(machine_run(m), 0);
	assert_int_equal(m->bench.arena.pages, 16384);
	assert_non_null(line_with("smp bench=churn alloc=api where=system setting=default ",
				  "arena=50000 ", "fail=0"));
	assert_int_equal(system.ops->nr_free(&system), 50000);
	/* The goals of the core are judged by what it is built on. */
	m->bench.exact = true;
	bench_report(&m->bench);
	assert_non_null(strstr(said, "goals met, "));
	assert_non_null(strstr(said, "churn, whole API"));
	machine_free(m);
	free(meta);
}

/* ---- reserves ---- */

#define RESERVE 128

/* What the naive allocator keeps back, and how much of it alloc_all() really has. */
static uint64_t kept, hidden;

static int64_t keeping_alloc(void *self, unsigned int order)
{
	const struct naive *n = self;

	return n->nr_free < kept + (1ULL << order) ? -EMM_ENOMEM : naive_alloc(self, order);
}

static int64_t keeping_alloc_all(void *self, unsigned int order)
{
	const struct naive *n = self;

	return n->nr_free < hidden + (1ULL << order) ? -EMM_ENOMEM : naive_alloc(self, order);
}

static int keeping_setup(struct page_allocator *pa, uint64_t start_pfn, uint64_t end_pfn,
			 void *meta, uint64_t meta_bytes)
{
	int ret = naive_setup(pa, start_pfn, end_pfn, meta, meta_bytes);

	pa->alloc = pa->alloc_movable = keeping_alloc;
	pa->alloc_all = keeping_alloc_all;
	return ret;
}

static uint64_t keeping_reserve(const struct page_allocator *pa)
{
	(void)pa;
	return RESERVE;
}

static const struct page_allocator_ops keeping_ops = {
	.name = "keeping",
	.setting = "default",
	.state_bytes = sizeof(struct naive),
	.meta_bytes = naive_meta_bytes,
	.setup = keeping_setup,
	.nr_free = naive_nr_free,
	.reserve = keeping_reserve,
};

static struct machine *run_keeping(uint64_t really_kept, uint64_t really_hidden, uint32_t workloads,
				   int expected)
{
	static const struct page_allocator_ops *const only[] = { &keeping_ops, NULL };
	struct machine *m = machine_new(2048);

	kept = really_kept;
	hidden = really_hidden;
	m->cfg.allocators = only;
	m->cfg.options.workloads = workloads;
	assert_int_equal(machine_run(m), expected);
	return m;
}

static void test_reserve(void **state)
{
	(void)state;
	machine_free(run_keeping(RESERVE, 0, BENCH_ALL, 0));
	assert_string_equal(said, "");
	assert_non_null(line_with("frag bench=exhaust ", "order=0 had=1920 ideal=1920", ""));
	assert_non_null(line_with("frag bench=exhaust ", "order=mix had=1920 ideal=1920", ""));
	assert_non_null(line_with("frag bench=exhaust ", "order=10 had=1 ideal=1", ""));
	assert_non_null(line_with("frag bench=exhaust ", "order=11 had=na", ""));
}

static void test_wrong_reserves(void **state)
{
	(void)state;
	/* Too much is kept, one page too much in small blocks only, or too little. */
	machine_free(run_keeping(RESERVE + 64, 0, BENCH_EXHAUST, -BENCH_EVERIFY));
	assert_non_null(strstr(said, "too early: pages had: expected 1920, found 1856"));
	machine_free(run_keeping(RESERVE + 1, 0, BENCH_EXHAUST, -BENCH_EVERIFY));
	assert_non_null(strstr(said, "too early: pages had: expected 1920, found 1919"));
	machine_free(run_keeping(RESERVE - 1, 0, BENCH_EXHAUST, -BENCH_EVERIFY));
	assert_non_null(strstr(said, "given away: pages of it: expected 128, found 127"));
	machine_free(run_keeping(RESERVE + 1, 0, BENCH_MOBILITY, -BENCH_EVERIFY));
	assert_non_null(strstr(said, "too early: pages had: expected 1920, found 1919"));
	machine_free(run_keeping(RESERVE + 1, 0, BENCH_AGE, -BENCH_EVERIFY));
	assert_non_null(strstr(said, "too early: pages had: expected 1920, found 1919"));
	/* It is not there when it is needed. */
	machine_free(run_keeping(RESERVE, 1, BENCH_EXHAUST, -BENCH_EVERIFY));
	assert_non_null(strstr(said, "too early: pages had: expected 2048, found 2047"));
	machine_free(run_keeping(RESERVE, 1, BENCH_BULK, -BENCH_EVERIFY));
	assert_non_null(strstr(said, "too early: pages had: expected 2048, found 2047"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full_arena),     cmocka_unit_test(test_largest_block),
		cmocka_unit_test(test_small_arenas),   cmocka_unit_test(test_metadata),
		cmocka_unit_test(test_mobility),       cmocka_unit_test(test_features),
		cmocka_unit_test(test_live),           cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_wrong_reserves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
