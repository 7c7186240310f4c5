/* SPDX-License-Identifier: BSD-2-Clause */
/* The common face of the early allocators: each rule on all three kinds. */
#include "helper_bootmem.h"

#include <stdlib.h>
#include <string.h>

#include <earlymm/early.h>

struct fixture {
	struct helper_bootmem *h;
	struct early e;
	enum early_kind kind;
};

static void start(struct fixture *f, struct helper_bootmem *h, enum early_kind kind)
{
	memset(&f->e, ARENA_FILL, sizeof(f->e));
	f->h = h;
	f->kind = kind;
	memblock_init(&h->mb, &h->ram.map);
	memblock_allow_resize(&h->mb);
}

static void add(struct fixture *f, uint64_t start_pfn, uint64_t end_pfn, int nid, uint32_t flags)
{
	assert_int_equal(memblock_add_node(&f->h->mb, PAGES(start_pfn), PAGES(end_pfn - start_pfn),
					   nid, flags),
			 0);
}

static void init(struct fixture *f)
{
	assert_int_equal(early_init(&f->e, f->kind, &f->h->mb), 0);
}

#define NO_LIMIT PHYS_ADDR_MAX

/* The frame of the block, or the error. */
static int64_t alloc(struct fixture *f, phys_addr_t size, phys_addr_t align, uint64_t goal_pfn,
		     phys_addr_t limit, int nid)
{
	phys_addr_t pa = 1;
	int err = early_alloc(&f->e, size, align, PAGES(goal_pfn), limit, nid, CAUSE_ALLOC, &pa);

	if (f->kind == EARLY_BOOTMEM)
		helper_check_follows(&f->e.bootmem, &f->h->mb);
	if (err) {
		assert_int_equal(pa, 1);
		return err;
	}
	assert_int_equal(pa % PAGE_SIZE, 0);
	return (int64_t)PFN_DOWN(pa);
}

/* What is reserved, but for bootmem's own. */
static phys_addr_t reserved_bytes(const struct fixture *f)
{
	phys_addr_t bytes = 0;

	for (unsigned long i = 0; i < f->h->mb.reserved.cnt; i++) {
		const struct memblock_region *r = &f->h->mb.reserved.regions[i];

		if (MEMBLOCK_CAUSE(r->flags) != CAUSE_BOOTMEM)
			bytes += r->size;
	}
	return bytes;
}

/* Runs @body with each kind. */
static void each_kind(void **state, void (*body)(struct fixture *f))
{
	for (enum early_kind kind = 0; kind < NR_EARLY_KINDS; kind++) {
		struct fixture f;

		start(&f, *state, kind);
		body(&f);
	}
}

/*
 * The lowest fit, in whole pages.       x: bytes that are reserved
 *   frames  16  17  18  19  20  21  22  23  24 …
 *                x       x
 *   1 byte  16; 2 pages 20; 1 page 18; 4 pages, on 8 pages: 24; 1 byte 22
 */
static void lowest_fit(struct fixture *f)
{
	add(f, 16, 64, NONE, 0);
	assert_int_equal(memblock_reserve(&f->h->mb, PAGES(17) + 100, 8), 0);
	assert_int_equal(memblock_reserve(&f->h->mb, PAGES(20) - 8, 8), 0);
	init(f);
	assert_int_equal(alloc(f, 1, 0, 0, NO_LIMIT, NONE), 16);
	assert_int_equal(alloc(f, PAGES(1) + 1, 0, 0, NO_LIMIT, NONE), 20);
	assert_int_equal(alloc(f, PAGES(1), 8, 0, NO_LIMIT, NONE), 18);
	assert_int_equal(alloc(f, PAGES(4), PAGES(8), 0, NO_LIMIT, NONE), 24);
	assert_int_equal(alloc(f, 1, PAGE_SIZE, 0, NO_LIMIT, NONE), 22);
	assert_int_equal(reserved_bytes(f), PAGES(1 + 2 + 1 + 4 + 1) + 16);
	assert_int_equal(memblock_search(&f->h->mb.reserved, PAGES(16))->flags, ALLOC(CAUSE_ALLOC));
	assert_false(f->h->mb.bottom_up);
}

