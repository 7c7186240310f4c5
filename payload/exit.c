/* SPDX-License-Identifier: BSD-2-Clause */
/* Ways out, from the one that reports the status best to the one that always works. */
#include "exit.h"

#include "console.h"
#include "layout.h"
#include "platform.h"
#include "probe.h"
#include "sbi.h"

static bool stack_is_whole(void)
{
	return *(volatile uint64_t *)(uintptr_t)__stack_bottom == STACK_CANARY;
}

void payload_check_stack(void)
{
	if (!stack_is_whole())
		payload_exit(EXIT_FAILED);
}

static int exit_status(int status)
{
	if (stack_is_whole())
		return status;
	print("exit: the stack has overflown; raise STACK_SIZE, %u bytes, in layout.h\n",
	      STACK_SIZE);
	return status ? status : EXIT_FAILED;
}

_Noreturn void payload_exit(int status)
{
	static unsigned int next_way;

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

	print("fatal: ");
	va_start(ap, fmt);
	console.vprint(console.ctx, fmt, ap);
	va_end(ap);
	print("\n");
	payload_exit(EXIT_FAILED);
}
