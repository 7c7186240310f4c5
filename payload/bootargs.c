/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot arguments into struct boot_options. Nothing here needs the payload: it is tested on the host. */
#include "bootargs.h"

#include <string.h>

#include <earlymm/error.h>
#include <earlymm/memtest.h>
#include "dt.h"

/* Longer ones are cut, and are then no known ones. */
#define MAX_KEY   32
#define MAX_VALUE 96

void boot_options_init(struct boot_options *opt)
{
	memset(opt, 0, offsetof(struct boot_options, huge));
	opt->numa = opt->cma = true;
	bench_options_init(&opt->bench);
	opt->bench.brief = true; /* the story of a boot is one screen; records=all has the rest */
}

/* key, key=1, key=0 */
static int set_flag(bool *flag, const char *value)
{
	if (value && strcmp(value, "0") && strcmp(value, "1"))
		return -EMM_EINVAL;
	*flag = !value || *value == '1';
	return 0;
}

/* A decimal number, or a hexadecimal one with 0x. Returns what follows it; NULL: there is none. */
static const char *read_number(const char *text, uint64_t *number)
{
	uint64_t base = 10, n = 0;
	const char *start;

	if (text[0] == '0' && (text[1] | 0x20) == 'x') {
		base = 16;
		text += 2;
	}
	for (start = text;; text++) {
		uint64_t digit;

		if (*text >= '0' && *text <= '9')
			digit = (uint64_t)(*text - '0');
		else if (base == 16 && (*text | 0x20) >= 'a' && (*text | 0x20) <= 'f')
			digit = (uint64_t)((*text | 0x20) - 'a') + 10;
		else
			break;
		if (n > (UINT64_MAX - digit) / base)
			return NULL;
		n = n * base + digit;
	}
	*number = n;
	return text == start ? NULL : text;
}

