/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hart out of memory asks the others for what they keep. Linux interrupts them and waits
 * (drain_all_pages); here each looks for a request where its fast paths end, and the wait is
 * bounded.
 */
#include "list_buddy_zone.h"

/* Looks at the others before a hart that does not answer is given up. */
#ifndef LIST_DRAIN_TURNS
#define LIST_DRAIN_TURNS 4096
#endif

uint32_t list_request_drain(struct list_hart *self)
{
	const struct list_zone *z = self->zone;
	uint32_t nr_asked = 0;

	for (uint32_t i = 0; i < z->nr_harts; i++) {
		struct list_hart *h = &z->harts[i];

		if (h == self || !atomic_read(&h->pcp.count))
			continue;
		atomic_set_release(&h->request, 1);
		/* After it: who finds its fast path closed finds the reason. */
		atomic_set_release(&h->fast_pages, 0);
		nr_asked++;
	}
	return nr_asked;
}

void list_answer(struct list_hart *h)
{
	uint64_t fast_pages = zone_fast_pages(h->zone);

	/* An AMO, so that it is opened before the look: a request that comes later closes it again. */
	if (fast_pages && !atomic_read(&h->fast_pages))
		atomic_xchg(&h->fast_pages, fast_pages);
	if (!atomic_read_acquire(&h->request))
		return;
	if (h->pcp.count)
		list_drain(h);
	atomic_set_release(&h->request, 0);
}

static bool all_have_answered(const struct list_hart *self)
{
	const struct list_zone *z = self->zone;

	for (uint32_t i = 0; i < z->nr_harts; i++) {
		const struct list_hart *h = &z->harts[i];

		if (h != self && atomic_read_acquire(&h->request) && atomic_read(&h->pcp.count))
			return false;
	}
	return true;
}

int list_drain_others(struct list_hart *self)
{
	uint32_t nr_asked = list_request_drain(self);

	if (!nr_asked)
		return 0;
	for (unsigned int turn = 0; turn < LIST_DRAIN_TURNS; turn++) {
		if (all_have_answered(self))
			return (int)nr_asked;
		/* They may be waiting for this one, which has nothing left. */
		if (atomic_read(&self->request))
			list_answer(self);
		EARLYMM_RELAX();
	}
	return -EMM_EAGAIN;
}
