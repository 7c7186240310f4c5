/* SPDX-License-Identifier: BSD-2-Clause */
/* The modelled machine's memory: what each hart may see, and when its stores are seen. */
#include "explore.h"

#include <string.h>

struct machine machine;
bool machine_tells_equals_apart;

static const void *loc_ptr[MAX_LOCS];
static bool loc_is_narrow[MAX_LOCS]; /* 32 bits */
static unsigned int nr_locs;

unsigned int machine_loc(const void *p, bool narrow, bool *is_new)
{
	for (unsigned int i = 0; i < nr_locs; i++)
		if (loc_ptr[i] == p)
			return i;
	if (nr_locs == MAX_LOCS)
		model_fail("more than %d locations", MAX_LOCS);
	loc_ptr[nr_locs] = p;
	loc_is_narrow[nr_locs] = narrow;
	*is_new = true;
	return nr_locs++;
}

const void *machine_ptr(unsigned int loc)
{
	return loc_ptr[loc];
}

/* Memory itself: what is read without atomics, and in quiet moments. */
static void poke(unsigned int loc, uint64_t value)
{
	if (loc_is_narrow[loc])
		*(uint32_t *)(uintptr_t)loc_ptr[loc] = (uint32_t)value;
	else
		*(uint64_t *)(uintptr_t)loc_ptr[loc] = value;
}

uint64_t machine_peek(unsigned int loc)
{
	return loc_is_narrow[loc] ? *(const uint32_t *)loc_ptr[loc]
				  : *(const uint64_t *)loc_ptr[loc];
}

unsigned int machine_nr_locs(void)
{
	return nr_locs;
}

void machine_forget(void)
{
	nr_locs = 0;
}

void machine_reset(unsigned int nr_harts)
{
	machine = (struct machine){ 0 };
	for (unsigned int i = nr_harts; i < MAX_HARTS; i++)
		machine.harts[i].finished = true;
	for (unsigned int loc = 0; loc < nr_locs; loc++) {
		machine.base[loc] = machine_peek(loc);
		if (!model_is_defined(loc_ptr[loc]))
			machine.undefined |= 1ULL << loc;
	}
}

/* The newest write to @loc at or before @time; 0 is the base. */
static unsigned int write_at(unsigned int loc, unsigned int time)
{
	while (time && machine.write_loc[time] != loc)
		time--;
	return time;
}

static uint64_t value_at(unsigned int loc, unsigned int time)
{
	return time ? machine.write_value[time] : machine.base[loc];
}

bool machine_is_buffered(unsigned int h, unsigned int loc)
{
	const struct hart *hart = &machine.harts[h];

	for (unsigned int i = 0; i < hart->nr_buffered; i++)
		if (hart->buffer[i].loc == loc)
			return true;
	return false;
}

static bool is_undefined(unsigned int loc, unsigned int time)
{
	return !time && (machine.undefined >> loc & 1);
}

/*
 * What a load may return: one choice a value. Of equal values the oldest write: that leaves the
 * hart the freedom that the others would, and more.
 */
static unsigned int readable(unsigned int h, unsigned int loc, struct choice *choices)
{
	const struct hart *hart = &machine.harts[h];
	unsigned int view = hart->seen[loc] > hart->floor ? hart->seen[loc] : hart->floor;
	unsigned int n = 0;

	for (unsigned int t = write_at(loc, view); t <= machine.nr_writes; t++) {
		bool known = false;
		uint64_t v;

		if (t && machine.write_loc[t] != loc)
			continue;
		if (is_undefined(loc, t)) {
			/*
			 * Nobody has written it yet: rule 2. But who was led here by an address that
			 * it has loaded sees what was written before that: a dependency that the
			 * machine does not know otherwise.
			 */
			if (write_at(loc, machine.nr_writes) == 0)
				model_bug("reads a word that was never written");
			continue;
		}
		v = value_at(loc, t);
		for (unsigned int i = 0; i < n && !known && !machine_tells_equals_apart; i++)
			known = choices[i].value == v;
		if (!known && n < MAX_CHOICES)
			choices[n++] = (struct choice){ .time = (uint8_t)t, .value = v };
	}
	return n;
}

