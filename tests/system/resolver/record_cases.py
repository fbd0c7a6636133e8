# SPDX-License-Identifier: BSD-2-Clause
"""What is recorded: per zone cut and state, in the journal within a minute, no names but by setting, nothing made up."""
import subprocess
import time

from answers_cases import POLICY
from resolver import Resolver


def found(r, zone, state):
    return [x for x in r.records() if x["zone"] == zone and x["state"] == state]


def test_each_state(place, tree):
    with Resolver(place, tree, POLICY) as r:
        for name, rdtype in (
            ("www.signed.zz", "A"),
            ("www.signed.zz", "TXT"),
            ("www.two.zz", "A"),
            ("www.free.zz", "A"),
            ("six.free.zz", "AAAA"),
            ("www.unsigned.zz", "A"),
            ("www.expired.zz", "A"),
            ("www.notyet.zz", "A"),
            ("www.wrongds.zz", "A"),
            ("www.nosig.zz", "A"),
            ("no.nonsec.zz", "A"),
            ("www.algorithm.zz", "A"),
            ("no.opt.zz", "A"),
            ("www.sub.opt.zz", "A"),
            ("www.excused.zz", "A"),
            ("www.ignored.zz", "A"),
            ("www.noted.zz", "A"),
            ("www.lame.zz", "A"),
            ("a.b.c.deep.free.zz", "A"),
        ):
            r.ask(name, rdtype, timeout=20)
        assert r.wait_for(lambda: found(r, "noted.zz", "insecure") and found(r, "free.zz", "insecure"), 10), r.records()
        time.sleep(1.5)
        signed = found(r, "signed.zz", "secure")
        assert signed and set(sum((x["types"] for x in signed), [])) == {"A", "TXT"}, signed
        assert signed[0]["algorithm"] == [13] and signed[0]["bits"] == 256 and signed[0]["first"] <= signed[0]["last"], signed
        assert sum(x["count"] for x in found(r, "free.zz", "insecure")) == 3, found(r, "free.zz", "insecure")
        assert found(r, "unsigned.zz", "insecure")[0]["refused"] == 1
        for zone, words in (
            ("expired.zz", "expired"),
            ("notyet.zz", "before inception"),
            ("wrongds.zz", "DS"),
            ("nosig.zz", "no signatures"),
            ("nonsec.zz", ""),
        ):
            bogus = found(r, zone, "bogus")
            assert bogus and words in bogus[0]["reason"], f"{zone}: {bogus} of {[(x['zone'], x['state']) for x in r.records()]}"
        assert found(r, "algorithm.zz", "insecure"), r.records()
        assert found(r, "opt.zz", "opt-out"), r.records()
        assert found(r, "sub.opt.zz", "insecure"), r.records()
        assert found(r, "excused.zz", "exempt")[0]["statement"].startswith("L"), r.records()
        assert not [
            x for x in r.records() if x["zone"].endswith(("ignored.zz", "lame.zz"))
        ], "ignored, and nobody answered: neither is recorded"
        assert not [x for x in r.records() if "samples" in x], "names asked for are recorded without the setting"
        assert r.wait_for(lambda: r.status()["answers"]["failed"] >= 1, 6), r.status()["answers"]


def test_names_only_by_setting(place, tree):
    with Resolver(place, tree, POLICY + "set resolver.sample-names yes\n") as r:
        time.sleep(0.3)
        for i in range(9):
            r.ask(f"n{i}.wild.free.zz")
        assert r.wait_for(lambda: [x for x in found(r, "free.zz", "insecure") if x.get("samples")], 8), r.records()
        assert all(len(x["samples"]) <= 5 for x in r.records() if "samples" in x)


def test_an_exemption_no_longer_needed(place, tree):
    policy = POLICY.replace("excused.zz from", "signed.zz from")
    with Resolver(place, tree, policy) as r:
        r.ask("www.signed.zz")
        assert r.wait_for(lambda: [x for x in r.status().get("unneeded", []) if x["zone"] == "signed.zz"], 8), r.status()
        assert r.wait_for(lambda: [x for x in found(r, "signed.zz", "secure") if x.get("unneeded")], 8), r.records()


def test_random_names_do_not_stop_it(place, tree):
    """Ten thousand and more made-up names: answered, counted or counted as dropped, and one zone in the journal."""
    with Resolver(place, tree, POLICY, threads=2) as r:
        import os

        names = os.path.join(place, "names")
        with open(names, "w", encoding="ascii") as f:
            f.writelines(f"r{i}.wild.free.zz A\n" for i in range(30000))
        done = subprocess.run(
            ["dnsperf", "-s", "127.0.0.1", "-d", names, "-c", "10", "-q", "200", "-n", "1", "-t", "10"], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        lost = [line for line in done.stdout.splitlines() if "Queries lost" in line][0]
        assert int(lost.split()[2]) < 60, lost

        def counted():
            notes = sum(x.get("count", 0) for x in r.records("note") if x.get("note") == "dropped")
            return sum(x["count"] for x in found(r, "free.zz", "insecure")) + notes

        assert r.wait_for(lambda: counted() >= 29900, 15), f"{counted()} of 30000 are accounted for: {r.status()['queue']}"
        assert counted() <= 30500, counted()


def test_stop_writes_what_is_left(place, tree):
    r = Resolver(place, tree, POLICY.replace("record-every 1s", "record-every 60s")).start()
    r.ask("www.free.zz")
    time.sleep(0.3)
    assert r.stop() == 0
    assert found(r, "free.zz", "insecure"), r.records()
