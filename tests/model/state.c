/* SPDX-License-Identifier: BSD-2-Clause */
/* States: which have been seen, by a hash of 64 bits, and copies to go back to. */
#include "explore.h"

#include <stdlib.h>
#include <string.h>

struct saved {
	struct machine machine;
	char *rest; /* arena, then stacks */
	size_t bytes;
};

static uint64_t *visited;
static uint64_t visited_size, visited_count;

void state_forget_all(void)
{
	if (!visited) {
		visited_size = 1 << 16;
		visited = calloc(visited_size, sizeof(*visited));
	} else {
		memset(visited, 0, visited_size * sizeof(*visited));
	}
	visited_count = 0;
}

static bool visited_insert(uint64_t *table, uint64_t size, uint64_t x)
{
	uint64_t i = x & (size - 1);

	for (; table[i]; i = (i + 1) & (size - 1))
		if (table[i] == x)
			return false;
	table[i] = x;
	return true;
}

bool state_is_new(uint64_t x)
{
	x += !x;
	if (visited_count * 2 >= visited_size) {
		uint64_t *table = calloc(visited_size * 4, sizeof(*table));

		if (!table)
			model_fail("out of memory");
		for (uint64_t i = 0; i < visited_size; i++)
			if (visited[i])
				visited_insert(table, visited_size * 4, visited[i]);
		free(visited);
		visited = table;
		visited_size *= 4;
	}
	if (!visited_insert(visited, visited_size, x))
		return false;
	visited_count++;
	return true;
}

void state_save(const struct client *client, struct saved **to)
{
	size_t bytes = client->arena_bytes;
	char *at;

	for (unsigned int h = 0; h < client->nr_harts; h++)
		bytes += coroutine_bytes(h);
	if (!*to)
		*to = calloc(1, sizeof(**to));
	if ((*to)->bytes < bytes) {
		free((*to)->rest);
		(*to)->rest = malloc(bytes + 4096);
		(*to)->bytes = bytes + 4096;
	}
	(*to)->machine = machine;
	at = (*to)->rest;
	memcpy(at, client->arena, client->arena_bytes);
	at += client->arena_bytes;
	for (unsigned int h = 0; h < client->nr_harts; h++) {
		coroutine_save(h, at);
		at += coroutine_bytes(h);
	}
}

void state_restore(const struct client *client, const struct saved *from)
{
	const char *at = from->rest;

	machine = from->machine;
	memcpy(client->arena, at, client->arena_bytes);
	at += client->arena_bytes;
	for (unsigned int h = 0; h < client->nr_harts; h++) {
		coroutine_restore(h, at);
		at += coroutine_bytes(h);
	}
}
