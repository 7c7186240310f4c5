/* SPDX-License-Identifier: BSD-2-Clause */
/* Poison: damage to free pages is found, to the byte, and nothing else is. And __GFP_ZERO. */
#include "helper_page_client.h"

#include "helper_page_model.h"
#include "page_record.h"

#include <earlymm/error.h>
#include <earlymm/reserved_area.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct page_hart *start(struct helper_pages *f, uint32_t features)
{
	f->cfg.features = features;
	f->cfg.nr_harts = 2;
	f->cfg.out = &f->h->printer;
	helper_pages_ram(f, 0x80003000, MIB(24), 0);
	helper_pages_start(f);
	return &f->pa.harts[0];
}

static uint8_t *byte_at(struct helper_pages *f, uint64_t address)
{
	return (uint8_t *)helper_memsim_word(f->s, address & ~7ULL) + (address & 7);
}

/* Words of the block that are not @value. */
static uint64_t count_others(struct helper_pages *f, uint64_t pfn, unsigned int order,
			     uint64_t value)
{
	uint64_t nr_words = (1ULL << order) * PAGE_SIZE / 8, nr = 0;
	const uint64_t *p = phys_to_virt(&f->s->map, PFN_PHYS(pfn), nr_words * 8);

	assert_non_null(p);
	for (uint64_t i = 0; i < nr_words; i++)
		nr += p[i] != value;
	return nr;
}

static void scribble(struct helper_pages *f, uint64_t pfn, unsigned int order)
{
	uint64_t nr_words = (1ULL << order) * PAGE_SIZE / 8;
	uint64_t *p = phys_to_virt(&f->s->map, PFN_PHYS(pfn), nr_words * 8);

	for (uint64_t i = 0; i < nr_words; i += 8)
		p[i] = i ^ pfn;
}

/* All of the memory, in blocks of @order, and back. Returns how many of them there were. */
static unsigned int take_all(struct helper_pages *f, unsigned int order)
{
	struct page_hart *h = &f->pa.harts[0];
	unsigned int nr = 0;
	int64_t *pfn = malloc(8192 * sizeof(*pfn));

	assert_non_null(pfn);
	while ((pfn[nr] = alloc_pages(h, __GFP_MEMALLOC, order)) >= 0)
		nr++;
	for (unsigned int i = 0; i < nr; i++)
		assert_int_equal(free_pages(h, (uint64_t)pfn[i], order), 0);
	page_hart_drain(h);
	free(pfn);
	return nr;
}

/* Everything is filled at set-up; what a client writes into its own blocks is no damage. */
static void test_client(void **state)
{
	struct helper_pages *f = *state;
	uint64_t ops = page_model_env("POISON_OPS", 20000);
	struct page_client *c;

	start(f, PAGE_ALLOC_POISON | PAGE_ALLOC_COMPOUND);
	for (uint64_t pfn = 0x80003; pfn < 0x81803; pfn++)
		if (buddy_page_is_free(&f->pa.zones[0].mm.buddy, pfn))
			assert_int_equal(count_others(f, pfn, 0, 0xaaaaaaaaaaaaaaaa), 0);
	c = client_begin(f, 11);
	for (uint64_t i = 0; i < ops; i++) {
		gfp_t gfp = client_random(c) & 3 ? 0 : __GFP_ZERO;
		unsigned int before = c->nr_live;

		client_step(c, gfp, 800);
		if (c->nr_live > before) {
			const struct client_block *b = &c->live[before];
			uint64_t value = gfp ? 0 : 0xaaaaaaaaaaaaaaaa;

			assert_int_equal(count_others(f, b->pfn, b->order, value), 0);
			scribble(f, b->pfn, b->order);
		}
		if (i % (ops / 8) == 0)
			helper_pages_expect(f, c->used);
	}
	client_free_all(c);
	assert_int_equal(f->h->out.len, 0);
	assert_true(f->pa.damaged_pages == 0 && f->pa.misuses == 0);
	helper_pages_expect(f, 0);
	client_end(c);
}

/* The line, with what it must say; the text is forgotten then. */
static void expect_damage(struct helper_pages *f, uint64_t pfn, const char *end)
{
	char line[256];

	snprintf(line, sizeof(line), "page_poison: pfn 0x%llx was written to while free: %s",
		 (unsigned long long)pfn, end);
	assert_non_null(strstr(f->h->out.text, line));
}

