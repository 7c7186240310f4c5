/* SPDX-License-Identifier: BSD-2-Clause */
/* What harts are said to have: nothing that is odd may pass for an extension. */
#include "test.h"

#include "helper_dt.h"

#include <stdlib.h>
#include <string.h>

#define ALL  DT_ISA_ZB
#define NONE 0U

/* The value of riscv,isa and of riscv,isa-extensions; NULL: without. A list has its length. */
struct hart {
	const char *isa;
	const char *list;
	int list_len;
	const char *status;
};

static void hart(struct tree *t, uint32_t id, const struct hart *h)
{
	tree_node(t, id ? "cpu@1" : "cpu@0");
	tree_string(t, "device_type", "cpu");
	tree_u32(t, "reg", id);
	if (h->status)
		tree_string(t, "status", h->status);
	if (h->isa)
		tree_string(t, "riscv,isa", h->isa);
	if (h->list)
		tree_bytes(t, "riscv,isa-extensions", h->list, h->list_len);
	tree_end(t);
}

static void walk(struct machine *m, const struct hart *harts, unsigned int nr)
{
	struct tree t;

	machine_again(m);
	tree_begin(&t);
	tree_root(&t, 2);
	tree_node(&t, "cpus");
	tree_u32(&t, "#address-cells", 1);
	tree_u32(&t, "#size-cells", 0);
	for (unsigned int i = 0; i < nr; i++)
		hart(&t, i, &harts[i]);
	tree_end(&t);
	m->fdt = tree_finish(&t);
	assert_int_equal(dt_check(m->fdt, &m->out), 0);
	assert_int_equal(dt_walk(&m->info, m->fdt, m->boot_hart, &m->out), 0);
}

/* One hart, and whether its string must have been called unreadable. */
static void expect_isa(struct machine *m, const char *isa, uint32_t extensions, bool odd)
{
	const struct hart h = { .isa = isa };

	walk(m, &h, 1);
	if (m->info.isa_extensions != extensions || (m->info.nr_errors != 0) != odd)
		print_message("%s\n", isa);
	assert_int_equal(m->info.isa_extensions, extensions);
	assert_int_equal(m->info.nr_errors, odd);
	assert_int_equal(said(m, "dt: cpu@0: riscv,isa cannot be read: without Zba, Zbb and Zbs"),
			 odd);
	assert_string_equal(m->info.isa_lacks, extensions == ALL ? "" : "cpu@0");
}

