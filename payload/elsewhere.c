/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image runs at another address than it was linked for. Every pointer in the data is wrong
 * then: this file has none, no table and no static variable, and calls nothing that has.
 */
#include <stdint.h>

#include "probe.h"
#include "sbi.h"

_Noreturn void started_elsewhere(uint64_t linked, uint64_t loaded);

static void put_text(const char *text)
{
	const bool dbcn = sbi_has_extension(SBI_EXT_DBCN);

	for (; *text; text++)
		sbi_console_write(text, 1, dbcn);
}

static void put_hex(uint64_t value)
{
	char text[19];
	char *p = text + sizeof(text);

	*--p = '\0';
	do {
		unsigned int digit = value & 15;

		*--p = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
		value >>= 4;
	} while (value);
	*--p = 'x';
	*--p = '0';
	put_text(p);
}

_Noreturn void started_elsewhere(uint64_t linked, uint64_t loaded)
{
	put_text("\nfatal: earlymm was linked for ");
	put_hex(linked);
	put_text(" but is loaded at ");
	put_hex(loaded);
	put_text("; load it there, or build for a board with another load address"
		 " (platform/*/platform.mk)\n");
	semihosting_exit(1);
	sbi_shutdown(true);
	sbi_reset(true);
	for (;;)
		__asm__ volatile("wfi");
}
