/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes read as a sequence of memblock calls, each of which is checked against the model: its
 * result, both maps entry by entry, the arrays, memblock_is_valid(), and that a call that fails has
 * changed nothing. Any bytes are a sequence. What differs is printed, and then abort() is called.
 */
#ifndef TESTS_UNIT_HELPER_MEMBLOCK_OPS_H
#define TESTS_UNIT_HELPER_MEMBLOCK_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the sequences so far came to. */
struct ops_stats {
	unsigned long ops;
	unsigned long grown; /* arrays that were replaced */
	unsigned long refused; /* calls that failed for want of an entry, or of access to memory */
	unsigned long placed; /* allocations */
	unsigned long most; /* entries of one map */
};

/* @trace: prints each call with its arguments first. */
void ops_run(const uint8_t *data, size_t size, bool trace, struct ops_stats *stats);

#endif
