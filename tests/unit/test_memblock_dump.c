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
	memblock_trim_memory(mb, 4096);
	expect_line(h, "memblock_trim_memory: ");
	memblock_enforce_memory_limit(mb, 0);
	expect_line(h, "memblock_enforce_memory_limit: ");
	memblock_cap_memory_range(mb, 0, 0);
	expect_line(h, "memblock_cap_memory_range: ");
	memblock_mem_limit_remove_map(mb, 0);
	expect_line(h, "memblock_mem_limit_remove_map: ");
	memblock_set_current_limit(mb, MIB(2));
	expect_line(h, "memblock_set_current_limit: 0x200000 ");
	memblock_set_bottom_up(mb, true);
	expect_line(h, "memblock_set_bottom_up: 0x1 ");
	memblock_allow_resize(mb);
	expect_line(h, "memblock_allow_resize: 0x1 ");
	memblock_place_array(mb, &mb->memory, 1, 9);
	expect_line(h, "memblock_place_array: 0x9 ");
}

/* The same of the flag calls that have not been tried above, each by its own name. */
static void debug_lines_of_flags(void **state)
{
#define flag_call(f)                                                        \
	{                                                                   \
		f, #f ": [0x0000000000100000-0x00000000001fffff] flags: 0x" \
	}
	static const struct {
		int (*f)(struct memblock *mb, phys_addr_t base, phys_addr_t size);
		const char *line;
	} call[] = {
		flag_call(memblock_mark_mirror),          flag_call(memblock_clear_mirror),
		flag_call(memblock_mark_nomap),           flag_call(memblock_clear_nomap),
		flag_call(memblock_mark_driver_managed),  flag_call(memblock_clear_driver_managed),
		flag_call(memblock_reserved_mark_noinit), flag_call(memblock_reserved_clear_noinit),
		flag_call(memblock_reserved_mark_kern),   flag_call(memblock_reserved_clear_kern),
	};
#undef flag_call
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	unsigned int i;

	mb->debug = &h->printer;
	for (i = 0; i < ARRAY_SIZE(call); i++) {
		assert_int_equal(call[i].f(mb, MIB(1), MIB(1)), 0);
		expect_line(h, call[i].line);
	}
	memblock_set_flags(mb, &mb->memory, MIB(1), MIB(1), MEMBLOCK_MIRROR);
	expect_line(h, "memblock_set_flags: [0x0000000000100000-0x00000000001fffff] flags: 0x2 ");
	memblock_clear_flags(mb, &mb->memory, MIB(1), MIB(1), MEMBLOCK_MIRROR);
	expect_line(h, "memblock_clear_flags: [0x0000000000100000-0x00000000001fffff] flags: 0x2 ");
}

/* The same of every allocation. */
static void debug_lines_of_allocations(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;
	phys_addr_t pa = 0;
	void *ptr = NULL;

	helper_memblock_arena(h, MIB(1), MIB(1));
	assert_int_equal(memblock_add(mb, MIB(1), MIB(1)), 0);
	mb->debug = &h->printer;
	memblock_phys_alloc(mb, 64, 4096, 0, MIB(2), NONE, CAUSE_METADATA, &pa);
	expect_line(h, "memblock_phys_alloc: 0x40 bytes align=0x1000 nid=-1 "
		       "from=0x0000000000000000 max_addr=0x0000000000200000 metadata ");
	memblock_phys_alloc_exact_nid(mb, 64, 8, 1, MIB(2), 3, CAUSE_METADATA, &pa);
	expect_line(h, "memblock_phys_alloc_exact_nid: 0x40 bytes align=0x8 nid=3 "
		       "from=0x0000000000000001 ");
	memblock_phys_alloc_range(mb, 64, 8, 0, MIB(2), CAUSE_FDT, &pa);
	expect_line(h, "memblock_phys_alloc_range: 0x40 bytes align=0x8 nid=-1 ");
	memblock_find_in_range(mb, 0, MIB(2), 64, 8, &pa);
	expect_line(h, "memblock_find_in_range: 0x40 bytes align=0x8 ");
	memblock_alloc(mb, 64, 0, &ptr);
	expect_line(h, "memblock_alloc: 0x40 bytes align=0x0 nid=-1 ");
	memblock_alloc_raw(mb, 64, 0, &ptr);
	expect_line(h, "memblock_alloc_raw: ");
	memblock_alloc_from(mb, 64, 0, MIB(1), &ptr);
	expect_line(h, "memblock_alloc_from: 0x40 bytes align=0x0 nid=-1 from=0x0000000000100000 ");
	memblock_alloc_low(mb, 64, 0, &ptr);
	expect_line(h, "memblock_alloc_low: ");
	memblock_alloc_node(mb, 64, 0, 2, &ptr);
	expect_line(h, "memblock_alloc_node: 0x40 bytes align=0x0 nid=2 ");
	memblock_alloc_try_nid(mb, 64, 0, 0, MIB(2), 2, &ptr);
	expect_line(h, "memblock_alloc_try_nid: 0x40 bytes align=0x0 nid=2 ");
	memblock_alloc_try_nid_raw(mb, 64, 0, 0, MIB(2), 2, &ptr);
	expect_line(h, "memblock_alloc_try_nid_raw: ");
	memblock_alloc_exact_nid_raw(mb, 64, 0, 0, MIB(2), 2, &ptr);
	expect_line(h, "memblock_alloc_exact_nid_raw: ");
	memblock_free_ptr(mb, ptr, 64);
	expect_line(h, "memblock_free_ptr: [0x");
}

