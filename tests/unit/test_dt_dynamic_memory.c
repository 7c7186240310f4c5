/* SPDX-License-Identifier: BSD-2-Clause */
/* Dynamic regions: in which of several kinds of memory they are placed. */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <stdlib.h>
#include <string.h>

#define RSV CAUSE_RESERVED_MEMORY
#define DYN DT_REGION_DYNAMIC

/* 1 GiB at 0x80000000, up to 0xc0000000, and /reserved-memory begun. */
static void begin(struct tree *t)
{
	tree_begin(t);
	tree_root(t, 2);
	tree_memory(t, 0x80000000, GIB(1));
	tree_reserved(t);
}

static void place(struct machine *m, struct tree *t)
{
	tree_end(t);
	machine_boot(m, tree_finish(t));
	machine_place(m);
}

/* A child by size without more. */
static void simple(struct tree *t, const char *name, uint64_t size, uint64_t alignment)
{
	tree_dynamic(t, name, size, alignment);
	tree_end(t);
}

/* A child with alloc-ranges; the numbers are addresses and sizes by turns. */
static void bounded(struct tree *t, const char *name, uint64_t size, int n, const uint64_t *ranges)
{
	tree_dynamic(t, name, size, 0);
	tree_list(t, "alloc-ranges", n, ranges);
	tree_end(t);
}
#define tree_bounded(t, name, size, ...)                                                      \
	bounded(t, name, size, (int)(sizeof((uint64_t[]){ __VA_ARGS__ }) / sizeof(uint64_t)), \
		(const uint64_t[]){ __VA_ARGS__ })

static void bank(struct tree *t, uint64_t base, uint64_t size, int nid, bool hotpluggable)
{
	tree_node(t, "memory");
	tree_string(t, "device_type", "memory");
	tree_u32(t, "numa-node-id", (uint32_t)nid);
	if (hotpluggable)
		tree_flag(t, "hotpluggable");
	tree_reg(t, "reg", base, size);
	tree_end(t);
}

/*
 *   80000000        90000000        a0000000        b0000000
 *      |---- node 0 ----|---- node 1 ---|- hotpluggable -|
 */
static void begin_numa(struct tree *t)
{
	tree_begin(t);
	tree_root(t, 2);
	bank(t, 0x80000000, MIB(256), 0, false);
	bank(t, 0x90000000, MIB(256), 1, false);
	bank(t, 0xa0000000, MIB(256), 1, true);
	tree_reserved(t);
}

static void test_hotpluggable_last(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin_numa(&t);
	simple(&t, "a", MIB(64), 0);
	tree_bounded(&t, "order", MIB(64), 0xa0000000, MIB(256), 0x80000000, MIB(256));
	tree_bounded(&t, "only", MIB(64), 0xa0000000, MIB(256));
	tree_bounded(&t, "next", MIB(64), 0xa0000000, MIB(256));
	simple(&t, "large", MIB(192), MIB(64));
	simple(&t, "larger", MIB(256), 0);
	place(m, &t);
	expect_region(m, "a", 0x9c000000, MIB(64), DYN);
	expect_region(m, "order", 0x8c000000, MIB(64), DYN);
	expect_region(m, "only", 0xac000000, MIB(64), DYN);
	expect_region(m, "next", 0xa8000000, MIB(64), DYN);
	expect_region(m, "large", 0x90000000, MIB(192), DYN);
	assert_int_equal(region_named(m, "order")->nid, 0);
	assert_int_equal(region_named(m, "large")->nid, 1);
	assert_int_equal(m->info.nr_dynamic_failed, 1);
	assert_false(m->mb.movable_node);
}

/*
 *   80000000        90000000   98000000     a0000000        b0000000
 *      |- hotpluggable -|= normal =|   ...     |- hotpluggable -|
 *               |=== d ===|=== a ===|          |== c ==|== b ===|
 *
 * What is highest in one kind of memory says nothing of the other: b is not below a.
 */
