"""Fair shares of parts in what they do together (Shapley values)."""

from __future__ import annotations

import math

import numpy as np

from unmoor.elementwise import FloatArray


def shapley(values: FloatArray) -> FloatArray:
    """Share of each part: what it adds to the parts before it, averaged over all orders.

    Shares add up to the value of all parts less that of none; a part that never changes anything
    has 0, and parts that do the same have the same.

    Parameters
    ----------
    values
        Value of each coalition, shape (…, 2 ** parts); part ``i`` is in coalition ``n`` if bit
        ``i`` of ``n`` is set.

    Returns
    -------
        Shape (…, parts).
    """
    parts = int(values.shape[-1]).bit_length() - 1
    shares = np.zeros((*values.shape[:-1], parts))
    orders = math.factorial(parts)
    for n in range(values.shape[-1]):
        size = n.bit_count()
        for i in range(parts):
            if not n >> i & 1:
                before = math.factorial(size) * math.factorial(parts - size - 1) / orders
                shares[..., i] += before * (values[..., n | 1 << i] - values[..., n])
    return shares
