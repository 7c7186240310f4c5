/* SPDX-License-Identifier: BSD-2-Clause */
/* The blob: what dt_check() and dt_walk() accept, and what they say about the rest. */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

static void *plain_tree(void)
{
	struct tree t;

	tree_begin(&t);
	tree_memreserve(&t, 0x90000000, 0x1000);
	tree_root(&t, 2);
	tree_string(&t, "model", "plain");
	tree_memory(&t, 0x80000000, GIB(1));
	tree_node(&t, "soc");
	tree_u32(&t, "some-property", 1);
	tree_end(&t);
	return tree_finish(&t);
}

/* The word at @offset of the structure block. */
static fdt32_t *struct_word(void *fdt, int offset)
{
	return (fdt32_t *)(void *)((char *)fdt + fdt_off_dt_struct(fdt) + offset);
}

/* Offset of the first tag of @kind at or after @from. */
static int find_tag(const void *fdt, uint32_t kind, int from)
{
	int next;

	while (fdt_next_tag(fdt, from, &next) != kind) {
		assert_true(next > from);
		from = next;
	}
	return from;
}

static void refused(struct machine *m, void *fdt, const char *message)
{
	assert_int_equal(machine_load(m, fdt), -EMM_EBADTREE);
	assert_true(said(m, message));
	assert_int_equal(m->mb.memory.cnt, 0);
}

static void test_good_tree(void **state)
{
	struct machine *m = *state;

	machine_boot(m, plain_tree());
	assert_string_equal(m->text, "");
	assert_int_equal(m->info.nr_errors, 0);
	assert_string_equal(m->info.model, "plain");
	assert_int_equal(m->info.totalsize, fdt_totalsize(m->fdt));
}

static void test_no_tree(void **state)
{
	struct machine *m = *state;
	uint64_t zeros[8] = { 0 };

	assert_int_equal(dt_check(NULL, &m->out), -EMM_EBADTREE);
	assert_int_equal(dt_check(zeros, NULL), -EMM_EBADTREE);
	assert_int_equal(dt_check(zeros, &m->out), -EMM_EBADTREE);
	assert_true(said(m, "bad magic 0x00000000 at 0x"));
}

static void test_alignment(void **state)
{
	struct machine *m = *state;
	char *fdt = plain_tree(), *moved = malloc(fdt_totalsize(fdt) + 8);
	uint32_t size = fdt_totalsize(fdt);

	assert_non_null(moved);
	memcpy(moved + 4, fdt, size);
	assert_int_equal(dt_check(moved + 4, &m->out), -EMM_EBADTREE);
	assert_true(said(m, "not an 8-byte aligned address"));
	memmove(moved + 8, moved + 4, size);
	assert_int_equal(dt_check(moved + 8, &m->out), 0);
	free(moved);
	free(fdt);
}

static void test_version(void **state)
{
	struct machine *m = *state;
	void *fdt = plain_tree();

	fdt_set_version(fdt, 16);
	refused(m, fdt, "tree of version 16 (compatible with 16)");
	fdt = plain_tree();
	fdt_set_version(fdt, 18);
	fdt_set_last_comp_version(fdt, 18);
	refused(m, fdt, "tree of version 18 (compatible with 18)");
	fdt = plain_tree();
	fdt_set_version(fdt, 18);
	fdt_set_last_comp_version(fdt, 17);
	machine_boot(m, fdt);
}

/* Nothing beyond the header may be read for these. */
static void test_total_size(void **state)
{
	static const uint32_t sizes[] = { 0, 39, DT_MAX_SIZE + 1, 0x80000000, 0xffffffff };
	struct machine *m = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *header = malloc(FDT_V17_SIZE), *fdt = plain_tree();

		assert_non_null(header);
		memcpy(header, fdt, FDT_V17_SIZE);
		free(fdt);
		fdt_set_totalsize(header, sizes[i]);
		refused(m, header, "bytes at 0x");
		assert_true(said(m, "0x28 to 0x1000000 are accepted"));
	}
}

static void test_block_offsets(void **state)
{
	static const uint32_t offsets[] = { 0, 36, 41, 0x7fffffff, 0xfffffff8, 0xffffffff };
	struct machine *m = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		void *fdt = plain_tree();

		fdt_set_off_mem_rsvmap(fdt, offsets[i]);
		refused(m, fdt, "memory reservation block at offset");
		fdt = plain_tree();
		fdt_set_off_dt_struct(fdt, offsets[i]);
		refused(m, fdt, "structure block at offset");
		fdt = plain_tree();
		fdt_set_off_dt_strings(fdt, offsets[i] == 41 ? 39 : offsets[i]);
		refused(m, fdt, "strings block at offset");
	}
}

