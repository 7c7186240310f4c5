/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses with stvec pointed behind them. */
#include "probe.h"

#include <earlymm/error.h>

/* A trap goes on at 9; stvec wants a multiple of 4. */
#define PROBE(insn, value, constraint)                                                       \
	__asm__ volatile("lla %[vec], 9f\n\t"                                                \
			 "csrrw %[vec], stvec, %[vec]\n\t"                                   \
			 "li %[err], 1\n\t" insn " %[val], 0(%[pa])\n\t"                     \
			 "fence rw, rw\n\t"                                                  \
			 "li %[err], 0\n\t"                                                  \
			 ".balign 4\n"                                                       \
			 "9:\n\t"                                                            \
			 "csrw stvec, %[vec]"                                                \
			 : [vec] "=&r"(vector), [err] "=&r"(failed), [val] constraint(value) \
			 : [pa] "r"(pa)                                                      \
			 : "memory")

int probe_read32(uint64_t pa, uint32_t *value)
{
	unsigned long vector, failed;
	uint32_t v = 0;

	PROBE("lw", v, "+&r");
	if (failed)
		return -EMM_EFAULT;
	*value = v;
	return 0;
}

int probe_read64(uint64_t pa, uint64_t *value)
{
	unsigned long vector, failed;
	uint64_t v = 0;

	PROBE("ld", v, "+&r");
	if (failed)
		return -EMM_EFAULT;
	*value = v;
	return 0;
}

int probe_write32(uint64_t pa, uint32_t value)
{
	unsigned long vector, failed;

	PROBE("sw", value, "+&r");
	return failed ? -EMM_EFAULT : 0;
}

int probe_write64(uint64_t pa, uint64_t value)
{
	unsigned long vector, failed;

	PROBE("sd", value, "+&r");
	return failed ? -EMM_EFAULT : 0;
}

#define SYS_EXIT_EXTENDED 0x20
#define APPLICATION_EXIT  0x20026UL

void semihosting_exit(int status)
{
	const uint64_t block[2] = { APPLICATION_EXIT, (uint64_t)(int64_t)status };
	register unsigned long a0 __asm__("a0") = SYS_EXIT_EXTENDED;
	register const uint64_t *a1 __asm__("a1") = block;
	unsigned long vector;

	/* The three instructions are the mark of a semihosting call; they must share a page. */
	__asm__ volatile("lla %[vec], 9f\n\t"
			 "csrrw %[vec], stvec, %[vec]\n\t"
			 ".option push\n\t"
			 ".option norvc\n\t"
			 ".balign 16\n\t"
			 "slli zero, zero, 0x1f\n\t"
			 "ebreak\n\t"
			 "srai zero, zero, 7\n\t"
			 ".option pop\n\t"
			 ".balign 4\n"
			 "9:\n\t"
			 "csrw stvec, %[vec]"
			 : [vec] "=&r"(vector), "+r"(a0)
			 : "r"(a1)
			 : "memory");
}
