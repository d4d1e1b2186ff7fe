"""Pages of runs, whole and damaged, of datasets, and of several."""

import dataclasses
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
from hades.metrics import RETURN
from hades.reporting import page as page_module
from hades.reporting.closer import Closer, Picture
from hades.reporting.curves import curve_in_words, curves, learning_curve
from hades.reporting.page import MOST, rendered
from hades.reporting.shades import shades
from hades.reporting.style import png, subplots, svg
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
        (lambda run: (run / "metrics.jsonl").write_text("{\n"), "1 line of metrics.jsonl is cut off or damaged"),
        (lambda run: (run / "metrics.jsonl").write_text("{\n[\n"), "2 lines of metrics.jsonl are cut off or damaged"),
        (lambda run: (run / "metrics.jsonl").unlink(), "No generation is on record"),
        (lambda run: unreadable(run / "metrics.jsonl"), "How the run went cannot be read"),
        (lambda run: (run / "dataset.safetensors").write_bytes(b"x"), "The dataset cannot be read"),
        (lambda run: (run / "dataset.safetensors").unlink(), "was there and is gone: hades resume"),
        (lambda run: (run / "config.json").write_text("{"), "is told by its last checkpoint"),
        (lambda run: shutil.rmtree(run / "checkpoint"), "There is no checkpoint any more"),
        (lambda run: [path.write_bytes(b"x") for path in run.glob("checkpoint/*")], "generation 1 is damaged"),
        (lambda run: (run / "snapshots" / "0000000.safetensors").write_bytes(b"x"), "cannot be read: 0000000.safet"),
        (lambda run: (shutil.rmtree(run / "checkpoint"), (run / "config.json").unlink()), "What the run was is not"),
    ],
)
def test_what_is_missing_of_a_run_is_said(run: Path, tmp_path: Path, damage: Callable[[Path], Any], said: str) -> None:
    broken = Path(shutil.copytree(run, tmp_path / "broken"))
    damage(broken)
    assert said in Page(hades.report(broken, quick=True).read_text()).text


def unreadable(file: Path) -> None:
    """A folder is where a file was, which not even root can read as one."""
    file.unlink()
    file.mkdir()


def test_of_a_run_that_has_just_begun_it_is_said_that_there_is_no_dataset_yet(run: Path, tmp_path: Path) -> None:
    young = Path(shutil.copytree(run, tmp_path / "young"))
    for left in (young / "dataset.safetensors", young / "report.html"):
        left.unlink()
    (young / "metrics.jsonl").write_text("")
    assert "There is no dataset yet: no generation has ended." in subject(young).missing


def test_one_damage_does_not_hide_what_is_whole(run: Path, tmp_path: Path) -> None:
    broken = Path(shutil.copytree(run, tmp_path / "broken"))
    (broken / "config.json").write_text("{")
    shutil.rmtree(broken / "checkpoint")
    found = subject(broken)
    assert len(found.metrics) == 1 and found.snapshots and found.dataset and len(found.missing) == 1
    (broken / "dataset.safetensors").unlink()
    assert len(subject(broken).metrics) == 1


def test_a_run_of_images_without_its_dataset_is_still_one_of_images() -> None:
    assert Subject("one", None, snapshots={0: hades.load("digits-10")}).metric.pairs == "images"
    assert Subject("one", None, about={"metric": "validation accuracy"}).metric.pairs == "images"


def test_a_run_of_the_first_release_has_a_page(tmp_path: Path) -> None:
    old = Path(shutil.copytree(Path(__file__).parents[1] / "data" / "run-0.1", tmp_path / "old"))
    page = Page(hades.report(old, quick=True).read_text())
    assert "hades distill CartPole-v1" in page.text and "does not say network" in page.text
    about = json.loads((old / "config.json").read_text())
    del about["preset"], about["config"]["learner"]
    (old / "config.json").write_text(json.dumps(about))
    assert "hades distill CartPole-v1" in Page(hades.report(old, quick=True).read_text()).text
    (old / "config.json").write_text(json.dumps(about | {"config": {"size": "x", "learner": 3}}))
    assert "What distils it again is not known" in Page(hades.report(old, quick=True).read_text()).text


