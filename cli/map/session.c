/* SPDX-License-Identifier: MIT */
/*
 * A session, see session.h: how its parts are put together, and the life of a job.
 */
#include "map/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sillon/coro.h>
#include <sillon/deadline.h>
#include <sillon/error.h>
#include <sillon/program.h>
#include <sillon/status.h>

#include "text/harmless.h"

/* --- what the runner asks for -------------------------------------------------------------- */

static struct runner_item *next_item(void *user)
{
    struct map_session *session = user;
    struct map_item *item = item_make(&session->maker);
    if (item == NULL)
        return NULL;
    item->skip = recorder_skips(session->recorder, item->line, strlen(item->line));
    /* Here, in order, and not in a slot: the job whose turn it is may be waiting for one (-k). */
    if (!item->skip)
        (void)outputs_admit(session->outputs, item->seq); /* if not: the runner is being stopped */
    return &item->head;
}

static void say_why_not_started(struct map_session *session, const struct map_item *item)
{
    char shown[128], why[256];
    enum status status = STATUS_LOCAL_FAILURE;
    int error = item->end.error;
    if (error == ENOENT)
        status = STATUS_NOT_FOUND;
    else if (error == EACCES || error == ENOEXEC || error == ENOTDIR || error == EISDIR ||
             error == E2BIG || error == ELOOP || error == ENAMETOOLONG)
        status = STATUS_CANNOT_EXECUTE;
    outcome_worsen(&session->outcome, status);
    screen_say(session->screen, "%s: %s", harmless(shown, sizeof(shown), item->words[0]),
               job_describe(why, sizeof(why), &item->end));
    runner_stop(session->runner, RUNNER_LOCAL, SIGTERM);
}

/* As a shell would say it, for --retry-on. */
static int code_of(const struct job_end *end)
{
    switch (end->outcome) {
    case JOB_EXITED:
        return end->code;
    case JOB_SIGNALLED:
        return 128 + end->signal;
    case JOB_TIMED_OUT:
        return 124;
    default:
        return 127;
    }
}

static bool may_try_again(const struct map_session *session, const struct map_item *item)
{
    const struct map_options *options = session->options;
    return item->head.tries <= options->retries && !runner_stopping(session->runner) &&
           (options->retry_on == NULL || retry_names(options->retry_on, code_of(&item->end)));
}

/*
 * --tty: Ctrl-C goes to the job as well as to us, and the job may have a use for it. It interrupts the run
 * if the job has ended by it, as shells have it with the programs of their scripts.
 */
static bool is_interrupted(const struct map_session *session, const struct job_end *end)
{
    if (!session->options->tty)
        return false;
    return (end->outcome == JOB_SIGNALLED && end->signal == SIGINT) ||
           (end->outcome == JOB_EXITED && end->code == 128 + SIGINT);
}

static enum runner_verdict judge(struct map_session *session, struct map_item *item)
{
    const struct job_end *end = &item->end;
    if (is_interrupted(session, end)) {
        session->signal = SIGINT;
        runner_stop(session->runner, RUNNER_SIGNAL, 0);
        return ITEM_STOPPED;
    }
    if (end->outcome == JOB_NOT_STARTED) {
        if (runner_stopping(session->runner) && end->error == ECANCELED)
            return ITEM_STOPPED;
        say_why_not_started(session, item);
        return ITEM_FAILED;
    }
    if (end->outcome == JOB_EXITED && end->code == 0)
        return ITEM_OK;
    if (item->job.asked != 0 && end->outcome != JOB_TIMED_OUT)
        return ITEM_STOPPED;
    if (!may_try_again(session, item))
        return ITEM_FAILED;
    const struct map_options *options = session->options;
    item->head.due = runner_backoff(item->head.tries, options->retry_wait, options->retry_max, 0);
    return ITEM_AGAIN;
}

/* Is it the failure that will halt the run? Its output is to be seen last. */
static bool is_the_last_straw(const struct map_session *session, enum runner_verdict verdict)
{
    const struct halt *halt = &session->options->halt;
    return verdict == ITEM_FAILED && halt->when != HALT_NEVER && halt->what == HALT_FAIL &&
           !halt->percent && !runner_stopping(session->runner) &&
           (double)(runner_counts(session->runner)->failed + 1) >= halt->number;
}

