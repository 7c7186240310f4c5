/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What goes to the buddy after the handover: reserved areas piece by piece, memblock's own arrays;
 * on maps with a drawing, and on random ones page by page against a model.
 */
#include "helper_memblock.h"
#include "helper_memsim.h"

#include <stdlib.h>
#include <string.h>

#include <earlymm/handover.h>
#include <earlymm/reserved_area.h>

#define RAM GIB(2)

struct fixture {
	struct helper_memblock *h;
	struct memsim *s;
	struct mm mm;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(helper_memsim_setup((void **)&f->s), 0);
	assert_int_equal(helper_memblock_setup((void **)&f->h), 0);
	f->h->mb.map = &f->s->map;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	helper_memblock_teardown((void **)&f->h);
	helper_memsim_teardown((void **)&f->s);
	free(f);
	return 0;
}

static void add_ram(struct fixture *f, phys_addr_t base, uint64_t size)
{
	helper_memsim_add(f->s, base, size);
	assert_int_equal(memblock_add(&f->h->mb, base, size), 0);
}

/* The handover of the frames [start, end), with garbage where the metadata goes. */
static void handover_limits(struct fixture *f, uint64_t start_pfn, uint64_t end_pfn)
{
	assert_int_equal(mm_plan(&f->mm, &f->h->mb, start_pfn, end_pfn, 1), 0);
	assert_int_equal(mm_place_metadata(&f->mm, &f->h->mb), 0);
	memset(phys_to_virt(&f->s->map, f->mm.meta_pa, f->mm.meta_bytes), 0xa5, f->mm.meta_bytes);
	assert_int_equal(mm_init(&f->mm, &f->h->mb), 0);
	assert_int_equal(memblock_free_all(&f->mm, &f->h->mb), 0);
}

static void handover(struct fixture *f)
{
	handover_limits(f, 0, UINT64_MAX);
}

static void expect_balance(const struct fixture *f, uint64_t used)
{
	struct mm_audit audit;

	assert_int_equal(mm_audit(&f->mm, &f->h->mb, used, &audit), 0);
	assert_int_equal(audit.lost, 0);
	assert_true(buddy_is_valid(&f->mm.buddy));
	assert_true(memblock_is_valid(&f->h->mb));
}

/* Frees the range, of which @nr pages are to become free. */
static void expect_freed(struct fixture *f, phys_addr_t base, phys_addr_t size, uint64_t nr)
{
	uint64_t nr_pages = 12345, managed = f->mm.managed_pages;

	assert_int_equal(free_reserved_area(&f->mm, &f->h->mb, base, size, &nr_pages), 0);
	assert_int_equal(nr_pages, nr);
	assert_int_equal(f->mm.managed_pages, managed + nr);
	assert_int_equal(buddy_nr_free(&f->mm.buddy) + buddy_nr_held(f->mm.buddy.harts),
			 managed + nr);
	expect_balance(f, 0);
}

static void expect_refused(struct fixture *f, phys_addr_t base, phys_addr_t size, int err)
{
	uint64_t nr_pages = 12345, managed = f->mm.managed_pages;
	struct helper_snapshot before;

	helper_snapshot_take(&before, &f->h->mb);
	assert_int_equal(free_reserved_area(&f->mm, &f->h->mb, base, size, &nr_pages), err);
	helper_snapshot_check(&before, &f->h->mb);
	assert_int_equal(nr_pages, 12345);
	assert_int_equal(f->mm.managed_pages, managed);
}

static bool page_is_free(const struct fixture *f, phys_addr_t pa)
{
	return buddy_page_is_free(&f->mm.buddy, PFN_DOWN(pa));
}

/*
 *   |  image   |init-text|metadata|          free          |
 *   init memory goes; what it borders on stays
 */
static void test_init_memory(void **state)
{
	struct fixture *f = *state;
	struct mm_audit audit;

	add_ram(f, RAM, MIB(64));
	memblock_reserve_cause(&f->h->mb, RAM, 0x40000, CAUSE_IMAGE);
	memblock_reserve_cause(&f->h->mb, RAM + 0x40000, 0x9000, CAUSE_INIT);
	handover(f);
	assert_int_equal(mm_audit(&f->mm, &f->h->mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_INIT], 9);
	expect_freed(f, RAM + 0x40000, 0x9000, 9);
	assert_int_equal(mm_audit(&f->mm, &f->h->mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_INIT], 0);
	assert_int_equal(audit.reserved[CAUSE_IMAGE], 64);
	for (phys_addr_t pa = RAM; pa < f->mm.meta_pa; pa += PAGE_SIZE)
		assert_int_equal(page_is_free(f, pa), pa >= RAM + 0x40000 && pa < RAM + 0x49000);
	/* Again: it is free. */
	expect_refused(f, RAM + 0x40000, 0x9000, -EMM_EDOUBLE);
	expect_refused(f, RAM + 0x48000, 0x1000, -EMM_EDOUBLE);
}

