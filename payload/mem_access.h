/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that may not be there, as mm/'s tests of it want it: on probe.c's accesses. */
#ifndef PAYLOAD_MEM_ACCESS_H
#define PAYLOAD_MEM_ACCESS_H

#include <earlymm/memtest.h>

/* Where a long test says how far it has come; at most every second. */
struct mem_progress {
	uint64_t tb_hz; /* ticks of the time counter in a second; 0: nothing is said */
	uint64_t last_tb;
};

/* The hooks; @progress lives as long as they are used. */
struct mem_access mem_access(struct mem_progress *progress);

#endif
