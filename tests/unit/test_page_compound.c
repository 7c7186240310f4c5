/* SPDX-License-Identifier: BSD-2-Clause */
/* __GFP_COMP, compound_head(), compound_order(): against a model, on memory with holes. */
#include "helper_page_client.h"

#include "helper_page_model.h"
#include "page_owner_fast.h"

#include <earlymm/error.h>

/* Banks that begin and end anywhere; the second zone's memory is not there but for its records. */
static void start(struct helper_pages *f, uint32_t features)
{
	f->cfg.features = features;
	f->cfg.nr_harts = 2;
	helper_pages_ram(f, 0x80003000, MIB(12) - 0x5000, 0);
	helper_pages_ram(f, 0x88e11000, MIB(8), 0);
	helper_pages_ram(f, 0x100000000, MIB(4), 0);
	assert_int_equal(memblock_add_node(&f->h->mb, 0x140000000, GIB(3), 0, 0), 0);
	assert_int_equal(memblock_mark_nomap(&f->h->mb, 0x80a00000, MIB(1)), 0);
	helper_pages_start(f);
}

static void test_random(void **state)
{
	struct helper_pages *f = *state;
	uint64_t ops = page_model_env("COMPOUND_OPS", 200000);
	struct page_client *c;

	start(f, PAGE_ALLOC_COMPOUND);
	c = client_begin(f, 5);
	assert_int_equal(c->nr_spans, 4);
	for (uint64_t i = 0; i < ops; i++) {
		gfp_t gfp = client_random(c) & 1 ? __GFP_COMP : 0;

		client_step(c, gfp | (client_random(c) & 2 ? __GFP_DMA32 : 0), 3000);
		if (c->nr_live) {
			const struct client_block *b = &c->live[client_random(c) % c->nr_live];
			uint64_t in = client_random(c) & ((1ULL << b->order) - 1);

			client_check_compound(c, b->pfn + in, false);
		}
		client_check_compound(c, client_random_pfn(c), false);
		if (i % (ops / 8) == 0)
			helper_pages_expect(f, c->used);
	}
	client_free_all(c);
	for (uint64_t i = 0; i < 20000; i++)
		client_check_compound(c, client_random_pfn(c), false);
	helper_pages_expect(f, 0);
	assert_int_equal(f->pa.misuses, 0);
	client_end(c);
}

/* Every page of blocks of every order. */
static void test_all_orders(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h;

	start(f, PAGE_ALLOC_COMPOUND);
	h = &f->pa.harts[0];
	for (unsigned int order = 0; order <= BUDDY_MAX_ORDER; order++) {
		int64_t pfn = alloc_pages(h, __GFP_COMP, order);
		uint64_t step = order > 10 ? 61 : 1;

		assert_true(pfn >= 0);
		for (uint64_t i = 0; i < 1ULL << order; i += step) {
			assert_int_equal(compound_head(&f->pa, (uint64_t)pfn + i), pfn);
			assert_int_equal(compound_order(&f->pa, (uint64_t)pfn + i), order);
		}
		assert_int_equal(free_pages(h, (uint64_t)pfn, order), 0);
		for (uint64_t i = 0; i < 1ULL << order; i += step) {
			assert_int_equal(compound_head(&f->pa, (uint64_t)pfn + i),
					 pfn + (int64_t)i);
			assert_int_equal(compound_order(&f->pa, (uint64_t)pfn + i), 0);
		}
	}
	helper_pages_expect(f, 0);
}

static void test_errors(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h;
	int64_t pfn;

	start(f, PAGE_ALLOC_COMPOUND);
	h = &f->pa.harts[0];
	assert_int_equal(compound_head(&f->pa, PFN_DOWN(0x80002000)), -EMM_ERANGE);
	assert_int_equal(compound_head(&f->pa, PFN_DOWN(0x80003000)), PFN_DOWN(0x80003000));
	assert_int_equal(compound_order(&f->pa, UINT64_MAX), -EMM_ERANGE);
	/* A split block is none. */
	pfn = alloc_pages(h, __GFP_COMP, 4);
	assert_int_equal(compound_order(&f->pa, (uint64_t)pfn + 5), 4);
	assert_int_equal(page_record_split(h, (uint64_t)pfn, 4, 5, 0), -EMM_EINVAL);
	assert_int_equal(page_record_split(h, (uint64_t)pfn, 4, 0, 0), 0);
	assert_int_equal(buddy_split(&f->pa.zones[1].mm.buddy.harts[0], (uint64_t)pfn, 4), 0);
	for (int i = 0; i < 16; i++) {
		assert_int_equal(compound_order(&f->pa, (uint64_t)(pfn + i)), 0);
		assert_int_equal(free_pages(h, (uint64_t)(pfn + i), 0), 0);
	}
	helper_pages_expect(f, 0);
}

/* [start, end) lies behind *@at, which moves along. */
static void expect_behind(uintptr_t *at, const void *start, const void *last, size_t size)
{
	assert_true((uintptr_t)start >= *at && start <= last);
	*at = (uintptr_t)last + size;
}

/* Records of many trees with odd ends: side by side, inside the metadata. */
static void test_places(void **state)
{
	struct helper_pages *f = *state;

	f->cfg.features = PAGE_ALLOC_OWNER | PAGE_ALLOC_POISON;
	for (uint64_t i = 0; i < 40; i++)
		assert_int_equal(memblock_add_node(&f->h->mb, i * 0x3f93000 + 0x1000000,
						   (i * i % 97 + 1) << 12, 0, 0),
				 0);
	helper_pages_ram(f, 0x3000, MIB(8), 0);
	helper_pages_start(f);
	for (uint32_t i = 0; i < f->pa.nr_zones; i++) {
		const struct zone *z = &f->pa.zones[i];
		uintptr_t at = (uintptr_t)&z->records[z->mm.nr_trees];

		for (uint32_t k = 0; k < z->mm.nr_trees; k++) {
			const struct page_records *r = &z->records[k];
			uint64_t start = r->start_pfn, last = start + r->nr_pages - 1;

			expect_behind(&at, bit_word(r->blocks, start), bit_word(r->blocks, last),
				      8);
			expect_behind(&at, owner_of(r, start), owner_of(r, last), 16);
			expect_behind(&at, bit_word(r->filled, start), bit_word(r->filled, last),
				      8);
		}
		assert_true(at <= (uintptr_t)phys_to_virt(&f->s->map, z->mm.meta_pa, 8) +
					  z->mm.meta_bytes);
	}
	assert_true(f->pa.zones[0].mm.nr_trees > 30);
}

static void test_off(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h;
	int64_t pfn;

	start(f, 0);
	h = &f->pa.harts[1];
	assert_int_equal(alloc_pages(h, __GFP_COMP, 3), -EMM_ESTATE);
	assert_int_equal(alloc_pages(h, __GFP_COMP | __GFP_ZERO, 0), -EMM_ESTATE);
	assert_int_equal(h->refusals, 2);
	pfn = alloc_pages(h, 0, 3);
	assert_int_equal(compound_head(&f->pa, (uint64_t)pfn), -EMM_ESTATE);
	assert_int_equal(compound_order(&f->pa, (uint64_t)pfn), -EMM_ESTATE);
	assert_null(f->pa.zones[0].records);
	assert_int_equal(free_pages(h, (uint64_t)pfn, 3), 0);
	helper_pages_expect(f, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_random), pages_test(test_all_orders), pages_test(test_errors),
		pages_test(test_places), pages_test(test_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