static void heed_output_error(struct map_session *session, int error)
{
    if (error == 0)
        return;
    if (error != EPIPE && error != screen_error(session->screen)) {
        screen_say(session->screen, "a job's output cannot be kept: %s", sil_strerror(error));
        outcome_worsen(&session->outcome, STATUS_LOCAL_FAILURE);
    }
    runner_stop(session->runner, RUNNER_LOCAL, SIGTERM);
}

static void take_output(struct map_session *session, struct map_item *item, struct capture *capture,
                        enum runner_verdict verdict)
{
    capture_ended(capture);
    if (verdict == ITEM_AGAIN) {
        capture_discard(capture);
        return;
    }
    for (int i = 0; i < 2; i++)
        item->sizes[i] = capture_size(capture, i + 1);
    if (recorder_on_stdout(session->recorder)) {
        item->full = json_object();
        (void)json_object_set_new(item->full, "stdout", capture_json(capture, 1));
        (void)json_object_set_new(item->full, "stderr", capture_json(capture, 2));
    }
    heed_output_error(session, capture_deliver(capture, is_the_last_straw(session, verdict)));
    item->delivered = sil_clock();
}

static int input_of(const struct map_session *session, const struct map_item *item)
{
    if (item->block >= 0)
        return item->block;
    return session->options->tty ? SIL_INHERIT : SIL_NULL;
}

/* What cannot even be prepared. */
static enum runner_verdict give_up(struct map_session *session)
{
    screen_say(session->screen, "%s", sil_error_message(sil_last_error()));
    outcome_worsen(&session->outcome, STATUS_LOCAL_FAILURE);
    runner_stop(session->runner, RUNNER_LOCAL, SIGTERM);
    return ITEM_STOPPED;
}

static void run_job(struct map_session *session, struct map_item *item, struct capture *capture)
{
    const struct map_options *options = session->options;
    item->job = (struct job){
        .words = item->words,
        .family = session->family,
        .capture = capture,
        .input = input_of(session, item),
        .seq = item->seq,
        .slot = item->head.slot,
        .attempt = item->head.tries,
        .timeout = time_limit_now(&session->time_limit),
        .kill_after = options->kill_after,
        .nice = (unsigned)options->nice,
        .more_environment = session->more_environment,
    };
    if (item->block >= 0)
        (void)lseek(item->block, 0, SEEK_SET);
    item->running = true;
    job_run(&item->job, &item->end);
    item->running = false;
    family_reap(session->family);
    if (item->end.outcome == JOB_EXITED)
        time_limit_add(&session->time_limit, (double)(item->end.ended - item->end.started) / 1e9);
}

static enum runner_verdict run_item(void *user, struct runner_item *head)
{
    struct map_session *session = user;
    struct map_item *item = (struct map_item *)head;
    if (item->skip || runner_stopping(session->runner))
        return item->skip ? ITEM_SKIPPED : ITEM_STOPPED;
    if (template_uses_slot(session->maker.command) && !item_fill(item, session->maker.command)) {
        (void)sil_fail(SIL_ENOMEM, "out of memory");
        return give_up(session);
    }
    struct capture *capture = capture_begin(session->outputs, item->seq, item->tag);
    if (capture == NULL)
        return give_up(session);
    if (session->options->report.verbose > 0)
        screen_say(session->screen, "start %llu: %s", (unsigned long long)item->seq, item->line);
    run_job(session, item, capture);
    enum runner_verdict verdict = judge(session, item);
    take_output(session, item, capture, verdict);
    report_trace(session, item);
    jobserver_settle(session->jobserver, runner_counts(session->runner)->running - 1);
    return verdict;
}

static double may_start(void *user)
{
    struct map_session *session = user;
    size_t running = runner_counts(session->runner)->running;
    double pause = jobserver_may_start(session->jobserver, running);
    if (pause > 0)
        return pause;
    pause = limits_may_start(&session->limits, running);
    if (pause > 0)
        jobserver_settle(session->jobserver, running); /* others have a use for it meanwhile */
    return pause;
}

