/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explorer's short cuts against an explorer without any: random programs of all kinds of
 * accesses must come to the same set of outcomes (registers and memory). MODEL_RANDOM is their number.
 */
#include "explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_OUTCOMES 4096
#define NR_VARIABLES 3
#define MAX_ACCESSES 4

struct random_access {
	enum access access;
	unsigned int order, variable;
	uint64_t value, expect;
	bool ends_operation;
};

static struct {
	uint64_t variable[NR_VARIABLES];
	uint64_t r[MAX_HARTS][MAX_ACCESSES];
} a;

static struct random_access programs[MAX_HARTS][MAX_ACCESSES];
static unsigned int nr_accesses;
static uint64_t outcomes[2][MAX_OUTCOMES];
static unsigned int nr_outcomes[2];
static unsigned int side;
static uint64_t rng = 88172645463325252ULL;

static unsigned int random_below(unsigned int n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned int)(rng >> 33) % n;
}

static uint64_t make_access(const struct random_access *r)
{
	uint64_t *p = &a.variable[r->variable];
	bool done;

	switch (r->access) {
	case ACCESS_LOAD:
		return model_load(p, r->order & MODEL_ACQUIRE);
	case ACCESS_STORE:
		model_store(p, r->value, r->order & MODEL_RELEASE);
		return 0;
	case ACCESS_OR:
		return model_or(p, r->value, r->order);
	case ACCESS_AND:
		return model_and(p, r->value, r->order);
	case ACCESS_XCHG:
		return model_xchg(p, r->value, r->order);
	case ACCESS_CAS:
		return model_cas(p, r->expect, r->value, r->order);
	case ACCESS_OR_PARTIAL:
		done = model_or_partial(p, r->value, 3, r->order);
		return done;
	default:
		model_fence(MODEL_ACQUIRE);
		return 0;
	}
}

static void run_hart(unsigned int h)
{
	model_op_begin("");
	for (unsigned int i = 0; i < nr_accesses; i++) {
		a.r[h][i] = make_access(&programs[h][i]);
		if (programs[h][i].ends_operation) {
			model_op_end();
			model_op_begin("");
		}
	}
	model_op_end();
}

static void nothing(unsigned int h)
{
	(void)h;
}

static uint64_t hash_local(unsigned int h)
{
	uint64_t x = 0;

	for (unsigned int i = 0; i < nr_accesses; i++)
		x = hash_mix(x, a.r[h][i]);
	return x;
}

static void no_name(char *buf, size_t size, const void *p)
{
	snprintf(buf, size, "%c", (char)('x' + ((const uint64_t *)p - a.variable)));
}

static void restart(void)
{
	nr_outcomes[side] = 0;
}

static void end(void)
{
	uint64_t x = 0;

	for (unsigned int h = 0; h < MAX_HARTS; h++)
		x = hash_mix(x, hash_local(h));
	for (unsigned int i = 0; i < NR_VARIABLES; i++)
		x = hash_mix(x, a.variable[i]);
	for (unsigned int i = 0; i < nr_outcomes[side]; i++)
		if (outcomes[side][i] == x)
			return;
	if (nr_outcomes[side] == MAX_OUTCOMES)
		model_fail("more than %d outcomes", MAX_OUTCOMES);
	outcomes[side][nr_outcomes[side]++] = x;
}

static int compare(const void *p, const void *q)
{
	uint64_t x = *(const uint64_t *)p, y = *(const uint64_t *)q;

	return x < y ? -1 : x > y;
}

static void make_programs(unsigned int nr_harts)
{
	for (unsigned int h = 0; h < nr_harts; h++)
		for (unsigned int i = 0; i < nr_accesses; i++)
			programs[h][i] = (struct random_access){
				.access = random_below(3) ? random_below(2)
							  : random_below(ACCESS_FENCE + 1),
				.order = random_below(5) ? random_below(4) : MODEL_FULL,
				.variable = random_below(NR_VARIABLES),
				.value = 1 + random_below(3),
				.expect = random_below(3),
				.ends_operation = !random_below(3),
			};
}

/* Both explorers on one program; the states of each are added up. */
static bool is_same(unsigned int nr_harts, uint64_t states[2])
{
	struct client client = {
		.nr_harts = nr_harts,
		.arena = &a,
		.arena_bytes = sizeof(a),
		.hart = run_hart,
		.begin = nothing,
		.restart = restart,
		.end = end,
		.hash_shared = model_no_hash,
		.hash_local = hash_local,
		.is_defined = model_always,
		.name = no_name,
		.max_states = 1U << 30,
	};

	for (side = 0; side < 2; side++) {
		struct outcome o;

		memset(&a, 0, sizeof(a));
		client.is_exhaustive = side == 1;
		model_open(&client, &o);
		model_explore(false);
		states[side] += o.states;
		qsort(outcomes[side], nr_outcomes[side], sizeof(uint64_t), compare);
	}
	return nr_outcomes[0] == nr_outcomes[1] &&
	       !memcmp(outcomes[0], outcomes[1], nr_outcomes[0] * sizeof(uint64_t));
}

int main(void)
{
	static const struct {
		unsigned int harts, accesses;
	} shapes[] = { { 2, 3 }, { 2, 4 }, { 3, 2 }, { 3, 3 } };
	const char *number = getenv("MODEL_RANDOM");
	unsigned int nr = number ? (unsigned int)atoi(number) : 400, failed = 0, n = 0;

	for (unsigned int s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
		unsigned int different = 0;
		uint64_t states[2] = { 0, 0 };

		nr_accesses = shapes[s].accesses;
		for (unsigned int i = 0; i < nr; i++) {
			make_programs(shapes[s].harts);
			different += !is_same(shapes[s].harts, states);
		}
		printf("%sok %u - %u random programs, %u harts, %u accesses: %llu states, %llu "
		       "without short cuts, %u differ\n",
		       different ? "not " : "", ++n, nr, shapes[s].harts, shapes[s].accesses,
		       (unsigned long long)states[0], (unsigned long long)states[1], different);
		failed += different;
	}
	printf("1..%u\n", n);
	return failed != 0;
}
