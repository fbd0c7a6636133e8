// SPDX-License-Identifier: BSD-2-Clause
/*
 * sts_cache.c - the table of sts_cache.h and its file.
 *
 * The table is searched by a hash kept beside the entries: 64 KiB to search, far less work than the DNS look-ups
 * of every question. The file is lines "DOMAIN ID MODE FETCHED EXPIRES USED [PATTERN...]" below a first line
 * that names its version. It is our own file, and is checked like a stranger's: a line of any other form is skipped; an
 * end later than a year from now is cut to that, so that a clock gone wrong keeps no policy for ever. Failure to get
 * memory leaves the table as it was.
 */
#include "outgoing/sts_cache.h"
#include "base/domain.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_LINE "# MTA-STS policies of assay-milter, 1: domain id mode fetched expires used patterns\n"

struct sts_cache {
    size_t count;
    uint32_t hash[TLS_POLICY_DOMAINS];
    struct tls_policy_entry *entry[TLS_POLICY_DOMAINS];
};

struct sts_cache *sts_cache_new(void)
{
    return calloc(1, sizeof(struct sts_cache));
}

struct sts_cache *sts_cache_free(struct sts_cache *c)
{
    for (size_t i = 0; c && i < c->count; i++) {
        free(c->entry[i]->mx);
        free(c->entry[i]);
    }
    free(c);
    return NULL;
}

/* FNV-1a. Collisions only cost a comparison. */
static uint32_t hash_of(const char *domain)
{
    uint32_t h = 2166136261u;

    while (*domain)
        h = (h ^ (unsigned char)*domain++) * 16777619u;
    return h;
}

struct tls_policy_entry *sts_cache_find(struct sts_cache *c, const char *domain)
{
    uint32_t h = hash_of(domain);

    for (size_t i = 0; i < c->count; i++)
        if (c->hash[i] == h && strcmp(c->entry[i]->domain, domain) == 0)
            return c->entry[i];
    return NULL;
}

/* Which is worth less: one without a policy, or else the one not asked for longer. */
static bool is_worth_less(const struct tls_policy_entry *a, const struct tls_policy_entry *b, time_t now)
{
    bool x = tls_policy_entry_holds(a, now), y = tls_policy_entry_holds(b, now);
    return x == y ? a->used < b->used : y;
}

/* The place of a new entry in a full table; TLS_POLICY_DOMAINS: none. */
static size_t make_room(struct sts_cache *c, time_t now)
{
    size_t worst = TLS_POLICY_DOMAINS;

    for (size_t i = 0; i < c->count; i++)
        if (!c->entry[i]->fetching && (worst == TLS_POLICY_DOMAINS || is_worth_less(c->entry[i], c->entry[worst], now)))
            worst = i;
    return worst;
}

struct tls_policy_entry *sts_cache_place(struct sts_cache *c, const char *domain, time_t now)
{
    struct tls_policy_entry *e = sts_cache_find(c, domain);
    size_t at = c->count;

    if (e)
        return e;
    if (at == TLS_POLICY_DOMAINS && (at = make_room(c, now)) == TLS_POLICY_DOMAINS)
        return NULL;
    e = at < c->count ? c->entry[at] : malloc(sizeof *e);
    if (!e)
        return NULL;
    if (at < c->count)
        free(e->mx);
    else
        c->count++;
    *e = (struct tls_policy_entry){.used = now};
    snprintf(e->domain, sizeof e->domain, "%s", domain);
    c->entry[at] = e;
    c->hash[at] = hash_of(domain);
    return e;
}

struct tls_policy_entry *sts_cache_at(struct sts_cache *c, size_t i)
{
    return i < c->count ? c->entry[i] : NULL;
}

enum status sts_cache_store(struct tls_policy_entry *e, const struct sts_policy *p, const char *id, time_t now)
{
    struct buf mx = BUF_INIT;
    char *text;

    for (size_t i = 0; i < p->mx_count; i++)
        buf_printf(&mx, "%s%s", i ? " " : "", p->mx[i]);
    buf_addc(&mx, '\0'); /* so that there is something to detach if there is no pattern */
    text = buf_detach(&mx);
    if (!text)
        return STATUS_NOMEM;
    free(e->mx);
    e->mx = text;
    e->mode = p->mode;
    if (id != e->id)
        snprintf(e->id, sizeof e->id, "%s", id);
    e->fetched = now;
    e->expires = now + (time_t)(p->max_age ? p->max_age : 1); /* at least for the mail it was fetched for */
    e->retry = 0;
    e->failures = 0;
    return STATUS_OK;
}

