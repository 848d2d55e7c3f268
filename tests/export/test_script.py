"""A stand-alone script ends in the same weights as the session, to the last bit, without graphdl."""

from __future__ import annotations

import ast
import signal
import subprocess
import sys

import numpy as np
import pytest

import graphdl as gd
from graphdl import export, keras
from graphdl.compile.emit import emit
from graphdl.compile.names import SCRIPT_NAMES
from graphdl.errors import DataError, GraphError, WriteError
from graphdl.keras import layers

RNG = np.random.default_rng(11)


def linear_regression():
    model = keras.Sequential([layers.Dense(1, input_shape=(1,))])
    model.compile("sgd", "mse")
    x = np.array([-1, 0, 1, 2, 3, 4], "float32")
    return model, (x, x + 6), {"epochs": 1200}


def exclusive_or():
    model = keras.Sequential([layers.Dense(8, activation="tanh", input_dim=2), layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.SGD(0.5, momentum=0.9, nesterov=True), "binary_crossentropy", metrics=["acc"])
    return model, ([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]), {"epochs": 150}


def digits():
    pytest.importorskip("sklearn")
    (x, y), _ = keras.datasets.digits.load_data()
    model = keras.Sequential(
        [keras.Input((64,), name="x"), layers.Dense(48, activation="relu"), layers.Dense(10, activation="softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, (x / 16, y), {"epochs": 4}


def with_dropout():
    model = keras.Sequential(
        [
            layers.Flatten(input_shape=(3, 4)),
            layers.Dense(16, kernel_initializer="he_normal"),
            layers.ReLU(),
            layers.Dropout(0.3),
            layers.Dense(3),
            layers.Softmax(),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "categorical_crossentropy", metrics=["accuracy", "mae"])
    x = RNG.normal(size=(50, 3, 4))
    return model, (x, np.eye(3)[RNG.integers(0, 3, 50)]), {"epochs": 30, "batch_size": 16}


def several_outputs():
    first, second = keras.Input((4,), name="first"), keras.Input((2,), name="second")
    hidden = layers.Dense(6, activation="relu", name="hidden")(first)
    both = gd.concat([hidden, second])
    price, kind = layers.Dense(1, name="price")(both), layers.Dense(3, activation="softmax", name="kind")(both)
    model = keras.Model([first, second], [price, kind])
    model.compile(
        "adam",
        {"price": "mse", "kind": "sparse_categorical_crossentropy"},
        loss_weights=[0.5, 1.0],
        metrics={"kind": "accuracy"},
    )
    x = [RNG.normal(size=(37, 4)), RNG.normal(size=(37, 2))]
    return model, (x, [RNG.normal(size=(37, 1)), RNG.integers(0, 3, 37)]), {"epochs": 30, "batch_size": 10}


def own_op():
    table = np.linspace(0.5, 1.5, 96).astype("float32")
    mish = _mish()
    inputs = keras.Input((5,), name="x")
    hidden = layers.Dense(96, activation=mish)(inputs) * gd.constant(table)
    model = keras.Model(inputs, layers.Dense(1)(mish(hidden)))
    model.compile("sgd", "mae")
    x = RNG.normal(size=(20, 5))
    return model, (x, x.sum(1)), {"epochs": 100, "shuffle": False}


def _mish():
    symbolic = pytest.importorskip("graphdl.symbolic")
    try:
        return symbolic.elementwise("mish_of_export", "a * tanh(log(1 + exp(a)))")
    except GraphError:
        from graphdl.ir.registry import lookup

        return lookup("mish_of_export")


MODELS = [linear_regression, exclusive_or, digits, with_dropout, several_outputs, own_op]


@pytest.mark.parametrize("make", MODELS)
def test_the_script_ends_in_the_same_bits_as_the_session(make, run):
    model, data, options = make()
    history = model.fit(*data, verbose=0, **options)
    assert model.session.state.step >= 100
    for style in ("readable", "fast"):
        done = run(export.script(model, data, style), "--digest")
        lines = done.stdout.splitlines()
        assert lines[-1] == model.digest(), style
        assert len(lines) == options["epochs"] + 1
        assert f"loss {history.history['loss'][-1]:.6g}" in lines[-2]


def test_predictions_and_scores_of_the_script_are_those_of_the_session(run, tmp_path):
    model, data, options = with_dropout()
    model.fit(*data, verbose=0, **options)
    text = export.script(model, data, test_data=(data[0][:20], data[1][:20]))
    scores = model.evaluate(data[0][:20], data[1][:20], verbose=0, return_dict=True)
    last = run(text).stdout.splitlines()[-1]
    assert last == "test  " + "  ".join(f"{name} {value:.6g}" for name, value in scores.items())
    ask = (
        "\nexamples, _ = load_data()\n"
        "variables = start(SEED, LEARNING_RATE)\n"
        "train(variables, examples, EPOCHS, BATCH_SIZE, SEED, show=lambda *words, sep: None)\n"
        "np.save('predicted.npy', outputs(variables, examples)['softmax'])\n"
    )
    assert text.endswith('if __name__ == "__main__":\n    main()\n')
    run(text.replace('if __name__ == "__main__":\n    main()\n', ask))
    assert (np.load(tmp_path / "predicted.npy") == model.predict(data[0], verbose=0)).all()


def test_saved_weights_load_into_the_model(run, tmp_path):
    model, data, options = exclusive_or()
    model.fit(*data, verbose=0, **options)
    run(export.script(model, data), "--save", "w.npz", "--quiet")
    twin, _, _ = exclusive_or()
    twin.load_weights(tmp_path / "w.npz")
    assert twin.digest() == model.digest()


def test_arguments_change_what_the_script_does(run):
    model, data, _ = with_dropout()
    model.compile("sgd", "categorical_crossentropy")
    text = export.script(model, data, "fast", epochs=2)
    arguments = ["--epochs", 5, "--lr", 0.3, "--seed", 7, "--batch-size", 8, "--digest", "--quiet"]
    keras.utils.set_random_seed(7)
    twin, _, _ = with_dropout()
    twin.compile(keras.optimizers.SGD(0.3), "categorical_crossentropy")
    twin.fit(*data, epochs=5, batch_size=8, verbose=0)
    assert run(text, *arguments).stdout.splitlines() == [twin.digest()]


def test_the_script_does_what_the_last_fit_did():
    model, data, _ = exclusive_or()
    model.fit(*data, epochs=7, batch_size=3, shuffle=False, verbose=0)
    model.optimizer.learning_rate = 0.25
    text = export.script(model, data)
    for line in ("EPOCHS = 7", "BATCH_SIZE = 3", "LEARNING_RATE = 0.25", "SEED = 0", "SHUFFLE = False"):
        assert f"\n{line}\n" in text
    assert "\nEPOCHS = 9\n" in export.script(model, data, epochs=9)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_the_script_holds_the_very_text_that_sessions_run(style):
    model, data, _ = digits()
    model.build_for(data[0])
    model.session.style = style
    program = model.training.train
    text = export.script(model, data, style)
    assert program.module.body in text
    assert program.module.text == emit(program.program, style).text


def test_each_gradient_line_says_which_term_of_the_chain_rule_it_is():
    model, data, _ = linear_regression()
    text = export.script(model, data)
    line = next(line for line in text.splitlines() if line.strip().startswith("d_dense_kernel ="))
    assert line.endswith("# d/dense/kernel: f32[1, 1] = dL/d(dense/matmul) * d(dense/matmul)/d(dense/kernel)")


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_script_imports_numpy_and_the_standard_library_only(make, style):
    model, data, _ = make()
    tree = ast.parse(export.script(model, data, style))
    imported = {a.name.split(".")[0] for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    assert imported <= {"numpy", *sys.stdlib_module_names}
    called = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert not called & {"eval", "exec", "compile", "__import__", "globals", "getattr", "setattr"}


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_programs_leave_the_names_of_the_script_alone(style):
    model, data, _ = several_outputs()
    text = export.script(model, data, style)
    program = emit(model.training.train.program, style).body
    tree, own = ast.parse(text), ast.parse(program)
    defined = _defined(tree) - _defined(own)
    kernels = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)} - set(SCRIPT_NAMES)
    assert defined - kernels <= {*SCRIPT_NAMES, "xp", "constants"}
    changed = {name for n in ast.walk(own) if isinstance(n, ast.Global) for name in n.names} | _defined(own)
    assert not changed & set(SCRIPT_NAMES)


def _defined(tree):
    names = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Import):
            names |= {(a.asname or a.name) for a in node.names}
        elif isinstance(node, ast.Assign):
            names |= {t.id for t in node.targets if isinstance(t, ast.Name)}
    return names


def test_the_text_is_the_same_every_time():
    def text():
        model, data, _ = exclusive_or()
        return export.script(model, data, test_data=data)

    assert text() == text()


def test_large_data_stay_outside(run, tmp_path):
    model, _, _ = linear_regression()
    x = RNG.normal(size=(400_000, 1)).astype("float32")
    text = export.script(model, (x, x + 6))
    assert len(text) < 50_000
    done = run(text, check=False)
    assert done.returncode == 1
    assert done.stderr == "this script carries no examples: give some with --data FILE.npz or --data FILE.csv\n"
    np.savez(tmp_path / "d.npz", x=x[:100], y=x[:100] + 6)
    model.fit(x[:100], x[:100] + 6, verbose=0)
    assert run(text, "--data", "d.npz", "--digest", "--quiet").stdout.strip() == model.digest()


def test_data_may_come_as_a_table_with_or_without_names(run, tmp_path):
    model = keras.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    text = export.script(model)
    table = RNG.normal(size=(40, 3)).round(3)
    rows = "\n".join(",".join(map(str, row)) for row in table)
    model.fit(table[:, :2], table[:, 2:], epochs=3, verbose=0)
    for head in ("", "a,b,c\n", "\ufeffa,b,c\n"):
        (tmp_path / "d.csv").write_text(head + rows + "\n", encoding="utf-8")
        assert run(text, "--data", "d.csv", "--epochs", 3, "--digest", "--quiet").stdout.strip() == model.digest()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.ones((4, 2))}, "the data lack 'y'; they have ['x']"),
        ({"x": np.ones((4, 3)), "y": np.ones((4, 1))}, "'x' has shape (4, 3), expected (examples, 2)"),
        ({"x": np.ones((4, 2)), "y": np.ones((3, 1))}, "arrays differ in length: {'x': 4, 'y': 3}"),
        ({"x": np.full((4, 2), np.nan), "y": np.ones((4, 1))}, "expected finite numbers"),
        ({"x": np.array([[{}, {}]]), "y": np.ones((1, 1))}, "cannot read 'd.npz': Object arrays cannot be loaded"),
    ],
)
def test_bad_data_end_the_script_in_one_line(run, tmp_path, arrays, message):
    model = keras.Sequential([layers.Dense(1, input_shape=(2,))])
    model.compile("sgd", "mse")
    np.savez(tmp_path / "d.npz", **arrays)
    done = run(export.script(model), "--data", "d.npz", check=False)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_bad_labels_and_arguments_end_the_script_in_one_line(run, tmp_path):
    model, data, _ = digits()
    text = export.script(model)
    np.savez(tmp_path / "d.npz", x=data[0][:5], y=data[1][:5] + 10)
    done = run(text, "--data", "d.npz", check=False)
    assert "expected classes from 0 to 9" in done.stderr
    assert "Traceback" not in done.stderr
    assert "cannot read 'absent.npz'" in run(text, "--data", "absent.npz", check=False).stderr
    assert "expected --epochs from 0" in run(text, "--batch-size", 0, check=False).stderr
    np.savez(tmp_path / "d.npz", x=data[0][:5], y=data[1][:5])
    done = run(text, "--data", "d.npz", "--save", "absent/w.npz", check=False)
    assert "cannot write 'absent/w.npz': the folder 'absent' is not there or not writable" in done.stderr


