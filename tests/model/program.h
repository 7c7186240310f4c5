/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs of the buddy's operations, one for each hart, and the ghost that knows who owns which
 * page. An operation is a letter with numbers; slots number what a hart has allocated or received:
 *
 *   a2     allocates order 2 into the hart's next slot      c4.1   claims order 1 at frame 4, a slot too
 *   f0     frees slot 0                                     s0     splits slot 0
 *   p0.1   frees page 1 of the split slot 0                 d      drains
 *   q      asks for a drain                                 r      adds the absent range
 *   w3.0   frees order 0 at frame 3, which is free: wrong
 *   x3.0   the same, where nothing promises that it is seen
 *   g0     gives slot 0 to the hart that takes it           t      takes it into a slot, if it is there
 *
 * A large letter, hart 0's only: with its struct buddy_hart for movable pages.
 */
#ifndef MODEL_PROGRAM_H
#define MODEL_PROGRAM_H

#include "explore.h"

struct program {
	const char *name;
	unsigned int pages; /* the tree is [0, pages) */
	unsigned int second_tree; /* if not 0: two trees, the second from this frame on */
	bool is_healing; /* the setting of that name */
	bool is_paired; /* hart 0 has another one, for movable pages */
	bool has_spans; /* harts share the tree, as if it was not too small for that */
	unsigned int absent_start, absent_end; /* not free before an r */
	const char *before[MAX_HARTS]; /* in turn, before the harts start */
	const char *harts[MAX_HARTS]; /* NULL: no such hart */
	uint64_t max_states; /* 0: MAX_STATES of program.c */
};

/* Of a program that does not say: MODEL_STATES, or what a short run can afford. */
uint64_t program_max_states(void);

/* Runs it; a schedule is printed for a bug. @order: struct client. */
void program_explore(const struct program *p, uint64_t order, struct outcome *outcome);

extern const struct program programs[];
extern const unsigned int nr_programs;

#endif
