"""Session.save and load: whole or not at all, plain arrays only."""

from __future__ import annotations

import os
import zipfile

import numpy as np
import pytest

import graphdl as gd
from graphdl.errors import FormatError
from graphdl.files import write_atomically
from graphdl.runtime.saving import read_arrays, write_arrays


def session_with(*variables):
    session = gd.Session(seed=5)
    session.run(list(variables))
    return session


def test_a_loaded_session_goes_on_where_the_saved_one_stopped(tmp_path):
    w = gd.Variable(gd.random_normal((3,)), name="w")
    noise = gd.random_uniform((3,))
    step = gd.assign(w, w + noise)
    first = gd.Session(seed=5)
    first.run(step)
    first.save(tmp_path / "state.npz")
    first.run(step)
    second = gd.Session(seed=5)
    second.load(tmp_path / "state.npz", [w])
    second.run(step)
    assert second.value(w).tobytes() == first.value(w).tobytes()
    assert second.state.digest() == first.state.digest()


@pytest.mark.parametrize("name", ["a/../b", "/etc/passwd", "이름", 'quote"', "x" * 300, "con:1", "\N{GRINNING FACE}"])
def test_any_variable_name_survives_saving_and_names_no_path(tmp_path, name):
    w = gd.Variable([1.0, 2.0], name=name)
    session_with(w).save(tmp_path / "s.npz")
    assert os.listdir(tmp_path) == ["s.npz"]
    with zipfile.ZipFile(tmp_path / "s.npz") as archive:
        assert all(".." not in n and not n.startswith("/") and len(n) < 120 for n in archive.namelist())
    other = gd.Session()
    other.load(tmp_path / "s.npz", [w])
    assert other.value(w).tolist() == [1.0, 2.0]


def test_numpy_reads_what_we_write(tmp_path):
    write_arrays(tmp_path / "a.npz", {"dense/kernel": np.eye(2, dtype="f")})
    with np.load(tmp_path / "a.npz", allow_pickle=False) as loaded:
        assert loaded["dense/kernel"].tolist() == [[1, 0], [0, 1]]


def test_pickled_objects_are_never_loaded(tmp_path):
    np.savez(tmp_path / "bad.npz", a=np.array([object()], dtype=object))
    with pytest.raises(gd.FormatError, match=r"'a' holds pickled objects, which are never loaded"):
        read_arrays(tmp_path / "bad.npz")


def test_missing_unknown_and_misshapen_variables_are_named_and_nothing_changes(tmp_path):
    w, v = gd.Variable([1.0, 2.0], name="w"), gd.Variable(3.0, name="v")
    session_with(w, v).save(tmp_path / "both.npz")
    one = session_with(w)
    with pytest.raises(gd.FormatError, match=r"the file has 'v', which is no variable here"):
        one.load(tmp_path / "both.npz")
    session_with(w).save(tmp_path / "one.npz")
    both = session_with(w, v)
    both.assign(w, [7.0, 7.0])
    with pytest.raises(gd.FormatError, match="the file lacks 'v'"):
        both.load(tmp_path / "one.npz")
    assert both.value(w).tolist() == [7.0, 7.0]
    wide = gd.Variable([1.0, 2.0, 3.0], name="w")
    with pytest.raises(gd.FormatError, match=r"'w' is float32\[2\] in the file, expected float32\[3\]"):
        session_with(wide).load(tmp_path / "one.npz")


@pytest.mark.parametrize("cut", [0, 1, 10, 100, 200])
def test_a_torn_file_is_refused(tmp_path, cut):
    path = tmp_path / "s.npz"
    session_with(gd.Variable(np.zeros(100, "f"), name="w")).save(path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(gd.FormatError, match="cannot read"):
        read_arrays(path)


def test_flipped_bits_are_never_loaded_silently(tmp_path):
    path = tmp_path / "s.npz"
    write_arrays(path, {"w": np.arange(50, dtype="f")})
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[rng.integers(len(whole))] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        try:
            found = read_arrays(path)
        except gd.FormatError:
            continue
        assert all(np.array_equal(a, np.arange(50, dtype="f")) for a in found.values())


def test_an_unwritable_path_is_named_and_the_old_file_stays(tmp_path):
    with pytest.raises(gd.WriteError, match=r"cannot write '.*missing/x.npz': No such file or directory"):
        session_with(gd.Variable(1.0)).save(tmp_path / "missing" / "x.npz")
    with pytest.raises(gd.WriteError, match="it is a directory"):
        write_atomically(tmp_path, b"x")
    (tmp_path / "f").write_text("old")
    write_atomically(tmp_path / "f", "new")
    assert (tmp_path / "f").read_text() == "new"
    assert os.listdir(tmp_path) == ["f"]


def forged(path, shape, content, method=zipfile.ZIP_STORED, names=("a.npy",), comment=b""):
    """An .npz whose entries claim float32 of that shape."""
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    array = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + content
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in names:
            entry = zipfile.ZipInfo(name)
            entry.compress_type, entry.comment = method, comment
            archive.writestr(entry, array)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"shape": "(10**12,)"}, "'a' is damaged"),
        ({"shape": "(1000000000000,)"}, "'a' is damaged: its header claims 4000000000000 bytes, and 4 are there"),
        ({"shape": "(-1,)"}, "'a' is damaged: its header claims -4 bytes, and 4 are there"),
        ({"shape": "(1,)", "names": ("a.npy", "a.npy")}, "has two arrays called 'a'"),
        ({"shape": "(1,)", "comment": b"\xff\xfe"}, "as .npz: 'utf-8' codec can't decode"),
    ],
)
def test_a_forged_file_is_refused_before_memory_is_taken(tmp_path, given, message):
    forged(tmp_path / "f.npz", content=b"\0\0\0\0", **given)
    with pytest.raises(FormatError, match=message):
        read_arrays(tmp_path / "f.npz")


def test_names_are_names_and_no_paths(tmp_path):
    names = ["../../up", "/root", "<script>alert(1)</script>", "a\nb", "", "CON", "x" * 300]
    write_arrays(tmp_path / "n.npz", {name: np.array(place) for place, name in enumerate(names)})
    found = read_arrays(tmp_path / "n.npz")
    assert {name: int(found[name]) for name in names} == {name: place for place, name in enumerate(names)}
    assert os.listdir(tmp_path) == ["n.npz"]
