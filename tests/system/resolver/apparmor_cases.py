# SPDX-License-Identifier: BSD-2-Clause
"""What the module opens is what our AppArmor profiles allow: the system calls of an Unbound with the module are written
down (strace), its folders taken for those of the packages, and each path is held against the rules. And no thread of
Unbound's own uses a file of ours: none of its workers can wait for a disk."""
import glob
import os
import re
import shutil
import subprocess
import time

from resolver import BUILD, TOP, UNBOUND, Resolver

PROFILES = ("usr.lib.assay.unbound", "local.usr.sbin.unbound")
# Of the abstractions that both profiles include (base, nameservice, openssl), as far as a resolver comes by them.
ABSTRACTIONS = (
    ("/{usr/,}lib/**", "mr"),
    ("/etc/ld.so.cache", "mr"),
    ("/etc/{passwd,group,nsswitch.conf,services,protocols,hosts,localtime}", "r"),
    ("/usr/share/zoneinfo/**", "r"),
    ("/{usr/,}lib/locale/**", "r"),
    ("/dev/{log,null,zero,full,random,urandom}", "rw"),
    ("/proc/*/{maps,auxv,status}", "r"),
    ("/proc/{meminfo,stat,cpuinfo,filesystems}", "r"),
    ("/proc/sys/kernel/{version,ngroups_max,cap_last_cap}", "r"),
    ("/proc/sys/vm/overcommit_memory", "r"),
    ("/sys/devices/system/cpu/**", "r"),
    ("/etc/ssl/openssl.cnf", "r"),
    ("/usr/share/dns/**", "r"),
)


def expression(glob_text):
    """AppArmor's globbing (apparmor.d(5)) as a regular expression."""
    out, i = "", 0
    text = glob_text.replace("@{PROC}", "/proc").replace("@{run}", "/run").replace("@{pid}", "*").replace("@{tid}", "*")
    while i < len(text):
        if text.startswith("**", i):
            out, i = out + ".+", i + 2
            continue
        c = text[i]
        out += {"*": "[^/]*", "?": "[^/]", "{": "(?:", "}": ")", ",": "|"}.get(c, re.escape(c))
        i += 1
    return re.compile(out + r"\Z")


def rules(profile):
    with open(os.path.join(TOP, "contrib/apparmor", profile), encoding="ascii") as f:
        found = re.findall(r"^\s*(?:owner )?([/@]\S+) ([a-z]+),", f.read(), re.M)
    return [(expression(path), rights) for path, rights in (*found, *ABSTRACTIONS)]


def opened(trace):
    """Thread, path and wanted rights of each file that was opened or made, O_PATH left out (it opens nothing)."""
    for line in trace.splitlines():
        m = re.search(r'(?:openat\((?:AT_FDCWD|\d+)(?:<([^>]*)>)?, |open\()"([^"]*)", ([A-Z_|]+)', line)
        if not m or "O_PATH" in m[3] or "ENOENT" in line or "ENOTDIR" in line:
            continue
        path = m[2] if m[2].startswith("/") else os.path.normpath(os.path.join(m[1] or "?", m[2]))
        if "O_DIRECTORY" in m[3]:
            path += "/"
        yield line.split()[0], path, "w" if "O_WRONLY" in m[3] or "O_RDWR" in m[3] or "O_CREAT" in m[3] else "r"


def of_the_workers(trace):
    """Unbound's own threads: those that were told of a question or a signal (they poll)."""
    with open(trace, encoding="utf-8", errors="replace") as f:
        return {line.split()[0] for line in f if "epoll_wait(" in line or " poll(" in line or "epoll_pwait" in line}


