"""Sums of products over named axes, as a user writes them."""

import numpy as np
import pytest

import graphdl as gd


def _random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize(
    ("equation", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij,jk", [(2, 3), (3, 4)]),
        ("nqhd,nkhd->nhqk", [(2, 3, 2, 4), (2, 5, 2, 4)]),
        ("...ij,...jk->...ik", [(5, 2, 3), (5, 3, 4)]),
        ("...i,i->...", [(2, 3, 4), (4,)]),
        (" b i , i j -> b j ", [(2, 3), (3, 4)]),
        ("ba", [(2, 3)]),
        ("i,j->", [(2,), (3,)]),
    ],
)
def test_the_value_is_numpys(equation, shapes):
    arrays = [_random(*shape, seed=i) for i, shape in enumerate(shapes)]
    nodes = [gd.constant(array) for array in arrays]
    np.testing.assert_allclose(gd.Session().run(gd.einsum(equation, *nodes)), np.einsum(equation, *arrays))


def test_a_symbolic_batch_goes_through():
    x, w = gd.placeholder(("N", 3), "float64", name="x"), gd.Variable(_random(3, 4), name="w")
    y = gd.einsum("ni,ij->nj", x, w)
    assert str(y.type) == "f64[N, 4]"
    session, fed = gd.Session(), _random(5, 3, seed=2)
    slope = session.run(gd.gradients(gd.sum(gd.square(y)), w), {x: fed})
    np.testing.assert_allclose(slope, 2 * fed.T @ (fed @ session.value(w)))


def test_an_axis_that_one_operand_alone_has_gets_copies_of_its_gradient():
    x = gd.Variable(_random(2, 3), name="x")
    slope = gd.Session().run(gd.gradients(gd.einsum("ij->", x), x))
    assert slope.tolist() == np.ones((2, 3)).tolist()


@pytest.mark.parametrize(
    ("equation", "shapes", "kind", "text"),
    [
        ("ij,jk->ik", [(2, 3), (4, 5)], gd.ShapeError, "has sizes 3 and 4"),
        ("ij->ik", [(2, 3)], gd.ShapeError, "is no operand's"),
        ("ijk->i", [(2, 3)], gd.ShapeError, "has 2 axes, .* names 3"),
        ("ii->i", [(3, 3)], gd.ShapeError, "each once at most"),
        ("ij,jk->ik", [(2, 3)], gd.GraphError, "expected letters for 1 operands"),
        ("i$->i", [(2, 3)], gd.GraphError, "the equation is"),
        (7, [(2, 3)], gd.GraphError, "the equation is 7"),
    ],
)
def test_what_is_no_equation_is_refused(equation, shapes, kind, text):
    with pytest.raises(kind, match=text):
        gd.einsum(equation, *(gd.constant(_random(*shape)) for shape in shapes))


def test_integers_are_refused():
    with pytest.raises(gd.DTypeError, match="expected floats"):
        gd.einsum("i->", gd.constant(np.arange(3)))
