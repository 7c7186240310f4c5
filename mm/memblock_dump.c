/* SPDX-License-Identifier: BSD-2-Clause */
/* What memblock prints: its maps, and, with memblock=debug, its calls. */
#include "memblock_internal.h"

const char *memblock_cause_name(enum memblock_cause cause)
{
	static const char *const name[NR_CAUSES] = {
		[CAUSE_OTHER] = "other",
		[CAUSE_IMAGE] = "image",
		[CAUSE_FDT] = "fdt",
		[CAUSE_INITRD] = "initrd",
		[CAUSE_MEMRESERVE] = "memreserve",
		[CAUSE_RESERVED_MEMORY] = "reserved-memory",
		[CAUSE_NOMAP] = "no-map",
		[CAUSE_MEMBLOCK] = "memblock",
		[CAUSE_METADATA] = "metadata",
		[CAUSE_ALLOC] = "alloc",
		[CAUSE_INIT] = "init",
		[CAUSE_BOOTMEM] = "bootmem",
		[CAUSE_HUGEPAGES] = "hugepages",
		[CAUSE_HARTS] = "harts",
		[CAUSE_BAD] = "bad",
		[CAUSE_PARTIAL] = "partial",
	};

	return is_cause(cause) && name[cause] ? name[cause] : "unknown";
}

void memblock_print_call(const struct memblock *mb, const char *call, phys_addr_t base,
			 phys_addr_t size, uint32_t flags, const void *caller)
{
	enum memblock_cause cause = MEMBLOCK_CAUSE(flags);

	print_to(mb->debug, "%s: [0x%016llx-0x%016llx] flags: 0x%x %s%scaller 0x%llx\n", call,
		 (unsigned long long)base, (unsigned long long)(range_end(base, size) - 1),
		 (unsigned int)(flags & MEMBLOCK_FLAGS_MASK),
		 cause ? memblock_cause_name(cause) : "", cause ? " " : "",
		 (unsigned long long)(uintptr_t)caller);
}

void memblock_print_setting(const struct memblock *mb, const char *call, uint64_t value,
			    const void *caller)
{
	print_to(mb->debug, "%s: 0x%llx caller 0x%llx\n", call, (unsigned long long)value,
		 (unsigned long long)(uintptr_t)caller);
}

static void dump_region(const struct memblock_type *type, unsigned long i,
			const struct printer *out)
{
	const struct memblock_region *r = &type->regions[i];
	enum memblock_cause cause = MEMBLOCK_CAUSE(r->flags);

	print_to(out, " %s[0x%lx]\t[0x%016llx-0x%016llx], 0x%016llx bytes", type->name, i,
		 (unsigned long long)r->base, (unsigned long long)(region_end(r) - 1),
		 (unsigned long long)r->size);
	if (r->nid != NUMA_NO_NODE)
		print_to(out, " on node %d", r->nid);
	print_to(out, " flags: 0x%x", (unsigned int)(r->flags & MEMBLOCK_FLAGS_MASK));
	if (cause)
		print_to(out, " %s", memblock_cause_name(cause));
	print_to(out, "\n");
}

static void dump_type(const struct memblock_type *type, const struct printer *out)
{
	unsigned long i;

	print_to(out, " %s.cnt  = 0x%lx\n", type->name, type->cnt);
	for (i = 0; i < type->cnt; i++)
		dump_region(type, i, out);
}

void memblock_dump(const struct memblock *mb, const struct printer *out)
{
	print_to(out, "MEMBLOCK configuration:\n");
	print_to(out, " memory size = 0x%016llx reserved size = 0x%016llx\n",
		 (unsigned long long)mb->memory.total_size,
		 (unsigned long long)mb->reserved.total_size);
	dump_type(&mb->memory, out);
	dump_type(&mb->reserved, out);
}
