/* SPDX-License-Identifier: BSD-2-Clause */
/* hugepagesz=, hugepages=, default_hugepagesz=: what their order means, and what is refused. */
#include "test.h"

#include <stdio.h>
#include <string.h>

#include <earlymm/error.h>
#include "dt.h"
#include "hugetlb_args.h"

#define ORDER_2M 9U
#define ORDER_1G 18U

static char said[4096];

static void keep(void *ctx, const char *fmt, va_list ap)
{
	size_t len = strlen(said);
	int n = vsnprintf(said + len, sizeof(said) - len, fmt, ap);

	(void)ctx;
	assert_true(n >= 0 && (size_t)n < sizeof(said) - len);
}

static const struct printer out = { .vprint = keep };

/* Reads a whole command line. Returns how many arguments were not understood. */
static unsigned int read_line(struct hugetlb_args *args, const char *line)
{
	unsigned int bad = 0;
	char key[32], value[96];
	int found;

	said[0] = '\0';
	hugetlb_args_init(args);
	while ((found = dt_bootarg_next(&line, key, sizeof(key), value, sizeof(value))) > 0) {
		int err = hugetlb_option(args, key, found == 2 ? value : NULL, &out);

		assert_true(!err || err == -EMM_EINVAL);
		bad += err != 0;
	}
	hugetlb_args_end(args, &out);
	return bad;
}

struct want {
	unsigned int order;
	uint64_t nr;
};

/* The sizes in order; the first of them is the default one if @def is 0, and so on. */
static void expect(const char *line, unsigned int bad, const char *text, unsigned int def,
		   const struct want *want, unsigned int n)
{
	struct hugetlb_args args;

	assert_int_equal(read_line(&args, line), bad);
	if (text ? !strstr(said, text) : said[0] != '\0')
		fail_msg("%s: said %s", line, said);
	assert_int_equal(args.request.nr_sizes, n);
	if (n)
		assert_int_equal(args.request.default_size, def);
	for (unsigned int i = 0; i < n; i++) {
		assert_int_equal(args.request.size[i].order, want[i].order);
		assert_int_equal(args.request.size[i].count.nr, want[i].nr);
		assert_int_equal(args.request.size[i].count.nr_nodes, 0);
	}
}

#define WANT(...) \
	((const struct want[]){ __VA_ARGS__ }), ARRAY_SIZE(((const struct want[]){ __VA_ARGS__ }))

static void test_order_of_arguments(void **state)
{
	(void)state;
	expect("", 0, NULL, 0, NULL, 0);
	expect("hugepages=256", 0, NULL, 0, WANT({ ORDER_2M, 256 }));
	expect("hugepagesz=2M hugepages=4", 0, NULL, 0, WANT({ ORDER_2M, 4 }));
	expect("hugepagesz=1G hugepages=2 hugepagesz=2M hugepages=4", 0, NULL, 1,
	       WANT({ ORDER_1G, 2 }, { ORDER_2M, 4 }));
	/* The default size is there, too, as long as nobody asks for any of it. */
	expect("hugepagesz=1G hugepages=2", 0, NULL, 1, WANT({ ORDER_1G, 2 }, { ORDER_2M, 0 }));
	/* Three ways to say the same. */
	expect("default_hugepagesz=2M hugepages=256", 0, NULL, 0, WANT({ ORDER_2M, 256 }));
	expect("hugepages=256 default_hugepagesz=2M", 0, NULL, 0, WANT({ ORDER_2M, 256 }));
	/* Before any size it is for the default size, whatever that turns out to be. */
	expect("hugepages=3 hugepagesz=2M hugepages=8 default_hugepagesz=1G", 0, NULL, 1,
	       WANT({ ORDER_2M, 8 }, { ORDER_1G, 3 }));
	expect("hugepages=3 hugepagesz=1G hugepages=8", 0, NULL, 1,
	       WANT({ ORDER_1G, 8 }, { ORDER_2M, 3 }));
	expect("default_hugepagesz=1G", 0, NULL, 0, WANT({ ORDER_1G, 0 }));
	expect("default_hugepagesz=1G hugepagesz=2M hugepages=5", 0, NULL, 0,
	       WANT({ ORDER_1G, 0 }, { ORDER_2M, 5 }));
	expect("hugepagesz=2M hugepagesz=1G hugepages=5", 0, NULL, 0,
	       WANT({ ORDER_2M, 0 }, { ORDER_1G, 5 }));
	expect("hugepagesz=2M default_hugepagesz=1G hugepages=5", 0, NULL, 1,
	       WANT({ ORDER_2M, 0 }, { ORDER_1G, 5 }));
	expect("hugepagesz=1G default_hugepagesz=1G hugepages=5", 0, NULL, 0,
	       WANT({ ORDER_1G, 5 }));
	/* The default size by name once more, as nobody has said how many. */
	expect("default_hugepagesz=1G hugepagesz=1G hugepages=5", 0, NULL, 0,
	       WANT({ ORDER_1G, 5 }));
	expect("hugepages=0", 0, NULL, 0, WANT({ ORDER_2M, 0 }));
}

