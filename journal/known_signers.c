// SPDX-License-Identifier: BSD-2-Clause
/*
 * known_signers.c - reads the file of domains that sign all their mail.
 *
 * Promises that a look-up is a binary search in memory under a read lock; the write lock is held only while two
 * pointers are swapped. A file that is missing, too long, cut off or not ours (no heading, names out of order) leaves
 * what was known before; a file is used completely or not at all. Written by ledger/retention_signers.c.
 */
#include "journal/known_signers.h"
#include "base/clock.h"
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct list {
    char *text;
    const char **names;
    size_t count;
};

struct known_signers {
    char *path;
    pthread_rwlock_t lock;
    struct list *list;
    atomic_flag looking;
    _Atomic int64_t looked;
    struct timespec changed; /* of the file read last; guarded by `looking` */
    ino_t inode;
};

static struct list *list_free(struct list *l)
{
    if (l) {
        free(l->text);
        free(l->names);
    }
    free(l);
    return NULL;
}

/* "assay-knowledge 1 COUNT\n", then a name a line, in strcmp's order. */
static struct list *list_parse(char *text)
{
    static const char heading[] = "assay-knowledge 1 ";
    struct list *l = calloc(1, sizeof *l);
    if (!l) {
        free(text);
        return NULL;
    }
    l->text = text;
    char *p = text;
    if (strncmp(p, heading, sizeof heading - 1) != 0)
        return list_free(l);
    size_t count = strtoull(p + sizeof heading - 1, &p, 10);
    if (*p++ != '\n' || count > KNOWN_SIGNERS_BYTES_MAX || !(l->names = malloc((count + 1) * sizeof *l->names)))
        return list_free(l);
    while (*p && l->count < count) {
        char *end = strchr(p, '\n');
        if (!end)
            break;
        *end = '\0';
        if (l->count && strcmp(l->names[l->count - 1], p) >= 0)
            return list_free(l);
        l->names[l->count++] = p;
        p = end + 1;
    }
    return l->count == count && !*p ? l : list_free(l);
}

static struct list *list_read(int fd, size_t n)
{
    char *text = malloc(n + 1);
    size_t got = 0;
    for (ssize_t m; text && got < n && (m = read(fd, text + got, n - got)) > 0;)
        got += (size_t)m;
    if (!text || got != n || memchr(text, '\0', n)) {
        free(text);
        return NULL;
    }
    text[n] = '\0';
    return list_parse(text);
}

static void file_reload_if_changed(struct known_signers *k)
{
    struct stat st;
    int fd = open(k->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return;
    bool fresh =
        fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && (size_t)st.st_size <= KNOWN_SIGNERS_BYTES_MAX &&
        (st.st_ino != k->inode || st.st_mtim.tv_sec != k->changed.tv_sec || st.st_mtim.tv_nsec != k->changed.tv_nsec);
    struct list *l = fresh ? list_read(fd, (size_t)st.st_size) : NULL;
    close(fd);
    if (!l)
        return;
    k->inode = st.st_ino;
    k->changed = st.st_mtim;
    pthread_rwlock_wrlock(&k->lock);
    struct list *old = k->list;
    k->list = l;
    pthread_rwlock_unlock(&k->lock);
    list_free(old);
}

void known_signers_refresh(struct known_signers *k)
{
    if (atomic_flag_test_and_set(&k->looking))
        return; /* another thread is doing it */
    atomic_store(&k->looked, clock_mono_ms());
    file_reload_if_changed(k);
    atomic_flag_clear(&k->looking);
}

struct known_signers *known_signers_open(const char *path)
{
    struct known_signers *k = calloc(1, sizeof *k);
    if (!k || !(k->path = strdup(path))) {
        free(k);
        return NULL;
    }
    pthread_rwlock_init(&k->lock, NULL);
    atomic_flag_clear(&k->looking);
    known_signers_refresh(k);
    return k;
}

struct known_signers *known_signers_close(struct known_signers *k)
{
    if (k) {
        pthread_rwlock_destroy(&k->lock);
        list_free(k->list);
        free(k->path);
    }
    free(k);
    return NULL;
}

static int by_name(const void *name, const void *element)
{
    return strcmp(name, *(const char *const *)element);
}

bool known_signers_signs(struct known_signers *k, const char *domain)
{
    if (!domain)
        return false;
    if (clock_mono_ms() - atomic_load(&k->looked) >= KNOWN_SIGNERS_LOOK_MS)
        known_signers_refresh(k);
    pthread_rwlock_rdlock(&k->lock);
    bool there = k->list && bsearch(domain, k->list->names, k->list->count, sizeof *k->list->names, by_name);
    pthread_rwlock_unlock(&k->lock);
    return there;
}

size_t known_signers_count(struct known_signers *k)
{
    pthread_rwlock_rdlock(&k->lock);
    size_t n = k->list ? k->list->count : 0;
    pthread_rwlock_unlock(&k->lock);
    return n;
}
