/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explorer's own tests: litmus tests whose outcomes RVWMO allows or forbids, and clients with
 * faults that it has to find. The outcomes seen must be exactly those that are listed.
 */
#include "explore.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_OUTCOMES 32

struct litmus_arena {
	uint64_t x, y, z;
	uint64_t r[MAX_HARTS][4]; /* what each hart has read */
};

struct litmus {
	const char *name;
	void (*harts[MAX_HARTS])(uint64_t *r);
	const char *outcomes; /* registers of all harts, in ascending order */
};

static struct litmus_arena a;
static const struct litmus *test;
static uint64_t seen[MAX_OUTCOMES];
static unsigned int nr_seen;

#define READ(p)      model_load(p, MODEL_RELAXED)
#define READ_AQ(p)   model_load(p, MODEL_ACQUIRE)
#define SET(p, v)    model_store(p, v, MODEL_RELAXED)
#define SET_RL(p, v) model_store(p, v, MODEL_RELEASE)

static void write_x_y(uint64_t *r)
{
	(void)r;
	SET(&a.x, 1);
	SET(&a.y, 1);
}

static void write_x_release_y(uint64_t *r)
{
	(void)r;
	SET(&a.x, 1);
	SET_RL(&a.y, 1);
}

static void read_y_x(uint64_t *r)
{
	r[0] = READ(&a.y);
	r[1] = READ(&a.x);
}

static void acquire_y_read_x(uint64_t *r)
{
	r[0] = READ_AQ(&a.y);
	r[1] = READ(&a.x);
}

static void read_y_fence_read_x(uint64_t *r)
{
	r[0] = READ(&a.y);
	model_fence(MODEL_ACQUIRE);
	r[1] = READ(&a.x);
}

static void write_x_amo_y(uint64_t *r)
{
	(void)r;
	SET(&a.x, 1);
	model_or(&a.y, 1, MODEL_ACQ_REL);
}

static void write_x_relaxed_amo_y(uint64_t *r)
{
	(void)r;
	SET(&a.x, 1);
	model_or(&a.y, 1, MODEL_ACQUIRE);
}

/* The order that buddy_free()'s end of flight counts on: an .aq holds later stores back. */
static void amo_x_write_y(uint64_t *r)
{
	(void)r;
	model_or(&a.x, 1, MODEL_ACQ_REL);
	SET(&a.y, 1);
}

static void write_x_read_y(uint64_t *r)
{
	SET(&a.x, 1);
	r[0] = READ(&a.y);
}

static void write_y_read_x(uint64_t *r)
{
	SET(&a.y, 1);
	r[0] = READ(&a.x);
}

static void release_x_acquire_y(uint64_t *r)
{
	SET_RL(&a.x, 1);
	r[0] = READ_AQ(&a.y);
}

static void release_y_acquire_x(uint64_t *r)
{
	SET_RL(&a.y, 1);
	r[0] = READ_AQ(&a.x);
}

static void amo_x_read_y(uint64_t *r)
{
	model_or(&a.x, 1, MODEL_ACQ_REL);
	r[0] = READ(&a.y);
}

static void amo_y_read_x(uint64_t *r)
{
	model_or(&a.y, 1, MODEL_ACQ_REL);
	r[0] = READ(&a.x);
}

static void amo_rl_x_read_y(uint64_t *r)
{
	model_or(&a.x, 1, MODEL_RELEASE);
	r[0] = READ(&a.y);
}

static void cas_x_read_y(uint64_t *r)
{
	model_cas(&a.x, 0, 1, MODEL_ACQ_REL);
	r[0] = READ(&a.y);
}

static void cas_y_read_x(uint64_t *r)
{
	model_cas(&a.y, 0, 1, MODEL_ACQ_REL);
	r[0] = READ(&a.x);
}

static void full_cas_x_read_y(uint64_t *r)
{
	model_cas(&a.x, 0, 1, MODEL_FULL);
	r[0] = READ(&a.y);
}

static void full_cas_y_read_x(uint64_t *r)
{
	model_cas(&a.y, 0, 1, MODEL_FULL);
	r[0] = READ(&a.x);
}

static void read_x_write_y(uint64_t *r)
{
	r[0] = READ(&a.x);
	SET(&a.y, 1);
}

static void read_y_write_x(uint64_t *r)
{
	r[0] = READ(&a.y);
	SET(&a.x, 1);
}

static void write_x_1(uint64_t *r)
{
	(void)r;
	SET(&a.x, 1);
}

static void write_x_1_2(uint64_t *r)
{
	(void)r;
	SET(&a.x, 1);
	SET(&a.x, 2);
}

static void read_x_x(uint64_t *r)
{
	r[0] = READ(&a.x);
	r[1] = READ(&a.x);
}

