"""A topic about convolution: the window, the matrix it is, and its two gradients."""

from __future__ import annotations

from graphdl.explain.topic import Topic

CONVOLUTION = Topic(
    "convolution",
    {"en": "What a convolution does, forward and back", "ko": "합성곱의 순전파와 역전파"},
    {
        "en": """
A window slides over the image; at each place, what it sees times the kernel is summed. Each filter has a kernel of
its own and makes one map. The kernel is not turned around, as it would be in mathematics.

    y[i, j, f] = sum over a, b, c of x[i s + a, j s + b, c] * K[a, b, c, f]

    pixels of a map, a side = (image + padding - kernel) / stride + 1, rounded down
    28 pixels, kernel 5, padding 2 + 2, stride 2: 14 pixels.  "valid" pads nothing, "same" gives image / stride

It is a matrix product: im2col writes what each window sees as a row, and the filters are the columns of K:

    forward     y     = im2col(x) K
    backward    dL/dK = im2col(x)^T dL/dy            summed over the places, since all use the same weights
                dL/dx = col2im(dL/dy K^T)            added where windows overlap

3 x 3 windows, 16 channels, 32 filters: 4608 weights, however large the image is.

To see it window by window: graphdl draw FILE.py --view window -o window.html
""",
        "ko": """
윈도가 이미지 위를 미끄러지며, 각 위치에서 보이는 값과 커널의 곱을 더함. 필터마다 커널이 따로 있고 특징 맵을
하나씩 만듦. 수학의 합성곱과 달리 커널을 뒤집지 않음.

    y[i, j, f] = 모든 a, b, c에 대한 x[i s + a, j s + b, c] * K[a, b, c, f]의 합

    특징 맵 한 변의 픽셀 = (이미지 + 패딩 - 커널) / 스트라이드 + 1, 내림
    28픽셀, 커널 5, 패딩 2 + 2, 스트라이드 2: 14픽셀.  "valid"는 패딩 없음, "same"은 이미지 / 스트라이드

합성곱은 행렬 곱: im2col은 윈도마다 보이는 값을 한 행으로 쓰고, 필터는 K의 열:

    순전파    y     = im2col(x) K
    역전파    dL/dK = im2col(x)^T dL/dy            모든 위치가 같은 가중치를 쓰므로 합산
              dL/dx = col2im(dL/dy K^T)            윈도가 겹치는 곳에서는 더함

3 x 3 윈도, 채널 16, 필터 32: 이미지 크기와 상관없이 가중치 4608개.

윈도를 하나씩 보기: graphdl draw FILE.py --view window -o window.html
""",
    },
)

TOPICS = (CONVOLUTION,)
