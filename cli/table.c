// SPDX-License-Identifier: BSD-2-Clause
/*
 * table.c - rows as table, JSON or CSV.
 *
 * Promises the same cells in each form, and that no cell can break out of its place in any of them. Numbers stand to
 * the right, headings are bold on a terminal, and a table wider than the terminal has its last text column wrapped
 * there, or is cut with a mark where that has no room (never in a file or pipe). Failure of memory is remembered and
 * reported once, by table_print.
 */
#include "cli/csv.h"
#include "base/array.h"
#include "cli/table.h"
#include "report/page.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "ledger/timestamp.h"
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define WRAP_LEAST 20 /* columns: a text in fewer is hard to read */

enum cell_kind { CELL_EMPTY, CELL_TEXT, CELL_NUMBER, CELL_SHARE, CELL_DAY, CELL_MOMENT };

struct cell {
    enum cell_kind kind;
    char *text;
    int64_t n, whole;
};

struct table {
    const struct table_column *columns;
    size_t width, count, room;
    struct cell *cells;
    bool failed;
};

struct table *table_new(const struct table_column *columns)
{
    struct table *t = calloc(1, sizeof *t);
    if (!t)
        return NULL;
    t->columns = columns;
    while (columns[t->width].key)
        t->width++;
    return t;
}

struct table *table_free(struct table *t)
{
    for (size_t i = 0; t && i < t->count; i++)
        free(t->cells[i].text);
    if (t)
        free(t->cells);
    free(t);
    return NULL;
}

static struct cell *cell_add(struct table *t, enum cell_kind kind, int64_t n)
{
    if (!t || t->failed)
        return NULL;
    if (t->count == t->room) {
        struct cell *grown = array_grow(t->cells, &t->room, 64, sizeof *grown);
        if (!grown) {
            t->failed = true;
            return NULL;
        }
        t->cells = grown;
    }
    struct cell *c = &t->cells[t->count++];
    *c = (struct cell){.kind = kind, .n = n};
    return c;
}

void table_text(struct table *t, const char *text)
{
    struct cell *c = cell_add(t, text ? CELL_TEXT : CELL_EMPTY, 0);
    if (c && text && !(c->text = strdup(text)))
        t->failed = true;
}

void table_number(struct table *t, int64_t n)
{
    (void)cell_add(t, CELL_NUMBER, n);
}

void table_share(struct table *t, int64_t part, int64_t whole)
{
    struct cell *c = cell_add(t, whole ? CELL_SHARE : CELL_EMPTY, part);
    if (c)
        c->whole = whole;
}

void table_day(struct table *t, int64_t day)
{
    (void)cell_add(t, CELL_DAY, day);
}

void table_moment(struct table *t, int64_t moment)
{
    (void)cell_add(t, moment ? CELL_MOMENT : CELL_EMPTY, moment);
}

size_t table_rows(const struct table *t)
{
    return t && t->width ? t->count / t->width : 0;
}

/* The cell's words; raw: for programs. */
static void cell_words(const struct cell *c, bool raw, struct buf *out)
{
    char text[TIMESTAMP_TEXT], utc[CLOCK_TEXT];
    switch (c->kind) {
    case CELL_EMPTY:
        break;
    case CELL_TEXT:
        if (raw)
            buf_adds(out, c->text);
        else
            utf8_add_visible(out, slice_str(c->text));
        break;
    case CELL_NUMBER:
        buf_printf(out, "%" PRId64, c->n);
        break;
    case CELL_SHARE:
        /* Rounded down, so that 100 means all and nothing less. */
        buf_printf(out, raw ? "%d.%d" : "%d.%d %%", (int)(c->n * 1000 / c->whole / 10),
                   (int)(c->n * 1000 / c->whole % 10));
        break;
    case CELL_DAY:
        buf_adds(out, timestamp_day_text(c->n, text));
        break;
    case CELL_MOMENT:
        buf_adds(out, raw ? clock_utc_text((time_t)(c->n / TIMESTAMP_SECOND), utc) : timestamp_local_text(c->n, text));
        break;
    }
}

