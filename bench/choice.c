/* SPDX-License-Identifier: BSD-2-Clause */
/* Which of the allocators there are is measured: alloc= on the command line. */
#include "bench_impl.h"

bool same_word(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Is @name the word that @list begins with? */
static bool is_first(const char *list, const char *name)
{
	while (*name && *list == *name) {
		list++;
		name++;
	}
	return !*name && (!*list || *list == ',');
}

bool bench_is_chosen(const struct bench_options *opt, const char *name)
{
	const char *list = opt->allocators;

	if (!*list)
		return true;
	while (!is_first(list, name)) {
		while (*list && *list != ',')
			list++;
		if (!*list)
			return false;
		list++;
	}
	return true;
}

const struct page_allocator_ops *const *bench_next(const struct bench_config *cfg,
						   const struct page_allocator_ops *const *ops)
{
	if (ops)
		ops++;
	else
		ops = cfg->allocators ? cfg->allocators : bench_allocators;
	while (*ops && !bench_is_chosen(&cfg->options, (*ops)->name))
		ops++;
	return ops;
}
