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

/* Blocks of this many words, until one traps or jumps to 2: @at is then its address. */
#define BLOCK_WORDS 8

#define PROBE_BLOCKS(access, at, limit, ...)                               \
	__asm__ volatile("lla %[vec], 9f\n\t"                              \
			 "csrrw %[vec], stvec, %[vec]\n\t"                 \
			 "1:\n\t"                                          \
			 "bgeu %[pa], %[end], 9f\n\t"                      \
			 ".irp n, 0,8,16,24,32,40,48,56\n\t" access "\n\t" \
			 ".endr\n\t"                                       \
			 "addi %[pa], %[pa], 64\n\t"                       \
			 "j 1b\n"                                          \
			 "2:\n\t"                                          \
			 ".balign 4\n"                                     \
			 "9:\n\t"                                          \
			 "fence rw, rw\n\t"                                \
			 "csrw stvec, %[vec]"                              \
			 : [pa] "+&r"(at), __VA_ARGS__                     \
			 : [end] "r"(limit), [pat] "r"(pattern)            \
			 : "memory")

int probe_fill(uint64_t pa, uint64_t nr, uint64_t pattern, uint64_t *done)
{
	const uint64_t start = pa, end = pa + nr * 8;
	unsigned long vector;
	int err = 0;

	PROBE_BLOCKS("sd %[pat], \\n(%[pa])", pa, end - nr % BLOCK_WORDS * 8, [vec] "=&r"(vector));
	/* The rest, or the block that failed, word by word. */
	for (; !err && pa < end; pa += err ? 0 : 8)
		err = probe_write64(pa, pattern);
	*done = (pa - start) / 8;
	return err;
}

int probe_verify(uint64_t pa, uint64_t nr, uint64_t pattern, uint64_t *done)
{
	const uint64_t start = pa, end = pa + nr * 8;
	unsigned long vector, value;
	uint64_t word;
	int err = 0;

	PROBE_BLOCKS("ld %[val], \\n(%[pa])\n\tbne %[val], %[pat], 2f", pa,
		     end - nr % BLOCK_WORDS * 8, [vec] "=&r"(vector), [val] "=&r"(value));
	for (; !err && pa < end; pa += err ? 0 : 8) {
		err = probe_read64(pa, &word);
		if (!err && word != pattern)
			err = -EMM_EINVAL;
	}
	*done = (pa - start) / 8;
	return err;
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
