// SPDX-License-Identifier: BSD-2-Clause
/*
 * standards.c - `assay standards`: the twenty standards that matter, each in plain sentences: what it protects from,
 * who has to act, what it costs, what Assay does about it.
 *
 * Written for someone who knows no abbreviation. An unknown name is EX_USAGE, and the known ones are listed.
 */
#include "report/standard_text.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/text.h"
#include "report/page.h"

struct choice {
    struct cli_language lang;
    bool chosen[STANDARD_TEXT_COUNT], as_json;
    const char *html;
};

static void print_one(size_t i)
{
    const struct standard_text *t = standard_text_at(i);
    printf("%s%s%s:", cli_colour(stdout, CLI_BOLD), standard_text_word(i), cli_colour(stdout, CLI_PLAIN));
    cli_put_wrapped(" ", strlen(standard_text_word(i)) + 2, "%s", t->title);
    cli_put_wrapped("  ", 2, "%s", cli_text(t->protects));
    cli_put_wrapped("  ", 2, "%s", cli_text(t->acts));
    cli_put_wrapped("  ", 2, "%s %s", _("Cost:"), cli_text(t->cost));
    cli_put_wrapped("  ", 2, "%s %s", _("Here:"), cli_text(t->here));
    cli_put_wrapped("  ", 2, "%s %s. %s", _("Status:"), cli_text(t->status), t->address);
}

static void json_one(struct json *j, size_t i)
{
    const struct standard_text *t = standard_text_at(i);
    json_open(j);
    json_str(j, "standard", standard_text_word(i));
    json_str(j, "title", t->title);
    json_str(j, "protects", cli_text(t->protects));
    json_str(j, "acts", cli_text(t->acts));
    json_str(j, "cost", cli_text(t->cost));
    json_str(j, "here", cli_text(t->here));
    json_str(j, "status", cli_text(t->status));
    json_str(j, "address", t->address);
    json_bool(j, "judged_on_mail", i < STANDARD_MAIL_COUNT);
    json_bool(j, "checked_of_domains", i < STANDARD_COUNT && i != STANDARD_ARC);
    json_end(j);
}

static void html_one(struct buf *b, size_t i)
{
    const struct standard_text *t = standard_text_at(i);
    const char *const rows[][2] = {{_("Protects from"), t->protects},
                                   {_("Who has to act"), t->acts},
                                   {_("Cost"), t->cost},
                                   {_("Here"), t->here},
                                   {_("Status"), t->status}};
    buf_printf(b, "<h2 id=\"%s\">", standard_text_word(i));
    page_isolated(b, t->title);
    buf_adds(b, "</h2>\n<dl>");
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        buf_printf(b, "<dt>%s</dt><dd>", rows[k][0]);
        page_text(b, cli_text(rows[k][1]));
        buf_adds(b, "</dd>");
    }
    buf_printf(b, "<dt>%s</dt><dd><a href=\"", _("Text"));
    page_text(b, t->address);
    buf_adds(b, "\">");
    page_isolated(b, t->address);
    buf_adds(b, "</a></dd></dl>\n");
}

static int name_unknown(const char *name)
{
    struct buf all = BUF_INIT;
    for (size_t k = 0; k < STANDARD_TEXT_COUNT; k++)
        buf_printf(&all, "%s%s", k ? " " : "", standard_text_word(k));
    int rc = cli_usage("'%s' is not a standard; there are: %s", name, all.failed ? "" : all.p);
    buf_release(&all);
    return rc;
}

static int choose_name(struct choice *c, const char *name)
{
    for (size_t k = 0; k < STANDARD_TEXT_COUNT; k++)
        if (strcasecmp(standard_text_word(k), name) == 0) {
            c->chosen[k] = true;
            return -1;
        }
    return name_unknown(name);
}

static const char *take_language(void *into, const char *value)
{
    return cli_take_language(&((struct choice *)into)->lang, value);
}

#define OPTIONS_OF struct choice
static const struct option_row rows[] = {
    OPTIONS_FLAG(0, "json", as_json, "for programs"),
    OPTIONS_TEXT(0, "html", "FILE", html, "a page for a browser"),
    OPTIONS_TAKE(0, "lang", "LANGUAGE", take_language, LANGUAGE_NAMES "; by default the user's"),
};

static const struct options_spec command_line = {
    .synopsis = "[--json | --html FILE] [--lang LANGUAGE] [STANDARD...]",
    .text =
        "Tells for each standard what it protects from, who has to act, what it costs, and what Assay does about it.",
    .rows = rows,
    .row_count = sizeof rows / sizeof *rows,
    .most = OPTIONS_ANY,
};

/* Marks the standards named by the arguments; -1: go on, else the exit code. */
static int standards_choose(int argc, char **argv, struct choice *c)
{
    int n, rc = cli_options(&command_line, argc, argv, c, &n);
    for (int i = 1; rc < 0 && i <= n; i++)
        rc = choose_name(c, argv[i]);
    for (size_t k = 0; rc < 0 && n == 0 && k < STANDARD_TEXT_COUNT; k++)
        c->chosen[k] = true;
    return rc;
}

static int write_page(const struct choice *c)
{
    struct buf b = BUF_INIT;
    page_begin(&b, cli_language(), _("Standards for mail and DNS"), _("Standards for mail and DNS"));
    for (size_t k = 0; k < STANDARD_TEXT_COUNT; k++)
        if (c->chosen[k])
            html_one(&b, k);
    page_end(&b);
    return cli_flush_to_file(c->html, &b, 0644) ? EX_OK : EX_CANTCREAT;
}

int cmd_standards(int argc, char **argv)
{
    struct choice c = {.html = NULL};
    int rc = standards_choose(argc, argv, &c);
    if (rc != -1)
        return rc;
    cli_speak(&c.lang, c.as_json);
    if (c.html)
        return write_page(&c);
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    if (c.as_json)
        json_open_array(&j, NULL);
    for (size_t k = 0; k < STANDARD_TEXT_COUNT; k++) {
        if (c.chosen[k] && c.as_json)
            json_one(&j, k);
        else if (c.chosen[k])
            print_one(k);
    }
    if (!c.as_json)
        return EX_OK;
    json_end(&j);
    buf_addc(&b, '\n');
    return cli_flush(&b) ? EX_OK : EX_IOERR;
}
