/* SPDX-License-Identifier: BSD-2-Clause */
/* Owners on record: callers, the quarantine, pages that come late, and the report. */
#include "helper_page_client.h"

#include "page_record.h"

#include <earlymm/error.h>
#include <earlymm/page_audit.h>
#include <earlymm/reserved_area.h>

#include <stdlib.h>
#include <string.h>

static struct page_hart *start(struct helper_pages *f, uint32_t features)
{
	f->cfg.features = features;
	f->cfg.nr_harts = 2;
	f->cfg.out = &f->h->printer;
	helper_pages_ram(f, 0x80000000, MIB(32), 0);
	helper_pages_start(f);
	return &f->pa.harts[0];
}

static void test_callers(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h = start(f, PAGE_ALLOC_OWNER);
	struct page_owner_info info;
	uintptr_t seen[2 * CLIENT_CALLERS];

	for (unsigned int i = 0; i < CLIENT_CALLERS; i++) {
		unsigned int order = 3 * i;
		uint64_t pfn = (uint64_t)client_callers[i].alloc(h, 0, order);

		assert_int_equal(page_owner_lookup(&f->pa, pfn, &info), 0);
		assert_true(info.state == PAGE_IN_USE && info.order == order && info.pfn == pfn);
		assert_int_equal(client_caller_at(info.allocated_by, false), i + 1);
		assert_int_equal(info.freed_by, 0);
		assert_int_equal(client_callers[2 - i].free(h, pfn, order), 0);
		assert_int_equal(page_owner_lookup(&f->pa, pfn, &info), 0);
		assert_true(info.state == PAGE_FREED && info.order == order && info.pfn == pfn);
		assert_int_equal(client_caller_at(info.allocated_by, false), i + 1);
		assert_int_equal(client_caller_at(info.freed_by, true), 2 - i + 1);
		assert_int_equal(client_caller_at(info.freed_by, false), 0);
		seen[2 * i] = info.allocated_by;
		seen[2 * i + 1] = info.freed_by;
	}
	for (unsigned int i = 0; i < 2 * CLIENT_CALLERS; i++)
		for (unsigned int k = 0; k < i; k++)
			assert_true(seen[i] != seen[k]);
	/* Inside a block that is free: the block is on record still. */
	assert_int_equal(page_owner_lookup(&f->pa, info.pfn + 50, &info), 0);
	assert_true(info.state == PAGE_FREED && info.order == 6);
	assert_int_equal(client_caller_at(info.freed_by, true), 1);
}

/* Addresses of the kernel's half keep their sign. */
static void test_high_caller(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h = start(f, PAGE_ALLOC_OWNER);
	const uintptr_t high = (uintptr_t)0xff00123456789abcULL, low = 0x00fedcba98765432;
	struct page_owner_info info;

	assert_int_equal(page_alloc_slow(h, 0, 9, high) & 511, 0);
	assert_int_equal(page_owner_report(&f->pa, &f->h->printer, 1), 512);
	assert_string_equal(f->h->out.text,
			    "page_owner: 512 pages in 1 blocks by 0xff00123456789abc\n");
	f->h->out.len = 0;
	for (uint64_t pfn = 0x80000; pfn < 0x82000; pfn += 512)
		if (compound_order(&f->pa, pfn) == 9) {
			assert_int_equal(page_free_slow(h, pfn, 9, low), 0);
			assert_int_equal(page_owner_lookup(&f->pa, pfn, &info), 0);
			assert_true(info.allocated_by == high && info.freed_by == low);
		}
	helper_pages_expect(f, 0);
}

