/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine, its map, and pools of huge pages that are filled from it. */
#ifndef TESTS_UNIT_HELPER_HUGETLB_H
#define TESTS_UNIT_HELPER_HUGETLB_H

#include "helper_memblock.h"
#include "helper_memsim.h"

#include <earlymm/hugetlb.h>
#include <earlymm/page_audit.h>

struct helper_hugetlb {
	struct helper_memblock *h;
	struct memsim *s;
	struct page_alloc pa;
	struct page_alloc_config cfg; /* one hart, to begin with */
	struct hugetlb huge;
	struct hugetlb_request request;
	struct hugetlb_early early;
	uint64_t keep_pages;
	unsigned int nr_early_calls;
	bool misaligned; /* the early allocator does not keep to alignments */
	bool stubborn; /* it frees nothing */
};

/* cmocka's set-up and tear-down: *state is a struct helper_hugetlb without memory. */
int helper_hugetlb_setup(void **state);
int helper_hugetlb_teardown(void **state);

/* RAM that is there, and in the map, on node @nid. */
void helper_hugetlb_node(struct helper_hugetlb *f, phys_addr_t base, uint64_t size, int nid);

/* Asks for @nr pages of 2^order pages; or, with what that returned, for so many on a node. */
struct hugetlb_count *helper_hugetlb_ask(struct helper_hugetlb *f, unsigned int order, uint64_t nr);
void helper_hugetlb_ask_node(struct hugetlb_count *count, int nid, uint64_t nr);

/* What was asked for, from memblock; the handover, and from the buddy; both. */
void helper_hugetlb_early(struct helper_hugetlb *f);
void helper_hugetlb_handover(struct helper_hugetlb *f);
void helper_hugetlb_fill(struct helper_hugetlb *f);

/* The audit, with the pool's own ledger and @used pages besides. */
void helper_hugetlb_balance(struct helper_hugetlb *f, uint64_t used);

/* Pages that the zones have: managed, and free. */
uint64_t helper_hugetlb_managed(const struct helper_hugetlb *f);
uint64_t helper_hugetlb_free(const struct helper_hugetlb *f);

#endif