/*
 *   page:      0         1         2         3         4         5
 *   reserved:       [aaaaaaaaaaaaaaaaaa][bbbb](c)[dddddddddd]
 *   freed:          [------------------]            a: page 1, its edges stay
 *                                       [----]      b: page 3 is shared with c: nothing
 */
static void test_sub_page_edges(void **state)
{
	struct fixture *f = *state;
	phys_addr_t at = RAM + 0x100000;
	struct mm_audit audit;

	add_ram(f, RAM, MIB(64));
	memblock_reserve_cause(&f->h->mb, at + 0x800, 0x2000, CAUSE_IMAGE);
	memblock_reserve_cause(&f->h->mb, at + 0x2800, 0xc00, CAUSE_FDT);
	memblock_reserve_cause(&f->h->mb, at + 0x3400, 0x40, CAUSE_INITRD);
	memblock_reserve_cause(&f->h->mb, at + 0x3440, 0x1400, CAUSE_ALLOC);
	handover(f);
	expect_freed(f, at + 0x800, 0x2000, 1);
	assert_true(page_is_free(f, at + 0x1000));
	assert_int_equal(mm_audit(&f->mm, &f->h->mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_IMAGE], 2);
	assert_int_equal(audit.reserved[CAUSE_FDT], 1);
	expect_freed(f, at + 0x2800, 0xc00, 0);
	expect_freed(f, at + 0x3400, 0x40, 0);
	expect_freed(f, at + 0x3440, 0x1400, 0);
	/* Pages that are not wholly reserved, and that nobody may have: not those either. */
	expect_refused(f, at, 0x1000, -EMM_EDOUBLE);
	expect_refused(f, at + 0x4000, 0x1000, -EMM_EDOUBLE);
	/* Several causes at once: pages 2 and 3. */
	expect_freed(f, at + 0x2000, 0x2000, 2);
	assert_int_equal(mm_audit(&f->mm, &f->h->mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_IMAGE] + audit.reserved[CAUSE_FDT], 1);
	assert_int_equal(audit.reserved[CAUSE_ALLOC], 1);
}

/* No whole page, no page at all: nothing happens, also where nothing is reserved. */
static void test_nothing_to_free(void **state)
{
	struct fixture *f = *state;

	add_ram(f, RAM, MIB(1));
	handover(f);
	expect_freed(f, RAM + 0x80000, 0, 0);
	expect_freed(f, 0, 0, 0);
	expect_freed(f, PHYS_ADDR_MAX, 0, 0);
	expect_freed(f, RAM + 0x80001, 0x1ffe, 0);
	assert_int_equal(free_reserved_area(&f->mm, &f->h->mb, 0, 0, NULL), 0);
}

static void test_errors(void **state)
{
	struct fixture *f = *state;
	phys_addr_t at = RAM + 0x100000;

	add_ram(f, RAM, GIB(1));
	memblock_mark_nomap(&f->h->mb, at + 0x8000, 0x2000);
	memblock_reserve(&f->h->mb, at, 0x10000);
	memblock_reserve(&f->h->mb, RAM + GIB(1) - 0x3000, 0x6000);
	expect_refused(f, at, 0x1000, -EMM_ESTATE);
	handover(f);
	f->h->mb.can_resize = true;
	expect_refused(f, at, PHYS_ADDR_MAX - at + 1, -EMM_EINVAL);
	expect_refused(f, PHYS_ADDR_MAX, 1, -EMM_EINVAL);
	assert_true(f->h->mb.can_resize);
	expect_refused(f, at, PHYS_ADDR_MAX - at, -EMM_ERANGE);
	assert_false(f->h->mb.can_resize);
	expect_refused(f, at, 0x9000, -EMM_ERANGE); /* no-map at its end */
	expect_refused(f, at + 0x9000, 0x2000, -EMM_ERANGE); /* and at its start */
	expect_refused(f, RAM + GIB(1) - 0x1000, 0x2000, -EMM_ERANGE); /* beyond memory */
	expect_refused(f, RAM - 0x1000, 0x2000, -EMM_ERANGE);
	expect_refused(f, RAM + GIB(1), 0x1000, -EMM_ERANGE);
	expect_refused(f, at - 0x1000, 0x2000, -EMM_EDOUBLE); /* its first page is free */
	expect_refused(f, at + 0xf000, 0x2000, -EMM_EDOUBLE);
	expect_refused(f, RAM + MIB(32), 0x1000, -EMM_EDOUBLE);
	expect_refused(f, f->mm.meta_pa, 0x1000, -EMM_EBUSY);
	expect_freed(f, at, 0x8000, 8);
	expect_freed(f, at + 0xa000, 0x6000, 6);
	expect_freed(f, RAM + GIB(1) - 0x3000, 0x3000, 3);
}

