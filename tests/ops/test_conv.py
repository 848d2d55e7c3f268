"""Convolution and pooling as a user calls them: padding, strides, and what is refused."""

import re

import numpy as np
import pytest

import graphdl as gd
from graphdl.ir.op import build
from graphdl.ops.pool import MaxPool2D


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def _run(node, *feeds):
    return gd.Session().run(node, dict(feeds))


def _image(*shape):
    return gd.placeholder(("N", *shape), "float64", name="x")


def _seen(x, size, strides, dilation=(1, 1), around=((0, 0), (0, 0)), value=0.0):
    """Every window of images by itself."""
    x = np.pad(x, ((0, 0), *around, (0, 0)), constant_values=value)
    spans = [(k - 1) * d + 1 for k, d in zip(size, dilation, strict=True)]
    rows = range(0, x.shape[1] - spans[0] + 1, strides[0])
    columns = range(0, x.shape[2] - spans[1] + 1, strides[1])
    return [[x[:, a : a + spans[0] : dilation[0], b : b + spans[1] : dilation[1]] for b in columns] for a in rows]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("length", [5, 6, 7])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_same_padding_has_a_place_for_each_stride_begun_and_the_odd_element_behind(stride, length, size):
    x, kernel = _image(length, length, 2), _random(size, size, 2, 3, seed=1)
    y = gd.conv2d(x, kernel, stride, "same")
    count = -(-length // stride)
    assert y.shape[1:] == (count, count, 3)
    total = max((count - 1) * stride + size - length, 0)
    around = ((total // 2, total - total // 2),) * 2
    fed = _random(2, length, length, 2)
    seen = _seen(fed, (size, size), (stride, stride), around=around)
    expected = np.array([[np.einsum("nijc,ijcf->nf", part, kernel) for part in row] for row in seen])
    np.testing.assert_allclose(_run(y, (x, fed)), np.moveaxis(expected, 2, 0), atol=1e-12)


def test_a_convolution_along_one_axis_and_a_causal_one_sees_no_later_element():
    x = gd.placeholder(("N", 6, 2), "float64", name="x")
    kernel, fed = _random(3, 2, 4, seed=1), _random(2, 6, 2)
    valid = _run(gd.conv1d(x, kernel), (x, fed))
    expected = [np.einsum("nkc,kcf->nf", fed[:, t : t + 3], kernel) for t in range(4)]
    np.testing.assert_allclose(valid, np.stack(expected, axis=1))
    causal = gd.conv1d(x, kernel, padding="causal", dilation=2)
    assert causal.shape[1:] == (6, 4)
    slope = gd.Session().run(gd.gradients(gd.sum(causal[:, 2]), x), {x: fed})
    assert slope[:, :3].any()
    assert not slope[:, 3:].any()


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_transposed_convolution_is_the_gradient_of_a_convolution(padding, stride):
    x, kernel, fed = _image(4, 3, 3), _random(2, 3, 5, 3, seed=1), _random(2, 4, 3, 3)
    large = gd.conv2d_transpose(x, kernel, stride, padding)
    grown = [n * stride + (0 if padding == "same" else max(k - stride, 0)) for n, k in ((4, 2), (3, 3))]
    assert large.shape[1:] == (*grown, 5)
    z = gd.placeholder((2, *grown, 5), "float64", name="z")
    small = gd.conv2d(z, kernel, stride, padding)
    assert small.shape == (2, 4, 3, 3)
    inner = gd.sum(small * gd.constant(fed))
    slope = gd.Session().run(gd.gradients(inner, z), {z: _random(2, *grown, 5, seed=2)})
    np.testing.assert_allclose(_run(large, (x, fed)), slope)


def test_a_depthwise_convolution_treats_each_channel_by_itself():
    x, kernel, fed = _image(5, 5, 3), _random(2, 2, 3, 2, seed=1), _random(2, 5, 5, 3)
    found = _run(gd.depthwise_conv2d(x, kernel), (x, fed))
    seen = np.array(_seen(fed, (2, 2), (1, 1)))
    expected = np.einsum("abnijc,ijcm->nabcm", seen, kernel).reshape(2, 4, 4, 6)
    np.testing.assert_allclose(found, expected)
    pointwise = _random(1, 1, 6, 4, seed=2)
    separable = _run(gd.separable_conv2d(x, kernel, pointwise), (x, fed))
    np.testing.assert_allclose(separable, expected @ pointwise[0, 0])


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [None, 1, (2, 3)])
def test_the_mean_of_a_window_is_over_the_elements_that_are_there(padding, strides):
    x, fed = _image(5, 7, 2), _random(2, 5, 7, 2)
    y = gd.average_pool2d(x, (2, 3), strides, padding)
    steps = (2, 3) if strides is None else (1, 1) if strides == 1 else strides
    around = []
    for n, k, s in zip((5, 7), (2, 3), steps, strict=True):
        total = max((-(-n // s) - 1) * s + k - n, 0) if padding == "same" else 0
        around.append((total // 2, total - total // 2))
    seen = np.array(_seen(fed, (2, 3), steps, around=around, value=np.nan))
    np.testing.assert_allclose(_run(y, (x, fed)), np.moveaxis(np.nanmean(seen, axis=(3, 4)), 2, 0))


def test_the_gradient_of_the_largest_goes_to_the_first_of_equals():
    x = _image(2, 2, 1)
    y = gd.max_pool2d(x)
    slope = gd.Session().run(gd.gradients(gd.sum(y), x), {x: np.full((1, 2, 2, 1), 3.0)})
    assert slope[0, :, :, 0].tolist() == [[1, 0], [0, 0]]


def test_pooling_along_one_axis():
    x, fed = gd.placeholder(("N", 7, 2), "float64"), _random(3, 7, 2)
    largest, mean = _run([gd.max_pool1d(x, 3, 2), gd.average_pool1d(x, 3, 2)], (x, fed))
    windows = np.stack([fed[:, t : t + 3] for t in (0, 2, 4)], axis=1)
    np.testing.assert_allclose(largest, windows.max(axis=2))
    np.testing.assert_allclose(mean, windows.mean(axis=2))


def test_padding_is_never_the_largest():
    x = _image(3, 3, 1)
    y = _run(gd.max_pool2d(x, 2, padding="same"), (x, np.full((1, 3, 3, 1), -5.0)))
    assert (y == -5).all()


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda x: gd.conv2d(x, _random(2, 2, 3, 4)), gd.ShapeError, "have 2 channels, the kernel takes 3"),
        (lambda x: gd.conv2d(x, _random(9, 2, 2, 4)), gd.ShapeError, "a window of 9 does not fit in 5"),
        (lambda x: gd.conv2d(x, _random(2, 2, 2)), gd.ShapeError, "expected images"),
        (lambda x: gd.conv2d(x, _random(2, 2, 2, 4), 0), gd.GraphError, "strides is 0"),
        (lambda x: gd.conv2d(x, _random(2, 2, 2, 4), padding="full"), gd.GraphError, "padding is 'full'"),
        (lambda x: gd.conv2d(x, _random(2, 2, 1, 3), groups=2), gd.ShapeError, "3 filters do not make 2 groups"),
        (lambda x: gd.conv2d(x, _random(2, 2, 2, 4).astype("float32")), gd.ShapeError, "expected images"),
        (lambda x: gd.conv1d(x, _random(2, 2, 2)), gd.ShapeError, r"expected \[N, T, C\]"),
        (lambda x: gd.max_pool2d(x, 9), gd.ShapeError, "a window of 9 does not fit in 5"),
        (lambda x: gd.max_pool2d(x[:, 0]), gd.ShapeError, "expected images of floats"),
        (
            lambda x: gd.max_pool2d(gd.placeholder(("N", "H", 4, 1), "float64")),
            gd.ShapeError,
            "H that is known at run",
        ),
        (lambda x: gd.depthwise_conv2d(x, _random(2, 2, 3, 1)), gd.ShapeError, r"\[h, w, C, m\]"),
    ],
)
def test_what_does_not_fit_is_refused(make, kind, text):
    with pytest.raises(kind) as caught:
        make(_image(5, 5, 2))
    # The lines below the first quote the user's own, which has the text as well.
    assert re.search(text, str(caught.value).splitlines()[0])


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("pool", [gd.max_pool2d, gd.average_pool2d])
def test_sizes_that_are_known_at_run_time_only_give_what_known_sizes_give(pool, padding):
    random = np.random.default_rng(2)
    image, kernel = random.normal(size=(2, 6, 7, 2)), random.normal(size=(3, 2, 2, 3))
    found = []
    for shape in ((None, 6, 7, 2), (None, "H", "W", 2)):
        x, k = gd.placeholder(shape, "float64"), gd.placeholder(kernel.shape, "float64")
        y = pool(gd.conv2d(x, k, 1, padding, 2), 2, 1, padding)
        slopes = gd.gradients(gd.sum(gd.square(y)), [x, k])
        second = gd.gradients(gd.sum(gd.square(slopes[1])), x)
        found.append(gd.Session().run([y, *slopes, second], {x: image, k: kernel}))
    for known, unknown in zip(*found, strict=True):
        np.testing.assert_allclose(unknown, known, rtol=1e-12, atol=1e-12)


def test_a_window_that_would_see_padding_alone_is_refused():
    with pytest.raises(gd.ShapeError, match="2 elements of padding hide a window of 2; expected fewer"):
        build(MaxPool2D((2, 2), (1, 1), ((0, 0), (2, 0))), _image(3, 3, 1))
