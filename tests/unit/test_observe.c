// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_observe.c - the path from the resolver's workers to the journal: the queue (nothing twice, nothing lost, never
 * waits), the zones added up within their bounds, suspensions that end by themselves (RFC 7646 2).
 */
#include "tests/unit/cm.h"
#include "resolver-module/queue.h"
#include "resolver-module/suspend.h"
#include "resolver-module/zones.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void queue_in_order_and_full(void **state)
{
    (void)state;
    struct queue *q = queue_new(sizeof(int), 5);
    assert_int_equal(queue_capacity(q), 8);
    int v;
    assert_false(queue_pop(q, &v));
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 8; i++)
            assert_true(queue_push(q, &i, sizeof i));
        assert_false(queue_push(q, &round, sizeof round));
        assert_int_equal(queue_length(q), 8);
        for (int i = 0; i < 8; i++) {
            assert_true(queue_pop(q, &v));
            assert_int_equal(v, i);
        }
        assert_false(queue_pop(q, &v));
    }
    queue_free(q);
}

#define WRITERS 4
#define EACH 50000
static struct queue *shared;
static atomic_uint pushed;

static void *write_all(void *arg)
{
    unsigned me = *(unsigned *)arg;
    for (unsigned i = 0; i < EACH; i++) {
        unsigned item[2] = {me, i};
        if (queue_push(shared, item, sizeof item))
            atomic_fetch_add(&pushed, 1);
    }
    return NULL;
}

static void queue_many_writers(void **state)
{
    (void)state;
    pthread_t threads[WRITERS];
    unsigned ids[WRITERS], item[2], popped = 0, last[WRITERS];
    memset(last, 0, sizeof last);
    shared = queue_new(sizeof item, 256);
    atomic_store(&pushed, 0);
    for (unsigned i = 0; i < WRITERS; i++) {
        ids[i] = i;
        pthread_create(&threads[i], NULL, write_all, &ids[i]);
    }
    bool running = true;
    while (running || queue_length(shared)) {
        if (queue_pop(shared, item)) {
            assert_in_range(item[0], 0, WRITERS - 1);
            assert_true(item[1] >= last[item[0]]); /* each writer's own order is kept */
            last[item[0]] = item[1] + 1;
            popped++;
        } else if (running && queue_length(shared) == 0) {
            for (unsigned i = 0; i < WRITERS; i++)
                pthread_join(threads[i], NULL);
            running = false;
        } else if (running) {
            usleep(10);
        }
    }
    while (queue_pop(shared, item))
        popped++;
    assert_int_equal(popped, atomic_load(&pushed));
    queue_free(shared);
}

static struct zones_event event(const char *zone, enum decide_state s)
{
    struct zones_event e;
    memset(&e, 0, sizeof e);
    e.state = (uint8_t)s;
    e.type = 1;
    e.weight = 1;
    snprintf(e.zone, sizeof e.zone, "%s", zone);
    return e;
}

static struct zones_entry *found;
static const char *looked_for;
static void zone_look(struct zones_entry *e, void *arg)
{
    (void)arg;
    if (strcmp(e->zone, looked_for) == 0)
        found = e;
}

static struct zones_entry *zone_find(struct zones *z, const char *zone)
{
    found = NULL;
    looked_for = zone;
    zones_each(z, zone_look, NULL);
    return found;
}

static void zones_add_up(void **state)
{
    (void)state;
    struct zones *z = zones_new();
    struct zones_event e = event("a.example", DECIDE_STATE_INSECURE);
    for (int i = 0; i < 40; i++) {
        e.type = (uint16_t)(i % 20 + 1);
        e.refused = i % 2;
        assert_true(zones_add(z, &e, 1000 + i));
    }
    struct zones_entry *f = zone_find(z, "a.example");
    assert_non_null(f);
    assert_int_equal(f->count, 40);
    assert_int_equal(f->refused, 20);
    assert_int_equal(f->first_us, 1000);
    assert_int_equal(f->last_us, 1039);
    assert_int_equal(f->type_count, ZONES_TYPES);
    assert_true(f->other_types);
    zones_written(f);
    assert_int_equal(f->new_count, 0);
    assert_int_equal(f->count, 40);
    e = event("a.example", DECIDE_STATE_SECURE);
    assert_true(zones_add(z, &e, 2000));
    assert_int_equal(zones_count(z), 2); /* another state is another entry */
    zones_free(z);
}

/* An attacker's made-up cuts stay few, and no count is lost. */
static void zones_cap_per_organisation(void **state)
{
    (void)state;
    struct zones *z = zones_new();
    for (int i = 0; i < 5000; i++) {
        char name[64];
        snprintf(name, sizeof name, "cut%d.evil.co.uk", i);
        struct zones_event e = event(name, DECIDE_STATE_INSECURE);
        assert_true(zones_add(z, &e, i));
    }
    assert_in_range(zones_count(z), 2, ZONES_PER_ORG + 1);
    struct zones_entry *rest = zone_find(z, "evil.co.uk");
    assert_non_null(rest);
    assert_true(rest->collapsed);
    assert_int_equal(rest->count, 5000 - ZONES_PER_ORG);
    struct zones_event e = event("other.co.uk", DECIDE_STATE_INSECURE); /* another organisation has its own */
    assert_true(zones_add(z, &e, 1));
    assert_non_null(zone_find(z, "other.co.uk"));
    zones_free(z);
}

