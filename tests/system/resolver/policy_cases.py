# SPDX-License-Identifier: BSD-2-Clause
"""The policy in a running resolver: changed while answers are cached, ended at a minute, suspended, broken, gone."""
import os
import time

from answers_cases import POLICY, describe
from cache_cases import passes, refused
from hung_cases import Load
from resolver import BUILD, Resolver

HEAD = 'policy "p" owner "x@signed.zz"\nset mode enforce\nset journal.dir JOURNAL\nset resolver.record-every 1s\n'
FREE = HEAD + "follow dnssec of every name\n"
HARD = FREE + "require dnssec of names in unsigned.zz\n"


def test_change_while_cached(place, tree):
    with Resolver(place, tree, FREE) as r:
        for _ in range(2):
            passes(r, "www.unsigned.zz")
            passes(r, "no.unsigned.zz", want="nx-")
            passes(r, "to-unsigned.signed.zz")
        r.change_policy(HARD)
        for _ in range(2):
            refused(r, "www.unsigned.zz")
            refused(r, "no.unsigned.zz")
            refused(r, "to-unsigned.signed.zz")
        r.change_policy(FREE)
        for _ in range(2):
            passes(r, "www.unsigned.zz")
            passes(r, "no.unsigned.zz", want="nx-")
        r.change_policy(FREE + "require dnssec of names in signed.zz strictly\n")
        for _ in range(2):
            refused(r, "to-unsigned.signed.zz")
            passes(r, "www.unsigned.zz")


def test_change_without_any_query_reaches_the_cache(place, tree):
    """Nobody asks anything but what is cached: the timer marks the cache."""
    with Resolver(place, tree, FREE, threads=1) as r:
        passes(r, "www.unsigned.zz")
        r.write_policy(HARD)
        end = time.time() + 5
        while time.time() < end and describe(r.ask("www.unsigned.zz")) == "passes":
            time.sleep(0.1)
        refused(r, "www.unsigned.zz")
        assert r.wait_for(lambda: r.status().get("judged_again", 0) >= 1, 6), r.status()


def test_change_under_load(place, tree):
    """Between two policies, ten times, with clients asking all the while: after each change has been seen, never an
    answer of the old one."""
    import threading

    with Resolver(place, tree, FREE, threads=2) as r:
        stop = threading.Event()

        def ask():
            while not stop.is_set():
                r.ask("www.unsigned.zz")
                r.ask("zero.unsigned.zz")

        clients = [threading.Thread(target=ask) for _ in range(4)]
        for c in clients:
            c.start()
        try:
            for i in range(6):
                r.change_policy((HARD if i % 2 == 0 else FREE) + f"# {i}\n")
                for _ in range(30):
                    if i % 2 == 0:
                        refused(r, "www.unsigned.zz")
                    else:
                        passes(r, "www.unsigned.zz")
        finally:
            stop.set()
            for c in clients:
                c.join()


def test_list_and_include_are_watched(place, tree):
    names = os.path.join(place, "unbound", "some.list")
    os.makedirs(os.path.dirname(names), exist_ok=True)
    with open(names, "w", encoding="ascii") as f:
        f.write("free.zz\n")
    policy = FREE + 'list some in "some.list"\nrequire dnssec of names in list some\n'
    with Resolver(place, tree, policy) as r:
        passes(r, "www.unsigned.zz")
        refused(r, "www.free.zz")
        version = r.policy_version()
        with open(names, "w", encoding="ascii") as f:
            f.write("free.zz\nunsigned.zz\n")
        assert r.wait_for(lambda: r.policy_version() > version), r.words()[-400:]
        time.sleep(0.4)
        refused(r, "www.unsigned.zz")
        refused(r, "www.free.zz")