/* ---- the file ---- */

void sts_cache_text(const struct sts_cache *c, time_t now, struct buf *out)
{
    buf_adds(out, FIRST_LINE);
    for (size_t i = 0; i < c->count; i++) {
        const struct tls_policy_entry *e = c->entry[i];
        if (tls_policy_entry_holds(e, now))
            buf_printf(out, "%s %s %s %" PRId64 " %" PRId64 " %" PRId64 "%s%s\n", e->domain, e->id,
                       sts_mode_name(e->mode), (int64_t)e->fetched, (int64_t)e->expires, (int64_t)e->used,
                       *e->mx ? " " : "", e->mx);
    }
}

static struct slice next_word(struct slice *rest)
{
    const char *blank = rest->n ? memchr(rest->p, ' ', rest->n) : NULL;
    struct slice word = blank ? slice_of(rest->p, (size_t)(blank - rest->p)) : *rest;

    *rest = slice_from(*rest, word.n + (blank != NULL));
    return word;
}

static bool read_time(struct slice word, time_t *out)
{
    int64_t n = 0;

    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] < '0' || word.p[i] > '9')
            return false;
        n = n * 10 + (word.p[i] - '0');
    }
    *out = (time_t)n;
    return word.n > 0 && word.n < 16;
}

static bool read_mode(struct slice word, enum sts_mode *out)
{
    for (*out = STS_NONE; *out <= STS_ENFORCE; (*out)++)
        if (slice_eq(word, slice_str(sts_mode_name(*out))))
            return true;
    return false;
}

static bool are_patterns(struct slice rest, bool may_be_none)
{
    char pattern[LIMIT_DOMAIN + 3];
    size_t n = 0;

    for (; rest.n; n++)
        if (sts_pattern(next_word(&rest), pattern) != STATUS_OK)
            return false;
    return n || may_be_none;
}

static bool read_line(struct sts_cache *c, struct slice line, time_t now)
{
    struct slice domain = next_word(&line), id = next_word(&line);
    struct tls_policy_entry *e, read = {.fetching = false};
    char kept[LIMIT_DOMAIN + 1], record[64];

    if (domain_from_text(domain, kept) != STATUS_OK || id.n > STS_ID)
        return false;
    snprintf(record, sizeof record, "v=STSv1;id=%.*s", SLICE_ARG(id));
    if (sts_record_id(slice_str(record), read.id) != STATUS_OK || !read_mode(next_word(&line), &read.mode) ||
        !read_time(next_word(&line), &read.fetched) || !read_time(next_word(&line), &read.expires) ||
        !read_time(next_word(&line), &read.used) || !are_patterns(line, read.mode == STS_NONE))
        return false;
    if (read.expires > now + (time_t)STS_MAX_AGE)
        read.expires = now + (time_t)STS_MAX_AGE;
    if (read.expires <= now)
        return true;
    read.mx = strndup(line.n ? line.p : "", line.n);
    e = read.mx ? sts_cache_place(c, kept, now) : NULL;
    if (!e) {
        free(read.mx);
        return true;
    }
    memcpy(read.domain, e->domain, sizeof read.domain);
    free(e->mx);
    *e = read;
    return true;
}

enum status sts_cache_read(struct sts_cache *c, const char *path, time_t now, size_t *wrong)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    FILE *f = NULL;
    char *line = NULL;
    size_t size = 0;
    ssize_t n;

    *wrong = 0;
    if (fd < 0)
        return errno == ENOENT ? STATUS_MISSING : STATUS_AGAIN;
    /* A FIFO would be waited for, and a device may have no end. */
    if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    else
        f = fdopen(fd, "r");
    if (!f) {
        int error = errno;
        close(fd);
        errno = error;
        return STATUS_AGAIN;
    }
    while ((n = getline(&line, &size, f)) > 0) {
        if (line[0] == '#')
            continue;
        *wrong += line[n - 1] != '\n' || !read_line(c, slice_of(line, (size_t)n - 1), now);
    }
    free(line);
    bool failed = ferror(f);
    fclose(f);
    return failed ? STATUS_AGAIN : STATUS_OK;
}
