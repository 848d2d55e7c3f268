"""One number of each step worked out: a product of a row and a column, or a sum that grows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphdl.draw.digits import inner, lowered, number, total
from graphdl.draw.window.seen import Array, Seen

# Longer sums are named, not written out.
_MOST_TERMS, _MOST_LINES = 9, 3


@dataclass(frozen=True)
class Lines:
    """Formulas with the numbers of one convolution."""

    seen: Seen

    def of(self, part: str, window: int, before: Array | None) -> tuple[str, ...]:
        """The lines of a step; `before` is the sum so far, of the kernel or of the padded image."""
        if part == "y":
            filters = range(min(self.seen.kernel.shape[3], _MOST_LINES))
            return tuple(self._product(window, f) for f in filters)
        assert before is not None
        return self._kernel_sum(window, before) if part == "K" else self._image_sum(window, before)

    def _product(self, window: int, f: int) -> str:
        """An element of the output: a row of im2col times a column of the kernel."""
        row, column, result = self.seen.rows[window], self.seen.columns[:, f], self.seen.filled[window, f]
        i, j = self.seen.at(window)
        name = f"y[{i}, {j}, {f}]"
        if len(row) <= _MOST_TERMS:
            return f"{name} = {inner(zip(row, column, strict=True), result)}"
        return f"{name} = a{lowered(str(window))} · k{lowered(str(f))} = Σ a k = {number(result)}"

    def _kernel_sum(self, window: int, before: Array) -> tuple[str, ...]:
        """The element of the kernel's gradient that gets most from this window."""
        parts = np.outer(self.seen.rows[window], self.seen.arriving[window])
        k, f = np.unravel_index(np.argmax(np.abs(parts)), parts.shape)
        name = self._element(int(k), int(f))
        seen, gradient = self.seen.rows[window, k], self.seen.arriving[window, f]
        part = inner([(seen, gradient)], parts[k, f])
        return f"∂L/∂K{name}: {part}", f"∂L/∂K{name} = {total([before[k, f], parts[k, f]], before[k, f] + parts[k, f])}"

    def _image_sum(self, window: int, before: Array) -> tuple[str, ...]:
        """The pixel that gets most from this window."""
        sent = self.seen.sent[window]
        inside = [k for k in range(len(sent)) if not self.seen.is_padding(self._pixel(window, k))]
        if not inside:
            return ("∂L/∂x: —",)
        k = max(inside, key=lambda each: abs(sent[each]))
        place, channel = self._pixel(window, k), self.seen.element(k)[2]
        (top, _), (left, _) = self.seen.op.pads
        name = f"∂L/∂x[{place[0] - top}, {place[1] - left}, {channel}]"
        so_far = float(before[(*place, channel)])
        return f"{name}: {self._back(window, k)}", f"{name} = {total([so_far, sent[k]], so_far + sent[k])}"

    def _back(self, window: int, k: int) -> str:
        """What arrives at all filters, times the kernel's element of each."""
        arriving, elements = self.seen.arriving[window], self.seen.columns[k]
        result = self.seen.sent[window, k]
        if len(arriving) <= _MOST_TERMS:
            return inner(zip(arriving, elements, strict=True), result)
        return f"Σ ∂L/∂y K = {number(result)}"

    def _pixel(self, window: int, k: int) -> tuple[int, int]:
        """The pixel of the padded image under an element of the kernel."""
        channels: int = self.seen.image.shape[2]
        return self.seen.taps(window)[k // channels]

    def _element(self, k: int, f: int) -> str:
        i, j, c = self.seen.element(k)
        return f"[{i}, {j}, {c}, {f}]"
