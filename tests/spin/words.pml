/* SPDX-License-Identifier: BSD-2-Clause */
/* Words and hints: the rules 3 to 6. */
/* ---- rule 5: hints ---- */
inline hint_set(w) {
#ifndef W_PUT_NO_AQ
	seen = HINT;
#endif
	if
	:: seen & BIT(w)
	:: else ->
		d_step { HINT_RL(me); seen = HINT; HINT = HINT | BIT(w) };
		if
		:: seen
		:: else ->
			if
			:: SUM
			:: else -> d_step { HINT_RL(me); SUM = 1 }
			fi
		fi
	fi;
	seen = 0
}

/* The caller looks at the word afterwards. */
inline hint_clear(w) {
	d_step { flush(me); HINT = HINT & ~BIT(w); seen = HINT };
	if
	:: seen
	:: else -> sum_clear()
	fi;
	seen = 0
}
inline sum_clear() {
	d_step { flush(me); SUM = 0 };
#ifndef NO_REREAD
	if
	:: HINT -> d_step { flush(me); SUM = 1 }
	:: else
	fi
#endif
}

/* ---- rule 4: put ---- */
/* Of pages that are in use or private (@state), or were never taken: 0. */
inline put(w, m, state) {
#ifdef W_PUT_NO_AQ
	seen = HINT; /* the hint's load overtakes the AMO */
#endif
#ifdef NO_HINT_AFTER
	hint_set(w);
#endif
	d_step {
		PUT_RL(me);
		old = W[w];
		W[w] = old | (m);
		assert(!(old & (m)));
		if
		:: state -> unmark(w, m)
		:: else
		fi
	};
	if
#ifndef NO_CARRY
	:: (old | (m)) == FULL -> carry(w)
#endif
#ifndef NO_HINT_AFTER
	:: (old | (m)) != FULL && !old -> hint_set(w)
#endif
	:: else
	fi;
	old = 0
}
inline carry(w) {
	d_step {
		flush(me);
		if
		:: W[w] == FULL -> W[w] = 0; old = 1
		:: else -> old = 0
		fi
	};
	if
	:: old -> d_step { flush(me); assert(!(P & BIT(w))); P = P | BIT(w) }
	:: else
	fi
}

/* ---- rule 3: split ---- */
/* The owner of the parent's bit says what is left: by a plain store, or, as it must be, an AMO. */
inline node_init(w, rest) {
#ifdef W_INIT_STORE
	d_step { STORE_W(me, w, rest) }
#else
	d_step { flush(me); W[w] = rest }
#endif
}

/* ---- rule 6 ---- */
inline sum_up(sum) {
	d_step {
		sum = (me != 0 -> seq[0] : 0) + (me != 1 -> seq[1] : 0);
		if
		:: (me != 0 && seq[0] & 1) || (me != 1 && seq[1] & 1) -> sum = NONE
		:: else
		fi;
#if NH > 2
		if
		:: me != 2 && sum != NONE -> sum = (seq[2] & 1 -> NONE : sum + seq[2])
		:: else
		fi
#endif
	}
}

inline settled() {
#ifndef W_NO_FENCE
	sum_up(after);
#endif
	d_step {
		old = (before != NONE && before == after);
#ifdef NO_SEQ
		old = 1;
#endif
		before = 0; after = 0
	}
}
#ifdef W_NO_FENCE
/* The second reading overtakes the loads of the search. */
#define EARLY_SUM() sum_up(after)
#else
#define EARLY_SUM() skip
#endif

inline search_begin(what) {
	d_step { wants[me] = what; look_at(me) }
}
inline search_end() {
	wants[me] = 0; none[me] = 0
}

