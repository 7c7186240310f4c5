/* SPDX-License-Identifier: BSD-2-Clause */
/* bench/record.c and emit.c: the lines that machines read, character by character. */
#include "test_bench_naive.h"

#include "bench_impl.h"

static void test_crc_vector(void **state)
{
	uint16_t crc;

	(void)state;
	assert_int_equal(crc16(CRC16_INIT, "123456789", 9), 0x29b1);
	assert_int_equal(crc16(CRC16_INIT, "", 0), 0xffff);
	/* In parts it is the same. */
	crc = crc16(CRC16_INIT, "1234", 4);
	assert_int_equal(crc16(crc, "56789", 5), 0x29b1);
}

static void test_record_vector(void **state)
{
	struct record_writer w = { .sink = keep_line };
	struct record r;

	(void)state;
	nr_lines = 0;
	record_open(&r, &w, "host");
	record_word(&r, "engine", "tcg");
	record_uint(&r, "icount", 0);
	record_word(&r, "qemu", "7.2.22");
	record_uint(&r, "run", 42);
	assert_int_equal(record_close(&r), 0);
	assert_int_equal(nr_lines, 1);
	assert_string_equal(lines[0], "@PB1 0 host engine=tcg icount=0 qemu=7.2.22 run=42 *ebb7");
	assert_int_equal(w.seq, 1);
}

static void test_numbers(void **state)
{
	struct record_writer w = { .sink = keep_line, .seq = 9 };
	struct record r;

	(void)state;
	nr_lines = 0;
	record_open(&r, &w, "x");
	record_uint(&r, "a", UINT64_MAX);
	record_int(&r, "b", INT64_MIN);
	record_int(&r, "c", -1);
	record_int(&r, "d", 7);
	record_hex16(&r, "e", 0xa);
	assert_int_equal(record_close(&r), 0);
	lines[0][strlen(lines[0]) - 6] = '\0';
	assert_string_equal(lines[0], "@PB1 9 x a=18446744073709551615 b=-9223372036854775808 "
				      "c=-1 d=7 e=000a");
}

/* Words are of printable ASCII, without spaces, and never empty. */
static void test_bad_characters(void **state)
{
	struct record_writer w = { .sink = keep_line };
	struct record r;

	(void)state;
	nr_lines = 0;
	record_open(&r, &w, "x");
	record_word(&r, "a", "two words\tand\n*\x7f\x80\xff~!");
	record_word(&r, "b", "");
	record_word(&r, "c", NULL);
	record_word_max(&r, "d", "abcdef", 4);
	record_word_max(&r, "e", "abcd", 4);
	record_word_max(&r, "f", "abcd", 1);
	record_word_max(&r, "g", "abcd", 0);
	assert_int_equal(record_close(&r), 0);
	lines[0][strlen(lines[0]) - 6] = '\0';
	assert_string_equal(lines[0],
			    "@PB1 0 x a=two_words_and_*___~! b=- c=- d=abc~ e=abcd f=~ g=-");
}

/* A record of 200 characters is written, one of 201 is not, and leaves no gap in the numbers. */
static void test_length_limit(void **state)
{
	struct record_writer w = { .sink = keep_line };
	char word[RECORD_MAX + 10];
	struct record r;

	(void)state;
	nr_lines = 0;
	for (unsigned int n = 150; n < sizeof(word); n++) {
		unsigned int all = (unsigned int)strlen("@PB1 0 x a=") + n + 6;
		unsigned int before = nr_lines, lost = w.lost;
		bool fits = all <= RECORD_MAX;

		w.seq = 0;
		memset(word, 'y', n);
		word[n] = '\0';
		record_open(&r, &w, "x");
		record_word(&r, "a", word);
		assert_int_equal(record_fits(&r), fits);
		assert_int_equal(record_close(&r), fits ? 0 : -EMM_ENOSPC);
		assert_int_equal(nr_lines - before, fits);
		assert_int_equal(w.lost - lost, !fits);
		assert_int_equal(w.seq, fits);
		if (fits)
			assert_int_equal(strlen(lines[before]), all);
		if (n + 1 == sizeof(word))
			break;
	}
	assert_true(w.lost > 0);
}

