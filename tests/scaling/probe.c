/* SPDX-License-Identifier: BSD-2-Clause */
/* What the machine's own test counts: a few accesses of each kind, compiled as mm/ is. */
#include <stdint.h>

#include "queued_lock.h"

void probe_add(uint64_t *word);
void probe_read(const uint64_t *word);
void probe_write(uint64_t *word);
void probe_lock(uint64_t *lock, uint64_t *word);

void probe_add(uint64_t *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_RELAXED);
}

void probe_read(const uint64_t *word)
{
	(void)*(const volatile uint64_t *)word;
}

void probe_write(uint64_t *word)
{
	*(volatile uint64_t *)word = 1;
}

void probe_lock(uint64_t *lock, uint64_t *word)
{
	struct queued_waiter self;

	queued_lock(lock, &self);
	*(volatile uint64_t *)word = *word + 1;
	queued_unlock(lock, &self);
}
