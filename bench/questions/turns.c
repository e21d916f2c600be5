/* SPDX-License-Identifier: MIT */
/*
 * What does it cost when one coroutine goes on in place of another? Giving way, starting one and
 * waiting for its end, and a message: without a limit on the wait for it, and with one that never
 * comes.
 */
#include "harness/question.h"

static const double limit_s = 1.0;

static uint64_t yields(const struct adapter *peer, long n)
{
    return peer->loop_yield(n);
}

static uint64_t starts(const struct adapter *peer, long n)
{
    return peer->loop_go(n);
}

static uint64_t messages(const struct adapter *peer, long n)
{
    return peer->loop_message(n, 0);
}

static uint64_t messages_with_limit(const struct adapter *peer, long n)
{
    return peer->loop_message(n, limit_s);
}

static int measure(const struct request *request, uint64_t (*turns)(const struct adapter *, long))
{
    (void)turns(request->peer, request->n / 10 + 2);
    for (int i = 0; i < request->repetitions; i++)
        report(request, "ns", (double)turns(request->peer, request->n) / (double)request->n);
    return 0;
}

static int run_yield(const struct request *request)
{
    return request->peer->loop_yield == NULL ? report_unsupported(request)
                                             : measure(request, yields);
}

static int run_go(const struct request *request)
{
    return request->peer->loop_go == NULL ? report_unsupported(request) : measure(request, starts);
}

static int run_message(const struct request *request)
{
    return request->peer->loop_message == NULL ? report_unsupported(request)
                                               : measure(request, messages);
}

static int run_message_limit(const struct request *request)
{
    return request->peer->loop_message == NULL ? report_unsupported(request)
                                               : measure(request, messages_with_limit);
}

const struct question question_yield = {
    .name = "yield",
    .help = "two coroutines give way to each other, N times together: ns",
    .run = run_yield,
};

const struct question question_go = {
    .name = "go",
    .help = "N coroutines that do nothing, each awaited before the next: ns",
    .run = run_go,
};

const struct question question_message = {
    .name = "message",
    .help = "N messages to and fro between two coroutines: ns",
    .run = run_message,
};

const struct question question_message_limit = {
    .name = "message_limit",
    .help = "the same, each waited for at most 1 s: ns",
    .run = run_message_limit,
};
