/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole page allocator by several harts at random: zones, nodes, both kinds of pages, watermarks,
 * mailboxes, drains, claims; as threads, for ThreadSanitizer. Every page has an owner, exchanged
 * atomically, and contents that are no atomics. After each round all is freed and drained: books and
 * audit are exact, and all has merged to what there was. STRESS_OPS and STRESS_SEED as in test_stress.c.
 */
#include "helper_pages.h"

#include <earlymm/page_audit.h>
#include <earlymm/page_contig.h>
#include <earlymm/page_owner.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HARTS 4
#define MAX_LIVE  1024
#define BOX_SIZE  32
#define BASE      (GIB(4) - MIB(8))
#define BANK      MIB(8)
#define MAX_PAGES (4 * BANK >> PAGE_SHIFT)
#define MAX_ORDER 10

enum kind {
	MIXED, /* everything */
	ENOUGH, /* one zone, and pages for all: nobody may be told that there is none */
};

struct shape {
	const char *name;
	enum kind kind;
	uint32_t nr_harts;
	uint32_t features;
	uint64_t round_ops; /* of each hart */
	unsigned int share; /* per cent of the program's operations */
};

struct block {
	uint64_t pfn;
	unsigned int order;
};

struct mailbox {
	pthread_mutex_t lock;
	struct block blocks[BOX_SIZE];
	unsigned int nr;
};

struct stress {
	struct helper_pages *f;
	const struct shape *shape;
	uint64_t seed;
	uint64_t failures;
	uint64_t quota; /* ENOUGH: pages for each hart */
	uint8_t owner[MAX_PAGES]; /* hart + 1, 0: free */
	uint32_t contents[MAX_PAGES];
	struct mailbox boxes[MAX_HARTS];
	uint64_t answers[3]; /* done, none or busy, again */
	uint64_t blocks[PAGE_ALLOC_MAX_ZONES][BUDDY_MAX_ORDER + 1]; /* in the beginning */
};

struct worker {
	struct stress *s;
	struct page_hart *h;
	unsigned int id;
	uint64_t rng;
	struct block live[MAX_LIVE];
	unsigned int nr_live;
	uint64_t live_pages;
	uint64_t answers[3];
	pthread_t thread;
};

static uint64_t chance(uint64_t *rng)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return *rng >> 8;
}

static void complain(struct stress *s, const char *what, uint64_t pfn, unsigned int order)
{
	if (__atomic_fetch_add(&s->failures, 1, __ATOMIC_RELAXED) < 5)
		print_error("%s: pfn %#llx order %u, round seed %#llx\n", what,
			    (unsigned long long)pfn, order, (unsigned long long)s->seed);
}

/* From page to page of a block, where the ends of a large one stand for all. */
static uint64_t next_page(const struct block *b, uint64_t i)
{
	return i == 2 && b->order > 3 ? (1ULL << b->order) - 2 : i + 1;
}

static void own(struct worker *w, const struct block *b, uint8_t from, uint8_t to)
{
	for (uint64_t i = 0; i < 1ULL << b->order; i++) {
		uint8_t *p = &w->s->owner[b->pfn - PFN_DOWN(BASE) + i];

		if (__atomic_exchange_n(p, to, __ATOMIC_RELAXED) != from)
			complain(w->s, to ? "handed out twice" : "not the hart's own", b->pfn + i,
				 b->order);
	}
}

static void got(struct worker *w, uint64_t pfn, unsigned int order)
{
	struct block b = { pfn, order };

	if (pfn < PFN_DOWN(BASE) || pfn + (1ULL << order) > PFN_DOWN(BASE) + MAX_PAGES ||
	    (pfn & ((1ULL << order) - 1))) {
		complain(w->s, "outside, or misaligned", pfn, order);
		return;
	}
	own(w, &b, 0, (uint8_t)(w->id + 1));
	for (uint64_t i = 0; i < 1ULL << order; i = next_page(&b, i))
		w->s->contents[pfn - PFN_DOWN(BASE) + i] = (uint32_t)(pfn + order);
	w->live[w->nr_live++] = b;
	w->live_pages += 1ULL << order;
}

/* Whoever has it: what its owner wrote must be there. */
static void check_contents(struct worker *w, const struct block *b)
{
	for (uint64_t i = 0; i < 1ULL << b->order; i = next_page(b, i)) {
		uint32_t *p = &w->s->contents[b->pfn - PFN_DOWN(BASE) + i];

		if (*p != (uint32_t)(b->pfn + b->order))
			complain(w->s, "written by another", b->pfn + i, b->order);
		*p = 0;
	}
}

