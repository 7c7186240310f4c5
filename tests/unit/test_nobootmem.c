/* SPDX-License-Identifier: BSD-2-Clause */
/* nobootmem: bootmem's calls, which end in memblock, to the byte. */
#include "helper_bootmem.h"

#include <string.h>

#define BASE MIB(64)

static void set_up(struct helper_bootmem *h)
{
	assert_int_equal(memblock_add_node(&h->mb, BASE, MIB(1), 0, 0), 0);
	assert_int_equal(memblock_add_node(&h->mb, BASE + MIB(1), MIB(1), 1, 0), 0);
	nobootmem_init(&h->bm, &h->mb);
	h->bm.printer = &h->printer;
}

static void test_init(void **state)
{
	struct helper_bootmem *h = *state;

	set_up(h);
	assert_true(h->bm.nobootmem);
	assert_int_equal(h->bm.nr_nodes, 0);
	assert_int_equal(h->bm.max_dma_address, 0x100000000);
	assert_int_equal(h->bm.min_low_pfn, PFN_DOWN(BASE));
	assert_int_equal(h->bm.max_low_pfn, PFN_DOWN(BASE + MIB(2)));
	assert_int_equal(h->bm.max_pfn, PFN_DOWN(BASE + MIB(2)));
	assert_int_equal(h->bm.saved_max_pfn, PFN_DOWN(BASE + MIB(2)));
	assert_int_equal(h->bm.nr_all_pages, 512);
	memblock_init(&h->mb, &h->ram.map);
	assert_int_equal(memblock_add(&h->mb, GIB(5), MIB(1)), 0);
	nobootmem_init(&h->bm, &h->mb);
	assert_int_equal(h->bm.max_dma_address, GIB(5));
}

static void test_ranges(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;

	set_up(h);
	assert_int_equal(memblock_add_node(&h->mb, BASE + MIB(4), MIB(1), 1, MEMBLOCK_NOMAP), 0);
	assert_int_equal(reserve_bootmem(bm, BASE + 10, 100), 0);
	assert_int_equal(reserve_bootmem_node(bm, 0, BASE + 110, 20), 0);
	expect_map(&h->mb, reserved, { BASE + 10, 120, 0, NONE });
	assert_int_equal(free_bootmem(bm, BASE + 20, 10), 0);
	assert_int_equal(free_bootmem_node(bm, 0, BASE + 120, 10), 0);
	expect_map(&h->mb, reserved, { BASE + 10, 10, 0, NONE }, { BASE + 30, 90, 0, NONE });
	assert_int_equal(reserve_bootmem(bm, BASE + 15, 8), -EMM_EBUSY);
	assert_int_equal(reserve_bootmem(bm, BASE - 1, 8), -EMM_ERANGE);
	assert_int_equal(reserve_bootmem(bm, BASE, PHYS_ADDR_MAX), -EMM_ERANGE);
	assert_int_equal(reserve_bootmem(bm, BASE, 0), -EMM_EINVAL);
	assert_int_equal(reserve_bootmem_node(bm, -2, BASE, 8), -EMM_EINVAL);
	assert_int_equal(free_bootmem(bm, BASE + 15, 8), -EMM_EDOUBLE);
	assert_int_equal(free_bootmem(bm, BASE + 200, 8), -EMM_EDOUBLE);
	assert_int_equal(free_bootmem(bm, BASE - 1, 8), -EMM_ERANGE);
	assert_int_equal(free_bootmem(bm, BASE + MIB(4), 8), -EMM_ERANGE);
	assert_int_equal(free_bootmem(bm, BASE, PHYS_ADDR_MAX), -EMM_ERANGE);
	assert_int_equal(free_bootmem(bm, BASE, 0), -EMM_EINVAL);
	assert_int_equal(free_bootmem_node(bm, -2, BASE, 8), -EMM_EINVAL);
	assert_int_equal(memblock_reserve_cause(&h->mb, BASE + 1024, 64, CAUSE_MEMBLOCK), 0);
	assert_int_equal(free_bootmem(bm, BASE + 1032, 8), -EMM_EBUSY);
	expect_map(&h->mb, reserved, { BASE + 10, 10, 0, NONE }, { BASE + 30, 90, 0, NONE },
		   { BASE + 1024, 64, RSRV(CAUSE_MEMBLOCK), NONE });
	/* There are no nodes to work on. */
	assert_int_equal(init_bootmem_node(bm, 0, 1024, 16, 32, NULL), -EMM_EINVAL);
	assert_int_equal(reserve_bootmem_core(bm, h->bdata, BASE, 8), -EMM_EINVAL);
	assert_int_equal(free_bootmem_core(bm, h->bdata, BASE, 8), -EMM_EINVAL);
	assert_int_equal(__alloc_bootmem_core(bm, h->bdata, 8, 8, 0, PHYS_ADDR_MAX,
					      &(phys_addr_t){ 0 }),
			 -EMM_EINVAL);
	assert_int_equal(alloc_remap(bm, 0, 8, &(phys_addr_t){ 0 }), -EMM_ENOENT);
}

