/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Allocation: a search that gives up its preferences one by one, then a reservation. A call that
 * gives a pointer maps the block before it is reserved, so that there is nothing to undo.
 */
#include "memblock_internal.h"

struct request {
	phys_addr_t size;
	phys_addr_t align;
	phys_addr_t min_addr;
	phys_addr_t max_addr;
	int nid;
	bool exact_nid; /* no other node will do */
	bool hard_min; /* min_addr is a bound, not a preference */
	enum memblock_cause cause;
};

static struct request request(phys_addr_t size, phys_addr_t align, phys_addr_t min_addr,
			      phys_addr_t max_addr, int nid, enum memblock_cause cause)
{
	return (struct request){
		.size = size,
		.align = align,
		.min_addr = min_addr,
		.max_addr = max_addr,
		.nid = nid,
		.cause = cause,
	};
}

/* On the node asked for, then, if that is allowed, on any. */
static int find_on_nodes(const struct memblock *mb, const struct request *req,
			 struct memblock_want *want, phys_addr_t *pa)
{
	want->nid = req->nid;
	if (!memblock_find(mb, want, pa))
		return 0;
	if (req->exact_nid || req->nid == NUMA_NO_NODE)
		return -EMM_ENOMEM;
	want->nid = NUMA_NO_NODE;
	return memblock_find(mb, want, pa);
}

/* In mirrored memory if there is any, then in ordinary memory. */
static int find_mirror_first(const struct memblock *mb, const struct request *req,
			     struct memblock_want *want, phys_addr_t *pa)
{
	want->flags = memblock_choose_flags(mb);
	if (!find_on_nodes(mb, req, want, pa))
		return 0;
	if (!want->flags)
		return -EMM_ENOMEM;
	want->flags = 0;
	if (find_on_nodes(mb, req, want, pa))
		return -EMM_ENOMEM;
	print_to(mb->warn, "memblock: could not allocate 0x%llx bytes of mirrored memory\n",
		 (unsigned long long)req->size);
	return 0;
}

static int find_block(const struct memblock *mb, const struct request *req, phys_addr_t *pa)
{
	struct memblock_want want = {
		.size = req->size,
		.align = req->align ? req->align : SMP_CACHE_BYTES,
		.start = max_addr_of(req->min_addr, PAGE_SIZE),
		.end = min_addr_of(req->max_addr, mb->current_limit),
		.bottom_up = mb->bottom_up,
	};

	if (!req->size || !is_power_of_two(want.align) || req->nid < NUMA_NO_NODE ||
	    !is_cause(req->cause))
		return -EMM_EINVAL;
	if (!find_mirror_first(mb, req, &want, pa))
		return 0;
	if (req->hard_min || want.start == PAGE_SIZE)
		return -EMM_ENOMEM;
	want.start = PAGE_SIZE;
	return find_mirror_first(mb, req, &want, pa);
}

static int reserve_block(struct memblock *mb, const struct request *req, phys_addr_t pa)
{
	const struct memblock_region add = {
		.base = pa,
		.size = req->size,
		.flags = cause_flags(req->cause) | MEMBLOCK_RSRV_KERN,
		.nid = NUMA_NO_NODE,
	};

	return memblock_add_range(mb, &mb->reserved, &add);
}

static void debug_request(const struct memblock *mb, const char *call, const struct request *req,
			  const void *caller)
{
	if (!mb->debug)
		return;
	print_to(mb->debug,
		 "%s: 0x%llx bytes align=0x%llx nid=%d from=0x%016llx max_addr=0x%016llx %s "
		 "caller 0x%llx\n",
		 call, (unsigned long long)req->size, (unsigned long long)req->align, req->nid,
		 (unsigned long long)req->min_addr, (unsigned long long)req->max_addr,
		 memblock_cause_name(req->cause), (unsigned long long)(uintptr_t)caller);
}

static int alloc_phys(struct memblock *mb, const char *call, const struct request *req,
		      phys_addr_t *pa, const void *caller)
{
	phys_addr_t at;
	int err;

	debug_request(mb, call, req, caller);
	err = find_block(mb, req, &at);
	if (!err)
		err = reserve_block(mb, req, at);
	if (!err)
		*pa = at;
	return err;
}

static int alloc_ptr(struct memblock *mb, const char *call, const struct request *req, bool zero,
		     void **ptr, const void *caller)
{
	phys_addr_t at;
	void *block;
	int err;

	debug_request(mb, call, req, caller);
	err = find_block(mb, req, &at);
	if (err)
		return err;
	block = mb->map ? phys_to_virt(mb->map, at, req->size) : NULL;
	if (!block)
		return -EMM_EFAULT;
	err = reserve_block(mb, req, at);
	if (err)
		return err;
	if (zero)
		__builtin_memset(block, 0, (size_t)req->size);
	*ptr = block;
	return 0;
}

int memblock_phys_alloc(struct memblock *mb, phys_addr_t size, phys_addr_t align,
			phys_addr_t min_addr, phys_addr_t max_addr, int nid,
			enum memblock_cause cause, phys_addr_t *pa)
{
	struct request req = request(size, align, min_addr, max_addr, nid, cause);

	return alloc_phys(mb, "memblock_phys_alloc", &req, pa, MEMBLOCK_CALLER);
}