/* Memory in use and memory in a hart's cache is not reserved: refused. */
static void test_in_use(void **state)
{
	struct fixture *f = *state;
	struct buddy_hart *hart;
	int64_t pfn, one;

	add_ram(f, RAM, MIB(4));
	handover(f);
	hart = f->mm.buddy.harts;
	pfn = buddy_alloc(hart, 3);
	one = buddy_alloc(hart, 0);
	assert_true(pfn > 0 && one > 0 && buddy_nr_held(hart) > 0);
	expect_refused(f, PFN_PHYS(pfn), 0x8000, -EMM_EDOUBLE);
	expect_refused(f, PFN_PHYS(one), 0x3000, -EMM_EDOUBLE);
	expect_balance(f, 9);
}

/* Frame 0 is memory: it is nobody's, also when all around it becomes free. */
static void test_frame_0(void **state)
{
	struct fixture *f = *state;

	add_ram(f, 0, MIB(4));
	memblock_reserve(&f->h->mb, 0, 0x8000);
	handover(f);
	expect_freed(f, 0, 0x8000, 7);
	assert_false(page_is_free(f, 0));
	assert_true(memblock_is_reserved(&f->h->mb, 0xfff));
	expect_freed(f, 0, 0x1000, 0);
	expect_refused(f, 0, 0x2000, -EMM_EDOUBLE);
}

/*
 * The limits of an allocator:      low       |      high
 *                                  [ rrrrrrrr|rrrr ]
 */
static void test_limits(void **state)
{
	struct fixture *f = *state;

	add_ram(f, RAM, MIB(64));
	memblock_reserve(&f->h->mb, RAM + MIB(30), MIB(4));
	handover_limits(f, PFN_DOWN(RAM + MIB(2)), PFN_DOWN(RAM + MIB(32)));
	expect_refused(f, RAM + MIB(31), MIB(1) + 0x1000, -EMM_ERANGE);
	expect_refused(f, RAM + MIB(32), 0x1000, -EMM_ERANGE);
	expect_freed(f, RAM + MIB(30), MIB(2), 512);
	assert_int_equal(memblock_reserve(&f->h->mb, RAM, MIB(2)), 0);
	expect_refused(f, RAM + MIB(1), MIB(1), -EMM_ERANGE);
}

/*
 * One reserved range over several entries of the memory map, which meet within a page:
 *    |   node 0    .mirror.  node 1 |
 *       [rrrrrrrrrrrrrrrrrrrrrrrr]         the pages at the dots never go
 */
static void test_entries_that_meet(void **state)
{
	struct fixture *f = *state;
	struct memblock *mb = &f->h->mb;
	struct mm_audit audit;

	helper_memsim_add(f->s, RAM, MIB(64));
	memblock_add_node(mb, RAM, MIB(8) + 0x800, 0, 0);
	memblock_add_node(mb, RAM + MIB(8) + 0x800, MIB(8), 0, MEMBLOCK_MIRROR);
	memblock_add_node(mb, RAM + MIB(16) + 0x800, MIB(48) - 0x800, 1, 0);
	memblock_reserve(mb, RAM + MIB(1), MIB(32));
	handover(f);
	assert_int_equal(f->mm.nr_trees, 2);
	assert_int_equal(mm_audit(&f->mm, mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_PARTIAL], 2);
	expect_freed(f, RAM + MIB(1), MIB(32), 32 * 256 - 2);
	assert_false(page_is_free(f, RAM + MIB(8)));
	assert_false(page_is_free(f, RAM + MIB(16)));
	assert_int_equal(mm_audit(&f->mm, mb, 0, &audit), 0);
	assert_int_equal(audit.reserved[CAUSE_PARTIAL], 2);
	assert_int_equal(audit.reserved[CAUSE_OTHER], 0);
}

