/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A queued lock: harts have it in the order in which they came, and each waits for a word of its
 * own, on its stack. The wait is not bounded by itself; whoever uses it bounds what is done under
 * it, and then a hart waits for at most one such section of each of the others. Mellor-Crummey and
 * Scott, 1991. Linux: qspinlock.
 */
#ifndef MM_QUEUED_LOCK_H
#define MM_QUEUED_LOCK_H

#include "atomic.h"

struct queued_waiter {
	uint64_t next; /* the address of the one behind it; 0: there is none yet */
	uint64_t waits; /* 0: the lock is its own */
};

/* One turn of a wait. A test on threads has something better to do. */
#ifndef EARLYMM_RELAX
static inline void queued_relax(void)
{
#ifdef __riscv
	__asm__ volatile(".4byte 0x0100000f"); /* pause: a hint, on harts without Zihintpause too */
#endif
}
#define EARLYMM_RELAX() queued_relax()
#endif

/* @lock: the address of the last one in the queue; 0: it is free. @self lives until the unlock. */
static inline void queued_lock(uint64_t *lock, struct queued_waiter *self)
{
	struct queued_waiter *before;

	atomic_set(&self->next, 0);
	atomic_set(&self->waits, 1);
	before = (struct queued_waiter *)(uintptr_t)atomic_xchg(lock, (uintptr_t)self);
	if (__builtin_expect(!before, 1))
		return;
	atomic_set_release(&before->next, (uintptr_t)self);
	while (atomic_read_acquire(&self->waits))
		EARLYMM_RELAX();
}

static inline void queued_unlock(uint64_t *lock, const struct queued_waiter *self)
{
	uint64_t next = atomic_read_acquire(&self->next);

	if (__builtin_expect(!next, 1)) {
		if (atomic_cmpxchg(lock, (uintptr_t)self, 0))
			return;
		/* One has come, and will say in a moment which. */
		while (!(next = atomic_read_acquire(&self->next)))
			EARLYMM_RELAX();
	}
	atomic_set_release(&((struct queued_waiter *)(uintptr_t)next)->waits, 0);
}

#endif
