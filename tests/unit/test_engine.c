// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_engine.c - which modules are opened: a file and a folder that only root can change, built for this very version.
 */
#include "engines/engines.h"
#include "judge/engine.h"
#include "tests/unit/cm.h"
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/assay-engine-XXXXXX", module[64];

static int set_up(void **state)
{
    char command[256];

    if (geteuid() != 0 || access("build/assay-engine-opendkim.so", R_OK) != 0)
        return 0;
    assert_non_null(mkdtemp(folder));
    snprintf(module, sizeof module, "%s/e.so", folder);
    snprintf(command, sizeof command, "cp build/assay-engine-opendkim.so %s && chmod 644 %s", module, module);
    return system(command);
}

static int tear_down(void **state)
{
    unlink(module);
    rmdir(folder);
    return 0;
}

static void refused(const char *path, const char *symbol, const char *stamp, enum status want, const char *words)
{
    char why[ENGINE_WHY];
    enum status s = STATUS_OK;

    assert_null(engine_open(path, symbol, stamp, &s, why));
    if (s != want || !strstr(why, words))
        fail_msg("%s: %s: %s", path, status_text(s), why);
}

static void test_who_may_change_it(void **state)
{
    char other[80];

    if (!*module)
        skip();
    refused("/nonexistent/e.so", DKIM_ENGINE_SYMBOL, "x", STATUS_MISSING, "install the package assay-engines");
    snprintf(other, sizeof other, "%s/link.so", folder);
    assert_int_equal(symlink(module, other), 0);
    refused(other, DKIM_ENGINE_SYMBOL, "x", STATUS_DENIED, "not a regular file");
    unlink(other);
    chmod(module, 0664);
    refused(module, DKIM_ENGINE_SYMBOL, "x", STATUS_DENIED, "writable by others");
    chmod(module, 0646);
    refused(module, DKIM_ENGINE_SYMBOL, "x", STATUS_DENIED, "writable by others");
    chmod(module, 0644);
    assert_int_equal(chown(module, 65534, 0), 0);
    refused(module, DKIM_ENGINE_SYMBOL, "x", STATUS_DENIED, "not owned by root");
    assert_int_equal(chown(module, 0, 0), 0);
    chmod(folder, 0777);
    refused(module, DKIM_ENGINE_SYMBOL, "x", STATUS_DENIED, "writable by others");
    chmod(folder, 0755);
}

static void test_made_for_us(void **state)
{
    char why[ENGINE_WHY];
    enum status s = STATUS_INVALID;
    const struct dkim_engine *e;

    if (!*module)
        skip();
    refused(module, SPF_ENGINE_SYMBOL, "x", STATUS_INVALID, "not a module for this setting");
    refused(module, DKIM_ENGINE_SYMBOL, "dkim 0.0.1 0000", STATUS_INVALID, "built for another version");
    e = engine_open(module, DKIM_ENGINE_SYMBOL, assay_dkim_engine.stamp, &s, why);
    assert_non_null(e);
    assert_int_equal(s, STATUS_OK);
    assert_ptr_not_equal(e, &assay_dkim_engine); /* a copy of its own, not what this program is linked with */
    assert_non_null(e->begin);
}

static void test_not_a_library(void **state)
{
    char text[80];
    FILE *f;

    if (!*module)
        skip();
    snprintf(text, sizeof text, "%s/text.so", folder);
    f = fopen(text, "w");
    assert_non_null(f);
    fputs("no library\n", f);
    fclose(f);
    refused(text, DKIM_ENGINE_SYMBOL, "x", STATUS_INVALID, "text.so");
    unlink(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_who_may_change_it), cmocka_unit_test(test_made_for_us),
                                       cmocka_unit_test(test_not_a_library)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
