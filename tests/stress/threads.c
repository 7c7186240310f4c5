/* SPDX-License-Identifier: BSD-2-Clause */
/* Each hart is a thread. With STRESS_POINTS some operations are preceded by a pause. */
#include "stress.h"

#include <sched.h>

#ifdef STRESS_POINTS
static void stress_pause(void)
{
	static __thread uint64_t rng;

	if (!rng)
		rng = (uintptr_t)&rng | 1;
	switch (stress_random(&rng) % 256) {
	case 0:
		sched_yield();
		break;
	case 1 ... 3:
		for (uint64_t i = stress_random(&rng) % 128; i; i--)
			__asm__ volatile("");
		break;
	}
}

uint64_t *stress_at(const uint64_t *p, bool amo);
void stress_store(uint64_t *p, uint64_t v, bool release);

uint64_t *stress_at(const uint64_t *p, bool amo)
{
	(void)amo;
	stress_pause();
	return (uint64_t *)(uintptr_t)p;
}

void stress_store(uint64_t *p, uint64_t v, bool release)
{
	stress_pause();
	__atomic_store_n(p, v, release ? __ATOMIC_RELEASE : __ATOMIC_RELAXED);
}
#endif

/* The mutex does. */
void stress_release(void)
{
}

static void *thread(void *arg)
{
	stress_work(arg);
	return NULL;
}

void stress_run(struct worker *workers, unsigned int nr, uint64_t seed)
{
	(void)seed;
	for (unsigned int i = 0; i < nr; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, thread, &workers[i]), 0);
	for (unsigned int i = 0; i < nr; i++)
		pthread_join(workers[i].thread, NULL);
}