def test_write_script_writes_the_whole_file_or_says_why_not(tmp_path):
    model, data, _ = exclusive_or()
    path = export.write_script(tmp_path / "train.py", model, data, style="fast")
    assert path.read_text(encoding="utf-8") == export.script(model, data, "fast")
    with pytest.raises(WriteError, match="cannot write"):
        export.write_script(tmp_path / "absent" / "train.py", model, data)


def test_what_cannot_be_exported_is_refused():
    model, data, _ = exclusive_or()
    with pytest.raises(GraphError, match=r"style is 'pretty', expected 'readable' or 'fast'"):
        export.script(model, data, "pretty")
    with pytest.raises(DataError, match=r"data is a ndarray, expected a pair \(x, y\)"):
        export.script(model, np.ones((4, 2)))
    with pytest.raises(DataError, match="x has nan"):
        export.script(model, (np.full((4, 2), np.nan), data[1]))
    with pytest.raises(GraphError, match="is not compiled"):
        export.script(keras.Sequential([layers.Dense(1, input_shape=(2,))]))


@pytest.mark.skipif(sys.platform == "win32", reason="sends SIGINT")
def test_ctrl_c_ends_the_script_in_one_line(tmp_path):
    model, data, _ = linear_regression()
    path = export.write_script(tmp_path / "train.py", model, data, epochs=10**9)
    with subprocess.Popen([sys.executable, "-I", str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline().startswith(b"epoch 1/")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == b"interrupted; nothing is saved\n"
