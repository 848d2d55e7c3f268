"""What is said about each step, in English and Korean: templates with the same slots.

Korean avoids particles behind symbols, whose choice depends on how a symbol is read aloud.
"""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES = ("en", "ko")

CAPTIONS: dict[str, dict[str, str]] = {
    "graph": {
        "en": "The graph of {loss}: operations {ops}, leaves {leaves}.",
        "ko": "계산 그래프, 결과 {loss}: 연산 {ops}개, 입력 {leaves}개.",
    },
    "feed": {
        "en": "The leaves have values: {symbols}.",
        "ko": "입력값 설정: {symbols}.",
    },
    "forward": {
        "en": "Forward: {symbol} = {formula}{value}.",
        "ko": "순전파: {symbol} = {formula}{value}.",
    },
    "loss": {
        "en": "The end of the forward pass: {symbol} = {formula}{value}.",
        "ko": "순전파의 끝: {symbol} = {formula}{value}.",
    },
    "seed": {
        "en": "Backward starts with the derivative of {symbol} for itself, which is {value}.",
        "ko": "역전파의 시작, 자기 자신에 대한 미분: ∂{symbol}/∂{symbol} = {value}.",
    },
    "backward": {
        "en": "Backward through {symbol} = {formula}: upstream gradient times local derivative{role}.",
        "ko": "역전파, {symbol} = {formula}: 상류 기울기 × 국소 미분{role}.",
    },
    "accumulate": {
        "en": " {symbol} is used {count} times, so its gradients are added.",
        "ko": " {symbol}: 사용 횟수 {count}, 기울기를 모두 합산.",
    },
    "copied": {
        "en": " {symbol} was copied, {shapes}, going forward, so the gradients of its copies are added.",
        "ko": " {symbol}: 순전파에서 {shapes} 복사, 역전파에서 기울기 합산.",
    },
    "local": {
        "en": "The local derivative: {rule}.",
        "ko": "국소 미분: {rule}.",
    },
    "multiply": {
        "en": "What is sent back: {chain}{numbers}.",
        "ko": "하류로 보내는 기울기: {chain}{numbers}.",
    },
    "arrival": {
        "en": "Gradients of a value that is used several times are added, {downstream}: {arrival}.",
        "ko": "여러 번 쓰인 값의 기울기 합산, {downstream}: {arrival}.",
    },
    "many forward": {
        "en": "Forward{where}: {count} operations.",
        "ko": "순전파{where}: 연산 {count}개.",
    },
    "many backward": {
        "en": "Backward{where}: the chain rule at {count} operations.",
        "ko": "역전파{where}: 연산 {count}개에 연쇄 법칙.",
    },
    "many update": {
        "en": "Update{where}: {count} variables have new values; what was computed from the old ones is stale.",
        "ko": "갱신{where}: 변수 {count}개의 새 값. 옛 값에서 계산된 것은 다음 실행까지 옛 값.",
    },
    "found": {
        "en": " {gradients}.",
        "ko": " {gradients}.",
    },
    "summary": {
        "en": "The gradients: {gradients}.",
        "ko": "기울기: {gradients}.",
    },
    "zero": {
        "en": " Note: {reason}.",
        "ko": " 참고: {reason}.",
    },
    "update": {
        "en": "Update {symbol}{change}. Everything computed from it is stale until the next run.",
        "ko": "갱신 {symbol}{change}. 이 변수에서 계산된 값은 다음 실행까지 옛 값.",
    },
    "again": {
        "en": "Run again with the new values. {change}.",
        "ko": "새 값으로 다시 실행. {change}.",
    },
}

# One word for what a gate does to gradients.
ROLES: dict[str, dict[str, str]] = {
    "distribute": {"en": "distribute", "ko": "분배"},
    "swap": {"en": "swap", "ko": "교환"},
    "route": {"en": "route", "ko": "선택"},
    "scale": {"en": "scale", "ko": "스케일"},
    "sum": {"en": "sum", "ko": "합산"},
    "broadcast": {"en": "broadcast", "ko": "복사"},
}


def caption(key: str, **slots: str | int) -> dict[str, str]:
    """The sentence for `key` in each language."""
    return {language: CAPTIONS[key][language].format(**slots) for language in LANGUAGES}


def with_role(key: str, role: str, **slots: str | int) -> dict[str, str]:
    """As `caption`, with the word for the role of the gate in its slot."""
    words = ROLES.get(role)
    return {
        language: CAPTIONS[key][language].format(role=f" ({words[language]})" if words else "", **slots)
        for language in LANGUAGES
    }


def joined(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """One sentence behind the other."""
    return {language: one[language] + other[language] for language in LANGUAGES}
