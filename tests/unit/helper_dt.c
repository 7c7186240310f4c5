/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees and machines for the tests of dt/. See helper_dt.h. */
#include "test.h"

#include "helper_dt.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- building a tree ---- */

static void must(int ret)
{
	if (ret)
		fail_msg("libfdt: %s", fdt_strerror(ret));
}

void tree_begin_sized(struct tree *t, int room)
{
	t->room = room;
	t->buf = calloc(1, (size_t)room);
	t->in_nodes = false;
	assert_non_null(t->buf);
	must(fdt_create(t->buf, room));
	tree_cells(t, 2, 2);
}

void tree_begin(struct tree *t)
{
	tree_begin_sized(t, 16384);
}

void tree_memreserve(struct tree *t, uint64_t base, uint64_t size)
{
	must(fdt_add_reservemap_entry(t->buf, base, size));
}

void tree_root(struct tree *t, int cells)
{
	must(fdt_finish_reservemap(t->buf));
	must(fdt_begin_node(t->buf, ""));
	if (!cells)
		return;
	tree_u32(t, "#address-cells", (uint32_t)cells);
	tree_u32(t, "#size-cells", (uint32_t)cells);
	tree_cells(t, cells, cells);
}

void tree_node(struct tree *t, const char *name)
{
	must(fdt_begin_node(t->buf, name));
}

void tree_end(struct tree *t)
{
	must(fdt_end_node(t->buf));
}

void tree_bytes(struct tree *t, const char *name, const void *value, int len)
{
	must(fdt_property(t->buf, name, value, len));
}

void tree_flag(struct tree *t, const char *name)
{
	tree_bytes(t, name, "", 0);
}

void tree_string(struct tree *t, const char *name, const char *value)
{
	tree_bytes(t, name, value, (int)strlen(value) + 1);
}

void tree_u32(struct tree *t, const char *name, uint32_t value)
{
	must(fdt_property_u32(t->buf, name, value));
}

void tree_u64(struct tree *t, const char *name, uint64_t value)
{
	must(fdt_property_u64(t->buf, name, value));
}

void tree_cells(struct tree *t, int addr_cells, int size_cells)
{
	t->addr_cells = addr_cells;
	t->size_cells = size_cells;
}

void tree_list(struct tree *t, const char *name, int n, const uint64_t *values)
{
	uint32_t *cells = calloc((size_t)n * 2 + 1, sizeof(*cells));
	int i, used = 0;

	assert_non_null(cells);
	for (i = 0; i < n; i++) {
		if ((i % 2 ? t->size_cells : t->addr_cells) == 2)
			cells[used++] = cpu_to_fdt32((uint32_t)(values[i] >> 32));
		cells[used++] = cpu_to_fdt32((uint32_t)values[i]);
	}
	tree_bytes(t, name, cells, used * (int)sizeof(*cells));
	free(cells);
}

static void node_at(struct tree *t, const char *name, uint64_t base)
{
	char full[64];

	snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)base);
	tree_node(t, full);
}

void tree_memory(struct tree *t, uint64_t base, uint64_t size)
{
	node_at(t, "memory", base);
	tree_string(t, "device_type", "memory");
	tree_reg(t, "reg", base, size);
	tree_end(t);
}

void tree_reserved(struct tree *t)
{
	tree_node(t, "reserved-memory");
	tree_u32(t, "#address-cells", (uint32_t)t->addr_cells);
	tree_u32(t, "#size-cells", (uint32_t)t->size_cells);
	tree_flag(t, "ranges");
}

void tree_region(struct tree *t, const char *name, uint64_t base, uint64_t size, const char *flag)
{
	node_at(t, name, base);
	tree_reg(t, "reg", base, size);
	if (flag)
		tree_flag(t, flag);
	tree_end(t);
}

void tree_dynamic(struct tree *t, const char *name, uint64_t size, uint64_t alignment)
{
	tree_node(t, name);
	tree_u64(t, "size", size);
	if (alignment)
		tree_u64(t, "alignment", alignment);
}

void tree_pool(struct tree *t)
{
	tree_bytes(t, "compatible", "vendor,pool\0shared-dma-pool", 28);
}

void *tree_finish(struct tree *t)
{
	void *blob;

	tree_end(t);
	must(fdt_finish(t->buf));
	blob = malloc(fdt_totalsize(t->buf));
	assert_non_null(blob);
	memcpy(blob, t->buf, fdt_totalsize(t->buf));
	free(t->buf);
	t->buf = NULL;
	return blob;
}

/* ---- a machine ---- */

