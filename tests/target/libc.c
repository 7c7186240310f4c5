/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests' sources want of a C library and the payload's does not have: memory, an
 * environment, files, time. picolibc has the rest (strings, numbers, formats).
 */
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "console.h"
#include "counters.h"
#include "exit.h"
#include "runner.h"

/* ---- memory ---- */

/* Never NULL: a test that cannot have its memory is skipped, with the reason. */
static void *allocate(size_t bytes, size_t align)
{
	void *ptr = heap_alloc(&runner.heap, bytes, align);

	if (!ptr)
		test_lacks_memory(bytes);
	return ptr;
}

void *malloc(size_t bytes)
{
	return allocate(bytes, HEAP_ALIGN);
}

void *aligned_alloc(size_t align, size_t bytes)
{
	return allocate(bytes, align);
}

void *calloc(size_t nr, size_t bytes)
{
	if (bytes && nr > SIZE_MAX / bytes)
		return NULL;
	return memset(allocate(nr * bytes, HEAP_ALIGN), 0, nr * bytes);
}

void free(void *ptr)
{
	if (ptr && !heap_free(&runner.heap, ptr))
		payload_fail("%s: free(%p) of what is not allocated, or was overrun", runner.suite,
			     ptr);
}

void *realloc(void *ptr, size_t bytes)
{
	size_t old = ptr ? heap_size(&runner.heap, ptr) : 0;
	void *to = allocate(bytes, HEAP_ALIGN);

	if (ptr) {
		memcpy(to, ptr, old < bytes ? old : bytes);
		free(ptr);
	}
	return to;
}

void *mmap(void *addr, size_t bytes, int prot, int flags, int fd, off_t offset)
{
	void *ptr = allocate(bytes, PAGE_SIZE);

	(void)addr;
	(void)prot;
	(void)fd;
	(void)offset;
	if (!(flags & MAP_ANONYMOUS))
		return MAP_FAILED;
	return ptr;
}

int munmap(void *addr, size_t bytes)
{
	(void)bytes;
	free(addr);
	return 0;
}

int mprotect(void *addr, size_t bytes, int prot)
{
	(void)addr;
	(void)bytes;
	(void)prot;
	return 0;
}

/* ---- environment: what the long tests are to do here ---- */

static const struct {
	const char *name;
	const char *value;
} environment[] = {
	{ "BOOTMEM_OPS", "2000" },     { "BUDDY_CLAIM_OPS", "10000" },
	{ "BUDDY_DIFF_OPS", "20000" }, { "BUDDY_DIFF_ROUNDS", "8" },
	{ "EARLY_ROUNDS", "20" },      { "MEMBLOCK_BYTES", "200000" },
	{ "MEMBLOCK_OPS", "10000" },   { "COMPOUND_OPS", "10000" },
	{ "OWNER_OPS", "6000" },       { "OWNER_MISUSES", "600" },
	{ "POISON_OPS", "2000" },      { "POISON_DAMAGES", "6" },
};

char *getenv(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(environment); i++)
		if (!strcmp(environment[i].name, name))
			return (char *)(uintptr_t)environment[i].value;
	return NULL;
}

/* Decimal, as the values above are, and blanks before: picolibc's has to do with errno, which is not there. */
unsigned long long strtoull(const char *restrict text, char **restrict end, int base)
{
	unsigned long long value = 0;
	const char *at = text;

	(void)base;
	while (*at == ' ')
		at++;
	if (*at >= '0' && *at <= '9')
		for (text = at; *text >= '0' && *text <= '9'; text++)
			value = value * 10 + (unsigned long long)(*text - '0');
	if (end)
		*end = (char *)(uintptr_t)text;
	return value;
}

unsigned long strtoul(const char *restrict text, char **restrict end, int base)
{
	return strtoull(text, end, base);
}

/* ---- what tests print when they give up ---- */

static struct {
	char text[200];
	size_t len;
} error_line;

/* A line of the log, as a diagnostic of the test. */
static int put_error(char c, FILE *stream)
{
	(void)stream;
	if (c != '\n')
		error_line.text[error_line.len++] = c;
	if (c == '\n' || error_line.len == sizeof(error_line.text) - 1) {
		error_line.text[error_line.len] = '\0';
		error_line.len = 0;
		ktap_note(&runner.ktap, "%s", error_line.text);
	}
	return 0;
}

static FILE error_stream = FDEV_SETUP_STREAM(put_error, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stderr = &error_stream;

/* Ends the test, as failed, and not the run. */
void abort(void)
{
	fail_msg("abort() was called");
}

/* ---- files: those that the image holds (data.S), for reading ---- */

extern const char imx6_memory_map[], imx6_memory_map_end[];

static const struct {
	const char *name;
	const char *start;
	const char *end;
} files[] = {
	{ "tests/data/imx6-memory-map.txt", imx6_memory_map, imx6_memory_map_end },
};

/* The one that is open. */
static struct {
	FILE stream; /* first: get() has a pointer to it */
	const char *at;
	const char *end;
} open_file;

static int get(FILE *stream)
{
	(void)stream;
	return open_file.at < open_file.end ? (unsigned char)*open_file.at++ : EOF;
}

FILE *fopen(const char *name, const char *mode)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(files[i].name, name) || strcmp(mode, "r") || open_file.at)
			continue;
		open_file.stream = (FILE)FDEV_SETUP_STREAM(NULL, get, NULL, _FDEV_SETUP_READ);
		open_file.at = files[i].start;
		open_file.end = files[i].end;
		return &open_file.stream;
	}
	return NULL;
}

int fclose(FILE *stream)
{
	if (stream != &open_file.stream)
		return EOF;
	open_file.at = NULL;
	return 0;
}

/* ---- time ---- */

clock_t clock(void)
{
	uint64_t hz = runner.env->tb_hz, ticks = counters_read().tb;

	return hz ? (clock_t)(ticks / hz * CLOCKS_PER_SEC + ticks % hz * CLOCKS_PER_SEC / hz) : 0;
}
