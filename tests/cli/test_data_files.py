"""Examples from the model's file, from .npz and from tables, and what is said about bad ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from graphdl import keras
from graphdl.errors import DataError
from graphdl.keras.datasets import idx
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
        (
            "x.npy",
            "--data 'x.npy': expected a file .npz, .csv, .tsv or IDX, or one of digits, iris, wine, breast_cancer, "
            "diabetes, mnist, fashion_mnist, boston_housing, california_housing, CreditCard, infert.",
        ),
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
    features = "reports,age,income,dependents,months,majorcards,active"
    out = shell.said(*words, "--features", features, "--epochs", 2, "--validation-split", 0.2)
    assert out.count("val_loss") == 2
    assert "33/33" in out  # 1319 rows, a fifth of them held out, 32 a step
    out = shell.said(*words)
    assert out.startswith("card: 'no' is 0, 'yes' is 1\nowner: 'no' is 0, 'yes' is 1\nselfemp: 'no' is 0, 'yes' is 1\n")


SHAPES = """
    from graphdl import keras
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
"""


@pytest.fixture
def shapes(shell):
    """A model that takes examples of any shape, of three classes."""
    shell.write("shapes.py", SHAPES)
    return shell


def equal_to(shell, table, x, y, *words):
    """What training on the table says, whose digest is that of a training on the arrays."""
    shell.write("t.csv", table)
    np.savez(shell.folder / "d.npz", x=np.array(x, "float64"), y=np.array(y))
    expected = shell.said("train", "shapes.py", "--data", "d.npz", "--quiet", "--digest")
    words = ["train", "shapes.py", "--data", "t.csv", "--target", "종류", *words]
    assert shell.said(*words, "--quiet", "--digest") == expected
    return shell.said(*words).splitlines()


def test_words_become_numbers_and_it_is_said_how(shapes):
    table = "나이,성별,지역,종류\n1,여,b,cat\n2,남,c,dog\n3,여,a,cat\n4,남,b,ant\n"
    said = equal_to(shapes, table, [[1, 1, 0, 1, 0], [2, 0, 0, 0, 1], [3, 1, 1, 0, 0], [4, 0, 0, 1, 0]], [1, 2, 1, 0])
    assert said[:3] == [
        "성별: '남' is 0, '여' is 1",
        "지역: a column of 0 and 1 for each of 'a', 'b', 'c'",
        "종류: 'ant' is 0, 'cat' is 1, 'dog' is 2",
    ]


@pytest.mark.parametrize("name", ["", "rownames", "Unnamed: 0"])
def test_a_column_that_only_counts_the_rows_is_left_out(shapes, name):
    equal_to(shapes, f"{name},나이,종류\n1,5,0\n2,6,2\n3,9,1\n", [[5], [6], [9]], [0, 2, 1])
    equal_to(shapes, f"{name},나이,종류\n1,5,0\n3,6,2\n4,9,1\n", [[1, 5], [3, 6], [4, 9]], [0, 2, 1])


def test_a_column_of_numbers_in_order_is_a_feature_under_any_other_name(shapes):
    equal_to(shapes, "x,종류\n1,0\n2,2\n3,1\n", [[1], [2], [3]], [0, 2, 1])


def test_a_decimal_comma_is_read_where_semicolons_part_the_cells(shapes):
    equal_to(shapes, "a;b;종류\n1,5;2;0\n-0,25;3.5;1\n", [[1.5, 2], [-0.25, 3.5]], [0, 1])


@pytest.mark.parametrize("cell", ["1.234,5", "1_000", "2024-01-02"])
def test_what_might_be_a_number_is_not_guessed(shapes, cell):
    shapes.write("t.csv", f"a;y\n{cell};0\n7;1\n")
    message = shapes.refused("train", "shapes.py", "--data", "t.csv", "--target", "y")
    assert f"row 1 (line 2), column 'a' has {cell!r}, expected a number" in message


def test_the_target_is_no_feature(shapes):
    shapes.write("t.csv", "a,y\n1,0\n2,1\n")
    words = ["train", "shapes.py", "--data", "t.csv", "--target", "y", "--features", "a,y"]
    assert shapes.refused(*words) == "'y' is the target and among --features; a model would copy it"


def test_images_are_read_with_the_labels_that_belong_to_them(shapes):
    images, labels = np.arange(24, dtype="uint8").reshape(4, 2, 3), np.array([0, 1, 2, 0], "uint8")
    idx.write(shapes.folder / "t-images-idx3-ubyte.gz", images)
    idx.write(shapes.folder / "t-labels-idx1-ubyte.gz", labels)
    idx.write(shapes.folder / "other.idx", labels[::-1])
    words = ["train", "shapes.py", "--quiet", "--digest", "--data"]
    np.savez(shapes.folder / "d.npz", x=images, y=labels)
    assert shapes.said(*words, "t-images-idx3-ubyte.gz") == shapes.said(*words, "d.npz")
    np.savez(shapes.folder / "d.npz", x=images, y=labels[::-1])
    assert shapes.said(*words, "t-images-idx3-ubyte.gz", "--target", "other.idx") == shapes.said(*words, "d.npz")
    assert shapes.refused(*words, "other.idx") == "--target is needed: which IDX file has the labels of other.idx?"


def test_sets_that_are_known_come_by_name(shapes):
    pytest.importorskip("sklearn")
    (x, y), test = keras.datasets.iris.load_data()
    np.savez(shapes.folder / "d.npz", x_train=x, y_train=y, x_test=test[0], y_test=test[1])
    own, known = (shapes.said("train", "shapes.py", "--data", name, "--digest") for name in ("d.npz", "iris"))
    assert own.splitlines()[2:] == known.splitlines()[2:]
    assert known.splitlines()[2].startswith("test: loss: ")
    assert shapes.refused("train", "shapes.py", "--data", "iriss").endswith("Did you mean 'iris'?")
    assert "iris has inputs and targets of its own" in shapes.refused(
        "train", "shapes.py", "--data", "iris", "--target", "y"
    )


def test_a_table_of_numbers_may_not_be_there():
    with pytest.raises(DataError, match="cannot read"):
        read_table(Path("nowhere.csv"))
