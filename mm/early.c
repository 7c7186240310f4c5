/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The three early allocators behind one face. Requests are put into whole pages here, once, so
 * that none of them can see more or less of a page than another.
 */
#include <earlymm/early.h>
#include <earlymm/handover.h>
#include "bootmem_internal.h"

/* Whole pages of memory that may be had? */
static bool has_memory(const struct memblock *mb)
{
	for (unsigned long i = 0; i < mb->memory.cnt; i++) {
		const struct memblock_region *r = &mb->memory.regions[i];

		if (!(r->flags & MEMBLOCK_NOT_FREE) && PFN_UP(r->base) < PFN_DOWN(region_end(r)))
			return true;
	}
	return false;
}

/* If there is no room for a larger array, what needs one will say so. */
static void make_room(struct memblock *mb)
{
	const struct printer *warn = mb->warn;

	if (!mb->can_resize || memblock_has_room(&mb->reserved, EARLY_REGIONS))
		return;
	mb->warn = NULL;
	memblock_make_room(mb, &mb->reserved, EARLY_REGIONS, 0, 0);
	mb->warn = warn;
}

/* They never shrink. */
static void note_arrays(struct early *e)
{
	if (e->kind != EARLY_BOOTMEM)
		e->metadata_bytes =
			(e->mb->memory.max + e->mb->reserved.max) * sizeof(struct memblock_region);
}

static void note_bitmaps(struct early *e)
{
	for (uint32_t i = 0; i < e->bootmem.nr_nodes; i++)
		e->metadata_bytes += PFN_PHYS(e->bootmem.bdata[i].map_pages);
}

int early_init(struct early *e, enum early_kind kind, struct memblock *mb)
{
	bool frame_0 = false;
	int err = 0;

	if ((unsigned int)kind >= NR_EARLY_KINDS)
		return -EMM_EINVAL;
	if (!has_memory(mb))
		return -EMM_ENOENT;
	e->mb = mb;
	e->metadata_bytes = 0;
	e->kind = kind;
	e->handed_over = false;
	make_room(mb);
	err = memblock_reserve_frame_0(mb, &frame_0);
	if (err)
		return err;
	if (kind == EARLY_BOOTMEM)
		err = do_init_bootmem(&e->bootmem, mb);
	else
		nobootmem_init(&e->bootmem, mb);
	if (err) {
		if (frame_0)
			memblock_free(mb, 0, PAGE_SIZE);
		return err;
	}
	note_bitmaps(e);
	note_arrays(e);
	return 0;
}

/* By early_free_all(), or by a call of bootmem's. */
static bool is_handed_over(const struct early *e)
{
	return e->handed_over || e->bootmem.handed_over;
}

static bool may_have_cause(enum memblock_cause cause)
{
	return is_cause(cause) && cause != CAUSE_MEMBLOCK && cause != CAUSE_BOOTMEM &&
	       cause != CAUSE_NOMAP && cause != CAUSE_PARTIAL;
}

int early_alloc(struct early *e, phys_addr_t size, phys_addr_t align, phys_addr_t goal,
		phys_addr_t limit, int nid, enum memblock_cause cause, phys_addr_t *pa)
{
	bool bottom_up = e->mb->bottom_up;
	int err;

	if (!size || (align & (align - 1)) || nid < NUMA_NO_NODE || !may_have_cause(cause))
		return -EMM_EINVAL;
	if (is_handed_over(e))
		return -EMM_ESTATE;
	if (size > (PHYS_ADDR_MAX & PAGE_MASK))
		return -EMM_ENOMEM;
	size = PFN_PHYS(PFN_UP(size));
	align = max_addr_of(align, PAGE_SIZE);
	if (e->kind == EARLY_BOOTMEM) {
		err = bootmem_alloc_lowest(&e->bootmem, size, align, goal, limit, nid, cause, pa);
	} else {
		e->mb->bottom_up = true;
		err = e->kind == EARLY_NOBOOTMEM ? nobootmem_alloc(&e->bootmem, size, align, goal,
								   limit, nid, cause, false, pa)
						 : memblock_phys_alloc(e->mb, size, align, goal,
								       limit, nid, cause, pa);
		e->mb->bottom_up = bottom_up;
	}
	note_arrays(e);
	return err;
}

int early_free(struct early *e, phys_addr_t base, phys_addr_t size)
{
	bool one_cause;
	int err;

	if (!size || (base & ~PAGE_MASK) || size > (PHYS_ADDR_MAX & PAGE_MASK) - base)
		return -EMM_EINVAL;
	if (is_handed_over(e))
		return -EMM_ESTATE;
	size = PFN_PHYS(PFN_UP(size));
	err = memblock_may_free(e->mb, base, base + size);
	if (err)
		return err;
	if (!memblock_all_reserved(e->mb, base, base + size, &one_cause))
		return -EMM_EDOUBLE;
	if (!one_cause)
		return -EMM_EBUSY;
	err = e->kind == EARLY_MEMBLOCK ? memblock_free(e->mb, base, size)
					: free_bootmem(&e->bootmem, base, size);
	note_arrays(e);
	return err;
}

int early_free_all(struct early *e, struct mm *mm)
{
	int err = e->kind == EARLY_MEMBLOCK ? memblock_free_all(mm, e->mb)
					    : free_all_bootmem(&e->bootmem, mm);

	if (!err)
		e->handed_over = true;
	return err;
}

uint64_t early_metadata_bytes(const struct early *e)
{
	return e->metadata_bytes;
}

const char *early_name(enum early_kind kind)
{
	static const char *const names[NR_EARLY_KINDS] = { "memblock", "bootmem", "nobootmem" };

	return (unsigned int)kind < NR_EARLY_KINDS ? names[kind] : "unknown";
}
