/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools of huge pages from requests for more than there is, early allocators that cannot be relied
 * on, and books that were tampered with.
 */
#include "helper_hugetlb.h"

#include <string.h>

#define RAM      GIB(2)
#define ORDER_2M 9U
#define ORDER_1G 18U

#define hugetlb_test(f) \
	cmocka_unit_test_setup_teardown(f, helper_hugetlb_setup, helper_hugetlb_teardown)

static void expect_text(const struct helper_hugetlb *f, const char *text)
{
	if (strcmp(f->h->out.text, text))
		fail_msg("printed:\n%sinstead of:\n%s", f->h->out.text, text);
}

static const struct hstate *pool(const struct helper_hugetlb *f, unsigned int order)
{
	const struct hstate *s = hugetlb_hstate(&f->huge, order);

	assert_non_null(s);
	return s;
}

/* As many as there are, if need be all of memory; records for no more than that. */
static void test_hostile_numbers(void **state)
{
	static const unsigned int orders[] = { 1, ORDER_2M, 12, ORDER_1G, 22, HUGETLB_MAX_ORDER };
	struct hugetlb_count *count;
	struct helper_hugetlb *f;

	(void)state;
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(orders); i++) {
		unsigned int order = orders[i / 2];
		const struct hstate *s;

		helper_hugetlb_setup((void **)&f);
		helper_hugetlb_node(f, RAM, MIB(256), 0);
		helper_hugetlb_node(f, GIB(4), MIB(64) + (order == ORDER_1G ? GIB(3) : 0), 1);
		count = helper_hugetlb_ask(f, order, i % 2 ? 99999999999 : UINT64_MAX);
		if (i % 2) {
			helper_hugetlb_ask_node(count, 0, UINT64_MAX);
			helper_hugetlb_ask_node(count, 1, UINT64_MAX);
		}
		helper_hugetlb_early(f);
		s = pool(f, order);
		assert_int_equal(s->max_huge_pages, UINT64_MAX);
		assert_true(s->pages_bytes <= (GIB(4) >> (12 + order)) * 16 + PAGE_SIZE);
		if (order < 12) {
			helper_hugetlb_handover(f);
			/* All but edges. */
			assert_true((s->nr_huge_pages << order) > 65000);
			assert_true(alloc_pages(f->pa.harts, GFP_HIGHUSER, order) == -EMM_ENOMEM ||
				    s->nr_pages == s->max_pages);
			assert_true(s->pages_bytes - s->nr_pages * 16 < PAGE_SIZE);
		} else if (order == 12) {
			assert_int_equal(s->nr_huge_pages, 15 + 4);
		} else if (order == ORDER_1G) {
			assert_in_range(s->nr_huge_pages, 2, 3);
		} else {
			assert_int_equal(s->nr_huge_pages, 0);
			assert_int_equal(hugetlb_reserved_pages(&f->huge), 0);
			assert_int_equal(f->h->mb.reserved.cnt, 0);
		}
		assert_non_null(strstr(f->h->out.text, "Only allocated "));
		assert_true(f->nr_early_calls < 40);
		helper_hugetlb_teardown((void **)&f);
	}
}

/* What is to be kept free is kept free. */
static void test_keep_pages(void **state)
{
	static const unsigned int orders[] = { 3, ORDER_2M, 12 };

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(orders); i++) {
		struct helper_hugetlb *f;

		helper_hugetlb_setup((void **)&f);
		helper_hugetlb_node(f, RAM, MIB(256), NONE);
		f->keep_pages = 10000;
		helper_hugetlb_ask(f, orders[i], 1000000);
		helper_hugetlb_fill(f);
		/* Gigantic ones are set aside before the metadata and records have their places. */
		assert_in_range(helper_hugetlb_free(f), orders[i] < 12 ? 10000 : 10000 - 100,
				10000 + (1U << orders[i]) + 100);
		assert_true(pool(f, orders[i])->nr_huge_pages << orders[i] > 50000);
		helper_hugetlb_teardown((void **)&f);

		helper_hugetlb_setup((void **)&f);
		helper_hugetlb_node(f, RAM, MIB(256), NONE);
		f->keep_pages = 70000;
		helper_hugetlb_ask(f, orders[i], 1);
		helper_hugetlb_fill(f);
		assert_int_equal(pool(f, orders[i])->nr_huge_pages, 0);
		helper_hugetlb_teardown((void **)&f);
	}
}

