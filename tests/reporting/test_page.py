"""Pages of runs, whole and damaged, of datasets, and of several."""

import json
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import helpers

import hades
from hades.errors import InputError
from hades.reporting.page import rendered
from hades.reporting.subject import Subject, subject
from hades.reporting.watching import server
from hades.units import Units


class Page(HTMLParser):
    """What a page holds, and whether its elements are closed in the order that they are opened in."""

    VOID = ("meta", "link", "input", "br", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words, self.ids, self.addresses, self.named = [], [], [], []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == [], self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        about = dict(attrs)
        self.ids += [about["id"]] if "id" in about else []
        self.addresses += [about[name] or "" for name in ("href", "src", "xlink:href") if name in about]
        self.named += [about.get("aria-label") or ""] if tag == "svg" else []
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one generation."""
    folder = tmp_path_factory.mktemp("pages") / "one"
    options = {"population": 4, "inits": 1, "episodes": 1, "validate_inits": 2, "learner": {"width": 8, "epochs": 4}}
    hades.distill("cartpole", size=2, generations=1, out=folder, progress=False, **options)
    return folder


def test_python_writes_the_page_of_a_run_which_says_all_of_it(run: Path) -> None:
    page = Page((run / "report.html").read_text())
    about = json.loads((run / "config.json").read_text())
    assert "CartPole-v1: 2 state-action pairs" in page.text
    assert "hades distill CartPole-v1" in page.text and "--generations 1" in page.text
    assert about["made"]["date"] in page.text and about["made"]["hardware"]["cpu"].split()[0] in page.text
    assert "pole angular velocity" in page.text and "push left" in page.text
    assert all(page.named), "every picture says what is in it"
    assert len(page.named) == 4, "the pairs, and a curve against three things, though it has one generation"


def test_a_page_needs_nothing_else_and_names_nothing_twice(run: Path) -> None:
    page = Page(rendered([subject(run), subject("cartpole-2")]))
    inside = [one for one in page.addresses if one.startswith(("#", "data:"))]
    outside = set(page.addresses) - set(inside)
    assert all("arxiv.org" in one for one in outside)
    assert len(page.ids) == len(set(page.ids))
    assert {one[1:] for one in inside if one.startswith("#")} <= set(page.ids)


def test_the_dataset_can_be_taken_from_the_page(run: Path, tmp_path: Path) -> None:
    page = Page((run / "report.html").read_text())
    address = next(one for one in page.addresses if one.startswith("data:application"))
    with urllib.request.urlopen(address) as file:
        (tmp_path / "taken.safetensors").write_bytes(file.read())
    np.testing.assert_array_equal(hades.load(tmp_path / "taken.safetensors").states, hades.load(run).states)


def test_the_page_of_a_dataset_has_scores_and_how_far_it_generalises(tmp_path: Path) -> None:
    page = Page(hades.report("hopper-4", out=tmp_path / "page.html", quick=True).read_text())
    card = hades.load("hopper-4").info["card"]
    assert f"{card['scores']['width 512']['mean']:.1f}" in page.text
    assert f"Of {card['generalisation']['settings']} other networks" in page.text
    assert "paper's HaDES-R, 4 pairs: 1,741 ± 80.1" in page.text


def test_what_comes_from_a_file_is_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    dataset = hades.Dataset(
        states=np.eye(2), labels=np.eye(2), task=evil, info={"seed": evil},
        units=Units(observations=(evil, "b"), actions=(evil, "d")),
    )  # fmt: skip
    text = hades.report(dataset, out=tmp_path / "page.html", quick=True).read_text()
    assert evil not in text and "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda run: (run / "metrics.jsonl").write_text("{\n"), "1 lines of metrics.jsonl are cut off or damaged"),
        (lambda run: (run / "metrics.jsonl").unlink(), "No generation is on record"),
        (lambda run: (run / "dataset.safetensors").write_bytes(b"x"), "The dataset cannot be read"),
        (lambda run: (run / "dataset.safetensors").unlink(), "There is no dataset yet"),
        (lambda run: (shutil.rmtree(run / "checkpoint"), (run / "config.json").unlink()), "What the run was is not"),
    ],
)
def test_what_is_missing_of_a_run_is_said(run: Path, tmp_path: Path, damage: Callable[[Path], Any], said: str) -> None:
    broken = Path(shutil.copytree(run, tmp_path / "broken"))
    damage(broken)
    assert said in Page(hades.report(broken, quick=True).read_text()).text


def test_where_there_is_nothing_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="neither a run's folder nor holds a dataset"):
        hades.report(tmp_path)


def test_several_are_compared_if_they_have_one_kind_of_score(run: Path, tmp_path: Path) -> None:
    page = Page(hades.report(run, "cartpole-2", out=tmp_path / "both.html", quick=True).read_text())
    assert "2 compared: one, cartpole-2" in page.text
    with pytest.raises(InputError, match="one kind of score"):
        hades.report("cartpole-2", "digits-10", out=tmp_path / "no.html")


def test_from_the_command_line(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = helpers.run(capsys, "report", str(run), "--json", "--quick")
    assert code == 0 and json.loads(out) == {"page": str(run / "report.html"), "missing": []}
    code, out, _ = helpers.run(capsys, "report", "cartpole-2", "--quick")
    assert code == 0 and out == "cartpole-2.html\n" and Path("cartpole-2.html").exists()
    code, _, err = helpers.run(capsys, "report", "cartpole-2", "--quick")
    assert code == 2 and "--force" in err
    assert "needs a run's folder or a dataset" in helpers.run(capsys, "report")[2]


def test_a_page_that_is_watched_follows_its_run(run: Path, tmp_path: Path) -> None:
    growing = Path(shutil.copytree(run, tmp_path / "growing"))
    with server(growing, port=0) as served:
        threading.Thread(target=served.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{served.server_address[1]}"

        def get(path: str, host: str | None = None) -> str:
            asked = urllib.request.Request(place + path, headers={"Host": host} if host else {})
            with urllib.request.urlopen(asked) as answer:
                return answer.read().decode()

        page, state = get("/"), get("/state")
        assert "CartPole-v1" in page and "<script>" in page
        assert get("/state") == state
        with (growing / "metrics.jsonl").open("a") as file:
            file.write("{}\n")
        assert get("/state") != state
        for path, host in (("/../config.json", None), ("/", "elsewhere.org")):
            with pytest.raises(urllib.error.HTTPError):
                get(path, host)
        served.shutdown()


def test_a_subject_without_anything_has_a_page() -> None:
    assert "has not written a dataset yet" in Page(rendered([Subject("empty", None)])).text
