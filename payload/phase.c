/* SPDX-License-Identifier: BSD-2-Clause */
/* Phases: differences of counters, less what the console took meanwhile. */
#include "phase.h"

#include "console.h"
#include "exit.h"

struct counters entry_counters;

/* Noise, or a clock that ticks seldom, can make the part look larger than the whole. */
static uint64_t less(uint64_t gross, uint64_t part)
{
	return gross > part ? gross - part : 0;
}

static const char *const names[NR_PHASES] = {
	[PHASE_PLATFORM] = "platform", [PHASE_FDT] = "fdt",         [PHASE_BOOTARGS] = "bootargs",
	[PHASE_MEMBLOCK] = "memblock", [PHASE_MEMTEST] = "memtest", [PHASE_REGIONS] = "regions",
	[PHASE_EARLY] = "early",       [PHASE_HUGE] = "huge",       [PHASE_PLAN] = "plan",
	[PHASE_HANDOVER] = "handover", [PHASE_ZONES] = "zones",     [PHASE_READY] = "ready",
	[PHASE_HIGHMEM] = "highmem",
};

static void record(struct phase_log *log, enum phase_id id, struct counters gross,
		   struct counters output)
{
	struct phase *p = &log->phases[log->nr];

	if (log->nr == MAX_PHASES)
		return;
	log->nr++;
	p->id = id;
	p->name = names[id];
	p->net = (struct counters){ less(gross.ins, output.ins), less(gross.cyc, output.cyc),
				    less(gross.tb, output.tb) };
}

void phase_begin(struct phase_log *log, enum phase_id id)
{
	log->running = id;
	log->console_start = console_cost();
	log->start = counters_read();
}

void phase_end(struct phase_log *log)
{
	struct counters now = counters_read();

	if (!log->running)
		return;
	record(log, log->running, counters_sub(now, log->start),
	       counters_add(counters_sub(console_cost(), log->console_start), log->own));
	log->running = PHASE_NONE;
	payload_check_stack();
}

void phase_calibrate(struct phase_log *log)
{
	*log = (struct phase_log){ .nr = 0 };
	phase_begin(log, PHASE_PLATFORM);
	phase_end(log);
	log->own = log->phases[0].net;
	log->nr = 0;
}

void phase_exclude(struct phase_log *log)
{
	struct counters gross = counters_sub(counters_read(), log->start);
	struct counters output = counters_sub(console_cost(), log->console_start);

	log->excluded = counters_add(log->excluded, counters_sub(gross, output));
}

void phase_since_entry(struct phase_log *log, enum phase_id id)
{
	record(log, id, counters_sub(counters_read(), entry_counters),
	       counters_add(console_cost(), log->excluded));
}

const struct phase *phase_find(const struct phase_log *log, enum phase_id id)
{
	static const struct phase none;

	for (unsigned int i = 0; i < log->nr; i++) {
		if (log->phases[i].id == id)
			return &log->phases[i];
	}
	return &none;
}
