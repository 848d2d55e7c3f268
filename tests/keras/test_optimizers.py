"""Optimizers: the papers' formulas written out in NumPy, torch, and use without a model."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphdl as gd
from graphdl import keras
from graphdl.errors import GraphError, ZeroGradientWarning
from graphdl.keras import constraints, optimizers
from graphdl.keras.optimizers import schedules
from tests.keras import written_out as numpy_rules

A = np.random.default_rng(7).normal(size=(6, 3))
B = np.random.default_rng(8).normal(size=6)
C = np.random.default_rng(9).normal(size=(2, 3))


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


def by_formula(rule, rate, steps=20):
    """The same by a formula in NumPy; `rate` is a number or a function of the number of steps before."""
    w, state, found = np.zeros(3), {}, []
    for t in range(1, steps + 1):
        now = rate(t - 1) if callable(rate) else rate
        w = rule(w, gradient(w), state, t, now)
        found.append(w)
    return np.array(found)


CASES = [
    ("sgd", {}, 0.01, {}),
    ("sgd", {"learning_rate": 0.1}, 0.1, {}),
    ("sgd", {"learning_rate": 0.1, "momentum": 0.9}, 0.1, {"momentum": 0.9}),
    ("sgd", {"momentum": 0.9, "nesterov": True}, 0.01, {"momentum": 0.9, "nesterov": True}),
    ("rmsprop", {}, 0.001, {}),
    ("rmsprop", {"learning_rate": 0.05, "rho": 0.8, "epsilon": 1e-3}, 0.05, {"rho": 0.8, "epsilon": 1e-3}),
    ("rmsprop", {"learning_rate": 0.01, "momentum": 0.7}, 0.01, {"momentum": 0.7}),
    ("rmsprop", {"learning_rate": 0.01, "centered": True}, 0.01, {"centered": True}),
    ("rmsprop", {"momentum": 0.5, "centered": True}, 0.001, {"momentum": 0.5, "centered": True}),
    ("adam", {}, 0.001, {}),
    ("adam", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.99}, 0.05, {"beta_1": 0.8, "beta_2": 0.99}),
    ("adam", {"epsilon": 0.1}, 0.001, {"epsilon": 0.1}),
    ("adam", {"learning_rate": 0.3, "beta_2": 0.5, "amsgrad": True}, 0.3, {"beta_2": 0.5, "amsgrad": True}),
    ("adam", {"beta_1": 0.0}, 0.001, {"beta_1": 0.0}),
    ("adamax", {}, 0.001, {}),
    ("adamax", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.7}, 0.1, {"beta_1": 0.5, "beta_2": 0.7}),
    ("nadam", {}, 0.001, {}),
    ("nadam", {"learning_rate": 0.1, "beta_1": 0.7, "beta_2": 0.9}, 0.1, {"beta_1": 0.7, "beta_2": 0.9}),
    ("adagrad", {}, 0.001, {}),
    ("adagrad", {"learning_rate": 0.5, "initial_accumulator_value": 0.0}, 0.5, {"initial_accumulator_value": 0.0}),
    ("adagrad", {"learning_rate": 0.5, "epsilon": 0.1}, 0.5, {"epsilon": 0.1}),
    ("adadelta", {}, 0.001, {}),
    ("adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-4}, 1.0, {"rho": 0.8, "epsilon": 1e-4}),
    ("ftrl", {}, 0.001, {}),
    ("ftrl", {"learning_rate": 0.5, "l1_regularization_strength": 0.2}, 0.5, {"l1": 0.2}),
    ("ftrl", {"learning_rate": 0.5, "l2_regularization_strength": 0.3, "beta": 0.2}, 0.5, {"l2": 0.3, "beta": 0.2}),
    ("ftrl", {"l2_shrinkage_regularization_strength": 0.1}, 0.001, {"shrinkage": 0.1}),
    ("ftrl", {"learning_rate": 0.1, "learning_rate_power": -0.3}, 0.1, {"power": -0.3}),
    ("lion", {}, 0.001, {}),
    ("lion", {"learning_rate": 0.02, "beta_1": 0.7, "beta_2": 0.8}, 0.02, {"beta_1": 0.7, "beta_2": 0.8}),
    ("lamb", {}, 0.001, {}),
    ("lamb", {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.8}, 0.1, {"beta_1": 0.5, "beta_2": 0.8}),
    ("adafactor", {}, 0.001, {}),
    ("adafactor", {"learning_rate": 0.5, "clip_threshold": 0.3}, 0.5, {"clip_threshold": 0.3}),
    ("adafactor", {"beta_2_decay": -0.5, "epsilon_2": 0.1}, 0.001, {"beta_2_decay": -0.5, "epsilon_2": 0.1}),
]


@pytest.mark.parametrize(("name", "arguments", "rate", "constants"), CASES)
def test_an_optimizer_is_its_formula(name, arguments, rate, constants):
    made = type(optimizers.get(name))(**arguments)
    expected = by_formula(getattr(numpy_rules, name)(**constants), rate)
    np.testing.assert_allclose(descend(made), expected, rtol=1e-10, atol=1e-11)


@given(
    name=st.sampled_from(["sgd", "rmsprop", "adam", "adamax", "nadam", "adagrad", "adadelta", "ftrl", "lion"]),
    gradients=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=8),
    start=st.floats(-10, 10),
    rate=st.floats(1e-4, 2),
)
@settings(max_examples=40, deadline=None)
def test_an_optimizer_is_its_formula_on_any_gradients(name, gradients, start, rate):
    w, g = gd.Variable(np.array([start]), name="w"), gd.placeholder((1,), "float64", name="g")
    step = type(optimizers.get(name))(rate).updates([g], [w])
    session, rule, state = gd.Session(), getattr(numpy_rules, name)(), {}
    expected = np.array([start])
    for t, value in enumerate(gradients, 1):
        session.run(step, {g: [value]})
        expected = rule(expected, np.array([value]), state, t, rate)
    np.testing.assert_allclose(session.run(w), expected, rtol=1e-8, atol=1e-8 * (1 + np.abs(expected).max()))


def every(change, name="sgd", rate=0.1):
    """The formula `name`, with what `change` does to the weights and the gradient before it."""
    rule = getattr(numpy_rules, name)()

    def changed(w, g, state, t, now):
        return rule(*change(w, g, now), state, t, now)

    return changed, rate


@pytest.mark.parametrize("name", ["sgd", "adam", "rmsprop", "ftrl"])
@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ({"weight_decay": 0.3}, lambda w, g, rate: (w * (1 - 0.3 * rate), g)),
        ({"clipvalue": 0.2}, lambda w, g, rate: (w, np.clip(g, -0.2, 0.2))),
        ({"clipnorm": 0.2}, lambda w, g, rate: (w, g * min(1, 0.2 / np.linalg.norm(g)))),
        ({"global_clipnorm": 0.2}, lambda w, g, rate: (w, g * min(1, 0.2 / np.linalg.norm(g)))),
        ({"clipnorm": 100.0}, lambda w, g, rate: (w, g)),
    ],
)
def test_gradients_are_clipped_and_weights_decay_before_the_formula(name, argument, change):
    made = type(optimizers.get(name))(0.1, **argument)
    np.testing.assert_allclose(descend(made), by_formula(*every(change, name)), rtol=1e-10, atol=1e-11)


def step_of_two(**arguments):
    """What one step of SGD(1) does to two variables with gradients of norm 3 and 4."""
    a, b = gd.Variable(np.zeros(1), name="kernel"), gd.Variable(np.zeros((2, 1)), name="bias")
    gradients = [gd.constant(np.array([3.0])), gd.constant(np.array([[0.0], [4.0]]))]
    session = gd.Session()
    session.run(optimizers.SGD(1.0, **arguments).updates(gradients, [a, b]))
    return [value.ravel().tolist() for value in session.run([a, b])]


def test_clipnorm_is_for_each_variable_and_global_clipnorm_for_all_together():
    assert step_of_two(clipnorm=2.0) == [[-2.0], [-0.0, -2.0]]
    assert step_of_two(global_clipnorm=2.5) == [[-1.5], [-0.0, -2.0]]
    assert step_of_two(global_clipnorm=5.0) == [[-3.0], [-0.0, -4.0]]


def test_a_gradient_of_zeros_is_clipped_to_zeros():
    for argument in ("clipnorm", "global_clipnorm"):
        w = gd.Variable(np.ones(2), name="w")
        session = gd.Session()
        session.run(optimizers.SGD(**{argument: 1.0}).updates([gd.constant(np.zeros(2))], [w]))
        assert session.run(w).tolist() == [1.0, 1.0]


def test_adamw_spares_what_is_excluded_from_weight_decay():
    a, b, c = (gd.Variable(np.ones(1), name=name) for name in ("kernel", "bias", "gamma"))
    made = optimizers.AdamW(0.1, weight_decay=0.5)
    made.exclude_from_weight_decay([c], ["bi.s"])
    session = gd.Session()
    session.run(made.updates([gd.constant(np.zeros(1))] * 3, [a, b, c]))
    assert [float(value[0]) for value in session.run([a, b, c])] == [0.95, 1.0, 1.0]
    with pytest.raises(GraphError, match="exclude_from_weight_decay comes before the graph is built"):
        made.exclude_from_weight_decay([a])


def test_averages_of_the_weights_are_kept_and_take_their_places_when_asked():
    w = gd.Variable(np.zeros(1), name="w")
    made = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    step, session = made.updates([gd.constant(np.array([-1.0]))], [w]), gd.Session()
    average, found = 0.0, []
    for t in range(1, 5):
        session.run(step)
        average = t if t == 1 else 0.5 * average + 0.5 * t
        found.append(float(session.run(w)[0]))
    assert found == [1.0, 2.0, 3.0, 4.0]
    made.finalize_variable_values(session)
    assert float(session.run(w)[0]) == average


def test_averages_overwrite_the_weights_every_few_steps():
    w = gd.Variable(np.zeros(1), name="w")
    made = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)
    step, session = made.updates([gd.constant(np.array([-1.0]))], [w]), gd.Session()
    found = []
    for _ in range(4):
        session.run(step)
        found.append(float(session.run(w)[0]))
    # 1; 2 becomes the mean of 1 and 2; 2.5; 3.5 becomes the mean of (1.5 + 2.5) / 2 = 2 and 3.5.
    assert found == [1.0, 1.5, 2.5, 2.75]


@pytest.mark.parametrize("name", ["sgd", "adam", "nadam"])
def test_several_batches_make_one_step_of_their_mean_gradient(name):
    gradients = np.random.default_rng(1).normal(size=(12, 3))
    w, g = gd.Variable(np.zeros(3), name="w"), gd.placeholder((3,), "float64", name="g")
    made = type(optimizers.get(name))(0.1, gradient_accumulation_steps=3)
    step, session = made.updates([g], [w]), gd.Session()
    rule, state, expected = getattr(numpy_rules, name)(), {}, np.zeros(3)
    for i, value in enumerate(gradients):
        session.run(step, {g: value})
        if i % 3 == 2:
            expected = rule(expected, gradients[i - 2 : i + 1].mean(0), state, i // 3 + 1, 0.1)
        np.testing.assert_allclose(session.run(w), expected, rtol=1e-12)


def test_constraints_apply_to_the_new_value():
    w = gd.Variable(C, name="w")
    limited = {w: constraints.MaxNorm(1.0)}
    session = gd.Session()
    session.run(optimizers.SGD(0.1).updates([gd.constant(np.ones((2, 3)))], [w], limited))
    new = C - 0.1
    norms = np.sqrt((new**2).sum(0, keepdims=True))
    np.testing.assert_allclose(session.run(w), new * np.minimum(norms, 1) / (norms + 1e-7), rtol=1e-12)


def test_decay_divides_the_rate_as_it_did_in_older_keras():
    made = optimizers.SGD(lr=0.1, decay=0.05, momentum=0.9, nesterov=True)
    expected = by_formula(numpy_rules.sgd(0.9, True), lambda before: 0.1 / (1 + 0.05 * before))
    np.testing.assert_allclose(descend(made), expected, rtol=1e-11)
    assert made.learning_rate == 0.1


def test_a_schedule_is_the_rate_of_each_step():
    made = optimizers.Adam(schedules.ExponentialDecay(0.1, 5, 0.5))
    expected = by_formula(numpy_rules.adam(), lambda before: 0.1 * 0.5 ** (before / 5))
    np.testing.assert_allclose(descend(made), expected, rtol=1e-11)


def test_momentum_agrees_with_torch_for_a_constant_rate():
    torch = pytest.importorskip("torch")
    w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    np.testing.assert_allclose(
        descend(optimizers.SGD(0.1, momentum=0.9)),
        descent_of_torch(torch, w, torch.optim.SGD([w], lr=0.1, momentum=0.9)),
        rtol=1e-10,
    )


def test_adam_and_its_kin_agree_with_torch_where_epsilon_is_nothing():
    torch = pytest.importorskip("torch")
    pairs = [
        (optimizers.Adam(0.01, epsilon=1e-30), torch.optim.Adam, {"eps": 1e-30}),
        (optimizers.Adamax(0.01, epsilon=1e-30), torch.optim.Adamax, {"eps": 1e-30}),
        (optimizers.AdamW(0.01, 0.3, epsilon=1e-30), torch.optim.AdamW, {"eps": 1e-30, "weight_decay": 0.3}),
        (optimizers.RMSprop(0.01, rho=0.8, epsilon=1e-30), torch.optim.RMSprop, {"eps": 1e-30, "alpha": 0.8}),
        (
            optimizers.Adagrad(0.01, epsilon=1e-30),
            torch.optim.Adagrad,
            {"eps": 1e-30, "initial_accumulator_value": 0.1},
        ),
        (optimizers.Adadelta(0.5, rho=0.9, epsilon=1e-6), torch.optim.Adadelta, {"eps": 1e-6, "rho": 0.9}),
    ]
    for ours, theirs, arguments in pairs:
        w = torch.zeros(3, dtype=torch.float64, requires_grad=True)
        expected = descent_of_torch(torch, w, theirs([w], lr=ours.learning_rate, **arguments))
        np.testing.assert_allclose(descend(ours), expected, rtol=1e-9, err_msg=str(ours))


def descent_of_torch(torch, w, theirs):
    found = []
    for _ in range(20):
        theirs.zero_grad()
        ((torch.tensor(A) @ w - torch.tensor(B)) ** 2).mean().backward()
        theirs.step()
        found.append(w.detach().numpy().copy())
    return found


def test_slots_and_counters_are_variables_that_are_not_trained():
    w = gd.Variable(np.zeros(3), name="w")
    updates = optimizers.Adam().updates([gd.constant(np.ones(3))], [w])
    labels = [variable.label for variable, _ in updates.pairs]
    assert labels == ["adam/iterations", "adam/w/momentum", "adam/w/velocity", "w"]
    assert not any(variable.op.trainable for variable, _ in updates.pairs if variable is not w)


def test_a_second_graph_goes_on_with_what_the_first_one_remembers():
    w, made = gd.Variable(np.zeros(1), name="w"), optimizers.SGD(1.0, momentum=0.5)
    one, other = (made.updates([gd.constant(np.array([slope]))], [w]) for slope in (-1.0, -2.0))
    session = gd.Session()
    session.run(one)
    session.run(other)
    assert session.run(w).tolist() == [1.0 + 2.5]
    assert list(session.state.names.values()).count("SGD/w/momentum") == 1
    assert [v for v, _ in one.pairs] == [v for v, _ in other.pairs]


def test_variables_of_two_precisions_are_trained_by_one_rate():
    a, b = gd.Variable(np.ones(2), name="a"), gd.Variable(np.ones(2, "float32"), name="b")
    for made in (optimizers.Adam(0.5), optimizers.Nadam(0.5), optimizers.SGD(0.5, global_clipnorm=1.0)):
        session = gd.Session()
        session.run(made.minimize(gd.sum(gd.square(a)) + gd.cast(gd.sum(gd.square(b)), "float64")))
        one, other = session.run([a, b])
        assert (one.dtype, other.dtype) == (np.float64, np.float32)
        np.testing.assert_allclose(one, other, rtol=1e-6)
        assert (one < 1).all()


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


def line(optimizer):
    """A model that has taken one step along a line of slope 1 (SGD(r) changes its weight by r)."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(optimizer, lambda t, y: gd.mean(y))
    return model


