"""TensorBoard's event files, written by hand: records with checksums, and the protocol buffers inside them.

The formats are public: TFRecord frames (length, masked CRC-32C of it, data, masked CRC-32C of them) and the messages
Event, Summary, HistogramProto, GraphDef and NodeDef, of which only the fields written here are named.
"""

from __future__ import annotations

import itertools
import os
import socket
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from graphdl.errors import FormatError, WriteError

Array = np.ndarray[Any, Any]

# The polynomial of Castagnoli, bits reversed (RFC 3720, appendix B.4).
_POLYNOMIAL = 0x82F63B78
_MASK_DELTA = 0xA282EAD8
_VERSION = "brain.Event:2"
_numbers = itertools.count()


@cache
def _table() -> tuple[int, ...]:
    def entry(value: int) -> int:
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        return value

    return tuple(map(entry, range(256)))


def crc32c(data: bytes) -> int:
    """CRC-32C of `data`.

    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """The checksum as records keep it, so that a checksum over checksums is not zero."""
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & 0xFFFFFFFF


def record(data: bytes) -> bytes:
    """`data` in a TFRecord frame."""
    length = struct.pack("<Q", len(data))
    return b"".join([length, _checksum(length), data, _checksum(data)])


def records(content: bytes) -> Iterator[bytes]:
    """What the frames of a file hold; FormatError where a checksum is wrong. An unfinished last frame is left out."""
    place = 0
    while place + 12 <= len(content):
        head, check = content[place : place + 8], content[place + 8 : place + 12]
        (length,) = struct.unpack("<Q", head)
        end = place + 12 + length
        if check != _checksum(head):
            raise FormatError(f"the length of the record at byte {place} has a wrong checksum")
        if end + 4 > len(content):
            return
        data = content[place + 12 : end]
        if content[end : end + 4] != _checksum(data):
            raise FormatError(f"the record at byte {place} has a wrong checksum")
        yield data
        place = end + 4


def _checksum(data: bytes) -> bytes:
    return struct.pack("<I", masked(crc32c(data)))


class EventFile:
    """A file of events in the folder `folder`, which TensorBoard finds by its name."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        name = f"{int(time.time()):010d}.{_host()}.{os.getpid()}.{next(_numbers)}"
        self.path = self.folder / f"events.out.tfevents.{name}.v2"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO = self.path.open("wb")
        except OSError as error:
            raise WriteError(f"cannot write {str(self.path)!r}: {error.strerror}") from error
        self._write(_text(3, _VERSION), 0)

    def scalars(self, values: Mapping[str, float], step: int) -> None:
        """A number for each name."""
        self._summary((_text(1, name) + _float(2, value) for name, value in values.items()), step)

    def histograms(self, arrays: Mapping[str, Array], step: int) -> None:
        """The distribution of the numbers of each array; those that are not finite are left out."""
        self._summary((_text(1, name) + _message(5, histogram(array)) for name, array in arrays.items()), step)

    def graph(self, nodes: Sequence[GraphNode]) -> None:
        """The graph that TensorBoard draws."""
        content = b"".join(_message(1, _node(node)) for node in nodes)
        self._write(_message(4, content + _message(4, _integer(1, 22))), 0)

    def flush(self) -> None:
        """Let readers see what was written."""
        self._file.flush()

    def close(self) -> None:
        """Write what is left."""
        self._file.close()

    def _summary(self, values: Iterator[bytes], step: int) -> None:
        self._write(_message(5, b"".join(_message(1, value) for value in values)), step)

    def _write(self, what: bytes, step: int) -> None:
        event = _double(1, time.time()) + (_integer(2, step) if step else b"") + what
        try:
            self._file.write(record(event))
        except OSError as error:
            raise WriteError(f"cannot write {str(self.path)!r}: {error.strerror}") from error


class GraphNode:
    """A node of the graph as TensorBoard draws it: `name` has scopes with slashes, `inputs` are names."""

    def __init__(self, name: str, op: str, inputs: Sequence[str] = (), shape: Sequence[int | None] | None = ()) -> None:
        self.name, self.op, self.inputs, self.shape = name, op, inputs, shape


def _node(node: GraphNode) -> bytes:
    """A NodeDef with the shape of its result, where it has one."""
    parts = [_text(1, node.name), _text(2, node.op), *(_text(3, name) for name in node.inputs)]
    if node.shape is not None:
        sizes = b"".join(_message(2, _integer(1, -1 if size is None else size)) for size in node.shape)
        # An AttrValue with a list of one TensorShapeProto.
        value = _message(1, _message(7, sizes))
        parts.append(_message(5, _text(1, "_output_shapes") + _message(2, value)))
    return b"".join(parts)


def histogram(array: Any, bins: int = 30) -> bytes:
    """A HistogramProto: least, greatest, count, sum, sum of squares, upper edges of the bins, counts."""
    values = np.asarray(array, "float64").reshape(-1)
    values = values[np.isfinite(values)]
    if not values.size:
        values = np.zeros(0)
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    counts, edges = np.histogram(values, bins, (low, high if high > low else low + 1))
    numbers = [low, high, float(values.size), float(values.sum()), float(np.square(values).sum())]
    head = b"".join(_double(field, number) for field, number in enumerate(numbers, start=1))
    return head + _doubles(6, edges[1:]) + _doubles(7, counts)


def _host() -> str:
    """The name of the machine, as far as a file name can hold it."""
    return "".join(c if c.isalnum() or c == "-" else "_" for c in socket.gethostname())[:60] or "localhost"


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; negative numbers as their complement to 2**64."""
    value &= 2**64 - 1
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def _key(field: int, kind: int) -> bytes:
    return _varint(field << 3 | kind)


def _integer(field: int, value: int) -> bytes:
    return _key(field, 0) + _varint(value)


def _double(field: int, value: float) -> bytes:
    return _key(field, 1) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    with np.errstate(over="ignore"):
        content: bytes = np.asarray(value, "<f4").tobytes()
    return _key(field, 5) + content


def _message(field: int, content: bytes) -> bytes:
    return _key(field, 2) + _varint(len(content)) + content


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode("utf-8", "replace"))


def _doubles(field: int, values: Any) -> bytes:
    return _message(field, np.asarray(values, "<f8").tobytes())
