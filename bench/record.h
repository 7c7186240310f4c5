/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records: one line of key=value words with a number and a checksum, for machines to read.
 * "@PB1 <seq> <type> key=value … *<crc16>", at most RECORD_MAX characters; docs/benchmark.md.
 */
#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_MAX 200 /* characters of a line, without its end */
#define CRC16_INIT 0xffffU

/* Where records go and how many went there. */
struct record_writer {
	void (*sink)(void *ctx, const char *line); /* @line has no newline at its end */
	void *ctx;
	uint32_t seq; /* the number of the next record */
	uint32_t lost; /* records that could not be written: longer than RECORD_MAX */
	bool brief; /* only `run` and `end` are written, and numbered */
};

/* A record being built. Nothing is written before record_close(). */
struct record {
	struct record_writer *writer;
	unsigned int len;
	bool overflow;
	bool in_list; /* the last value is a list, and may go on */
	bool left_out; /* the writer is brief, and it is neither run nor end */
	char text[RECORD_MAX + 1];
};

/* CRC-16/CCITT-FALSE of @bytes bytes, carried on from @crc (first: CRC16_INIT). O(bytes). */
uint16_t crc16(uint16_t crc, const void *data, size_t bytes);

/* Starts a record of @type with the writer's next number. */
void record_open(struct record *r, struct record_writer *w, const char *type);

/*
 * A value that is a bare word: characters other than printable ASCII become '_', no more than
 * @max of them are taken (the last then being '~'), and an empty or NULL value becomes "-".
 */
void record_word_max(struct record *r, const char *key, const char *value, unsigned int max);
void record_word(struct record *r, const char *key, const char *value);
void record_uint(struct record *r, const char *key, uint64_t value);
void record_int(struct record *r, const char *key, int64_t value);
void record_hex16(struct record *r, const char *key, uint16_t value); /* four digits */

/* Adds value:count to the list @key, which is the record's last one or is begun by it. */
void record_bucket(struct record *r, const char *key, int64_t value, uint64_t count);

/* Would record_close() write it? */
bool record_fits(const struct record *r);

/*
 * record_close() - adds the checksum, writes the line and counts it.
 * Returns 0, or -EMM_ENOSPC if it is too long: then nothing is written and writer->lost counts. A
 * record that a brief writer leaves out is neither written nor counted, with the same result.
 */
int record_close(struct record *r);

#endif
