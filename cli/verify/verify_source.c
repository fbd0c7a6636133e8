// SPDX-License-Identifier: BSD-2-Clause
/*
 * verify_source.c - messages from a file, an mbox, a Maildir or a folder.
 *
 * An mbox is told by a first line that begins with "From " while a later one does too behind an empty line (RFC 4155);
 * ">From " is released its form, since that is what was signed. A Maildir is told by its folders new and cur. A message
 * is handed over as it lies on disk. Failure: EX_NOINPUT or EX_IOERR, with the file's name; a folder without a message
 * is one. An entry that cannot be read is named and skipped; the exit code then tells.
 */
#include "cli/cli.h"
#include "cli/verify/verify.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef bool each_fn(void *context, const char *name, struct slice message);

static int read_all(FILE *f, const char *path, struct buf *out)
{
    char piece[65536];
    size_t n;

    out->bound = VERIFY_MESSAGE_BYTES;
    while ((n = fread(piece, 1, sizeof piece, f)) > 0 && !out->failed)
        buf_add(out, piece, n);
    if (out->failed) {
        cli_error("%s: larger than %zu MB, or out of memory", path, VERIFY_MESSAGE_BYTES >> 20);
        return EX_DATAERR;
    }
    if (ferror(f)) {
        cli_error("%s: %s", path, strerror(errno));
        return EX_IOERR;
    }
    return 0;
}

/* The length of the first message of an mbox: up to a "From " line behind an empty line. */
static size_t first_of_mbox(struct slice s)
{
    for (size_t i = 0; i + 6 < s.n; i++) {
        if (s.p[i] != '\n')
            continue;
        size_t k = i + 1;
        if (k < s.n && s.p[k] == '\r')
            k++;
        if (k < s.n && s.p[k] == '\n' && s.n - k > 5 && memcmp(s.p + k + 1, "From ", 5) == 0)
            return k + 1;
    }
    return s.n;
}

/* One mbox message without its quoting. */
static void unquote(struct slice s, struct buf *out)
{
    bool start = true;

    for (size_t i = 0; i < s.n; i++) {
        if (start && s.p[i] == '>') {
            size_t k = i;
            while (k < s.n && s.p[k] == '>')
                k++;
            if (s.n - k >= 5 && memcmp(s.p + k, "From ", 5) == 0)
                i++;
        }
        buf_addc(out, s.p[i]);
        start = s.p[i] == '\n';
    }
}

static bool each_of_mbox(const char *path, struct slice all, each_fn *each, void *context)
{
    unsigned number = 0;

    while (all.n) {
        size_t n = first_of_mbox(all);
        struct buf one = BUF_INIT;
        char name[PATH_MAX + 32];
        bool go_on;
        unquote(slice_of(all.p, n), &one);
        snprintf(name, sizeof name, "%s, message %u", path, ++number);
        go_on = !one.failed && each(context, name, buf_slice(&one));
        buf_release(&one);
        if (!go_on)
            return false;
        all = slice_from(all, n);
    }
    return true;
}

static int each_of_file(const char *path, each_fn *each, void *context, bool *go_on)
{
    struct buf b = BUF_INIT;
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    struct slice all;
    int rc;

    if (!f) {
        cli_error("%s: %s", path, strerror(errno));
        return EX_NOINPUT;
    }
    rc = read_all(f, path, &b);
    if (f != stdin)
        fclose(f);
    all = buf_slice(&b);
    if (rc == 0) {
        bool mbox = all.n > 5 && memcmp(all.p, "From ", 5) == 0;
        *go_on = mbox && first_of_mbox(all) < all.n ? each_of_mbox(path, all, each, context) : each(context, path, all);
    }
    buf_release(&b);
    return rc;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int each_of_folder(const char *path, each_fn *each, void *context, bool *go_on)
{
    struct dirent **list;
    int n = scandir(path, &list, NULL, by_name), rc = 0;

    if (n < 0) {
        cli_error("%s: %s", path, strerror(errno));
        return EX_NOINPUT;
    }
    for (int i = 0; i < n; i++) {
        char name[PATH_MAX];
        struct stat st;
        snprintf(name, sizeof name, "%s/%s", path, list[i]->d_name);
        if (*go_on && list[i]->d_name[0] != '.' && stat(name, &st) == 0 && S_ISREG(st.st_mode)) {
            int wrong = each_of_file(name, each, context, go_on);
            rc = rc ? rc : wrong;
        }
        free(list[i]);
    }
    free(list);
    return rc;
}

static bool is_folder(const char *path, const char *name)
{
    char inner[PATH_MAX];
    struct stat st;

    snprintf(inner, sizeof inner, "%s/%s", path, name);
    return stat(inner, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What each_of_folder calls, to know whether there was a message. */
struct counted {
    each_fn *each;
    void *context;
    size_t count;
};

static bool count_one(void *context, const char *name, struct slice message)
{
    struct counted *c = context;

    c->count++;
    return c->each(c->context, name, message);
}

int verify_each(const char *path, each_fn *each, void *context)
{
    static const char *const folders[] = {"cur", "new"};
    struct counted c = {.each = each, .context = context};
    bool go_on = true, maildir = false;
    struct stat st;
    int rc = 0;

    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return each_of_file(path, each, context, &go_on);
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        char inner[PATH_MAX];
        if (!is_folder(path, folders[i]))
            continue;
        maildir = true;
        snprintf(inner, sizeof inner, "%s/%s", path, folders[i]);
        int wrong = each_of_folder(inner, count_one, &c, &go_on);
        rc = rc ? rc : wrong;
    }
    if (!maildir)
        rc = each_of_folder(path, count_one, &c, &go_on);
    if (rc || c.count)
        return rc;
    cli_error(maildir ? "%s: no message in this Maildir"
                      : "%s: no message in this folder, and it is not a Maildir (it has no folder new or cur)",
              path);
    return EX_NOINPUT;
}
