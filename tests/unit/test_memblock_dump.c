/* SPDX-License-Identifier: BSD-2-Clause */
/* What is printed: the dump, the debug lines, the remedies, the names. */
#include "helper_memblock.h"

#include <stdio.h>
#include <string.h>

/* Expect the documented format to the letter. */
static void dump(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;

	assert_int_equal(memblock_add_node(mb, 0x80000000, 0x10000000, 0, 0), 0);
	assert_int_equal(memblock_add(mb, 0x90000000, 0x30000000), 0);
	assert_int_equal(memblock_mark_nomap(mb, 0xb0000000, 0x10000000), 0);
	assert_int_equal(memblock_reserve(mb, 0x9f600000, 0x800000), 0);
	assert_int_equal(memblock_reserve_kern(mb, 0xa0000001, 1, CAUSE_FDT), 0);
	memblock_dump(mb, &h->printer);
	assert_string_equal(
		h->out.text,
		"MEMBLOCK configuration:\n"
		" memory size = 0x0000000040000000 reserved size = 0x0000000000800001\n"
		" memory.cnt  = 0x3\n"
		" memory[0x0]\t[0x0000000080000000-0x000000008fffffff], 0x0000000010000000 bytes"
		" on node 0 flags: 0x0\n"
		" memory[0x1]\t[0x0000000090000000-0x00000000afffffff], 0x0000000020000000 bytes"
		" flags: 0x0\n"
		" memory[0x2]\t[0x00000000b0000000-0x00000000bfffffff], 0x0000000010000000 bytes"
		" flags: 0x4\n"
		" reserved.cnt  = 0x2\n"
		" reserved[0x0]\t[0x000000009f600000-0x000000009fdfffff], 0x0000000000800000 bytes"
		" flags: 0x0\n"
		" reserved[0x1]\t[0x00000000a0000001-0x00000000a0000001], 0x0000000000000001 bytes"
		" flags: 0x20 fdt\n");
}

/* Expect an empty map to be dumped without entries, and no printer to be no error. */
static void dump_empty(void **state)
{
	struct helper_memblock *h = *state;

	memblock_dump(&h->mb, NULL);
	memblock_dump(&h->mb, &h->printer);
	assert_string_equal(h->out.text,
			    "MEMBLOCK configuration:\n"
			    " memory size = 0x0000000000000000 reserved size = 0x0000000000000000\n"
			    " memory.cnt  = 0x0\n"
			    " reserved.cnt  = 0x0\n");
}

/* The line that the last call printed begins with @start and ends with its caller's address. */
static void expect_line(struct helper_memblock *h, const char *start)
{
	unsigned long long caller = 0;
	const char *at = strstr(h->out.text, "caller 0x");

	assert_memory_equal(h->out.text, start, strlen(start));
	assert_non_null(at);
	assert_int_equal(sscanf(at, "caller 0x%llx\n", &caller), 1);
	/* Within a page or two of this very function: the caller is this program, not mm/. */
	assert_in_range(caller, (uintptr_t)expect_line - 0x10000, (uintptr_t)expect_line + 0x10000);
	assert_ptr_equal(strchr(h->out.text, '\n') + 1, h->out.text + h->out.len);
	h->out.len = 0;
	h->out.text[0] = '\0';
}

