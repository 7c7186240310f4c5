/* SPDX-License-Identifier: BSD-2-Clause */
/* Is instret exact? A loop of known length says so. */
#include <stddef.h>
#include "clock.h"

#define ROUNDS_OF_EACH 3

/* Instructions from one read of instret to the next, around 2 * @rounds + 1 of them. */
static uint64_t spin(const struct bench_clock *clock, uint64_t rounds)
{
#if defined(__riscv) && __riscv_xlen == 64
	uint64_t before, after;

	(void)clock;
	__asm__ volatile("rdinstret %0\n"
			 "1:	addi %2, %2, -1\n"
			 "	bnez %2, 1b\n"
			 "	rdinstret %1"
			 : "=&r"(before), "=&r"(after), "+r"(rounds)
			 :
			 : "memory");
	return after - before;
#else
	struct bench_stamp before, after;

	clock->read(clock->ctx, &before);
	clock->spin(clock->ctx, rounds);
	clock->read(clock->ctx, &after);
	return after.ins - before.ins;
#endif
}

bool clock_is_exact(const struct bench_clock *clock)
{
	static const uint32_t lengths[] = { 1, 10, 1000, 100000 };

	for (unsigned int turn = 0; turn < ROUNDS_OF_EACH; turn++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
			if (spin(clock, lengths[i]) != 2 * (uint64_t)lengths[i] + 1)
				return false;
	return true;
}
