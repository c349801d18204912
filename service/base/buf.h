/* buf.h - a growing run of bytes that is born with the most it may ever hold.
 *
 * Beyond the cap is an error, never a cut.  After any failure the buffer is as it was.  One owner, one thread.
 * A failed append may be noticed late: buf_add and its kin return the error, and also remember it in <failed>, so that
 * an encoder may append a row of things and look once at the end. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

struct buf {
	char *at; /* owned; not terminated unless buf_text() was asked */
	size_t len, room, cap;
	int failed; /* the first error since birth or buf_reset: 0, -ENOMEM or -EMSGSIZE */
};
#define BUF(cap_) { .cap = (cap_) }

void buf_free(struct buf *);

/* Forget the contents and the error, keep the room. */
void buf_reset(struct buf *);

/* Append.  0, -ENOMEM, or -EMSGSIZE above the cap. */
int buf_add(struct buf *, const void *p, size_t n);
int buf_add_text(struct buf *, const char *text);
int buf_add_byte(struct buf *, char c);
printf_like(2, 3) int buf_addf(struct buf *, const char *fmt, ...);

/* Append decimal digits: what printf does, at a fraction of its price. */
int buf_add_u64(struct buf *, uint64_t n);
int buf_add_i64(struct buf *, int64_t n);

/* Append <n> zero bytes. */
int buf_add_zeros(struct buf *, size_t n);

/* Make room for <n> more bytes without appending. */
must_check int buf_reserve(struct buf *, size_t n);

/* The contents as a C string (a NUL behind them, not counted in len); NULL when memory or the cap does not allow. */
must_check const char *buf_text(struct buf *);

/* Hand the bytes over to the caller, who frees them; the buffer is empty afterwards.  NULL when it holds nothing. */
must_check char *buf_take(struct buf *, size_t *ret_len);

static inline void buf_free_p(struct buf *b)
{
	buf_free(b);
}
#define auto_buf cleanup(buf_free_p)

#endif
