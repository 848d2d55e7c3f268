"""Data sets from files and from the web, where the web is a server on this machine."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import io
import pickle
import socket
import threading

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import DataError, WriteError
from graphdl.keras.datasets import boston_housing, california_housing, fashion_mnist, idx, imdb, mnist, rdatasets, store
from graphdl.keras.datasets import table as tables

RNG = np.random.default_rng(6)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GRAPHDL_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "datasets"


@pytest.fixture
def web(home, monkeypatch):
    """A server on the loopback interface in place of the homes of the data: ``web[name] = content``."""
    files: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = files.get(self.path.rpartition("/")[2])
            self.send_response(404 if content is None else 200)
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/"
    for module in (store, mnist, fashion_mnist, imdb, keras.datasets.housing):
        monkeypatch.setattr(module, "KERAS", address)
    monkeypatch.setattr(rdatasets, "ADDRESS", address)
    yield files
    server.shutdown()
    server.server_close()


def npz(**arrays) -> bytes:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_downloaded_once_and_kept(web, home):
    web["a.txt"] = b"hello"
    url = f"{store.KERAS}a.txt"
    path = store.fetch("sub/a.txt", url, sha(b"hello"))
    assert path == home / "sub" / "a.txt"
    assert path.read_bytes() == b"hello"
    del web["a.txt"]
    assert store.fetch("sub/a.txt", url, sha(b"hello")) == path
    assert store.fetch("sub/a.txt", url, hashlib.md5(b"hello").hexdigest()) == path


def test_another_file_than_expected_is_never_used(web, home):
    web["a.txt"] = b"evil"
    with pytest.raises(DataError, match=r"gave 4 bytes with the digest .*\(SHA-256 .*the download was cut short"):
        store.fetch("a.txt", f"{store.KERAS}a.txt", sha(b"hello"))
    assert not home.exists()
    home.mkdir(parents=True)
    (home / "a.txt").write_bytes(b"damaged since")
    web["a.txt"] = b"hello"
    assert store.fetch("a.txt", f"{store.KERAS}a.txt", sha(b"hello")).read_bytes() == b"hello"


def test_without_a_network_the_message_says_what_to_do(home):
    with contextlib.closing(socket.socket()) as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/a.npz"
    with pytest.raises(DataError) as refused:
        store.fetch("a.npz", url, "0" * 64)
    text = str(refused.value)
    assert text.startswith(f"cannot download a.npz from {url}: ")
    assert f"Fetch it on a machine that is online and put it at {home / 'a.npz'}" in text
    assert "or set GRAPHDL_HOME to a folder that has datasets/a.npz (SHA-256 000" in text


def test_a_file_that_is_not_there_and_an_address_that_is_none_are_named(web):
    with pytest.raises(DataError, match=r"cannot download a.npz from .*404|Not Found"):
        store.fetch("a.npz", f"{store.KERAS}a.npz", None)
    with pytest.raises(DataError, match="'file:///etc/passwd', expected an address on the web"):
        store.fetch("a", "file:///etc/passwd", None)


def test_a_folder_that_cannot_be_made_is_named(web, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("GRAPHDL_HOME", str(tmp_path / "file"))
    web["a"] = b"x"
    with pytest.raises(WriteError, match="set GRAPHDL_HOME to another folder"):
        store.fetch("a", f"{store.KERAS}a", None)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"GRAPHDL_HOME": "/g", "KERAS_HOME": "/k", "XDG_CACHE_HOME": "/x"}, "/g/datasets"),
        ({"KERAS_HOME": "/k", "XDG_CACHE_HOME": "/x"}, "/k/datasets"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/graphdl/datasets"),
        ({"HOME": "/h"}, "/h/.cache/graphdl/datasets"),
    ],
)
def test_the_cache_is_where_the_user_says(monkeypatch, variables, expected):
    for name in ("GRAPHDL_HOME", "KERAS_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert store.folder().as_posix() == expected


def test_mnist_is_what_keras_gives(web, monkeypatch):
    parts = {
        "x_train": RNG.integers(0, 256, (6, 28, 28)).astype("uint8"),
        "y_train": np.arange(6, dtype="uint8"),
        "x_test": RNG.integers(0, 256, (2, 28, 28)).astype("uint8"),
        "y_test": np.arange(2, dtype="uint8"),
    }
    web["mnist.npz"] = npz(**parts)
    monkeypatch.setattr(mnist, "DIGEST", sha(web["mnist.npz"]))
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    assert all((a == b).all() for a, b in zip((x, y, x_test, y_test), parts.values(), strict=True))
    assert (x.dtype, y.dtype) == (np.uint8, np.uint8)


def test_fashion_mnist_comes_from_four_files(web, monkeypatch, tmp_path):
    arrays = [RNG.integers(0, 256, (n, 28, 28)).astype("uint8") for n in (5, 3)]
    found = {}
    for name in fashion_mnist.FILES:
        images = arrays[not name.startswith("train")]
        idx.write(tmp_path / name, images if "images" in name else np.arange(len(images), dtype="uint8"))
        web[name] = (tmp_path / name).read_bytes()
        found[name] = hashlib.md5(web[name]).hexdigest()
    monkeypatch.setattr(fashion_mnist, "FILES", found)
    (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    assert (x == arrays[0]).all()
    assert (x_test == arrays[1]).all()
    assert (y.tolist(), y_test.tolist()) == ([0, 1, 2, 3, 4], [0, 1, 2])
    assert len(fashion_mnist.CLASSES) == 10


@pytest.mark.parametrize("module", [boston_housing, california_housing])
def test_house_prices_are_in_the_order_that_keras_gives_them(web, monkeypatch, module):
    x, y = np.arange(40.0).reshape(20, 2), np.arange(20.0)
    name = f"{module.__name__.rpartition('.')[2]}.npz"
    web[name] = npz(x=x, y=y)
    monkeypatch.setattr(module, "DIGEST", sha(web[name]))
    order = np.arange(20)
    np.random.RandomState(113).shuffle(order)
    (x_train, y_train), (x_test, y_test) = module.load_data()
    assert [*y_train, *y_test] == y[order].tolist()
    assert (len(y_train), len(y_test)) == (16, 4)
    assert (x_train == x[order[:16]]).all()
    assert (x_test == x[order[16:]]).all()
    with pytest.raises(DataError, match="test_split is 1, expected at least 0 and below 1"):
        module.load_data(test_split=1)


REVIEWS = {
    "x_train": [[1, 5, 9], [2, 3], [4, 4, 4, 4]],
    "y_train": np.array([1, 0, 1]),
    "x_test": [[7], [1, 2], [3]],
    "y_test": np.array([0, 1, 0]),
}


def reviews(**changes) -> bytes:
    arrays = {**REVIEWS, **changes}
    ragged = {name: np.array(value, dtype=object) if "x" in name else value for name, value in arrays.items()}
    return npz(**ragged)


def plain(rows):
    return [list(row) for row in rows]


def test_reviews_are_lists_of_word_numbers(web, monkeypatch):
    web["imdb.npz"] = reviews()
    monkeypatch.setattr(imdb, "DIGEST", sha(web["imdb.npz"]))
    order = np.arange(3)
    np.random.RandomState(113).shuffle(order)
    (x, y), (x_test, y_test) = keras.datasets.imdb.load_data()
    assert plain(x) == [[1, *(w + 3 for w in REVIEWS["x_train"][i])] for i in order]
    assert plain(x_test) == [[1, *(w + 3 for w in REVIEWS["x_test"][i])] for i in order]
    assert (y.tolist(), y_test.tolist()) == (REVIEWS["y_train"][order].tolist(), REVIEWS["y_test"][order].tolist())
    (rare, _), _ = keras.datasets.imdb.load_data(num_words=8, skip_top=5)
    assert plain(rare) == [[w if 5 <= w < 8 else 2 for w in row] for row in x]
    (dropped, _), _ = keras.datasets.imdb.load_data(num_words=8, oov_char=None, start_char=None, index_from=0)
    assert plain(dropped) == [[w for w in REVIEWS["x_train"][i] if w < 8] for i in order]
    (short, labels), _ = keras.datasets.imdb.load_data(maxlen=4)
    assert plain(short) == [row for row in plain(x) if len(row) < 4]
    assert len(labels) == len(short)
    with pytest.raises(DataError, match="no review is shorter than maxlen=1"):
        keras.datasets.imdb.load_data(maxlen=1)


def test_reviews_with_code_in_them_are_refused(web, monkeypatch, tmp_path):
    class Boom:
        def __reduce__(self):
            return (exec, (f"open({str(tmp_path / 'ran')!r}, 'w')",))

    web["imdb.npz"] = reviews(x_test=[Boom(), [1]])
    monkeypatch.setattr(imdb, "DIGEST", sha(web["imdb.npz"]))
    with pytest.raises(DataError, match=r"it names builtins.exec, which is never loaded"):
        keras.datasets.imdb.load_data()
    assert not (tmp_path / "ran").exists()
    assert pickle.loads(pickle.dumps([1])) == [1]


def test_words_have_numbers(web, monkeypatch):
    web["imdb_word_index.json"] = b'{"the": 1, "film": 2}'
    monkeypatch.setattr(imdb, "WORDS_DIGEST", hashlib.md5(web["imdb_word_index.json"]).hexdigest())
    assert keras.datasets.imdb.get_word_index() == {"the": 1, "film": 2}


def test_tables_of_r_come_by_name(web, shared_data):
    for name in ("infert", "CreditCard"):
        web[f"{name}.csv"] = (shared_data / f"{name}.csv").read_bytes()
    infert = keras.datasets.rdatasets.load("infert")
    assert (len(infert.rows), infert.column("age")[:3].tolist()) == (248, [26, 42, 39])
    assert infert.classes("education")[1] == ("0-5yrs", "12+ yrs", "6-11yrs")
    credit = keras.datasets.rdatasets.load("AER/CreditCard")
    owner, names = credit.classes("owner")
    assert (len(owner), names, owner[:3].tolist()) == (1319, ("no", "yes"), [1, 0, 1])


def test_another_table_needs_its_package_and_has_no_digest(web):
    web["cars.csv"] = b"speed,dist\n4,2\n"
    with pytest.raises(DataError, match="which package has 'cars'"):
        rdatasets.load("cars")
    assert rdatasets.load("cars", package="datasets").numbers(["dist", "speed"]).tolist() == [[2, 4]]
    web["infert.csv"] = b"a,b\n1,2\n"
    with pytest.raises(DataError, match="gave 8 bytes with the digest"):
        rdatasets.load("infert")
    for name in ("../x", "a/../b", "a/b c"):
        with pytest.raises(DataError, match=r"is no name of a data set|which package"):
            rdatasets.load(name)


def test_a_table_is_x_and_y(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,y\n1,2,3\n4,5,6\n")
    x, y = tables.load(tmp_path / "t.csv", "y")
    assert (x.tolist(), y.tolist()) == ([[1, 2], [4, 5]], [3, 6])
    assert tables.load(tmp_path / "t.csv", "y", ["b"])[0].tolist() == [[2], [5]]
    (tmp_path / "t.csv").write_text("a,kind\n1,x\n2,NA\n")
    with pytest.raises(DataError, match=r"row 2 \(line 3\), column 'kind' is missing"):
        tables.read_table(tmp_path / "t.csv").classes("kind")


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("kind", ["uint8", "int8", "int16", "int32", "float32", "float64"])
def test_idx_files_come_back(tmp_path, kind, suffix):
    array = RNG.integers(0, 100, (4, 3, 2)).astype(kind)
    idx.write(tmp_path / f"a{suffix}", array)
    back = idx.read(tmp_path / f"a{suffix}")
    assert (back.dtype, back.tolist()) == (array.dtype, array.tolist())
    assert back.dtype.isnative


def test_the_layout_of_idx_files_is_that_of_mnist(tmp_path):
    (tmp_path / "labels").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]))
    assert idx.read(tmp_path / "labels").tolist() == [7, 2, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing, expected an IDX file"),
        (b"PK\x03\x04", "begins with 504b0304, expected an IDX file"),
        (bytes([0, 0, 8, 2, 0, 0, 0, 3]), "ends within its header of 2 sizes"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 3, 1, 2]), r"is \[3\] of uint8 and ends after 2 of 3 bytes"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 1, 1, 2]), "goes on after the 1 bytes"),
        (bytes([0, 0, 8, 3, *[255] * 12]), "claims .*, more than"),
        (gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 1]) + bytes(10**6)), "goes on after the 1 bytes"),
        (gzip.compress(bytes(100))[:-20], "cannot read|begins with"),
    ],
)
def test_an_idx_file_that_is_none_is_refused(tmp_path, content, message):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(DataError, match=message):
        idx.read(tmp_path / "x")


def test_images_and_labels_must_belong_together(tmp_path):
    idx.write(tmp_path / "x", np.zeros((3, 2, 2), "uint8"))
    idx.write(tmp_path / "y", np.zeros(4, "uint8"))
    with pytest.raises(DataError, match=r"has 3 images and .* 4 labels"):
        idx.load(tmp_path / "x", tmp_path / "y")
    with pytest.raises(DataError, match="are they swapped"):
        idx.load(tmp_path / "y", tmp_path / "x")
    with pytest.raises(DataError, match=r"cannot read '.*none': No such file"):
        idx.load(tmp_path / "none", tmp_path / "y")
    with pytest.raises(DataError, match=r"IDX files hold .*, found complex128"):
        idx.write(tmp_path / "z", np.zeros(1, complex))


def test_the_test_digits_of_mnist_can_be_read(shared_data):
    x, y = idx.load(shared_data / "mnist-t10k-images-idx3-ubyte.gz", shared_data / "mnist-t10k-labels-idx1-ubyte.gz")
    assert (x.shape, x.dtype, y.shape) == ((10_000, 28, 28), np.uint8, (10_000,))
    assert y[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.bincount(y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [("iris", (150, 4), 3), ("wine", (178, 13), 3), ("breast_cancer", (569, 30), 2), ("diabetes", (442, 10), None)],
)
def test_the_sets_of_scikit_learn_are_split_once_and_for_all(name, shape, classes):
    theirs = getattr(pytest.importorskip("sklearn.datasets"), f"load_{name}")()
    module = getattr(keras.datasets, name)
    (x, y), (x_test, y_test) = module.load_data()
    whole = np.vstack([x, x_test])
    assert whole.shape == shape
    assert len(module.FEATURES) == shape[1]
    assert len(x_test) == shape[0] // 5
    assert (np.sort(whole, axis=0) == np.sort(theirs.data.astype("float32"), axis=0)).all()
    assert sorted([*y, *y_test]) == sorted(theirs.target)
    if classes:
        assert set(y) == set(y_test) == set(range(classes))
    assert (module.load_data()[0][0] == x).all()
