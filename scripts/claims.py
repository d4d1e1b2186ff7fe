"""Hold every figure of README, ARCHITECTURE.md and docs against the committed JSON that it comes from.

    python scripts/claims.py             # what is wrong, if anything is; exit code 1 then
    python scripts/claims.py --list      # each claim, and the command that its figures come from

A claim is what a page says, with its figures read from JSON (`scripts/claimed.py`): where the page says something
else, it is wrong. A number that no claim covers, and that is no setting (`GIVEN`, `SETTINGS`), has no source, and is
wrong, too. Tables between ``<!-- NAME -->`` and ``<!-- end -->`` are drawn by `scripts/pages.py`, docs/options.md and
docs/presets.md by `hades.cli.reference`, docs/gallery.md by `scripts/gallery.py`, docs/studies by `hades study`.
"""

import argparse
import re
import sys
from collections.abc import Sequence

from claimed import Claim, claims
from measured import ROOT

PAGES = ["README.md", "ARCHITECTURE.md", *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("docs/**/*.md")))]
GENERATED = {"docs/gallery.md", "docs/options.md", "docs/presets.md"} | {
    page for page in PAGES if page.startswith("docs/studies/")
}
NUMBER = re.compile(r"(?<![\w.^-])[-+]?\d+(?:,\d{3})*(?:\.\d+)*(?![\w-])")
NOT_PROSE = (r"`[^`]*`", r"\]\([^)]*\)", r"<[^>]*>", r"https?://\S+")
"""Code, targets of links, tags."""
GIVEN = [
    r"\b(19|20)\d\d\b", r"(Figures?|Table|Section|Appendix|Algorithm) [A-Z]?\d[\d.]*( and \d)?",  # literature
    r"Python \d\.\d+", r"hades-rl [\d.]+", r"\bCIFAR-10\b", r"95 % interval",  # names
    r"widths? (of )?[\d,]+( and \d+)?", r"\bdense \d+", r"seeds? \d( to \d)?", r"seeds from \d+", r"\d×\d",  # settings
    r"\d[\d,]* (epochs|units|channels|pixels|fresh networks|steps|state-action pairs|bits)\b",
    r"standard deviation of [\d.]+", r"population \d+", r"\d episodes?\b", r"\[-1, 1\]",
]  # fmt: skip
"""What is no measurement: years and places in literature, names, settings that a command or preset has."""
SETTINGS: dict[str, list[str]] = {
    "README.md": [
        "(16 pairs and 3 actions make 6, 5 and 5;",
    ],
    "docs/environments.md": [
        "a `start` other than 0 is added (`hades.policy` counts from 0)", "grey, 84 x 84 (", "the call after 60 s;",
        "(width 16), and 16 candidates of one network",
    ],
    "docs/cli.md": [
        "| 0 | done |", "| 1 | failed:", "| 2 | bad input:", "| 130, 143, 129 | stopped", "are numbered from 1 |",
    ],
    "docs/format.md": ["of the format: 1 |", "what -1 and 1 stand for"],
    "docs/images.md": [
        "(of all, 5,000 at most)", "bytes from 0 to 255, 16 bits (uint16, also in PNG and TIFF) from 0 to 65535",
        "(bool, pictures of one bit) as 0 and 1, real numbers from 0 to 1.",
        "other whole numbers beyond 255, real ones from 0 to 255 or from -1 to 1",
        "that use no more than 255, or 1, of their range.", "summed with norm 1 each", "sharper than the usual 2.",
        "three residual stages of 16, 32, 64 channels", "(8,000 training and 2,000 test images)",
        "(two layers of 128)", "`lenet` by Adam at 0.003 for 240 steps",
        "by plain gradient descent at 0.5 for 30 steps (on images under 16 pixels: at 2 for 300)", "60, and 15 at 2)",
        "The aim was 83.", "The aim was 86.", "The aim was 93.",
        "with step size 2 for 50 steps goes as far as the published 0.1 for 1,000.",
        "(3.0 for 60, the preset of the MNISTs)", "At 5.0 for 100 Fashion-MNIST diverges", "With 5.0 for 100,",
        "3.0 for 60 and 1,500 generations,", "(1.0 for 100 steps)", "With 2.0 for 50 steps", "SNES at 0.15",
    ],
    "docs/laptop.md": [
        "and one of 1 if they never do",
        "with 0.3 the search stays near its first draw",
        "SNES; the standard deviation is the search's initial one, 0.3 where not said.",
        "(64 fresh networks of the training width)", "Rows with a standard deviation of 1 had",
        "over 32 fresh networks", "(1,000 steps of that return about as much)", "each has 37 seconds of two cores",
        "episodes of a tenth of the steps at first, whole ones after 50 generations)", "(30 minutes) has ten searches",
        "in place of the published 200,", "the row with 200 epochs", "A standard deviation of 4 or 8 draws",
        "the preset has 2, and width 64, for 32 does not do", "population 32, 4 networks a candidate where not said",
        "of 300 epochs and 2 networks a candidate",
    ],
    "docs/results.md": [
        "is seen at 42 x 42 and at the usual 84 x 84",
        "difference between 4 and 256 pairs", "(distilled in 20 minutes for width 64,",
        "hardly more than to stand (1,000)", "and 64 pairs, whose training",
        "datasets, 32 networks, no environment step", "after 30 others, one core", "twice, 16 networks of width 256",
        "rehearsed, 29 in all", "(5e-3, falling to 0)", "from a width of 64 on",
    ],
    "docs/explanation/method.md": ["that sees 30 where another sees 0.3 cannot"],
    "docs/how-to/choosing.md": ["until it has had 30 minutes in all"],
    "docs/how-to/report.md": [
        "one file of at most 5 MB", "of many pairs the first 16, or 64 as rows of numbers",
        "of at most 64 pairs of at most 40 numbers,",
    ],
    "docs/tutorials/environment.md": ["A good return here is near 0", "random actions score below -100."],
    "docs/tutorials/gymnasium.md": ["this episode ends far below 200)"],
    "docs/scaling.md": [
        "written by process 0;", "1 device, 4 devices of one process, 2 processes of 2 devices", "for each of 16 GPUs",
        "where that takes longer than 25 s (ctrl-C: 1.3 s)",
        "Hopper, N = 4, width 64, population 64, 2 networks each, 200 epochs, one episode of 200 steps",
        "the two with 64 and more pairs", "8 episodes of 1,000).", "of a loss on 1,024 observations",
    ],
}  # fmt: skip
"""By page: whole phrases that say how something was done or is defined."""