static void test_damage(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h = start(f, PAGE_ALLOC_POISON);
	uint64_t rng = 1;

	for (unsigned int i = 1; i <= page_model_env("POISON_DAMAGES", 60); i++) {
		int64_t pfn = alloc_pages(h, 0, i % 10);
		uint64_t at, bad;
		char text[120];

		assert_true(pfn >= 0);
		assert_int_equal(free_pages(h, (uint64_t)pfn, i % 10), 0);
		rng = rng * 6364136223846793005ULL + 1442695040888963407ULL;
		at = PFN_PHYS((uint64_t)pfn) + (rng >> 20) % ((1ULL << i % 10) * PAGE_SIZE);
		bad = i & 1 ? 0xaa ^ 1U << (i / 2 & 7) : 0x100 + i;
		*byte_at(f, at) = (uint8_t)bad;
		if (!(i & 1))
			*byte_at(f, at | 7) = 0x11;
		/* Whoever has it next. */
		take_all(f, i % 6);
		snprintf(text, sizeof(text), "%s at 0x%llx, 0xaa expected, 0x%02x found, ",
			 i & 1 ? "a single bit" : "first", (unsigned long long)at,
			 (at & 7) == 7 && !(i & 1) ? 0x11 : (uint8_t)bad);
		expect_damage(f, PFN_DOWN(at), text);
		assert_int_equal(f->pa.damaged_pages, i);
		f->h->out.len = 0;
		/* It was filled again when it was freed. */
		take_all(f, 0);
		assert_int_equal(f->h->out.len, 0);
	}
	helper_pages_expect(f, 0);
}

/* With owners: who freed it, and who has it now. */
static void test_owner(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h = start(f, PAGE_ALLOC_POISON | PAGE_ALLOC_OWNER);
	int64_t pfn = alloc_pages(h, 0, 8), again;

	assert_int_equal(page_free_slow(h, (uint64_t)pfn, 8, 0x1234560), 0);
	/* Two pages of it. */
	memset(byte_at(f, PFN_PHYS((uint64_t)pfn + 3) + 5), 0, 3);
	memset(byte_at(f, PFN_PHYS((uint64_t)pfn + 200) + 4095), 0xff, 1);
	do
		again = page_alloc_slow(h, 0, 8, 0x7654320);
	while (again >= 0 && again != pfn);
	assert_int_equal(again, pfn);
	assert_int_equal(f->pa.damaged_pages, 2);
	expect_damage(f, (uint64_t)pfn + 3, "first at ");
	expect_damage(f, (uint64_t)pfn + 200, "first at ");
	assert_non_null(strstr(f->h->out.text,
			       "0xaa expected, 0x00 found, 3 bytes differ; freed by 0x1234560, "
			       "handed out to 0x7654320\n"));
	assert_non_null(strstr(f->h->out.text, "0xff found, 1 bytes differ; freed by 0x1234560, "));
	assert_int_equal(free_pages(h, (uint64_t)pfn, 8), 0);
	assert_int_equal(free_pages(h, (uint64_t)pfn, 8), -EMM_EDOUBLE);
	assert_int_equal(f->pa.misuses, 1);
}

/* A page that is filled is free: this much is seen without owners. */
static void test_double_free(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h = start(f, PAGE_ALLOC_POISON);

	for (unsigned int order = 0; order < 9; order++) {
		uint64_t pfn = (uint64_t)alloc_pages(h, 0, order);
		uint64_t part = pfn + (1ULL << order) / 2;

		assert_int_equal(free_pages(h, pfn, order), 0);
		f->h->out.len = 0;
		assert_int_equal(free_pages(h, pfn, order), -EMM_EDOUBLE);
		assert_non_null(strstr(f->h->out.text, "double free; called from 0x"));
		assert_int_equal(free_pages(h, part, 0), -EMM_EDOUBLE);
		assert_int_equal(f->pa.misuses, 2 * order + 2);
	}
	assert_int_equal(free_pages(h, 0x80005, 3), -EMM_EINVAL);
	assert_int_equal(free_pages(h, 0x70000, 3), -EMM_ERANGE);
	f->h->out.len = 0;
	take_all(f, 0);
	assert_int_equal(f->h->out.len, 0);
	helper_pages_expect(f, 0);
}

/* A free of what is partly free changes nothing of the rest. */
static void test_partly_free(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h = start(f, PAGE_ALLOC_POISON);
	uint64_t pfn = (uint64_t)alloc_pages(h, 0, 7), odd = pfn + 64 + 21;

	assert_int_equal(page_record_split(h, pfn, 7, 0, 0), 0);
	assert_int_equal(buddy_split(&f->pa.zones[0].mm.buddy.harts[0], pfn, 7), 0);
	assert_int_equal(free_pages(h, odd, 0), 0);
	assert_int_equal(free_pages(h, pfn, 7), -EMM_EDOUBLE);
	assert_int_equal(free_pages(h, odd & ~3ULL, 2), -EMM_EDOUBLE);
	for (uint64_t i = pfn; i < pfn + 128; i++)
		if (i != odd)
			assert_int_equal(free_pages(h, i, 0), 0);
	assert_int_equal(f->pa.misuses, 2);
	helper_pages_expect(f, 0);
	f->h->out.len = 0;
}

