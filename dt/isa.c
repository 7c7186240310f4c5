/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Extensions that a hart's node lists: in riscv,isa-extensions or, failing that, in riscv,isa. Who
 * trusts a wrong answer runs into an illegal instruction: whatever is odd counts as not there. The
 * letter b counts for nothing, too: trees had it before it had a meaning.
 */
#include "map.h"

#include <string.h>

static const struct {
	char name[4];
	enum dt_isa bit;
} known[] = {
	{ "zba", DT_ISA_ZBA },
	{ "zbb", DT_ISA_ZBB },
	{ "zbs", DT_ISA_ZBS },
};

#define NAME_LEN 3

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_part(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

/* Nothing, or a version like 1 or 1p0. What has 0 in front is a draft. */
static bool is_version(const char *s, const char *end)
{
	if (s == end)
		return true;
	if (*s == '0')
		return false;
	while (s < end && is_digit(*s))
		s++;
	if (s == end)
		return true;
	if (lower(*s++) != 'p' || s == end)
		return false;
	while (s < end && is_digit(*s))
		s++;
	return s == end;
}

/* The bit of the extension [s, end), or 0. */
static uint32_t extension(const char *s, const char *end)
{
	if (end - s < NAME_LEN || lower(s[0]) != 'z' || lower(s[1]) != 'b')
		return 0;
	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++)
		if (lower(s[2]) == known[i].name[2] && is_version(s + NAME_LEN, end))
			return known[i].bit;
	return 0;
}

/*
 * rv64, the base, extensions of one letter, then names; underscores between names, and anywhere.
 * A name begins with z, s or x, the first one perhaps right behind the letters.
 */
static bool read_string(const char *s, uint32_t *found)
{
	bool named = false;

	if (lower(s[0]) != 'r' || lower(s[1]) != 'v' || s[2] != '6' || s[3] != '4')
		return false;
	s += 4;
	if (lower(*s) != 'i' && lower(*s) != 'e' && lower(*s) != 'g')
		return false;
	while (is_part(*s) && !named) {
		named = lower(*s) == 'z' || lower(*s) == 's' || lower(*s) == 'x';
		s += !named;
	}
	for (;;) {
		const char *end;

		while (*s == '_')
			s++;
		for (end = s; is_part(*end); end++)
			;
		if (end == s)
			return !*s;
		*found |= extension(s, end);
		s = end;
	}
}

static bool read_list(const char *list, uint32_t len, uint32_t *found)
{
	if (!len || list[len - 1])
		return false;
	for (unsigned int i = 0; i < ARRAY_SIZE(known); i++)
		if (dt_list_holds(list, len, known[i].name))
			*found |= known[i].bit;
	return true;
}

uint32_t dt_isa_read(const struct dt_node *node, const char *isa, struct dt_log *log)
{
	const struct dt_prop_value *list = &node->prop[PROP_ISA_EXTENSIONS];
	const bool has_list = dt_has(node, PROP_ISA_EXTENSIONS);
	char name[DT_NAME_SIZE];
	uint32_t found = 0;

	if (!has_list && !isa)
		return 0;
	if (has_list ? read_list((const char *)list->data, list->len, &found)
		     : read_string(isa, &found))
		return found;
	dt_error(log, "dt: %s: riscv,isa%s cannot be read: without Zba, Zbb and Zbs\n",
		 dt_printable(node->name, name, sizeof(name)), has_list ? "-extensions" : "");
	return 0;
}