static void start(struct machine **m)
{
	*m = machine_new(64);
	assert_int_equal(bench_init(&(*m)->bench, &(*m)->cfg), 0);
}

static void test_run_record(void **state)
{
	const struct bench_run_info info = {
		.id = 7,
		.board = "riscv-virtio,qemu",
		.isa = "rv64gc",
		.harts = 4,
		.mem_kib = 3145728,
		.sbi_impl = 1,
		.sbi_ver = 65537,
		.build = "0.1.0",
		.cc = "gcc-12.2.0",
		.opt = "O2",
	};
	struct machine *m;

	(void)state;
	start(&m);
	bench_record_run(&m->bench, &info);
	check_lines();
	lines[0][strlen(lines[0]) - 6] = '\0';
	assert_string_equal(lines[0],
			    "@PB1 0 run id=7 board=riscv-virtio,qemu isa=rv64gc harts=4 "
			    "tb_hz=1000000000 mem_kib=3145728 page=4096 sbi_impl=1 sbi_ver=65537 "
			    "build=0.1.0 cc=gcc-12.2.0 opt=O2 ins=exact");
	machine_free(m);
}

/* However long the words are, there is a record with all its keys. */
static void test_run_record_is_cut(void **state)
{
	static const char word[] = "a-very-long-word-that-a-vendor-put-into-the-device-tree";
	struct bench_run_info info = {
		.id = 1,
		.board = word,
		.isa = word,
		.harts = 128,
		.mem_kib = UINT32_MAX,
		.sbi_impl = 1,
		.sbi_ver = 65537,
		.build = word,
		.cc = word,
		.opt = NULL,
	};
	struct machine *m;

	(void)state;
	start(&m);
	bench_record_run(&m->bench, &info);
	assert_int_equal(nr_lines, 1);
	check_lines();
	assert_non_null(line_with(" board=a-very", "~ isa=a-very", "~ cc=a-very"));
	assert_non_null(line_with("opt=-", "ins=exact", ""));

	/* With the largest numbers there are four characters a word. */
	info.id = info.sbi_impl = info.sbi_ver = UINT32_MAX;
	info.mem_kib = UINT64_MAX >> 10;
	info.harts = UINT32_MAX;
	nr_lines = 0;
	m->bench.records.seq = 0;
	bench_record_run(&m->bench, &info);
	assert_int_equal(nr_lines, 1);
	check_lines();
	assert_non_null(line_with(" board=a-v~ isa=a-v~ ", " cc=a-v~ opt=- ins=exact", ""));
	assert_int_equal(m->bench.records.lost, 0);
	machine_free(m);
}

static void test_phase_records(void **state)
{
	struct machine *m;

	(void)state;
	start(&m);
	bench_record_phase(&m->bench, &(struct bench_phase){ "fdt", 1, 2, 3 });
	bench_record_phase(&m->bench, &(struct bench_phase){ "handover", 571, 572, 6 });
	bench_record_phase(&m->bench, &(struct bench_phase){ "ready", 240000, 0, 0 });
	bench_record_phase(&m->bench, &(struct bench_phase){ "handoverx", 1, 0, 0 });
	check_lines();
	assert_non_null(line_with("@PB1 0 phase name=fdt ins=1 cyc=2 tb=3 *", "", ""));
	assert_true(m->bench.has_handover && m->bench.has_ready);
	assert_int_equal(m->bench.handover_ins, 571);
	assert_int_equal(m->bench.ready_ins, 240000);
	machine_free(m);
}

