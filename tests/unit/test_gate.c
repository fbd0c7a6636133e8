// SPDX-License-Identifier: BSD-2-Clause
/*
 * test_gate.c - one address is asked by at most GATE_AT_ONCE threads at once, and no sooner than the pace allows;
 * other addresses do not wait for it.
 */
#include "base/clock.h"
#include "check/gate.h"
#include "tests/unit/cm.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define THREADS 8
#define ROUNDS 4

static struct ip ip_of(const char *text)
{
    struct ip a;

    assert_int_equal(ip_from_text(slice_str(text), &a), STATUS_OK);
    return a;
}

static struct gate *g;
static atomic_uint inside, most, entered;

static void *go_in_and_out(void *arg)
{
    const struct ip *a = arg;

    for (int i = 0; i < ROUNDS && gate_enter(g, a); i++) {
        unsigned now = ++inside, before = most;
        while (now > before && !atomic_compare_exchange_weak(&most, &before, now))
            ;
        entered++;
        clock_sleep_ms(2);
        inside--;
        gate_leave(g, a);
    }
    return NULL;
}

static void crowd(struct ip *a)
{
    pthread_t threads[THREADS];

    inside = most = entered = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, go_in_and_out, a), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(entered, THREADS * ROUNDS);
}

static void at_most_two_at_once(void **state)
{
    struct ip a = ip_of("192.0.2.1");

    g = gate_new(0);
    crowd(&a);
    assert_true(most <= GATE_AT_ONCE);
    g = gate_free(g);
}

static void two_beginnings_are_a_pace_apart(void **state)
{
    struct ip a = ip_of("2001:db8::1");
    int64_t began = clock_mono_ms();

    g = gate_new(10);
    crowd(&a);
    assert_true(clock_mono_ms() - began >= (THREADS * ROUNDS - 1) * 10);
    g = gate_free(g);
}

/* With an hour's pace only another address is let in at once: this test would not end otherwise. */
static void others_do_not_wait(void **state)
{
    struct ip a = ip_of("192.0.2.1"), b = ip_of("192.0.2.2"), v6 = ip_of("2001:db8::1");

    g = gate_new(3600000);
    assert_true(gate_enter(g, &a));
    assert_true(gate_enter(g, &b));
    assert_true(gate_enter(g, &v6));
    gate_leave(g, &a);
    gate_leave(g, &b);
    gate_leave(g, &v6);
    g = gate_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_most_two_at_once),
        cmocka_unit_test(two_beginnings_are_a_pace_apart),
        cmocka_unit_test(others_do_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
