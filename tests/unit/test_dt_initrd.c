/* SPDX-License-Identifier: BSD-2-Clause */
/* The initrd: where it may be, what disables it, and what happens when the map is cut. */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <stdlib.h>
#include <string.h>

#define RSV CAUSE_RESERVED_MEMORY
#define MSV CAUSE_MEMRESERVE

/*
 * Two banks that touch but differ, [80000000, 88000000) and [88000000, 90000000), and an initrd, its
 * start and end in one cell, in two (2), in one and two (3).
 */
static void *initrd_tree(uint64_t start, uint64_t end, int cells, bool nomap)
{
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, 0x8a000000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, MIB(128));
	tree_node(&t, "memory@88000000");
	tree_string(&t, "device_type", "memory");
	tree_u32(&t, "numa-node-id", 1);
	tree_reg(&t, "reg", 0x88000000, MIB(128));
	tree_end(&t);
	tree_node(&t, "chosen");
	if (cells == 2)
		tree_u64(&t, "linux,initrd-start", start);
	else
		tree_u32(&t, "linux,initrd-start", (uint32_t)start);
	if (cells == 1)
		tree_u32(&t, "linux,initrd-end", (uint32_t)end);
	else
		tree_u64(&t, "linux,initrd-end", end);
	tree_reg(&t, "linux,elfcorehdr", 0x8b000000, 0x1000);
	tree_end(&t);
	tree_reserved(&t);
	tree_region(&t, "region", 0x8c000000, 0x1000, nomap ? "no-map" : NULL);
	tree_end(&t);
	return tree_finish(&t);
}

static void test_initrd(void **state)
{
	struct machine *m = *state;
	int cells;

	for (cells = 1; cells <= 3; cells++) {
		/* Across two entries of the memory map, of odd size. */
		machine_boot(m, initrd_tree(0x87fffff0, 0x88000123, cells, false));
		assert_string_equal(m->text, "");
		assert_int_equal(m->info.initrd_base, 0x87fffff0);
		assert_int_equal(m->info.initrd_size, 0x133);
		expect_reserved(m, { 0x87fffff0, 0x133, 0, 0, CAUSE_INITRD },
				{ 0x8a000000, 0x1000, 0, 0, MSV },
				{ 0x8b000000, 0x1000, 0, 0, CAUSE_OTHER },
				{ 0x8c000000, 0x1000, 0, 0, RSV });
		machine_free(m);
		machine_init(m);
	}
}

static void initrd_disabled(struct machine *m, uint64_t start, uint64_t end, bool nomap,
			    const char *message)
{
	machine_boot(m, initrd_tree(start, end, 2, nomap));
	assert_int_equal(m->info.initrd_size, 0);
	assert_int_equal(m->info.nr_errors, 1);
	assert_true(said(m, message));
	if (!nomap)
		expect_reserved(m, { 0x8a000000, 0x1000, 0, 0, MSV },
				{ 0x8b000000, 0x1000, 0, 0, CAUSE_OTHER },
				{ 0x8c000000, 0x1000, 0, 0, RSV });
	assert_true(is_taken(m, 0x8c000000, 0x1000));
	machine_free(m);
	machine_init(m);
}

static void test_initrd_collides(void **state)
{
	struct machine *m = *state;

	initrd_disabled(m, 0x801ff000, 0x80200001, false, "disabled: overlaps image [0x80200000-");
	initrd_disabled(m, TREE_BASE + 8, TREE_BASE + 16, false, "disabled: overlaps device");
	initrd_disabled(
		m, 0x89fff000, 0x8a000001, false,
		"initrd [0x89fff000-0x8a000000] disabled: overlaps /memreserve/ [0x8a000000-");
	initrd_disabled(m, 0x8b000fff, 0x8b002000, false, "disabled: overlaps elfcorehdr");
	initrd_disabled(m, 0x8bfff000, 0x8c000001, false, "disabled: overlaps region@8c000000");
	initrd_disabled(m, 0x8c000000, 0x8c001000, true,
			"disabled: overlaps no-map region@8c000000");
	/* Beside it is not in it. */
	machine_boot(m, initrd_tree(0x8bfff000, 0x8c000000, 2, false));
	assert_string_equal(m->text, "");
}

