// SPDX-License-Identifier: BSD-2-Clause
/*
 * spf.c - runs SPF cases that spf_cases.py wrote, names each failing one, and prints "N passed, N failed" last.
 *
 *     spf [-e own|libspf2] [-q] DIRECTORY
 *
 * -q: the last line only. An explanation is compared without regard to case, and where the suite says DEFAULT (the
 * receiver's own words) there must be none from DNS. Exit status: 0 all passed, 1 some failed, 2 could not run.
 */
#include "base/buf.h"
#include "dns/dns_replay.h"
#include "dns/dns_text.h"
#include "engines/engines.h"
#include <stdlib.h>
#include <unistd.h>

#define FIELDS 7

struct runner {
    const char *folder;
    const struct spf_engine *engine;
    bool quiet;
    char zone[64]; /* the one that is open */
    struct dns *dns;
    unsigned passed, failed;
};

static bool open_zone(struct runner *r, const char *zone)
{
    char path[1024], *error = NULL;
    if (r->dns && strcmp(zone, r->zone) == 0)
        return true;
    dns_close(r->dns);
    snprintf(path, sizeof path, "%s/%s", r->folder, zone);
    snprintf(r->zone, sizeof r->zone, "%s", zone);
    r->dns = dns_replay_new(path, &error);
    if (!r->dns)
        fprintf(stderr, "%s\n", error);
    free(error);
    return r->dns != NULL;
}

/* Tells whether one of the words with | between is `word`. */
static bool is_among(const char *words, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = words; (p = strstr(p, word)) != NULL; p++)
        if ((p == words || p[-1] == '|') && (p[n] == '\0' || p[n] == '|'))
            return true;
    return false;
}

static bool explained(const char *wanted, const char *got)
{
    if (!*wanted)
        return true;
    return strcmp(wanted, "DEFAULT") == 0 ? got == NULL : got && strcasecmp(wanted, got) == 0;
}

/* One case; field: zone id helo host mailfrom results explanation, escapes undone. */
static bool case_run(struct runner *r, char *const field[FIELDS])
{
    struct arena *arena = arena_new(16 << 20);
    struct dns_scope *scope = dns_scope_new(r->dns, arena, &(struct dns_budget){.lookups = 1000});
    char *at = strrchr(field[4], '@');
    struct spf_input in = {.helo = field[2], .receiver = "receiver.example"};
    struct spf_finding f;
    if (ip_from_text(slice_str(field[3]), &in.client) != STATUS_OK)
        fprintf(stderr, "%s: address %s is none\n", field[1], field[3]);
    if (*field[4]) {
        in.local = at ? slice_of(field[4], (size_t)(at - field[4])) : SLICE_NULL;
        in.domain = at ? at + 1 : field[4];
    }
    spf_start(scope, &in);
    enum status s = spf_check_by(r->engine, scope, arena, &in, SPF_MAIL_FROM, &f);
    bool good = s == STATUS_OK && is_among(field[5], result_name(f.result));
    bool words = r->engine != NULL || explained(field[6], f.explanation);
    if ((!good || !words) && !r->quiet)
        printf("%s %s: %s, expected %s%s%s%s%s (%s)\n", field[0], field[1], result_name(f.result), field[5],
               words ? "" : "; explanation ",
               words           ? ""
               : f.explanation ? f.explanation
                               : "none",
               words ? "" : ", expected ", words ? "" : field[6], f.reason);
    dns_scope_free(scope);
    arena_free(arena);
    return good && words;
}

/* Splits at tabs and undoes the escapes; the caller frees the fields. */
static size_t line_split(char *line, char *field[FIELDS])
{
    size_t count = 0;
    for (char *next = line; next && count < FIELDS; count++) {
        struct buf text = BUF_INIT;
        char *one = strsep(&next, "\t\n");
        if (dns_text_octets(slice_str(one), &text) != STATUS_OK)
            break;
        buf_addc(&text, '\0');
        field[count] = buf_detach(&text);
    }
    return count;
}

static int run_all(struct runner *r)
{
    char path[1024], *line = NULL;
    size_t size = 0;
    snprintf(path, sizeof path, "%s/cases", r->folder);
    FILE *f = fopen(path, "re");
    if (!f) {
        perror(path);
        return 2;
    }
    while (getline(&line, &size, f) > 0) {
        char *field[FIELDS];
        size_t n = line_split(line, field);
        if (n != FIELDS || !open_zone(r, field[0]))
            return 2;
        if (case_run(r, field))
            r->passed++;
        else
            r->failed++;
        for (size_t i = 0; i < n; i++)
            free(field[i]);
    }
    free(line);
    fclose(f);
    dns_close(r->dns);
    printf("%u passed, %u failed\n", r->passed, r->failed);
    return r->failed ? 1 : r->passed ? 0 : 2;
}

int main(int argc, char **argv)
{
    struct runner r = {.engine = NULL};
    int c;
    while ((c = getopt(argc, argv, "e:q")) != -1) {
        if (c == 'q')
            r.quiet = true;
        else if (c == 'e' && strcmp(optarg, "libspf2") == 0)
            r.engine = &assay_spf_engine;
        else if (c != 'e' || strcmp(optarg, "own") != 0)
            argc = 0;
    }
    if (optind + 1 != argc) {
        fprintf(stderr, "usage: spf [-e own|libspf2] [-q] DIRECTORY\n");
        return 2;
    }
    if (r.engine && !r.engine->check) {
        printf("not run: this build has no libspf2\n");
        return 2;
    }
    r.folder = argv[optind];
    return run_all(&r);
}
