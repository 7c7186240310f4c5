/* SPDX-License-Identifier: BSD-2-Clause */
/* Choice of the board. */
#include "platform.h"

#include <stddef.h>
#include <string.h>

#include <libfdt.h>

/* All BOARD()s, collected by the linker; ends with NULL. */
extern const struct board *const __boards[];

static const struct board generic = { .name = "generic" };

static struct {
	const struct board *board;
	const void *fdt;
} platform = { &generic, NULL };

void platform_init(const void *fdt)
{
	platform.fdt = fdt;
}

void platform_identify(const char *compatible)
{
	for (const struct board *const *b = __boards; *b; b++) {
		if (!strcmp(compatible, (*b)->compatible))
			platform.board = *b;
	}
}

const char *platform_name(void)
{
	return platform.board->name;
}

void platform_exit(int status)
{
	const char *compatible;
	int len;

	/* The payload may have overwritten the tree by mistake, too. */
	if (!platform.fdt || dt_check(platform.fdt, NULL))
		return;
	if (platform.board == &generic) {
		compatible = fdt_getprop(platform.fdt, 0, "compatible", &len);
		if (compatible && len > 0 && !compatible[len - 1])
			platform_identify(compatible);
	}
	if (platform.board->exit)
		platform.board->exit(platform.fdt, status);
}
