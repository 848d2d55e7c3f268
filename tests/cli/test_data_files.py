"""Examples from the model's file, from .npz and from tables, and what is said about bad ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphdl.errors import DataError
from graphdl.keras.datasets.table import read_table
from graphdl_cli.data import as_data

CLASSES = """
    from graphdl import keras
    model = keras.Sequential([keras.Input((2,), name="in"), keras.layers.Dense(2, "softmax", name="out")])
    model.compile("sgd", "sparse_categorical_crossentropy")
"""


@pytest.fixture
def classes(shell):
    shell.write("classes.py", CLASSES)
    return shell


def refused_table(shell, content: bytes | str) -> str:
    (shell.folder / "t.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    return shell.refused("train", "classes.py", "--data", "t.csv", "--target", "label")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_is_read_in_the_encodings_that_spreadsheets_write(tmp_path, encoding, delimiter):
    path = tmp_path / "표.csv"
    path.write_bytes("이름,나이\r\n1,2.5\r\n\r\n-3,4e2\r\n".replace(",", delimiter).encode(encoding))
    table = read_table(path)
    assert table.header == ("이름", "나이")
    assert table.numbers(["나이", "이름"]).tolist() == [[2.5, 1], [400, -3]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a,b,label\n1,2,0\n3,,1\n",
            "t.csv: row 2 (line 3), column 'b' is missing; fill it in, or leave such rows out",
        ),
        (
            "a,b,label\n1,2,0\n3,NA,1\n5,?,1\n",
            "t.csv: row 2 (line 3), column 'b' is missing (2 in this column); fill it in, or leave such rows out",
        ),
        (
            "a,b,label\n1,yes,0\n",
            "t.csv: row 1 (line 2), column 'b' has 'yes', expected a number; encode text as numbers first, "
            "or choose the columns to use (features)",
        ),
        (
            "a,b,label\n1,inf,0\n",
            "t.csv: row 1 (line 2), column 'b' has 'inf', expected a number; encode text as numbers first, "
            "or choose the columns to use (features)",
        ),
        ("a,b,label\n\n1,2,0\n1,2\n", "t.csv: line 4 has 2 cells, the header has 3"),
        ("1,2,0\n1,2,1\n", "t.csv begins with numbers (1, 2, 0), expected a header that names the columns"),
        ("a,a,label\n1,2,0\n", "t.csv has two columns called 'a'"),
        ("", "t.csv is empty"),
        ("a,b,label\n", "t.csv has no rows below its header"),
        (b"a,b\n\xff\xfe\xfd\n", "t.csv is no text in utf-8 or cp949; save it as UTF-8"),
        ("a,b,lable\n1,2,0\n", "t.csv has no column 'label'. Did you mean 'lable'? It has 'a', 'b', 'lable'"),
        ("a,label\n" + "9" * 200_000 + ",1\n", "t.csv: line 2: field larger than field limit (131072)"),
    ],
)
def test_a_bad_table_is_refused_by_row_and_column(classes, content, message):
    assert refused_table(classes, content) == message


def test_a_table_needs_a_target(classes):
    classes.write("t.csv", "a,b,label\n1,2,0\n")
    assert classes.refused("train", "classes.py", "--data", "t.csv") == (
        "--target is needed: which column of t.csv is to be predicted? It has 'a', 'b', 'label'"
    )


def test_features_choose_columns_in_their_order(classes):
    classes.write("t.csv", "a,skip,b,label\n1,x,2,0\n3,y,4,1\n")
    words = ["train", "classes.py", "--data", "t.csv", "--target", "label", "--features", "b, a", "--quiet", "--digest"]
    swapped = classes.said(*words)
    classes.write("t.csv", "b,a,label\n2,1,0\n4,3,1\n")
    assert classes.said(*words[:6], "--quiet", "--digest") == swapped
    assert "has no column 'c'" in classes.refused(*words[:6], "--features", "a,c")


def test_targets_that_do_not_fit_the_loss_are_named(classes):
    assert refused_table(classes, "a,b,label\n1,2,0\n1,2,2\n") == (
        "y has labels from 0 to 2, first 2 at row 1; expected 0 to 1, one for each of 2 outputs"
    )


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("x", "y"), []),
        (("x_train", "y_train"), []),
        (("in", "out"), []),
        (("pixels", "label"), ["--target", "label"]),
    ],
)
def test_an_npz_is_understood_by_the_names_of_its_arrays(classes, names, words):
    x, y = np.arange(8.0).reshape(4, 2), np.array([0, 1, 1, 0])
    np.savez(classes.folder / "d.npz", **dict(zip(names, (x, y), strict=True)))
    found = classes.said("train", "classes.py", "--data", "d.npz", *words, "--quiet", "--digest")
    np.savez(classes.folder / "d.npz", x=x, y=y)
    assert classes.said("train", "classes.py", "--data", "d.npz", "--quiet", "--digest") == found


def test_an_npz_with_a_test_set_is_scored_on_it(classes):
    x, y = np.zeros((4, 2)), np.array([0, 1, 1, 0])
    np.savez(classes.folder / "d.npz", x_train=x, y_train=y, x_test=x[:1], y_test=y[:1])
    assert "\ntest: loss: " in classes.said("train", "classes.py", "--data", "d.npz")


def test_pickled_objects_are_never_loaded(classes):
    class Boom:
        def __reduce__(self):
            return (exec, ("raise SystemExit('executed')",))

    np.savez(classes.folder / "d.npz", x=np.array([Boom()], dtype=object), y=np.zeros(1))
    assert classes.refused("train", "classes.py", "--data", "d.npz") == (
        "'d.npz': 'x' holds pickled objects, which are never loaded"
    )


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("none.npz", "cannot read 'none.npz' as .npz: No such file or directory"),
        ("none.csv", "cannot read 'none.csv': No such file or directory"),
        ("text.npz", "cannot read 'text.npz' as .npz: File is not a zip file"),
        ("x.npy", "'x.npy' ends in '.npy', expected .npz, .csv or .tsv"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(classes, file, message):
    classes.write("text.npz", "hello")
    assert classes.refused("train", "classes.py", "--data", file, "--target", "label") == message


def test_an_npz_with_other_names_lists_them(classes):
    np.savez(classes.folder / "d.npz", pixels=np.zeros((4, 2)), labels=np.zeros(4))
    assert classes.refused("train", "classes.py", "--data", "d.npz") == (
        "'d.npz' has 'pixels', 'labels'; expected arrays x and y, or x_train and y_train, or 'in', 'out'. "
        "If one of them is the target, say --target NAME"
    )
    assert classes.refused("train", "classes.py", "--data", "d.npz", "--target", "label") == (
        "'d.npz' has no array 'label'. Did you mean 'labels'? It has 'pixels', 'labels'"
    )


def test_a_pair_is_data_and_a_pair_of_pairs_has_a_test_set():
    assert as_data((1, 2)).test is None
    assert as_data(((1, 2), (3, 4))).test == (3, 4)
    assert as_data(([1, 2], [3, 4])).x == [1, 2]
    assert as_data([1, 2]) is None
    assert as_data((1, 2, 3)) is None


def test_the_files_own_data_may_be_a_function(shell):
    shell.write("own.py", CLASSES + "    def load_data():\n        return [[1, 2], [3, 4]], [0, 1]\n")
    assert "loss: " in shell.said("train", "own.py")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "own.py defines no data; let it define data = (x, y) or a function data(), or give --data FILE"),
        ("data = 3", "data in own.py is an int, expected (x, y) or ((x_train, y_train), (x_test, y_test))"),
        ("data = 1, 2, 3", "data in own.py is a tuple of 3, expected (x, y) or ((x_train, y_train), (x_test, y_test))"),
        ("def data(): return 1 / 0", "own.py:5: ZeroDivisionError: division by zero\n    def data(): return 1 / 0"),
    ],
)
def test_data_that_are_none_are_explained(shell, data, message):
    shell.write("own.py", CLASSES + f"    {data}\n")
    assert shell.refused("train", "own.py") == message


def test_columns_need_a_file(classes):
    assert classes.refused("train", "classes.py", "--target", "label") == (
        "--target and --features choose columns of a file; give it with --data"
    )


def test_real_tables_can_be_trained_on(shell, shared_data):
    shell.write(
        "credit.py",
        """
        from graphdl import keras
        model = keras.Sequential([keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
        model.compile("adam", "mse")
        """,
    )
    words = ["train", "credit.py", "--data", shared_data / "CreditCard.csv", "--target", "share"]
    assert "column 'card' has 'yes', expected a number" in shell.refused(*words)
    features = "reports,age,income,dependents,months,majorcards,active"
    out = shell.said(*words, "--features", features, "--epochs", 2, "--validation-split", 0.2)
    assert out.count("val_loss") == 2
    assert "33/33" in out  # 1319 rows, a fifth of them held out, 32 a step


def test_a_table_of_numbers_may_not_be_there():
    with pytest.raises(DataError, match="cannot read"):
        read_table(Path("nowhere.csv"))
