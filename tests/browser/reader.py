"""Someone at a page: opens it, presses keys, and reads what is shown."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any


class Reader:
    """Drives one browser; each page is a file of its own."""

    def __init__(self, browser: Any, folder: Path) -> None:
        self.browser, self.folder, self.count = browser, folder, 0
        browser.get("about:blank")
        browser.get_log("browser")

    def resize(self, width: int, height: int) -> None:
        """The size of the page itself, without borders."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def prefer(self, **features: str) -> None:
        """What the reader's system says: ``prefers_color_scheme="dark"``."""
        found = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": found})

    def open(self, html: str, address: str = "") -> None:
        """Opens the page as a file; `address` is what comes behind its name, ``#s=3``."""
        self.count += 1
        path = self.folder / f"page{self.count}.html"
        path.write_text(html, encoding="utf-8")
        self.browser.get(f"{path.as_uri()}{address}")

    def open_framed(self, html: str) -> None:
        """Opens the page inside a sandboxed frame of another one, as notebooks do, and goes into the frame."""
        frame = f'<iframe sandbox="allow-scripts" srcdoc="{escape(html)}" width="1200" height="800"></iframe>'
        self.open(f"<!doctype html><title>outside</title>{frame}")
        self.browser.switch_to.frame(0)

    def go(self, address: str) -> None:
        """Changes the part of the address behind ``#``, as a link does."""
        self.run("location.hash = arguments[0]; ", address)
        self.wait()

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns."""
        return self.browser.execute_script(script, *arguments)

    def wait(self) -> None:
        """Until events that are on their way have come, and the next picture is painted."""
        self.browser.execute_async_script(
            "const done = arguments[0]; setTimeout(() => requestAnimationFrame(() => setTimeout(done)))"
        )

    def wait_for(self, script: str, value: Any) -> None:
        """Until a script returns `value`, for ten seconds at most."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.browser, 10, 0.05).until(lambda _: self.run(script) == value)

    def press(self, *keys: str, shift: bool = False) -> None:
        """Presses keys one after the other, wherever the focus is."""
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.keys import Keys

        chain = ActionChains(self.browser)
        for key in keys:
            if shift:
                chain.key_down(Keys.SHIFT)
            chain.send_keys(getattr(Keys, key.upper(), key) if len(key) > 1 else key)
            if shift:
                chain.key_up(Keys.SHIFT)
        chain.perform()
        self.wait()

    def click(self, selector: str) -> None:
        """A click in the middle of an element."""
        from selenium.webdriver.common.by import By

        self.browser.find_element(By.CSS_SELECTOR, selector).click()
        self.wait()

    def text(self, selector: str) -> str:
        """The text of an element."""
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def shown(self, selector: str) -> bool:
        """Whether an element takes room."""
        return bool(self.run("return document.querySelector(arguments[0]).getClientRects().length > 0", selector))

    @property
    def at(self) -> tuple[int, int]:
        """The number of the step that the counter shows, and of all."""
        k, _, n = self.text("#counter").rpartition(" ")[2].partition("/")
        return int(k), int(n)

    def slots(self) -> dict[str, str]:
        """The texts of the picture by their slots."""
        return dict(
            self.run(
                "return [...document.querySelectorAll('.picture:not([hidden]) text[data-slot]')]"
                ".map(e => [e.dataset.slot, e.textContent.slice((e.dataset.before || '').length)])"
            )
        )

    def classes(self, name: str) -> set[str]:
        """The groups of the picture that have a class."""
        return set(
            self.run(
                "return [...document.querySelectorAll('.picture:not([hidden]) g.' + arguments[0])]"
                ".map(e => e.id.replace(/^[^-]*-/, ''))",
                name,
            )
        )

    def geometry(self) -> list[list[float]]:
        """Where every shape and wire is."""
        return list(
            self.run(
                "const parts = '.picture:not([hidden]) :is(.shape, .wire, .lane, .pill, .name)';"
                "return [...document.querySelectorAll(parts)]"
                ".map(e => { const b = e.getBBox(); return [b.x, b.y, b.width, b.height]; })"
            )
        )

    def complaints(self) -> list[str]:
        """What the browser's console says; that a frame may not print or ask is no fault of the page."""
        return [
            entry["message"] for entry in self.browser.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")
        ]
