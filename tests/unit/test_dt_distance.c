/* SPDX-License-Identifier: BSD-2-Clause */
/* /distance-map: distances between memory nodes, and what is made of wrong ones. */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#define DEF DT_REMOTE_DISTANCE

/* Begins a node that is a map; tree_end() is the caller's. */
static void map(struct tree *t, const char *name, const char *compatible)
{
	tree_node(t, name);
	if (compatible)
		tree_string(t, "compatible", compatible);
}

static void matrix(struct tree *t, int n, const uint32_t *values)
{
	uint32_t cells[64];
	int i;

	assert_true(n <= 64);
	for (i = 0; i < n; i++)
		cells[i] = cpu_to_fdt32(values[i]);
	tree_bytes(t, "distance-matrix", cells, n * (int)sizeof(*cells));
}
#define tree_matrix(t, ...)                                                      \
	matrix(t, (int)(sizeof((uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t)), \
	       (const uint32_t[]){ __VA_ARGS__ })

/* A tree of memory and one map that holds what follows up to end(). */
static void begin(struct tree *t)
{
	tree_begin(t);
	tree_root(t, 2);
	tree_memory(t, 0x80000000, GIB(1));
	map(t, "distance-map", "numa-distance-map-v1");
}

static void boot_and_read(struct machine *m, struct tree *t, struct dt_distances *d)
{
	machine_boot(m, tree_finish(t));
	memset(d, 0xaa, sizeof(*d));
	assert_int_equal(dt_read_distances(&m->info, m->fdt, d, &m->out), 0);
}

static void end(struct machine *m, struct tree *t, struct dt_distances *d)
{
	tree_end(t);
	boot_and_read(m, t, d);
}

/* The four nodes that the tests use; all others have the defaults. */
static void expect(const struct dt_distances *d, const uint8_t want[4][4])
{
	int i, j;

	for (i = 0; i < DT_MAX_NODES; i++) {
		for (j = 0; j < DT_MAX_NODES; j++) {
			int wanted = i == j ? 10 : 20;

			if (i < 4 && j < 4)
				wanted = want[i][j];
			if (d->distance[i][j] != wanted)
				fail_msg("%d from %d to %d, wanted %d", d->distance[i][j], i, j,
					 wanted);
			assert_int_equal(dt_distance(d, i, j), wanted);
		}
	}
}

static const uint8_t by_default[4][4] = {
	{ 10, DEF, DEF, DEF }, { DEF, 10, DEF, DEF }, { DEF, DEF, 10, DEF }, { DEF, DEF, DEF, 10 }
};

/* The ring of four nodes of the binding's own example, all in full. */
static void test_full_matrix(void **state)
{
	static const uint8_t want[4][4] = {
		{ 10, 20, 40, 20 }, { 20, 10, 20, 40 }, { 40, 20, 10, 20 }, { 20, 40, 20, 10 }
	};
	struct machine *m = *state;
	struct dt_distances d;
	struct tree t;

	begin(&t);
	tree_matrix(&t, 0, 0, 10, 0, 1, 20, 0, 2, 40, 0, 3, 20, 1, 0, 20, 1, 1, 10, 1, 2, 20, 1, 3,
		    40, 2, 0, 40, 2, 1, 20, 2, 2, 10, 2, 3, 20, 3, 0, 20, 3, 1, 40, 3, 2, 20, 3, 3,
		    10);
	end(m, &t, &d);
	expect(&d, want);
	assert_string_equal(m->text, "");
	assert_int_equal(m->info.nr_errors, 0);
}

/* One direction stands for both, whichever it is; what is missing has the default. */
static void test_one_direction(void **state)
{
	static const uint8_t want[4][4] = {
		{ 10, 11, 20, 20 }, { 11, 10, 255, 20 }, { 20, 255, 10, 20 }, { 20, 20, 20, 10 }
	};
	struct machine *m = *state;
	struct dt_distances d;
	struct tree t;

	begin(&t);
	tree_matrix(&t, 2, 1, 255, 0, 1, 11);
	end(m, &t, &d);
	expect(&d, want);
	assert_string_equal(m->text, "");
}

/* The binding has it equal, Linux takes it: both are kept, in whatever order they come. */
static void test_asymmetric(void **state)
{
	static const uint8_t want[4][4] = {
		{ 10, 20, 20, 20 }, { 30, 10, 40, 20 }, { 20, 50, 10, 20 }, { 20, 20, 20, 10 }
	};
	struct machine *m = *state;
	struct dt_distances d;
	struct tree t;

	begin(&t);
	tree_matrix(&t, 0, 1, 20, 1, 0, 30, 2, 1, 50, 1, 2, 40);
	end(m, &t, &d);
	expect(&d, want);
	assert_true(said(m, "dt: distance-map: 20 from node 0 to 1, but 30 back: both are kept\n"));
	assert_true(said(m, "dt: distance-map: 40 from node 1 to 2, but 50 back: both are kept\n"));
	assert_int_equal(m->info.nr_errors, 2);
}

static void test_invalid_entries(void **state)
{
	static const uint8_t want[4][4] = { { 10, DEF, 21, DEF },
					    { DEF, 10, DEF, DEF },
					    { 21, DEF, 10, DEF },
					    { DEF, DEF, DEF, 10 } };
	struct machine *m = *state;
	struct dt_distances d;
	struct tree t;

	begin(&t);
	tree_matrix(&t, 0, 0, 11, 1, 1, 0, 0, 1, 10, 1, 2, 256, 2, 3, 0, 3, 0, 0x80000014,
		    DT_MAX_NODES, 0, 20, 0, 0xffffffff, 20, 0, DT_MAX_NODES, 20, 0, 2, 21, 0, 2, 22,
		    0, 2, 21);
	end(m, &t, &d);
	expect(&d, want);
	assert_true(said(m, "dt: distance-map: 11 from node 0 to 0: must be 10 to itself, else 11 "
			    "to 255, ignored\n"));
	assert_true(said(m, "dt: distance-map: 0 from node 1 to 1: must be 10"));
	assert_true(said(m, "dt: distance-map: 10 from node 0 to 1: must be 10"));
	assert_true(said(m, "dt: distance-map: 256 from node 1 to 2: must be 10"));
	assert_true(said(m, "dt: distance-map: from node 16 to 0: nodes up to 15 are known, "
			    "ignored\n"));
	assert_true(said(m, "dt: distance-map: from node 0 to 4294967295: nodes up to 15"));
	assert_true(said(m, "dt: distance-map: from node 0 to 16: nodes up to 15"));
	assert_true(said(m, "dt: distance-map: from node 0 to 2 there are 21 and 22: the first "
			    "counts\n"));
	assert_int_equal(m->info.nr_errors, 10);
}

/* The last node that is known, and the rest of a matrix that ends early. */
static void test_length(void **state)
{
	struct machine *m = *state;
	struct dt_distances d;
	struct tree t;

	begin(&t);
	tree_matrix(&t, DT_MAX_NODES - 1, DT_MAX_NODES - 2, 99, 0, 1);
	end(m, &t, &d);
	assert_int_equal(d.distance[DT_MAX_NODES - 1][DT_MAX_NODES - 2], 99);
	assert_int_equal(d.distance[DT_MAX_NODES - 2][DT_MAX_NODES - 1], 99);
	assert_int_equal(d.distance[0][1], DEF);
	assert_string_equal(m->text, "dt: distance-map: distance-matrix has 20 bytes, no multiple "
				     "of 12: the first 1 entries are used\n");
	machine_again(m);

	begin(&t);
	end(m, &t, &d);
	expect(&d, by_default);
	assert_true(said(m, "distance-matrix has 0 bytes"));
	machine_again(m);

	begin(&t);
	tree_bytes(&t, "distance-matrix", "\0\0\0\0\0\0\0\1\0\0", 11);
	end(m, &t, &d);
	expect(&d, by_default);
	assert_true(said(m, "distance-matrix has 11 bytes"));
}

static void test_no_map(void **state)
{
	struct machine *m = *state;
	struct dt_distances d;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	boot_and_read(m, &t, &d);
	expect(&d, by_default);
	assert_string_equal(m->text, "");
	assert_int_equal(m->info.distance_map, -1);
}

/* By what it is compatible with, not by its name; below the root only; enabled; the first. */
static void test_which_node(void **state)
{
	struct machine *m = *state;
	struct dt_distances d;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "soc");
	map(&t, "distance-map", "numa-distance-map-v1");
	tree_matrix(&t, 0, 1, 99);
	tree_end(&t);
	tree_end(&t);
	map(&t, "distance-map@1", "numa-distance-map-v1");
	tree_string(&t, "status", "disabled");
	tree_matrix(&t, 0, 1, 98);
	tree_end(&t);
	map(&t, "distance-map@2", "numa-distance-map-v2");
	tree_matrix(&t, 0, 1, 97);
	tree_end(&t);
	map(&t, "distance-map@3", NULL);
	tree_matrix(&t, 0, 1, 96);
	tree_end(&t);
	map(&t, "latencies", "numa-distance-map-v1");
	tree_matrix(&t, 0, 1, 42);
	tree_end(&t);
	map(&t, "distance-map@4", "numa-distance-map-v1");
	tree_matrix(&t, 0, 1, 95);
	tree_end(&t);
	boot_and_read(m, &t, &d);
	assert_int_equal(dt_distance(&d, 0, 1), 42);
	assert_int_equal(times_said(m, "dt: distance-map: not compatible with "
				       "numa-distance-map-v1, ignored\n"),
			 2);
	assert_int_equal(times_said(m, "dt: distance-map: a second one is ignored\n"), 1);
	assert_int_equal(m->info.nr_errors, 3);
}

