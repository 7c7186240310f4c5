/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each hart is a coroutine, and chance, by the seed, says at each atomic operation who goes on:
 * a round that fails fails again. How often harts change varies from round to round, and in some
 * rounds one of them hardly ever has its turn. A coroutine starts by ucontext and then changes by
 * _setjmp, which needs no system call.
 *
 * Plain stores wait in store buffers. Memory is as the hart that stored sees it; until the store
 * arrives, the others see what was there before, which the buffer keeps.
 */
#include "stress.h"

#include <stdlib.h>
#include <ucontext.h>

#define STACK_BYTES 65536
/* A build that has to fail: AMOs do not wait for the stores before them. */
#ifndef STRESS_UNORDERED
#define STRESS_UNORDERED 0
#endif
#define NR_BUFFERED 32

struct store {
	uint64_t *p;
	uint64_t before; /* what the others see */
	bool release; /* does not arrive before those that are older */
};

static struct {
	ucontext_t entry[MAX_HARTS];
	jmp_buf main, harts[MAX_HARTS];
	bool started[MAX_HARTS], done[MAX_HARTS];
	unsigned int now;
	unsigned int slow; /* this hart has one turn in 64; MAX_HARTS and above: none is slow */
	uint64_t every; /* so many operations, on average, before another hart's turn */
	uint64_t arrive_every; /* and before a store arrives; 0: at once */
	uint64_t rng;
	bool running;
	struct store stores[MAX_HARTS][NR_BUFFERED]; /* oldest first */
	unsigned int nr_stores[MAX_HARTS];
} steps;

uint64_t *stress_at(const uint64_t *p, bool amo);
void stress_store(uint64_t *p, uint64_t v, bool release);

/* A store of @hart arrives, unless an older one has to come first. */
static void arrive(unsigned int hart, unsigned int at)
{
	struct store *stores = steps.stores[hart];

	for (unsigned int i = 0; i < at; i++)
		if (stores[at].release || stores[i].p == stores[at].p)
			return;
	steps.nr_stores[hart]--;
	for (; at < steps.nr_stores[hart]; at++)
		stores[at] = stores[at + 1];
}

static void arrive_all(unsigned int hart)
{
	steps.nr_stores[hart] = 0;
}

static void step(void)
{
	if (steps.arrive_every && stress_random(&steps.rng) % steps.arrive_every == 0) {
		unsigned int hart = (unsigned int)(stress_random(&steps.rng) % MAX_HARTS);

		if (steps.nr_stores[hart])
			arrive(hart,
			       (unsigned int)(stress_random(&steps.rng) % steps.nr_stores[hart]));
	}
	if (stress_random(&steps.rng) % steps.every == 0 && !_setjmp(steps.harts[steps.now]))
		_longjmp(steps.main, 1);
}

uint64_t *stress_at(const uint64_t *p, bool amo)
{
	if (!steps.running)
		return (uint64_t *)(uintptr_t)p;
	step();
	if (amo && !STRESS_UNORDERED)
		arrive_all(steps.now);
	for (unsigned int hart = 0; hart < MAX_HARTS; hart++)
		for (unsigned int i = 0; hart != steps.now && i < steps.nr_stores[hart]; i++)
			if (steps.stores[hart][i].p == p)
				return &steps.stores[hart][i].before;
	return (uint64_t *)(uintptr_t)p;
}

void stress_store(uint64_t *p, uint64_t v, bool release)
{
	if (steps.running) {
		unsigned int hart = steps.now;

		step();
		if (steps.nr_stores[hart] == NR_BUFFERED)
			arrive(hart, 0);
		if (steps.arrive_every)
			steps.stores[hart][steps.nr_stores[hart]++] =
				(struct store){ p, *p, release };
	}
	*p = v;
}

void stress_release(void)
{
	arrive_all(steps.now);
}

static void hart_main(unsigned int id, unsigned int high, unsigned int low)
{
	stress_work((struct worker *)((uintptr_t)high << 32 | low));
	steps.done[id] = true;
	_longjmp(steps.main, 1);
}

static void start(struct worker *w, unsigned int id, void *stack)
{
	ucontext_t *c = &steps.entry[id];

	assert_int_equal(getcontext(c), 0);
	c->uc_stack.ss_sp = stack;
	c->uc_stack.ss_size = STACK_BYTES;
	c->uc_link = NULL;
	makecontext(c, (void (*)(void))hart_main, 3, id, (unsigned int)((uintptr_t)w >> 32),
		    (unsigned int)(uintptr_t)w);
	steps.started[id] = steps.done[id] = false;
}

/* Until it comes back, or ends. */
static void turn_of(unsigned int id)
{
	steps.now = id;
	if (_setjmp(steps.main))
		return;
	if (steps.started[id])
		_longjmp(steps.harts[id], 1);
	steps.started[id] = true;
	setcontext(&steps.entry[id]);
}

void stress_run(struct worker *workers, unsigned int nr, uint64_t seed)
{
	static const uint64_t arrivals[] = { 0, 1, 4, 16, 64, 1024 };
	char *stacks = malloc((size_t)nr * STACK_BYTES);
	unsigned int left = nr;

	assert_non_null(stacks);
	steps.rng = seed ^ 0x5851f42d4c957f2dULL;
	steps.every = 1 + stress_random(&steps.rng) % 8;
	steps.slow = (unsigned int)(stress_random(&steps.rng) % (2 * MAX_HARTS));
	steps.arrive_every = arrivals[stress_random(&steps.rng) % ARRAY_SIZE(arrivals)];
	for (unsigned int i = 0; i < nr; i++)
		start(&workers[i], i, stacks + (size_t)i * STACK_BYTES);
	steps.running = true;
	while (left) {
		unsigned int id = (unsigned int)(stress_random(&steps.rng) % nr);

		if (steps.done[id] ||
		    (id == steps.slow && left > 1 && stress_random(&steps.rng) % 64))
			continue;
		turn_of(id);
		left -= steps.done[id];
	}
	steps.running = false;
	for (unsigned int i = 0; i < MAX_HARTS; i++)
		arrive_all(i);
	free(stacks);
}
