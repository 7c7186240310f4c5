/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reserved areas that go to the buddy, on random maps, page by page against a model that knows
 * memory in steps of 64 bytes; the allocator is in use meanwhile.
 */
#include "helper_handover.h"

#include <string.h>

#define RAM      GIB(2)

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

static void random_map(struct helper_handover *f, struct model *m)
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
static int expected(const struct helper_handover *f, const struct model *m, uint64_t start,
		    uint64_t end)
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
static void free_some(struct helper_handover *f, struct model *m)
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
static void churn(struct helper_handover *f, struct model *m, struct used *u)
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
static void check_pages(struct helper_handover *f, const struct model *m, const struct used *u)
{
	static uint8_t want[NR_PAGES];

	buddy_drain(f->mm.buddy.harts);
	memcpy(want, m->added, sizeof(want));
	for (unsigned int i = 0; i < u->nr; i++)
		memset(&want[u->block[i].pfn - PFN_DOWN(RAM)], 0, 1ULL << u->block[i].order);
	for (uint64_t page = 0; page < NR_PAGES; page++)
		if (buddy_page_is_free(&f->mm.buddy, PFN_DOWN(RAM) + page) != want[page])
			fail_msg("page %llu is wrong", (unsigned long long)page);
	helper_expect_balance(f, u->pages);
}

static void test_random(void **state)
{
	static struct model m;

	(void)state;
	m.rng = 4711;
	for (unsigned int round = 0; round < 60; round++) {
		struct used used = { .nr = 0 };
		struct helper_handover *f;

		helper_handover_setup((void **)&f);
		random_map(f, &m);
		if (mm_plan(&f->mm, &f->h->mb, 0, UINT64_MAX, 1) ||
		    mm_place_metadata(&f->mm, &f->h->mb)) {
			helper_handover_teardown((void **)&f);
			continue;
		}
		helper_handover(f);
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
		helper_handover_teardown((void **)&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
