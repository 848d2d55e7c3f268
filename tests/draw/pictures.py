"""SVG read back as what it shows: texts by the class of their mark, nodes and wires by their ids."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Shown:
    """One node or wire of a picture: its classes, its title, and its texts by what they are."""

    classes: tuple[str, ...]
    title: str
    texts: dict[str, list[str]]
    parts: list[str]

    def text(self, part: str) -> str:
        """The one text of this kind, or nothing."""
        found = self.texts.get(part, [])
        assert len(found) < 2, found
        return found[0] if found else ""


def read(svg: str) -> dict[str, Shown]:
    """What a picture shows, by the ids without the prefix of the picture."""
    root = ElementTree.fromstring(svg)
    return {group.get("id", "").partition("-")[2]: _shown(group) for group in root.findall(f"{_SVG}g")}


def by_symbol(svg: str) -> dict[str, Shown]:
    """The nodes of a picture by their symbols, which begin their titles."""
    shown = (found for found in read(svg).values() if "node" in found.classes)
    return {found.title.partition(":")[0].split()[-1]: found for found in shown}


def _shown(group: ElementTree.Element) -> Shown:
    texts: dict[str, list[str]] = {}
    for text in group.findall(f"{_SVG}text"):
        texts.setdefault(text.get("class", ""), []).append(text.text or "")
    title = group.find(f"{_SVG}title")
    parts = [mark.get("class", "") for mark in group if mark.tag != f"{_SVG}title"]
    return Shown(tuple(group.get("class", "").split()), "" if title is None else title.text or "", texts, parts)