def problems() -> list[str]:
    """Of all pages, a line each."""
    known = list(claims())
    return [line for page in PAGES if page not in GENERATED for line in wrong(page, (ROOT / page).read_text(), known)]


def wrong(page: str, content: str, known: Sequence[Claim]) -> list[str]:
    """Of one page: what it does not say as its sources do, and numbers without a source."""
    text = prose(content)
    phrases = {claim.text: f"as {claim.command} gave" for claim in known if claim.page == page}
    phrases |= dict.fromkeys(SETTINGS.get(page, []), "which stands in SETTINGS")
    found = [f"{page} does not say '{phrase}', {why}" for phrase, why in phrases.items() if phrase not in text]
    covered = [match.span() for pattern in (*GIVEN, *NOT_PROSE) for match in re.finditer(pattern, text)]
    covered += [(text.index(phrase), text.index(phrase) + len(phrase)) for phrase in phrases if phrase in text]
    for match in NUMBER.finditer(text):
        if not any(start <= match.start() and match.end() <= end for start, end in covered):
            around = text[max(0, match.start() - 60) : match.end() + 30]
            found.append(f"{page}: {match[0]} has no source, in '...{around}...'")
    return found


def prose(page: str) -> str:
    """A page without what is drawn, code and indented lines; on one line."""
    for pattern in (r"(?s)<!-- (\w+) -->.*?<!-- end -->", r"(?s)```.*?```", r"(?m)^    .*$"):
        page = re.sub(pattern, " ", page)
    return " ".join(page.split())


def main() -> int:
    """Say what is wrong; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="show the claims, and the commands that made them")
    if parser.parse_args().list:
        print("\n".join(f"{claim.page}: {claim.text}\n    {claim.command}" for claim in claims()))
        return 0
    found = problems()
    print("\n".join(found), file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