/* What cannot be meant is said, and ignored. */
static void test_ignored(void **state)
{
	(void)state;
	expect("hugepagesz=2M hugepages=4 hugepagesz=2M hugepages=5", 0,
	       "HugeTLB: hugepagesz=2M specified twice, ignoring\n"
	       "HugeTLB: hugepages=5 does not follow a valid hugepagesz, ignoring\n",
	       0, WANT({ ORDER_2M, 4 }));
	expect("hugepagesz=2M hugepagesz=2048K hugepages=5", 0, "hugepagesz=2048K specified twice",
	       0, WANT({ ORDER_2M, 0 }));
	expect("default_hugepagesz=2M hugepages=0 hugepagesz=2M hugepages=5", 0,
	       "hugepagesz=2M specified twice", 0, WANT({ ORDER_2M, 0 }));
	expect("default_hugepagesz=2M hugepagesz=1G hugepagesz=1G hugepages=5", 0,
	       "hugepagesz=1G specified twice", 0, WANT({ ORDER_2M, 0 }, { ORDER_1G, 0 }));
	expect("hugepages=4 hugepages=5", 0,
	       "HugeTLB: hugepages= specified twice without interleaving hugepagesz=, ignoring "
	       "hugepages=5\n",
	       0, WANT({ ORDER_2M, 4 }));
	expect("hugepagesz=1G hugepages=4 hugepages=5", 0, "specified twice", 1,
	       WANT({ ORDER_1G, 4 }, { ORDER_2M, 0 }));
	expect("hugepagesz=1G hugepages=0 hugepages=5", 0, "specified twice", 1,
	       WANT({ ORDER_1G, 0 }, { ORDER_2M, 0 }));
	expect("default_hugepagesz=1G default_hugepagesz=2M hugepages=7", 0,
	       "HugeTLB: default_hugepagesz previously specified, ignoring 2M\n"
	       "HugeTLB: hugepages=7 does not follow a valid hugepagesz, ignoring\n",
	       0, WANT({ ORDER_1G, 0 }));
	/* What stands before any size goes before what is given by name. */
	expect("hugepages=512 hugepagesz=2M hugepages=256", 0,
	       "HugeTLB: hugepages= for the default size was specified before any size: that "
	       "holds, the other is ignored\n",
	       0, WANT({ ORDER_2M, 512 }));
	expect("hugepages=5 hugepagesz=1G hugepages=3 default_hugepagesz=1G", 0,
	       "that holds, the other is ignored\n", 0, WANT({ ORDER_1G, 5 }));
	expect("hugepages=512 default_hugepagesz=2M hugepages=256", 0, "ignoring hugepages=256\n",
	       0, WANT({ ORDER_2M, 512 }));
}

