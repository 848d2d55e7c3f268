"""What a sheet says between its formulas, in English and Korean: templates with the same slots.

Formulas inside a sentence stand between ⟦ and ⟧, names as they are typed between ⟪ and ⟫.
Korean avoids particles behind symbols, whose choice depends on how a symbol is read aloud.
"""

from __future__ import annotations

from graphdl.sheet.model import Block, Formula, Row, Said, Section, Strip, Table, Words

WORDS: dict[str, Said] = {
    "title": {"en": "Derivation of {partials}", "ko": "{partials} 유도"},
    "question": {"en": "Question", "ko": "문제"},
    "wanted": {
        "en": "How does {loss} change with a little change of {symbol}? Wanted:",
        "ko": "{symbol} 값을 조금 바꾸면 {loss} 값은 얼마나 변하는가? 구할 것:",
    },
    "element": {
        "en": "{symbol} is the element {code} of {name}; Python counts from 0, the indices of formulas from 1.",
        "ko": "{symbol}: {name}의 원소 {code}. 파이썬 첨자는 0부터, 수식 첨자는 1부터.",
    },
    "elements": {
        "en": "Elements of arrays are written with small letters and indices from 1: an array ⟦W1⟧ has the element "
        "⟦w⁽¹⁾₁₂⟧ in its first row and second column. Axes of length 1 have no index.",
        "ko": "배열의 원소는 소문자와 1부터 세는 첨자로 표기: 배열 ⟦W1⟧의 1행 2열은 ⟦w⁽¹⁾₁₂⟧. 길이가 1인 축에는 "
        "첨자 없음.",
    },
    "given": {"en": "Given", "ko": "주어진 값"},
    "symbol": {"en": "symbol", "ko": "기호"},
    "name": {"en": "in the file", "ko": "파일의 이름"},
    "kind": {"en": "what it is", "ko": "종류"},
    "shape": {"en": "shape", "ko": "모양"},
    "values": {"en": "value, or elements", "ko": "값 또는 원소"},
    "value": {"en": "value", "ko": "값"},
    "placeholder": {"en": "input", "ko": "입력"},
    "variable": {"en": "weight", "ko": "가중치"},
    "constant": {"en": "constant", "ko": "상수"},
    "noise": {"en": "random, as drawn", "ko": "난수(뽑힌 값)"},
    "size": {"en": "size", "ko": "크기"},
    "no numbers": {
        "en": "No values are given, so the derivation is in symbols only.",
        "ko": "주어진 값이 없으므로 기호로만 유도.",
    },
    "one example": {
        "en": "The batch size is not known; the formulas are for one example.",
        "ko": "배치 크기를 알 수 없으므로 예제 하나에 대한 수식.",
    },
    "stabilised": {
        "en": "The loss was rewritten in a form that does not overflow before it was differentiated: {rules}.",
        "ko": "미분하기 전에 오버플로가 없는 형태로 손실을 다시 씀: {rules}.",
    },
    "forward": {"en": "Forward", "ko": "순전파"},
    "forward marked": {
        "en": "In order; what lies between {symbol} and {loss} is marked.",
        "ko": "계산 순서. {symbol}에서 {loss}까지의 경로에 있는 줄을 표시.",
    },
    "step": {"en": "step", "ko": "단계"},
    "equation": {"en": "equation", "ko": "식"},
    "numbers": {"en": "with the numbers put in", "ko": "값 대입"},
    "way": {"en": "The way from {symbol} to {loss}", "ko": "{symbol}에서 {loss}까지의 경로"},
    "way said": {
        "en": "Values above, gradients below; at each arrow the local derivative.",
        "ko": "위: 값, 아래: 기울기. 화살표: 국소 미분.",
    },
    "local": {"en": "local derivative", "ko": "국소 미분"},
    "gradient": {"en": "gradient", "ko": "기울기"},
    "reverse": {"en": "Reverse accumulation", "ko": "역방향 누적(역전파)"},
    "reverse said": {
        "en": "From the loss backwards: what has arrived from above (upstream) times the local derivative, starting "
        "with {seed}.",
        "ko": "손실에서 거꾸로: 상류 기울기 × 국소 미분. 시작: {seed}.",
    },
    "at": {"en": "Gradient for {symbol}", "ko": "{symbol}의 기울기"},
    "fork": {
        "en": "Gradient for {symbol}, which is used {count} times: {count} gradients arrive and are added",
        "ko": "{symbol}의 기울기. 사용 횟수 {count}: 도착한 기울기 {count}개를 합산",
    },
    "copied": {
        "en": "Gradient for {symbol}, which was copied going forward: the gradients of its copies are added",
        "ko": "{symbol}의 기울기. 순전파에서 복사됨: 복사본의 기울기를 합산",
    },
    "paths": {"en": "Sum over paths", "ko": "경로의 합"},
    "paths said": {
        "en": "The same derivative, path by path: along each of the {count} ways from {symbol} to {loss} the local "
        "derivatives are multiplied, and the products are added.",
        "ko": "같은 미분을 경로별로 계산: {symbol}에서 {loss}까지 경로 {count}개, 각 경로의 국소 미분을 곱하고 모두 "
        "합산.",
    },
    "one path": {
        "en": "Only one way leads from {symbol} to {loss}, so the derivative is the product of the local "
        "derivatives along it.",
        "ko": "{symbol}에서 {loss}까지 경로는 하나이므로, 미분은 그 경로의 국소 미분을 모두 곱한 값.",
    },
    "path": {"en": "Path {number}", "ko": "경로 {number}"},
    "the path": {"en": "The path", "ko": "경로"},
    "sum of paths": {"en": "All paths together", "ko": "모든 경로의 합"},
    "many paths": {
        "en": "From {symbol} to {loss} there are {count} paths. Multiplying along each would repeat the same "
        "products again and again: what two paths have in common is worked out once for each of them. Reverse "
        "accumulation multiplies once at each of the {edges} connections on the way, since a quantity adds up all "
        "that arrives at it before it passes the sum on. The paths were counted in the same manner, without walking "
        "them.",
        "ko": "{symbol}에서 {loss}까지 경로는 {count}개. 경로마다 곱하면 공통 부분을 매번 다시 계산하게 됨. 역방향 "
        "누적은 각 값에 도착한 기울기를 먼저 모두 더한 뒤 넘기므로, 경로에 있는 연결 {edges}개마다 한 번만 곱함. "
        "경로의 수도 같은 방법으로 경로를 따라가지 않고 계산.",
    },
    "many ways": {
        "en": "Number by number, so many ways lead from one element to {loss}. They are not walked: what two of "
        "them have in common would be multiplied again for each. Reverse accumulation adds up all that arrives at "
        "an array before it goes on, so {edges} array operations give the gradients of all elements at once. The "
        "ways were counted in the same manner: each number has as many as all that read it have together.",
        "ko": "원소 하나하나로 보면 원소 하나에서 {loss}까지의 경로 수는 위와 같음. 경로마다 공통 부분을 다시 "
        "곱하게 되므로 따라가지 않음. 역방향 누적은 배열에 도착한 기울기를 먼저 모두 더한 뒤 넘기므로, 배열 연산 "
        "{edges}개로 모든 원소의 기울기를 한 번에 구함. 경로의 수도 같은 방법으로 계산: 어떤 값의 경로 수는 그 값을 "
        "읽는 값들의 경로 수의 합.",
    },
    "paths unknown": {
        "en": "Where no number stands the ways were not counted: an operation reads its operands in a manner that "
        "the count does not know, or the arrays are large.",
        "ko": "숫자가 없는 곳은 세지 않음: 연산이 피연산자를 읽는 방식을 알 수 없거나 배열이 큼.",
    },
    "closed": {"en": "In closed form", "ko": "닫힌 형태"},
    "closed said": {"en": "Without the quantities in between, simplified:", "ko": "중간값 없이 정리:"},
    "result": {"en": "Result", "ko": "결과"},
    "check": {"en": "Numeric check", "ko": "수치 검증"},
    "check said": {
        "en": "Moved a little up and down, with everything computed again in float64: the slope between the two "
        "losses.",
        "ko": "값을 조금 올리고 내린 뒤 전체를 float64로 다시 계산: 두 손실 사이의 기울기.",
    },
    "by sheet": {"en": "this sheet", "ko": "이 유도"},
    "by session": {"en": "the session", "ko": "세션"},
    "by differences": {"en": "central difference", "ko": "중앙 차분"},
    "difference": {"en": "sheet − difference", "ko": "유도 − 차분"},
    "h": {"en": "step h", "ko": "간격 h"},
    "agrees": {
        "en": "They agree: the session that trains computes the same number, and so does the difference.",
        "ko": "일치: 학습에 쓰는 세션의 값과 중앙 차분이 모두 같음.",
    },
    "differs": {
        "en": "They differ by more than rounding explains; a kink (as of relu at 0) between the two sides would do "
        "that.",
        "ko": "반올림 오차보다 크게 다름. 두 점 사이에 꺾인 점(예: 0에서의 relu)이 있으면 이렇게 됨.",
    },
    "worst of": {
        "en": "Of {count} elements of {symbol} that were moved, the one where the two differ most.",
        "ko": "{symbol}의 원소 {count}개 중 차이가 가장 큰 원소.",
    },
    "update": {"en": "Update", "ko": "갱신"},
    "update said": {
        "en": "One step of gradient descent against the slope, with the learning rate {rate}:",
        "ko": "학습률 {rate}, 기울기의 반대 방향으로 경사 하강 한 단계:",
    },
    "zero": {"en": "The derivative is zero", "ko": "미분은 0"},
    "zero unread": {
        "en": "{loss} does not depend on {symbol}: no way leads from it to the loss, so the sum over paths is empty.",
        "ko": "{loss} 값은 {symbol}에 의존하지 않음: 손실까지의 경로가 없으므로 경로의 합은 비어 있음.",
    },
    "zero flat": {"en": "{reason}.", "ko": "이유: {reason}."},
    "ebp": {"en": "Error back-propagation with δ", "ko": "오류 역전파(EBP), δ 표기"},
    "ebp said": {
        "en": "The same gradients in the notation of the textbook: δ of a unit is the derivative of the loss for "
        "what the unit sums up, ⟦δ = ∂{loss}/∂z⟧.",
        "ko": "같은 기울기를 교재의 표기로: 유닛의 δ는 가중합 z에 대한 손실의 미분, ⟦δ = ∂{loss}/∂z⟧.",
    },
    "ebp 1": {"en": "1 Initialise the weights", "ko": "1단계 가중치 초기화"},
    "ebp 2": {"en": "2 Present an input and its target", "ko": "2단계 입력과 목표값 제시"},
    "ebp 3": {"en": "3 Compute forward, layer by layer", "ko": "3단계 층별 순방향 계산"},
    "ebp 4": {"en": "4 δ of the output layer", "ko": "4단계 출력층의 δ"},
    "ebp 5": {"en": "5 δ of the hidden layers, backwards", "ko": "5단계 은닉층의 δ (역방향)"},
    "ebp no 5": {"en": "5 δ of the hidden layers: there are none", "ko": "5단계 은닉층의 δ: 은닉층 없음"},
    "ebp 6": {
        "en": "6 Change the weights against ⟦δ · h⟧, then go on from 2",
        "ko": "6단계 가중치를 ⟦δ · h⟧ 반대로 갱신, 2단계로",
    },
    "new value": {"en": "new value", "ko": "새 값"},
    "delta h": {"en": "gradient ⟦δ · h⟧", "ko": "기울기 ⟦δ · h⟧"},
    "ebp signs": {
        "en": "On signs: a deck in wide use defines ⟦δ = −e · f′⟧ for the output, puts another minus into the "
        "hidden ⟦δ⟧, and then adds ⟦η · δ · h⟧. With its signs output weights would climb the loss while hidden "
        "ones descend. Here δ is the derivative itself in every layer and the one minus stands in the update, ⟦w ← "
        "w − η · δ · h⟧; the numeric check shows that it is right.",
        "ko": "부호에 대하여: 널리 쓰이는 강의 자료는 출력층에서 ⟦δ = −e · f′⟧, 은닉층 ⟦δ⟧에 또 하나의 −, "
        "갱신에서는 ⟦+ η · δ · h⟧. 그 부호대로면 출력층 가중치는 손실을 키우고 은닉층 가중치만 줄임. 여기서는 모든 "
        "층에서 δ가 미분 자체이고, −는 갱신식 ⟦w ← w − η · δ · h⟧에 한 번만 있음. 수치 검증이 이를 확인.",
    },
    "ebp none": {
        "en": "No trained unit (a weighted sum) lies on the way to the loss, so there is no δ to write.",
        "ko": "손실까지의 경로에 학습되는 유닛(가중합)이 없으므로 δ도 없음.",
    },
    "path count": {"en": "ways to {loss}", "ko": "{loss}까지의 경로 수"},
    "contents": {"en": "Contents", "ko": "차례"},
    "language": {"en": "한국어", "ko": "English"},
    "matrix element": {"en": "The element {code}", "ko": "원소 {code}"},
}