def test_a_customers_file_mended_in_place(place, tree):
    """Broken when it was read, and mended without another file's appearing: seen."""
    folder = os.path.join(place, "unbound", "customers")
    os.makedirs(folder, exist_ok=True)

    def write(text):
        with open(os.path.join(folder, "a.example.policy"), "w", encoding="ascii") as f:
            f.write(text)

    write("nonsense here\n")
    with Resolver(place, tree, FREE + f'include "{folder}" may tighten\n') as r:
        passes(r, "www.unsigned.zz")
        version = r.policy_version()
        write("follow dmarc of everyone writing to a.example\n")
        assert r.wait_for(lambda: r.policy_version() > version, 4), r.words()[-500:]
        write("nonsense again\n")
        version = r.policy_version()
        write("require dmarc of everyone writing to a.example\n")
        assert r.wait_for(lambda: r.policy_version() > version, 4), r.words()[-500:]


def test_a_bad_file_newly_named_is_read_again(place, tree):
    """An error in a file that the policy in force does not name: mended there, it is seen within seconds."""
    new = os.path.join(place, "unbound", "more.policy")
    with Resolver(place, tree, FREE) as r:
        passes(r, "www.unsigned.zz")
        with open(new, "w", encoding="ascii") as f:
            f.write("nonsense\n")
        r.write_policy(FREE + 'include "more.policy"\n')
        assert r.wait_for(lambda: "stays as it was" in r.words()), r.words()[-300:]
        with open(new, "w", encoding="ascii") as f:
            f.write("require dnssec of names in unsigned.zz\n")
        assert r.wait_for(lambda: describe(r.ask("www.unsigned.zz")) == "refused", 9), r.words()[-300:]
        assert r.words().count("stays as it was") == 1, r.words()


def midnight_in(seconds):
    """TZ in which it is that many seconds to midnight."""
    now = time.gmtime()
    since = now.tm_hour * 3600 + now.tm_min * 60 + now.tm_sec
    ahead = (86400 - seconds - since) % 86400
    if ahead > 43200:
        ahead -= 86400
    sign, rest = ("-" if ahead >= 0 else "+"), abs(ahead)
    local = time.gmtime(time.time() + ahead)
    return f"XXX{sign}{rest // 3600:02}:{rest % 3600 // 60:02}:{rest % 60:02}", time.strftime("%Y-%m-%d", local)


def test_exemption_ends_at_its_minute(place, tree):
    zone, today = midnight_in(6)
    policy = HARD + f'exempt unsigned.zz from dnssec because "until tonight" agreed by "us" through {today}\n'
    os.environ["TZ"] = zone
    try:
        with Resolver(place, tree, policy) as r:
            passes(r, "www.unsigned.zz")
            passes(r, "www.unsigned.zz")
            end = time.time() + 12
            while time.time() < end and describe(r.ask("www.unsigned.zz")) == "passes":
                time.sleep(0.05)
            took = 12 - (end - time.time())
            refused(r, "www.unsigned.zz")
            assert 3 < took < 8, f"ended after {took:.1f} s, not about 6"
            assert "has ended or begun" in r.words()
    finally:
        del os.environ["TZ"]


def test_suspension(place, tree):
    today = time.strftime("%Y-%m-%d")
    for first in (True, False):
        policy = (
            FREE
            + 'require dnssec of names in expired.zz\nsuspend validation below expired.zz because "their signer broke" agreed by "us" '
              f'through {today}\n'
        )
        with Resolver(place, tree, policy if first else FREE, name=f"s{first}") as r:
            if not first:  # bogus is cached when the suspension comes
                assert r.ask("www.expired.zz").rcode == "SERVFAIL"
                r.change_policy(policy)
            for _ in range(3):
                passes(r, "www.expired.zz")
                passes(r, "no.expired.zz", want="nx-")
                assert r.ask("to-expired.signed.zz").data
                assert describe(r.ask("www.notyet.zz")) == "bogus"
                assert describe(r.ask("www.stays.zz")) == "bogus"
            assert r.wait_for(lambda: [x for x in r.records() if x["state"] == "suspended" and x["zone"] == "expired.zz"], 8), r.records()
            r.change_policy(FREE)
            for _ in range(2):
                assert describe(r.ask("www.expired.zz")) == "bogus"


