/* SPDX-License-Identifier: BSD-2-Clause */
/* Work for harts that sleep, and harts that wait for each other. */
#include "harts_state.h"

#include <earlymm/error.h>

#include "console.h"

static bool is_in(const struct hart_set *set, uint32_t number)
{
	return set->bits[number / 64] >> (number % 64) & 1;
}

static bool is_good(const struct hart_set *set)
{
	bool some = false;

	for (uint32_t i = 0; i < MAX_HARTS; i++) {
		if (is_in(set, i) && i >= harts_nr())
			return false;
		some |= is_in(set, i);
	}
	return some;
}

static void give_job(struct hart *hart, void (*fn)(void *arg, uint32_t hart), void *arg)
{
	long err = 0;

	hart->fn = fn;
	hart->arg = arg;
	write_once(&hart->job, hart->job + 1);
	/* The hart must see the job when the interrupt wakes it. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (sbi_can_wake(harts.ipi, hart->id))
		err = sbi_send_ipi(harts.ipi, hart->id);
	if (err)
		print("harts: hart %lu cannot be woken: %s\n", hart->id, sbi_error_text(err));
}

static bool is_done(const struct hart *hart)
{
	return read_once(&hart->done) == hart->job;
}

static int wait_for_all(const struct hart_set *set)
{
	struct wait w;
	bool in_time = true;

	wait_begin(&w, HARTS_RUN_MS);
	for (uint32_t i = 1; i < harts.nr; i++)
		while (is_in(set, i) && !is_done(harts_list[i]) && in_time)
			in_time = wait_turn(&w);
	for (uint32_t i = 1; i < harts.nr; i++) {
		if (!is_in(set, i) || is_done(harts_list[i]))
			continue;
		print("harts: hart %lu FAILED to end its work within %u s\n", harts_list[i]->id,
		      HARTS_RUN_MS / 1000);
		harts.failed = true;
	}
	return harts.failed ? -EMM_EAGAIN : 0;
}

int harts_run_on(const struct hart_set *set, void (*fn)(void *arg, uint32_t hart), void *arg)
{
	if (!is_good(set))
		return -EMM_EINVAL;
	if (harts.failed)
		return -EMM_EAGAIN;
	for (uint32_t i = 1; i < harts.nr; i++)
		if (is_in(set, i))
			give_job(harts_list[i], fn, arg);
	if (is_in(set, 0))
		fn(arg, 0);
	return wait_for_all(set);
}

int harts_run(uint32_t nr, void (*fn)(void *arg, uint32_t hart), void *arg)
{
	struct hart_set set = { .bits = { 0 } };

	if (nr > MAX_HARTS)
		return -EMM_EINVAL;
	for (uint32_t i = 0; i < nr; i++)
		set.bits[i / 64] |= 1UL << (i % 64);
	return harts_run_on(&set, fn, arg);
}

int harts_barrier_wait(struct harts_barrier *b, uint32_t nr)
{
	const uint32_t turn = read_once(&b->turn);
	struct wait w;

	if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_ACQ_REL) == nr) {
		__atomic_store_n(&b->arrived, 0, __ATOMIC_RELAXED);
		write_once(&b->turn, turn + 1);
		return 0;
	}
	wait_begin(&w, HARTS_RUN_MS);
	while (read_once(&b->turn) == turn)
		if (!wait_turn(&w))
			return -EMM_EAGAIN;
	return 0;
}
