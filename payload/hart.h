/* SPDX-License-Identifier: BSD-2-Clause */
/* What a hart has to itself; the register tp leads to it, on every hart, from start.S on. */
#ifndef PAYLOAD_HART_H
#define PAYLOAD_HART_H

#include <stddef.h>
#include <stdint.h>

#include "layout.h"

/* All that run, the boot hart included. */
#define MAX_HARTS 128

#define HART_LINE 256

enum hart_state {
	HART_PLANNED, /* it has a stack */
	HART_STARTING, /* the firmware was asked for it */
	HART_RUNS,
	HART_GIVEN_UP, /* has not come in time: if it does, it stops at once */
};

/* A line of text is put together by one hart, and goes out as a whole. */
struct hart_line {
	size_t len;
	char text[HART_LINE];
};

struct hart {
	uint64_t stack; /* where it ends, downwards: the canary's place */
	uint64_t id; /* the firmware's name for it */
	uint32_t number; /* among those that run; the boot hart is 0 */
	int nid; /* the node that it allocates from first */
	uint32_t state; /* enum hart_state */
	uint32_t traps; /* how deep it is in them */
	/* Jobs by number: the last one that it was given, and the last one that it has done. */
	uint32_t job, done;
	void (*fn)(void *arg, uint32_t hart);
	void *arg;
	struct hart_line line;
};

_Static_assert(offsetof(struct hart, stack) == HART_STACK, "start.S knows the place");
_Static_assert(offsetof(struct hart, id) == HART_ID, "start.S knows the place");
_Static_assert(sizeof(struct hart) <= HART_SIZE, "start.S knows the size");

/* In bss: start.S fills in what it must have. */
extern struct hart boot_hart;

static inline struct hart *this_hart(void)
{
	struct hart *hart;

	__asm__ volatile("mv %0, tp" : "=r"(hart));
	return hart;
}

#endif
