/* SPDX-License-Identifier: BSD-2-Clause */
/* Builds records in RAM and hands each to the sink as one line. */
#include <earlymm/error.h>
#include "record.h"

#define CRC_CHARS 6 /* " *" and four digits */

uint16_t crc16(uint16_t crc, const void *data, size_t bytes)
{
	/* One entry a nibble: the polynomial 0x1021 applied to its four bits. */
	static const uint16_t step[16] = {
		0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7,
		0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef,
	};
	const uint8_t *p = data;

	while (bytes--) {
		crc = (uint16_t)((uint16_t)(crc << 4) ^ step[(crc >> 12) ^ (*p >> 4)]);
		crc = (uint16_t)((uint16_t)(crc << 4) ^ step[(crc >> 12) ^ (*p & 15)]);
		p++;
	}
	return crc;
}

static void put_char(struct record *r, char c)
{
	if (r->len >= RECORD_MAX) {
		r->overflow = true;
		return;
	}
	r->text[r->len++] = c;
	r->text[r->len] = '\0';
}

static void put_text(struct record *r, const char *s)
{
	while (*s)
		put_char(r, *s++);
}

static void put_decimal(struct record *r, uint64_t value)
{
	char digits[20];
	unsigned int n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (n)
		put_char(r, digits[--n]);
}

static void put_hex16(struct record *r, uint16_t value)
{
	for (int shift = 12; shift >= 0; shift -= 4)
		put_char(r, "0123456789abcdef"[value >> shift & 15]);
}

static void put_key(struct record *r, const char *key)
{
	put_char(r, ' ');
	put_text(r, key);
	put_char(r, '=');
}

static bool is_brief_type(const char *type)
{
	return (type[0] == 'r' && type[1] == 'u' && type[2] == 'n' && !type[3]) ||
	       (type[0] == 'e' && type[1] == 'n' && type[2] == 'd' && !type[3]);
}

void record_open(struct record *r, struct record_writer *w, const char *type)
{
	r->left_out = w->brief && !is_brief_type(type);
	r->writer = w;
	r->len = 0;
	r->overflow = false;
	r->in_list = false;
	r->text[0] = '\0';
	put_text(r, "@PB1");
	put_char(r, ' ');
	put_decimal(r, w->seq);
	put_char(r, ' ');
	put_text(r, type);
}

void record_word_max(struct record *r, const char *key, const char *value, unsigned int max)
{
	unsigned int n;

	put_key(r, key);
	if (!value || !value[0] || !max) {
		put_char(r, '-');
		return;
	}
	for (n = 0; n < max && value[n]; n++) {
		if (n == max - 1 && value[n + 1])
			put_char(r, '~');
		else if (value[n] > ' ' && value[n] < 0x7f)
			put_char(r, value[n]);
		else
			put_char(r, '_');
	}
}

void record_word(struct record *r, const char *key, const char *value)
{
	record_word_max(r, key, value, RECORD_MAX);
}

static void put_signed(struct record *r, int64_t value)
{
	if (value < 0)
		put_char(r, '-');
	put_decimal(r, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void record_uint(struct record *r, const char *key, uint64_t value)
{
	put_key(r, key);
	put_decimal(r, value);
}

void record_int(struct record *r, const char *key, int64_t value)
{
	put_key(r, key);
	put_signed(r, value);
}

void record_bucket(struct record *r, const char *key, int64_t value, uint64_t count)
{
	if (r->in_list)
		put_char(r, ',');
	else
		put_key(r, key);
	r->in_list = true;
	put_signed(r, value);
	put_char(r, ':');
	put_decimal(r, count);
}

void record_hex16(struct record *r, const char *key, uint16_t value)
{
	put_key(r, key);
	put_hex16(r, value);
}

bool record_fits(const struct record *r)
{
	return !r->overflow && r->len + CRC_CHARS <= RECORD_MAX;
}

int record_close(struct record *r)
{
	struct record_writer *w = r->writer;
	uint16_t crc;

	if (!record_fits(r)) {
		w->lost++;
		return -EMM_ENOSPC;
	}
	if (r->left_out)
		return 0;
	crc = crc16(CRC16_INIT, r->text, r->len);
	put_text(r, " *");
	put_hex16(r, crc);
	if (w->sink)
		w->sink(w->ctx, r->text);
	w->seq++;
	return 0;
}
