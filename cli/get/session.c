/* SPDX-License-Identifier: MIT */
/*
 * A session, see session.h: how its parts are put together, and the life of a download.
 */
#include "get/session.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sillon/coro.h>
#include <sillon/error.h>
#include <sillon/status.h>

#include "get/segments.h"
#include "text/harmless.h"
#include "text/quote.h"

/* --- what the runner asks for -------------------------------------------------------------- */

static struct runner_item *next_item(void *user)
{
    struct get_session *session = user;
    struct get_item *item = urls_next(session->urls);
    if (item == NULL)
        return NULL;
    item->seq = ++session->sequence;
    if (item->refused == NULL)
        item->skip = recorder_skips(session->recorder, item->identity, strlen(item->identity));
    struct host *host =
        item->refused == NULL ? hosts_find(&session->hosts, item->url.origin) : NULL;
    item->head.group = host != NULL ? &host->group : NULL;
    return &item->head;
}

struct transfer_argument {
    struct get_session *session;
    struct get_item *item;
};

static int transfer_task(void *arg, void *result)
{
    const struct transfer_argument *argument = arg;
    *(enum runner_verdict *)result = transfer_run(argument->session, argument->item);
    return 0;
}

static bool make_room(struct get_session *session, size_t slots)
{
    if (slots <= session->running_room)
        return true;
    size_t room = slots * 2 + 16;
    sil_future **running = realloc(session->running, room * sizeof(sil_future *));
    if (running == NULL)
        return false;
    for (size_t i = session->running_room; i < room; i++)
        running[i] = NULL;
    session->running = running;
    session->running_room = room;
    return true;
}

/* In a coroutine that can be cancelled without the slot's own. */
static enum runner_verdict transfer_apart(struct get_session *session, struct get_item *item)
{
    const struct transfer_argument argument = {session, item};
    enum runner_verdict verdict = ITEM_STOPPED;
    if (!make_room(session, item->head.slot))
        return ITEM_STOPPED;
    sil_future *future = sil_go(transfer_task, &argument, sizeof(argument), sizeof(verdict));
    session->running[item->head.slot - 1] = future;
    int code = sil_await(future, SIL_FOREVER);
    session->running[item->head.slot - 1] = NULL;
    if (code == 0)
        code = sil_take(future, &verdict, SIL_NOW);
    else
        sil_future_release(future);
    if (code != 0 && code != SIL_ECANCELLED)
        item_fail(item, TROUBLE_WRITE, "%s", sil_error_message(sil_last_error()));
    return verdict;
}

static enum runner_verdict run_item(void *user, struct runner_item *head)
{
    struct get_session *session = user;
    struct get_item *item = (struct get_item *)head;
    if (item->refused != NULL) {
        item_fail(item, TROUBLE_URL, "%s", item->refused);
        return ITEM_FAILED;
    }
    if (item->skip || runner_stopping(session->runner))
        return item->skip ? ITEM_SKIPPED : ITEM_STOPPED;
    if (session->options->report.verbose > 0)
        screen_say(session->screen, "start %s", item->url.shown);
    enum runner_verdict verdict = transfer_apart(session, item);
    if (verdict == ITEM_AGAIN && session->options->report.verbose > 0)
        screen_say(session->screen, "again %s: %s", item->url.shown, item->error);
    return verdict;
}

static void item_ended(void *user, struct runner_item *head, enum runner_verdict verdict)
{
    struct get_session *session = user;
    struct get_item *item = (struct get_item *)head;
    if (verdict == ITEM_FAILED)
        outcome_worsen(&session->outcome, STATUS_SOME_FAILED);
    get_report_item(session, item, verdict);
    item_destroy(item);
    if (recorder_error(session->recorder) != 0 || screen_error(session->screen) != 0)
        runner_stop(session->runner, RUNNER_LOCAL, SIGTERM);
}

static void stop_reading(void *user)
{
    urls_stop(((struct get_session *)user)->urls);
}

