/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shapes of the stress. STRESS_OPS sets the operations of the program, STRESS_SEED the seed of
 * the first round.
 */
#include "stress.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Pages that a word of level 1 stands for, but not too many. */
#define TINY (BUDDY_RADIX_SHIFT < 3 ? 2U * BUDDY_RADIX : BUDDY_RADIX + BUDDY_RADIX / 2)

static uint64_t env_u64(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static struct worker *workers;
static struct stress *s;

/* Memory that a fault has overwritten: glibc or the processor sees it before the books are looked at. */
static void on_signal(int signal)
{
	dprintf(STDERR_FILENO, "# memory is corrupt, round seed %#llx: signal %d\n",
		(unsigned long long)s->seed, signal);
	_exit(1);
}

/* Instead of cmocka's, which goes on with the next test. Sanitizers say more themselves. */
static __attribute__((unused)) void watch_signals(void)
{
	signal(SIGABRT, on_signal);
	signal(SIGSEGV, on_signal);
	signal(SIGBUS, on_signal);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static void run_round(const struct shape *shape, uint64_t seed)
{
	stress_begin(s, shape, seed);
	for (unsigned int i = 0; i < shape->nr_harts; i++) {
		workers[i].s = s;
		workers[i].h = &s->harts[i];
		workers[i].sibling = workers[i].h->sibling;
		workers[i].id = i;
		workers[i].rng = (seed + i) * 0x9e3779b97f4a7c15ULL | 1;
		workers[i].nr_live = 0;
		workers[i].live_pages = 0;
		for (unsigned int k = 0; k < 3; k++)
			workers[i].answers[k] = 0;
	}
	stress_run(workers, shape->nr_harts, seed);
	for (unsigned int i = 0; i < shape->nr_harts; i++) {
		stress_read_mail(&workers[i], true);
		for (unsigned int k = 0; k < 3; k++)
			s->answers[k] += workers[i].answers[k];
	}
	stress_end(s);
}

static void test_shape(void **state)
{
	const struct shape *shape = *state;
	uint64_t ops = env_u64("STRESS_OPS", STRESS_OPS) * shape->share / 100, done = 0;
	uint64_t seed = env_u64("STRESS_SEED", 1), rounds = 0;

#ifndef SANITIZED
	watch_signals();
#endif
	s->failures = 0;
	for (unsigned int k = 0; k < 3; k++)
		s->answers[k] = 0;
	for (; done < ops; done += shape->round_ops * shape->nr_harts, rounds++, seed++) {
		run_round(shape, seed * 0xd1342543de82ef95ULL | 1);
		if (s->failures)
			fail_msg("%llu failures in round %llu; again: STRESS_SEED=%llu",
				 (unsigned long long)s->failures, (unsigned long long)rounds,
				 (unsigned long long)seed);
	}
	printf("# %s: %llu operations in %llu rounds; allocations and claims: %llu done, %llu none "
	       "or busy, %llu again\n",
	       shape->name, (unsigned long long)done, (unsigned long long)rounds,
	       (unsigned long long)s->answers[0], (unsigned long long)s->answers[1],
	       (unsigned long long)s->answers[2]);
	/* It did work, and it did run out of memory or met what was in use. */
	assert_in_range(s->answers[0], done / 50, UINT64_MAX);
	if (shape->kind == STRESS_MIXED)
		assert_in_range(s->answers[1] + s->answers[2], 1, UINT64_MAX);
}

#define TEST(shape)                                                    \
	{                                                              \
		(shape)->name, test_shape, NULL, NULL, (void *)(shape) \
	}

int main(void)
{
	static const struct shape shapes[] = {
		{ "tiny_2_harts", STRESS_MIXED, 2, 1, TINY, 500, 5 },
		{ "tiny_3_harts", STRESS_MIXED, 3, 2, 2 * TINY, 500, 15 },
		{ "tiny_4_harts", STRESS_MIXED, 4, 4, 4 * TINY, 500, 15 },
		{ "small_2_harts", STRESS_MIXED, 2, 200, 1024, 5000, 10 },
		{ "small_4_harts", STRESS_MIXED, 4, 200, 1024, 5000, 10 },
		{ "large_3_harts", STRESS_MIXED, 3, MAX_PAGES / 2, MAX_PAGES, 50000, 5 },
		{ "exact_claims", STRESS_EXACT, 3, 2, 2 * TINY, 500, 15 },
		{ "almost_out", STRESS_ALMOST_OUT, 3, 2, 2 * TINY, 500, 10 },
		{ "enough_large", STRESS_ENOUGH, 3, 1, 1, 500, 10 },
		{ "enough_small", STRESS_ENOUGH, 3, 0, 0, 500, 5 },
	};
	struct CMUnitTest tests[ARRAY_SIZE(shapes)];

	s = aligned_alloc(64, (sizeof(*s) + 63) & ~63ULL);
	workers = calloc(MAX_HARTS, sizeof(*workers));
	if (!s || !workers)
		return 1;
	*s = (struct stress){ 0 };
	for (unsigned int i = 0; i < MAX_HARTS; i++)
		pthread_mutex_init(&s->boxes[i].lock, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(shapes); i++)
		tests[i] = (struct CMUnitTest)TEST(&shapes[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
