/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of bench/: random numbers, statistics, the clock, the shadow map, the options. */
#include "test_bench_naive.h"

#include "random.h"
#include "stats.h"

static void test_xorshift(void **state)
{
	uint64_t x = 42, y = 1;

	(void)state;
	/* By hand for 1: 1 ^ 1 << 13 = 0x2001, ^ >> 7 = 0x2041, ^ << 17 = 0x40822041. */
	assert_int_equal(xorshift64(&y), 0x40822041);
	assert_int_equal(y, 0x40822041);
	assert_int_equal(xorshift64(&x), 0xa95514aaaULL);
	assert_int_equal(xorshift64(&x), 0xa00aaafdf80202bfULL);
}

static void test_sort_and_median(void **state)
{
	int64_t v[1000], one[] = { 5 }, two[] = { 9, 4 }, five[] = { -3, 100, 7, 7, -9 };
	uint64_t x = 42;

	(void)state;
	for (unsigned int n = 0; n <= 1000; n = n * 2 + 1) {
		int64_t sum = 0;

		for (unsigned int i = 0; i < n; i++) {
			v[i] = (int64_t)xorshift64(&x) % 500;
			sum += v[i];
		}
		stats_sort(v, n);
		for (unsigned int i = 0; i < n; i++) {
			assert_true(!i || v[i - 1] <= v[i]);
			sum -= v[i];
		}
		assert_int_equal(sum, 0);
	}
	assert_int_equal(stats_median(one, 1), 5);
	assert_int_equal(stats_median(two, 2), 6);
	assert_int_equal(stats_median(five, 5), 7);
}

static void test_net(void **state)
{
	(void)state;
	assert_int_equal(stats_net_x100(5000, 1000, 100), 4000);
	assert_int_equal(stats_net_x100(1000, 5000, 100), -4000);
	assert_int_equal(stats_net_x100(2, 0, 3), 67);
	assert_int_equal(stats_net_x100(1, 0, 3), 33);
	assert_int_equal(stats_net_x100(0, 2, 3), -67);
	assert_int_equal(stats_ticks_to_ns(1, 10000000), 100);
	assert_int_equal(stats_ticks_to_ns(3, 1000000000), 3);
	assert_int_equal(stats_ticks_to_ns(24000000, 24000000), 1000000000);
	assert_int_equal(stats_ticks_to_ns(1ULL << 40, 10000000), 109951162777600);
}

static void check_fixed(int64_t x, unsigned int digits, unsigned int keep, const char *expected)
{
	char text[STATS_TEXT];

	assert_string_equal(stats_fixed(text, x, digits, keep), expected);
}

static void test_fixed(void **state)
{
	(void)state;
	check_fixed(0, 2, 1, "0.0");
	check_fixed(1234, 2, 1, "12.3");
	check_fixed(1235, 2, 1, "12.4");
	check_fixed(995, 2, 1, "10.0");
	check_fixed(-6, 2, 1, "-0.1");
	check_fixed(1234, 2, 2, "12.34");
	check_fixed(5, 2, 2, "0.05");
	check_fixed(-100005, 2, 0, "-1000");
	check_fixed(1396, 4, 4, "0.1396");
	check_fixed(INT64_MAX, 0, 0, "9223372036854775807");
	check_fixed(INT64_MIN, 2, 2, "-92233720368547758.08");
	assert_int_equal(stats_pow2_floor(1), 1);
	assert_int_equal(stats_pow2_floor(1000), 512);
	assert_int_equal(stats_pow2_floor(UINT64_MAX), 1ULL << 63);
	assert_int_equal(stats_log2(1), 0);
	assert_int_equal(stats_log2(262144), 18);
}

static void test_self_check(void **state)
{
	const struct bench_clock clock = { .tb_hz = 1, .read = fake_read, .spin = fake_spin };

	(void)state;
	fake_noisy = false;
	assert_true(clock_is_exact(&clock));
	fake_noisy = true;
	assert_false(clock_is_exact(&clock));
	fake_noisy = false;
}

/*
 *  pfn      64      72      80      88      96      ...    1024 .. 1024 + 4096
 *           |#######|       |##############|               |############|
 */
