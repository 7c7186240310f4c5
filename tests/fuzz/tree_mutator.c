/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mutations that keep a tree a tree: nodes and properties that dt/ reads come, change and go, with
 * values from the corners of the address space, and from what the tree, the image and memory
 * already have. One in four mutations is libFuzzer's own, on the bytes: those break the format.
 */
#include "fuzz.h"

#include <libfdt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOM            8192
#define MAX_BEHIND      48 /* bytes behind the tree that say something about the machine */
#define MAX_NODES       64

#define PICK(rng, list) ((list)[below(rng, sizeof(list) / sizeof((list)[0]))])

static const char *const flags[] = { "no-map", "reusable", "hotpluggable", "ranges" };

/* What holds (address, size) entries, and what holds a single number. */
static const char *const lists[] = { "reg",
				     "reg",
				     "reg",
				     "linux,usable-memory",
				     "alloc-ranges",
				     "linux,usable-memory-range",
				     "linux,elfcorehdr",
				     "ranges" };
static const char *const numbers[] = {
	"size",
	"alignment",
	"numa-node-id",
	"linux,initrd-start",
	"linux,initrd-end",
	"#address-cells",
	"#size-cells",
	"timebase-frequency",
	"iommu-addresses",
};
static const char *const strings[] = { "status",     "status",    "device_type", "device_type",
				       "compatible", "bootargs",  "rng-seed",    "kaslr-seed",
				       "model",      "riscv,isa", "mmu-type",    "stdout-path" };
static const char *const texts[] = {
	"okay",  "ok",           "disabled", "memory", "cpu", "", "a=b \"", "shared-dma-pool",
	"okay ", "sifive,test1", "\x1b[2J"
};
static const char *const names[] = { "memory",       "memory@80000000", "reserved-memory",
				     "chosen",       "chosen@0",        "cpus",
				     "cpu@0",        "fw@80000000",     "region@90000000",
				     "r@0,80000000", "x\x1b\xff",       "reserved-memory@1" };

/* ---- choosing ---- */

static uint32_t next(uint64_t *rng)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return (uint32_t)(*rng >> 24);
}

static uint32_t below(uint64_t *rng, size_t n)
{
	return next(rng) % (uint32_t)n;
}

/* A node of the tree, the root included; the first few levels are all that dt/ reads. */
static int any_node(const void *fdt, uint64_t *rng)
{
	int nodes[MAX_NODES], n = 0, node = 0, depth = 0;

	while (node >= 0 && n < MAX_NODES) {
		nodes[n++] = node;
		node = fdt_next_node(fdt, node, &depth);
	}
	return nodes[below(rng, (size_t)n)];
}

static int any_property(const void *fdt, int node, uint64_t *rng)
{
	int props[MAX_NODES], n = 0, prop;

	fdt_for_each_property_offset(prop, fdt, node)
	{
		if (n < MAX_NODES)
			props[n++] = prop;
	}
	return n ? props[below(rng, (size_t)n)] : -1;
}

/* A number that some property of the tree has, as two cells. */
static uint64_t known_value(const void *fdt, uint64_t *rng)
{
	const int prop = any_property(fdt, any_node(fdt, rng), rng);
	int len = 0;
	const struct fdt_property *p =
		prop < 0 ? NULL : fdt_get_property_by_offset(fdt, prop, &len);
	int at;

	if (!p || len < 8)
		return 0x80000000;
	at = (int)below(rng, (size_t)len / 4 - 1) * 4;
	return (uint64_t)fdt32_ld((const void *)(p->data + at)) << 32 |
	       fdt32_ld((const void *)(p->data + at + 4));
}

static uint64_t address(const void *fdt, uint64_t *rng)
{
	/* RAM, image, tree, initrd: where things are that ranges can hit. */
	static const uint64_t places[] = { 0x80000000, 0x80200000, 0x80220000, 0x82200000,
					   0x88000000, 0x90000000, 0xc0000000, 0x100000000 };
	static const uint64_t corners[] = { 0,
					    1,
					    0xfff,
					    0x1000,
					    0x7fffffffffffffff,
					    0x8000000000000000,
					    0xfffffffffffff000,
					    0xfffffffffffff001,
					    0xffffffffffffffff };

	switch (below(rng, 8)) {
	case 0:
		return PICK(rng, corners);
	case 1:
		return PICK(rng, places) + below(rng, 5) - 2;
	case 2:
		return known_value(fdt, rng) + below(rng, 3) - 1;
	case 3:
		return known_value(fdt, rng);
	case 4:
		return (uint64_t)next(rng) << 32 | next(rng);
	default:
		return PICK(rng, places) + (uint64_t)below(rng, 64) * 0x1000;
	}
}

static uint64_t length(const void *fdt, uint64_t *rng)
{
	static const uint64_t sizes[] = { 0,       1,          100,        0x1000,
					  0x1001,  0x10000,    0x200000,   0x4000000,
					  1 << 30, 1ULL << 40, 0x80000000, 0xffffffffffffffff };

	return below(rng, 4) ? PICK(rng, sizes) : address(fdt, rng);
}

