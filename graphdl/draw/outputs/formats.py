"""The one table of formats, and files written by it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from graphdl.draw.outputs import animation, document, painted, text, vector, web
from graphdl.draw.outputs.drawing import Drawing
from graphdl.draw.outputs.naming import is_pattern, numbered
from graphdl.draw.svg import to_svg
from graphdl.errors import DrawError, did_you_mean
from graphdl.files import check_place, write_atomically

Writer = Callable[[Drawing], Iterator[bytes]]


@dataclass(frozen=True)
class Format:
    """How a suffix is written: `whole` makes one file of all steps, `each` one for every step."""

    whole: Writer | None = None
    each: Writer | None = None

    @property
    def single(self) -> Writer:
        """What makes the one file of a picture, or of one step."""
        found = self.whole or self.each
        assert found is not None, "a format can be written"
        return found


FORMATS: dict[str, Format] = {
    ".html": Format(web.html),
    ".svg": Format(each=vector.svg),
    ".png": Format(each=painted.png),
    ".pdf": Format(document.pdf, painted.pages),
    ".gif": Format(animation.gif),
    ".webp": Format(animation.webp),
    ".apng": Format(animation.apng),
    ".dot": Format(each=text.dot),
    ".mmd": Format(each=text.mmd),
    ".json": Format(text.json),
    ".txt": Format(text.txt),
}


def format_of(path: str | Path) -> Format:
    """The format that the suffix of `path` names."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        hint = did_you_mean(suffix, FORMATS) if suffix else ""
        raise DrawError(
            f"{str(path)!r} ends in {suffix or 'nothing'!r}, expected one of {', '.join(FORMATS)}{hint and f'.{hint}'}"
        )
    return FORMATS[suffix]


def texts(drawing: Drawing) -> str | list[str]:
    """The picture as SVG, or those of several steps."""
    made = [to_svg(scene) for scene in drawing.scenes]
    return made if len(made) > 1 else made[0]


def written(drawing: Drawing, path: str | Path) -> Path | list[Path]:
    """The file that was written, or the files, one for each step. Nothing is written before all is made."""
    kind = format_of(path)
    check_place(path)
    by_step = is_pattern(path) or (kind.whole is None and len(drawing.steps) > 1)
    if not by_step:
        (content,) = kind.single(drawing)
        return write_atomically(path, content)
    if kind.each is None:
        raise DrawError(f"{str(path)!r} would be a file a step, but {Path(path).suffix} holds all of them in one")
    contents = list(kind.each(drawing))
    files = numbered(path, drawing.steps, len(drawing.trace.steps))
    return [write_atomically(file, content) for file, content in zip(files, contents, strict=True)]
