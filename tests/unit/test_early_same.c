/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The three early allocators on the same random maps, with the same early allocations and frees,
 * must give the same answers and the same buddy, page by page; all memory holds garbage at first.
 * Bitmaps take memory until the handover: where that shows (a block that would lie in their place,
 * memory that runs out) the round is a weaker one, in which only the books must balance.
 * EARLY_SEED and EARLY_ROUNDS in the environment choose other maps.
 */
#include "helper_bootmem.h"

#include <stdlib.h>
#include <string.h>

#include <earlymm/early.h>

#define ROUNDS    400U
#define RAM_PAGES 12000
#define MAX_STEPS 60
#define MAX_ZONES 2

/* One map, as the calls that make it, so that it can be made three times. */
enum { ADD, RESERVE, NOMAP, HOTPLUG, MIRROR, DRIVER };

struct map_call {
	unsigned int what;
	phys_addr_t base, size;
	int nid;
	enum memblock_cause cause;
};

struct step {
	bool free;
	phys_addr_t size, align, goal, limit;
	int nid;
	enum memblock_cause cause;
	unsigned int of; /* the step whose block, or a part of it, is freed */
	uint64_t part;
};

struct world {
	struct memblock mb;
	struct helper_ram ram;
	struct early e;
	struct mm mm[MAX_ZONES];
	phys_addr_t pa[MAX_STEPS]; /* what each step got */
	int err[MAX_STEPS];
};

struct round {
	struct helper_random rng;
	struct map_call calls[400];
	unsigned int nr_calls;
	struct step steps[MAX_STEPS];
	unsigned int nr_steps;
	bool movable_node;
	uint64_t zone_pfn; /* where the second zone begins; 0: one zone */
	struct world world[NR_EARLY_KINDS];
	bool weak; /* bitmaps or arrays made a difference that they may make */
};

static struct {
	unsigned int whole, weak, grown, moved, zones, frame_0, no_memory;
} seen;

static uint64_t below(struct round *r, uint64_t n)
{
	return helper_below(&r->rng, n);
}

static bool one_in(struct round *r, uint64_t n)
{
	return below(r, n) == 0;
}

/* ---- the map ---- */

static void call(struct round *r, unsigned int what, phys_addr_t base, phys_addr_t size, int nid,
		 enum memblock_cause cause)
{
	assert_true(r->nr_calls < ARRAY_SIZE(r->calls));
	r->calls[r->nr_calls++] = (struct map_call){ what, base, size, nid, cause };
}

static void random_map(struct round *r)
{
	unsigned int nr_banks = 1 + (unsigned int)below(r, 6);
	unsigned int nr_reserved = (unsigned int)below(r, 20), nr_small = 0;

	/* Now and then so many that memblock's arrays grow: at once, or soon. */
	if (one_in(r, 5))
		nr_small = 70 + (unsigned int)below(r, one_in(r, 2) ? 40 : 140);
	for (unsigned int i = 0; i < nr_banks; i++) {
		uint64_t start = one_in(r, 8) ? 0 : below(r, RAM_PAGES - 2000);
		phys_addr_t base = PAGES(start), size = PAGES(1 + below(r, 2000));

		if (one_in(r, 4)) {
			base += below(r, PAGE_SIZE);
			size -= below(r, PAGE_SIZE);
		}
		call(r, ADD, base, size, one_in(r, 3) ? NONE : (int)(start / 4000), 0);
	}
	for (unsigned int i = 0; i < nr_reserved; i++) {
		phys_addr_t base = below(r, PAGES(RAM_PAGES));
		phys_addr_t size = 1 + below(r, PAGES(1) << below(r, 9));
		unsigned int what = (unsigned int)below(r, 14);

		if (one_in(r, 2)) {
			base &= PAGE_MASK;
			size = PFN_PHYS(PFN_UP(size));
		}
		call(r,
		     what > DRIVER ? RESERVE
		     : what == ADD ? NOMAP
				   : what,
		     base, size, NONE, (enum memblock_cause)below(r, CAUSE_NOMAP));
	}
	for (unsigned int i = 0; i < nr_small; i++)
		call(r, RESERVE, PAGES(100) + PAGES(80) * i + below(r, PAGE_SIZE),
		     1 + below(r, 3000), NONE, CAUSE_FDT + i % 3);
	r->movable_node = one_in(r, 3);
	r->zone_pfn = one_in(r, 4) ? 1 + below(r, RAM_PAGES) : 0;
}