/* Linux: memparse. 64M, 0x1000, 2g */
static int read_size(uint64_t *bytes, const char *value)
{
	static const char units[] = "kmgtpe";
	const char *rest, *unit;
	uint64_t n = 0;
	unsigned int shift = 0;

	rest = value ? read_number(value, &n) : NULL;
	if (!rest)
		return -EMM_EINVAL;
	if (*rest) {
		unit = strchr(units, *rest | 0x20);
		if (!unit || !*unit || rest[1])
			return -EMM_EINVAL;
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	if (n > UINT64_MAX >> shift)
		return -EMM_EINVAL;
	*bytes = n << shift;
	return 0;
}

static int set_mem(struct boot_options *opt, const char *value)
{
	uint64_t bytes;

	if (read_size(&bytes, value) || bytes < PAGE_SIZE)
		return -EMM_EINVAL;
	opt->mem_limit_bytes = bytes & PAGE_MASK;
	return 0;
}

static int set_early(struct boot_options *opt, const char *value)
{
	for (unsigned int kind = 0; value && kind < NR_EARLY_KINDS; kind++) {
		if (strcmp(value, early_name((enum early_kind)kind)))
			continue;
		opt->early = (enum early_kind)kind;
		return 0;
	}
	return -EMM_EINVAL;
}

static int set_memblock(struct boot_options *opt, const char *value)
{
	if (value && !strcmp(value, "debug"))
		opt->memblock_debug = true;
	else if (value && !strcmp(value, "discard"))
		opt->memblock_discard = true;
	else
		return -EMM_EINVAL;
	return 0;
}

static int set_memtest(struct boot_options *opt, const char *value)
{
	uint64_t n = MEMTEST_NR_PATTERNS;
	const char *rest = value ? read_number(value, &n) : "";

	if (!rest || *rest || n > MEMTEST_MAX_PATTERNS)
		return -EMM_EINVAL;
	opt->memtest_patterns = (unsigned int)n;
	return 0;
}

static int set_meta_poison(struct boot_options *opt, const char *value)
{
	return set_flag(&opt->meta_poison, value);
}

static int set_movable_node(struct boot_options *opt, const char *value)
{
	return set_flag(&opt->movable_node, value);
}

/* selftest, selftest=1, selftest=0, or a name */
static int set_selftest(struct boot_options *opt, const char *value)
{
	if (value && (!*value || strlen(value) >= MAX_SELFTEST_NAME))
		return -EMM_EINVAL;
	opt->selftest = !value || strcmp(value, "0");
	return 0;
}

static int set_verbose(struct boot_options *opt, const char *value)
{
	int err = set_flag(&opt->verbose, value);

	opt->bench.verbose = opt->verbose;
	return err;
}

static int set_buddy(struct boot_options *opt, const char *value)
{
	if (value && !strcmp(value, "default"))
		opt->buddy = BUDDY_DEFAULT;
	else if (value && !strcmp(value, "healing"))
		opt->buddy = BUDDY_HEALING;
	else
		return -EMM_EINVAL;
	return 0;
}

static int set_zb(struct boot_options *opt, const char *value)
{
	static const char *const names[] = { [ZB_AUTO] = "auto", [ZB_OFF] = "off", [ZB_ON] = "on" };

	for (unsigned int i = 0; value && i < ARRAY_SIZE(names); i++) {
		if (strcmp(value, names[i]))
			continue;
		opt->zb = (enum zb_option)i;
		return 0;
	}
	return -EMM_EINVAL;
}

static int set_on_off(bool *flag, const char *value)
{
	if (!value || (strcmp(value, "on") && strcmp(value, "off")))
		return -EMM_EINVAL;
	*flag = value[1] == 'n';
	return 0;
}

static int set_numa(struct boot_options *opt, const char *value)
{
	return set_on_off(&opt->numa, value);
}

static int set_cma(struct boot_options *opt, const char *value)
{
	return set_on_off(&opt->cma, value);
}

static int set_feature(struct boot_options *opt, uint32_t feature, const char *value)
{
	bool on = false;
	int err = set_on_off(&on, value);

	if (!err)
		opt->page_features = (opt->page_features & ~feature) | (on ? feature : 0);
	return err;
}

static int set_compound(struct boot_options *opt, const char *value)
{
	return set_feature(opt, PAGE_ALLOC_COMPOUND, value);
}

static int set_page_owner(struct boot_options *opt, const char *value)
{
	return set_feature(opt, PAGE_ALLOC_OWNER, value);
}

static int set_page_poison(struct boot_options *opt, const char *value)
{
	return set_feature(opt, PAGE_ALLOC_POISON, value);
}

static int set_highmem(struct boot_options *opt, const char *value)
{
	uint64_t start;

	if (read_size(&start, value) || start < PAGE_SIZE)
		return -EMM_EINVAL;
	opt->highmem_start = start & PAGE_MASK;
	return 0;
}

static int set_harts(struct boot_options *opt, const char *value)
{
	uint64_t n;
	const char *rest = value ? read_number(value, &n) : NULL;

	if (!rest || *rest || !n || n > MAX_HARTS)
		return -EMM_EINVAL;
	opt->harts = (uint32_t)n;
	return 0;
}

/* The bit of a name of so many characters, or 0. */
static uint32_t report_bit(const char *name, size_t n)
{
	static const struct {
		char name[16];
		uint32_t bit;
	} reports[] = {
		{ "meminfo", REPORT_MEMINFO },   { "buddyinfo", REPORT_BUDDYINFO },
		{ "zoneinfo", REPORT_ZONEINFO }, { "pagetypeinfo", REPORT_PAGETYPEINFO },
		{ "vmstat", REPORT_VMSTAT },     { "iomem", REPORT_IOMEM },
		{ "map", REPORT_MAP },           { "all", REPORT_ALL },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(reports); i++)
		if (strlen(reports[i].name) == n && !memcmp(reports[i].name, name, n))
			return reports[i].bit;
	return 0;
}

static int set_report(struct boot_options *opt, const char *value)
{
	uint32_t reports = 0;

	while (value) {
		const char *comma = strchr(value, ',');
		uint32_t bit = report_bit(value, comma ? (size_t)(comma - value) : strlen(value));

		if (!bit)
			return -EMM_EINVAL;
		reports |= bit;
		value = comma ? comma + 1 : NULL;
	}
	opt->reports = reports;
	return reports ? 0 : -EMM_EINVAL;
}

static const struct {
	const char *key;
	int (*set)(struct boot_options *opt, const char *value);
	const char *hint; /* for a value that is not understood */
} options[] = {
	{ "buddy", set_buddy, "default or healing" },
	{ "cma", set_cma, "on or off" },
	{ "compound", set_compound, "on or off" },
	{ "early", set_early, "memblock, bootmem or nobootmem" },
	{ "harts", set_harts, "a number from 1 to 128" },
	{ "highmem", set_highmem, "an address of a page or more, like 4G" },
	{ "mem", set_mem, "a size of a page or more, like 512M" },
	{ "memblock", set_memblock, "debug or discard" },
	{ "memtest", set_memtest, "a number of patterns up to 255" },
	{ "meta_poison", set_meta_poison, "0 or 1" },
	{ "movable_node", set_movable_node, "0 or 1" },
	{ "numa", set_numa, "on or off" },
	{ "page_owner", set_page_owner, "on or off" },
	{ "page_poison", set_page_poison, "on or off" },
	{ "report", set_report,
	  "all or a list out of meminfo, buddyinfo, zoneinfo, pagetypeinfo, vmstat, iomem, map" },
	{ "selftest", set_selftest, "0, 1 or a part of a suite's name" },
	{ "verbose", set_verbose, "0 or 1" },
	{ "zb", set_zb, "auto, off or on" },
};

/* Words of the arguments, made printable, for one line of the log. */
struct words {
	char text[256];
	size_t used;
};

static void append(struct words *w, const char *text)
{
	for (; *text && w->used < sizeof(w->text) - 1; text++)
		w->text[w->used++] = *text > ' ' && *text < 0x7f && *text != '@' ? *text : '?';
	w->text[w->used] = '\0';
}

/* With a look at the first byte before the call: there are many keys. */
static inline bool is_key(const char *key, const char *option)
{
	return *key == *option && !strcmp(key, option);
}

static bool is_huge(const char *key)
{
	return is_key(key, "hugepages") || is_key(key, "hugepagesz") ||
	       is_key(key, "default_hugepagesz");
}

/* 0, -EMM_ENOENT for an unknown key, -EMM_EINVAL for a bad value, which was reported. */
static int set_option(struct boot_options *opt, const char *key, const char *value,
		      const struct printer *out)
{
	struct words shown;

	if (is_huge(key)) {
		if (!opt->has_huge)
			hugetlb_args_init(&opt->huge);
		opt->has_huge = true;
		return hugetlb_option(&opt->huge, key, value, out);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(options); i++) {
		int err;

		if (!is_key(key, options[i].key))
			continue;
		err = options[i].set(opt, value);
		if (!err)
			return 0;
		shown.used = 0;
		append(&shown, value ? value : "");
		print_to(out, "bootargs: %s=%s is not understood; %s\n", key, shown.text,
			 options[i].hint);
		return err;
	}
	return bench_option(&opt->bench, key, value, out);
}

static void note_unknown(struct words *u, const char *key, const char *value)
{
	if (u->used)
		append(u, ",");
	append(u, key);
	if (value) {
		append(u, "=");
		append(u, value);
	}
}

/* Messages show values: none of their bytes may steer a terminal, or begin a line. */
static void make_printable(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

int boot_options_parse(struct boot_options *opt, const char *args, const struct printer *out)
{
	struct words unknown;
	char key[MAX_KEY], buf[MAX_VALUE];
	int err, found, result = 0;

	unknown.used = 0;
	while ((found = dt_bootarg_next(&args, key, sizeof(key), buf, sizeof(buf))) != 0) {
		const char *value = found == 2 ? buf : NULL;

		make_printable(key);
		make_printable(buf);
		err = found < 0 ? -EMM_ENOENT : set_option(opt, key, value, out);
		if (err == -EMM_ENOENT)
			note_unknown(&unknown, key, value);
		else if (err)
			result = err;
	}
	if (opt->has_huge)
		hugetlb_args_end(&opt->huge, out);
	if (unknown.used)
		print_to(out, "bootargs: not known and ignored: %s\n", unknown.text);
	return result;
}

void boot_selftest_name(const char *args, char name[MAX_SELFTEST_NAME])
{
	char key[MAX_KEY], value[MAX_VALUE];
	int found;

	name[0] = '\0';
	while ((found = dt_bootarg_next(&args, key, sizeof(key), value, sizeof(value))) != 0) {
		const bool named = found == 2 && strcmp(value, "0") && strcmp(value, "1");
		const size_t bytes = named ? strlen(value) + 1 : 0;

		if (found < 0 || strcmp(key, "selftest"))
			continue;
		name[0] = '\0';
		if (bytes <= MAX_SELFTEST_NAME)
			memcpy(name, value, bytes);
	}
}
