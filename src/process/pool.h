/* SPDX-License-Identifier: MIT */
/*
 * The process pool, from inside.
 *
 * Tasks wait in the pool's queue (queue.h) and are sent to workers, up to a ring full each, by
 * whoever submits or takes answers (send.c). Answers are taken by one thread at a time, who has the
 * watch (collect.c): a thread that waits for a task (attend.c), or the pool's collector thread when
 * nobody waits. Callbacks have threads of their own (callbacks.c). Processes come and go by the
 * keeper thread alone (keeper.c), which also keeps the time.
 *
 * Locks: a future's lock may be held when lock is taken, never the other way round: tasks are ended
 * with no lock held. The watch is taken before lock.
 *
 * I1: a task that was accepted is in the queue, in one worker's flight, or being ended; it is
 *     counted in open until it has ended and its callbacks have run; or, when a user
 *     cancels it and runs its callbacks, until it is certain to end.
 * I2: whoever has the watch looks once more after he has said that he sleeps, or has given it up
 *     (channel.h, I1); so no answer stays in a ring while nobody is to look.
 * I3: a worker's flight is emptied, and its channel unmapped, only with the watch and the lock.
 */
#ifndef SIL__PROCESS_POOL_H
#define SIL__PROCESS_POOL_H

#include <pthread.h>
#include <sillon/executor_impl.h>
#include <sillon/process_pool.h>
#include <stdatomic.h>

#include "base/lock.h"
#include "core/dump.h"
#include "core/error.h"
#include "core/future.h"
#include "process/channel.h"
#include "process/nursery.h"
#include "process/queue.h"
#include "process/region.h"

/* Longest message of an error that comes from a worker. */
#define SIL__TEXT_SIZE 4096

/* A task a worker has. While it is sent, sil_task_next of the task points here. */
struct sil__flight {
    sil_future *task; /* NULL: none; it was called back, or has ended */
    uint32_t position;
    void *arg;      /* owned: the block of its argument, if we made one; */
    void *result;   /* and of its result */
    int64_t sent;   /* when, if it is timed; */
    int64_t limit;  /* nanoseconds it may run; 0: no limit */
    int64_t traced; /* when it was sent; 0: no trace was on */
};

enum sil__staff_state {
    SIL__STAFF_NONE,
    SIL__STAFF_WORKING, /* the helper was told to start it, at least: tasks may be in its ring */
    SIL__STAFF_LEAVING, /* gets no more */
};

/* A place for a worker; the process in it changes. */
struct sil__staff {
    /* Atomic: set with lock, cleared with the watch and lock. NULL: no process. */
    struct sil__channel *channel;

    /* Guarded by lock. */
    enum sil__staff_state state;
    uint32_t generation; /* of the process */
    uint32_t load;       /* tasks it has */
    uint32_t sent;       /* position of the next task */
    uint32_t oldest;     /* tasks below have ended or were called back */
    uint32_t given;      /* tasks it got in all */
    int64_t idle_since;  /* of one that may be let go; 0: it is not idle */
    int64_t pid;         /* 0: not known yet */
    int pidfd;           /* -1: not known yet */
    bool doomed;         /* kill it as soon as it is known */
    bool started;        /* the helper told of it */
    int64_t gone_by;     /* LEAVING, and has no tasks; 0: not so */
    uint32_t kill_task;  /* position of the task for which it was killed */
    bool timed_out;      /* it was killed for its task's time limit, */
    bool cancelled;      /* or because its task was cancelled, */
    bool mad;            /* or because what it wrote made no sense */
    struct sil__flight flights[SIL__RING];
    uint32_t timed_task;  /* position + 1 of the one that the keeper has seen begun, */
    int64_t timed_since;  /* and when it did */
    int64_t silent_until; /* it is known to have ended then, if not how; 0: no */

