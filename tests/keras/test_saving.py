"""Models as files: they come back whole, and what is damaged, forged or unknown is refused with a reason."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphdl as gd
from graphdl import keras
from graphdl.errors import FormatError, GraphError
from graphdl.keras import layers
from graphdl.keras.saving import objects
from graphdl.keras.saving.archive import DOCUMENT, TENSORS, read_archive, write_archive
from graphdl.keras.saving.model import FORMAT, VERSION
from graphdl.keras.saving.tensors import packed, unpacked

RNG = np.random.default_rng(1)
X = RNG.standard_normal((30, 4)).astype("float32")
Y = RNG.integers(0, 3, 30)
IDS = RNG.integers(0, 20, (30, 6))
IMAGES = RNG.standard_normal((30, 6, 6, 2)).astype("float32")


def dense():
    return keras.Sequential(
        [
            keras.Input((4,), name="measures"),
            layers.Dense(8, activation=keras.activations.tanh, kernel_initializer=keras.initializers.HeNormal()),
            layers.BatchNormalization(momentum=0.9),
            layers.Dropout(0.3),
            layers.Dense(3, activation="softmax", kernel_regularizer="l2"),
        ],
        name="plain",
    ), X


def recurrent():
    made = keras.Sequential(
        [
            keras.Input((6,), dtype="int64"),
            layers.Embedding(20, 5, mask_zero=True),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True, dropout=0.2)),
            layers.GRU(3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    return made, IDS


def images():
    made = keras.Sequential(
        [
            layers.Conv2D(3, (3, 3), padding="same", activation="relu", input_shape=(6, 6, 2)),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    return made, IMAGES


def branches():
    """Operations between layers, a layer used twice, a model within the model, and a constant."""
    x = keras.Input((4,), name="x")
    inner = keras.Sequential([keras.Input((5,)), layers.Dense(5, activation="relu")], name="inner")
    shared = layers.Dense(5, activation="tanh")
    h = shared(x) * 2.0 - inner(shared(x + 1.0))
    h = layers.Concatenate()([h, layers.Normalization(mean=[0.0] * 4, variance=[2.0] * 4)(x)])
    return keras.Model(x, layers.Dense(3, activation="softmax")(h), name="branched"), X


MAKERS = {"dense": dense, "recurrent": recurrent, "images": images, "branches": branches}


@pytest.fixture(params=MAKERS)
def trained(request):
    keras.utils.set_random_seed(4)
    model, x = MAKERS[request.param]()
    keras.utils.set_random_seed(0)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, Y, epochs=2, batch_size=8, verbose=0)
    return model, x


def test_a_model_comes_back_to_the_bit_and_goes_on_as_if_it_had_never_gone(trained, tmp_path):
    model, x = trained
    model.save(tmp_path / "m.graphdl")
    back = keras.models.load_model(tmp_path / "m.graphdl")
    assert type(back) is type(model)
    assert (back.name, back.variable_names, back.digest()) == (model.name, model.variable_names, model.digest())
    assert [layer.name for layer in back.layers] == [layer.name for layer in model.layers]
    assert (back.input_names, back.output_names) == (model.input_names, model.output_names)
    assert back.predict(x, verbose=0).tobytes() == model.predict(x, verbose=0).tobytes()
    went_on = [m.fit(x, Y, epochs=2, batch_size=8, verbose=0).history for m in (model, back)]
    assert went_on[0] == went_on[1]
    assert back.digest() == model.digest()


def test_the_same_model_is_the_same_file(trained, tmp_path):
    model, _ = trained
    model.save(tmp_path / "a.graphdl")
    keras.models.load_model(tmp_path / "a.graphdl").save(tmp_path / "b.graphdl")
    assert (tmp_path / "a.graphdl").read_bytes() == (tmp_path / "b.graphdl").read_bytes()


def test_several_inputs_outputs_losses_and_weights_come_back(tmp_path):
    first, second = keras.Input((3,), name="first"), keras.Input((2,), name="second")
    both = layers.Dense(4, activation="tanh")(layers.concatenate([first, second]))
    outputs = [layers.Dense(1, name="mass")(both), layers.Dense(1, activation="sigmoid", name="floats")(both)]
    model = keras.Model([first, second], outputs)
    loss = {"mass": "mse", "floats": keras.losses.BinaryCrossentropy(label_smoothing=0.1)}
    model.compile("sgd", loss, loss_weights={"mass": 2.0, "floats": 0.5}, metrics={"floats": ["accuracy"]})
    x = {"first": X[:, :3], "second": X[:, 2:]}
    y = {"mass": X[:, 0], "floats": Y % 2}
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m.graphdl")
    back = keras.models.load_model(tmp_path / "m.graphdl")
    assert back.evaluate(x, y, verbose=0, return_dict=True) == model.evaluate(x, y, verbose=0, return_dict=True)
    assert back.fit(x, y, verbose=0).history == model.fit(x, y, verbose=0).history


def test_a_model_that_was_never_compiled_or_built_can_be_saved(tmp_path):
    raw = keras.Sequential([layers.Dense(2), layers.Dense(1)])
    raw.save(tmp_path / "m.graphdl")
    back = keras.models.load_model(tmp_path / "m.graphdl")
    assert not back.is_built
    assert back.predict(X, verbose=0).shape == (30, 1)
    back.save(tmp_path / "m.graphdl")
    again = keras.models.load_model(tmp_path / "m.graphdl")
    assert not again.is_compiled
    assert again.digest() == back.digest()


def test_the_present_learning_rate_comes_back(tmp_path):
    model, _ = dense()
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True), "sparse_categorical_crossentropy")
    model.optimizer.learning_rate = 0.025
    model.save(tmp_path / "m.graphdl")
    back = keras.models.load_model(tmp_path / "m.graphdl").optimizer
    assert (back.learning_rate, back.momentum, back.nesterov) == (0.025, 0.9, True)


class Twice(layers.Layer):
    def __init__(self, factor=2.0, **arguments):
        super().__init__(**arguments)
        self.factor = factor

    def call(self, x):
        return x * self.factor


def cubic(y_true, y_pred):
    return gd.mean((y_pred - y_true) ** 4)


def test_code_of_ones_own_is_never_in_the_file_and_is_asked_for(tmp_path):
    model = keras.Sequential(
        [keras.Input((4,)), Twice(3.0, name="thrice"), layers.Lambda(lambda x: x + 1, name="more"), layers.Dense(1)]
    )
    model.compile("sgd", cubic)
    model.save(tmp_path / "m.graphdl")
    given = {}
    for name, value in {"Twice": Twice, "more": lambda x: x + 1, "cubic": cubic}.items():
        with pytest.raises(FormatError, match=f"files hold no code; give it back with .*custom_objects={{'{name}'"):
            keras.models.load_model(tmp_path / "m.graphdl", custom_objects=given)
        given[name] = value
    back = keras.models.load_model(tmp_path / "m.graphdl", given)
    assert back.predict(X, verbose=0).tobytes() == model.predict(X, verbose=0).tobytes()
    assert back.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0)
    without = {name: given[name] for name in ("Twice", "more")}
    assert not keras.models.load_model(tmp_path / "m.graphdl", without, compile=False).is_compiled


def test_a_registered_class_needs_no_custom_objects(tmp_path, monkeypatch):
    monkeypatch.setattr(objects, "_registered", {})
    keras.saving.register_keras_serializable()(Twice)
    model = keras.Sequential([keras.Input((4,)), Twice(0.5)])
    model.save(tmp_path / "m.graphdl")
    assert keras.models.load_model(tmp_path / "m.graphdl").layers[0].factor == 0.5


def test_a_model_of_ones_own_class_comes_back(tmp_path):
    class Own(keras.Model):
        def __init__(self, units, **arguments):
            super().__init__(**arguments)
            self.hidden = layers.Dense(units, activation="relu")
            self.mask = layers.Dropout(0.5)
            self.out = layers.Dense(1)

        def call(self, x, training=False):
            return self.out(self.mask(self.hidden(x), training=training))

    model = Own(6)
    model.compile("adam", "mse")
    model.fit(X, X[:, 0], epochs=2, verbose=0)
    model.save(tmp_path / "m.graphdl")
    with pytest.raises(FormatError, match="the class 'Own' is not one of keras"):
        keras.models.load_model(tmp_path / "m.graphdl")
    back = keras.models.load_model(tmp_path / "m.graphdl", {"Own": Own})
    assert back.fit(X, X[:, 0], verbose=0).history == model.fit(X, X[:, 0], verbose=0).history


def test_what_has_no_place_in_a_file_is_refused(tmp_path):
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2)(x) * gd.Variable([1.0, 2.0], name="mine"))
    with pytest.raises(GraphError, match="mine is a variable outside of all layers, so the model cannot be saved"):
        model.save(tmp_path / "m.graphdl")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_promises_another_format_is_warned_of(tmp_path):
    model, _ = dense()
    with pytest.warns(UserWarning, match=r"written in graphdl's own format, which Keras does not read; .*\.graphdl"):
        model.save(tmp_path / "m.h5")
    assert keras.models.load_model(tmp_path / "m.h5").digest() == model.digest()
    with pytest.raises(FormatError, match="is there already, and overwrite is False"):
        model.save(tmp_path / "m.h5", overwrite=False)


def test_weights_of_a_whole_model_can_be_loaded_alone(tmp_path):
    model, _ = dense()
    model.save(tmp_path / "m.graphdl")
    keras.utils.set_random_seed(9)
    other, _ = dense()
    keras.utils.set_random_seed(0)
    other.load_weights(tmp_path / "m.graphdl")
    assert [w.tobytes() for w in other.get_weights()] == [w.tobytes() for w in model.get_weights()]
    with pytest.raises(FormatError, match=r"does not fit sequential.*: the file has 8 arrays of weights"):
        images()[0].load_weights(tmp_path / "m.graphdl")


def small(path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2, activation="relu"), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X[:, :2], Y, verbose=0)
    model.save(path)
    return model


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "m.graphdl"
    return small(path), path, path.read_bytes()


@settings(max_examples=150)
@given(st.data())
def test_a_torn_or_flipped_file_is_refused_or_equal(whole, tmp_path_factory, data):
    model, path, content = whole
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] ^= 1 << data.draw(st.integers(0, 7))
    if data.draw(st.booleans()):
        del damaged[data.draw(st.integers(0, len(damaged))) :]
    path.write_bytes(damaged)
    try:
        back = keras.models.load_model(path)
    except FormatError:
        return
    assert back.digest() == model.digest()


def forged(tmp_path, change=lambda content: None, tensors=None):
    """A file whose hash is right and whose content is not."""
    model = small(tmp_path / "honest.graphdl")
    archive = read_archive(tmp_path / "honest.graphdl", FORMAT, VERSION)
    content = json.loads(json.dumps(archive.content))
    change(content)
    write_archive(tmp_path / "m.graphdl", FORMAT, VERSION, content, archive.tensors if tensors is None else tensors)
    return model


def at(*path):
    """Sets what is at the path to the last of them."""

    def change(content):
        for key in path[:-2]:
            content = content[key]
        content[path[-2]] = path[-1]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (at("model", 3), "expected model, compiled and state"),
        (at("model", "kind", "pickle"), "the model is 'pickle', expected one of sequential"),
        (at("model", "layers", 0, "$class", "os/system"), "layer 0: there is no 'os/system' here"),
        (at("model", "layers", 0, "$class", "layers/Dence"), "Did you mean 'layers/Dense'"),
        (at("model", "layers", 0, "config", "units", 10**15), "'dense/kernel' is float32.* in the file, expected f32"),
        (at("model", "layers", 0, "config", "units", -1), r"layers/Dense: .*units is -1"),
        (at("model", "layers", 0, "config", "unit", 4), "layers/Dense cannot be made of"),
        (at("model", "layers", 0, "config", "activation", {"$function": "os/system"}), "there is no 'os/system' here"),
        (at("model", "layers", 0, "config", "activation", {"$eval": "1"}), "expected one of \\$float"),
        (at("model", "layers", 0, {"$array": {"dtype": "float32", "shape": [9**9], "base64": ""}}), "base64"),
        (at("model", "input", "shape", [3]), "expected f32"),
        (at("model", "input", None), "cannot be|expected|the model has"),
        (at("model", "name", 3), "the name of the model is 3, expected a text"),
        (at("model", "counts", {"dense": -1}), "expected counts from 0"),
        (at("compiled", "optimizer", "$class", "optimizers/Adamm"), "there is no 'optimizers/Adamm' here"),
        (at("compiled", "loss", "none"), "the model cannot be compiled: .*there is no loss 'none'"),
        (at("compiled", {}), "what compile was told is not optimizer"),
        (at("state", "step", -1), "the step is -1, expected an integer from 0"),
        (at("state", "seed", "x"), "the seed is 'x', expected an integer from 0"),
        (at("state", "weights", ["a"]), "the file lacks the arrays 'a'"),
        (at("state", "weights", []), "the file has 0 arrays of weights, the model has 4"),
        (at("state", "optimizer", ["nothing"]), "the file lacks the arrays 'nothing'"),
        (at("state", 7), "its state is no object"),
    ],
)
def test_a_forged_file_is_refused_with_a_reason(tmp_path, change, message):
    forged(tmp_path, change)
    with pytest.raises(FormatError, match=message):
        keras.models.load_model(tmp_path / "m.graphdl")


def rezipped(path, change):
    """The file with its entries changed by `change`, a function from names to contents."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        change(archive, entries)
    path.write_bytes(out.getvalue())