static void test_shadow_map(void **state)
{
	static const struct bench_range ranges[] = { { 64, 72 },
						     { 80, 96 },
						     { 1024, 1024 + 4096 } };
	uint64_t words[65];
	struct shadow_map map = { .ranges = ranges, .nr_ranges = 3, .words = words };

	(void)state;
	assert_int_equal(shadow_words(ranges, 3), 65);
	assert_int_equal(shadow_words(ranges, 1), 1);
	memset(words, 0xff, sizeof(words));
	shadow_reset(&map);

	assert_int_equal(shadow_take(&map, -1, 0), BENCH_OUTSIDE);
	assert_int_equal(shadow_take(&map, 63, 0), BENCH_OUTSIDE);
	assert_int_equal(shadow_take(&map, 72, 0), BENCH_OUTSIDE);
	assert_int_equal(shadow_take(&map, 64, 4), BENCH_OUTSIDE);
	assert_int_equal(shadow_take(&map, 96, 0), BENCH_OUTSIDE);
	assert_int_equal(shadow_take(&map, 5120, 0), BENCH_OUTSIDE);
	assert_int_equal(shadow_take(&map, 1024, 63), BENCH_OUTSIDE);
	assert_int_equal(shadow_take(&map, INT64_MAX, 0), BENCH_OUTSIDE);
	assert_int_equal(shadow_take(&map, 65, 1), BENCH_MISALIGNED);
	assert_int_equal(shadow_take(&map, 68, 3), BENCH_MISALIGNED);

	/* "Expect to": every range has bits of its own. */
	assert_int_equal(shadow_take(&map, 64, 3), BENCH_OK);
	assert_int_equal(shadow_take(&map, 80, 4), BENCH_OK);
	assert_int_equal(shadow_take(&map, 1024, 10), BENCH_OK);
	assert_int_equal(shadow_take(&map, 2048, 11), BENCH_OK);
	assert_int_equal(shadow_take(&map, 71, 0), BENCH_OVERLAP);
	assert_int_equal(shadow_take(&map, 88, 3), BENCH_OVERLAP);
	assert_int_equal(shadow_take(&map, 2048 + 2047, 0), BENCH_OVERLAP);
	assert_int_equal(shadow_take(&map, 4096, 10), BENCH_OK);
	shadow_give(&map, 64, 3);
	assert_int_equal(shadow_take(&map, 68, 2), BENCH_OK);
	assert_int_equal(shadow_take(&map, 64, 3), BENCH_OVERLAP);
	assert_int_equal(shadow_take(&map, 64, 2), BENCH_OK);
	assert_int_equal(shadow_take(&map, 80, 4), BENCH_OVERLAP);
	shadow_give(&map, 1024, 10);
	assert_int_equal(shadow_take(&map, 2047, 0), BENCH_OK);
	assert_int_equal(shadow_take(&map, 2048, 0), BENCH_OVERLAP);
	assert_ptr_equal(shadow_range(&map, 80, 16), &ranges[1]);
	assert_null(shadow_range(&map, 80, 17));
	assert_null(shadow_range(&map, 5, 1));
	assert_null(shadow_range(&map, 6000, 1));
}

static void test_options(void **state)
{
	struct bench_options opt;

	(void)state;
	bench_options_init(&opt);
	assert_int_equal(opt.workloads, BENCH_ALL);
	assert_int_equal(opt.seed, 42);
	assert_int_equal(opt.reps, 0);
	assert_int_equal(bench_option(&opt, "bench", "pair,churn0", NULL), 0);
	assert_int_equal(opt.workloads, BENCH_PAIR | BENCH_CHURN0);
	assert_int_equal(bench_option(&opt, "bench", "none", NULL), 0);
	assert_int_equal(opt.workloads, 0);
	assert_int_equal(bench_option(&opt, "bench", NULL, NULL), 0);
	assert_int_equal(opt.workloads, BENCH_ALL);
	assert_int_equal(bench_option(&opt, "seed", "18446744073709551615", NULL), 0);
	assert_true(opt.seed == UINT64_MAX);
	assert_int_equal(bench_option(&opt, "reps", "25", NULL), 0);
	assert_int_equal(opt.reps, 25);
	assert_int_equal(bench_option(&opt, "memblock", "debug", NULL), -EMM_ENOENT);
	assert_int_equal(bench_option(&opt, "benchx", "all", NULL), -EMM_ENOENT);
	assert_int_equal(bench_option(&opt, "", "all", NULL), -EMM_ENOENT);
}