/* A /memreserve/ entry that is not just the initrd's, and one that passes 2^64. */
static void test_initrd_in_memreserve(void **state)
{
	const phys_addr_t bank = ~(phys_addr_t)0 << 28;
	static const struct {
		phys_addr_t base;
		phys_addr_t size;
	} entries[] = { { 0, 0x2000 }, { 0, 0x800 }, { 0x1000, 0x100 }, { -0x1000ULL, ~0ULL } };
	struct machine *m = *state;
	struct tree t;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(entries); i++) {
		tree_begin(&t);
		tree_memreserve(&t, bank + 0x8000 + entries[i].base, entries[i].size);
		tree_root(&t, 2);
		tree_memory(&t, 0x80000000, MIB(128));
		tree_memory(&t, bank, MIB(128));
		tree_node(&t, "chosen");
		tree_u64(&t, "linux,initrd-start", bank + 0x8000);
		tree_u64(&t, "linux,initrd-end", bank + 0x9001);
		tree_end(&t);
		machine_boot(m, tree_finish(&t));
		if (i) {
			assert_true(said(m, "disabled: overlaps /memreserve/"));
			assert_int_equal(m->info.initrd_size, 0);
		} else {
			assert_string_equal(m->text, "");
			assert_int_equal(m->info.initrd_size, 0x1001);
		}
		machine_free(m);
		machine_init(m);
	}
}

static void test_initrd_not_in_memory(void **state)
{
	struct machine *m = *state;

	initrd_disabled(m, 0x8ffff000, 0x90000001, false, "disabled: not in memory");
	initrd_disabled(m, 0x7fffffff, 0x80000010, false, "disabled: not in memory");
	initrd_disabled(m, 0x10000, 0x20000, false, "disabled: not in memory");
	initrd_disabled(m, 0x10000, ~(uint64_t)0, false, "disabled: not in memory");
}

static void test_initrd_malformed(void **state)
{
	struct machine *m = *state;
	struct tree t;

	initrd_disabled(m, 0x88002000, 0x88001000, false, "initrd disabled: linux,initrd-start");
	machine_boot(m, initrd_tree(0x88000000, 0x88000000, 2, false));
	assert_string_equal(m->text, "");
	assert_int_equal(m->info.initrd_size, 0);
	machine_free(m);
	machine_init(m);

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_u64(&t, "linux,initrd-start", 0x88000000);
	tree_bytes(&t, "linux,initrd-end", "123456789abc", 12);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	assert_true(said(m, "are not a range in one or two cells each"));
	expect_none_reserved(m);
}

/* ---- when the map has been cut ---- */

static void recheck(struct machine *m)
{
	assert_int_equal(dt_recheck_initrd(&m->info, m->fdt, &m->mb, &m->out), 0);
	assert_true(memblock_is_valid(&m->mb));
}

/*
 *   80000000       87ff0000  88000000  88010000      90000000
 *      |--- node 0 ------------|--------- node 1 -------|
 *                    |----- initrd -----|
 *      |---- what is left -------------------|             nothing happens
 *      |---- what is left -------------|                   disabled, and its memory is free
 *      |-- what is left --|                                the same, all of it is gone
 */
static void test_recheck(void **state)
{
	static const struct {
		phys_addr_t limit; /* bytes of memory that are kept */
		bool disabled;
	} cases[] = { { 0x8020000, false }, { 0x8010000, false }, { 0x800f000, true },
		      { 0x8000000, true },  { 0x7ff0000, true },  { 0x7fe0000, true } };
	struct machine *m = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		machine_boot(m, initrd_tree(0x87ff0000, 0x88010000, 2, false));
		memblock_enforce_memory_limit(&m->mb, cases[i].limit);
		recheck(m);
		if (cases[i].disabled) {
			assert_string_equal(m->text, "dt: initrd [0x87ff0000-0x8800ffff] disabled: "
						     "not in the memory that is left\n");
			expect_none_reserved(m);
		} else {
			assert_string_equal(m->text, "");
			expect_reserved(m, { 0x87ff0000, 0x20000, 0, 0, CAUSE_INITRD });
		}
		assert_int_equal(m->info.initrd_size, cases[i].disabled ? 0 : 0x20000);
		assert_int_equal(m->info.nr_errors, cases[i].disabled);
		/* Once more changes nothing. */
		recheck(m);
		assert_int_equal(m->info.nr_errors, cases[i].disabled);
		machine_again(m);
	}
}

