/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line, an argument at a time. */
#include "dt.h"

#include <earlymm/error.h>

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A piece of text that is cut where it does not fit. */
struct text {
	char *buf;
	size_t size;
	size_t len;
};

/* Returns false if @c did not fit. */
static bool append(struct text *t, char c)
{
	if (t->len + 1 >= t->size)
		return false;
	t->buf[t->len++] = c;
	t->buf[t->len] = '\0';
	return true;
}

int dt_bootarg_next(const char **pos, char *key, size_t keysz, char *val, size_t valsz)
{
	struct text k = { .buf = key, .size = keysz }, v = { .buf = val, .size = valsz };
	const char *p = *pos;
	bool quoted = false, has_value = false, fits = true;

	key[0] = val[0] = '\0';
	while (is_space(*p))
		p++;
	if (!*p) {
		*pos = p;
		return 0;
	}
	for (; *p && (quoted || !is_space(*p)); p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (*p == '=' && !has_value)
			has_value = true;
		else if (!append(has_value ? &v : &k, *p))
			fits = false;
	}
	*pos = p;
	if (!fits)
		return -EMM_ENOSPC;
	return has_value ? 2 : 1;
}