    /* With the watch. */
    uint32_t answers; /* taken so far */
    uint32_t replies; /* to its requests, so far */
    bool was_ready;   /* it said so */
    bool said_broken; /* its initializer failed, with this code */
    int broken_code;
    size_t text_size;
    void **blocks; /* owned: blocks given to the task that runs */
    size_t block_count, block_room;
    int64_t answered_at;   /* the last one, while a trace was on, */
    uint64_t traced_named; /* and which one knows the name of the process: sil__trace_elsewhere */
    char text[SIL__TEXT_SIZE]; /* the message that has come so far */

    /* By the keeper; atomic, release after the others. */
    _Atomic bool ended;
    bool status_known;
    int status; /* as of waitpid */
    bool oom;
    int refused; /* errno: it was never started */
};

struct sil__procs {
    sil_executor base;

    /* Read-only after create. */
    struct sil__hello hello;
    const char *name;   /* in hello */
    char **environment; /* owned: changes; NULL: none */
    size_t max_pending;
    sil_when_full when_full;
    uint32_t depth;       /* most tasks a worker has */
    int64_t task_timeout; /* nanoseconds; 0: none */
    unsigned retries;
    unsigned tasks_per_worker;
    int64_t idle_time; /* nanoseconds; 0: for ever */
    bool kill_on_cancel;
    struct sil__region *region; /* owned */
    struct sil__control *control;
    int control_fd;
    int kick_fd; /* eventfd: the keeper is to look */
    int timer_fd;
    int epoll_fd;
    pthread_t collector;
    pthread_t keeper;

    int64_t inspect_at; /* with the watch */

    struct sil__lock lock;
    /* Guarded by lock. */
    struct sil__queue queue;
    struct sil__encoder *encoder;
    struct sil__staff *staff; /* owned: base.workers places */
    uint16_t *loads;          /* owned: for each its load; NO_MORE: it gets none */
    unsigned live;            /* places that are not NONE */
    unsigned keep;            /* so many are to be working */
    uint32_t in_flight;       /* tasks workers have */
    int lowest;               /* priority of those, or lower */
    uint32_t generations;
    unsigned failed_starts; /* in a row */
    int64_t alarm;          /* when the timer rings; 0: it is not set */
    int64_t kill_at;        /* who is still there then is killed; 0: never */
    bool closing;
    bool guarded;        /* the timer rings soon, to see that answers are taken */
    unsigned turn;       /* whose answers come first */
    bool dropping;       /* nothing is sent any more: what is called back is cancelled */
    bool leaving;        /* all is done: workers go */
    bool orphan;         /* nobody waits for its end: the keeper frees it */
    int broken;          /* 0, or the code with which everything fails, */
    char *why;           /* owned: and its message */
    sil_future *misfits; /* could not be sent: to be failed, without lock, with */
    int misfit_code;
    int helper_socket;
    pid_t helper_pid;
    bool helper_ready; /* the keeper's, as these two */
    unsigned helpers_lost;
    uint64_t oom_kills;
    uint64_t submitted, replaced, retried;

    /* Atomic. */
    _Atomic uint32_t watch;     /* somebody has it */
    _Atomic uint32_t asleep;    /* futex: one more when somebody who waits without it is to look */
    _Atomic uint32_t attending; /* threads inside, see attend.c; sleeps on it: closing */
    _Atomic uint32_t open;      /* I1; shutdown sleeps on it */
    _Atomic uint32_t ends;      /* workers that ended, and nobody has seen to it */
    _Atomic bool kicked;        /* the keeper has been told, and has not looked */
    _Atomic bool collector_ends;
    _Atomic uint64_t done;

    struct sil__lock owed_lock;
    /* Guarded by owed_lock; see callbacks.c. */
    struct sil__listener *owed; /* callbacks to be run, */
    uint32_t owed_open;         /* and tasks that are closed then */
    unsigned callers;           /* threads that run them, */
    unsigned callers_blocked;   /* and of those, how many wait inside one */
    struct sil__caller *caller_list;
    /* Atomic. */
    _Atomic uint32_t owed_calls; /* futex: one more when a caller is to look */
    _Atomic bool callers_end;

