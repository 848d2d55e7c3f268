"""Names are the user's text: they reach generated source only as quoted strings and comments of one line."""

from __future__ import annotations

import ast
import io
import keyword
import tokenize

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import graphdl as gd
from graphdl.compile.names import Namer, identifier

HOSTILE = [
    '"; import os; os.system("true")',
    "'''\nimport os\n'''",
    "x\n    import os",
    "x\r\nimport os",
    "# comment",
    "\\",
    "{0}{node}{{",
    "%s%n",
    "</script><script>alert(1)</script>",
    "<b>bold</b>",
    "emoji 🎉🎉",
    "가나다",
    "\u202egnp.exe",
    "\x00\x1b[31m",
    "\u2028line separator",
    "lambda",
    "class",
    "match",
    "None",
    "print",
    "__import__",
    "__class__",
    "xp",
    "step",
    "bind",
    "key",
    "variables",
    "constants",
    "fetches",
    "updates",
    "softmax",
    "N",
    "t0",
    "b0",
    "c_1p0",
    "add",
    "_0",
    "_1",
    "1st",
    "a b",
    "a/b",
    "a" * 5000,
    # Python reads the first as s, the second as eval.
    "ſ",
    "ｅｖａｌ",
    "packed",
    "horner",
    "erf",
]
# All that generated code may call, by what stands before the parenthesis.
CALLS = {"xp", "dot", "reshape", "transpose", "copy", "astype", "view", "reduce", "range", "slice", "packed"}


def network(name: str):
    """A graph in which everything that can have a name has this one."""
    with gd.name_scope(name):
        x = gd.placeholder((None, 3), name=name)
        W = gd.Variable(np.ones((3, 3), "f"), name=name)
        big = gd.constant(np.ones((9, 9), "f"), name=name)
        h = gd.softmax(x @ W, name=name)
        loss = gd.sum(h * gd.sum(big), name=name)
        update = gd.assign(W, W - 0.1 * gd.gradients(loss, W))
    return x, [loss, h, W], update


def check_source(text: str) -> None:
    """ASCII identifiers, calls from a closed list, no import but that of xp, comments on one line."""
    assert all(line.isprintable() for line in text.splitlines())
    tree = ast.parse(text)
    defined = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            assert ast.unparse(node) in ("import numpy as xp", "import numpy")
        if isinstance(node, ast.Name):
            assert node.id.isascii()
            assert not keyword.iskeyword(node.id)
            assert not node.id.startswith("__")
        if isinstance(node, ast.Call):
            first = ast.unparse(node.func).split(".")[0]
            last = ast.unparse(node.func).split(".")[-1]
            assert first in CALLS | defined | _ufuncs(bound) or last in CALLS, ast.unparse(node)
    assert len(tree.body) <= 30


def _ufuncs(bound: set[str]) -> set[str]:
    return {name for name in bound if isinstance(getattr(np, name.removesuffix("_reduce"), None), np.ufunc)}


@pytest.mark.parametrize("style", ["readable", "fast"])
@pytest.mark.parametrize("name", HOSTILE, ids=lambda n: ascii(n[:20]))
def test_hostile_names_are_data(name, style):
    x, fetches, update = network(name)
    session = gd.Session(style=style)
    compiled = session.compile(fetches, update)
    check_source(compiled.source)
    loss, h, _, _ = session.run([*fetches, update], {x: np.eye(3)})
    assert loss == pytest.approx(243, rel=1e-6)
    np.testing.assert_allclose(h, np.full((3, 3), 1 / 3), rtol=1e-6)
    assert session.run(fetches[0], {name: np.eye(3)}) == pytest.approx(243, rel=1e-6)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_hostile_names_side_by_side_stay_apart(style):
    xs = [gd.placeholder((), "float64", name=name) for name in HOSTILE]
    total = gd.add_n(*[x * float(i + 1) for i, x in enumerate(xs)])
    compiled = gd.Session(style=style).compile(total)
    check_source(compiled.source)
    values = np.random.default_rng(0).standard_normal(len(xs))
    found = gd.Session(style=style).run(total, dict(zip(xs, values, strict=True)))
    assert found == pytest.approx(values @ np.arange(1, len(xs) + 1), rel=1e-12)


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=60))
def test_any_text_can_be_a_name(name):
    _, fetches, update = network(name)
    for style in ("readable", "fast"):
        check_source(gd.Session().compile(fetches, update, style=style).source)


@pytest.mark.parametrize("style", ["readable", "fast"])
def test_a_name_never_hides_what_a_kernel_calls(style):
    """`erf` calls `horner`; a node of that name, bound where kernels look, stays another name."""
    x = gd.placeholder((3, 2), "float64", name="erf")
    horner = gd.transpose(gd.exp(x), name="horner")
    total = gd.sum(gd.erf(x) + gd.gelu(horner.T))
    compiled = gd.Session(style=style).compile(total)
    check_source(compiled.source)
    assert np.isfinite(gd.Session(style=style).run(total, {x: np.ones((3, 2))}))


@pytest.mark.parametrize("size", ["xp", "add", "step", "key", "len", "bind", "np", "softmax"])
def test_a_size_cannot_have_the_name_of_what_programs_need(size):
    x = gd.placeholder((size, 3), name="x")
    y = gd.sum(gd.softmax(gd.reshape(x, (-1,)) + 1.0))
    with pytest.raises(
        gd.GraphError, match=f"a size is called '{size}', a name that programs need; call it 'N' or 'T'"
    ):
        gd.Session().run(y, {x: np.ones((2, 3))})


@given(st.lists(st.text(max_size=12), max_size=30))
def test_identifiers_are_plain_and_each_is_given_once(labels):
    namer = Namer(["taken"])
    given_out = [namer.fresh(label) for label in labels]
    assert len(set(given_out)) == len(given_out)
    for name in given_out:
        assert name.isascii()
        assert name.isidentifier()
        assert not keyword.iskeyword(name)
        assert name not in ("xp", "taken", "print")


@given(st.text(max_size=100))
def test_an_identifier_tokenises_as_one_name(label):
    tokens = list(tokenize.generate_tokens(io.StringIO(identifier(label)).readline))
    assert [t.type for t in tokens[:1]] == [tokenize.NAME]
    assert len(identifier(label)) <= 41


def test_a_hostile_name_is_quoted_in_errors_on_one_line():
    x = gd.placeholder((None, 3), name='"; import os\n\x1b[31m')
    with pytest.raises(gd.FeedError) as caught:
        gd.Session().run(gd.sum(x), {})
    assert "\x1b" not in str(caught.value)
    assert str(caught.value).splitlines()[0].startswith("sum needs placeholder")
