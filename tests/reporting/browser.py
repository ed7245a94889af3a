"""Chromium without a window, driven through the pipe of its DevTools protocol.

with Browser.open(folder) as browser:
    page = browser.page(html)
    page.run("document.title")
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FOUND = next((path for name in NAMES if (path := shutil.which(name))), None)
MISSING = "there is no Chromium here; on Debian: apt-get install chromium"
PATIENCE = 120  # seconds for an answer, many times what a busy machine takes
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-3d-apis",  # some notebooks are shown without WebGL
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
COMPLAINTS = ("Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")
START = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
TOOLS = """
const frames = (n = 3) => new Promise((done) => {
  const next = (k) => (k ? requestAnimationFrame(() => next(k - 1)) : done());
  next(n);
});
const all = (selector) => [...document.querySelectorAll(selector)];
const text = (selector) => document.querySelector(selector).textContent;
const chart = (label) => document.querySelector(`canvas[aria-label="${label}"]`);
"""


class Browser:
    """The browser: commands go in, answers and events come out."""

    def __init__(self, reads: int, writes: int, folder: Path) -> None:
        self.folder = folder
        self.events: list[dict[str, Any]] = []
        self._reads, self._writes, self._left = reads, writes, b""
        self._last = 0
        self._tab: Page | None = None

    @classmethod
    @contextmanager
    def open(cls, folder: Path) -> Iterator[Browser]:
        """A browser with its profile in a folder."""
        assert FOUND
        theirs_in, ours_out = map(_high, os.pipe())
        ours_in, theirs_out = map(_high, os.pipe())
        command = [sys.executable, "-c", START, str(theirs_in), str(theirs_out), FOUND, *FLAGS]
        command.append(f"--user-data-dir={folder / 'profile'}")
        with open(folder / "log", "wb") as log:
            process = subprocess.Popen(
                command, pass_fds=(theirs_in, theirs_out), stdout=log, stderr=log
            )
        os.close(theirs_in)
        os.close(theirs_out)
        browser = cls(ours_in, ours_out, folder)
        try:
            yield browser
            browser.call("Browser.close")
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
            os.close(ours_in)
            os.close(ours_out)

    def call(self, method: str, session: str | None = None, **params: Any) -> Any:
        """The answer to a command."""
        self._last += 1
        command = {"id": self._last, "method": method, "params": params}
        if session:
            command["sessionId"] = session
        os.write(self._writes, json.dumps(command).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == self._last:
                assert "error" not in message, message
                return message["result"]
            self.events.append(message)

    def wait(self, method: str, session: str, times: int = 1) -> None:
        """Return once an event has come so often."""
        while times > sum(e["method"] == method and e["sessionId"] == session for e in self.events):
            self.events.append(self._message())

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._reads], [], [], PATIENCE)
            assert ready, "the browser does not answer"
            data = os.read(self._reads, 1 << 20)
            assert data, "the browser is gone"
            self._left += data
        message, _, self._left = self._left.partition(b"\0")
        decoded: dict[str, Any] = json.loads(message)
        return decoded

    def page(self, html: str, *, width: int = 1200, scripts: bool = True, **media: str) -> Page:
        """A page, loaded where the one before was; `media`: such as `prefers_color_scheme`."""
        file = self.folder / "page.html"
        file.write_text(html, encoding="utf-8")
        if self._tab:
            target = self._tab.target
            self._tab.call("Log.clear")  # or the next one would hear of it
            self.call("Target.detachFromTarget", sessionId=self._tab.session)
        else:
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
        found = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._tab = page = Page(self, target, found["sessionId"], width)
        page.listen()
        page.call("Performance.enable", timeDomain="threadTicks")
        page.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        features = [{"name": k.replace("_", "-"), "value": v} for k, v in media.items()]
        page.call("Emulation.setEmulatedMedia", features=features)
        page.resize(900)
        page.call("Page.navigate", url=file.as_uri())
        self.wait("Page.loadEventFired", page.session)
        if scripts:
            page.run("frames()")
        return page

    def frame(self, page: Page) -> Page:
        """What a page shows in its frame, which can be reached only from here."""
        targets = self.call("Target.getTargets")["targetInfos"]
        (target,) = (each["targetId"] for each in targets if each.get("parentId") == page.target)
        found = self.call("Target.attachToTarget", targetId=target, flatten=True)
        frame = Page(self, target, found["sessionId"], page.width)
        frame.listen()
        frame.run("frames()")
        return frame


class Page:
    """One page of a browser."""

    def __init__(self, browser: Browser, target: str, session: str, width: int) -> None:
        self.browser, self.target, self.session, self.width = browser, target, session, width

    def listen(self) -> None:
        """Hear of what happens there, and of errors until now."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    @property
    def cpu(self) -> float:
        """Seconds of the processor that the page has taken."""
        metrics = self.call("Performance.getMetrics")["metrics"]
        return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")

    def call(self, method: str, **params: Any) -> Any:
        """The answer to a command about this page."""
        return self.browser.call(method, self.session, **params)

    def resize(self, height: int) -> None:
        """Set the height of the window."""
        size = {"width": self.width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def run(self, expression: str) -> Any:
        """What an expression gives in the page; promises are awaited."""
        wrapped = f"(async () => {{ {TOOLS}; return ({expression.strip()}); }})()"
        return self.value(wrapped, awaitPromise=True)

    def value(self, expression: str, **how: bool) -> Any:
        """What an expression gives, also where scripts are off."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, **how)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def drag(self, label: str, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag over a chart, between shares of its width and height."""
        edge = self.run(
            f"(chart('{label}').scrollIntoView({{block: 'center'}}), await frames(), "
            f"chart('{label}').getBoundingClientRect().toJSON())"
        )
        for kind, (x, y), buttons in (
            ("mousePressed", start, 1),
            ("mouseMoved", end, 1),
            ("mouseReleased", end, 0),
        ):
            place = {"x": edge["x"] + x * edge["width"], "y": edge["y"] + y * edge["height"]}
            self.call(
                "Input.dispatchMouseEvent",
                type=kind,
                **place,
                button="left",
                buttons=buttons,
                clickCount=1,
            )
        self.run("frames()")

    def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key)
        self.run("frames()")

    @property
    def complaints(self) -> list[str]:
        """Errors, warnings and violations of the policy, and what was loaded besides the page."""
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            method, params = event["method"], event["params"]
            if method in COMPLAINTS:
                found.append(json.dumps(params)[:500])
            if method == "Network.requestWillBeSent":
                url = params["request"]["url"]
                found += [url] * (not url.endswith("/page.html") and url[:5] != "about")
        return found

    def picture(self, path: Path) -> None:
        """The whole page as PNG."""
        height = self.call("Page.getLayoutMetrics")["cssContentSize"]["height"]
        self.resize(int(height))
        self.run("frames()")
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))

    def pdf(self) -> bytes:
        """The page as printed."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=False)["data"])


def _high(descriptor: int) -> int:
    """The same file at a number that is none of those that the browser takes."""
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 20)
    os.close(descriptor)
    return moved
