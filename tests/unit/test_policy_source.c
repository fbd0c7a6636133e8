// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_policy_source.c - files that may be anybody's, read by root: which links and second names of files count, and
 * that the way to a folder is walked once for all the files that are read in it. Needs root for the first; as another
 * user it is skipped.
 */
#include "policy/source.h"
#include "tests/unit/policy_folder.h"
#include <sys/stat.h>

#define THEM 65533u
#define OTHERS 65532u

static void folder_owned(const char *name, uid_t uid, mode_t mode)
{
    assert_int_equal(mkdir(in(name), 0755), 0);
    assert_int_equal(chown(in(name), uid, uid), 0);
    assert_int_equal(chmod(in(name), mode), 0);
}

static void file_owned(const char *name, const char *text, uid_t uid)
{
    put(name, text);
    assert_int_equal(lchown(in(name), uid, uid), 0);
}

static void link_owned(const char *to, const char *name, uid_t uid)
{
    assert_int_equal(symlink(to, in(name)), 0);
    assert_int_equal(lchown(in(name), uid, uid), 0);
}

/* What is read there, in the folder that is open and by its path alone, which must agree. */
static enum status read_both_ways(struct source_folder *f, const char *name, char text[256])
{
    struct source_text alone = {.any_owner = true}, within = {.any_owner = true, .folder = f};
    enum status one = source_read(in(name), 1000, &alone), other = source_read(in(name), 1000, &within);
    assert_int_equal(one, other);
    text[0] = '\0';
    if (one == STATUS_OK) {
        assert_int_equal(alone.text.n, within.text.n);
        assert_memory_equal(alone.text.p, within.text.p, alone.text.n);
        snprintf(text, 256, "%.*s", (int)alone.text.n, alone.text.p);
        source_text_release(&alone);
        source_text_release(&within);
    } else {
        assert_string_equal(alone.reason, within.reason);
        snprintf(text, 256, "%s", alone.reason);
    }
    return one;
}

static void test_links_of_others(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    static const struct {
        const char *name;
        enum status want;
        const char *text;
    } cases[] = {
        {"theirs/own.policy", STATUS_OK, "theirs"},
        {"theirs/link-to-own.policy", STATUS_OK, "theirs"},
        {"theirs/link-to-root.policy", STATUS_DENIED, "it is a link to a file of somebody else"},
        {"theirs/link-to-others.policy", STATUS_DENIED, "it is a link to a file of somebody else"},
        {"theirs/roots-link-to-root.policy", STATUS_OK, "root's"},
        {"theirs/name-of-roots.policy", STATUS_DENIED, "it is a link to a file of somebody else"},
        {"theirs/name-of-own.policy", STATUS_OK, "theirs"},
        {"theirs/loop.policy", STATUS_DENIED, "it is a link to a file of somebody else"},
        {"theirs/none.policy", STATUS_MISSING, "No such file or directory"},
        {"theirs/folder.policy", STATUS_INVALID, "it is a directory, not a file"},
        {"theirs/fifo.policy", STATUS_INVALID, "it is a FIFO, not a file"},
        {"ours/link-to-theirs.policy", STATUS_OK, "theirs"},
        {"ours/name-of-theirs.policy", STATUS_OK, "theirs"},
        {"shared/own.policy", STATUS_DENIED, "anybody may write to the folder it lies in (mode 0777)"},
    };
    char text[256];
    folder_owned("theirs", THEM, 0755);
    folder_owned("ours", 0, 0755);
    folder_owned("shared", 0, 0777);
    file_owned("root", "root's", 0);
    file_owned("others", "others'", OTHERS);
    file_owned("theirs/own.policy", "theirs", THEM);
    file_owned("shared/own.policy", "theirs", THEM);
    link_owned("own.policy", "theirs/link-to-own.policy", THEM);
    link_owned("../root", "theirs/link-to-root.policy", THEM);
    link_owned("../others", "theirs/link-to-others.policy", THEM);
    link_owned("../root", "theirs/roots-link-to-root.policy", 0);
    link_owned("loop.policy", "theirs/loop.policy", THEM);
    link_owned("../theirs/own.policy", "ours/link-to-theirs.policy", 0);
    assert_int_equal(link(in("root"), in("theirs/name-of-roots.policy")), 0);
    assert_int_equal(link(in("theirs/own.policy"), in("theirs/name-of-own.policy")), 0);
    assert_int_equal(link(in("theirs/own.policy"), in("ours/name-of-theirs.policy")), 0);
    assert_int_equal(mkdir(in("theirs/folder.policy"), 0755), 0);
    assert_int_equal(mkfifo(in("theirs/fifo.policy"), 0644), 0);
    char theirs[128], ours[128];
    snprintf(theirs, sizeof theirs, "%s", in("theirs"));
    snprintf(ours, sizeof ours, "%s", in("ours"));
    struct source_folder first = source_folder_of(theirs), second = source_folder_of(ours);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        enum status s = read_both_ways(cases[i].name[0] == 'o' ? &second : &first, cases[i].name, text);
        if (s != cases[i].want || strcmp(text, cases[i].text) != 0)
            fail_msg("%s: %d, \"%s\" and not %d, \"%s\"", cases[i].name, (int)s, text, (int)cases[i].want,
                     cases[i].text);
    }
    source_folder_close(&first);
    source_folder_close(&second);
}

