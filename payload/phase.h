/* SPDX-License-Identifier: BSD-2-Clause */
/* What each phase of the boot costs, net of console output. The names are those of the log. */
#ifndef PAYLOAD_PHASE_H
#define PAYLOAD_PHASE_H

#include "counters.h"

#define MAX_PHASES 16

/* The names are in phase.c: those who begin phases are gone when they are reported (init.h). */
enum phase_id {
	PHASE_NONE,
	PHASE_PLATFORM,
	PHASE_FDT,
	PHASE_BOOTARGS,
	PHASE_MEMBLOCK,
	PHASE_MEMTEST,
	PHASE_REGIONS,
	PHASE_EARLY,
	PHASE_HUGE,
	PHASE_PLAN,
	PHASE_HANDOVER,
	PHASE_ZONES,
	PHASE_READY,
	PHASE_HIGHMEM,
	NR_PHASES
};

struct phase {
	enum phase_id id;
	const char *name;
	struct counters net;
};

/* The caller's. Phases do not nest; those past MAX_PHASES are not recorded. */
struct phase_log {
	unsigned int nr;
	struct phase phases[MAX_PHASES];
	enum phase_id running;
	struct counters start, console_start;
	struct counters own; /* what an empty phase costs */
	struct counters excluded;
};

/* Empties the log, and measures what to subtract from each phase for the measuring itself. */
void phase_calibrate(struct phase_log *log);

void phase_begin(struct phase_log *log, enum phase_id id);

/* Ends the running phase, and looks after the stack; without a phase it does nothing. */
void phase_end(struct phase_log *log);

/*
 * Ends a phase that was begun as PHASE_NONE: it is not recorded, and what it took is left out of
 * phase_since_entry().
 */
void phase_exclude(struct phase_log *log);

/* Records everything from the payload's first instruction until now as a phase of its own. */
void phase_since_entry(struct phase_log *log, enum phase_id id);

/* The phase @id, if it was; else an empty one. */
const struct phase *phase_find(const struct phase_log *log, enum phase_id id);

#endif
