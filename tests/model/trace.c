/* SPDX-License-Identifier: BSD-2-Clause */
/* Schedules, for people: hart, operation, location, value. */
#include "explore.h"

#include <inttypes.h>
#include <stdio.h>

static void print_value(uint64_t v)
{
	if (v >> 32 == 0xffffffff)
		printf("~0x%" PRIx64, ~v);
	else
		printf("0x%" PRIx64, v);
}

static const char *order_name(const struct request *r)
{
	static const char *const names[] = { "", ".aq", ".rl", ".aqrl" };

	return r->order == MODEL_FULL ? ".full" : names[r->order & 3];
}

static void print_head(const struct client *client, unsigned int h, const void *p)
{
	char name[48] = "";

	if (p)
		client->name(name, sizeof(name), p);
	printf("#   hart %u  %-14s %-16s ", h, machine.harts[h].label ? machine.harts[h].label : "",
	       name);
}

void trace_access(const struct client *client, unsigned int h)
{
	static const char *const names[] = {
		[ACCESS_LOAD] = "load",   [ACCESS_STORE] = "store",
		[ACCESS_OR] = "or",       [ACCESS_AND] = "and",
		[ACCESS_XCHG] = "swap",   [ACCESS_CAS] = "cas",
		[ACCESS_FENCE] = "fence", [ACCESS_OR_PARTIAL] = "or-partial",
	};
	const struct request *r = &machine.harts[h].request;

	print_head(client, h, r->access == ACCESS_FENCE ? NULL : machine_ptr(r->loc));
	printf("%s%s", names[r->access], order_name(r));
	if (r->access == ACCESS_CAS) {
		putchar(' ');
		print_value(r->expect);
		printf(" ->");
	}
	if (r->access != ACCESS_LOAD && r->access != ACCESS_FENCE) {
		putchar(' ');
		print_value(r->value);
	}
	if (r->access != ACCESS_STORE && r->access != ACCESS_FENCE) {
		printf(": ");
		print_value(r->result);
	}
	if (r->access == ACCESS_CAS || r->access == ACCESS_OR_PARTIAL)
		printf(r->done ? ", done" : ", not done");
	putchar('\n');
}

void trace_drain(const struct client *client, unsigned int h, unsigned int entry)
{
	const struct buffered *b = &machine.harts[h].buffer[entry];

	print_head(client, h, machine_ptr(b->loc));
	printf("store of ");
	print_value(b->value);
	puts(" arrives");
}