static void expect_source(struct source_folder *f, const char *name, enum status want, const char *text)
{
    struct source_text t = {.any_owner = true, .folder = f};
    assert_int_equal(source_read(in(name), 1000, &t), want);
    if (want != STATUS_OK)
        return;
    assert_int_equal(t.text.n, strlen(text));
    assert_memory_equal(t.text.p, text, t.text.n);
    source_text_release(&t);
}

/* A folder that is exchanged while its files are read: all are of the one that was opened first. */
static void test_a_folder_is_opened_once(void **state)
{
    (void)state;
    char path[128];
    assert_int_equal(mkdir(in("many"), 0755), 0);
    assert_int_equal(mkdir(in("many-more"), 0755), 0);
    put("many/a.policy", "a");
    put("many/b.policy", "b");
    put("many-more/b.policy", "more");
    snprintf(path, sizeof path, "%s", in("many"));
    struct source_folder f = source_folder_of(path);
    assert_int_equal(f.fd, -1);
    expect_source(&f, "many/a.policy", STATUS_OK, "a");
    assert_int_equal(rename(in("many"), in("before")), 0);
    assert_int_equal(mkdir(in("many"), 0755), 0);
    put("many/b.policy", "another");
    expect_source(&f, "many/b.policy", STATUS_OK, "b");
    expect_source(&f, "many-more/b.policy", STATUS_OK, "more"); /* elsewhere: by its own path */
    expect_source(&f, "before/a.policy", STATUS_OK, "a");
    expect_source(&f, "many/../many/b.policy", STATUS_OK, "another");
    source_folder_close(&f);
    expect_source(&f, "many/b.policy", STATUS_OK, "another");
    source_folder_close(&f);
}

/* A folder that is not there, or is none, is said of each file. */
static void test_no_folder(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s", in("nowhere"));
    struct source_folder f = source_folder_of(path);
    expect_source(&f, "nowhere/a.policy", STATUS_MISSING, "");
    expect_source(&f, "nowhere/b.policy", STATUS_MISSING, "");
    put("nowhere", "a file");
    expect_source(&f, "nowhere/a.policy", STATUS_MISSING, "");
    source_folder_close(&f);
}

static int setup(void **state)
{
    (void)state;
    return folder_make() == 0 ? chmod(folder, 0755) : -1;
}

static int teardown(void **state)
{
    (void)state;
    return folder_remove();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_links_of_others),
                                       cmocka_unit_test(test_a_folder_is_opened_once),
                                       cmocka_unit_test(test_no_folder)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
