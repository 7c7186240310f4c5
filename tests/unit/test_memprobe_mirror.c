/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Probing of banks that repeat: the same memory shows at several addresses. In the drawings # is
 * memory, | where it begins anew, R reserved, N no-map.
 */
#include "helper_memsim.h"

#include <string.h>

#define RAM GIB(2)

static void expect_text(const struct helper_memblock *h, const char *text)
{
	if (strcmp(h->out.text, text))
		fail_msg("printed:\n%sinstead of:\n%s", h->out.text, text);
}

/*
 *   R ####|####|####|####      claimed 4 GiB, the same 2^n bytes again and again
 *   cut to the first; what is in use is never written to through a mirror
 */
static void test_mirrors(void **state)
{
	for (unsigned int shift = 24; shift < 32; shift++) {
		phys_addr_t period = (phys_addr_t)1 << shift;
		struct memprobe_result result;
		struct helper_memblock *h;
		struct memsim *s;

		helper_memsim_map(state, &s, &h);
		helper_memsim_add(s, RAM, period);
		s->mirror_base = RAM;
		s->mirror_period = period;
		s->highest_store = 0;
		memblock_add(&h->mb, RAM, GIB(4) - (shift % 2) * MIB(100));
		memblock_reserve(&h->mb, RAM, MIB(3) + 0x1234);
		result = helper_memsim_probe(s, h);
		expect_map(&h->mb, memory, { RAM, period, 0, NONE });
		assert_int_equal(result.nr_cut, 1);
		assert_true(s->highest_store < RAM + period);
		assert_non_null(strstr(h->out.text, "the rest repeats it\n"));
		helper_memsim_done(s, h);
	}
}

/*
 *   N R ###|....   and the word right above F at the largest distance is reserved:
 *      a smaller distance does it; a no-map head is part of the period
 */
static void test_mirror_behind_nomap(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM, MIB(256));
	s->mirror_base = RAM;
	s->mirror_period = MIB(256);
	memblock_add(&h->mb, RAM, GIB(4));
	memblock_mark_nomap(&h->mb, RAM, MIB(2));
	memblock_mark_nomap(&h->mb, RAM + GIB(3), MIB(2));
	memblock_reserve(&h->mb, RAM + MIB(2), MIB(2));
	memblock_reserve(&h->mb, RAM + MIB(4) + GIB(2), MIB(2));
	helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { RAM, MIB(2), MEMBLOCK_NOMAP, NONE },
		   { RAM + MIB(2), MIB(254), 0, NONE });
	helper_memsim_done(s, h);
}

/* The map begins 2 MiB above RAM: what repeats the firmware there must not stay. */
static void test_mirror_of_what_is_not_in_the_map(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM, GIB(1));
	s->mirror_base = RAM;
	s->mirror_period = GIB(1);
	memblock_add(&h->mb, RAM + MIB(2), GIB(2) - MIB(2));
	helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { RAM + MIB(2), GIB(1) - MIB(2), 0, NONE });
	helper_memsim_done(s, h);
}

/* RAM of 1 GiB at a multiple of 256 MiB, and of 64 MiB at a multiple of 64 MiB: all of it stays. */
static void test_where_mirrored_ram_begins(void **state)
{
	static const struct {
		phys_addr_t base;
		uint64_t period;
	} ram[] = { { RAM + MIB(768), GIB(1) }, { RAM + MIB(64), MIB(64) } };

	for (unsigned int i = 0; i < ARRAY_SIZE(ram); i++) {
		struct memsim *s;
		struct helper_memblock *h;

		helper_memsim_map(state, &s, &h);
		helper_memsim_add(s, ram[i].base, ram[i].period);
		s->mirror_base = ram[i].base;
		s->mirror_period = ram[i].period;
		memblock_add(&h->mb, ram[i].base, 4 * ram[i].period);
		helper_memsim_probe(s, h);
		expect_map(&h->mb, memory, { ram[i].base, ram[i].period, 0, NONE });
		helper_memsim_done(s, h);
	}
}

