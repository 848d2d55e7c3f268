"""Event files, read back by a reader written from the formats."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graphdl import keras
from graphdl.errors import FormatError, GraphError, WriteError
from graphdl.keras import layers
from graphdl.keras.callbacks.eventfile import EventFile, crc32c, masked, record, records

X = np.linspace(-1, 1, 40, dtype="float32").reshape(20, 2)
Y = X.sum(axis=1, keepdims=True)


def fields(message: bytes) -> list[tuple[int, object]]:
    """Numbers and contents of the fields of a protocol buffer: varints, 64 bits, bytes, 32 bits."""
    found, place = [], 0

    def varint():
        nonlocal place
        value = shift = 0
        while True:
            byte = message[place]
            place += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while place < len(message):
        key = varint()
        if key & 7 == 0:
            found.append((key >> 3, varint()))
        elif key & 7 == 1:
            found.append((key >> 3, struct.unpack("<d", message[place : place + 8])[0]))
            place += 8
        elif key & 7 == 5:
            found.append((key >> 3, struct.unpack("<f", message[place : place + 4])[0]))
            place += 4
        else:
            length = varint()
            found.append((key >> 3, message[place : place + length]))
            place += length
    assert place == len(message)
    return found


def one(message: bytes, number: int, default: object = None) -> object:
    return next((value for field, value in fields(message) if field == number), default)


def events(folder):
    (path,) = folder.iterdir()
    assert path.name.startswith("events.out.tfevents.")
    return list(records(path.read_bytes()))


def scalars(folder) -> dict[str, list[tuple[int, float]]]:
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events(folder):
        for number, value in fields(one(event, 5, b"")):
            assert number == 1
            if one(value, 2) is not None:
                found.setdefault(one(value, 1).decode(), []).append((one(event, 2, 0), one(value, 2)))
    return found


# RFC 3720, appendix B.4.
@pytest.mark.parametrize(
    ("data", "crc"),
    [
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (b"123456789", 0xE3069283),
        (b"", 0),
    ],
)
def test_the_checksum_is_that_of_the_standard(data, crc):
    assert crc32c(data) == crc


def test_a_checksum_is_kept_rotated_by_15_bits_with_a_constant_added():
    for crc in (0, 1, 0x8A9136AA, 0xFFFFFFFF):
        rotated = int(f"{crc:032b}"[-15:] + f"{crc:032b}"[:-15], 2)
        assert masked(crc) == (rotated + 0xA282EAD8) % 2**32


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_records_come_back(parts):
    assert list(records(b"".join(map(record, parts)))) == parts


def test_a_damaged_record_is_refused_and_a_torn_one_left_out():
    content = record(b"first") + record(b"second")
    assert list(records(content[:-3])) == [b"first"]
    for place in (2, 9, 13, len(content) - 1):
        damaged = bytearray(content)
        damaged[place] ^= 4
        with pytest.raises(FormatError, match="has a wrong checksum"):
            list(records(bytes(damaged)))


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logs")
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3, activation="tanh"), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    board = keras.callbacks.TensorBoard(folder, histogram_freq=2, update_freq=2, write_steps_per_second=True)
    history = model.fit(X, Y, batch_size=4, epochs=3, validation_split=0.2, callbacks=[board], verbose=0).history
    return folder, model, history


def test_the_numbers_of_each_epoch_are_there(logs):
    folder, _, history = logs
    train, held_out = scalars(folder / "train"), scalars(folder / "validation")
    for name in ("loss", "mae"):
        assert [v for _, v in train[f"epoch_{name}"]] == pytest.approx(history[name])
        assert [v for _, v in held_out[f"epoch_{name}"]] == pytest.approx(history[f"val_{name}"])
        assert [step for step, _ in train[f"epoch_{name}"]] == [0, 1, 2]
    assert all(rate > 0 for _, rate in train["epoch_steps_per_second"])


def test_the_numbers_of_every_second_batch_are_there(logs):
    folder, _, _ = logs
    assert [step for step, _ in scalars(folder / "train")["batch_loss"]] == [2, 4, 6, 8, 10, 12]


def test_the_distributions_of_the_weights_are_there(logs):
    folder, model, _ = logs
    found: dict[str, list[bytes]] = {}
    for event in events(folder / "train"):
        for _, value in fields(one(event, 5, b"")):
            if one(value, 5) is not None:
                found.setdefault(one(value, 1).decode(), []).append((one(event, 2, 0), one(value, 5)))
    assert list(found) == model.variable_names
    for name, kernel in zip(model.variable_names, model.get_weights(), strict=True):
        (first, _), (last, content) = found[name]
        assert (first, last) == (0, 2)
        low, high, count, total, squares = (one(content, field) for field in range(1, 6))
        assert (low, high, count) == (kernel.min(), kernel.max(), kernel.size)
        assert (total, squares) == pytest.approx((kernel.sum(), np.square(kernel).sum()), rel=1e-5, abs=1e-7)
        edges, counts = (np.frombuffer(one(content, field), "<f8") for field in (6, 7))
        assert len(edges) == len(counts)
        assert (np.diff(edges) > 0).all()
        assert counts.sum() == kernel.size


def test_the_graph_is_there_with_its_layers_as_scopes(logs):
    folder, _, _ = logs
    (graph,) = [one(event, 4) for event in events(folder / "train") if one(event, 4)]
    nodes = [content for field, content in fields(graph) if field == 1]
    names = [one(node, 1).decode() for node in nodes]
    assert len(set(names)) == len(names)
    assert {"dense/kernel", "dense_1/bias"} <= set(names)
    for node in nodes:
        inputs = [content.decode() for field, content in fields(node) if field == 3]
        assert set(inputs) <= set(names[: names.index(one(node, 1).decode())])
    ops = {one(node, 2).decode() for node in nodes}
    assert {"placeholder", "variable", "matmul", "tanh"} <= ops


def test_a_file_begins_with_its_version(tmp_path):
    EventFile(tmp_path).close()
    (first,) = events(tmp_path)
    assert one(first, 3) == b"brain.Event:2"


def test_numbers_that_are_none_do_no_harm(tmp_path):
    file = EventFile(tmp_path)
    file.histograms({"w": np.array([np.nan, np.inf, 1.0]), "none": np.array([])}, 1)
    file.scalars({"loss": float("nan"), "far": 1e300}, 2)
    file.close()
    assert np.isnan(scalars(tmp_path)["loss"][0][1])


def test_what_is_not_written_is_refused():
    for name in ("write_images", "profile_batch", "embeddings_freq"):
        with pytest.raises(GraphError, match=f"TensorBoard: {name} is 1; it is not written here"):
            keras.callbacks.TensorBoard(**{name: 1})
    with pytest.raises(GraphError, match="update_freq is 'sometimes', expected an integer from 0"):
        keras.callbacks.TensorBoard(update_freq="sometimes")


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteError, match=r"cannot write '.*file"):
        EventFile(tmp_path / "file")


def test_tensorboard_itself_reads_it(logs):
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    folder, model, history = logs
    found = reading.EventAccumulator(str(folder / "train"))
    found.Reload()
    assert [event.value for event in found.Scalars("epoch_loss")] == pytest.approx(history["loss"])
    assert found.Tags()["histograms"] == model.variable_names
    assert "dense/kernel" in [node.name for node in found.Graph().node]


def test_a_resumed_training_goes_on_counting(tmp_path):
    def fit(epochs, folder):
        model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
        model.compile("sgd", "mse")
        backup = keras.callbacks.BackupAndRestore(tmp_path / "run", delete_checkpoint=False)
        board = keras.callbacks.TensorBoard(folder, update_freq="batch")
        model.fit(X, Y, batch_size=5, epochs=epochs, verbose=0, callbacks=[board, backup])
        return scalars(folder / "train")

    found = [fit(2, tmp_path / "a"), fit(5, tmp_path / "b")]
    assert [[step for step, _ in each["batch_loss"]] for each in found] == [list(range(1, 9)), list(range(9, 21))]
    assert [[step for step, _ in each["epoch_loss"]] for each in found] == [[0, 1], [2, 3, 4]]
