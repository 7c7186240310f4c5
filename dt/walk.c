/* SPDX-License-Identifier: BSD-2-Clause */
/* dt_walk(): the one pass over the whole tree. Facts, counts, offsets, and is it sound? */
#include "map.h"

#include <earlymm/error.h>

#include <inttypes.h>
#include <string.h>

/* The node below the root that the cursor is in. */
enum section {
	SECTION_OTHER,
	SECTION_RESERVED,
	SECTION_CPUS,
};

struct walk {
	struct dt_info *info;
	struct dt_cursor cur;
	struct dt_log log;
	struct dt_node node; /* read last */
	const char *where; /* the node begun last */
	const char *refused; /* damage that the cursor cannot see */
	enum section section;
	struct dt_reserved_root reserved;
	bool has_root;
	bool has_chosen;
	bool has_boot_hart;
};

/* A string property, or "". That its last byte is NUL is enough for it to end inside. */
static void get_string(struct walk *w, enum dt_prop prop, const char **string)
{
	const struct dt_prop_value *v = &w->node.prop[prop];
	const char *s = (const char *)v->data;
	char name[DT_NAME_SIZE];

	if (!dt_has(&w->node, prop))
		return;
	if (v->len && v->len <= DT_MAX_STRING && !s[v->len - 1])
		*string = s;
	else
		dt_error(&w->log,
			 "dt: %s: a string property of %" PRIu32
			 " bytes is not NUL-terminated or longer than %d, ignored\n",
			 dt_printable(w->node.name, name, sizeof(name)), v->len, DT_MAX_STRING);
}

static struct dt_value value_of(const struct walk *w, enum dt_prop prop)
{
	const char *data = (const char *)w->node.prop[prop].data;

	if (!dt_has(&w->node, prop))
		return (struct dt_value){ 0 };
	return (struct dt_value){ (uint32_t)(data - (const char *)w->cur.fdt),
				  w->node.prop[prop].len };
}

static void extend(struct dt_span *span, int offset)
{
	if (span->first < 0)
		span->first = offset;
	span->last = offset;
}

static int root_node(struct walk *w)
{
	struct dt_info *info = w->info;

	get_string(w, PROP_MODEL, &info->model);
	get_string(w, PROP_COMPATIBLE, &info->compatible);
	if (dt_node_cells(&w->node, &info->root_cells))
		return 0;
	w->refused = "#address-cells and #size-cells of the root are not 1 or 2";
	return -EMM_EBADTREE;
}

/* Counts the entries of an enabled memory node. Errors in them are reported when they are used. */
static void memory_node(struct walk *w)
{
	struct dt_info *info = w->info;
	enum dt_prop prop = dt_has(&w->node, PROP_USABLE_MEMORY) ? PROP_USABLE_MEMORY : PROP_REG;
	uint32_t n = 0;

	extend(&info->memory, w->node.offset);
	if (!dt_is_enabled(&w->node))
		return;
	if (dt_has(&w->node, prop))
		n = w->node.prop[prop].len / dt_entry_bytes(info->root_cells);
	info->nr_memory_nodes++;
	info->nr_banks += n;
	if (dt_has(&w->node, PROP_HOTPLUGGABLE))
		info->nr_hotpluggable += n;
}

static void reserved_child(struct walk *w)
{
	struct dt_info *info = w->info;
	struct dt_cells cells;
	uint32_t len, n;

	switch (dt_classify(&w->node)) {
	case CHILD_STATIC:
		info->nr_static++;
		info->nr_pools += dt_is_pool(&w->node);
		len = w->node.prop[PROP_REG].len;
		cells = dt_child_cells(&w->reserved, &w->node);
		n = w->reserved.valid ? len / dt_entry_bytes(cells) : 0;
		info->nr_static_ranges += n;
		if (dt_has(&w->node, PROP_NO_MAP))
			info->nr_nomap_ranges += n;
		break;
	case CHILD_DYNAMIC:
		info->nr_dynamic++;
		info->nr_dynamic_nomap += dt_has(&w->node, PROP_NO_MAP);
		break;
	case CHILD_IOMMU:
		info->nr_iommu++;
		break;
	case CHILD_DISABLED:
		info->nr_disabled++;
		break;
	case CHILD_EMPTY:
		break;
	}
}

static void chosen_initrd(struct walk *w)
{
	uint64_t start = 0, end = 0;
	bool has_start = dt_prop_number(&w->node, PROP_INITRD_START, &start);
	bool has_end = dt_prop_number(&w->node, PROP_INITRD_END, &end);

	if (!dt_has(&w->node, PROP_INITRD_START) && !dt_has(&w->node, PROP_INITRD_END))
		return;
	if (!has_start || !has_end || start > end) {
		dt_error(&w->log,
			 "dt: chosen: initrd disabled: linux,initrd-start 0x%" PRIx64
			 " and -end 0x%" PRIx64 " are not a range in one or two cells each\n",
			 start, end);
		return;
	}
	w->info->initrd_base = start;
	w->info->initrd_size = end - start;
}

