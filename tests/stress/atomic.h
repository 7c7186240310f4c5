/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In place of what mm/atomic.h has for the host: the orders that the code has on riscv64 and no
 * stronger ones, for ThreadSanitizer to judge; or, with STRESS_POINTS, a place before each
 * operation where another hart may come in between. Builds that have to fail:
 * STRESS_WEAK 1: bits are set without release; 2: taken without acquire; STRESS_TORN: an AMO is a
 * load and a store.
 */
#ifndef STRESS_ATOMIC_H
#define STRESS_ATOMIC_H

#ifdef STRESS_POINTS
/* The driver's. Where an operation on @p is to be made; an AMO comes after the hart's stores. */
uint64_t *stress_at(const uint64_t *p, bool amo);
void stress_store(uint64_t *p, uint64_t v, bool release);
#else
static inline uint64_t *stress_at(const uint64_t *p, bool amo)
{
	(void)amo;
	return (uint64_t *)(uintptr_t)p;
}

static inline void stress_store(uint64_t *p, uint64_t v, bool release)
{
	if (release)
		__atomic_store_n(p, v, __ATOMIC_RELEASE);
	else
		__atomic_store_n(p, v, __ATOMIC_RELAXED);
}
#endif

/* A wait for another thread (mm/queued_lock.h). */
int sched_yield(void);
#define EARLYMM_RELAX() sched_yield()

#ifndef STRESS_WEAK
#define STRESS_WEAK 0
#endif
#define ORDER_SET  (STRESS_WEAK == 1 ? __ATOMIC_RELAXED : __ATOMIC_ACQ_REL)
#define ORDER_TAKE (STRESS_WEAK == 2 ? __ATOMIC_RELAXED : __ATOMIC_ACQ_REL)

static inline uint64_t atomic_read(const uint64_t *p)
{
	return __atomic_load_n(stress_at(p, false), __ATOMIC_RELAXED);
}

static inline uint64_t atomic_read_acquire(const uint64_t *p)
{
	return __atomic_load_n(stress_at(p, false), __ATOMIC_ACQUIRE);
}

/* ThreadSanitizer knows no fences; nobody's data depends on this one, only answers do. */
static inline void atomic_fence_acquire(void)
{
	__asm__ volatile("" ::: "memory");
}

static inline void atomic_set(uint64_t *p, uint64_t v)
{
	stress_store(p, v, false);
}

static inline void atomic_set_release(uint64_t *p, uint64_t v)
{
	stress_store(p, v, true);
}

/* Not for bits of the trees: it arrives at once. */
static inline uint32_t atomic_read32(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline uint32_t atomic_read_acquire32(const uint32_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static inline void atomic_set32(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline void atomic_set_release32(uint32_t *p, uint32_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline void atomic_add(uint64_t *p, uint64_t v)
{
	__atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}

#ifdef STRESS_TORN
#define STRESS_AMO(name, builtin, order, result)                                \
	static inline uint64_t name(uint64_t *p, uint64_t v)                    \
	{                                                                       \
		uint64_t old = atomic_read(p);                                  \
                                                                                \
		__atomic_store_n(stress_at(p, true), result, __ATOMIC_RELAXED); \
		return old;                                                     \
	}
#else
#define STRESS_AMO(name, builtin, order, result)              \
	static inline uint64_t name(uint64_t *p, uint64_t v)  \
	{                                                     \
		return builtin(stress_at(p, true), v, order); \
	}
#endif

STRESS_AMO(atomic_fetch_or, __atomic_fetch_or, ORDER_SET, old | v)
STRESS_AMO(atomic_fetch_and, __atomic_fetch_and, ORDER_TAKE, old &v)
STRESS_AMO(atomic_xchg, __atomic_exchange_n, ORDER_TAKE, v)
#undef STRESS_AMO

static inline bool atomic_cmpxchg(uint64_t *p, uint64_t expected, uint64_t desired)
{
	return __atomic_compare_exchange_n(stress_at(p, true), &expected, desired, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static inline bool atomic_or_partial(uint64_t *p, uint64_t mask, uint64_t full)
{
	uint64_t *at = stress_at(p, true), v = __atomic_load_n(at, __ATOMIC_RELAXED);

	do {
		if (!v || (v & mask) || (v | mask) == full)
			return false;
	} while (
		!__atomic_compare_exchange_n(at, &v, v | mask, false, ORDER_SET, __ATOMIC_RELAXED));
	return true;
}

#endif
