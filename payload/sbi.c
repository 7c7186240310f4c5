/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI calls, from the newest form that the firmware has down to the oldest. */
#include "sbi.h"

enum { BASE_SPEC_VERSION, BASE_IMPL_ID, BASE_IMPL_VERSION, BASE_PROBE };
enum { HSM_START, HSM_STOP, HSM_STATUS };
enum { IPI_SEND };
enum { DBCN_WRITE };
enum { SRST_RESET };
enum { SRST_SHUTDOWN, SRST_COLD_REBOOT };

static unsigned long base_call(unsigned long function, unsigned long arg)
{
	struct sbi_ret ret = sbi_ecall(SBI_EXT_BASE, function, arg, 0, 0);

	return ret.error ? 0 : ret.value;
}

void sbi_get_info(struct sbi_info *info)
{
	unsigned long spec = base_call(BASE_SPEC_VERSION, 0);

	info->spec_major = spec >> 24 & 0x7f;
	info->spec_minor = spec & 0xffffff;
	info->impl_id = base_call(BASE_IMPL_ID, 0);
	info->impl_version = base_call(BASE_IMPL_VERSION, 0);
}

const char *sbi_impl_name(uint64_t impl_id)
{
	switch (impl_id) {
	case 0:
		return "BBL";
	case 1:
		return "OpenSBI";
	case 2:
		return "Xvisor";
	case 3:
		return "KVM";
	case 4:
		return "RustSBI";
	case 5:
		return "Diosix";
	default:
		return "unknown";
	}
}

bool sbi_has_extension(unsigned long ext)
{
	return base_call(BASE_PROBE, ext) != 0;
}

void sbi_console_write(const char *text, size_t len, bool dbcn)
{
	struct sbi_ret ret;

	while (dbcn && len) {
		ret = sbi_ecall(SBI_EXT_DBCN, DBCN_WRITE, len, (unsigned long)text, 0);
		if (ret.error || !ret.value || ret.value > len)
			break;
		text += ret.value;
		len -= ret.value;
	}
	while (len--)
		sbi_ecall(SBI_EXT_LEGACY_PUTCHAR, 0, (unsigned char)*text++, 0, 0);
}

const char *sbi_error_text(long error)
{
	switch (error) {
	case SBI_OK:
		return "success";
	case SBI_ERR_FAILED:
		return "failed";
	case SBI_ERR_NOT_SUPPORTED:
		return "not supported";
	case SBI_ERR_INVALID_PARAM:
		return "no such hart";
	case SBI_ERR_DENIED:
		return "denied";
	case SBI_ERR_INVALID_ADDRESS:
		return "invalid address";
	case SBI_ERR_ALREADY_AVAILABLE:
	case SBI_ERR_ALREADY_STARTED:
		return "already started";
	case SBI_ERR_ALREADY_STOPPED:
		return "already stopped";
	default:
		return "unknown error";
	}
}

/* ---- harts ---- */

long sbi_hart_start(uint64_t id, uint64_t entry, uint64_t opaque)
{
	return sbi_ecall(SBI_EXT_HSM, HSM_START, id, entry, opaque).error;
}

long sbi_hart_status(uint64_t id)
{
	struct sbi_ret ret = sbi_ecall(SBI_EXT_HSM, HSM_STATUS, id, 0, 0);

	return ret.error ? ret.error : (long)ret.value;
}

const char *sbi_hart_status_text(long status)
{
	if (status < 0)
		return sbi_error_text(status);
	switch (status) {
	case SBI_HART_STARTED:
		return "started";
	case SBI_HART_STOPPED:
		return "stopped";
	case SBI_HART_START_PENDING:
		return "start pending";
	case SBI_HART_STOP_PENDING:
		return "stop pending";
	default:
		return "suspended";
	}
}

void sbi_hart_stop(void)
{
	sbi_ecall(SBI_EXT_HSM, HSM_STOP, 0, 0, 0);
}

enum sbi_ipi sbi_find_ipi(void)
{
	if (sbi_has_extension(SBI_EXT_IPI))
		return SBI_IPI_EXTENSION;
	return sbi_has_extension(SBI_EXT_LEGACY_SEND_IPI) ? SBI_IPI_LEGACY : SBI_IPI_NONE;
}

bool sbi_can_wake(enum sbi_ipi way, uint64_t id)
{
	return way == SBI_IPI_EXTENSION || (way == SBI_IPI_LEGACY && id < 64);
}

long sbi_send_ipi(enum sbi_ipi way, uint64_t id)
{
	/* Some firmware reads as many words as it has harts for. */
	const unsigned long mask[16] = { way == SBI_IPI_LEGACY ? 1UL << id : 0 };

	if (way == SBI_IPI_EXTENSION)
		return sbi_ecall(SBI_EXT_IPI, IPI_SEND, 1, id, 0).error;
	return sbi_ecall(SBI_EXT_LEGACY_SEND_IPI, 0, (unsigned long)mask, 0, 0).error;
}

void sbi_shutdown(bool failed)
{
	if (sbi_has_extension(SBI_EXT_SRST))
		sbi_ecall(SBI_EXT_SRST, SRST_RESET, SRST_SHUTDOWN, failed, 0);
	else
		sbi_ecall(SBI_EXT_LEGACY_SHUTDOWN, 0, 0, 0, 0);
}

void sbi_reset(bool failed)
{
	if (sbi_has_extension(SBI_EXT_SRST))
		sbi_ecall(SBI_EXT_SRST, SRST_RESET, SRST_COLD_REBOOT, failed, 0);
}