static void interrupt_items(void *user, int signal)
{
    (void)signal;
    struct get_session *session = user;
    for (size_t i = 0; i < session->running_room; i++)
        if (session->running[i] != NULL)
            (void)sil_future_cancel(session->running[i]);
}

/* --- signals ------------------------------------------------------------------------------- */

static void end_now(struct get_session *session, int signal)
{
    if (session->screen != NULL)
        screen_suspend(session->screen);
    interrupt_die(signal);
}

/* What does not come back, a disk say, must not keep us. */
enum { PATIENCE = 5 };

static int end_after_all(void *arg, void *result)
{
    (void)result;
    struct get_session *session = *(struct get_session **)arg;
    int code = sil_sleep(sil_in(PATIENCE));
    if (code == 0)
        end_now(session, session->signal);
    return code;
}

static void on_stop(void *user, int signal, bool again)
{
    struct get_session *session = user;
    if (again)
        end_now(session, signal);
    session->signal = signal;
    runner_stop(session->runner, RUNNER_SIGNAL, signal);
    session->last_resort = sil_go(end_after_all, &session, sizeof(session), 0);
}

static void on_suspend(void *user)
{
    struct get_session *session = user;
    if (session->screen != NULL)
        screen_suspend(session->screen);
}

static void on_resume(void *user)
{
    struct get_session *session = user;
    if (session->screen != NULL)
        screen_resume(session->screen);
}

static void on_jobs(void *user, int change)
{
    struct get_session *session = user;
    size_t jobs = runner_jobs(session->runner);
    if (change > 0 || jobs > 1)
        runner_set_jobs(session->runner, change > 0 ? jobs + 1 : jobs - 1);
}

static void on_describe(void *user)
{
    struct get_session *session = user;
    if (session->screen != NULL)
        get_report_state(session);
}

/* --- putting it together ------------------------------------------------------------------- */

static const char **null_terminated(const struct texts *texts)
{
    const char **list = calloc(texts->count + 1, sizeof(char *));
    for (size_t i = 0; list != NULL && i < texts->count; i++)
        list[i] = texts->list[i];
    return list;
}

static sil_http_client *create_client(const struct get_session *session)
{
    const struct get_options *options = session->options;
    static const sil_http_version versions[] = {SIL_HTTP_AUTO, SIL_HTTP_1_1, SIL_HTTP_2};
    const char **resolve = null_terminated(&options->resolve);
    sil_http_client *client = sil_http_client_create(&(sil_http_client_options){
        .max_connections = session->jobs + segments_spare(options),
        .max_per_host = options->per_host,
        .version = versions[options->http],
        .user_agent = options->user_agent,
        .proxy = options->proxy,
        .ca_file = options->cacert,
        .certificate = options->cert,
        .key = options->key,
        .pin = options->pin,
        .insecure = options->insecure,
        .interface = options->interface,
        .resolve = resolve,
        .family = options->only_4   ? 4
                  : options->only_6 ? 6
                                    : 0,
        .connect_timeout = options->connect_timeout > 0 ? options->connect_timeout : -1,
        .stall = options->stall > 0 ? options->stall : -1,
        .stall_rate = options->stall_rate,
        .max_rate = options->limit_rate,
        .max_rate_each = options->limit_rate_each,
    });
    free(resolve);
    return client;
}

static bool open_all(struct get_session *session, const struct screen_plan *screen_plan)
{
    const struct get_options *options = session->options;
    session->hosts = (struct hosts){.limit = options->per_host, .rate = options->rate_host};
    session->screen = screen_create(screen_plan);
    if (session->screen == NULL)
        return false;
    recorder_use(session->recorder, session->screen);
    if (options->report.dry_run)
        return true;
    session->store = store_create(options, session->screen);
    session->client = session->store != NULL ? create_client(session) : NULL;
    return session->client != NULL;
}

/* Items that wait for their host must not keep those of others from being seen. */
enum { AHEAD_FOR_EACH = 4 };