int memblock_phys_alloc_exact_nid(struct memblock *mb, phys_addr_t size, phys_addr_t align,
				  phys_addr_t min_addr, phys_addr_t max_addr, int nid,
				  enum memblock_cause cause, phys_addr_t *pa)
{
	struct request req = request(size, align, min_addr, max_addr, nid, cause);

	req.exact_nid = true;
	return alloc_phys(mb, "memblock_phys_alloc_exact_nid", &req, pa, MEMBLOCK_CALLER);
}

int memblock_phys_alloc_range(struct memblock *mb, phys_addr_t size, phys_addr_t align,
			      phys_addr_t start, phys_addr_t end, enum memblock_cause cause,
			      phys_addr_t *pa)
{
	struct request req = request(size, align, start, end, NUMA_NO_NODE, cause);

	req.hard_min = true;
	return alloc_phys(mb, "memblock_phys_alloc_range", &req, pa, MEMBLOCK_CALLER);
}

int memblock_find_in_range(const struct memblock *mb, phys_addr_t start, phys_addr_t end,
			   phys_addr_t size, phys_addr_t align, phys_addr_t *pa)
{
	struct request req = request(size, align, start, end, NUMA_NO_NODE, CAUSE_OTHER);

	req.hard_min = true;
	debug_request(mb, "memblock_find_in_range", &req, MEMBLOCK_CALLER);
	return find_block(mb, &req, pa);
}

int memblock_alloc_try_nid(struct memblock *mb, phys_addr_t size, phys_addr_t align,
			   phys_addr_t min_addr, phys_addr_t max_addr, int nid, void **ptr)
{
	struct request req = request(size, align, min_addr, max_addr, nid, CAUSE_ALLOC);

	return alloc_ptr(mb, "memblock_alloc_try_nid", &req, true, ptr, MEMBLOCK_CALLER);
}

int memblock_alloc_try_nid_raw(struct memblock *mb, phys_addr_t size, phys_addr_t align,
			       phys_addr_t min_addr, phys_addr_t max_addr, int nid, void **ptr)
{
	struct request req = request(size, align, min_addr, max_addr, nid, CAUSE_ALLOC);

	return alloc_ptr(mb, "memblock_alloc_try_nid_raw", &req, false, ptr, MEMBLOCK_CALLER);
}

int memblock_alloc_exact_nid_raw(struct memblock *mb, phys_addr_t size, phys_addr_t align,
				 phys_addr_t min_addr, phys_addr_t max_addr, int nid, void **ptr)
{
	struct request req = request(size, align, min_addr, max_addr, nid, CAUSE_ALLOC);

	req.exact_nid = true;
	return alloc_ptr(mb, "memblock_alloc_exact_nid_raw", &req, false, ptr, MEMBLOCK_CALLER);
}

int memblock_alloc(struct memblock *mb, phys_addr_t size, phys_addr_t align, void **ptr)
{
	struct request req =
		request(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE, CAUSE_ALLOC);

	return alloc_ptr(mb, "memblock_alloc", &req, true, ptr, MEMBLOCK_CALLER);
}

int memblock_alloc_raw(struct memblock *mb, phys_addr_t size, phys_addr_t align, void **ptr)
{
	struct request req =
		request(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE, CAUSE_ALLOC);

	return alloc_ptr(mb, "memblock_alloc_raw", &req, false, ptr, MEMBLOCK_CALLER);
}

int memblock_alloc_from(struct memblock *mb, phys_addr_t size, phys_addr_t align,
			phys_addr_t min_addr, void **ptr)
{
	struct request req = request(size, align, min_addr, MEMBLOCK_ALLOC_ACCESSIBLE, NUMA_NO_NODE,
				     CAUSE_ALLOC);

	return alloc_ptr(mb, "memblock_alloc_from", &req, true, ptr, MEMBLOCK_CALLER);
}

int memblock_alloc_low(struct memblock *mb, phys_addr_t size, phys_addr_t align, void **ptr)
{
	struct request req =
		request(size, align, 0, ARCH_LOW_ADDRESS_LIMIT + 1, NUMA_NO_NODE, CAUSE_ALLOC);

	return alloc_ptr(mb, "memblock_alloc_low", &req, true, ptr, MEMBLOCK_CALLER);
}

int memblock_alloc_node(struct memblock *mb, phys_addr_t size, phys_addr_t align, int nid,
			void **ptr)
{
	struct request req = request(size, align, 0, MEMBLOCK_ALLOC_ACCESSIBLE, nid, CAUSE_ALLOC);

	return alloc_ptr(mb, "memblock_alloc_node", &req, true, ptr, MEMBLOCK_CALLER);
}

int memblock_free_ptr(struct memblock *mb, const void *ptr, phys_addr_t size)
{
	const struct memblock_type *type = &mb->reserved;
	unsigned long i;

	memblock_debug_call(mb, "memblock_free_ptr", (uintptr_t)ptr, size, 0, MEMBLOCK_CALLER);
	if (!ptr || !size)
		return 0;
	for (i = 0; mb->map && i < type->cnt; i++) {
		const struct memblock_region *r = &type->regions[i];
		uintptr_t start, offset;

		if (MEMBLOCK_CAUSE(r->flags) != CAUSE_ALLOC)
			continue;
		start = (uintptr_t)phys_to_virt(mb->map, r->base, r->size);
		offset = (uintptr_t)ptr - start;
		if (start && offset < r->size && size <= r->size - offset)
			return memblock_remove_range(mb, &mb->reserved, r->base + offset,
						     r->base + offset + size);
	}
	return -EMM_ENOENT;
}