/* Exactly these of the four? */
static bool is_chosen(const struct bench_options *opt, bool buddy, bool healing, bool api,
		      bool unmovable)
{
	return bench_is_chosen(opt, &bench_alloc_buddy) == buddy &&
	       bench_is_chosen(opt, &bench_alloc_buddy_healing) == healing &&
	       bench_is_chosen(opt, &bench_alloc_api) == api &&
	       bench_is_chosen(opt, &bench_alloc_api_unmovable) == unmovable;
}

static void test_chosen_allocators(void **state)
{
	static const struct page_allocator_ops lis = { .name = "lis", .setting = "default" };
	static const struct page_allocator_ops listing = { .name = "listing", .setting = "" };
	struct bench_options opt;

	(void)state;
	bench_options_init(&opt);
	assert_true(is_chosen(&opt, true, true, true, false));
	assert_int_equal(bench_option(&opt, "alloc", "list", NULL), 0);
	assert_true(is_chosen(&opt, false, false, false, false));
	assert_true(bench_is_chosen(&opt, &bench_alloc_list));
	assert_false(bench_is_chosen(&opt, &lis));
	assert_false(bench_is_chosen(&opt, &listing));
	assert_int_equal(bench_option(&opt, "alloc", "list,buddy", NULL), 0);
	assert_true(is_chosen(&opt, true, true, false, false));
	assert_true(bench_is_chosen(&opt, &bench_alloc_list));
	assert_int_equal(bench_option(&opt, "alloc", "buddy-healing,api", NULL), 0);
	assert_true(is_chosen(&opt, false, true, true, false));
	assert_int_equal(bench_option(&opt, "alloc", "list,api-unmovable", NULL), 0);
	assert_true(is_chosen(&opt, false, false, false, true));
	assert_int_equal(bench_option(&opt, "alloc", "api-default,api-unmovable", NULL), 0);
	assert_true(is_chosen(&opt, false, false, true, true));
	assert_int_equal(bench_option(&opt, "alloc", "all", NULL), 0);
	assert_true(is_chosen(&opt, true, true, true, false));
	assert_true(bench_is_chosen(&opt, &lis));
}

/* What is wrong is said, with what would be right, and nothing is changed. */
static void test_bad_options(void **state)
{
	static const char *const bad[][2] = {
		{ "bench", "pear" },
		{ "bench", "" },
		{ "bench", "pair," },
		{ "bench", "pair bulk" },
		{ "bench", "pairs" },
		{ "bench", ",pair" },
		{ "seed", "0" },
		{ "seed", "" },
		{ "seed", "0x2a" },
		{ "seed", "-1" },
		{ "seed", NULL },
		{ "reps", "0" },
		{ "reps", "26" },
		{ "reps", "1 " },
		{ "seed", "18446744073709551617" },
		{ "alloc", "" },
		{ "alloc", NULL },
		{ "alloc", "buddy,," },
		{ "alloc", "budd" },
		{ "alloc", "buddyy" },
		{ "alloc", ",buddy" },
		{ "alloc", "buddy,buddy,buddy,buddy,buddy,buddy,buddy,buddy,buddy,buddy,buddy,"
			   "buddy,buddy,buddy,buddy,buddy,buddy" },
	};
	struct bench_options opt;

	(void)state;
	bench_options_init(&opt);
	opt.workloads = BENCH_BULK;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		struct bench_options before = opt;

		said[0] = '\0';
		assert_int_equal(bench_option(&opt, bad[i][0], bad[i][1], &keep_printer),
				 -EMM_EINVAL);
		assert_memory_equal(&before, &opt, sizeof(opt));
		if (!strcmp(bad[i][0], "bench"))
			assert_non_null(strstr(said, "all, none, pair, bulk, churn, churn0, age, "
						     "burst, frag, exhaust, latency, bulkapi, "
						     "mobility, scale, remote, stress\n"));
		else if (!strcmp(bad[i][0], "alloc"))
			assert_non_null(strstr(said, "bench: known are all, buddy"));
		else
			assert_non_null(strstr(said, "is not a number from 1 to "));
	}
	bench_option(&opt, "bench", "pair,pear,bulk", &keep_printer);
	assert_non_null(strstr(said, "\"pear\""));
	bench_option(&opt, "alloc", "buddy,body", &keep_printer);
	assert_non_null(strstr(said, "there is no allocator \"body\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xorshift),
		cmocka_unit_test(test_sort_and_median),
		cmocka_unit_test(test_net),
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_self_check),
		cmocka_unit_test(test_shadow_map),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_bad_options),
		cmocka_unit_test(test_chosen_allocators),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
