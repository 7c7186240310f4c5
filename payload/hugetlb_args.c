/* SPDX-License-Identifier: BSD-2-Clause */
/* hugepagesz=, hugepages= and default_hugepagesz=. Nothing here needs the payload. */
#include "hugetlb_args.h"

#include <string.h>

#include <earlymm/error.h>

void hugetlb_args_init(struct hugetlb_args *args)
{
	*args = (struct hugetlb_args){ .has_default = false };
}

/* A value for a message: one line of it, and no record of the benchmark's. */
struct shown {
	char text[48];
};

static struct shown show(const char *value)
{
	struct shown s = { .text = "" };

	for (size_t i = 0; value && value[i] && i + 1 < sizeof(s.text); i++)
		s.text[i] = value[i] > ' ' && value[i] < 0x7f && value[i] != '@' ? value[i] : '?';
	return s;
}

static int digit_of(char c, uint64_t base)
{
	int digit = -1;

	if (c >= '0' && c <= '9')
		digit = c - '0';
	else if (c >= 'a' && c <= 'f')
		digit = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		digit = c - 'A' + 10;
	return digit >= 0 && (uint64_t)digit < base ? digit : -1;
}

/* A number at *@s, which moves behind it. False if there is none, or it has more than 64 bits. */
static bool read_number(const char **s, uint64_t base, uint64_t *value)
{
	uint64_t x = 0;
	int digit = digit_of(**s, base);

	if (digit < 0)
		return false;
	for (; digit >= 0; digit = digit_of(*++*s, base)) {
		if (x > (UINT64_MAX - (uint64_t)digit) / base)
			return false;
		x = x * base + (uint64_t)digit;
	}
	*value = x;
	return true;
}

