/* SPDX-License-Identifier: BSD-2-Clause */
/* What a hart does: allocate, drain, free, add, claim. */
/* ---- taking ---- */
/* Of a bit that is free: the hart's own word, with SPANS, as long as there is that; any other one then. */
#ifdef SPANS
#define PICK(v) (((v) & BIT(me & 1)) -> (me & 1) : LOWEST(v))
#else
#define PICK(v) LOWEST(v)
#endif
#ifdef NO_STEAL
#define MAY_TAKE (P & BIT(me & 1))
#else
#define MAY_TAKE P
#endif

/* A bit of the top word: got = its number, or NONE. */
inline take_top() {
	got = NONE;
	do
	:: got == NONE ->
		v = MAY_TAKE;
		if
		:: v == 0 -> break
		:: else
		fi;
#ifdef NO_OWNER
		P = v & ~BIT(PICK(v)); /* a load and a store */
		got = PICK(v)
#else
		d_step {
			flush(me);
			if
			:: P & BIT(PICK(v)) -> got = PICK(v); P = P & ~BIT(got)
			:: else
			fi
		}
#endif
	:: else -> break
	od;
	v = 0
}

/*
 * All of a word that the hints lead to, for one page, or for two (a word that is full for a
 * moment): v = the bits, i = the word. What is no use goes back.
 */
inline take_hinted(pair) {
	i = 0; v = 0;
#ifndef NO_PATH
	if
	:: SUM ->
		if
		:: HINT == 0 -> sum_clear()
		:: else
		fi
	:: else -> i = 2
	fi;
#endif
	do
	:: i < 2 && v == 0 ->
		if
#ifdef NO_PATH
		:: !(P & BIT(i)) /* any word that is not wholly free */
#else
		:: HINT & BIT(i)
#endif
		->
			if
			:: LOAD_W(me, i) == 0 -> look_again(i); i++
			:: else -> claim_word(pair)
			fi
		:: else -> i++
		fi
	:: else -> break
	od
}

/* The hint led to nothing: clear it, then look at the word. */
inline look_again(w) {
#ifdef W_CLEAR_NO_AQ
	v = LOAD_W(me, w); /* overtakes the AMO on the hint */
#endif
	hint_clear(w);
#ifndef W_CLEAR_NO_AQ
	v = LOAD_W(me, w);
#endif
#ifndef NO_LOOK
	if
	:: v -> v = 0; hint_set(w)
	:: else
	fi
#endif
	v = 0
}

inline claim_word(pair) {
	d_step { flush(me); v = W[i]; W[i] = 0 };
#ifdef NO_CLEAR_FIRST
	hint_clear(i); /* after the claim, and nobody looks again */
#endif
	if
	:: v && (pair -> v != FULL : false) ->
		put(i, v, 0);
		v = 0; i++
	:: v == 0 -> i++
	:: else
	fi
}

/* The hart keeps @m of @w; @state as in page[]. */
inline keep(w, m) {
	d_step {
		assert(priv[me] == 0);
		mark(w, m, 1);
		priv[me] = m; priv_word[me] = w
	}
}

inline drain() {
	if
	:: priv[me] ->
		seq_begin(me);
		d_step { m = priv[me]; i = priv_word[me]; priv[me] = 0; priv_word[me] = 0 };
		put(i, m, 1);
		seq_end(me);
		m = 0; i = 0
	:: else
	fi
}

#define OTHERS_HOLD ((me != 0 && priv[0]) || (me != 1 && priv[1]) || OTHER2)
#if NH > 2
#define OTHER2 (me != 2 && priv[2])
#else
#define OTHER2 false
#endif

/* The answer "none", after a search in vain, or another turn: got stays NONE. */
inline nothing_found() {
	settled();
	if
	:: priv[me] -> drain()
	:: else ->
		if
		:: old ->
			assert(none[me]); /* it was true at some moment */
#if ASKS
			atomic {
				if
				:: OTHERS_HOLD -> ask[0] = (me != 0); ask[1] = (me != 1)
				:: else
				fi
			}
#endif
			turn = TURNS
		:: else
		fi
	fi;
	old = 0
}

