"""The words of the compiler's pages and pictures, in English and Korean."""

from __future__ import annotations

from html import escape
from typing import Literal

Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = ("en", "ko")

_KOREAN = {
    "before and after": "변환 전과 후",
    "nodes": "노드",
    "key": "범례",
    "removed": "사라짐",
    "added": "새로 생김",
    "rewired": "입력이 바뀜",
    "output": "출력",
    "buffer map": "버퍼 지도",
    "held at each line": "줄마다 쓰이는 메모리",
    "most at once": "최대 사용",
    "line": "줄",
    "line of the program": "프로그램의 줄",
    "value": "값",
    "value of the backward pass": "역전파의 값",
    "new value, written into its variable": "새 값: 변수에 바로 기록",
    "written over the value it reads": "읽은 값 위에 바로 기록",
    "{} smaller buffers are left out": "더 작은 버퍼 {}개는 생략",
    "before": "전",
    "after": "후",
    "both": "함께",
    "change": "변화",
    "FLOPs": "연산 수",
    "bytes moved": "읽고 쓴 바이트",
    "before the passes": "패스 전",
    "after them": "패스 후",
    "firing": "변환",
    "firings": "변환",
    "pass": "패스",
    "passes": "패스",
    "step": "단계",
    "at": "위치:",
    "written at": "작성된 곳:",
    "what it does": "하는 일",
    "nodes after it": "남은 노드",
    "nodes after each firing": "변환할 때마다의 노드 수",
    "in the body of a loop, which counts as one node here": "반복문의 몸체 안: 여기서는 반복문이 노드 하나",
    "loops give what is read": "반복문은 읽히는 결과만 냄",
    "no rule fired": "적용된 규칙 없음",
    "besides, equal constants and sizes are kept once": "이 밖에 같은 상수와 크기를 하나로 합침",
    "besides firings": "이 밖의 변화",
    "this picture was left out to keep the page small": "페이지를 작게 유지하려고 이 그림은 생략",
    "exact-bits": "비트까지 같음",
    "exact-real": "실수로서 같음",
    "stabilise": "수치 안정화",
    "theme": "테마",
    "language": "언어",
    "workspace in bytes": "작업 공간(바이트)",
    "fit": "맞춤",
    "rows are buffers, bars are values; on top the bytes held": "행은 버퍼, 막대는 값, 맨 위는 쓰이는 바이트",
    "no picture: so many new nodes are better seen in the views of the graph": "그림 생략: 새 노드가 많음",
    "close": "닫기",
    "counted at": "다음 크기로 계산:",
    "point at a number for its polynomial": "숫자를 가리키면 다항식이 보입니다",
    "node and line": "노드와 프로그램 줄",
    "choose a node, a bar or a line": "노드, 막대, 줄을 고르세요",
    "the program's step": "프로그램의 한 단계",
    "lines left out": "생략한 줄",
    "before the chain rule: no overflow, no cancellation": "연쇄 법칙 전: 오버플로와 자릿수 손실 방지",
    "gradients, metrics and updates are built": "기울기, 지표, 갱신을 만듦",
    "no overflow, no cancellation": "오버플로와 자릿수 손실 방지",
    "constants computed now": "상수는 미리 계산",
    "zeros, ones, signs, plumbing": "0과 1, 부호, 모양 바꾸기 정리",
    "common subexpressions": "공통 부분식 합치기",
    "n-ary sums as running totals": "여러 항의 합을 누적 합으로",
    "bias added in place, no copies": "편향을 제자리에서 더하고 복사하지 않음",
    "small variables updated in one call": "작은 변수들을 한 번에 갱신",
    "what the compiler makes of it": "컴파일러가 하는 일",
    "rewrite rules": "변환 규칙",
    "contents": "차례",
    "each picture was made by firing the rule": "모든 그림은 규칙을 실제로 적용하여 그린 것",
    "one such rule for each of": "다음 연산마다 이런 규칙이 하나씩:",
    "where": "조건 선택",
    "algebra": "대수",
    "shapes": "모양",
    "pooling": "풀링",
    "fuse": "융합",
    "always: right where the formula as typed is not": "언제나: 적은 그대로의 식이 틀리는 곳에서도 옳음",
    "always: a branch that is not chosen never meets infinity": "언제나: 선택되지 않은 가지는 무한대를 만나지 않음",
    "from level 1: what the chain rule leaves behind": "수준 1부터: 연쇄 법칙이 남긴 것",
    "from level 1: plumbing that cancels": "수준 1부터: 서로 지워지는 모양 바꾸기",
    "from level 1: the largest of a window is found first": "수준 1부터: 창에서 가장 큰 원소를 먼저 찾음",
    "from level 2: fewer passes over memory, the same bits": "수준 2부터: 메모리를 덜 오가며 비트는 그대로",
    "rewrites that are more than a pattern": "무늬 하나로 적을 수 없는 변환",
    "{} more changed nodes are left out": "바뀐 노드 {}개는 그림에서 생략",
    "{} unchanged nodes are left out": "그대로인 노드 {}개는 그림에서 생략",
}
_ENGLISH = {
    "exact-bits": "same bits",
    "exact-real": "same real number",
    "stabilise": "stabilises",
    "at": "in the place of",
    "what the compiler makes of it": "What the compiler makes of it",
    "removed": "gone",
    "added": "new",
    "rewired": "reads something else",
}


def word(text: str, language: Language) -> str:
    """`text`, which is its own key, in the language."""
    return _KOREAN.get(text, text) if language == "ko" else _ENGLISH.get(text, text)


def both(text: str) -> str:
    """`text` in both languages as HTML, of which a page shows one."""
    english, korean = (escape(word(text, language)) for language in LANGUAGES)
    return f'<span class="en">{english}</span><span class="ko" lang="ko">{korean}</span>'


def keys() -> tuple[str, ...]:
    """Every text there is a Korean one for."""
    return tuple(_KOREAN)
