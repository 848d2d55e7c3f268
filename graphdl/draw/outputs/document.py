"""PDF of several pages: the pages that Graphviz has painted, put into one file.

A PDF is a list of numbered objects and a table of where each begins. Files are joined by giving the objects of each
new numbers and hanging their trees of pages into one (ISO 32000-1, 7.5 and 7.7.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from graphdl.draw.outputs.drawing import Drawing
from graphdl.draw.outputs.painted import pages
from graphdl.errors import DrawError

_TABLE = re.compile(rb"startxref\s+(\d+)\s+%%EOF")
_SECTION = re.compile(rb"(\d+) (\d+)\s+")
_ENTRY = re.compile(rb"(\d{10}) \d{5} ([nf])\s*")
_REFERENCE = re.compile(rb"(?<![\w.])(\d+) 0 R\b")
_ROOT = re.compile(rb"/Root\s+(\d+) 0 R")
_INFO = re.compile(rb"/Info\s+(\d+) 0 R")
_PAGES = re.compile(rb"/Pages\s+(\d+) 0 R")
_COUNT = re.compile(rb"/Count\s+(\d+)")
# The catalogue, the tree of pages and the title come first.
_OWN = 3


def pdf(drawing: Drawing) -> Iterator[bytes]:
    """One PDF with a page for each step."""
    made = list(pages(drawing))
    yield joined(made, drawing.title or drawing.scenes[0].title)


def joined(files: Sequence[bytes], title: str) -> bytes:
    """One PDF with the pages of `files` in their order."""
    objects: list[bytes] = []
    trees, total = [], 0
    for file in files:
        found, tree, count = _renumbered(file, first=_OWN + 1 + len(objects))
        objects += found
        trees.append(tree)
        total += count
    kids = b" ".join(b"%d 0 R" % tree for tree in trees)
    own = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [ %s ] /Count %d >>" % (kids, total),
        b"<< /Producer (graphdl) /Title <%s> >>" % title.encode("utf-16").hex().encode(),
    ]
    return _written([*own, *objects])


def _renumbered(file: bytes, first: int) -> tuple[list[bytes], int, int]:
    """The objects of `file` with numbers from `first`, the number of its tree of pages, and its count of pages.

    Its own catalogue is left out, and what says when it was made: the same pages are the same bytes.
    """
    starts, trailer = _starts(file)
    ends = sorted([*starts.values(), len(file)])
    bodies = {old: _body(file[start : ends[ends.index(start) + 1]]) for old, start in starts.items()}
    tree = int(_found(_PAGES, bodies.pop(int(_found(_ROOT, trailer)))))
    bodies.pop(int(_found(_INFO, trailer)))
    number = {old: first + i for i, old in enumerate(bodies)}
    count = int(_found(_COUNT, bodies[tree]))
    found = {old: _with_numbers(body, number) for old, body in bodies.items()}
    found[tree] = found[tree].replace(b"<<", b"<< /Parent 2 0 R", 1)
    return list(found.values()), number[tree], count


def _starts(file: bytes) -> tuple[dict[int, int], bytes]:
    """Where each object begins, by its number, and the trailer with what the file is about."""
    place = int(_found(_TABLE, file[-64:]))
    if file[place : place + 4] != b"xref":
        raise DrawError(
            "this Graphviz writes PDFs whose pages cannot be joined; write a file a step, as in 'steps-%03d.pdf'"
        )
    starts: dict[int, int] = {}
    place = file.index(b"\n", place) + 1
    while section := _SECTION.match(file, place):
        place = section.end()
        for number in range(int(section[1]), int(section[1]) + int(section[2])):
            entry = _ENTRY.match(file, place)
            assert entry is not None, "the table of a PDF has twenty bytes for each object"
            place = entry.end()
            if entry[2] == b"n":
                starts[number] = int(entry[1])
    return starts, file[place:]


def _body(text: bytes) -> bytes:
    """What stands between ``obj`` and ``endobj``."""
    return text[text.index(b"obj") + 3 : text.rindex(b"endobj")].strip(b"\r\n")


def _with_numbers(body: bytes, number: dict[int, int]) -> bytes:
    """References with their new numbers; the bytes of a stream are not looked at."""
    head, stream, rest = body.partition(b"stream")
    return _REFERENCE.sub(lambda found: b"%d 0 R" % number[int(found[1])], head) + stream + rest


def _found(pattern: re.Pattern[bytes], text: bytes) -> bytes:
    found = pattern.search(text)
    assert found is not None, f"a PDF has {pattern.pattern!r}"
    return found[1]


def _written(objects: Iterable[bytes]) -> bytes:
    """A file of these objects, numbered from 1: the first is the catalogue, the third says what it is."""
    file, starts = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n"), []
    for number, body in enumerate(objects, start=1):
        starts.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(file)
    file += b"xref\n0 %d\n0000000000 65535 f \n" % (len(starts) + 1)
    file += b"".join(b"%010d 00000 n \n" % start for start in starts)
    file += b"trailer\n<< /Size %d /Root 1 0 R /Info 3 0 R >>\n" % (len(starts) + 1)
    return bytes(file + b"startxref\n%d\n%%%%EOF\n" % table)