def test_what_is_opened_is_what_apparmor_allows(folder, tree):
    if not shutil.which("strace"):
        print("        (without strace: tests/install-packages test)")
        return
    etc = os.path.join(folder, "etc")
    r, trace = traced(folder, tree, etc)
    with open(trace, encoding="utf-8", errors="replace") as f:
        found = set(opened(f.read()))
    workers_open_nothing(r, trace, etc)
    ours = {r.state: "/var/lib/assay/resolver", r.journal: "/var/lib/assay/journal", etc: "/etc/assay"}
    ours[r.folder + "/pause"] = "/var/lib/assay/pause"
    seen = set()
    for _, path, want in found:
        for here, there in ours.items():
            if path == here or path.startswith(here + "/"):
                seen.add((there + path[len(here) :], want))
        if path.startswith("/proc/") or path.startswith("/sys/") or path.startswith("/usr/share/publicsuffix"):
            seen.add((path, want))
    assert {p for p, _ in seen} >= {"/etc/assay/policy", "/etc/assay/names.list", "/var/lib/assay/resolver/.status.new"}, seen
    for profile in PROFILES:
        allowed = rules(profile)
        for path, want in sorted(seen):
            good = any(e.match(path) and want in rights for e, rights in allowed)
            assert good, f"{profile}: {path} is opened ({want}), and no rule allows it"


def resolver_of_nobody(folder, tree, etc):
    """A resolver of user nobody whose policy names a list and other files."""
    os.makedirs(f"{etc}/customers")
    policy = f"{etc}/policy"
    with open(f"{etc}/names.list", "w", encoding="ascii") as f:
        f.write("unsigned.zz\n")
    with open(f"{etc}/customers/c.example.policy", "w", encoding="ascii") as f:
        f.write("require spf of everyone\n")
    with open(f"{etc}/more.policy", "w", encoding="ascii") as f:
        f.write('list names in "names.list"\nrequire dnssec of names in list names\n')
    r = Resolver(folder, tree, None, options='  username: "nobody"\n', env={"ASSAY_POLICY": policy})
    with open(policy, "w", encoding="ascii") as f:
        f.write(f'policy "a"\nset mode enforce\nset journal.dir "{r.journal}"\n')
        f.write("set journal.segment-age 1s\nset resolver.record-every 1s\n")
        f.write('include "more.policy"\ninclude "customers" may tighten\nfollow dnssec of every name\n')
        tomorrow = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86400))
        f.write(f'suspend validation below expired.zz because "t" agreed by "t" through {tomorrow}\n')
    for place in (r.folder, r.state, r.journal):
        os.chown(place, 65534, 65534)
    r.policy = policy
    return r


def traced(folder, tree, etc):
    """Runs it until it has done all that opens files. Returns it, and where its system calls are."""
    r = resolver_of_nobody(folder, tree, etc)
    policy = r.policy
    env = {**os.environ, "ASSAY_POLICY": policy, "ASSAY_RESOLVER_DIR": r.state, "ASSAY_STATE": r.folder}
    trace = os.path.join(folder, "trace")
    calls = "trace=open,openat,stat,lstat,newfstatat,access,faccessat,unlink,unlinkat,rename,renameat,mkdir,fsync,fdatasync"
    calls += ",epoll_wait,epoll_pwait,poll"
    r.process = subprocess.Popen(
        ["strace", "-f", "-y", "-q", "-e", calls, "-o", trace, f"{UNBOUND}/sbin/unbound", "-d", "-c", r.conf],
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        r.wait_ready(30)
        for name in ("www.signed.zz", "www.unsigned.zz", "www.expired.zz"):
            r.ask(name)
        subprocess.run([f"{BUILD}/assay", "pause", "1m", "because", "a test", "-S", r.folder], check=True, capture_output=True)
        with open(policy, "a", encoding="ascii") as f:
            f.write("# changed\n")
        assert r.wait_for(lambda: r.status().get("policy", {}).get("version", 0) > 1, 15), r.words()[-500:]
        r.control("reload")
        assert r.wait_for(lambda: glob.glob(f"{r.journal}/*"), 9)
        time.sleep(2)
    finally:
        r.control("stop")
        r.process.wait(20)
    return r, trace


def workers_open_nothing(r, trace, etc):
    with open(trace, encoding="utf-8", errors="replace") as f:
        touched = {line.split()[0] for line in f if any(f'"{here}' in line or f"<{here}" in line for here in (r.state, r.journal, etc))}
    workers = of_the_workers(trace)
    assert touched and len(workers) >= 2 and not workers & touched, f"{workers} of Unbound's own threads, {touched} use files of ours"
