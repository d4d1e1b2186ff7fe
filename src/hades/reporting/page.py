"""What a run found: one self-contained HTML page."""

import base64
import html
from pathlib import Path

from hades.aliases import Options
from hades.dataset import load
from hades.files import dumps, write_atomically
from hades.metrics import metric_of
from hades.reporting.curves import learning_curve
from hades.reporting.pictures import PICTURES
from hades.reporting.style import png
from hades.runs import Run


def report(run: Path | str) -> Path:
    """Write ``report.html`` into a run's folder.

    Returns:
        The page's path.

    Raises:
        InputError: if the folder is not a run's, or holds no dataset yet.
    """
    opened = Run.open(run)
    dataset, metrics = load(opened.dataset_path), opened.metrics()
    metric = dataset.metric
    pictures = [
        ("Learning curve", learning_curve(metrics, metric)),
        ("The dataset", PICTURES[metric.picture](dataset, opened.snapshots())),
    ]
    figures = "".join(
        f"<h2>{title}</h2><img alt='{title}' src='data:image/png;base64,{base64.b64encode(png(figure)).decode()}'>"
        for title, figure in pictures
    )
    score = dataset.info.get("score") or {}
    facts = {
        f"score on {score.get('networks', 'fresh')} networks": _score_in_words(score),
        "generations": f"{dataset.info['generations']:,}",
        metric.counted: f"{dataset.info['env_steps']:,}",
        "time": f"{metrics[-1]['seconds']:.0f} s" if metrics else "none",
        "learner": ", ".join(f"{k} {v}" for k, v in dataset.learner.items()),
        "versions": ", ".join(f"{k} {v}" for k, v in dataset.info["versions"].items()),
    }
    rows = "".join(f"<tr><th>{k}</th><td>{html.escape(str(v))}</td></tr>" for k, v in facts.items())
    page = _PAGE.format(
        title=html.escape(f"{dataset.task}: {len(dataset)} {metric.pairs}"),
        rows=rows,
        figures=figures,
        config=html.escape(dumps(opened.about["config"], indent=2)),
    )
    return write_atomically(opened.path / "report.html", page.encode())


def _score_in_words(score: Options) -> str:
    if not score:
        return "not scored: the run was interrupted"
    return metric_of(score["metric"]).sentence(score)


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222 }}
th {{ text-align: left; padding-right: 1.5rem; font-weight: 600; vertical-align: top; white-space: nowrap }}
img {{ max-width: 100% }} pre {{ background: #f6f6f6; padding: 1rem; overflow-x: auto }}
</style>
<h1>{title}</h1>
<table>{rows}</table>
{figures}
<h2>Configuration</h2><pre>{config}</pre>
</html>
"""