static void test_any_of_the_compatible_list(void **state)
{
	struct machine *m = *state;
	struct dt_distances d;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "distance-map");
	tree_bytes(&t, "compatible", "vendor,map\0numa-distance-map-v1", 32);
	tree_matrix(&t, 0, 1, 42);
	tree_end(&t);
	boot_and_read(m, &t, &d);
	assert_int_equal(dt_distance(&d, 0, 1), 42);
	assert_string_equal(m->text, "");
}

/* Whatever node is asked for. */
static void test_outside_the_matrix(void **state)
{
	struct dt_distances d;

	(void)state;
	memset(&d, 0xaa, sizeof(d));
	assert_int_equal(dt_distance(&d, DT_MAX_NODES, 0), DEF);
	assert_int_equal(dt_distance(&d, 0, DT_MAX_NODES), DEF);
	assert_int_equal(dt_distance(&d, DT_MAX_NODES, DT_MAX_NODES), 10);
	assert_int_equal(dt_distance(&d, DT_MAX_NID, DT_MAX_NODES), DEF);
	assert_int_equal(dt_distance(&d, NUMA_NO_NODE, 0), DEF);
	assert_int_equal(dt_distance(&d, 0, NUMA_NO_NODE), DEF);
	assert_int_equal(dt_distance(&d, NUMA_NO_NODE, NUMA_NO_NODE), 10);
	assert_int_equal(dt_distance(&d, DT_MAX_NODES - 1, DT_MAX_NODES - 1), 0xaa);
}