inline alloc_one() {
	if
	:: priv[me] -> skip
	:: else ->
		search_begin(1);
		turn = 0; got = NONE;
		do
		:: turn < TURNS && got == NONE && v == 0 ->
			sum_up(before);
			EARLY_SUM();
			seq_begin(me);
			take_top();
			if
			:: got != NONE ->
#if defined(NO_INIT) || defined(NO_INIT_FIRST)
				skip
#else
				node_init(got, 0)
#endif
				;
				keep(got, FULL);
#ifdef NO_INIT_FIRST
				fresh = got
#endif
			:: else ->
				take_hinted(0);
				if
				:: v -> keep(i, v)
				:: else
				fi
			fi;
			seq_end(me);
			turn++;
			if
			:: got == NONE && v == 0 -> nothing_found()
			:: else
			fi
		:: else -> break
		od;
		atomic { search_end(); turn = 0; got = 0; v = 0; i = 0; before = 0; after = 0; old = 0 }
	fi;
	if
	:: priv[me] ->
		d_step {
			m = LOWEST(priv[me]);
			priv[me] = priv[me] & ~BIT(m);
			assert(page[2 * priv_word[me] + m] == 1);
			page[2 * priv_word[me] + m] = 2;
			m = 0;
			if
			:: priv[me] == 0 -> priv_word[me] = 0
			:: else
			fi
		}
	:: else
	fi;
#ifdef NO_INIT_FIRST
	/* A page has left the hart already. */
	if
	:: fresh != NONE -> W[fresh] = 0; fresh = NONE
	:: else
	fi
#endif
}

inline alloc_pair() {
	search_begin(2);
	turn = 0; got = NONE;
	do
	:: turn < TURNS && got == NONE ->
		sum_up(before);
		EARLY_SUM();
		seq_begin(me);
		take_top();
		if
		:: got == NONE ->
			take_hinted(1);
			if
			:: v -> got = i; v = 0
			:: else
			fi
		:: else
		fi;
		if
		:: got != NONE ->
			d_step { mark(got, FULL, 2); block[got] = 1 }
		:: else
		fi;
		seq_end(me);
		turn++;
		if
		:: got == NONE -> nothing_found()
		:: else
		fi
	:: else -> break
	od;
	atomic { search_end(); turn = 0; got = 0; v = 0; i = 0; before = 0; after = 0; old = 0 }
}

/* ---- giving back ---- */
/* A user may pass a block to another hart; that orders what the first has stored. */
#define MINE(p) (page[p] == 2 && (by[p] == me || EMPTY(by[p])))

inline free_page(p) {
#ifndef NO_CHECK
	/* Rule 9. Such a user does nothing wrong: it may not be called so. */
	v = LOAD_W(me, p / 2);
	assert(!(v & BIT(p % 2)));
	if
	:: v == 0 -> assert(!(P & BIT(p / 2)))
	:: else
	fi;
	v = 0;
#endif
	seq_begin(me);
	put(p / 2, BIT(p % 2), 1);
	seq_end(me)
}

/* Takes something that is in use out of the users' hands; i: page, m: is it a block. */
inline pick_used() {
	atomic {
		i = NONE;
		if
		:: MINE(0) && !block[0] -> i = 0
		:: MINE(1) && !block[0] -> i = 1
		:: MINE(2) && !block[1] -> i = 2
		:: MINE(3) && !block[1] -> i = 3
		:: MINE(0) && MINE(1) && block[0] -> i = 0; m = 1
		:: MINE(2) && MINE(3) && block[1] -> i = 2; m = 1
		:: else
		fi;
		if
		:: i != NONE && !m -> page[i] = 1
		:: i != NONE && m -> page[i] = 1; page[i + 1] = 1; block[i / 2] = 0
		:: else
		fi
	}
}

