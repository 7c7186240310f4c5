/* SPDX-License-Identifier: BSD-2-Clause */
/* What was allocated through bootmem in a special way: large hash tables, and remap space. */
#include "bitops.h"
#include "bootmem_internal.h"

/* A bucket for each 2^@scale bytes of memory, which is rounded up to MiB. */
static uint64_t buckets_for_memory(const struct bootmem *bm, unsigned int scale)
{
	uint64_t mib_pages = ((uint64_t)1 << 20) >> PAGE_SHIFT;
	uint64_t pages = (bm->nr_all_pages + mib_pages - 1) & ~(mib_pages - 1);

	return scale > PAGE_SHIFT ? pages >> (scale - PAGE_SHIFT) : pages << (PAGE_SHIFT - scale);
}

int alloc_large_system_hash(struct bootmem *bm, const char *tablename, uint64_t bucketsize,
			    uint64_t numentries, unsigned int scale, uint64_t limit,
			    struct system_hash *hash)
{
	phys_addr_t table;
	unsigned int shift;
	int err;

	if (!bucketsize || scale >= 64)
		return -EMM_EINVAL;
	if (!numentries)
		numentries = buckets_for_memory(bm, scale);
	if (!limit)
		limit = PFN_PHYS(bm->nr_all_pages) / 16 / bucketsize;
	if (!limit)
		return -EMM_ENOMEM;
	/* Up to a power of two, then down to the limit. */
	shift = numentries > 1 ? fls64(numentries - 1) + 1 : 0;
	if (shift >= 64 || (uint64_t)1 << shift > limit)
		shift = fls64(limit);
	/* A table that passes the address space is one that there is no room for. */
	while (shift && bucketsize > PHYS_ADDR_MAX >> shift)
		shift--;
	for (;; shift--) {
		err = alloc_bootmem(bm, bucketsize << shift, &table);
		if (err != -EMM_ENOMEM || !shift || bucketsize << shift <= PAGE_SIZE)
			break;
	}
	if (err)
		return err;
	*hash = (struct system_hash){
		.table = table,
		.bytes = bucketsize << shift,
		.mask = ((uint64_t)1 << shift) - 1,
		.shift = shift,
	};
	print_to(bm->printer, "%s hash table entries: %llu (order: %d, %llu bytes)\n", tablename,
		 1ULL << shift, (int)fls64(hash->bytes) - PAGE_SHIFT,
		 (unsigned long long)hash->bytes);
	return 0;
}

int alloc_remap(struct bootmem *bm, int nid, phys_addr_t size, phys_addr_t *pa)
{
	phys_addr_t lines;

	if (!size || size > PHYS_ADDR_MAX - SMP_CACHE_BYTES)
		return -EMM_EINVAL;
	lines = (size + SMP_CACHE_BYTES - 1) & ~(phys_addr_t)(SMP_CACHE_BYTES - 1);
	for (uint32_t i = 0; i < bm->nr_nodes; i++) {
		struct bootmem_data *bdata = &bm->bdata[i];
		void *block;

		if (bdata->nid != nid || !bdata->remap_end)
			continue;
		if (bdata->remap_base > bdata->remap_end ||
		    lines > bdata->remap_end - bdata->remap_base)
			return -EMM_ENOMEM;
		block = bm->map ? phys_to_virt(bm->map, bdata->remap_base, size) : NULL;
		if (!block)
			return -EMM_EFAULT;
		__builtin_memset(block, 0, (size_t)size);
		*pa = bdata->remap_base;
		bdata->remap_base += lines;
		return 0;
	}
	return -EMM_ENOENT;
}
