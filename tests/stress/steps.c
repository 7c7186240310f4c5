/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each hart is a coroutine, and chance, by the seed, says at each atomic operation who goes on:
 * a round that fails fails again. How often harts change varies from round to round, and in some
 * rounds one of them hardly ever has its turn. A coroutine starts by ucontext and then changes by
 * _setjmp, which needs no system call.
 */
#include "stress.h"

#include <stdlib.h>
#include <ucontext.h>

#define STACK_BYTES 65536

void stress_point(void);

static struct {
	ucontext_t entry[MAX_HARTS];
	jmp_buf main, harts[MAX_HARTS];
	bool started[MAX_HARTS], done[MAX_HARTS];
	unsigned int now;
	unsigned int slow; /* this hart has one turn in 64; MAX_HARTS: none is slow */
	uint64_t every; /* so many operations, on average, before another hart's turn */
	uint64_t rng;
	bool running;
} steps;

void stress_point(void)
{
	if (!steps.running || stress_random(&steps.rng) % steps.every)
		return;
	if (!_setjmp(steps.harts[steps.now]))
		_longjmp(steps.main, 1);
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
	char *stacks = malloc((size_t)nr * STACK_BYTES);
	unsigned int left = nr;

	assert_non_null(stacks);
	steps.rng = seed ^ 0x5851f42d4c957f2dULL;
	steps.every = 1 + stress_random(&steps.rng) % 8;
	steps.slow = (unsigned int)(stress_random(&steps.rng) % (2 * MAX_HARTS));
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
	free(stacks);
}
