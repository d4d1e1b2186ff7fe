"""The paper's experiments, and what a distilled dataset is good for: one module each, `hades study NAME`.

A study is a list of cells, each done on its own (`base.py`). ``results.json`` is written after every cell, so that a
study that was interrupted goes on with the cells that it lacks (`conduct.py`); distillations inside a cell are runs,
and go on likewise. A row, and a run's folder, is found by the hash of everything that makes it (`rows.py`): the study,
the cell with all its settings, what its presets and recipes say, the datasets that it reads, and the versions of the
libraries.
"""

from hades.studies.base import STUDIES, Study, kind_of, make
from hades.studies.conduct import conduct, latest, text
from hades.studies.rows import Cell, Row

__all__ = ["STUDIES", "Cell", "Row", "Study", "conduct", "kind_of", "latest", "make", "text"]