static void chosen_node(struct walk *w)
{
	struct dt_info *info = w->info;

	if (w->has_chosen) {
		dt_error(&w->log, "dt: a second node named chosen is ignored\n");
		return;
	}
	w->has_chosen = true;
	get_string(w, PROP_BOOTARGS, &info->bootargs);
	get_string(w, PROP_STDOUT_PATH, &info->stdout_path);
	chosen_initrd(w);
	info->seeds[0] = value_of(w, PROP_RNG_SEED);
	info->seeds[1] = value_of(w, PROP_KASLR_SEED);
	info->has_usable = dt_has(&w->node, PROP_USABLE_RANGE);
	info->usable = value_of(w, PROP_USABLE_RANGE);
	if (!dt_has(&w->node, PROP_ELFCOREHDR))
		return;
	if (w->node.prop[PROP_ELFCOREHDR].len < dt_entry_bytes(info->root_cells))
		dt_error(&w->log, "dt: chosen: linux,elfcorehdr has %" PRIu32 " bytes, ignored\n",
			 w->node.prop[PROP_ELFCOREHDR].len);
	else if (!dt_read_entry(w->node.prop[PROP_ELFCOREHDR].data, info->root_cells,
				&info->elfcorehdr_base, &info->elfcorehdr_size))
		dt_error(&w->log, DT_CUT_MESSAGE, "chosen", info->elfcorehdr_base);
}

/* By its name or by what it holds; to look at every compatible list would be dearer. */
static void distance_map(struct walk *w)
{
	const struct dt_prop_value *list = &w->node.prop[PROP_COMPATIBLE];

	if (!dt_is_enabled(&w->node))
		return;
	if (!dt_has(&w->node, PROP_COMPATIBLE) ||
	    !dt_list_holds((const char *)list->data, list->len, "numa-distance-map-v1"))
		dt_error(&w->log, "dt: distance-map: not compatible with numa-distance-map-v1, "
				  "ignored\n");
	else if (w->info->distance_map >= 0)
		dt_error(&w->log, "dt: distance-map: a second one is ignored\n");
	else
		w->info->distance_map = w->node.offset;
}

/* The memory node that the boot hart is near to. */
static void hart_nid(struct walk *w)
{
	uint64_t nid;
	char name[DT_NAME_SIZE];

	if (!dt_has(&w->node, PROP_NUMA_NODE_ID))
		return;
	if (dt_prop_number(&w->node, PROP_NUMA_NODE_ID, &nid) && nid <= DT_MAX_NID)
		w->info->boot_hart_nid = (int)nid;
	else
		dt_error(&w->log, "dt: %s: numa-node-id is not a number up to %d, ignored\n",
			 dt_printable(w->node.name, name, sizeof(name)), DT_MAX_NID);
}

static void hart_node(struct walk *w)
{
	struct dt_info *info = w->info;
	const char *isa = NULL;
	uint32_t extensions;
	uint64_t id = 0;
	bool is_boot;

	if (!dt_is_hart(&w->node))
		return;
	info->nr_harts_total++;
	if (!info->timebase_hz)
		dt_prop_number(&w->node, PROP_TIMEBASE, &info->timebase_hz);
	if (!dt_is_usable_hart(&w->node, &id))
		return;
	is_boot = id == info->boot_hart;
	get_string(w, PROP_ISA, &isa);
	extensions = dt_isa_read(&w->node, isa, &w->log);
	info->isa_extensions &= extensions;
	if (extensions != DT_ISA_ZB && !info->isa_lacks[0])
		info->isa_lacks = w->node.name;
	if (is_boot || !info->nr_harts) {
		info->isa = "";
		get_string(w, PROP_ISA_BASE, &info->isa);
		if (isa)
			info->isa = isa;
		info->mmu_type = "";
		get_string(w, PROP_MMU_TYPE, &info->mmu_type);
	}
	if (is_boot)
		hart_nid(w);
	w->has_boot_hart |= is_boot;
	info->nr_harts++;
}

