/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memblock at the moment when its map is complete and nobody has allocated yet: queries and walks
 * agree, and whatever is done and undone leaves the map as it was, entry by entry.
 */
#include "live.h"

#include <stdlib.h>
#include <string.h>

/* Entries at either end of a large map whose borders are looked at one by one. */
#define MANY 64UL

static struct memblock *live_map(void **state, struct helper_snapshot *s)
{
	struct selftest_env *env = *state;

	helper_snapshot_take(s, env->mb);
	return env->mb;
}

struct span {
	phys_addr_t start;
	phys_addr_t end;
};

static struct span largest_free(const struct memblock *mb)
{
	struct span best = { 0, 0 };
	struct memblock_iter it;
	phys_addr_t start, end;

	memblock_iter_free_init(&it, mb, NONE, 0);
	while (memblock_next_free(&it, &start, &end))
		if (end - start > best.end - best.start)
			best = (struct span){ start, end };
	return best;
}

static phys_addr_t free_size(const struct memblock *mb)
{
	struct memblock_iter it;
	phys_addr_t start, end, bytes = 0;

	memblock_iter_free_init(&it, mb, NONE, 0);
	while (memblock_next_free(&it, &start, &end))
		bytes += end - start;
	return bytes;
}

/*
 * Some whole pages in the middle of the largest free range:
 *   free  start            a       b              end
 *         +----------------+-------+--------------+
 */
static struct span middle(const struct memblock *mb)
{
	struct span s = largest_free(mb);
	phys_addr_t a = (s.start + (s.end - s.start) / 2) & PAGE_MASK;

	assert_true(s.end - s.start >= 64 * PAGE_SIZE);
	return (struct span){ a, a + 5 * PAGE_SIZE };
}

static void map_is_valid(void **state)
{
	const struct memblock *mb = ((struct selftest_env *)*state)->mb;
	const struct memblock_type *mem = &mb->memory;

	assert_true(memblock_is_valid(mb));
	assert_true(mem->cnt > 0);
	assert_int_equal(memblock_start_of_DRAM(mb), mem->regions[0].base);
	assert_int_equal(memblock_end_of_DRAM(mb),
			 mem->regions[mem->cnt - 1].base + mem->regions[mem->cnt - 1].size);
	assert_true(mb->can_resize);
	assert_true(free_size(mb) > 0);
}

static bool is_free_byte(const struct memblock *mb, phys_addr_t at)
{
	const struct memblock_region *r = memblock_search(&mb->memory, at);

	return r && !(r->flags & MEMBLOCK_NOT_FREE) && !memblock_is_reserved(mb, at);
}

/* What the walk says of one byte. */
static bool walk_has(const struct memblock *mb, phys_addr_t at)
{
	struct memblock_iter it;
	phys_addr_t start, end;

	memblock_iter_free_init(&it, mb, NONE, 0);
	while (memblock_next_free(&it, &start, &end))
		if (at >= start && at < end)
			return true;
	return false;
}

static void walks_agree_with_queries(void **state)
{
	const struct memblock *mb = ((struct selftest_env *)*state)->mb;
	const struct memblock_type *types[] = { &mb->memory, &mb->reserved };

	for (unsigned int t = 0; t < ARRAY_SIZE(types); t++) {
		const unsigned long cnt = types[t]->cnt;

		for (unsigned long i = 0; i < cnt; i++) {
			const struct memblock_region *r = &types[t]->regions[i];
			const phys_addr_t at[] = { r->base, r->base + r->size - 1,
						   r->base + r->size, r->base - 1 };

			if (i >= MANY && i + MANY < cnt)
				continue;
			for (unsigned int j = 0; j < ARRAY_SIZE(at); j++)
				assert_int_equal(walk_has(mb, at[j]), is_free_byte(mb, at[j]));
		}
	}
}

/* Memory that may be had, less what is reserved of it, entry by entry. */
static void free_bytes_add_up(void **state)
{
	const struct memblock *mb = ((struct selftest_env *)*state)->mb;
	phys_addr_t bytes = 0;

	for (unsigned long i = 0, j = 0; i < mb->memory.cnt; i++) {
		const struct memblock_region *m = &mb->memory.regions[i];
		const phys_addr_t end = m->base + m->size;

		if (m->flags & MEMBLOCK_NOT_FREE)
			continue;
		bytes += m->size;
		while (j < mb->reserved.cnt &&
		       mb->reserved.regions[j].base + mb->reserved.regions[j].size <= m->base)
			j++;
		for (unsigned long k = j; k < mb->reserved.cnt; k++) {
			const struct memblock_region *r = &mb->reserved.regions[k];
			const phys_addr_t from = r->base > m->base ? r->base : m->base;
			const phys_addr_t to = r->base + r->size < end ? r->base + r->size : end;

			if (r->base >= end)
				break;
			bytes -= to - from;
		}
	}
	assert_int_equal(free_size(mb), bytes);
}

