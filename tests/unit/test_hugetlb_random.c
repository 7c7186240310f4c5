/* SPDX-License-Identifier: BSD-2-Clause */
/* Pools of huge pages on random maps, for random requests, in random use. */
#include "helper_hugetlb.h"

#define RAM GIB(2)

static uint64_t next_random(uint64_t *rng, uint64_t below)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return (*rng >> 8) % below;
}

/* A random map, a random request, and what is lent out. */
struct life {
	struct helper_hugetlb *f;
	uint64_t rng;
	uint64_t taken[4000];
	unsigned int orders[4000];
	unsigned int nr;
};

static void begin_life(struct life *l, bool by_node)
{
	struct helper_hugetlb *f;

	helper_hugetlb_setup((void **)&f);
	l->f = f;
	l->nr = 0;
	helper_memsim_add(f->s, RAM, GIB(3));
	for (int i = 0; i < 6; i++)
		memblock_add_node(&f->h->mb, RAM + next_random(&l->rng, 600000) * PAGE_SIZE,
				  (1 + next_random(&l->rng, 150000)) * PAGE_SIZE,
				  (int)next_random(&l->rng, 3) - 1, 0);
	for (int i = 0; i < 10; i++)
		memblock_reserve(&f->h->mb, RAM + next_random(&l->rng, GIB(2)),
				 next_random(&l->rng, MIB(4)));
	for (unsigned int i = 0; i < 3; i++) {
		unsigned int order = 1 + i * 6 + (unsigned int)next_random(&l->rng, 6);
		struct hugetlb_count *count =
			helper_hugetlb_ask(f, order, next_random(&l->rng, 300));

		for (int nid = -1; by_node && nid < 3; nid++)
			if (next_random(&l->rng, 2))
				helper_hugetlb_ask_node(count, nid, next_random(&l->rng, 100));
	}
	helper_hugetlb_fill(f);
}

static void take_one(struct life *l, unsigned int order)
{
	int64_t pfn = hugetlb_alloc(&l->f->huge, order, (int)next_random(&l->rng, 4) - 1);
	uint64_t start = (uint64_t)pfn, end = start + (1ULL << order);

	if (pfn < 0)
		return;
	for (unsigned int i = 0; i < l->nr; i++)
		assert_true(end <= l->taken[i] || l->taken[i] + (1ULL << l->orders[i]) <= start);
	l->taken[l->nr] = start;
	l->orders[l->nr++] = order;
}

static void give_one(struct life *l)
{
	struct hugetlb *huge = &l->f->huge;
	unsigned int at;

	if (!l->nr)
		return;
	at = (unsigned int)next_random(&l->rng, l->nr);
	assert_int_equal(hugetlb_free(huge, l->taken[at], l->orders[at]), 0);
	assert_int_equal(hugetlb_free(huge, l->taken[at], l->orders[at]), -EMM_EDOUBLE);
	l->taken[at] = l->taken[--l->nr];
	l->orders[at] = l->orders[l->nr];
}

/* Random maps and requests; then pages come and go, to the pool and to the system. */
static void test_random(void **state)
{
	static struct life l;

	(void)state;
	l.rng = 31337;
	for (unsigned int round = 0; round < 60; round++) {
		begin_life(&l, round % 2);
		for (unsigned int i = 0; i < 2000; i++) {
			uint64_t what = next_random(&l.rng, 54);
			unsigned int order = l.f->request.size[next_random(&l.rng, 3)].order;

			if (what == 0)
				assert_int_equal(hugetlb_release(&l.f->huge, l.f->pa.harts,
								 &l.f->h->mb, order,
								 (int)next_random(&l.rng, 4) - 1,
								 next_random(&l.rng, 5), NULL),
						 0);
			else if (what < 20)
				give_one(&l);
			else
				take_one(&l, order);
			if (i % 500 == 0)
				helper_hugetlb_balance(l.f, 0);
		}
		helper_hugetlb_balance(l.f, 0);
		helper_hugetlb_teardown((void **)&l.f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
