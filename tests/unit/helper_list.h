/* SPDX-License-Identifier: BSD-2-Clause */
/* A zone of the list buddy on its own memmap, and ways to say what state it is in. */
#ifndef TESTS_UNIT_HELPER_LIST_H
#define TESTS_UNIT_HELPER_LIST_H

#include "test.h"

#include <earlymm/error.h>
#include <earlymm/list_buddy.h>

struct helper_list {
	struct list_zone z;
	struct list_hart harts[2];
	void *memmap;
	uint64_t memmap_bytes;
	void *snapshot;
};

/*
 * The frames [start, end), all free, in blocks up to @max_order; one page moves at a time, so that
 * nothing stays with a hart that is not freed there. The memmap was full of garbage.
 */
struct helper_list *helper_list_new(uint64_t start, uint64_t end, unsigned int max_order);

/* The same, but nothing is free yet: list_memmap_init() was the last call. */
struct helper_list *helper_list_mapped(uint64_t start, uint64_t end, unsigned int max_order);

void helper_list_delete(struct helper_list *f);

/* Everything there is, bit by bit: as it is now, and that it has not changed since. */
void helper_list_remember(struct helper_list *f);
void helper_list_check_unchanged(struct helper_list *f);

/* Free blocks of the zone by order, from order 0; the others are 0; and the zone is valid. */
void helper_list_expect(const struct helper_list *f, const uint64_t *counts, unsigned int n,
			const char *file, int line);
#define expect_blocks(f, ...)                                                                \
	helper_list_expect(f, (const uint64_t[]){ __VA_ARGS__ },                             \
			   sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t), __FILE__, \
			   __LINE__)

#endif