/* ---- values ---- */

static uint32_t put(uint8_t *to, uint64_t value, unsigned int cells)
{
	if (cells == 2) {
		fdt32_st(to, (uint32_t)(value >> 32));
		to += 4;
	}
	fdt32_st(to, (uint32_t)value);
	return cells * 4;
}

static unsigned int root_cells(const void *fdt, const char *name, uint64_t *rng)
{
	int len;
	const fdt32_t *p = fdt_getprop(fdt, 0, name, &len);

	if (!p || len != 4 || !below(rng, 16))
		return 1 + below(rng, 2);
	return fdt32_ld(p) == 1 ? 1 : 2;
}

/* Entries with the root's cells, mostly; now and then some bytes too many. */
static void set_list(void *fdt, int node, const char *name, uint64_t *rng)
{
	const unsigned int addr = root_cells(fdt, "#address-cells", rng);
	const unsigned int size = root_cells(fdt, "#size-cells", rng);
	uint8_t value[16 * 12 + 8] = { 0 };
	uint32_t len = 0, n = below(rng, 8) ? 1 + below(rng, 3) : below(rng, 12);

	while (n--) {
		len += put(value + len, address(fdt, rng), addr);
		len += put(value + len, length(fdt, rng), size);
	}
	if (!below(rng, 16))
		len += below(rng, 8);
	fdt_setprop(fdt, node, name, value, (int)len);
}

static void set_number(void *fdt, int node, const char *name, uint64_t *rng)
{
	uint64_t value = below(rng, 2) ? below(rng, 4) : length(fdt, rng);

	if (!strncmp(name, "linux,initrd", 12))
		value = address(fdt, rng);
	if (!strcmp(name, "numa-node-id"))
		value = below(rng, 4) ? below(rng, 4) : 1022 + below(rng, 4);
	if (name[0] == '#' ? below(rng, 16) != 0 : below(rng, 2) != 0)
		fdt_setprop_u32(fdt, node, name, (uint32_t)value);
	else
		fdt_setprop_u64(fdt, node, name, value);
}

static void set_property(void *fdt, int node, uint64_t *rng)
{
	const char *text = PICK(rng, texts);

	switch (below(rng, 8)) {
	case 0:
	case 1:
		fdt_setprop(fdt, node, PICK(rng, flags), "", 0);
		break;
	case 2:
		fdt_setprop(fdt, node, PICK(rng, strings), text, (int)strlen(text) + 1);
		break;
	case 3:
	case 4:
		set_number(fdt, node, PICK(rng, numbers), rng);
		break;
	default:
		set_list(fdt, node, PICK(rng, lists), rng);
	}
}

/* One cell gets another value, or libFuzzer changes the bytes, or the end is cut off. */
static void change_property(void *fdt, uint64_t *rng)
{
	const int node = any_node(fdt, rng), prop = any_property(fdt, node, rng);
	uint8_t value[1024];
	const char *name;
	const void *was;
	size_t n;
	int len;

	was = prop < 0 ? NULL : fdt_getprop_by_offset(fdt, prop, &name, &len);
	if (!was || len > (int)sizeof(value) - 16)
		return;
	n = (size_t)len;
	memcpy(value, was, n);
	switch (below(rng, 4)) {
	case 0:
		n = LLVMFuzzerMutate(value, n, sizeof(value) / 2);
		break;
	case 1:
		n -= n ? below(rng, n < 4 ? n : 4) : 0;
		break;
	default:
		if (n < 8)
			n += put(value + n, address(fdt, rng), 1);
		else if (below(rng, 2))
			put(value + below(rng, n / 4 - 1) * 4, address(fdt, rng), 2);
		else
			n += put(value + n, length(fdt, rng), 2);
	}
	fdt_setprop(fdt, node, name, value, (int)n);
}

/* ---- nodes ---- */

static int subnode(void *fdt, int parent, const char *name)
{
	const int node = fdt_subnode_offset(fdt, parent, name);

	return node >= 0 ? node : fdt_add_subnode(fdt, parent, name);
}

static void add_region(void *fdt, uint64_t *rng)
{
	int parent = subnode(fdt, 0, "reserved-memory"), node;
	const char *status = texts[below(rng, 3)]; /* okay, ok, disabled */
	char name[32];

	if (parent >= 0 && !fdt_getprop(fdt, parent, "#address-cells", NULL)) {
		/* Each of these moves what lies behind it. */
		fdt_setprop(fdt, parent, "ranges", "", 0);
		fdt_setprop_u32(fdt, parent, "#size-cells", root_cells(fdt, "#size-cells", rng));
		fdt_setprop_u32(fdt, parent, "#address-cells",
				root_cells(fdt, "#address-cells", rng));
	}
	snprintf(name, sizeof(name), "r@%llx", (unsigned long long)address(fdt, rng));
	node = parent < 0 ? parent : fdt_add_subnode(fdt, parent, name);
	if (node < 0)
		return;
	if (below(rng, 4))
		set_list(fdt, node, "reg", rng);
	else
		set_number(fdt, node, "size", rng);
	if (below(rng, 2))
		fdt_setprop(fdt, node, PICK(rng, flags), "", 0);
	if (!below(rng, 4))
		fdt_setprop(fdt, node, "status", status, (int)strlen(status) + 1);
}