static void test_strings(void **state)
{
	static const struct {
		const char *isa;
		uint32_t extensions;
	} cases[] = {
		{ "rv64imafdch_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc", ALL },
		{ "rv64imafdch_zic64b_ziccamoa_zawrs_zba_zbb_zbs_svadu", ALL },
		{ "rv64gc_zbs_zbb_zba", ALL },
		{ "rv64gczba_zbb_zbs", ALL },
		{ "RV64GC_ZBA_Zbb_zBS", ALL },
		{ "rv64i2p1_m2p0_a2p1_zba1p0_zbb1p0_zbs1p0", ALL },
		{ "rv64gc_zba1_zbb12p34_zbs1p0", ALL },
		{ "rv64gc_zba__zbb_zbs_", ALL },
		{ "rv64gcxvendor_zba_zbb_zbs", ALL },
		{ "rv64imafdcsu_zba_zbb_zbs", ALL },
		{ "rv64gc_zba_zba_zbb_zbs_zbs", ALL },
		{ "rv64gc", NONE },
		{ "rv64gcb", NONE },
		{ "rv64i", NONE },
		{ "rv64gc_zbc_zbkb_zbkc_zbkx", NONE },
		{ "rv64gc_zba", DT_ISA_ZBA },
		{ "rv64gc_zbb", DT_ISA_ZBB },
		{ "rv64gc_zbs", DT_ISA_ZBS },
		{ "rv64gc_zba_zbs", DT_ISA_ZBA | DT_ISA_ZBS },
		/* Other names that hold one of these. */
		{ "rv64gc_zbabc_zbbx_zbs1x", NONE },
		{ "rv64gc_xzba_azbb_zzbs", NONE },
		{ "rv64gcszba_xzbb_zb_zbs", DT_ISA_ZBS },
		{ "rv64gc_zba1p_zbb1p0p0_zbs1p0p", NONE },
		/* Drafts. */
		{ "rv64gc_zba0p93_zbb0_zbs01p0", NONE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect_isa(*state, cases[i].isa, cases[i].extensions, false);
}

static void test_odd_strings(void **state)
{
	static const char *const odd[] = {
		"",
		"r",
		"rv64",
		"rv64_zba_zbb_zbs",
		"rv64zba_zbb_zbs",
		"rv32gc_zba_zbb_zbs",
		"rv128gc_zba_zbb_zbs",
		"riscv64gc_zba_zbb_zbs",
		" rv64gc_zba_zbb_zbs",
		"rv64gc_zba_zbb_zbs ",
		"rv64gc zba_zbb_zbs",
		"rv64gc_zba,zbb,zbs",
		"rv64gc-zba_zbb_zbs",
		"rv64gc_zba_zbb_zbs\n",
		"rv64gc_zba_zbb_zbs_\x01",
		"rv64gc_zba_zbb_zbs_\xfa",
		"zba_zbb_zbs",
	};

	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		expect_isa(*state, odd[i], NONE, true);
}

/* Bytes behind the first NUL are another string, and no ISA. */
static void test_bounds(void **state)
{
	struct machine *m = *state;
	static const char head[] = { 'r', 'v', '6', '4', 'g', 'c' };
	static char text[DT_MAX_STRING + 1];
	struct tree t;

	memset(text, '_', sizeof(text));
	memcpy(text, head, sizeof(head));
	memcpy(text + sizeof(text) - 13, "_zba_zbb_zbs", 13);
	for (unsigned int cut = 0; cut < 3; cut++) {
		const int len = (int)sizeof(text) - (int)cut;

		machine_again(m);
		tree_begin(&t);
		tree_root(&t, 2);
		tree_node(&t, "cpus");
		tree_u32(&t, "#address-cells", 1);
		tree_node(&t, "cpu@0");
		tree_u32(&t, "reg", 0);
		if (cut < 2) /* too long, and without a NUL at its end */
			tree_bytes(&t, "riscv,isa", text, len);
		else
			tree_bytes(&t, "riscv,isa", "rv64gc\0_zba_zbb_zbs", 20);
		tree_end(&t);
		tree_end(&t);
		m->fdt = tree_finish(&t);
		assert_int_equal(dt_walk(&m->info, m->fdt, 0, &m->out), 0);
		assert_int_equal(m->info.isa_extensions, NONE);
		assert_int_equal(m->info.nr_errors, cut != 2);
	}
	expect_isa(m, "rv64gc_zba_zbb_zbs", ALL, false);
}

/* Where there is a list, the string does not count; a list has names, and nothing else. */
static void test_lists(void **state)
{
	static const char good[] = "i\0m\0a\0zba\0zbb\0zbs\0zicsr";
	static const struct {
		struct hart h;
		uint32_t extensions;
		bool odd;
	} cases[] = {
		{ { "rv64i", good, sizeof(good), NULL }, ALL, false },
		{ { NULL, good, sizeof(good), NULL }, ALL, false },
		{ { "rv64gc_zba_zbb_zbs", "i\0m", 4, NULL }, NONE, false },
		{ { "rv64gc_zba_zbb_zbs", "i\0zbb", 6, NULL }, DT_ISA_ZBB, false },
		{ { "rv64gc_zba_zbb_zbs", "zba_zbb_zbs", 12, NULL }, NONE, false },
		{ { NULL, "ZBA\0zbb1p0\0zbs", 15, NULL }, DT_ISA_ZBS, false },
		{ { NULL, "b\0i\0zb", 7, NULL }, NONE, false },
		{ { "rv64gc_zba_zbb_zbs", "", 0, NULL }, NONE, true },
		{ { "rv64gc_zba_zbb_zbs", good, sizeof(good) - 1, NULL }, NONE, true },
	};
	struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		walk(m, &cases[i].h, 1);
		assert_int_equal(m->info.isa_extensions, cases[i].extensions);
		assert_int_equal(m->info.nr_errors, cases[i].odd);
		assert_int_equal(said(m, "dt: cpu@0: riscv,isa-extensions cannot be read"),
				 cases[i].odd);
	}
}

#define FULL "rv64gc_zba_zbb_zbs"

/* What all of them have: harts that must not be started do not count. */
static void test_several_harts(void **state)
{
	static const struct {
		struct hart h[2];
		uint32_t extensions;
		const char *lacks;
	} cases[] = {
		{ { { .isa = FULL }, { .isa = FULL } }, ALL, "" },
		{ { { .isa = FULL }, { .isa = "rv64gc_zba_zbs" } }, ALL & ~DT_ISA_ZBB, "cpu@1" },
		{ { { .isa = "rv64gc_zba_zbs" }, { .isa = FULL } }, ALL & ~DT_ISA_ZBB, "cpu@0" },
		{ { { .isa = FULL }, { .isa = "rv64imac" } }, NONE, "cpu@1" },
		{ { { .isa = FULL }, { .isa = NULL } }, NONE, "cpu@1" },
		{ { { .isa = "rv64gc_zba" }, { .isa = "rv64gc_zbb" } }, NONE, "cpu@0" },
		{ { { .isa = FULL }, { .isa = "rv64gc", .status = "disabled" } }, ALL, "" },
		{ { { .isa = FULL }, { .isa = "rv64gc", .status = "fail" } }, ALL, "" },
		{ { { .isa = FULL }, { .isa = "rv64gc", .status = "okay" } }, NONE, "cpu@1" },
		{ { { .list = "zba\0zbb\0zbs", .list_len = 12 }, { .isa = FULL } }, ALL, "" },
	};
	struct machine *m = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		walk(m, cases[i].h, 2);
		assert_int_equal(m->info.isa_extensions, cases[i].extensions);
		assert_string_equal(m->info.isa_lacks, cases[i].lacks);
		assert_int_equal(m->info.nr_errors, 0);
	}
}

/* Nothing is known of a hart that the tree does not have, and one that may not run is none. */
static void test_boot_hart(void **state)
{
	static const struct hart full = { .isa = FULL };
	static const struct hart off = { .isa = FULL, .status = "disabled" };
	struct machine *m = *state;

	m->boot_hart = 0;
	walk(m, &full, 1);
	assert_int_equal(m->info.isa_extensions, ALL);
	walk(m, &full, 0);
	assert_int_equal(m->info.isa_extensions, NONE);
	walk(m, &off, 1);
	assert_int_equal(m->info.isa_extensions, NONE);
	assert_int_equal(dt_walk(&m->info, m->fdt, 5, &m->out), 0);
	assert_int_equal(m->info.isa_extensions, NONE);
	walk(m, &full, 1);
	assert_int_equal(dt_walk(&m->info, m->fdt, 5, &m->out), 0);
	assert_int_equal(m->info.isa_extensions, NONE);
	assert_string_equal(m->info.isa_lacks, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		machine_test(test_strings),       machine_test(test_odd_strings),
		machine_test(test_bounds),        machine_test(test_lists),
		machine_test(test_several_harts), machine_test(test_boot_hart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