_MARKS = dict.fromkeys(map(ord, "⟦⟧⟪⟫"), "?")


def math(text: str) -> str:
    """A formula inside a sentence, marked as one."""
    return f"⟦{text.translate(_MARKS)}⟧"


def code(text: str) -> str:
    """A name as it is typed, inside a sentence."""
    return f"⟪{text.translate(_MARKS)}⟫"


def say(key: str, **slots: str | int) -> Said:
    """The words for `key` in each language."""
    return {language: said.format(**slots) for language, said in WORDS[key].items()}


def heads(*keys: str) -> tuple[Said, ...]:
    """The head of a table."""
    return tuple(map(say, keys))


def strip_table(strip: Strip) -> tuple[Formula, Table]:
    """The way in one line, and a row for each of its quantities, where no strip can be drawn."""
    rows = tuple(Row(tuple(map(Formula, (s.symbol, s.value, s.gradient, s.worked)))) for s in strip.stops)
    way = " → ".join(stop.symbol for stop in strip.stops)
    return Formula(way, "path"), Table(heads("symbol", "value", "gradient", "local"), rows)


def words(key: str, **slots: str | int) -> Words:
    """A paragraph."""
    return Words(say(key, **slots))


def note(key: str, **slots: str | int) -> Words:
    """A paragraph that is set apart."""
    return Words(say(key, **slots), note=True)


def section(key: str, *blocks: Block, **slots: str | int) -> Section:
    """A section with the heading that `key` says."""
    return Section(key, say(key, **slots), blocks)
