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

bool bench_is_named(const struct page_allocator_ops *ops, const char *word, size_t n)
{
	size_t i = 0;

	while (i < n && ops->name[i] && word[i] == ops->name[i])
		i++;
	if (ops->name[i])
		return false;
	if (i == n)
		return !ops->on_request;
	word += i;
	n -= i;
	for (i = 1; i < n && ops->setting[i - 1] && word[i] == ops->setting[i - 1]; i++)
		;
	return word[0] == '-' && i == n && !ops->setting[i - 1];
}

bool bench_is_chosen(const struct bench_options *opt, const struct page_allocator_ops *ops)
{
	const char *list = opt->allocators;

	if (!*list)
		return !ops->on_request;
	for (;; list++) {
		size_t n = 0;

		while (list[n] && list[n] != ',')
			n++;
		if (bench_is_named(ops, list, n))
			return true;
		list += n;
		if (!*list)
			return false;
	}
}

const struct page_allocator_ops *const *bench_next(const struct bench_config *cfg,
						   const struct page_allocator_ops *const *ops)
{
	if (ops)
		ops++;
	else
		ops = cfg->allocators ? cfg->allocators : bench_allocators;
	while (*ops && !bench_is_chosen(&cfg->options, *ops))
		ops++;
	return ops;
}