/* What was freed is not handed out before 64 other blocks have been freed. */
static void test_quarantine(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h = start(f, PAGE_ALLOC_OWNER);
	struct page_audit audit;
	int64_t pfn[200], large;
	uint64_t used = 200;

	for (int i = 0; i < 200; i++)
		pfn[i] = alloc_pages(h, 0, 0);
	large = alloc_pages(h, 0, 4);
	assert_int_equal(free_pages(h, (uint64_t)pfn[0], 0), 0);
	assert_int_equal(free_pages(h, (uint64_t)large, 4), 0);
	assert_int_equal(page_quarantined(&f->pa, NULL), 1);
	for (int i = 1; i < 64; i++) {
		assert_int_equal(free_pages(h, (uint64_t)pfn[i], 0), 0);
		assert_int_equal(page_quarantined(&f->pa, &f->pa.zones[0]), i + 1);
		assert_false(buddy_page_is_free(&f->pa.zones[0].mm.buddy, (uint64_t)pfn[0]));
		/* And a late double free of it is seen. */
		assert_int_equal(free_pages(h, (uint64_t)pfn[0], 0), -EMM_EDOUBLE);
		helper_pages_expect(f, used - (uint64_t)i - 1);
	}
	assert_int_equal(free_pages(h, (uint64_t)pfn[64], 0), 0);
	assert_int_equal(page_quarantined(&f->pa, NULL), 64);
	assert_true(buddy_page_is_free(&f->pa.zones[0].mm.buddy, (uint64_t)pfn[0]));
	assert_int_equal(free_pages(h, (uint64_t)pfn[0], 0), -EMM_EDOUBLE);
	helper_pages_expect(f, used - 65);
	assert_int_equal(page_alloc_audit(&f->pa, &f->h->mb, used - 65, &audit), 0);
	assert_true(audit.total.held >= 64 && audit.zone[0].held == audit.total.held);
	page_hart_drain(h);
	assert_int_equal(page_quarantined(&f->pa, NULL), 0);
	for (int i = 65; i < 200; i++)
		assert_int_equal(free_pages(h, (uint64_t)pfn[i], 0), 0);
	helper_pages_expect(f, 0);
}

/* The last memory of all is that in quarantine: of any hart's. */
static void test_exhausted(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h = start(f, PAGE_ALLOC_OWNER), *other = h + 1;
	int64_t pfn, first = -1, last = -1;
	uint64_t used = 0;

	while ((pfn = alloc_pages(h, __GFP_MEMALLOC, 3)) >= 0) {
		first = used ? first : pfn;
		last = pfn;
		used += 8;
	}
	assert_int_equal(free_pages(other, (uint64_t)first, 3), 0);
	assert_int_equal(free_pages(h, (uint64_t)last, 3), 0);
	assert_int_equal(page_quarantined(&f->pa, NULL), 16);
	assert_true(zone_free_pages(&f->pa, &f->pa.zones[0]) < 8);
	helper_pages_expect(f, used - 16);
	pfn = alloc_pages(h, __GFP_MEMALLOC, 3);
	assert_true(pfn == first || pfn == last);
	assert_int_equal(page_quarantined(&f->pa, NULL), 0);
	assert_true(alloc_pages(h, __GFP_MEMALLOC, 3) >= 0);
	assert_true(alloc_pages(h, __GFP_MEMALLOC, 3) < 0);
	helper_pages_expect(f, used);
	assert_int_equal(f->pa.misuses, 0);
}

