# SPDX-License-Identifier: BSD-2-Clause
"""space - a private network, mount and process space, and what lives in it.

outside(): makes a folder, starts a program inside a new space whose /mnt is that folder, waits, and takes all of it away again. Nothing
    of the space is visible outside; two can run at once. When its first process ends, the kernel ends every other process in it: there
    is no process that could be left behind, whatever killed us. The folder goes too, unless it is to be kept.
inside(): what that first process does: mounts, host name, addresses; then it starts the program and collects the dead.

Needs root (unshare) and iproute2. can_enter() says why not.
"""
import ctypes
import errno
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
# Where the space's own folder is, inside: short (a unix socket's path has 107 octets), and not above the tree itself.
PLACE = os.environ.get("WORLD") or next(
    p for p in ("/mnt", "/media", "/srv", "/opt") if os.path.isdir(p) and not (TOP + "/").startswith(p + "/")
)
HOST = "mx.example.org"
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1

# The addresses for documentation (RFC 5737, RFC 3849), and those of the root servers, so that a resolver's built-in hints find our root.
NETWORKS = ("192.0.2.1/24", "198.51.100.1/24", "203.0.113.1/24")
NETWORK6 = "2001:db8::/32"
ROOTS = (
    "198.41.0.4",
    "170.247.170.2",
    "199.9.14.201",
    "192.33.4.12",
    "199.7.91.13",
    "192.203.230.10",
    "192.5.5.241",
    "192.112.36.4",
    "198.97.190.53",
    "192.36.148.17",
    "192.58.128.30",
    "193.0.14.129",
    "199.7.83.42",
    "202.12.27.33",
)

libc = ctypes.CDLL(None, use_errno=True)


def can_enter():
    """None when a space can be made here, else why not."""
    if os.geteuid() != 0:
        return "needs root (to make a network of its own)"
    for tool in ("unshare", "ip"):
        if not shutil.which(tool):
            return f"needs the command {tool}"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "--propagation", "unchanged", "true"], capture_output=True, text=True
    )
    if done.returncode != 0:
        return "cannot make a network of its own here: " + (done.stderr.strip() or f"unshare ends with {done.returncode}")
    return None


# ---- outside ----


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def remove(folder):
    for _ in range(50):  # what is dying may still write
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return
        time.sleep(0.1)
    print(f"could not remove {folder}", file=sys.stderr)


def end(process):
    """Ends the space: unshare dies, with it the space's first process, with that all others."""
    firsts = children(process.pid)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{p}") for p in firsts) and time.monotonic() < deadline:
        time.sleep(0.02)


class Stopped(Exception):
    pass


def stop(number, _frame):
    raise Stopped(number)


def new_folder(name):
    parent = os.environ.get("WORLD_FOLDERS") or os.path.join(TOP, os.environ.get("BUILD", "build"), "world")
    os.makedirs(parent, exist_ok=True)
    folder = tempfile.mkdtemp(prefix=f"{name}-", dir=parent)
    os.chmod(folder, 0o755)
    return folder


def start(folder, program):
    command = [
        "unshare",
        "--net",
        "--mount",
        "--pid",
        "--uts",
        "--ipc",
        "--fork",
        "--kill-child=KILL",
        "--propagation",
        "unchanged",
        sys.executable,
        "-B",
        os.path.join(HERE, "space.py"),
        folder,
    ] + program
    return subprocess.Popen(command, preexec_fn=die_with_parent)


