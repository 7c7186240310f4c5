/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is the memory of the map there, and does it keep what is written? Two looks before the handover:
 * memblock_probe_banks() at the ends of each bank, with a handful of accesses and nothing changed;
 * early_memtest() at every free word, which is overwritten. Both touch free memory only: what is
 * reserved or no-map is in use, or somebody else's. Both call mm/'s only way to memory that may
 * not be there, struct mem_access.
 */
#ifndef EARLYMM_MEMTEST_H
#define EARLYMM_MEMTEST_H

#include <earlymm/memblock.h>

/* Accesses that may fault: each returns 0 or -EMM_EFAULT. @pa is a multiple of 8. */
struct mem_access {
	int (*load)(void *ctx, phys_addr_t pa, uint64_t *value);
	int (*store)(void *ctx, phys_addr_t pa, uint64_t value);
	/*
	 * @nr words from @pa on, ascending. *done: the words before the one that faulted
	 * (-EMM_EFAULT) or, of verify, differed (-EMM_EINVAL); not used after 0.
	 */
	int (*fill)(void *ctx, phys_addr_t pa, uint64_t nr, uint64_t pattern, uint64_t *done);
	int (*verify)(void *ctx, phys_addr_t pa, uint64_t nr, uint64_t pattern, uint64_t *done);
	/* May be NULL. @total_bytes: all that will be written and read. */
	void (*progress)(void *ctx, uint64_t done_bytes, uint64_t total_bytes);
	void *ctx;
};

struct memprobe_result {
	uint64_t nr_banks; /* that have a free page and were probed */
	uint64_t nr_cut; /* shortened, at either end */
	uint64_t nr_removed; /* nothing of them answered */
	uint64_t removed_bytes; /* taken out of the memory map, no-map and reserved ones included */
	uint64_t nr_accesses; /* loads and stores */
};

/*
 * memblock_probe_banks() - compares the claimed ends of each bank with the machine. A bank is a
 * run of memory entries that touch and are of one node, no-map ones in it included. A word in its
 * first free page and one in its last are loaded, a pattern is stored to the one and its complement
 * to the other, both are loaded again and restored: nine accesses for a bank that is good, one for
 * mirrors among them. A page is absent if an access faults or another value comes back. If all is
 * not well, each page has two words probed, with the pattern and the complement. Where the last
 * page is absent (or the first), the border is found by bisection over the free pages, in at most 52
 * probes, and the map is cut there: all that lies beyond is removed, no-map memory too.
 * Reservations stay, outside memory. If both ends are absent, free pages at distances that double
 * are tried for one that answers; if none does, the bank is removed.
 *
 * Mirrors: while the pattern is in the first page, the word at the largest power of two above it
 * inside the bank is loaded (a smaller one where that is not free). It holds the pattern if the
 * bank repeats at that distance or at any smaller power of two, which is then looked for; the bank
 * is cut to one period, which is taken to begin at a multiple of 256 MiB (of the period, if that is
 * smaller). Unless the first page is absent, nothing is stored where a mirror was seen.
 *
 * What is not seen: holes between pages that answer; ends that are reserved (the last free page
 * below is probed); a mirror period that is no power of two, or at which no free page lies; a bank
 * that repeats another one; something else than memory that keeps two words a page. Absence is
 * taken to reach to the end of the bank.
 *
 * Changes in the map are reported on @out, a line a bank, for the first eight; then a count.
 * O(banks * log(regions) + for a bank that is cut 52 * its regions). Never needs a new entry.
 * returns: 0, -EMM_EINVAL (no load or no store).
 */
int memblock_probe_banks(struct memblock *mb, const struct mem_access *access,
			 const struct printer *out, struct memprobe_result *result);

/* The different patterns there are; beyond, they come again. */
#define MEMTEST_NR_PATTERNS  17
#define MEMTEST_MAX_PATTERNS 255

struct memtest_result {
	uint64_t tested_bytes; /* free memory, however many patterns it saw */
	uint64_t bad_ranges;
	uint64_t bad_pages; /* in these: they failed a pattern or did not answer */
	uint64_t good_pages; /* reserved together with bad ones for want of entries */
};

/*
 * early_memtest() - writes @nr_patterns patterns to all free memory, one after the other, and reads
 * each back; the last one is 0. 0: nothing is done. A page with a word that does not come back, or
 * faults, is reserved with CAUSE_BAD (of a page that is reserved in part: the free part of it), so
 * that nobody gets it; the rest of that page is not looked at. Ranges are reported on @out, the
 * first sixteen, then a count. All memory in use must be reserved: free memory is overwritten. To be
 * called before bootmem is set up, whose bitmaps would not learn of what is reserved here.
 *
 * Where many pages in a row fault, steps that double are taken while the memory at both ends of a
 * step faults: a good page in between is taken as bad with them.
 *
 * If the reserved array is full, it grows (if memblock_allow_resize() was called) to a place that
 * has been through all patterns first, and the free range at hand is tested once more. If there is
 * no such place, the range is joined with the bad one before or behind it in the same stretch of
 * free memory, with the good pages between them.
 *
 * progress is called at least every 64 MiB written or read, and at the end; after a growth it may
 * step back. O(nr_patterns * (free memory + regions) + bad ranges * regions).
 * returns: 0, bad memory or not; -EMM_EINVAL (more than MEMTEST_MAX_PATTERNS, a hook missing);
 * -EMM_ENOSPC: a bad range could not be recorded, neither way: the memory must not be used. What
 * was found before is reserved. Linux: early_memtest, memtest=.
 */
int early_memtest(struct memblock *mb, const struct mem_access *access, unsigned int nr_patterns,
		  const struct printer *out, struct memtest_result *result);

#endif
