"""Chromium without a window, spoken to by the DevTools protocol over two pipes: no port is opened and no library needed."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 120  # seconds for one answer: the machine may be busy


def program():
    """Where the browser is; None where there is none."""
    return next((path for path in map(shutil.which, PROGRAMS) if path), None)


class Browser:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="gpup-browser-")
        # Its ends are file descriptors 3 and 4; ours are kept clear of these.
        pipes = [tuple(fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in os.pipe()) for _ in range(2)]
        (theirs_in, self.to), (self.answers, theirs_out) = pipes

        def place_ends():
            os.dup2(theirs_in, 3)
            os.dup2(theirs_out, 4)

        self.log = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen(
            [program(), "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-sync",
             "--disable-component-update", "--disable-extensions", "--hide-scrollbars", "--font-render-hinting=none",
             "--user-data-dir=" + os.path.join(self.folder, "profile"), "about:blank"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, preexec_fn=place_ends, pass_fds=(3, 4),
            env={**os.environ, "HOME": self.folder})
        os.close(theirs_in)
        os.close(theirs_out)
        self.number = 0
        self.buffer = b""

    def send(self, method, session=None, **params):
        """Asks, waits for the answer; what happens meanwhile goes to the session's list of events."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session.id
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            if session is not None and answer.get("sessionId") == session.id:
                session.events.append(answer)

    def receive(self):
        end = time.monotonic() + PATIENCE
        while b"\0" not in self.buffer:
            if not select.select([self.answers], [], [], max(0, end - time.monotonic()))[0]:
                raise RuntimeError(f"the browser did not answer within {PATIENCE} s")
            more = os.read(self.answers, 1 << 20)
            if not more:
                raise RuntimeError("the browser has ended:\n" + self.last_words())
            self.buffer += more
        message, _, self.buffer = self.buffer.partition(b"\0")
        return json.loads(message)

    def last_words(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def close(self):
        try:
            self.send("Browser.close")
        except (RuntimeError, OSError):
            pass
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


class Page:
    """A tab that shows one file, of one width, in one colour scheme or on paper."""

    def __init__(self, browser, path, width=1280, scheme="light", media="screen"):
        self.browser = browser
        self.events = []
        self.width = width
        self.least = 900  # its height at first
        self.url = "file://" + path
        self.target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.id = browser.send("Target.attachToTarget", targetId=self.target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(domain + ".enable")
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=self.least, deviceScaleFactor=1,
                  mobile=False)
        self.send("Emulation.setEmulatedMedia", media=media,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.send("Page.navigate", url=self.url)
        while not self.saw("Page.loadEventFired"):
            event = browser.receive()
            if event.get("sessionId") == self.id:
                self.events.append(event)

    def send(self, method, **params):
        return self.browser.send(method, self, **params)

    def saw(self, method):
        return [event["params"] for event in self.events if event["method"] == method]

    def do(self, script):
        """What an expression of JavaScript comes to; promises are waited for."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{script[:200]}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def requests(self):
        """What it asked for beside itself."""
        return [sent["request"]["url"] for sent in self.saw("Network.requestWillBeSent")
                if sent["request"]["url"].partition("#")[0] != self.url]

    def complaints(self):
        """Everything on its console, and each exception."""
        return ([entry["entry"]["text"] for entry in self.saw("Log.entryAdded")] +
                [str(call["args"]) for call in self.saw("Runtime.consoleAPICalled")] +
                [thrown["exceptionDetails"]["text"] for thrown in self.saw("Runtime.exceptionThrown")])

    def see_all(self, tallest=16000):
        """Makes the window as tall as what it shows: what is far outside of it is neither laid out nor drawn."""
        height = 0
        while height < tallest:
            size = self.send("Page.getLayoutMetrics")["cssContentSize"]
            wanted = min(max(size["height"], self.least), tallest)
            if wanted == height:
                break
            height = wanted
            self.resize(height)
        self.frames()

    def resize(self, height):
        self.send("Emulation.setDeviceMetricsOverride", width=self.width, height=height, deviceScaleFactor=1,
                  mobile=False)
        self.frames()

    def frames(self):
        """Waits until it was drawn twice: what came into view is laid out in the first."""
        self.do("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0))))")

    def screenshot(self, path):
        """Of its window; see_all() before takes all of it."""
        shot = self.send("Page.captureScreenshot", format="png")
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def close(self):
        self.browser.send("Target.closeTarget", targetId=self.target)
