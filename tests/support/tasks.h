/* SPDX-License-Identifier: MIT */
/*
 * Tasks that many tests submit, and a short way to submit them.
 */
#ifndef TESTS_SUPPORT_TASKS_H
#define TESTS_SUPPORT_TASKS_H

#include <stdatomic.h>

#include <sillon/sillon.h>

#include "support/gate.h"

/** Nothing, successfully. */
int task_nothing(void *arg, void *result);

/** arg: int. result: the same int. */
int task_int(void *arg, void *result);

/** arg: int. result: its square. */
int task_square(void *arg, void *result);

/** arg: int, the code to fail with; says nothing more. */
int task_fail(void *arg, void *result);

/** arg: int, the code to fail with, and the message "N is bad". */
int task_fail_with_message(void *arg, void *result);

/** arg: atomic_uint *, which gets 1 more. */
int task_count(void *arg, void *result);

/** arg: struct gate *. Comes to the gate and waits until it is open. */
int task_gate(void *arg, void *result);

/** arg: sil_future *. Awaits it for ever; its code is the task's. */
int task_await(void *arg, void *result);

/** Runs until it is asked to stop; arg: struct gate *, to which it comes (opened already) first, or
 * no argument. */
int task_until_cancelled(void *arg, void *result);

sil_future *submit_nothing(sil_executor *executor);
sil_future *submit_int(sil_executor *executor, sil_task_fn fn, int arg);
sil_future *submit_count(sil_executor *executor, atomic_uint *count);
sil_future *submit_gate(sil_executor *executor, struct gate *gate);
sil_future *submit_await(sil_executor *executor, sil_future *future);

/** A future of the caller's that no executor knows: a promise's. The promise is *out_promise. */
sil_future *promise_int(sil_promise **out_promise);

/** Callback: counts the atomic_uint that user is. */
void count_done(sil_future *future, void *user);

/** Callback: counts the latch that user is down. */
void latch_down_done(sil_future *future, void *user);

#endif
