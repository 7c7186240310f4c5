/* SPDX-License-Identifier: BSD-2-Clause */
/* dt_find_compatible(): the first enabled device, through the ranges of its parents. */
#include "test.h"

#include "helper_dt.h"

#include <earlymm/error.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

static void device(struct tree *t, const char *compatible, uint64_t base, uint64_t size)
{
	tree_node(t, "device");
	tree_string(t, "compatible", compatible);
	tree_reg(t, "reg", base, size);
	tree_end(t);
}

/* Begins a bus with cells of its own and a ranges property of @len bytes; NULL: none. */
static void bus(struct tree *t, int cells, const void *ranges, int len)
{
	tree_node(t, "bus");
	tree_u32(t, "#address-cells", (uint32_t)cells);
	tree_u32(t, "#size-cells", (uint32_t)cells);
	tree_cells(t, cells, cells);
	if (ranges)
		tree_bytes(t, "ranges", ranges, len);
}

static int find(void *fdt, const char *compatible, phys_addr_t *base, phys_addr_t *size)
{
	int ret;

	*base = *size = 1;
	assert_int_equal(dt_check(fdt, NULL), 0);
	ret = dt_find_compatible(fdt, compatible, base, size);
	if (ret) {
		assert_int_equal(*base, 1);
		assert_int_equal(*size, 1);
	}
	free(fdt);
	return ret;
}

static void *test_device_tree(void)
{
	struct tree t;

	tree_begin(&t);
	tree_root(&t, 2);
	bus(&t, 2, "", 0);
	tree_node(&t, "test@100000");
	tree_bytes(&t, "compatible", "sifive,test1\0sifive,test0\0syscon", 33);
	tree_reg(&t, "reg", 0x100000, 0x1000, 0x200000, 0x2000);
	tree_end(&t);
	tree_end(&t);
	return tree_finish(&t);
}

static void test_any_of_the_list(void **state)
{
	phys_addr_t base, size;

	(void)state;
	assert_int_equal(find(test_device_tree(), "sifive,test1", &base, &size), 0);
	assert_int_equal(base, 0x100000);
	assert_int_equal(size, 0x1000);
	assert_int_equal(find(test_device_tree(), "sifive,test0", &base, &size), 0);
	assert_int_equal(find(test_device_tree(), "syscon", &base, &size), 0);
	assert_int_equal(find(test_device_tree(), "sifive,test", &base, &size), -EMM_ENOENT);
	assert_int_equal(find(test_device_tree(), "test1", &base, &size), -EMM_ENOENT);
	assert_int_equal(find(test_device_tree(), "sysco", &base, &size), -EMM_ENOENT);
	assert_int_equal(find(test_device_tree(), "syscon2", &base, &size), -EMM_ENOENT);
}

static void test_compatible_without_end(void **state)
{
	phys_addr_t base, size;
	struct tree t;

	(void)state;
	tree_begin(&t);
	tree_root(&t, 2);
	tree_node(&t, "device");
	tree_bytes(&t, "compatible", "a\0abc", 5);
	tree_reg(&t, "reg", 0x1000, 0x100);
	tree_end(&t);
	assert_int_equal(find(tree_finish(&t), "abc", &base, &size), -EMM_ENOENT);
}

static void test_first_enabled(void **state)
{
	phys_addr_t base, size;
	struct tree t;

	(void)state;
	tree_begin(&t);
	tree_root(&t, 2);
	tree_node(&t, "off");
	tree_string(&t, "compatible", "x");
	tree_string(&t, "status", "disabled");
	tree_reg(&t, "reg", 0x1000, 0x100);
	tree_end(&t);
	bus(&t, 2, "", 0);
	tree_string(&t, "status", "disabled");
	device(&t, "x", 0x2000, 0x100);
	bus(&t, 2, "", 0);
	device(&t, "x", 0x3000, 0x100);
	tree_end(&t);
	tree_end(&t);
	device(&t, "x", 0x4000, 0x100);
	device(&t, "x", 0x5000, 0x100);
	assert_int_equal(find(tree_finish(&t), "x", &base, &size), 0);
	assert_int_equal(base, 0x4000);
}