/*
 * Less than is asked for may be had: not more is taken than there are records for, of no node more
 * than is asked for, and all nodes have the same share of it.
 */
static void test_shares_of_less(void **state)
{
	static const unsigned int orders[] = { 3, ORDER_2M, 12 };

	(void)state;
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(orders); i++) {
		unsigned int order = orders[i / 2];
		struct helper_hugetlb *f;
		struct hugetlb_count *count;
		const uint64_t *nr;

		helper_hugetlb_setup((void **)&f);
		helper_hugetlb_node(f, RAM, MIB(256), 0);
		helper_hugetlb_node(f, GIB(4), MIB(256), 1);
		f->keep_pages = 65536;
		count = helper_hugetlb_ask(f, order, 99999999999);
		if (i % 2) {
			helper_hugetlb_ask_node(count, 0, 99999999999);
			helper_hugetlb_ask_node(count, 1, 99999999999);
		}
		helper_hugetlb_fill(f);
		nr = pool(f, order)->nr_huge_pages_node;
		assert_in_range((nr[0] + nr[1]) << order, 60000, 65536);
		if (i % 2)
			assert_in_range(nr[0] << order, 60000, 65536);
		else
			assert_in_range(nr[1], nr[0], nr[0] + 1);
		helper_hugetlb_teardown((void **)&f);
	}
}

/* An early allocator that cannot be relied on: nothing of it gets into the pool. */
static void test_bad_early_allocator(void **state)
{
	struct helper_hugetlb *f = *state;

	helper_hugetlb_node(f, RAM, GIB(4) - MIB(1), NONE);
	helper_hugetlb_ask(f, ORDER_1G, 3);
	f->misaligned = true;
	helper_hugetlb_early(f);
	assert_int_equal(pool(f, ORDER_1G)->nr_huge_pages, 0);
	assert_int_equal(f->h->mb.reserved.cnt, 0);
	assert_non_null(strstr(f->h->out.text, "Only allocated 0 hugepages"));
	/* One that frees nothing: what was had stays, and is told. */
	f->misaligned = false;
	f->stubborn = true;
	f->request.size[0].count.nr = 1000;
	assert_int_equal(hugetlb_init(&f->huge, &f->request, &f->h->mb, 0, NULL), 0);
	assert_int_equal(hugetlb_alloc_early(&f->huge, &f->h->mb, &f->early), 0);
	assert_true(hugetlb_is_valid(&f->huge));
	helper_hugetlb_handover(f);
}

/* No map to reach the records through, or no room for them: no pool, and no harm. */
static void test_no_records(void **state)
{
	struct helper_hugetlb *f = *state;

	helper_hugetlb_node(f, RAM, GIB(4), NONE);
	helper_hugetlb_ask(f, ORDER_1G, 3);
	helper_hugetlb_ask(f, ORDER_2M, 3);
	f->h->mb.map = NULL;
	helper_hugetlb_early(f);
	assert_int_equal(f->h->mb.reserved.cnt, 0);
	f->h->mb.map = &f->s->map;
	helper_hugetlb_handover(f);
	assert_int_equal(pool(f, ORDER_1G)->nr_huge_pages + pool(f, ORDER_2M)->nr_huge_pages, 0);
	expect_text(f,
		    "HugeTLB: allocating 3 of page size 1 GiB failed. Only allocated 0 hugepages.\n"
		    "HugeTLB: allocating 3 of page size 2 MiB failed. Only allocated 0 "
		    "hugepages.\n");
	f->h->mb.current_limit = RAM;
	f->h->out.len = 0;
	helper_hugetlb_early(f);
	assert_non_null(strstr(f->h->out.text, "size 1 GiB failed. Only allocated 0"));
}

