/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The modelled machine: harts that share 64-bit locations, with a memory order that is RVWMO
 * without two of its freedoms and without one of its bonds (docs/allocators.md). Memory is one list
 * of writes in the order in which they are performed. A hart's stores wait in a buffer and leave
 * it in any order that releases and equal addresses allow; its loads may have been performed
 * earlier than their turn: they see any write that is not older than the hart's view.
 */
#ifndef MODEL_MACHINE_H
#define MODEL_MACHINE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model_access.h"

#define MAX_HARTS   3
#define MAX_LOCS    64
#define MAX_WRITES  128
#define MAX_BUFFER  48
#define MAX_OPS     16
#define MAX_CHOICES 32

enum access {
	ACCESS_LOAD,
	ACCESS_STORE,
	ACCESS_OR,
	ACCESS_AND,
	ACCESS_XCHG,
	ACCESS_CAS,
	ACCESS_OR_PARTIAL,
	ACCESS_FENCE,
};

/* What a hart wants to do next, and what came of it. */
struct request {
	enum access access;
	unsigned int order;
	unsigned int loc;
	uint64_t value; /* operand; mask of OR_PARTIAL */
	uint64_t expect; /* CAS; what OR_PARTIAL calls full */
	uint64_t result; /* what was found */
	bool done; /* CAS and OR_PARTIAL: changed something */
};

struct buffered {
	uint64_t value;
	uint8_t loc;
	uint8_t release;
};

struct hart {
	struct request request;
	jmp_buf context;
	char *stack_low; /* what is in use of its stack begins here */
	const char *label; /* of the operation, for schedules */
	uint64_t local; /* hash of all that its next steps depend on */
	uint32_t steps; /* of this operation */
	uint8_t pc; /* number of the operation */
	bool finished;
	bool begun; /* the operation has made an access that others can see */
	uint8_t floor; /* loads see the writes up to here, or newer ones */
	uint8_t old; /* the newest write that any load of it saw */
	uint8_t seen[MAX_LOCS]; /* the newest write seen, by location; 0: none above floor */
	uint8_t nr_buffered;
	struct buffered buffer[MAX_BUFFER];
};

/* All that is saved and restored, with the client's arena and the stacks. */
struct machine {
	struct hart harts[MAX_HARTS];
	uint64_t base[MAX_LOCS]; /* value before all listed writes */
	uint64_t undefined; /* locations whose base was never written */
	uint8_t nr_writes;
	uint8_t write_loc[MAX_WRITES + 1]; /* from 1 on: a write's time */
	uint64_t write_value[MAX_WRITES + 1];
};

/* A way on for a hart's request: the write that it reads. */
struct choice {
	uint8_t time;
	bool succeeds; /* CAS, OR_PARTIAL */
	uint64_t value;
};

extern struct machine machine;

/* Writes of equal values are different choices. */
extern bool machine_tells_equals_apart;

/* Locations: known by address for a whole exploration. */
unsigned int machine_loc(const void *p, bool narrow, bool *is_new);
const void *machine_ptr(unsigned int loc);
/* What is in memory, for those who read it without atomics. */
uint64_t machine_peek(unsigned int loc);
void machine_forget(void);
unsigned int machine_nr_locs(void);

void machine_reset(unsigned int nr_harts);
/* Ways on for hart @h's request. */
unsigned int machine_choices(unsigned int h, struct choice choices[MAX_CHOICES]);
void machine_perform(unsigned int h, const struct choice *c);
/* Stores leave the buffer. */
bool machine_may_drain(unsigned int h, unsigned int entry);
/* @private: no other hart will look at it. */
void machine_drain(unsigned int h, unsigned int entry, bool private);
bool machine_is_needed(unsigned int h, unsigned int entry, unsigned int loc);
void machine_issue(unsigned int h);
/* A store to a location that no other hart will look at. */
void machine_store_private(unsigned int h);
bool machine_is_buffered(unsigned int h, unsigned int loc);
/* Forgets what no hart can read any more; can_read says who may look at a location later. */
void machine_trim(unsigned int nr_harts, bool (*can_read)(unsigned int h, unsigned int loc));
uint64_t machine_hash(unsigned int nr_harts);

static inline uint64_t hash_mix(uint64_t h, uint64_t v)
{
	h = ((h + 0x9e3779b97f4a7c15ULL) ^ v) * 0xbf58476d1ce4e5b9ULL; /* a 0 counts, too */
	h ^= h >> 32;
	h *= 0xda942042e4dd58b5ULL;
	return h ^ (h >> 31);
}

#endif
