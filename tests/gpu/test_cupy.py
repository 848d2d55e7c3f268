"""The cupy target on a device: the same programs, the numbers of the numpy target within float32 rounding."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd

pytestmark = pytest.mark.gpu


def has_device() -> bool:
    try:
        import cupy

        return bool(cupy.cuda.runtime.getDeviceCount())
    except Exception:  # no CuPy, no driver, no device: each raises something of its own
        return False


needs_device = pytest.mark.skipif(not has_device(), reason="needs CuPy and a CUDA device")


@needs_device
@pytest.mark.parametrize("style", ["fast", "readable"])
def test_training_on_the_device_agrees_with_numpy(style):
    x, labels = gd.placeholder((None, 8), name="x"), gd.placeholder((None,), "int64", name="labels")
    W1, b1 = gd.Variable(gd.random_normal((8, 16)), name="W1"), gd.Variable(np.zeros(16, "f"), name="b1")
    W2, b2 = gd.Variable(gd.random_normal((16, 3)), name="W2"), gd.Variable(np.zeros(3, "f"), name="b2")
    logits = gd.relu(gd.dropout(x, 0.2) @ W1 + b1) @ W2 + b2
    loss = gd.mean(gd.cross_entropy(logits, labels))
    parameters = [W1, b1, W2, b2]
    slopes = gd.gradients(loss, parameters)
    train = gd.group(*[gd.assign(p, p - 0.1 * g) for p, g in zip(parameters, slopes, strict=True)])
    rng = np.random.default_rng(0)
    feeds = {x: rng.standard_normal((32, 8)), labels: rng.integers(0, 3, 32)}
    sessions = [gd.Session(seed=1, target=t, style=style) for t in ("numpy", "cupy")]
    for _ in range(10):
        here, there = (s.run([loss, train], feeds)[0] for s in sessions)
        assert there == pytest.approx(here, rel=1e-4)
    for p in parameters:
        np.testing.assert_allclose(sessions[1].value(p), sessions[0].value(p), rtol=1e-3, atol=1e-5)


def test_without_cupy_the_target_says_which_extra_to_install():
    if has_device():
        assert gd.Session(target="cupy").target.name == "cupy"
        return
    try:
        import cupy  # noqa: F401
    except ImportError:
        with pytest.raises(gd.ExtraMissing, match=r"pip install 'graphdl\[gpu\]'"):
            gd.Session(target="cupy")
