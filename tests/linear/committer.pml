/* committer.pml - how a change goes from the loop that received it to the committer and back, for spin.
 *
 * Three requests, each on a loop of its own, batches of at most two, a disk that may fail at every call, a stop at any moment.
 * Each step names the function it stands for; what holds a mutex there is atomic here.  Checked by assertions, and by there
 * being no state in which anybody waits for ever (an invalid end state).  -DBUG=n plants what must be found. */
#ifndef BUG
#define BUG 0
#endif
#define REQUESTS 3
#define BATCH    2 /* STORE_BATCH_MAX */

mtype = { DONE, REFUSED, FAILED, UNKNOWN };

chan queue = [REQUESTS] of { byte };       /* store/queue.c: under its mutex */
bool closed, sleeping, ended;
bool suspended[REQUESTS], eventfd[REQUESTS];
byte answers[REQUESTS];
mtype answer[REQUESTS];
byte revision[REQUESTS], seen[REQUESTS];   /* of its change, 0 = it makes none; of what it was decided against */
bool tail[REQUESTS], durable[REQUESTS], visible[REQUESTS];
byte proposed, shown, newest_durable;      /* revisions */
bool broken;                               /* journal.c: the fence could not be written */

#define RELAXED(t)    (t == 1) /* ?sync=false */
#define IS_RELAXED(t) (RELAXED(t) && tail[t])
#define WAITS(t)      (visible[t] && !durable[t])
#define IS_DUE        (broken || WAITS(0) || WAITS(1) || WAITS(2)) /* when upkeep wants to be called again */

/* ticket_finish, on_change_done: MHD_resume_connection, which aborts on what is not suspended; then loop_wake. */
inline resume(t, end) { assert(answers[t] == 0 && suspended[t]); answers[t]++; answer[t] = end; suspended[t] = false }
inline wake(t) { eventfd[t] = true }
inline first(t, end) { if :: BUG == 4 -> wake(t) :: else -> resume(t, end) fi }
inline second(t, end) { if :: BUG == 4 -> resume(t, end) :: else -> wake(t) fi }
inline finish(t, end) { atomic { first(t, end) }; atomic { second(t, end) } }

inline put(t) { /* queue_put */
	if
	:: !closed -> if :: len(queue) == 0 -> sleeping = false :: else fi; queue!t
	:: closed -> finish(t, FAILED)
	fi
}

proctype Loop(byte t) { /* exchange.c */
	atomic { suspended[t] = (BUG != 3); put(t) };         /* submit: suspend first, hand over then */
	atomic { if :: BUG == 3 -> suspended[t] = true :: else fi };
	do /* a loop looks at its connections when it is woken, and at no other time */
	:: atomic { eventfd[t] -> eventfd[t] = false; if :: !suspended[t] -> break :: else fi }
	od;
	atomic {
		assert(answers[t] == 1);
		assert(answer[t] != DONE || (visible[t] && (durable[t] || IS_RELAXED(t))));
		assert(answer[t] != REFUSED || seen[t] <= shown); /* it does not rest on what was rolled back */
		assert(answer[t] == DONE || !visible[t]);
		seen[t] = 0; answer[t] = 0;
		if :: !visible[t] -> revision[t] = 0 :: else fi
	}
}

inline make_durable() { /* count_durable: everything in the tail, in the order of its revisions */
	for (r : newest_durable + 1 .. proposed) {
		for (k : 0 .. REQUESTS - 1) {
			if
			:: revision[k] == r && tail[k] && !durable[k] -> assert(r > newest_durable); durable[k] = true; newest_durable = r
			:: else
			fi
		}
	}
}

inline add_to_tail() { /* count_shown */
	for (i : 0 .. n - 1) { if :: revision[batch[i]] > 0 -> tail[batch[i]] = true :: else fi }
}

inline publish() { /* store_apply, under the write lock */
	atomic {
		for (i : 0 .. n - 1) {
			t = batch[i];
			if
			:: revision[t] > 0 -> visible[t] = true; shown = revision[t]; assert(durable[t] || IS_RELAXED(t))
			:: else
			fi
		}
	}
}

inline commit() { /* journal_commit, fence, fail_batch */
	atomic {
		if /* written and synced as asked; failed, but the fence holds what was shown; failed, and so did the fence */
		:: broken -> outcome = FAILED
		:: !broken -> outcome = DONE; add_to_tail(); if :: wants_sync -> make_durable() :: else fi
		:: !broken -> outcome = FAILED; make_durable()
		:: !broken -> outcome = UNKNOWN; broken = true
		fi
	}
}

inline answer_all() { /* batch_answer, batch_answer_failed, batch_keep_done */
	i = 0;
	do
	:: atomic { i < n -> t = batch[i]; end = (revision[t] == 0 && (outcome == DONE || BUG == 6) -> REFUSED : outcome); first(t, end) };
	   atomic { second(t, end); i++ }
	:: i == n -> break
	od
}

active proctype Committer() { /* committer_run */
	byte batch[BATCH], n, t, newest;
	int i, r, k;
	bool wants_sync;
	mtype outcome, end;

	do
	:: do /* queue_take: cond_wait_until */
	   :: atomic { len(queue) == 0 && !closed -> sleeping = true }; if :: !sleeping :: atomic { IS_DUE -> sleeping = false; break } fi
	   :: len(queue) > 0 || closed -> break
	   od;
	   atomic { /* cut_batch; then batch_decide, against the batch's own changes too */
		for (n : 0 .. BATCH - 1) { if :: len(queue) > 0 -> queue?batch[n] :: else -> break fi }
		if :: closed && (n == 0 || BUG == 5) -> break :: else fi;
		newest = shown; wants_sync = false;
		for (i : 0 .. n - 1) {
			t = batch[i]; seen[t] = newest;
			if :: proposed++; revision[t] = proposed; newest = proposed :: t == 2 -> revision[t] = 0 fi; /* one may be refused */
			wants_sync = wants_sync || (revision[t] > 0 && !RELAXED(t))
		}
	   }
	   if /* run_batch, or journal_upkeep: mends or syncs what is relaxed; either may fail */
	   :: n > 0 && BUG == 1 -> commit(); answer_all(); if :: outcome == DONE -> publish() :: else fi
	   :: n > 0 && BUG == 2 -> outcome = DONE; publish(); answer_all(); commit()
	   :: n > 0 && BUG == 7 -> publish(); commit(); answer_all()
	   :: n > 0 && (BUG < 1 || BUG > 2) && BUG != 7 -> commit(); if :: outcome == DONE -> publish() :: else fi; answer_all()
	   :: n == 0 -> atomic { if :: broken = false; make_durable() :: broken = true fi }
	   fi;
	   atomic { n = 0; t = 0; i = 0; r = 0; k = 0; newest = 0; batch[0] = 0; batch[1] = 0; wants_sync = false; outcome = 0; end = 0 }
	od;
	atomic { if :: !broken -> make_durable() :: else fi };    /* journal_finish */
	ended = true
}

active proctype Main() { /* lifecycle, and the tick of a loop */
	byte t;
	run Loop(0); run Loop(1); run Loop(2);
	if :: queue?t -> finish(t, FAILED) :: skip fi;            /* queue_withdraw_late */
	atomic { closed = true; sleeping = false };               /* queue_close */
	ended;                                                    /* committer_stop */
	for (t : 0 .. REQUESTS - 1) { assert(!visible[t] || durable[t] || broken) }
}
