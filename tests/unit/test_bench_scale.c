/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Workloads on several harts, which are threads here: over allocators that are right, records and
 * table; over one that is wrong in one way at a time, what is said of it.
 */
#include "test_bench_naive.h"

#include <earlymm/page_alloc.h>

#include <pthread.h>
#include <sched.h>

#include "bench_impl.h"
#include "helper_threads.h"

#define NR_HARTS 3
#define PAGES    50000

static const struct page_allocator_ops *const ours[] = { &bench_alloc_buddy, &bench_alloc_api,
							 &bench_alloc_list, NULL };

/* ---- a live system for several harts ---- */

static struct page_alloc live_pages;

static void *reach(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	(void)bytes;
	return (uint8_t *)ctx + pa;
}

/* Its metadata, to be freed. */
static void *live_new(struct page_allocator *system, struct bench_range *range)
{
	static struct memblock mb;
	static struct phys_map map;
	const struct page_alloc_config cfg = { .nr_harts = NR_HARTS };
	uint8_t *meta = aligned_alloc(4096, 1 << 17);

	map = (struct phys_map){ reach, meta };
	*range = (struct bench_range){ DMA32_END_PFN, DMA32_END_PFN + PAGES };
	memblock_init(&mb, &map);
	assert_int_equal(memblock_add_node(&mb, PFN_PHYS(range->start_pfn), PFN_PHYS(PAGES), 0, 0),
			 0);
	assert_int_equal(page_alloc_plan(&live_pages, &mb, &cfg), 0);
	assert_true(live_pages.zones[0].mm.meta_bytes <= 1 << 17);
	assert_int_equal(mm_set_metadata(&live_pages.zones[0].mm, &mb, 0), 0);
	assert_int_equal(mm_init(&live_pages.zones[0].mm, &mb), 0);
	assert_int_equal(memblock_free_all(&live_pages.zones[0].mm, &mb), 0);
	assert_int_equal(page_alloc_init(&live_pages), 0);
	page_allocator_from_pages(system, &live_pages.harts[0]);
	return meta;
}

static unsigned int widest_line(void)
{
	unsigned int column = 0, widest = 0;

	for (const char *c = said; *c; c++) {
		column = *c == '\n' ? 0 : column + 1;
		widest = column > widest ? column : widest;
	}
	return widest;
}

/* Every allocator, 1, 2 and all harts; then the stress of the live one. */
static void test_all_right(void **state)
{
	struct machine *m = machine_new(64);
	struct helper_threads threads;
	struct page_allocator system;
	struct bench_range range;
	void *meta = live_new(&system, &range);

	(void)state;
	helper_threads_init(&threads, NR_HARTS);
	helper_threads_clock(&m->cfg.clock);
	m->cfg.harts = &threads.harts;
	m->cfg.system = &system;
	m->cfg.ranges = &range;
	m->cfg.allocators = ours;
	m->cfg.options.workloads = BENCH_SCALE | BENCH_REMOTE | BENCH_STRESS;
	m->cfg.options.steps = 3000;
	m->cfg.options.reps = 2;
	assert_int_equal(machine_run(m), 0);
	bench_report(&m->bench);
	assert_int_equal(m->bench.failures, 0);
	assert_int_equal(m->bench.units_done, m->bench.units);
	/* Allocators, kinds, numbers of harts, repetitions. */
	assert_int_equal(count_lines(" smp bench=scale "), 3 * 2 * 3 * 2);
	assert_int_equal(count_lines(" own bench=scale "), 3 * 2 * 3 * 2);
	assert_int_equal(count_lines(" res bench=scale "), 3 * 2 * 3);
	assert_int_equal(count_lines(" smp bench=remote "), 3 * 2 * 1 * 2);
	assert_int_equal(count_lines(" res bench=remote "), 3 * 2 * 1);
	assert_int_equal(count_lines(" smp bench=stress "), 2);
	assert_non_null(line_with("smp bench=scale alloc=list where=arena setting=default arena=",
				  "harts=3 slots=2048 op=churn0 rep=1 ops=9000 ", " fail=0 "));
	assert_non_null(line_with("smp bench=scale alloc=buddy", "harts=1 slots=512 op=churn rep=0",
				  " ops=3000 "));
	assert_non_null(line_with("own bench=scale alloc=api", "harts=2", "tb=0:"));
	assert_non_null(line_with("res bench=scale alloc=api", "harts=1", "unit=kops net_x100="));
	assert_non_null(line_with("res bench=scale alloc=api", "harts=1", " ratio_x100=100 "));
	assert_non_null(
		line_with("smp bench=remote alloc=buddy", "harts=2 op=mix rep=0 ops=3000 ", ""));
	assert_non_null(
		line_with("smp bench=stress alloc=api where=system", "harts=3", "ops=9000"));
	assert_non_null(strstr(said, "\nscale, churn0                    1 hart       2 harts"));
	assert_non_null(strstr(said, "\nremote, all orders               2 harts\n"));
	assert_non_null(strstr(said, ": two harts "));
	assert_non_null(strstr(said, "stress: 3 harts, 18000 operations; "));
	assert_true(widest_line() <= 100);
	assert_int_equal(system.ops->nr_free(&system), PAGES);
	machine_free(m);
	free(meta);
}

