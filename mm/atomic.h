/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The atomic operations of mm/ on 64-bit words, each with the memory order that its user needs.
 * On riscv64 they are single AMOs with .aq/.rl (gcc 12 would add fences); elsewhere the
 * compiler's, sequentially consistent: a load after one of them must not overtake it (rule 5). A
 * test can put its own in their place: -DEARLYMM_ATOMIC_HEADER="\"file.h\"".
 */
#ifndef MM_ATOMIC_H
#define MM_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#ifdef EARLYMM_ATOMIC_HEADER
#include EARLYMM_ATOMIC_HEADER
#else

static inline uint64_t atomic_read(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_RELAXED);
}

static inline uint64_t atomic_read_acquire(const uint64_t *p)
{
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

/* Loads before it are performed before loads after it. */
static inline void atomic_fence_acquire(void)
{
#ifdef __riscv
	__asm__ volatile("fence r, r" ::: "memory");
#else
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
#endif
}

/* For a word of 32 bits. */
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

#ifdef __riscv

/* An aligned store is atomic; gcc 12 makes an amoswap of the builtin. */
static inline void atomic_set(uint64_t *p, uint64_t v)
{
	*(volatile uint64_t *)p = v;
}

static inline void atomic_set_release(uint64_t *p, uint64_t v)
{
	__asm__ volatile("fence rw, w\n\tsd %z1, %0" : "=m"(*p) : "rJ"(v) : "memory");
}

#define ATOMIC_AMO(name, insn)                                                                  \
	static inline uint64_t name(uint64_t *p, uint64_t v)                                    \
	{                                                                                       \
		uint64_t old;                                                                   \
		__asm__ volatile(insn " %0, %2, %1" : "=r"(old), "+A"(*p) : "r"(v) : "memory"); \
		return old;                                                                     \
	}

ATOMIC_AMO(atomic_fetch_or, "amoor.d.aqrl")
ATOMIC_AMO(atomic_fetch_and, "amoand.d.aqrl")
ATOMIC_AMO(atomic_xchg, "amoswap.d.aqrl")
#undef ATOMIC_AMO

/* A sum that nothing hangs on: no order. */
static inline void atomic_add(uint64_t *p, uint64_t v)
{
	__asm__ volatile("amoadd.d zero, %1, %0" : "+A"(*p) : "r"(v) : "memory");
}

/*
 * Puts @desired into *p if it holds @expected; acquire and release where it does. The .aq of the SC,
 * here and below, keeps later loads behind it: that of a hint, say (rule 5).
 */
static inline bool atomic_cmpxchg(uint64_t *p, uint64_t expected, uint64_t desired)
{
	uint64_t old, failed;

	__asm__ volatile("0:	lr.d.aq	%0, %2\n"
			 "	bne	%0, %z3, 1f\n"
			 "	sc.d.aqrl	%1, %z4, %2\n"
			 "	bnez	%1, 0b\n"
			 "1:"
			 : "=&r"(old), "=&r"(failed), "+A"(*p)
			 : "rJ"(expected), "rJ"(desired)
			 : "memory");
	return old == expected;
}

/*
 * Puts @mask into *p, unless *p is 0, has a bit of it, or would be @full with it: false then, and
 * nothing is changed. Acquire and release where it does.
 */
static inline __attribute__((always_inline)) bool atomic_or_partial(uint64_t *p, uint64_t mask,
								    uint64_t full)
{
	__asm__ goto("0:	lr.d.aq	t0, (%0)\n"
		     "	beqz	t0, %l[refused]\n"
		     "	and	t1, t0, %1\n"
		     "	bnez	t1, %l[refused]\n"
		     "	or	t0, t0, %1\n"
		     "	xor	t1, t0, %2\n"
		     "	beqz	t1, %l[refused]\n"
		     "	sc.d.aqrl	t0, t0, (%0)\n"
		     "	bnez	t0, 0b"
		     :
		     : "r"(p), "r"(mask), "rI"(full)
		     : "t0", "t1", "memory"
		     : refused);
	return true;
refused:
	return false;
}

/*
 * The same for the bit of @pfn, modulo 64. With the bit toggled the word plus one is not above what
 * it was if the bit was set, or if the word would become full: one comparison tells both. (No binv
 * of Zbs in here: an SC must succeed in the end only behind instructions of the base set.)
 */
static inline __attribute__((always_inline)) bool atomic_or_bit_partial(uint64_t *p, uint64_t pfn)
{
	uint64_t bit = 1ULL << (pfn & 63);

	__asm__ goto("0:	lr.d.aq	t0, (%0)\n"
		     "	beqz	t0, %l[refused]\n"
		     "	xor	t1, t0, %1\n"
		     "	addi	t2, t1, 1\n"
		     "	bgeu	t0, t2, %l[refused]\n"
		     "	sc.d.aqrl	t1, t1, (%0)\n"
		     "	bnez	t1, 0b"
		     :
		     : "r"(p), "r"(bit)
		     : "t0", "t1", "t2", "memory"
		     : refused);
	return true;
refused:
	return false;
}
#define atomic_or_bit_partial atomic_or_bit_partial

#else

static inline void atomic_set(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELAXED);
}

static inline void atomic_set_release(uint64_t *p, uint64_t v)
{
	__atomic_store_n(p, v, __ATOMIC_RELEASE);
}

static inline uint64_t atomic_fetch_or(uint64_t *p, uint64_t v)
{
	return __atomic_fetch_or(p, v, __ATOMIC_SEQ_CST);
}

static inline uint64_t atomic_fetch_and(uint64_t *p, uint64_t v)
{
	return __atomic_fetch_and(p, v, __ATOMIC_SEQ_CST);
}

static inline uint64_t atomic_xchg(uint64_t *p, uint64_t v)
{
	return __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST);
}

static inline void atomic_add(uint64_t *p, uint64_t v)
{
	__atomic_fetch_add(p, v, __ATOMIC_RELAXED);
}

static inline bool atomic_cmpxchg(uint64_t *p, uint64_t expected, uint64_t desired)
{
	return __atomic_compare_exchange_n(p, &expected, desired, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_RELAXED);
}

static inline bool atomic_or_partial(uint64_t *p, uint64_t mask, uint64_t full)
{
	uint64_t old = atomic_read(p);

	do {
		if (!old || (old & mask) || (old | mask) == full)
			return false;
	} while (!__atomic_compare_exchange_n(p, &old, old | mask, false, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	return true;
}

#endif
#endif
#endif
