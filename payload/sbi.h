/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls to the firmware below: RISC-V Supervisor Binary Interface 0.1 to 2.0. Nothing here uses a
 * pointer that the linker put into data, so it works before that is known to be right.
 */
#ifndef PAYLOAD_SBI_H
#define PAYLOAD_SBI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sbi_extension {
	SBI_EXT_LEGACY_PUTCHAR = 0x1,
	SBI_EXT_LEGACY_SHUTDOWN = 0x8,
	SBI_EXT_BASE = 0x10,
	SBI_EXT_DBCN = 0x4442434e,
	SBI_EXT_SRST = 0x53525354,
};

struct sbi_ret {
	long error; /* 0 or negative */
	unsigned long value;
};

static inline struct sbi_ret sbi_ecall(unsigned long ext, unsigned long function,
				       unsigned long arg0, unsigned long arg1, unsigned long arg2)
{
	register unsigned long a0 __asm__("a0") = arg0;
	register unsigned long a1 __asm__("a1") = arg1;
	register unsigned long a2 __asm__("a2") = arg2;
	register unsigned long a6 __asm__("a6") = function;
	register unsigned long a7 __asm__("a7") = ext;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a6), "r"(a7) : "memory");
	return (struct sbi_ret){ (long)a0, a1 };
}

/* Who is below: what SBI's base extension answers; 0 each where there is none (SBI 0.1). */
struct sbi_info {
	uint32_t spec_major, spec_minor;
	uint64_t impl_id; /* 1: OpenSBI */
	uint64_t impl_version; /* OpenSBI: major << 16 | minor */
};
void sbi_get_info(struct sbi_info *info);

/* Name of an implementation as the SBI specification lists them; "unknown" for others. */
const char *sbi_impl_name(uint64_t impl_id);

bool sbi_has_extension(unsigned long ext);

/* Writes through the debug console if @dbcn, and what that does not take as single characters. */
void sbi_console_write(const char *text, size_t len, bool dbcn);

/*
 * Ask for the power to be switched off, or for a cold reset. They come back if that is not to be
 * had. Whatever @failed says, QEMU ends with status 0.
 */
void sbi_shutdown(bool failed);
void sbi_reset(bool failed);

#endif
