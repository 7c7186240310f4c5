/* SPDX-License-Identifier: BSD-2-Clause */
#include "heap.h"

#include <string.h>

#define GUARD       0x6d
#define GUARD_BYTES ((size_t)8)
#define FREE_BLOCK  SIZE_MAX

/* In front of what the user gets; blocks fill the range without gaps. */
struct block {
	size_t bytes; /* to the next block: a multiple of HEAP_ALIGN */
	size_t asked; /* FREE_BLOCK if it is free */
};
_Static_assert(sizeof(struct block) % HEAP_ALIGN == 0, "what follows it is aligned");

static struct block *first(const struct heap *h)
{
	return (struct block *)(void *)h->base;
}

static uint8_t *user(struct block *b)
{
	return (uint8_t *)(b + 1);
}

/* NULL after the last, and where the list is damaged. */
static struct block *next(const struct heap *h, const struct block *b)
{
	size_t left = h->bytes - (size_t)((const uint8_t *)b - h->base);

	if (b->bytes < sizeof(*b) || b->bytes % HEAP_ALIGN || b->bytes >= left)
		return NULL;
	return (struct block *)(uintptr_t)((uintptr_t)b + b->bytes);
}

static bool is_free(const struct block *b)
{
	return b->asked == FREE_BLOCK;
}

void heap_init(struct heap *h, void *base, size_t bytes)
{
	*h = (struct heap){ .base = base, .bytes = bytes & ~(HEAP_ALIGN - 1) };
	*first(h) = (struct block){ .bytes = h->bytes, .asked = FREE_BLOCK };
}

/* Free neighbours become one. */
static void merge(const struct heap *h, struct block *b)
{
	struct block *n;

	while ((n = next(h, b)) != NULL && is_free(n))
		b->bytes += n->bytes;
}

/* Cuts a free block in two, the second of which begins at @at bytes. */
static struct block *split(struct block *b, size_t at)
{
	struct block *rest = (struct block *)(uintptr_t)((uintptr_t)b + at);

	*rest = (struct block){ .bytes = b->bytes - at, .asked = FREE_BLOCK };
	b->bytes = at;
	return rest;
}

void *heap_alloc(struct heap *h, size_t bytes, size_t align)
{
	size_t need = sizeof(struct block) + bytes + GUARD_BYTES;

	if (bytes > h->bytes)
		return NULL;
	need = (need + HEAP_ALIGN - 1) & ~(HEAP_ALIGN - 1);
	if (align < HEAP_ALIGN)
		align = HEAP_ALIGN;
	for (struct block *b = first(h); b; b = next(h, b)) {
		uintptr_t at;
		size_t pad;

		if (!is_free(b))
			continue;
		merge(h, b);
		at = ((uintptr_t)user(b) + align - 1) & ~(align - 1);
		/* The padding is a block itself: alignments are multiples of its size. */
		pad = at - (uintptr_t)user(b);
		if (b->bytes < pad || b->bytes - pad < need)
			continue;
		if (pad)
			b = split(b, pad);
		if (b->bytes - need >= sizeof(struct block))
			split(b, need);
		b->asked = bytes;
		memset(user(b) + bytes, GUARD, b->bytes - sizeof(*b) - bytes);
		h->in_use += b->bytes;
		if (h->in_use > h->peak)
			h->peak = h->in_use;
		return user(b);
	}
	return NULL;
}

static bool guard_is_whole(struct block *b)
{
	for (size_t i = b->asked; i < b->bytes - sizeof(*b); i++)
		if (user(b)[i] != GUARD)
			return false;
	return true;
}

static bool block_is_valid(const struct heap *h, struct block *b)
{
	if (!next(h, b) && (uintptr_t)b + b->bytes != (uintptr_t)h->base + h->bytes)
		return false;
	return is_free(b) || (b->asked <= b->bytes - sizeof(*b) - GUARD_BYTES && guard_is_whole(b));
}

/* The block in use that @ptr is, or NULL. */
static struct block *find(const struct heap *h, const void *ptr)
{
	struct block *b = first(h);

	while (b && user(b) != ptr)
		b = next(h, b);
	return b && !is_free(b) ? b : NULL;
}

bool heap_free(struct heap *h, void *ptr)
{
	struct block *b = find(h, ptr);

	if (!b || !block_is_valid(h, b))
		return false;
	h->in_use -= b->bytes;
	b->asked = FREE_BLOCK;
	return true;
}

size_t heap_size(const struct heap *h, const void *ptr)
{
	struct block *b = find(h, ptr);

	return b ? b->asked : 0;
}

bool heap_is_valid(const struct heap *h)
{
	for (struct block *b = first(h); b; b = next(h, b))
		if (!block_is_valid(h, b))
			return false;
	return true;
}
