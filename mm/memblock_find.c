/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a block fits into the free ranges: the search behind allocation and growth. */
#include "memblock_internal.h"

/* The highest fit in [start, end) clear of the ranges to avoid, each of which lowers end once. */
static bool fit_high(const struct memblock_want *want, phys_addr_t start, phys_addr_t end,
		     phys_addr_t *pa)
{
	unsigned int i;

again:
	if (end < start || end - start < want->size)
		return false;
	*pa = (end - want->size) & ~(want->align - 1);
	if (*pa < start)
		return false;
	for (i = 0; i < want->nr_avoid; i++) {
		const struct memblock_array *no = &want->avoid[i];

		if (no->size && *pa < no->base + no->size && no->base < *pa + want->size) {
			end = no->base;
			goto again;
		}
	}
	return true;
}

/* The lowest fit in [start, end). */
static bool fit_low(const struct memblock_want *want, phys_addr_t start, phys_addr_t end,
		    phys_addr_t *pa)
{
	phys_addr_t up = -start & (want->align - 1);

	if (end < start || end - start < up || end - start - up < want->size)
		return false;
	*pa = start + up;
	return true;
}

/* The walks begin at a bound of the search: what lies beyond is skipped by bisection. */
static void begin_at_start(struct memblock_iter *it, const struct memblock *mb, phys_addr_t start)
{
	it->mem += memblock_first_above(&mb->memory, start);
	it->rsv += memblock_first_above(&mb->reserved, start);
	it->cur = start;
}

static void begin_at_end(struct memblock_iter *it, const struct memblock *mb, phys_addr_t end)
{
	unsigned long mem = memblock_first_above(&mb->memory, end);
	unsigned long rsv = memblock_first_above(&mb->reserved, end);

	/* The first that ends above it may begin below it. */
	it->mem = mb->memory.regions + mem + (mem < mb->memory.cnt);
	it->rsv = mb->reserved.regions + rsv + (rsv < mb->reserved.cnt);
	it->cur = end;
}

int memblock_find(const struct memblock *mb, const struct memblock_want *want, phys_addr_t *pa)
{
	phys_addr_t start, end, at;
	struct memblock_iter it;

	if (want->bottom_up) {
		memblock_iter_free_init(&it, mb, want->nid, want->flags);
		begin_at_start(&it, mb, want->start);
		while (memblock_next_free(&it, &start, &end) && start < want->end) {
			if (fit_low(want, max_addr_of(start, want->start),
				    min_addr_of(end, want->end), &at))
				goto found;
		}
	} else {
		memblock_iter_free_init_reverse(&it, mb, want->nid, want->flags);
		begin_at_end(&it, mb, want->end);
		while (memblock_prev_free(&it, &start, &end) && end > want->start) {
			if (fit_high(want, max_addr_of(start, want->start),
				     min_addr_of(end, want->end), &at))
				goto found;
		}
	}
	return -EMM_ENOMEM;
found:
	*pa = at;
	return 0;
}

uint32_t memblock_choose_flags(const struct memblock *mb)
{
	unsigned long i;

	for (i = 0; i < mb->memory.cnt; i++) {
		if (mb->memory.regions[i].flags & MEMBLOCK_MIRROR)
			return MEMBLOCK_MIRROR;
	}
	return 0;
}
