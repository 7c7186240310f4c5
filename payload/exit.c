/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways out, from the one that reports the status best to the one that always works. */
#include "exit.h"

#include "console.h"
#include "harts.h"
#include "platform.h"
#include "probe.h"
#include "sbi.h"

/* What a hart may take to end the run. */
#define END_MS 10000

static struct hart *ending; /* the hart that ends the run */

void exit_stand_back(void)
{
	struct hart *me = this_hart(), *other = __atomic_load_n(&ending, __ATOMIC_ACQUIRE);
	struct wait w;

	while (other && other != me) {
		wait_begin(&w, END_MS);
		while (wait_turn(&w))
			;
		if (!__atomic_compare_exchange_n(&ending, &other, me, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_ACQUIRE))
			continue;
		print("exit: hart %lu does not come to an end\n", other->id);
		payload_exit(EXIT_FAILED);
	}
}

void exit_begin(void)
{
	struct hart *nobody = NULL;

	if (!__atomic_compare_exchange_n(&ending, &nobody, this_hart(), false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE))
		exit_stand_back();
}

void payload_check_stack(void)
{
	if (!hart_stack_is_whole(this_hart()))
		payload_exit(EXIT_FAILED);
}

static int exit_status(int status)
{
	const struct hart *hart = harts_find_overflow();

	if (!hart)
		return status;
	print("exit: the stack has overflown; raise STACK_SIZE, %u bytes, in layout.h\n",
	      STACK_SIZE);
	if (hart != &boot_hart)
		print("exit: that of hart %lu\n", hart->id);
	return status ? status : EXIT_FAILED;
}

_Noreturn void payload_exit(int status)
{
	static unsigned int next_way;

	exit_begin();
	/* A way out may trap, and the trap ends here again: then it goes on with the next one. */
	for (;;) {
		switch (next_way++) {
		case 0:
			status = exit_status(status);
			console_flush();
			platform_exit(status);
			break;
		case 1:
			semihosting_exit(status);
			break;
		case 2:
			sbi_shutdown(status != 0);
			break;
		case 3:
			print("exit: status %d; the power stays on, so this is a reset\n", status);
			sbi_reset(status != 0);
			break;
		case 4:
			print("exit: no reset either; the hart waits for ever\n");
			break;
		default:
			__asm__ volatile("wfi");
		}
	}
}

_Noreturn void payload_fail(const char *fmt, ...)
{
	va_list ap;

	exit_begin();
	print("fatal: ");
	if (this_hart() != &boot_hart)
		print("hart %lu: ", this_hart()->id);
	va_start(ap, fmt);
	console.vprint(console.ctx, fmt, ap);
	va_end(ap);
	print("\n");
	payload_exit(EXIT_FAILED);
}
