// SPDX-License-Identifier: BSD-2-Clause
/*
 * load_corpus.c - reads manifest and messages. A field ends where the next line does not begin with a blank; the first
 * line that is no field begins the body (RFC 5322 2.2, 2.2.3).
 */
#include "tests/bench/load_corpus.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS 7 /* that we read */

_Noreturn void fail(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("milter_load: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    exit(2);
}

void *need(void *old, size_t octets)
{
    void *p = realloc(old, octets ? octets : 1);
    if (!p)
        fail("out of memory");
    return p;
}

static char *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t room = 65536, n = 0, got;
    if (!f)
        fail("cannot read %s", path);
    do {
        text = need(text, room + 1);
        got = fread(text + n, 1, room - n, f);
        n += got;
        if (n == room)
            room *= 4;
    } while (got);
    if (ferror(f))
        fail("cannot read %s to its end", path);
    fclose(f);
    text[n] = '\0';
    *size = n;
    return text;
}

/* The end of the field that begins at `at`: behind its last line end. */
static size_t field_end(const char *text, size_t size, size_t at)
{
    do {
        const char *end = memchr(text + at, '\n', size - at);
        at = end ? (size_t)(end - text) + 1 : size;
    } while (at < size && (text[at] == ' ' || text[at] == '\t'));
    return at;
}

static void add_field(struct mail *m, const char *line, size_t name, size_t size)
{
    char *copy = need(NULL, size + 2), *out = copy + name + 1;
    memcpy(copy, line, name);
    copy[name] = '\0';
    for (size_t i = name + 1; i < size; i++)
        if (line[i] != '\r')
            *out++ = line[i];
    while (out > copy + name + 1 && out[-1] == '\n')
        out--;
    *out = '\0';
    if (m->field_count % 32 == 0)
        m->fields = need(m->fields, (m->field_count + 32) * sizeof *m->fields);
    m->fields[m->field_count++] = (struct field){.name = copy, .value = copy + name + 1};
}

static void read_message(struct mail *m, const char *path)
{
    size_t at = 0, size;
    const char *text = read_file(path, &size);
    while (at < size && strncmp(text + at, "\r\n", 2) != 0) {
        size_t end = field_end(text, size, at);
        const char *colon = memchr(text + at, ':', end - at);
        if (!colon)
            break;
        add_field(m, text + at, (size_t)(colon - text) - at, end - at);
        at = end;
    }
    if (size - at >= 2 && strncmp(text + at, "\r\n", 2) == 0)
        at += 2;
    m->text = text;
    m->head_size = at;
    m->body = text + at;
    m->body_size = size - at;
    m->size = size;
}

static void read_line(struct corpus *c, char *line, const char *folder, unsigned number)
{
    char *column[COLUMNS], path[4096], *rest = line;
    for (int i = 0; i < COLUMNS; i++)
        if (!(column[i] = strsep(&rest, "\t")))
            fail("manifest, line %u: %d columns with tabs between were expected", number, COLUMNS);
    if (c->count % 256 == 0)
        c->mails = need(c->mails, (c->count + 256) * sizeof *c->mails);
    struct mail *m = &c->mails[c->count++];
    *m = (struct mail){.id = column[0],
                       .address = column[1],
                       .client = column[2],
                       .helo = column[3],
                       .from = strcmp(column[4], "-") == 0 ? "" : column[4],
                       .rcpt = column[5]};
    snprintf(path, sizeof path, "%s%s", column[6][0] == '/' ? "" : folder, column[6]);
    read_message(m, path);
}

struct corpus corpus_read(const char *manifest)
{
    struct corpus c = {0};
    size_t size;
    unsigned number = 0;
    char folder[4096], *text = read_file(manifest, &size), *line;
    const char *slash = strrchr(manifest, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - manifest + 1) : 0, manifest);
    while ((line = strsep(&text, "\n"))) {
        number++;
        if (*line && *line != '#')
            read_line(&c, line, folder, number);
    }
    if (c.count == 0)
        fail("%s: no mail", manifest);
    return c;
}
