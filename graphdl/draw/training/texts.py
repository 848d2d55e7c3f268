"""The words of the training view, in English and Korean."""

from __future__ import annotations

LANGUAGES = ("en", "ko")

_TEXTS: dict[str, tuple[str, str]] = {
    "training": ("Training", "학습 과정"),
    "loss": ("Loss", "손실"),
    "accuracy": ("Accuracy", "정확도"),
    "on examples": ("on the fixed examples", "고정한 예제에서"),
    "epoch mean": ("mean over each epoch", "에포크 평균"),
    "held out": ("validation", "검증"),
    "step": ("step", "스텝"),
    "epoch": ("epoch", "에포크"),
    "gradients": ("Size of each layer's gradient, ‖∂L/∂W‖", "층별 기울기의 크기 ‖∂L/∂W‖"),
    "depth": ("input → output", "입력 → 출력"),
    "limit": ("what factors σ′ = ¼ alone would leave", "인수 σ′ = ¼ 만 곱할 때"),
    "surface": ("Prediction over the plane", "평면 위의 예측"),
    "histograms": ("Distributions", "분포"),
    "weights": ("weights", "가중치"),
    "activations": ("activations", "활성화 값"),
    "no surface": ("no finite prediction", "유한한 예측 없음"),
    "dead": ("dead", "죽음"),
    "linear": ("linear", "선형"),
    # From here on, for the page alone.
    "curves": ("Loss and metrics", "손실과 지표"),
    "log y": ("log y", "로그 y"),
    "log x": ("log x", "로그 x"),
    "language": ("한국어", "English"),
    "theme": ("Theme", "테마"),
    "first": ("First snapshot", "첫 스냅숏"),
    "back": ("Snapshot before", "이전 스냅숏"),
    "play": ("Play", "재생"),
    "pause": ("Pause", "멈춤"),
    "next": ("Next snapshot", "다음 스냅숏"),
    "slider": ("Snapshot of training", "학습의 스냅숏"),
    "keys": (
        "← → snapshot · Home End · Space play · y log scale · l language · d theme",
        "← → 스냅숏 · Home End · Space 재생 · y 로그 눈금 · l 언어 · d 테마",
    ),
    "gradients note": (
        "A gradient reaches an early layer multiplied by one slope and one matrix for every layer in between. "
        "A sigmoid's slope σ′ is ¼ at most, so in a stack of sigmoids the bars fall towards the input: "
        "the gradient vanishes.",
        "앞쪽 층의 기울기는 그 뒤에 있는 모든 층의 기울기 인수와 행렬을 차례로 곱한 값입니다. "
        "시그모이드의 미분 σ′ 은 최대 ¼ 이므로, 시그모이드를 여러 층 쌓으면 입력 쪽으로 갈수록 막대가 낮아집니다: "
        "기울기 소실.",
    ),
    "surface note": (
        "Colour: the prediction at each place. Line: where it passes the middle. Marks: the fixed examples.",
        "색: 각 위치의 예측값. 선: 예측값이 중간값을 지나는 곳. 표식: 고정한 예제.",
    ),
    "histograms note": (
        "Counts on a logarithmic scale, in the same bins for all snapshots. Dead: units of a ReLU that are 0 for every "
        "example; no gradient passes them.",
        "개수는 로그 눈금이며, 모든 스냅숏에서 같은 구간을 씁니다. 죽음: 모든 예제에서 0인 ReLU 유닛. "
        "기울기가 지나가지 못합니다.",
    ),
    "tables": ("As tables", "표로 보기"),
    "variables": ("Variables at this snapshot", "이 스냅숏의 변수"),
    "snapshots": ("All snapshots", "모든 스냅숏"),
    "variable": ("variable", "변수"),
    "shape": ("shape", "모양"),
    "fixed": ("examples fixed", "개의 고정 예제"),
    "batch": ("batch", "배치"),
    "not finite": ("not finite", "유한하지 않음"),
}


def text(key: str, language: str) -> str:
    """The words for `key`; a name that is none of ours is itself."""
    found = _TEXTS.get(key)
    return key if found is None else found[LANGUAGES.index(language)]


def all_texts() -> dict[str, dict[str, str]]:
    """Every text by language, for the page."""
    return {language: {key: text(key, language) for key in _TEXTS} for language in LANGUAGES}
