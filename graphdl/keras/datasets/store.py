"""Files of data sets: fetched once from their public homes, checked, and kept in a folder of the user's."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from graphdl.errors import DataError, WriteError
from graphdl.files import write_atomically

# Where Keras' own copies are.
KERAS = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_TIMEOUT = 30.0
_MOST_BYTES = 2 << 30


def folder() -> Path:
    """Where data sets are kept: ``datasets`` in $GRAPHDL_HOME, $KERAS_HOME, or the user's cache folder."""
    for name in ("GRAPHDL_HOME", "KERAS_HOME"):
        if os.environ.get(name):
            return Path(os.environ[name]).expanduser() / "datasets"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "graphdl" / "datasets"


def fetch(name: str, url: str, digest: str | None) -> Path:
    """The file `name`, which is downloaded from `url` where it is not there already.

    `digest` is its SHA-256, or its MD5 where no other is published. DataError where it cannot be had, with what to do;
    a file with another digest is never used.
    """
    path = folder() / name
    if path.is_file() and _matches(path.read_bytes(), digest):
        return path
    content = _downloaded(name, url, path, digest)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"cannot write {str(path)!r}: {error.strerror}; set GRAPHDL_HOME to another folder") from error
    return write_atomically(path, content)


def _downloaded(name: str, url: str, path: Path, digest: str | None) -> bytes:
    # Not imported at the top: most who import keras download nothing.
    import http.client
    import urllib.request

    if not url.startswith(("https://", "http://")):
        raise DataError(f"{name} is to come from {url!r}, expected an address on the web")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
            content: bytes = answer.read(_MOST_BYTES + 1)
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(
            f"cannot download {name} from {url}: {reason}. Fetch it on a machine that is online and put it at {path}, "
            f"or set GRAPHDL_HOME to a folder that has datasets/{name}{_expected(digest)}"
        ) from None
    if len(content) > _MOST_BYTES:
        raise DataError(f"{url} gives more than {_MOST_BYTES} bytes")
    if not _matches(content, digest):
        raise DataError(
            f"{url} gave {len(content)} bytes with the digest {_hashed(content, digest)}{_expected(digest)}; "
            "the download was cut short, or the file there is another one"
        )
    return content


def _matches(content: bytes, digest: str | None) -> bool:
    return digest is None or _hashed(content, digest) == digest


def _hashed(content: bytes, digest: str | None) -> str:
    if digest is not None and len(digest) == 32:
        return hashlib.md5(content, usedforsecurity=False).hexdigest()
    return hashlib.sha256(content).hexdigest()


def _expected(digest: str | None) -> str:
    if digest is None:
        return ""
    return f" ({'MD5' if len(digest) == 32 else 'SHA-256'} {digest})"
