/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list buddy by several threads: small zones, new each round, every order; blocks freed where
 * they were had or by another hart, in parts, with references, claimed by name; out of memory most
 * of the time. Every page has an owner and contents that are no atomics, so that ThreadSanitizer
 * sees whether a page goes from hart to hart in order. After a round all of it must be back, merged,
 * and the zone valid.
 */
#include "test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <earlymm/error.h>
#include <earlymm/list_buddy.h>

#define MAX_HARTS 4
#define MAX_PAGES 4096
#define MAX_LIVE  512
#define BOX_SIZE  32
#define ROUND_OPS 2000

struct block {
	uint64_t pfn;
	unsigned int order;
};

struct mailbox {
	pthread_mutex_t lock;
	struct block blocks[BOX_SIZE];
	unsigned int nr;
};

static struct {
	struct list_zone z;
	struct list_hart harts[MAX_HARTS];
	uint64_t base, nr_pages, seed;
	unsigned int max_order, nr_harts;
	uint8_t owner[MAX_PAGES];
	uint32_t contents[MAX_PAGES];
	struct mailbox boxes[MAX_HARTS];
	uint64_t failures, done, none, again;
} s;

struct worker {
	unsigned int id;
	uint64_t rng;
	struct block live[MAX_LIVE];
	unsigned int nr_live;
	uint64_t done, none, again;
	pthread_t thread;
};

static struct worker workers[MAX_HARTS];

static uint64_t any(struct worker *w)
{
	w->rng ^= w->rng << 13;
	w->rng ^= w->rng >> 7;
	w->rng ^= w->rng << 17;
	return w->rng >> 16;
}

static void complain(const char *what, const struct block *b)
{
	if (__atomic_fetch_add(&s.failures, 1, __ATOMIC_RELAXED) < 5)
		fprintf(stderr, "# round seed %#llx: %s: frame %#llx order %u\n",
			(unsigned long long)s.seed, what, (unsigned long long)b->pfn, b->order);
}

static void own(const struct block *b, uint8_t from, uint8_t to)
{
	for (uint64_t i = 0; i < 1ULL << b->order; i++) {
		uint64_t at = b->pfn - s.base + i;

		if (__atomic_exchange_n(&s.owner[at], to, __ATOMIC_RELAXED) != from) {
			complain(to ? "handed out twice" : "not the owner's", b);
			return;
		}
		if (!to && s.contents[at] != (uint32_t)b->pfn)
			complain("written by another", b);
		s.contents[at] = to ? (uint32_t)b->pfn : 0;
	}
}

static void release(struct worker *w, const struct block *b)
{
	unsigned int order = b->order, parts = order;
	uint64_t pick = any(w);

	own(b, (uint8_t)(w->id + 1), 0);
	if (order && pick % 8 == 0 && !PageHead(pfn_to_page(&s.z, b->pfn))) {
		parts = (unsigned int)(pick / 8 % order);
		if (list_split_page(&s.z, b->pfn, order, parts))
			complain("cannot be split", b);
	}
	for (uint64_t i = 0; i < 1ULL << order; i += 1ULL << parts)
		if (list_free_pages(&s.harts[w->id], b->pfn + i, parts))
			complain("cannot be freed", b);
}

static struct block forget(struct worker *w, unsigned int at)
{
	struct block b = w->live[at];

	w->live[at] = w->live[--w->nr_live];
	return b;
}

static void keep(struct worker *w, int64_t pfn, unsigned int order)
{
	struct block b = { (uint64_t)pfn, order };

	own(&b, 0, (uint8_t)(w->id + 1));
	w->live[w->nr_live++] = b;
}

static void take(struct worker *w, unsigned int order)
{
	int64_t pfn = list_alloc_pages(&s.harts[w->id], order, any(w) % 4 ? 0 : LIST_COMP);
	struct block b = { (uint64_t)pfn, order };

	if (pfn >= 0)
		keep(w, pfn, order);
	else if (pfn != -EMM_ENOMEM && pfn != -EMM_EAGAIN)
		complain("strange answer", &b);
	w->done += pfn >= 0;
	w->none += pfn == -EMM_ENOMEM;
	w->again += pfn == -EMM_EAGAIN;
}

static void claim(struct worker *w, unsigned int order)
{
	uint64_t size = 1ULL << order, first = (s.base + size - 1) & ~(size - 1);
	uint64_t nr = s.base + s.nr_pages > first ? (s.base + s.nr_pages - first) >> order : 0;
	struct block b = { first, order };
	int ret;

	if (!nr)
		return;
	b.pfn += any(w) % nr << order;
	ret = list_claim(&s.z, b.pfn, order);
	if (!ret)
		keep(w, (int64_t)b.pfn, order);
	else if (ret != -EMM_EBUSY)
		complain("strange answer to a claim", &b);
}

/* To another hart; or a reference to it, and the block is freed by whoever comes last. */
static void send(struct worker *w, const struct block *b, bool shared)
{
	struct mailbox *box = &s.boxes[any(w) % s.nr_harts];
	bool sent;

	own(b, (uint8_t)(w->id + 1), 0);
	if (shared)
		get_page(pfn_to_page(&s.z, b->pfn));
	pthread_mutex_lock(&box->lock);
	sent = box->nr < BOX_SIZE;
	if (sent)
		box->blocks[box->nr++] = *b;
	pthread_mutex_unlock(&box->lock);
	for (int refs = !sent + shared; refs; refs--)
		if (list_free_pages(&s.harts[w->id], b->pfn, b->order))
			complain("cannot be freed", b);
}

