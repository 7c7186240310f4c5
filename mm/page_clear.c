/* SPDX-License-Identifier: BSD-2-Clause */
/* Stores over whole pages. Volatile, as the compiler would call memset(), which goes by bytes. */
#include "page_record.h"

#define UNROLLED 8U

void fill_words(uint64_t *p, uint64_t value, uint64_t nr)
{
	volatile uint64_t *at = p, *end = at + (nr & ~(uint64_t)(UNROLLED - 1));

	for (; at < end; at += UNROLLED) {
		at[0] = value;
		at[1] = value;
		at[2] = value;
		at[3] = value;
		at[4] = value;
		at[5] = value;
		at[6] = value;
		at[7] = value;
	}
	for (nr &= UNROLLED - 1; nr; nr--)
		*at++ = value;
}

int clear_pages(const struct phys_map *map, uint64_t pfn, unsigned int order)
{
	for (uint64_t end = pfn + (1ULL << order); pfn < end; pfn++) {
		uint64_t *page = phys_to_virt(map, PFN_PHYS(pfn), PAGE_SIZE);

		if (!page)
			return -EMM_EFAULT;
		fill_words(page, 0, PAGE_SIZE / sizeof(uint64_t));
	}
	return 0;
}