static void add_memory(void *fdt, uint64_t *rng)
{
	char name[32];
	int node;

	snprintf(name, sizeof(name), "memory@%llx", (unsigned long long)address(fdt, rng));
	node = fdt_add_subnode(fdt, 0, name);
	if (node < 0)
		return;
	fdt_setprop_string(fdt, node, "device_type", "memory");
	set_list(fdt, node, below(rng, 8) ? "reg" : "linux,usable-memory", rng);
	if (!below(rng, 4))
		set_property(fdt, node, rng);
}

static void set_chosen(void *fdt, uint64_t *rng)
{
	static const char *const ranges[] = { "linux,elfcorehdr", "linux,usable-memory-range" };
	const uint64_t base = address(fdt, rng);
	const int node = subnode(fdt, 0, "chosen");

	if (node < 0)
		return;
	if (below(rng, 2)) {
		fdt_setprop_u64(fdt, node, "linux,initrd-start", base);
		fdt_setprop_u64(fdt, node, "linux,initrd-end", base + length(fdt, rng));
	} else {
		set_list(fdt, node, PICK(rng, ranges), rng);
	}
}

static void add_node(void *fdt, uint64_t *rng)
{
	const int node = fdt_add_subnode(fdt, any_node(fdt, rng), PICK(rng, names));

	if (node >= 0)
		set_property(fdt, node, rng);
}

static void remove_something(void *fdt, uint64_t *rng)
{
	const int node = any_node(fdt, rng), prop = any_property(fdt, node, rng);
	const char *name;
	int len;

	if (below(rng, 4) && prop >= 0 && fdt_getprop_by_offset(fdt, prop, &name, &len))
		fdt_delprop(fdt, node, name);
	else if (node)
		fdt_del_node(fdt, node);
}

static void change_memreserve(void *fdt, uint64_t *rng)
{
	const int n = fdt_num_mem_rsv(fdt);

	if (n > 0 && !below(rng, 4))
		fdt_del_mem_rsv(fdt, (int)below(rng, (size_t)n));
	else
		fdt_add_mem_rsv(fdt, address(fdt, rng), length(fdt, rng));
}

static void change_tree(void *fdt, uint64_t *rng)
{
	switch (below(rng, 16)) {
	case 0:
	case 1:
	case 2:
		add_region(fdt, rng);
		break;
	case 3:
		add_memory(fdt, rng);
		break;
	case 4:
	case 5:
		set_chosen(fdt, rng);
		break;
	case 6:
		add_node(fdt, rng);
		break;
	case 7:
		remove_something(fdt, rng);
		break;
	case 8:
		change_memreserve(fdt, rng);
		break;
	case 9:
	case 10:
		set_property(fdt, any_node(fdt, rng), rng);
		break;
	case 11:
		fdt_set_name(fdt, any_node(fdt, rng), PICK(rng, names));
		break;
	default:
		change_property(fdt, rng);
	}
}

/* ---- the whole ---- */

/* The bytes as they are; the size in the header follows, mostly. */
static size_t change_bytes(uint8_t *data, size_t size, size_t max_size, uint64_t *rng)
{
	size = LLVMFuzzerMutate(data, size, max_size);
	if (size >= FDT_V17_SIZE && below(rng, 4)) {
		fdt_set_magic(data, FDT_MAGIC);
		fdt_set_totalsize(data, (uint32_t)size);
	}
	return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	static uint64_t fdt[ROOM / sizeof(uint64_t)];
	uint64_t rng = seed + 0x9e3779b97f4a7c15;
	uint8_t behind[MAX_BEHIND];
	size_t tree, rest;
	unsigned int i;

	next(&rng);
	if (!below(&rng, 4) || size < FDT_V17_SIZE || fdt_check_full(data, size) ||
	    fdt_open_into(data, fdt, ROOM))
		return change_bytes(data, size, max_size, &rng);
	tree = fdt_totalsize(data);
	rest = size - tree < sizeof(behind) ? size - tree : sizeof(behind);
	memcpy(behind, data + tree, rest);
	if (!below(&rng, 8))
		rest = LLVMFuzzerMutate(behind, rest, sizeof(behind));
	else
		for (i = 1 + below(&rng, 4); i; i--)
			change_tree(fdt, &rng);
	if (fdt_pack(fdt) || fdt_totalsize(fdt) + rest > max_size)
		return change_bytes(data, size, max_size, &rng);
	tree = fdt_totalsize(fdt);
	memcpy(data, fdt, tree);
	memcpy(data + tree, behind, rest);
	return tree + rest;
}
