/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The phases: which suites run in each, one after another on memory from the live allocator, and
 * whether that is afterwards as it was before.
 */
#include <string.h>

#include <earlymm/error.h>
#include "console.h"
#include "counters.h"
#include "memory.h"
#include "runner.h"

static const char *const phase_names[NR_SELFTEST_PHASES] = {
	[SELFTEST_MEMBLOCK] = "memblock",
	[SELFTEST_BOOTMEM] = "bootmem",
	[SELFTEST_HANDOVER] = "handover",
	[SELFTEST_BUDDY] = "buddy",
};

/* By the beginning of a suite's name; the first that fits counts. Others run when all is live. */
static const struct {
	const char *prefix;
	enum selftest_phase phase;
} places[] = {
	{ "test_live_memblock", SELFTEST_MEMBLOCK },
	{ "test_live_early", SELFTEST_BOOTMEM },
	{ "test_live_handover", SELFTEST_HANDOVER },
	{ "test_bitops", SELFTEST_MEMBLOCK },
	{ "test_dt", SELFTEST_MEMBLOCK },
	{ "test_mem", SELFTEST_MEMBLOCK },
	{ "test_bootmem", SELFTEST_BOOTMEM },
	{ "test_nobootmem", SELFTEST_BOOTMEM },
	{ "test_early", SELFTEST_BOOTMEM },
	{ "test_hugetlb", SELFTEST_BOOTMEM },
	{ "test_handover", SELFTEST_HANDOVER },
	{ "test_reserved", SELFTEST_HANDOVER },
	{ "suite_keep_memory", SELFTEST_MEMBLOCK },
};

#define MAX_NAME 48

/* For the tests of live allocators: what they have themselves they cannot look at. */
#define LIVE_BYTES ((uint64_t)4 << 20)

struct totals {
	unsigned int of[NR_VERDICTS]; /* tests */
	unsigned int failed_suites;
};

static struct selftest_env env; /* of the phase that runs */
static struct totals all; /* of all phases so far */
static bool selected; /* any suite at all */

/* Variables without a value lie here (payload.lds); the payload's start leaves that to us. */
extern char __init_bss_start[], __init_bss_end[];

/* "test_x" of "tests/unit/test_x.c". */
static const char *suite_name(const struct suite *s, char buf[MAX_NAME])
{
	const char *slash = strrchr(s->file, '/');
	size_t n = 0;

	for (const char *c = slash ? slash + 1 : s->file; *c && *c != '.' && n < MAX_NAME - 1; c++)
		buf[n++] = *c;
	buf[n] = '\0';
	return buf;
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

static enum selftest_phase phase_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (starts_with(name, places[i].prefix))
			return places[i].phase;
	return SELFTEST_BUDDY;
}

/* Does the suite call the second build of the hot files (mk/selftest.mk)? */
static bool is_zb(const char *name)
{
	const size_t n = strlen(name);

	return n > 3 && !strcmp(name + n - 3, "_zb");
}

/* Suites that are there to fail, suite_x, have to be asked for by their whole name. */
static bool is_wanted(const char *name, const char *filter)
{
	if (starts_with(name, "suite_"))
		return !strcmp(name, filter);
	return strstr(name, filter) && (env.has_zb || !is_zb(name));
}

static bool is_due(const struct suite *s, enum selftest_phase phase, char name[MAX_NAME])
{
	return is_wanted(suite_name(s, name), env.filter) && phase_of(name) == phase;
}

static unsigned int count_due(enum selftest_phase phase)
{
	char name[MAX_NAME];
	unsigned int nr = 0;

	for (const struct suite *s = __suites; s < __suites_end; s++)
		nr += is_due(s, phase, name);
	return nr;
}

static enum verdict verdict_of(const unsigned int results[NR_VERDICTS])
{
	if (results[FAILED])
		return FAILED;
	return results[PASSED] ? PASSED : SKIPPED;
}

static void note_results(struct ktap *k, enum ktap_level level, const char *name,
			 const unsigned int results[NR_VERDICTS])
{
	k->level = level;
	ktap_note(k, "%s: pass:%u fail:%u skip:%u total:%u", name, results[PASSED], results[FAILED],
		  results[SKIPPED], results[PASSED] + results[FAILED] + results[SKIPPED]);
}

