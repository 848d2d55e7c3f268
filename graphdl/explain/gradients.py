"""Topics about derivatives: how they are made, where they get lost, where they become NaN."""

from __future__ import annotations

from graphdl.explain.topic import Topic

CHAIN_RULE = Topic(
    "chain-rule",
    {"en": "How a gradient gets from the loss to a weight", "ko": "손실의 기울기가 가중치까지 전달되는 방법"},
    {
        "en": """
z = (x + y)^2 is two steps: t = x + y, then z = t^2. The derivative of the whole is the product of the steps':

    dz/dx = dz/dt * dt/dx = 2 t * 1 = 2 (x + y)

Backpropagation walks the graph from the loss to the leaves. At each node the gradient that arrives (upstream) is
multiplied with the node's own derivative (local), and the product goes on to its input (downstream):

    downstream = upstream * local

Where a value is used several times, the gradients that come back are added. Where a value was copied (broadcast),
the gradients of the copies are added too.

See it: graphdl draw FILE.py -o FILE.html, or graphdl derive FILE.py
""",
        "ko": """
z = (x + y)^2는 두 단계: t = x + y, z = t^2. 전체의 미분은 각 단계 미분의 곱:

    dz/dx = dz/dt * dt/dx = 2 t * 1 = 2 (x + y)

역전파는 계산 그래프를 손실에서 입력 쪽으로 거슬러 감. 각 노드에서 위에서 온 기울기(상류)에
그 노드 자신의 미분(국소 미분)을 곱해 입력 쪽(하류)으로 전달:

    하류 = 상류 * 국소 미분

값이 여러 번 쓰이면 돌아오는 기울기를 모두 더함. 순전파에서 복사(브로드캐스트)된 값도
복사본들의 기울기를 모두 더함.

그림으로 보기: graphdl draw FILE.py -o FILE.html, 유도 과정: graphdl derive FILE.py
""",
    },
)

LOCAL_DERIVATIVE = Topic(
    "local-derivative",
    {"en": "What each operation multiplies a gradient by", "ko": "연산마다 기울기에 곱하는 국소 미분"},
    {
        "en": """
A node knows its own inputs and its own formula, and that is all it needs. G is the gradient that arrives at y.

    y = a + b          to a: G             to b: G             distributes
    y = a * b          to a: G * b         to b: G * a         swaps the inputs
    y = max(a, b)      G to the larger, 0 to the other         chooses
    y = a^2            to a: G * 2 a
    y = 1 / a          to a: G * (-y^2)
    y = exp(a)         to a: G * y
    y = log(a)         to a: G / a
    y = sigmoid(a)     to a: G * y (1 - y)                     at most 1/4 of G
    y = tanh(a)        to a: G * (1 - y^2)                     at most G
    y = relu(a)        to a: G where a > 0, else 0
    Y = X W            to X: G W^T         to W: X^T G         shapes decide the order

Apple shop: total = price * count * tax, 100 * 2 * 1.1 = 220. To tax: 200, to price: 2.2, to count: 110.

More of one operation: graphdl ops NAME
""",
        "ko": """
노드는 자기 입력과 자기 식만 알면 됨. G는 y에 도착한 기울기.

    y = a + b          a로: G              b로: G              분배
    y = a * b          a로: G * b          b로: G * a          입력을 서로 교환
    y = max(a, b)      큰 쪽으로 G, 다른 쪽은 0                선택
    y = a^2            a로: G * 2 a
    y = 1 / a          a로: G * (-y^2)
    y = exp(a)         a로: G * y
    y = log(a)         a로: G / a
    y = sigmoid(a)     a로: G * y (1 - y)                      최대 G의 1/4
    y = tanh(a)        a로: G * (1 - y^2)                      최대 G
    y = relu(a)        a > 0이면 a로 G, 아니면 0
    Y = X W            X로: G W^T          W로: X^T G          순서는 모양이 결정

사과 가게: 합계 = 가격 * 개수 * 세금, 100 * 2 * 1.1 = 220. 기울기는 세금 200, 가격 2.2, 개수 110.

연산 하나를 자세히: graphdl ops NAME
""",
    },
)

ZERO_GRADIENT = Topic(
    "zero-gradient",
    {"en": "Why a gradient is 0", "ko": "기울기가 0인 이유"},
    {
        "en": """
Three things look alike and are not:

    zero everywhere    the loss depends on the weight through a step only: argmax, equal, floor, a cast to
                       integers, or stop_gradient. No data will change it.
    zero here          the derivative is 0 at these values: relu below 0, a saturated sigmoid, clip outside
                       its bounds, a weight times an input of 0. Other data, or other weights, give another number.
    not computed       nobody asked for it, or the variable does not reach the loss.

The first is an error in the loss: accuracy, say, in place of cross-entropy. The second is normal for some units and
bad for a whole layer (dying-relu, vanishing-gradient).

For a graph of yours: graphdl explain zero-gradient FILE.py
""",
        "ko": """
비슷해 보이지만 서로 다른 세 경우:

    모든 곳에서 0      손실이 계단 함수(argmax, equal, floor, 정수 변환)나 stop_gradient를 통해서만
                       가중치에 의존. 어떤 데이터를 넣어도 0.
    지금 값에서 0      이 값에서만 미분이 0: 0 아래의 relu, 포화된 sigmoid, 범위 밖의 clip,
                       입력이 0인 가중치. 다른 데이터나 다른 가중치에서는 달라짐.
    계산하지 않음      요청하지 않았거나, 변수가 손실에 연결되지 않음.

첫째는 손실의 오류: 예를 들어 교차 엔트로피 대신 정확도를 손실로 쓴 경우. 둘째는 일부 유닛이면 정상,
층 전체이면 문제(dying-relu, vanishing-gradient).

내 그래프 확인: graphdl explain zero-gradient FILE.py
""",
    },
)

