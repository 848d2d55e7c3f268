"""`graphdl doctor`: what is installed, what works, and what the bits of a result depend on."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from graphdl_cli.command import command
from graphdl_cli.failures import Failed

_CORE = ("numpy", "sympy", "networkx", "pygraphviz", "click")
_EXTRAS = {"scikit-learn": "data", "threadpoolctl": "doctor", "pillow": "pictures"}
# What decides which instructions, in which order, a product of matrices takes.
_DECISIVE = ("OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


_UNKNOWN = "not known without threadpoolctl: pip install 'graphdl[doctor]'"


class Finding(NamedTuple):
    """A line of the report; `ok` is None for what is neither right nor wrong."""

    title: str
    text: str
    ok: bool | None = None


@command("doctor")
def doctor() -> None:
    """Report versions, BLAS, threads, Graphviz, fonts and GPU. Exit status 1 says that something is broken."""
    broken = []
    for section, findings in _SECTIONS.items():
        click.secho(section, bold=True)
        for finding in findings():
            mark = {True: click.style("ok", fg="green"), False: click.style("BROKEN", fg="red"), None: ""}[finding.ok]
            click.echo(f"  {finding.title:<24}{finding.text}  {mark}".rstrip())
            if finding.ok is False:
                broken.append(finding.title)
    if broken:
        raise Failed(f"broken: {', '.join(broken)}")


def _versions() -> Iterator[Finding]:
    yield Finding("python", f"{platform.python_version()} at {sys.executable}")
    yield Finding("machine", f"{platform.platform()}, {os.cpu_count()} processors")
    yield Finding("graphdl", _version("graphdl") or "not installed; it runs from a folder")
    for package in _CORE:
        version = _version(package)
        yield Finding(package, version or f"missing: pip install {package}", None if version else False)
    for package, extra in _EXTRAS.items():
        yield Finding(package, _version(package) or f"not installed, optional: pip install 'graphdl[{extra}]'")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _arithmetic() -> Iterator[Finding]:
    import numpy as np

    np.ones((2, 2)) @ np.ones((2, 2))  # loads the library that is asked about
    pools = _pools()
    if not pools:
        blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        yield Finding("BLAS", f"{blas.get('name')} {blas.get('version')}, as NumPy was built")
        yield Finding("kernel, threads", _UNKNOWN if pools is None else "not known to threadpoolctl for this library")
    for pool in pools or ():
        yield Finding("BLAS", f"{pool['internal_api']} {pool.get('version')} at {pool['filepath']}")
        yield Finding("kernel", f"{pool.get('architecture', 'not known')}")
        yield Finding("threads", f"{pool['num_threads']}")
    for name in _DECISIVE:
        if name in os.environ:
            yield Finding(name, os.environ[name])
    yield Finding("bits", "equal on one machine with one NumPy and one number of threads; across machines, set")
    yield Finding("", "OPENBLAS_CORETYPE (as Haswell) and OPENBLAS_NUM_THREADS=1 on both")


def _pools() -> list[dict[str, Any]] | None:
    """The BLAS libraries in this process; None where threadpoolctl is not there to tell."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return None
    return [pool for pool in threadpool_info() if pool["user_api"] == "blas"]


def _program() -> Iterator[Finding]:
    """Whether a gradient is differentiated, compiled and run."""
    import graphdl as gd

    try:
        x = gd.placeholder((), name="x")
        slope = gd.Session().run(gd.gradients(gd.square(x), x), {x: 3.0})
        yield Finding("d x^2 / d x at 3", f"{slope:g}", ok=bool(slope == 6))
    except Exception as error:
        yield Finding("d x^2 / d x at 3", f"{type(error).__name__}: {error}", ok=False)


def _pictures() -> Iterator[Finding]:
    yield _graphviz()
    yield Finding("Korean font", _korean_font())
    yield Finding("terminal", f"{sys.stdout.encoding}, {shutil.get_terminal_size().columns} columns")


def _graphviz() -> Finding:
    from graphdl.draw import graphviz
    from graphdl.errors import DrawError

    try:
        picture = graphviz.run("digraph { a -> b }", "dot", "png")
    except DrawError as error:
        return Finding("Graphviz", f"{error}; without it there is SVG, and no PNG and PDF", ok=False)
    return Finding("Graphviz", f"draws a PNG of {len(picture)} bytes", ok=picture.startswith(b"\x89PNG"))


def _korean_font() -> str:
    """A font that has 가, as fontconfig knows it; PNG and PDF need one, an SVG is drawn with the viewer's fonts."""
    if shutil.which("fc-list") is None:
        return "not known: fc-list is not installed"
    listed = subprocess.run(["fc-list", ":lang=ko", "family"], capture_output=True, text=True, timeout=20, check=False)
    families = sorted(line for line in listed.stdout.splitlines() if line)
    if not families:
        return "none, so Korean names are boxes in PNG and PDF; install one, as fonts-nanum"
    return families[0] + (f" and {len(families) - 1} more" if families[1:] else "")


def _gpu() -> Iterator[Finding]:
    if importlib.util.find_spec("cupy") is None:
        yield Finding("CuPy", "not installed, optional: pip install 'graphdl[gpu]'")
        return
    try:
        import cupy

        name = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
        yield Finding("CuPy", f"{cupy.__version__} on {name}", ok=True)
    except Exception as error:  # CuPy has errors of its own for drivers, devices and libraries
        yield Finding("CuPy", f"installed, but finds no device: {error}")


_SECTIONS = {
    "Versions": _versions,
    "Arithmetic": _arithmetic,
    "Programs": _program,
    "Pictures": _pictures,
    "GPU": _gpu,
}