static void test_lowest_fit(void **state)
{
	each_kind(state, lowest_fit);
}

/*
 * The goal is a preference, the limits are not; the node is given up first, then the goal.
 *   frames  16 … 31 node 0     32 … 47 node 1     48 … 63 node 0
 */
static void preferences(struct fixture *f)
{
	add(f, 16, 32, 0, 0);
	add(f, 32, 48, 1, 0);
	add(f, 48, 64, 0, 0);
	init(f);
	assert_int_equal(alloc(f, 1, 0, 20, NO_LIMIT, NONE), 20);
	assert_int_equal(alloc(f, 1, 0, 0, NO_LIMIT, 1), 32);
	assert_int_equal(alloc(f, 1, 0, 20, NO_LIMIT, 1), 33);
	assert_int_equal(alloc(f, 1, 0, 40, NO_LIMIT, 0), 48);
	/* Nothing of node 1 above the goal: another node above it. */
	assert_int_equal(alloc(f, 1, 0, 50, NO_LIMIT, 1), 50);
	/* Nothing at all above the goal. */
	assert_int_equal(alloc(f, 1, 0, 64, NO_LIMIT, NONE), 16);
	assert_int_equal(alloc(f, 1, 0, 64, NO_LIMIT, 1), 34);
	/* Never across a node's border: 24 are free in a row, 11 at most in one. */
	assert_int_equal(alloc(f, PAGES(16), 0, 0, NO_LIMIT, NONE), -EMM_ENOMEM);
	assert_int_equal(alloc(f, PAGES(11), 0, 0, NO_LIMIT, NONE), 21);
	/* No such node. */
	assert_int_equal(alloc(f, 1, 0, 0, NO_LIMIT, 9), 17);
	/* The limit is exclusive, to the byte; current_limit bounds it. */
	assert_int_equal(alloc(f, PAGES(2), 0, 0, PAGES(20) - 1, NONE), -EMM_ENOMEM);
	assert_int_equal(alloc(f, PAGES(2), 0, 0, PAGES(20), NONE), 18);
	assert_int_equal(alloc(f, 1, 0, 40, PAGES(40), NONE), 35);
	assert_int_equal(alloc(f, 1, 0, 0, PAGES(16), NONE), -EMM_ENOMEM);
	assert_int_equal(alloc(f, 1, 0, 0, 0, NONE), -EMM_ENOMEM);
	memblock_set_current_limit(&f->h->mb, PAGES(37));
	assert_int_equal(alloc(f, PAGES(2), 0, 0, NO_LIMIT, NONE), -EMM_ENOMEM);
	assert_int_equal(alloc(f, PAGES(1), 0, 50, NO_LIMIT, NONE), 36);
}

static void test_preferences(void **state)
{
	each_kind(state, preferences);
}

/*
 * Mirrored memory first, on any node, then other; HOTPLUG memory not if movable_node.
 *   frames  16 … 19 hotplug    20 … 23     24 … 25 mirrored, node 1     26 … 40
 */
static void flags(struct fixture *f)
{
	add(f, 16, 20, 0, MEMBLOCK_HOTPLUG);
	add(f, 20, 24, 0, 0);
	add(f, 24, 26, 1, MEMBLOCK_MIRROR);
	add(f, 26, 48, 0, 0);
	f->h->mb.movable_node = true;
	/* The bitmaps would be mirrored too. */
	memblock_set_current_limit(&f->h->mb, PAGES(48));
	assert_int_equal(memblock_reserve(&f->h->mb, PAGES(24), PAGES(2)), 0);
	init(f);
	if (f->kind != EARLY_BOOTMEM)
		assert_int_equal(early_free(&f->e, PAGES(24), PAGES(2)), 0);
	else
		assert_int_equal(free_bootmem(&f->e.bootmem, PAGES(24), PAGES(2)), 0);
	f->h->out.len = 0;
	f->h->mb.warn = &f->h->printer;
	assert_int_equal(alloc(f, 1, 0, 0, NO_LIMIT, 0), 24);
	assert_int_equal(f->h->out.len, 0);
	assert_int_equal(alloc(f, PAGES(2), 0, 0, NO_LIMIT, NONE), 20);
	assert_non_null(strstr(f->h->out.text, "0x2"));
	assert_non_null(strstr(f->h->out.text, "of mirrored memory\n"));
	assert_int_equal(alloc(f, PAGES(1), 0, 0, NO_LIMIT, 0), 25);
	assert_int_equal(alloc(f, PAGES(2), 0, 0, NO_LIMIT, 1), 22);
	f->h->mb.movable_node = false;
	assert_int_equal(alloc(f, PAGES(1), 0, 0, NO_LIMIT, NONE), 16);
}

