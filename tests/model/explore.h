/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The explorer: every interleaving of the harts of a client's program, each state once. A state is
 * saved and restored as a whole: machine, the client's arena, the harts' stacks.
 */
#ifndef MODEL_EXPLORE_H
#define MODEL_EXPLORE_H

#include "machine.h"

/* Between the operations that a client announces, its harts' state is described by hash_local. */
struct client {
	unsigned int nr_harts;
	void *arena;
	size_t arena_bytes;
	void (*hart)(unsigned int h); /* what hart @h does, on a stack of its own */
	void (*begin)(unsigned int h); /* the operation makes its first access that others see */
	void (*restart)(void); /* what end() saw so far is void; may be NULL */
	void (*end)(void); /* all harts are done and all stores have arrived */
	uint64_t (*hash_shared)(void); /* of the arena, but what the harts have for themselves */
	uint64_t (*hash_local)(unsigned int h);
	bool (*is_defined)(const void *p); /* was it written by the set-up? */
	bool (*is_narrow)(const void *p); /* a word of 32 bits? NULL: there are none */
	bool (*is_own)(unsigned int h,
		       const void *p); /* read by hart @h without atomics? Or NULL */
	void (*name)(char *buf, size_t size, const void *p);
	uint64_t max_states;
	uint64_t order; /* of the ways on: 0, or the seed of a random one */
	bool stores_arrive_late; /* fewer states; not all behaviours of three harts and more */
	bool is_exhaustive; /* no short cuts: what the explorer itself is compared with */
};

/* Of a client whose arena has nothing to tell apart, and all of which is written by the set-up. */
static inline uint64_t model_no_hash(void)
{
	return 0;
}

static inline bool model_always(const void *p)
{
	(void)p;
	return true;
}

struct outcome {
	bool bug;
	bool bounded; /* ended by max_states */
	uint64_t states;
	uint64_t ends; /* states in which all was done */
	unsigned int runs; /* explorations until it was known who looks at what */
	char message[160];
};

/* Before the client's set-up. */
void model_open(const struct client *client, struct outcome *outcome);
/* From the state that the arena is in. Prints the schedule of a bug to stdout, if @trace. */
void model_explore(bool trace);

/* From a hart: an operation begins, and ends. */
void model_op_begin(const char *label);
void model_op_end(void);

/* Something is wrong with what is explored: does not return to a hart. */
__attribute__((format(printf, 1, 2))) void model_bug(const char *format, ...);
/* Whatever comes of this schedule is nobody's fault: does not return to a hart. */
void model_abandon(void);
/* Something is wrong with the explorer or its bounds: ends the program. */
__attribute__((format(printf, 1, 2), noreturn)) void model_fail(const char *format, ...);

bool model_is_defined(const void *p);
bool model_is_own(unsigned int h, const void *p);
/* Accesses are plain ones while this is false: set-up and end. Returns what it was. */
bool model_set_harts_run(bool run);

/* coroutine.c */
void coroutine_start(unsigned int h, void (*fn)(unsigned int h));
void coroutine_resume(unsigned int h);
void coroutine_yield(unsigned int h);
__attribute__((noreturn)) void coroutine_leave(void);
size_t coroutine_bytes(unsigned int h);
void coroutine_save(unsigned int h, void *to);
void coroutine_restore(unsigned int h, const void *from);

/* state.c */
struct saved;
void state_forget_all(void);
/* Is it the first time that a state with this hash is seen? */
bool state_is_new(uint64_t hash);
void state_save(const struct client *client, struct saved **to);
void state_restore(const struct client *client, const struct saved *from);

/* trace.c */
void trace_access(const struct client *client, unsigned int h);
void trace_drain(const struct client *client, unsigned int h, unsigned int entry);

#endif