static void test_block_sizes(void **state)
{
	struct machine *m = *state;
	void *fdt = plain_tree();

	fdt_set_size_dt_struct(fdt, fdt_totalsize(fdt) - fdt_off_dt_struct(fdt) + 4);
	refused(m, fdt, "structure block at offset");
	fdt = plain_tree();
	fdt_set_size_dt_strings(fdt, fdt_size_dt_strings(fdt) + 1);
	refused(m, fdt, "strings block at offset");
	fdt = plain_tree();
	fdt_set_size_dt_strings(fdt, 0xffffffff);
	refused(m, fdt, "strings block at offset");
	fdt = plain_tree();
	fdt_set_off_dt_struct(fdt, fdt_off_mem_rsvmap(fdt));
	refused(m, fdt, "memory reservation block and structure block overlap");
	fdt = plain_tree();
	fdt_set_size_dt_struct(fdt, fdt_size_dt_struct(fdt) + 4);
	refused(m, fdt, "structure block and strings block overlap");
}

static void test_strings_without_end(void **state)
{
	struct machine *m = *state;
	char *fdt = plain_tree();

	fdt[fdt_off_dt_strings(fdt) + fdt_size_dt_strings(fdt) - 1] = 'x';
	refused(m, fdt, "the strings block does not end in NUL");
}

static void test_memreserve_without_end(void **state)
{
	struct machine *m = *state;
	char *fdt = plain_tree();

	/* The terminator becomes an entry: the structure block would be read as entries. */
	fdt[fdt_off_mem_rsvmap(fdt) + 16] = 1;
	refused(m, fdt, "/memreserve/ has no end after 2 entries");
}

static void test_memreserve_entry_of_size_0(void **state)
{
	struct machine *m = *state;
	struct tree t;

	/* Only an entry that is all zero ends the list. */
	tree_begin(&t);
	tree_memreserve(&t, 0x90000000, 0);
	tree_memreserve(&t, 0x91000000, 0x1000);
	tree_root(&t, 2);
	tree_memory(&t, 0x80000000, GIB(1));
	machine_boot(m, tree_finish(&t));
	assert_int_equal(m->info.nr_memreserve, 2);
	expect_reserved(m, { 0x91000000, 0x1000, 0, 0, CAUSE_MEMRESERVE });
}

static void test_no_root(void **state)
{
	struct machine *m = *state;
	void *fdt = plain_tree();

	*struct_word(fdt, 0) = cpu_to_fdt32(FDT_END);
	refused(m, fdt,
		"no root node at offset 0x0 of the structure block (before the first node)");
	fdt = plain_tree();
	*struct_word(fdt, 0) = cpu_to_fdt32(FDT_END_NODE);
	refused(m, fdt, "end of a node that was not begun at offset 0x0");
}

static void test_unknown_tag(void **state)
{
	struct machine *m = *state;
	void *fdt = plain_tree();

	*struct_word(fdt, find_tag(fdt, FDT_END_NODE, 0)) = cpu_to_fdt32(7);
	refused(m, fdt, "damaged or cut off at offset 0x");
	assert_true(said(m, "(in or after node memory@80000000)"));
}

static void test_tree_ends_inside_node(void **state)
{
	struct machine *m = *state;
	void *fdt = plain_tree();

	*struct_word(fdt, find_tag(fdt, FDT_END_NODE, 0)) = cpu_to_fdt32(FDT_END);
	refused(m, fdt, "end of the tree inside a node");
}

static void test_second_root(void **state)
{
	struct machine *m = *state;
	struct tree t;
	void *fdt;
	int begin;

	/* root { first { } second { } }: closing the root early leaves second beside it. */
	tree_begin(&t);
	tree_root(&t, 2);
	tree_node(&t, "a");
	tree_end(&t);
	tree_node(&t, "b");
	tree_end(&t);
	fdt = tree_finish(&t);
	begin = find_tag(fdt, FDT_END_NODE, 0) + 4;
	memmove(struct_word(fdt, begin + 4), struct_word(fdt, begin), 12);
	*struct_word(fdt, begin) = cpu_to_fdt32(FDT_END_NODE);
	refused(m, fdt, "second root node");
	assert_true(said(m, "node b"));
}