static void test_alloc(void **state)
{
	struct helper_bootmem *h = *state;
	struct bootmem *bm = &h->bm;
	phys_addr_t pa = 1;

	set_up(h);
	/* Top-down, the goal above all memory given up; zeroed to the byte. */
	assert_int_equal(alloc_bootmem(bm, 100, &pa), 0);
	assert_int_equal(pa, BASE + MIB(2) - 128);
	assert_true(helper_ram_is(&h->ram, pa, 100, 0));
	assert_true(helper_ram_is(&h->ram, pa + 100, 28, ARENA_FILL));
	assert_int_equal(alloc_bootmem_node(bm, 0, 64, &pa), 0);
	assert_int_equal(pa, BASE + MIB(1) - 64);
	expect_map(&h->mb, reserved, { BASE + MIB(1) - 64, 64, ALLOC(CAUSE_ALLOC), NONE },
		   { BASE + MIB(2) - 128, 100, ALLOC(CAUSE_ALLOC), NONE });
	memblock_set_bottom_up(&h->mb, true);
	assert_int_equal(alloc_bootmem_low_pages(bm, 1, &pa), 0);
	assert_int_equal(pa, BASE);
	assert_int_equal(__alloc_bootmem(bm, 8, 0, BASE + MIB(1) + 8, &pa), 0);
	assert_int_equal(pa, BASE + MIB(1) + 64);
	/* The limit is hard, the goal is not. */
	assert_int_equal(__alloc_bootmem_limit(bm, 8, 8, BASE + MIB(1), BASE + MIB(1), &pa), 0);
	assert_int_equal(pa, BASE + 8);
	assert_int_equal(alloc_bootmem_limit(bm, MIB(1), BASE + MIB(1), &pa), -EMM_ENOMEM);
	assert_string_equal(h->out.text, "bootmem alloc of 0x100000 bytes failed!\n");
	assert_int_equal(alloc_bootmem(bm, 0, &pa), -EMM_EINVAL);
	assert_int_equal(__alloc_bootmem(bm, 8, 3, 0, &pa), -EMM_EINVAL);
	assert_int_equal(alloc_bootmem_node(bm, -2, 8, &pa), -EMM_EINVAL);
	assert_int_equal(pa, BASE + 8);
}

/* Out of reach: the block that was found between two others is free again, without growth. */
static void test_unreachable(void **state)
{
	struct helper_bootmem *h = *state;
	struct helper_snapshot was;
	phys_addr_t pa = 1;

	set_up(h);
	memblock_set_bottom_up(&h->mb, true);
	assert_int_equal(memblock_reserve_kern(&h->mb, BASE, 64, CAUSE_ALLOC), 0);
	assert_int_equal(memblock_reserve_kern(&h->mb, BASE + 128, 64, CAUSE_ALLOC), 0);
	for (uint64_t i = 0; h->mb.reserved.cnt < h->mb.reserved.max; i++)
		assert_int_equal(memblock_reserve(&h->mb, PAGES(100 + 2 * i), 1), 0);
	h->mb.can_resize = false;
	helper_snapshot_take(&was, &h->mb);
	h->ram.unreachable = true;
	assert_int_equal(alloc_bootmem(&h->bm, 64, &pa), -EMM_EFAULT);
	h->bm.map = NULL;
	assert_int_equal(alloc_bootmem(&h->bm, 64, &pa), -EMM_EFAULT);
	assert_int_equal(pa, 1);
	helper_snapshot_check(&was, &h->mb);
}

/* By node nothing happens; then all at once, like memblock_free_all(). */
static void test_free_all(void **state)
{
	struct helper_bootmem *h = *state;
	struct mm_audit audit;
	phys_addr_t pa = 1;

	set_up(h);
	assert_int_equal(reserve_bootmem(&h->bm, BASE + 8, 8), 0);
	assert_int_equal(free_all_bootmem(&h->bm, &h->mm), -EMM_ESTATE);
	helper_ready(&h->mm, &h->mb, 0, UINT64_MAX, PAGES(0x8000));
	assert_int_equal(free_all_bootmem_node(&h->bm, &h->mm, -2), -EMM_EINVAL);
	assert_int_equal(free_all_bootmem_node(&h->bm, &h->mm, 1), 0);
	assert_int_equal(h->mm.state, MM_READY);
	assert_int_equal(free_all_bootmem(&h->bm, &h->mm), 0);
	assert_int_equal(h->mm.state, MM_HANDED_OVER);
	assert_int_equal(mm_audit(&h->mm, &h->mb, 0, &audit), 0);
	assert_int_equal(audit.managed, 511);
	assert_int_equal(free_all_bootmem(&h->bm, &h->mm), -EMM_ESTATE);
	assert_int_equal(alloc_bootmem(&h->bm, 8, &pa), -EMM_ESTATE);
	assert_int_equal(reserve_bootmem(&h->bm, BASE + 80, 8), -EMM_ESTATE);
	assert_int_equal(free_bootmem(&h->bm, BASE + 8, 8), -EMM_ESTATE);
	assert_int_equal(h->mb.reserved.cnt, 1);
}

static void test_hash(void **state)
{
	struct helper_bootmem *h = *state;
	struct system_hash table;

	set_up(h);
	assert_int_equal(alloc_large_system_hash(&h->bm, "Test", 8, 0, 12, 0, &table), 0);
	assert_int_equal(table.shift, 9);
	assert_int_equal(table.table, BASE + MIB(2) - 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bootmem_test(test_init),     bootmem_test(test_ranges),
		bootmem_test(test_alloc),    bootmem_test(test_unreachable),
		bootmem_test(test_free_all), bootmem_test(test_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
