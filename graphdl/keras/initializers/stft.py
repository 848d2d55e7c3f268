"""Kernels of a short-time Fourier transform: the first layer of networks for sound."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from graphdl.errors import ExtraMissing, GraphError
from graphdl.ir.leaves import constant
from graphdl.ir.node import Node
from graphdl.keras.initializers.initializer import Initializer, Shape
from graphdl.keras.lookup import by_name

_SIDES = {word: word for word in ("real", "imag")}
_SCALINGS = {word: word for word in ("density", "spectrum", "none")}
# Coefficients a_k of windows sum_k (-1)^k a_k cos(2 pi k n / N) (Harris 1978).
_COSINES = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46), "blackman": (0.42, 0.5, 0.08), "boxcar": (1.0,)}


class STFT(Initializer):
    """Cosines ("real") or sines ("imag") of all frequencies, times a window, for kernels (frame, channels, count).

    window    a name, an array as long as a frame, or None
    scaling   "density": divided by the root of the window's sum of squares; "spectrum": by the sum of its sizes; None
    periodic  whether the window goes on into the next frame
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        self.side: str = by_name("side", side, _SIDES)
        by_name("scaling", scaling or "none", _SCALINGS)
        self.window, self.scaling, self.periodic = window, scaling, periodic

    def __call__(self, shape: Shape, dtype: str | None = None) -> Node:
        """The node to start from."""
        if len(shape) != 3:
            raise GraphError(f"STFT is for kernels (frame, channels, frequencies), found the shape {tuple(shape)}")
        frame, channels, count = shape
        turns = np.outer(np.arange(frame), np.arange(count)) / max(1, 2 * (count - 1))
        kernel = np.cos(-2 * np.pi * turns) if self.side == "real" else np.sin(-2 * np.pi * turns)
        kernel = kernel * self._weights(frame)[:, None]
        return constant(np.repeat(kernel[:, None, :], channels, axis=1), dtype)

    def _weights(self, frame: int) -> Any:
        """The window, scaled."""
        if self.window is None:
            return np.ones(frame)
        window = _named(self.window, frame, self.periodic) if isinstance(self.window, str) else self.window
        window = np.asarray(window, "float64")
        if window.shape != (frame,):
            raise GraphError(f"STFT: the window has shape {window.shape}, expected ({frame},), one for each place")
        if self.scaling == "density":
            return window / np.sqrt(np.square(window).sum())
        return window / np.abs(window).sum() if self.scaling == "spectrum" else window


def _named(name: str, frame: int, periodic: bool) -> Any:
    """The window of that name; those that are no sums of a few cosines are SciPy's."""
    if name in _COSINES:
        angles = 2 * np.pi * np.arange(frame) / max(1, frame if periodic else frame - 1)
        return sum((-1) ** k * a * np.cos(k * angles) for k, a in enumerate(_COSINES[name]))
    try:
        signal = importlib.import_module("scipy.signal")
    except ImportError:
        raise ExtraMissing(f"the window {name!r} needs SciPy; without it there is {', '.join(_COSINES)}") from None
    try:
        return signal.get_window(name, frame, fftbins=periodic)
    except ValueError as error:
        raise GraphError(f"STFT: the window {name!r} is none of SciPy's: {error}") from None
