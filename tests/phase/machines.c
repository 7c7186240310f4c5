/* SPDX-License-Identifier: BSD-2-Clause */
/* Simulated machines for the tests of live allocators, on the host. */
#include "live.h"

#include <string.h>
#include <sys/mman.h>

#include <earlymm/early.h>

#define MAX_BANKS  24
#define MAX_CLAIMS 64

struct range {
	phys_addr_t base;
	phys_addr_t size;
	uint32_t what; /* a bank's node; a reservation's cause, or NO_MAP */
};
#define NO_MAP NR_CAUSES

struct machine_map {
	const char *name;
	struct range banks[MAX_BANKS]; /* up to the first of size 0 */
	struct range claims[MAX_CLAIMS];
};

#define KIB(n) ((phys_addr_t)(n) << 10)

static const struct machine_map maps[] = {
	{ "one bank",
	  { { GIB(2), MIB(64), 0 } },
	  { { GIB(2), KIB(384), NO_MAP },
	    { GIB(2) + MIB(2), KIB(140), CAUSE_IMAGE },
	    { GIB(2) + MIB(2) + KIB(140), 5327, CAUSE_FDT } } },
	/* A reservation that begins and one that ends inside a page, two in one page. */
	{ "two nodes",
	  { { GIB(1), MIB(32), 0 }, { GIB(1) + MIB(32), MIB(5), 1 }, { GIB(5), MIB(16), 1 } },
	  { { GIB(1), KIB(100), CAUSE_IMAGE },
	    { GIB(1) + MIB(3) + 100, 5000, CAUSE_FDT },
	    { GIB(1) + MIB(3) + KIB(8), 10, CAUSE_INITRD },
	    { GIB(1) + MIB(31), MIB(2), CAUSE_RESERVED_MEMORY },
	    { GIB(5) + 1, KIB(4), CAUSE_INITRD },
	    { GIB(5) + MIB(7), MIB(1), NO_MAP } } },
	/* Memory from frame 0 on, which nobody may have, and a bank of less than a page. */
	{ "frame 0",
	  { { 0, MIB(8) + 1, 0 }, { MIB(9) + 5, 4000, 0 }, { MIB(12), MIB(24), 0 } },
	  { { MIB(1), MIB(1), CAUSE_IMAGE }, { MIB(4) + 0x800, 0x100, CAUSE_OTHER } } },
	/* Blocks of the largest order, and a border of them inside a bank. */
	{ "1.25 GiB",
	  { { GIB(1) - MIB(128), GIB(1) + MIB(256), 0 } },
	  { { GIB(1) - MIB(126), KIB(200), CAUSE_IMAGE } } },
	/* The others are made by make_map(). */
};
#define NR_MACHINES (ARRAY_SIZE(maps) + 4)

static struct {
	unsigned int number;
	enum selftest_phase phase;
	enum early_kind kind;
	struct machine_map map;
	void *ram[MAX_BANKS];
	struct phys_map phys_map;
	struct memblock mb;
	struct early early;
	struct mm mm;
	struct selftest_env env;
} machine;

static uint64_t next_random(uint64_t *rng)
{
	*rng ^= *rng << 13;
	*rng ^= *rng >> 7;
	*rng ^= *rng << 17;
	return *rng;
}

/* Banks and reservations of any size and alignment. */
static void make_map(struct machine_map *map, uint64_t rng)
{
	phys_addr_t at = MIB(64);

	map->name = "random";
	for (unsigned int i = 0; i < 20; i++) {
		at += next_random(&rng) % MIB(3);
		map->banks[i] = (struct range){ at, 1 + next_random(&rng) % MIB(4), i / 7 };
		at += map->banks[i].size;
	}
	for (unsigned int i = 0; i < MAX_CLAIMS - 1; i++)
		map->claims[i] = (struct range){ MIB(64) + next_random(&rng) % (at - MIB(64)),
						 1 + next_random(&rng) % KIB(60),
						 i % 8 ? CAUSE_IMAGE + i % 5 : NO_MAP };
}

static void *bank_to_virt(void *ctx, phys_addr_t pa, uint64_t bytes)
{
	(void)ctx;
	for (unsigned int i = 0; machine.map.banks[i].size; i++) {
		const struct range *bank = &machine.map.banks[i];

		if (pa >= bank->base && pa - bank->base < bank->size &&
		    bytes <= bank->size - (pa - bank->base))
			return (unsigned char *)machine.ram[i] + pa % PAGE_SIZE +
			       ((pa & PAGE_MASK) - (bank->base & PAGE_MASK));
	}
	return NULL;
}

