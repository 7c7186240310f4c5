/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boards: one image serves all that share a load address, and the device tree tells them apart.
 * A board is one folder in platform/, with a BOARD() in its board.c.
 */
#ifndef PAYLOAD_PLATFORM_H
#define PAYLOAD_PLATFORM_H

#include <stdint.h>

#include "dt.h"
#include "probe.h"

struct board {
	/* A bare word, for the log and the records. */
	const char *name;
	/* An entry of the root node's compatible. */
	const char *compatible;
	/*
	 * Ends the run with @status, 0 for success; comes back where it cannot. NULL: nothing but
	 * what every board may have, which is semihosting and SBI. @fdt has passed dt_check().
	 */
	void (*exit)(const void *fdt, int status);
};

/* Enters a board in the table that the linker collects: BOARD(name) = { … }; */
#define BOARD(id)                                                        \
	static const struct board board_##id;                            \
	static const struct board *const board_entry_##id                \
		__attribute__((used, section(".boards"))) = &board_##id; \
	static const struct board board_##id

/*
 * platform_init() - from now on payload_exit() can find the board's devices in this tree, which
 * has passed dt_check() and stays where it is. O(1).
 */
void platform_init(const void *fdt);

/*
 * platform_identify() - finds the board by @compatible, the first of the root node's list. O(boards).
 * Until it is called, and for a board that nobody knows, the board is called "generic".
 */
void platform_identify(const char *compatible);

const char *platform_name(void);

/*
 * The board's own way out. If the board is not known yet, the tree is asked: a damaged one may be
 * why the run ends. Comes back if there is none.
 */
void platform_exit(int status);

#endif
