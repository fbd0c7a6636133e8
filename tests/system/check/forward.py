# SPDX-License-Identifier: BSD-2-Clause
"""forward: a resolver that assay check asks in place of the root (set dns.forward): Unbound, and before it a host that fails for the
root's key for a while, as a loaded or a lossy one does."""
import socket
import subprocess
import threading
import time

FRONT, BACK, PORT = "127.0.0.9", "127.0.0.10", 5353
DNSKEY = 48


class Forwarder:
    """seconds: how long it answers SERVFAIL for the root's key, from the first such question on."""

    def __init__(self, folder, anchor, seconds):
        self.seconds, self.failed, self.begun = seconds, 0, None
        conf = f"{folder}/forward.conf"
        with open(conf, "w", encoding="ascii") as f:
            f.write(
                f"server:\n interface: {BACK}\n port: {PORT}\n access-control: 127.0.0.0/8 allow\n do-daemonize: no\n"
                f' username: ""\n chroot: ""\n pidfile: ""\n use-syslog: no\n logfile: ""\n do-ip6: no\n'
                f' trust-anchor-file: "{anchor}"\n directory: "{folder}"\n'
                "remote-control:\n control-enable: no\n"
            )
        self.back = subprocess.Popen(["unbound", "-d", "-c", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((FRONT, PORT))
        self.socket.settimeout(0.2)
        self.ends = False
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.ends:
            try:
                question, sender = self.socket.recvfrom(4096)
            except TimeoutError:
                continue
            threading.Thread(target=self.one, args=(question, sender), daemon=True).start()

    def one(self, question, sender):
        if question[12] == 0 and int.from_bytes(question[13:15], "big") == DNSKEY:
            self.begun = self.begun or time.monotonic()
            if time.monotonic() - self.begun < self.seconds:
                self.failed += 1
                answer = question[:2] + b"\x81\x82" + question[4:6] + bytes(6) + question[12:17]
                self.socket.sendto(answer, sender)
                return
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back:
            back.settimeout(5)
            back.connect((BACK, PORT))
            try:
                back.send(question)
                self.socket.sendto(back.recv(65535), sender)
            except OSError:  # whoever asked asks again
                pass

    def stop(self):
        self.ends = True
        self.thread.join(30)
        self.socket.close()
        self.back.terminate()
        self.back.wait(30)