/* A hole in the middle of it: RAM that is not there. What is before and behind it is free again. */
static void test_recheck_hole(void **state)
{
	struct machine *m = *state;

	machine_boot(m, initrd_tree(0x87ff0000, 0x88010000, 2, false));
	assert_int_equal(memblock_remove(&m->mb, 0x87ff8000, 0x1000), 0);
	recheck(m);
	assert_int_equal(m->info.initrd_size, 0);
	expect_reserved(m, { 0x8a000000, 0x1000, 0, 0, MSV },
			{ 0x8b000000, 0x1000, 0, 0, CAUSE_OTHER },
			{ 0x8c000000, 0x1000, 0, 0, RSV });
	machine_again(m);

	machine_boot(m, initrd_tree(0x87ff0000, 0x88010000, 2, false));
	assert_int_equal(memblock_mark_nomap(&m->mb, 0x88008000, 0x1000), 0);
	recheck(m);
	assert_int_equal(m->info.initrd_size, 0);
	assert_true(said(m, "disabled: not in the memory that is left"));
}

/*
 *   88000000 88000100     88001234   88001f00
 *      |--------- initrd --------|
 *               |------- /memreserve/ -----|     for the same two pages: its own entry
 *               |======= reserved =========|     when the initrd is gone
 */
static void test_recheck_own_memreserve(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, 0x88000100, 0x1e00);
	tree_memreserve(&t, 0x88000100, 0x1e00);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "chosen");
	tree_u64(&t, "linux,initrd-start", 0x88000000);
	tree_u64(&t, "linux,initrd-end", 0x88001234);
	tree_end(&t);
	machine_boot(m, tree_finish(&t));
	expect_reserved(m, { 0x88000000, 0x1234, 0, 0, CAUSE_INITRD },
			{ 0x88001234, 0xccc, 0, 0, MSV });
	assert_int_equal(memblock_remove(&m->mb, 0x88001000, 0x1000), 0);
	recheck(m);
	expect_reserved(m, { 0x88000100, 0x1e00, 0, 0, MSV });
}

/* Reservations of the same cause that are not the initrd stay; so do all without an initrd. */
static void test_recheck_touches_nothing_else(void **state)
{
	struct machine *m = *state;

	m->fixed[1] = (struct dt_fixed){ 0x86000000, 0x1000, CAUSE_INITRD, "other" };
	m->nr_fixed = 2;
	machine_boot(m, initrd_tree(0x88000000, 0x88010000, 2, false));
	assert_int_equal(memblock_remove(&m->mb, 0x88000000, 0x1000), 0);
	recheck(m);
	expect_reserved(m, { 0x86000000, 0x1000, 0, 0, CAUSE_INITRD },
			{ 0x8a000000, 0x1000, 0, 0, MSV },
			{ 0x8b000000, 0x1000, 0, 0, CAUSE_OTHER },
			{ 0x8c000000, 0x1000, 0, 0, RSV });
	machine_again(m);

	machine_boot(m, initrd_tree(0x88000000, 0x88000000, 2, false));
	memblock_enforce_memory_limit(&m->mb, MIB(32));
	recheck(m);
	assert_string_equal(m->text, "");
}

static void test_recheck_arguments(void **state)
{
	struct machine *m = *state;

	machine_boot(m, initrd_tree(0x88000000, 0x88010000, 2, false));
	assert_int_equal(dt_recheck_initrd(NULL, m->fdt, &m->mb, NULL), -EMM_EINVAL);
	assert_int_equal(dt_recheck_initrd(&m->info, NULL, &m->mb, NULL), -EMM_EINVAL);
	assert_int_equal(dt_recheck_initrd(&m->info, m->fdt, NULL, NULL), -EMM_EINVAL);
	assert_int_equal(dt_recheck_initrd(&m->info, m->fdt, &m->mb, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_initrd),
		machine_test(test_initrd_collides),
		machine_test(test_initrd_in_memreserve),
		machine_test(test_initrd_not_in_memory),
		machine_test(test_initrd_malformed),
		machine_test(test_recheck),
		machine_test(test_recheck_hole),
		machine_test(test_recheck_own_memreserve),
		machine_test(test_recheck_touches_nothing_else),
		machine_test(test_recheck_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