inline free_some() {
	pick_used();
	if
	:: i == NONE
	:: i != NONE && m == 0 -> got = i; free_page(got)
	:: i != NONE && m == 1 ->
		m = 0;
		if
		:: skip ->
			/*
			 * As it is, without a number: a word that is always found gains bits, by one AMO.
			 * With two bits no word below can gain some, hold some before, and not be full.
			 */
			d_step { flush(me); assert(!(P & BIT(i / 2))); P = P | BIT(i / 2); unmark(i / 2, FULL) }
		:: skip -> /* rule 8: split, then a part; the other goes back to the user */
#ifndef NO_PARTS
			node_init(i / 2, 0);
#endif
			got = i;
			atomic { page[i + 1] = 2; by[i + 1] = me };
			free_page(got)
		fi
	fi;
	d_step { i = 0; m = 0; got = 0 }
}

/* ---- rule 8: a range that is added late, a page at a time ---- */
inline add_late() {
	atomic {
		if
		:: late == 0 -> late = 1; i = 2
		:: late == 2 -> late = 3; i = 3
		:: else -> i = NONE
		fi
	};
	if
	:: i != NONE ->
		if
		:: i == 2 -> node_init(1, 0)
		:: else
		fi;
		seq_begin(me);
		got = i;
		put(1, BIT(got % 2), 1);
		seq_end(me);
		d_step { flush(me); late = (late == 1 -> 2 : late) }
	:: else
	fi;
	d_step { i = 0; got = 0 }
}

/* ---- exact claim of the page target, or of its pair ---- */
/* Taken by now; a user has it when what lies beside it has been put right. */
inline claim_mark(taken) {
	if
	:: taken -> mark(target / 2, (pair -> FULL : BIT(target % 2)), 1)
	:: else
	fi
}

/* got: 1 done, 2 another look, 3 busy. */
inline claim_look() {
	got = 3;
	v = P;
	if
	:: v & BIT(target / 2) ->
		d_step { flush(me); v = P; P = P & ~BIT(target / 2); claim_mark(v & BIT(target / 2)) };
		if
		:: !(v & BIT(target / 2)) -> got = 2
		:: else ->
			got = 1;
			if
			:: pair
			:: else ->
#ifdef NO_INIT_BEFORE
				hint_set(target / 2);
				node_init(target / 2, FULL & ~BIT(target % 2))
#else
				node_init(target / 2, FULL & ~BIT(target % 2));
				hint_set(target / 2)
#endif
			fi
		fi
	:: else ->
		if
		:: pair
#ifndef NO_CLAIM_PATH
		:: !pair && !SUM
		:: !pair && SUM && !(HINT & BIT(target / 2))
#endif
		:: else ->
			v = LOAD_W(me, target / 2);
			if
			:: v & BIT(target % 2) ->
				d_step {
					flush(me);
					v = W[target / 2];
					W[target / 2] = v & ~BIT(target % 2);
					claim_mark(v & BIT(target % 2))
				};
				if
				:: v & BIT(target % 2) -> got = 1
				:: else -> got = 2
				fi;
#ifndef NO_CLAIM_HINT
				if
				:: v & ~BIT(target % 2) -> hint_set(target / 2)
				:: else
				fi
#endif
			:: else
			fi
		fi
	fi;
	v = 0
}

inline claim() {
	drain();
	search_begin((pair -> 7 + target / 2 : 3 + target));
	turn = 0;
	do
	:: turn < TURNS ->
		sum_up(before);
		EARLY_SUM();
#ifndef NO_SEQ_TAKE
		seq_begin(me);
#endif
		claim_look();
		if
		:: got == 1 ->
			d_step {
				page[target] = 2;
				if
				:: pair -> page[target + 1] = 2; block[target / 2] = 1
				:: else
				fi
			}
		:: else
		fi;
#ifndef NO_SEQ_TAKE
		seq_end(me);
#endif
		turn++;
		if
		:: got == 1 -> turn = TURNS
		:: else ->
			settled();
			if
			:: old && got == 3 -> assert(none[me]); turn = TURNS
			:: else
			fi
		fi
	:: else -> break
	od;
	atomic { search_end(); turn = 0; got = 0; before = 0; after = 0; old = 0 }
}