def test_suspension_ends_at_its_minute(place, tree):
    zone, today = midnight_in(6)
    policy = FREE + f'suspend validation below expired.zz because "until tonight" agreed by "us" through {today}\n'
    os.environ["TZ"] = zone
    try:
        with Resolver(place, tree, policy) as r:
            passes(r, "www.expired.zz")
            time.sleep(9)
            assert describe(r.ask("www.expired.zz")) == "bogus"
    finally:
        del os.environ["TZ"]


SETTLES = "set resolver.suspension-settles 2s\n"
MENDED = f'suspend validation below mended.zz because "broken" agreed by "us" through {time.strftime("%Y-%m-%d")}\n'
QUICK = "  val-bogus-ttl: 1\n  key-cache-size: 100k\n  infra-host-ttl: 1\n"


def mend(r, tree):
    tree.mend("mended.zz")
    time.sleep(1)
    r.control("flush_zone", "mended.zz")
    r.control("flush_bogus")


def break_again(r, tree):
    tree.break_again("mended.zz")
    time.sleep(1)
    r.control("flush_zone", "mended.zz")
    r.control("flush_bogus")


def ask_for(r, seconds, *questions, fresh=None, times=1):
    """Asks until the suspension has ended, at most for so long. fresh: a zone whose answers are not to come from the cache."""
    end = time.time() + seconds
    while time.time() < end and r.words().count("has ended by itself") < times:
        if fresh:
            r.control("flush_zone", fresh)
        for name, rdtype in questions:
            r.ask(name, rdtype)
        time.sleep(0.2)
    return r.words().count("has ended by itself") >= times


def test_suspension_ends_by_itself(place, tree):
    three = (("zero.mended.zz", "A"), ("www.mended.zz", "A"), ("www.mended.zz", "TXT"))
    try:
        with Resolver(place, tree, FREE + SETTLES + MENDED, options=QUICK) as r:
            passes(r, "www.mended.zz")
            passes(r, "zero.mended.zz")
            mend(r, tree)
            assert not ask_for(r, 4, three[0]), "one question is not enough to see a zone validate"
            assert not ask_for(r, 4, *three[:2]), "two questions are not enough to see a zone validate"
            assert ask_for(r, 15, *three), r.words()[-300:]
            passes(r, "www.mended.zz", want="secure")
            assert r.wait_for(lambda: os.path.exists(os.path.join(r.state, "suspensions-ended")), 3), os.listdir(r.state)
            r.control("reload")
            r.wait_ready()
            for times in (2, 3):  # broken again before the statement's end: in force again at that very question
                break_again(r, tree)
                passes(r, "www.mended.zz", "TXT")
                passes(r, "six.mended.zz", "AAAA")
                mend(r, tree)
                assert ask_for(r, 15, *three, times=times), r.words()[-300:]
            assert r.words().count("is in force again") == 1, "said more than once an hour"
    finally:
        tree.break_again("mended.zz")


def test_suspension_does_not_end_while_part_is_broken(place, tree):
    """A zone whose A is broken and whose TXT is fine, asked for all the while."""
    policy = FREE + SETTLES + MENDED.replace("mended.zz", "nosig.zz")
    fine = (("www.nosig.zz", "TXT"), ("many.nosig.zz", "TXT"), ("six.nosig.zz", "AAAA"), ("nosig.zz", "SOA"))
    with Resolver(place, tree, policy, options=QUICK) as r:
        assert not ask_for(r, 7, ("www.nosig.zz", "A"), *fine), "it ended"
        passes(r, "www.nosig.zz")
        assert ask_for(r, 10, *fine, fresh="nosig.zz"), "nobody asks for what is broken, and it does not end"
        passes(r, "www.nosig.zz")
        passes(r, "zero.nosig.zz")


def test_suspension_does_not_end_while_denials_are_broken(place, tree):
    """Names and types that are there are fine; that there is no such data below a wildcard cannot be proved."""
    policy = FREE + SETTLES + MENDED.replace("mended.zz", "nonsec.zz")
    fine = (("www.nonsec.zz", "A"), ("www.nonsec.zz", "TXT"), ("many.nonsec.zz", "TXT"), ("nonsec.zz", "SOA"))
    with Resolver(place, tree, policy, options=QUICK) as r:
        assert not ask_for(r, 7, ("x.wild.nonsec.zz", "AAAA"), *fine), "it ended"
        passes(r, "x.wild.nonsec.zz", "AAAA", want="nodata-")
        passes(r, "www.nonsec.zz", want="secure")


