"""The page in HTML of a report."""

from conformance.running.reporting.pages.run import html

__all__ = ["html"]
