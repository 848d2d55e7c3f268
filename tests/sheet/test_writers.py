"""HTML, Markdown, LaTeX and text: one content, nothing that breaks or runs, in both languages."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

import graphdl as gd
from graphdl.errors import DrawError
from graphdl.sheet import sheet, zero_sheet
from graphdl.sheet.notation import to_latex, to_mathml, tree
from graphdl.sheet.words import WORDS
from graphdl.sheet.writing import WRITERS, as_text, write
from tests.sheet.networks import course

HOSTILE = [
    "</script><script>alert(1)</script>",
    "quo\"te's",
    "a & b < c > d",
    "line\nbreak\r\n\ttab",
    "\u202eright to left",
    "🍎 apple",
    "손실",
    "x" * 10_000,
    "| pipe | `tick` ``two`` * _em_ $5 \\frac{1}{2} #1 %2 ~3 ^4",
    "\\input{/etc/passwd}\\end{document}",
    "⟦w⟧⟪x⟫",
    "∂L/∂x",
    "a/b·c − d",
    "((([[[",
    "$$ </style> --> ]]>",
    "\x00\x1b[31m",
    "layeredax",
    "z⁽¹⁾₁ ← …",
]


def course_sheet(**options):
    case = course()
    return sheet(case.loss, (case.leaves["W1"], (0, 0)), case.feeds, rate=0.1, ebp=True, **options)


def hostile_sheet(name, level="auto"):
    W = gd.Variable([[0.5, -1.0], [2.0, 0.25]], "float64", name=name)
    x = gd.placeholder((None, 2), "float64", name=f"{name}x")
    loss = gd.mean(gd.square(gd.matmul(x, W, name=f"{name}z")), name=f"{name}L")
    return sheet(loss, (W, (0, 1)), {x: [[1.0, 2.0]]}, level=level, rate=0.1, ebp=True)


class Page(HTMLParser):
    """Tags, their attributes, and the text a reader sees."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.text = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "br", "input", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> where another element is open"

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.text.append(data)


def numbers(text):
    """Every number with a point in it, signs apart."""
    return {found.replace("−", "-") for found in re.findall(r"(?<![\d.])\d+\.\d+", text)}


def expected_numbers(made):
    return {number for formula in made.formulas() for number in numbers(formula)}


@pytest.mark.parametrize("level", ["scalar", "matrix"])
@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_holds_every_number(suffix, level):
    made = course_sheet(level=level)
    text = as_text(made, suffix)
    shown = numbers(" ".join(Page(text).text)) if suffix == ".html" else numbers(text)
    assert len(expected_numbers(made)) > 20
    assert expected_numbers(made) <= shown


@pytest.mark.parametrize("suffix", WRITERS)
def test_every_format_has_the_same_sections_in_the_same_order(suffix):
    made = course_sheet()
    text = as_text(made, suffix)
    places = [text.index(section.title["en"].split("⟦")[0]) for section in made.sections[:3]]
    assert places == sorted(places)
    heads = {".html": "<h2>", ".md": "\n## ", ".tex": "\\section*", ".txt": "\n──"}
    assert text.count(heads[suffix]) == len(made.sections)