/* Causes without pages are left out; those that do not fit go on in a further record. */
static void test_mem_records(void **state)
{
	struct bench_cause causes[12];
	struct bench_mem mem = {
		.node = -1,
		.zone = "DMA32",
		.present = 262144,
		.managed = 262000,
		.reserved = 144,
		.free = 261000,
		.meta_bytes = 36600,
		.causes = causes,
		.nr_causes = 12,
	};
	static char keys[12][20];
	struct machine *m;

	(void)state;
	start(&m);
	for (unsigned int i = 0; i < 12; i++) {
		snprintf(keys[i], sizeof(keys[i]), "cause_number_%u", i);
		causes[i] = (struct bench_cause){ .key = keys[i], .pages = i * 1000000 };
	}
	bench_record_mem(&m->bench, &mem);
	check_lines();
	assert_true(nr_lines > 1);
	assert_int_equal(m->bench.records.lost, 0);
	assert_int_equal(count_lines(" mem node=-1 zone=DMA32"), nr_lines);
	assert_int_equal(count_lines(" present=262144 managed=262000 reserved=144 free=261000 "
				     "meta_bytes=36600"),
			 1);
	assert_int_equal(count_lines("cause_number_0="), 0);
	for (unsigned int i = 1; i < 12; i++) {
		char part[40];

		snprintf(part, sizeof(part), " %s=%u ", keys[i], i * 1000000);
		assert_int_equal(count_lines(part), 1);
	}
	machine_free(m);
}

/* The longest of the raw records, on a board whose counters are large. */
static void test_longest_sample(void **state)
{
	struct page_allocator_ops ops = naive_ops;
	struct page_allocator pa = { .ops = &ops };
	const struct workload *wl = bench_workloads;
	struct bench_rep r = { .pa = &pa, .rep = BENCH_MAX_REPS - 1 };
	struct machine *m;

	(void)state;
	start(&m);
	ops.setting = "healing";
	ops.hot = "rv64gc";
	r.b = &m->bench;
	r.place = &m->bench.arena;
	r.place->name = "arena";
	r.place->pages = 262144;
	scale_for(&r.place->scale, 262144, 262144, true);
	r.time[0] = (struct bench_stamp){ 9999999999, 9999999999, 999999999 };
	for (; wl->name; wl++) {
		r.wl = wl;
		r.order = 18;
		r.ops[0] = wl->bit == BENCH_PAIR ? 100000 : 1024000;
		m->bench.records.seq = 9999;
		emit_smp(&r, 0, 0xffff);
	}
	assert_int_equal(m->bench.records.lost, 0);
	assert_int_equal(nr_lines, 10);
	machine_free(m);
}

static void check_end(bool ok, uint32_t failures, uint32_t lost, uint64_t missing,
		      uint64_t pages_lost, const char *expected)
{
	struct machine *m;

	start(&m);
	m->bench.failures = failures;
	m->bench.records.lost = lost;
	m->bench.pages_missing = missing;
	assert_int_equal(bench_end(&m->bench, ok, pages_lost), strstr(expected, "=ok") != NULL);
	check_lines();
	assert_non_null(strstr(lines[0], expected));
	machine_free(m);
}

static void test_end_record(void **state)
{
	(void)state;
	check_end(true, 0, 0, 0, 0, "end status=ok nrec=1 pages_lost=0 ");
	check_end(false, 0, 0, 0, 0, "end status=fail nrec=1 pages_lost=0 ");
	check_end(true, 1, 0, 0, 0, "end status=fail nrec=1 pages_lost=0 ");
	check_end(true, 0, 1, 0, 0, "end status=fail nrec=1 pages_lost=0 ");
	check_end(true, 0, 0, 3, 0, "end status=fail nrec=1 pages_lost=3 ");
	check_end(true, 0, 0, 0, 5, "end status=fail nrec=1 pages_lost=5 ");
	check_end(true, 0, 0, 3, 5, "end status=fail nrec=1 pages_lost=5 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crc_vector),        cmocka_unit_test(test_record_vector),
		cmocka_unit_test(test_numbers),           cmocka_unit_test(test_bad_characters),
		cmocka_unit_test(test_length_limit),      cmocka_unit_test(test_run_record),
		cmocka_unit_test(test_run_record_is_cut), cmocka_unit_test(test_phase_records),
		cmocka_unit_test(test_mem_records),       cmocka_unit_test(test_end_record),
		cmocka_unit_test(test_longest_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
