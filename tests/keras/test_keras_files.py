"""Weights from files in the formats of Keras, and what is said about those that do not fit."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import ExtraMissing, FormatError
from graphdl.keras import layers


def test_a_model_of_ones_own_class_takes_weights_by_the_names_of_its_attributes(tmp_path):
    h5py = pytest.importorskip("h5py")

    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.second, self.first = layers.Dense(2, use_bias=False), layers.Dense(2, use_bias=False)

        def call(self, x):
            return self.second(self.first(x))

    model = Own()
    model.build((None, 2))
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        file["first/vars/0"] = np.array([[0.0, 1], [0, 0]])
        file["second/vars/0"] = np.array([[0.0, 0], [5, 0]])
    model.load_weights(tmp_path / "m.weights.h5")
    assert model.predict(np.array([[1.0, 0.0]]), verbose=0).tolist() == [[5.0, 0.0]]


def test_numbers_in_other_files_are_not_read(tmp_path):
    h5py = pytest.importorskip("h5py")
    (tmp_path / "secret").write_bytes(b"\1" * 24)
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        outside = [(str(tmp_path / "secret"), 0, 24)]
        file.create_dataset("layers/dense/vars/0", (3, 2), "float32", external=outside)
    with pytest.raises(FormatError, match="the numbers of '0' lie in another file, which is not opened"):
        small().load_weights(tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        file["layers/dense/vars"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/")
    with pytest.raises(FormatError, match="'vars' lies in another file, which is not opened"):
        small().load_weights(tmp_path / "m.weights.h5")


def test_a_size_that_is_only_claimed_takes_no_memory(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        file.create_dataset("layers/dense/vars/0", (1 << 40,), "float32", chunks=(1 << 20,))
    with pytest.raises(FormatError, match=r"layer 'dense': found arrays of shapes \[\(1099511627776,\)\]"):
        small().load_weights(tmp_path / "m.weights.h5")


def older(path, layers_and_weights, inside=None):
    """A file as Keras 2 wrote it."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        root = file.create_group(inside) if inside else file
        root.attrs["layer_names"] = [name.encode() for name, _ in layers_and_weights]
        for name, weights in layers_and_weights:
            group = root.create_group(name)
            group.attrs["weight_names"] = [f"{name}/w{i}:0".encode() for i in range(len(weights))]
            for i, weight in enumerate(weights):
                group.create_dataset(f"{name}/w{i}:0", data=weight)


def small():
    return keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.ReLU(), layers.Dense(1)])


WEIGHTS = [np.ones((3, 2)), np.zeros(2)], [np.ones((2, 1)), np.zeros(1)]


@pytest.mark.parametrize("inside", [None, "model_weights"])
def test_older_files_are_read_by_the_order_of_their_layers(tmp_path, inside):
    older(tmp_path / "m.h5", [("a", WEIGHTS[0]), ("act", []), ("b", WEIGHTS[1])], inside)
    model = small()
    model.load_weights(tmp_path / "m.h5")
    assert model.predict(np.ones((1, 3)), verbose=0).tolist() == [[6.0]]


def test_a_layer_that_does_not_fit_is_named_and_nothing_changes(tmp_path):
    model = small()
    before = model.digest()
    older(tmp_path / "m.h5", [("a", WEIGHTS[0]), ("b", [np.ones((5, 1)), np.zeros(1)])])
    with pytest.raises(FormatError, match=r"layer 'dense_1': found arrays of shapes \[\(5, 1\), \(1,\)\]"):
        model.load_weights(tmp_path / "m.h5")
    older(tmp_path / "m.h5", [("a", WEIGHTS[0])])
    with pytest.raises(FormatError, match="it has 1 layers with weights, the model has 2"):
        model.load_weights(tmp_path / "m.h5")
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(FormatError, match="it has 'x', expected the layers of a Keras model"):
        model.load_weights(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["layers/dense/vars/0"] = WEIGHTS[0][0]
        file["layers/dense/vars/1"] = WEIGHTS[0][1]
    with pytest.raises(FormatError, match=r"has nothing for layer 'dense_1', which needs arrays of shapes \[\(2, 1\)"):
        model.load_weights(tmp_path / "m.h5")
    assert model.digest() == before


def test_a_torn_file_is_refused(tmp_path):
    pytest.importorskip("h5py")
    older(tmp_path / "m.h5", [("a", WEIGHTS[0]), ("b", WEIGHTS[1])])
    content = (tmp_path / "m.h5").read_bytes()
    (tmp_path / "m.h5").write_bytes(content[:200])
    with pytest.raises(FormatError, match=r"cannot read '.*m\.h5'"):
        small().load_weights(tmp_path / "m.h5")


def test_without_h5py_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    (tmp_path / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(ExtraMissing, match=r"pip install 'graphdl\[h5\]'"):
        small().load_weights(tmp_path / "m.h5")


def test_keras_files_are_not_written(tmp_path):
    with pytest.warns(UserWarning, match="written as an .npz of weights, which Keras does not read"):
        small().save_weights(tmp_path / "m.weights.h5")
