"""Draw the README's picture: CartPole's learning curve and its two pairs.

python scripts/figures.py RUN          # a finished run: hades distill cartpole
"""

import sys
from pathlib import Path

import hades
from hades.reporting.curves import learning_curve
from hades.reporting.pictures import pairs
from hades.runs import Run

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    run, out = Run.open(sys.argv[1]), Path(__file__).parent.parent / "docs"
    learning_curve(run.metrics()).savefig(out / "cartpole-curve.png", dpi=150)
    pairs(hades.load(run.dataset_path)).savefig(out / "cartpole-pairs.png", dpi=150)
