/* SPDX-License-Identifier: BSD-2-Clause */
/* latency: percentiles and histograms of calls whose cost is known. */
#include "test_bench_naive.h"

#include "bench_impl.h"

#define PAGES 3072 /* an arena of 2048 of them: 32 slots, 12 500 steps */
#define KINDS 97

static struct machine *run_latency(uint64_t (*extra)(uint64_t call))
{
	struct machine *m = machine_new(PAGES);

	m->cfg.options.workloads = BENCH_LATENCY;
	naive_extra = extra;
	assert_int_equal(machine_run(m), 0);
	return m;
}

static void check(const struct bench_latency *l, int64_t min, int64_t p50, int64_t p90, int64_t p99,
		  int64_t p999, int64_t max)
{
	assert_int_equal(l->min, min);
	assert_int_equal(l->p50, p50);
	assert_int_equal(l->p90, p90);
	assert_int_equal(l->p99, p99);
	assert_int_equal(l->p999, p999);
	assert_int_equal(l->max, max);
}

static void test_constant(void **state)
{
	struct machine *m = run_latency(NULL);
	const struct bench_figures *fig = &m->bench.figures[0];
	const char *line;
	unsigned long n;

	(void)state;
	check(&fig->latencies[LATENCY_ALLOC], 30, 30, 30, 30, 30, 30);
	check(&fig->latencies[LATENCY_FREE], 12, 12, 12, 12, 12, 12);
	assert_in_range(fig->latency, 12 * 100, 30 * 100);
	assert_int_equal(count_lines(" hist "), 2);
	line = line_with("hist bench=latency alloc=naive where=arena setting=default op=alloc "
			 "unit=ins n=",
			 " min=30 p50=30 p90=30 p99=30 p999=30 max=30 buckets=30:", "");
	assert_non_null(line);
	n = strtoul(strstr(line, " n=") + 3, NULL, 10);
	assert_in_range(n, 6250, 6250 + 16);
	assert_int_equal(strtoul(strstr(line, ":") + 1, NULL, 10), n);
	line = line_with("hist bench=latency ", "op=free ", " max=12 buckets=12:");
	assert_int_equal(strtoul(strstr(line, " n=") + 3, NULL, 10), 12500 - n);
	machine_free(m);
}

/* Each call of alloc costs another one of 97 values; 5 in a thousand cost much more. */
static uint64_t varied(uint64_t call)
{
	return call % 200 ? call % KINDS : 5000;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Value and count of every bucket of op=alloc, in order. Returns how many calls. */
static uint64_t read_buckets(uint64_t *count, uint64_t values)
{
	unsigned int part = 0;
	uint64_t n = 0;
	long last = -1;

	for (unsigned int i = 0; i < nr_lines; i++) {
		char *at = strstr(lines[i], " buckets="), expected[16];

		if (!strstr(lines[i], " hist ") || !strstr(lines[i], "op=alloc"))
			continue;
		snprintf(expected, sizeof(expected), " part=%u ", part);
		assert_int_equal(strstr(lines[i], expected) != NULL, part > 0);
		part++;
		if (!at) /* the first has its hands full */
			continue;
		for (at += 9; *at != ' '; at += *at == ',') {
			long value = strtol(at, &at, 10);

			assert_true(value > last && (uint64_t)value < values && *at == ':');
			last = value;
			count[value] = strtoul(at + 1, &at, 10);
			n += count[value];
		}
	}
	assert_true(part > 3);
	return n;
}

static void test_histogram(void **state)
{
	struct machine *m = run_latency(varied);
	static int64_t expected[12500];
	static uint64_t count[8000];
	uint64_t n = read_buckets(count, ARRAY_SIZE(count));

	(void)state;
	assert_in_range(n, 6250, 6250 + 16);
	for (uint64_t i = 0; i < n; i++)
		expected[i] = (int64_t)(ALLOC_COST + varied(i));
	qsort(expected, n, sizeof(*expected), by_value);
	/* At least so many of a thousand cost no more. */
	check(&m->bench.figures[0].latencies[LATENCY_ALLOC], expected[0],
	      expected[(n * 500 + 999) / 1000 - 1], expected[(n * 900 + 999) / 1000 - 1],
	      expected[(n * 990 + 999) / 1000 - 1], expected[(n * 999 + 999) / 1000 - 1],
	      expected[n - 1]);
	assert_int_equal(expected[n - 1], 5030);
	for (uint64_t i = 0; i < n; i++) {
		assert_true(count[expected[i]] > 0);
		count[expected[i]]--;
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(count); i++)
		assert_int_equal(count[i], 0);
	machine_free(m);
}

/* In time: three ns an instruction. */
static void test_noisy(void **state)
{
	struct machine *m = machine_new(PAGES);

	(void)state;
	m->cfg.options.workloads = BENCH_LATENCY;
	fake_noisy = true;
	assert_int_equal(machine_run(m), 0);
	check(&m->bench.figures[0].latencies[LATENCY_ALLOC], 90, 90, 90, 90, 90, 90);
	check(&m->bench.figures[0].latencies[LATENCY_FREE], 36, 36, 36, 36, 36, 36);
	/* Of five repetitions the first one is told. */
	assert_int_equal(count_lines(" hist "), 2);
	assert_int_equal(count_lines(" unit=ns n="), 2);
	machine_free(m);
}

static void test_lacks(void **state)
{
	struct machine *m = machine_new(PAGES);

	(void)state;
	m->cfg.options.workloads = BENCH_LATENCY;
	naive_lacks_free = true;
	assert_int_equal(machine_run(m), 0);
	check(&m->bench.figures[0].latencies[LATENCY_FREE], FIGURE_NA, FIGURE_NA, FIGURE_NA,
	      FIGURE_NA, FIGURE_NA, FIGURE_NA);
	assert_int_equal(count_lines(" n=na *"), 2);
	machine_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_constant),
		cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_noisy),
		cmocka_unit_test(test_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
