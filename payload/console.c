/* SPDX-License-Identifier: BSD-2-Clause */
/* The line buffer between picolibc's formatting and SBI, and the account of its cost. */
#include "console.h"

#include <stdio.h>
#include <string.h>

#include "sbi.h"

static struct {
	bool dbcn;
	size_t len;
	char line[256];
	uint64_t chars;
	struct counters cost;
} con;

static void flush_line(void)
{
	con.chars += con.len;
	sbi_console_write(con.line, con.len, con.dbcn);
	con.len = 0;
}

static int put(char c, FILE *stream)
{
	(void)stream;
	con.line[con.len++] = c;
	if (c == '\n' || con.len == sizeof(con.line))
		flush_line();
	return 0;
}

static FILE stream = FDEV_SETUP_STREAM(put, NULL, NULL, _FDEV_SETUP_WRITE);

static void account(struct counters start)
{
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
	if (con.len)
		put('\n', &stream);
	while (*line)
		put(*line++, &stream);
	put('\n', &stream);
	account(start);
}

void console_flush(void)
{
	struct counters start = counters_read();

	flush_line();
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