static void test_bad_requests(void **state)
{
	struct helper_hugetlb *f = *state;

	helper_hugetlb_node(f, RAM, MIB(4), NONE);
	assert_int_equal(hugetlb_init(&f->huge, &f->request, &f->h->mb, 0, NULL), 0);
	hugetlb_report(&f->huge, &f->h->printer);
	expect_text(f, "");
	helper_hugetlb_fill(f); /* nothing asked for: nothing done */
	assert_int_equal(f->nr_early_calls, 0);
	helper_hugetlb_ask(f, 0, 1);
	assert_int_equal(hugetlb_init(&f->huge, &f->request, &f->h->mb, 0, NULL), -EMM_EINVAL);
	f->request.size[0].order = HUGETLB_MAX_ORDER + 1;
	assert_int_equal(hugetlb_init(&f->huge, &f->request, &f->h->mb, 0, NULL), -EMM_EINVAL);
	f->request.size[0].order = 9;
	helper_hugetlb_ask(f, 9, 1);
	assert_int_equal(hugetlb_init(&f->huge, &f->request, &f->h->mb, 0, NULL), -EMM_EINVAL);
	f->request.size[1].order = 10;
	f->request.size[1].count.nr_nodes = HUGETLB_MAX_NODES + 1;
	assert_int_equal(hugetlb_init(&f->huge, &f->request, &f->h->mb, 0, NULL), -EMM_EINVAL);
	for (unsigned int i = 0; i < HUGE_MAX_HSTATE; i++) {
		f->request.size[i].order = 1 + i;
		f->request.size[i].count.nr_nodes = 0;
	}
	f->request.nr_sizes = HUGE_MAX_HSTATE;
	assert_int_equal(hugetlb_init(&f->huge, &f->request, &f->h->mb, 0, NULL), 0);
	f->request.nr_sizes = HUGE_MAX_HSTATE + 1;
	assert_int_equal(hugetlb_init(&f->huge, &f->request, &f->h->mb, 0, NULL), -EMM_EINVAL);
	assert_int_equal(hugetlb_alloc_early(&f->huge, &f->h->mb, &f->early), -EMM_ESTATE);
}

/* The predicate sees what is damaged on purpose. */
static void test_validity(void **state)
{
	struct helper_hugetlb *f = *state;
	struct hstate *s = &f->huge.hstates[0];
	struct huge_page saved, in_use;
	struct hugetlb good;

	helper_hugetlb_node(f, RAM, GIB(1), 0);
	helper_hugetlb_node(f, RAM + GIB(1), GIB(1), 1);
	helper_hugetlb_node(f, RAM + GIB(2), GIB(1), 2);
	helper_hugetlb_ask(f, ORDER_2M, 10);
	helper_hugetlb_fill(f);
	assert_true(hugetlb_alloc(&f->huge, ORDER_2M, 0) > 0);
	in_use = s->pages[0];
	good = f->huge;
	saved = s->pages[3];
#define DAMAGE(what)                                      \
	do {                                              \
		what;                                     \
		assert_false(hugetlb_is_valid(&f->huge)); \
		f->huge = good;                           \
		s->pages[3] = saved;                      \
		s->pages[0] = in_use;                     \
		assert_true(hugetlb_is_valid(&f->huge));  \
	} while (0)
	DAMAGE(s->free_huge_pages--);
	DAMAGE(s->nr_huge_pages++);
	DAMAGE(s->nr_huge_pages_node[0]--);
	DAMAGE(s->free_huge_pages_node[1]++);
	DAMAGE(s->freelists[0] = UINT32_MAX);
	DAMAGE(s->freelists[0] = s->freelists[1]);
	DAMAGE(s->freelists[3] = 1);
	DAMAGE(f->huge.buddy_pages += 512);
	DAMAGE(f->huge.early_pages--);
	DAMAGE(s->max_pages = 9);
	DAMAGE(s->max_pages = 257);
	DAMAGE(s->nr_huge_pages++; f->huge.buddy_pages += 512);
	DAMAGE(s->pages[0].state = HUGE_PAGE_GONE + 1);
	/* In use, and in the list in the place of a free one. */
	DAMAGE(s->pages[0].next = s->pages[s->freelists[0]].next; s->freelists[0] = 0);
	DAMAGE(s->pages_bytes = 0);
	DAMAGE(s->pages[3].state = HUGE_PAGE_IN_USE);
	DAMAGE(s->pages[3].state = HUGE_PAGE_GONE + 1);
	DAMAGE(s->pages[3].slot++);
	DAMAGE(s->pages[3].slot = 17);
	DAMAGE(s->pages[3].pfn++);
	DAMAGE(s->pages[3].pfn = s->pages[2].pfn);
	DAMAGE(s->pages[3].next = 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_numbers),
		cmocka_unit_test(test_keep_pages),
		cmocka_unit_test(test_shares_of_less),
		hugetlb_test(test_bad_early_allocator),
		hugetlb_test(test_no_records),
		hugetlb_test(test_bad_requests),
		hugetlb_test(test_validity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