/* Small memory: out of it again and again, with the last page given away. */
static void test_stress_short(void **state)
{
	struct machine *m = machine_new(64);
	struct helper_threads threads;
	struct page_allocator system;
	struct bench_range range;
	void *meta = live_new(&system, &range);

	(void)state;
	helper_threads_init(&threads, NR_HARTS);
	helper_threads_clock(&m->cfg.clock);
	m->cfg.harts = &threads.harts;
	m->cfg.system = &system;
	m->cfg.ranges = &range;
	m->cfg.allocators = ours;
	m->cfg.options.workloads = BENCH_STRESS;
	m->cfg.options.steps = 20000;
	m->cfg.options.reps = 2;
	assert_int_equal(machine_run(m), 0);
	assert_true(m->bench.stress_none + m->bench.stress_again > 0);
	assert_true(m->bench.blocks_checked > 20000);
	machine_free(m);
	free(meta);
}

/* One hart, or an allocator for one: said, in records and table. */
static void test_not_there(void **state)
{
	struct machine *m = machine_new(3072);
	struct helper_threads threads;

	(void)state;
	helper_threads_clock(&m->cfg.clock);
	m->cfg.options.workloads = BENCH_SCALE | BENCH_REMOTE | BENCH_STRESS;
	m->cfg.allocators = ours;
	assert_int_equal(machine_run(m), 0);
	bench_report(&m->bench);
	assert_int_equal(m->bench.units, 0);
	assert_int_equal(count_lines(" smp "), 0);
	assert_int_equal(
		count_lines_of(" res bench=scale ", "harts=1 op=churn unit=kops net_x100=na "), 3);
	assert_int_equal(count_lines_of(" res bench=remote ", " net_x100=na "), 6);
	assert_int_equal(count_lines_of(" res bench=stress ", " net_x100=na "), 1);
	assert_non_null(strstr(said, "n/a: there is one hart only"));
	assert_non_null(strstr(said, "stress: n/a"));
	machine_free(m);

	m = machine_new(3072);
	helper_threads_init(&threads, 2);
	helper_threads_clock(&m->cfg.clock);
	m->cfg.harts = &threads.harts;
	m->cfg.options.workloads = BENCH_SCALE | BENCH_REMOTE | BENCH_STRESS;
	assert_int_equal(machine_run(m), 0);
	bench_report(&m->bench);
	assert_int_equal(count_lines_of(" res bench=scale alloc=naive", "net_x100=na "), 4);
	assert_int_equal(count_lines_of(" res bench=remote alloc=naive", "net_x100=na "), 2);
	assert_int_equal(count_lines_of(" res bench=stress alloc=naive", "net_x100=na "), 1);
	assert_non_null(strstr(said, "n/a: for one hart only"));
	machine_free(m);
}

/* ---- an allocator that is wrong ---- */

#define REGION 1024

/* Each hart allocates from a part of the arena first; what is wrong is wrong with hart 1's. */
struct regions {
	struct naive of[2];
	struct regional {
		struct regions *all;
		uint32_t hart;
	} self[2];
	uint64_t nr_allocs[2];
};

static pthread_mutex_t regions_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned int nr_setups;
static unsigned int shared_from; /* from this set-up on both harts have the same part; 0: never */