/* Expect a line when an array is replaced, which says of what size and where. */
static void debug_line_of_growth(void **state)
{
	struct helper_memblock *h = helper_memblock_full(*state, 0);
	struct memblock *mb = &h->mb;
	char line[96];

	mb->debug = &h->printer;
	assert_int_equal(memblock_reserve(mb, GIB(9), 1), 0);
	snprintf(line, sizeof(line), "memblock: the reserved array has %lu entries, at 0x%016llx\n",
		 mb->reserved.max, (unsigned long long)mb->reserved_array.base);
	assert_non_null(strstr(h->out.text, line));
	assert_int_equal(memblock_place_array(mb, &mb->memory, HELPER_RAM, 500), 0);
	assert_non_null(strstr(h->out.text, "memblock: the memory array has 500 entries, at "
					    "0x0000000004000000\n"));
}

/* Expect a full array to be reported with its size and a remedy. */
static void remedies(void **state)
{
	struct helper_memblock *h = *state;
	struct memblock *mb = &h->mb;

	char full[64];

	mb->warn = &h->printer;
	helper_memblock_fill_reserved(h, 0, MIB(2), mb->reserved.max);
	assert_string_equal(h->out.text, "");
	assert_int_equal(memblock_reserve(mb, GIB(9), 1), -EMM_ENOSPC);
	snprintf(full, sizeof(full), "the reserved array is full (%d entries)",
		 INIT_MEMBLOCK_REGIONS);
	assert_non_null(strstr(h->out.text, full));
	assert_non_null(strstr(h->out.text, "memblock_allow_resize()"));
	assert_non_null(strstr(h->out.text, "INIT_MEMBLOCK_REGIONS"));
	memblock_allow_resize(mb);
	assert_int_equal(memblock_reserve(mb, GIB(9), 1), -EMM_ENOSPC);
	assert_non_null(strstr(h->out.text, "no memory is registered"));
	assert_non_null(strstr(h->out.text, "memblock_add()"));
	assert_int_equal(memblock_add(mb, 0, PAGE_SIZE), 0);
	assert_int_equal(memblock_reserve(mb, GIB(9), 1), -EMM_ENOSPC);
	assert_non_null(strstr(h->out.text, "no free memory for a larger one"));
}

/* Expect a word for each cause, without blanks, all different; also for what is no cause. */
static void cause_names(void **state)
{
	static const char *const word[NR_CAUSES] = {
		"other",     "image",    "fdt",      "initrd",  "memreserve", "reserved-memory",
		"no-map",    "memblock", "metadata", "alloc",   "init",       "bootmem",
		"hugepages", "harts",    "bad",      "partial",
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
		memblock_test(dump),
		memblock_test(dump_empty),
		memblock_test(debug_lines),
		memblock_test(debug_lines_of_flags),
		memblock_test(debug_lines_of_allocations),
		memblock_test(debug_line_of_growth),
		memblock_test(remedies),
		cmocka_unit_test(cause_names),
		cmocka_unit_test(error_sentences),
	};

	return cmocka_run_group_tests_name("memblock: reports", tests, NULL, NULL);
}
