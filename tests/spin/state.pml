/* SPDX-License-Identifier: BSD-2-Clause */
/* What harts share, what they keep, and what only the model knows; stores and their buffers. */
#ifndef NH
#define NH 2
#endif
#ifndef OPS
#define OPS 3
#endif
#ifndef START
#define START 0
#endif
#ifndef ASKS
#define ASKS 0
#endif
#define FULL  3
#define TURNS 2 /* of a search */
#define NONE  255

#define BIT(i)    (1 << (i))
#define LOWEST(x) ((x) & 1 -> 0 : 1)

byte P;
byte W[2];
byte HINT;
bit SUM;
byte seq[NH];

/* What a hart keeps for itself: bits of one word. */
byte priv[NH];
byte priv_word[NH];
bit ask[NH]; /* rule 7: please drain */

/*
 * Not in the code: who has what. page: 0 free, in the trees or on its way there; 1 in a hart's
 * private bits; 2 in use; 3 not added yet. block[w]: the pages of w are in use as one block.
 */
byte page[4];
bit block[2];
byte by[4]; /* the hart that got the page */
byte late; /* pages of the hole that were added: it is pages 2 and 3 */
bit busy[NH];
/*
 * What a hart looks for: 1 any page, 2 any pair, 3 + p page p, 7 + w pair w; 0: nothing. none: at
 * some moment since it began that was not free.
 */
byte wants[NH];
bit none[NH];

/* ---- plain stores ---- */
#ifdef WEAK
bit has_seq[NH], has_w[NH];
byte sb_seq[NH], sb_w[NH], sb_word[NH];

inline flush(h) {
	if
	:: has_seq[h] -> seq[h] = sb_seq[h]; has_seq[h] = 0; sb_seq[h] = 0
	:: else
	fi;
	if
	:: has_w[h] -> W[sb_word[h]] = sb_w[h]; has_w[h] = 0; sb_w[h] = 0; sb_word[h] = 0
	:: else
	fi
}
#define EMPTY(h)     (!has_seq[h] && !has_w[h])
#define SEQ_OWN(h)   (has_seq[h] -> sb_seq[h] : seq[h])
#define LOAD_W(h, w) ((has_w[h] && sb_word[h] == (w)) -> sb_w[h] : W[w])
#define STORE_SEQ(h, v) sb_seq[h] = (v); has_seq[h] = 1
#define STORE_W(h, w, v) flush(h); sb_w[h] = (v); sb_word[h] = (w); has_w[h] = 1

/* The memory: takes a store out of a buffer, whichever. */
active [NH] proctype memory() {
end:	do
	:: atomic { has_seq[_pid] -> seq[_pid] = sb_seq[_pid]; has_seq[_pid] = 0; sb_seq[_pid] = 0 }
	:: atomic { has_w[_pid] -> W[sb_word[_pid]] = sb_w[_pid]; has_w[_pid] = 0; sb_w[_pid] = 0; sb_word[_pid] = 0 }
	od
}
#else
#define flush(h)         skip
#define EMPTY(h)         true
#define SEQ_OWN(h)       seq[h]
#define LOAD_W(h, w)     W[w]
#define STORE_SEQ(h, v)  seq[h] = (v)
#define STORE_W(h, w, v) W[w] = (v)
#endif

/* An AMO waits for the stores before it: .rl. Without, it does not. */
#ifdef W_PUT_NO_RL
#define PUT_RL(h) skip
#else
#define PUT_RL(h) flush(h)
#endif
#ifdef W_HINT_NO_RL
#define HINT_RL(h) skip
#else
#define HINT_RL(h) flush(h)
#endif

inline seq_begin(h) {
#ifndef NO_SEQ
	d_step { STORE_SEQ(h, SEQ_OWN(h) + 1) }
#else
	skip
#endif
}

inline seq_end(h) {
#ifndef NO_SEQ
	d_step {
#ifndef W_END_NO_RL
		flush(h);
#endif
		STORE_SEQ(h, SEQ_OWN(h) + 1)
	}
#else
	skip
#endif
}

/* ---- what there is, for the answers "none" and "busy" ---- */
#define IS_FREE(p) (page[p] == 0)
#define PAIR(w)    (IS_FREE(2 * (w)) && IS_FREE(2 * (w) + 1))
#define ONE_LEFT   (IS_FREE(0) || IS_FREE(1) || IS_FREE(2) || IS_FREE(3))
#define TWO_LEFT   (PAIR(0) || PAIR(1))

#define THERE(what) \
	((what) < 3 -> ((what) == 1 -> ONE_LEFT : TWO_LEFT) \
		    : ((what) < 7 -> IS_FREE((what) - 3) : PAIR((what) - 7)))

/* In the same step as the change. */
inline look_at(h) {
	if
	:: wants[h] && !THERE(wants[h]) -> none[h] = 1
	:: else
	fi
}
inline something_taken() {
	look_at(0); look_at(1);
#if NH > 2
	look_at(2)
#endif
}

/* Bits @m of @w belong to the hart, or to a user of it. */
inline mark(w, m, state) {
	if
	:: (m) & 1 -> assert(page[2 * (w)] == 0); page[2 * (w)] = state; by[2 * (w)] = me
	:: else
	fi;
	if
	:: (m) & 2 -> assert(page[2 * (w) + 1] == 0); page[2 * (w) + 1] = state; by[2 * (w) + 1] = me
	:: else
	fi;
	something_taken()
}
inline unmark(w, m) {
	if
	:: (m) & 1 -> page[2 * (w)] = 0; by[2 * (w)] = 0
	:: else
	fi;
	if
	:: (m) & 2 -> page[2 * (w) + 1] = 0; by[2 * (w) + 1] = 0
	:: else
	fi
}

