/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The search, depth first. An access to a location that no other hart looks at any more is made at
 * once, without trying other orders: whether one does is learned from what the exploration sees,
 * and an exploration that learns something is repeated until it does not (so what it takes for
 * granted is true of all that it explored; a persistent set).
 */
#include "explore.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 4000 /* accesses of one operation */
#define MAX_DEPTH 20000

struct transition {
	uint8_t hart;
	uint8_t drain; /* 0: the hart's request; else 1 + the entry of its buffer */
	struct choice choice;
};

static const struct client *client;
static struct outcome *out;
static int running = -1; /* hart */
static bool harts_run;
static bool tracing;

/* Locations that hart h looks at in operation n or later, as far as is known. */
static uint64_t learned[MAX_HARTS][MAX_OPS + 1];
static bool is_written_by_others[MAX_HARTS]; /* what hart h reads without atomics */
static bool has_learned;
static uint64_t learned_at;

static uint64_t order_rng; /* 0: the ways on are tried as they are listed */
static struct saved *saved[MAX_DEPTH];
static struct transition path[MAX_DEPTH];
static unsigned int depth;
static bool stop;
static bool abandoned; /* the present schedule */

void model_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("Bail out! explorer: ", stdout);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	exit(2);
}

void model_bug(const char *format, ...)
{
	va_list args;

	if (!out->bug) {
		va_start(args, format);
		vsnprintf(out->message, sizeof(out->message), format, args);
		va_end(args);
	}
	out->bug = true;
	if (running >= 0)
		coroutine_leave();
}

void model_abandon(void)
{
	abandoned = true;
	if (running >= 0)
		coroutine_leave();
}

bool model_is_defined(const void *p)
{
	return client->is_defined(p);
}

bool model_is_own(unsigned int h, const void *p)
{
	return client->is_own && client->is_own(h, p);
}

bool model_set_harts_run(bool run)
{
	bool was = harts_run;

	harts_run = run;
	return was;
}

static bool can_access(unsigned int h, unsigned int loc)
{
	const struct hart *hart = &machine.harts[h];

	return !hart->finished && ((learned[h][hart->pc] >> loc & 1) || client->is_exhaustive);
}

/* Does any other hart still look at the location, or have a store to it on its way? */
static bool is_private(unsigned int h, unsigned int loc)
{
	for (unsigned int i = 0; i < client->nr_harts; i++)
		if (i != h && (can_access(i, loc) || machine_is_buffered(i, loc)))
			return false;
	return !client->is_exhaustive;
}

static void trim(void)
{
	if (!client->is_exhaustive)
		machine_trim(client->nr_harts, can_access);
}

static void learn(unsigned int h, unsigned int loc)
{
	unsigned int pc = machine.harts[h].pc;

	if (learned[h][pc] >> loc & 1)
		return;
	for (unsigned int i = 0; i <= pc; i++)
		learned[h][i] |= 1ULL << loc;
	if (!has_learned)
		learned_at = out->states;
	has_learned = true;
}

/* Hart @h writes to @p. */
static void learn_write(unsigned int h, const void *p)
{
	for (unsigned int i = 0; i < client->nr_harts; i++)
		if (i != h && !is_written_by_others[i] && model_is_own(i, p))
			is_written_by_others[i] = has_learned = stop = true;
}

static void op_is_seen(unsigned int h)
{
	bool was = model_set_harts_run(false);

	if (!machine.harts[h].begun) {
		machine.harts[h].begun = true;
		client->begin(h);
	}
	harts_run = was;
}

/* May hart @h's store skip the buffer? */
static bool store_may_arrive(unsigned int h)
{
	const struct hart *hart = &machine.harts[h];
	const struct request *r = &hart->request;

	if ((r->order & MODEL_RELEASE) && hart->nr_buffered)
		return false;
	return is_private(h, r->loc) && !machine_is_buffered(h, r->loc);
}

