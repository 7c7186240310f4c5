/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Owners on record with several harts at once: what goes from hart to hart is never refused; of
 * two harts that free the same block at the same moment one is.
 */
#include "helper_page_client.h"

#include "helper_page_model.h"

#include <earlymm/error.h>
#include <earlymm/page_owner.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#define NR_HARTS  4
#define NR_BOXES  256
#define NR_BLOCKS 512
#define NR_ROUNDS 8

struct shared {
	struct helper_pages *f;
	_Atomic uint64_t box[NR_BOXES]; /* pfn << 8 | order of a block that is anybody's, or 0 */
	uint64_t block[NR_BLOCKS]; /* the same of what all harts free */
	_Atomic uint64_t freed;
	_Atomic uint64_t refused;
	_Atomic uint64_t wrong; /* answers that cannot be */
	_Atomic uint32_t ready; /* harts that have come, each as often as it had to */
	uint32_t nr_harts; /* that run */
	uint64_t nr_ops;
};

struct worker {
	struct shared *s;
	uint32_t id;
	pthread_t thread;
	uint64_t rng;
};

static uint64_t next_random(struct worker *w)
{
	w->rng ^= w->rng << 13;
	w->rng ^= w->rng >> 7;
	w->rng ^= w->rng << 17;
	return w->rng >> 7;
}

/* Until all are there for the @nth time: they go on in the same moment. */
static struct shared *meet(struct worker *w, uint32_t nth)
{
	uint32_t all = w->s->nr_harts * nth;

	atomic_fetch_add(&w->s->ready, 1);
	for (unsigned int i = 1; atomic_load(&w->s->ready) < all; i++)
		if (i % 4096 == 0)
			sched_yield();
	return w->s;
}

static void give(struct shared *s, struct page_hart *h, uint64_t b)
{
	int err = free_pages(h, b >> 8, (unsigned int)b & 0xff);

	atomic_fetch_add(err ? err == -EMM_EDOUBLE ? &s->refused : &s->wrong : &s->freed, 1);
}

/* A new block for what is in a box. */
static void *exchange(void *arg)
{
	struct worker *w = arg;
	struct shared *s = meet(w, 1);
	struct page_hart *h = &s->f->pa.harts[w->id];

	for (uint64_t i = 0; i < s->nr_ops; i++) {
		uint64_t pick = next_random(w), old;
		unsigned int order = (unsigned int)(pick % 7);
		int64_t pfn = alloc_pages(h, pick & 64 ? __GFP_MOVABLE : 0, order);

		if (pfn >= 0 &&
		    compound_order(&s->f->pa, (uint64_t)pfn + (1ULL << order) / 2) != (int)order)
			atomic_fetch_add(&s->wrong, 1);
		old = atomic_exchange(&s->box[pick / 128 % NR_BOXES],
				      pfn < 0 ? 0 : (uint64_t)pfn << 8 | order);
		if (old)
			give(s, h, old);
	}
	return NULL;
}

static void *free_all(void *arg)
{
	struct worker *w = arg;
	struct shared *s = w->s;

	for (uint32_t i = 0; i < NR_BLOCKS; i++) {
		meet(w, i + 1);
		give(s, &s->f->pa.harts[w->id], s->block[i]);
	}
	return NULL;
}

static void run(struct shared *s, uint32_t nr_harts, void *(*what)(void *))
{
	struct worker w[NR_HARTS];

	s->ready = 0;
	s->nr_harts = nr_harts;
	for (uint32_t id = 0; id < nr_harts; id++) {
		w[id] = (struct worker){ .s = s, .id = id, .rng = 77 * id + s->freed * 2 + 1 };
		assert_int_equal(pthread_create(&w[id].thread, NULL, what, &w[id]), 0);
	}
	for (uint32_t id = 0; id < nr_harts; id++)
		assert_int_equal(pthread_join(w[id].thread, NULL), 0);
}

static void test_harts(void **state)
{
	struct helper_pages *f = *state;
	struct shared s = { .f = f, .nr_ops = page_model_env("OWNER_HART_OPS", 50000) };
	struct page_hart *h;

	f->cfg.features = PAGE_ALLOC_OWNER;
	f->cfg.nr_harts = NR_HARTS;
	helper_pages_ram(f, 0x80000000, MIB(64), 0);
	helper_pages_start(f);
	run(&s, NR_HARTS, exchange);
	assert_true(s.freed > s.nr_ops && !s.refused && !s.wrong && !f->pa.misuses);
	h = &f->pa.harts[0];
	for (unsigned int i = 0; i < NR_BOXES; i++)
		if (s.box[i])
			give(&s, h, s.box[i]);
	helper_pages_expect(f, 0);
	for (unsigned int round = 0; round < NR_ROUNDS; round++) {
		for (unsigned int i = 0; i < NR_BLOCKS; i++) {
			unsigned int order = i % 6;
			int64_t pfn = alloc_pages(h, 0, order);

			assert_true(pfn >= 0);
			s.block[i] = (uint64_t)pfn << 8 | order;
		}
		s.freed = s.refused = 0;
		run(&s, 2, free_all);
		assert_int_equal(s.freed, NR_BLOCKS);
		assert_int_equal(s.refused, NR_BLOCKS);
		assert_int_equal(f->pa.misuses, (round + 1) * s.refused);
	}
	assert_int_equal(s.wrong, 0);
	helper_pages_expect(f, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		pages_test(test_harts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