/* Returns false if memblock has no room for it. */
static bool make_map(const struct round *r, struct world *w)
{
	struct memblock *mb = &w->mb;

	memblock_init(mb, &w->ram.map);
	mb->movable_node = r->movable_node;
	for (unsigned int i = 0; i < r->nr_calls; i++) {
		const struct map_call *c = &r->calls[i];
		int err = 0;

		switch (c->what) {
		case ADD:
			err = memblock_add_node(mb, c->base, c->size, c->nid, 0);
			break;
		case RESERVE:
			err = memblock_reserve_cause(mb, c->base, c->size, c->cause);
			break;
		case NOMAP:
			err = memblock_mark_nomap(mb, c->base, c->size);
			break;
		case HOTPLUG:
			err = memblock_mark_hotplug(mb, c->base, c->size);
			break;
		case MIRROR:
			err = memblock_mark_mirror(mb, c->base, c->size);
			break;
		default:
			err = memblock_mark_driver_managed(mb, c->base, c->size);
			break;
		}
		if (err == -EMM_ENOSPC)
			return false;
		assert_int_equal(err, 0);
		/* All banks come first. */
		if (c->what != ADD)
			memblock_allow_resize(mb);
	}
	memblock_allow_resize(mb);
	return true;
}

/* ---- early allocations ---- */

static void random_steps(struct round *r)
{
	r->nr_steps = (unsigned int)below(r, r->nr_calls > 80 || one_in(r, 4) ? MAX_STEPS : 12);
	for (unsigned int i = 0; i < r->nr_steps; i++) {
		struct step *s = &r->steps[i];

		*s = (struct step){
			.free = i && one_in(r, 3),
			.size = 1 + below(r, PAGES(1) << below(r, 7)),
			.align = one_in(r, 2) ? 0 : 1ULL << below(r, 19),
			.goal = one_in(r, 2) ? below(r, PAGES(RAM_PAGES)) : 0,
			.limit = one_in(r, 4) ? below(r, PAGES(RAM_PAGES)) : PHYS_ADDR_MAX,
			.nid = one_in(r, 2) ? NONE : (int)below(r, 4),
			.cause = one_in(r, 2) ? CAUSE_ALLOC : CAUSE_HUGEPAGES,
			.of = i ? (unsigned int)below(r, i) : 0,
			.part = helper_random(&r->rng),
		};
	}
}

static void do_step(const struct round *r, struct world *w, unsigned int i)
{
	const struct step *s = &r->steps[i];

	w->pa[i] = 0;
	if (!s->free) {
		w->err[i] = early_alloc(&w->e, s->size, s->align, s->goal, s->limit, s->nid,
					s->cause, &w->pa[i]);
	} else if (w->pa[s->of] && !r->steps[s->of].free) {
		/* All of it, or some pages; possibly for the second time. */
		uint64_t pages = PFN_UP(r->steps[s->of].size);
		uint64_t from = s->part & 1 ? 0 : (s->part >> 8) % pages;
		uint64_t nr = s->part & 1 ? pages : 1 + (s->part >> 32) % (pages - from);

		w->err[i] = early_free(&w->e, w->pa[s->of] + PAGES(from), PAGES(nr) - 1);
	}
}

