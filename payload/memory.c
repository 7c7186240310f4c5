/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's memory once the allocator is up: what goes back late, and the books. */
#include "memory.h"

#include <string.h>

#include <earlymm/error.h>
#include <earlymm/reserved_area.h>
#include "console.h"
#include "exit.h"
#include "layout.h"

/* Physical = virtual: satp is 0. */
static void *bare_phys_to_virt(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	(void)ctx;
	(void)bytes;
	return (void *)(uintptr_t)pa;
}

const struct phys_map memory_map = { bare_phys_to_virt, NULL };

static uint64_t free_init_area(struct memory *m, char *begin, const char *end)
{
	const size_t bytes = (size_t)(end - begin);
	uint64_t nr_pages = 0;
	int err;

	/* Where the tree does not have the image's memory, there is nothing to give. */
	if (!memblock_is_region_memory(&m->mb, (uintptr_t)begin, bytes))
		return 0;
	err = page_alloc_free_reserved(&m->pages, &m->mb, (uintptr_t)begin, bytes, &nr_pages);
	if (err)
		payload_fail("%zu bytes of init memory at %p cannot be given back: %s", bytes,
			     (void *)begin, emm_strerror(err));
	return nr_pages;
}

void memory_free_init(struct memory *m)
{
	/* Zeros are no instruction: whoever still goes there is trapped. */
	memset(__init_begin, 0, (uintptr_t)__init_end - (uintptr_t)__init_begin);
	m->init_pages = 0;
	if (!m->keep_init)
		m->init_pages = free_init_area(m, __init_begin, __init_end) +
				free_init_area(m, __init_bss_start, __init_bss_end);
}

struct page_hart *memory_hart(const struct memory *m)
{
	return m->pages.harts;
}

struct zone *memory_main_zone(struct memory *m)
{
	struct page_alloc *pa = &m->pages;
	struct zone *best = &pa->zones[0];

	for (uint32_t i = 1; i < pa->nr_zones; i++)
		if (pa->zones[i].type < ZONE_HIGHMEM &&
		    pa->zones[i].mm.managed_pages > best->mm.managed_pages)
			best = &pa->zones[i];
	return best;
}

uint64_t memory_huge_pages(const struct memory *m)
{
	return m->has_huge ? hugetlb_used_pages(&m->huge) : 0;
}

bool memory_audit(struct memory *m, uint64_t used_pages)
{
	used_pages += memory_huge_pages(m);
	if (m->discarded)
		return page_alloc_audit_again(&m->pages, used_pages, &m->audit) == 0;
	return page_alloc_audit(&m->pages, &m->mb, used_pages, &m->audit) == 0;
}
