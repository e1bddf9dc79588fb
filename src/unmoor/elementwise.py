"""Powers and exponentials of arrays, one number at a time.

NumPy picks vector routines by processor, length and stride, which may differ in the last bit;
these always call the same scalar routine, so a cell's number does not depend on its neighbours.
Additions, products, quotients and square roots are exact everywhere and need no such care.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from unmoor.compilation import kernel

FloatArray = npt.NDArray[np.float64]


def power(base: Any, exponent: Any) -> FloatArray:
    """``base ** exponent`` for non-negative bases; shapes broadcast."""
    return _apply(_power, base, exponent)


def exponential(value: Any) -> FloatArray:
    """``e ** value``, shape of ``value``."""
    return _apply(_exponential, value, 0.0)


def logarithm(value: Any) -> FloatArray:
    """Natural logarithm, shape of ``value``."""
    return _apply(_logarithm, value, 0.0)


def _apply(function: Any, first: Any, second: Any) -> FloatArray:
    a, b = np.broadcast_arrays(first, second)
    flat = np.array(a, dtype=np.float64, order="C").ravel()  # a copy: broadcast arrays share memory
    result = np.empty_like(flat)
    function(flat, np.array(b, dtype=np.float64, order="C").ravel(), result)
    return result.reshape(a.shape)


@kernel
def _power(a, b, result):  # type: ignore[no-untyped-def]
    for i in range(a.size):
        result[i] = math.pow(a[i], b[i])


@kernel
def _exponential(a, _, result):  # type: ignore[no-untyped-def]
    for i in range(a.size):
        result[i] = math.exp(a[i])


@kernel
def _logarithm(a, _, result):  # type: ignore[no-untyped-def]
    for i in range(a.size):
        result[i] = math.log(a[i])