/* An entry that must be cut in two while the array is full; from its ends it goes. */
static void test_no_entry_left(void **state)
{
	struct fixture *f = *state;

	add_ram(f, RAM, MIB(64));
	memblock_reserve(&f->h->mb, RAM + MIB(1), MIB(1));
	memblock_allow_resize(&f->h->mb);
	helper_memblock_fill_reserved(f->h, GIB(8), MIB(1), INIT_MEMBLOCK_REGIONS - 2);
	handover(f);
	assert_int_equal(f->h->mb.reserved.cnt, INIT_MEMBLOCK_REGIONS);
	expect_refused(f, RAM + MIB(1) + 0x1000, 0x1000, -EMM_ENOSPC);
	assert_false(f->h->mb.can_resize);
	expect_freed(f, RAM + MIB(1), 0x1000, 1);
	expect_freed(f, RAM + MIB(2) - 0x1000, 0x1000, 1);
	expect_refused(f, RAM + MIB(1) + 0x2000, 0x1000, -EMM_ENOSPC);
	/* Across entries no cut is needed. */
	expect_freed(f, RAM + MIB(1) + 0x1000, MIB(1) - 0x2000, 254);
	assert_int_equal(f->h->mb.reserved_array.size, 0);
}

/*
 * Holes of all sizes, around every border between words, freed in three pieces in each order: no
 * word below may be taken for written, or for new, that is not.
 */