/* A hart reads its own stores before others do. */
static bool forwarded(unsigned int h, unsigned int loc, struct choice *choice)
{
	const struct hart *hart = &machine.harts[h];

	for (unsigned int i = hart->nr_buffered; i-- > 0;)
		if (hart->buffer[i].loc == loc) {
			*choice = (struct choice){ .value = hart->buffer[i].value };
			return true;
		}
	return false;
}

/* Would the conditional @r change a word that holds @v? */
static bool condition(const struct request *r, uint64_t v)
{
	if (r->access == ACCESS_CAS)
		return v == r->expect;
	return v && !(v & r->value) && (v | r->value) != r->expect;
}

/* Load-reserved may have read early, if nothing comes of it; success has read the newest write. */
static unsigned int conditional(unsigned int h, struct choice *choices)
{
	const struct request *r = &machine.harts[h].request;
	unsigned int newest = write_at(r->loc, machine.nr_writes);
	unsigned int n, kept = 0;

	if (forwarded(h, r->loc, choices)) {
		choices[0].succeeds = condition(r, choices[0].value);
		return 1;
	}
	n = readable(h, r->loc, choices);

	for (unsigned int i = 0; i < n; i++)
		if (!condition(r, choices[i].value))
			choices[kept++] = choices[i];
	if (condition(r, value_at(r->loc, newest)))
		choices[kept++] = (struct choice){ .time = (uint8_t)newest,
						   .value = value_at(r->loc, newest),
						   .succeeds = true };
	return kept;
}

unsigned int machine_choices(unsigned int h, struct choice choices[MAX_CHOICES])
{
	const struct request *r = &machine.harts[h].request;

	if (r->access == ACCESS_STORE || r->access == ACCESS_FENCE) {
		choices[0] = (struct choice){ 0 };
		return 1;
	}
	if (r->access == ACCESS_LOAD)
		return forwarded(h, r->loc, choices) ? 1 : readable(h, r->loc, choices);
	if (r->access == ACCESS_CAS || r->access == ACCESS_OR_PARTIAL)
		return conditional(h, choices);
	if (forwarded(h, r->loc, choices))
		return 1;
	choices[0].time = (uint8_t)write_at(r->loc, machine.nr_writes);
	choices[0].value = value_at(r->loc, choices[0].time);
	choices[0].succeeds = false;
	/* To overwrite one is fine; who looks at what was there gets garbage. */
	if (is_undefined(r->loc, choices[0].time) && r->access != ACCESS_XCHG)
		model_bug("changes a word that was never written");
	return 1;
}

/* What a hart has stored, and reads without atomics, is what it reads. */
static void arrive(unsigned int loc, uint64_t value)
{
	poke(loc, value);
	for (unsigned int h = 0; h < MAX_HARTS; h++) {
		const struct hart *hart = &machine.harts[h];

		for (unsigned int i = 0; i < hart->nr_buffered && model_is_own(h, loc_ptr[loc]);
		     i++)
			if (hart->buffer[i].loc == loc)
				poke(loc, hart->buffer[i].value);
	}
}

static void append(unsigned int loc, uint64_t value)
{
	if (machine.nr_writes == MAX_WRITES)
		model_fail("more than %d writes are remembered", MAX_WRITES);
	machine.nr_writes++;
	machine.write_loc[machine.nr_writes] = (uint8_t)loc;
	machine.write_value[machine.nr_writes] = value;
	arrive(loc, value);
}

/* The write at @time is not listed any more. */
static void lower_view(uint8_t *view, unsigned int time)
{
	if (*view >= time)
		(*view)--;
}

