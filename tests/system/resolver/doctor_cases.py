# SPDX-License-Identifier: BSD-2-Clause
"""`assay doctor anchor` and `resolver`: the module that runs is asked, and not the file on the disk; the rights of the
process that runs are compared with what is needed; what a resolver answers is told with its name; a wrong anchor and a
wrong clock are named."""
import json
import os
import shutil
import subprocess
import time

from resolver import BUILD, MODULE, Resolver
from tree import HOST, ROOT, day

POLICY = 'policy "doctor"\nset mode enforce\nset journal.dir "JOURNAL"\nfollow dnssec of every name\n'
GROUP = 47999


def over(folder, path, text):
    """Puts a file of ours in the place of one of the system's, in our own tree of mounts."""
    ours = os.path.join(folder, os.path.basename(path))
    with open(ours, "w", encoding="ascii") as f:
        f.write(text)
    subprocess.run(["mount", "--bind", ours, path], check=True)
    return ours


class Over:
    def __init__(self, folder, path, text):
        self.path = path
        self.ours = over(folder, path, text)

    def write(self, text):
        with open(self.ours, "w", encoding="ascii") as f:
            f.write(text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", self.path], check=True)


def doctor(policy, state, *checks):
    done = subprocess.run(
        [f"{BUILD}/assay", "doctor", "--json", "-P", policy, "-S", state, *checks], capture_output=True, text=True, timeout=90
    )
    found = json.loads(done.stdout)
    return done.returncode, [f"{f['state']}: {f['text']}\n{f.get('remedy', '')}" for f in found]


def says(found, *words):
    for one in words:
        assert any(one in line for line in found), f"it does not say '{one}': {found}"


def says_not(found, *words):
    for one in words:
        assert not any(one in line for line in found), f"it says '{one}': {found}"


def resolver_of(folder, tree, **more):
    r = Resolver(folder, tree, POLICY, **more)
    os.symlink("state", os.path.join(r.folder, "resolver"))
    return r


def own_module(r, folder):
    """Lets it load a copy of the module in `folder`: one that can be replaced, and that other users than root can read,
    wherever the tree lies."""
    module = os.path.join(folder, "assay-unbound.so")
    shutil.copy(MODULE, module)
    with open(r.conf, encoding="ascii") as f:
        text = f.read()
    with open(r.conf, "w", encoding="ascii") as f:
        f.write(text.replace(MODULE, module))
    return module


def test_doctor_asks_the_module_that_runs(folder, tree):
    r = resolver_of(folder, tree)
    with Over(folder, "/etc/resolv.conf", "nameserver 127.0.0.1\n"):
        with r:
            assert r.wait_for(lambda: r.status().get("pid"))
            _, found = doctor(r.policy, r.folder, "resolver")
            says(found, "ok: the module is at work in Unbound", f"process {r.process.pid}")
            says(found, "ok: resolver 127.0.0.1, which this host uses")
            says_not(found, "critical", "not in it")
            # A bad policy, and none that is the file's.
            r.write_policy(POLICY + "requre\n")
            assert r.wait_for(lambda: r.status()["policy"].get("error"), 9)
            _, found = doctor(r.policy, r.folder, "resolver")
            says(found, "warning: the module runs on policy", "since the file is bad")
            status = os.path.join(r.state, "status.json")
            with open(status, encoding="utf-8") as f:
                kept = f.read()
        # The process has ended; its file is still there.
        _, found = doctor(r.policy, r.folder, "resolver")
        says(found, "warning: Unbound does not run here")
        says_not(found, "is at work")
        # Another Unbound runs, without the module; the file is made to look fresh, and to name a process that is another.
        other = Resolver(folder, tree, None, name="plain", with_module=False)
        with other:
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            for pid in (json.loads(kept)["pid"], os.getpid()):
                with open(status, "w", encoding="utf-8") as f:
                    json.dump({**json.loads(kept), "now": now, "pid": pid}, f)
                code, found = doctor(r.policy, r.folder, "resolver")
                says(found, f"critical: Unbound runs (process {other.process.pid}), and the module is not in it")
                says_not(found, "is at work")
                assert code == 2, code
            # One with its number, that began after the file was written.
            with open(status, "w", encoding="utf-8") as f:
                json.dump({**json.loads(kept), "pid": other.process.pid, "now": "2026-01-01T00:00:00Z"}, f)
            says(doctor(r.policy, r.folder, "resolver")[1], "and the module is not in it")
            # No file, but a FIFO, which must not be waited for.
            os.unlink(status)
            os.mkfifo(status)
            says(doctor(r.policy, r.folder, "resolver")[1], "unknown:", "it is not a status of the module's")
            os.unlink(status)


def test_doctor_says_that_answers_bypass_the_module(folder, tree):
    right = "dynlib subnetcache validator iterator"
    for module in ("subnetcache dynlib validator iterator", right):
        with resolver_of(folder, tree, name=module.split()[0], module=module) as r:
            assert r.wait_for(lambda: r.status().get("pid"))
            _, found = doctor(r.policy, r.folder, "resolver")
            if module == right:
                says_not(found, "bypass")
            else:
                says(found, "critical: answers may bypass the module:", f'write "{right}"', "/etc/assay/unbound-modules")


def test_doctor_sees_that_the_module_was_replaced(folder, tree):
    """An upgrade that left Unbound running: what runs is the old one."""
    r = resolver_of(folder, tree)
    module = own_module(r, folder)
    with r, Over(folder, "/etc/resolv.conf", "nameserver 127.0.0.1\n"):
        assert r.wait_for(lambda: r.status().get("pid"))
        says_not(doctor(r.policy, r.folder, "resolver")[1], "was replaced since")
        shutil.copy(MODULE, module + ".new")
        os.replace(module + ".new", module)
        says(doctor(r.policy, r.folder, "resolver")[1], "warning:", "was replaced since", "systemctl restart unbound")


def test_doctor_compares_groups_of_the_process(folder, tree):
    with open("/etc/group", encoding="ascii") as f:
        groups = f.read()
    r = resolver_of(folder, tree, options='  username: "nobody"\n')
    own_module(r, folder)
    os.chmod(folder, 0o755)
    os.chown(r.folder, 0, 0)
    os.chown(r.state, 65534, 65534)
    os.chown(r.journal, 0, GROUP)
    os.chmod(r.journal, 0o2770)
    resolv = Over(folder, "/etc/resolv.conf", "nameserver 127.0.0.1\n")
    with resolv, Over(folder, "/etc/group", groups + f"assaytest:x:{GROUP}:\n") as group:
        os.chown(r.folder, 65534, 65534)  # its log and pid
        with r:
            assert r.wait_for(lambda: r.status().get("pid"))
            code, found = doctor(r.policy, r.folder, "resolver")
            says(found, "ok: the module is at work", "critical: the module cannot record what it finds")
            says(found, "nobody is not in group assaytest")
            assert code == 2, found
            group.write(groups + f"assaytest:x:{GROUP}:nobody\n")
            _, found = doctor(r.policy, r.folder, "resolver")
            says(found, "was started before its user nobody joined group assaytest\nsystemctl restart unbound")
        with r:
            assert r.wait_for(lambda: r.status().get("journal", {}).get("healthy"), 9), r.status()
            _, found = doctor(r.policy, r.folder, "resolver")
            says(found, "ok: the module is at work")
            says_not(found, "critical", "warning")
            # What is paused, and not seen to be.
            subprocess.run([f"{BUILD}/assay", "pause", "1m", "because", "a test", "-S", r.folder], check=True, capture_output=True)
            pause = os.path.join(r.folder, "pause")
            assert r.wait_for(lambda: r.status()["policy"]["paused"], 5), r.status()["policy"]
            says_not(doctor(r.policy, r.folder, "resolver")[1], "assay pause does not reach")
            # doctor and `assay resolver status` name it: until when, by whom, why, and what ends it.
            says(doctor(r.policy, r.folder, "policy")[1], "warning: enforcement is paused until", "a test", "assay resume ends the pause")
            shown = subprocess.run([f"{BUILD}/assay", "resolver", "status", "--dir", r.state], capture_output=True, text=True).stdout
            assert "Enforcement is paused until" in shown and "a test (assay resume ends the pause)" in shown, shown
            os.chmod(pause, 0o600)
            os.chown(pause, 0, 0)
            assert r.wait_for(lambda: not r.status()["policy"]["paused"], 5), r.status()["policy"]
            says(doctor(r.policy, r.folder, "resolver")[1], "warning: assay pause does not reach the resolver")


def test_doctor_says_what_a_resolver_answers(folder, tree):
    policy = os.path.join(folder, "policy")
    with open(policy, "w", encoding="ascii") as f:
        f.write('policy "d"\nset mode enforce\n')
    with Over(folder, "/etc/resolv.conf", "# none\nnameserver 127.0.0.1\nnameserver 192.0.2.77\noptions edns0\n") as conf:
        found = doctor(policy, folder, "resolver")[1]
        says(found, "unknown: resolver 127.0.0.1 does not answer", "unknown: resolver 192.0.2.77 does not answer")
        conf.write("nameserver fe80::1%eth0\n")
        found = doctor(policy, folder, "resolver")[1]
        says(found, "unknown: nameserver fe80::1%eth0 cannot be asked by itself")
        says_not(found, "127.0.0.1")
        # REFUSED, and SERVFAIL for want of servers, of a right anchor.
        cases = (
            ("refuse", "  access-control: 127.0.0.1/32 refuse\n  ede: no\n", "critical: resolver 127.0.0.1 answers REFUSED"),
            ("dead", None, "critical: resolver 127.0.0.1 answers SERVFAIL for the root's keys: it reaches neither"),
            ("wrong", None, "critical: resolver 127.0.0.1 answers SERVFAIL for the root's keys, and gives them unvalidated"),
        )
        conf.write("nameserver 127.0.0.1\n")
        for name, options, words in cases:
            r = Resolver(folder, tree, None, name=name, with_module=False, options=options or "")
            with open(r.conf, encoding="ascii") as f:
                text = f.read()
            if name == "wrong":
                text = text.replace(tree.anchor, wrong_anchor(folder, tree))
            if name == "dead":
                text = text.replace(tree.hints, dead_hints(folder))
            with open(r.conf, "w", encoding="ascii") as f:
                f.write(text)
            r.start(wait=False)
            try:
                time.sleep(1)
                code, found = doctor(policy, folder, "resolver")
                says(found, words)
                says_not(found, "does not answer")
                assert code == 2, (name, code)
            finally:
                r.stop()


def dead_hints(folder):
    path = os.path.join(folder, "dead.hints")
    with open(path, "w", encoding="ascii") as f:
        f.write(f". 3600000 NS ns.\nns. 3600000 A {HOST}\n")  # it does not serve the root: REFUSED
    return path


def wrong_anchor(folder, tree):
    """A key that does not exist: the root's key with another tag and digest."""
    path = os.path.join(folder, "wrong.anchor")
    with open(path, "w", encoding="ascii") as f:
        f.write(f". IN DS 4711 13 2 {'AB' * 32}\n")
    return path


def test_doctor_names_a_wrong_anchor_and_a_wrong_clock(folder, tree):
    policy = os.path.join(folder, "policy")

    def ask(anchor, forward=ROOT):
        with open(policy, "w", encoding="ascii") as f:
            f.write(f'policy "d"\nset mode enforce\nset dns.anchor "{anchor}"\nset dns.forward "{forward}"\n')
        return doctor(policy, folder, "anchor")[1]

    with Over(folder, "/etc/resolv.conf", f"nameserver {ROOT}\n"):
        says(ask(tree.anchor), "ok: the root's keys validate by our trust anchor")
        found = ask(wrong_anchor(folder, tree))
        says(found, "critical: the trust anchor is wrong:", "holds key 4711, and the root's keys are")
        says_not(found, "misc failure")
        # Signatures of another time: to this host's clock they have ended.
        signed = os.path.join(tree.folder, "..signed")
        with open(signed, encoding="ascii") as f:
            kept = f.read()
        for begins, ends in ((-60, -20), (20, 60)):
            when = ("-i", day(begins), "-e", day(ends))
            tree.run("ldns-signzone", "-f", signed, "-o", ".", *when, "..zone", tree.keys["."])
            tree.reload(ROOT)
            time.sleep(1)
            found = ask(tree.anchor)
            says(found, "critical: the clock is wrong: it says 20", "and the root's keys are signed from")
            says_not(found, "misc failure")
        with open(signed, "w", encoding="ascii") as f:
            f.write(kept)
        tree.reload(ROOT)
        time.sleep(1)
        says(ask(tree.anchor), "ok: the root's keys validate by our trust anchor")
        says(ask(tree.anchor, "192.0.2.77"), "unknown: the root's keys cannot be had")