static void item_ended(void *user, struct runner_item *head, enum runner_verdict verdict)
{
    struct map_session *session = user;
    struct map_item *item = (struct map_item *)head;
    outputs_skip(session->outputs, item->seq); /* nothing if its output was delivered */
    if (verdict == ITEM_FAILED)
        outcome_worsen(&session->outcome, STATUS_SOME_FAILED);
    report_item(session, item, verdict);
    item_destroy(item);
    if (recorder_error(session->recorder) != 0 || screen_error(session->screen) != 0)
        runner_stop(session->runner, RUNNER_LOCAL, SIGTERM);
}

static void stop_reading(void *user)
{
    struct map_session *session = user;
    inputs_stop(session->maker.inputs);
    outputs_stop(session->outputs);
}

static void interrupt_items(void *user, int signal)
{
    struct map_session *session = user;
    struct runner_item *head = NULL;
    for (unsigned slot = 1; (head = runner_item_at(session->runner, slot)) != NULL;
         slot = head->slot + 1) {
        struct map_item *item = (struct map_item *)head;
        if (item->running)
            job_signal(&item->job, signal);
    }
}

/* --- signals ------------------------------------------------------------------------------- */

/* Jobs that do not end, a reader that does not read: the program ends all the same. */
static void end_now(struct map_session *session, int signal)
{
    (void)family_signal_all(session->family, 0, 0, SIGKILL);
    screen_suspend(session->screen);
    jobserver_close(session->jobserver);
    interrupt_die(signal);
}

static int end_after_all(void *arg, void *result)
{
    (void)result;
    struct map_session *session = *(struct map_session **)arg;
    int code = sil_sleep(sil_in(session->options->kill_after + 0.5));
    if (code == 0)
        end_now(session, session->signal);
    return code;
}

/* See is_interrupted. */
static bool is_the_jobs_own(const struct map_session *session, int signal)
{
    return session->options->tty && signal == SIGINT &&
           (session->signal == SIGINT || runner_item_at(session->runner, 1) != NULL);
}

static void on_stop(void *user, int signal, bool again)
{
    struct map_session *session = user;
    if (is_the_jobs_own(session, signal))
        return;
    if (again && session->signal != 0)
        end_now(session, signal);
    session->signal = signal;
    runner_stop(session->runner, RUNNER_SIGNAL, signal);
    session->last_resort = sil_go(end_after_all, &session, sizeof(session), 0);
}

static void on_suspend(void *user)
{
    struct map_session *session = user;
    screen_suspend(session->screen);
    (void)family_signal(session->family, SIGTSTP);
}

static void on_resume(void *user)
{
    struct map_session *session = user;
    (void)family_signal(session->family, SIGCONT);
    screen_resume(session->screen);
}

static void on_jobs(void *user, int change)
{
    struct map_session *session = user;
    size_t jobs = runner_jobs(session->runner);
    if (change > 0 ? jobs == session->most_jobs : jobs == 1)
        return;
    jobs = change > 0 ? jobs + 1 : jobs - 1;
    runner_set_jobs(session->runner, jobs);
    outputs_set_slots(session->outputs, jobs);
}

static void on_describe(void *user)
{
    report_state(user);
}

/* --- putting it together ------------------------------------------------------------------- */

/* false: session->refused, or the last error says why. */
static bool open_input(struct map_session *session)
{
    const struct map_options *options = session->options;
    struct item_maker *maker = &session->maker;
    int status = STATUS_DONE;
    maker->options = options;
    maker->most_bytes = item_most_bytes();
    maker->inputs = inputs_open(options, session->words, &session->split, &status);
    const struct row *header = maker->inputs != NULL ? inputs_header(maker->inputs) : NULL;
    if (maker->inputs != NULL)
        maker->command =
            template_parse(session->split.command, session->split.count, options->shell, header,
                           options->pipe, &map_syntax, &status);
    if (maker->command != NULL && options->tag != NULL)
        maker->tag = template_parse_text(options->tag[0] != '\0' ? options->tag : "{}", header,
                                         &map_syntax, &status);
    bool good = maker->command != NULL && (options->tag == NULL || maker->tag != NULL);
    session->refused = !good;
    if (!good)
        outcome_worsen(&session->outcome, (enum status)status);
    return good;
}