static struct runner_plan runner_plan_of(struct get_session *session)
{
    const struct get_options *options = session->options;
    return (struct runner_plan){
        .user = session,
        .next = next_item,
        .run = run_item,
        .ended = item_ended,
        .stopping = stop_reading,
        .interrupt = interrupt_items,
        .jobs = session->jobs,
        .ahead = AHEAD_FOR_EACH * session->jobs,
        .rate = options->rate,
        .halt = options->halt,
        .deadline = options->deadline > 0 ? sil_in(options->deadline) : SIL_FOREVER,
    };
}

static bool run_items(struct get_session *session)
{
    struct runner_plan runner_plan = runner_plan_of(session);
    struct interrupt_plan interrupt_plan = {session,   on_stop, on_suspend,
                                            on_resume, on_jobs, on_describe};
    session->runner = runner_create(&runner_plan);
    session->interrupt = session->runner != NULL ? interrupt_create(&interrupt_plan) : NULL;
    if (session->interrupt == NULL)
        return false;
    if (session->options->insecure)
        screen_say(session->screen, "warning: servers are not verified (--insecure)");
    session->why = runner_run(session->runner);
    get_report_end(session);
    return true;
}

static void dry_run(struct get_session *session)
{
    int error = 0;
    struct get_item *item;
    while (error == 0 && (item = urls_next(session->urls)) != NULL) {
        if (item->refused == NULL) {
            char *words[] = {(char[]){"sillon"}, (char[]){"get"}, (char[]){"-o"},
                             item->name,         item->url.text,  NULL};
            char *line = quote_line(words);
            error = line == NULL ? ENOMEM : screen_out(session->screen, line, strlen(line));
            if (error == 0)
                error = screen_out(session->screen, "\n", 1);
            free(line);
        } else {
            screen_say(session->screen, "%s: %s", item->url.shown, item->refused);
            outcome_worsen(&session->outcome, STATUS_SOME_FAILED);
        }
        item_destroy(item);
    }
}

/* Standard output may be stuck: until it is done with, signals are heeded. */
static void close_screen(struct get_session *session)
{
    if (session->screen == NULL)
        return;
    int error = screen_error(session->screen);
    screen_destroy(session->screen);
    session->screen = NULL;
    if (error == EPIPE && session->signal == 0)
        session->signal = SIGPIPE;
}

static void close_all(struct get_session *session)
{
    sil_http_client_destroy(session->client);
    store_destroy(session->store);
    close_screen(session);
    if (session->last_resort != NULL) {
        (void)sil_future_cancel(session->last_resort);
        (void)sil_take(session->last_resort, NULL, SIL_FOREVER);
    }
    interrupt_destroy(session->interrupt);
    runner_destroy(session->runner); /* the screen's last words were its figures */
    hosts_fini(&session->hosts);
    free(session->running);
    urls_destroy(session->urls);
    names_destroy(session->names);
}

void get_session_run(struct get_session *session)
{
    struct screen_plan screen_plan = {.options = &session->options->report,
                                      .command = "get",
                                      .user = session,
                                      .figures = get_report_figures,
                                      .row = get_report_row};
    int status = STATUS_DONE;
    session->names = names_create();
    session->urls = session->names == NULL
                        ? NULL
                        : urls_open(session->options, session->words, session->names, &status);
    session->refused = session->names != NULL && session->urls == NULL;
    if (session->refused)
        outcome_worsen(&session->outcome, (enum status)status);
    bool good = session->urls != NULL && open_all(session, &screen_plan);
    if (good && session->options->report.dry_run)
        dry_run(session);
    else if (good)
        good = run_items(session);
    if (!good && !session->refused) {
        (void)fprintf(stderr, "sillon get: cannot start: %s\n",
                      sil_error_message(sil_last_error()));
        outcome_worsen(&session->outcome, STATUS_LOCAL_FAILURE);
    }
    close_all(session);
}
