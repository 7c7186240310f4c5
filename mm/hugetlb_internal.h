/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of hugetlb share. */
#ifndef MM_HUGETLB_INTERNAL_H
#define MM_HUGETLB_INTERNAL_H

#include <earlymm/error.h>
#include <earlymm/hugetlb.h>

/* The end of a list of records. */
#define NO_PAGE UINT32_MAX

static inline phys_addr_t hstate_size(const struct hstate *s)
{
	return PAGE_SIZE << s->order;
}

/* ---- hugetlb.c ---- */

/* The slot of a node; the one behind the nodes that have numbers for all others. */
unsigned int hugetlb_slot(const struct hugetlb *h, int nid);

/* Puts record @i, whose page is not in a list, into the list of its node. */
void hugetlb_enlist(struct hstate *s, uint32_t i);

/* ---- hugetlb_report.c ---- */

/* "2 MiB": @buf of at least 16 bytes, which it returns. @bytes: a power of two. */
char *hugetlb_size_text(char *buf, uint64_t bytes);

#endif