static void give_back(struct worker *w, const struct block *b, uint8_t owner)
{
	check_contents(w, b);
	own(w, b, owner, 0);
	if (free_pages(w->h, b->pfn, b->order))
		complain(w->s, "cannot be freed", b->pfn, b->order);
}

static struct block forget(struct worker *w, unsigned int at)
{
	struct block b = w->live[at];

	w->live[at] = w->live[--w->nr_live];
	w->live_pages -= 1ULL << b.order;
	return b;
}

static void send(struct worker *w, const struct block *b)
{
	struct mailbox *box = &w->s->boxes[chance(&w->rng) % w->s->shape->nr_harts];
	bool sent;

	own(w, b, (uint8_t)(w->id + 1), MAX_HARTS + 1);
	pthread_mutex_lock(&box->lock);
	sent = box->nr < BOX_SIZE;
	if (sent)
		box->blocks[box->nr++] = *b;
	pthread_mutex_unlock(&box->lock);
	if (!sent)
		give_back(w, b, MAX_HARTS + 1);
}

static void read_mail(struct worker *w, bool all)
{
	struct mailbox *box = &w->s->boxes[w->id];
	bool more;

	do {
		struct block b;

		pthread_mutex_lock(&box->lock);
		more = box->nr != 0;
		if (more)
			b = box->blocks[--box->nr];
		pthread_mutex_unlock(&box->lock);
		if (more)
			give_back(w, &b, MAX_HARTS + 1);
	} while (more && all);
}

static void count(struct worker *w, int64_t ret)
{
	w->answers[ret >= 0 ? 0 : ret == -EMM_EAGAIN ? 2 : 1]++;
}

static void alloc(struct worker *w, gfp_t gfp, unsigned int order, int nid)
{
	int64_t pfn =
		nid < 0 ? alloc_pages(w->h, gfp, order) : alloc_pages_node(w->h, nid, gfp, order);

	count(w, pfn);
	if (pfn >= 0)
		got(w, (uint64_t)pfn, order);
	else if (pfn != -EMM_ENOMEM && pfn != -EMM_EAGAIN)
		complain(w->s, "strange answer", (uint64_t)pfn, order);
	else if (pfn == -EMM_ENOMEM && w->s->shape->kind == ENOUGH)
		complain(w->s, "none, and there was enough all the time", 0, order);
}

static void alloc_bulk(struct worker *w, gfp_t gfp, uint64_t nr)
{
	uint64_t pfns[64];
	int64_t ret = alloc_pages_bulk(w->h, gfp, nr, pfns);

	count(w, ret);
	for (int64_t i = 0; i < ret; i++)
		got(w, pfns[i], 0);
}

/* A range of pages, each of which is a block then. */
static void claim(struct worker *w, uint64_t pfn, uint64_t nr)
{
	int ret = alloc_contig_range(w->h, pfn, pfn + nr, GFP_KERNEL);

	count(w, ret);
	if (ret && ret != -EMM_EBUSY && ret != -EMM_EAGAIN && ret != -EMM_ERANGE)
		complain(w->s, "strange answer to a claim", (uint64_t)(int64_t)ret, 0);
	/* Where owners are recorded it goes back as it came. */
	if (!ret && w->s->shape->features) {
		if (free_contig_range(w->h, pfn, nr))
			complain(w->s, "a range cannot be freed", pfn, 0);
		return;
	}
	for (uint64_t i = 0; !ret && i < nr; i++)
		got(w, pfn + i, 0);
}

static void take(struct worker *w, uint64_t pick)
{
	static const gfp_t kinds[] = {
		GFP_KERNEL, GFP_HIGHUSER_MOVABLE,        GFP_KERNEL,    __GFP_MOVABLE, GFP_DMA32,
		GFP_ATOMIC, __GFP_DMA32 | __GFP_MOVABLE, __GFP_MEMALLOC
	};
	gfp_t gfp = kinds[pick % ARRAY_SIZE(kinds)];
	unsigned int order = pick >> 3 & 1 ? 0 : (unsigned int)(pick >> 4) % (MAX_ORDER + 1);

	switch (pick >> 16 & 31) {
	case 0:
		alloc_bulk(w, gfp, 1 + (pick >> 24 & 63));
		break;
	case 1:
		claim(w, PFN_DOWN(BASE) + (pick >> 24) % (MAX_PAGES - 64), 1 + (pick >> 40 & 31));
		break;
	case 2:
	case 3:
		alloc(w, gfp | (pick >> 24 & 1 ? __GFP_THISNODE : 0), order, (int)(pick >> 25 & 1));
		break;
	default:
		alloc(w, gfp, order, -1);
	}
}