/* On memory of its own, which is empty each time. */
static enum verdict run_suite(const struct suite *s, const char *name, const char **reason)
{
	const uint64_t most = starts_with(name, "test_live") ? LIVE_BYTES : UINT64_MAX;
	struct ktap *k = &runner.ktap;
	struct test_memory m;
	int err;

	runner.suite = name;
	*reason = test_memory_get(&m, &env, most);
	if (*reason)
		return SKIPPED;
	heap_init(&runner.heap, m.base, m.bytes);
	suite_run(s);
	err = test_memory_put(&m, &env);
	if (err) {
		k->level = KTAP_SUITES;
		ktap_note(k, "the tests' memory cannot be freed: %s", emm_strerror(err));
		return FAILED;
	}
	return verdict_of(runner.results);
}

static void run_and_report(const struct suite *s, unsigned int number, struct totals *t)
{
	struct ktap *k = &runner.ktap;
	struct counters start = counters_read();
	char name[MAX_NAME];
	const char *reason;
	enum verdict v;

	memset(runner.results, 0, sizeof(runner.results));
	runner.heap.peak = 0;
	v = run_suite(s, suite_name(s, name), &reason);
	note_results(k, KTAP_SUITES, name, runner.results);
	ktap_note(k, "%s: %lu ms, %zu KiB of memory", name,
		  env.tb_hz ? counters_sub(counters_read(), start).tb * 1000 / env.tb_hz : 0,
		  (runner.heap.peak + 1023) / 1024);
	ktap_result(k, KTAP_SUITES, number, name, v, reason);
	for (unsigned int i = 0; i < NR_VERDICTS; i++)
		t->of[i] += runner.results[i];
	t->failed_suites += v == FAILED;
}

/* The suites, and as the last of them whether the allocators are as they were. */
static void run_suites(enum selftest_phase phase, struct totals *t)
{
	unsigned int nr = count_due(phase), number = 1;
	struct live_state before, after;
	char name[MAX_NAME];
	bool same;

	live_state_take(&before, &env);
	ktap_begin(&runner.ktap, KTAP_SUITES, phase_names[phase], nr + 1);
	for (const struct suite *s = __suites; s < __suites_end; s++)
		if (is_due(s, phase, name))
			run_and_report(s, number++, t);
	live_state_take(&after, &env);
	runner.ktap.level = KTAP_SUITES;
	same = live_state_is(&after, &before, &runner.ktap);
	ktap_result(&runner.ktap, KTAP_SUITES, number, "allocator_unchanged",
		    same ? PASSED : FAILED, NULL);
	t->of[same ? PASSED : FAILED]++;
	t->failed_suites += !same;
}

static bool any_suite(void)
{
	for (unsigned int phase = 0; phase < NR_SELFTEST_PHASES; phase++)
		if (count_due((enum selftest_phase)phase))
			return true;
	print("selftest: no suite has \"");
	print_text(env.filter, MAX_NAME);
	print("\" in its name\n");
	return false;
}

static void end_of_phase(enum selftest_phase phase, const struct totals *t, enum verdict v,
			 const char *reason)
{
	struct ktap *k = &runner.ktap;

	if (v != SKIPPED)
		note_results(k, KTAP_PHASES, phase_names[phase], t->of);
	for (unsigned int i = 0; i < NR_VERDICTS; i++)
		all.of[i] += t->of[i];
	if (phase == NR_SELFTEST_PHASES - 1)
		note_results(k, KTAP_PHASES, "Totals", all.of);
	ktap_result(k, KTAP_PHASES, phase + 1, phase_names[phase], v, reason);
}

bool selftest_run(enum selftest_phase phase, const struct selftest_env *live)
{
	struct totals t = { .failed_suites = 0 };
	enum verdict v = SKIPPED;

	if (phase == 0)
		memset(__init_bss_start, 0, (size_t)(__init_bss_end - __init_bss_start));
	env = *live;
	if (!env.filter)
		env.filter = "";
	runner.env = &env;
	runner.ktap.out = &console;
	if (phase == 0) {
		selected = any_suite();
		if (selected)
			ktap_begin(&runner.ktap, KTAP_PHASES, NULL, NR_SELFTEST_PHASES);
	}
	if (!selected)
		return false;
	if (count_due(phase)) {
		run_suites(phase, &t);
		v = t.failed_suites ? FAILED : PASSED;
	}
	end_of_phase(phase, &t, v, "no suite was asked for");
	return v != FAILED;
}