static void test_flags(void **state)
{
	each_kind(state, flags);
}

/* Nothing that the request asks for is guessed at, and nothing changes. */
static void bad_requests(struct fixture *f)
{
	phys_addr_t pa = 1;
	struct early *e = &f->e;
	struct helper_snapshot was;

	assert_int_equal(early_init(e, f->kind, &f->h->mb), -EMM_ENOENT);
	add(f, 16, 20, NONE, MEMBLOCK_NOMAP);
	assert_int_equal(memblock_add(&f->h->mb, PAGES(20) + 1, PAGES(2) - 2), 0);
	assert_int_equal(early_init(e, f->kind, &f->h->mb), -EMM_ENOENT);
	add(f, 24, 32, NONE, 0);
	assert_int_equal(early_init(e, NR_EARLY_KINDS, &f->h->mb), -EMM_EINVAL);
	assert_int_equal(f->h->mb.reserved.cnt, 0);
	init(f);
	helper_snapshot_take(&was, &f->h->mb);
	assert_int_equal(early_alloc(e, 0, 0, 0, NO_LIMIT, NONE, CAUSE_ALLOC, &pa), -EMM_EINVAL);
	assert_int_equal(early_alloc(e, 1, 24, 0, NO_LIMIT, NONE, CAUSE_ALLOC, &pa), -EMM_EINVAL);
	assert_int_equal(early_alloc(e, 1, PAGES(3), 0, NO_LIMIT, NONE, CAUSE_ALLOC, &pa),
			 -EMM_EINVAL);
	assert_int_equal(early_alloc(e, 1, 0, 0, NO_LIMIT, -2, CAUSE_ALLOC, &pa), -EMM_EINVAL);
	assert_int_equal(early_alloc(e, 1, 0, 0, NO_LIMIT, NONE, NR_CAUSES, &pa), -EMM_EINVAL);
	assert_int_equal(early_alloc(e, 1, 0, 0, NO_LIMIT, NONE, CAUSE_MEMBLOCK, &pa), -EMM_EINVAL);
	assert_int_equal(early_alloc(e, 1, 0, 0, NO_LIMIT, NONE, CAUSE_BOOTMEM, &pa), -EMM_EINVAL);
	assert_int_equal(early_alloc(e, 1, 0, 0, NO_LIMIT, NONE, CAUSE_NOMAP, &pa), -EMM_EINVAL);
	assert_int_equal(early_alloc(e, 1, 0, 0, NO_LIMIT, NONE, CAUSE_PARTIAL, &pa), -EMM_EINVAL);
	assert_int_equal(early_alloc(e, PHYS_ADDR_MAX, 0, 0, NO_LIMIT, NONE, CAUSE_ALLOC, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(early_alloc(e, PHYS_ADDR_MAX & PAGE_MASK, 1ULL << 63, PHYS_ADDR_MAX,
				     NO_LIMIT, NONE, CAUSE_ALLOC, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(pa, 1);
	helper_snapshot_check(&was, &f->h->mb);
}

static void test_bad_requests(void **state)
{
	each_kind(state, bad_requests);
}

/*
 *   frames  16                      32   36        40  42
 *           |a a a a|b|.|f|f x|.|…..|NOMAP|        |  | node 1
 * a: 4 pages; b: another cause, next to a; f: 1.5 pages reserved by somebody else
 */
static void frees(struct fixture *f)
{
	struct early *e = &f->e;
	struct helper_snapshot was;
	phys_addr_t pa;

	add(f, 16, 32, NONE, 0);
	add(f, 32, 36, NONE, MEMBLOCK_NOMAP);
	assert_int_equal(memblock_add_node(&f->h->mb, PAGES(40), PAGES(1) + 2048, 0, 0), 0);
	assert_int_equal(memblock_add_node(&f->h->mb, PAGES(41) + 2048, PAGES(2) + 2048, 1, 0), 0);
	assert_int_equal(memblock_reserve(&f->h->mb, PAGES(22), PAGES(1) + 2048), 0);
	assert_int_equal(memblock_reserve(&f->h->mb, PAGES(31), PAGES(12)), 0);
	init(f);
	assert_int_equal(alloc(f, PAGES(4), 0, 0, NO_LIMIT, NONE), 16);
	assert_int_equal(early_alloc(e, PAGES(1), 0, 0, NO_LIMIT, NONE, CAUSE_HUGEPAGES, &pa), 0);
	assert_int_equal(pa, PAGES(20));
	helper_snapshot_take(&was, &f->h->mb);
	assert_int_equal(early_free(e, PAGES(16), 0), -EMM_EINVAL);
	assert_int_equal(early_free(e, PAGES(16) + 8, 8), -EMM_EINVAL);
	assert_int_equal(early_free(e, PAGES(16), PHYS_ADDR_MAX), -EMM_EINVAL);
	assert_int_equal(early_free(e, PAGES(16), (PHYS_ADDR_MAX & PAGE_MASK) - PAGES(16) + 1),
			 -EMM_EINVAL);
	assert_int_equal(early_free(e, PAGES(19), PAGES(2)), -EMM_EBUSY);
	assert_int_equal(early_free(e, PAGES(20), PAGES(2)), -EMM_EDOUBLE);
	assert_int_equal(early_free(e, PAGES(24), PAGES(1)), -EMM_EDOUBLE);
	/* Half of page 23 is not reserved: it is not one that was handed out. */
	assert_int_equal(early_free(e, PAGES(22), PAGES(2)), -EMM_EDOUBLE);
	assert_int_equal(early_free(e, PAGES(15), PAGES(2)), -EMM_ERANGE);
	assert_int_equal(early_free(e, PAGES(31), PAGES(2)), -EMM_ERANGE);
	assert_int_equal(early_free(e, PAGES(36), PAGES(1)), -EMM_ERANGE);
	assert_int_equal(early_free(e, PAGES(0), PAGES(1)), -EMM_ERANGE);
	/* Page 41 is half on one node, half on another, and nobody's. */
	assert_int_equal(early_free(e, PAGES(41), PAGES(1)), -EMM_ERANGE);
	helper_snapshot_check(&was, &f->h->mb);
	/* In parts, the size rounded up; then they can be had again. */
	assert_int_equal(early_free(e, PAGES(17), PAGES(1) + 1), 0);
	assert_int_equal(early_free(e, PAGES(17), PAGES(1)), -EMM_EDOUBLE);
	assert_int_equal(alloc(f, PAGES(3), 0, 0, NO_LIMIT, NONE), 24);
	assert_int_equal(alloc(f, PAGES(2), 0, 0, NO_LIMIT, NONE), 17);
	assert_int_equal(early_free(e, PAGES(22), PAGES(1)), 0);
	assert_int_equal(early_free(e, PAGES(31), PAGES(1)), 0);
	assert_int_equal(early_free(e, PAGES(40), PAGES(1)), 0);
	assert_int_equal(early_free(e, PAGES(42), PAGES(1)), 0);
	if (f->kind == EARLY_BOOTMEM) {
		helper_check_follows(&e->bootmem, &f->h->mb);
		pa = PAGES(e->bootmem.bdata[0].map_pfn);
		assert_int_equal(early_free(e, pa, PAGES(1)), -EMM_EBUSY);
	}
}

static void test_frees(void **state)
{
	each_kind(state, frees);
}

/* After the handover nothing is to be had; before it, the metadata's place comes from here. */
static void handover(struct fixture *f)
{
	struct mm *mm = &f->h->mm;
	struct mm_audit audit;
	phys_addr_t pa = 1;

	add(f, 0, 512, NONE, 0);
	assert_int_equal(memblock_reserve_cause(&f->h->mb, PAGES(1), PAGES(2) + 5, CAUSE_IMAGE), 0);
	init(f);
	assert_int_equal(mm_plan(mm, &f->h->mb, 0, UINT64_MAX, 1), 0);
	assert_int_equal(early_free_all(&f->e, mm), -EMM_ESTATE);
	assert_int_equal(early_alloc(&f->e, mm->meta_bytes, PAGE_SIZE, 0, NO_LIMIT, NONE,
				     CAUSE_METADATA, &pa),
			 0);
	assert_int_equal(pa, PAGES(4)); /* right behind the image */
	assert_int_equal(mm_set_metadata(mm, &f->h->mb, pa + 8), -EMM_EINVAL);
	assert_int_equal(mm->state, MM_PLANNED);
	assert_int_equal(mm_set_metadata(mm, &f->h->mb, pa), 0);
	assert_int_equal(mm_set_metadata(mm, &f->h->mb, pa), -EMM_ESTATE);
	assert_int_equal(mm->meta_pa, pa);
	assert_int_equal(mm_init(mm, &f->h->mb), 0);
	assert_int_equal(early_free_all(&f->e, mm), 0);
	assert_int_equal(mm_audit(mm, &f->h->mb, 0, &audit), 0);
	assert_int_equal(audit.present, 512);
	assert_int_equal(audit.reserved[CAUSE_OTHER], 1); /* frame 0 */
	assert_int_equal(audit.reserved[CAUSE_IMAGE], 3);
	assert_int_equal(audit.reserved[CAUSE_METADATA], PFN_UP(mm->meta_bytes));
	assert_int_equal(audit.managed, 512 - 4 - PFN_UP(mm->meta_bytes));
	assert_false(buddy_page_is_free(&mm->buddy, 0));
	assert_int_equal(early_free_all(&f->e, mm), -EMM_ESTATE);
	assert_int_equal(early_free(&f->e, pa, PAGE_SIZE), -EMM_ESTATE);
	assert_int_equal(early_alloc(&f->e, 1, 0, 0, NO_LIMIT, NONE, CAUSE_ALLOC, &pa),
			 -EMM_ESTATE);
}

/* By bootmem's own call it is a handover too. */
static void handover_by_bootmem(struct fixture *f)
{
	phys_addr_t pa = 1;

	if (f->kind == EARLY_MEMBLOCK)
		return;
	add(f, 16, 512, NONE, 0);
	init(f);
	assert_int_equal(alloc(f, PAGES(2), 0, 0, NO_LIMIT, NONE), 16);
	helper_ready(&f->h->mm, &f->h->mb, 0, UINT64_MAX, PAGES(0x8000));
	assert_int_equal(free_all_bootmem(&f->e.bootmem, &f->h->mm), 0);
	assert_int_equal(early_alloc(&f->e, 1, 0, 0, NO_LIMIT, NONE, CAUSE_ALLOC, &pa),
			 -EMM_ESTATE);
	assert_int_equal(early_free(&f->e, PAGES(16), PAGES(1)), -EMM_ESTATE);
	assert_int_equal(early_free_all(&f->e, &f->h->mm), -EMM_ESTATE);
}

static void test_handover_by_bootmem(void **state)
{
	each_kind(state, handover_by_bootmem);
}

static void test_handover(void **state)
{
	each_kind(state, handover);
}

/* mm_place_metadata() finds the same place as an early allocation of its size. */
static void test_same_place(void **state)
{
	struct fixture f;
	phys_addr_t pa;

	for (uint64_t hole = 0; hole < 3 * PAGE_SIZE; hole += PAGE_SIZE / 2) {
		start(&f, *state, EARLY_MEMBLOCK);
		add(&f, 16, 8192, NONE, 0);
		assert_int_equal(memblock_reserve(&f.h->mb, PAGES(16) + hole, 100), 0);
		assert_int_equal(mm_plan(&f.h->mm, &f.h->mb, 0, UINT64_MAX, 1), 0);
		assert_int_equal(mm_place_metadata(&f.h->mm, &f.h->mb), 0);
		start(&f, *state, EARLY_BOOTMEM);
		add(&f, 16, 8192, NONE, 0);
		assert_int_equal(memblock_reserve(&f.h->mb, PAGES(16) + hole, 100), 0);
		init(&f);
		assert_int_equal(early_alloc(&f.e, f.h->mm.meta_bytes, 0, 0, NO_LIMIT, NONE,
					     CAUSE_METADATA, &pa),
				 0);
		assert_int_equal(pa, f.h->mm.meta_pa);
	}
}

/* One entry is left, and frame 0 needs one besides the metadata: neither is reserved. */
static void test_place_fails(void **state)
{
	struct helper_snapshot was;
	struct fixture f;

	start(&f, *state, EARLY_MEMBLOCK);
	f.h->mb.can_resize = false;
	add(&f, 0, 8192, NONE, 0);
	assert_int_equal(memblock_reserve_cause(&f.h->mb, PAGES(1), PAGES(1), CAUSE_IMAGE), 0);
	for (uint64_t i = 0; f.h->mb.reserved.cnt + 1 < f.h->mb.reserved.max; i++)
		assert_int_equal(memblock_reserve(&f.h->mb, PAGES(10000 + 2 * i), 1), 0);
	assert_int_equal(mm_plan(&f.h->mm, &f.h->mb, 0, UINT64_MAX, 1), 0);
	helper_snapshot_take(&was, &f.h->mb);
	assert_int_equal(mm_place_metadata(&f.h->mm, &f.h->mb), -EMM_ENOSPC);
	assert_int_equal(f.h->mm.state, MM_PLANNED);
	helper_snapshot_check(&was, &f.h->mb);
	/* Reserved in part, frame 0 needs nothing more. */
	assert_int_equal(memblock_free(&f.h->mb, PAGES(10000), 1), 0);
	assert_int_equal(memblock_reserve(&f.h->mb, 100, 1), 0);
	assert_int_equal(mm_place_metadata(&f.h->mm, &f.h->mb), 0);
	assert_int_equal(f.h->mm.meta_pa, PAGES(2));
}

/* Room for the array of some reservations is made at once, the same in all kinds, if it may be. */
static void room(struct fixture *f)
{
	unsigned long nr = INIT_MEMBLOCK_REGIONS - EARLY_REGIONS;

	add(f, 16, 8192, NONE, 0);
	for (uint64_t i = 0; i < nr; i++)
		assert_int_equal(memblock_reserve(&f->h->mb, PAGES(10000 + 2 * i), 1), 0);
	init(f);
	assert_int_equal(f->h->mb.reserved.max, INIT_MEMBLOCK_REGIONS);
	assert_int_equal(early_metadata_bytes(&f->e),
			 f->kind == EARLY_BOOTMEM
				 ? PAGES(1)
				 : 2 * INIT_MEMBLOCK_REGIONS * sizeof(struct memblock_region));
	start(f, f->h, f->kind);
	add(f, 16, 8192, NONE, 0);
	for (uint64_t i = 0; i <= nr; i++)
		assert_int_equal(memblock_reserve(&f->h->mb, PAGES(10000 + 2 * i), 1), 0);
	f->h->mb.can_resize = false;
	init(f);
	assert_int_equal(f->h->mb.reserved.max, INIT_MEMBLOCK_REGIONS);

	start(f, f->h, f->kind);
	add(f, 16, 8192, NONE, 0);
	for (uint64_t i = 0; i <= nr; i++)
		assert_int_equal(memblock_reserve(&f->h->mb, PAGES(10000 + 2 * i), 1), 0);
	init(f);
	assert_int_equal(f->h->mb.reserved.max, 2 * INIT_MEMBLOCK_REGIONS);
	assert_int_equal(f->h->mb.reserved_array.base, PAGES(8192) - f->h->mb.reserved_array.size);
	assert_int_equal(early_metadata_bytes(&f->e),
			 f->kind == EARLY_BOOTMEM
				 ? PAGES(1)
				 : 3 * INIT_MEMBLOCK_REGIONS * sizeof(struct memblock_region));
}

static void test_room(void **state)
{
	each_kind(state, room);
}

/* No room for a larger array is no reason not to begin, and none to complain. */
static void no_room(struct fixture *f)
{
	add(f, 16, 20, NONE, 0);
	for (uint64_t i = 0; i < INIT_MEMBLOCK_REGIONS - 3; i++)
		assert_int_equal(memblock_reserve(&f->h->mb, PAGES(10000 + 2 * i), 1), 0);
	assert_int_equal(memblock_reserve(&f->h->mb, PAGES(17), PAGES(2)), 0);
	f->h->out.len = 0;
	f->h->mb.warn = &f->h->printer;
	init(f);
	assert_ptr_equal(f->h->mb.warn, &f->h->printer);
	assert_int_equal(f->h->out.len, 0);
	assert_int_equal(alloc(f, 1, 0, 0, NO_LIMIT, NONE), 16);
	assert_int_equal(alloc(f, PAGES(1), 0, 0, NO_LIMIT, NONE),
			 f->kind == EARLY_BOOTMEM ? -EMM_ENOMEM : 19);
}

static void test_no_room(void **state)
{
	each_kind(state, no_room);
}

/* What fails at the start leaves no reservation, frame 0's neither. */
static void test_init_fails(void **state)
{
	struct fixture f;
	struct helper_snapshot was;

	start(&f, *state, EARLY_BOOTMEM);
	add(&f, 0, 16, NONE, 0);
	f.h->ram.unreachable = true;
	helper_snapshot_take(&was, &f.h->mb);
	assert_int_equal(early_init(&f.e, EARLY_BOOTMEM, &f.h->mb), -EMM_EFAULT);
	helper_snapshot_check(&was, &f.h->mb);
	f.h->ram.unreachable = false;
	assert_int_equal(memblock_reserve_cause(&f.h->mb, PAGES(1), PAGES(15), CAUSE_IMAGE), 0);
	helper_snapshot_take(&was, &f.h->mb);
	assert_int_equal(early_init(&f.e, EARLY_BOOTMEM, &f.h->mb), -EMM_ENOMEM);
	helper_snapshot_check(&was, &f.h->mb);
	for (uint64_t i = 0; f.h->mb.reserved.cnt < f.h->mb.reserved.max; i++)
		assert_int_equal(memblock_reserve(&f.h->mb, PAGES(100 + 2 * i), 1), 0);
	for (enum early_kind kind = 0; kind < NR_EARLY_KINDS; kind++) {
		helper_snapshot_take(&was, &f.h->mb);
		assert_int_equal(early_init(&f.e, kind, &f.h->mb), -EMM_ENOSPC);
		helper_snapshot_check(&was, &f.h->mb);
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(early_name(EARLY_MEMBLOCK), "memblock");
	assert_string_equal(early_name(EARLY_BOOTMEM), "bootmem");
	assert_string_equal(early_name(EARLY_NOBOOTMEM), "nobootmem");
	assert_string_equal(early_name(NR_EARLY_KINDS), "unknown");
	/* It lies in a payload's static memory. */
	assert_true(sizeof(struct early) < 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bootmem_test(test_lowest_fit),
		bootmem_test(test_preferences),
		bootmem_test(test_flags),
		bootmem_test(test_bad_requests),
		bootmem_test(test_frees),
		bootmem_test(test_handover),
		bootmem_test(test_handover_by_bootmem),
		bootmem_test(test_same_place),
		bootmem_test(test_place_fails),
		bootmem_test(test_room),
		bootmem_test(test_no_room),
		bootmem_test(test_init_fails),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
