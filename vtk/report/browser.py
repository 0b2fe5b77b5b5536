"""Headless Chromium over the DevTools protocol, on a pipe: what benches and tests look at pages with."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--disable-extensions",
         "--disable-background-networking", "--remote-debugging-pipe", "about:blank")
# DevTools reads from descriptor 3 and writes to 4; either may be the other's in the process that starts it.
_PLACED = """import os, sys
from fcntl import F_DUPFD, fcntl
ends = [fcntl(int(word), F_DUPFD, 10) for word in sys.argv[1:3]]
for place, end in enumerate(ends, 3):
    os.dup2(end, place)
os.execv(sys.argv[3], sys.argv[3:])"""


def chromium() -> str | None:
    """Return the path of Chromium on this machine; None where it has none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """A headless browser with one page, whose errors are kept.

    Attributes:
        troubles: errors and warnings of the page's console, and what it threw.

    Raises:
        FileNotFoundError: there is no Chromium.
    """

    def __init__(self, width: int = 1200, height: int = 900) -> None:
        program = chromium()
        if program is None:
            raise FileNotFoundError(f"no Chromium: expected one of {', '.join(NAMES)} on PATH")
        self._home = tempfile.TemporaryDirectory(prefix="vtk-chromium-", ignore_cleanup_errors=True)
        theirs, self._to = os.pipe()
        self._from, answers = os.pipe()
        words = [program, f"--user-data-dir={self._home.name}", f"--window-size={width},{height}", *FLAGS]
        self._process = subprocess.Popen([sys.executable, "-I", "-S", "-c", _PLACED, str(theirs), str(answers), *words],
                                         pass_fds=(theirs, answers), stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(theirs)
        os.close(answers)
        self._rest, self._number, self._session = b"", 0, ""
        self.troubles: list[str] = []
        page = next(each for each in self.call("Target.getTargets")["targetInfos"] if each["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)["sessionId"]
        for part in ("Page", "Runtime", "Log"):
            self.call(f"{part}.enable")

    def call(self, method: str, timeout: float = 60.0, **given: Any) -> dict[str, Any]:
        """Return what the browser answers to a method of the protocol.

        Raises:
            RuntimeError: it refuses. TimeoutError: it is silent.
        """
        self._number += 1
        message = {"id": self._number, "method": method, "params": given}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + timeout
        while True:
            found = self._next(end)
            if found.get("id") == self._number:
                if "error" in found:
                    raise RuntimeError(f"{method}: {found['error']['message']}")
                return found["result"]
            self._note(found)

    def _next(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._from], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser is silent")
            data = os.read(self._from, 1 << 20)
            if not data:
                raise RuntimeError("the browser ended")
            self._rest += data
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        """Keep what an event tells of trouble."""
        given = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            details = given["exceptionDetails"]
            what = details.get("exception", {}).get("description") or details["text"]
            self.troubles.append(f"{what} (line {details.get('lineNumber', -1) + 1})")
        elif event.get("method") == "Log.entryAdded" and given["entry"]["level"] in ("error", "warning"):
            self.troubles.append(given["entry"]["text"])
        elif event.get("method") == "Runtime.consoleAPICalled" and given["type"] in ("error", "warning", "assert"):
            self.troubles.append(" ".join(str(each.get("value", each.get("description"))) for each in given["args"]))

    def open(self, path: Path, hash: str = "", timeout: float = 60.0) -> float:
        """Open a page of ``vtk report`` by its file; return milliseconds until its tables were painted.

        Raises:
            TimeoutError: they were not.
        """
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=path.resolve().as_uri() + (f"#{hash}" if hash else ""))
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            ready = self.ask("document.documentElement?.dataset.ready ?? ''")
            if ready:
                return float(ready) if ready != "failed" else -1.0
            time.sleep(0.02)
        raise TimeoutError(f"{path.name} is not ready: {self.troubles}")

    def ask(self, script: str) -> Any:
        """Return what a script, an expression or a promise, gives in the page.

        Raises:
            RuntimeError: it throws.
        """
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"].get("exception", {}).get("description")))
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key, as Tab, Enter or ArrowDown."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode={"Tab": 9, "Enter": 13, "ArrowDown": 40, "ArrowRight": 39, "End": 35}[key])

    def dress(self, width: int, height: int, scheme: str = "light", media: str = "") -> None:
        """Give the page a size in pixels and a colour scheme, ``light`` or ``dark``; ``media`` is perhaps ``print``."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path: Path) -> None:
        """Write what is in sight as a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        """End the browser."""
        os.close(self._to)
        os.close(self._from)
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._home.cleanup()

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