def compressed(archive, entries):
    for name, content in entries.items():
        archive.writestr(name, content, zipfile.ZIP_DEFLATED)


def outside(archive, entries):
    for name, content in entries.items():
        archive.writestr(name, content)
    archive.writestr("../../evil.py", "raise SystemExit")


def twice(archive, entries):
    for name, content in [*entries.items(), (DOCUMENT, b"{}")]:
        archive.writestr(name, content)


def other_version(archive, entries):
    head = json.loads(entries[DOCUMENT])
    archive.writestr(DOCUMENT, json.dumps({**head, "version": 1}))
    archive.writestr(TENSORS, entries[TENSORS])


def nested(archive, entries):
    archive.writestr(DOCUMENT, "[" * 100_000)
    archive.writestr(TENSORS, entries[TENSORS])


def infinite(archive, entries):
    archive.writestr(DOCUMENT, entries[DOCUMENT].replace(b'"version": 2', b'"version": Infinity'))
    archive.writestr(TENSORS, entries[TENSORS])


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        (compressed, "is compressed, expected to be stored as it is"),
        (outside, r"it holds .*evil.py.*, expected the entries of a graphdl model"),
        (twice, "expected the entries of a graphdl model"),
        (other_version, "its version is 1, this graphdl reads 2; the graphdl that wrote it can read it"),
        (nested, "cannot read|nested too deep"),
        (infinite, "Infinity is no JSON number"),
    ],
)
def test_an_archive_with_other_entries_is_refused(tmp_path, change, message):
    small(tmp_path / "m.graphdl")
    rezipped(tmp_path / "m.graphdl", change)
    with pytest.raises(FormatError, match=message):
        keras.models.load_model(tmp_path / "m.graphdl")
    assert [path.name for path in tmp_path.iterdir()] == ["m.graphdl"]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "File is not a zip file"), (b"PK\x03\x04", "not a zip file"), (b"hello", "expected a graphdl model")],
)
def test_what_is_no_archive_is_refused(tmp_path, content, message):
    (tmp_path / "m.graphdl").write_bytes(content)
    with pytest.raises(FormatError, match=message):
        keras.models.load_model(tmp_path / "m.graphdl")
    with pytest.raises(FormatError, match=r"cannot read '.*none.graphdl': No such file"):
        keras.models.load_model(tmp_path / "none.graphdl")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["float32", "float64", "int64", "bool", "uint8", "float16", "int8"]),
            st.lists(st.integers(0, 3), max_size=3),
        ),
        max_size=4,
    )
)
def test_arrays_come_back_from_safetensors(kinds):
    tensors = {f"t/{i}": RNG.integers(0, 2, shape).astype(kind) for i, (kind, shape) in enumerate(kinds)}
    back = unpacked(packed(tensors))
    assert list(back) == list(tensors)
    for name, array in tensors.items():
        assert (back[name].dtype, back[name].shape) == (array.dtype, array.shape)
        assert back[name].tobytes() == array.tobytes()