/* Until the other hart has as many blocks: they are to overlap in time. */
static void wait_for_other(struct regions *all, uint32_t hart)
{
	const uint64_t *other = &all->nr_allocs[!hart];

	if (__atomic_add_fetch(&all->nr_allocs[hart], 1, __ATOMIC_RELAXED) != 20)
		return;
	for (unsigned int i = 0; i < 1000000; i++) {
		if (__atomic_load_n(other, __ATOMIC_RELAXED) >= 20)
			return;
		sched_yield();
	}
}

static int64_t regional_alloc(void *self, unsigned int order)
{
	struct regional *r = self;
	int64_t pfn;

	if (shared_from && nr_setups >= shared_from)
		wait_for_other(r->all, r->hart);
	pthread_mutex_lock(&regions_lock);
	pfn = naive_alloc(&r->all->of[r->hart], order);
	if (pfn == -EMM_ENOMEM)
		pfn = naive_alloc(&r->all->of[!r->hart], order);
	pthread_mutex_unlock(&regions_lock);
	return pfn;
}

static int regional_free(void *self, uint64_t pfn, unsigned int order)
{
	struct regional *r = self;
	struct naive *n = &r->all->of[r->hart];
	int ret;

	if (pfn - n->start >= n->pages)
		n = &r->all->of[!r->hart];
	pthread_mutex_lock(&regions_lock);
	ret = naive_free(n, pfn, order);
	pthread_mutex_unlock(&regions_lock);
	return ret;
}

static void *regional_self_of(const struct page_allocator *pa, uint32_t hart)
{
	struct regions *all = pa->state;

	return &all->self[hart];
}

static int regions_setup(struct page_allocator *pa, uint64_t start_pfn, uint64_t end_pfn,
			 void *meta, uint64_t meta_bytes)
{
	struct regions *all = pa->state;

	memset(all, 0, sizeof(*all));
	memset(meta, 0, meta_bytes);
	nr_setups++;
	for (uint32_t i = 0; i < 2; i++) {
		struct naive *n = &all->of[i];

		n->pages = n->nr_free = (end_pfn - start_pfn) / 2;
		n->used = (uint8_t *)meta + i * n->pages;
		n->start = start_pfn + i * n->pages;
		if (shared_from && nr_setups >= shared_from)
			n->start = start_pfn;
		all->self[i] = (struct regional){ all, i };
	}
	all->of[1].fault = naive_fault;
	pa->alloc = regional_alloc;
	pa->free = regional_free;
	pa->self = &all->self[0];
	pa->self_of = regional_self_of;
	pa->max_order = 10;
	return 0;
}

static uint64_t regions_nr_free(const struct page_allocator *pa)
{
	const struct regions *all = pa->state;

	return all->of[0].nr_free + all->of[1].nr_free;
}

static const struct page_allocator_ops regions_ops = {
	.name = "regions",
	.setting = "default",
	.state_bytes = sizeof(struct regions),
	.meta_bytes = naive_meta_bytes,
	.hart_bytes = 64,
	.setup = regions_setup,
	.nr_free = regions_nr_free,
};

static const struct page_allocator_ops *const regions_only[] = { &regions_ops, NULL };

/* scale on two harts; what was said. */
static const char *run_regions(struct naive_fault fault, unsigned int shared, int expected)
{
	struct machine *m = machine_new(3 * REGION);
	struct helper_threads threads;

	helper_threads_init(&threads, 2);
	helper_threads_clock(&m->cfg.clock);
	m->cfg.harts = &threads.harts;
	m->cfg.allocators = regions_only;
	m->cfg.options.workloads = BENCH_SCALE;
	m->cfg.options.steps = 2000;
	m->cfg.options.reps = 1;
	naive_fault = fault;
	nr_setups = 0;
	shared_from = shared;
	assert_int_equal(machine_run(m), expected);
	machine_free(m);
	return said;
}

static void test_right(void **state)
{
	(void)state;
	run_regions((struct naive_fault){ RIGHT, 0 }, 0, 0);
	assert_string_equal(said, "");
	assert_int_equal(count_lines(" smp bench=scale "), 4);
	/* For each kind: warm-up and timed part for two numbers of harts; claims for both. */
	assert_int_equal(nr_setups, 2 * 6);
}

static void expect_fault(enum naive_wrong wrong, const char *text)
{
	run_regions((struct naive_fault){ wrong, 100 }, 0, -BENCH_EVERIFY);
	if (!strstr(said, text))
		fail_msg("%s", said);
	assert_int_equal(count_lines(" res bench=scale "), 0);
}