static void acquire_x_acquire_y(uint64_t *r)
{
	r[0] = READ_AQ(&a.x);
	r[1] = READ_AQ(&a.y);
}

static void acquire_y_acquire_x(uint64_t *r)
{
	r[0] = READ_AQ(&a.y);
	r[1] = READ_AQ(&a.x);
}

static void write_both(uint64_t *r)
{
	(void)r;
	SET(&a.x, 1);
	SET(&a.y, 1);
}

static void acquire_x_release_y(uint64_t *r)
{
	r[0] = READ_AQ(&a.x);
	SET_RL(&a.y, 1);
}

static void add_x(uint64_t *r)
{
	do
		r[0] = READ(&a.x);
	while (!model_cas(&a.x, r[0], r[0] + 1, MODEL_RELAXED));
}

static void swap_x(uint64_t *r)
{
	r[0] = model_xchg(&a.x, 1, MODEL_RELAXED);
}

static void and_or_partial(uint64_t *r)
{
	r[0] = model_or_partial(&a.x, 2, 7, MODEL_ACQ_REL);
	r[1] = READ(&a.x);
}

static void write_read_own(uint64_t *r)
{
	SET(&a.x, 1);
	r[0] = READ(&a.x);
	r[1] = READ(&a.y);
}

static const struct litmus tests[] = {
	{ "message passing, relaxed", { write_x_y, read_y_x }, "00 01 10 11" },
	{ "message passing, release only", { write_x_release_y, read_y_x }, "00 01 10 11" },
	{ "message passing, acquire only", { write_x_y, acquire_y_read_x }, "00 01 10 11" },
	{ "message passing", { write_x_release_y, acquire_y_read_x }, "00 01 11" },
	{ "message passing, fence r,r", { write_x_release_y, read_y_fence_read_x }, "00 01 11" },
	{ "message passing by AMO", { write_x_amo_y, acquire_y_read_x }, "00 01 11" },
	{ "message passing, AMO without .rl",
	  { write_x_relaxed_amo_y, acquire_y_read_x },
	  "00 01 10 11" },
	{ "a store behind an AMO.aqrl", { amo_x_write_y, acquire_y_read_x }, "00 01 11" },
	{ "store buffering, relaxed", { write_x_read_y, write_y_read_x }, "00 01 10 11" },
	{ "store buffering, release and acquire",
	  { release_x_acquire_y, release_y_acquire_x },
	  "00 01 10 11" },
	{ "store buffering, AMO.aqrl", { amo_x_read_y, amo_y_read_x }, "01 10 11" },
	{ "store buffering, one AMO.rl", { amo_rl_x_read_y, amo_y_read_x }, "00 01 10 11" },
	{ "store buffering, lr.aq and sc.rl", { cas_x_read_y, cas_y_read_x }, "00 01 10 11" },
	{ "store buffering, lr.aq and sc.aqrl",
	  { full_cas_x_read_y, full_cas_y_read_x },
	  "01 10 11" },
	{ "load buffering: 11 is beyond this machine",
	  { read_x_write_y, read_y_write_x },
	  "00 01 10" },
	{ "coherence: reads of one location", { write_x_1, read_x_x }, "00 01 11" },
	{ "coherence: writes of one location", { write_x_1_2, read_x_x }, "00 01 02 11 12 22" },
	{ "forwarding", { write_read_own, write_y_read_x }, "100 101 110 111" },
	{ "IRIW, acquire: one order of writes for all",
	  { write_both, acquire_x_acquire_y, acquire_y_acquire_x },
	  "0000 0001 0010 0011 0100 0101 0110 0111 1000 1001 1011 1100 1101 1110 1111" },
	{ "write to read causality",
	  { write_x_1, acquire_x_release_y, acquire_y_read_x },
	  "000 001 010 011 100 101 111" },
	{ "CAS loses no increment", { add_x, add_x }, "01 10" },
	{ "AMO loses nothing", { swap_x, swap_x }, "01 10" },
	{ "or-partial", { write_x_1, and_or_partial }, "00 01 13" },
};

static void run_hart(unsigned int h)
{
	model_op_begin("");
	test->harts[h](a.r[h]);
	model_op_end();
}

static void nothing(unsigned int h)
{
	(void)h;
}

static uint64_t registers(unsigned int h)
{
	uint64_t x = 0;

	for (unsigned int i = 0; i < 4; i++)
		x = x << 16 | a.r[h][i];
	return x;
}

static void name(char *buf, size_t size, const void *p)
{
	snprintf(buf, size, "%c", (char)('x' + ((const uint64_t *)p - &a.x)));
}

