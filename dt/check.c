/* SPDX-License-Identifier: BSD-2-Clause */
/* dt_check(): the header of a blob, before anything else of it is looked at. */
#include "tree.h"

#include <earlymm/error.h>

#include <inttypes.h>

/* Where one of the header's blocks begins and ends. */
struct block {
	const char *name;
	uint32_t offset;
	uint32_t size;
	uint32_t align;
};

static int check_block(const struct block *b, uint32_t totalsize, const struct printer *out)
{
	if (b->offset >= FDT_V17_SIZE && b->offset <= totalsize &&
	    b->size <= totalsize - b->offset && !(b->offset & (b->align - 1)))
		return 0;
	print_to(out,
		 "dt: damaged tree: %s at offset 0x%" PRIx32 ", 0x%" PRIx32
		 " bytes, is outside the tree's 0x%" PRIx32 " bytes or unaligned\n",
		 b->name, b->offset, b->size, totalsize);
	return -EMM_EBADTREE;
}

static bool blocks_overlap(const struct block *a, const struct block *b)
{
	return a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}

static int check_blocks(const void *fdt, const struct printer *out)
{
	uint32_t totalsize = fdt_totalsize(fdt);
	struct block blocks[] = {
		{ "memory reservation block", fdt_off_mem_rsvmap(fdt),
		  sizeof(struct fdt_reserve_entry), 8 },
		{ "structure block", fdt_off_dt_struct(fdt), fdt_size_dt_struct(fdt), FDT_TAGSIZE },
		{ "strings block", fdt_off_dt_strings(fdt), fdt_size_dt_strings(fdt), 1 },
	};
	const struct block *strings = &blocks[2];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		if (check_block(&blocks[i], totalsize, out))
			return -EMM_EBADTREE;
	}
	for (i = 0; i < ARRAY_SIZE(blocks); i++) {
		for (j = 0; j < i; j++) {
			if (!blocks_overlap(&blocks[i], &blocks[j]))
				continue;
			print_to(out, "dt: damaged tree: %s and %s overlap\n", blocks[j].name,
				 blocks[i].name);
			return -EMM_EBADTREE;
		}
	}
	/* This NUL makes every name that begins inside the block end inside it. */
	if (strings->size && ((const char *)fdt)[strings->offset + strings->size - 1]) {
		print_to(out, "dt: damaged tree: the strings block does not end in NUL\n");
		return -EMM_EBADTREE;
	}
	return 0;
}

int dt_check(const void *fdt, const struct printer *out)
{
	uintptr_t at = (uintptr_t)fdt;
	int ret;

	if (!fdt || (at & 7)) {
		print_to(out, "dt: no tree at 0x%" PRIxPTR ": not an 8-byte aligned address\n", at);
		return -EMM_EBADTREE;
	}
	if (fdt_magic(fdt) != FDT_MAGIC) {
		print_to(out, "dt: no tree: bad magic 0x%08" PRIx32 " at 0x%" PRIxPTR "\n",
			 fdt_magic(fdt), at);
		return -EMM_EBADTREE;
	}
	if (fdt_version(fdt) < 17 || fdt_last_comp_version(fdt) > 17) {
		print_to(out,
			 "dt: tree of version %" PRIu32 " (compatible with %" PRIu32
			 ") at 0x%" PRIxPTR ", 17 is needed\n",
			 fdt_version(fdt), fdt_last_comp_version(fdt), at);
		return -EMM_EBADTREE;
	}
	if (fdt_totalsize(fdt) < FDT_V17_SIZE || fdt_totalsize(fdt) > DT_MAX_SIZE) {
		print_to(out,
			 "dt: tree of 0x%" PRIx32 " bytes at 0x%" PRIxPTR
			 ", 0x%x to 0x%x are accepted\n",
			 fdt_totalsize(fdt), at, (unsigned int)FDT_V17_SIZE, DT_MAX_SIZE);
		return -EMM_EBADTREE;
	}
	ret = check_blocks(fdt, out);
	if (ret)
		return ret;
	ret = fdt_check_header(fdt);
	if (ret) {
		print_to(out, "dt: damaged header at 0x%" PRIxPTR ": libfdt error %d\n", at, ret);
		return -EMM_EBADTREE;
	}
	return 0;
}
