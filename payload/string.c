/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memset, memcpy and memmove by words: picolibc's are loops of bytes. Compiled so that the
 * compiler does not find a memset in a loop and call it from within itself (mk/image.mk).
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint64_t __attribute__((may_alias)) word_t;

#define WORD        sizeof(word_t)
#define STEP        (8 * WORD)
#define MISALIGN(p) ((uintptr_t)(p) & (WORD - 1))

void *memset(void *dest, int c, size_t n)
{
	const word_t fill = 0x0101010101010101ULL * (unsigned char)c;
	unsigned char *d = dest;

	for (; n && MISALIGN(d); n--)
		*d++ = (unsigned char)c;
	for (; n >= STEP; n -= STEP, d += STEP) {
		word_t *w = (word_t *)d;

		w[0] = fill;
		w[1] = fill;
		w[2] = fill;
		w[3] = fill;
		w[4] = fill;
		w[5] = fill;
		w[6] = fill;
		w[7] = fill;
	}
	for (; n >= WORD; n -= WORD, d += WORD)
		*(word_t *)d = fill;
	while (n--)
		*d++ = (unsigned char)c;
	return dest;
}

static void copy_up(unsigned char *d, const unsigned char *s, size_t n)
{
	if (MISALIGN(d) == MISALIGN(s)) {
		for (; n && MISALIGN(d); n--)
			*d++ = *s++;
		for (; n >= 4 * WORD; n -= 4 * WORD, d += 4 * WORD, s += 4 * WORD) {
			const word_t *from = (const word_t *)s;
			word_t *to = (word_t *)d;
			const word_t a = from[0], b = from[1], e = from[2], f = from[3];

			to[0] = a;
			to[1] = b;
			to[2] = e;
			to[3] = f;
		}
		for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
			*(word_t *)d = *(const word_t *)s;
	}
	while (n--)
		*d++ = *s++;
}

static void copy_down(unsigned char *d, const unsigned char *s, size_t n)
{
	d += n;
	s += n;
	if (MISALIGN(d) == MISALIGN(s)) {
		for (; n && MISALIGN(d); n--)
			*--d = *--s;
		for (; n >= WORD; n -= WORD) {
			d -= WORD;
			s -= WORD;
			*(word_t *)d = *(const word_t *)s;
		}
	}
	while (n--)
		*--d = *--s;
}

void *memcpy(void *restrict dest, const void *restrict src, size_t n)
{
	copy_up(dest, src, n);
	return dest;
}

void *memmove(void *dest, const void *src, size_t n)
{
	if ((uintptr_t)dest - (uintptr_t)src < n)
		copy_down(dest, src, n);
	else
		copy_up(dest, src, n);
	return dest;
}