static void *array_at(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	struct machine *m = ctx;
	unsigned int i;

	if (m->unreachable)
		return NULL;
	for (i = 0; i < m->nr_arrays; i++) {
		if (m->arrays[i].pa == pa && m->arrays[i].bytes >= bytes)
			return m->arrays[i].at;
	}
	assert_true(m->nr_arrays < MAX_ARRAYS);
	m->arrays[i].pa = pa;
	m->arrays[i].bytes = bytes;
	m->arrays[i].at = aligned_alloc(64, (bytes + 63) & ~(uint64_t)63);
	assert_non_null(m->arrays[i].at);
	m->nr_arrays++;
	return m->arrays[i].at;
}

static void capture(void *ctx, const char *fmt, va_list ap)
{
	struct machine *m = ctx;
	int n = vsnprintf(m->text + m->len, sizeof(m->text) - m->len, fmt, ap);

	if (n > 0)
		m->len += (size_t)n;
	if (m->len >= sizeof(m->text))
		m->len = sizeof(m->text) - 1;
}

void machine_init(struct machine *m)
{
	memset(m, 0, sizeof(*m));
	m->fixed[0] = (struct dt_fixed){ IMAGE_BASE, IMAGE_SIZE, CAUSE_IMAGE, "image" };
	m->nr_fixed = 1;
	m->fdt_pa = TREE_BASE;
	m->map = (struct phys_map){ array_at, m };
	m->out = (struct printer){ capture, m };
	memblock_init(&m->mb, &m->map);
}

int machine_setup(void **state)
{
	*state = malloc(sizeof(struct machine));
	if (!*state)
		return -1;
	machine_init(*state);
	return 0;
}

int machine_teardown(void **state)
{
	machine_free(*state);
	free(*state);
	return 0;
}

int machine_load(struct machine *m, void *fdt)
{
	int ret;

	free(m->fdt);
	m->fdt = fdt;
	ret = dt_check(fdt, &m->out);
	if (!ret)
		ret = dt_walk(&m->info, fdt, m->boot_hart, &m->out);
	if (!ret)
		ret = dt_to_memblock(&m->info, fdt, m->fdt_pa, m->fixed, m->nr_fixed, &m->mb,
				     &m->out);
	return ret;
}

void machine_boot(struct machine *m, void *fdt)
{
	int ret = machine_load(m, fdt);

	if (ret)
		fail_msg("error %d\n%s", ret, m->text);
	assert_true(memblock_is_valid(&m->mb));
}

void machine_place(struct machine *m)
{
	int ret;

	memblock_allow_resize(&m->mb);
	ret = dt_place_dynamic(&m->info, m->fdt, &m->mb, m->regions, MACHINE_REGIONS, &m->out);
	if (ret)
		fail_msg("error %d\n%s", ret, m->text);
	assert_true(memblock_is_valid(&m->mb));
	assert_int_equal(m->info.nr_dynamic, m->info.nr_dynamic_bad + m->info.nr_dynamic_placed +
						     m->info.nr_dynamic_failed);
}

void machine_hand_over(struct machine *m, struct mm_audit *audit)
{
	assert_int_equal(mm_plan(&m->mm, &m->mb, 0, PFN_DOWN(PHYS_ADDR_MAX), 1), 0);
	assert_int_equal(mm_place_metadata(&m->mm, &m->mb), 0);
	assert_int_equal(mm_init(&m->mm, &m->mb), 0);
	assert_int_equal(memblock_free_all(&m->mm, &m->mb), 0);
	assert_true(memblock_is_valid(&m->mb));
	assert_true(buddy_is_valid(&m->mm.buddy));
	assert_int_equal(mm_audit(&m->mm, &m->mb, 0, audit), 0);
	assert_int_equal(audit->lost, 0);
}

void expect_kept(const struct machine *m, phys_addr_t base, phys_addr_t size)
{
	uint64_t pfn;

	for (pfn = PFN_DOWN(base); pfn < PFN_UP(base + size); pfn++) {
		if (buddy_page_is_free(&m->mm.buddy, pfn))
			fail_msg("page 0x%llx is free\n%s", (unsigned long long)PFN_PHYS(pfn),
				 m->text);
	}
}

void machine_free(struct machine *m)
{
	unsigned int i;

	for (i = 0; i < m->nr_arrays; i++)
		free(m->arrays[i].at);
	free(m->fdt);
	m->fdt = NULL;
	m->nr_arrays = 0;
}

void machine_again(struct machine *m)
{
	machine_free(m);
	machine_init(m);
}

bool said(const struct machine *m, const char *text)
{
	if (strstr(m->text, text))
		return true;
	print_error("not said: %s\nbut:\n%s", text, m->text);
	return false;
}

int times_said(const struct machine *m, const char *text)
{
	const char *p = m->text;
	int n = 0;

	while ((p = strstr(p, text))) {
		p++;
		n++;
	}
	return n;
}

