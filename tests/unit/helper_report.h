/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines for the tests of reports, whose texts do not depend on how the buddy chooses: metadata
 * has fixed places, and blocks are taken by their frames.
 */
#ifndef TESTS_UNIT_HELPER_REPORT_H
#define TESTS_UNIT_HELPER_REPORT_H

#include "helper_pages.h"

#include <earlymm/report.h>

/* A zone's metadata is at its start, and has so much room. */
#define HELPER_REPORT_META (512 << 10)

/* Sections of an image of 2 MiB at @base. */
struct report_image helper_report_image(phys_addr_t base);

/* As helper_pages_start(), with metadata at fixed places. HIGHMEM waits. */
void helper_report_start(struct helper_pages *f);

/* Takes exactly this block out of @z, in the name of hart 0, as if alloc_pages() had. */
void helper_report_take(struct helper_pages *f, struct zone *z, uint64_t pfn, unsigned int order);

/*
 * 64 MiB on either side of 4 GiB, 8 MiB of the first lent out, HIGHMEM after 32 MiB of the other;
 * 64 MiB of node 1 at 8 GiB. The image is at the start of the first. Nothing is handed over yet.
 */
void helper_report_machine(struct helper_pages *f);
#define HELPER_REPORT_LOW   (0x100000000 - MIB(64))
#define HELPER_REPORT_CMA   (0x100000000 - MIB(16))
#define HELPER_REPORT_NODE1 0x200000000

/* What was printed since the last call is @text, in lines of @columns at most; and is forgotten. */
void helper_report_expect(struct helper_pages *f, unsigned int columns, const char *text);

/* No line printed since is wider. */
void helper_report_columns(const struct helper_pages *f, unsigned int columns);

/* The number behind @name, at the start of a line. */
uint64_t helper_report_counter(const struct helper_pages *f, const char *name);

#endif