static void test_property_after_child(void **state)
{
	struct machine *m = *state;
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	tree_node(&t, "child");
	tree_end(&t);
	tree_u32(&t, "late", 1);
	refused(m, tree_finish(&t), "property after a child node");
}

static void test_property_outside(void **state)
{
	struct machine *m = *state;
	struct tree t;
	void *fdt;
	int prop;

	tree_begin(&t);
	tree_root(&t, 0);
	tree_u32(&t, "x", 1);
	fdt = tree_finish(&t);
	prop = find_tag(fdt, FDT_PROP, 0);
	memset(struct_word(fdt, 0), 0, (size_t)prop);
	*struct_word(fdt, 0) = *struct_word(fdt, 4) = cpu_to_fdt32(FDT_NOP);
	refused(m, fdt, "property outside any node");
}

static void test_property_length(void **state)
{
	static const uint32_t lengths[] = { 0x1000,     0x7fffffff, 0xfffffff0,
					    0xfffffff4, 0xfffffff8, 0xffffffff };
	struct machine *m = *state;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		void *fdt = plain_tree();

		*struct_word(fdt, find_tag(fdt, FDT_PROP, 0) + 4) = cpu_to_fdt32(lengths[i]);
		refused(m, fdt, "damaged tree: ");
	}
}

static void test_property_name(void **state)
{
	struct machine *m = *state;
	void *fdt = plain_tree();
	/* Of a node that nobody asks anything. */
	int prop = find_tag(fdt, FDT_PROP, find_tag(fdt, FDT_END_NODE, 0));

	*struct_word(fdt, prop + 8) = cpu_to_fdt32(fdt_size_dt_strings(fdt));
	refused(m, fdt, "property name outside the strings block");
	assert_true(said(m, "node soc"));
}

static void test_depth(void **state)
{
	struct machine *m = *state;
	struct tree t;
	int extra, i;

	for (extra = 0; extra < 2; extra++) {
		tree_begin(&t);
		tree_root(&t, 2);
		for (i = 1; i < DT_MAX_DEPTH + extra; i++)
			tree_node(&t, "n");
		for (i = 1; i < DT_MAX_DEPTH + extra; i++)
			tree_end(&t);
		tree_memory(&t, 0x80000000, GIB(1));
		if (extra)
			refused(m, tree_finish(&t), "nodes nested too deeply");
		else
			machine_boot(m, tree_finish(&t));
		machine_free(m);
		machine_init(m);
	}
}

static void test_root_cells(void **state)
{
	static const char *const names[] = { "#address-cells", "#size-cells" };
	static const uint32_t bad[] = { 0, 3, 4, 0x01000000, 0xffffffff };
	struct machine *m = *state;
	struct tree t;
	size_t i;

	for (i = 0; i < 2 * ARRAY_SIZE(bad); i++) {
		tree_begin(&t);
		tree_root(&t, 0);
		tree_u32(&t, names[i % 2], bad[i / 2]);
		tree_u32(&t, names[1 - i % 2], 2);
		refused(m, tree_finish(&t),
			"#address-cells and #size-cells of the root are not 1 or 2");
	}
	tree_begin(&t);
	tree_root(&t, 0);
	tree_u64(&t, "#size-cells", 1);
	refused(m, tree_finish(&t), "of the root are not 1 or 2");
}

/* A tree's name and data are not trusted to be fit for a terminal. */
static void test_messages_print(void **state)
{
	struct machine *m = *state;
	void *fdt = plain_tree();
	int tag = find_tag(fdt, FDT_BEGIN_NODE, 8);

	memcpy(struct_word(fdt, tag + 4), "\x1b[2J", 4);
	*struct_word(fdt, find_tag(fdt, FDT_END_NODE, 0)) = cpu_to_fdt32(7);
	refused(m, fdt, "node ?[2J");
	assert_null(strchr(m->text, '\x1b'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_good_tree),
		machine_test(test_no_tree),
		machine_test(test_alignment),
		machine_test(test_version),
		machine_test(test_total_size),
		machine_test(test_block_offsets),
		machine_test(test_block_sizes),
		machine_test(test_strings_without_end),
		machine_test(test_memreserve_without_end),
		machine_test(test_memreserve_entry_of_size_0),
		machine_test(test_no_root),
		machine_test(test_unknown_tag),
		machine_test(test_tree_ends_inside_node),
		machine_test(test_second_root),
		machine_test(test_property_after_child),
		machine_test(test_property_outside),
		machine_test(test_property_length),
		machine_test(test_property_name),
		machine_test(test_depth),
		machine_test(test_root_cells),
		machine_test(test_messages_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