/* Does the block of @w lie where the ledger of @other has bitmaps or arrays? */
static bool in_others_way(const struct world *other, phys_addr_t pa, phys_addr_t size)
{
	const struct memblock_type *rsv = &other->mb.reserved;

	for (unsigned long i = 0; i < rsv->cnt; i++) {
		enum memblock_cause cause = MEMBLOCK_CAUSE(rsv->regions[i].flags);

		if ((cause == CAUSE_BOOTMEM || cause == CAUSE_MEMBLOCK) &&
		    rsv->regions[i].base < pa + size &&
		    rsv->regions[i].base + rsv->regions[i].size > pa)
			return true;
	}
	return false;
}

/* May the two answers to step @i differ? Only where one block is in the way of the other's own. */
static bool may_differ(const struct round *r, const struct world *bitmaps,
		       const struct world *plain, unsigned int i)
{
	phys_addr_t size = PFN_PHYS(PFN_UP(r->steps[i].size));

	if (plain->err[i] || r->steps[i].free)
		return false;
	return in_others_way(bitmaps, plain->pa[i], size) ||
	       (!bitmaps->err[i] && in_others_way(plain, bitmaps->pa[i], size));
}

static void do_steps(struct round *r)
{
	const struct world *bitmaps = &r->world[EARLY_BOOTMEM];
	const struct world *plain = &r->world[EARLY_MEMBLOCK];
	const struct world *nobootmem = &r->world[EARLY_NOBOOTMEM];

	for (unsigned int i = 0; i < r->nr_steps; i++) {
		for (unsigned int kind = 0; kind < NR_EARLY_KINDS; kind++) {
			r->world[kind].err[i] = 0;
			do_step(r, &r->world[kind], i);
		}
		helper_check_follows(&bitmaps->e.bootmem, &bitmaps->mb);
		assert_int_equal(nobootmem->err[i], plain->err[i]);
		assert_int_equal(nobootmem->pa[i], plain->pa[i]);
		if (!r->weak &&
		    (bitmaps->err[i] != plain->err[i] || bitmaps->pa[i] != plain->pa[i])) {
			if (!may_differ(r, bitmaps, plain, i))
				fail_msg("step %u: 0x%llx (%d), memblock 0x%llx (%d)", i,
					 (unsigned long long)bitmaps->pa[i], bitmaps->err[i],
					 (unsigned long long)plain->pa[i], plain->err[i]);
			r->weak = true;
		}
	}
}

/* ---- the handover ---- */

static unsigned int nr_zones(const struct round *r)
{
	return r->zone_pfn ? 2 : 1;
}

/* Places the metadata. Returns false if there is no room, or no memory in a zone. */
static bool place(const struct round *r, struct world *w)
{
	for (unsigned int z = 0; z < nr_zones(r); z++) {
		uint64_t start = z ? r->zone_pfn : 0;
		uint64_t end = z + 1 < nr_zones(r) ? r->zone_pfn : PFN_DOWN(PHYS_ADDR_MAX);
		struct mm *mm = &w->mm[z];
		phys_addr_t pa;

		if (mm_plan(mm, &w->mb, start, end, 1))
			return false;
		if (early_alloc(&w->e, mm->meta_bytes, PAGE_SIZE, 0, PHYS_ADDR_MAX, NUMA_NO_NODE,
				CAUSE_METADATA, &pa))
			return false;
		assert_int_equal(mm_set_metadata(mm, &w->mb, pa), 0);
	}
	return true;
}

static void hand_over(const struct round *r, struct world *w)
{
	for (unsigned int z = 0; z < nr_zones(r); z++)
		assert_int_equal(mm_init(&w->mm[z], &w->mb), 0);
	for (unsigned int z = 0; z < nr_zones(r); z++)
		assert_int_equal(early_free_all(&w->e, &w->mm[z]), 0);
}

