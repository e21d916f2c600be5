/* SPDX-License-Identifier: MIT */
/*
 * Completions for bash and zsh, see help.h.
 *
 * Both are a program text around tables made from the records. bash gets one function, which knows
 * that bash parts "--name=value" in three words; zsh gets specifications for its _arguments.
 */
#include "syntax/help.h"

#include <string.h>

static bool takes_next_word(const struct option_record *option)
{
    return option->kind != OPTION_FLAG && option->kind != OPTION_COUNT &&
           option->kind != OPTION_OPTIONAL;
}

/* " --input -i" */
static void put_names(FILE *out, const struct option_record *option)
{
    (void)fprintf(out, " --%s", option->name);
    if (option->letter != '\0')
        (void)fprintf(out, " -%c", option->letter);
}

/* --- bash ---------------------------------------------------------------------------------- */

static const char bash_opening[] =
    "# bash completion for sillon, made by: sillon help --completion bash\n"
    "_sillon()\n"
    "{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local command=${COMP_WORDS[1]} glued='' options='' takes='' words='' stops='' i\n"
    "    COMPREPLY=()\n"
    "    # --name=value comes as three words.\n"
    "    if [[ $current == = ]]; then\n"
    "        current=''\n"
    "        glued='='\n"
    "    elif [[ $option == = ]] && ((COMP_CWORD > 2)); then\n"
    "        option=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "        glued='='\n"
    "    fi\n";

/* The tables are set; words of the command itself. */
static const char bash_middle[] =
    "    if [[ $stops ]]; then\n"
    "        for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "            [[ ${COMP_WORDS[i]} == -* ]] || break\n"
    "            if [[ ${COMP_WORDS[i]} == -- ]]; then\n"
    "                ((i++))\n"
    "                break\n"
    "            elif [[ ${COMP_WORDS[i + 1]} == = ]]; then\n"
    "                ((i += 2))\n"
    "            elif [[ \"$takes \" == *\" ${COMP_WORDS[i]} \"* ]]; then\n"
    "                ((i++))\n"
    "            fi\n"
    "        done\n"
    "        if ((i < COMP_CWORD)) && declare -F _command_offset >/dev/null; then\n"
    "            _command_offset \"$i\"\n"
    "            return\n"
    "        elif ((i < COMP_CWORD)); then\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
    "            return\n"
    "        elif ((i == COMP_CWORD)) && [[ $current != -* || ${COMP_WORDS[i - 1]} == -- ]]; then\n"
    "            mapfile -t COMPREPLY < <(compgen -c -- \"$current\")\n"
    "            return\n"
    "        fi\n"
    "    fi\n"
    "    case \"$command $option$glued\" in\n";

static const char bash_end[] =
    "    esac\n"
    "    [[ $glued || \"$takes \" == *\" $option \"* ]] && return\n"
    "    [[ $current == -* ]] && words=$options\n"
    "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
    "}\n"
    "complete -F _sillon sillon\n";

static void bash_tables(FILE *out, const struct syntax *syntax)
{
    (void)fprintf(out, "    %s)\n        options='", syntax->command);
    for (size_t i = 0; i < syntax->option_count; i++)
        (void)fprintf(out, "--%s ", syntax->options[i].name);
    (void)fputs("--help'\n        takes='", out);
    for (size_t i = 0; i < syntax->option_count; i++) {
        if (takes_next_word(&syntax->options[i]))
            put_names(out, &syntax->options[i]);
    }
    (void)fprintf(out, "'\n        words='%s'\n        stops=%s\n        ;;\n",
                  syntax->word_choices != NULL ? syntax->word_choices : "",
                  syntax->stops_at_word ? "yes" : "''");
}

/* What is offered for an option's value. */
static void bash_value(FILE *out, const struct syntax *syntax, const struct option_record *option)
{
    if (option->choices == NULL && option->hint == HINT_NONE)
        return;
    (void)fprintf(out, "    '%s --%s='", syntax->command, option->name);
    if (takes_next_word(option)) {
        (void)fprintf(out, " | '%s --%s'", syntax->command, option->name);
        if (option->letter != '\0')
            (void)fprintf(out, " | '%s -%c'", syntax->command, option->letter);
    }
    (void)fputs(")\n", out);
    if (option->choices != NULL) {
        (void)fputs("        mapfile -t COMPREPLY < <(compgen -W '", out);
        for (size_t i = 0; option->choices[i] != NULL; i++)
            (void)fprintf(out, "%s%s", i > 0 ? " " : "", option->choices[i]);
        (void)fputs("' -- \"$current\")\n", out);
    } else {
        (void)fprintf(out,
                      "        compopt -o filenames 2>/dev/null\n"
                      "        mapfile -t COMPREPLY < <(compgen -%c -- \"$current\")\n",
                      option->hint == HINT_FOLDER ? 'd' : 'f');
    }
    (void)fputs("        ;;\n", out);
}