def test_suspension_nobody_asks_about_stays(place, tree):
    with Resolver(place, tree, FREE + SETTLES + MENDED, options=QUICK) as r:
        time.sleep(3)
        assert "has ended" not in r.words()


def test_short_settling_is_said(place, tree):
    with Resolver(place, tree, FREE + SETTLES + MENDED) as r:
        assert "resolver.suspension-settles is taken as 120 s" in r.words(), r.words()


def test_bad_policy_at_reload_keeps_the_last(place, tree):
    with Resolver(place, tree, HARD) as r:
        refused(r, "www.unsigned.zz")
        r.write_policy("this is no policy\n")
        assert r.wait_for(lambda: "stays as it was" in r.words()), r.words()[-300:]
        refused(r, "www.unsigned.zz")
        passes(r, "www.free.zz")
        assert r.wait_for(lambda: r.status()["policy"]["source"] == "kept" and "policy:1" in r.status()["policy"]["error"], 6), r.status()[
            "policy"
        ]
        os.remove(r.policy)
        time.sleep(0.6)
        refused(r, "www.unsigned.zz")
        r.control("reload")  # starts again, from the snapshot
        r.wait_ready()
        refused(r, "www.unsigned.zz")
        assert r.wait_for(lambda: r.status().get("policy", {}).get("source") == "snapshot", 6), r.status()
        r.change_policy(FREE)
        passes(r, "www.unsigned.zz")


def test_no_policy_at_first_start(place, tree):
    with Resolver(place, tree, None) as r:
        assert "there is NO policy in force" in r.words()
        passes(r, "www.unsigned.zz")
        passes(r, "www.signed.zz", want="secure")
        assert describe(r.ask("www.expired.zz")) == "bogus"
        r.change_policy(HARD)
        for _ in range(2):
            refused(r, "www.unsigned.zz")


def test_a_wrong_suspension_at_a_first_start(place, tree):
    """Left out, loudly; the rest is in force. Not where there is a policy to go on with."""
    import subprocess

    wrong = HARD + f'suspend validation below . because "all is broken" agreed by "us" through {time.strftime("%Y-%m-%d")}\n'
    with Resolver(place, tree, wrong) as r:
        for _ in range(2):
            refused(r, "www.unsigned.zz")
            assert describe(r.ask("www.expired.zz")) == "bogus"
        assert "policy:7:26:" in r.words() and "is left out, and the rest of the policy is in force" in r.words(), r.words()
        assert r.wait_for(lambda: "policy:7" in r.status().get("policy", {}).get("error", ""), 6), r.status()
        assert subprocess.run([os.path.join(BUILD, "assay"), "policy", "check", r.policy], capture_output=True).returncode == 2
        r.change_policy(HARD)
        refused(r, "www.unsigned.zz")
        r.write_policy(wrong.replace("names in unsigned.zz", "names in free.zz"))
        assert r.wait_for(lambda: "stays as it was" in r.words()), r.words()[-300:]
        refused(r, "www.unsigned.zz")
    with Resolver(place, tree, wrong + "nonsense\n", name="second") as r:
        assert "NO policy in force" in r.words()


def test_a_million_names(place, tree):
    names = os.path.join(place, "unbound", "big.list")
    os.makedirs(os.path.dirname(names), exist_ok=True)
    with open(names, "w", encoding="ascii") as f:
        f.writelines(f"d{i}.example{i % 977}.zz\n" for i in range(1_000_000))
        f.write("unsigned.zz\n")
    policy = FREE + 'list big in "big.list"\nrequire dnssec of names in list big\n'
    with Resolver(place, tree, policy) as r:
        r.first_policy()
        refused(r, "www.unsigned.zz")
        passes(r, "www.free.zz")
        with open(names, "a", encoding="ascii") as f:
            f.write("free.zz\n")
        with Load(r) as load:
            assert r.wait_for(lambda: describe(r.ask("www.free.zz")) == "refused", 60), "the longer list was not taken over"
        assert load.longest < 0.5, f"an answer took {load.longest:.2f} s during the reload, and {load.late:.2f} s without a processor"