/* Linux: memparse; but all of the text must be the size. */
static bool read_size(const char *s, uint64_t *bytes)
{
	static const char units[] = "KMGTPE";
	uint64_t base = 10;
	unsigned int shift = 0;

	if (s[0] == '0' && (s[1] | 0x20) == 'x') {
		base = 16;
		s += 2;
	}
	if (!read_number(&s, base, bytes))
		return false;
	if (*s) {
		const char *unit = strchr(units, *s & ~0x20);

		if (!unit || !*unit || s[1])
			return false;
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	if (*bytes > UINT64_MAX >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

/* The order of a size in bytes, 0 if it has none that is a huge page's. */
static unsigned int order_of(uint64_t bytes)
{
	unsigned int order = 1;

	while (order <= HUGETLB_MAX_ORDER && PAGE_SIZE << order != bytes)
		order++;
	return order <= HUGETLB_MAX_ORDER ? order : 0;
}

static unsigned int find_size(const struct hugetlb_request *req, unsigned int order)
{
	unsigned int i = 0;

	while (i < req->nr_sizes && req->size[i].order != order)
		i++;
	return i;
}

/* A size by its text: its index in the request, where it may be new. -EMM_EINVAL, reported. */
static int add_size(struct hugetlb_request *req, const char *key, const char *value,
		    unsigned int *index, bool *is_new, const struct printer *out)
{
	uint64_t bytes;
	unsigned int order = value && read_size(value, &bytes) ? order_of(bytes) : 0;

	if (!order) {
		print_to(out,
			 "HugeTLB: unsupported %s=%s: a power of two above %llu is, such as 2M\n",
			 key, show(value).text, (unsigned long long)PAGE_SIZE);
		return -EMM_EINVAL;
	}
	*index = find_size(req, order);
	*is_new = *index == req->nr_sizes;
	if (*index == HUGE_MAX_HSTATE) {
		print_to(out, "HugeTLB: %s=%s: there are %u sizes already, which is the most\n",
			 key, show(value).text, HUGE_MAX_HSTATE);
		return -EMM_EINVAL;
	}
	if (*is_new)
		req->size[req->nr_sizes++].order = order;
	return 0;
}

static int set_size(struct hugetlb_args *args, const char *value, const struct printer *out)
{
	unsigned int index;
	bool is_new;
	int err = add_size(&args->request, "hugepagesz", value, &index, &is_new, out);

	args->size_is_bad = true;
	if (err)
		return err;
	/* Again is fine for the default size, as long as nobody has said how many. */
	if (!is_new && (!args->has_default || index != args->request.default_size ||
			args->request.size[index].count.given)) {
		print_to(out, "HugeTLB: hugepagesz=%s specified twice, ignoring\n",
			 show(value).text);
		return 0;
	}
	args->parsed = index;
	args->size_is_bad = false;
	return 0;
}

static int set_default(struct hugetlb_args *args, const char *value, const struct printer *out)
{
	unsigned int index;
	bool is_new;
	int err;

	args->size_is_bad = true;
	if (args->has_default) {
		print_to(out, "HugeTLB: default_hugepagesz previously specified, ignoring %s\n",
			 show(value).text);
		return 0;
	}
	err = add_size(&args->request, "default_hugepagesz", value, &index, &is_new, out);
	if (err)
		return err;
	args->has_default = true;
	args->size_is_bad = false;
	args->request.default_size = args->parsed = index;
	/* What was asked for before any size. */
	if (args->first.given && !args->request.size[index].count.given) {
		args->request.size[index].count = args->first;
		args->first.given = false;
	}
	return 0;
}

/* NODE:N,NODE:N… */
static bool read_node_counts(const char *s, struct hugetlb_count *count)
{
	while (count->nr_nodes < HUGETLB_MAX_NODES) {
		uint64_t nid, nr;

		if (!read_number(&s, 10, &nid) || nid > INT32_MAX || *s++ != ':' ||
		    !read_number(&s, 10, &nr))
			return false;
		for (unsigned int i = 0; i < count->nr_nodes; i++)
			if (count->node[i].nid == (int)nid)
				return false;
		count->node[count->nr_nodes].nid = (int)nid;
		count->node[count->nr_nodes++].nr = nr;
		if (!*s)
			return true;
		if (*s++ != ',')
			return false;
	}
	return false;
}

/* N, or one for each node. */
static bool read_count(const char *s, struct hugetlb_count *count)
{
	const char *end = s;

	*count = (struct hugetlb_count){ .given = true };
	if (read_number(&end, 10, &count->nr) && !*end)
		return true;
	count->nr = 0;
	return read_node_counts(s, count);
}

static int set_count(struct hugetlb_args *args, const char *value, const struct printer *out)
{
	struct hugetlb_count count, *to = &args->first;

	if (args->size_is_bad) {
		print_to(out,
			 "HugeTLB: hugepages=%s does not follow a valid hugepagesz, ignoring\n",
			 show(value).text);
		args->size_is_bad = false;
		return 0;
	}
	if (args->request.nr_sizes)
		to = &args->request.size[args->parsed].count;
	if (to->given) {
		print_to(out,
			 "HugeTLB: hugepages= specified twice without interleaving hugepagesz=, "
			 "ignoring hugepages=%s\n",
			 show(value).text);
		return 0;
	}
	if (!value || !read_count(value, &count)) {
		print_to(out,
			 "HugeTLB: invalid hugepages=%s: N, or NODE:N,NODE:N with up to %u "
			 "nodes, "
			 "is understood\n",
			 show(value).text, HUGETLB_MAX_NODES);
		return -EMM_EINVAL;
	}
	*to = count;
	return 0;
}

int hugetlb_option(struct hugetlb_args *args, const char *key, const char *value,
		   const struct printer *out)
{
	if (!strcmp(key, "hugepagesz"))
		return set_size(args, value, out);
	if (!strcmp(key, "default_hugepagesz"))
		return set_default(args, value, out);
	if (!strcmp(key, "hugepages"))
		return set_count(args, value, out);
	return -EMM_ENOENT;
}

void hugetlb_args_end(struct hugetlb_args *args, const struct printer *out)
{
	struct hugetlb_request *req = &args->request;
	unsigned int *def = &req->default_size;

	if (!req->nr_sizes && !args->first.given)
		return;
	if (!args->has_default)
		*def = find_size(req, HUGETLB_PAGE_ORDER);
	if (*def < HUGE_MAX_HSTATE && *def == req->nr_sizes)
		req->size[req->nr_sizes++].order = HUGETLB_PAGE_ORDER;
	if (!args->first.given)
		return;
	if (*def == HUGE_MAX_HSTATE) {
		print_to(out,
			 "HugeTLB: hugepages= before any size is ignored: there are %u sizes "
			 "besides the default one\n",
			 HUGE_MAX_HSTATE);
		return;
	}
	if (req->size[*def].count.given)
		print_to(out, "HugeTLB: hugepages= for the default size was specified before any "
			      "size: that holds, the other is ignored\n");
	req->size[*def].count = args->first;
}