void completion_print_bash(FILE *out)
{
    (void)fputs(bash_opening, out);
    (void)fputs("    if ((COMP_CWORD == 1)); then\n        words='", out);
    for (size_t i = 0; all_syntaxes[i] != NULL; i++)
        (void)fprintf(out, "%s ", all_syntaxes[i]->command);
    (void)fputs("help --help --version'\n"
                "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
                "        return\n"
                "    fi\n"
                "    case $command in\n",
                out);
    for (size_t i = 0; all_syntaxes[i] != NULL; i++)
        bash_tables(out, all_syntaxes[i]);
    (void)fputs("    help)\n        options='--man --completion'\n        words='", out);
    for (size_t i = 0; all_syntaxes[i] != NULL; i++)
        (void)fprintf(out, "%s%s", i > 0 ? " " : "", all_syntaxes[i]->command);
    (void)fputs("'\n        ;;\n    esac\n", out);
    (void)fputs(bash_middle, out);
    (void)fputs("    'help --completion')\n"
                "        mapfile -t COMPREPLY < <(compgen -W 'bash zsh' -- \"$current\")\n"
                "        return\n"
                "        ;;\n",
                out);
    for (size_t i = 0; all_syntaxes[i] != NULL; i++) {
        for (size_t k = 0; k < all_syntaxes[i]->option_count; k++)
            bash_value(out, all_syntaxes[i], &all_syntaxes[i]->options[k]);
    }
    (void)fputs(bash_end, out);
}

/* --- zsh ----------------------------------------------------------------------------------- */

/* An explanation between brackets, between quotes: none of either may stand in it. */
static void zsh_explanation(FILE *out, const char *text)
{
    (void)fputc('[', out);
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", out);
        else
            (void)fputc(*text == '[' ? '(' : *text == ']' ? ')' : *text, out);
    }
    (void)fputc(']', out);
}

/* ":message:what is offered" */
static void zsh_value(FILE *out, const struct option_record *option)
{
    if (option->argument == NULL)
        return;
    (void)fputs(option->kind == OPTION_OPTIONAL ? "::" : ":", out);
    for (const char *letter = option->argument; *letter != '\0'; letter++)
        (void)fprintf(out, "%s%c", *letter == ':' ? "\\" : "", *letter);
    (void)fputc(':', out);
    if (option->choices != NULL) {
        for (size_t i = 0; option->choices[i] != NULL; i++)
            (void)fprintf(out, "%c%s", i > 0 ? ' ' : '(', option->choices[i]);
        (void)fputc(')', out);
    } else if (option->hint != HINT_NONE) {
        (void)fputs(option->hint == HINT_FOLDER ? "_files -/" : "_files", out);
    }
}

static void zsh_option(FILE *out, const struct option_record *option)
{
    bool again = option->kind == OPTION_LIST || option->kind == OPTION_COUNT;
    const char *long_end = takes_next_word(option)           ? "="
                           : option->kind == OPTION_OPTIONAL ? "=-"
                                                             : "";
    (void)fputs("        ", out);
    if (option->letter == '\0') {
        (void)fprintf(out, "'%s--%s%s", again ? "*" : "", option->name, long_end);
    } else {
        if (again)
            (void)fputs("'*'", out);
        else
            (void)fprintf(out, "'(-%c --%s)'", option->letter, option->name);
        (void)fprintf(out, "{-%c%s,--%s%s}'", option->letter, long_end[0] != '\0' ? "+" : "",
                      option->name, long_end);
    }
    zsh_explanation(out, option->help);
    zsh_value(out, option);
    (void)fputs("' \\\n", out);
}

static void zsh_command(FILE *out, const struct syntax *syntax)
{
    (void)fprintf(out, "_sillon_%s()\n{\n    _arguments -s -S%s \\\n", syntax->command,
                  syntax->stops_at_word ? " -A '-*'" : "");
    for (size_t i = 0; i < syntax->option_count; i++)
        zsh_option(out, &syntax->options[i]);
    (void)fputs("        '(- *)'{-h,--help}'[show the options and do nothing]' \\\n", out);
    if (syntax->stops_at_word)
        (void)fputs("        '1:command: _command_names -e' \\\n        '*::argument: _normal'\n",
                    out);
    else if (syntax->word_choices != NULL)
        (void)fprintf(out, "        '*:word:(%s)'\n", syntax->word_choices);
    else
        (void)fputs("        '*:URL:_urls'\n", out);
    (void)fputs("}\n\n", out);
}

void completion_print_zsh(FILE *out)
{
    (void)fputs("#compdef sillon\n# Made by: sillon help --completion zsh\n\n", out);
    for (size_t i = 0; all_syntaxes[i] != NULL; i++)
        zsh_command(out, all_syntaxes[i]);
    (void)fputs("_sillon()\n{\n"
                "    local curcontext=$curcontext state line\n"
                "    local -a commands\n"
                "    commands=(\n",
                out);
    for (size_t i = 0; all_syntaxes[i] != NULL; i++)
        (void)fprintf(out, "        '%s:%s'\n", all_syntaxes[i]->command, all_syntaxes[i]->summary);
    (void)fputs("        'help:Say all about a command.'\n"
                "    )\n"
                "    _arguments -C '(- *)'{-h,--help}'[show help]' \\\n"
                "        '(- *)--version[show the version]' \\\n"
                "        '1:command:->command' '*::argument:->rest'\n"
                "    case $state in\n"
                "    command) _describe command commands ;;\n"
                "    rest)\n"
                "        curcontext=${curcontext%:*:*}:sillon-$words[1]:\n"
                "        case $words[1] in\n"
                "        help) _describe command commands ;;\n",
                out);
    for (size_t i = 0; all_syntaxes[i] != NULL; i++)
        (void)fprintf(out, "        %s) _sillon_%s ;;\n", all_syntaxes[i]->command,
                      all_syntaxes[i]->command);
    (void)fputs("        esac ;;\n    esac\n}\n\n_sillon \"$@\"\n", out);
}
