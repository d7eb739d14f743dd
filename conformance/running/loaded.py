"""Loading of an implementation that leaves its process as it was."""

from __future__ import annotations

from collections.abc import Callable

from conformance.checking import originals, process_state
from conformance.checking.compiler_settings import CONFIGS
from conformance.errors import UsageError
from conformance.implementations.implementation import Implementation
from conformance.recording.text import line_of
from conformance.running import strays


def loaded(name: str, load: Callable[[], Implementation]) -> Implementation:
    """Return what `load` returns; the settings of the process that this changes are restored.

    Those of ``torch.compile`` stay, as the calls may need them.

    Raises :class:`UsageError` if it replaces functions by which results are judged; these are put
    back.
    """
    try:
        with (
            originals.Kept(loading=True),
            process_state.restored(besides=CONFIGS),
            strays.Noted(name),
        ):
            implementation = load()
            _ = implementation.supports  # that of a hand-written one is tried now
            return implementation
    except originals.Replaced as did:
        text = f"loading it {did}, by which results are judged"
        raise UsageError(f"{line_of(name)!r}: {text}") from did
