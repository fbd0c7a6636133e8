// SPDX-License-Identifier: BSD-2-Clause
/*
 * standards.c - `assay standards [--json] [NAME...]`: each standard in two plain sentences.
 *
 * Written for someone who knows no abbreviation. An unknown name is EX_USAGE, and the known ones are listed.
 */
#include "base/json.h"
#include "base/standard.h"
#include "cli/cli.h"
#include "cli/standards.h"

static const struct standard_text texts[STANDARD_COUNT] = {
#define STANDARD_TEXT(name, title, protects, acts) [STANDARD_##name] = {title, protects, acts},
#include "cli/standards.def"
#undef STANDARD_TEXT
};

const struct standard_text *standard_text(enum standard s)
{
    return (unsigned)s < STANDARD_COUNT ? &texts[s] : NULL;
}

static void print_one(enum standard s)
{
    printf("%s%s%s: %s\n", cli_colour(stdout, CLI_BOLD), standard_name(s), cli_colour(stdout, CLI_PLAIN),
           texts[s].title);
    printf("  %s\n  %s\n", texts[s].protects, texts[s].acts);
    if (s >= STANDARD_MAIL_COUNT)
        puts("  Checked of domains only; no mail is judged by it.");
}

static void json_one(struct json *j, enum standard s)
{
    json_open(j);
    json_str(j, "standard", standard_name(s));
    json_str(j, "title", texts[s].title);
    json_str(j, "protects", texts[s].protects);
    json_str(j, "acts", texts[s].acts);
    json_bool(j, "judged_on_mail", s < STANDARD_MAIL_COUNT);
    json_end(j);
}

/* Marks the standards named by the arguments; -1: go on, else the exit code. */
static int choose(int argc, char **argv, bool chosen[STANDARD_COUNT], bool *as_json)
{
    bool any = false;
    for (int i = 1; i < argc; i++) {
        enum standard s = standard_from_name(slice_str(argv[i]));
        if (strcmp(argv[i], "--json") == 0) {
            *as_json = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            puts("Usage: assay standards [--json] [STANDARD...]\n\nSays of each standard what it protects from and who "
                 "has to act.");
            return EX_OK;
        } else if (s == STANDARD_COUNT) {
            fprintf(stderr, "Standards:");
            for (int k = 0; k < STANDARD_COUNT; k++)
                fprintf(stderr, " %s", standard_name((enum standard)k));
            fputc('\n', stderr);
            return cli_usage("'%s' is no standard", argv[i]);
        } else {
            chosen[s] = any = true;
        }
    }
    for (int k = 0; k < STANDARD_COUNT && !any; k++)
        chosen[k] = true;
    return -1;
}

int cmd_standards(int argc, char **argv)
{
    bool chosen[STANDARD_COUNT] = {false}, as_json = false;
    int rc = choose(argc, argv, chosen, &as_json);
    if (rc != -1)
        return rc;
    struct buf b = BUF_INIT;
    struct json j = JSON_INTO(&b);
    if (as_json)
        json_open_array(&j, NULL);
    for (int k = 0; k < STANDARD_COUNT; k++) {
        if (chosen[k] && as_json)
            json_one(&j, (enum standard)k);
        else if (chosen[k])
            print_one((enum standard)k);
    }
    if (!as_json)
        return EX_OK;
    json_end(&j);
    buf_addc(&b, '\n');
    return cli_flush(&b) ? EX_OK : EX_IOERR;
}
