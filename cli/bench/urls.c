/* SPDX-License-Identifier: MIT */
/*
 * Lists of URLs, see urls.h. Read with stdio, before anything is started: nobody else waits.
 */
#include "bench/urls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "text/harmless.h"

static int add(struct texts *urls, const char *text)
{
    char shown[256];
    if (strncasecmp(text, "http://", 7) != 0 && strncasecmp(text, "https://", 8) != 0)
        return options_refuse(&bench_syntax, harmless(shown, sizeof(shown), text), "not a URL");
    char **list = realloc(urls->list, (urls->count + 1) * sizeof(*list));
    if (list != NULL)
        urls->list = list;
    char *copy = list != NULL ? strdup(text) : NULL;
    if (copy == NULL) {
        (void)fprintf(stderr, "sillon bench: out of memory\n");
        return STATUS_LOCAL_FAILURE;
    }
    urls->list[urls->count++] = copy;
    return OPTIONS_OK;
}

static int read_lines(FILE *file, const char *name, struct texts *out)
{
    char *line = NULL;
    size_t room = 0;
    int status = OPTIONS_OK;
    for (ssize_t length; status == OPTIONS_OK && (length = getline(&line, &room, file)) >= 0;) {
        while (length > 0 && strchr("\r\n \t", line[length - 1]) != NULL)
            line[--length] = '\0';
        const char *text = line + strspn(line, " \t");
        if (*text != '\0' && *text != '#')
            status = add(out, text);
    }
    if (status == OPTIONS_OK && ferror(file))
        status = options_refuse(&bench_syntax, name, "%s", strerror(errno));
    free(line);
    return status;
}

int urls_gather(const struct bench_options *options, struct texts *out)
{
    int status = OPTIONS_OK;
    for (size_t i = 0; i < options->urls.count && status == OPTIONS_OK; i++)
        status = add(out, options->urls.list[i]);
    const char *name = options->input;
    if (name == NULL || status != OPTIONS_OK)
        return status;
    bool standard = strcmp(name, "-") == 0;
    FILE *file = standard ? stdin : fopen(name, "re");
    if (file == NULL)
        return options_refuse(&bench_syntax, name, "%s", strerror(errno));
    status = read_lines(file, standard ? "standard input" : name, out);
    if (!standard)
        (void)fclose(file);
    if (status == OPTIONS_OK && out->count == 0)
        status = options_refuse(&bench_syntax, name, "no URLs in it");
    return status;
}

void urls_fini(struct texts *urls)
{
    for (size_t i = 0; i < urls->count; i++)
        free(urls->list[i]);
    free(urls->list);
    *urls = (struct texts){0};
}