static void test_highest_hotpluggable(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	bank(&t, 0x80000000, MIB(256), 0, true);
	bank(&t, 0x90000000, MIB(128), 0, false);
	bank(&t, 0xa0000000, MIB(256), 0, true);
	tree_reserved(&t);
	simple(&t, "a", MIB(128), 0);
	simple(&t, "b", MIB(128), 0);
	simple(&t, "c", MIB(128), 0);
	simple(&t, "d", MIB(128), 0);
	place(m, &t);
	expect_region(m, "a", 0x90000000, MIB(128), DYN);
	expect_region(m, "b", 0xa8000000, MIB(128), DYN);
	expect_region(m, "c", 0xa0000000, MIB(128), DYN);
	expect_region(m, "d", 0x88000000, MIB(128), DYN);
}

/* Never in memory that is to be movable, if the user has said so. */
static void test_movable_node(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin_numa(&t);
	simple(&t, "a", MIB(64), 0);
	tree_bounded(&t, "only", MIB(64), 0xa0000000, MIB(256));
	m->mb.movable_node = true;
	place(m, &t);
	expect_region(m, "a", 0x9c000000, MIB(64), DYN);
	assert_true(said(m, "dt: only: not placed"));
	assert_true(m->mb.movable_node);
}

/* A region never lies on two nodes, though they touch and neither has room for two. */
static void test_one_node(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin_numa(&t);
	tree_region(&t, "taken", 0xa0000000, MIB(256), NULL);
	simple(&t, "a", MIB(160), 0);
	simple(&t, "b", MIB(160), 0);
	simple(&t, "c", MIB(160), 0);
	place(m, &t);
	expect_region(m, "a", 0x96000000, MIB(160), DYN);
	expect_region(m, "b", 0x86000000, MIB(160), DYN);
	assert_true(said(m, "dt: c: not placed"));
}

/* However high memory goes, that is where it begins. */
static void test_up_to_the_top(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_memory(&t, 0xfffffffff0000000, 0x10000000);
	tree_reserved(&t);
	simple(&t, "a", 0x1000, 0);
	tree_bounded(&t, "b", 0x1000, 0xffffffffffff0000, 0x10000);
	place(m, &t);
	expect_region(m, "a", 0xffffffffffffe000, 0x1000, DYN);
	expect_region(m, "b", 0xffffffffffffd000, 0x1000, DYN);
}

static void test_current_limit(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	simple(&t, "a", MIB(1), 0);
	m->mb.current_limit = 0xa0000000;
	place(m, &t);
	expect_region(m, "a", 0x9ff00000, MIB(1), DYN);
}

/* After mem= or the probing of RAM there is less, and nothing is placed where nothing is. */
static void test_after_the_cut(void **state)
{
	struct machine *m = *state;
	struct tree t;

	begin(&t);
	simple(&t, "a", MIB(1), 0);
	tree_bounded(&t, "high", MIB(1), 0xb0000000, MIB(256));
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	memblock_enforce_memory_limit(&m->mb, MIB(256));
	machine_place(m);
	expect_region(m, "a", 0x8ff00000, MIB(1), DYN);
	assert_true(said(m, "dt: high: not placed"));
	expect_reserved(m, { 0x8ff00000, MIB(1), 0, 0, RSV });
}

/* Page 0 is there, and free, and cannot be told from nothing. */
static void test_not_page_0(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0, 0x3000);
	tree_reserved(&t);
	simple(&t, "a", 0x1000, 0);
	simple(&t, "b", 0x1000, 0);
	simple(&t, "c", 0x1000, 0);
	tree_dynamic(&t, "d", 1, 0);
	tree_flag(&t, "no-map");
	tree_end(&t);
	place(m, &t);
	expect_region(m, "a", 0x2000, 0x1000, DYN);
	expect_region(m, "b", 0x1000, 0x1000, DYN);
	assert_int_equal(m->info.nr_dynamic_failed, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_hotpluggable_last), machine_test(test_highest_hotpluggable),
		machine_test(test_movable_node),      machine_test(test_one_node),
		machine_test(test_up_to_the_top),     machine_test(test_current_limit),
		machine_test(test_after_the_cut),     machine_test(test_not_page_0),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
