"""Topics about training: rates, first weights, shapes, what is held out."""

from __future__ import annotations

from graphdl.explain.topic import Topic

BATCHES = Topic(
    "batches",
    {"en": "Steps, iterations, epochs, batches", "ko": "스텝, 이터레이션, 에포크, 배치"},
    {
        "en": """
    batch        the examples of one step
    iteration    one step: forward, backward, update; the weights change once
    epoch        one pass over all examples

    iterations an epoch = ceil(examples / batch size)
    steps in all        = iterations an epoch * epochs
""",
        "ko": """
    배치          한 스텝에 쓰는 예제들
    이터레이션    한 스텝: 순전파, 역전파, 갱신. 가중치가 한 번 바뀜
    에포크        모든 예제를 한 번씩 사용

    에포크당 이터레이션 = ceil(예제 수 / 배치 크기)
    전체 스텝           = 에포크당 이터레이션 * 에포크 수
""",
    },
)

LEARNING_RATE = Topic(
    "learning-rate",
    {"en": "How long a step is", "ko": "한 걸음의 길이"},
    {
        "en": """
    w <- w - rate * dL/dw

On L = w^2, whose gradient is 2 w, a step gives w <- (1 - 2 rate) w:

    rate 0.01    w shrinks by 2 % a step            slow
    rate 0.4     w <- 0.2 w                         fast
    rate 0.5     w <- 0                             there at once
    rate 0.9     w <- -0.8 w                        jumps from side to side, and arrives
    rate 1.1     w <- -1.2 w                        diverges: the loss grows, then NaN

Steeper curves need smaller rates, and unscaled inputs make steep curves. Usual values: 0.1 to 0.0001; SGD 0.01 and
Adam 0.001 are the defaults. Try factors of 10, then of 3. Too large: the loss grows or jumps. Too small: it falls in a
straight line, slowly.
""",
        "ko": """
    w <- w - 학습률 * dL/dw

L = w^2 (기울기 2 w)에서 한 스텝은 w <- (1 - 2 학습률) w:

    학습률 0.01    스텝마다 2 % 줄어듦                느림
    학습률 0.4     w <- 0.2 w                         빠름
    학습률 0.5     w <- 0                             한 번에 도착
    학습률 0.9     w <- -0.8 w                        좌우로 튀면서 도착
    학습률 1.1     w <- -1.2 w                        발산: 손실이 커지다가 NaN

가파른 곡선일수록 학습률은 작아야 하고, 스케일링하지 않은 입력은 곡선을 가파르게 만듦.
보통 0.1 ~ 0.0001, 기본값은 SGD 0.01, Adam 0.001. 먼저 10배씩, 그다음 3배씩 바꿔 보기.
너무 크면 손실이 커지거나 튀고, 너무 작으면 직선처럼 천천히 줄어듦.
""",
    },
)

INITIALISATION = Topic(
    "initialisation",
    {"en": "Where weights start", "ko": "가중치의 초기값"},
    {
        "en": """
For a layer with m inputs and n outputs, U(-r, r) or N(0, s^2); a uniform number has the variance r^2 / 3, so both
columns of a row have the same variance:

    activation   r                           s                           by name
    tanh         sqrt(6 / (m + n))           sqrt(2 / (m + n))           glorot_uniform, glorot_normal
    sigmoid      4 sqrt(6 / (m + n))         4 sqrt(2 / (m + n))         4 times glorot
    relu         sqrt(2) sqrt(6 / (m + n))   sqrt(2) sqrt(2 / (m + n))   for m = n he_uniform, he_normal
    relu (He)    sqrt(6 / m)                 sqrt(2 / m)                 he_uniform, he_normal
    selu         sqrt(3 / m)                 sqrt(1 / m)                 lecun_uniform, lecun_normal

Some notes have the rows of sigmoid and tanh the wrong way round: the factor 4 is sigmoid's, since its slope at 0 is
1/4 of tanh's (Glorot & Bengio 2010 and the Theano tutorial that the table comes from).

Keras, and graphdl, start kernels from glorot_uniform and biases from 0. Kernels must not start alike: units that start
alike stay alike (symmetric-start). The aim is that values and gradients keep their size from layer to layer.
""",
        "ko": """
입력 m개, 출력 n개인 층에서 U(-r, r) 또는 N(0, s^2). 균등분포의 분산은 r^2 / 3이므로
한 행의 두 열은 분산이 같음:

    활성화 함수   r                           s                           이름
    tanh          sqrt(6 / (m + n))           sqrt(2 / (m + n))           glorot_uniform, glorot_normal
    sigmoid       4 sqrt(6 / (m + n))         4 sqrt(2 / (m + n))         glorot의 4배
    relu          sqrt(2) sqrt(6 / (m + n))   sqrt(2) sqrt(2 / (m + n))   m = n이면 he_uniform, he_normal
    relu (He)     sqrt(6 / m)                 sqrt(2 / m)                 he_uniform, he_normal
    selu          sqrt(3 / m)                 sqrt(1 / m)                 lecun_uniform, lecun_normal

일부 강의 노트에는 sigmoid와 tanh의 행이 서로 바뀌어 있음: 4배는 sigmoid의 것. 0에서의 기울기가 tanh의
1/4이기 때문(Glorot & Bengio 2010, 표의 출처인 Theano 튜토리얼).

Keras와 graphdl의 기본값은 커널 glorot_uniform, 편향 0. 커널을 모두 같은 값으로 시작하면 안 됨:
같게 시작한 유닛은 계속 같음(symmetric-start). 목표는 층을 지나도 값과 기울기의 크기가 유지되는 것.
""",
    },
)

