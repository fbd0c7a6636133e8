// SPDX-License-Identifier: BSD-2-Clause
/*
 * engine.c - checks and opens the modules of engine.h.
 *
 * Promises that code is loaded only from a regular file that root owns, in a folder that root owns, neither writable by
 * group or others: loaded code runs in this process. The file is checked by path and then opened by path; only root
 * could change it in between. An opened module is remembered by its path, never closed, and never opened twice. On
 * failure it gives one line of text; it never falls back to another engine, the caller decides.
 */
#include "judge/engine.h"
#include "policy/policy_settings.h"
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define SPF_MODULE ASSAY_ENGINE_DIR "/assay-engine-libspf2.so"
#define DKIM_MODULE ASSAY_ENGINE_DIR "/assay-engine-opendkim.so"

static enum status engine_refuse(char why[ENGINE_WHY], enum status s, const char *path, const char *words)
{
    snprintf(why, ENGINE_WHY, "%.*s: %s", ENGINE_WHY / 2, path, words);
    return s;
}

/* Tells whether root owns it and nobody else can change it. */
static enum status check_owner(const char *path, mode_t kind, char why[ENGINE_WHY])
{
    struct stat st;

    if (lstat(path, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? engine_refuse(why, STATUS_MISSING, path, "not installed: install the package " ENGINE_PACKAGE)
                   : engine_refuse(why, STATUS_DENIED, path, strerror(errno));
    if ((st.st_mode & S_IFMT) != kind)
        return engine_refuse(why, STATUS_DENIED, path, kind == S_IFREG ? "not a regular file" : "not a folder");
    if (st.st_uid != 0)
        return engine_refuse(why, STATUS_DENIED, path, "not owned by root");
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return engine_refuse(why, STATUS_DENIED, path, "writable by others than root");
    return STATUS_OK;
}

static enum status check_file(const char *path, char why[ENGINE_WHY])
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    enum status s = check_owner(path, S_IFREG, why);

    if (s != STATUS_OK)
        return s;
    if (path[0] != '/' || snprintf(folder, sizeof folder, "%.*s", (int)(slash - path), path) >= (int)sizeof folder)
        return engine_refuse(why, STATUS_DENIED, path, "not an absolute path");
    return check_owner(*folder ? folder : "/", S_IFDIR, why);
}

const void *engine_open(const char *path, const char *symbol, const char *stamp, enum status *status,
                        char why[ENGINE_WHY])
{
    const char *object;
    void *module;

    _Static_assert(SPF_ENGINE_STAMP_OCTETS == DKIM_ENGINE_STAMP_OCTETS, "one length is compared");
    *status = check_file(path, why);
    if (*status != STATUS_OK)
        return NULL;
    *status = STATUS_INVALID;
    module = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!module) {
        engine_refuse(why, STATUS_INVALID, path, dlerror());
        return NULL;
    }
    object = dlsym(module, symbol);
    if (!object) {
        engine_refuse(why, STATUS_INVALID, path, "not a module for this setting");
        return NULL;
    }
    if (strncmp(object, stamp, SPF_ENGINE_STAMP_OCTETS) != 0) {
        snprintf(why, ENGINE_WHY, "%s: built for another version: its stamp is \"%.63s\", ours is \"%s\"", path, object,
                 stamp);
        return NULL;
    }
    *status = STATUS_OK;
    return object;
}

struct module {
    const char *setting, *path, *symbol, *stamp;
    const void **opened; /* NULL: not opened yet */
};

static const void *open_once(const struct module *m, enum status *status, char why[ENGINE_WHY])
{
    if (!*m->opened)
        *m->opened = engine_open(m->path, m->symbol, m->stamp, status, why);
    return *m->opened;
}

/* Opens what one setting asks for; *object is NULL for our own engine. On failure adds text to why. */
static enum status engine_find(const struct policy *p, enum setting_id id, const char *name, const struct module *m,
                               const void **object, char why[ENGINE_WHY])
{
    char words[ENGINE_WHY] = "";
    enum status s = STATUS_OK;
    size_t n = strlen(why);

    *object = NULL;
    if (!policy_set_is(p, id, name))
        return STATUS_OK;
    *object = open_once(m, &s, words);
    if (s != STATUS_OK)
        snprintf(why + n, ENGINE_WHY - n, "%sset %s %s: %s", n ? "; " : "", m->setting, name, words);
    return s;
}

enum status engines_use(struct engines *e, const struct policy *p, char why[ENGINE_WHY])
{
    static const void *opened[2];
    static const struct module libspf2 = {"spf.engine", SPF_MODULE, SPF_ENGINE_SYMBOL, SPF_ENGINE_STAMP, &opened[0]};
    static const struct module opendkim = {"dkim.engine", DKIM_MODULE, DKIM_ENGINE_SYMBOL, DKIM_ENGINE_STAMP,
                                           &opened[1]};
    const void *object;

    why[0] = '\0';
    enum status spf = engine_find(p, SETTING_SPF_ENGINE, "libspf2", &libspf2, &object, why);
    if (spf == STATUS_OK)
        atomic_store(&e->spf, object);
    enum status dkim = engine_find(p, SETTING_DKIM_ENGINE, "opendkim", &opendkim, &object, why);
    if (dkim == STATUS_OK)
        atomic_store(&e->dkim, object);
    return spf != STATUS_OK ? spf : dkim;
}

const struct spf_engine *engines_spf(const struct engines *e)
{
    return e ? atomic_load(&e->spf) : NULL;
}

const struct dkim_engine *engines_dkim(const struct engines *e)
{
    return e ? atomic_load(&e->dkim) : NULL;
}