static void zones_bound_and_forgetting(void **state)
{
    (void)state;
    struct zones *z = zones_new();
    char name[64];
    unsigned refused = 0;
    for (int i = 0; i < ZONES_MAX + 1000; i++) {
        snprintf(name, sizeof name, "z%d.example", i);
        struct zones_event e = event(name, DECIDE_STATE_SECURE);
        refused += !zones_add(z, &e, 5);
    }
    assert_int_equal(zones_count(z), ZONES_MAX);
    assert_int_equal(refused, 1000);
    looked_for = "none";
    struct zones_entry *e1 = zone_find(z, "z7.example");
    assert_non_null(e1);
    zones_written(e1); /* written and not seen for an hour: may go */
    struct zones_event e = event("fresh.example", DECIDE_STATE_SECURE);
    assert_true(zones_add(z, &e, INT64_C(3700) * 1000000));
    assert_null(zone_find(z, "z7.example"));
    assert_non_null(zone_find(z, "fresh.example"));
    zones_free(z);
}

static enum suspend_change answer_note(struct suspend *s, const struct policy_statement *st, bool secure,
                                       unsigned question, bool fetched, int64_t now_ms)
{
    const struct suspend_answer a = {.secure = secure, .fetched = fetched, .question = question};
    bool say;
    return suspend_note(s, st, &a, now_ms, 5000, &say);
}

static void suspension_ends_when_it_validates(void **state)
{
    (void)state;
    char path[] = "/tmp/assay-suspend.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    const struct policy_statement a = {.text = "suspend validation below a.example"},
                                  b = {.text = "suspend validation below b.example"};
    struct suspend *s = suspend_new(path);
    suspend_keep(s);
    assert_int_equal(answer_note(s, &a, true, 1, true, 1000), SUSPEND_SAME);
    assert_int_equal(answer_note(s, &a, true, 2, true, 2000), SUSPEND_SAME);
    assert_int_equal(answer_note(s, &a, true, 3, true, 5999), SUSPEND_SAME);  /* too early */
    assert_int_equal(answer_note(s, &a, false, 4, true, 6000), SUSPEND_SAME); /* broken: time and count start anew */
    assert_int_equal(answer_note(s, &a, true, 1, false, 7000), SUSPEND_SAME);
    assert_int_equal(answer_note(s, &a, true, 2, false, 8000), SUSPEND_SAME);
    assert_int_equal(answer_note(s, &a, true, 2, false, 13000), SUSPEND_SAME); /* two questions are not three */
    assert_int_equal(answer_note(s, &a, true, 3, false, 14000), SUSPEND_SAME); /* none came from the network */
    assert_false(suspend_ended(s, &a));
    assert_int_equal(answer_note(s, &a, true, 3, true, 15000), SUSPEND_ENDED);
    assert_true(suspend_ended(s, &a));
    assert_int_equal(answer_note(s, &a, true, 1, true, 16000), SUSPEND_SAME); /* said once */
    assert_false(suspend_ended(s, &b));
    suspend_keep(s);
    suspend_release(s);
    s = suspend_new(path); /* after a restart */
    assert_false(suspend_ended(s, &a));
    suspend_keep(s);
    assert_true(suspend_ended(s, &a));
    assert_false(suspend_ended(s, &b));
    assert_int_equal(answer_note(s, &a, false, 1, true, 20000), SUSPEND_AGAIN); /* in force again at once */
    assert_false(suspend_ended(s, &a));
    suspend_keep(s);
    suspend_release(s);
    s = suspend_new(path);
    suspend_keep(s);
    assert_false(suspend_ended(s, &a));
    suspend_release(s);
    unlink(path);
}

static void return_to_force_is_said_once_an_hour(void **state)
{
    (void)state;
    const struct policy_statement a = {.text = "suspend validation below a.example"};
    struct suspend *s = suspend_new("/nowhere/at/all");
    assert_non_null(s);
    suspend_keep(s);
    unsigned said = 0;
    for (int64_t minute = 1; minute <= 130; minute++) {
        const struct suspend_answer broken = {.fetched = true};
        bool say;
        for (unsigned q = 0; q < 4; q++)
            (void)answer_note(s, &a, true, q, true, minute * 60000 + q * 2000);
        assert_int_equal(suspend_note(s, &a, &broken, minute * 60000 + 9000, 5000, &say), SUSPEND_AGAIN);
        said += say;
    }
    assert_int_equal(said, 3);
    suspend_keep(s);
    suspend_release(s);
}

/* Something other than a file under its name: nothing waits for it. */
static void a_fifo_in_the_place_of_the_file(void **state)
{
    (void)state;
    char dir[] = "/tmp/assay-suspend.XXXXXX", path[64], fresh[64];
    const struct policy_statement a = {.text = "suspend validation below a.example"};
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/ended", dir);
    snprintf(fresh, sizeof fresh, "%s/ended.new", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(mkfifo(fresh, 0600), 0);
    struct suspend *s = suspend_new(path);
    alarm(5);
    suspend_keep(s);
    for (unsigned q = 0; q < 4; q++)
        (void)answer_note(s, &a, true, q, true, 1000 + q * 2000);
    suspend_keep(s);
    alarm(0);
    assert_true(suspend_ended(s, &a));
    suspend_release(s);
    unlink(path);
    unlink(fresh);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue_in_order_and_full),
        cmocka_unit_test(queue_many_writers),
        cmocka_unit_test(zones_add_up),
        cmocka_unit_test(zones_cap_per_organisation),
        cmocka_unit_test(zones_bound_and_forgetting),
        cmocka_unit_test(suspension_ends_when_it_validates),
        cmocka_unit_test(return_to_force_is_said_once_an_hour),
        cmocka_unit_test(a_fifo_in_the_place_of_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