    struct sil__source source;
};

#define SIL__NO_MORE UINT16_MAX

/* Seconds, as options give them: more than 0 stays more than 0, and no more than 30 years count. */
static inline int64_t sil__nanoseconds(double seconds)
{
    const double most = 1e9;
    if (seconds <= 0)
        return 0;
    return seconds >= most ? (int64_t)(most * 1e9) : seconds < 1e-9 ? 1 : (int64_t)(seconds * 1e9);
}

/* In open and attending, beside the count: somebody sleeps until it is 0. */
#define SIL__OPEN_WAITED 0x80000000u

static inline struct sil__procs *sil__procs_of(sil_executor *executor)
{
    return (struct sil__procs *)executor;
}

extern const sil_executor_ops sil__procs_ops;
extern const struct sil__source_ops sil__procs_source; /* dump.c */

/* --- submit.c ------------------------------------------------------------------------------ */

void sil__procs_submit(sil_executor *executor, sil_future *const *tasks, size_t count);

/* Why the pool takes nothing more; 0: it does. With lock. */
int sil__refusal_locked(const struct sil__procs *pool);

/* Refuse (code), or cancel (SIL_ECANCELLED), all tasks of a list (takes). No lock held. */
void sil__procs_drop(struct sil__procs *pool, sil_future *tasks, int code);

/* --- send.c: with lock --------------------------------------------------------------------- */

/* Fill the rings from the queue, and let idle workers have what others have not begun. */
void sil__send_locked(struct sil__procs *pool);

/* Call back what a worker has not begun, at most so many of the newest, to the queue's front. */
void sil__recall_locked(struct sil__procs *pool, unsigned index, uint32_t most);
void sil__recall_all_locked(struct sil__procs *pool);

/* Try to revoke; false: it has begun. */
bool sil__revoke_locked(struct sil__staff *staff, uint32_t position);

/* Has it begun, as far as the worker tells? */
bool sil__begun_locked(const struct sil__staff *staff, uint32_t position);

/* Where a task is that was sent; NULL: it is not sent any more. */
struct sil__flight *sil__flight_of_locked(struct sil__procs *pool, const sil_future *task,
                                          unsigned *out_index);

/* A flight is over: its blocks but the result are given up. The task is the caller's. */
sil_future *sil__land_locked(struct sil__procs *pool, unsigned index, struct sil__flight *flight);

/* The worker gets no more tasks; and ends when it has none, if it is told so. */
void sil__no_more_locked(struct sil__procs *pool, unsigned index);
void sil__leave_locked(struct sil__procs *pool, unsigned index);

/* End the process now. */
void sil__kill_locked(struct sil__staff *staff, int signal);

/* --- collect.c ----------------------------------------------------------------------------- */

/* How a task ends. */
struct sil__ending {
    sil_future *task;
    sil_outcome outcome;
    char *text; /* owned; for outcome.message */
    char worker[SIL__WORKER_NAME_SIZE];
};

#define SIL__ENDINGS 32

struct sil__endings {
    unsigned count;
    struct sil__ending of[SIL__ENDINGS];
};

/* Take what has come, end it, send more; with the watch, without lock. Callbacks are owed to the
 * collector. How many tasks ended. */
unsigned sil__collect(struct sil__procs *pool);

/* Has anything come? With the watch. */
bool sil__has_news(struct sil__procs *pool);

/* Have the watch; false: somebody else has it. */
bool sil__watch_take(struct sil__procs *pool);

/* If it was not done of late, inspect what workers wrote; with the watch, without lock. */
void sil__inspect(struct sil__procs *pool);

/* Give it up; who is to be called from now on. What comes in meanwhile is taken. */
void sil__watch_drop(struct sil__procs *pool);

/* So many accepted tasks have ended, and their callbacks have run. */
void sil__procs_closed(struct sil__procs *pool, uint32_t count);

/* The last one was closed, and somebody wanted to know. (shutdown.c) */
void sil__procs_all_closed(struct sil__procs *pool);

