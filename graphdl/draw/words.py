"""The words that stand in pictures: those of the key, the roles of gates, and what cards say, in Korean as well.

Pictures are drawn in English; a picture in Korean has other words at the same places. A player writes them itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from graphdl.draw.captions import ROLES
from graphdl.draw.legend import with_words
from graphdl.draw.scene import Group, Label, Mark, Scene

KOREAN = {
    "placeholder": "자리표시자",
    "variable": "변수",
    "noise": "잡음",
    "operation": "연산",
    "loss": "손실",
    "gradient": "기울기",
    "parameter gradient": "매개변수 기울기",
    "block of operations": "연산 블록",
    "value, above the wire": "값, 선 위",
    "gradient, below the wire": "기울기, 선 아래",
    "local derivative": "국소 미분",
    "value that the backward pass reads": "역전파에 쓰이는 값",
    **{said["en"]: said["ko"] for said in ROLES.values()},
}
# What has something of the graph in it: patterns that JavaScript reads alike, and where the parts go.
PHRASES = (
    (
        r"^length of a gradient, from (\S+) to (\S+), each power of ten equally long$",
        "기울기의 크기, {1}부터 {2}까지, 10배마다 같은 길이",
    ),
    (r"^(\d+) operations?: (.*)$", "연산 {1}개: {2}"),
    (r"^(\d+) operations? each: (.*)$", "각각 연산 {1}개: {2}"),
    (r"^and (\d+) more$", "외 {1}개"),
    (r"^reads (.*)$", "입력: {1}"),
)


def in_korean(said: str) -> str:
    """The Korean words for those of a picture; names and numbers stay as they are.

    >>> in_korean("3 operations each: matmul, add")
    '각각 연산 3개: matmul, add'
    """
    if said in KOREAN:
        return KOREAN[said]
    for pattern, korean in PHRASES:
        if found := re.match(pattern, said):
            return korean.format("", *found.groups())
    return said


def worded(scene: Scene, languages: Sequence[str]) -> Scene:
    """The scene in words of `languages`: English as it is drawn, Korean, or where there is room both."""
    if "ko" not in languages:
        return scene
    both = len(languages) > 1
    groups = tuple(group if group.id == "legend" else _said(group, both) for group in scene.groups)
    return with_words(replace(scene, groups=groups), _both if both else in_korean)


def _both(said: str) -> str:
    korean = in_korean(said)
    return said if korean == said else f"{said} {korean}"


def _said(group: Group, both: bool) -> Group:
    return replace(group, marks=tuple(_mark(mark, both) for mark in group.marks))


def _mark(mark: Mark, both: bool) -> Mark:
    """Roles have room for both languages, the rows of cards, which are as wide as they are in English, have not."""
    if not isinstance(mark, Label) or mark.slot:
        return mark
    if mark.part == "role":
        return replace(mark, text=_both(mark.text) if both else in_korean(mark.text))
    return replace(mark, text=in_korean(mark.text)) if mark.part == "row" and not both else mark
