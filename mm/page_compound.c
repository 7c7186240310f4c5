/* SPDX-License-Identifier: BSD-2-Clause */
/* Blocks in use, a bit each: which of them holds a page. */
#include "page_record.h"

void page_mark_block(const struct page_records *r, uint64_t pfn, unsigned int order)
{
	uint64_t bit = block_bit(pfn, order);

	atomic_fetch_or(bit_word(r->blocks, bit), 1ULL << (bit & 63));
}

/* Was it marked? */
bool page_unmark_block(const struct page_records *r, uint64_t pfn, unsigned int order)
{
	uint64_t bit = block_bit(pfn, order), *word = bit_word(r->blocks, bit);
	uint64_t mask = 1ULL << (bit & 63);

	/* Most blocks are not compound. */
	if (!(atomic_read(word) & mask))
		return false;
	return atomic_fetch_and(word, ~mask) & mask;
}

static bool is_marked(const struct page_records *r, uint64_t pfn, unsigned int order)
{
	uint64_t bit = block_bit(pfn, order);

	return atomic_read(bit_word(r->blocks, bit)) >> (bit & 63) & 1;
}

unsigned int page_find_block(const struct page_records *r, uint64_t pfn)
{
	for (unsigned int order = 1; block_is_recorded(r, pfn, order); order++)
		if (is_marked(r, block_start(pfn, order), order))
			return order;
	return 0;
}

int64_t compound_head(const struct page_alloc *pa, uint64_t pfn)
{
	int order = compound_order(pa, pfn);

	return order < 0 ? order : (int64_t)block_start(pfn, (unsigned int)order);
}

int compound_order(const struct page_alloc *pa, uint64_t pfn)
{
	const struct page_records *r;

	if (!(pa->features & PAGE_ALLOC_COMPOUND))
		return -EMM_ESTATE;
	r = page_records_of(pa, pfn, 1);
	return r ? (int)page_find_block(r, pfn) : -EMM_ERANGE;
}