/* What comes late was not filled: it is not looked at, the first time. */
static void test_late(void **state)
{
	struct helper_pages *f = *state;

	helper_pages_ram(f, 0x100000000, MIB(8), 0);
	f->cfg.highmem_pfn = PFN_DOWN(0x100000000);
	assert_int_equal(memblock_reserve(&f->h->mb, 0x80800000, MIB(1)), 0);
	start(f, PAGE_ALLOC_POISON);
	assert_int_equal(
		free_reserved_area(&f->pa.zones[0].mm, &f->h->mb, 0x80800000, MIB(1), NULL), 0);
	assert_int_equal(free_highpages(&f->pa, &f->h->mb), 2048);
	/* But this was. */
	assert_int_equal(count_others(f, PFN_DOWN(0x100000000), 4, 0xaaaaaaaaaaaaaaaa), 0);
	take_all(f, 3);
	assert_true(f->pa.damaged_pages == 0 && f->h->out.len == 0);
	*byte_at(f, 0x80812345) = 1;
	take_all(f, 0);
	assert_int_equal(f->pa.damaged_pages, 1);
	expect_damage(f, 0x80812, "first at 0x80812345, ");
}

/* Memory that the map does not reach is handed out, but cannot be cleared. */
static void test_unreachable(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h;
	int64_t pfn;

	assert_int_equal(memblock_add_node(&f->h->mb, 0x100000000, MIB(8), 0, 0), 0);
	h = start(f, PAGE_ALLOC_POISON | PAGE_ALLOC_OWNER);
	pfn = alloc_pages(h, GFP_KERNEL, 2);
	assert_true(pfn >= (int64_t)DMA32_END_PFN);
	helper_pages_expect(f, 4);
	assert_int_equal(alloc_pages(h, __GFP_ZERO, 0), -EMM_EFAULT);
	assert_int_equal(alloc_pages(h, __GFP_ZERO, 7), -EMM_EFAULT);
	helper_pages_expect(f, 4);
	/* From a stack, too. */
	assert_int_equal(alloc_pages(h, __GFP_ZERO, 2), -EMM_EFAULT);
	helper_pages_expect(f, 4);
	assert_int_equal(free_pages(h, (uint64_t)pfn, 2), 0);
	assert_true(alloc_pages(h, __GFP_ZERO | GFP_DMA32, 7) >= 0);
	helper_pages_expect(f, 128);
	assert_true(f->pa.misuses == 0 && f->pa.damaged_pages == 0 && f->h->out.len == 0);
}

/* The memory is taken twice as a whole. */
static void expect_zeros(struct helper_pages *f, uint32_t features)
{
	struct page_hart *h = start(f, features);
	int64_t pfn[64];

	for (unsigned int order = 3; order < 20; order++) {
		gfp_t gfp = __GFP_ZERO | __GFP_MEMALLOC | (order & 1 ? __GFP_MOVABLE : 0);
		unsigned int nr = 0, size = order % 10;

		while (nr < 64 && (pfn[nr] = alloc_pages(h, gfp, size)) >= 0) {
			assert_int_equal(count_others(f, (uint64_t)pfn[nr], size, 0), 0);
			scribble(f, (uint64_t)pfn[nr++], size);
		}
		assert_true(nr > 5);
		while (nr-- > 0)
			assert_int_equal(free_pages(h, (uint64_t)pfn[nr], size), 0);
		page_hart_drain(h);
	}
	helper_pages_expect(f, 0);
}

static void test_zero(void **state)
{
	expect_zeros(*state, 0);
}

static void test_zero_owners(void **state)
{
	expect_zeros(*state, PAGE_ALLOC_OWNER);
}

static void test_fill_words(void **state)
{
	uint64_t words[40];

	(void)state;
	for (unsigned int nr = 0; nr < 32; nr++) {
		for (unsigned int i = 0; i < 40; i++)
			words[i] = i;
		fill_words(&words[4], 0x123456789abcdef0, nr);
		for (unsigned int i = 0; i < 40; i++)
			assert_true(words[i] == (i >= 4 && i < 4 + nr ? 0x123456789abcdef0 : i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_client),      pages_test(test_damage),
		pages_test(test_owner),       pages_test(test_double_free),
		pages_test(test_partly_free), pages_test(test_late),
		pages_test(test_unreachable), pages_test(test_zero),
		pages_test(test_zero_owners), cmocka_unit_test(test_fill_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