static void remove_write(unsigned int nr_harts, unsigned int time)
{
	unsigned int n = machine.nr_writes - time;

	memmove(&machine.write_loc[time], &machine.write_loc[time + 1], n);
	memmove(&machine.write_value[time], &machine.write_value[time + 1], n * sizeof(uint64_t));
	machine.nr_writes--;
	for (unsigned int h = 0; h < nr_harts; h++) {
		struct hart *hart = &machine.harts[h];

		lower_view(&hart->floor, time);
		lower_view(&hart->old, time);
		for (unsigned int loc = 0; loc < nr_locs; loc++)
			lower_view(&hart->seen[loc], time);
	}
}

/*
 * A write that only its hart will look at: it has no time, or to read it with acquire would tell
 * the hart of others.
 */
static void write_private(unsigned int loc, uint64_t value)
{
	for (unsigned int t = machine.nr_writes; t > 0; t--)
		if (machine.write_loc[t] == loc)
			remove_write(MAX_HARTS, t);
	machine.base[loc] = value;
	machine.undefined &= ~(1ULL << loc);
	arrive(loc, value);
}

static void raise_view(uint8_t *view, unsigned int time)
{
	if (*view < time)
		*view = (uint8_t)time;
}

bool machine_may_drain(unsigned int h, unsigned int entry)
{
	const struct hart *hart = &machine.harts[h];

	if (hart->buffer[entry].release)
		return entry == 0;
	for (unsigned int i = 0; i < entry; i++)
		if (hart->buffer[i].loc == hart->buffer[entry].loc)
			return false;
	return true;
}

/* Does a store to @loc have to wait for this one? */
bool machine_is_needed(unsigned int h, unsigned int entry, unsigned int loc)
{
	const struct hart *hart = &machine.harts[h];

	if (hart->buffer[entry].loc == loc)
		return true;
	for (unsigned int i = entry + 1; i < hart->nr_buffered; i++)
		if (hart->buffer[i].release && machine_is_needed(h, i, loc))
			return true;
	return false;
}

void machine_drain(unsigned int h, unsigned int entry, bool private)
{
	struct hart *hart = &machine.harts[h];
	struct buffered b = hart->buffer[entry];

	hart->nr_buffered--;
	memmove(&hart->buffer[entry], &hart->buffer[entry + 1],
		(hart->nr_buffered - entry) * sizeof(b));
	if (private) {
		write_private(b.loc, b.value);
	} else {
		append(b.loc, b.value);
		raise_view(&hart->seen[b.loc], machine.nr_writes);
	}
}

/* What has to arrive before an AMO of the hart's: all, if that is a release. */
static void drain_for(struct hart *hart)
{
	unsigned int h = (unsigned int)(hart - machine.harts);

	for (unsigned int e = 0; e < hart->nr_buffered;) {
		bool wanted = (hart->request.order & MODEL_RELEASE) ||
			      machine_is_needed(h, e, hart->request.loc);

		if (wanted && machine_may_drain(h, e)) {
			machine_drain(h, e, false);
			e = 0;
		} else {
			e++;
		}
	}
}

static void perform_load(struct hart *hart, const struct choice *c)
{
	unsigned int loc = hart->request.loc;

	if (machine_is_buffered((unsigned int)(hart - machine.harts), loc))
		return; /* forwarded */
	raise_view(&hart->seen[loc], c->time);
	raise_view(&hart->old, c->time);
	if (hart->request.order & MODEL_ACQUIRE)
		raise_view(&hart->floor, c->time);
}

