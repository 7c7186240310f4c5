/* SPDX-License-Identifier: BSD-2-Clause */
/* What a prebuilt libfdt.a was compiled to expect: the stack protector's guard and its alarm. */
#include <stdint.h>

#include "exit.h"

extern const uintptr_t __stack_chk_guard;
const uintptr_t __stack_chk_guard = 0x00ff0a0d5afe57ac;

_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void)
{
	payload_fail("a buffer on the stack was overrun, in a function called from %p",
		     __builtin_return_address(0));
}
