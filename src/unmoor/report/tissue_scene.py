"""Cells as shaded spheres: seen along parallel rays, so that a scale bar holds everywhere.

A compiled loop finds for every pixel the cell that is seen, how deep, and whether it was cut open;
all shading follows for the whole image at once. Light comes from the upper left. What lies in a
hollow is darker (the depth is compared with its surroundings, at the scale of a cell and of several
cells), edges of cells that stand in front of others are drawn, and what is far away pales.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unmoor.compilation import kernel

FloatArray = npt.NDArray[np.float64]
_FAR = -1e30
_LIGHT = (-0.45, 0.6, 0.66)  # towards the light: left, up, to the viewer
_AMBIENT, _DIFFUSE = 0.5, 0.56
_HOLLOW = ((1.0, 0.16), (3.5, 0.34))  # width [cell radii] and most darkening
_EDGE = 0.55  # what is left of the colour at an edge in front of something
_SECTION = 0.97  # brightness of a cut
_SEAM = 0.8  # edge between cells on a cut
_SHINE = 0.16
_PALE = 0.3  # share of white at the far end
_DEEP = 16.0  # radii over which colours pale at least, so that a single layer does not
_COARSE = 4.0  # samples of a coarse picture in the width of a mean


@dataclass(frozen=True)
class View3D:
    """From where a tissue is looked at.

    Attributes
    ----------
    turn, tilt
        Turn about the vertical axis of the tissue (z) and tilt towards the viewer [°]; a tilt of
        90 looks along z from above.
    cut
        Whether the half of the tissue that faces the viewer's right is taken away.
    """

    turn: float = 25.0
    tilt: float = 28.0
    cut: bool = False

    @property
    def rotation(self) -> FloatArray:
        """From axes of the tissue to right, up, towards the viewer, shape (3, 3)."""
        a, b = math.radians(self.turn), math.radians(90.0 - self.tilt)
        about_z = [[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]]
        about_x = [[1, 0, 0], [0, math.cos(b), math.sin(b)], [0, -math.sin(b), math.cos(b)]]
        turned: FloatArray = np.array(about_x) @ np.array(about_z)
        return turned


ABOVE = View3D(0.0, 90.0)
"""From straight above, as a monolayer is looked at."""
CUT_NORMAL = (0.62, 0.2, 0.76)
"""Towards what is taken away, in the axes of the picture (of length 1 after division)."""


def render(
    position: FloatArray,
    radius: npt.ArrayLike,
    colour: npt.ArrayLike,
    *,
    view: View3D,
    centre: npt.ArrayLike,
    half_width: float,
    pixels: int,
    samples: int = 2,
) -> npt.NDArray[np.uint8]:
    """Picture of cells on white.

    Parameters
    ----------
    position
        Centres of cells, shape (cells, 3) [µm].
    radius
        Radii, shape (cells,) [µm].
    colour
        Red, green and blue from 0 to 1, shape (cells, 3).
    view
        From where they are seen.
    centre
        What is in the middle of the picture, shape (3,) [µm].
    half_width
        From the middle to each border [µm].
    pixels
        Width and height of the picture.
    samples
        Samples of each pixel in each direction, which smooth edges.

    Returns
    -------
        Pixels, shape (pixels, pixels, 3).
    """
    size = pixels * samples
    scale = size / (2 * half_width)  # samples in a micrometre
    seen = (np.asarray(position, float) - np.asarray(centre, float)) @ view.rotation.T
    radii = np.asarray(radius, float)
    normal = np.array(CUT_NORMAL) / np.linalg.norm(CUT_NORMAL) if view.cut else np.zeros(3)
    order = np.lexsort((seen[:, 0], seen[:, 1], -(seen[:, 2] + radii)))  # the nearest first
    depth = np.full((size, size), _FAR)
    cell = np.full((size, size), -1, dtype=np.int32)
    is_cut = np.zeros((size, size), dtype=np.bool_)
    _look(seen, radii, order, normal, scale, depth, cell, is_cut)
    paint = np.ones((size, size, 3), dtype=np.float32)
    found = cell[cell >= 0]
    if found.size:
        # few cells far away must not pale the rest
        near, far = np.quantile(depth[cell >= 0][:: samples * samples], [0.995, 0.005])
        typical = float(np.median(radii[found]))
        light = np.array(_LIGHT) / np.linalg.norm(_LIGHT)
        look = np.array([scale, *light, near, min(far, near - _DEEP * typical), typical])
        factor = _light_by_hollows(depth, cell, typical, scale)
        _paint(paint, seen, radii, np.asarray(colour, float), look, depth, cell, is_cut, factor)
    steps = range(samples)
    mean = sum(paint[i::samples, j::samples] for i in steps for j in steps) / samples**2
    return np.asarray(np.rint(255 * np.clip(mean, 0, 1)), dtype=np.uint8)


@kernel
def _look(  # pragma: no cover - compiled
    seen: Any, radius: Any, order: Any, cut: Any, scale: Any, depth: Any, cell: Any, is_cut: Any
) -> None:
    """Find the cell that is seen at each sample, its depth, and where it is cut open."""
    size = depth.shape[0]
    middle = 0.5 * size
    for k in order:
        x, y, z, r = seen[k, 0], seen[k, 1], seen[k, 2], radius[k]
        left = max(0, math.floor((x - r) * scale + middle))
        right = min(size, math.ceil((x + r) * scale + middle) + 1)
        top = max(0, math.floor(middle - (y + r) * scale))
        bottom = min(size, math.ceil(middle - (y - r) * scale) + 1)
        for row in range(top, bottom):
            v = (middle - row - 0.5) / scale
            for column in range(left, right):
                u = (column + 0.5 - middle) / scale
                power = r * r - (u - x) * (u - x) - (v - y) * (v - y)
                if power <= 0.0:
                    continue
                half = math.sqrt(power)
                front = z + half
                opened = False
                if cut[2] > 0.0:
                    plane = -(cut[0] * u + cut[1] * v) / cut[2]
                    if front > plane:
                        if z - half >= plane:
                            continue
                        # cells overlap; a cut shows the one whose sphere is thicker here
                        offset = plane - z
                        front = plane + 1e-7 * (power - offset * offset)
                        opened = True
                if front > depth[row, column]:
                    depth[row, column] = front
                    cell[row, column] = k
                    is_cut[row, column] = opened


def _light_by_hollows(depth: FloatArray, cell: Any, radius: float, scale: float) -> Any:
    """Factor below 1 where the surroundings stand in front of what is seen, shape (size, size).

    Means over wide surroundings are smooth, so that a coarse picture of the depth will do.
    """
    from scipy.ndimage import gaussian_filter

    factor = np.ones(depth.shape, dtype=np.float32)
    for width, most in _HOLLOW:
        sigma = width * radius * scale
        step = max(1, int(sigma / _COARSE))
        known, weight = _coarse(depth, cell, step)
        weight = gaussian_filter(weight, sigma / step, truncate=2.0)
        mean = gaussian_filter(known, sigma / step, truncate=2.0) / np.maximum(weight, 1e-6)
        _darken(factor, depth, cell, mean, weight, step, most, 1.6 * width * radius)
    return factor


@kernel
def _coarse(depth: Any, cell: Any, step: Any) -> Any:  # pragma: no cover - compiled
    """Mean depth where there are cells, times their share, and that share, of square blocks."""
    size = (depth.shape[0] + step - 1) // step
    known, weight = np.zeros((size, size)), np.zeros((size, size))
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            if cell[row, column] >= 0:
                known[row // step, column // step] += depth[row, column] / (step * step)
                weight[row // step, column // step] += 1.0 / (step * step)
    return known, weight


@kernel
def _darken(  # pragma: no cover - compiled
    factor: Any, depth: Any, cell: Any, mean: Any, weight: Any, step: Any, most: Any, full: Any
) -> None:
    """Take from ``factor`` what the mean depth of the surroundings covers."""
    last = mean.shape[0] - 1
    for row in range(depth.shape[0]):
        y = min(max((row + 0.5) / step - 0.5, 0.0), float(last))
        i = min(int(y), max(last - 1, 0))
        for column in range(depth.shape[1]):
            if cell[row, column] < 0:
                continue
            x = min(max((column + 0.5) / step - 0.5, 0.0), float(last))
            j = min(int(x), max(last - 1, 0))
            total, share = 0.0, 0.0
            for down in range(min(2, last + 1)):
                for right in range(min(2, last + 1)):
                    part = (1.0 - abs(y - i - down)) * (1.0 - abs(x - j - right))
                    total += part * mean[i + down, j + right]
                    share += part * weight[i + down, j + right]
            deep = min(max((total - depth[row, column]) / full, 0.0), 1.0)
            factor[row, column] -= most * deep * min(2.0 * share, 1.0)


@kernel
def _paint(  # pragma: no cover - compiled
    out: Any, seen: Any, radius: Any, colour: Any, look: Any, depth: Any, cell: Any, is_cut: Any,
    factor: Any,
) -> None:  # fmt: skip
    """Colour of each sample; ``look`` holds scale, light, near and far end, typical radius."""
    size = depth.shape[0]
    scale, light, near, far, typical = look[0], look[1:4], look[4], look[5], look[6]
    for row in range(size):
        for column in range(size):
            k = cell[row, column]
            if k < 0:
                continue
            z = depth[row, column]
            nx = ((column + 0.5 - 0.5 * size) / scale - seen[k, 0]) / radius[k]
            ny = ((0.5 * size - row - 0.5) / scale - seen[k, 1]) / radius[k]
            nz = (z - seen[k, 2]) / radius[k]
            towards = nx * light[0] + ny * light[1] + nz * light[2]
            bright = _AMBIENT + _DIFFUSE * min(max(0.25 + 0.75 * towards, 0.0), 1.0)
            shine = _SHINE * max(towards, 0.0) ** 24
            if is_cut[row, column]:
                bright, shine = _SECTION, 0.0
            edge = 0.0
            for way in range(4):
                y = min(max(row + (way - 1) * (way % 2 == 0), 0), size - 1)
                x = min(max(column + (way - 2) * (way % 2 == 1), 0), size - 1)
                if cell[y, x] != k:
                    drop = min(max((z - depth[y, x]) / typical - 0.1, 0.0), 1.0)
                    edge = max(edge, 0.35 + 0.65 * drop if drop > 0.0 else 0.14)
                    if is_cut[row, column] and is_cut[y, x]:
                        edge = max(edge, _SEAM)
            bright *= factor[row, column] * (1.0 - (1.0 - _EDGE) * edge)
            pale = _PALE * min(max((near - z) / (near - far), 0.0), 1.0)
            for channel in range(3):
                lit = min(colour[k, channel] * bright + shine, 1.0)
                out[row, column, channel] = lit * (1.0 - pale) + pale
