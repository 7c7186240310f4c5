/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The buddy's protocol (docs/architecture.md) for Spin: 2 bits a word, 2 levels, pages 0 to 3.
 * P is the top word; its bit w says that the pages of W[w] are wholly free. HINT has a bit for
 * each W, SUM is its summary, as a tree of three levels has one. It follows the protocol, not the
 * text of mm/; docs/testing.md says what it leaves out.
 *
 * Each hart makes OPS operations of the kinds that MAY0, MAY1, MAY2 allow it; which and when is
 * Spin's to choose, and START says what it finds. A macro NO_... undoes a rule. With WEAK plain
 * stores wait in a store buffer, in no order; W_... take away the orders that matter. check.py
 * has the list of runs, and what each must find.
 */
#include "state.pml"
#include "words.pml"
#include "operations.pml"

/* ---- what must hold when no hart is in an operation ---- */
#define IN_WORD(p) ((W[(p) / 2] >> ((p) % 2)) & 1)
#define HELD(h, p) (priv[h] && priv_word[h] == (p) / 2 && (priv[h] & BIT((p) % 2)))
#if NH > 2
#define PRIVATE(p) (HELD(0, p) || HELD(1, p) || HELD(2, p))
#define QUIET	   (!busy[0] && !busy[1] && !busy[2])
#define ALL_EMPTY  (EMPTY(0) && EMPTY(1) && EMPTY(2))
#else
#define PRIVATE(p) (HELD(0, p) || HELD(1, p))
#define QUIET	   (!busy[0] && !busy[1])
#define ALL_EMPTY  (EMPTY(0) && EMPTY(1))
#endif

inline audit_page(p) {
	assert((page[p] == 0) == IN_WORD(p));
	assert((page[p] == 1) == PRIVATE(p))
}
inline audit_word(w) {
	if
	:: P & BIT(w) -> assert(PAIR(w))
	:: else ->
		if
		:: block[w] || page[2 * (w)] == 3 /* its word may never have been written */
		:: else ->
			audit_page(2 * (w));
			audit_page(2 * (w) + 1);
			assert(W[w] != FULL);
			assert(W[w] == 0 || (SUM && (HINT & BIT(w))))
		fi
	fi
}
inline audit() {
	if
	:: QUIET && ALL_EMPTY -> audit_word(0); audit_word(1)
	:: else
	fi
}

#if NH > 2
#define QUIET_BUT_ME (!busy[(me + 1) % 3] && !busy[(me + 2) % 3])
#else
#define QUIET_BUT_ME (!busy[1 - me])
#endif

/* Rule 9: a page that is free is freed again, while nobody else is at work. */
inline wrong_free() {
	atomic {
		if
		:: QUIET_BUT_ME && page[0] == 0 -> i = 0
		:: QUIET_BUT_ME && page[2] == 0 -> i = 2
		:: else -> i = NONE
		fi;
		if
		:: i == NONE || (W[i / 2] & BIT(i % 2))
#ifndef NO_CHECK
		:: i != NONE && W[i / 2] == 0 && (P & BIT(i / 2))
#endif
		:: else -> put(i / 2, BIT(i % 2), 0)
		fi;
		i = 0
	}
}

/* Rule 7 undone: another hart drains this one's private bits, without asking. */
inline steal() {
	got = (me + 1) % NH;
	i = priv_word[got];
	m = priv[got];
	if
	:: m ->
		seq_begin(me);
		put(i, m, 1);
		seq_end(me);
		d_step { priv[got] = 0; priv_word[got] = 0 }
	:: else
	fi;
	d_step { got = 0; i = 0; m = 0 }
}

inline claim_any() {
	if
	:: got = 0; old = 0
	:: got = 2; old = 0
	:: got = 2; old = 1
	fi;
	d_step { target = got; pair = old; got = 0; old = 0 };
	claim();
	d_step { target = 0; pair = 0 }
}

