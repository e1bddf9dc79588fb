"""Pictures and films of tissues: true to scale, what is in front hides, nothing from elsewhere."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from report_fixture import synthetic_result
from tissue_fixture import tissue, tracks
from unmoor.report import report
from unmoor.report.style import as_svg, drawing
from unmoor.report.tissue_colours import BY, DEAD, key
from unmoor.report.tissue_figure import Stage, chosen, clock, panels, round_length, still
from unmoor.report.tissue_film import film, film_page
from unmoor.report.tissue_movie import write_movie
from unmoor.report.tissue_scene import ABOVE, View3D, render
from unmoor.report.tissue_section import films, tissue_plans, tissues
from unmoor.report.view import View
from unmoor.tissue.snapshot import NECROTIC, Snapshot
from unmoor.trial.snapshots import Track

LARGEST = 3_000_000  # bytes of a report
RED, BLUE = (0.8, 0.1, 0.1), (0.1, 0.1, 0.8)


def seen(places: Any, colours: Any, view: View3D = ABOVE, half_width: float = 30.0) -> Any:
    """Picture of cells of 10 µm as numbers, two pixels to a micrometre."""
    return render(
        np.array(places, float),
        np.full(len(places), 10.0),
        np.array(colours),
        view=view,
        centre=np.zeros(3),
        half_width=half_width,
        pixels=round(4 * half_width),
    ).astype(int)


def is_red(picture: Any) -> Any:
    """Which pixels are of the red cell."""
    return picture[..., 0] > picture[..., 2] + 20


def is_blue(picture: Any) -> Any:
    """Which pixels are of the blue cell."""
    return picture[..., 2] > picture[..., 0] + 20


def arms() -> dict[str, list[Snapshot]]:
    """Frames by arm."""
    return {track.arm: frames for track, frames in tracks().items()}


@pytest.mark.parametrize("depth", [-200.0, 0.0, 200.0])
def test_a_cell_is_as_large_as_it_is_however_deep(depth: float) -> None:
    """Or a scale bar would hold at one depth only; area within 2 % of π r², in its place."""
    picture = seen([(12.0, -6.0, depth)], [RED])
    rows, columns = np.nonzero(is_red(picture))
    assert rows.size * 0.25 == pytest.approx(np.pi * 100, rel=0.02)
    assert (columns.mean() + 0.5) / 2 - 30 == pytest.approx(12.0, abs=0.1)
    assert 30 - (rows.mean() + 0.5) / 2 == pytest.approx(-6.0, abs=0.1)


def test_what_is_in_front_hides_what_is_behind() -> None:
    """Whatever the order in which cells are given, and to the bit."""
    places = [(0.0, 0.0, 0.0), (4.0, 0.0, 15.0)]
    picture = seen(places, [RED, BLUE])
    assert is_blue(picture)[60, 68]
    assert is_red(picture).sum() < 0.5 * is_blue(picture).sum()
    assert np.array_equal(picture, seen(places[::-1], [BLUE, RED]))


def test_overlapping_cells_meet_where_their_surfaces_do() -> None:
    """Two cells side by side share the picture in halves: depth is that of surfaces."""
    picture = seen([(-6.0, 0.0, 0.0), (6.0, 0.0, 0.0)], [RED, BLUE])
    assert is_red(picture).sum() == pytest.approx(is_blue(picture).sum(), rel=0.02)
    assert is_red(picture)[60, 56]
    assert is_blue(picture)[60, 64]


def test_nothing_is_drawn_on_white_without_cells() -> None:
    """An empty frame is a white picture."""
    assert (seen(np.empty((0, 3)), np.empty((0, 3))) == 255).all()


def test_a_hollow_is_darker_than_a_free_surface() -> None:
    """A cell in the middle of a bowl is darker than with the same cells standing far apart."""
    turn = np.linspace(0, 2 * np.pi, 13)[:-1]
    ring = np.column_stack([np.cos(turn), np.sin(turn), np.zeros(12)])
    bright = [
        seen([(0.0, 0.0, -22.0), *(reach * ring)], [BLUE] * 13, half_width=60.0)[120, 120].sum()
        for reach in (17.0, 48.0)
    ]
    assert bright[0] < 0.9 * bright[1]


def test_a_cut_takes_the_half_away_and_shows_the_inside() -> None:
    """Cells in front of the plane are gone, those behind whole, those on it have a flat face."""
    side, cut = View3D(0.0, 0.0), View3D(0.0, 0.0, cut=True)
    front, behind = (0.0, -25.0, 0.0), (0.0, 25.0, 0.0)  # from the side, y leads away
    assert (seen([front], [RED], cut) == 255).all()
    assert np.array_equal(seen([behind], [RED], cut), seen([behind], [RED], side))
    face, whole = (
        seen([(0.0, 0.0, 0.0)], [BLUE], view)[56:64, 56:64].sum(axis=2) for view in (cut, side)
    )
    assert np.ptp(face) < 0.2 * np.ptp(whole)


def test_a_cut_shares_overlaps_between_cells() -> None:
    """On the plane the cell shows whose sphere is thicker there, so borders lie halfway."""
    right = View3D(0.0, 0.0).rotation.T @ (1.0, 0.0, -0.62 / 0.76)  # along the plane
    half = 6.0 * right / np.linalg.norm(right)
    picture = seen([-half, half], [RED, BLUE], View3D(0.0, 0.0, cut=True))
    assert is_red(picture)[60, 57]
    assert is_blue(picture)[60, 63]


@pytest.mark.parametrize("by", list(BY))
def test_colours_of_all_frames_are_on_one_scale(by: str) -> None:
    """A colour means the same in every picture, and dead cells are grey in all."""
    frames = [tissue(50), tissue(80, 1.0)]
    colours = key(by, frames)
    for frame in frames:
        found = colours.colours(frame)
        assert found.shape == (frame.radius.size, 3)
        dead = frame.phase == NECROTIC
        assert np.allclose(found[dead], to_rgb(DEAD))
        assert not np.allclose(found[~dead], to_rgb(DEAD))
    with pytest.raises(ValueError, match=r"e_cadherin.*got 'size'"):
        key("size", frames)


def test_lost_e_cadherin_is_orange_and_full_is_blue() -> None:
    """Orange and blue are told apart by all common kinds of sight, and lightness by the rest."""
    frame = tissue(3)._replace(e_cadherin=np.array([0.0, 0.5, 1.0], np.float32))
    low, middle, high = key("e_cadherin", [frame]).colours(frame._replace(phase=np.ones(3)))
    assert low[0] > low[2] + 0.5
    assert high[2] > high[0] + 0.5
    assert middle.sum() > max(low.sum(), high.sum())


def test_cells_that_hang_together_are_told_from_those_that_left() -> None:
    """The main body, a pair and a single have three colours."""
    places = [(0, 0, 0), (15, 0, 0), (0, 15, 0), (100, 0, 0), (115, 0, 0), (0, 0, 200)]
    frame = tissue(6)._replace(position=np.array(places, float), phase=np.ones(6, np.int8))
    assert key("cluster", [frame]).shades(frame).tolist() == [0, 0, 0, 1, 1, 2]


def texts(figure: Figure) -> list[str]:
    """All texts of a figure."""
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_a_panel_stands_for_each_arm_and_time() -> None:
    """With its time, its cells, names of arms, a scale bar that is true, and what colours mean."""
    with drawing():
        figure, rows = panels(arms())
        svg = as_svg(figure)
    assert rows["arm"].tolist() == ["vehicle"] * 3 + ["anti-β1 / low dose"] * 3
    assert rows["hour"].tolist() == [0.0, 6.0, 12.0] * 2
    assert rows["cells"].tolist() == [60, 65, 70] * 2
    said = texts(figure)
    assert [said.count(each) for each in ("0 h", "6 h", "12 h", "vehicle")] == [2, 2, 2, 1]
    assert "E-cadherin (of the epithelial maximum)" in said
    assert "dying or dead" in said
    assert svg.count("data:image/jpeg") + svg.count("data:image/png") == 7
    bar = next(text for text in said if text.endswith("µm"))
    (lines,) = [c for c in figure.axes[0].collections if 1.6 in np.ravel(c.get_linewidths())]
    widths = [np.ptp(path.vertices[:, 0]) for path in lines.get_paths()]
    bars = [w for w, line in zip(widths, lines.get_linewidths(), strict=True) if line == 1.6]
    image = figure.axes[0].images[0].get_extent()
    micrometres = rows["picture_width_um"][0] * bars[0] / (image[1] - image[0])
    assert bar == f"{micrometres:g} µm"


def test_a_flat_tissue_is_seen_from_above_and_not_cut() -> None:
    """A monolayer has no inside."""
    frame = tissue(30, is_flat=True)
    stage = Stage.of({"": [frame]}, cut=True)
    assert stage.is_flat
    assert stage.view == ABOVE
    with drawing():
        assert isinstance(still(frame, by="clone"), Figure)


def test_a_tissue_without_living_cells_has_a_picture() -> None:
    """All may be dead from the start, or all be gone."""
    dead = tissue(5)._replace(phase=np.full(5, NECROTIC, np.int8))
    with drawing():
        _, rows = panels({"a": [dead, tissue(0, 60.0)]})
    assert rows["living"].tolist() == [0, 0]


def test_frames_are_chosen_over_the_whole_time() -> None:
    """The first and the last are always shown."""
    frames = [tissue(2, float(i)) for i in range(11)]
    assert [frame.time for frame in chosen(frames)] == [0.0, 3.0, 7.0, 10.0]
    assert len(chosen(frames[:2])) == 2


def test_times_and_lengths_are_round() -> None:
    """Hours up to three days; a bar of 1, 2 or 5."""
    assert [clock(m) for m in (0, 90, 1440, 4320)] == ["0 h", "1.5 h", "24 h", "3 d"]
    assert [round_length(x) for x in (70.0, 199.0, 230.0)] == [50.0, 100.0, 200.0]


def film_data(page: str) -> dict[str, Any]:
    """What a film carries."""
    found = re.search(r'class="film-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    content: dict[str, Any] = json.loads(found[1])
    return content


def unpacked(content: dict[str, Any], arm: dict[str, Any]) -> tuple[Any, Any]:
    """Places and shades of all frames as the player finds them; a second reading of the layout."""
    raw = np.frombuffer(zlib.decompress(base64.b64decode(arm["data"])), np.uint8)
    frames, cells, keys = len(arm["times"]), arm["cells"], len(content["keys"])
    size = 4 * frames * cells
    steps = (raw[:size].astype(np.uint16) | raw[size : 2 * size].astype(np.uint16) << 8).view("i2")
    place = steps.reshape(4, frames, cells).astype(int).cumsum(axis=1)
    shades = raw[2 * size :].reshape(keys, frames, cells).cumsum(axis=1, dtype=np.uint8)
    return place, shades


def test_a_film_holds_each_cell_where_it_was() -> None:
    """Within half a step of the lattice; cells that come and go are shown only while they live."""
    first, last = tissue(40), tissue(40, 60.0)
    left, came = slice(0, 30), slice(10, 40)
    frames = [Snapshot(first.time, *(each[left] for each in first[1:])),
              Snapshot(last.time, *(each[came] for each in last[1:]))]  # fmt: skip
    content = film_data(film({"a": frames}, name="f", title="t"))
    place, shades = unpacked(content, content["arms"][0])
    centre = frames[0].position[frames[0].is_living].mean(axis=0)
    for i, (frame, cells) in enumerate(zip(frames, (left, came), strict=True)):
        found = (place[:3, i, cells].T - (content["steps"] - 1) / 2) * content["unit"] + centre
        assert np.abs(found - frame.position).max() <= 0.5001 * content["unit"]
        assert np.allclose(place[3, i, cells] / 10, frame.radius, atol=0.0501)
    assert (shades[:, 0, 30:] == 255).all()
    assert (shades[:, 1, :10] == 255).all()
    assert (shades[0, 0, 5:30] < 64).all()
    assert (shades[:, 0, :4] == 254).all()  # necrotic


def test_a_film_keeps_to_its_budget() -> None:
    """By leaving out frames, never the first or the last."""
    frames = []
    for i in range(12):
        frame, turn = tissue(800, float(i)), View3D(9.0 * i, 90.0).rotation
        frames.append(frame._replace(position=frame.position @ turn))
    whole = film_data(film({"a": frames}, name="f", title="t"))
    assert len(whole["arms"][0]["times"]) == 12
    budget = int(0.6 * len(json.dumps(whole)))
    content = film_data(film({"a": frames}, name="f", title="t", budget=budget))
    times = content["arms"][0]["times"]
    assert (times[0], times[-1]) == (0.0, 11.0)
    assert 4 <= len(times) < 12
    assert len(json.dumps(content, separators=(",", ":"), ensure_ascii=False)) <= budget


def test_a_film_asks_for_nothing_and_says_what_it_shows() -> None:
    """No address, nothing that a name can break out of, and a still without JavaScript."""
    page = film({"</script><b>": [tissue(20)]}, name="f", title='"<i>')
    bare = re.sub(r'"data":"[^"]*"|base64,[^"]*', "", page)
    assert not re.search(r"https?:|//[a-z]|@import|\bfetch\b|XMLHttpRequest|import\(", bare)
    assert "<b>" not in page
    assert "<i>" not in page
    assert page.count("<script") == page.count("</script>") == 2
    assert "<noscript>" in page
    assert '<img class="film-still"' in page
    assert 'alt="Still of' in page
    assert "prefers-reduced-motion" in page


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_film_plays_in_a_browser(tmp_path: Path) -> None:
    """It unpacks, draws cells, plays on, and turns by the keys, without an error."""
    check = """<script>addEventListener("load", () => setTimeout(() => {
      const film = document.querySelector(".film"), canvas = film.querySelector("canvas");
      const pen = canvas.getContext("2d");
      const ink = () => pen.getImageData(0, 0, canvas.width, canvas.height).data.join("").length;
      const before = ink();
      const press = (key) => canvas.dispatchEvent(new KeyboardEvent("keydown", {key}));
      press("ArrowLeft"); press("ArrowUp");
      const turned = ink() !== before;
      film.querySelector("button").click();
      const said = [film.dataset.ready, film.dataset.failed, turned,
        film.querySelector("button").textContent, film.querySelectorAll("select").length];
      document.title = said.join(" ");
    }, 1500));</script>"""
    page = film_page(film(arms(), name="f", title="t"), "t")
    path = tmp_path / "film.html"
    path.write_text(page.replace("</body>", f"{check}</body>"), encoding="utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    done = subprocess.run(
        [*command, profile, "--virtual-time-budget=6000", str(path)],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert "<title>yes  true Pause 2</title>" in done.stdout


@pytest.mark.parametrize("name", ["a.gif", "a.apng"])
def test_a_film_can_be_a_file(tmp_path: Path, name: str) -> None:
    """Each frame once, arms beside each other, and the tissue moves."""
    write_movie(tmp_path / name, arms(), seconds=3.0)
    with Image.open(tmp_path / name) as image:
        assert image.n_frames == 3
        assert image.size[0] == 2 * 420
        assert image.info["duration"] == 1000
        first = np.asarray(image.convert("RGB")).astype(int)
        image.seek(2)
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - first).mean() > 0.3


def frames_of(result: Any, count: int) -> dict[Track, list[Snapshot]]:
    """Frames for two lines and two arms of a made-up result."""
    arms = list(result.study.arms)[:2]
    label = result.study.assays[0].label
    lines = result.study.cell_lines[:2]
    frames = [tissue(300 + 5 * i, 360.0 * i, escaped=2 * i) for i in range(count)]
    return {Track(label, line, arm): frames for line in lines for arm in arms}


def test_a_report_of_tissues_shows_them_and_stays_small(tmp_path: Path) -> None:
    """Stills and a film of each line; written as files as well."""
    result = synthetic_result()
    result = SimpleNamespace(**{**vars(result), "snapshots": frames_of(result, 4)})
    page = report(result, tmp_path / "report.html")
    text = page.read_text(encoding="utf-8")
    assert text.count('class="film-data"') == 2
    assert 'href="#tissues"' in text
    assert len(text.encode()) < LARGEST
    stems = {path.stem for path in (tmp_path / "figures").glob("tissue_*")}
    assert len(stems) == 2
    assert {path.suffix for path in (tmp_path / "figures").glob("tissue_*")} == {
        ".svg", ".png", ".csv",
    }  # fmt: skip


def test_a_report_without_tissues_has_no_part_for_them() -> None:
    """No figure, no film, hence no section and no player."""
    view = View.of(synthetic_result())
    assert films(view) == []
    assert tissue_plans(view) == []


def test_only_the_full_report_shows_all_tissues() -> None:
    """A page of forty lines would be too large; the control comes first, then the key arms."""
    result = synthetic_result()
    given = frames_of(result, 2)
    label = result.study.assays[0].label
    given |= {Track(label, result.study.cell_lines[2], "anti-β1"): [tissue(9)]}
    view = View.of(SimpleNamespace(**{**vars(result), "snapshots": given}))
    assert len(tissues(view)) == 2
    assert len(tissues(view, full=True)) == 3
    assert next(iter(tissues(view)[0].arms)) == "vehicle"
