/* SPDX-License-Identifier: BSD-2-Clause */
/* Harts as coroutines: stacks at fixed addresses, whose used part can be saved and put back. */
#include "explore.h"

#include <string.h>
#include <ucontext.h>

#define STACK_BYTES 65536

static char stacks[MAX_HARTS][STACK_BYTES] __attribute__((aligned(64)));
static jmp_buf explorer;
static ucontext_t first_context;
static void (*start_fn)(unsigned int h);
static unsigned int start_hart;

/* A frame below the caller's. */
static __attribute__((noinline)) char *stack_pointer(void)
{
	return __builtin_frame_address(0);
}

static void entry(void)
{
	unsigned int h = start_hart;

	start_fn(h);
	machine.harts[h].finished = true;
	machine.harts[h].stack_low = stacks[h] + STACK_BYTES;
	_longjmp(explorer, 1);
}

void coroutine_start(unsigned int h, void (*fn)(unsigned int h))
{
	start_fn = fn;
	start_hart = h;
	getcontext(&first_context);
	first_context.uc_stack.ss_sp = stacks[h];
	first_context.uc_stack.ss_size = STACK_BYTES;
	first_context.uc_link = NULL;
	makecontext(&first_context, entry, 0);
	if (!_setjmp(explorer))
		setcontext(&first_context);
}

void coroutine_resume(unsigned int h)
{
	if (!_setjmp(explorer))
		_longjmp(machine.harts[h].context, 1);
}

void coroutine_yield(unsigned int h)
{
	machine.harts[h].stack_low = stack_pointer();
	if (!_setjmp(machine.harts[h].context))
		_longjmp(explorer, 1);
}

void coroutine_leave(void)
{
	_longjmp(explorer, 1);
}

size_t coroutine_bytes(unsigned int h)
{
	const struct hart *hart = &machine.harts[h];

	return hart->stack_low ? (size_t)(stacks[h] + STACK_BYTES - hart->stack_low) : 0;
}

void coroutine_save(unsigned int h, void *to)
{
	memcpy(to, machine.harts[h].stack_low, coroutine_bytes(h));
}

void coroutine_restore(unsigned int h, const void *from)
{
	memcpy(machine.harts[h].stack_low, from, coroutine_bytes(h));
}