def watch(folder, process):
    """Waits for the space's end, or for a signal; then takes all away. Returns the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        code = process.wait()
        code = 128 - code if code < 0 else code
    except Stopped as s:
        code = 128 + s.args[0]
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end(process)
    remove(folder)
    return code


def outside(name, program, keep=None):
    """Runs `program` (a list) in a new space and returns its exit code. keep: the program writes its exit code to PLACE/status when it
    has done its work, and stays; we return, after calling keep(folder, keeper, first): the space lives until the
    process `keeper` is told to
    end; `first` is the space's first process, by which others can enter it."""
    folder = new_folder(name)
    if not keep:
        return watch(folder, start(folder, program))
    keeper = os.fork()
    if keeper == 0:
        os.setsid()
        process = start(folder, program)
        with open(f"{folder}/unshare", "w", encoding="ascii") as f:
            f.write(f"{process.pid}\n")
        os._exit(watch(folder, process))
    try:
        while True:
            done, status = os.waitpid(keeper, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            try:
                code = read_number(f"{folder}/status")
                keep(folder, keeper, children(read_number(f"{folder}/unshare"))[0])
                return code
            except (OSError, ValueError):
                time.sleep(0.1)
    except KeyboardInterrupt:
        os.kill(keeper, signal.SIGTERM)
        os.waitpid(keeper, 0)
        return 130


def read_number(path):
    with open(path, encoding="ascii") as f:
        return int(f.read())


# ---- inside ----


def mount(source, target, kind=None, flags=0):
    if libc.mount(source and source.encode(), target.encode(), kind and kind.encode(), flags, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mount {target}: {os.strerror(number)}")


def private_mounts():
    """From here on no mount of ours reaches anybody else. In a chroot whose root is no mount point the kernel refuses
    to change "/": then we step out to the real root for the one call and come back."""
    try:
        mount(None, "/", None, MS_REC | MS_PRIVATE)
        return
    except OSError as e:
        if e.errno != errno.EINVAL:
            raise
    root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    os.chroot(PLACE)  # a folder below: now we stand outside our root
    os.fchdir(root)
    while os.stat(".").st_ino != os.stat("..").st_ino or os.stat(".").st_dev != os.stat("..").st_dev:
        os.chdir("..")
    os.chroot(".")
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    os.fchdir(root)
    os.chroot(".")
    os.close(root)


def add(*wanted):
    """Gives lo more addresses. Without `nodad` an IPv6 address cannot be bound until the kernel has come to it: a moment later."""
    lines = [f"addr replace {a}/128 dev lo nodad" if ":" in a else f"addr replace {a}/32 dev lo" for a in wanted]
    done = subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("cannot add the addresses: " + done.stderr.strip())


def addresses():
    lines = ["link set lo up"] + [f"addr add {n} dev lo" for n in NETWORKS]
    done = subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("cannot set up the addresses: " + done.stderr.strip())
    add(*ROOTS)
    # Postfix takes only addresses that an interface really has: a network on lo makes all of it ours, but does not name them.
    add("203.0.113.2", "203.0.113.3", "203.0.113.53", "192.0.2.80", "198.51.100.2", "198.51.100.3", "198.51.100.4", "198.51.100.66")
    # Addresses, not a local route: a route alone cannot be a source by itself.
    add("2001:db8::1", "2001:db8::10", "2001:db8::25", "2001:db8::66")


def engines():
    """The second engines' modules, where programs built for /usr/local look for them: in a /usr/local/lib of our own with what is there
    except an installed Assay."""
    build = os.path.join(TOP, os.environ.get("BUILD", "build"))
    modules = glob.glob(f"{build}/assay-engine-*.so")
    if not modules:
        return
    old = os.open("/usr/local/lib", os.O_PATH)
    names = [n for n in os.listdir("/usr/local/lib") if n != "assay" and os.path.isdir(f"/usr/local/lib/{n}")]
    mount("tmpfs", "/usr/local/lib", "tmpfs")
    for name in names:
        os.mkdir(f"/usr/local/lib/{name}")
        mount(f"/proc/self/fd/{old}/{name}", f"/usr/local/lib/{name}", None, MS_BIND)
    os.close(old)
    os.makedirs("/usr/local/lib/assay/engines")
    for module in modules:
        shutil.copy(module, "/usr/local/lib/assay/engines/")


def inside(folder, program):
    cwd = os.getcwd()
    private_mounts()
    mount("proc", "/proc", "proc")
    mount(folder, PLACE, None, MS_BIND)
    with open(f"{PLACE}/resolv.conf", "w", encoding="ascii") as f:
        f.write("nameserver 203.0.113.53\noptions timeout:3 attempts:2\n")
    with open(f"{PLACE}/hosts", "w", encoding="ascii") as f:
        f.write(f"127.0.0.1 localhost\n203.0.113.1 {HOST} mx\n")
    for name in ("resolv.conf", "hosts"):
        if os.path.exists(f"/etc/{name}"):
            mount(f"{PLACE}/{name}", os.path.realpath(f"/etc/{name}"), None, MS_BIND)
    socket.sethostname(HOST)
    addresses()
    engines()
    if os.path.isdir(cwd):
        os.chdir(cwd)
    os.makedirs(f"{PLACE}/tmp", exist_ok=True)
    os.chmod(f"{PLACE}/tmp", 0o1777)
    os.environ["TMPDIR"] = f"{PLACE}/tmp"
    os.environ["ASSAY_TEST_DOCUMENTATION_NETWORKS"] = "public"  # base/ip.h: they are the internet in here
    os.environ["WORLD"] = PLACE
    os.environ["WORLD_FOLDER"] = folder
    # The program gets its own child, so that we are free to collect those whose parents have died.
    worker = os.fork()
    if worker == 0:
        try:
            os.execvp(program[0], program)
        except OSError as e:
            print(f"{program[0]}: {e.strerror}", file=sys.stderr)
            os._exit(127)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        pid, status = os.wait()
        if pid == worker:
            code = os.waitstatus_to_exitcode(status)
            os._exit(128 - code if code < 0 else code)


if __name__ == "__main__":
    inside(sys.argv[1], sys.argv[2:])
