/* SPDX-License-Identifier: BSD-2-Clause */
/* The hart's counters: instructions, cycles, ticks of the timebase. Differences may wrap. */
#ifndef PAYLOAD_COUNTERS_H
#define PAYLOAD_COUNTERS_H

#include <stdint.h>

struct counters {
	uint64_t ins;
	uint64_t cyc;
	uint64_t tb;
};

/* As they were when the payload's first instruction was about to run; set by start.S. */
extern struct counters entry_counters;

/*
 * A counter that the firmware withholds reads as 0 (trap.c). Instructions come first, so that
 * between two readings lie one reading's own instructions, about six, and the work.
 */
static inline struct counters counters_read(void)
{
	struct counters now;

	__asm__ volatile("rdinstret %0\n\trdcycle %1\n\trdtime %2"
			 : "=&r"(now.ins), "=&r"(now.cyc), "=&r"(now.tb)
			 :
			 : "memory");
	return now;
}

static inline struct counters counters_sub(struct counters a, struct counters b)
{
	return (struct counters){ a.ins - b.ins, a.cyc - b.cyc, a.tb - b.tb };
}

static inline struct counters counters_add(struct counters a, struct counters b)
{
	return (struct counters){ a.ins + b.ins, a.cyc + b.cyc, a.tb + b.tb };
}

#endif
