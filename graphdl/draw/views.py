"""The views of one trace that a player switches between, all worked out beforehand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from graphdl.draw.blocks import blocks_title
from graphdl.draw.circuit import circuit_title
from graphdl.draw.diagram import Diagram
from graphdl.draw.drawing import Drawing
from graphdl.draw.graphviz import TIME_LIMIT
from graphdl.draw.grouping import Block, grouped, levels, scopes
from graphdl.draw.layout import Placed, Task, place_all
from graphdl.draw.model import MOST_OPS_IN_CIRCUIT, MOST_OPS_IN_RAILS, Frame, Trace
from graphdl.draw.rails import Rails
from graphdl.draw.repeats import folded
from graphdl.draw.scene import Scene
from graphdl.draw.style import LIGHT, Theme
from graphdl.draw.wrap import PAGE, PHONE

# Rows are of use where they make a picture so much narrower.
_NARROWER = 0.85
# Views with one scope open: so many at most, none with more ops in sight.
_MOST_OPEN = 24
_MOST_SHOWN = 60
# Ops times readers of one node: with more, the rails are nothing but lines.
_MOST_LINES = 10_000
_TITLES = {
    "circuit": {"en": "Circuit", "ko": "회로"},
    "rails": {"en": "Rails (gradient graph)", "ko": "레일 (기울기 그래프)"},
    "blocks": {"en": "Blocks", "ko": "블록"},
    "narrow": {"en": "Narrow page", "ko": "좁은 화면"},
    "deeper": {"en": "Blocks, {} scopes deep", "ko": "블록, 범위 {}단계"},
    "open": {"en": "{} open", "ko": "{} 펼침"},
}

Members = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class View:
    """One picture of the whole story: `members` are the nodes that each group of the scene stands for."""

    key: str
    title: dict[str, str]
    scene: Scene
    members: Members = field(default_factory=dict)


@dataclass(frozen=True)
class _Plan:
    """A view before its layout: the task of Graphviz, and what makes the scene of its answer."""

    key: str
    title: dict[str, str]
    task: Task
    scene: Callable[[Placed, float], Scene]
    members: Members


def views(
    trace: Trace, theme: Theme = LIGHT, time_limit: float = TIME_LIMIT, frame: Frame | None = None
) -> tuple[View, ...]:
    """The views that suit a trace, the first of which is to be shown first.

    circuit      the whole user's graph, up to 40 operations
    rails        the gradient graph below it, up to 300 operations
    blocks       a card for each scope; "blocks:2", "blocks:3" more scopes deep
    open:SCOPE   cards, except for the inside of SCOPE
    narrow       the first of these in rows as wide as the screen of a phone, where it is much wider
    return       scenes of `frame`, by default the complete one, with a place for all that any step shows

    `time_limit` is for all of Graphviz's work together; what it does not finish gets places of our own.
    """
    last = trace.frame()
    plans = list(_plans(_Story(trace, last, frame or Frame.complete(trace), theme)))
    placed = place_all([plan.task for plan in plans], time_limit)
    made = [View(p.key, p.title, p.scene(at, PAGE), p.members) for p, at in zip(plans, placed, strict=True)]
    if made[0].scene.width > PHONE:
        narrow = plans[0].scene(placed[0], PHONE)
        if narrow.width < _NARROWER * made[0].scene.width:
            made.append(View("narrow", _TITLES["narrow"], narrow, plans[0].members))
    return tuple(made)


@dataclass(frozen=True)
class _Story:
    """A trace, what is known at its end, and the moment and colours to draw."""

    trace: Trace
    last: Frame
    shown: Frame
    theme: Theme


def _plans(story: _Story) -> Iterator[_Plan]:
    trace, in_blocks = story.trace, list(_in_blocks(story))
    if trace.ops <= MOST_OPS_IN_CIRCUIT:
        yield _plan("circuit", _TITLES["circuit"], story, ())
    else:
        yield from in_blocks[:1]
    if trace.ops <= MOST_OPS_IN_RAILS and trace.backward and trace.ops * _widest_fork(trace) <= _MOST_LINES:
        yield _rails(story)
    yield from in_blocks[trace.ops > MOST_OPS_IN_CIRCUIT :]
    yield from _opened(story)


def _widest_fork(trace: Trace) -> int:
    """The most readers that a node of the user's graph has."""
    readers: dict[str, int] = {}
    for edge in trace.edges:
        readers[edge.source] = readers.get(edge.source, 0) + (edge.direction == "forward")
    return max(readers.values(), default=0)


def _rails(story: _Story) -> _Plan:
    plan = Rails(story.trace)
    members: Members = {node.id: (node.id,) for node in story.trace.nodes}

    def scene(placed: Placed, width: float) -> Scene:
        return plan.scene(placed, story.shown, story.theme, width)

    return _Plan("rails", _TITLES["rails"], plan.task, scene, members)


def _in_blocks(story: _Story) -> Iterator[_Plan]:
    """Blocks at each depth that shows something else than the depths before."""
    seen: list[list[tuple[str, ...]]] = []
    for depth in range(1, max(levels(story.trace), 1) + 1):
        found = folded(story.trace, grouped(story.trace, depth))
        nodes = [tuple(node.id for node in block.nodes) for block in found]
        if nodes in seen or not _is_worth(story.trace, found):
            continue
        seen.append(nodes)
        key, title = ("blocks", _TITLES["blocks"]) if depth == 1 else (f"blocks:{depth}", _titled("deeper", depth))
        yield _plan(key, title, story, found)


def _is_worth(trace: Trace, found: Sequence[Block]) -> bool:
    """Whether blocks say something: a small graph without scopes is no block."""
    return len(found) > 1 or trace.ops > MOST_OPS_IN_CIRCUIT or any(block.scope for block in found)


def _titled(kind: str, what: object) -> dict[str, str]:
    return {language: text.format(what) for language, text in _TITLES[kind].items()}


def _opened(story: _Story) -> Iterator[_Plan]:
    """Each scope alone open, the others folded as much as they can be."""
    for scope in _worth_opening(story.trace):
        found = folded(story.trace, grouped(story.trace, opened=scope))
        if any(block.scope for block in found):
            yield _plan(f"open:{scope}", _titled("open", scope), story, found)


def _worth_opening(trace: Trace) -> list[str]:
    """Scopes with some ops, and not too many; where there are many scopes, those that are not like others."""
    sizes: dict[str, int] = {}
    for node in trace.forward:
        names = node.scope.split("/") if node.inputs and node.scope else []
        for k in range(1, len(names) + 1):
            sizes["/".join(names[:k])] = sizes.get("/".join(names[:k]), 0) + 1
    found = [scope for scope in scopes(trace) if 1 < sizes[scope] <= _MOST_SHOWN]
    if len(found) <= _MOST_OPEN:
        return found
    cards = [
        end for block in folded(trace, grouped(trace)) for end in ([*block.parts[:1], *block.parts[-1:]] or [block])
    ]
    ends = {block.scope for block in cards}
    return [scope for scope in found if scope in ends][:_MOST_OPEN]


def _plan(key: str, title: dict[str, str], story: _Story, blocks: Sequence[Block]) -> _Plan:
    diagram = Diagram(story.trace, True, blocks, story.last)
    name = blocks_title(story.trace, diagram) if blocks else circuit_title(story.trace, diagram.backward)

    def scene(placed: Placed, width: float) -> Scene:
        return Drawing(diagram, placed, width).scene(name, story.shown, story.theme)

    return _Plan(key, title, (diagram.cells(), diagram.links()), scene, diagram.members())
