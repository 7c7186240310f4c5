/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of memblock share. Entries keep the invariant of memblock_is_valid(). */
#ifndef MM_MEMBLOCK_INTERNAL_H
#define MM_MEMBLOCK_INTERNAL_H

#include <earlymm/error.h>
#include <earlymm/memblock.h>

#define MEMBLOCK_MEMORY_FLAGS \
	((uint32_t)(MEMBLOCK_HOTPLUG | MEMBLOCK_MIRROR | MEMBLOCK_NOMAP | MEMBLOCK_DRIVER_MANAGED))
#define MEMBLOCK_RESERVED_FLAGS ((uint32_t)(MEMBLOCK_RSRV_NOINIT | MEMBLOCK_RSRV_KERN))

/* Where the address of the public function's caller is to be had. */
#define MEMBLOCK_CALLER __builtin_return_address(0)

static inline phys_addr_t region_end(const struct memblock_region *r)
{
	return r->base + r->size;
}

static inline bool same_kind(const struct memblock_region *a, const struct memblock_region *b)
{
	return a->flags == b->flags && a->nid == b->nid;
}

/* The end of [base, base + size), cut at the top of the address space. */
static inline phys_addr_t range_end(phys_addr_t base, phys_addr_t size)
{
	return size > PHYS_ADDR_MAX - base ? PHYS_ADDR_MAX : base + size;
}

static inline phys_addr_t min_addr_of(phys_addr_t a, phys_addr_t b)
{
	return a < b ? a : b;
}

static inline phys_addr_t max_addr_of(phys_addr_t a, phys_addr_t b)
{
	return a > b ? a : b;
}

static inline bool is_power_of_two(phys_addr_t x)
{
	return x && !(x & (x - 1));
}

static inline uint32_t cause_flags(enum memblock_cause cause)
{
	return (uint32_t)cause << MEMBLOCK_CAUSE_SHIFT;
}

static inline bool is_cause(enum memblock_cause cause)
{
	return (unsigned int)cause < NR_CAUSES;
}

static inline bool type_is_of(const struct memblock *mb, const struct memblock_type *type)
{
	return type == &mb->memory || type == &mb->reserved;
}

static inline bool memblock_has_room(const struct memblock_type *type, unsigned long more)
{
	return more <= type->max - type->cnt;
}

/* ---- memblock.c ---- */

/* Index of the first entry that ends above @addr; cnt if there is none. O(log n). */
unsigned long memblock_first_above(const struct memblock_type *type, phys_addr_t addr);

/* Moves entries [from, cnt) to @to and adapts cnt; the entries in between are the caller's. */
void memblock_move_tail(struct memblock_type *type, unsigned long from, unsigned long to);

/* What the public functions do once their arguments are checked. @add: its end is cut. */
int memblock_add_range(struct memblock *mb, struct memblock_type *type,
		       const struct memblock_region *add);
int memblock_remove_range(struct memblock *mb, struct memblock_type *type, phys_addr_t base,
			  phys_addr_t end);

/* ---- memblock_grow.c ---- */

/*
 * Makes room for @more entries beyond cnt, by growth that keeps clear of [base, end). Indexes
 * into the reserved array, and counts made from it, are void afterwards.
 * returns: 0, -EMM_ENOSPC, -EMM_EFAULT; on failure nothing has changed.
 */
int memblock_make_room(struct memblock *mb, struct memblock_type *type, unsigned long more,
		       phys_addr_t base, phys_addr_t end);

/* ---- memblock_find.c ---- */

struct memblock_want {
	phys_addr_t size;
	phys_addr_t align; /* a power of two */
	phys_addr_t start;
	phys_addr_t end; /* exclusive */
	int nid;
	uint32_t flags; /* MEMBLOCK_MIRROR: mirrored memory only */
	bool bottom_up;
	const struct memblock_array *avoid; /* ranges to keep clear of, besides what is reserved */
	unsigned int nr_avoid; /* top-down only */
};

/* The highest (lowest) fit in free memory. returns: 0 and *@pa, -EMM_ENOMEM. O(n + m). */
int memblock_find(const struct memblock *mb, const struct memblock_want *want, phys_addr_t *pa);

/* MEMBLOCK_MIRROR if there is mirrored memory, else 0: the flags to begin a search with. O(n). */
uint32_t memblock_choose_flags(const struct memblock *mb);

/* ---- memblock_query.c ---- */

/*
 * Whether every byte of [base, end) is reserved. *@one_cause: for one cause, that of @base. O(log n
 * + entries covered).
 */
bool memblock_all_reserved(const struct memblock *mb, phys_addr_t base, phys_addr_t end,
			   bool *one_cause);

/* ---- memblock_dump.c ---- */

/* The line of one call on mb->debug: on a range, or one that sets something. */
void memblock_print_call(const struct memblock *mb, const char *call, phys_addr_t base,
			 phys_addr_t size, uint32_t flags, const void *caller);
void memblock_print_setting(const struct memblock *mb, const char *call, uint64_t value,
			    const void *caller);

/* Inline, so that silence costs one test. */
static inline void memblock_debug_call(const struct memblock *mb, const char *call,
				       phys_addr_t base, phys_addr_t size, uint32_t flags,
				       const void *caller)
{
	if (mb->debug)
		memblock_print_call(mb, call, base, size, flags, caller);
}

static inline void memblock_debug_setting(const struct memblock *mb, const char *call,
					  uint64_t value, const void *caller)
{
	if (mb->debug)
		memblock_print_setting(mb, call, value, caller);
}

#endif