static void test_wrong(void **state)
{
	(void)state;
	expect_fault(GIVES_USED, "FAILED scale of regions in arena, 2 harts, hart 1: block ");
	expect_fault(GIVES_USED, "overlaps a block that is in use");
	expect_fault(GIVES_OUTSIDE, "2 harts, hart 1: block ");
	expect_fault(GIVES_OUTSIDE, "is outside the managed memory");
	expect_fault(LEAKS, "fewer pages free than there must be");
	expect_fault(REFUSES, "hart 1: frees of blocks in use were refused");
}

/* What they hold in the end has to be disjoint. */
static void test_overlap_in_the_end(void **state)
{
	(void)state;
	run_regions((struct naive_fault){ RIGHT, 0 }, 4, -BENCH_EVERIFY);
	assert_non_null(strstr(said, "FAILED scale of regions in arena, 2 harts, hart 1: with one "
				     "of hart 0's: block "));
	assert_non_null(strstr(said, "overlaps a block that is in use"));
}

/* Only the claims see this: set-up 6 is theirs, with two harts. */
static void test_overlap_on_the_way(void **state)
{
	(void)state;
	run_regions((struct naive_fault){ RIGHT, 0 }, 6, -BENCH_EVERIFY);
	assert_non_null(strstr(said, "FAILED scale of regions in arena, 2 harts, hart "));
	assert_non_null(strstr(said, "overlaps a block that is in use"));
	assert_int_equal(count_lines_of(" smp bench=scale ", "op=churn0"), 2);
}

/* A hart that does not come: said, and nothing is done with harts any more. */
static void test_lost_hart(void **state)
{
	struct machine *m = machine_new(3072);
	struct helper_threads threads;

	(void)state;
	helper_threads_init(&threads, 2);
	threads.missing = 1;
	helper_threads_clock(&m->cfg.clock);
	m->cfg.clock.tb_hz = 10000000; /* the 10 seconds of patience are a tenth of one */
	m->cfg.harts = &threads.harts;
	m->cfg.allocators = ours;
	m->cfg.options.workloads = BENCH_SCALE;
	m->cfg.options.steps = 100;
	m->cfg.options.reps = 1;
	assert_int_equal(machine_run(m), -BENCH_EVERIFY);
	assert_non_null(strstr(said, "2 harts: a hart did not come, or did not end"));
	assert_int_equal(m->bench.failures, 1);
	assert_int_equal(count_lines(" res "), 0);
	bench_report(&m->bench);
	machine_free(m);
}

/* Options, and what they do to the workspace. */
static void test_options(void **state)
{
	struct machine *m = machine_new(1 << 18);
	struct helper_threads threads;
	uint64_t alone;

	(void)state;
	assert_int_equal(bench_option(&m->cfg.options, "bench", "scale,remote", &keep_printer), 0);
	assert_int_equal(m->cfg.options.workloads, BENCH_SCALE | BENCH_REMOTE);
	assert_int_equal(bench_option(&m->cfg.options, "steps", "0", &keep_printer), -EMM_EINVAL);
	assert_int_equal(bench_option(&m->cfg.options, "steps", "1000", &keep_printer), 0);
	assert_int_equal(m->cfg.options.steps, 1000);
	assert_int_equal(bench_option(&m->cfg.options, "bench", "all", &keep_printer), 0);
	assert_int_equal(m->cfg.options.workloads & (BENCH_SCALE | BENCH_REMOTE | BENCH_STRESS), 0);
	helper_threads_init(&threads, 128);
	alone = bench_workspace_bytes(&m->cfg);
	m->cfg.harts = &threads.harts;
	assert_int_equal(bench_workspace_bytes(&m->cfg), alone);
	m->cfg.options.workloads |= BENCH_SCALE;
	m->cfg.options.steps = 0;
	assert_true(bench_workspace_bytes(&m->cfg) > alone + 128 * 1000000);
	/* A quarter of the arena, and the metadata. */
	assert_true(bench_workspace_bytes(&m->cfg) < alone + (1 << 28) + 128 * 64);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_right),
		cmocka_unit_test(test_stress_short),
		cmocka_unit_test(test_not_there),
		cmocka_unit_test(test_right),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_overlap_in_the_end),
		cmocka_unit_test(test_overlap_on_the_way),
		cmocka_unit_test(test_lost_hart),
		cmocka_unit_test(test_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
