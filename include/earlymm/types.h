/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses, frame numbers and the page size: what every header of mm/ starts from. */
#ifndef EARLYMM_TYPES_H
#define EARLYMM_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A physical address or a size in bytes. Ranges are half-open: [base, base + size). */
typedef uint64_t phys_addr_t;

/* Page size, settable at build time so that the host can test 4 KiB, 16 KiB and 64 KiB pages. */
#ifndef PAGE_SHIFT
#define PAGE_SHIFT 12
#endif
#define PAGE_SIZE ((uint64_t)1 << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))

/* Smallest alignment of an early allocation that names none: a cache line, as in Linux. */
#ifndef SMP_CACHE_BYTES
#define SMP_CACHE_BYTES 64
#endif

#define PHYS_ADDR_MAX (~(phys_addr_t)0)
#define NUMA_NO_NODE  (-1)

/* First frame at or above @pa, and first frame not wholly below it. No overflow for any @pa. */
#define PFN_UP(pa)    (((pa) >> PAGE_SHIFT) + (((pa) & (PAGE_SIZE - 1)) != 0))
#define PFN_DOWN(pa)  ((pa) >> PAGE_SHIFT)
#define PFN_PHYS(pfn) ((phys_addr_t)(pfn) << PAGE_SHIFT)

/* Frames [start, end). */
struct pfn_range {
	uint64_t start;
	uint64_t end;
};

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * The way from a physical address to memory that can be read and written. mm/ reaches memory by
 * address (grown arrays, bitmaps, buddy metadata, zeroing) through this hook and no other way; a
 * kernel that runs with physical = virtual returns @pa itself.
 * Returns NULL where [pa, pa + bytes) cannot be reached.
 */
struct phys_map {
	void *(*phys_to_virt)(void *ctx, phys_addr_t pa, uint64_t bytes);
	void *ctx;
};

static inline void *phys_to_virt(const struct phys_map *map, phys_addr_t pa, uint64_t bytes)
{
	return map->phys_to_virt(map->ctx, pa, bytes);
}

/* Where reports go: printf's conversions. A line ends in \n. A NULL printer drops the text. */
struct printer {
	void (*vprint)(void *ctx, const char *fmt, va_list ap);
	void *ctx;
};

__attribute__((format(printf, 2, 3))) static inline void print_to(const struct printer *out,
								  const char *fmt, ...)
{
	va_list ap;

	if (!out || !out->vprint)
		return;
	va_start(ap, fmt);
	out->vprint(out->ctx, fmt, ap);
	va_end(ap);
}

#endif
