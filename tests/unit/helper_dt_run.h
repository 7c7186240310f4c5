/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tree, however broken, taken all the way: dt_check(), dt_walk(), dt_to_memblock(), the plan, the
 * handover, the audit; and what must hold after each step, which is checked against helper_dt_model.
 * What does not is printed, and then abort() is called.
 */
#ifndef TESTS_UNIT_HELPER_DT_RUN_H
#define TESTS_UNIT_HELPER_DT_RUN_H

#include "helper_dt_model.h"

/* What became of the trees so far. */
struct dt_run_stats {
	unsigned long runs;
	unsigned long walked; /* passed dt_walk() */
	unsigned long mapped; /* and dt_to_memblock() */
	unsigned long placed; /* dynamic regions */
	unsigned long handed_over; /* and have a page allocator */
};

/* A machine as QEMU's virt board is, which is what most tests' trees are for. */
void dt_machine_init(struct dt_machine *machine);

/*
 * The tree is the first @size bytes at @blob, put into a heap block of as many bytes as its header
 * claims (the rest, if it claims more, is 0): ASan sees each access beyond. @text: with messages,
 * which are checked; without, it is faster. Returns dt_to_memblock()'s result, or that of the step
 * before it that failed.
 */
int dt_run(const void *blob, size_t size, const struct dt_machine *machine, bool text,
	   struct dt_run_stats *stats);

/* The messages of the last run. */
const char *dt_run_text(void);

#endif
