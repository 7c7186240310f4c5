/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * struct bench_clock: instructions, cycles and time. On rv64 the counters are read in line, so
 * that starting and stopping cost a few instructions, always the same; elsewhere through a hook.
 */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct bench_stamp {
	uint64_t ins; /* instructions retired */
	uint64_t cyc; /* cycles */
	uint64_t tb; /* ticks of the time counter */
};

struct bench_clock {
	uint64_t tb_hz; /* ticks of the time counter a second; not 0 */
	/* Not used on rv64. */
	void (*read)(void *ctx, struct bench_stamp *now);
	void (*spin)(void *ctx, uint64_t rounds); /* must cost 2 * rounds + 1 instructions */
	void *ctx;
};

/* Instructions are the innermost counter: reading the others may trap to firmware. */
static inline __attribute__((always_inline)) void clock_start(const struct bench_clock *clock,
							      struct bench_stamp *s)
{
#if defined(__riscv) && __riscv_xlen == 64
	uint64_t ins, cyc, tb;

	(void)clock;
	__asm__ volatile("rdtime %0\n\trdcycle %1\n\trdinstret %2"
			 : "=&r"(tb), "=&r"(cyc), "=&r"(ins)
			 :
			 : "memory");
	*s = (struct bench_stamp){ .ins = ins, .cyc = cyc, .tb = tb };
#else
	clock->read(clock->ctx, s);
#endif
}

/* Replaces the stamp of clock_start() by what has gone since. */
static inline __attribute__((always_inline)) void clock_stop(const struct bench_clock *clock,
							     struct bench_stamp *s)
{
	struct bench_stamp now;
#if defined(__riscv) && __riscv_xlen == 64
	uint64_t ins, cyc, tb;

	(void)clock;
	__asm__ volatile("rdinstret %2\n\trdcycle %1\n\trdtime %0"
			 : "=&r"(tb), "=&r"(cyc), "=&r"(ins)
			 :
			 : "memory");
	now = (struct bench_stamp){ .ins = ins, .cyc = cyc, .tb = tb };
#else
	clock->read(clock->ctx, &now);
#endif
	s->ins = now.ins - s->ins;
	s->cyc = now.cyc - s->cyc;
	s->tb = now.tb - s->tb;
}

/* One counter: instructions if @exact, else the time counter. Less than 2^31 go between two looks. */
static inline __attribute__((always_inline)) uint64_t clock_ticks(const struct bench_clock *clock,
								  const bool exact)
{
#if defined(__riscv) && __riscv_xlen == 64
	uint64_t now;

	(void)clock;
	if (exact)
		__asm__ volatile("rdinstret %0" : "=r"(now) : : "memory");
	else
		__asm__ volatile("rdtime %0" : "=r"(now) : : "memory");
	return now;
#else
	struct bench_stamp now;

	clock->read(clock->ctx, &now);
	return exact ? now.ins : now.tb;
#endif
}

/* The time counter alone, for progress. */
static inline uint64_t clock_tb(const struct bench_clock *clock)
{
	struct bench_stamp now;

	clock_start(clock, &now);
	return now.tb;
}

/*
 * clock_is_exact() - times loops of known length, each several times. True only if every one was
 * counted to the instruction. About a million instructions. The clock is changed in nothing.
 */
bool clock_is_exact(const struct bench_clock *clock);

#endif