NAN = Topic(
    "nan",
    {"en": "Where NaN and infinity come from", "ko": "NaN과 무한대가 생기는 곳"},
    {
        "en": """
NaN spreads: one element makes the loss NaN, and one step later every weight. Only the first node is to blame.

    log 0 = -inf, log of a negative number = NaN      a probability that became 0
    0 / 0 = NaN, 1 / 0 = inf                          a mean over nothing, a norm of 0
    sqrt'(0) = inf                                    a distance of 0
    exp(89) = inf in float32                          a logit that is too large
    inf - inf, 0 * inf = NaN                          what follows from the above
    the loss grows step by step, then NaN             the learning rate is too large, or inputs are unscaled

graphdl rewrites the usual formulas before it differentiates them: -log(exp(z) / sum(exp(z))) at z = [0, 1000, 5] has
the loss 1000 and the gradient [-1, 1, 0], where the formula as it is typed gives NaN.

For a graph of yours: graphdl explain nan FILE.py; while training: graphdl train FILE.py --nan-guard
""",
        "ko": """
NaN은 퍼짐: 원소 하나가 손실을, 한 스텝 뒤에는 모든 가중치를 NaN으로 만듦. 원인은 처음 발생한 노드.

    log 0 = -inf, 음수의 log = NaN                    확률이 0이 된 경우
    0 / 0 = NaN, 1 / 0 = inf                          빈 평균, 크기 0인 벡터의 정규화
    sqrt'(0) = inf                                    거리가 0인 경우
    float32에서 exp(89) = inf                         너무 큰 로짓
    inf - inf, 0 * inf = NaN                          위의 결과에서 이어짐
    손실이 점점 커지다가 NaN                          너무 큰 학습률, 스케일링하지 않은 입력

graphdl은 흔한 식을 미분하기 전에 안정한 식으로 바꿈: -log(exp(z) / sum(exp(z)))는 z = [0, 1000, 5]에서
손실 1000, 기울기 [-1, 1, 0]. 식 그대로 계산하면 NaN.

내 그래프 확인: graphdl explain nan FILE.py, 학습 중 확인: graphdl train FILE.py --nan-guard
""",
    },
)

VANISHING = Topic(
    "vanishing-gradient",
    {
        "en": "Why the first layers of a deep sigmoid network do not learn",
        "ko": "깊은 sigmoid 망의 앞쪽 층이 학습되지 않는 이유",
    },
    {
        "en": """
sigmoid'(z) = s (1 - s) with s = sigmoid(z): 1/4 at z = 0, 0.0066 at z = 5. Each layer multiplies by it once:

    1 layer   at most 1/4          0.25
    3 layers  at most (1/4)^3      0.0156
    5 layers  at most (1/4)^5      0.000977
    10 layers at most (1/4)^10     0.00000095

times the weights, which start small. tanh' is at most 1 and below 1 everywhere but at 0; relu' is exactly 1 above 0.

What helps: relu in hidden layers, first weights of the right size (initialisation), scaled inputs, normalisation,
connections that skip layers.
""",
        "ko": """
s = sigmoid(z)일 때 sigmoid'(z) = s (1 - s): z = 0에서 1/4, z = 5에서 0.0066. 층마다 한 번씩 곱해짐:

    1층   최대 1/4          0.25
    3층   최대 (1/4)^3      0.0156
    5층   최대 (1/4)^5      0.000977
    10층  최대 (1/4)^10     0.00000095

여기에 작은 값으로 시작하는 가중치도 곱해짐. tanh'는 최대 1이고 0이 아닌 곳에서는 1보다 작음.
relu'는 0보다 큰 곳에서 정확히 1.

해결책: 은닉층에 relu, 알맞은 크기의 초기 가중치(initialisation), 입력 스케일링, 정규화, 층을 건너뛰는 연결.
""",
    },
)

DYING_RELU = Topic(
    "dying-relu",
    {"en": "Units of relu that are 0 for every example", "ko": "모든 예제에서 0만 내는 relu 유닛"},
    {
        "en": """
relu(z) = max(0, z), relu'(z) = 1 for z > 0 and 0 for z <= 0 (at 0 itself: 0).

A unit whose z is below 0 for every example passes no gradient, so its weights do not change, so z stays below 0: it is
dead. One large step of training, or a large negative bias, is enough.

Count them: graphdl lint FILE.py (dead-relu) looks at the data. A few dead units are normal.

What helps: a smaller learning rate, he_normal first weights, scaled inputs, biases that start at 0;
leaky relu max(a z, z) with 0 < a < 1, or elu, whose derivative below 0 is not 0.
""",
        "ko": """
relu(z) = max(0, z), relu'(z) = z > 0이면 1, z <= 0이면 0 (z = 0에서도 0).

모든 예제에서 z가 0보다 작은 유닛은 기울기를 전달하지 못함 → 가중치가 변하지 않음 → z는 계속 0보다 작음:
죽은 유닛. 너무 큰 갱신 한 번이나 큰 음수 편향이면 충분.

세어 보기: graphdl lint FILE.py (dead-relu)가 데이터로 확인. 몇 개 정도는 정상.

해결책: 더 작은 학습률, he_normal 초기화, 입력 스케일링, 0에서 시작하는 편향,
0 아래에서도 미분이 0이 아닌 leaky relu max(a z, z) (0 < a < 1)나 elu.
""",
    },
)

TOPICS = (CHAIN_RULE, LOCAL_DERIVATIVE, ZERO_GRADIENT, NAN, VANISHING, DYING_RELU)
