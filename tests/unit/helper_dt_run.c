/* SPDX-License-Identifier: BSD-2-Clause */
#include "helper_dt_run.h"
#include "helper_dt_after.h"

#include <earlymm/handover.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Larger metadata is not simulated: a tree may claim 2^64 bytes of memory. */
#define MAX_META   (4U << 20)
#define MAX_BLOCKS 8

/* Host memory behind a range of physical memory that phys_to_virt was asked for. */
struct block {
	phys_addr_t pa;
	uint64_t bytes;
	void *at;
};

struct run {
	const struct dt_machine *machine;
	char *fdt;
	char *was; /* a copy of it */
	uint32_t bytes;
	struct dt_info info;
	struct dt_reading reading;
	struct memblock mb;
	struct phys_map map;
	struct printer out;
	struct block blocks[MAX_BLOCKS];
	unsigned int nr_blocks;
	size_t len;
	char text[8192];
};

static void print_map(const struct memblock_type *type, const struct pieces *want)
{
	unsigned long i;

	for (i = 0; i < type->cnt || i < want->n; i++) {
		fprintf(stderr, "%s[%lu]", type->name, i);
		if (i < type->cnt)
			fprintf(stderr, " is 0x%llx +0x%llx flags 0x%x node %d",
				(unsigned long long)type->regions[i].base,
				(unsigned long long)type->regions[i].size, type->regions[i].flags,
				type->regions[i].nid);
		if (i < want->n)
			fprintf(stderr, " want 0x%llx +0x%llx flags 0x%x node %d",
				(unsigned long long)want->piece[i].base,
				(unsigned long long)(want->piece[i].end - want->piece[i].base),
				want->piece[i].flags, want->piece[i].nid);
		fprintf(stderr, "\n");
	}
}

_Noreturn static void broken(const struct run *r, const char *what, int line)
{
	fprintf(stderr, "%s:%d: %s\n%s", __FILE__, line, what, r->text);
	print_map(&r->mb.memory, &r->reading.m.map[MEMORY]);
	print_map(&r->mb.reserved, &r->reading.m.map[RESERVED]);
	abort();
}