/* Reserved pages that are freed late, and high memory, are as other pages from then on. */
static void test_late(void **state)
{
	struct helper_pages *f = *state;
	struct page_owner_info info;
	struct page_hart *h;
	uint64_t nr_pages, used = 0;
	unsigned int seen = 0;
	int64_t pfn;

	helper_pages_ram(f, 0x100000000, MIB(16), 0);
	f->cfg.highmem_pfn = PFN_DOWN(0x100000000);
	assert_int_equal(memblock_reserve(&f->h->mb, 0x80800000, MIB(1)), 0);
	h = start(f, PAGE_ALLOC_OWNER);
	assert_int_equal(free_pages(h, PFN_DOWN(0x80800000), 0), -EMM_ERANGE);
	assert_int_equal(free_pages(h, PFN_DOWN(0x100000000), 0), -EMM_ERANGE);
	assert_int_equal(free_reserved_area(&f->pa.zones[0].mm, &f->h->mb, 0x80800000, MIB(1),
					    &nr_pages),
			 0);
	assert_int_equal(nr_pages, 256);
	assert_int_equal(free_highpages(&f->pa, &f->h->mb), 4096);
	assert_int_equal(free_pages(h, PFN_DOWN(0x80800000), 0), -EMM_ERANGE);
	assert_int_equal(free_pages(h, PFN_DOWN(0x100000000), 0), -EMM_ERANGE);
	assert_int_equal(f->pa.misuses, 4);
	assert_int_equal(page_owner_lookup(&f->pa, PFN_DOWN(0x80800000), &info), 0);
	assert_int_equal(info.state, PAGE_NEVER_USED);
	assert_int_equal(page_owner_lookup(&f->pa, 0, &info), -EMM_ERANGE);
	while ((pfn = alloc_pages(h, GFP_HIGHUSER | __GFP_MEMALLOC, 0)) >= 0) {
		seen += pfn == PFN_DOWN(0x80800000) || pfn == PFN_DOWN(0x100000000);
		used++;
	}
	assert_int_equal(seen, 2);
	helper_pages_expect(f, used);
	assert_int_equal(free_pages(h, PFN_DOWN(0x80800000), 0), 0);
	assert_int_equal(free_pages(h, PFN_DOWN(0x100000000), 0), 0);
	assert_int_equal(f->pa.misuses, 4);
	assert_int_equal(page_quarantined(&f->pa, &f->pa.zones[0]), 1);
	assert_int_equal(page_quarantined(&f->pa, &f->pa.zones[1]), 1);
	assert_int_equal(page_quarantined(&f->pa, NULL), 2);
	helper_pages_expect(f, used - 2);
}

static void test_report(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h = start(f, PAGE_ALLOC_OWNER);
	const struct printer *out = &f->h->printer;

	assert_int_equal(page_owner_report(&f->pa, out, 10), 0);
	assert_int_equal(f->h->out.len, 0);
	for (uintptr_t caller = 1; caller <= 20; caller++)
		for (unsigned int i = 0; i < caller; i++)
			assert_true(page_alloc_slow(h, 0, caller & 1, caller * 0x100) >= 0);
	/* 20 pages, 19 pairs and so on. */
	assert_int_equal(page_owner_report(&f->pa, out, 3), 110 + 2 * 100);
	assert_string_equal(f->h->out.text, "page_owner: 38 pages in 19 blocks by 0x1300\n"
					    "page_owner: 34 pages in 17 blocks by 0x1100\n"
					    "page_owner: 30 pages in 15 blocks by 0xf00\n"
					    "page_owner: 208 pages in 159 blocks by others\n");
	f->h->out.len = 0;
	/* More callers than it tells apart. */
	for (uintptr_t caller = 0x10000; caller < 0x10000 + 1200; caller += 2)
		assert_true(page_alloc_slow(h, 0, 0, caller) >= 0);
	assert_int_equal(page_owner_report(&f->pa, out, UINT32_MAX), 310 + 600);
	assert_non_null(strstr(f->h->out.text, "page_owner: 38 pages in 19 blocks by 0x1300\n"));
	assert_non_null(strstr(f->h->out.text, "page_owner: 108 pages in 108 blocks by others\n"));
	f->h->out.len = 0;
}

static void test_off(void **state)
{
	struct helper_pages *f = *state;
	struct page_hart *h = start(f, PAGE_ALLOC_COMPOUND | PAGE_ALLOC_POISON);
	struct page_owner_info info;

	assert_int_equal(page_owner_lookup(&f->pa, 0x80000, &info), -EMM_ESTATE);
	assert_int_equal(page_owner_report(&f->pa, &f->h->printer, 3), -EMM_ESTATE);
	assert_int_equal(page_quarantined(&f->pa, NULL), 0);
	assert_non_null(h->watch);
	assert_int_equal(f->h->out.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_callers),    pages_test(test_high_caller),
		pages_test(test_quarantine), pages_test(test_exhausted),
		pages_test(test_late),       pages_test(test_report),
		pages_test(test_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