static void mixed_op(struct worker *w, bool filling)
{
	struct stress *s = w->s;
	uint64_t pick = chance(&w->rng), most = MAX_PAGES * 13 / 10 / s->shape->nr_harts;

	switch (pick % 256) {
	case 0:
		page_hart_drain(w->h);
		return;
	case 1:
		/* Any answer is right; it reads what others write. */
		zone_watermark_ok(&s->f->pa, &s->f->pa.zones[0], 0, WMARK_LOW, ZONE_NORMAL, 0);
		return;
	case 2 ... 9:
		read_mail(w, false);
		return;
	}
	if (w->nr_live + 64 < MAX_LIVE && w->live_pages <= most &&
	    (pick >> 8) % 16 < (filling ? 11 : 6)) {
		take(w, pick >> 12);
	} else if (w->nr_live) {
		struct block b = forget(w, (unsigned int)((pick >> 12) % w->nr_live));

		if ((pick >> 40) % 4)
			give_back(w, &b, (uint8_t)(w->id + 1));
		else
			send(w, &b);
	}
}

static void enough_op(struct worker *w, bool filling)
{
	uint64_t pick = chance(&w->rng);

	if (pick % 512 == 0) {
		page_hart_drain(w->h);
	} else if (w->nr_live < w->s->quota && (pick >> 8) % 16 < (filling ? 14 : 4)) {
		alloc(w, pick >> 16 & 1 ? GFP_KERNEL : __GFP_MOVABLE, 0, -1);
	} else if (w->nr_live) {
		struct block b = forget(w, (unsigned int)((pick >> 12) % w->nr_live));

		give_back(w, &b, (uint8_t)(w->id + 1));
	}
}

static void *work(void *arg)
{
	struct worker *w = arg;
	bool filling = true;

	for (uint64_t op = 0; op < w->s->shape->round_ops; op++) {
		if (chance(&w->rng) % 256 == 0)
			filling = !filling;
		if (w->s->shape->kind == ENOUGH)
			enough_op(w, filling);
		else
			mixed_op(w, filling);
	}
	return NULL;
}

/* ---- rounds ---- */

static void begin(struct stress *s, const struct shape *shape, uint64_t seed)
{
	struct helper_pages *f;

	assert_int_equal(helper_pages_setup((void **)&s->f), 0);
	f = s->f;
	f->cfg.nr_harts = shape->nr_harts;
	f->cfg.features = shape->features;
	s->shape = shape;
	s->seed = seed;
	memset(s->owner, 0, sizeof(s->owner));
	if (shape->kind == ENOUGH) {
		helper_pages_ram(f, GIB(4), MIB(1) + seed % MIB(4) / PAGE_SIZE * PAGE_SIZE, 0);
	} else {
		/* Of two nodes: the first has a zone below 4 GiB and one above. */
		for (unsigned int i = 0; i < 4; i++)
			helper_pages_ram(f, BASE + i * BANK, BANK, i > 1);
	}
	helper_pages_start(f);
	for (uint32_t i = 0; i < shape->nr_harts; i++)
		page_alloc_set_node(&f->pa, i, (int)(i % f->pa.nr_nodes));
	for (uint32_t i = 0; i < f->pa.nr_zones; i++)
		buddy_nr_blocks(&f->pa.zones[i].mm.buddy, s->blocks[i]);
	/* As many as may be in use above the mark, but for those in which a block is not found at once. */
	s->quota = zone_free_pages(&f->pa, &f->pa.zones[0]) - f->pa.zones[0].wmark[WMARK_MIN];
	s->quota /= shape->nr_harts;
	if (s->quota > MAX_LIVE)
		s->quota = MAX_LIVE;
}

