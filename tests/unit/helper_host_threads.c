/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_threads.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <earlymm/error.h>
#include "test.h"

struct thread {
	pthread_t id;
	void (*fn)(void *arg, uint32_t hart);
	void *arg;
	uint32_t hart;
};

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	t->fn(t->arg, t->hart);
	return NULL;
}

static int run(void *ctx, uint32_t nr, void (*fn)(void *arg, uint32_t hart), void *arg)
{
	const struct helper_threads *h = ctx;
	struct thread threads[BENCH_MAX_HARTS];
	bool lost = h->missing && h->missing < nr;

	for (uint32_t i = 1; i < nr; i++) {
		threads[i] = (struct thread){ .fn = fn, .arg = arg, .hart = i };
		if (i != h->missing)
			assert_int_equal(
				pthread_create(&threads[i].id, NULL, thread_main, &threads[i]), 0);
	}
	fn(arg, 0);
	for (uint32_t i = 1; i < nr; i++)
		if (i != h->missing)
			pthread_join(threads[i].id, NULL);
	return lost ? -EMM_EAGAIN : 0;
}

static void relax(void)
{
	sched_yield();
}

void helper_threads_init(struct helper_threads *t, uint32_t nr)
{
	*t = (struct helper_threads){ .harts = { nr, run, relax, t } };
}

static void read_clock(void *ctx, struct bench_stamp *now)
{
	struct timespec ts;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	now->tb = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
	now->ins = now->cyc = now->tb;
}

static void spin(void *ctx, uint64_t rounds)
{
	(void)ctx;
	(void)rounds;
}

void helper_threads_clock(struct bench_clock *clock)
{
	*clock = (struct bench_clock){ .tb_hz = 1000000000, .read = read_clock, .spin = spin };
}
