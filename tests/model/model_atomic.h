/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mm/atomic.h's operations for the explorer: each is an access of the modelled machine. Mutants use
 * the functions of model_access.h with other orders.
 */
#ifndef MODEL_ATOMIC_H
#define MODEL_ATOMIC_H

#include "model_access.h"

/* SHARE_FROM of mm/buddy_tree.h: the program's. */
extern unsigned int model_share_from;

static inline uint64_t atomic_read(const uint64_t *p)
{
	return model_load(p, MODEL_RELAXED);
}

static inline uint64_t atomic_read_acquire(const uint64_t *p)
{
	return model_load(p, MODEL_ACQUIRE);
}

static inline void atomic_set(uint64_t *p, uint64_t v)
{
	model_store(p, v, MODEL_RELAXED);
}

static inline void atomic_set_release(uint64_t *p, uint64_t v)
{
	model_store(p, v, MODEL_RELEASE);
}

static inline void atomic_fence_acquire(void)
{
	model_fence(MODEL_ACQUIRE);
}

static inline uint64_t atomic_fetch_or(uint64_t *p, uint64_t v)
{
	return model_or(p, v, MODEL_ACQ_REL);
}

static inline uint64_t atomic_fetch_and(uint64_t *p, uint64_t v)
{
	return model_and(p, v, MODEL_ACQ_REL);
}

static inline uint64_t atomic_xchg(uint64_t *p, uint64_t v)
{
	return model_xchg(p, v, MODEL_ACQ_REL);
}

static inline bool atomic_cmpxchg(uint64_t *p, uint64_t expected, uint64_t desired)
{
	return model_cas(p, expected, desired, MODEL_FULL);
}

static inline bool atomic_or_partial(uint64_t *p, uint64_t mask, uint64_t full)
{
	return model_or_partial(p, mask, full, MODEL_FULL);
}

static inline uint32_t atomic_read32(const uint32_t *p)
{
	return model_load32(p, MODEL_RELAXED);
}

static inline void atomic_set32(uint32_t *p, uint32_t v)
{
	model_store32(p, v, MODEL_RELAXED);
}

static inline void atomic_set_release32(uint32_t *p, uint32_t v)
{
	model_store32(p, v, MODEL_RELEASE);
}

#endif
