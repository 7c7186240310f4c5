/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Explores all programs, or those named, and says so in TAP. An argument with a '|' is a program of
 * its own: "<pages>;<before>|<before>;<hart>|<hart>[|<hart>][;<absent start>-<end>]".
 */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool is_wanted(const struct program *p, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], p->name))
			return true;
	return argc < 2;
}

/* Cuts @text at each @by; empty parts become NULL. */
static void cut(char *text, const char *by, const char *parts[MAX_HARTS])
{
	for (unsigned int i = 0; i < MAX_HARTS && text; i++) {
		char *part = strsep(&text, by);

		parts[i] = *part ? part : NULL;
	}
}

static void read_program(char *text, struct program *p)
{
	const char *parts[4] = { NULL };
	char *rest = text;

	*p = (struct program){ .name = strdup(text) };
	for (unsigned int i = 0; i < 4 && rest; i++)
		parts[i] = strsep(&rest, ";");
	p->pages = (unsigned int)atoi(parts[0]);
	cut((char *)(uintptr_t)parts[1], "|", p->before);
	cut((char *)(uintptr_t)parts[2], "|", p->harts);
	if (parts[3])
		sscanf(parts[3], "%u-%u", &p->absent_start, &p->absent_end);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static bool report(const struct program *p)
{
	static unsigned int n;
	struct outcome o;
	double start = seconds();

	if (!p) {
		printf("1..%u\n", n);
		return n != 0;
	}
	program_explore(p, true, &o);
	printf("%sok %u - %s: ", o.bug ? "not " : "", ++n, p->name);
	if (o.bug)
		printf("%s", o.message);
	else if (o.bounded)
		printf("bounded at %llu states", (unsigned long long)o.states);
	else
		printf("explored completely, %llu states", (unsigned long long)o.states);
	printf(", %llu ends, %u runs, %.2f s\n", (unsigned long long)o.ends, o.runs,
	       seconds() - start);
	return !o.bug;
}

int main(int argc, char **argv)
{
	bool good = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned int i = 0; i < nr_programs; i++)
		if (is_wanted(&programs[i], argc, argv))
			good &= report(&programs[i]);
	for (int i = 1; i < argc; i++) {
		struct program p;

		if (!strchr(argv[i], '|'))
			continue;
		read_program(argv[i], &p);
		good &= report(&p);
	}
	return !(report(NULL) && good);
}
