/* SPDX-License-Identifier: BSD-2-Clause */
/* Bounded waits, by the time of the timebase. */
#include "wait.h"

#include "counters.h"

/* Turns after which a time that has not moved is no time. */
#define MAX_STILL 10000000

/* From this turn on there is a pause before each. */
#define PATIENT_TURNS 1000
#define PAUSE_LOOPS   200

static uint64_t ticks_per_ms = 10000;

void wait_set_timebase(uint64_t tb_hz)
{
	if (tb_hz >= 1000)
		ticks_per_ms = tb_hz / 1000;
}

void wait_begin(struct wait *w, uint32_t ms)
{
	w->start = w->last = counters_read().tb;
	w->ticks = ms * ticks_per_ms;
	w->turns = w->still = 0;
}

/*
 * Turns cost the host of an emulator more than the instructions in between, which time is made of.
 */
static void pause(void)
{
	for (unsigned int i = 0; i < PAUSE_LOOPS; i++)
		__asm__ volatile("nop\n\tnop\n\tnop");
}

bool wait_turn(struct wait *w)
{
	uint64_t now;

	if (w->turns < PATIENT_TURNS)
		w->turns++;
	else
		pause();
	harts_relax();
	now = counters_read().tb;
	w->still = now == w->last ? w->still + 1 : 0;
	w->last = now;
	return now - w->start < w->ticks && w->still < MAX_STILL;
}

uint64_t wait_us(const struct wait *w)
{
	return (counters_read().tb - w->start) * 1000 / ticks_per_ms;
}

void harts_relax(void)
{
	__asm__ volatile("csrsi sie, 2\n\t"
			 "csrsi sip, 2\n\t"
			 "wfi"
			 :
			 :
			 : "memory");
}
