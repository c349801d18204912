/* queue.h - changes that wait for the committer: many put in, one takes out, in order.
 *
 * Bounded, and what waits too long is withdrawn.  A ticket that is refused here ends at once, from the caller's thread. */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include "store/store.h"

struct queue;

/* <wait_ns>: how long a ticket may lie untaken.  NULL when memory runs out. */
must_check struct queue *queue_new(const struct clock *, int64_t wait_ns);
void queue_free(struct queue *); /* accepts NULL; must be empty */

/* Put a ticket in, or end it with CHANGE_E_SHUTTING_DOWN or CHANGE_E_OVERLOADED. */
void queue_put(struct queue *, struct ticket *);

/* Wait until something waits, the time <until_ns> (monotonic) comes, or the queue is closed.  The oldest that wait, at most
 * one batch, as a list in order; NULL when there is nothing.  *ret_closed: closed and empty, nothing will ever come again. */
struct ticket *queue_take(struct queue *, int64_t until_ns, bool *ret_closed);

/* Put the head of a list that was taken back in front.  Accepts NULL. */
void queue_give_back(struct queue *, struct ticket *list);

/* End what lies untaken for too long with CHANGE_E_OVERLOADED. */
void queue_withdraw_late(struct queue *);

/* Refuse what comes from now on; what waits is still taken. */
void queue_close(struct queue *);

/* waiting now, refused because full, withdrawn because late. */
void queue_figures(struct queue *, uint64_t *ret_waiting, uint64_t *ret_refused, uint64_t *ret_withdrawn);

/* End a ticket; it belongs to its owner again before this returns. */
void ticket_finish(struct ticket *, enum change_end);

#endif