ODD: list[dict[str, Any]] = [
    {"score": {"mean": "a"}},
    {"score": {"mean": [1]}},
    {"score": 3},
    {"score": {"mean": 1, "iqm_interval": ["a", "b"], "std_of_inits": "c", "inits": "d", "min": {}}},
    {"score": {"mean": 1, "iqm_interval": 5, "episodes": None, "diverged": "x", "networks": 7}},
    {"score": {"mean": 10**400}},
    {"generations": "x", "env_steps": [], "versions": 3, "seed": {}},
    {"card": {"generalisation": {"share": "a", "settings": 1, "within": "b"}, "scores": [1]}},
    {"card": {"generalisation": 4, "scores": {"one": None}}},
]


@pytest.mark.parametrize("info", ODD, ids=range(len(ODD)))
def test_whatever_a_header_has_there_is_a_page(info: dict[str, Any], cartpole_pairs: hades.Dataset) -> None:
    odd = dataclasses.replace(cartpole_pairs, info=info)
    assert Page(rendered([Subject("odd", odd)])).text
    assert str(odd)


def test_a_score_that_is_not_finite_is_said_to_be_none(cartpole_pairs: hades.Dataset) -> None:
    lost = dataclasses.replace(cartpole_pairs, info={"score": {"mean": None, "std_of_inits": None}})
    page = Page(rendered([Subject("lost", lost)])).text
    assert "a return of no finite number" in page and "of none" not in page


NAMES = ("$a^$", "_b", "$x_", "\\frac{")


def test_names_are_no_mathematics_and_none_is_left_out(tmp_path: Path) -> None:
    odd = Units(observations=NAMES, actions=("$_y^$", "_z"))
    dataset = hades.Dataset(states=np.eye(4), labels=np.eye(2)[[0, 1, 0, 1]], units=odd, task="a$_^$")
    assert "$a^$" in Page(rendered([Subject("a$_^$", dataset)])).text
    rows = [helpers.metrics_row(n, validated=1.0) for n in (1, 2)]
    drawn = svg(curves({"a$_^$": rows, "_b": rows}, RETURN), "", "c")
    assert "a$_^$" in drawn and "_b" in drawn
    patches = shades(dataset, dataset.targets)
    figure, (ax,) = subplots(1, 1, (3, 2))
    patches.key(ax)
    ax.set_title("$a^$")
    assert png(figure) and "_z" in svg(figure, "", "d")


def test_logarithmic_scales_keep_their_powers() -> None:
    figure, (ax,) = subplots(1, 1, (3, 2))
    ax.set_xscale("log")
    assert ">$\\mathdefault" not in svg(figure, "", "e")