/* Expect a line a call, with name, range, flags, cause and caller; and silence without debug. */
static void debug_lines(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	phys_addr_t pa;
	void *ptr;

	helper_memblock_arena(h, MIB(1), MIB(1));
	assert_int_equal(memblock_add(mb, MIB(1), MIB(1)), 0);
	assert_string_equal(h->out.text, "");
	mb->debug = &h->printer;
	memblock_add(mb, MIB(1), MIB(1));
	expect_line(h, "memblock_add: [0x0000000000100000-0x00000000001fffff] flags: 0x0 ");
	memblock_add_node(mb, MIB(1), MIB(1), 1, MEMBLOCK_NOMAP);
	expect_line(h, "memblock_add_node: [0x0000000000100000-0x00000000001fffff] flags: 0x4 ");
	memblock_remove(mb, MIB(3), MIB(1));
	expect_line(h, "memblock_remove: [0x0000000000300000-0x00000000003fffff] flags: 0x0 ");
	memblock_reserve(mb, MIB(3), MIB(1));
	expect_line(h, "memblock_reserve: [0x0000000000300000-0x00000000003fffff] flags: 0x0 ");
	memblock_reserve_cause(mb, MIB(3), MIB(1), CAUSE_FDT);
	expect_line(h, "memblock_reserve: [0x0000000000300000-0x00000000003fffff] flags: 0x0 fdt ");
	memblock_reserve_kern(mb, MIB(3), MIB(1), CAUSE_FDT);
	expect_line(h, "memblock_reserve_kern: [0x0000000000300000-");
	memblock_free(mb, MIB(3), MIB(1));
	expect_line(h, "memblock_free: [0x0000000000300000-0x00000000003fffff] ");
	memblock_mark_hotplug(mb, MIB(1), MIB(1));
	expect_line(h,
		    "memblock_mark_hotplug: [0x0000000000100000-0x00000000001fffff] flags: 0x1 ");
	memblock_clear_hotplug(mb, MIB(1), MIB(1));
	expect_line(h, "memblock_clear_hotplug: [0x0000000000100000-");
	memblock_set_node(mb, MIB(1), MIB(1), &mb->memory, NONE);
	expect_line(h, "memblock_set_node: [0x0000000000100000-");
	memblock_phys_alloc(mb, 64, 4096, 0, MIB(2), NONE, CAUSE_METADATA, &pa);
	expect_line(h, "memblock_phys_alloc: 0x40 bytes align=0x1000 nid=-1 "
		       "from=0x0000000000000000 max_addr=0x0000000000200000 metadata ");
	memblock_alloc(mb, 64, 0, &ptr);
	expect_line(h, "memblock_alloc: 0x40 bytes align=0x0 nid=-1 ");
	memblock_trim_memory(mb, 4096);
	expect_line(h, "memblock_trim_memory: ");
	memblock_enforce_memory_limit(mb, 0);
	expect_line(h, "memblock_enforce_memory_limit: ");
	memblock_cap_memory_range(mb, 0, 0);
	expect_line(h, "memblock_cap_memory_range: ");
}

/* Expect a full array to be reported with its size and a remedy. */
static void remedies(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;

	mb->warn = &h->printer;
	helper_memblock_fill_reserved(h, 0, MIB(2), mb->reserved.max);
	assert_string_equal(h->out.text, "");
	assert_int_equal(memblock_reserve(mb, GIB(9), 1), -EMM_ENOSPC);
	assert_non_null(strstr(h->out.text, "the reserved array is full (128 entries)"));
	assert_non_null(strstr(h->out.text, "memblock_allow_resize()"));
	assert_non_null(strstr(h->out.text, "INIT_MEMBLOCK_REGIONS"));
	memblock_allow_resize(mb);
	assert_int_equal(memblock_reserve(mb, GIB(9), 1), -EMM_ENOSPC);
	assert_non_null(strstr(h->out.text, "no memory is registered"));
	assert_int_equal(memblock_add(mb, 0, PAGE_SIZE), 0);
	assert_int_equal(memblock_reserve(mb, GIB(9), 1), -EMM_ENOSPC);
	assert_non_null(strstr(h->out.text, "no free memory for a larger one"));
}

/* Expect a word for each cause, without blanks, all different; also for what is no cause. */
static void cause_names(void **state)
{
	static const char *const word[NR_CAUSES] = {
		"other",     "image",    "fdt",      "initrd", "memreserve", "reserved-memory",
		"no-map",    "memblock", "metadata", "alloc",  "init",       "bootmem",
		"hugepages", "bad",      "partial",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < NR_CAUSES; i++)
		assert_string_equal(memblock_cause_name((enum memblock_cause)i), word[i]);
	assert_string_equal(memblock_cause_name(NR_CAUSES), "unknown");
	assert_string_equal(memblock_cause_name((enum memblock_cause) - 1), "unknown");
}

/* Expect a sentence for every error, all different, and for what is no error of ours. */
static void error_sentences(void **state)
{
	int i, j;

	(void)state;
	for (i = 0; i < EMM_EERRORS; i++) {
		assert_string_not_equal(emm_strerror(-i), "unknown error");
		for (j = 0; j < i; j++)
			assert_string_not_equal(emm_strerror(-i), emm_strerror(-j));
	}
	assert_string_equal(emm_strerror(0), "no error");
	assert_string_equal(emm_strerror(1), "unknown error");
	assert_string_equal(emm_strerror(-EMM_EERRORS), "unknown error");
	assert_string_equal(emm_strerror(INT32_MIN), "unknown error");
	assert_string_equal(emm_strerror(INT32_MAX), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memblock_test(dump),           memblock_test(dump_empty),
		memblock_test(debug_lines),    memblock_test(remedies),
		cmocka_unit_test(cause_names), cmocka_unit_test(error_sentences),
	};

	return cmocka_run_group_tests_name("memblock: reports", tests, NULL, NULL);
}