/* Makes hart @h's access at once where that is as good as any other order. */
static bool access_at_once(unsigned int h)
{
	struct hart *hart = &machine.harts[h];
	struct request *r = &hart->request;
	struct choice choices[MAX_CHOICES];

	if (r->access == ACCESS_STORE && store_may_arrive(h)) {
		machine_store_private(h);
	} else if (r->access == ACCESS_STORE || r->access == ACCESS_FENCE) {
		machine_perform(h, &(struct choice){ 0 });
	} else {
		/* What is buffered may have to arrive before it, and others may look at that. */
		if (!is_private(h, r->loc) || (r->access != ACCESS_LOAD && hart->nr_buffered) ||
		    machine_choices(h, choices) != 1)
			return false;
		machine_perform(h, choices);
	}
	trim();
	return true;
}

/*
 * The hart stops until it is its turn. What others have written and it reads without atomics then
 * is a part of what its next steps depend on.
 */
static void wait_for_turn(unsigned int h)
{
	struct hart *hart = &machine.harts[h];

	coroutine_yield(h);
	for (unsigned int loc = 0; loc < machine_nr_locs() && is_written_by_others[h]; loc++)
		if (model_is_own(h, machine_ptr(loc)))
			hart->local = hash_mix(hart->local, machine_peek(loc));
}

/* An access of the running hart. */
static void make_access(enum access access, unsigned int order, const void *p, uint64_t value,
			uint64_t expect)
{
	unsigned int h = (unsigned int)running;
	struct hart *hart = &machine.harts[h];
	bool is_new = false;

	hart->request = (struct request){
		.access = access, .order = order, .value = value, .expect = expect
	};
	if (p) {
		hart->request.loc =
			machine_loc(p, client->is_narrow && client->is_narrow(p), &is_new);
		if (is_new) {
			/* The next exploration knows it from the beginning. */
			has_learned = stop = true;
			coroutine_leave();
		}
		learn(h, hart->request.loc);
		if (access != ACCESS_LOAD)
			learn_write(h, p);
	}
	if (++hart->steps > MAX_STEPS)
		model_bug("operation does not end: %u accesses", hart->steps - 1);
	if (access_at_once(h)) {
		if (tracing)
			trace_access(client, h);
		return;
	}
	wait_for_turn(h);
}

/* Accesses outside the exploration: set-up and end. */
static bool plain(const void *p)
{
	if (harts_run)
		return false;
	if (!client->is_defined(p))
		model_bug("reads a word that was never written, in a quiet moment");
	return true;
}

uint64_t model_load(const uint64_t *p, unsigned int order)
{
	if (plain(p))
		return *p;
	make_access(ACCESS_LOAD, order, p, 0, 0);
	return machine.harts[running].request.result;
}

void model_store(uint64_t *p, uint64_t v, unsigned int order)
{
	if (!harts_run)
		*p = v;
	else
		make_access(ACCESS_STORE, order, p, v, 0);
}

uint32_t model_load32(const uint32_t *p, unsigned int order)
{
	if (plain(p))
		return *p;
	make_access(ACCESS_LOAD, order, p, 0, 0);
	return (uint32_t)machine.harts[running].request.result;
}

void model_store32(uint32_t *p, uint32_t v, unsigned int order)
{
	if (!harts_run)
		*p = v;
	else
		make_access(ACCESS_STORE, order, p, v, 0);
}

static uint64_t rmw(enum access access, uint64_t *p, uint64_t v, unsigned int order)
{
	uint64_t old = *p;

	if (harts_run) {
		make_access(access, order, p, v, 0);
		return machine.harts[running].request.result;
	}
	if (access != ACCESS_XCHG)
		plain(p);
	*p = access == ACCESS_OR ? old | v : access == ACCESS_AND ? old & v : v;
	return old;
}

uint64_t model_or(uint64_t *p, uint64_t v, unsigned int order)
{
	return rmw(ACCESS_OR, p, v, order);
}

uint64_t model_and(uint64_t *p, uint64_t v, unsigned int order)
{
	return rmw(ACCESS_AND, p, v, order);
}

uint64_t model_xchg(uint64_t *p, uint64_t v, unsigned int order)
{
	return rmw(ACCESS_XCHG, p, v, order);
}

