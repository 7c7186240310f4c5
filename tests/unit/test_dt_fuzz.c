/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damaged trees by the hundred thousand, systematically: nothing may be read or written outside the
 * blob (ASan watches), nothing may hang, and what can still be read must be honoured: see
 * helper_dt_run.h. tests/fuzz/fuzz_tree.c looks for trees by coverage.
 */
#include "test.h"

#include "helper_dt.h"
#include "helper_dt_run.h"

#include <earlymm/error.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RANDOM_TREES 40000
#define NR_TREES     3

static struct dt_machine machine;
static struct dt_run_stats stats;

/* ---- the trees to be damaged ---- */

static void add_harts(struct tree *t)
{
	tree_node(t, "cpus");
	tree_u32(t, "timebase-frequency", 10000000);
	tree_node(t, "cpu@0");
	tree_string(t, "device_type", "cpu");
	tree_u32(t, "reg", 0);
	tree_string(t, "riscv,isa", "rv64imafdc");
	tree_end(t);
	tree_end(t);
}

static void *rich_tree(int cells)
{
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, 0x84000000, 0x1000);
	tree_memreserve(&t, 0x85000100, 0x123);
	tree_root(&t, cells);
	tree_string(&t, "model", "rich");
	tree_string(&t, "compatible", "rich,tree");
	tree_node(&t, "chosen");
	tree_string(&t, "bootargs", "a=b quiet");
	tree_bytes(&t, "rng-seed", "0123456789abcdef", 16);
	tree_u64(&t, "linux,initrd-start", 0x88000000);
	tree_u64(&t, "linux,initrd-end", 0x88100000);
	tree_reg(&t, "linux,elfcorehdr", 0x8a000000, 0x1000);
	tree_end(&t);
	add_harts(&t);
	tree_memory(&t, 0x80000000, MIB(512));
	tree_node(&t, "memory@a0000000");
	tree_string(&t, "device_type", "memory");
	tree_u32(&t, "numa-node-id", 1);
	tree_flag(&t, "hotpluggable");
	tree_reg(&t, "reg", 0xb0000000, MIB(64), 0xa0000000, MIB(64));
	tree_end(&t);
	tree_reserved(&t);
	tree_region(&t, "fw", 0x80000000, 0x60000, "no-map");
	tree_region(&t, "pool", 0x90000000, MIB(4), "reusable");
	tree_node(&t, "two@91000000");
	tree_reg(&t, "reg", 0x91000000, 0x1000, 0x90300000, MIB(2));
	tree_string(&t, "status", "okay");
	tree_end(&t);
	tree_dynamic(&t, "dynamic", MIB(1), MIB(1));
	tree_end(&t);
	tree_dynamic(&t, "cma", MIB(2), 0);
	tree_pool(&t);
	tree_flag(&t, "reusable");
	tree_flag(&t, "linux,cma-default");
	tree_reg(&t, "alloc-ranges", 0x90000000, MIB(16), 0xa0000000, MIB(64));
	tree_end(&t);
	tree_dynamic(&t, "unmapped", 0x1800, 0);
	tree_flag(&t, "no-map");
	tree_end(&t);
	tree_end(&t);
	tree_node(&t, "distance-map");
	tree_string(&t, "compatible", "numa-distance-map-v1");
	tree_bytes(&t, "distance-matrix", "\0\0\0\0\0\0\0\1\0\0\0\24", 12);
	tree_end(&t);
	tree_node(&t, "soc");
	tree_flag(&t, "ranges");
	tree_node(&t, "test@100000");
	tree_string(&t, "compatible", "sifive,test1");
	tree_reg(&t, "reg", 0x100000, 0x1000);
	tree_end(&t);
	tree_end(&t);
	return tree_finish(&t);
}

/* Enough ranges to need larger arrays. */
static void *crowded_tree(void)
{
	struct tree t;
	uint64_t i;

	tree_begin(&t);
	for (i = 0; i < 20; i++)
		tree_memreserve(&t, 0x84000000 + i * 0x2000, 0x1000);
	tree_root(&t, 2);
	tree_node(&t, "chosen");
	tree_reg(&t, "linux,usable-memory-range", 0x80000000, MIB(256), 0xa0000000, MIB(256));
	tree_end(&t);
	tree_memory(&t, 0x80000000, MIB(128));
	tree_memory(&t, 0x88000000, GIB(1));
	tree_reserved(&t);
	for (i = 0; i < 40; i++)
		tree_region(&t, "r", 0x90000000 + i * 0x3000, 0x1000, i % 3 ? NULL : "no-map");
	tree_end(&t);
	return tree_finish(&t);
}

