"""How much of a gradient an activation function can let through: why gradients vanish in stacks of sigmoids."""

from __future__ import annotations

from collections.abc import Sequence

from graphdl.draw.training.recording import Layer, Number

# The largest slope: 1/4 for the sigmoid, at 0. SELU: 1.0507 * 1.6733 just below 0.
STEEPEST = {"": 1.0, "relu": 1.0, "leaky_relu": 1.0, "elu": 1.0, "tanh": 1.0, "sigmoid": 0.25, "softplus": 1.0}


def largest_share(layers: Sequence[Layer]) -> list[float] | None:
    """For each layer, the product of the largest slopes between its kernel and the last one's.

    Matrices of norm 1 in between let no more of a gradient through than this. None unless a sigmoid lies between and
    every function is known.

    >>> layer = Layer("h", "sigmoid", 4)
    >>> largest_share([layer, layer, layer])
    [0.0625, 0.25, 1.0]
    """
    between = [layer.activation for layer in layers[:-1]]
    if "sigmoid" not in between or any(name not in STEEPEST for name in between):
        return None
    shares = [1.0]
    for name in reversed(between):
        shares.append(shares[-1] * STEEPEST[name])
    return shares[::-1]


def most(norms: Sequence[Number], layers: Sequence[Layer]) -> list[float] | None:
    """The norms that `largest_share` leaves of the last layer's; None where it says nothing."""
    shares = largest_share(layers)
    if shares is None or not norms[-1]:
        return None
    return [norms[-1] * share for share in shares]
