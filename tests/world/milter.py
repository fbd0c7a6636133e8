# SPDX-License-Identifier: BSD-2-Clause
"""milter - assay-milter as the tests run it: in the foreground, with policy, socket, state and log in one folder."""
import glob
import json
import os
import re
import resource
import shlex
import signal
import subprocess
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def program(name):
    return os.path.join(TOP, os.environ.get("BUILD", "build"), name)


def engine():
    """What speaks the milter protocol: ENGINE= in the environment, or the default."""
    with open(f"{TOP}/policy/settings.def", encoding="utf-8") as f:
        default = re.search(r'^SETTING\(MILTER_ENGINE, "milter.engine", WORD, "(\w+)"', f.read(), re.M).group(1)
    return os.environ.get("ENGINE") or default


def whole(path):
    """Nothing more is written to this file: makes it a minute old, because a program waits before it reads a younger one."""
    past = time.time_ns() - 60 * 10**9
    os.utime(path, ns=(past, past))


class Milter:
    def __init__(self, folder, user="postfix"):
        self.folder, self.user = folder, user
        self.policy, self.log, self.state = f"{folder}/policy", f"{folder}/log", f"{folder}/state"
        self.socket_path = f"{folder}/socket"
        self.process = None
        self.rights()

    def rights(self):
        """The daemon's user owns what the daemon writes; root owns the policy."""
        os.makedirs(self.state, exist_ok=True)
        subprocess.run(["chown", "-R", self.user, self.state], check=True)

    @property
    def address(self):
        return f"unix:{self.socket_path}"

    def write_policy(self, text):
        """ENGINE=native or libmilter in the environment: spoken by that engine."""
        if os.environ.get("ENGINE"):
            text += f"\nset milter.engine {os.environ['ENGINE']}\n"
        with open(self.policy, "w", encoding="utf-8") as f:
            f.write(text)
        whole(self.policy)

    def start(self, *options, seconds=30, environment=None, space=None, under=()):
        """Starts it (under: a command that runs it, as valgrind does), with an address space of at most that many octets, and returns when
        it says that it listens; RuntimeError with its words when it does not."""
        at = self.size()
        out = open(self.log, "ab")
        self.process = subprocess.Popen(
            [*under, program("assay-milter"), "-f", "-P", self.policy, "-s", self.address, "-S", self.state, "-u", self.user, *options],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env={**os.environ, **(environment or {})},
            preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_AS, (space, space))) if space else None,
        )
        out.close()
        with open(f"{self.folder}/pid", "w", encoding="ascii") as f:
            f.write(f"{self.process.pid}\n")
        deadline = time.monotonic() + seconds
        # The socket alone is no sign: it is there before its permissions are, and before anybody answers.
        while time.monotonic() < deadline and self.process.poll() is None:
            if "listens at" in self.words(at):
                return self
            time.sleep(0.01)
        raise RuntimeError(f"assay-milter does not listen (exit code {self.process.poll()}):\n{self.words()[-2000:]}")

    def stop(self, seconds=10):
        """Ends it. Returns its exit code; -9 when it would not end by itself."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        code, self.process = self.process.returncode, None
        if os.path.exists(self.socket_path):
            os.unlink(self.socket_path)
        return code

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def words(self, start=0):
        try:
            with open(self.log, "rb") as f:
                f.seek(start)
                return f.read().decode("utf-8", "replace")
        except OSError:
            return ""

    def size(self):
        return os.path.getsize(self.log) if os.path.exists(self.log) else 0

    def wait_words(self, start, test, seconds=5):
        """Waits until test(what was logged since `start`) is true. Returns what was logged."""
        deadline = time.monotonic() + seconds
        while True:
            words = self.words(start)
            if test(words) or time.monotonic() > deadline:
                return words
            time.sleep(0.01)

    def reload(self):
        """SIGHUP; returns what it says until the policy is loaded, or kept out. A line about a mail before it may come late."""
        start = self.size()
        self.process.send_signal(signal.SIGHUP)
        return self.wait_words(start, lambda w: re.search(r"loaded, mode .*\n|RUNNING ON .*\n", w))

    def command(self, words):
        """Runs `assay WORDS` on this milter's state folder: what it did is in force when it returns. What is wrong, or None."""
        first, *rest = shlex.split(words)
        done = subprocess.run([program("assay"), first, "--state", self.state, *rest], capture_output=True, text=True)
        return None if done.returncode == 0 else f"assay {words}: exit code {done.returncode}: {done.stderr.strip()}"

    def says(self, words):
        """What `assay WORDS` prints, errors too."""
        done = subprocess.run([program("assay"), *shlex.split(words)], capture_output=True, text=True)
        return done.stdout + done.stderr

    def journal(self):
        """Every record of a mail in its journal, in the order written; not the begin and end of its segments."""
        records = []
        for path in glob.glob(f"{self.state}/journal/*") + glob.glob(f"{self.state}/journal/*/*"):
            if os.path.isfile(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    for line in f:
                        try:
                            records.append(json.loads(line))
                        except ValueError:
                            pass  # a line that is being written
        return sorted((r for r in records if isinstance(r, dict) and r.get("kind") == "mail"), key=lambda r: r.get("t", ""))