static void read_mail(struct worker *w, bool all)
{
	struct mailbox *box = &s.boxes[w->id];
	struct block b;
	bool got;

	do {
		pthread_mutex_lock(&box->lock);
		got = box->nr != 0;
		if (got)
			b = box->blocks[--box->nr];
		pthread_mutex_unlock(&box->lock);
		if (got && list_free_pages(&s.harts[w->id], b.pfn, b.order))
			complain("cannot be freed by another", &b);
	} while (got && all);
}

static void op(struct worker *w, bool filling)
{
	uint64_t pick = any(w);
	unsigned int order = pick & 256 ? (unsigned int)((pick >> 9) % (s.max_order + 1)) : 0;

	switch (pick % 64) {
	case 0:
		list_drain(&s.harts[w->id]);
		return;
	case 1:
		list_request_drain(&s.harts[w->id]);
		return;
	case 2:
	case 3:
		read_mail(w, false);
		return;
	}
	if (w->nr_live < MAX_LIVE && (pick >> 16) % 16 < (filling ? 11 : 6)) {
		if (pick % 64 < 10)
			claim(w, order);
		else
			take(w, order);
	} else if (w->nr_live) {
		struct block b = forget(w, (unsigned int)((pick >> 32) % w->nr_live));

		if (pick % 64 < 16)
			send(w, &b, pick >> 20 & 1);
		else
			release(w, &b);
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	bool filling = true;

	for (unsigned int i = 0; i < ROUND_OPS; i++) {
		if (any(w) % 256 == 0)
			filling = !filling;
		op(w, filling);
	}
	while (w->nr_live) {
		struct block b = forget(w, w->nr_live - 1);

		release(w, &b);
	}
	return NULL;
}

static void begin(uint64_t seed, uint64_t *counts, void **memmap)
{
	struct worker rng = { .rng = seed | 1 };
	uint64_t bytes;

	s.seed = seed;
	s.nr_harts = 2 + (unsigned int)(any(&rng) % (MAX_HARTS - 1));
	s.max_order = (unsigned int)(any(&rng) % (LIST_DEFAULT_ORDER + 1));
	s.base = any(&rng) % 5000;
	s.nr_pages = any(&rng) % 4 ? 1 + any(&rng) % 200 : 1 + any(&rng) % MAX_PAGES;
	bytes = list_memmap_bytes(s.base, s.base + s.nr_pages, s.max_order);
	*memmap = malloc(bytes);
	assert_non_null(*memmap);
	memset(*memmap, 0x5a, bytes);
	assert_int_equal(list_zone_init(&s.z, s.harts, s.nr_harts, s.base, s.base + s.nr_pages,
					s.max_order, NUMA_NO_NODE),
			 0);
	assert_int_equal(list_set_memmap(&s.z, *memmap, bytes), 0);
	assert_int_equal(list_memmap_init(&s.z, NULL), 0);
	assert_int_equal(list_add_range(&s.z, s.base, s.base + s.nr_pages), 0);
	for (unsigned int i = 0; i < s.nr_harts; i++) {
		uint64_t batch = 1 + any(&rng) % 16;

		assert_int_equal(list_set_pcp(&s.harts[i], batch, batch * (1 + any(&rng) % 6)), 0);
		workers[i].id = i;
		workers[i].rng = (seed + i) * 0x9e3779b97f4a7c15ULL | 1;
		workers[i].nr_live = 0;
		workers[i].done = workers[i].none = workers[i].again = 0;
	}
	list_nr_blocks(&s.z, counts);
}

static void end(const uint64_t *counts, void *memmap)
{
	uint64_t now[LIST_MAX_ORDER + 1];
	const struct block all = { s.base, s.max_order };

	for (unsigned int i = 0; i < s.nr_harts; i++) {
		read_mail(&workers[i], true);
		s.done += workers[i].done;
		s.none += workers[i].none;
		s.again += workers[i].again;
	}
	if (!list_is_valid(&s.z))
		complain("the zone is not valid before the drain", &all);
	for (unsigned int i = 0; i < s.nr_harts; i++)
		list_drain(&s.harts[i]);
	if (!list_is_valid(&s.z))
		complain("the zone is not valid in the end", &all);
	if (list_nr_free(&s.z) != s.nr_pages)
		complain("pages are missing", &all);
	list_nr_blocks(&s.z, now);
	if (memcmp(now, counts, sizeof(now)) != 0)
		complain("not merged", &all);
	if (s.z.lock)
		complain("somebody has the lock", &all);
	free(memmap);
}

static uint64_t env_u64(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void test_threads(void **state)
{
	uint64_t ops = env_u64("STRESS_OPS", STRESS_OPS), seed = env_u64("STRESS_SEED", 1);
	uint64_t counts[LIST_MAX_ORDER + 1], done = 0;
	void *memmap;

	(void)state;
	for (; done < ops; seed++) {
		begin(seed * 0xd1342543de82ef95ULL | 1, counts, &memmap);
		for (unsigned int i = 0; i < s.nr_harts; i++)
			assert_int_equal(
				pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
		for (unsigned int i = 0; i < s.nr_harts; i++)
			pthread_join(workers[i].thread, NULL);
		end(counts, memmap);
		done += (uint64_t)ROUND_OPS * s.nr_harts;
		if (s.failures)
			fail_msg("%llu failures; again: STRESS_SEED=%llu",
				 (unsigned long long)s.failures, (unsigned long long)seed);
	}
	printf("# %llu operations; allocations: %llu done, %llu none, %llu again\n",
	       (unsigned long long)done, (unsigned long long)s.done, (unsigned long long)s.none,
	       (unsigned long long)s.again);
	assert_in_range(s.done, done / 50, UINT64_MAX);
	assert_in_range(s.none, 1, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_threads) };

	for (unsigned int i = 0; i < MAX_HARTS; i++)
		pthread_mutex_init(&s.boxes[i].lock, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