/* A load and a store in one: an AMO stands where its store does, an lr.aq where it read. */
static void perform_rmw(struct hart *hart, const struct choice *c)
{
	struct request *r = &hart->request;
	uint64_t v = r->value;
	bool conditional = r->access == ACCESS_CAS || r->access == ACCESS_OR_PARTIAL;

	if (conditional) {
		perform_load(hart, c);
		r->done = c->succeeds;
		if (!c->succeeds)
			return;
	}
	if (r->access == ACCESS_OR || r->access == ACCESS_OR_PARTIAL)
		v |= c->value;
	else if (r->access == ACCESS_AND)
		v &= c->value;
	drain_for(hart);
	append(r->loc, v);
	raise_view(&hart->seen[r->loc], machine.nr_writes);
	if (conditional && r->order != MODEL_FULL)
		return;
	raise_view(&hart->old, machine.nr_writes);
	if (r->order & MODEL_ACQUIRE)
		raise_view(&hart->floor, machine.nr_writes);
}

void machine_store_private(unsigned int h)
{
	write_private(machine.harts[h].request.loc, machine.harts[h].request.value);
}

void machine_issue(unsigned int h)
{
	struct hart *hart = &machine.harts[h];

	if (hart->nr_buffered == MAX_BUFFER)
		model_fail("more than %d stores are buffered", MAX_BUFFER);
	hart->buffer[hart->nr_buffered++] =
		(struct buffered){ .value = hart->request.value,
				   .loc = (uint8_t)hart->request.loc,
				   .release = (hart->request.order & MODEL_RELEASE) != 0 };
	if (model_is_own(h, loc_ptr[hart->request.loc]))
		poke(hart->request.loc, hart->request.value);
}

void machine_perform(unsigned int h, const struct choice *c)
{
	struct hart *hart = &machine.harts[h];

	hart->request.result = c->value;
	switch (hart->request.access) {
	case ACCESS_LOAD:
		perform_load(hart, c);
		break;
	case ACCESS_STORE:
		machine_issue(h);
		break;
	case ACCESS_FENCE:
		if (hart->request.order & MODEL_ACQUIRE)
			raise_view(&hart->floor, hart->old);
		break;
	default:
		perform_rmw(hart, c);
	}
	hart->local = hash_mix(hart->local, c->value * 2 + c->succeeds);
}

/* A view is as good one write lower if that write means nothing to its hart. */
static void lower_where_equal(unsigned int h, uint8_t *view,
			      bool (*can_read)(unsigned int h, unsigned int loc))
{
	while (*view) {
		unsigned int loc = machine.write_loc[*view];

		if (can_read(h, loc) && machine.harts[h].seen[loc] < *view)
			return;
		(*view)--;
	}
}

/* Views that allow the same become the same. */
static void canonical_views(unsigned int nr_harts,
			    bool (*can_read)(unsigned int h, unsigned int loc))
{
	for (unsigned int h = 0; h < nr_harts; h++) {
		struct hart *hart = &machine.harts[h];

		lower_where_equal(h, &hart->floor, can_read);
		lower_where_equal(h, &hart->old, can_read);
		if (hart->old <= hart->floor)
			hart->old = 0;
		for (unsigned int loc = 0; loc < nr_locs; loc++) {
			hart->seen[loc] = (uint8_t)write_at(loc, hart->seen[loc]);
			if (hart->seen[loc] <= hart->floor || !can_read(h, loc))
				hart->seen[loc] = 0;
		}
	}
}

static void swap_writes(unsigned int nr_harts, unsigned int t)
{
	uint8_t loc = machine.write_loc[t];
	uint64_t value = machine.write_value[t];

	machine.write_loc[t] = machine.write_loc[t + 1];
	machine.write_value[t] = machine.write_value[t + 1];
	machine.write_loc[t + 1] = loc;
	machine.write_value[t + 1] = value;
	for (unsigned int h = 0; h < nr_harts; h++) {
		uint8_t *seen = machine.harts[h].seen;

		if (seen[loc] == t)
			seen[loc]++;
		if (seen[machine.write_loc[t]] == t + 1)
			seen[machine.write_loc[t]]--;
	}
}

/*
 * Does the order of the writes at @t and behind it mean anything? Not to a hart that can look at
 * one of them only, or that has both behind it; unless a view lies between them.
 */
