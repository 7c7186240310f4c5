/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Explores all programs, or those named, and says so in TAP. An argument with a '|' is a program of
 * its own: "<pages>;<before>|<before>;<hart>|<hart>[|<hart>][;<absent start>-<end>]"; "4+2" pages are
 * those of two trees; "4h" or "4+2h" have the setting "healing", "4s" spans, "4m" a sibling of hart 0.
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
	if (sscanf(parts[0], "%u+%u", &p->second_tree, &p->pages) == 2)
		p->pages += p->second_tree;
	else
		p->pages = p->second_tree, p->second_tree = 0;
	p->is_healing = strchr(parts[0], 'h') != NULL;
	p->is_paired = strchr(parts[0], 'm') != NULL;
	p->has_spans = strchr(parts[0], 's') != NULL;
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
static uint64_t all_states;

/* From the environment, for longer runs. */
static uint64_t setting(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

/* One that ends at its bound is explored again in other orders. The states are added up. */
static void explore(const struct program *p, struct outcome *o)
{
	uint64_t nr_orders = setting("MODEL_ORDERS", 2), states = 0;

	for (uint64_t order = 0; order < nr_orders; order++) {
		program_explore(p, order, o);
		states += o->states;
		if (o->bug || !o->bounded)
			break;
	}
	o->states = states;
	all_states += states;
}

static bool report(const struct program *p)
{
	struct outcome o;
	double start = seconds();

	explore(p, &o);
	printf("%sok %u - %s: ", o.bug ? "not " : "", ++nr_reports, p->name);
	if (o.bug)
		printf("%s", o.message);
	else if (o.bounded)
		printf("bounded at %llu states", (unsigned long long)o.states);
	else
		printf("explored completely, %llu states", (unsigned long long)o.states);
	printf(", %.2f s\n", seconds() - start);
	return !o.bug;
}

static bool report_text(const char *text)
{
	char copy[256];
	struct program p;

	snprintf(copy, sizeof(copy), "%s", text);
	read_program(copy, &p);
	p.name = text;
	return report(&p);
}

/* @nr random programs in one test; those that are too large are counted. */
static bool report_random(uint64_t nr, unsigned int nr_harts, uint64_t seed)
{
	uint64_t rng = seed, before = all_states;
	unsigned int bounded = 0;
	double start = seconds();

	for (uint64_t i = 0; i < nr; i++) {
		char text[256], copy[256];
		struct program p;
		struct outcome o;

		random_program(text, sizeof(text), &rng, nr_harts);
		snprintf(copy, sizeof(copy), "%s", text);
		read_program(copy, &p);
		p.name = text;
		p.max_states = program_max_states() / 15;
		explore(&p, &o);
		if (o.bug) {
			printf("not ok %u - random program \"%s\": %s\n", ++nr_reports, text,
			       o.message);
			return false;
		}
		bounded += o.bounded;
	}
	printf("ok %u - %llu random programs of %u harts: %llu states, %u bounded, %.2f s\n",
	       ++nr_reports, (unsigned long long)nr, nr_harts,
	       (unsigned long long)(all_states - before), bounded, seconds() - start);
	return true;
}

int main(int argc, char **argv)
{
	uint64_t nr_random = setting("MODEL_PROGRAMS", 100), seed = setting("MODEL_SEED", 1);
	bool good = true;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (unsigned int i = 0; i < nr_programs; i++)
		if (is_wanted(&programs[i], argc, argv))
			good &= report(&programs[i]);
	for (int i = 1; i < argc; i++)
		if (strchr(argv[i], '|'))
			good &= report_text(argv[i]);
	if (argc < 2 && nr_random) {
		good &= report_random(nr_random, 2, seed);
		good &= report_random(nr_random / 2, 3, seed + 1);
	}
	printf("1..%u\n# in all: %.1f million states\n", nr_reports, (double)all_states * 1e-6);
	return !(nr_reports && good);
}