static void walks_agree_with_each_other(void **state)
{
	const struct memblock *mb = ((struct selftest_env *)*state)->mb;
	unsigned long most = mb->memory.cnt + mb->reserved.cnt, n = 0;
	struct span *spans = malloc(most * sizeof(*spans));
	struct memblock_iter it;
	phys_addr_t start, end;

	assert_non_null(spans);
	memblock_iter_free_init(&it, mb, NONE, 0);
	while (memblock_next_free(&it, &start, &end)) {
		assert_true(n < most && start < end);
		assert_true(!n || spans[n - 1].end <= start);
		spans[n++] = (struct span){ start, end };
	}
	memblock_iter_free_init_reverse(&it, mb, NONE, 0);
	while (memblock_prev_free(&it, &start, &end)) {
		assert_true(n > 0);
		n--;
		assert_int_equal(start, spans[n].start);
		assert_int_equal(end, spans[n].end);
	}
	assert_int_equal(n, 0);
	free(spans);
}

static void check_block(const struct memblock *mb, const struct helper_snapshot *was,
			phys_addr_t pa, phys_addr_t size, phys_addr_t align)
{
	struct memblock_type reserved = was->mb.reserved;

	/* The struct's copy still points to the live array. */
	reserved.regions = was->regions[1];
	assert_int_equal(pa % (align ? align : SMP_CACHE_BYTES), 0);
	assert_true(pa >= PAGE_SIZE);
	assert_true(memblock_is_region_memory(mb, pa, size));
	assert_false(memblock_overlaps_region(&reserved, pa, size));
	assert_true(memblock_is_region_reserved(mb, pa, size));
	assert_int_equal(MEMBLOCK_CAUSE(memblock_search(&mb->reserved, pa)->flags), CAUSE_ALLOC);
	assert_true(memblock_is_valid(mb));
}

/* Each size and alignment, top-down and bottom-up, where memblock_find_in_range() says. */
static void allocate_and_free(void **state)
{
	static const phys_addr_t sizes[] = { 1, 64, 100, PAGE_SIZE, 5000, 16 * PAGE_SIZE };
	static const phys_addr_t aligns[] = { 0, 8, PAGE_SIZE, 4 * PAGE_SIZE };
	struct helper_snapshot s;
	struct memblock *mb = live_map(state, &s);
	const phys_addr_t was_free = free_size(mb);

	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(sizes) * ARRAY_SIZE(aligns); i++) {
		const phys_addr_t size = sizes[i / 2 % ARRAY_SIZE(sizes)];
		const phys_addr_t align = aligns[i / 2 / ARRAY_SIZE(sizes)];
		phys_addr_t want, pa;

		memblock_set_bottom_up(mb, i % 2);
		assert_int_equal(memblock_find_in_range(mb, 0, PHYS_ADDR_MAX, size, align, &want),
				 0);
		assert_int_equal(memblock_phys_alloc(mb, size, align, 0, PHYS_ADDR_MAX, NONE,
						     CAUSE_ALLOC, &pa),
				 0);
		assert_int_equal(pa, want);
		check_block(mb, &s, pa, size, align);
		assert_int_equal(free_size(mb), was_free - size);
		assert_int_equal(memblock_free(mb, pa, size), 0);
		assert_int_equal(free_size(mb), was_free);
	}
	memblock_set_bottom_up(mb, s.mb.bottom_up);
	helper_snapshot_check(&s, mb);
}

/* By pointer: zeroed, where the memory was not zero before. */
static void allocate_zeroed(void **state)
{
	struct helper_snapshot s;
	struct memblock *mb = live_map(state, &s);
	const phys_addr_t size = 3 * PAGE_SIZE + 40;
	unsigned char *at;
	phys_addr_t pa;
	void *ptr;

	memblock_set_bottom_up(mb, true);
	assert_int_equal(memblock_find_in_range(mb, 0, PHYS_ADDR_MAX, size, PAGE_SIZE, &pa), 0);
	at = phys_to_virt(mb->map, pa, size);
	assert_non_null(at);
	memset(at, 0x5a, size);
	assert_int_equal(memblock_alloc_raw(mb, size, PAGE_SIZE, &ptr), 0);
	assert_ptr_equal(ptr, at);
	for (phys_addr_t i = 0; i < size; i++)
		assert_int_equal(at[i], 0x5a);
	assert_int_equal(memblock_free(mb, pa, size), 0);
	assert_int_equal(memblock_alloc(mb, size, PAGE_SIZE, &ptr), 0);
	assert_ptr_equal(ptr, at);
	for (phys_addr_t i = 0; i < size; i++)
		assert_int_equal(at[i], 0);
	assert_int_equal(memblock_free(mb, pa, size), 0);
	memblock_set_bottom_up(mb, s.mb.bottom_up);
	helper_snapshot_check(&s, mb);
}

