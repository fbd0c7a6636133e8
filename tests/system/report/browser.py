# SPDX-License-Identifier: BSD-2-Clause
"""browser.py: Chromium, headless, spoken to over a pipe (DevTools protocol), so that nothing but Python is needed.

It runs without its own sandbox, which root may not have: for pages of ours alone, in a process without network."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time


class Browser:
    def __init__(self):
        self.profile = tempfile.mkdtemp(prefix="assay-chromium.")
        to_browser, self.write_end = os.pipe()
        self.read_end, from_browser = os.pipe()

        def hand_over():
            os.dup2(to_browser, 60)
            os.dup2(from_browser, 61)
            os.dup2(60, 3)
            os.dup2(61, 4)

        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe"]
        command += [f"--user-data-dir={self.profile}", "--no-first-run", "--disable-dev-shm-usage", "about:blank"]
        if os.geteuid() == 0:
            command = ["unshare", "-n", "--", *command]
        self.process = subprocess.Popen(
            command, preexec_fn=hand_over, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.rest, self.events, self.session = 0, b"", [], None
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def read(self):
        while b"\0" not in self.rest:
            more = os.read(self.read_end, 1 << 20)
            if not more:
                raise SystemExit("chromium has ended")
            self.rest += more
        line, _, self.rest = self.rest.partition(b"\0")
        return json.loads(line)

    def ask(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write_end, json.dumps(message).encode() + b"\0")
        while True:
            got = self.read()
            if got.get("id") == self.number:
                if "error" in got:
                    raise SystemExit(f"chromium: {method}: {got['error']}")
                return got["result"]
            self.events.append(got)

    def view(self, width, dark=False, height=900, media="screen"):
        """How the open page is shown, and those that are opened later."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.ask("Emulation.setEmulatedMedia", media=media, features=scheme)

    def scripts(self, allowed):
        """Whether scripts may run: on the open page, too, which need not be loaded anew for ours."""
        self.ask("Emulation.setScriptExecutionDisabled", value=not allowed)

    def turn(self, width, dark):
        """The open page in another view, once it is laid out so; scripts must be allowed."""
        self.view(width, dark)
        query = f"(width: {width}px) and (prefers-color-scheme: {'dark' if dark else 'light'})"
        for _ in range(500):
            if self.evaluate(f"matchMedia('{query}').matches"):
                return
            time.sleep(0.01)
        raise SystemExit(f"chromium does not show the page as asked: {query}")

    def open(self, path, width=1280, dark=False, scripts=False, height=900, media="screen"):
        """The page's troubles: requests for anything but itself and its style, errors, words of the console."""
        self.events = []
        self.scripts(scripts)
        self.view(width, dark, height, media)
        self.ask("Page.navigate", url=f"file://{path}")
        while not any(e.get("method") == "Page.loadEventFired" for e in self.events):
            self.events.append(self.read())
        troubles, folder = [], os.path.dirname(path)
        for e in self.events:
            method, given = e.get("method"), e.get("params", {})
            if method == "Network.requestWillBeSent" and given["request"]["url"] not in (f"file://{path}", f"file://{folder}/style.css"):
                troubles.append(f"asks for {given['request']['url']}")
            if method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Network.loadingFailed", "Log.entryAdded"):
                troubles.append(f"{method}: {json.dumps(given)[:300]}")
        return troubles

    def evaluate(self, expression):
        got = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in got:
            raise SystemExit(f"chromium: {got}")
        return got["result"]["value"]

    def width(self):
        return self.ask("Page.getLayoutMetrics")["cssContentSize"]["width"]

    def picture(self, path):
        data = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, optimizeForSpeed=True)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def print(self, path):
        """The open page on paper, with the style for paper: printing keeps the medium that open() emulates."""
        self.ask("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "light"}])
        data = self.ask("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]
        with open(path, "wb") as f:
            f.write(base64.b64decode(data))

    def load_axe(self, source):
        """Gives the open page axe-core, which takes longer to load than to run."""
        self.ask("Runtime.evaluate", expression=source)

    def axe(self):
        """What axe-core finds on the open page, by rule and place. It need not fetch style sheets and media once more (preload): none of
        the rules that it runs by default looks at them, and pages of ours have no media."""
        options = "{resultTypes: ['violations'], preload: false}"
        run = f"axe.run({options}).then(r => JSON.stringify(r.violations.map(v => [v.id, v.nodes.map(n => n.html)])))"
        got = self.ask("Runtime.evaluate", expression=run, awaitPromise=True, returnByValue=True)
        if "value" not in got["result"]:
            raise SystemExit(f"axe-core: {got}")
        return json.loads(got["result"]["value"])

    def close(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)
