/* SPDX-License-Identifier: MIT */
/*
 * A session, see session.h.
 */
#include "get/session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include <sillon/error.h>
#include <sillon/executor.h>
#include <sillon/status.h>
#include <sillon/thread_pool.h>

#include "fetch/url.h"
#include "get/names.h"
#include "get/window.h"

/* A session under way. */
struct run {
    struct session *session;
    sil_executor *pool;
    struct names *names;
    struct window window;
    bool input_ended;
    bool stopping;
};

static void submit_word(struct run *run, const char *word)
{
    struct url url;
    const char *reason = url_parse(word, &url);
    struct download *download = NULL;
    if (reason == NULL) {
        const char *name = names_claim(run->names, url.last_part);
        if (name != NULL) {
            download = download_create(&run->session->place, name, url.text, word);
            url.text = NULL; /* taken */
        }
        reason = download == NULL ? "out of memory" : NULL;
    }
    if (reason == NULL)
        window_add(&run->window, run->pool, download);
    else
        report_failure(run->session->report, word, reason);
    url_fini(&url);
}

/* Submit until there is enough to do. */
static void fill_window(struct run *run)
{
    while (!run->input_ended && run->window.count < run->window.capacity &&
           interrupt_signal(run->session->interrupt) == 0) {
        struct source_word word;
        enum source_state state = source_next(run->session->source, &word);
        if (state == SOURCE_LATER)
            return;
        if (state == SOURCE_END) {
            run->input_ended = true;
            return;
        }
        if (word.reason != NULL)
            report_failure(run->session->report, word.text, word.reason);
        else
            submit_word(run, word.text);
    }
}

static void report_ended(struct run *run, const struct window_entry *ended)
{
    struct report *report = run->session->report;
    int code = sil_future_code(ended->future);
    if (code == 0)
        report_file(report, ended->download->name, sil_future_result(ended->future, NULL));
    else if (code == SIL_ECANCELLED && run->stopping)
        report->tally.stopped++;
    else
        report_failure(report, ended->download->shown_url,
                       sil_error_message(sil_future_error(ended->future)));
}

static void reap_window(struct run *run)
{
    struct window_entry ended;
    while (window_remove_done(&run->window, &ended)) {
        report_ended(run, &ended);
        sil_future_release(ended.future);
        download_destroy(ended.download);
    }
    report_flush(run->session->report);
    /* Nobody reads any more: end as a program that writes into such a pipe does. */
    if (run->session->report->error == EPIPE)
        interrupt_raise(run->session->interrupt, SIGPIPE);
}

static void wait_for_something(struct run *run)
{
    bool wants_input =
        !run->stopping && !run->input_ended && run->window.count < run->window.capacity;
    window_wait(&run->window, run->stopping ? NULL : interrupt_future(run->session->interrupt),
                wants_input ? source_future(run->session->source) : NULL,
                progress_due(run->session->progress));
}

static void loop(struct run *run)
{
    struct session *session = run->session;
    for (;;) {
        if (!run->stopping && interrupt_signal(session->interrupt) != 0) {
            run->stopping = true;
            window_cancel(&run->window);
        }
        if (!run->stopping)
            fill_window(run);
        if (run->window.count == 0 && (run->input_ended || run->stopping))
            return;
        progress_draw(session->progress, &session->report->tally, &run->window,
                      source_total(session->source));
        wait_for_something(run);
        reap_window(run);
    }
}

bool session_run(struct session *session)
{
    struct run run = {.session = session};
    unsigned workers = (unsigned)session->jobs;
    run.pool = sil_thread_pool(&(sil_thread_pool_options){.workers = workers, .name = "get"});
    if (run.pool == NULL)
        return false;
    run.names = names_create();
    /* One more for each worker, so that none waits for the next URL to be looked at. */
    bool ready = run.names != NULL && window_init(&run.window, 2 * (size_t)workers);
    if (ready)
        loop(&run);
    else
        (void)sil_fail(SIL_ENOMEM, "out of memory");
    sil_executor_close(run.pool);
    window_fini(&run.window);
    names_destroy(run.names);
    return ready;
}
