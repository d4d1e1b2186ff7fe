"""Pictures of datasets, what they mean, motion, and the page of a run."""

from hades.reporting.page import report

__all__ = ["report"]