static void as_json(const struct table *t, struct buf *out)
{
    struct json j = JSON_INTO(out);
    json_open_array(&j, NULL);
    for (size_t i = 0; i < t->count; i++) {
        const struct cell *c = &t->cells[i];
        const char *key = t->columns[i % t->width].key;
        if (i % t->width == 0)
            json_open(&j);
        if (c->kind == CELL_EMPTY) {
            json_write_null(&j, key);
        } else if (c->kind == CELL_NUMBER) {
            json_int(&j, key, c->n);
        } else if (c->kind == CELL_SHARE) {
            json_int(&j, key, 0);
            buf_cut(out, out->n - 1);
            cell_words(c, true, out);
        } else {
            struct buf b = BUF_INIT;
            cell_words(c, true, &b);
            json_str(&j, key, b.p);
            buf_release(&b);
        }
        if ((i + 1) % t->width == 0)
            json_end(&j);
    }
    json_end(&j);
    buf_addc(out, '\n');
}

static void csv_text(struct buf *out, const char *s)
{
    bool quote = strpbrk(s, ",\"\r\n") != NULL;
    if (quote)
        buf_addc(out, '"');
    for (; *s; s++) {
        if (*s == '"')
            buf_addc(out, '"');
        buf_addc(out, *s);
    }
    if (quote)
        buf_addc(out, '"');
}

static void as_csv(const struct table *t, struct buf *out)
{
    for (size_t i = 0; i < t->width; i++)
        buf_printf(out, "%s%s", t->columns[i].key, i + 1 < t->width ? "," : "\r\n");
    for (size_t i = 0; i < t->count; i++) {
        struct buf b = BUF_INIT;
        if (t->cells[i].kind == CELL_TEXT)
            csv_content(&b, t->cells[i].text);
        else
            cell_words(&t->cells[i], true, &b);
        csv_text(out, b.p);
        buf_adds(out, (i + 1) % t->width ? "," : "\r\n");
        buf_release(&b);
    }
}

static bool is_number(const struct cell *c)
{
    return c->kind == CELL_NUMBER || c->kind == CELL_SHARE;
}

static void widths(const struct table *t, size_t *w, bool *right)
{
    for (size_t i = 0; i < t->width; i++) {
        w[i] = t->columns[i].title ? cli_columns(t->columns[i].title) : 0;
        right[i] = t->count > i && is_number(&t->cells[i]);
    }
    for (size_t i = 0; i < t->count; i++) {
        struct buf b = BUF_INIT;
        cell_words(&t->cells[i], false, &b);
        size_t n = cli_columns(b.p), column = i % t->width;
        w[column] = n > w[column] ? n : w[column];
        buf_release(&b);
    }
}

static void pad(struct buf *line, size_t n)
{
    while (n--)
        buf_addc(line, ' ');
}

static void put_cell(struct buf *line, const char *text, size_t width, bool right, bool last)
{
    size_t n = cli_columns(text);
    if (right && n < width)
        pad(line, width - n);
    buf_adds(line, text);
    if (!right && !last && n < width)
        pad(line, width - n);
    if (!last)
        buf_adds(line, "  ");
}

/* Cuts at a column of the terminal, between characters; the last of them shows that more was there. */
static void line_cut(struct buf *line, size_t columns)
{
    const bool more = cli_columns(line->p) > columns;
    while (line->n && cli_columns(line->p) + more > columns) {
        size_t n = line->n - 1;
        while (n && ((unsigned char)line->p[n] & 0xc0) == 0x80)
            n--;
        buf_cut(line, n);
    }
    if (more)
        buf_adds(line, MB_CUR_MAX > 1 ? "\u2026" : "~");
}

/* Adds a text that is wider than `room` in lines, each below the one before; a word that has no room is broken. */
static void put_wrapped(struct buf *line, const char *text, size_t start, size_t room)
{
    size_t used = 0;
    while (*text) {
        struct buf word = BUF_INIT;
        buf_add(&word, text, strcspn(text, " "));
        const size_t n = cli_columns(word.p);
        if (used && used + 1 + n > room) {
            buf_addc(line, '\n');
            pad(line, start);
            used = 0;
        } else if (used) {
            buf_addc(line, ' ');
            used++;
        }
        text += word.n;
        for (const char *at = word.p; *at; at++) {
            const bool starts = ((unsigned char)*at & 0xc0) != 0x80;
            if (starts && used == room) {
                buf_addc(line, '\n');
                pad(line, start);
                used = 0;
            }
            buf_addc(line, *at);
            used += starts;
        }
        buf_release(&word);
        text += strspn(text, " ");
    }
}

