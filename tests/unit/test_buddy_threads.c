/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy under several harts at once, each a thread: random orders, frees on other harts,
 * split blocks, drains. An owner for each page finds what is handed out twice; in the end
 * everything must be back and merged. BUDDY_THREADS_OPS sets the operations a thread.
 */
#include "test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <earlymm/buddy.h>
#include <earlymm/error.h>

#define MAX_THREADS 4
#define BASE_PFN    3
#define NR_PAGES    65536
#define MAX_LIVE    16384
#define BOX_SIZE    1024

struct block {
	uint64_t pfn;
	unsigned int order;
};

/* Blocks that other threads want this one to free. */
struct mailbox {
	pthread_mutex_t lock;
	struct block blocks[BOX_SIZE];
	unsigned int nr;
};

struct stress {
	struct buddy b;
	struct buddy_tree trees[2];
	struct buddy_hart harts[MAX_THREADS];
	uint8_t owner[NR_PAGES]; /* of each page: thread + 1, or 0 */
	struct mailbox boxes[MAX_THREADS];
	unsigned int nr_threads;
	uint64_t ops;
	uint64_t failures; /* what went wrong: cmocka's assertions are for its own thread only */
	uint64_t allocs;
};

struct worker {
	struct stress *s;
	unsigned int id;
	pthread_t thread;
	uint64_t rng;
	struct block live[MAX_LIVE];
	unsigned int nr_live;
	uint64_t live_pages;
};

static uint64_t next_random(uint64_t *rng)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return *rng;
}

static void count(uint64_t *what)
{
	__atomic_fetch_add(what, 1, __ATOMIC_RELAXED);
}

/* Every page of the block goes from one owner to another, and had the first. */
static void own(struct stress *s, struct block blk, uint8_t from, uint8_t to, bool check)
{
	for (uint64_t i = 0; i < 1ULL << blk.order; i++) {
		uint8_t was = __atomic_exchange_n(&s->owner[blk.pfn - BASE_PFN + i], to,
						  __ATOMIC_RELAXED);

		if (check && was != from)
			count(&s->failures);
	}
}

static void give_back(struct worker *w, struct block blk)
{
	struct buddy_hart *h = &w->s->harts[w->id];
	uint64_t pick = next_random(&w->rng) >> 32;
	unsigned int order = blk.order;

	own(w->s, blk, 0, 0, false);
	if (order && pick % 8 == 0) {
		if (buddy_split(h, blk.pfn, order))
			count(&w->s->failures);
		order = (unsigned int)(pick / 8 % order);
	}
	for (uint64_t i = 0; i < 1ULL << blk.order; i += 1ULL << order)
		if (buddy_free(h, blk.pfn + i, order))
			count(&w->s->failures);
}

static void take(struct worker *w, unsigned int order)
{
	struct stress *s = w->s;
	int64_t pfn = buddy_alloc(&s->harts[w->id], order);
	struct block blk = { (uint64_t)pfn, order };

	if (pfn < 0) {
		if (pfn != -EMM_ENOMEM && pfn != -EMM_EAGAIN)
			count(&s->failures);
		return;
	}
	if (pfn < BASE_PFN || (uint64_t)pfn + (1ULL << order) > BASE_PFN + NR_PAGES ||
	    ((uint64_t)pfn & ((1ULL << order) - 1))) {
		count(&s->failures);
		return;
	}
	own(s, blk, 0, (uint8_t)(w->id + 1), true);
	count(&s->allocs);
	w->live[w->nr_live++] = blk;
	w->live_pages += 1ULL << order;
}

/* To another thread's mailbox, or, if that is full, freed here. */
static void release(struct worker *w, unsigned int at, bool by_mail)
{
	struct block blk = w->live[at];
	struct mailbox *box = &w->s->boxes[next_random(&w->rng) % w->s->nr_threads];
	bool sent = false;

	w->live[at] = w->live[--w->nr_live];
	w->live_pages -= 1ULL << blk.order;
	if (by_mail) {
		pthread_mutex_lock(&box->lock);
		sent = box->nr < BOX_SIZE;
		if (sent)
			box->blocks[box->nr++] = blk;
		pthread_mutex_unlock(&box->lock);
	}
	if (!sent)
		give_back(w, blk);
}

