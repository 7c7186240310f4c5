/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the reports share. Private to mm/report*.c. */
#ifndef MM_REPORT_INTERNAL_H
#define MM_REPORT_INTERNAL_H

#include <earlymm/report.h>
#include "page_alloc_internal.h"

#define REPORT_COLUMNS 132

/* Bytes for the name of a zone, and for a size as text. */
#define ZONE_NAME_LEN 16
#define SIZE_TEXT_LEN 24

/* ---- mm/report.c ---- */

/* Zones by node, a CMA area behind the others of its node; *@at begins with 0. NULL: no more. */
const struct zone *report_next_zone(const struct page_alloc *pa, uint32_t *at);
#define for_each_zone(z, pa, at) for (uint32_t at = 0; ((z) = report_next_zone(pa, &(at)));)

/* "DMA32", or "CMA1" for the second area. @buf of ZONE_NAME_LEN bytes, which it returns. */
char *report_zone_name(const struct page_alloc *pa, const struct zone *z, char *buf);

/* "62 GiB", "1.5 MiB", cut to a tenth. @buf of SIZE_TEXT_LEN bytes, which it returns. */
char *report_size(char *buf, uint64_t bytes);

/* Blocks in a stack of the context, and pages in all of them. */
uint64_t report_held_blocks(const struct buddy_hart *c, unsigned int order);

/* The lowest frame that refills of the context begin at; UINT64_MAX if there was none yet. */
uint64_t report_floor(const struct buddy_hart *c);

/* Pages in the stacks of all harts, of one zone. */
uint64_t report_zone_held(const struct page_alloc *pa, const struct zone *z);

/* Of one zone and order, all harts: blocks. alloc = taken - drained - held. */
struct order_counts {
	uint64_t taken;
	uint64_t drained;
	uint64_t held;
	uint64_t alloc;
	uint64_t freed;
	uint64_t fallbacks;
	uint64_t failures;
};
void report_count_order(const struct page_alloc *pa, const struct zone *z, unsigned int order,
			struct order_counts *n);

/* A table with a column an order, which fits into REPORT_COLUMNS behind @prefix of them. */
struct report_table {
	unsigned int prefix;
	unsigned int nr; /* columns */
	unsigned int digits[NR_PAGE_ORDERS]; /* that a column needs */
	unsigned int width[NR_PAGE_ORDERS];
};
void report_table_init(struct report_table *t, unsigned int prefix);
/* Rows that are to be printed later; then the columns' widths. */
void report_table_add(struct report_table *t, const uint64_t counts[NR_PAGE_ORDERS]);
void report_table_fit(struct report_table *t);
/* The rest of a line. NULL: the orders themselves, as a heading. */
void report_table_row(const struct report_table *t, const uint64_t counts[NR_PAGE_ORDERS],
		      const struct printer *out);

/* Pages as KiB. */
static inline unsigned long long report_kib(uint64_t nr_pages)
{
	return nr_pages << (PAGE_SHIFT - 10);
}

#endif