/* Several blocks at once do not touch each other's bytes, and go in another order. */
static void several_blocks(void **state)
{
	static const unsigned int order[] = { 3, 0, 5, 1, 4, 2 };
	struct helper_snapshot s;
	struct memblock *mb = live_map(state, &s);
	phys_addr_t pa[ARRAY_SIZE(order)], size = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(memblock_phys_alloc(mb, 1000 * (i + 1), PAGE_SIZE, 0,
						     PHYS_ADDR_MAX, NONE, CAUSE_ALLOC, &pa[i]),
				 0);
		check_block(mb, &s, pa[i], 1000 * (i + 1), PAGE_SIZE);
		size += 1000 * (i + 1);
	}
	assert_int_equal(mb->reserved.total_size, s.mb.reserved.total_size + size);
	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(memblock_free(mb, pa[order[i]], 1000 * (order[i] + 1)), 0);
	helper_snapshot_check(&s, mb);
}

/* No allocation passes the limit, and none is made where it leaves nothing; the minimum is a wish. */
static void bounds(void **state)
{
	struct helper_snapshot s;
	struct memblock *mb = live_map(state, &s);
	const struct span m = middle(mb);
	phys_addr_t pa = 0;

	memblock_set_current_limit(mb, m.start + 100);
	assert_int_equal(memblock_phys_alloc(mb, 200, 8, 0, PHYS_ADDR_MAX, NONE, CAUSE_ALLOC, &pa),
			 0);
	assert_true(pa + 200 <= m.start + 100);
	assert_int_equal(memblock_free(mb, pa, 200), 0);
	memblock_set_current_limit(mb, memblock_start_of_DRAM(mb));
	pa = 1;
	assert_int_equal(memblock_phys_alloc(mb, 200, 8, 0, PHYS_ADDR_MAX, NONE, CAUSE_ALLOC, &pa),
			 -EMM_ENOMEM);
	assert_int_equal(pa, 1);
	memblock_set_current_limit(mb, s.mb.current_limit);
	assert_int_equal(memblock_phys_alloc(mb, 200, PAGE_SIZE, memblock_end_of_DRAM(mb),
					     PHYS_ADDR_MAX, NONE, CAUSE_ALLOC, &pa),
			 0);
	check_block(mb, &s, pa, 200, PAGE_SIZE);
	assert_int_equal(memblock_free(mb, pa, 200), 0);
	helper_snapshot_check(&s, mb);
}

static void refused_calls_change_nothing(void **state)
{
	struct helper_snapshot s;
	struct memblock *mb = live_map(state, &s);
	const phys_addr_t more = memblock_phys_mem_size(mb) + 1;
	phys_addr_t pa = 1;

#define alloc(size, align, cause) \
	memblock_phys_alloc(mb, size, align, 0, PHYS_ADDR_MAX, NONE, cause, &pa)
	assert_int_equal(alloc(0, 0, CAUSE_ALLOC), -EMM_EINVAL);
	assert_int_equal(alloc(64, 3, CAUSE_ALLOC), -EMM_EINVAL);
	assert_int_equal(alloc(64, 0, NR_CAUSES), -EMM_EINVAL);
	assert_int_equal(alloc(more, 0, CAUSE_ALLOC), -EMM_ENOMEM);
	assert_int_equal(alloc(PHYS_ADDR_MAX, 0, CAUSE_ALLOC), -EMM_ENOMEM);
#undef alloc
	assert_int_equal(memblock_reserve_cause(mb, PAGE_SIZE, PAGE_SIZE, NR_CAUSES), -EMM_EINVAL);
	assert_int_equal(memblock_set_node(mb, 0, 64, &mb->memory, -2), -EMM_EINVAL);
	assert_int_equal(memblock_set_flags(mb, &mb->memory, 0, 64, 1U << 8), -EMM_EINVAL);
	assert_int_equal(pa, 1);
	helper_snapshot_check(&s, mb);
}

