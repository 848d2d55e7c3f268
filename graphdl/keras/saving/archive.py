"""One file for text and arrays: a zip of a JSON document and a safetensors file, with a hash over both.

Nothing in it is ever executed or unpacked to disk. Entries are stored as they are, so no entry is larger than the file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from graphdl.errors import FormatError
from graphdl.files import write_atomically
from graphdl.ir.encoding import shown
from graphdl.keras.saving.tensors import Array, packed, unpacked

DOCUMENT, TENSORS = "document.json", "tensors.safetensors"
MAX_DOCUMENT = 256 << 20
# What a damaged zip file makes the standard library raise.
_BROKEN = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error, LookupError)
# All entries say the same time, so the same model is the same file.
_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Archive:
    """What such a file holds: `content` is plain JSON, `tensors` are arrays by name."""

    content: dict[str, Any]
    tensors: dict[str, Array]


def write_archive(
    path: str | os.PathLike[str], kind: str, version: int, content: Mapping[str, Any], tensors: Mapping[str, Any]
) -> None:
    """Write the file at `path`, whole or not at all; `kind` says what it is of."""
    body = packed(tensors)
    head = {"format": kind, "version": version, "sha256": _digest(content, body), "content": content}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(DOCUMENT, _TIME), json.dumps(head, indent=1, allow_nan=False))
        archive.writestr(zipfile.ZipInfo(TENSORS, _TIME), body)
    write_atomically(path, out.getvalue())


def read_archive(path: str | os.PathLike[str], kind: str, version: int) -> Archive:
    """What is in the file at `path`, if it is whole, of this kind and of this version; else FormatError."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_entries(archive, kind)
            document, body = archive.read(DOCUMENT), archive.read(TENSORS)
        content = _content(document, body, kind, version)
        return Archive(content, unpacked(body))
    except FormatError as error:
        raise FormatError(f"{str(path)!r}: {error}") from None
    except OSError as error:
        raise FormatError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    except _BROKEN as error:
        raise FormatError(f"cannot read {str(path)!r}, expected a {kind}: {str(error)[:200] or 'damaged'}") from error


def is_archive(path: str | os.PathLike[str]) -> bool:
    """Whether the file at `path` is a zip with a document of ours in it, of whatever kind."""
    try:
        with zipfile.ZipFile(path) as archive:
            return DOCUMENT in archive.namelist()
    except (OSError, *_BROKEN):
        return False


def _check_entries(archive: zipfile.ZipFile, kind: str) -> None:
    entries = archive.infolist()
    names = [entry.filename for entry in entries]
    if sorted(names) != [DOCUMENT, TENSORS]:
        raise FormatError(f"it holds {shown(names)}, expected the entries of a {kind}, {DOCUMENT} and {TENSORS}")
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise FormatError(f"its entry {entry.filename} is compressed, expected to be stored as it is")
    if archive.getinfo(DOCUMENT).file_size > MAX_DOCUMENT:
        raise FormatError(f"its document takes more than {MAX_DOCUMENT} bytes")
    there = Path(str(archive.filename)).stat().st_size
    if sum(entry.file_size for entry in entries) > there:
        raise FormatError(f"its entries claim more than the {there} bytes of the file")


def _content(document: bytes, body: bytes, kind: str, version: int) -> dict[str, Any]:
    """The content of the document, when format, version and hash are right."""
    try:
        head = json.loads(document, parse_constant=_refuse)
    except RecursionError:
        raise FormatError("its document is nested too deep") from None
    keys = {"format", "version", "sha256", "content"}
    if not isinstance(head, dict) or set(head) != keys:
        raise FormatError(f"its document has {shown(head)}, expected {', '.join(sorted(keys))}")
    if head["format"] != kind:
        raise FormatError(f"it is a {shown(head['format'])}, expected a {kind!r}")
    if type(head["version"]) is not int or head["version"] != version:
        found = shown(head["version"])
        raise FormatError(
            f"its version is {found}, this graphdl reads {version}; the graphdl that wrote it can read it"
        )
    content = head["content"]
    if not isinstance(content, dict):
        raise FormatError(f"its content is {shown(content)}, expected an object")
    if head["sha256"] != _digest(content, body):
        raise FormatError("it is damaged: its hash is not the one it says")
    return content


def _refuse(constant: str) -> NoReturn:
    raise FormatError(f"{constant} is no JSON number")


def _digest(content: Mapping[str, Any], body: bytes) -> str:
    """SHA-256 over the content in one canonical text, and over the arrays."""
    try:
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except RecursionError:
        raise FormatError("its document is nested too deep") from None
    total = hashlib.sha256(canonical.encode())
    total.update(hashlib.sha256(body).digest())
    return total.hexdigest()