/* May the metadata lie elsewhere? Only where a bitmap or an array is in the way. */
static void compare_places(struct round *r, const struct world *bitmaps, const struct world *plain)
{
	for (unsigned int z = 0; z < nr_zones(r) && !r->weak; z++) {
		const struct mm *a = &bitmaps->mm[z], *b = &plain->mm[z];

		if (a->meta_pa == b->meta_pa)
			continue;
		assert_true(in_others_way(bitmaps, b->meta_pa, b->meta_bytes) ||
			    in_others_way(plain, a->meta_pa, a->meta_bytes));
		r->weak = true;
	}
}

/* Free is what memblock has as free, as a page: nothing of the buddy's own is believed. */
static void check_world(const struct round *r, const struct world *w)
{
	for (unsigned int z = 0; z < nr_zones(r); z++) {
		const struct mm *mm = &w->mm[z];
		struct mm_audit audit;
		unsigned long mem = 0;

		assert_int_equal(mm->state, MM_HANDED_OVER);
		assert_int_equal(mm_audit(mm, &w->mb, 0, &audit), 0);
		assert_int_equal(audit.lost, 0);
		assert_int_equal(audit.reserved[CAUSE_BOOTMEM], 0);
		assert_int_equal(audit.managed, audit.free);
		assert_true(buddy_is_valid(&mm->buddy));
		for (uint64_t pfn = mm->start_pfn; pfn < mm->end_pfn && pfn < RAM_PAGES + 100;
		     pfn++) {
			const struct memblock_region *rgn;
			bool is_free;

			while (mem < w->mb.memory.cnt &&
			       w->mb.memory.regions[mem].base + w->mb.memory.regions[mem].size <
				       PAGES(pfn + 1))
				mem++;
			rgn = &w->mb.memory.regions[mem];
			is_free = mem < w->mb.memory.cnt && rgn->base <= PAGES(pfn) &&
				  !(rgn->flags & MEMBLOCK_NOT_FREE) &&
				  !memblock_is_region_reserved(&w->mb, PAGES(pfn), PAGE_SIZE);
			if (buddy_page_is_free(&mm->buddy, pfn) != is_free)
				fail_msg("pfn 0x%llx is wrong", (unsigned long long)pfn);
		}
	}
	assert_true(memblock_is_valid(&w->mb));
}

static bool has_array(const struct world *w, uint64_t pfn)
{
	const struct memblock_array *a = &w->mb.reserved_array;

	return PAGES(pfn) >= a->base && PAGES(pfn) < a->base + a->size;
}

/* Page by page; an array that grew past what early_init() made room for may lie elsewhere. */
static void compare_worlds(const struct round *r, const struct world *a, const struct world *b)
{
	for (unsigned int z = 0; z < nr_zones(r); z++) {
		const struct mm *x = &a->mm[z], *y = &b->mm[z];
		bool same_array = a->mb.reserved_array.base == b->mb.reserved_array.base &&
				  a->mb.reserved_array.size == b->mb.reserved_array.size;
		struct mm_audit of_a, of_b;

		assert_int_equal(x->meta_pa, y->meta_pa);
		assert_int_equal(mm_audit(x, &a->mb, 0, &of_a), 0);
		assert_int_equal(mm_audit(y, &b->mb, 0, &of_b), 0);
		if (same_array) {
			assert_int_equal(x->managed_pages, y->managed_pages);
			assert_memory_equal(&of_a, &of_b, sizeof(of_a));
		}
		for (uint64_t pfn = 0; pfn < RAM_PAGES + 100; pfn++) {
			if (buddy_page_is_free(&x->buddy, pfn) !=
				    buddy_page_is_free(&y->buddy, pfn) &&
			    (same_array || !(has_array(a, pfn) || has_array(b, pfn))))
				fail_msg("pfn 0x%llx is free in one only", (unsigned long long)pfn);
		}
	}
}

