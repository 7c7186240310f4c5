/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory.h"

#include <earlymm/early.h>
#include <earlymm/error.h>
#include "exit.h"

#define MIN_BYTES  ((uint64_t)256 << 10)
#define MAX_BLOCKS 32U

/* Entries of memblock's arrays that must be spare: they are not to grow for the tests. */
#define SPARE_REGIONS 16

/* ---- the state ---- */

/* FNV-1a, 64 bits. */
static uint64_t sum(uint64_t hash, const void *data, size_t bytes)
{
	const uint8_t *p = data;

	while (bytes--)
		hash = (hash ^ *p++) * 0x100000001b3;
	return hash;
}

static uint64_t sum_type(uint64_t hash, const struct memblock_type *type)
{
	hash = sum(hash, type, sizeof(*type));
	return sum(hash, type->regions, type->cnt * sizeof(*type->regions));
}

/* Bootmem's bitmaps. */
static uint64_t sum_bits(uint64_t hash, const struct bootmem *bm)
{
	for (uint32_t i = 0; i < bm->nr_nodes; i++) {
		const struct bootmem_data *d = &bm->bdata[i];
		uint64_t bits = d->node_low_pfn - PFN_DOWN(d->node_boot_start);

		hash = sum(hash, d->node_bootmem_map, bits / 8);
	}
	return hash;
}

void live_state_take(struct live_state *s, const struct selftest_env *env)
{
	const struct memblock *mb = env->mb;
	struct mm_audit audit;

	*s = (struct live_state){ .map = 0xcbf29ce484222325 };
	s->map = sum_type(sum_type(s->map, &mb->memory), &mb->reserved);
	s->map = sum(s->map, &mb->current_limit, sizeof(mb->current_limit));
	s->map = sum(s->map, &mb->bottom_up, sizeof(mb->bottom_up));
	s->map = sum(s->map, &mb->movable_node, sizeof(mb->movable_node));
	s->map = sum(s->map, &mb->memory_array, sizeof(mb->memory_array));
	s->map = sum(s->map, &mb->reserved_array, sizeof(mb->reserved_array));
	if (!memblock_is_valid(mb))
		s->lost = UINT64_MAX;
	if (env->early && env->early->kind == EARLY_BOOTMEM)
		s->map = sum_bits(s->map, &env->early->bootmem);
	if (!env->hart)
		return;
	buddy_drain(env->hart);
	buddy_nr_blocks(&env->mm->buddy, s->blocks);
	if (!buddy_is_valid(&env->mm->buddy))
		s->lost = UINT64_MAX;
	else if (mm_audit(env->mm, mb, 0, &audit))
		s->lost = audit.lost;
}

bool live_state_is(const struct live_state *is, const struct live_state *was, const struct ktap *k)
{
	bool same = is->map == was->map && !is->lost && !was->lost;

	if (is->map != was->map)
		ktap_note(k, "memblock's map has changed");
	if (is->lost || was->lost)
		ktap_note(k, "pages lost: %ld, before the tests %ld", (long)is->lost,
			  (long)was->lost);
	for (unsigned int order = 0; order <= BUDDY_MAX_ORDER; order++) {
		if (is->blocks[order] == was->blocks[order])
			continue;
		same = false;
		ktap_note(k, "free blocks of order %u: %lu, before the tests %lu", order,
			  is->blocks[order], was->blocks[order]);
	}
	return same;
}

/* ---- memory ---- */

static uint64_t free_bytes(const struct memblock *mb)
{
	struct memblock_iter it;
	phys_addr_t start, end;
	uint64_t bytes = 0;

	memblock_iter_free_init(&it, mb, NUMA_NO_NODE, 0);
	while (memblock_next_free(&it, &start, &end))
		bytes += end - start;
	return bytes;
}

/* Low memory: it is the surest to be there. */
static int alloc_low(struct test_memory *m, const struct selftest_env *env)
{
	const bool bottom_up = env->mb->bottom_up;
	int err;

	if (env->early)
		return early_alloc(env->early, m->bytes, PAGE_SIZE, 0, PHYS_ADDR_MAX, NUMA_NO_NODE,
				   CAUSE_ALLOC, &m->pa);
	memblock_set_bottom_up(env->mb, true);
	err = memblock_phys_alloc(env->mb, m->bytes, PAGE_SIZE, 0, PHYS_ADDR_MAX, NUMA_NO_NODE,
				  CAUSE_ALLOC, &m->pa);
	memblock_set_bottom_up(env->mb, bottom_up);
	return err;
}

static bool get_from_early(struct test_memory *m, const struct selftest_env *env, uint64_t most)
{
	const uint64_t share = free_bytes(env->mb) / 4 * 3;
	int err = -EMM_ENOMEM;

	if (most > share)
		most = share;
	for (; err == -EMM_ENOMEM && most >= MIN_BYTES; most -= most / 8) {
		m->bytes = most & PAGE_MASK;
		err = alloc_low(m, env);
	}
	return !err;
}

/* Large orders come from the top downwards: as many of the largest as lie side by side. */
static bool get_from_buddy(struct test_memory *m, const struct selftest_env *env, uint64_t most)
{
	const uint64_t share = PFN_PHYS(buddy_nr_free(&env->mm->buddy)) / 4 * 3;
	int64_t pfn = -EMM_ENOMEM;
	uint64_t bytes = 0;

	if (most > share)
		most = share;
	for (unsigned int order = BUDDY_MAX_ORDER + 1; pfn < 0 && order-- > 0;) {
		m->order = order;
		bytes = PAGE_SIZE << order;
		if (bytes < MIN_BYTES)
			return false;
		if (bytes <= most)
			pfn = buddy_alloc(env->hart, order);
	}
	m->pa = PFN_PHYS(pfn);
	for (m->nr_blocks = 1; m->nr_blocks < MAX_BLOCKS; m->nr_blocks++) {
		if ((m->nr_blocks + 1) * bytes > most)
			break;
		pfn = buddy_alloc(env->hart, m->order);
		if (pfn < 0)
			break;
		if (PFN_PHYS(pfn) + bytes != m->pa) {
			buddy_free(env->hart, (uint64_t)pfn, m->order);
			break;
		}
		m->pa = PFN_PHYS(pfn);
	}
	m->bytes = m->nr_blocks * bytes;
	return true;
}

static bool is_nearly_full(const struct memblock_type *type)
{
	return type->cnt + SPARE_REGIONS > type->max;
}

const char *test_memory_get(struct test_memory *m, struct selftest_env *env, uint64_t most)
{
	if (is_nearly_full(&env->mb->memory) || is_nearly_full(&env->mb->reserved))
		return "the map's arrays are nearly full";
	if (env->hart ? !get_from_buddy(m, env, most) : !get_from_early(m, env, most))
		return "there is too little free memory";
	m->base = phys_to_virt(env->mb->map, m->pa, m->bytes);
	if (!m->base)
		payload_fail("selftest: no way to %#lx", m->pa);
	env->own_pfn = PFN_DOWN(m->pa);
	env->own_pages = PFN_DOWN(m->bytes);
	return NULL;
}

int test_memory_put(struct test_memory *m, struct selftest_env *env)
{
	int err = 0;

	env->own_pages = 0;
	if (env->early)
		return early_free(env->early, m->pa, m->bytes);
	if (!env->hart)
		return memblock_free(env->mb, m->pa, m->bytes);
	for (uint64_t i = 0; i < m->nr_blocks && !err; i++)
		err = buddy_free(env->hart, PFN_DOWN(m->pa) + (i << m->order), m->order);
	return err;
}
