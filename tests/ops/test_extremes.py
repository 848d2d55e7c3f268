"""Values and derivatives where formulas overflow, cancel or meet a bound, against mpmath with 60 digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import graphdl as gd
from graphdl.ir.registry import lookup

mp = mpmath.mp.clone()
mp.dps = 60


def _where(condition, yes, no):
    return yes() if condition else no()


ALPHA, SCALE = mp.mpf("1.6732632423543772"), mp.mpf("1.0507009873554805")
# Each function by its definition, and its derivative.
TRUTH = {
    "exp": (mp.exp, mp.exp),
    "expm1": (mp.expm1, mp.exp),
    "log1p": (mp.log1p, lambda a: 1 / (1 + a)),
    "log": (mp.log, lambda a: 1 / a),
    "sqrt": (mp.sqrt, lambda a: 1 / (2 * mp.sqrt(a))),
    "square": (lambda a: a * a, lambda a: 2 * a),
    "reciprocal": (lambda a: 1 / a, lambda a: -1 / (a * a)),
    "sin": (mp.sin, mp.cos),
    "cos": (mp.cos, lambda a: -mp.sin(a)),
    "tanh": (mp.tanh, lambda a: mp.sech(a) ** 2),
    "sigmoid": (lambda a: 1 / (1 + mp.exp(-a)), lambda a: mp.exp(-a) / (1 + mp.exp(-a)) ** 2),
    "softplus": (lambda a: mp.log(1 + mp.exp(a)), lambda a: 1 / (1 + mp.exp(-a))),
    "silu": (
        lambda a: a / (1 + mp.exp(-a)),
        lambda a: 1 / (1 + mp.exp(-a)) + a * mp.exp(-a) / (1 + mp.exp(-a)) ** 2,
    ),
    "erf": (mp.erf, lambda a: 2 / mp.sqrt(mp.pi) * mp.exp(-a * a)),
    "gelu": (
        lambda a: a * (1 + mp.erf(a / mp.sqrt(2))) / 2,
        lambda a: (1 + mp.erf(a / mp.sqrt(2))) / 2 + a * mp.exp(-a * a / 2) / mp.sqrt(2 * mp.pi),
    ),
    "relu": (lambda a: max(a, 0), lambda a: mp.mpf(a > 0)),
    "selu": (
        lambda a: SCALE * _where(a > 0, lambda: a, lambda: ALPHA * mp.expm1(a)),
        lambda a: SCALE * _where(a > 0, lambda: mp.mpf(1), lambda: ALPHA * mp.exp(a)),
    ),
    "abs": (abs, mp.sign),
}
POSITIVE = {"log", "sqrt", "reciprocal"}
ABOVE_MINUS_ONE = {"log1p"}
POINTS = [1e-30, 1e-9, 1e-3, 0.4, 1.0, 5.99, 6.01, 17.0, 40.0, 88.0, 100.0, 700.0, 800.0, 1e4]
# Absolute error allowed, in units of the machine epsilon: functions that end near 0 there are compared to 1.
ULPS = 32


@pytest.mark.parametrize("floats", ["float32", "float64"])
@pytest.mark.parametrize("name", TRUTH)
def test_value_and_derivative_are_right_at_extremes(name, floats):
    value, slope = TRUTH[name]
    points = np.array([p for p in [*(-np.array(POINTS)), *POINTS] if _is_defined(name, p)], floats)
    x = gd.placeholder(points.shape, floats)
    node = lookup(name)(x)
    found = gd.Session().run([node, gd.gradients(node, x, seed=np.ones(points.shape, floats))], {x: points})
    for function, ours in zip((value, slope), found, strict=True):
        for point, result in zip(points, ours, strict=True):
            _assert_right(function(mp.mpf(float(point))), result, f"{name} at {point}", floats)


def _assert_right(true, found, what: str, floats: str) -> None:
    if abs(true) > float(np.finfo(floats).max):
        assert np.isinf(found), f"{what}: {found}, expected an infinity"
        return
    assert np.isfinite(found), f"{what}: {found}, expected {mp.nstr(true, 8)}"
    error = abs(mp.mpf(float(found)) - true) / max(1, abs(true))
    assert error <= ULPS * np.finfo(floats).eps, f"{what}: {found}, expected {mp.nstr(true, 12)}"


def _is_defined(name: str, point: float) -> bool:
    return point > 0 if name in POSITIVE else point > -1 if name in ABOVE_MINUS_ONE else True


@pytest.mark.parametrize("name", ["expm1", "log1p", "tanh", "erf", "sin", "gelu", "silu", "selu"])
def test_relative_error_is_small_near_zero(name):
    """Where a function goes to 0 it keeps all its digits."""
    points = np.array([1e-300, 1e-30, 1e-12, 1e-6, 1e-3, -1e-30, -1e-12, -1e-6])
    found = gd.Session().run(lookup(name)(gd.constant(points)))
    for point, result in zip(points, found, strict=True):
        true = TRUTH[name][0](mp.mpf(float(point)))
        assert abs(mp.mpf(float(result)) - true) <= 16 * np.finfo(float).eps * abs(true)


@pytest.mark.parametrize("point", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "relu", "abs", "exp", "erf", "silu", "selu"])
def test_infinities_and_nan_go_through_as_limits(name, point):
    limits = {
        "tanh": (1, -1),
        "sigmoid": (1, 0),
        "softplus": (np.inf, 0),
        "relu": (np.inf, 0),
        "abs": (np.inf, np.inf),
        "exp": (np.inf, 0),
        "erf": (1, -1),
        # -inf times 0 has no limit in floating point.
        "silu": (np.inf, np.nan),
        "selu": (np.inf, -float(SCALE * ALPHA)),
    }
    above, below = limits[name]
    expected = np.nan if np.isnan(point) else above if point > 0 else below
    found = gd.Session().run(lookup(name)(gd.constant(np.array([point]))))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-15)