def test_a_page_stays_small_and_says_what_it_leaves_out(
    cartpole_pairs: hades.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    motion = Picture("In motion", "data:image/gif;base64," + "A" * 2_000_000, "An episode.")
    every = [Subject(name, cartpole_pairs) for name in ("one", "two", "three")]
    text = rendered(every, [Closer(motion)] * 3)
    assert len(text) < MOST and text.count("image/gif") == 2 and "There is no moving picture" in Page(text).text
    monkeypatch.setattr(page_module, "MOST", 1000)
    page = Page(rendered(every[:1]))
    assert "The file one.safetensors (0.0 MB) is not in the page" in page.text
    assert not any(one.startswith("data:application") for one in page.addresses)


def test_words_of_a_picture_say_how_many_pairs_it_has_and_no_table_that_is_not_there() -> None:
    many = hades.Dataset(states=np.zeros((100, 4)), labels=np.eye(2)[np.arange(100) % 2], task="CartPole-v1")
    words = [one for one in Page(rendered([Subject("many", many)])).named if "state-action" in one]
    assert words == ["The first 16 of the 100 state-action pairs."]
    (few,) = [one for one in Page(rendered([subject("cartpole-2")])).named if "state-action" in one]
    assert few == "The 2 state-action pairs; their numbers are in the table below."


def test_images_have_no_episodes_and_it_is_said_what_validation_is() -> None:
    digits = hades.load("digits-10")
    info = {"metric": "validation accuracy", "score": {"mean": 0.9, "std_of_inits": 0.01, "inits": 16}}
    page = Page(rendered([Subject("digits", dataclasses.replace(digits, info=info))])).text
    assert "fresh episodes" not in page and "images that are kept for validation" in page
    assert "the test set, which it has not seen" in Page(rendered([Subject("digits", digits)])).text


def test_a_network_that_a_search_kept_to_is_not_called_fresh(cartpole_pairs: hades.Dataset) -> None:
    score = {"mean": 400.0, "std_of_inits": None, "inits": 1, "episodes": 8, "networks": "its own"}
    info = {"init": "fixed", "init_key": [0, 1], "score": score}
    page = Page(rendered([Subject("own", dataclasses.replace(cartpole_pairs, info=info))])).text
    assert "The network that the search kept to (HaDES-F), trained on it and on nothing else, has a return of" in page
    assert "fresh network" not in page and "32 others" not in page and "standard deviation over networks." not in page


def test_pairs_of_several_tasks_are_no_table_and_scored_by_parts() -> None:
    page = Page(rendered([Subject("both", hades.merge(["cartpole-2", "acrobot"]))])).text
    assert "in the environment's units" not in page and "hades.policy" not in page
    assert "from hades.merging import evaluate_parts" in page and "print(evaluate_parts(" in page


@pytest.mark.parametrize(("info", "said"), [({}, False), ({"generations": 3}, True)])
def test_pairs_that_no_search_found_are_not_called_haDES_R(
    info: dict[str, Any], said: bool, cartpole_pairs: hades.Dataset
) -> None:
    page = Page(rendered([Subject("one", dataclasses.replace(cartpole_pairs, info=info))])).text
    assert ("HaDES-R: fresh ones" in page) is said


def test_how_far_it_generalises_is_shown_wherever_it_is_known(cartpole_pairs: hades.Dataset) -> None:
    known = {"generalisation": {"share": 0.5, "settings": 46, "within": 0.9}}
    one = Subject("one", dataclasses.replace(cartpole_pairs, info=known))
    for every in ([one], [one, Subject("two", cartpole_pairs)]):
        assert Page(rendered(every)).text.count("Of 46 other networks and ways of training") == 1


def test_why_nothing_is_drawn_is_said_also_where_nothing_is(cartpole_pairs: hades.Dataset) -> None:
    seen = Closer(unseen=("“Without each pair”: there is one pair.",))
    assert "Not shown: “Without each pair”" in Page(rendered([Subject("one", cartpole_pairs)], [seen])).text


def test_a_curve_breaks_between_phases() -> None:
    rows = [helpers.metrics_row(n, search=n // 3, validated=float(n)) for n in range(1, 7)]
    for figure in (learning_curve(rows), curves({"one": rows}, RETURN)):
        for line in figure.axes[0].lines:
            assert np.isnan(np.asarray(line.get_ydata(), float)).sum() == 2
    assert "3 phases" in curve_in_words(rows, RETURN)


def test_on_paper_nothing_is_cut_off() -> None:
    text = rendered([subject("cartpole-2")])
    paper = text[text.index("@media print") : text.index("</style>")]
    assert ".wide, pre { overflow: visible }" in paper and "white-space: pre-wrap" in paper


def test_a_page_that_cannot_be_had_just_now_replaces_nothing() -> None:
    assert "if (!answer.ok) throw" in rendered([subject("cartpole-2")], live=True)


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
    assert "There is no dataset to show" in Page(rendered([Subject("empty", None)])).text
