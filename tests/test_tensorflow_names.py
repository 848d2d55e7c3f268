"""TensorFlow 1's names: optimizers with its numbers, and what is said where graphdl has another way."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gd
from graphdl import tf
from graphdl.errors import DrawError, GraphError
from graphdl.keras.utils import plot_model


def descended(optimizer, steps=5):
    """Where `optimizer` goes on w^4 / 4 from 1.5, whose slope is w^3."""
    w = tf.Variable(1.5, tf.float64)
    train = optimizer.minimize(tf.square(tf.square(w)) / 4)
    sess = tf.Session()
    for _ in range(steps):
        sess.run(train)
    return float(sess.value(w))


def test_gradient_descent_is_that_of_tensorflow():
    w = 1.5
    for _ in range(5):
        w -= 0.05 * w**3
    assert descended(tf.train.GradientDescentOptimizer(0.05)) == pytest.approx(w, rel=1e-6)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_is_that_of_tensorflow(nesterov):
    w, m = 1.5, 0.0
    for _ in range(5):
        g = w**3
        m = 0.9 * m + g
        w -= 0.05 * (g + 0.9 * m if nesterov else m)
    ours = descended(tf.train.MomentumOptimizer(0.05, 0.9, use_nesterov=nesterov))
    assert ours == pytest.approx(w, rel=1e-6)


def test_adagrad_starts_from_a_tenth_and_has_no_epsilon():
    w, a = 1.5, 0.1
    for _ in range(5):
        a += w**6
        w -= 0.05 * w**3 / np.sqrt(a)
    assert descended(tf.train.AdagradOptimizer(0.05)) == pytest.approx(w, rel=1e-6)


def test_adam_is_that_of_tensorflow():
    w, m, v = 1.5, 0.0, 0.0
    for t in range(1, 6):
        g = w**3
        m, v = 0.8 * m + 0.2 * g, 0.95 * v + 0.05 * g * g
        w -= 0.05 * np.sqrt(1 - 0.95**t) / (1 - 0.8**t) * m / (np.sqrt(v) + 1e-8)
    ours = descended(tf.train.AdamOptimizer(0.05, beta1=0.8, beta2=0.95))
    assert ours == pytest.approx(w, rel=1e-6)


def test_losses_of_logits():
    logits, labels = np.array([[2.0, -1.0, 0.5]]), np.array([[0.0, 1.0, 0.0]])
    softmax = np.exp(logits) / np.exp(logits).sum()
    sigmoid = 1 / (1 + np.exp(-logits))
    sess = tf.Session()
    by_row = tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    by_class = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=np.array([1]), logits=logits)
    by_element = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    np.testing.assert_allclose(sess.run([by_row, by_class]), [-np.log(softmax[:, 1])] * 2)
    expected = -labels * np.log(sigmoid) - (1 - labels) * np.log(1 - sigmoid)
    np.testing.assert_allclose(sess.run(by_element), expected)
    np.testing.assert_allclose(sess.run(tf.nn.leaky_relu(logits)), [[2.0, -0.2, 0.5]])


def test_the_seed_is_that_of_sessions_made_afterwards():
    w = tf.Variable(tf.random_normal([4]))
    try:
        tf.set_random_seed(777)
        first, again = tf.Session().run(w), tf.Session().run(w)
        np.testing.assert_array_equal(first, again)
        np.testing.assert_array_equal(first, gd.Session(seed=777).run(w))
        assert tf.keras.Sequential([tf.keras.layers.Dense(1, input_dim=2)]).session.seed == 777
    finally:
        tf.set_random_seed(0)
    assert (first != tf.Session().run(w)).all()


def test_a_truncated_normal_is_within_two_deviations():
    drawn = tf.Session().run(tf.truncated_normal([10_000], mean=1.0, stddev=0.5))
    assert 0.95 < np.abs(drawn - 1).max() <= 1.0
    assert drawn.mean() == pytest.approx(1.0, abs=0.02)


def test_a_placeholder_without_a_shape_is_told_how_to_say_it():
    with pytest.raises(GraphError, match=r"its shape is not said.*tf.placeholder\(tf.float32, \[None, 2\]\)"):
        tf.placeholder(tf.float32)


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda: tf.get_variable, "graphdl has nothing for tf.get_variable. Did you mean 'Variable'?"),
        (lambda: tf.reduce_means, "graphdl has nothing for tf.reduce_means. Did you mean 'reduce_mean'?"),
        (lambda: tf.nn.conv3d, "graphdl's tf.nn has no 'conv3d'; it has 'relu'"),
        (lambda: tf.train.FtrlOptimizer, "graphdl's tf.train has no 'FtrlOptimizer'; it has 'Gradient"),
    ],
)
def test_a_name_that_is_not_here_is_answered_with_those_that_are(ask, answer):
    with pytest.raises(AttributeError) as caught:
        ask()
    assert str(caught.value).startswith(answer)


def test_plot_model_names_an_option_it_has_not(tmp_path):
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_dim=2)])
    with pytest.raises(DrawError, match="plot_model has no option 'colour'; it has to_file, view and 'show_shapes'"):
        plot_model(model, tmp_path / "m.svg", colour=True)