/* A few pages in the middle of free memory get a flag and lose it again. */
static void mark_and_clear(void **state)
{
	static const struct {
		int (*mark)(struct memblock *mb, phys_addr_t base, phys_addr_t size);
		int (*clear)(struct memblock *mb, phys_addr_t base, phys_addr_t size);
		uint32_t flag;
	} marks[] = {
		{ memblock_mark_nomap, memblock_clear_nomap, MEMBLOCK_NOMAP },
		{ memblock_mark_driver_managed, memblock_clear_driver_managed,
		  MEMBLOCK_DRIVER_MANAGED },
		{ memblock_mark_hotplug, memblock_clear_hotplug, MEMBLOCK_HOTPLUG },
		{ memblock_mark_mirror, memblock_clear_mirror, MEMBLOCK_MIRROR },
	};
	struct helper_snapshot s;
	struct memblock *mb = live_map(state, &s);
	const phys_addr_t was_free = free_size(mb);
	const struct span m = middle(mb);

	for (unsigned int i = 0; i < ARRAY_SIZE(marks); i++) {
		const bool taken = marks[i].flag & MEMBLOCK_NOT_FREE;
		const struct memblock_region *r = memblock_search(&mb->memory, m.start);

		if (r->flags & marks[i].flag)
			continue;
		assert_int_equal(marks[i].mark(mb, m.start, m.end - m.start), 0);
		assert_true(memblock_is_valid(mb));
		r = memblock_search(&mb->memory, m.start);
		assert_int_equal(r->base, m.start);
		assert_int_equal(r->size, m.end - m.start);
		assert_true(r->flags & marks[i].flag);
		assert_int_equal(memblock_is_map_memory(mb, m.start),
				 marks[i].flag != MEMBLOCK_NOMAP);
		assert_int_equal(free_size(mb), was_free - (taken ? m.end - m.start : 0));
		assert_int_equal(marks[i].clear(mb, m.start, m.end - m.start), 0);
		assert_int_equal(free_size(mb), was_free);
	}
	helper_snapshot_check(&s, mb);
}

/* The first of two reservations keeps what they share; the flags of reservations. */
static void reserve_and_free(void **state)
{
	struct helper_snapshot s;
	struct memblock *mb = live_map(state, &s);
	const struct span m = middle(mb);

	assert_int_equal(memblock_reserve_cause(mb, m.start, 2 * PAGE_SIZE, CAUSE_INITRD), 0);
	assert_int_equal(memblock_reserve_cause(mb, m.start, 4 * PAGE_SIZE, CAUSE_BAD), 0);
	assert_int_equal(MEMBLOCK_CAUSE(memblock_search(&mb->reserved, m.start)->flags),
			 CAUSE_INITRD);
	assert_int_equal(
		MEMBLOCK_CAUSE(memblock_search(&mb->reserved, m.start + 3 * PAGE_SIZE)->flags),
		CAUSE_BAD);
	assert_int_equal(memblock_reserved_mark_noinit(mb, m.start, PAGE_SIZE), 0);
	assert_int_equal(mb->reserved.cnt, s.mb.reserved.cnt + 3);
	assert_int_equal(memblock_reserved_size(mb), s.mb.reserved.total_size + 4 * PAGE_SIZE);
	assert_int_equal(memblock_free(mb, m.start + PAGE_SIZE, PAGE_SIZE), 0);
	assert_false(memblock_is_reserved(mb, m.start + PAGE_SIZE));
	assert_true(memblock_is_reserved(mb, m.start));
	assert_int_equal(memblock_free(mb, m.start, m.end - m.start), 0);
	helper_snapshot_check(&s, mb);
}

static void count_lines(void *ctx, const char *fmt, va_list ap)
{
	(void)ap;
	for (; *fmt; fmt++)
		*(unsigned long *)ctx += *fmt == '\n';
}

static void dump_has_every_entry(void **state)
{
	const struct memblock *mb = ((struct selftest_env *)*state)->mb;
	unsigned long lines = 0;
	const struct printer out = { count_lines, &lines };

	memblock_dump(mb, &out);
	assert_int_equal(lines, 4 + mb->memory.cnt + mb->reserved.cnt);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(map_is_valid),
		cmocka_unit_test(walks_agree_with_queries),
		cmocka_unit_test(free_bytes_add_up),
		cmocka_unit_test(walks_agree_with_each_other),
		cmocka_unit_test(allocate_and_free),
		cmocka_unit_test(allocate_zeroed),
		cmocka_unit_test(several_blocks),
		cmocka_unit_test(bounds),
		cmocka_unit_test(refused_calls_change_nothing),
		cmocka_unit_test(mark_and_clear),
		cmocka_unit_test(reserve_and_free),
		cmocka_unit_test(dump_has_every_entry),
	};

	return live_run(SELFTEST_MEMBLOCK, tests);
}