bool model_cas(uint64_t *p, uint64_t expected, uint64_t desired, unsigned int order)
{
	if (!plain(p)) {
		/* The machine's CAS stores the operand. */
		make_access(ACCESS_CAS, order, p, desired, expected);
		return machine.harts[running].request.done;
	}
	if (*p != expected)
		return false;
	*p = desired;
	return true;
}

bool model_or_partial(uint64_t *p, uint64_t mask, uint64_t full, unsigned int order)
{
	if (!plain(p)) {
		make_access(ACCESS_OR_PARTIAL, order, p, mask, full);
		return machine.harts[running].request.done;
	}
	if (!*p || (*p & mask) || (*p | mask) == full)
		return false;
	*p |= mask;
	return true;
}

void model_fence(unsigned int order)
{
	if (harts_run)
		make_access(ACCESS_FENCE, order, NULL, 0, 0);
}

void model_op_begin(const char *label)
{
	struct hart *hart = &machine.harts[running];

	hart->label = label;
	hart->steps = 0;
	hart->begun = false;
	if (is_written_by_others[running]) {
		hart->request = (struct request){ .access = ACCESS_FENCE, .loc = MAX_LOCS };
		wait_for_turn((unsigned int)running);
	}
}

void model_op_end(void)
{
	unsigned int h = (unsigned int)running;
	struct hart *hart = &machine.harts[h];

	op_is_seen(h);
	if (hart->pc == MAX_OPS)
		model_fail("more than %d operations", MAX_OPS);
	hart->pc++;
	harts_run = false;
	hart->local = client->hash_local(h);
	harts_run = true;
}

/* Stores that no other hart will look at arrive at once. */
static void drain_private(void)
{
	bool found = false;

	for (unsigned int h = 0; h < client->nr_harts; h++)
		for (unsigned int e = 0; e < machine.harts[h].nr_buffered;)
			if (machine_may_drain(h, e) &&
			    is_private(h, machine.harts[h].buffer[e].loc)) {
				if (tracing)
					trace_drain(client, h, e);
				machine_drain(h, e, true);
				found = true;
				e = 0;
			} else {
				e++;
			}
	if (found)
		trim();
}

static void take(const struct transition *t)
{
	unsigned int h = t->hart;

	if (t->drain) {
		if (tracing)
			trace_drain(client, h, t->drain - 1U);
		machine_drain(h, t->drain - 1U, false);
	} else {
		if (machine.harts[h].request.loc < MAX_LOCS)
			op_is_seen(h);
		machine_perform(h, &t->choice);
		if (tracing && machine.harts[h].request.loc < MAX_LOCS)
			trace_access(client, h);
		running = (int)h;
		harts_run = true;
		coroutine_resume(h);
		harts_run = false;
		running = -1;
	}
	trim();
	drain_private();
}

/*
 * May a store arrive now? With @stores_arrive_late only if another hart is just about to look at
 * its location, or has a store to it. (What is lost: a store that has arrived early, seen with
 * acquire, tells its reader less of other harts' writes. Before its hart's next release it must.)
 */
static bool drain_is_due(unsigned int h, unsigned int entry)
{
	if (!client->stores_arrive_late)
		return true;
	for (unsigned int i = 0; i < client->nr_harts; i++) {
		const struct hart *other = &machine.harts[i];

		if (i == h)
			continue;
		if (!other->finished && machine_is_needed(h, entry, other->request.loc))
			return true;
		for (unsigned int e = 0; e < other->nr_buffered; e++)
			if (machine_is_needed(h, entry, other->buffer[e].loc))
				return true;
	}
	return false;
}

/* All ways on from here; the hart that ran last comes first, so that schedules read well. */
static unsigned int list_transitions(struct transition *list, unsigned int last)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < client->nr_harts; i++) {
		unsigned int h = (last + i) % client->nr_harts;
		struct choice choices[MAX_CHOICES];
		unsigned int nr = machine.harts[h].finished ? 0 : machine_choices(h, choices);

		for (unsigned int c = 0; c < nr; c++)
			list[n++] = (struct transition){ .hart = (uint8_t)h, .choice = choices[c] };
		for (unsigned int e = 0; e < machine.harts[h].nr_buffered; e++)
			if (machine_may_drain(h, e) && drain_is_due(h, e))
				list[n++] = (struct transition){ .hart = (uint8_t)h,
								 .drain = (uint8_t)(e + 1) };
	}
	return n;
}