#define expect(r, condition)                             \
	do {                                             \
		if (!(condition))                        \
			broken(r, #condition, __LINE__); \
	} while (0)

/* ---- the machine ---- */

void dt_machine_init(struct dt_machine *machine)
{
	*machine = (struct dt_machine){
		.fixed = { { 0x80200000, 0x20000, CAUSE_IMAGE, "image" } },
		.nr_fixed = 1,
		.fdt_pa = 0x82200000,
		.current_limit = PHYS_ADDR_MAX,
		.end_pfn = PFN_DOWN(PHYS_ADDR_MAX),
		.nr_harts = 1,
	};
}

/* RAM is not zero on a board. */
static void *to_virt(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	struct run *r = ctx;
	struct block *b;
	unsigned int i;

	for (i = 0; i < r->nr_blocks; i++) {
		b = &r->blocks[i];
		if (pa >= b->pa && bytes <= b->bytes && pa - b->pa <= b->bytes - bytes)
			return (char *)b->at + (pa - b->pa);
	}
	if (r->machine->unreachable || i == MAX_BLOCKS || bytes > MAX_META)
		return NULL;
	b = &r->blocks[r->nr_blocks++];
	*b = (struct block){ pa, bytes, aligned_alloc(64, (bytes + 63) & ~63ULL) };
	if (!b->at)
		abort();
	memset(b->at, 0xa5, bytes);
	return b->at;
}

/* Whatever a tree's names hold, what is printed are lines of plain text. */
static void capture(void *ctx, const char *fmt, va_list ap)
{
	struct run *r = ctx;
	const size_t room = sizeof(r->text) - r->len;
	const int n = vsnprintf(r->text + r->len, room, fmt, ap);
	size_t i;

	expect(r, n > 0 && (size_t)n < room);
	for (i = 0; i < (size_t)n; i++)
		expect(r, r->text[r->len + i] == '\n' ||
				  (r->text[r->len + i] >= ' ' && r->text[r->len + i] <= '~'));
	r->len += (size_t)n;
}

/* A failure has a line of its own; none has more than some. */
static void expect_message(const struct run *r, bool failed)
{
	unsigned int lines = 0;
	size_t i;

	if (!r->out.vprint)
		return;
	for (i = 0; i < r->len; i++)
		lines += r->text[i] == '\n';
	expect(r, !failed || lines);
	expect(r, !r->len || r->text[r->len - 1] == '\n');
	/* Those of dt_walk() and of dt_to_memblock(), and memblock's own. */
	expect(r, lines <= 2 * (DT_MAX_LINES + 1) + DT_MAX_OVERLAP_LINES + 8);
}

/* ---- the map ---- */

/* Arrays that were placed lie in memory that nobody else uses. They become part of the model. */
static void add_arrays(struct run *r)
{
	const struct memblock_array *array[2] = { &r->mb.memory_array, &r->mb.reserved_array };
	struct model *m = &r->reading.m;
	unsigned int t;
	unsigned long i;

	for (t = 0; t < 2; t++) {
		const struct memblock_array *a = array[t];
		const struct model_op add = { RESERVED,
					      ADD,
					      a->base,
					      a->size,
					      (uint32_t)CAUSE_MEMBLOCK << MEMBLOCK_CAUSE_SHIFT,
					      0,
					      NUMA_NO_NODE };

		if (!a->size)
			continue;
		expect(r, a->base >= PAGE_SIZE && a->base + a->size <= r->machine->current_limit);
		expect(r, memblock_is_region_memory(&r->mb, a->base, a->size));
		for (i = 0; i < m->map[MEMORY].n; i++) {
			const struct piece *p = &m->map[MEMORY].piece[i];

			expect(r, !(p->flags & MEMBLOCK_NOMAP) || p->end <= a->base ||
					  a->base + a->size <= p->base);
		}
		for (i = 0; i < m->map[RESERVED].n; i++) {
			const struct piece *p = &m->map[RESERVED].piece[i];

			expect(r, p->end <= a->base || a->base + a->size <= p->base);
		}
		expect(r, model_change(m, &add) == 0);
	}
}

static void expect_map(const struct run *r, const struct memblock_type *type,
		       const struct pieces *want)
{
	unsigned long i;

	expect(r, type->cnt == want->n);
	for (i = 0; i < want->n; i++) {
		const struct memblock_region *region = &type->regions[i];
		const struct piece *p = &want->piece[i];

		expect(r, region->base == p->base && region->size == p->end - p->base &&
				  region->flags == p->flags && region->nid == p->nid);
	}
}

/* All that the model has in a map is in the map, whatever else there is. */
static void expect_all_reserved(const struct run *r)
{
	const struct pieces *want = &r->reading.m.map[RESERVED];
	unsigned long i;

	for (i = 0; i < want->n; i++) {
		phys_addr_t at = want->piece[i].base;
		const struct memblock_region *region;

		while (at < want->piece[i].end) {
			region = memblock_search(&r->mb.reserved, at);
			expect(r, region);
			at = region->base + region->size;
		}
	}
}

/* May there be more ranges than the initial arrays are for? */
static bool wants_arrays(const struct run *r)
{
	const uint64_t ranges = (uint64_t)r->info.nr_banks + r->info.nr_memreserve +
				r->info.nr_static_ranges + r->info.nr_dynamic +
				r->machine->nr_fixed;

	return 2 * (ranges + 16) + 32 > INIT_MEMBLOCK_REGIONS;
}

/* The result that the tree must have, and the maps. */
static void expect_mapped(struct run *r, int ret)
{
	struct dt_reading *reading = &r->reading;
	const bool is_memory = reading->m.map[MEMORY].n != 0;

	expect(r, memblock_is_valid(&r->mb));
	if (ret) {
		expect(r, !r->mb.memory.cnt && !r->mb.reserved.cnt);
		expect(r, r->mb.current_limit == r->machine->current_limit &&
				  r->mb.bottom_up == r->machine->bottom_up);
		/* Larger arrays were wanted, and there was no room for them. */
		if (is_memory && wants_arrays(r) &&
		    (ret == -EMM_ENOSPC || (ret == -EMM_EFAULT && r->machine->unreachable)))
			return;
		expect(r, ret == (!is_memory ? -EMM_ENOENT : -EMM_EBADTREE));
		expect(r, ret == -EMM_ENOENT || reading->bad_cells);
		return;
	}
	expect(r, is_memory && !reading->bad_cells);
	if (reading->unclear) {
		expect_all_reserved(r);
		return;
	}
	expect(r, (r->info.initrd_size != 0) == reading->has_initrd);
	add_arrays(r);
	expect_map(r, &r->mb.memory, &reading->m.map[MEMORY]);
	expect_map(r, &r->mb.reserved, &reading->m.map[RESERVED]);
}

/* The tree is as it was but for the seeds, which are gone. */
static void expect_untouched(const struct run *r)
{
	const int chosen = fdt_subnode_offset(r->was, 0, "chosen");
	static const char *const names[] = { "rng-seed", "kaslr-seed" };
	unsigned int i;
	int len, k;

	for (i = 0; i < ARRAY_SIZE(names) && chosen >= 0; i++) {
		const char *seed = fdt_getprop(r->was, chosen, names[i], &len);

		for (k = 0; seed && k < len; k++)
			expect(r, !r->fdt[seed - r->was + k]);
		if (seed)
			memcpy(r->fdt + (seed - r->was), seed, (size_t)len);
	}
	expect(r, !memcmp(r->fdt, r->was, r->bytes));
}

/* ---- the page allocator ---- */

/* What is free in the map is free in the buddy, and no page beside it. */
static void expect_pages(const struct run *r, const struct mm *mm)
{
	static struct piece ranges[MODEL_MAX];
	static struct model m;
	const struct memblock_type *type[2] = { &r->mb.memory, &r->mb.reserved };
	uint64_t managed = 0, end = 0;
	unsigned long i, n;
	int t;

	model_init(&m, 0, 0);
	for (t = MEMORY; t <= RESERVED; t++) {
		for (i = 0; i < type[t]->cnt; i++) {
			const struct memblock_region *p = &type[t]->regions[i];

			m.map[t].piece[i] =
				(struct piece){ p->base, p->base + p->size, p->flags, p->nid };
		}
		m.map[t].n = type[t]->cnt;
	}
	n = model_free(&m, &m.map[RESERVED], NUMA_NO_NODE, 0, ranges);
	for (i = 0; i < n; i++) {
		uint64_t start = PFN_UP(ranges[i].base), was_end = end, pfn;

		end = PFN_DOWN(ranges[i].end);
		start = start > mm->start_pfn ? start : mm->start_pfn;
		end = end < mm->end_pfn ? end : mm->end_pfn;
		if (start >= end) {
			end = was_end;
			continue;
		}
		managed += end - start;
		if (start != was_end)
			expect(r, !start || !buddy_page_is_free(&mm->buddy, start - 1));
		for (pfn = start; pfn < end; pfn += 1 + (end - start) / 8)
			expect(r, buddy_page_is_free(&mm->buddy, pfn));
		expect(r, buddy_page_is_free(&mm->buddy, end - 1));
	}
	expect(r, !end || !buddy_page_is_free(&mm->buddy, end));
	expect(r, mm->managed_pages == managed);
	expect(r, buddy_nr_free(&mm->buddy) == managed);
}

static bool hand_over(struct run *r)
{
	const struct dt_machine *machine = r->machine;
	struct mm_audit audit;
	struct mm mm = { 0 };
	int ret;

	ret = mm_plan(&mm, &r->mb, machine->start_pfn, machine->end_pfn, machine->nr_harts);
	expect(r, !ret || ret == -EMM_ENOENT || ret == -EMM_EINVAL);
	expect(r, ret != -EMM_EINVAL || machine->start_pfn >= machine->end_pfn);
	if (ret || mm.meta_bytes > MAX_META)
		return false;
	ret = mm_place_metadata(&mm, &r->mb);
	expect(r, memblock_is_valid(&r->mb));
	if (ret)
		return false;
	expect(r, memblock_is_region_memory(&r->mb, mm.meta_pa, mm.meta_bytes));
	if (mm_init(&mm, &r->mb)) {
		expect(r, machine->unreachable || r->nr_blocks == MAX_BLOCKS);
		return false;
	}
	expect(r, memblock_free_all(&mm, &r->mb) == 0);
	expect(r, buddy_is_valid(&mm.buddy));
	expect_pages(r, &mm);
	ret = mm_audit(&mm, &r->mb, 0, &audit);
	expect(r, ret == 0 && audit.lost == 0);
	return true;
}

/* ---- the whole ---- */

/* A fact is "", or a property's value that ends within it and is not too long. */
static void expect_string(const struct run *r, int node, const char *name, const char *s)
{
	int len;
	const char *p = node < 0 ? NULL : fdt_getprop(r->fdt, node, name, &len);

	expect(r, !*s || (s == p && len <= DT_MAX_STRING && !p[len - 1]));
}

/* What else reads the tree. */
static void look_around(struct run *r)
{
	const int chosen = fdt_subnode_offset(r->fdt, 0, "chosen");
	const char *line = r->info.bootargs;
	char name[16], key[8], value[8];
	phys_addr_t base, size;
	unsigned int args = 0;
	struct dt_hart harts[4];

	expect_string(r, 0, "model", r->info.model);
	expect_string(r, 0, "compatible", r->info.compatible);
	expect_string(r, chosen, "bootargs", r->info.bootargs);
	expect_string(r, chosen, "stdout-path", r->info.stdout_path);
	dt_reserved_name(r->fdt, &r->info, 0x90000000, false, name, sizeof(name));
	dt_reserved_name(r->fdt, &r->info, 0x80000000, true, name, sizeof(name));
	expect(r, dt_harts(r->fdt, &r->info, harts, ARRAY_SIZE(harts)) == r->info.nr_harts);
	dt_find_compatible(r->fdt, "sifive,test1", &base, &size);
	while (dt_bootarg_next(&line, key, sizeof(key), value, sizeof(value)))
		expect(r, ++args <= DT_MAX_STRING);
}

static int read_tree(struct run *r, struct dt_run_stats *stats)
{
	const struct dt_machine *machine = r->machine;
	int ret = dt_check(r->fdt, &r->out);
	const char *broken_rule;
	long placed;

	if (!ret)
		ret = dt_walk(&r->info, r->fdt, machine->boot_hart, &r->out);
	expect(r, !memcmp(r->fdt, r->was, r->bytes));
	if (ret) {
		expect(r, ret == -EMM_EBADTREE);
		expect_message(r, true);
		return ret;
	}
	stats->walked++;
	look_around(r);
	dt_read(&r->reading, r->fdt, machine);
	memblock_init(&r->mb, &r->map);
	r->mb.current_limit = machine->current_limit;
	r->mb.bottom_up = machine->bottom_up;
	ret = dt_to_memblock(&r->info, r->fdt, machine->fdt_pa, machine->fixed, machine->nr_fixed,
			     &r->mb, &r->out);
	expect_mapped(r, ret);
	expect_message(r, ret != 0 || r->info.nr_errors != 0);
	expect_untouched(r);
	if (ret)
		return ret;
	stats->mapped++;
	placed = dt_after(&r->info, r->fdt, &r->mb, stats->mapped % 4 == 0, &r->out, &broken_rule);
	if (placed < 0)
		broken(r, broken_rule, __LINE__);
	stats->placed += (unsigned long)placed;
	stats->handed_over += hand_over(r);
	return 0;
}

static struct run r;

const char *dt_run_text(void)
{
	return r.text;
}

int dt_run(const void *blob, size_t size, const struct dt_machine *machine, bool text,
	   struct dt_run_stats *stats)
{
	uint8_t header[FDT_V17_SIZE] = { 0 };
	uint32_t claimed;
	int ret;

	memcpy(header, blob, size < sizeof(header) ? size : sizeof(header));
	claimed = fdt_totalsize(header);
	r.machine = machine;
	r.nr_blocks = 0;
	r.len = 0;
	r.text[0] = '\0';
	r.map = (struct phys_map){ to_virt, &r };
	r.out = (struct printer){ text ? capture : NULL, &r };
	r.reading.m.map[MEMORY].n = r.reading.m.map[RESERVED].n = 0;
	memset(&r.mb, 0, sizeof(r.mb));
	/* The header is read whatever it claims; no more than it claims, if that is much. */
	r.bytes = claimed < FDT_V17_SIZE || claimed > DT_MAX_SIZE ? FDT_V17_SIZE : claimed;
	r.fdt = calloc(1, r.bytes);
	r.was = calloc(1, r.bytes);
	if (!r.fdt || !r.was)
		abort();
	memcpy(r.fdt, blob, size < r.bytes ? size : r.bytes);
	memcpy(r.was, r.fdt, r.bytes);
	stats->runs++;
	ret = read_tree(&r, stats);
	while (r.nr_blocks)
		free(r.blocks[--r.nr_blocks].at);
	free(r.fdt);
	free(r.was);
	return ret;
}