static unsigned int nr_registers(unsigned int h)
{
	void (*fn)(uint64_t * r) = test->harts[h];

	if (fn == read_y_x || fn == acquire_y_read_x || fn == read_y_fence_read_x ||
	    fn == read_x_x || fn == acquire_x_acquire_y || fn == acquire_y_acquire_x ||
	    fn == and_or_partial || fn == write_read_own)
		return 2;
	return fn == write_x_y || fn == write_x_release_y || fn == write_x_amo_y ||
			       fn == write_x_relaxed_amo_y || fn == amo_x_write_y ||
			       fn == write_x_1 || fn == write_x_1_2 || fn == write_both
		       ? 0
		       : 1;
}

static void restart(void)
{
	nr_seen = 0;
}

static void end(void)
{
	uint64_t outcome = 1;

	for (unsigned int h = 0; h < MAX_HARTS && test->harts[h]; h++)
		for (unsigned int i = 0; i < nr_registers(h); i++)
			outcome = outcome * 16 + a.r[h][i];
	for (unsigned int i = 0; i < nr_seen; i++)
		if (seen[i] == outcome)
			return;
	if (nr_seen < MAX_OUTCOMES)
		seen[nr_seen++] = outcome;
}

/* The outcomes in ascending order, as hexadecimal digits. */
static void print_outcomes(char *buf, size_t size)
{
	buf[0] = '\0';
	for (unsigned int i = 0; i < nr_seen; i++) {
		unsigned int least = i;
		uint64_t x;
		char digits[20];

		for (unsigned int j = i + 1; j < nr_seen; j++)
			if (seen[j] < seen[least])
				least = j;
		x = seen[least];
		seen[least] = seen[i];
		seen[i] = x;
		snprintf(digits, sizeof(digits), "%" PRIx64, x);
		snprintf(buf + strlen(buf), size - strlen(buf), "%s%s", i ? " " : "", digits + 1);
	}
}

static struct client client = {
	.arena = &a,
	.arena_bytes = sizeof(a),
	.hart = run_hart,
	.begin = nothing,
	.restart = restart,
	.end = end,
	.hash_shared = model_no_hash,
	.hash_local = registers,
	.is_defined = model_always,
	.name = name,
	.max_states = 1000000,
};

static struct outcome explore(const struct litmus *t)
{
	struct outcome o;

	test = t;
	memset(&a, 0, sizeof(a));
	for (client.nr_harts = 0; client.nr_harts < MAX_HARTS && t->harts[client.nr_harts];)
		client.nr_harts++;
	model_open(&client, &o);
	model_explore(false);
	return o;
}

static void never_ends(uint64_t *r)
{
	while (!(r[0] = READ(&a.x)))
		;
}

static void finds_42(uint64_t *r)
{
	if (READ(&a.y) == 1 && READ(&a.x) == 0)
		model_bug("found");
	(void)r;
}

static bool is_42_undefined(const void *p)
{
	return p != &a.y;
}

/* What ends an exploration must end it, and say why. */
static bool test_faults(unsigned int n)
{
	static const struct litmus loop = { "", { never_ends, write_x_1 }, "" };
	static const struct litmus bug = { "", { write_x_y, finds_42 }, "" };
	static const struct litmus many = { "", { add_x, add_x, add_x }, "" };
	struct outcome o = explore(&loop);
	bool good = o.bug && strstr(o.message, "does not end");

	printf("%sok %u - an endless operation is found: %s\n", good ? "" : "not ", n, o.message);
	o = explore(&bug);
	printf("%sok %u - a bug in one interleaving is found: %s\n", o.bug ? "" : "not ", n + 1,
	       o.message);
	good &= o.bug;
	client.max_states = 5;
	o = explore(&many);
	printf("%sok %u - a bound is reported\n", o.bounded ? "" : "not ", n + 2);
	good &= o.bounded;
	client.max_states = 1000000;
	client.is_defined = is_42_undefined;
	o = explore(&(struct litmus){ "", { write_x_1, read_y_x }, "" });
	client.is_defined = model_always;
	printf("%sok %u - a word that nobody has written: %s\n", o.bug ? "" : "not ", n + 3,
	       o.message);
	return good && o.bug;
}

int main(void)
{
	unsigned int nr = sizeof(tests) / sizeof(tests[0]), failed = 0;

	for (unsigned int i = 0; i < nr; i++) {
		struct outcome o = explore(&tests[i]);
		char got[256];
		bool good;

		print_outcomes(got, sizeof(got));
		good = !o.bug && !o.bounded && !strcmp(got, tests[i].outcomes);
		failed += !good;
		printf("%sok %u - %s\n", good ? "" : "not ", i + 1, tests[i].name);
		if (!good)
			printf("#   expected %s\n#   saw      %s%s%s\n", tests[i].outcomes, got,
			       o.bug ? ", " : "", o.message);
	}
	failed += !test_faults(nr + 1);
	printf("1..%u\n", nr + 4);
	return failed != 0;
}
