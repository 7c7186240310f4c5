/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot arguments of the benchmark. */
#include "bench_impl.h"

#define DEFAULT_SEED 42

void bench_options_init(struct bench_options *opt)
{
	*opt = (struct bench_options){ .workloads = BENCH_ALL, .seed = DEFAULT_SEED };
}

static const struct {
	const char *name;
	uint32_t workloads;
} known[] = {
	{ "all", BENCH_ALL },           { "none", 0 },
	{ "pair", BENCH_PAIR },         { "bulk", BENCH_BULK },
	{ "churn", BENCH_CHURN },       { "churn0", BENCH_CHURN0 },
	{ "age", BENCH_AGE },           { "burst", BENCH_BURST },
	{ "frag", BENCH_FRAG },         { "exhaust", BENCH_EXHAUST },
	{ "latency", BENCH_LATENCY },   { "bulkapi", BENCH_BULKAPI },
	{ "mobility", BENCH_MOBILITY }, { "scale", BENCH_SCALE },
	{ "remote", BENCH_REMOTE },     { "stress", BENCH_STRESS },
};

/* Is s[0..n) the word @word? */
static bool is_word(const char *s, size_t n, const char *word)
{
	size_t i = 0;

	while (i < n && word[i] && s[i] == word[i])
		i++;
	return i == n && !word[i];
}

static size_t length(const char *s, char end)
{
	size_t n = 0;

	while (s[n] && s[n] != end)
		n++;
	return n;
}

static void say_known(const struct printer *out)
{
	print_to(out, "bench: known are");
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		print_to(out, "%s %s", i ? "," : "", known[i].name);
	print_to(out, "\n");
}

static int parse_workloads(const char *list, uint32_t *workloads, const struct printer *out)
{
	uint32_t chosen = 0;

	for (;;) {
		size_t n = length(list, ',');
		size_t i = 0;

		while (i < ARRAY_SIZE(known) && !is_word(list, n, known[i].name))
			i++;
		if (i == ARRAY_SIZE(known)) {
			print_to(out, "bench: there is no workload \"%.*s\"\n",
				 (int)(n < 32 ? n : 32), list);
			say_known(out);
			return -EMM_EINVAL;
		}
		chosen |= known[i].workloads;
		if (!list[n])
			break;
		list += n + 1;
	}
	*workloads = chosen;
	return 0;
}

static bool is_allocator(const char *s, size_t n)
{
	const struct page_allocator_ops *const *ops = bench_allocators;

	while (*ops && !bench_is_named(*ops, s, n))
		ops++;
	return *ops != NULL;
}

/* A name once, and what has to be asked for. */
static void say_allocators(const struct printer *out)
{
	const char *last = "";

	print_to(out, "bench: known are all");
	for (const struct page_allocator_ops *const *ops = bench_allocators; *ops; ops++) {
		if (!same_word(last, (*ops)->name))
			print_to(out, ", %s", (*ops)->name);
		last = (*ops)->name;
		if ((*ops)->on_request)
			print_to(out, ", %s-%s", (*ops)->name, (*ops)->setting);
	}
	print_to(out, "\n");
}

static int parse_allocators(const char *list, char names[BENCH_MAX_NAMES],
			    const struct printer *out)
{
	size_t total = length(list, '\0'), n;
	bool all = is_word(list, total, "all");

	for (const char *at = list; !all; at += n + 1) {
		n = length(at, ',');
		if (!is_allocator(at, n) || total >= BENCH_MAX_NAMES) {
			print_to(out, "bench: there is no allocator \"%.*s\"\n",
				 (int)(n < 32 ? n : 32), at);
			say_allocators(out);
			return -EMM_EINVAL;
		}
		if (!at[n])
			break;
	}
	for (size_t i = 0; i <= total && !all; i++)
		names[i] = list[i];
	if (all)
		names[0] = '\0';
	return 0;
}

/* Decimal, the whole word, between @min and @max. */
static int parse_number(const char *name, const char *s, uint64_t min, uint64_t max,
			uint64_t *value, const struct printer *out)
{
	uint64_t x = 0;
	size_t i;

	for (i = 0; s && s[i] >= '0' && s[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(s[i] - '0');

		if (x > (UINT64_MAX - digit) / 10)
			break;
		x = x * 10 + digit;
	}
	if (!i || s[i] || x < min || x > max) {
		print_to(out, "bench: %s=%.32s is not a number from %lu to %lu\n", name, s ? s : "",
			 (unsigned long)min, (unsigned long)max);
		return -EMM_EINVAL;
	}
	*value = x;
	return 0;
}

static int parse_records(const char *value, bool *brief, const struct printer *out)
{
	size_t n = length(value, '\0');

	if (!is_word(value, n, "all") && !is_word(value, n, "brief")) {
		print_to(out, "bench: records=%.32s is neither all nor brief\n", value);
		return -EMM_EINVAL;
	}
	*brief = value[0] == 'b';
	return 0;
}

int bench_option(struct bench_options *opt, const char *name, const char *value,
		 const struct printer *out)
{
	uint64_t x;
	int ret;

	if (is_word(name, length(name, '\0'), "bench"))
		return parse_workloads(value ? value : "all", &opt->workloads, out);
	if (is_word(name, length(name, '\0'), "alloc"))
		return parse_allocators(value ? value : "", opt->allocators, out);
	if (is_word(name, length(name, '\0'), "seed")) {
		ret = parse_number(name, value, 1, UINT64_MAX, &x, out);
		if (!ret)
			opt->seed = x;
		return ret;
	}
	if (is_word(name, length(name, '\0'), "reps")) {
		ret = parse_number(name, value, 1, BENCH_MAX_REPS, &x, out);
		if (!ret)
			opt->reps = (uint32_t)x;
		return ret;
	}
	if (is_word(name, length(name, '\0'), "steps"))
		return parse_number(name, value, 1, BENCH_MAX_STEPS, &opt->steps, out);
	if (is_word(name, length(name, '\0'), "records"))
		return parse_records(value ? value : "all", &opt->brief, out);
	return -EMM_ENOENT;
}
