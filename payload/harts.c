/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting harts, and what each of them does from then on. */
#include "harts_state.h"

#include "console.h"
#include "exit.h"

/*
 * So long after the last arrival the others are given up, and so much longer for each that was
 * asked for: an emulator of many harts may be busy with those that wait in the firmware.
 */
#define ARRIVE_MS      1000
#define ARRIVE_MS_EACH 100

/* Of those that are left out so many are said, unless all are asked for. */
#define MAX_SAID 8

struct harts harts;
struct hart *harts_list[MAX_HARTS] __attribute__((section(".noinit")));
struct dt_hart harts_found[MAX_HARTS] __attribute__((section(".noinit")));
struct hart boot_hart;

uint32_t harts_nr(void)
{
	return harts.nr ? harts.nr : 1;
}

bool harts_have_failed(void)
{
	return harts.failed;
}

/* ---- on the other harts ---- */

/* Given up by the boot hart. Its memory is still its own, nothing else is. */
static _Noreturn void retire(void)
{
	sbi_hart_stop();
	for (;;)
		__asm__ volatile("csrw sie, zero\n\twfi");
}

/* Until there is a job. Its number. */
static uint32_t wait_for_job(const struct hart *hart)
{
	const bool sleeps = sbi_can_wake(harts.ipi, hart->id);
	uint32_t job;

	/* The interrupt is cleared before the look: one that comes after it ends the wfi. */
	if (sleeps)
		__asm__ volatile("csrsi sie, 2\n\tcsrci sip, 2\n\tfence" ::: "memory");
	while ((job = read_once(&hart->job)) == hart->done) {
		if (sleeps)
			__asm__ volatile("wfi\n\tcsrci sip, 2\n\tfence" ::: "memory");
		else
			harts_relax();
	}
	return job;
}

_Noreturn void hart_main(struct hart *hart)
{
	uint32_t expected = HART_STARTING;

	if (!__atomic_compare_exchange_n(&hart->state, &expected, HART_RUNS, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		retire();
	for (;;) {
		uint32_t job = wait_for_job(hart);

		hart->fn(hart->arg, hart->number);
		/* Who sleeps holds nothing: it could not be asked for it. */
		page_hart_drain(&harts.pages->harts[hart->number]);
		payload_check_stack();
		write_once(&hart->done, job);
	}
}

/* ---- on the boot hart ---- */

static void leave_out(uint64_t id, const char *why, const char *status, bool verbose)
{
	if (verbose || harts.nr_left_out < MAX_SAID)
		print("harts: hart %lu is left out: %s%s\n", id, why, status);
	harts.nr_left_out++;
}

/* The firmware is asked for it. */
static void ask(struct hart *hart, bool verbose)
{
	struct wait w;
	long status = sbi_hart_status(hart->id), err;

	wait_begin(&w, ARRIVE_MS);
	while (status == SBI_HART_STOP_PENDING && wait_turn(&w))
		status = sbi_hart_status(hart->id);
	if (status != SBI_HART_STOPPED) {
		leave_out(hart->id, "it is not stopped, but: ", sbi_hart_status_text(status),
			  verbose);
		return;
	}
	write_once(&hart->state, HART_STARTING);
	err = sbi_hart_start(hart->id, (uintptr_t)hart_entry, (uintptr_t)hart);
	if (!err)
		return;
	write_once(&hart->state, HART_GIVEN_UP);
	leave_out(hart->id, "it cannot be started: ", sbi_error_text(err), verbose);
}

static uint32_t count(enum hart_state state)
{
	uint32_t nr = 0;

	for (uint32_t i = 1; i < harts.nr_planned; i++)
		nr += harts_list[i] && read_once(&harts_list[i]->state) == state;
	return nr;
}

/* Until all that were asked for are there, or for a while none has come. */
static void await(void)
{
	uint32_t missing = count(HART_STARTING);
	const uint32_t ms = ARRIVE_MS + missing * ARRIVE_MS_EACH;
	struct wait w;

	wait_begin(&w, ms);
	while (missing && wait_turn(&w)) {
		uint32_t left = count(HART_STARTING);

		if (left < missing)
			wait_begin(&w, ms);
		missing = left;
	}
}

/* One that is still missing is given up: either it sees that, or it has just come. */
static void give_up(struct hart *hart, bool verbose)
{
	uint32_t expected = HART_STARTING;

	if (__atomic_compare_exchange_n(&hart->state, &expected, HART_GIVEN_UP, false,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		leave_out(hart->id, "it did not arrive; the firmware has it as ",
			  sbi_hart_status_text(sbi_hart_status(hart->id)), verbose);
}

static void swap(uint32_t i, uint32_t k)
{
	struct hart *hart = harts_list[i];

	harts_list[i] = harts_list[k];
	harts_list[k] = hart;
}

/* Those that run get their numbers. */
static void count_off(void)
{
	for (uint32_t i = 1; i < harts.nr_planned; i++) {
		struct hart *hart = harts_list[i];

		if (!hart || read_once(&hart->state) != HART_RUNS)
			continue;
		swap(i, harts.nr);
		hart->number = harts.nr++;
		if (hart->nid && page_alloc_set_node(harts.pages, hart->number, hart->nid))
			payload_fail("hart %lu cannot allocate from node %d", hart->id, hart->nid);
	}
}

void harts_start(struct page_alloc *pages, bool verbose)
{
	struct wait w;

	if (harts.nr_planned < 2 && harts.nr_usable > 1)
		print("harts: 1 of %u runs: %s\n", harts.nr_usable,
		      harts.has_hsm ? "harts=1" : "the firmware cannot start harts (no HSM)");
	if (harts.nr_planned < 2)
		return;
	harts.pages = pages;
	harts.ipi = sbi_find_ipi();
	wait_begin(&w, ARRIVE_MS);
	for (uint32_t i = 1; i < harts.nr_planned; i++) {
		if (harts_list[i])
			ask(harts_list[i], verbose);
		else
			leave_out(harts_found[i].id, "no room for its stack", "", verbose);
	}
	await();
	for (uint32_t i = 1; i < harts.nr_planned; i++)
		if (harts_list[i])
			give_up(harts_list[i], verbose);
	harts.took_us = wait_us(&w);
	count_off();
	if (!verbose && harts.nr_left_out > MAX_SAID)
		print("harts: %u more are left out (verbose=1 names them)\n",
		      harts.nr_left_out - MAX_SAID);
}

/* ---- when something is wrong ---- */

struct hart *harts_find(uint64_t frame)
{
	for (uint32_t i = 1; i < harts.nr_planned; i++) {
		struct hart *hart = harts_list[i];

		if (hart && frame >= hart->stack + STACK_SIZE && frame < (uintptr_t)hart)
			return hart;
	}
	return &boot_hart;
}

bool hart_stack_is_whole(const struct hart *hart)
{
	return *(volatile uint64_t *)(uintptr_t)hart->stack == STACK_CANARY;
}

const struct hart *harts_find_overflow(void)
{
	if (!hart_stack_is_whole(&boot_hart))
		return &boot_hart;
	for (uint32_t i = 1; i < harts.nr_planned; i++)
		if (harts_list[i] && !hart_stack_is_whole(harts_list[i]))
			return harts_list[i];
	return NULL;
}