def test_pause(place, tree):
    """`assay pause`, and its end: at once, for cached answers too."""
    import subprocess

    assay = os.path.join(BUILD, "assay")
    with Resolver(place, tree, HARD) as r:
        refused(r, "www.unsigned.zz")
        subprocess.run([assay, "pause", "1h", "-S", r.folder, "because", "a test"], check=True, capture_output=True)
        assert r.wait_for(lambda: "enforcement is paused" in r.words(), 3)
        time.sleep(0.4)
        for _ in range(2):
            passes(r, "www.unsigned.zz")
        subprocess.run([assay, "resume", "-S", r.folder], check=True, capture_output=True)
        assert r.wait_for(lambda: "the pause has ended" in r.words(), 3)
        time.sleep(0.4)
        for _ in range(2):
            refused(r, "www.unsigned.zz")
        os.symlink("state", f"{r.folder}/resolver")  # where the command looks for the module
        assert r.wait_for(lambda: os.path.exists(f"{r.state}/status.json"), 15)
        for _ in range(2):  # in force when the command returns
            subprocess.run([assay, "pause", "1h", "-S", r.folder, "because", "a test"], check=True, capture_output=True)
            passes(r, "www.unsigned.zz")
            subprocess.run([assay, "resume", "-S", r.folder], check=True, capture_output=True)
            refused(r, "www.unsigned.zz")


def test_status_command(place, tree):
    """`assay resolver status` in its three forms, and its exit codes."""
    import subprocess

    assay = [os.path.join(BUILD, "assay"), "resolver", "status", "--dir"]

    def run(*more):
        return subprocess.run([*assay, *more], capture_output=True, text=True)

    with Resolver(place, tree, HARD) as r:
        for name in ("www.unsigned.zz", "www.free.zz", "www.free.zz", "www.expired.zz", "www.signed.zz"):
            r.ask(name)
        assert r.wait_for(lambda: any(z["zone"] == "free.zz" for z in r.status().get("insecure", [])), 8), r.status()
        text = run(r.state)
        assert text.returncode == 0, text
        for word in ("unsigned.zz", "free.zz", "expired.zz", "expired from", "1 refused", "enforce"):
            assert word in text.stdout, f"{word!r} is not in\n{text.stdout}"
        metrics = run(r.state, "--prometheus").stdout
        for line in (
            'assay_resolver_up 1',
            'assay_resolver_answers_total{state="refused"} 1',
            'assay_resolver_zone_answers_total{state="bogus",zone="expired.zz"} 1',
        ):
            assert line in metrics.splitlines(), f"{line!r} is not in\n{metrics}"
        import json

        assert json.loads(run(r.state, "--json").stdout)["answers"]["refused"] == 1
        pause = [os.path.join(BUILD, "assay"), "pause", "1h", "because", "our own invoices", "-S", r.folder]
        subprocess.run(pause, check=True, capture_output=True)
        named = run(r.state)
        assert named.returncode == 1, named
        for word in ("Enforcement is paused until ", ": our own invoices (assay resume ends the pause)"):
            assert word in named.stdout, f"{word!r} is not in\n{named.stdout}"
        subprocess.run([os.path.join(BUILD, "assay"), "resume", "-S", r.folder], check=True, capture_output=True)
        assert r.wait_for(lambda: not r.status()["policy"]["paused"], 8), r.status()["policy"]
        text = run(r.state)
        assert text.returncode == 0 and "paused" not in text.stdout, text
        r.write_policy("nonsense\n")
        assert r.wait_for(lambda: r.status().get("policy", {}).get("error"), 8)
        bad = run(r.state)
        assert bad.returncode == 1 and "last good one is in force" in bad.stdout, bad
    assert run("/nowhere/at/all").returncode == 3
