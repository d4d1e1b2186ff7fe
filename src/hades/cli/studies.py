"""hades study: each study's options are its own fields."""

from dataclasses import dataclass, field
from pathlib import Path

from hades.aliases import Json
from hades.cli.derive import Flag, given, options_of
from hades.cli.groups import Folder, Output, Writing
from hades.cli.output import show
from hades.studies import STUDIES, kind_of
from hades.tables import align


def study(args: list[str]) -> tuple[type, str, list[str]]:
    """Repeat an experiment of the paper; `hades study` lists all."""
    name, *rest = args or ["--help"]
    if name in ("-h", "--help"):
        return Studies, "study", []
    kind = kind_of(name)

    @dataclass(kw_only=True)
    class One(_Run, options_of(kind, say_off=False)):
        """One study."""

        def __call__(self) -> int:
            return self.conduct(name, given(self, kind))

    One.__doc__ = f"{STUDIES[name][0].upper()}{STUDIES[name][1:]}; at laptop scale, if not said otherwise."
    return One, f"study {name}", rest


@dataclass(kw_only=True)
class Studies:
    """The studies that there are."""

    def __call__(self) -> int:
        print("usage: hades study NAME [OPTIONS]\n")
        print(align([(f"  {name}", words) for name, words in STUDIES.items()]))
        print("\nhades study NAME --help says more.")
        return 0


@dataclass(kw_only=True)
class _Run(Writing):
    preset: str = "laptop"
    """laptop or paper."""
    out: Folder = None
    """Where results, figure and table go, and where an interrupted study goes on; left out: studies/NAME."""
    quiet: Flag = False
    """No progress."""
    output: Output = field(default_factory=Output)

    def conduct(self, name: str, options: Json) -> int:
        """Do what is missing, and print the table."""
        from hades import runtime, studies

        runtime.configure()
        made = studies.make(name, self.preset, **options)
        self.out = self.out or Path("studies") / name
        rows = studies.conduct(made, self.out, progress=not self.quiet, force=self.force)
        return show(rows, f"{studies.text(made, rows)}\n\n{self.out}", self.output.json)

    def kept(self) -> str:
        """What is, of a study that was stopped."""
        return f"the same command goes on with what is missing in {self.out}" if self.out else "nothing is kept yet"