/* After whatever was done with lock: end the misfits. */
void sil__misfits_end(struct sil__procs *pool);

/* --- callbacks.c --------------------------------------------------------------------------- */

/* Have callbacks run (takes), and so many tasks closed then. */
void sil__callbacks_owe(struct sil__procs *pool, struct sil__listener *callbacks, uint32_t count);

/* All have been run, and no more come. */
void sil__callbacks_end(struct sil__procs *pool);

/* --- answers.c: with the watch and the lock ------------------------------------------------ */

/* Take the worker's answers, as long as there is room for endings. */
void sil__answers_take(struct sil__procs *pool, unsigned index, struct sil__endings *endings);

/* End workers that wrote rubbish where it would keep everybody waiting for ever, and wake those who
 * missed a call for it. */
void sil__answers_inspect(struct sil__procs *pool);

/* Blocks of the task that ran: given up. */
void sil__blocks_free(struct sil__staff *staff);

/* --- vacate.c: with the watch and the lock ------------------------------------------------- */

/* The worker has ended: its task fails or is run again, the others go back, the place is free. */
void sil__vacate(struct sil__procs *pool, unsigned index, struct sil__endings *endings);

/* --- attend.c ------------------------------------------------------------------------------ */

extern const sil_attend_ops sil__procs_attend;

/* The collector's thread; and calling it. */
void *sil__collector_main(void *arg);
void sil__collector_call(struct sil__procs *pool);

/* --- keeper.c ------------------------------------------------------------------------------ */

void *sil__keeper_main(void *arg);

/* Have the keeper look whether there is something to do. Any thread, also with lock. */
void sil__kick(struct sil__procs *pool);

/* What its descriptors are; any other is a worker's. */
#define SIL__KEEPER_KICK UINT64_MAX
#define SIL__KEEPER_TIMER (UINT64_MAX - 1)
#define SIL__KEEPER_HELPER (UINT64_MAX - 2)
void sil__keeper_watch(struct sil__procs *pool, int fd, uint64_t what);

/* A worker has ended: whoever has the watch is to see to it. */
void sil__ended_locked(struct sil__procs *pool, struct sil__staff *staff);

/* Have it look at this time, or before. With lock. */
void sil__alarm_locked(struct sil__procs *pool, int64_t when);

/* --- timing.c: what is due now; with lock -------------------------------------------------- */

void sil__timing_look_locked(struct sil__procs *pool);

/* There are tasks: the keeper sees now and then that somebody takes answers. */
void sil__guard_locked(struct sil__procs *pool);

/* --- stop.c: operations on tasks that were sent -------------------------------------------- */

int sil__procs_stop(sil_executor *executor, sil_future *task, bool force);
bool sil__procs_begun(sil_executor *executor, sil_future *task);
void sil__procs_progress(sil_executor *executor, sil_future *task, uint64_t *out_done,
                         uint64_t *out_total);

/* --- shutdown.c ---------------------------------------------------------------------------- */

int sil__procs_shutdown(sil_executor *executor, bool cancel_pending, sil_deadline until);
int sil__procs_close(sil_executor *executor);

/* From now on everything fails with code; text: NULL if it was said before. No lock held. */
void sil__procs_break(struct sil__procs *pool, int code, const char *text);

/* If nobody else waits for the end of a closed pool, see whether it has come. */
void sil__procs_see_closed(struct sil__procs *pool);

/* Free all a pool has, and retire it. (process_pool.c) */
void sil__procs_destroy(struct sil__procs *pool);

/* --- hire.c: the helper, and starting workers ---------------------------------------------- */

/* Start the helper and say hello; 0, or a code with an error set. */
int sil__helper_open(struct sil__procs *pool);

/* It is to end, and has. */
void sil__helper_close(struct sil__procs *pool);

/* Start as many workers as are wanted. The keeper's thread. */
void sil__hire(struct sil__procs *pool);

#endif
