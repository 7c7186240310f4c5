/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Explores all programs, or those named, and says so in TAP. An argument with a '|' is a program of
 * its own: "<pages>;<before>|<before>;<hart>|<hart>[|<hart>][;<absent start>-<end>]".
 */
#include "program.h"
#include "random_programs.h"

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

	*p = (struct program){ .name = text };
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

static unsigned int nr_reports;

static bool report(const struct program *p)
{
	struct outcome o;
	double start = seconds();

	program_explore(p, true, &o);
	printf("%sok %u - %s: ", o.bug ? "not " : "", ++nr_reports, p->name);
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

static bool report_text(const char *text, uint64_t max_states)
{
	char copy[256];
	struct program p;

	snprintf(copy, sizeof(copy), "%s", text);
	read_program(copy, &p);
	p.name = text;
	p.max_states = max_states;
	return report(&p);
}

/* @nr random programs in one test; those that are too large are counted. */
static bool report_random(unsigned int nr, unsigned int nr_harts, uint64_t seed,
			  uint64_t max_states)
{
	uint64_t rng = seed, states = 0;
	unsigned int bounded = 0;
	double start = seconds();

	for (unsigned int i = 0; i < nr; i++) {
		char text[256], copy[256];
		struct program p;
		struct outcome o;

		random_program(text, sizeof(text), &rng, nr_harts);
		snprintf(copy, sizeof(copy), "%s", text);
		read_program(copy, &p);
		p.name = text;
		p.max_states = max_states;
		program_explore(&p, true, &o);
		if (o.bug) {
			printf("not ok %u - random program \"%s\": %s\n", ++nr_reports, text,
			       o.message);
			return false;
		}
		bounded += o.bounded;
		states += o.states;
	}
	printf("ok %u - %u random programs of %u harts: %llu states, %u of them bounded at %llu "
	       "states, %.2f s\n",
	       ++nr_reports, nr, nr_harts, (unsigned long long)states, bounded,
	       (unsigned long long)max_states, seconds() - start);
	return true;
}

int main(int argc, char **argv)
{
	const char *number = getenv("MODEL_PROGRAMS");
	unsigned int nr_random = number ? (unsigned int)atoi(number) : 100;
	bool good = true, named = argc > 1 || getenv("MODEL_NAMED");

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 4 && !strcmp(argv[1], "--random"))
		return !report_random((unsigned int)atoi(argv[2]), (unsigned int)atoi(argv[3]),
				      strtoull(argv[4], NULL, 0),
				      argc > 5 ? strtoull(argv[5], NULL, 0) : 20000);
	for (unsigned int i = 0; i < nr_programs && (good || !getenv("MODEL_FIRST")); i++)
		if (is_wanted(&programs[i], argc, argv))
			good &= report(&programs[i]);
	for (int i = 1; i < argc; i++)
		if (strchr(argv[i], '|'))
			good &= report_text(argv[i], 0);
	if (!named) {
		good &= report_random(nr_random, 2, 1, program_max_states() / 15);
		good &= report_random(nr_random / 4, 3, 2, program_max_states() / 15);
	}
	printf("1..%u\n", nr_reports);
	return !(nr_reports && good);
}