static void play_round(struct round *r)
{
	bool done[NR_EARLY_KINDS];
	int err[NR_EARLY_KINDS];

	random_map(r);
	random_steps(r);
	for (enum early_kind kind = 0; kind < NR_EARLY_KINDS; kind++) {
		struct world *w = &r->world[kind];

		if (!make_map(r, w)) {
			seen.no_memory++;
			return;
		}
		memset(&w->e, ARENA_FILL, sizeof(w->e));
		err[kind] = early_init(&w->e, kind, &w->mb);
	}
	assert_int_equal(err[EARLY_NOBOOTMEM], err[EARLY_MEMBLOCK]);
	if (err[EARLY_MEMBLOCK] || err[EARLY_BOOTMEM]) {
		assert_int_equal(err[EARLY_BOOTMEM],
				 err[EARLY_MEMBLOCK] ? err[EARLY_MEMBLOCK] : -EMM_ENOMEM);
		seen.no_memory++;
		return;
	}
	helper_check_follows(&r->world[EARLY_BOOTMEM].e.bootmem, &r->world[EARLY_BOOTMEM].mb);
	do_steps(r);
	for (enum early_kind kind = 0; kind < NR_EARLY_KINDS; kind++)
		done[kind] = place(r, &r->world[kind]);
	assert_int_equal(done[EARLY_NOBOOTMEM], done[EARLY_MEMBLOCK]);
	if (!done[EARLY_MEMBLOCK] || !done[EARLY_BOOTMEM]) {
		seen.no_memory++;
		return;
	}
	compare_places(r, &r->world[EARLY_BOOTMEM], &r->world[EARLY_MEMBLOCK]);
	for (enum early_kind kind = 0; kind < NR_EARLY_KINDS; kind++) {
		hand_over(r, &r->world[kind]);
		check_world(r, &r->world[kind]);
	}
	compare_worlds(r, &r->world[EARLY_MEMBLOCK], &r->world[EARLY_NOBOOTMEM]);
	if (r->weak) {
		seen.weak++;
		return;
	}
	compare_worlds(r, &r->world[EARLY_MEMBLOCK], &r->world[EARLY_BOOTMEM]);
	seen.whole++;
	seen.grown += r->world[EARLY_BOOTMEM].mb.reserved_array.size != 0;
	seen.moved += r->world[EARLY_BOOTMEM].mb.reserved_array.base !=
		      r->world[EARLY_MEMBLOCK].mb.reserved_array.base;
	seen.zones += r->zone_pfn != 0;
	seen.frame_0 += memblock_is_map_memory(&r->world[EARLY_BOOTMEM].mb, 0);
}

static void test_same_buddy(void **state)
{
	const char *seed = getenv("EARLY_SEED"), *env_rounds = getenv("EARLY_ROUNDS");
	unsigned int rounds = env_rounds ? (unsigned int)strtoul(env_rounds, NULL, 0) : ROUNDS;
	struct round *r = calloc(1, sizeof(*r));
	struct helper_random rng = { seed ? strtoull(seed, NULL, 0) : 19991112 };

	(void)state;
	assert_non_null(r);
	for (unsigned int i = 0; i < rounds; i++) {
		r->rng.state = helper_random(&rng);
		r->nr_calls = 0;
		r->weak = false;
		for (unsigned int kind = 0; kind < NR_EARLY_KINDS; kind++)
			helper_ram_init(&r->world[kind].ram, 0, PAGES(RAM_PAGES + 2000));
		play_round(r);
		for (unsigned int kind = 0; kind < NR_EARLY_KINDS; kind++)
			helper_ram_free(&r->world[kind].ram);
	}
	print_message("%u rounds: %u whole (%u with larger arrays, %u of them elsewhere, %u with "
		      "zones, %u with frame 0), %u weak, %u without room\n",
		      rounds, seen.whole, seen.grown, seen.moved, seen.zones, seen.frame_0,
		      seen.weak, seen.no_memory);
	if (!env_rounds) {
		assert_true(seen.whole > ROUNDS * 2 / 3);
		assert_true(seen.moved > 0);
		assert_true(seen.grown > ROUNDS / 20);
		assert_true(seen.zones > ROUNDS / 20);
		assert_true(seen.frame_0 > ROUNDS / 20);
	}
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_same_buddy) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
