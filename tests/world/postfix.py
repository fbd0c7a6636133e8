# SPDX-License-Identifier: BSD-2-Clause
"""postfix - real Postfix instances with configuration, queue and data of their own, beside whatever is installed and configured.

Only the installed programs and their static files are used; nothing of /etc/postfix/main.cf or master.cf is read. `postfix start` says
nothing at all without a terminal when it fails (its words go to the log), so start() shows the log when the instance does not answer.
"""
import glob
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import time

SERVICES = """\
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
"""


def setting(name):
    return subprocess.run(["postconf", "-d", "-h", name], capture_output=True, text=True, check=True).stdout.strip()


def user():
    """The user `nobody`: mail is delivered as this user, and programs other than Postfix run as it."""
    return pwd.getpwnam("nobody")


class Postfix:
    """folder: where everything of this instance is. listen: the addresses of its port 25. settings: main.cf beyond the common.
    services: master.cf lines beyond the common, {address} lines for port 25 are made from `listen`."""

    def __init__(self, folder, name, listen, settings, services="", options=None):
        self.folder, self.name, self.listen = folder, name, listen
        self.config, self.queue, self.log = f"{folder}/etc", f"{folder}/queue", f"{folder}/log"
        self.settings, self.services, self.options = dict(settings), services, options or {}
        self.master = None

    def write(self):
        for sub in ("etc", "queue", "data"):
            os.makedirs(f"{self.folder}/{sub}", exist_ok=True)
        shutil.chown(f"{self.folder}/data", "postfix")
        files = next(d for d in ("/etc/postfix", "/usr/share/postfix") if os.path.exists(f"{d}/postfix-files"))
        main = {
            "compatibility_level": "3.6",
            "mail_owner": "postfix",
            "setgid_group": "postdrop",
            "queue_directory": self.queue,
            "data_directory": f"{self.folder}/data",
            "meta_directory": files,
            "daemon_directory": setting("daemon_directory"),
            "command_directory": setting("command_directory"),
            "maillog_file": self.log,
            "maillog_file_prefixes": self.folder,
            "myhostname": self.name,
            "inet_interfaces": ", ".join(self.listen),
            "inet_protocols": "all",
            "mynetworks": "127.0.0.0/8",
            "mydestination": "",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "biff": "no",
            "smtp_host_lookup": "native",
            "smtputf8_enable": "yes",
            "smtpd_helo_required": "no",
            "notify_classes": "",
            "smtp_tls_security_level": "none",
            "minimal_backoff_time": "300s",
            "queue_run_delay": "300s",
            "max_idle": "100s",
            "shlib_directory": setting("shlib_directory"),
            "default_database_type": "hash",
            "import_environment": "MAIL_CONFIG TZ LANG=C",
            "virtual_alias_domains": "",
            "smtpd_peername_lookup": "no",
            "smtpd_client_connection_count_limit": "0",
            "smtpd_error_sleep_time": "0",
            "smtpd_soft_error_limit": "1000",
            "smtpd_hard_error_limit": "1000",
            "in_flow_delay": "0",
            "smtpd_timeout": "60s",
        }
        main.update(self.settings)
        with open(f"{self.config}/main.cf", "w", encoding="utf-8") as f:
            f.write("".join(f"{k} = {v}\n" for k, v in main.items()))
        with open(f"{self.config}/master.cf", "w", encoding="utf-8") as f:
            for address in self.listen:
                options = "".join(f"\n  -o {o}" for o in self.options.get(address, ()))
                f.write(f"{'[' + address + ']' if ':' in address else address}:25 inet n - n - - smtpd{options}\n")
            f.write(SERVICES + self.services)
        for name in ("main.cf", "master.cf"):  # every Postfix program waits for 0.3 s when it finds a file this fresh
            os.utime(f"{self.config}/{name}", (time.time() - 60,) * 2)

    def start(self):
        """Starts it; returns when it answers on its first address."""
        self.write()
        done = subprocess.run(["postfix", "-c", self.config, "check"], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{self.name}: postfix check: {done.stderr.strip()}\n{self.tail()}")
        self.master = subprocess.Popen(
            [f"{setting('daemon_directory')}/master", "-c", self.config, "-d"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "MAIL_CONFIG": self.config},
        )
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if self.master.poll() is not None:
                break
            try:
                with socket.create_connection((self.listen[0], 25), timeout=5) as s:
                    if s.recv(200).startswith(b"220"):
                        return self
            except OSError:
                pass
            time.sleep(0.03)
        raise RuntimeError(f"{self.name}: Postfix does not answer:\n{self.tail()}")

    def tail(self, lines=20):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as f:
                return "".join(f.readlines()[-lines:])
        except OSError:
            return "(no log)"

    def queued(self):
        """What is in the queue: a list of dicts as `postqueue -j` says (queue_name, queue_id, sender, recipients)."""
        done = subprocess.run(["postqueue", "-c", self.config, "-j"], capture_output=True, text=True)
        return [json.loads(line) for line in done.stdout.splitlines() if line]

    def content(self, queue_id):
        done = subprocess.run(["postcat", "-c", self.config, "-q", "-bh", queue_id], capture_output=True)
        return done.stdout

    def flush(self):
        subprocess.run(["postqueue", "-c", self.config, "-f"], capture_output=True)

    def wait_idle(self, seconds=10):
        """Waits until nothing is on its way: the incoming, active and maildrop queues are empty."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not any(glob.glob(f"{self.queue}/{q}/*") for q in ("incoming", "active", "maildrop")):
                return True
            time.sleep(0.02)
        return False


def maildir_settings(folder, domains):
    """Settings that deliver every address of these domains into the one Maildir folder/all/; Delivered-To says whose it is."""
    owner = user()
    os.makedirs(folder, exist_ok=True)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    return {
        "virtual_mailbox_domains": ", ".join(domains),
        "virtual_mailbox_base": folder,
        "virtual_mailbox_maps": "static:all/",
        "virtual_uid_maps": f"static:{owner.pw_uid}",
        "virtual_gid_maps": f"static:{owner.pw_gid}",
        "virtual_minimum_uid": "1",
    }


def delivered(folder):
    """The mails in that Maildir, oldest first: (recipient, content as written)."""
    found = []
    for path in glob.glob(f"{folder}/all/new/*"):
        with open(path, "rb") as f:
            content = f.read()
        to = re.search(rb"^Delivered-To: *(\S+)", content, re.M)
        found.append((os.stat(path).st_mtime_ns, to.group(1).decode("utf-8", "replace") if to else "", content))
    return [(to, content) for _, to, content in sorted(found)]
