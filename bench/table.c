/* SPDX-License-Identifier: BSD-2-Clause */
/* Cells and rows of the report. */
#include "report.h"

bool is_number(int64_t figure)
{
	return figure > FIGURE_FAILED;
}

/* As short as its size allows: one decimal below 100 000, then none, then M. */
const char *cell_text(char text[CELL_TEXT], int64_t figure, unsigned int digits)
{
	int64_t whole = figure;

	if (figure == FIGURE_NOT_RUN)
		return "-";
	if (figure == FIGURE_NA)
		return "n/a";
	if (figure == FIGURE_FAILED)
		return "FAILED";
	for (unsigned int i = 0; i < digits; i++)
		whole /= 10;
	if (digits == 4)
		return stats_fixed(text, figure, digits, whole < 10 ? 4 : 1);
	if (whole >= 10000000 || whole <= -10000000) {
		unsigned int n = 0;

		stats_fixed(text, whole, 6, 1);
		while (text[n])
			n++;
		text[n] = 'M';
		text[n + 1] = '\0';
		return text;
	}
	return stats_fixed(text, figure, digits, digits && whole < 100000 ? 1 : 0);
}

char *append(char *at, const char *end, const char *text)
{
	while (*text && at < end)
		*at++ = *text++;
	*at = '\0';
	return at;
}

const char *pair_text(char text[CELL_TEXT], int64_t first, int64_t second)
{
	const char *end = text + CELL_TEXT - 1;
	char a[CELL_TEXT], b[CELL_TEXT];

	if (first == second && !is_number(first))
		return cell_text(text, first, 0);
	append(append(append(text, end, cell_text(a, first, 0)), end, "/"), end,
	       cell_text(b, second, 0));
	return text;
}

bool is_zb(const struct page_allocator_ops *ops)
{
	return ops->hot && ops->hot[0] == 'z';
}

/* Is it measured in more than one setting? */
static bool has_settings(const struct bench *b, const struct page_allocator_ops *ops)
{
	for (unsigned int i = 0; i < b->nr_figures; i++) {
		const struct page_allocator_ops *other = b->figures[i].ops;

		if (same_word(ops->name, other->name) && !same_word(ops->setting, other->setting))
			return true;
	}
	return false;
}

const char *row_name(char name[ROW_NAME], const struct bench *b,
		     const struct page_allocator_ops *ops)
{
	const char *end = name + ROW_NAME - 1;
	char *at = append(name, end, ops->name);

	if (has_settings(b, ops))
		at = append(append(at, end, ", "), end, ops->setting);
	if (is_zb(ops))
		append(append(at, end, ", "), end, ops->hot);
	return name;
}
