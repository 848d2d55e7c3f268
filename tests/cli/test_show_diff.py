"""`graphdl show --stage passes --diff`: what each pass changed, as text."""

from __future__ import annotations

NAIVE = """
    import graphdl as gd
    z = gd.placeholder((3,), "float64", name="z")
    p = gd.exp(z) / gd.sum(gd.exp(z))
    loss = -gd.log(p[0])
"""


def test_the_lines_that_each_pass_changed_are_shown(shell):
    shell.write("naive.py", NAIVE)
    text = shell.said("show", "naive.py", "--stage", "passes", "--diff")
    first = text.split("\n\n")[0].splitlines()
    assert first[0].startswith("--- before stabilise first: ")
    assert first[1].startswith("+++ after stabilise first: ")
    assert any(line.startswith("# softmax_formula x1: exp x / sum(exp x) = softmax x") for line in first)
    assert any(line.startswith("- log: ") for line in first)
    assert any(line.startswith("+ log_softmax: ") for line in first)


def test_levels_have_their_passes(line):
    assert "affine" in line.said("show", "line.py", "--stage", "passes", "--diff")
    assert "affine" not in line.said("show", "line.py", "--stage", "passes", "--diff", "--level", 1)


def test_packing_is_shown_with_the_fast_style_only(line):
    line.write("line.py", (line.folder / "line.py").read_text().replace('"sgd"', '"adam"'))
    assert "packed" not in line.said("show", "line.py", "--stage", "passes", "--diff")
    assert "packed" in line.said("show", "line.py", "--stage", "passes", "--diff", "--style", "fast")


def test_nothing_to_show_is_said(shell):
    shell.write("plain.py", "import graphdl as gd\nx = gd.placeholder((3,), name='x')\ngraph = gd.Graph(gd.exp(x))\n")
    assert shell.said("show", "plain.py", "--stage", "passes", "--diff") == "no pass changed anything\n"


def test_a_diff_is_of_passes(squared):
    assert squared.refused("show", "squared.py", "--diff") == "--diff is for --stage passes, found --stage graph"
