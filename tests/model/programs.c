/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs. Those with names are made for a rule of the protocol, or for a fault that was
 * thought of; families are all pairs (or threes) of short sequences from a few initial states.
 */
#include "program.h"

#include <earlymm/buddy.h>

#define SHAPE (BUDDY_RADIX_SHIFT * 10 + BUDDY_LEVELS)

#if SHAPE == 12 /* 2 bits a word, 2 levels: orders 0 and 1 */

const struct program programs[] = {
	/* Rule 1. */
	{ .name = "last-top-block", .pages = 4, .before = { "a1" }, .harts = { "a1", "a1" } },
	{ .name = "last-page", .pages = 4, .before = { "a1 a0 d" }, .harts = { "a0", "a0" } },
	{ .name = "two-top-blocks", .pages = 4, .harts = { "a1 f0", "a1 f0" } },
	{ .name = "alloc-free", .pages = 4, .harts = { "a0 f0", "a0 f0" } },
	/* Rule 3. */
	{ .name = "page-of-a-split",
	  .pages = 4,
	  .before = { "a1" },
	  .harts = { "a0 g1 d", "t f0" } },
	{ .name = "split-then-drain",
	  .pages = 4,
	  .before = { "a1" },
	  .harts = { "a0 d", "a0 f0" } },
	/* Rule 4. */
	{ .name = "carry-twice",
	  .pages = 4,
	  .before = { "a0 a0 g1", "t" },
	  .harts = { "f0", "f0" } },
	{ .name = "carry-and-claim",
	  .pages = 4,
	  .before = { "a1 a0 a0 g2 f1", "t" },
	  .harts = { "a0 d", "f0" } },
	{ .name = "carry-claim-resplit",
	  .pages = 4,
	  .before = { "a1 a0 a0 g2 f1", "t" },
	  .harts = { "a0 f3", "f0", "a0 f0" } },
	{ .name = "drain-and-free",
	  .pages = 4,
	  .before = { "a0 g0", "t" },
	  .harts = { "d", "f0" } },
	/* Rule 5. */
	{ .name = "hint-and-free",
	  .pages = 4,
	  .before = { "a0 a0 g1", "t a1" },
	  .harts = { "f0 a0", "f0 a0" } },
	/* Rule 6. */
	{ .name = "carry-hides-a-page",
	  .pages = 4,
	  .before = { "a1 a0 a0 g2 f1 d", "t" },
	  .harts = { "a0", "f0" } },
	{ .name = "claim-hides-a-page",
	  .pages = 4,
	  .before = { "a1 a0 d" },
	  .harts = { "a0 f2", "a0 f0" } },
	{ .name = "drain-hides-a-page",
	  .pages = 4,
	  .before = { "a1 a0", "" },
	  .harts = { "d", "a0" } },
	{ .name = "last-of-three",
	  .pages = 4,
	  .before = { "a1 a0 a0 g2 f1 d", "t" },
	  .harts = { "a0", "f0", "a0" } },
	/* Rule 8. */
	{ .name = "late-range",
	  .pages = 4,
	  .absent_start = 1,
	  .absent_end = 3,
	  .harts = { "r", "a0 f0 d" } },
	{ .name = "late-word",
	  .pages = 4,
	  .absent_start = 2,
	  .absent_end = 4,
	  .harts = { "r a1", "a1 f0" } },
	{ .name = "late-page",
	  .pages = 4,
	  .absent_start = 3,
	  .absent_end = 4,
	  .harts = { "r", "a0 a0 f0" } },
	{ .name = "split-free-parts",
	  .pages = 4,
	  .before = { "a1" },
	  .harts = { "s0 p0.0 p0.1", "a0 f0 d" } },
	/* Rule 9. */
	{ .name = "double-free",
	  .pages = 4,
	  .before = { "a0 a0 f0 d" },
	  .harts = { "w0.0", "a1 f0" } },
	{ .name = "double-free-merging",
	  .pages = 4,
	  .before = { "a0 a0 g1 f0", "t" },
	  .harts = { "x0.0", "f0" } },
	{ .name = "double-free-merged",
	  .pages = 4,
	  .before = { "a0 a0 f0 f1" },
	  .harts = { "w1.0", "a1 f0" } },
	{ .name = "double-free-top",
	  .pages = 4,
	  .before = { "a1 f0" },
	  .harts = { "w2.1", "a0 f0" } },
};

#elif SHAPE == 22 /* 4 bits a word, 2 levels: orders 0 to 2 */

const struct program programs[] = {
	{ .name = "alloc-free", .pages = 16, .harts = { "a0 f0", "a0 f0" } },
};

#else /* 2 bits a word, 3 levels: hints have summaries */

const struct program programs[] = {
	{ .name = "alloc-free", .pages = 8, .harts = { "a0 f0", "a0 f0" } },
};

#endif

const unsigned int nr_programs = sizeof(programs) / sizeof(programs[0]);