/* What a hart may do: a sum of these, for each. */
#define ALLOC_ONE  1
#define ALLOC_PAIR 2
#define FREE	   4
#define DRAIN	   8
#define CLAIM	   16
#define LATE	   32
#define WRONG	   64
#define STEAL	   128
#ifndef MAY1
#define MAY1 MAY0
#endif
#ifndef MAY2
#define MAY2 MAY1
#endif
#define MAY(what) ((me == 0 -> MAY0 : (me == 1 -> MAY1 : MAY2)) & (what))

inline choose() {
	if
	:: MAY(ALLOC_ONE) -> op = ALLOC_ONE
	:: MAY(ALLOC_PAIR) -> op = ALLOC_PAIR
	:: MAY(FREE) -> op = FREE
	:: MAY(DRAIN) -> op = DRAIN
	:: MAY(CLAIM) -> op = CLAIM
	:: MAY(LATE) -> op = LATE
	:: MAY(WRONG) -> op = WRONG
#ifdef NO_PRIVATE
	:: MAY(STEAL) -> op = STEAL
#endif
	fi
}

proctype hart(byte me) {
	byte n = 0, op = 0, i = 0, m = 0, v = 0, got = 0, old = 0, seen = 0, turn = 0;
	byte before = 0, after = 0, target = 0;
	bit pair = 0;
#ifdef NO_INIT_FIRST
	byte fresh = NONE;
#endif

	do
	:: n == OPS -> break
	:: n < OPS ->
		atomic { choose(); busy[me] = 1; n++ };
#if ASKS
		if
		:: ask[me] -> ask[me] = 0; drain()
		:: else
		fi;
#endif
		if
		:: op == ALLOC_ONE -> alloc_one()
		:: op == ALLOC_PAIR -> alloc_pair()
		:: op == FREE -> free_some()
		:: op == DRAIN -> drain()
		:: op == CLAIM -> claim_any()
		:: op == LATE -> add_late()
		:: op == WRONG -> wrong_free()
#ifdef NO_PRIVATE
		:: op == STEAL -> steal()
#endif
		fi;
		d_step { op = 0; busy[me] = 0; audit() }
	od;
	/* In the end, when all stores have arrived. */
	atomic { ALL_EMPTY; audit() }
}

init {
	d_step {
		late = 3;
#if START == 0 /* all is free; the words below have never been written */
		P = 3; W[0] = 1; W[1] = 3
#elif START == 1 /* three pages in use, and one in a word */
		HINT = 1; SUM = 1; W[0] = 1; page[1] = 2; page[2] = 2; page[3] = 2
#elif START == 2 /* a pair in use as a block, whose word has never been written; two pages */
		W[1] = 3; block[1] = 1; page[0] = 2; page[1] = 2; page[2] = 2; page[3] = 2
#elif START == 3 /* pages 2 and 3 are not there yet; a stale hint */
		HINT = 1; SUM = 1; W[1] = 3; page[0] = 2; page[1] = 2; page[2] = 3; page[3] = 3; late = 0
#elif START == 4 /* a pair is free as a whole, with a stale hint; two pages in use */
		P = 2; HINT = 3; SUM = 1; page[0] = 2; page[1] = 2
#elif START == 5 /* all is in use, and all hints are stale */
		HINT = 3; SUM = 1; page[0] = 2; page[1] = 2; page[2] = 2; page[3] = 2
#elif START == 6 /* a hart keeps a whole word, whose hint is stale */
		HINT = 1; SUM = 1; priv[0] = 3; page[0] = 1; page[1] = 1; page[2] = 2; page[3] = 2
#elif START == 7 /* a pair is free as a whole, in a word that has never been written; no hints */
		P = 1; W[0] = 1; page[2] = 2; page[3] = 2
#elif START == 8 /* a page of the second word is free; a pair in use as a block */
		HINT = 2; SUM = 1; W[1] = 1; block[0] = 1; page[0] = 2; page[1] = 2; page[3] = 2
#endif
	};
	atomic {
		run hart(0);
		run hart(1);
#if NH > 2
		run hart(2)
#endif
	}
}