BROADCASTING = Topic(
    "broadcasting",
    {"en": "Shapes that differ, and the sum in the backward pass", "ko": "모양이 다른 연산과 역전파의 합"},
    {
        "en": """
Shapes are compared from the right; sizes must be equal, or one of them 1 or missing, which is then copied:

    (N, 10) + (10,)       (N, 10)     a bias: one row for all examples
    (N, 10) * (N, 1)      (N, 10)     a number for each example
    (N, 1)  - (N,)        (N, N)      a table of all pairs: nearly always a mistake
    (N, 10) + (N,)        refused     10 and N differ

Copying forward is adding backward: every copy has a gradient, and the original gets their sum. So the gradient of a
bias is the sum over the examples, db = sum_n G[n], of the bias's own shape.

A loss that subtracts targets (N,) from predictions (N, 1) compares every prediction with every target, and the best
answer is then the mean of all targets: graphdl lint says targets-broadcast.
""",
        "ko": """
모양은 오른쪽부터 비교. 크기가 같거나, 한쪽이 1이거나 없어야 하며 그때는 복사됨:

    (N, 10) + (10,)       (N, 10)     편향: 모든 예제에 같은 행
    (N, 10) * (N, 1)      (N, 10)     예제마다 숫자 하나
    (N, 1)  - (N,)        (N, N)      모든 짝의 표: 거의 항상 실수
    (N, 10) + (N,)        거부        10과 N이 다름

순전파의 복사는 역전파의 합: 복사본마다 기울기가 있고 원래 값은 그 합을 받음.
그래서 편향의 기울기는 예제에 대한 합 db = sum_n G[n], 모양은 편향과 같음.

손실에서 예측 (N, 1)에서 목표값 (N,)을 빼면 모든 예측을 모든 목표값과 비교하게 되고,
가장 좋은 답은 목표값 전체의 평균이 됨: graphdl lint의 targets-broadcast.
""",
    },
)

OVERFITTING = Topic(
    "overfitting",
    {"en": "Learning by heart, and how to notice", "ko": "과적합과 알아차리는 방법"},
    {
        "en": """
    loss falls, val_loss falls        it learns
    loss falls, val_loss rises        it learns by heart: stop, or use fewer weights, dropout, L2, more data
    both stay high                    it learns too little: more units, longer, another learning rate

Three parts: train (the weights), validation (your choices: layers, rate, when to stop), test (one look, at the end).
Standardise with the mean and standard deviation of the training part alone.

After fit the model holds the weights of the last epoch, not of the best one.
With dropout the training loss is that of the thinned network, so val_loss may well be the lower one.
""",
        "ko": """
    loss 감소, val_loss 감소        학습 중
    loss 감소, val_loss 증가        과적합: 멈추거나, 가중치를 줄이거나, 드롭아웃, L2, 더 많은 데이터
    둘 다 높음                      과소적합: 유닛 추가, 더 오래, 다른 학습률

세 부분: 훈련(가중치), 검증(층, 학습률, 멈출 때 등의 선택), 테스트(마지막에 한 번).
표준화의 평균과 표준편차는 훈련 데이터에서만 계산.

fit이 끝난 모델에는 가장 좋은 에포크가 아니라 마지막 에포크의 가중치가 있음.
드롭아웃을 쓰면 훈련 손실은 일부 유닛을 뺀 망의 손실이므로 val_loss가 더 낮을 수 있음.
""",
    },
)

VALIDATION_SPLIT = Topic(
    "validation-split",
    {"en": "The part of the data that is held out", "ko": "따로 떼어 두는 검증 데이터"},
    {
        "en": """
fit(x, y, validation_split=0.2) scores the last fifth of the examples after each epoch and never trains on it. The tail
is cut off before any shuffling: with 1000 examples 0 ... 799 are trained on, 800 ... 999 are scored.

Data that are sorted by class put whole classes into the tail. Shuffle x and y together first:

    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]

validation_data=(x_val, y_val) holds out examples of your own choice instead.
""",
        "ko": """
fit(x, y, validation_split=0.2)는 마지막 20 %를 학습에 쓰지 않고 에포크마다 평가에만 사용.
섞기 전에 끝부분을 떼어 냄: 예제 1000개이면 0 ... 799번으로 학습, 800 ... 999번으로 평가.

클래스 순서로 정렬된 데이터는 끝부분에 특정 클래스만 남음. 먼저 x와 y를 함께 섞기:

    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]

직접 고른 예제로 평가하려면 validation_data=(x_val, y_val).
""",
    },
)

TOPICS = (BATCHES, LEARNING_RATE, INITIALISATION, BROADCASTING, OVERFITTING, VALIDATION_SPLIT)