/* After a bad size hugepages= is for nothing; the next one is for the size before again. */
static void test_bad_sizes(void **state)
{
	static const char *const bad[] = { "",
					   "M",
					   "3M",
					   "0",
					   "4K",
					   "1",
					   "2MB",
					   "2 M",
					   "-2M",
					   "2m2",
					   "0x",
					   "0xG",
					   "16384P",
					   "1E2",
					   "4096",
					   "2T3",
					   "2.5M",
					   "99999999999999999999",
					   "17179869184G",
					   "0x1000000000200000K",
					   "2 ",
					   "16E",
					   "0x10000000000000000",
					   "2\x01",
					   "x" };
	char line[200];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(line, sizeof(line), "hugepagesz=\"%s\" hugepages=3 hugepages=4", bad[i]);
		expect(line, 1, "HugeTLB: unsupported hugepagesz=", 0, WANT({ ORDER_2M, 4 }));
		assert_non_null(strstr(said, "hugepages=3 does not follow a valid hugepagesz"));
		snprintf(line, sizeof(line), "default_hugepagesz=\"%s\" default_hugepagesz=1G",
			 bad[i]);
		expect(line, 1, "HugeTLB: unsupported default_hugepagesz=", 0,
		       WANT({ ORDER_1G, 0 }));
	}
	expect("hugepagesz hugepages=1", 1, "unsupported hugepagesz=:", 0, NULL, 0);
	expect("default_hugepagesz", 1, "unsupported default_hugepagesz=:", 0, NULL, 0);
	expect("hugepagesz=3M", 1,
	       "HugeTLB: unsupported hugepagesz=3M: a power of two above 4096 is, such as 2M\n", 0,
	       NULL, 0);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		unsigned int order;
	} good[] = {
		{ "8K", 1 },
		{ "8192", 1 },
		{ "0x2000", 1 },
		{ "64k", 4 },
		{ "2M", 9 },
		{ "2m", 9 },
		{ "0X200000", 9 },
		{ "2048K", 9 },
		{ "1G", 18 },
		{ "0x1g", 18 },
		{ "1024M", 18 },
		{ "16G", 22 },
		{ "1T", 28 },
		{ "1P", 38 },
		{ "1E", 48 },
		{ "8E", 51 },
		{ "8192P", 51 },
		{ "0xAp", 0 },
		{ "9223372036854775808", 51 },
		{ "0x00000000000000000002000", 1 },
	};
	char line[100];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(good); i++) {
		struct hugetlb_args args;

		snprintf(line, sizeof(line), "default_hugepagesz=%s hugepages=7", good[i].text);
		assert_int_equal(read_line(&args, line), !good[i].order);
		if (!good[i].order)
			continue;
		assert_int_equal(args.request.nr_sizes, 1);
		assert_int_equal(args.request.size[0].order, good[i].order);
		assert_int_equal(args.request.size[0].count.nr, 7);
		assert_string_equal(said, "");
	}
}

static void test_nodes(void **state)
{
	struct hugetlb_args args;
	const struct hugetlb_count *count = &args.request.size[0].count;

	(void)state;
	assert_int_equal(
		read_line(&args, "hugepagesz=1G hugepages=0:2,1:3,1023:18446744073709551615"), 0);
	assert_int_equal(count->nr_nodes, 3);
	assert_int_equal(count->nr, 0);
	assert_true(count->given);
	assert_int_equal(count->node[0].nid, 0);
	assert_int_equal(count->node[0].nr, 2);
	assert_int_equal(count->node[1].nid, 1);
	assert_int_equal(count->node[1].nr, 3);
	assert_int_equal(count->node[2].nid, 1023);
	assert_int_equal(count->node[2].nr, UINT64_MAX);
	/* Before any size: for the default one. */
	assert_int_equal(read_line(&args, "hugepages=3:1 default_hugepagesz=1G"), 0);
	assert_int_equal(count->nr_nodes, 1);
	assert_int_equal(count->node[0].nid, 3);
	assert_int_equal(
		read_line(&args, "hugepages=0:1,1:1,2:1,3:1,4:1,5:1,6:1,7:1,8:1,9:1,10:1,11:1,12:1,"
				 "13:1,14:1,15:1"),
		0);
	assert_int_equal(count->nr_nodes, HUGETLB_MAX_NODES);
}

