/* SPDX-License-Identifier: BSD-2-Clause */
/* The line buffer between picolibc's formatting and SBI, and the account of its cost. */
#include "console.h"

#include <stdio.h>
#include <string.h>

#include "exit.h"
#include "hart.h"
#include "sbi.h"
#include "wait.h"

/* A line of another hart takes less. After that it goes out all the same. */
#define LOCK_MS 1000

static struct {
	bool dbcn;
	const struct hart *writer; /* NULL: nobody */
	uint64_t chars;
	struct counters cost;
} con;

static bool try_lock(const struct hart *me)
{
	const struct hart *writer = NULL;

	/* Its own: a trap while it wrote. */
	return __atomic_compare_exchange_n(&con.writer, &writer, me, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED) ||
	       writer == me;
}

static void lock(const struct hart *me)
{
	struct wait w;

	if (try_lock(me))
		return;
	wait_begin(&w, LOCK_MS);
	while (!try_lock(me))
		if (!wait_turn(&w))
			return;
}

static void flush_line(struct hart *me)
{
	exit_stand_back();
	lock(me);
	con.chars += me->line.len;
	sbi_console_write(me->line.text, me->line.len, con.dbcn);
	me->line.len = 0;
	__atomic_store_n(&con.writer, NULL, __ATOMIC_RELEASE);
}

static int put(char c, FILE *stream)
{
	struct hart *me = this_hart();

	(void)stream;
	me->line.text[me->line.len++] = c;
	if (c == '\n' || me->line.len == sizeof(me->line.text))
		flush_line(me);
	return 0;
}

static FILE stream = FDEV_SETUP_STREAM(put, NULL, NULL, _FDEV_SETUP_WRITE);

/* Of the boot hart's time. */
static void account(struct counters start)
{
	if (this_hart() != &boot_hart)
		return;
	con.cost = counters_add(con.cost, counters_sub(counters_read(), start));
}

static void console_vprint(void *ctx, const char *fmt, va_list ap)
{
	struct counters start = counters_read();

	(void)ctx;
	vfprintf(&stream, fmt, ap);
	account(start);
}

const struct printer console = { .vprint = console_vprint };

void console_init(void)
{
	con.dbcn = sbi_has_extension(SBI_EXT_DBCN);
}

/* Prints, and does not begin what a reader of records looks for. */
static bool is_harmless(const char *c)
{
	return *c >= ' ' && *c <= '~' && !(c[0] == '@' && c[1] == 'P');
}

void print_text(const char *text, size_t max)
{
	char line[128];
	size_t n = 0;

	if (max >= sizeof(line))
		max = sizeof(line) - 1;
	for (; n < max && text[n]; n++)
		line[n] = is_harmless(text + n) ? text[n] : '?';
	if (text[n] && n)
		line[n - 1] = '~';
	line[n] = '\0';
	print("%s", line);
}

void print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	console_vprint(NULL, fmt, ap);
	va_end(ap);
}

void console_line(void *ctx, const char *line)
{
	struct counters start = counters_read();

	(void)ctx;
	if (this_hart()->line.len)
		put('\n', &stream);
	while (*line)
		put(*line++, &stream);
	put('\n', &stream);
	account(start);
}

void console_flush(void)
{
	struct counters start = counters_read();

	flush_line(this_hart());
	account(start);
}

struct counters console_cost(void)
{
	return con.cost;
}

uint64_t console_chars(void)
{
	return con.chars;
}
