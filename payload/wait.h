/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for another hart: never for ever. */
#ifndef PAYLOAD_WAIT_H
#define PAYLOAD_WAIT_H

#include <stdbool.h>
#include <stdint.h>

struct wait {
	uint64_t start, ticks, last;
	uint32_t turns;
	uint32_t still; /* since the time last moved */
};

/* How many ticks of the timebase a second has; until it is known, 10 million. 0 changes nothing. */
void wait_set_timebase(uint64_t tb_hz);

/* From now on, @ms milliseconds long at the most. */
void wait_begin(struct wait *w, uint32_t ms);

/*
 * One turn of a loop that waits: lets other harts run, then false if the time is over. Should the
 * time stand still, as a counter does that the firmware withholds, the turns are counted instead.
 */
bool wait_turn(struct wait *w);

/* Microseconds since wait_begin(). */
uint64_t wait_us(const struct wait *w);

/*
 * harts_relax() - one turn of a loop that waits for another hart: a wfi that ends at once, since
 * this hart's own software interrupt is pending, without being taken (sstatus.SIE is 0). An
 * emulator that runs its harts in turns goes on with the next one, where a loop alone would keep
 * it for itself.
 */
void harts_relax(void);

#endif
