/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bit scans on 64-bit words. rv64gc has no count instructions and the compiler would call
 * libgcc, so they are spelled out here; with Zbb, and on the host, the builtins are used.
 */
#ifndef MM_BITOPS_H
#define MM_BITOPS_H

#include <stdint.h>

#if !defined(BITOPS_PORTABLE) && (!defined(__riscv) || defined(__riscv_zbb))
#define BITOPS_BUILTIN 1
#endif

#ifndef BITOPS_BUILTIN
/*
 * Index of a lone bit by a de Bruijn sequence: the multiplication shifts the sequence left by the
 * index, and no two of its 6-bit windows are alike (Leiserson, Prokop, Randall: Using de Bruijn
 * Sequences to Index a 1 in a Computer Word, 1998).
 */
#define BITOPS_DEBRUIJN 0x03f79d71b4cb0a89ULL
extern const uint8_t bitops_debruijn_index[64];
#endif

/* Index of the only bit set in @bit. Undefined for anything but a power of two. */
static inline unsigned int bit_index(uint64_t bit)
{
#ifdef BITOPS_BUILTIN
	return (unsigned int)__builtin_ctzll(bit);
#else
	return bitops_debruijn_index[(bit * BITOPS_DEBRUIJN) >> 58];
#endif
}

/* The lowest bit set in @x, as a mask; 0 for 0. */
static inline uint64_t lowest_bit(uint64_t x)
{
	return x & (~x + 1);
}

/* Index of the lowest bit set in @x. Undefined for 0. Linux: __ffs. */
static inline unsigned int ffs64(uint64_t x)
{
	return bit_index(lowest_bit(x));
}

/* Index of the highest bit set in @x. Undefined for 0. Linux: __fls. */
static inline unsigned int fls64(uint64_t x)
{
#ifdef BITOPS_BUILTIN
	return 63U - (unsigned int)__builtin_clzll(x);
#else
	x |= x >> 1;
	x |= x >> 2;
	x |= x >> 4;
	x |= x >> 8;
	x |= x >> 16;
	x |= x >> 32;
	return bit_index(x ^ (x >> 1));
#endif
}

/* Number of bits set. Linux: hweight64. */
static inline unsigned int hweight64(uint64_t x)
{
#ifdef BITOPS_BUILTIN
	return (unsigned int)__builtin_popcountll(x);
#else
	x -= (x >> 1) & 0x5555555555555555ULL;
	x = (x & 0x3333333333333333ULL) + ((x >> 2) & 0x3333333333333333ULL);
	x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (unsigned int)((x * 0x0101010101010101ULL) >> 56);
#endif
}

#endif