/* ---- running them ---- */

static void run(const void *blob, uint32_t size)
{
	/* A printer costs most of the time, so not always. */
	dt_run(blob, size, &machine, stats.runs % 8 == 0, &stats);
}

static int setup(void **state)
{
	(void)state;
	dt_machine_init(&machine);
	alarm(300); /* a hang is a failure */
	return 0;
}

static void *tree_number(int i)
{
	return i == 0 ? rich_tree(2) : i == 1 ? rich_tree(1) : crowded_tree();
}

static void test_every_bit(void **state)
{
	int tree;

	(void)state;
	for (tree = 0; tree < NR_TREES; tree++) {
		unsigned char *blob = tree_number(tree);
		uint32_t size = fdt_totalsize(blob), bit;

		for (bit = 0; bit < 8 * size; bit++) {
			blob[bit / 8] ^= (unsigned char)(1U << bit % 8);
			run(blob, size);
			blob[bit / 8] ^= (unsigned char)(1U << bit % 8);
		}
		free(blob);
	}
}

/* Cut off every four bytes: with a header that says so, and with zeros behind the cut. */
static void test_every_truncation(void **state)
{
	int tree;

	(void)state;
	for (tree = 0; tree < NR_TREES; tree++) {
		unsigned char *blob = tree_number(tree);
		uint32_t size = fdt_totalsize(blob), cut;

		for (cut = size & ~3U; cut >= FDT_V17_SIZE; cut -= 4) {
			fdt_set_totalsize(blob, cut);
			run(blob, cut);
			fdt_set_totalsize(blob, size);
			memset(blob + cut, 0, size - cut);
			run(blob, size);
		}
		free(blob);
	}
}

static void test_every_word(void **state)
{
	static const uint32_t values[] = { 0,          1,          2,          3,
					   4,          9,          0x7fffffff, 0x80000000,
					   0xfffffff0, 0xfffffff4, 0xfffffff8, 0xffffffff };
	int tree;

	(void)state;
	for (tree = 0; tree < NR_TREES; tree++) {
		unsigned char *blob = tree_number(tree);
		uint32_t size = fdt_totalsize(blob), at, i;

		for (at = 0; at + 4 <= size; at += 4) {
			fdt32_t *word = (fdt32_t *)(void *)(blob + at), was = *word;

			for (i = 0; i < ARRAY_SIZE(values); i++) {
				*word = cpu_to_fdt32(values[i]);
				run(blob, size);
			}
			*word = was;
		}
		free(blob);
	}
}

static uint32_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return (uint32_t)(*seed >> 16);
}

static void test_random_bytes(void **state)
{
	uint64_t seed = 0x9e3779b97f4a7c15;
	unsigned char *blobs[NR_TREES], *copy;
	uint32_t i, n;

	(void)state;
	for (i = 0; i < NR_TREES; i++)
		blobs[i] = tree_number((int)i);
	copy = malloc(65536);
	assert_non_null(copy);
	for (i = 0; i < RANDOM_TREES; i++) {
		const unsigned char *blob = blobs[i % NR_TREES];
		uint32_t size = fdt_totalsize(blob);

		memcpy(copy, blob, size);
		for (n = 1 + next_random(&seed) % 8; n; n--)
			copy[next_random(&seed) % size] = (unsigned char)next_random(&seed);
		run(copy, size);
	}
	free(copy);
	for (i = 0; i < NR_TREES; i++)
		free(blobs[i]);
}

/* That most damage is harmless, and some is not, shows that the tests above test something. */
static void test_both_ways_were_taken(void **state)
{
	(void)state;
	print_message("%lu trees, %lu walked, %lu mapped, %lu regions placed, %lu handed over\n",
		      stats.runs, stats.walked, stats.mapped, stats.placed, stats.handed_over);
	assert_true(stats.placed > stats.mapped / 4);
	assert_true(stats.runs >= 100000);
	assert_true(stats.mapped > stats.runs / 10);
	assert_true(stats.mapped < stats.runs - stats.runs / 10);
	assert_true(stats.handed_over > stats.mapped / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_every_bit, setup),
		cmocka_unit_test_setup(test_every_truncation, setup),
		cmocka_unit_test_setup(test_every_word, setup),
		cmocka_unit_test_setup(test_random_bytes, setup),
		cmocka_unit_test(test_both_ways_were_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
