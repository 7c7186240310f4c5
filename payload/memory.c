/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's memory once the allocator is up: what goes back late, and the books. */
#include "memory.h"

#include <string.h>

#include <earlymm/error.h>
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
	(void)m;
	/* Zeros are no instruction: whoever still goes there is trapped. */
	memset(__init_begin, 0, (size_t)(__init_end - __init_begin));
}

bool memory_audit(struct memory *m, uint64_t used_pages)
{
	return mm_audit(&m->mm, &m->mb, used_pages, &m->audit) == 0;
}