/* One row, 0: the headings. terminal 0: as wide as it is. Else its last text is wrapped if there is room for that, and
 * what remains too wide is cut. */
static void put_row(const struct table *t, size_t row, const size_t *w, const bool *right, size_t terminal,
                    struct buf *line)
{
    for (size_t i = 0; i < t->width; i++) {
        struct buf b = BUF_INIT;
        if (!t->columns[i].title)
            continue;
        const size_t start = cli_columns(line->p);
        const bool last = i + 1 == t->width;
        if (row == 0)
            buf_adds(&b, t->columns[i].title);
        else
            cell_words(&t->cells[(row - 1) * t->width + i], false, &b);
        if (last && terminal >= start + WRAP_LEAST && !right[i] && cli_columns(b.p) > terminal - start)
            put_wrapped(line, b.p, start, terminal - start);
        else
            put_cell(line, b.p, w[i], right[i], last);
        buf_release(&b);
    }
    if (terminal && line->n && !strchr(line->p, '\n'))
        line_cut(line, terminal);
    while (line->n && line->p[line->n - 1] == ' ')
        buf_cut(line, line->n - 1);
}

static void as_text(const struct table *t, struct buf *out)
{
    size_t *w = calloc(t->width, sizeof *w), terminal = isatty(1) || getenv("COLUMNS") ? (size_t)cli_width(stdout) : 0;
    bool *right = calloc(t->width, sizeof *right);
    if (!w || !right) {
        out->failed = true;
        goto done;
    }
    widths(t, w, right);
    for (size_t row = 0; row <= table_rows(t); row++) {
        struct buf line = BUF_INIT;
        put_row(t, row, w, right, terminal, &line);
        buf_printf(out, "%s%s%s\n", row ? "" : cli_colour(stdout, CLI_BOLD), line.p ? line.p : "",
                   row ? "" : cli_colour(stdout, CLI_PLAIN));
        buf_release(&line);
    }
done:
    free(w);
    free(right);
}

static void html_row(const struct table *t, size_t from, struct buf *out)
{
    buf_adds(out, "<tr>");
    for (size_t i = 0; i < t->width; i++) {
        struct buf b = BUF_INIT;
        const struct cell *c = &t->cells[from + i];
        if (!t->columns[i].title)
            continue;
        cell_words(c, c->kind == CELL_TEXT, &b); /* texts are made visible by page_text */
        buf_adds(out, is_number(c) ? "<td class=\"n r\">" : c->kind == CELL_TEXT ? "<td>" : "<td class=n>");
        page_text(out, b.p);
        buf_adds(out, "</td>");
        buf_release(&b);
    }
    buf_adds(out, "</tr>\n");
}

static void as_html(const struct table *t, struct buf *out)
{
    buf_adds(out, "<table>\n<thead><tr>");
    for (size_t i = 0; i < t->width; i++) {
        if (!t->columns[i].title)
            continue;
        buf_adds(out, t->count && is_number(&t->cells[i]) ? "<th scope=col class=r>" : "<th scope=col>");
        page_text(out, t->columns[i].title);
        buf_adds(out, "</th>");
    }
    buf_adds(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < t->count; i += t->width)
        html_row(t, i, out);
    buf_adds(out, "</tbody></table>\n");
}

void table_write(const struct table *t, enum table_form form, const char *none, struct buf *out)
{
    if (!t || t->failed)
        out->failed = true;
    else if (form == TABLE_JSON)
        as_json(t, out);
    else if (form == TABLE_CSV)
        as_csv(t, out);
    else if (form == TABLE_HTML && t->count)
        as_html(t, out);
    else if (form == TABLE_HTML)
        buf_printf(out, "<p>%s</p>\n", none);
    else if (t->count == 0)
        buf_printf(out, "%s\n", none);
    else
        as_text(t, out);
}

bool table_print(const struct table *t, enum table_form form, const char *none)
{
    struct buf out = BUF_INIT;
    table_write(t, form, none, &out);
    return cli_flush(&out);
}