static void test_every_order_of_pieces(void **state)
{
	static const unsigned int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
						   { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	static const uint64_t pages[] = {
		63, 64, 65, 127, 128, 4032, 4095, 4096, 4097, 8192, 8193
	};

	(void)state;
	for (unsigned int i = 0; i < 6 * ARRAY_SIZE(pages); i++) {
		uint64_t start = 4096 - 70 + i * 7, nr = pages[i / 6];
		uint64_t border[4] = { start, start + nr / 3, start + nr / 3 * 2, start + nr };
		struct fixture *f;

		setup((void **)&f);
		helper_memsim_add(f->s, RAM, MIB(128));
		memblock_add(&f->h->mb, RAM, MIB(128));
		memblock_reserve(&f->h->mb, RAM + PFN_PHYS(start), PFN_PHYS(nr));
		handover(f);
		for (unsigned int j = 0; j < 3; j++) {
			uint64_t from = border[orders[i % 6][j]], to = border[orders[i % 6][j] + 1];

			expect_freed(f, RAM + PFN_PHYS(from), PFN_PHYS(to - from), to - from);
		}
		assert_int_equal(f->h->mb.reserved.cnt, 1);
		teardown((void **)&f);
	}
}

/* 5 GiB in the middle of 8 GiB are freed in pieces: all merges to blocks of 1 GiB. */
static void test_gigantic(void **state)
{
	struct fixture *f = *state;
	const phys_addr_t base = GIB(4) + MIB(300), end = GIB(9) + MIB(300);
	uint64_t counts[BUDDY_MAX_ORDER + 1];

	helper_memsim_add(f->s, RAM, GIB(8));
	memblock_add(&f->h->mb, RAM, GIB(8));
	memblock_reserve_cause(&f->h->mb, base, end - base, CAUSE_HUGEPAGES);
	handover(f);
	for (phys_addr_t at = base + GIB(1); at < end; at += GIB(2))
		expect_freed(f, at, GIB(1), GIB(1) / PAGE_SIZE);
	expect_freed(f, base, 0x1000, 1);
	expect_freed(f, base + 0x1000, GIB(1) - 0x1000, GIB(1) / PAGE_SIZE - 1);
	expect_freed(f, base + GIB(2), GIB(1), GIB(1) / PAGE_SIZE);
	expect_freed(f, base + GIB(4), GIB(1), GIB(1) / PAGE_SIZE);
	buddy_nr_blocks(&f->mm.buddy, counts);
	assert_int_equal(counts[BUDDY_MAX_ORDER], 7);
}

/* ---- random maps against a model, byte by byte in steps of 64 ---- */

#define NR_PAGES 9000
#define UNITS    64 /* of a page */
#define UNIT     (PAGE_SIZE / UNITS)

/* What a unit of memory is; mapped are those from KIND_NODE0 on, and touching equals are one. */
enum { KIND_NONE, KIND_NOMAP, KIND_NODE0, KIND_HOTPLUG0 = 4 };

struct model {
	uint8_t kind[NR_PAGES * UNITS];
	uint8_t reserved[NR_PAGES * UNITS];
	uint8_t added[NR_PAGES];
	uint64_t nr_added;
	uint64_t rng;
};

static uint64_t next_random(struct model *m, uint64_t below)
{
	m->rng ^= m->rng << 13;
	m->rng ^= m->rng >> 7;
	m->rng ^= m->rng << 17;
	return (m->rng >> 8) % below;
}

static bool page_is(const uint8_t *units, uint64_t page, uint8_t what)
{
	for (unsigned int i = 0; i < UNITS; i++)
		if (units[page * UNITS + i] != what)
			return false;
	return true;
}

/* All of it in one entry of mapped memory. */
static bool page_is_whole(const struct model *m, uint64_t page)
{
	uint8_t kind = m->kind[page * UNITS];

	return kind >= KIND_NODE0 && page_is(m->kind, page, kind);
}

/* The model says what the maps say now: memblock is trusted with its own calls. */
static void read_map(struct model *m, const struct memblock *mb)
{
	memset(m->kind, KIND_NONE, sizeof(m->kind));
	memset(m->reserved, 0, sizeof(m->reserved));
	for (uint64_t i = 0; i < (uint64_t)NR_PAGES * UNITS; i++) {
		const struct memblock_region *r = memblock_search(&mb->memory, RAM + i * UNIT);

		if (r && (r->flags & MEMBLOCK_NOMAP))
			m->kind[i] = KIND_NOMAP;
		else if (r)
			m->kind[i] = (uint8_t)(r->nid + (r->flags & MEMBLOCK_HOTPLUG ? KIND_HOTPLUG0
										     : KIND_NODE0));
		m->reserved[i] = memblock_is_reserved(mb, RAM + i * UNIT);
	}
	m->nr_added = 0;
	for (uint64_t page = 0; page < NR_PAGES; page++) {
		m->added[page] = page_is_whole(m, page) && page_is(m->reserved, page, 0);
		m->nr_added += m->added[page];
	}
}

static void random_map(struct fixture *f, struct model *m)
{
	struct memblock *mb = &f->h->mb;

	helper_memsim_add(f->s, RAM, PFN_PHYS(NR_PAGES));
	mb->movable_node = next_random(m, 2);
	for (uint64_t i = 1 + next_random(m, 4); i > 0; i--) {
		uint64_t start = next_random(m, NR_PAGES * UNITS);
		uint64_t nr = 1 + next_random(m, NR_PAGES * UNITS - start);

		memblock_add_node(mb, RAM + start * UNIT, nr * UNIT, (int)next_random(m, 2),
				  next_random(m, 4) ? 0 : MEMBLOCK_HOTPLUG);
	}
	for (uint64_t i = next_random(m, 20); i > 0; i--) {
		phys_addr_t base = RAM + next_random(m, NR_PAGES * UNITS) * UNIT;
		phys_addr_t size =
			(1 + next_random(m, (uint64_t)UNITS << next_random(m, 12))) * UNIT;

		if (next_random(m, 6))
			memblock_reserve_cause(mb, base, size,
					       CAUSE_IMAGE + (unsigned int)next_random(m, 4));
		else
			memblock_mark_nomap(mb, base & PAGE_MASK, PFN_PHYS(PFN_UP(size)));
	}
}

/* What freeing pages [start, end) must answer. */
static int expected(const struct fixture *f, const struct model *m, uint64_t start, uint64_t end)
{
	uint64_t meta = PFN_DOWN(f->mm.meta_pa - RAM);
	uint64_t meta_end = PFN_UP(f->mm.meta_pa - RAM + f->mm.meta_bytes);

	for (uint64_t i = start * UNITS; i < end * UNITS; i++)
		if (m->kind[i] < KIND_NODE0)
			return -EMM_ERANGE;
	for (uint64_t i = start * UNITS; i < end * UNITS; i++)
		if (!m->reserved[i])
			return -EMM_EDOUBLE;
	return start < meta_end && meta < end ? -EMM_EBUSY : 0;
}

/* Frees a range that is reserved by and large, often one entry, and checks the answer. */
static void free_some(struct fixture *f, struct model *m)
{
	const struct memblock_type *type = &f->h->mb.reserved;
	const struct memblock_region *r = &type->regions[next_random(m, type->cnt)];
	phys_addr_t base = r->base, size = r->size;
	uint64_t start, end, nr_pages = 0, nr = 0;
	int want;

	if (next_random(m, 3)) {
		base += next_random(m, size / UNIT) * UNIT;
		size = (1 + next_random(m, size / UNIT)) * UNIT;
	}
	if (!next_random(m, 8) && base > RAM + UNIT)
		base -= UNIT;
	start = PFN_UP(base) - PFN_DOWN(RAM);
	end = PFN_DOWN(base + size) - PFN_DOWN(RAM);
	if (base < RAM || end > NR_PAGES)
		return;
	want = start < end ? expected(f, m, start, end) : 0;
	assert_int_equal(free_reserved_area(&f->mm, &f->h->mb, base, size, &nr_pages), want);
	for (uint64_t page = start; !want && page < end; page++) {
		memset(&m->reserved[page * UNITS], 0, UNITS);
		m->added[page] = page_is_whole(m, page);
		nr += m->added[page];
	}
	assert_int_equal(nr_pages, nr);
	m->nr_added += nr;
	assert_int_equal(f->mm.managed_pages, m->nr_added);
}

struct used {
	struct {
		uint64_t pfn;
		unsigned int order;
	} block[200];
	unsigned int nr;
	uint64_t pages;
};

/* The allocator lives meanwhile: blocks come and go. */
static void churn(struct fixture *f, struct model *m, struct used *u)
{
	struct buddy_hart *hart = f->mm.buddy.harts;
	unsigned int i, order = (unsigned int)next_random(m, 9);
	int64_t pfn;

	if (u->nr < ARRAY_SIZE(u->block) && next_random(m, 2)) {
		pfn = buddy_alloc(hart, order);
		if (pfn < 0)
			return;
		for (uint64_t p = 0; p < 1ULL << order; p++)
			assert_true(m->added[(uint64_t)pfn + p - PFN_DOWN(RAM)]);
		u->block[u->nr].pfn = (uint64_t)pfn;
		u->block[u->nr++].order = order;
		u->pages += 1ULL << order;
	} else if (u->nr) {
		i = (unsigned int)next_random(m, u->nr);
		assert_int_equal(buddy_free(hart, u->block[i].pfn, u->block[i].order), 0);
		u->pages -= 1ULL << u->block[i].order;
		u->block[i] = u->block[--u->nr];
	}
}

/* Each page is free, or in use, or nobody's. */
static void check_pages(struct fixture *f, const struct model *m, const struct used *u)
{
	static uint8_t want[NR_PAGES];

	buddy_drain(f->mm.buddy.harts);
	memcpy(want, m->added, sizeof(want));
	for (unsigned int i = 0; i < u->nr; i++)
		memset(&want[u->block[i].pfn - PFN_DOWN(RAM)], 0, 1ULL << u->block[i].order);
	for (uint64_t page = 0; page < NR_PAGES; page++)
		if (buddy_page_is_free(&f->mm.buddy, PFN_DOWN(RAM) + page) != want[page])
			fail_msg("page %llu is wrong", (unsigned long long)page);
	expect_balance(f, u->pages);
}

static void test_random(void **state)
{
	static struct model m;

	(void)state;
	m.rng = 4711;
	for (unsigned int round = 0; round < 60; round++) {
		struct used used = { .nr = 0 };
		struct fixture *f;

		setup((void **)&f);
		random_map(f, &m);
		if (mm_plan(&f->mm, &f->h->mb, 0, UINT64_MAX, 1) ||
		    mm_place_metadata(&f->mm, &f->h->mb)) {
			teardown((void **)&f);
			continue;
		}
		handover(f);
		read_map(&m, &f->h->mb);
		assert_int_equal(f->mm.managed_pages, m.nr_added);
		for (unsigned int i = 0; i < 150 && f->h->mb.reserved.cnt; i++) {
			free_some(f, &m);
			for (unsigned int j = 0; j < 6; j++)
				churn(f, &m, &used);
			if (i % 16 == 0)
				check_pages(f, &m, &used);
		}
		check_pages(f, &m, &used);
		teardown((void **)&f);
	}
}

/* ---- memblock's own arrays ---- */

/* Grows both arrays, which do not fit into the banks of a page, and hands over. */
static void handover_grown(struct fixture *f)
{
	struct memblock *mb = &f->h->mb;

	memblock_allow_resize(mb);
	for (unsigned int i = 0; i < 300; i++) {
		assert_int_equal(memblock_add(mb, GIB(64) + i * MIB(64), 0x1000), 0);
		assert_int_equal(memblock_reserve(mb, GIB(64) + i * MIB(64), 0x1000), 0);
	}
	assert_true(mb->memory_array.size && mb->reserved_array.size);
	handover(f);
	expect_balance(f, 0);
}

static void test_arrays_are_busy(void **state)
{
	struct fixture *f = *state;

	add_ram(f, RAM, MIB(64));
	handover_grown(f);
	expect_refused(f, f->h->mb.memory_array.base, 0x1000, -EMM_EBUSY);
	expect_refused(f, f->h->mb.reserved_array.base, f->h->mb.reserved_array.size, -EMM_EBUSY);
}

/*
 *   | ... free ... |memory[]|reserved[]|      both go, and with them the map
 */
static void test_discard(void **state)
{
	struct fixture *f = *state;
	struct memblock *mb = &f->h->mb;
	struct mm_audit audit, before;
	struct memblock_array arrays[2];
	uint64_t nr_pages;
	phys_addr_t pa;

	add_ram(f, RAM, MIB(64));
	assert_int_equal(memblock_discard(&f->mm, mb), -EMM_ESTATE);
	assert_int_equal(mm_audit_again(&f->mm, 0, &audit), -EMM_ESTATE);
	handover_grown(f);
	assert_int_equal(mm_audit(&f->mm, mb, 0, &audit), 0);
	before = audit;
	nr_pages = audit.reserved[CAUSE_MEMBLOCK];
	assert_int_equal(nr_pages, PFN_UP(mb->memory_array.size) + PFN_UP(mb->reserved_array.size));
	arrays[0] = mb->memory_array;
	arrays[1] = mb->reserved_array;
	assert_int_equal(memblock_discard(&f->mm, mb), 0);

	expect_empty(mb, memory);
	expect_empty(mb, reserved);
	assert_int_equal(mm_audit_again(&f->mm, 0, &audit), 0);
	assert_int_equal(audit.managed, before.managed + nr_pages);
	assert_int_equal(audit.present, before.present);
	assert_int_equal(audit.reserved[CAUSE_MEMBLOCK], 0);
	assert_int_equal(audit.reserved[CAUSE_METADATA], before.reserved[CAUSE_METADATA]);
	assert_int_equal(audit.free, before.free + nr_pages);
	assert_true(buddy_is_valid(&f->mm.buddy));
	for (unsigned int i = 0; i < 2; i++)
		for (pa = arrays[i].base; pa < arrays[i].base + arrays[i].size; pa += PAGE_SIZE)
			assert_true(page_is_free(f, pa));

	/* Again and again; with pages in use; and what is missing is seen. */
	assert_true(buddy_alloc(f->mm.buddy.harts, 9) > 0);
	assert_int_equal(mm_audit_again(&f->mm, 512, &audit), 0);
	assert_int_equal(mm_audit_again(&f->mm, 511, &audit), -EMM_EINVAL);
	assert_int_equal(audit.lost, 1);
	assert_int_equal(mm_audit(&f->mm, mb, 512, &audit), -EMM_EINVAL);
	/* Nothing can be asked of it any more, and nothing goes wrong. */
	assert_int_equal(free_reserved_area(&f->mm, mb, f->mm.meta_pa, 0x1000, NULL), -EMM_ERANGE);
	assert_int_equal(memblock_phys_alloc(mb, 8, 8, 0, PHYS_ADDR_MAX, NONE, CAUSE_ALLOC, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(memblock_discard(&f->mm, mb), 0);
	assert_false(mb->can_resize);
}

/* More pages came from elsewhere than an audit can know: seen, not attributed. */
static void test_audit_again_sees(void **state)
{
	struct fixture *f = *state;
	struct mm_audit audit;

	add_ram(f, RAM, MIB(64));
	memblock_reserve_cause(&f->h->mb, RAM, 0x3000, CAUSE_INIT);
	handover(f);
	assert_int_equal(mm_audit(&f->mm, &f->h->mb, 0, &audit), 0);
	expect_freed(f, RAM, 0x3000, 3);
	assert_int_equal(mm_audit_again(&f->mm, 0, &audit), -EMM_EINVAL);
	assert_int_equal(audit.lost, 3);
	assert_int_equal(audit.reserved[CAUSE_MEMBLOCK], 0);
}

/*
 * Arrays that were placed by hand, within pages:   [rrr|memory[]|reserved[]|rrr]
 * the pages that they share stay; the others go, in any order of the two
 */
static void test_discard_of_placed_arrays(void **state)
{
	(void)state;
	for (unsigned int swap = 0; swap < 2; swap++) {
		struct memblock_type *first, *second;
		struct mm_audit audit;
		struct memblock *mb;
		struct fixture *f;
		phys_addr_t at = RAM + MIB(1) + 0x100, next = at + 1000 * 24;
		uint64_t managed;

		setup((void **)&f);
		mb = &f->h->mb;
		add_ram(f, RAM, MIB(64));
		first = swap ? &mb->reserved : &mb->memory;
		second = swap ? &mb->memory : &mb->reserved;
		assert_int_equal(memblock_place_array(mb, first, at, 1000), 0);
		memblock_reserve_cause(mb, at, 1000 * 24, CAUSE_MEMBLOCK);
		assert_int_equal(memblock_place_array(mb, second, next, 2000), 0);
		memblock_reserve_cause(mb, next, 0x2000, CAUSE_MEMBLOCK);
		/* Somebody had this page before. */
		memblock_reserve_cause(mb, next + 0x2000, 0x1000, CAUSE_FDT);
		memblock_reserve_kern(mb, next + 0x3000, 2000 * 24 - 0x3000, CAUSE_MEMBLOCK);
		handover(f);
		managed = f->mm.managed_pages;
		assert_int_equal(mm_audit(&f->mm, mb, 0, &audit), 0);
		assert_int_equal(memblock_discard(&f->mm, mb), 0);
		assert_int_equal(mm_audit_again(&f->mm, 0, &audit), 0);
		assert_int_equal(f->mm.managed_pages - managed,
				 PFN_DOWN(next) - PFN_UP(at) + PFN_DOWN(next + 0x2000) -
					 PFN_UP(next) + PFN_DOWN(next + 2000 * 24) -
					 PFN_UP(next + 0x3000));
		assert_true(buddy_is_valid(&f->mm.buddy));
		assert_int_equal(buddy_nr_free(&f->mm.buddy), f->mm.managed_pages);
		teardown((void **)&f);
	}
}

/* An array outside the allocator's limits: all or nothing. */
static void test_discard_outside(void **state)
{
	struct fixture *f = *state;
	struct memblock *mb = &f->h->mb;
	struct helper_snapshot before;
	uint64_t managed;

	add_ram(f, RAM, MIB(64));
	assert_int_equal(memblock_place_array(mb, &mb->reserved, RAM + MIB(1), 1024), 0);
	memblock_reserve_cause(mb, RAM + MIB(1), 1024 * 24, CAUSE_MEMBLOCK);
	assert_int_equal(memblock_place_array(mb, &mb->memory, RAM + MIB(40), 1024), 0);
	memblock_reserve_cause(mb, RAM + MIB(40), 1024 * 24, CAUSE_MEMBLOCK);
	handover_limits(f, 0, PFN_DOWN(RAM + MIB(32)));
	managed = f->mm.managed_pages;
	helper_snapshot_take(&before, mb);
	assert_int_equal(memblock_discard(&f->mm, mb), -EMM_ERANGE);
	helper_snapshot_check(&before, mb);
	assert_int_equal(f->mm.managed_pages, managed);
	expect_balance(f, 0);
}

#define area_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		area_test(test_init_memory),      area_test(test_sub_page_edges),
		area_test(test_nothing_to_free),  area_test(test_errors),
		area_test(test_in_use),           area_test(test_frame_0),
		area_test(test_limits),           area_test(test_entries_that_meet),
		area_test(test_no_entry_left),    cmocka_unit_test(test_every_order_of_pieces),
		area_test(test_gigantic),         cmocka_unit_test(test_random),
		area_test(test_arrays_are_busy),  area_test(test_discard),
		area_test(test_audit_again_sees), cmocka_unit_test(test_discard_of_placed_arrays),
		area_test(test_discard_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
