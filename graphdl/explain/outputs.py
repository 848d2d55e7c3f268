"""Topics about the end of a network: activation, loss, labels."""

from __future__ import annotations

from graphdl.explain.topic import Topic

LOSS_AND_ACTIVATION = Topic(
    "loss-and-activation",
    {"en": "Which output activation goes with which loss", "ko": "출력층 활성화 함수와 손실 함수의 짝"},
    {
        "en": """
    task                     output layer            loss                                labels
    an amount (regression)   1 unit, no activation   mse, or mae                         any numbers
    yes or no                1 unit, sigmoid         binary_crossentropy                 0 or 1
    one of C classes         C units, softmax        categorical_crossentropy            one-hot rows
    one of C classes         C units, softmax        sparse_categorical_crossentropy     0 ... C - 1
    several of C at once     C units, sigmoid        binary_crossentropy                 rows of 0 and 1

The output's activation says what the number means; the loss must read it the same way. Softmax and its cross-entropy,
sigmoid and its cross-entropy, no activation and squared error: in each pair the gradient for the logits is p - t,
prediction less target.

A regression with sigmoid, as some notes have it, cannot give numbers outside 0 to 1.
With from_logits=True the loss applies softmax or sigmoid itself, and the layer has no activation.
""",
        "ko": """
    과제                     출력층                  손실                                레이블
    수치 예측(회귀)          유닛 1개, 활성화 없음   mse 또는 mae                        실수
    예/아니오(이진 분류)     유닛 1개, sigmoid       binary_crossentropy                 0 또는 1
    C개 클래스 중 하나       유닛 C개, softmax       categorical_crossentropy            원-핫 행
    C개 클래스 중 하나       유닛 C개, softmax       sparse_categorical_crossentropy     0 ... C - 1
    C개 중 여러 개 동시      유닛 C개, sigmoid       binary_crossentropy                 0과 1의 행

출력층의 활성화 함수는 숫자의 뜻을 정하고, 손실은 같은 뜻으로 읽어야 함. softmax와 교차 엔트로피,
sigmoid와 이진 교차 엔트로피, 활성화 없음과 제곱 오차: 모두 로짓에 대한 기울기가 p - t (예측 - 목표).

일부 강의 노트처럼 회귀에 sigmoid를 쓰면 0과 1 사이의 값만 낼 수 있음.
from_logits=True이면 손실이 softmax나 sigmoid를 직접 적용하므로 층에는 활성화 함수를 쓰지 않음.
""",
    },
)

SOFTMAX_CROSS_ENTROPY = Topic(
    "softmax-cross-entropy",
    {
        "en": "Softmax and cross-entropy, and their simple gradient",
        "ko": "softmax와 교차 엔트로피, 그리고 간단한 기울기",
    },
    {
        "en": """
    p_i = exp(z_i) / sum_j exp(z_j)        probabilities from logits, summing to 1
    L   = -sum_i t_i log p_i               in nats; for a one-hot t just -log of the right class's probability

The gradient of softmax alone is a whole matrix, dp_i/dz_j = p_i (d_ij - p_j). Together with the logarithm nearly all
of it cancels:

    dL/dz_i = p_i - t_i                    for targets that sum to 1

Example: z = [2, 1, 0], class 0. p = [0.665, 0.245, 0.090], L = 0.408, gradient [-0.335, 0.245, 0.090].

Computed as typed, exp(1000) overflows. graphdl recognises the pair and computes L = log(sum exp(z - m)) - (z_y - m)
with m = max z, and the gradient as p - t, so that z = [0, 1000, 5] gives 1000 and [-1, 1, 0].
The logarithm is the natural one: 0 for a certain right answer, log C for a guess among C classes (2.303 for 10).
""",
        "ko": """
    p_i = exp(z_i) / sum_j exp(z_j)        로짓에서 확률로, 합은 1
    L   = -sum_i t_i log p_i               단위는 내트(nat). 원-핫 t이면 정답 클래스 확률의 -log

softmax만 미분하면 행렬 전체: dp_i/dz_j = p_i (d_ij - p_j). 로그와 함께 미분하면 거의 모두 약분됨:

    dL/dz_i = p_i - t_i                    t의 합이 1일 때

예: z = [2, 1, 0], 정답 클래스 0. p = [0.665, 0.245, 0.090], L = 0.408, 기울기 [-0.335, 0.245, 0.090].

식 그대로 계산하면 exp(1000)이 넘침. graphdl은 이 짝을 알아보고 m = max z로
L = log(sum exp(z - m)) - (z_y - m), 기울기는 p - t로 계산: z = [0, 1000, 5]에서 1000과 [-1, 1, 0].
로그는 자연로그: 확실한 정답이면 0, C개 클래스 중 찍으면 log C (10개이면 2.303).
""",
    },
)

