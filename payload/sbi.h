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
	SBI_EXT_LEGACY_SEND_IPI = 0x4,
	SBI_EXT_LEGACY_SHUTDOWN = 0x8,
	SBI_EXT_BASE = 0x10,
	SBI_EXT_IPI = 0x735049,
	SBI_EXT_HSM = 0x48534d,
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

/* What a call may answer; others are unknown. */
enum sbi_error {
	SBI_OK = 0,
	SBI_ERR_FAILED = -1,
	SBI_ERR_NOT_SUPPORTED = -2,
	SBI_ERR_INVALID_PARAM = -3,
	SBI_ERR_DENIED = -4,
	SBI_ERR_INVALID_ADDRESS = -5,
	SBI_ERR_ALREADY_AVAILABLE = -6,
	SBI_ERR_ALREADY_STARTED = -7,
	SBI_ERR_ALREADY_STOPPED = -8,
};

/* "not supported"; "unknown error" for what is none of these. */
const char *sbi_error_text(long error);

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

/* States of a hart, from the extension HSM. */
enum sbi_hart_status {
	SBI_HART_STARTED,
	SBI_HART_STOPPED,
	SBI_HART_START_PENDING,
	SBI_HART_STOP_PENDING,
	SBI_HART_SUSPENDED, /* and above: on its way there, and back */
};

/*
 * sbi_hart_start() - hart @id begins at @entry with a0 = @id, a1 = @opaque, in S-mode, satp = 0.
 * Answers when the firmware has taken the order, which is not when the hart arrives: 0 or an enum
 * sbi_error.
 */
long sbi_hart_start(uint64_t id, uint64_t entry, uint64_t opaque);

/* An enum sbi_hart_status, or an enum sbi_error. */
long sbi_hart_status(uint64_t id);

/* "start pending"; for a negative one the error's text. */
const char *sbi_hart_status_text(long status);

/* The calling hart goes back to the firmware. Comes back only if that does not want it. */
void sbi_hart_stop(void);

/* The ways to wake a hart that waits for an interrupt. */
enum sbi_ipi {
	SBI_IPI_NONE,
	SBI_IPI_LEGACY, /* by a mask, of which only the first word is sure to be read */
	SBI_IPI_EXTENSION,
};

/* The best way that the firmware has. */
enum sbi_ipi sbi_find_ipi(void);

/* Does it reach hart @id? If not, the hart must not sleep. */
bool sbi_can_wake(enum sbi_ipi way, uint64_t id);

/* Makes a software interrupt pending on hart @id, which sbi_can_wake(). 0 or an enum sbi_error. */
long sbi_send_ipi(enum sbi_ipi way, uint64_t id);

/*
 * Ask for the power to be switched off, or for a cold reset. They come back if that is not to be
 * had. Whatever @failed says, QEMU ends with status 0.
 */
void sbi_shutdown(bool failed);
void sbi_reset(bool failed);

#endif
