/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests' malloc() takes memory from: one range that the live allocator has given. Blocks
 * lie one behind the other, each with its size in front and a guard behind. First fit.
 */
#ifndef TESTS_TARGET_HEAP_H
#define TESTS_TARGET_HEAP_H

#include <earlymm/types.h>

#define HEAP_ALIGN ((size_t)16)

struct heap {
	uint8_t *base;
	size_t bytes;
	size_t in_use; /* bytes of all blocks that are, with what surrounds them */
	size_t peak;
};

/* @base: aligned to HEAP_ALIGN; @bytes: at least 64. What the range holds does not matter. O(1). */
void heap_init(struct heap *h, void *base, size_t bytes);

/*
 * @bytes, which may be 0, aligned to @align, a power of two, not zeroed; NULL if there is no room.
 * O(blocks).
 */
void *heap_alloc(struct heap *h, size_t bytes, size_t align);

/*
 * Takes back what heap_alloc() gave; false, with nothing changed, if it did not, or if the guard
 * behind the block was overwritten. O(blocks).
 */
bool heap_free(struct heap *h, void *ptr);

/* The bytes that were asked for; 0 for what is no block. O(blocks). */
size_t heap_size(const struct heap *h, const void *ptr);

/* Whether all blocks and guards are as they must be. O(blocks). */
bool heap_is_valid(const struct heap *h);

#endif
