/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the report share: table.c, report.c, goals.c, reference.c. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "bench_impl.h"
#include "stats.h"

#define REPORT_WIDTH 100
#define CELL_TEXT    (2 * STATS_TEXT)
#define ROW_NAME     28 /* with its end */
#define BYTES_SCALE  10000 /* metadata is in 1/10000 byte a page */

/* A number, or one of FIGURE_…? */
bool is_number(int64_t figure);

/*
 * A figure in units of 10^-digits as a cell: in @text, or a literal. pair_text: two whole numbers
 * with a stroke between them.
 */
const char *cell_text(char text[CELL_TEXT], int64_t figure, unsigned int digits);
const char *pair_text(char text[CELL_TEXT], int64_t first, int64_t second);

/* Adds @text at @at, before @end, which is the last that may be written. Returns the new end. */
char *append(char *at, const char *end, const char *text);

/* Is it the build for Zba, Zbb and Zbs? */
bool is_zb(const struct page_allocator_ops *ops);

/* An allocator's name; its setting, where there are several; and which build it is. */
const char *row_name(char name[ROW_NAME], const struct bench *b,
		     const struct page_allocator_ops *ops);

/* reference.c: the figures of others, in the columns of the first table. */
enum report_column {
	COL_PAIR0,
	COL_PAIR9,
	COL_BULK_ALLOC,
	COL_FREE_ORDERED,
	COL_FREE_RANDOM,
	COL_CHURN,
	COL_HANDOVER,
	COL_META,
	COL_SCORES,
	NR_COLUMNS
};

struct reference {
	const char *name;
	const char *cell[NR_COLUMNS];
};

extern const struct reference bench_references[]; /* ends with a NULL name */
extern const char *const bench_reference_notes[]; /* lines, ends with NULL */

/* The second table's columns: what small calls and healing cost, what is left, single calls. */
enum detail_column {
	DET_CHURN0,
	DET_AGE,
	DET_BURST,
	DET_AGE3,
	DET_BURST3,
	DET_FRAG9,
	DET_ALLOC_P50,
	DET_ALLOC_P99,
	DET_ALLOC_MAX,
	DET_FREE_P50,
	DET_FREE_P99,
	DET_FREE_MAX,
	NR_DETAILS
};

struct detail_reference {
	const char *name;
	const char *cell[NR_DETAILS];
};

extern const struct detail_reference bench_detail_reference; /* Linux */

/* goals.c: the goals as cells of the tables' rows, and all of them with how far they are met. */
const char *goal_cell(const struct bench *b, char text[CELL_TEXT], enum report_column column);
void print_goals(const struct bench *b);

#endif