/*
 *   ..##|####|####|####    the first pages do not answer, and the rest repeats
 */
static void test_mirror_behind_absent_front(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM, MIB(64));
	helper_memsim_odd(s, RAM, RAM + MIB(1), MEMSIM_FAULT);
	s->mirror_base = RAM;
	s->mirror_period = MIB(64);
	memblock_add(&h->mb, RAM, MIB(256));
	helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { RAM + MIB(1), MIB(63), 0, NONE });
	helper_memsim_done(s, h);
}

/*
 *   ###|#      a period of three pages: no power of two, but the last page is the first again
 *   #N.        the page at the largest distance is no-map in part: no access there
 *   ##|##      two banks of different nodes that are the same: not seen; nor with a gap between
 */
static void test_other_mirrors(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM, MIB(1));
	s->mirror_base = RAM;
	s->mirror_period = 0x3000;
	memblock_add(&h->mb, RAM, 0x4000);
	helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { RAM, 0x3000, 0, NONE });
	helper_memsim_done(s, h);

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM, MIB(8));
	memblock_add(&h->mb, RAM, MIB(4) + 0x800);
	memblock_add_node(&h->mb, RAM + MIB(4) + 0x800, MIB(1), NONE, MEMBLOCK_NOMAP);
	assert_int_equal(helper_memsim_probe(s, h).nr_accesses, 9);
	helper_memsim_done(s, h);

	helper_memsim_map(state, &s, &h);
	s->mirror_base = RAM;
	s->mirror_period = MIB(4);
	helper_memsim_add(s, RAM, MIB(4));
	memblock_add_node(&h->mb, RAM, MIB(4), 0, 0);
	memblock_add_node(&h->mb, RAM + MIB(4), MIB(4), 1, 0);
	helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { RAM, MIB(4), 0, 0 }, { RAM + MIB(4), MIB(4), 0, 1 });
	helper_memsim_done(s, h);

	helper_memsim_map(state, &s, &h);
	s->mirror_base = RAM;
	s->mirror_period = MIB(8);
	helper_memsim_add(s, RAM, MIB(8));
	memblock_add(&h->mb, RAM, MIB(4));
	memblock_add(&h->mb, RAM + MIB(8), MIB(4));
	helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { RAM, MIB(4), 0, NONE }, { RAM + MIB(8), MIB(4), 0, NONE });
	helper_memsim_done(s, h);
}

/* What looks like a mirror by chance, or because a bus keeps its last value, is none. */
static void test_no_mirror(void **state)
{
	struct memsim *s;
	struct helper_memblock *h;
	struct memprobe_result result;

	helper_memsim_map(state, &s, &h);
	helper_memsim_add(s, RAM, MIB(64));
	memblock_add(&h->mb, RAM, MIB(64));
	/* The pattern that the first page's word gets is there already, 32 MiB above. */
	*helper_memsim_word(s, RAM + MIB(32) + 0xff8) = (RAM + 0xff8) * 0x9e3779b97f4a7c15;
	result = helper_memsim_probe(s, h);
	expect_map(&h->mb, memory, { RAM, MIB(64), 0, NONE });
	assert_true(result.nr_accesses > 9);
	assert_int_equal(result.nr_cut, 0);

	/* A hole there that gives back the last value on the bus. */
	helper_memsim_odd(s, RAM + MIB(32), RAM + MIB(33), MEMSIM_BUS);
	result = helper_memsim_probe(s, h);
	assert_int_equal(result.nr_cut, 0);
	expect_map(&h->mb, memory, { RAM, MIB(64), 0, NONE });
	expect_text(h, "");
	helper_memsim_done(s, h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		memsim_test(test_mirrors),
		memsim_test(test_mirror_behind_nomap),
		memsim_test(test_mirror_of_what_is_not_in_the_map),
		memsim_test(test_where_mirrored_ram_begins),
		memsim_test(test_mirror_behind_absent_front),
		memsim_test(test_other_mirrors),
		memsim_test(test_no_mirror),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
