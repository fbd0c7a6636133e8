# SPDX-License-Identifier: BSD-2-Clause
"""Unbound's own replay tests (testdata/*.rpl and, for modules left out of some builds, *.crpl of its source), with the
module in the chain. Under a policy that records none may change its answer. Under one
that could refuse (some other name) the module stores what the others would have: then those differ that are named here,
each for its reason."""
import glob
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from resolver import MODULE, UNBOUND

RECORDS = 'policy "r" owner "x@a.example"\nset mode enforce\nset journal.dir JOURNAL\nrecord dnssec of every name\n'
REQUIRES = RECORDS + "set resolver.cd honour\nrequire dnssec of names in nowhere.invalid\n"
DIFFERS = {
    "iter_class_any": "class ANY is refused",
    "iter_class_any_merge": "class ANY is refused",
    "iter_ns_spoof": "wants harden-referral-path, which is switched off",
    # The time to live of the name server records that come along is the cache's in one, the answer's in the other.
    "iter_prefetch": "TTL",
    "iter_prefetch_change": "TTL",
    "iter_prefetch_change2": "TTL",
    "iter_prefetch_fail": "TTL",
    "iter_prefetch_ns": "TTL",
    "rrset_rettl": "TTL",
    "rrset_use_cached": "TTL",
    # What an alias leads to is kept with the answer as a whole, not under its own name too: where the alias's time to
    # live is 0 it is asked for again.
    "iter_dname_ttl0_grace": "TTL",
}


# Unbound shuffles 65,536 ports at its start, and glibc asks the kernel for each of the numbers: more than half of the time of a replay.
RANDOM = """
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
uint32_t arc4random(void)
{
    static __thread uint32_t some[64];
    static __thread unsigned left;
    if (left == 0) {
        if (getrandom(some, sizeof some, 0) != sizeof some)
            abort();
        left = 64;
    }
    return some[--left];
}
uint32_t arc4random_uniform(uint32_t n)
{
    uint32_t x;
    if (n < 2)
        return 0;
    do
        x = arc4random();
    while (x < -n % n);
    return x % n;
}
"""


def random_numbers(place):
    """A library that takes random numbers from the kernel by the dozen."""
    source, library = os.path.join(place, "random.c"), os.path.join(place, "random.so")
    with open(source, "w", encoding="ascii") as f:
        f.write(RANDOM)
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-w", "-o", library, source], check=True)
    return library


def testbound():
    """The replay program, linked so that a module finds Unbound's functions in it."""
    path = f"{UNBOUND}/obj/testbound"
    if not os.path.exists(path):
        with open(f"{UNBOUND}/obj/Makefile", encoding="utf-8") as f:
            libs = re.search(r"^LIBS=(.*)$", f.read(), re.M).group(1)
        subprocess.run(
            ["make", "-C", f"{UNBOUND}/obj", "testbound", f"LIBS={libs} -ldl -Wl,--export-dynamic"], check=True, capture_output=True
        )
    return path


def with_module(text):
    """The replay with dynlib in front of its modules; None where it has no validator."""
    head, tail = text.split("CONFIG_END", 1)
    found = re.search(r'^(?!\s*#).*module-config:\s*"([^"]*)"', head, re.M)
    if not found:
        head += '\nserver:\n\tmodule-config: "dynlib validator iterator"\n'
    elif "validator" not in found.group(1):
        return None
    else:
        old = found.group(1)
        new = "dns64 dynlib " + old.replace("dns64 ", "", 1) if old.startswith("dns64") else "dynlib " + old
        head = head.replace(found.group(0), found.group(0).replace(old, new))
    return f'{head}\ndynlib:\n\tdynlib-file: "{MODULE}"\nCONFIG_END{tail}'


plain = {}  # the exit code of a replay without the module: the same under either policy, so it is played once


def replay(place, policy):
    """The names of the replays that pass without the module and fail with it. One that passes with it is not played without."""
    program, numbers = testbound(), random_numbers(place)
    journal = os.path.join(place, "journal")
    os.makedirs(journal, exist_ok=True)
    with open(os.path.join(place, "policy"), "w", encoding="ascii") as f:
        f.write(policy.replace("JOURNAL", journal))

    def play_one(name, which, content):
        file, state = os.path.join(place, f"{name}.{which}"), os.path.join(place, f"{name}.state")
        os.makedirs(state, exist_ok=True)
        with open(file, "w", encoding="latin-1") as f:
            f.write(content)
        env = dict(os.environ, ASSAY_POLICY=os.path.join(place, "policy"), ASSAY_RESOLVER_DIR=state, ASSAY_STATE=place, LD_PRELOAD=numbers)
        return subprocess.run([program, "-p", file], cwd=f"{UNBOUND}/src", env=env, capture_output=True, timeout=120).returncode

    def play(path):
        name = os.path.basename(path).rsplit(".", 1)[0]
        with open(path, encoding="latin-1") as f:
            text = f.read()
        ours = with_module(text)
        if ours is None:
            return name, None
        code = play_one(name, "module", ours)
        if code != 0 and name not in plain:
            plain[name] = play_one(name, "plain", text)
        return name, code

    with ThreadPoolExecutor(2) as pool:
        played = list(pool.map(play, sorted(glob.glob(f"{UNBOUND}/src/testdata/*.*rpl"))))
    same = [name for name, ours in played if ours == 0]
    assert len(same) > 300, f"only {len(same)} replays were played"
    return {name for name, ours in played if ours not in (0, None) and plain[name] == 0}


def test_replays_under_a_policy_that_records(place, tree):
    changed = replay(place, RECORDS)
    assert not changed, f"changed: {sorted(changed)}"


def test_replays_under_a_policy_that_requires_other_names(place, tree):
    changed = replay(place, REQUIRES)
    assert changed <= set(DIFFERS), f"changed, and no reason is known: {sorted(changed - set(DIFFERS))}"
