/* SPDX-License-Identifier: BSD-2-Clause */
/* Boot arguments into struct boot_options. Nothing here needs the payload: it is tested on the host. */
#include "bootargs.h"

#include <string.h>

#include <earlymm/error.h>
#include "dt.h"

/* Longer ones are cut, and are then no known ones. */
#define MAX_KEY   32
#define MAX_VALUE 96

void boot_options_init(struct boot_options *opt)
{
	*opt = (struct boot_options){ .verbose = false };
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

static int set_memblock(struct boot_options *opt, const char *value)
{
	if (!value || strcmp(value, "debug"))
		return -EMM_EINVAL;
	opt->memblock_debug = true;
	return 0;
}

/* selftest, selftest=1, selftest=0, or a name */
static int set_selftest(struct boot_options *opt, const char *value)
{
	if (value && (!*value || strlen(value) >= MAX_SELFTEST_NAME))
		return -EMM_EINVAL;
	opt->selftest = !value || strcmp(value, "0");
	return 0;
}

/* 0, -EMM_ENOENT for an unknown key, -EMM_EINVAL for a bad value, which was reported. */
static int set_option(struct boot_options *opt, const char *key, const char *value,
		      const struct printer *out)
{
	int err = bench_option(&opt->bench, key, value, out);

	if (err != -EMM_ENOENT)
		return err;
	if (!strcmp(key, "meta_poison"))
		err = set_flag(&opt->meta_poison, value);
	else if (!strcmp(key, "verbose"))
		err = set_flag(&opt->verbose, value);
	else if (!strcmp(key, "memblock"))
		err = set_memblock(opt, value);
	else if (!strcmp(key, "selftest"))
		err = set_selftest(opt, value);
	else
		return -EMM_ENOENT;
	if (err)
		print_to(out, "bootargs: %s=%s is not understood; %s\n", key, value ? value : "",
			 !strcmp(key, "memblock")   ? "memblock=debug is"
			 : !strcmp(key, "selftest") ? "0, 1 or a part of a suite's name is"
						    : "0 or 1");
	opt->bench.verbose = opt->verbose;
	return err;
}

/* The words that nobody knew, for one line of the log. */
struct unknown {
	char text[256];
	size_t used;
};

static void append(struct unknown *u, const char *text)
{
	for (; *text && u->used < sizeof(u->text) - 1; text++)
		u->text[u->used++] = *text > ' ' && *text < 0x7f && *text != '@' ? *text : '?';
	u->text[u->used] = '\0';
}

static void note_unknown(struct unknown *u, const char *key, const char *value)
{
	if (u->used)
		append(u, ",");
	append(u, key);
	if (value) {
		append(u, "=");
		append(u, value);
	}
}

int boot_options_parse(struct boot_options *opt, const char *args, const struct printer *out)
{
	struct unknown unknown = { .used = 0 };
	char key[MAX_KEY], buf[MAX_VALUE];
	int err, found, result = 0;

	while ((found = dt_bootarg_next(&args, key, sizeof(key), buf, sizeof(buf))) != 0) {
		const char *value = found == 2 ? buf : NULL;

		err = found < 0 ? -EMM_ENOENT : set_option(opt, key, value, out);
		if (err == -EMM_ENOENT)
			note_unknown(&unknown, key, value);
		else if (err)
			result = err;
	}
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