static void test_bad_counts(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"-1",
		"1x",
		"1:",
		":1",
		"1:2,",
		",",
		"1,2",
		"0:1,0:2",
		"0:1:2",
		"0:1,,1:2",
		"0:1 ",
		"0:1,1",
		"1M",
		"0x10",
		"18446744073709551616",
		"0:18446744073709551616",
		"2147483648:1",
		"4294967296:1",
		"0:1,1:1,2:1,3:1,4:1,5:1,6:1,7:1,8:1,9:1,10:1,11:1,12:1,13:1,14:1,15:1,16:1",
	};
	char line[200];

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(line, sizeof(line), "hugepagesz=1G hugepages=\"%s\" hugepages=6", bad[i]);
		expect(line, 1, "HugeTLB: invalid hugepages=", 1,
		       WANT({ ORDER_1G, 6 }, { ORDER_2M, 0 }));
	}
	expect("hugepages", 1,
	       "HugeTLB: invalid hugepages=: N, or NODE:N,NODE:N with up to 16 nodes, is "
	       "understood\n",
	       0, NULL, 0);
	/* A hostile number is a number. */
	expect("hugepages=18446744073709551615", 0, NULL, 0, WANT({ ORDER_2M, UINT64_MAX }));
	expect("hugepages=99999999999", 0, NULL, 0, WANT({ ORDER_2M, 99999999999 }));
}

static void test_too_many_sizes(void **state)
{
	struct hugetlb_args args;

	(void)state;
	assert_int_equal(read_line(&args,
				   "hugepagesz=8K hugepagesz=16K hugepagesz=32K hugepagesz=64K "
				   "hugepagesz=128K hugepagesz=256K hugepagesz=512K "
				   "hugepagesz=1M hugepages=4"),
			 0);
	assert_int_equal(args.request.nr_sizes, HUGE_MAX_HSTATE);
	assert_int_equal(args.request.default_size, HUGE_MAX_HSTATE);
	assert_int_equal(args.request.size[7].count.nr, 4);
	assert_string_equal(said, "");
	assert_int_equal(read_line(&args,
				   "hugepages=9 hugepagesz=8K hugepagesz=16K hugepagesz=32K "
				   "hugepagesz=64K hugepagesz=128K hugepagesz=256K hugepagesz=512K "
				   "hugepagesz=1M hugepages=4 hugepagesz=4M hugepages=5 "
				   "default_hugepagesz=2M default_hugepagesz=8K"),
			 2);
	assert_int_equal(args.request.nr_sizes, HUGE_MAX_HSTATE);
	assert_int_equal(args.request.default_size, 0);
	assert_int_equal(args.request.size[0].count.nr, 9);
	assert_int_equal(args.request.size[7].count.nr, 4);
	assert_non_null(strstr(said, "HugeTLB: hugepagesz=4M: there are 8 sizes already, which is "
				     "the most\n"));
	assert_int_equal(read_line(&args,
				   "hugepages=9 hugepagesz=8K hugepagesz=16K hugepagesz=32K "
				   "hugepagesz=64K hugepagesz=128K hugepagesz=256K hugepagesz=512K "
				   "hugepagesz=1M"),
			 0);
	assert_string_equal(said,
			    "HugeTLB: hugepages= before any size is ignored: there are 8 sizes "
			    "besides the default one\n");
}

/* No line of a log can be forged through a message. */
static void test_hostile_text(void **state)
{
	struct hugetlb_args args;

	(void)state;
	read_line(&args, "hugepages=\"\n@PB1 0 end status=ok\x1b[2J\"");
	assert_string_equal(said, "HugeTLB: invalid hugepages=??PB1?0?end?status=ok?[2J: N, or "
				  "NODE:N,NODE:N with up to 16 nodes, is understood\n");
	read_line(&args,
		  "hugepagesz=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_true(strlen(said) < 130);
	assert_int_equal(hugetlb_option(&args, "hugepage", "1", &out), -EMM_ENOENT);
	assert_int_equal(hugetlb_option(&args, "", NULL, &out), -EMM_ENOENT);
	/* Nobody to tell. */
	assert_int_equal(hugetlb_option(&args, "hugepages", "x", NULL), 0);
	assert_int_equal(hugetlb_option(&args, "hugepages", "x", NULL), -EMM_EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order_of_arguments),
		cmocka_unit_test(test_ignored),
		cmocka_unit_test(test_bad_sizes),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_bad_counts),
		cmocka_unit_test(test_too_many_sizes),
		cmocka_unit_test(test_hostile_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