static bool order_matters(unsigned int nr_harts, unsigned int t,
			  bool (*can_read)(unsigned int h, unsigned int loc))
{
	unsigned int a = machine.write_loc[t], b = machine.write_loc[t + 1];

	for (unsigned int h = 0; h < nr_harts; h++) {
		const struct hart *hart = &machine.harts[h];

		if (hart->floor == t || hart->old == t)
			return true;
		if (hart->floor <= t && can_read(h, a) && can_read(h, b))
			return true;
	}
	return false;
}

static void canonical_order(unsigned int nr_harts,
			    bool (*can_read)(unsigned int h, unsigned int loc))
{
	bool changed = true;

	while (changed) {
		changed = false;
		for (unsigned int t = 1; t < machine.nr_writes; t++) {
			if (machine.write_loc[t] <= machine.write_loc[t + 1] ||
			    order_matters(nr_harts, t, can_read))
				continue;
			swap_writes(nr_harts, t);
			changed = true;
		}
	}
}

/* Has hart @h the write at @t behind it, and would it learn nothing from reading it again? */
static bool is_behind(unsigned int h, unsigned int t,
		      bool (*can_read)(unsigned int h, unsigned int loc))
{
	const struct hart *hart = &machine.harts[h];

	if (hart->floor >= t)
		return true;
	if (hart->seen[machine.write_loc[t]] < t)
		return false;
	for (unsigned int i = hart->floor + 1U; i < t; i++)
		if (can_read(h, machine.write_loc[i]) && hart->seen[machine.write_loc[i]] < i)
			return false;
	return true;
}

void machine_trim(unsigned int nr_harts, bool (*can_read)(unsigned int h, unsigned int loc))
{
	for (unsigned int t = 1; t <= machine.nr_writes;) {
		unsigned int loc = machine.write_loc[t];
		bool settled = true;

		for (unsigned int h = 0; h < nr_harts && settled; h++) {
			settled = is_behind(h, t, can_read) || !can_read(h, loc);
		}
		if (!settled) {
			t++;
			continue;
		}
		machine.base[loc] = machine.write_value[t];
		machine.undefined &= ~(1ULL << loc);
		/* Those before it cannot be read either. */
		for (unsigned int i = t; i > 0; i--)
			if (machine.write_loc[i] == loc)
				remove_write(nr_harts, i), t--;
		t++;
	}
	canonical_views(nr_harts, can_read);
	canonical_order(nr_harts, can_read);
}

uint64_t machine_hash(unsigned int nr_harts)
{
	uint64_t x = hash_mix(machine.nr_writes, machine.undefined);

	for (unsigned int loc = 0; loc < nr_locs; loc++)
		x = hash_mix(x, machine.base[loc]);
	for (unsigned int t = 1; t <= machine.nr_writes; t++)
		x = hash_mix(x, machine.write_value[t] ^ (uint64_t)machine.write_loc[t] << 56);
	for (unsigned int h = 0; h < nr_harts; h++) {
		const struct hart *hart = &machine.harts[h];

		x = hash_mix(x, hart->local);
		x = hash_mix(x, hart->pc | (uint64_t)hart->floor << 8 | (uint64_t)hart->old << 16 |
					(uint64_t)hart->nr_buffered << 24 |
					(uint64_t)hart->finished << 32 |
					(uint64_t)hart->begun << 33);
		for (unsigned int loc = 0; loc < nr_locs; loc++)
			if (hart->seen[loc])
				x = hash_mix(x, loc << 8 | hart->seen[loc]);
		for (unsigned int i = 0; i < hart->nr_buffered; i++)
			x = hash_mix(x, hart->buffer[i].value ^
						(uint64_t)hart->buffer[i].loc << 56 ^
						(uint64_t)hart->buffer[i].release << 55);
	}
	return x;
}
