"""Optimizers in NumPy, written out from the papers' formulas as Keras 3 sets their constants: an oracle for the suite.

A formula takes the weights, their gradient, what is remembered, the number of the step from 1 and the rate.
"""

from __future__ import annotations

import numpy as np


def sgd(momentum=0.0, nesterov=False):
    def rule(w, g, state, t, rate):
        state["m"] = momentum * state.get("m", 0.0) - rate * g
        return w + (momentum * state["m"] - rate * g if nesterov else state["m"])

    return rule


def rmsprop(rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    def rule(w, g, state, t, rate):
        state["v"] = rho * state.get("v", 0.0) + (1 - rho) * g**2
        state["mean"] = rho * state.get("mean", 0.0) + (1 - rho) * g
        spread = state["v"] - (state["mean"] ** 2 if centered else 0)
        state["m"] = momentum * state.get("m", 0.0) + rate * g / np.sqrt(spread + epsilon)
        return w - state["m"]

    return rule


def adam(beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    def rule(w, g, state, t, rate):
        state["m"] = beta_1 * state.get("m", 0.0) + (1 - beta_1) * g
        state["v"] = beta_2 * state.get("v", 0.0) + (1 - beta_2) * g**2
        state["largest"] = np.maximum(state.get("largest", 0.0), state["v"])
        alpha = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        return w - alpha * state["m"] / (np.sqrt(state["largest" if amsgrad else "v"]) + epsilon)

    return rule


def adamax(beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    def rule(w, g, state, t, rate):
        state["m"] = beta_1 * state.get("m", 0.0) + (1 - beta_1) * g
        state["u"] = np.maximum(beta_2 * state.get("u", 0.0), np.abs(g))
        return w - rate / (1 - beta_1**t) * state["m"] / (state["u"] + epsilon)

    return rule


def nadam(beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    def momentum(t):
        return beta_1 * (1 - 0.5 * 0.96**t)

    def rule(w, g, state, t, rate):
        state["m"] = beta_1 * state.get("m", 0.0) + (1 - beta_1) * g
        state["v"] = beta_2 * state.get("v", 0.0) + (1 - beta_2) * g**2
        product = np.prod([momentum(s) for s in range(1, t + 1)])
        ahead = momentum(t + 1) * state["m"] / (1 - product * momentum(t + 1))
        ahead = ahead + (1 - momentum(t)) * g / (1 - product)
        return w - rate * ahead / (np.sqrt(state["v"] / (1 - beta_2**t)) + epsilon)

    return rule


def adagrad(initial_accumulator_value=0.1, epsilon=1e-7):
    def rule(w, g, state, t, rate):
        state["a"] = state.get("a", initial_accumulator_value) + g**2
        return w - rate * g / np.sqrt(state["a"] + epsilon)

    return rule


def adadelta(rho=0.95, epsilon=1e-7):
    def rule(w, g, state, t, rate):
        state["a"] = rho * state.get("a", 0.0) + (1 - rho) * g**2
        step = -np.sqrt(state.get("b", 0.0) + epsilon) / np.sqrt(state["a"] + epsilon) * g
        state["b"] = rho * state.get("b", 0.0) + (1 - rho) * step**2
        return w + rate * step

    return rule


def ftrl(power=-0.5, start=0.1, l1=0.0, l2=0.0, shrinkage=0.0, beta=0.0):
    def rule(w, g, state, t, rate):
        n = state.get("n", start)
        total = n + g**2
        sigma = (total**-power - n**-power) / rate
        z = state["z"] = state.get("z", 0.0) + g + 2 * shrinkage * w - sigma * w
        state["n"] = total
        curvature = total**-power / rate + 2 * l2 + beta / rate
        return np.where(np.abs(z) <= l1, 0.0, -(z - np.sign(z) * l1) / curvature)

    return rule


def lion(beta_1=0.9, beta_2=0.99):
    def rule(w, g, state, t, rate):
        m = state.get("m", 0.0)
        state["m"] = beta_2 * m + (1 - beta_2) * g
        return w - rate * np.sign(beta_1 * m + (1 - beta_1) * g)

    return rule


def lamb(beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    def rule(w, g, state, t, rate):
        state["m"] = beta_1 * state.get("m", 0.0) + (1 - beta_1) * g
        state["v"] = beta_2 * state.get("v", 0.0) + (1 - beta_2) * g**2
        step = state["m"] / (1 - beta_1**t) / (np.sqrt(state["v"] / (1 - beta_2**t)) + epsilon)
        norms = np.linalg.norm(w), np.linalg.norm(step)
        return w - rate * (norms[0] / norms[1] if min(norms) > 0 else 1.0) * step

    return rule


def adafactor(beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=1e-3, clip_threshold=1.0):
    def rms(x):
        return np.sqrt(np.mean(x**2))

    def rule(w, g, state, t, rate):
        kept, squares = 1 - t**beta_2_decay, g**2 + epsilon_1
        state["v"] = kept * state.get("v", 0.0) + (1 - kept) * squares
        v = state["v"]
        if w.ndim == 2:
            # Of a matrix only what its rows and columns say counts: rank 1, with the same sums.
            rows, columns = v.mean(axis=1, keepdims=True), v.mean(axis=0, keepdims=True)
            v = rows @ columns / v.mean()
        step = g / np.sqrt(v)
        step = step / max(1.0, rms(step) / clip_threshold)
        return w - min(rate, 1 / np.sqrt(t)) * max(epsilon_2, rms(w)) * step

    return rule