static bool read_mail(struct worker *w)
{
	struct mailbox *box = &w->s->boxes[w->id];
	struct block blk = { 0, 0 };
	bool got;

	pthread_mutex_lock(&box->lock);
	got = box->nr != 0;
	if (got)
		blk = box->blocks[--box->nr];
	pthread_mutex_unlock(&box->lock);
	if (got)
		give_back(w, blk);
	return got;
}

static unsigned int stress_order(uint64_t pick)
{
	if (pick % 100 < 60)
		return 0;
	return (unsigned int)(pick / 100 % (pick % 100 < 95 ? 8 : 16));
}

static void *run_worker(void *arg)
{
	struct worker *w = arg;
	uint64_t most = NR_PAGES / w->s->nr_threads * 13 / 10; /* more than there is, together */
	bool filling = true;

	for (uint64_t op = 0; op < w->s->ops; op++) {
		uint64_t pick = next_random(&w->rng);

		if (pick % 4096 == 0)
			filling = !filling;
		if (pick >> 12 & 31) {
			bool alloc = (pick >> 20) % 16 < (filling ? 11 : 5);

			if (alloc && w->nr_live < MAX_LIVE && w->live_pages < most)
				take(w, stress_order(pick >> 32));
			else if (w->nr_live)
				release(w, (unsigned int)((pick >> 32) % w->nr_live),
					(pick >> 24) % 4 == 0);
		} else {
			read_mail(w);
		}
		if (pick % 16384 == 77)
			buddy_drain(&w->s->harts[w->id]);
	}
	while (w->nr_live)
		release(w, w->nr_live - 1, false);
	return NULL;
}

static struct stress *stress_new(unsigned int nr_threads, void **meta)
{
	uint64_t bytes = buddy_tree_bytes(BASE_PFN, BASE_PFN + NR_PAGES);
	struct stress *s = aligned_alloc(64, (sizeof(*s) + 63) & ~63ULL);
	const char *ops = getenv("BUDDY_THREADS_OPS");

	assert_non_null(s);
	memset(s, 0, sizeof(*s));
	*meta = malloc(bytes);
	assert_non_null(*meta);
	memset(*meta, 0xa5, bytes);
	s->nr_threads = nr_threads;
	s->ops = ops ? strtoull(ops, NULL, 0) : 1000000;
	for (unsigned int i = 0; i < MAX_THREADS; i++)
		pthread_mutex_init(&s->boxes[i].lock, NULL);
	assert_int_equal(buddy_init(&s->b, s->trees, 2, s->harts, MAX_THREADS), 0);
	assert_int_equal(buddy_add_tree(&s->b, BASE_PFN, BASE_PFN + NR_PAGES, *meta, bytes), 0);
	assert_int_equal(buddy_add_range(s->harts, BASE_PFN, BASE_PFN + NR_PAGES, 0, UINT64_MAX),
			 0);
	return s;
}

static void run_threads(unsigned int nr_threads)
{
	struct worker *workers = calloc(nr_threads, sizeof(*workers));
	uint64_t before[BUDDY_MAX_ORDER + 1], after[BUDDY_MAX_ORDER + 1];
	void *meta;
	struct stress *s = stress_new(nr_threads, &meta);

	assert_non_null(workers);
	buddy_nr_blocks(&s->b, before);
	for (unsigned int i = 0; i < nr_threads; i++) {
		workers[i].s = s;
		workers[i].id = i;
		workers[i].rng = 0x9e3779b97f4a7c15 * (i + 1);
		assert_int_equal(pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]),
				 0);
	}
	for (unsigned int i = 0; i < nr_threads; i++)
		pthread_join(workers[i].thread, NULL);
	assert_int_equal(s->failures, 0);
	assert_in_range(s->allocs, s->ops / 10, UINT64_MAX);
	for (unsigned int i = 0; i < nr_threads; i++) {
		while (read_mail(&workers[i]))
			;
		buddy_drain(&s->harts[i]);
	}
	assert_int_equal(s->failures, 0);
	assert_true(buddy_is_valid(&s->b));
	assert_int_equal(buddy_nr_free(&s->b), NR_PAGES);
	buddy_nr_blocks(&s->b, after);
	assert_memory_equal(before, after, sizeof(before));
	free(workers);
	free(meta);
	free(s);
}

static void test_two_threads(void **state)
{
	(void)state;
	run_threads(2);
}

static void test_four_threads(void **state)
{
	(void)state;
	run_threads(4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_threads),
		cmocka_unit_test(test_four_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
