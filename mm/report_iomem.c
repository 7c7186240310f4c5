/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory and what is reserved of it, as /proc/iomem has resources. */
#include "report_internal.h"

#define NAME_LEN 48

struct iomem {
	const struct page_alloc *pa;
	const struct report_image *image;
	const struct report_regions *regions;
	const struct printer *out;
};

/* [start, end), what is reserved clipped to what it is in. */
struct span {
	phys_addr_t start;
	phys_addr_t end;
};

static bool clip(struct span *s, const struct span *to)
{
	if (s->start < to->start)
		s->start = to->start;
	if (s->end > to->end)
		s->end = to->end;
	return s->start < s->end;
}

static void print_span(const struct iomem *io, int depth, const struct span *s, const char *name)
{
	print_to(io->out, "%*s%08llx-%08llx : %s\n", 2 * depth, "", (unsigned long long)s->start,
		 (unsigned long long)s->end - 1, name);
}

/* The section that begins next, from @at on; sections do not overlap. */
static int next_section(const struct report_image *image, phys_addr_t at)
{
	int best = -1;

	for (int i = 0; i < NR_IMAGE_SECTIONS; i++)
		if (image->section[i].size && image->section[i].base >= at &&
		    (best < 0 || image->section[i].base < image->section[best].base))
			best = i;
	return best;
}

static void print_image(const struct iomem *io, int depth, const struct span *within)
{
	static const char *const names[NR_IMAGE_SECTIONS] = {
		[IMAGE_CODE] = "Kernel code", [IMAGE_RODATA] = "Kernel rodata",
		[IMAGE_DATA] = "Kernel data", [IMAGE_BSS] = "Kernel bss",
		[IMAGE_INIT] = "Kernel init",
	};
	int i;

	print_span(io, depth, within, "Kernel image");
	if (!io->image)
		return;
	for (phys_addr_t at = 0; (i = next_section(io->image, at)) >= 0;) {
		struct span s = { io->image->section[i].base, 0 };

		s.end = at = s.start + io->image->section[i].size;
		if (clip(&s, within))
			print_span(io, depth + 1, &s, names[i]);
	}
}

/* A node's name may hold any byte. */
static void copy_name(char *to, const char *name)
{
	unsigned int n = 0;

	for (; n < NAME_LEN - 1 && name[n]; n++)
		to[n] = name[n] >= ' ' && name[n] <= '~' ? name[n] : '?';
	to[n] = '\0';
}

/* One child of /reserved-memory, and the areas in it that are lent. */
static void print_region(const struct iomem *io, int depth, const struct span *within,
			 const char *name)
{
	char text[NAME_LEN];

	copy_name(text, name);
	print_span(io, depth, within, text);
	for (uint32_t i = 0; io->pa && i < io->pa->nr_cma; i++) {
		struct span s = { PFN_PHYS(io->pa->cma[i].start), PFN_PHYS(io->pa->cma[i].end) };

		if (clip(&s, within)) {
			print_to(io->out, "%*s%08llx-%08llx : CMA%u\n", 2 * (depth + 1), "",
				 (unsigned long long)s.start, (unsigned long long)s.end - 1, i);
		}
	}
}

/* An entry of memblock may stand for several children. */
static void print_regions(const struct iomem *io, int depth, struct span within)
{
	const char *const rest = memblock_cause_name(CAUSE_RESERVED_MEMORY);
	struct report_region r;

	while (within.start < within.end && io->regions &&
	       io->regions->next(io->regions->ctx, within.start, &r) && r.base < within.end) {
		struct span before = { within.start, r.base }, s = { r.base, r.base + r.size };

		if (before.start < before.end)
			print_region(io, depth, &before, rest);
		if (!clip(&s, &within))
			break;
		print_region(io, depth, &s, r.name);
		within.start = s.end;
	}
	if (within.start < within.end)
		print_region(io, depth, &within, rest);
}

/* Reserved entries within @within, the first of which is not before *@at. */
static void print_reserved(const struct iomem *io, const struct memblock_type *reserved,
			   unsigned long *at, int depth, const struct span *within)
{
	for (; *at < reserved->cnt; ++*at) {
		const struct memblock_region *r = &reserved->regions[*at];
		const enum memblock_cause cause = MEMBLOCK_CAUSE(r->flags);
		struct span s = { r->base, r->base + r->size };

		if (s.start >= within->end)
			return;
		if (clip(&s, within)) {
			if (cause == CAUSE_IMAGE || cause == CAUSE_INIT)
				print_image(io, depth, &s);
			else if (cause == CAUSE_RESERVED_MEMORY)
				print_regions(io, depth, s);
			else
				print_span(io, depth, &s, memblock_cause_name(cause));
		}
		/* The rest of it is for what comes next. */
		if (r->base + r->size > within->end)
			return;
	}
}

void report_iomem(const struct memblock *mb, const struct page_alloc *pa,
		  const struct report_image *image, const struct report_regions *regions,
		  const struct printer *out)
{
	const struct iomem io = { pa, image, regions, out };
	struct span gap = { 0, 0 };
	unsigned long at = 0;

	for (unsigned long i = 0; i < mb->memory.cnt; i++) {
		const struct memblock_region *r = &mb->memory.regions[i];
		const struct span s = { r->base, r->base + r->size };

		/* What is reserved where there is no memory. */
		gap.end = s.start;
		print_reserved(&io, &mb->reserved, &at, 0, &gap);
		print_span(&io, 0, &s, r->flags & MEMBLOCK_NOMAP ? "Reserved" : "System RAM");
		print_reserved(&io, &mb->reserved, &at, 1, &s);
		gap.start = s.end;
	}
	gap.end = PHYS_ADDR_MAX;
	print_reserved(&io, &mb->reserved, &at, 0, &gap);
}
