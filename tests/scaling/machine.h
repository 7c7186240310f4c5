/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine of up to 256 harts with caches that never run full, to count what harts cost each other.
 * The code under test is compiled with -fsanitize=thread and linked with machine.c in place of the
 * sanitizer's library: so each of its accesses to memory, plain or atomic, comes through here. Harts
 * are coroutines with clocks of their own, and change places when one is ahead of the others.
 */
#ifndef SCALING_MACHINE_H
#define SCALING_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#define MACHINE_MAX_HARTS 256
#define LINE_BYTES        64

/* What is assumed, in cycles. */
struct machine_costs {
	uint64_t access; /* each access, with the instructions around it */
	uint64_t atomic; /* more for an AMO, or LR and SC, on a line that the hart has to itself */
	uint64_t transfer; /* more for a line that another hart has, or has written */
};

/* Of all harts together, since machine_reset(). */
struct machine_counts {
	uint64_t accesses;
	uint64_t atomics;
	uint64_t transfers;
	uint64_t cold; /* lines that nobody had had */
	uint64_t hot_transfers; /* of the line that has the most */
	uint64_t hot_at; /* its offset in memory */
	uint64_t cycles; /* of the slowest hart */
};

/* Memory that is watched: @bytes for the code's data, from machine_memory() on, and the stacks. */
void machine_init(uint64_t bytes, const struct machine_costs *costs);
void *machine_memory(void);
void machine_free(void);

/* work(arg, hart) on @nr harts, to its end. */
void machine_run(uint32_t nr, void (*work)(void *arg, uint32_t hart), void *arg);

/* Counters and clocks to 0; who has which line stays. */
void machine_reset(void);
void machine_count(struct machine_counts *counts);

#endif
