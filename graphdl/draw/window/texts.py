"""What the picture of a convolution says, in English and Korean."""

from __future__ import annotations

from collections.abc import Mapping

from graphdl.draw.style import one_line
from graphdl.draw.window.plan import Plan
from graphdl.draw.window.seen import Seen

Text = Mapping[str, str]

# The grids' titles in each part: what is known, and what is being filled.
_TITLES = {
    "y": {
        "x": {"en": "image x, channel {}", "ko": "이미지 x, 채널 {}"},
        "k": {"en": "kernel K: a column a filter", "ko": "커널 K: 필터마다 한 열"},
        "a": {"en": "im2col: a row for each window", "ko": "im2col: 윈도마다 한 행"},
        "y": {"en": "y = im2col · K", "ko": "y = im2col · K"},
        "m": {"en": "output y, filter {}", "ko": "출력 y, 필터 {}"},
    },
    "K": {
        "x": {"en": "image x, channel {}", "ko": "이미지 x, 채널 {}"},
        "k": {"en": "∂L/∂K = im2colᵀ · ∂L/∂y", "ko": "∂L/∂K = im2colᵀ · ∂L/∂y"},
        "a": {"en": "im2col: a row for each window", "ko": "im2col: 윈도마다 한 행"},
        "y": {"en": "∂L/∂y, as rows", "ko": "∂L/∂y의 행"},
        "m": {"en": "∂L/∂y, filter {}", "ko": "∂L/∂y, 필터 {}"},
    },
    "x": {
        "x": {"en": "∂L/∂x, channel {}", "ko": "∂L/∂x, 채널 {}"},
        "k": {"en": "kernel K: a column a filter", "ko": "커널 K: 필터마다 한 열"},
        "a": {"en": "∂L/∂y · Kᵀ: a row for each window", "ko": "∂L/∂y · Kᵀ: 윈도마다 한 행"},
        "y": {"en": "∂L/∂y, as rows", "ko": "∂L/∂y의 행"},
        "m": {"en": "∂L/∂y, filter {}", "ko": "∂L/∂y, 필터 {}"},
    },
}
_CAPTIONS = {
    "y": {
        "en": "Forward, window {number} of {windows}: what it sees, {size} numbers, is a row of the matrix; the row "
        "times each column of the kernel is the output at {place}.",
        "ko": "순전파, 윈도 {number}/{windows}: 윈도가 보는 숫자 {size}개가 행렬의 한 행. "
        "이 행과 커널의 각 열의 곱이 {place} 위치의 출력.",
    },
    "K": {
        "en": "Gradient of the kernel, window {number} of {windows}: what the window saw, times the gradient at "
        "{place}, is added. The same weights are used at every place, so their gradients are summed.",
        "ko": "커널의 기울기, 윈도 {number}/{windows}: 윈도가 본 값과 {place} 위치의 기울기의 곱을 더함. "
        "모든 위치에서 같은 가중치를 쓰므로 기울기도 합산.",
    },
    "x": {
        "en": "Gradient of the image, window {number} of {windows}: the gradient at {place} times the kernel goes back "
        "to the pixels the window saw, and is added where windows overlap.",
        "ko": "이미지의 기울기, 윈도 {number}/{windows}: {place} 위치의 기울기와 커널의 곱을 "
        "윈도가 본 픽셀로 돌려보내고, 윈도가 겹치는 곳에서는 더함.",
    },
}
_BATCH = {
    "en": " This is one image of {examples}; the gradient of the batch is the sum over them.",
    "ko": " 이미지 {examples}개 중 하나의 몫이며, 배치의 기울기는 그 합.",
}
_FACTS = {
    "en": "image {image}, window {window}, filters {filters}, strides {strides}, padding {pads}, dilation {dilation}",
    "ko": "이미지 {image}, 윈도 {window}, 필터 {filters}, 스트라이드 {strides}, 패딩 {pads}, 딜레이션 {dilation}",
}
_LEFT_OUT = {
    "en": "Left out: {}.",
    "ko": "생략: {}.",
}
_COUNTED = {
    "channels": {"en": "{} of the channels", "ko": "채널 {}개"},
    "filters": {"en": "{} of the filters", "ko": "필터 {}개"},
    "columns": {"en": "{} of the columns of im2col", "ko": "im2col의 열 {}개"},
    "groups": {"en": "{} of the groups of channels", "ko": "채널 그룹 {}개"},
}
LANGUAGES = ("en", "ko")


def titles(plan: Plan, part: str) -> dict[str, Text]:
    """The title of each grid, by its slot."""
    found: dict[str, Text] = {}
    for grid in plan.grids:
        text = _TITLES[part][grid.name[0]]
        number = grid.name[1:]
        found[f"title.{grid.name}"] = {language: text[language].format(number) for language in LANGUAGES}
    return found


def caption(seen: Seen, part: str) -> Text:
    """What happens at a window; {number} and {place} are still to be said."""
    sizes = {"windows": seen.windows, "size": seen.rows.shape[1], "number": "{number}", "place": "{place}"}
    said = {language: _CAPTIONS[part][language].format(**sizes) for language in LANGUAGES}
    if part == "K" and seen.examples > 1:
        said = {language: said[language] + _BATCH[language].format(examples=seen.examples) for language in LANGUAGES}
    return said


def told(text: str, seen: Seen, window: int) -> str:
    """A caption with its window."""
    return text.format(number=window + 1, place=seen.at(window))


def facts(plan: Plan) -> Text:
    """Sizes, and what there is no room for."""
    seen = plan.seen
    slots = {
        "image": " × ".join(map(str, seen.image.shape)),
        "window": " × ".join(map(str, seen.kernel.shape[:2])),
        "filters": seen.kernel.shape[3],
        "strides": seen.op.strides,
        "pads": seen.op.pads,
        "dilation": seen.op.dilation,
    }
    return {language: f"{_FACTS[language].format(**slots)}. {_left_out(plan, language)}" for language in LANGUAGES}


def _left_out(plan: Plan, language: str) -> str:
    seen = plan.seen
    counts = {
        "channels": seen.image.shape[2] - len(plan.channels),
        "filters": seen.kernel.shape[3] - len(plan.filters),
        "columns": seen.rows.shape[1] - len(plan.columns),
        "groups": seen.op.groups - 1,
    }
    parts = [_COUNTED[what][language].format(count) for what, count in counts.items() if count]
    return _LEFT_OUT[language].format(", ".join(parts)) if parts else ""


def heading(seen: Seen) -> str:
    """The name of the convolution."""
    return one_line(seen.name, 80)