static int child_of_root(struct walk *w)
{
	const char *name = dt_cursor_name(&w->cur);
	int ret = dt_read_node(&w->cur, &w->node);

	w->section = SECTION_OTHER;
	if (ret)
		return ret;
	if (dt_prop_equals(&w->node, PROP_DEVICE_TYPE, "memory"))
		memory_node(w);
	if (dt_name_is(name, "reserved-memory")) {
		w->section = SECTION_RESERVED;
		extend(&w->info->reserved, w->node.offset);
		dt_read_reserved_root(w->info, &w->node, &w->reserved);
	} else if (dt_name_is(name, "cpus")) {
		w->section = SECTION_CPUS;
		extend(&w->info->cpus, w->node.offset);
		dt_prop_number(&w->node, PROP_TIMEBASE, &w->info->timebase_hz);
	} else if (dt_name_is(name, "chosen")) {
		chosen_node(w);
	} else if (dt_has(&w->node, PROP_DISTANCE_MATRIX) || dt_name_is(name, "distance-map")) {
		distance_map(w);
	}
	return 0;
}

static int begin_node(struct walk *w)
{
	int ret;

	w->where = dt_cursor_name(&w->cur);
	switch (w->cur.level) {
	case 0:
		if (w->has_root) {
			w->refused = "second root node";
			return -EMM_EBADTREE;
		}
		w->has_root = true;
		ret = dt_read_node(&w->cur, &w->node);
		return ret ? ret : root_node(w);
	case 1:
		return child_of_root(w);
	case 2:
		if (w->section == SECTION_OTHER)
			return 0;
		ret = dt_read_node(&w->cur, &w->node);
		if (!ret && w->section == SECTION_RESERVED)
			reserved_child(w);
		else if (!ret)
			hart_node(w);
		return ret;
	default:
		return 0;
	}
}

/* Entries up to the one that is all zero; they must not run into the next block. */
static int count_memreserve(struct walk *w)
{
	const void *fdt = w->cur.fdt;
	uint32_t start = fdt_off_mem_rsvmap(fdt), end = fdt_totalsize(fdt), n;
	uint64_t base, size;

	if (fdt_off_dt_struct(fdt) > start && fdt_off_dt_struct(fdt) < end)
		end = fdt_off_dt_struct(fdt);
	if (fdt_off_dt_strings(fdt) > start && fdt_off_dt_strings(fdt) < end)
		end = fdt_off_dt_strings(fdt);
	end = (end - start) / (uint32_t)sizeof(struct fdt_reserve_entry);
	for (n = 0; n < end; n++) {
		if (fdt_get_mem_rsv(fdt, (int)n, &base, &size))
			break;
		if (!base && !size) {
			w->info->nr_memreserve = n;
			return 0;
		}
	}
	print_to(w->log.out,
		 "dt: damaged tree: /memreserve/ has no end after %" PRIu32 " entries\n", n);
	return -EMM_EBADTREE;
}

static void init_info(struct dt_info *info, const void *fdt, uint64_t boot_hart)
{
	memset(info, 0, sizeof(*info));
	info->model = info->compatible = info->isa = info->mmu_type = info->isa_lacks = "";
	info->isa_extensions = DT_ISA_ZB;
	info->bootargs = info->stdout_path = "";
	info->boot_hart = boot_hart;
	info->boot_hart_nid = NUMA_NO_NODE;
	info->totalsize = fdt_totalsize(fdt);
	info->memory = info->reserved = info->cpus = (struct dt_span){ -1, -1 };
	info->distance_map = -1;
}

int dt_walk(struct dt_info *info, const void *fdt, uint64_t boot_hart, const struct printer *out)
{
	struct walk w;
	int ret;

	w.info = info;
	w.log = (struct dt_log){ .out = out };
	w.where = w.refused = NULL;
	w.section = SECTION_OTHER;
	w.has_root = w.has_chosen = w.has_boot_hart = false;
	init_info(info, fdt, boot_hart);
	dt_cursor_init(&w.cur, fdt, 0);
	while ((ret = dt_next(&w.cur)) > 0) {
		if (w.cur.tag == FDT_BEGIN_NODE)
			ret = begin_node(&w);
		if (ret < 0)
			break;
	}
	if (!ret && !w.has_root) {
		w.refused = "no root node";
		ret = -EMM_EBADTREE;
	}
	if (w.refused)
		w.cur.damage = w.refused;
	if (ret)
		return dt_damaged(&w.cur, w.where, out);
	ret = count_memreserve(&w);
	if (ret)
		return ret;
	if (info->nr_harts_total && !w.has_boot_hart)
		dt_error(&w.log,
			 "dt: no usable hart %" PRIu64 ", the boot hart, among %" PRIu32 "\n",
			 boot_hart, info->nr_harts_total);
	if (!w.has_boot_hart)
		info->isa_extensions = 0;
	dt_log_end(&w.log);
	info->nr_errors = w.log.errors;
	return 0;
}