static void test_messages_are_bounded(void **state)
{
	struct machine *m = *state;
	struct dt_distances d;
	struct tree t;
	int i;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	map(&t, "distance-map", "numa-distance-map-v1");
	tree_bytes(&t, "distance-matrix", m->text, 12 * 1000);
	tree_end(&t);
	boot_and_read(m, &t, &d);
	assert_int_equal(times_said(m, "\n"), DT_MAX_LINES + 1);
	assert_int_equal(m->info.nr_errors, 1000);
	for (i = 0; i < DT_MAX_NODES; i++)
		assert_int_equal(dt_distance(&d, i, i), 10);
}

static void test_arguments(void **state)
{
	struct machine *m = *state;
	struct dt_distances d;
	struct tree t;

	begin(&t);
	end(m, &t, &d);
	assert_int_equal(dt_read_distances(NULL, m->fdt, &d, NULL), -EMM_EINVAL);
	assert_int_equal(dt_read_distances(&m->info, NULL, &d, NULL), -EMM_EINVAL);
	assert_int_equal(dt_read_distances(&m->info, m->fdt, NULL, NULL), -EMM_EINVAL);
	assert_int_equal(dt_read_distances(&m->info, m->fdt, &d, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_full_matrix),
		machine_test(test_one_direction),
		machine_test(test_asymmetric),
		machine_test(test_invalid_entries),
		machine_test(test_length),
		machine_test(test_no_map),
		machine_test(test_which_node),
		machine_test(test_any_of_the_compatible_list),
		cmocka_unit_test(test_outside_the_matrix),
		machine_test(test_messages_are_bounded),
		machine_test(test_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
