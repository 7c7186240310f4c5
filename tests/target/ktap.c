/* SPDX-License-Identifier: BSD-2-Clause */
#include "ktap.h"

#include <stdio.h>

#define MAX_NOTE 512

static int indent(enum ktap_level level)
{
	return 2 * (int)level;
}

void ktap_begin(struct ktap *k, enum ktap_level level, const char *name, unsigned int nr)
{
	k->level = level;
	print_to(k->out, "%*sKTAP version 1\n", indent(level), "");
	if (name)
		print_to(k->out, "%*s# Subtest: %s\n", indent(level), "", name);
	print_to(k->out, "%*s1..%u\n", indent(level), "", nr);
}

void ktap_result(struct ktap *k, enum ktap_level level, unsigned int number, const char *name,
		 enum verdict verdict, const char *reason)
{
	k->level = level;
	print_to(k->out, "%*s%sok %u %s%s%s%s\n", indent(level), "",
		 verdict == FAILED ? "not " : "", number, name, verdict == SKIPPED ? " # SKIP" : "",
		 verdict == SKIPPED && reason ? " " : "",
		 verdict == SKIPPED && reason ? reason : "");
}

void ktap_vnote(const struct ktap *k, const char *fmt, va_list ap)
{
	char text[MAX_NOTE], *line = text, *c;

	vsnprintf(text, sizeof(text), fmt, ap);
	/* An \n at the end ends the last line; it does not begin another. */
	for (c = text; *c; c++) {
		if (*c == '\n') {
			*c = '\0';
			print_to(k->out, "%*s# %s\n", indent(k->level), "", line);
			line = c + 1;
		} else if (*c < ' ' || *c > '~') {
			*c = '?';
		}
	}
	if (line < c)
		print_to(k->out, "%*s# %s\n", indent(k->level), "", line);
}

void ktap_note(const struct ktap *k, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	ktap_vnote(k, fmt, ap);
	va_end(ap);
}
