/* SPDX-License-Identifier: BSD-2-Clause */
/* SBI calls, from the newest form that the firmware has down to the oldest. */
#include "sbi.h"

enum { BASE_SPEC_VERSION, BASE_IMPL_ID, BASE_IMPL_VERSION, BASE_PROBE };
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
