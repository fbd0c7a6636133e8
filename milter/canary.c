// SPDX-License-Identifier: BSD-2-Clause
/*
 * canary.c - the thread that checks whether our own DNS works, and keeps its last result.
 *
 * How often: at once after the start, then every CALM_MS; every ALARM_MS after a wrong answer, or if all look-ups for
 * mails have failed since the last check. An attacker's dead domains can make it ask more often, but cannot make it
 * fail, because it asks only for `dns.canary`. Settings are read again each time; a reload that wants no suspension
 * ends one at once. Any failure in this file leaves enforcement as it is.
 */
#include "milter/canary.h"
#include "base/clock.h"
#include "dns/dns_canary.h"
#include "milter/log.h"
#include "policy/policy_live.h"
#include "policy/policy_settings.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#define CALM_MS 300000
#define ALARM_MS 10000
#define STEP_MS 1000
#define REPEAT_MS 600000
#define WRONG_TO_SUSPEND 2

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool running, stop;
    struct daemon *daemon;
    struct dns_unbound_config config; /* we own the texts */
    unsigned wrong;                   /* consecutive answers */
    char *why;                        /* suspended: the reason; NULL: enforcement is on */
    int64_t said_ms;
} canary = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

const char *canary_text(struct arena *a)
{
    pthread_mutex_lock(&canary.lock);
    const char *text = canary.why ? arena_printf(a, "suspended: %s", canary.why) : NULL;
    pthread_mutex_unlock(&canary.lock);
    return text;
}

/* Takes over `why` (NULL: healthy). */
static void canary_note(char *why, bool suspend)
{
    pthread_mutex_lock(&canary.lock);
    bool was = canary.why != NULL;
    canary.wrong = why ? canary.wrong + 1 : 0;
    bool now = why && suspend && canary.wrong >= WRONG_TO_SUSPEND;
    bool again = now && was && clock_mono_ms() - canary.said_ms >= REPEAT_MS;
    if (now != was || again)
        canary.said_ms = clock_mono_ms();
    if (now && (!was || again))
        log_say("ENFORCEMENT IS SUSPENDED (dns.when-broken): %s", why);
    else if (was && !now)
        log_say("enforcement is on again: %s", why ? "by dns.when-broken" : "our DNS is in order");
    else if (why && !suspend)
        log_complain(LOG_DNS, "our own DNS is broken: %s", why);
    free(canary.why);
    canary.why = now ? why : NULL;
    if (!now)
        free(why);
    pthread_mutex_unlock(&canary.lock);
}

static bool may_suspend(const struct policy *p)
{
    return policy_set_is(p, SETTING_DNS_WHEN_BROKEN, "suspend");
}

void canary_follow(const struct policy *p)
{
    if (may_suspend(p))
        return;
    pthread_mutex_lock(&canary.lock);
    if (canary.why)
        log_say("enforcement is on again: by dns.when-broken");
    free(canary.why);
    canary.why = NULL;
    pthread_mutex_unlock(&canary.lock);
}

static void canary_ask(void)
{
    const struct policy *p = policy_live_get(canary.daemon->policy);
    const char *name = policy_set_text(p, SETTING_DNS_CANARY);
    unsigned ms = (unsigned)policy_set_number(p, SETTING_DNS_TIMEOUT) * 2000;
    char *why = NULL;
    if (name && *name)
        (void)dns_canary(&canary.config, name, ms, &why);
    policy_unref(p);
    p = policy_live_get(canary.daemon->policy); /* as a reload may have left it meanwhile */
    canary_note(why, may_suspend(p));
    policy_unref(p);
}

/* True if look-ups failed since `before` and none succeeded. */
static bool suspicious(struct dns_unbound_stats *before)
{
    struct dns_unbound_stats now;
    dns_unbound_stats(canary.daemon->host.dns, &now);
    uint64_t bad = now.timed_out - before->timed_out + now.bogus - before->bogus + now.failed - before->failed;
    uint64_t good = now.resolved - before->resolved - (now.bogus - before->bogus) - (now.failed - before->failed);
    if (bad || good)
        *before = now;
    return bad > 0 && good == 0;
}

/* Sleeps for one interval. false: the thread must end. */
static bool wait_step(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += STEP_MS / 1000;
    pthread_mutex_lock(&canary.lock);
    if (!canary.stop)
        pthread_cond_timedwait(&canary.wake, &canary.lock, &until);
    bool go_on = !canary.stop;
    pthread_mutex_unlock(&canary.lock);
    return go_on;
}

static void *canary_watch(void *arg)
{
    struct dns_unbound_stats before = {0};
    int64_t asked = 0;
    bool alarmed = true; /* the first answer is needed at once */
    while (wait_step()) {
        int64_t since = clock_mono_ms() - asked;
        alarmed |= suspicious(&before);
        if (asked && since < (alarmed || canary.wrong ? ALARM_MS : CALM_MS))
            continue;
        canary_ask();
        asked = clock_mono_ms();
        alarmed = false;
    }
    return NULL;
}

void canary_start(struct daemon *d, const struct dns_unbound_config *config)
{
    canary.daemon = d;
    canary.config = (struct dns_unbound_config){
        .anchor = strdup(config->anchor ? config->anchor : ""),
        .forward = strdup(config->forward ? config->forward : ""),
        .extra = config->extra ? strdup(config->extra) : NULL,
    };
    /* Signals belong to the thread that waits for them: in this thread a SIGHUP would end the program. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    canary.running =
        canary.config.anchor && canary.config.forward && pthread_create(&canary.thread, NULL, canary_watch, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!canary.running)
        log_complain(LOG_DNS, "our own DNS is not watched: out of memory or threads");
}

void canary_stop(void)
{
    if (!canary.running)
        return;
    pthread_mutex_lock(&canary.lock);
    canary.stop = true;
    pthread_cond_signal(&canary.wake);
    pthread_mutex_unlock(&canary.lock);
    pthread_join(canary.thread, NULL);
    canary.running = false;
    free((char *)canary.config.anchor);
    free((char *)canary.config.forward);
    free((char *)canary.config.extra);
    free(canary.why);
    canary.why = NULL;
}