ONE_HOT = Topic(
    "one-hot",
    {"en": "One-hot rows and class numbers", "ko": "원-핫 인코딩과 클래스 번호"},
    {
        "en": """
    class number    2
    one-hot row     0 0 1 0        all 0 and a 1 at the place of the class

    one-hot rows     y of shape (N, C)    loss='categorical_crossentropy'
    class numbers    y of shape (N,)      loss='sparse_categorical_crossentropy'

Both losses are the same number, -log p[class]. Class numbers are not amounts: class 2 is not twice class 1, which is
why they are not trained on with mse.

    keras.utils.to_categorical([2, 0], 3)    [[0, 0, 1], [1, 0, 0]]
    y.argmax(axis=-1)                        back again

Class numbers begin at 0: labels 1 ... 10 need y - 1.
""",
        "ko": """
    클래스 번호    2
    원-핫 행       0 0 1 0        클래스 자리만 1, 나머지는 0

    원-핫 행       y의 모양 (N, C)    loss='categorical_crossentropy'
    클래스 번호    y의 모양 (N,)      loss='sparse_categorical_crossentropy'

두 손실의 값은 같음: -log p[클래스]. 클래스 번호는 양이 아님: 클래스 2는 클래스 1의 두 배가 아니므로
mse로 학습하지 않음.

    keras.utils.to_categorical([2, 0], 3)    [[0, 0, 1], [1, 0, 0]]
    y.argmax(axis=-1)                        거꾸로

클래스 번호는 0부터: 레이블이 1 ... 10이면 y - 1 사용.
""",
    },
)

ACCURACY_AS_LOSS = Topic(
    "accuracy-as-loss",
    {"en": "Why accuracy cannot be the loss", "ko": "정확도를 손실로 쓸 수 없는 이유"},
    {
        "en": """
Accuracy is the share of right answers: mean(argmax(p) == class). Move a weight a little and no answer changes, so
accuracy does not either; move it more and it jumps. The derivative is 0 almost everywhere and does not exist at the
jumps. Gradient descent has nothing to go by.

Cross-entropy changes with every weight: it asks how probable the right answer was, not only whether it won.

    p = [0.51, 0.49], class 0    right    cross-entropy 0.673
    p = [0.99, 0.01], class 0    right    cross-entropy 0.010

Accuracy is a metric, to be watched: model.compile(..., loss='categorical_crossentropy', metrics=['accuracy']).
graphdl answers gradients of accuracy with zeros and says why: argmax has no derivative.
""",
        "ko": """
정확도는 정답의 비율: mean(argmax(p) == 클래스). 가중치를 조금 움직이면 답이 바뀌지 않으므로 정확도도 그대로,
더 움직이면 갑자기 뜀. 미분은 거의 모든 곳에서 0이고 뛰는 곳에서는 없음. 경사 하강법이 따라갈 것이 없음.

교차 엔트로피는 모든 가중치에 따라 변함: 정답이 이겼는지만이 아니라 얼마나 확률이 높았는지를 봄.

    p = [0.51, 0.49], 클래스 0    정답    교차 엔트로피 0.673
    p = [0.99, 0.01], 클래스 0    정답    교차 엔트로피 0.010

정확도는 지표로 사용: model.compile(..., loss='categorical_crossentropy', metrics=['accuracy']).
graphdl에서 정확도의 기울기를 구하면 0과 그 이유를 알려 줌: argmax에는 미분이 없음.
""",
    },
)

TOPICS = (LOSS_AND_ACTIVATION, SOFTMAX_CROSS_ENTROPY, ONE_HOT, ACCURACY_AS_LOSS)
