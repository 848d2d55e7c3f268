"""Optimizers: Keras' formulas written out in NumPy, torch, and use without a model."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl.errors import GraphError, ZeroGradientWarning
from graphdl.keras import optimizers

A = np.random.default_rng(7).normal(size=(6, 3))
B = np.random.default_rng(8).normal(size=6)


def gradient(w):
    return 2 * A.T @ (A @ w - B) / 6


def descend(optimizer, steps=20):
    """The weights after each step on a least-squares problem, in float64."""
    w = gd.Variable(np.zeros(3), name="w")
    loss = gd.mean(gd.square(gd.matmul(gd.constant(A), gd.reshape(w, (3, 1))) - B[:, None]))
    step = optimizer.minimize(loss)
    session = gd.Session()
    found = []
    for _ in range(steps):
        session.run(step)
        found.append(session.run(w))
    return np.array(found)


def written_out(rule, steps=20):
    w, state, found = np.zeros(3), {}, []
    for t in range(1, steps + 1):
        w = rule(w, gradient(w), state, t)
        found.append(w)
    return np.array(found)


def sgd(rate, momentum=0.0, nesterov=False):
    def rule(w, g, state, t):
        m = state["m"] = momentum * state.get("m", 0) - rate * g
        if nesterov:
            return w + momentum * m - rate * g
        return w + m

    return rule


def adam(rate=0.001, b1=0.9, b2=0.999, epsilon=1e-7):
    def rule(w, g, state, t):
        alpha = rate * np.sqrt(1 - b2**t) / (1 - b1**t)
        m = state["m"] = state.get("m", 0) + (g - state.get("m", 0)) * (1 - b1)
        v = state["v"] = state.get("v", 0) + (g * g - state.get("v", 0)) * (1 - b2)
        return w - m * alpha / (np.sqrt(v) + epsilon)

    return rule


@pytest.mark.parametrize(
    ("optimizer", "rule"),
    [
        (lambda: optimizers.SGD(), sgd(0.01)),
        (lambda: optimizers.SGD(0.1), sgd(0.1)),
        (lambda: optimizers.SGD(0.1, momentum=0.9), sgd(0.1, 0.9)),
        (lambda: optimizers.SGD(0.1, momentum=0.9, nesterov=True), sgd(0.1, 0.9, True)),
        (lambda: optimizers.Adam(), adam()),
        (lambda: optimizers.Adam(0.05, beta_1=0.8, beta_2=0.99, epsilon=1e-3), adam(0.05, 0.8, 0.99, 1e-3)),
    ],
)
def test_an_optimizer_is_its_formula(optimizer, rule):
    np.testing.assert_allclose(descend(optimizer()), written_out(rule), rtol=1e-12, atol=1e-15)


def test_momentum_agrees_with_torch_for_a_constant_rate():
    torch = pytest.importorskip("torch")
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.SGD([w], lr=0.1, momentum=0.9)
    expected = []
    for _ in range(20):
        theirs.zero_grad()
        ((torch.tensor(A) @ w - torch.tensor(B)) ** 2).mean().backward()
        theirs.step()
        expected.append(w.detach().numpy().copy())
    np.testing.assert_allclose(descend(optimizers.SGD(0.1, momentum=0.9)), expected, rtol=1e-10)


def test_adam_agrees_with_torch_where_epsilon_is_nothing():
    torch = pytest.importorskip("torch")
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    theirs = torch.optim.Adam([w], lr=0.01, eps=1e-30)
    expected = []
    for _ in range(20):
        theirs.zero_grad()
        ((torch.tensor(A) @ w - torch.tensor(B)) ** 2).mean().backward()
        theirs.step()
        expected.append(w.detach().numpy().copy())
    np.testing.assert_allclose(descend(optimizers.Adam(0.01, epsilon=1e-30)), expected, rtol=1e-9)


def test_slots_and_counters_are_variables_that_are_not_trained():
    w = gd.Variable(np.zeros(3), name="w")
    updates = optimizers.Adam().updates([gd.constant(np.ones(3))], [w])
    labels = [variable.label for variable, _ in updates.pairs]
    assert labels == ["adam/iterations", "adam/w/momentum", "adam/w/velocity", "w"]
    assert not any(variable.op.trainable for variable, _ in updates.pairs if variable is not w)


def test_minimize_trains_every_trained_variable_or_those_asked_for():
    a, b = gd.Variable(1.0, name="a"), gd.Variable(1.0, name="b")
    fixed = gd.Variable(1.0, trainable=False, name="fixed")
    loss = gd.square(a) + gd.square(b) + fixed
    session = gd.Session()
    session.run(optimizers.SGD(0.25).minimize(loss, [a]))
    assert session.run([a, b, fixed]) == [0.5, 1.0, 1.0]
    session.run(optimizers.SGD(0.25).minimize(loss))
    assert session.run([a, b, fixed]) == [0.25, 0.5, 1.0]


def test_minimize_of_a_constant_loss_is_refused():
    with pytest.raises(GraphError, match="depends on no variable that is trained"):
        optimizers.SGD().minimize(gd.constant(1.0))


def test_minimize_of_an_accuracy_says_why_nothing_happens():
    w = gd.Variable(np.zeros(3), name="w")
    with pytest.warns(ZeroGradientWarning, match="zero everywhere"):
        optimizers.SGD().minimize(gd.mean(gd.cast(gd.greater(w, 0.0), "float64")))


def test_old_spellings_are_understood():
    assert optimizers.SGD(lr=0.5).learning_rate == 0.5
    assert optimizers.Adam(lr=0.5).lr == 0.5
    assert optimizers.SGD(lr=0.5, decay=0).learning_rate == 0.5
    assert isinstance(optimizers.get("Adam"), optimizers.Adam)
    assert isinstance(optimizers.get(optimizers.SGD), optimizers.SGD)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optimizers.SGD(lr=0.01, decay=1e-6), GraphError, "SGD: decay is not an argument any more (Keras 3)"),
        (lambda: optimizers.SGD(learning_rate=-1.0), GraphError, "learning_rate is -1.0, expected a number from 0"),
        (lambda: optimizers.SGD(learning_rate="fast"), GraphError, "learning_rate is 'fast', expected a number from 0"),
        (lambda: optimizers.SGD(momentum=2), GraphError, "SGD: momentum is 2, expected 0 to 1"),
        (lambda: optimizers.Adam(beta_1=1.0), GraphError, "Adam: beta_1 is 1.0, expected at least 0 and below 1"),
        (lambda: optimizers.Adam(beta1=0.9), TypeError, "Adam takes no 'beta1'. Did you mean 'beta_1'?"),
        (lambda: optimizers.get("adm"), GraphError, "there is no optimizer 'adm'. Did you mean 'adam'?"),
        (lambda: optimizers.get(3), GraphError, "an optimizer is 3, expected a name such as 'adam'"),
    ],
)
def test_a_wrong_optimizer_is_refused(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert message in str(caught.value)
