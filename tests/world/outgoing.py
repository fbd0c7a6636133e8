# SPDX-License-Identifier: BSD-2-Clause
"""outgoing - assay-outgoing as the tests run it: with policy, socket, state and log in one folder."""
import os
import signal
import subprocess
import time

import milter


class Outgoing:
    def __init__(self, folder, user="root"):
        os.makedirs(f"{folder}/state", exist_ok=True)
        subprocess.run(["chown", "-R", user, f"{folder}/state"], check=True)
        self.folder, self.user, self.process = folder, user, None
        self.policy, self.log, self.state = f"{folder}/policy", f"{folder}/log", f"{folder}/state"

    def write_policy(self, text):
        with open(f"{self.policy}.new", "w", encoding="utf-8") as f:
            f.write(text)
        os.rename(f"{self.policy}.new", self.policy)

    def words(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def wait(self, words, seconds=20, at=0):
        """Whether the log says so, from octet `at` on, within that time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and words not in self.words()[at:]:
            time.sleep(0.02)
        return words in self.words()[at:]

    def start(self, *options, words="listening at"):
        at = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                [milter.program("assay-outgoing"), "-P", self.policy, "-S", self.state, "-u", self.user, *options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        if not self.wait(words, at=at):
            raise RuntimeError(f"assay-outgoing does not say '{words}':\n{self.words()[-2000:]}")
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)
