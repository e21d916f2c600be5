/* SPDX-License-Identifier: MIT */
/*
 * TLS with others: the openssl command's client and server, where there is one.
 */
#include <sillon/tls.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit/tls/pair.h"

static char directory[] = "/tmp/sillon_tls_XXXXXX";
static char ca_file[64];
static char server_file[64];
static bool command_is_there;

static int save(char *path, const char *name, const char *text)
{
    (void)snprintf(path, sizeof ca_file, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");
    return file && fputs(text, file) >= 0 && fclose(file) == 0 ? 0 : -1;
}

static int begin_files(void **state)
{
    (void)state;
    return !mkdtemp(directory) || save(ca_file, "ca", identities.ca.certificate_pem) != 0 ||
           save(server_file, "server", identities.localhost.pem) != 0;
}

static int end_files(void **state)
{
    (void)state;
    return unlink(ca_file) | unlink(server_file) | rmdir(directory);
}

/* NULL: the command is not there. */
static sil_program *start(const char *const *arguments)
{
    return sil_program_start(&(sil_program_options){
        .arguments = arguments, .input = SIL_PIPE, .output = SIL_PIPE, .error = SIL_MERGE});
}

/* --- our client, its server ---------------------------------------------------------------------- */

/* It says on which port, once it listens there. */
static int read_port(sil_program *program, char port[8])
{
    const char *line;
    int code;
    do
        code = sil_read_line(sil_program_output(program), 1000, &line, NULL, SIL_FOREVER);
    while (code == 0 && strncmp(line, "ACCEPT ", 7) != 0);
    if (code == 0)
        (void)snprintf(port, 8, "%s", strrchr(line, ':') + 1);
    return code;
}

static int visit_its_server(const char *version)
{
    const char *const arguments[] = {"openssl", "s_server",    "-accept", "127.0.0.1:0", "-rev",
                                     "-cert",   server_file,   "-key",    server_file,   version,
                                     "-alpn",   "bad,reverse", NULL};
    sil_program *program = start(arguments);
    EXPECT(program);
    char port[8];
    const char *line;
    sil_stream *stream;
    static const char *const protocols[] = {"reverse", NULL};
    EXPECT_PART(read_port(program, port));
    sil_tls_config *config =
        must(sil_tls_client_config(&(sil_tls_options){.ca_file = ca_file, .protocols = protocols}));
    EXPECT_PART(sil_tls_connect_to("127.0.0.1", port, config, NULL, &stream, SIL_FOREVER));
    EXPECT(strcmp(sil_tls_protocol(stream), "reverse") == 0);
    EXPECT_PART(put(stream, "drawer\n"));
    EXPECT_PART(sil_read_line(stream, 100, &line, NULL, SIL_FOREVER));
    EXPECT(strcmp(line, "reward") == 0);
    EXPECT_PART(sil_stream_shutdown(stream, SIL_FOREVER));
    sil_stream_close(stream);
    sil_tls_config_destroy(config);
    sil_program_close(program);
    return 0;
}

SCENARIO(its_server)
{
    (void)arg, (void)result;
    EXPECT_PART(visit_its_server("-tls1_2"));
    EXPECT_PART(visit_its_server("-tls1_3"));
    return 0;
}

/* --- our server, its client ---------------------------------------------------------------------- */

/* What its client does at the end is its own affair: it says so before it ends, or not. */
static int serve(sil_stream *plain, void *out_line)
{
    sil_stream *stream;
    const char *line;
    EXPECT_PART(sil_tls_accept(plain, configs.server, &stream, SIL_FOREVER));
    EXPECT_PART(sil_read_line(stream, 100, &line, NULL, SIL_FOREVER));
    (void)snprintf(out_line, 100, "%s", line);
    EXPECT_PART(put(stream, "from the server\n"));
    EXPECT_PART(sil_stream_shutdown(stream, SIL_FOREVER));
    sil_stream_close(stream);
    return 0;
}

struct serving {
    sil_server *server;
    char *line;
};

static int co_serve(void *arg, void *result)
{
    (void)result;
    const struct serving *serving = arg;
    return sil_server_serve(serving->server, serve, serving->line, SIL_FOREVER);
}

static int be_visited(const char *version)
{
    sil_server *server;
    char line[100] = "";
    char address[32];
    const char *output;
    const char *error;
    size_t size;
    int status;
    EXPECT_PART(sil_listen("127.0.0.1", "0", NULL, &server, SIL_FOREVER));
    struct serving serving = {server, line};
    sil_future *future = sil_go(co_serve, &serving, sizeof serving, 0);
    (void)snprintf(address, sizeof address, "127.0.0.1:%u", sil_server_port(server));
    const char *const arguments[] = {
        "openssl",          "s_client",  "-connect", address,
        "-CAfile",          ca_file,     "-quiet",   "-verify_return_error",
        "-verify_hostname", "localhost", version,    NULL};
    sil_program *program = start(arguments);
    EXPECT(program);
    EXPECT_PART(sil_program_communicate(program, "from the client\n", 16, 10000, &output, &size,
                                        &error, &size, SIL_FOREVER));
    EXPECT_PART(sil_program_wait(program, &status, SIL_FOREVER));
    EXPECT(has(output, "from the server\n"));
    EXPECT(strcmp(line, "from the client") == 0);
    sil_program_close(program);
    EXPECT_PART(sil_server_shutdown(server, SIL_FOREVER));
    EXPECT_PART(sil_take(future, NULL, SIL_FOREVER));
    sil_server_stats stats;
    EXPECT_PART(sil_server_stats_get(server, &stats));
    EXPECT(stats.accepted == 1 && stats.failed == 0);
    sil_server_close(server);
    return 0;
}

SCENARIO(its_client)
{
    (void)arg, (void)result;
    EXPECT_PART(be_visited("-tls1_2"));
    EXPECT_PART(be_visited("-tls1_3"));
    return 0;
}

/* --- is it there? -------------------------------------------------------------------------------- */

static int co_look(void *arg, void *result)
{
    (void)arg, (void)result;
    sil_program *program = start((const char *const[]){"openssl", "version", NULL});
    command_is_there = program != NULL;
    sil_program_close(program);
    return 0;
}

int main(void)
{
    begin_tls_scenarios();
    const struct CMUnitTest tests[] = {
        TEST(test_its_server),
        TEST(test_its_client),
    };
    (void)sil_run(co_look, NULL, 0, NULL, 0);
    if (!command_is_there)
        return end_tls_scenarios(0);
    int failed = begin_files(NULL);
    if (failed == 0)
        failed = test_run_group("tls.openssl", tests, COUNT_OF(tests));
    failed += end_files(NULL) != 0;
    return test_exit(end_tls_scenarios(failed));
}