static void found_bug(void)
{
	stop = true;
}

/* In another order an exploration that ends at its bound has been elsewhere. */
static void shuffle(struct transition *list, unsigned int n)
{
	for (unsigned int i = n; i > 1 && order_rng; i--) {
		struct transition t = list[i - 1];
		unsigned int j;

		order_rng = hash_mix(order_rng, i);
		j = (unsigned int)(order_rng >> 33) % i;
		list[i - 1] = list[j];
		list[j] = t;
	}
}

static void search(unsigned int last)
{
	struct transition list[MAX_HARTS * (MAX_CHOICES + MAX_BUFFER)];
	unsigned int n;

	if (out->bug) {
		found_bug();
		return;
	}
	if (!state_is_new(hash_mix(machine_hash(client->nr_harts), client->hash_shared())))
		return;
	if (++out->states >= client->max_states)
		out->bounded = stop = true;
	if (has_learned && !client->is_exhaustive && out->states > 2 * learned_at + 64)
		stop = true;
	if (depth + 1 == MAX_DEPTH)
		model_fail("schedules of %d steps", MAX_DEPTH);
	n = list_transitions(list, last);
	shuffle(list, n);
	if (!n) {
		out->ends++;
		client->end();
	}
	if (out->bug) {
		found_bug();
		return;
	}
	if (n > 1)
		state_save(client, &saved[depth]);
	for (unsigned int i = 0; i < n && !stop; i++) {
		if (i)
			state_restore(client, saved[depth]);
		path[depth++] = list[i];
		abandoned = false;
		take(&list[i]);
		if (!stop && (!abandoned || out->bug))
			search(list[i].hart);
		if (!stop)
			depth--;
	}
}

static void start_harts(void)
{
	machine_reset(client->nr_harts);
	for (unsigned int h = 0; h < client->nr_harts && !out->bug && !stop; h++) {
		running = (int)h;
		harts_run = true;
		machine.harts[h].local = h;
		coroutine_start(h, client->hart);
		harts_run = false;
		running = -1;
	}
	if (!out->bug && !stop)
		drain_private();
}

static void replay(void)
{
	unsigned int nr_steps = depth;

	tracing = true;
	out->bug = stop = false;
	start_harts();
	for (unsigned int i = 0; i < nr_steps && !out->bug; i++)
		take(&path[i]);
	if (!out->bug)
		client->end();
	tracing = false;
	printf("#   bug: %s\n", out->message);
}

void model_open(const struct client *c, struct outcome *outcome)
{
	client = c;
	out = outcome;
	machine_tells_equals_apart = c->is_exhaustive;
	*out = (struct outcome){ 0 };
	running = -1;
	harts_run = false;
}

void model_explore(bool trace)
{
	const struct client *c = client;
	char *initial = malloc(c->arena_bytes);
	unsigned int runs = 0;

	if (out->bug) {
		free(initial);
		printf("#   bug in the set-up: %s\n", out->message);
		return;
	}
	memcpy(initial, c->arena, c->arena_bytes);
	memset(learned, 0, sizeof(learned));
	memset(is_written_by_others, 0, sizeof(is_written_by_others));
	machine_forget();
	do {
		memcpy(c->arena, initial, c->arena_bytes);
		*out = (struct outcome){ .runs = ++runs };
		stop = has_learned = abandoned = false;
		depth = 0;
		order_rng = c->order;
		state_forget_all();
		if (client->restart)
			client->restart();
		start_harts();
		if (!stop && !abandoned)
			search(0);
		/* What was made at once too early may not be a schedule of the machine's. */
	} while (has_learned);
	if (out->bug && trace) {
		memcpy(c->arena, initial, c->arena_bytes);
		replay();
	}
	memcpy(c->arena, initial, c->arena_bytes);
	free(initial);
}