static void end(struct stress *s)
{
	struct page_alloc *pa = &s->f->pa;
	uint64_t counts[BUDDY_MAX_ORDER + 1];
	struct page_audit audit;

	for (uint32_t i = 0; i < pa->nr_harts; i++)
		page_hart_drain(&pa->harts[i]);
	for (uint64_t i = 0; i < MAX_PAGES; i++)
		if (s->owner[i])
			complain(s, "still owned", PFN_DOWN(BASE) + i, 0);
	if (!s->failures) {
		helper_pages_expect(s->f, 0);
		assert_int_equal(page_alloc_audit(pa, &s->f->h->mb, 0, &audit), 0);
		assert_int_equal(audit.total.free, audit.total.managed);
	}
	for (uint32_t i = 0; i < pa->nr_zones; i++) {
		buddy_nr_blocks(&pa->zones[i].mm.buddy, counts);
		if (memcmp(counts, s->blocks[i], sizeof(counts)))
			complain(s, "not merged: zone", i, 0);
	}
	assert_int_equal(pa->misuses, 0);
	helper_pages_teardown((void **)&s->f);
}

static struct worker *workers;
static struct stress *s;

static void run_round(const struct shape *shape, uint64_t seed)
{
	begin(s, shape, seed);
	for (unsigned int i = 0; i < shape->nr_harts; i++) {
		struct worker *w = &workers[i];

		memset(w, 0, sizeof(*w));
		w->s = s;
		w->h = &s->f->pa.harts[i];
		w->id = i;
		w->rng = (seed + i) * 0x9e3779b97f4a7c15ULL | 1;
	}
	for (unsigned int i = 0; i < shape->nr_harts; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (unsigned int i = 0; i < shape->nr_harts; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned int i = 0; i < shape->nr_harts; i++) {
		struct worker *w = &workers[i];

		read_mail(w, true);
		while (w->nr_live) {
			struct block b = forget(w, 0);

			give_back(w, &b, (uint8_t)(w->id + 1));
		}
		for (unsigned int k = 0; k < 3; k++)
			s->answers[k] += w->answers[k];
	}
	end(s);
}

static uint64_t env_u64(const char *name, uint64_t otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static void test_shape(void **state)
{
	const struct shape *shape = *state;
	uint64_t ops = env_u64("STRESS_OPS", STRESS_OPS) * shape->share / 100, done = 0;
	uint64_t seed = env_u64("STRESS_SEED", 1), rounds = 0;

	s->failures = 0;
	memset(s->answers, 0, sizeof(s->answers));
	for (; done < ops; done += shape->round_ops * shape->nr_harts, rounds++, seed++) {
		run_round(shape, seed * 0xd1342543de82ef95ULL | 1);
		if (s->failures)
			fail_msg("%llu failures in round %llu; again: STRESS_SEED=%llu",
				 (unsigned long long)s->failures, (unsigned long long)rounds,
				 (unsigned long long)seed);
	}
	printf("# %s: %llu operations in %llu rounds; allocations and claims: %llu done, %llu none "
	       "or busy, %llu again\n",
	       shape->name, (unsigned long long)done, (unsigned long long)rounds,
	       (unsigned long long)s->answers[0], (unsigned long long)s->answers[1],
	       (unsigned long long)s->answers[2]);
	assert_in_range(s->answers[0], done / 50, UINT64_MAX);
	if (shape->kind == MIXED)
		assert_in_range(s->answers[1] + s->answers[2], 1, UINT64_MAX);
}

int main(void)
{
	static const struct shape shapes[] = {
		{ "mixed_2_harts", MIXED, 2, 0, 20000, 30 },
		{ "mixed_4_harts", MIXED, 4, 0, 20000, 30 },
		{ "owners_3_harts", MIXED, 3, PAGE_ALLOC_OWNER, 20000, 20 },
		{ "enough_3_harts", ENOUGH, 3, 0, 20000, 20 },
	};
	struct CMUnitTest tests[ARRAY_SIZE(shapes)];

	s = calloc(1, sizeof(*s));
	workers = calloc(MAX_HARTS, sizeof(*workers));
	if (!s || !workers)
		return 1;
	for (unsigned int i = 0; i < MAX_HARTS; i++)
		pthread_mutex_init(&s->boxes[i].lock, NULL);
	for (unsigned int i = 0; i < ARRAY_SIZE(shapes); i++)
		tests[i] = (struct CMUnitTest){ shapes[i].name, test_shape, NULL, NULL,
						(void *)(uintptr_t)&shapes[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
