/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine's memory: the map, the page allocator on it, and what people get to see of both. */
#ifndef PAYLOAD_MEMORY_H
#define PAYLOAD_MEMORY_H

#include <earlymm/early.h>
#include <earlymm/handover.h>
#include <earlymm/hugetlb.h>
#include <earlymm/memblock.h>
#include <earlymm/page_audit.h>
#include "bench.h"
#include "bootargs.h"
#include "dt.h"
#include "phase.h"

/* Physical addresses as pointers. */
extern const struct phys_map memory_map;

/* Regions of /reserved-memory that are listed; more are reserved all the same. */
#define MAX_REGIONS 256

struct memory {
	struct memblock mb;
	struct early early;
	char early_name[12]; /* and what is known of it when it is gone: */
	uint64_t early_bytes; /* of its own, at its peak */
	struct page_alloc pages;
	struct page_audit audit;
	struct dt_distances distances; /* if there are several nodes */
	int boot_nid; /* of the boot hart */
	bool keep_init; /* the tree claims some of the image for somebody else, too */
	bool discarded; /* memblock is empty: the audit goes on from the last one */
	bool has_huge; /* @huge is in use */
	struct hugetlb huge;
	uint64_t init_pages; /* that went back after the boot */
	struct dt_region regions[MAX_REGIONS];
};

/* Each of these ends the run as failed, with the reason, if its step fails. */

/*
 * The map from the tree @fdt: the image and the tree reserved, then all that the tree says; less
 * what mem= cuts off, and what does not answer. From then on memblock's arrays may grow.
 */
void memory_read_map(struct memory *m, struct dt_info *info, void *fdt,
		     const struct boot_options *opt);

/* Tests all free memory with @nr_patterns patterns, and overwrites it; says how far it is. */
void memory_test(struct memory *m, unsigned int nr_patterns, uint64_t tb_hz);

/* Dynamic regions and pools of /reserved-memory; then, at any time, the others join the list. */
void memory_place_regions(struct memory *m, struct dt_info *info, const void *fdt);
void memory_list_regions(struct memory *m, struct dt_info *info, const void *fdt);

/* early=: from here on memory is had from m->early. */
void memory_start_early(struct memory *m, enum early_kind kind);

/* Gigantic pages, from m->early, and what cannot be had is said; then the others, from the buddy. */
void memory_huge_early(struct memory *m, const struct hugetlb_request *request);
void memory_huge_late(struct memory *m);

/* The zones, and where the metadata of each goes. */
void memory_plan(struct memory *m, struct dt_info *info, const void *fdt,
		 const struct boot_options *opt);

/* Fills the metadata's memory with garbage: the set-up must not depend on what it holds. */
void memory_poison(struct memory *m);

/*
 * Hands over what is free below HIGHMEM, zone by zone, a phase of its own in @log; sets up the
 * zones; hands over HIGHMEM.
 */
void memory_handover(struct memory *m, struct phase_log *log, enum buddy_setting setting);
void memory_start_zones(struct memory *m);
bool memory_has_highmem(const struct memory *m);
void memory_free_high(struct memory *m);

/* Notes what the early allocator was: it is init memory. */
void memory_end_early(struct memory *m);

/* Tries the allocator: a page comes and goes. Not part of any phase. */
void memory_try(struct memory *m);

/* The hart that runs, to the page allocator. */
struct page_hart *memory_hart(const struct memory *m);

/* Of the zones that are handed over first the one with the most pages: for tests of one buddy. */
struct zone *memory_main_zone(struct memory *m);

/* Gives back init memory. Nothing in payload/init.h's sense may be called any more. */
void memory_free_init(struct memory *m);

/* Pages that the pools of huge pages have from the buddy. */
uint64_t memory_huge_pages(const struct memory *m);

/* Balances the books, @used_pages being held by the payload, huge pages aside; false if a page is lost. */
bool memory_audit(struct memory *m, uint64_t used_pages);

/* One screen at most: banks and reservations by address. @verbose: all of them. */
void memory_print_map(const struct memory *m, const void *fdt, const struct dt_info *info,
		      bool verbose);
void memory_print_regions(const struct dt_info *info);

/* A line a zone, if there are several. */
void memory_print_zones(const struct memory *m);
void memory_print_audit(const struct memory *m);

/* "16 KiB", "1.5 GiB": @buf of at least 16 bytes, which it returns. */
char *size_text(char *buf, uint64_t bytes);

#endif
