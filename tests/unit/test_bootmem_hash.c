/* SPDX-License-Identifier: BSD-2-Clause */
/* Large hash tables and remap space. */
#include "helper_bootmem.h"

#include <string.h>

static int hash(struct helper_bootmem *h, uint64_t bucketsize, uint64_t numentries,
		unsigned int scale, uint64_t limit, struct system_hash *table)
{
	memset(table, 0xee, sizeof(*table));
	h->out.len = 0;
	h->out.text[0] = '\0';
	return alloc_large_system_hash(&h->bm, "Test", bucketsize, numentries, scale, limit, table);
}

static void expect_hash(struct helper_bootmem *h, const struct system_hash *table,
			unsigned int shift, uint64_t bytes)
{
	assert_int_equal(table->shift, shift);
	assert_int_equal(table->mask, (1ULL << shift) - 1);
	assert_int_equal(table->bytes, bytes);
	assert_true(helper_ram_is(&h->ram, table->table, bytes, 0));
	assert_true(helper_is_reserved(&h->bm, PFN_DOWN(table->table)));
}

/* 3000 pages of memory, rounded up to 12 MiB for the number of buckets. */
static void set_up(struct helper_bootmem *h)
{
	assert_int_equal(memblock_add(&h->mb, PAGES(16), PAGES(3000)), 0);
	assert_int_equal(do_init_bootmem(&h->bm, &h->mb), 0);
	h->bm.printer = &h->printer;
}

static void test_sizes(void **state)
{
	struct helper_bootmem *h = *state;
	struct system_hash t;

	set_up(h);
	/* As many as asked for, a power of two upwards. */
	assert_int_equal(hash(h, 16, 100, 0, 0, &t), 0);
	expect_hash(h, &t, 7, 2048);
	assert_string_equal(h->out.text, "Test hash table entries: 128 (order: -1, 2048 bytes)\n");
	assert_int_equal(hash(h, 8, 1024, 0, 0, &t), 0);
	expect_hash(h, &t, 10, 8192);
	assert_string_equal(h->out.text, "Test hash table entries: 1024 (order: 1, 8192 bytes)\n");
	assert_int_equal(hash(h, 8, 1, 0, 0, &t), 0);
	expect_hash(h, &t, 0, 8);
	/* A bucket for 16 KiB, for 512 bytes: 768, 24576. */
	assert_int_equal(hash(h, 8, 0, 14, 0, &t), 0);
	expect_hash(h, &t, 10, 8192);
	assert_int_equal(hash(h, 8, 0, 9, 0, &t), 0);
	expect_hash(h, &t, 15, 262144);
	assert_int_equal(hash(h, 8, 0, 63, 0, &t), 0);
	expect_hash(h, &t, 0, 8);
	/* A bucket for each MiB of memory that was begun. */
	h->bm.nr_all_pages = 2049;
	assert_int_equal(hash(h, 8, 0, 20, 0, &t), 0);
	expect_hash(h, &t, 4, 128);
	h->bm.nr_all_pages = 2048;
	assert_int_equal(hash(h, 8, 0, 20, 0, &t), 0);
	expect_hash(h, &t, 3, 64);
	h->bm.nr_all_pages = 3000;
	/* No more than the limit, and no more than a sixteenth of memory: 768000 bytes. */
	assert_int_equal(hash(h, 8, 0, 9, 5000, &t), 0);
	expect_hash(h, &t, 12, 32768);
	assert_int_equal(hash(h, 8, 1 << 20, 0, 0, &t), 0);
	expect_hash(h, &t, 16, 524288);
	assert_int_equal(hash(h, 8, UINT64_MAX, 0, 0, &t), 0);
	expect_hash(h, &t, 16, 524288);
	assert_int_equal(hash(h, 1000, 3, 0, 0, &t), 0);
	expect_hash(h, &t, 2, 4000);
}

