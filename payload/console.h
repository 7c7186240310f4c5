/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text for people and records for machines, a line at a time, through SBI. Each hart puts its
 * lines together by itself, so lines of several are not mixed; a hart that cannot be written for
 * by another for a second writes all the same. What the boot hart's output costs is counted,
 * formatting included, so that phases can be reported without it.
 */
#ifndef PAYLOAD_CONSOLE_H
#define PAYLOAD_CONSOLE_H

#include <stddef.h>

#include <earlymm/types.h>
#include "counters.h"

/* The console as mm, dt and bench know it. */
extern const struct printer console;

/* Looks for SBI's debug console: before, single characters are used. */
void console_init(void);

/* printf without floating point. Goes out at the end of a line. */
__attribute__((format(printf, 1, 2))) void print(const char *fmt, ...);

/*
 * print_text() - text from outside: what does not print becomes '?', so that it can neither steer
 * a terminal nor forge a line; the last of more than @max characters is '~'.
 */
void print_text(const char *text, size_t max);

/* A line as it is; adds the \n. @ctx is not used: the function fits struct bench_config.sink. */
void console_line(void *ctx, const char *line);

void console_flush(void);

/*
 * console_cost() - what output has cost since the start, but for the fifteen or so instructions
 * a call takes until the counters are read.
 */
struct counters console_cost(void);

/* Characters written so far. */
uint64_t console_chars(void);

#endif