def test_a_rate_set_before_the_next_graph_holds_there():
    w, made, session = gd.Variable(np.zeros(1), name="w"), optimizers.SGD(1.0), gd.Session()
    for rate in (1.0, 0.5):
        made.learning_rate = rate
        session.run(made.updates([gd.constant(np.array([-1.0]))], [w]))
    assert session.run(w).tolist() == [1.5]


def test_the_rate_may_be_set_at_any_time():
    model = line(optimizers.SGD(1.0))
    found = []
    for rate in (1.0, 0.5, np.float32(0.25)):
        model.optimizer.learning_rate = rate
        model.train_on_batch(np.ones((4, 1)), np.ones((4, 1)))
        found.append(float(model.get_weights()[0][0, 0]))
    assert found == [-1.0, -1.5, -1.75]


def test_a_rate_set_between_two_batches_holds_from_the_next_on():
    class Halving(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.optimizer.learning_rate = self.model.optimizer.learning_rate / 2

    model = line(optimizers.SGD(1.0))
    model.fit(np.ones((12, 1)), np.ones((12, 1)), batch_size=4, verbose=0, callbacks=[Halving()])
    assert float(model.get_weights()[0][0, 0]) == -1.75
    assert model.optimizer.learning_rate == 0.125


def test_a_schedule_says_the_rate_of_the_next_step_and_cannot_be_set():
    model = line(optimizers.SGD(schedules.PiecewiseConstantDecay([1], [1.0, 0.5])))
    assert model.optimizer.learning_rate == 1.0
    model.fit(np.ones((12, 1)), np.ones((12, 1)), batch_size=4, verbose=0)
    assert float(model.get_weights()[0][0, 0]) == -2.5
    assert (model.optimizer.iterations, model.optimizer.learning_rate) == (3, 0.5)
    with pytest.raises(GraphError, match="SGD: the learning rate follows PiecewiseConstantDecay"):
        model.optimizer.learning_rate = 0.1
    made = optimizers.SGD()
    made.minimize(gd.square(gd.Variable(1.0)))
    with pytest.raises(GraphError, match="the graph has a learning rate already; compile again for a schedule"):
        made.learning_rate = schedules.StepDecay(0.1, 0.5, 10)


def test_the_course_note_s_optimizer_trains():
    model = keras.Sequential([keras.layers.Dense(1, input_dim=1)])
    model.compile(optimizers.SGD(lr=0.01, decay=1e-6, momentum=0.9, nesterov=True), "mse")
    x = np.array([-1, 0, 1, 2, 3, 4], "float32")
    model.fit(x, x + 6, epochs=300, verbose=0)
    np.testing.assert_allclose(model.predict(np.array([10.0]), verbose=0), [[16]], atol=1e-2)


def test_old_spellings_are_understood():
    assert optimizers.SGD(lr=0.5).learning_rate == 0.5
    assert optimizers.Adam(lr=0.5).lr == 0.5
    assert optimizers.SGD(lr=0.5, decay=0).learning_rate == 0.5
    assert optimizers.Adam(beta1=0.5, beta2=0.6, eps=0.1).get_config()["beta_1"] == 0.5
    assert isinstance(optimizers.get("Adam"), optimizers.Adam)
    assert isinstance(optimizers.get("RMSProp"), optimizers.RMSprop)
    assert isinstance(optimizers.get(optimizers.SGD), optimizers.SGD)


@pytest.mark.parametrize("name", optimizers.KNOWN)
def test_a_description_makes_the_same_optimizer_again(name):
    made = optimizers.KNOWN[name](0.5, clipnorm=1.0, name="mine")
    text = json.dumps(optimizers.serialize(made))
    again = optimizers.get(json.loads(text))
    assert repr(again) == repr(made) == f"{name}(learning_rate=0.5, name='mine', clipnorm=1.0)"
    assert again.get_config() == made.get_config()
    assert type(made).from_config(made.get_config()).get_config() == made.get_config()


def test_a_description_holds_the_schedule_too():
    rate = schedules.LinearWarmup(0.1, 10, after=schedules.CosineDecay(0.1, 100))
    again = optimizers.get(json.loads(json.dumps(optimizers.serialize(optimizers.Adam(rate)))))
    said = "Adam(learning_rate=LinearWarmup(target=0.1, warmup_steps=10, "
    said += "after=CosineDecay(initial_learning_rate=0.1, decay_steps=100)))"
    assert repr(optimizers.Adam(rate)) == said
    assert repr(again.schedule.after) == repr(rate.after)


def test_an_optimizer_of_one_s_own_is_a_formula():
    class Signs(optimizers.Optimizer):
        """Steps of one length along the signs of the gradient."""

        def rule(self, g, w, at):
            return [(w, w - at.rate * gd.sign(g))]

    w = gd.Variable(np.array([1.0, -1.0]), name="w")
    session = gd.Session()
    session.run(Signs(learning_rate=0.25).minimize(gd.sum(gd.square(w))))
    assert session.run(w).tolist() == [0.75, -0.75]


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optimizers.SGD(learning_rate=-1.0), GraphError, "learning_rate is -1.0, expected a number from 0"),
        (lambda: optimizers.SGD(learning_rate="fast"), GraphError, "learning_rate is 'fast', expected a number from 0"),
        (lambda: optimizers.SGD(momentum=2), GraphError, "SGD: momentum is 2, expected a number from 0 to 1"),
        (lambda: optimizers.Adam(beta_1=1.0), GraphError, "Adam: beta_1 is 1.0, expected at least 0 and below 1"),
        (lambda: optimizers.Adam(beta_3=0.9), TypeError, "Adam takes no 'beta_3'. Did you mean 'beta_2'?"),
        (lambda: optimizers.Adam(lr=1.0, learning_rate=1.0), TypeError, "Adam found both 'learning_rate' and 'lr'"),
        (lambda: optimizers.SGD(beta1=0.9), TypeError, "SGD takes no 'beta1'"),
        (lambda: optimizers.SGD(decay=-1), GraphError, "SGD: decay is -1, expected a number from 0"),
        (lambda: optimizers.AdamW(weight_decay=None), GraphError, "AdamW: weight_decay is None, expected a number"),
        (lambda: optimizers.Ftrl(learning_rate_power=1), GraphError, "Ftrl: learning_rate_power is 1, expected 0 or"),
        (lambda: optimizers.Ftrl(beta=-1), GraphError, "Ftrl: beta is -1, expected a number from 0"),
        (
            lambda: optimizers.SGD(clipnorm=1.0, clipvalue=1.0),
            GraphError,
            "SGD takes one of clipnorm, clipvalue and global_clipnorm, found clipnorm and clipvalue",
        ),
        (lambda: optimizers.SGD(clipnorm="a"), GraphError, "SGD: clipnorm is 'a', expected a number from 0"),
        (lambda: optimizers.SGD(use_ema=True, ema_momentum=2), GraphError, "ema_momentum is 2, expected a number from"),
        (
            lambda: optimizers.SGD(gradient_accumulation_steps=1),
            GraphError,
            "SGD: gradient_accumulation_steps is 1, expected an integer from 2",
        ),
        (lambda: optimizers.SGD(loss_scale_factor=2.0), GraphError, "loss_scale_factor is for half precision"),
        (lambda: optimizers.get("adm"), GraphError, "there is no optimizer 'adm'. Did you mean 'adam'?"),
        (lambda: optimizers.get(3), GraphError, "an optimizer is 3, expected a name such as 'adam'"),
        (lambda: optimizers.get({"name": "adam"}), GraphError, "the description of this optimizer has 'name'"),
    ],
)
def test_a_wrong_optimizer_is_refused(make, error, message):
    with pytest.raises(error) as caught:
        make()
    assert message in str(caught.value)