/* The map as a device tree would make it. */
static void boot_to_memblock(void)
{
	struct memblock *mb = &machine.mb;

	machine.phys_map = (struct phys_map){ .phys_to_virt = bank_to_virt };
	memblock_init(mb, &machine.phys_map);
	for (unsigned int i = 0; machine.map.banks[i].size; i++) {
		const struct range *bank = &machine.map.banks[i];

		machine.ram[i] = mmap(NULL, bank->size + 2 * PAGE_SIZE, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		assert_ptr_not_equal(machine.ram[i], MAP_FAILED);
		assert_int_equal(memblock_add_node(mb, bank->base, bank->size, (int)bank->what, 0),
				 0);
	}
	for (unsigned int i = 0; machine.map.claims[i].size; i++) {
		const struct range *r = &machine.map.claims[i];

		if (r->what == NO_MAP)
			assert_int_equal(memblock_mark_nomap(mb, r->base & PAGE_MASK,
							     (r->size + PAGE_SIZE) & PAGE_MASK),
					 0);
		else
			assert_int_equal(memblock_reserve_cause(mb, r->base, r->size, r->what), 0);
	}
	memblock_allow_resize(mb);
	machine.env = (struct selftest_env){ .mb = mb };
}

static void boot_to_early(void)
{
	assert_int_equal(early_init(&machine.early, machine.kind, &machine.mb), 0);
	machine.env.early = &machine.early;
}

static void boot_to_handover(void)
{
	struct mm *mm = &machine.mm;
	phys_addr_t pa;

	assert_int_equal(mm_plan(mm, &machine.mb, 0, PFN_DOWN(PHYS_ADDR_MAX), 1), 0);
	assert_int_equal(early_alloc(&machine.early, mm->meta_bytes, PAGE_SIZE, 0, PHYS_ADDR_MAX,
				     NONE, CAUSE_METADATA, &pa),
			 0);
	assert_int_equal(mm_set_metadata(mm, &machine.mb, pa), 0);
	memset(phys_to_virt(&machine.phys_map, mm->meta_pa, mm->meta_bytes), 0xa5, mm->meta_bytes);
	assert_int_equal(mm_init(mm, &machine.mb), 0);
	assert_int_equal(early_free_all(&machine.early, mm), 0);
	machine.env.early = NULL;
	machine.env.mm = mm;
	machine.env.hart = mm->buddy.harts;
}

static void boot_to_buddy(void)
{
	int64_t pfn = buddy_alloc(machine.env.hart, 0);

	assert_true(pfn > 0);
	assert_int_equal(buddy_free(machine.env.hart, (uint64_t)pfn, 0), 0);
}

static int boot(void **state)
{
	memset(&machine.map, 0, sizeof(machine.map));
	if (machine.number < ARRAY_SIZE(maps))
		machine.map = maps[machine.number];
	else
		make_map(&machine.map, machine.number * 0x9e3779b97f4a7c15);
	print_message("machine %u, %s, %s\n", machine.number, machine.map.name,
		      early_name(machine.kind));
	boot_to_memblock();
	if (machine.phase >= SELFTEST_BOOTMEM)
		boot_to_early();
	if (machine.phase >= SELFTEST_HANDOVER)
		boot_to_handover();
	if (machine.phase >= SELFTEST_BUDDY)
		boot_to_buddy();
	*state = &machine.env;
	return 0;
}

static int power_off(void **state)
{
	(void)state;
	for (unsigned int i = 0; machine.map.banks[i].size; i++)
		munmap(machine.ram[i], machine.map.banks[i].size + 2 * PAGE_SIZE);
	return 0;
}

int live_run_group(enum selftest_phase phase, const struct CMUnitTest *tests, size_t nr)
{
	int failed = 0;

	machine.phase = phase;
	for (unsigned int i = 0; i < NR_MACHINES * NR_EARLY_KINDS; i++) {
		machine.number = i / NR_EARLY_KINDS;
		machine.kind = (enum early_kind)(i % NR_EARLY_KINDS);
		failed += _cmocka_run_group_tests("live", tests, nr, boot, power_off);
	}
	return failed;
}