def test_the_page_asks_for_nothing_and_lets_nothing_out():
    text = as_text(course_sheet(), ".html")
    page = Page(text)
    assert page.open == []
    policy = [a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"]
    assert policy[0].startswith("default-src 'none'")
    for tag, attributes in page.tags:
        assert not {"src", "srcset", "action", "data"} & set(attributes), tag
        assert attributes.get("href", "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"https?://(?!www\.w3\.org/1998/Math/MathML)", text)


@pytest.mark.parametrize("level", ["auto", "matrix"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_break_no_page(name, level):
    text = as_text(hostile_sheet(name, level), ".html", "both")
    page = Page(text)
    assert page.open == []
    assert sum(tag == "script" for tag, _ in page.tags) == 3
    assert "<script>alert" not in text
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("level", ["auto", "matrix"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_break_no_article(name, level):
    text = as_text(hostile_sheet(name, level), ".tex")
    body = text.split("\\begin{document}")[1]
    assert body.count("\\end{document}") == 1
    check_latex(body)
    assert "\\input" not in body.replace("\\textbackslash{}input", "")
    assert ("kotex" in text) == ("손실" in name)


ALLOWED = {
    *("section", "paragraph", "begin", "end", "maketitle", "endhead", "hline", "color", "blacktriangleright"),
    *("small", "footnotesize", "scriptsize", "setlength", "tabcolsep", "arraycolsep", "setcounter", "qquad"),
    *("frac", "partial", "cdot", "times", "odot", "approx", "to", "leftarrow", "leq", "geq", "neq", "lt", "gt"),
    *("ldots", "vert", "Vert", "sigma", "Sigma", "delta", "eta", "beta", "prime", "infty", "sqrt", "surd", "top", "sb"),
    *("exp", "log", "max", "min", "tanh", "mathrm", "text", "texttt", "textbf", "lbrace", "rbrace", "backslash"),
    *("sim", "wedge", "ast", "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater"),
    *("textbar", "textquotedbl", "textquotesingle", "textasciigrave"),
}


def check_latex(body):
    """Braces and environments close, math is left where it was entered, and every command is one of ours."""
    plain = re.sub(r"\\[\\{}$%&#_ ()\[\]]", lambda m: {"\\(": "\x01", "\\)": "\x02"}.get(m[0], ""), body)
    depth = 0
    for letter in plain:
        depth += (letter == "{") - (letter == "}")
        assert depth >= 0
    assert depth == 0
    opened = []
    for kind, name in re.findall(r"\\(begin|end)\{([\w*]+)\}", body):
        if kind == "begin":
            opened.append(name)
        elif name != "document":
            assert opened.pop() == name
    assert opened == []
    assert plain.count("\x01") == plain.count("\x02")
    assert plain.count("$") % 2 == 0
    assert set(re.findall(r"\\([A-Za-z]+)", plain)) <= ALLOWED
    assert body.isascii() or re.search("[가-힣]", body)


@pytest.mark.parametrize("level", ["auto", "matrix"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_break_no_markdown(name, level):
    text = as_text(hostile_sheet(name, level), ".md")
    for line in text.splitlines():
        outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", line)
        assert outside.count("$") % 2 == 0, line
        assert "<" not in outside, "no HTML comes from a name"
        for formula in re.findall(r"\$+([^$]+)\$+", outside):
            assert "|" not in formula
            assert "*" not in formula
            assert not re.search(r"\\[^A-Za-z ]", formula), "Markdown takes the backslash before punctuation away"
            assert not re.search(r"(^|[^A-Za-z0-9])_", formula), "an underscore behind punctuation may begin emphasis"
    tables = re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE)
    for table in tables:
        cells = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(cells) == 1


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_break_no_text(name):
    text = as_text(hostile_sheet(name), ".txt")
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("name", HOSTILE)
def test_formulas_are_xml_whatever_the_name(name):
    for text in (name, f"∂L/∂{name[:100]} = 2 · {name[:100]}", f"{name[:50]} ← {name[:50]} − 1"):
        ElementTree.fromstring(to_mathml(text))
        check_latex(to_latex(text))


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        (
            "∂L/∂x = ∂L/∂u · ∂u/∂x",
            r"\frac{\partial L}{\partial x} = \frac{\partial L}{\partial u} \cdot "
            r"\frac{\partial u}{\partial x}",
        ),
        ("w⁽¹⁾₁₂", "w_{12}^{(1)}"),
        ("z⁽²⁾", "z^{(2)}"),
        ("t₁ + w11", "t_{1} + w_{11}"),
        ("−0.5 × (−2) ≈ 1", r"-0.5 \times (-2) \approx 1"),
        ("1.5e−9", r"1.5 \times 10^{-9}"),
        ("w ← w − η · δ", r"w \leftarrow w - \eta \cdot \delta"),
        ("learning_rate", r"\mathrm{learning_{rate}}"),
        ("cost = price · count", r"\mathrm{cost} = \mathrm{price} \cdot \mathrm{count}"),
        ("x₁, …, x₄", r"x_{1}, \ldots, x_{4}"),
        ("0.2 … 1.1", r"0.2 \ldots 1.1"),
        ("W1ᵀ · x", r"W_{1}^{\top} \cdot x"),
        ("σ(z) · (1 − σ(z))", r"\sigma (z) \cdot (1 - \sigma (z))"),
    ],
)
def test_formulas_in_latex(text, latex):
    assert to_latex(text) == latex


def test_an_element_of_a_layer_has_its_layer_above_and_its_index_below():
    (found,) = tree("w⁽¹⁾₁₂")
    assert found.tag == "msubsup"
    assert ["".join(part.itertext()) for part in found] == ["w", "12", "(1)"]


def test_the_two_languages_say_the_same_things():
    for key, said in WORDS.items():
        assert set(said) == {"en", "ko"}, key
        slots = [sorted(re.findall(r"\{(\w+)\}", said[language])) for language in ("en", "ko")]
        assert set(slots[0]) == set(slots[1]), key
        assert key == "language" or re.search("[가-힣]", said["ko"]) or said["ko"] == said["en"], key
        assert key == "language" or not re.search("[가-힣]", said["en"]), key


@pytest.mark.parametrize("suffix", [".md", ".tex", ".txt"])
def test_a_sheet_is_printed_in_the_language_asked_for(suffix):
    made = course_sheet()
    texts = {language: as_text(made, suffix, language) for language in ("en", "ko", "both")}
    assert not re.search("[가-힣]", texts["en"])
    assert "Numeric check" not in texts["ko"]
    assert "수치 검증" in texts["ko"]
    between = r"$\cdot$" if suffix == ".tex" else "·"
    assert f"Numeric check {between} 수치 검증" in texts["both"]


def test_the_page_has_both_languages_and_opens_in_the_one_asked_for():
    for language, opened in (("en", "en"), ("ko", "ko"), ("both", "en")):
        text = as_text(course_sheet(), ".html", language)
        assert f'<html lang="{opened}"' in text
        assert "Numeric check" in text
        assert "수치 검증" in text
        assert ('class="sheet both"' in text) == (language == "both")


def test_files_are_named_by_their_suffix(tmp_path):
    made = course_sheet()
    for suffix in WRITERS:
        assert write(made, tmp_path / f"w11{suffix}").read_text("utf-8") == as_text(made, suffix)
    with pytest.raises(DrawError, match=r"ends in '\.docx', expected one of \.html, \.md, \.tex, \.txt"):
        write(made, tmp_path / "w11.docx")
    with pytest.raises(DrawError, match="the language is 'fr', expected en, ko, both"):
        as_text(made, ".md", "fr")


def test_a_sheet_of_zero_is_short_and_says_why():
    x, y = gd.placeholder((), name="x"), gd.placeholder((), name="y")
    made = zero_sheet(gd.square(x, name="L"), y.label)
    assert "∂L/∂y = 0" in as_text(made, ".txt")
    assert "does not depend on y" in as_text(made, ".txt")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("level", ["scalar", "matrix"])
def test_the_article_compiles(tmp_path, level):
    path = write(course_sheet(level=level), tmp_path / "w11.tex")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", path.name]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