static bool open_output(struct map_session *session, const struct screen_plan *screen_plan)
{
    session->screen = screen_create(screen_plan);
    if (session->screen == NULL)
        return false;
    recorder_use(session->recorder, session->screen);
    session->outputs =
        outputs_create(session->options, session->screen, recorder_on_stdout(session->recorder));
    if (session->outputs != NULL)
        outputs_set_slots(session->outputs, session->jobs);
    return session->outputs != NULL;
}

static struct runner_plan runner_plan_of(struct map_session *session)
{
    const struct map_options *options = session->options;
    return (struct runner_plan){
        .user = session,
        .next = next_item,
        .run = run_item,
        .ended = item_ended,
        .stopping = stop_reading,
        .interrupt = interrupt_items,
        .jobs = session->jobs,
        .ahead = 1,
        .delay = options->delay,
        .rate = options->max_start_rate,
        .halt = options->halt,
        .deadline = options->deadline > 0 ? sil_in(options->deadline) : SIL_FOREVER,
        .may_start = may_start,
    };
}

static bool open_jobserver(struct map_session *session)
{
    int error = jobserver_open(session->options->jobserver, session->jobs, &session->jobserver);
    if (error != 0) {
        (void)sil_fail(error, "--jobserver");
        return false;
    }
    session->more_environment[0] = jobserver_makeflags(session->jobserver);
    return true;
}

static bool run_items(struct map_session *session)
{
    if (!open_jobserver(session))
        return false;
    struct runner_plan runner_plan = runner_plan_of(session);
    struct interrupt_plan interrupt_plan = {session,   on_stop, on_suspend,
                                            on_resume, on_jobs, on_describe};
    session->runner = runner_create(&runner_plan);
    session->interrupt = session->runner != NULL ? interrupt_create(&interrupt_plan) : NULL;
    if (session->interrupt == NULL)
        return false;
    session->why = runner_run(session->runner);
    outputs_flush(session->outputs);
    report_end(session);
    return true;
}

/* It has been in time. */
static void call_off_last_resort(struct map_session *session)
{
    if (session->last_resort == NULL)
        return;
    (void)sil_future_cancel(session->last_resort);
    (void)sil_take(session->last_resort, NULL, SIL_FOREVER);
}

static void dry_run(struct map_session *session)
{
    int error = 0;
    uint64_t count = 0;
    struct map_item *item;
    while (error == 0 && (item = item_make(&session->maker)) != NULL) {
        size_t size = strlen(item->line);
        if (!recorder_skips(session->recorder, item->line, size)) {
            item->line[size] = '\n'; /* where the end was */
            error = screen_out(session->screen, item->line, size + 1);
        }
        count++;
        item_destroy(item);
    }
    report_dry_run(session, count);
}

void session_run(struct map_session *session)
{
    struct screen_plan screen_plan = {.options = &session->options->report,
                                      .command = "map",
                                      .user = session,
                                      .figures = report_figures,
                                      .row = report_row};
    bool good = open_input(session) && open_output(session, &screen_plan);
    if (good && session->options->report.dry_run)
        dry_run(session);
    else if (good)
        good = run_items(session);
    if (!good && !session->refused) {
        (void)fprintf(stderr, "sillon map: cannot start: %s\n",
                      sil_error_message(sil_last_error()));
        outcome_worsen(&session->outcome, STATUS_LOCAL_FAILURE);
    }
    call_off_last_resort(session);
    interrupt_destroy(session->interrupt);
    outputs_destroy(session->outputs);
    int error = session->screen != NULL ? screen_error(session->screen) : 0;
    screen_destroy(session->screen); /* which asks for the figures a last time */
    runner_destroy(session->runner);
    jobserver_close(session->jobserver);
    if (error == EPIPE && session->signal == 0)
        session->signal = SIGPIPE;
    template_destroy(session->maker.command);
    template_destroy(session->maker.tag);
    inputs_destroy(session->maker.inputs);
}