/* ---- what the map should be ---- */

const struct dt_region *region_named(const struct machine *m, const char *name)
{
	uint32_t i;

	for (i = 0; i < m->info.nr_regions; i++) {
		if (!strcmp(m->regions[i].name, name))
			return &m->regions[i];
	}
	fail_msg("no region %s\n%s", name, m->text);
	return NULL;
}

void expect_region(const struct machine *m, const char *name, phys_addr_t base, phys_addr_t size,
		   uint32_t flags)
{
	const struct dt_region *r = region_named(m, name);

	if (r->base != base || r->size != size || r->flags != flags)
		fail_msg("%s: 0x%llx + 0x%llx flags 0x%x, wanted 0x%llx + 0x%llx flags 0x%x\n%s",
			 name, (unsigned long long)r->base, (unsigned long long)r->size, r->flags,
			 (unsigned long long)base, (unsigned long long)size, flags, m->text);
}

static void print_regions(const struct memblock_type *type)
{
	unsigned long i;

	for (i = 0; i < type->cnt; i++)
		print_error("%s[%lu] 0x%llx + 0x%llx flags 0x%x nid %d\n", type->name, i,
			    (unsigned long long)type->regions[i].base,
			    (unsigned long long)type->regions[i].size, type->regions[i].flags,
			    type->regions[i].nid);
}

static bool is_wanted(const struct memblock_region *r, const struct want *w)
{
	uint32_t flags = w->flags | (uint32_t)w->cause << MEMBLOCK_CAUSE_SHIFT;

	return r->base == w->base && r->size == w->size && r->flags == flags &&
	       r->nid == w->nid - 1;
}

void expect_regions(const struct memblock_type *type, const struct want *want, size_t n,
		    const char *file, int line)
{
	size_t i;

	for (i = 0; i < n && i < type->cnt; i++) {
		if (!is_wanted(&type->regions[i], &want[i]))
			break;
	}
	if (i == n && i == type->cnt)
		return;
	print_regions(type);
	print_error("%s:%d: %s region %zu of %zu is not as wanted\n", file, line, type->name, i, n);
	fail();
}

void expect_others(const struct machine *m, const struct want *want, size_t n, const char *file,
		   int line)
{
	const struct want image = { IMAGE_BASE, IMAGE_SIZE, 0, 0, CAUSE_IMAGE };
	const struct want tree = { TREE_BASE, m->info.totalsize, 0, 0, CAUSE_FDT };
	struct memblock_type others = m->mb.reserved;
	unsigned long i;

	others.regions = calloc(others.cnt, sizeof(*others.regions));
	assert_non_null(others.regions);
	others.cnt = 0;
	for (i = 0; i < m->mb.reserved.cnt; i++) {
		const struct memblock_region *r = &m->mb.reserved.regions[i];

		if (!is_wanted(r, &image) && !is_wanted(r, &tree))
			others.regions[others.cnt++] = *r;
	}
	if (m->mb.reserved.cnt - others.cnt != 2) {
		print_regions(&m->mb.reserved);
		print_error("%s:%d: the image and the tree are not reserved\n", file, line);
		fail();
	}
	expect_regions(&others, want, n, file, line);
	free(others.regions);
}

bool is_taken(const struct machine *m, phys_addr_t base, phys_addr_t size)
{
	struct memblock_iter it;
	phys_addr_t start, end;

	memblock_iter_free_init(&it, &m->mb, NUMA_NO_NODE, MEMBLOCK_NONE);
	while (memblock_next_free(&it, &start, &end)) {
		if (start < base + size && base < end)
			return false;
	}
	return true;
}

void check_arrays(const struct machine *m)
{
	const struct memblock_array *arrays[] = { &m->mb.memory_array, &m->mb.reserved_array };
	unsigned int i;

	for (i = 0; i < 2; i++) {
		phys_addr_t base = arrays[i]->base, size = arrays[i]->size;
		const struct memblock_region *r;

		if (!size)
			continue;
		r = memblock_search(&m->mb.reserved, base);
		assert_non_null(r);
		assert_int_equal(MEMBLOCK_CAUSE(r->flags), CAUSE_MEMBLOCK);
		assert_true(r->base + r->size >= base + size);
		assert_true(memblock_is_region_memory(&m->mb, base, size));
		r = memblock_search(&m->mb.memory, base);
		assert_false(r->flags & MEMBLOCK_NOMAP);
	}
}

uint64_t count_cause(const struct machine *m, enum memblock_cause cause)
{
	uint64_t n = 0;
	unsigned long i;

	for (i = 0; i < m->mb.reserved.cnt; i++)
		n += MEMBLOCK_CAUSE(m->mb.reserved.regions[i].flags) == cause;
	return n;
}
