# SPDX-License-Identifier: BSD-2-Clause
"""resolver - one Unbound under test: its configuration and policy, questions to it, and what it wrote."""
import glob
import json
import os
import subprocess
import time

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype

TOP = os.path.abspath(os.path.join(__file__, "../../../.."))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
UNBOUND = os.environ.get("UNBOUND", os.path.join(BUILD, "unbound"))
MODULE = os.environ.get("MODULE", os.path.join(BUILD, "assay-unbound.so"))
WHERE = "127.0.0.1"
THREADS = int(os.environ.get("THREADS", "2"))  # of a resolver whose test does not say


class Answer:
    """What came back, in the few words that tests need."""

    def __init__(self, message):
        self.message = message
        self.rcode = dns.rcode.to_text(message.rcode())
        self.ad = bool(message.flags & dns.flags.AD)
        self.records = [r for rrset in message.answer for r in rrset.to_text().split("\n")]
        self.data = bool(message.answer)
        self.referral = bool(message.authority) and not message.answer
        self.ede = [(o.code, o.text or "") for o in message.options if isinstance(o, dns.edns.EDEOption)]

    def __repr__(self):
        return f"{self.rcode}{' AD' if self.ad else ''} {self.records} {self.ede}"


class Resolver:
    def __init__(
        self,
        folder,
        tree,
        policy,
        name="unbound",
        options="",
        after="",
        module="dynlib validator iterator",
        threads=THREADS,
        port=53,
        with_module=True,
        env=None,
    ):
        self.folder = os.path.join(folder, name)
        os.makedirs(self.folder, exist_ok=True)
        self.tree, self.port, self.process, self.env = tree, port, None, env or {}
        self.policy = os.path.join(self.folder, "policy")
        self.state = os.path.join(self.folder, "state")
        self.journal = os.path.join(self.folder, "journal")
        self.conf = os.path.join(self.folder, "unbound.conf")
        self.log = os.path.join(self.folder, "log")
        for d in (self.state, self.journal):
            os.makedirs(d, exist_ok=True)
        if policy is not None:
            self.write_policy(policy)
        if not with_module:
            module = module.replace("dynlib ", "")
        self.write_conf(module, port, threads, options, with_module, after)

    def write_conf(self, module, port, threads, options, with_module, after):
        with open(self.conf, "w", encoding="ascii") as f:
            f.write(
                f"""server:
  interface: {WHERE}
  port: {port}
  do-ip6: no
  username: ""
  chroot: ""
  directory: "{self.folder}"
  pidfile: "{self.folder}/pid"
  use-syslog: no
  logfile: "{self.log}"
  num-threads: {threads}
  access-control: 127.0.0.0/8 allow_snoop
  do-not-query-localhost: no
  root-hints: "{self.tree.hints}"
  trust-anchor-file: "{self.tree.anchor}"
  trust-anchor-signaling: no
  local-zone: "zz." nodefault
  module-config: "{module}"
  tls-cert-bundle: ""
  infra-host-ttl: 5
  discard-timeout: 0
{options}
{'dynlib:' if with_module else ''}
{'  dynlib-file: "' + MODULE + '"' if with_module else ''}
remote-control:
  control-enable: yes
  control-interface: {self.folder}/control
  control-use-cert: no
{after}
"""
            )

    def write_policy(self, text):
        new = self.policy + ".new"
        with open(new, "w", encoding="utf-8") as f:
            f.write(text.replace("JOURNAL", self.journal))
        os.replace(new, self.policy)

    def start(self, wait=True):
        env = dict(os.environ, ASSAY_POLICY=self.policy, ASSAY_RESOLVER_DIR=self.state, ASSAY_STATE=self.folder, **self.env)
        self.process = subprocess.Popen(
            [f"{UNBOUND}/sbin/unbound", "-d", "-c", self.conf],
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=open(os.path.join(self.folder, "stderr"), "ab"),
        )
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=15):
        end = time.time() + seconds
        while time.time() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"unbound ended with {self.process.returncode}: {self.words()[-600:]}")
            try:
                self.ask("version.server", "TXT", rdclass="CH", timeout=0.3)
                return
            except dns.exception.DNSException:
                time.sleep(0.05)
        raise RuntimeError("unbound does not answer")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        code = self.process.returncode if self.process else None
        self.process = None
        return code

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def ask(self, name, rdtype="A", cd=False, rd=True, do=False, edns=True, rdclass="IN", timeout=6, tcp=False, network=None, source=None):
        options = [dns.edns.ECSOption(network, 24)] if network else None
        m = dns.message.make_query(name, rdtype, rdclass, use_edns=0 if edns else False, want_dnssec=do, options=options)
        m.flags |= dns.flags.AD  # RFC 6840 5.7: tell me
        if cd:
            m.flags |= dns.flags.CD
        if not rd:
            m.flags &= ~dns.flags.RD
        how = dns.query.tcp if tcp else dns.query.udp
        return Answer(how(m, WHERE, timeout=timeout, port=self.port, source=source))

    def control(self, *words):
        done = subprocess.run([f"{UNBOUND}/sbin/unbound-control", "-c", self.conf, *words], capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise RuntimeError(f"unbound-control {words}: {done.stdout}{done.stderr}")
        return done.stdout

    def words(self):
        text = ""
        for path in (self.log, os.path.join(self.folder, "stderr")):
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    text += f.read()
        return text

    def wait_for(self, what, seconds=6):
        """Waits until what() is true."""
        end = time.time() + seconds
        while time.time() < end:
            if what():
                return True
            time.sleep(0.05)
        return False

    def change_policy(self, text):
        """Puts another policy in force and waits until the resolver has noticed, and its cached answers are marked."""
        version = self.policy_version()
        self.write_policy(text)
        if not self.wait_for(lambda: self.policy_version() > version, 8):
            raise RuntimeError(f"the policy was not taken over: {self.words()[-500:]}")
        time.sleep(0.3)

    def status(self):
        try:
            with open(os.path.join(self.state, "status.json"), encoding="utf-8") as f:
                return json.load(f)
        except (OSError, ValueError):
            return {}

    def policy_version(self):
        return self.words().count(" in force")

    def first_policy(self):
        """Waits for the first policy: on a busy machine a long one is still being read when the service starts. Questions are asked, since
        the module's threads say nothing by themselves: their lines reach the log with the next question."""
        asks = lambda: self.ask("www.free.zz") and self.policy_version() > 0
        assert self.wait_for(asks, 60), self.words()[-500:]

    def records(self, kind="names"):
        found = []
        for path in sorted(glob.glob(os.path.join(self.journal, "*"))):
            if path.endswith((".open", ".journal")):
                with open(path, encoding="utf-8") as f:
                    for line in f:
                        if line.endswith("\n"):
                            record = json.loads(line)
                            if record.get("kind") == kind:
                                found.append(record)
        return found
