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

void memory_free_init(struct memory *m)
{
	const size_t bytes = (size_t)(__init_end - __init_begin);
	int err;

	/* Zeros are no instruction: whoever still goes there is trapped. */
	memset(__init_begin, 0, bytes);
	m->init_pages = 0;
	/* Where the tree does not have the image's memory, there is nothing to give. */
	if (!memblock_is_region_memory(&m->mb, (uintptr_t)__init_begin, bytes))
		return;
	err = free_reserved_area(&m->mm, &m->mb, (uintptr_t)__init_begin, bytes, &m->init_pages);
	if (err)
		payload_fail("%lu bytes of init memory at %p cannot be given back: %s", bytes,
			     (void *)__init_begin, emm_strerror(err));
}

bool memory_audit(struct memory *m, uint64_t used_pages)
{
	if (m->discarded)
		return mm_audit_again(&m->mm, used_pages, &m->audit) == 0;
	return mm_audit(&m->mm, &m->mb, used_pages, &m->audit) == 0;
}