def test_the_layout_is_that_of_the_safetensors_library():
    library = pytest.importorskip("safetensors.numpy")
    tensors = {"a": X, "b": Y, "c": np.array(True)}
    back = library.load(packed(tensors))
    assert all((back[name] == array).all() and back[name].dtype == array.dtype for name, array in tensors.items())
    assert all((unpacked(library.save(tensors))[name] == array).all() for name, array in tensors.items())


def header(entries, body=b""):
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + body


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "does not fit in 0"),
        ((2**63).to_bytes(8, "little"), "a safetensors header of 9223372036854775808 bytes does not fit in 8"),
        (b"\x02" + bytes(7) + b"[]", r"is \[\], expected an object"),
        (b"\x02" + bytes(7) + b"{'", "is no JSON"),
        (header({"a": 3}), "tensor 'a' is 3, expected dtype, shape and data_offsets"),
        (header({"a": {"dtype": "O", "shape": [], "data_offsets": [0, 8]}}, bytes(8)), "is of 'O', expected one of"),
        (header({"a": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}, bytes(4)), "takes 4398046511104"),
        (header({"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}, bytes(4)), "expected sizes from 0"),
        (header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, bytes(8)), "lies at 4 to 8, expected 0"),
        (header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(3)), "lies at 0 to 4"),
        (header({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, bytes(9)), "5 bytes behind the last"),
    ],
)
def test_a_safetensors_file_that_does_not_hold_together_is_refused(content, message):
    with pytest.raises(FormatError, match=message):
        unpacked(content)


@given(st.binary(max_size=60))
def test_any_bytes_are_arrays_or_refused(content):
    with contextlib.suppress(FormatError):
        unpacked(content)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=5),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.tuples(inside, inside)
        | st.dictionaries(st.text(max_size=4) | st.integers(), inside, max_size=3)
    ),
    max_leaves=8,
)


@given(PLAIN)
def test_arguments_come_back_from_json(value):
    text = json.dumps(objects.to_json(value), allow_nan=False)
    assert repr(objects.from_json(json.loads(text), {})) == repr(value)


def test_every_class_that_files_may_name_belongs_to_keras():
    for name, kind in objects._known("classes").items():
        assert kind.__module__.startswith("graphdl.keras."), name
    for name, function in objects._known("functions").items():
        home = getattr(function, "__module__", None) or type(function).__module__
        assert home.startswith(("graphdl.keras.", "graphdl.ops.", "graphdl.ir.")), (name, home)