/* On a bus of one cell inside one of two: the CPU's address is two translations away. */
static void test_translation(void **state)
{
	const uint32_t outer[] = { 0,
				   cpu_to_fdt32(0x10000000),
				   cpu_to_fdt32(1),
				   0,
				   0,
				   cpu_to_fdt32(0x10000000),
				   0,
				   cpu_to_fdt32(0x4000),
				   0,
				   cpu_to_fdt32(0x8000),
				   0,
				   cpu_to_fdt32(0x1000) };
	const uint32_t inner[] = { 0,
				   0,
				   cpu_to_fdt32(0x10000000),
				   cpu_to_fdt32(0x1000),
				   cpu_to_fdt32(0x2000),
				   0,
				   cpu_to_fdt32(0x4000),
				   cpu_to_fdt32(0x800) };
	static const struct {
		uint64_t at;
		phys_addr_t cpu;
	} cases[] = {
		{ 0, 0x100000000 }, { 0xfff, 0x100000fff }, { 0x2000, 0x8000 }, { 0x27ff, 0x87ff }
	};
	phys_addr_t base, size;
	struct tree t;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		tree_begin(&t);
		tree_root(&t, 2);
		bus(&t, 2, outer, sizeof(outer));
		bus(&t, 1, inner, sizeof(inner));
		device(&t, "x", cases[i].at, 0x10);
		tree_end(&t);
		tree_end(&t);
		assert_int_equal(find(tree_finish(&t), "x", &base, &size), 0);
		assert_int_equal(base, cases[i].cpu);
		assert_int_equal(size, 0x10);
	}
}

/* No ranges, none that covers the address, bad cells, no reg: the search goes on. */
static void test_not_translatable(void **state)
{
	const uint32_t ranges[] = { 0, cpu_to_fdt32(0x1000), 0, cpu_to_fdt32(0x1000),
				    0, cpu_to_fdt32(0x1000) };
	phys_addr_t base, size;
	struct tree t;
	int found;

	(void)state;
	for (found = 0; found < 2; found++) {
		tree_begin(&t);
		tree_root(&t, 2);
		bus(&t, 2, NULL, 0);
		device(&t, "x", 0x1000, 0x100);
		tree_end(&t);
		bus(&t, 2, ranges, sizeof(ranges));
		device(&t, "x", 0xfff, 0x100);
		device(&t, "x", 0x2000, 0x100);
		tree_end(&t);
		tree_node(&t, "pci");
		tree_u32(&t, "#address-cells", 3);
		tree_flag(&t, "ranges");
		device(&t, "x", 0x3000, 0x100);
		tree_end(&t);
		tree_node(&t, "device");
		tree_string(&t, "compatible", "x");
		tree_u64(&t, "reg", 0x4000);
		tree_end(&t);
		tree_node(&t, "device");
		tree_string(&t, "compatible", "x");
		tree_end(&t);
		if (found)
			device(&t, "x", 0x5000, 0x100);
		assert_int_equal(find(tree_finish(&t), "x", &base, &size), found ? 0 : -EMM_ENOENT);
		assert_int_equal(base, found ? 0x5000 : 1);
	}
}

static void test_root_itself(void **state)
{
	phys_addr_t base, size;
	struct tree t;

	(void)state;
	tree_begin(&t);
	tree_root(&t, 2);
	tree_string(&t, "compatible", "x");
	tree_reg(&t, "reg", 0x1000, 0x1000);
	assert_int_equal(find(tree_finish(&t), "x", &base, &size), -EMM_ENOENT);
}

static void test_damaged(void **state)
{
	phys_addr_t base, size;
	char *fdt = test_device_tree();
	fdt32_t *last;

	(void)state;
	last = (fdt32_t *)(void *)(fdt + fdt_off_dt_struct(fdt) + fdt_size_dt_struct(fdt) - 4);
	*last = 0;
	assert_int_equal(find(fdt, "y", &base, &size), -EMM_EBADTREE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_of_the_list),
		cmocka_unit_test(test_compatible_without_end),
		cmocka_unit_test(test_first_enabled),
		cmocka_unit_test(test_translation),
		cmocka_unit_test(test_not_translatable),
		cmocka_unit_test(test_root_itself),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