/* Half as large if there is no room, down to a page. */
static void test_no_room(void **state)
{
	struct helper_bootmem *h = *state;
	struct system_hash t;
	phys_addr_t pa;

	set_up(h);
	/* 40 pages are left. */
	assert_int_equal(alloc_bootmem_low_pages(&h->bm, PAGES(3000 - 40 - 1), &pa), 0);
	assert_int_equal(hash(h, 8, 1 << 16, 0, 1 << 16, &t), 0);
	expect_hash(h, &t, 14, PAGES(32));
	assert_string_equal(h->out.text,
			    "bootmem alloc of 0x80000 bytes failed!\n"
			    "bootmem alloc of 0x40000 bytes failed!\n"
			    "Test hash table entries: 16384 (order: 5, 131072 bytes)\n");
	/* Larger than the address space: halved until it is not. */
	assert_int_equal(hash(h, 1ULL << 12, 1ULL << 60, 0, UINT64_MAX, &t), 0);
	expect_hash(h, &t, 3, PAGES(8));
	assert_int_equal(hash(h, 2048, 1 << 16, 0, 1 << 16, &t), -EMM_ENOMEM);
	assert_int_equal(t.shift, 0xeeeeeeee);
	assert_non_null(strstr(h->out.text, "bootmem alloc of 0x1000 bytes failed!\n"));
	assert_null(strstr(h->out.text, "bootmem alloc of 0x800 bytes failed!\n"));
	assert_int_equal(hash(h, PAGES(1), 1, 0, 1, &t), -EMM_ENOMEM);
}

static void test_hash_errors(void **state)
{
	struct helper_bootmem *h = *state;
	struct system_hash t;

	set_up(h);
	assert_int_equal(hash(h, 0, 1, 0, 0, &t), -EMM_EINVAL);
	assert_int_equal(hash(h, 8, 0, 64, 0, &t), -EMM_EINVAL);
	/* One bucket is more than a sixteenth of memory. */
	assert_int_equal(hash(h, 768001, 1, 0, 0, &t), -EMM_ENOMEM);
	assert_int_equal(hash(h, 768000, 1, 0, 0, &t), 0);
	h->ram.unreachable = true;
	assert_int_equal(hash(h, 8, 1, 0, 0, &t), -EMM_EFAULT);
	assert_int_equal(t.bytes, 0xeeeeeeeeeeeeeeee);
}

/*
 *   frames  16  17  18  19        node 1's remap space is [17, 18.5)
 *           .   R   R   .
 */
static void test_remap(void **state)
{
	struct helper_bootmem *h = *state;
	phys_addr_t pa = 1;

	assert_int_equal(init_bootmem_node(&h->bm, 0, 1024, 8, 12, NULL), 0);
	assert_int_equal(init_bootmem_node(&h->bm, 1, 1025, 16, 20, NULL), 0);
	h->bdata[1].remap_base = PAGES(17);
	h->bdata[1].remap_end = PAGES(18) + 2048;
	assert_int_equal(alloc_remap(&h->bm, 0, 8, &pa), -EMM_ENOENT);
	assert_int_equal(alloc_remap(&h->bm, 2, 8, &pa), -EMM_ENOENT);
	assert_int_equal(alloc_remap(&h->bm, 1, 0, &pa), -EMM_EINVAL);
	assert_int_equal(alloc_remap(&h->bm, 1, PHYS_ADDR_MAX, &pa), -EMM_EINVAL);
	assert_int_equal(alloc_remap(&h->bm, 1, 6145, &pa), -EMM_ENOMEM);
	assert_int_equal(pa, 1);
	assert_int_equal(alloc_remap(&h->bm, 1, 1, &pa), 0);
	assert_int_equal(pa, PAGES(17));
	assert_true(helper_ram_is(&h->ram, pa, 1, 0));
	assert_true(helper_ram_is(&h->ram, pa + 1, 100, ARENA_FILL));
	assert_int_equal(alloc_remap(&h->bm, 1, 65, &pa), 0);
	assert_int_equal(pa, PAGES(17) + SMP_CACHE_BYTES);
	assert_true(helper_ram_is(&h->ram, pa, 65, 0));
	h->ram.unreachable = true;
	assert_int_equal(alloc_remap(&h->bm, 1, 1, &pa), -EMM_EFAULT);
	h->ram.unreachable = false;
	assert_int_equal(alloc_remap(&h->bm, 1, 6144 - 3 * SMP_CACHE_BYTES, &pa), 0);
	assert_int_equal(pa, PAGES(17) + 3 * SMP_CACHE_BYTES);
	assert_int_equal(alloc_remap(&h->bm, 1, 1, &pa), -EMM_ENOMEM);
	/* Nonsense in the fields is not a large space. */
	h->bdata[1].remap_base = PAGES(30);
	assert_int_equal(alloc_remap(&h->bm, 1, 1, &pa), -EMM_ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		bootmem_test(test_sizes),
		bootmem_test(test_no_room),
		bootmem_test(test_hash_errors),
		bootmem_test(test_remap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
