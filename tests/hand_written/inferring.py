"""What is inferred of classes in the files of this folder, and what the printed code defines."""

import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from conformance import HandWritten
from conformance.inference import Inference, infer
from conformance.inference.probing import Prober

FOLDER = Path(__file__).parent
CALLS, OF_NETWORKS = 500, 5000
"""How often a class or function is called at most, until what it is is known."""


@cache
def inferred(file: str, name: str, most: int = CALLS) -> Inference:
    """What is inferred of a class of ours, by so few calls that it takes seconds at most."""
    calls = 0

    def counted(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        return call(*arguments)

    call = Prober.call
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Prober, "call", counted)
        patch.chdir(FOLDER)
        found = infer(f"{FOLDER / file}:{name}")
    assert 0 < calls <= most
    return found


def executed(code: str, file: str, monkeypatch: pytest.MonkeyPatch) -> HandWritten:
    """What the printed code defines, run beside the class."""
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.delitem(sys.modules, file.removesuffix(".py"), raising=False)
    values: dict[str, Any] = {}
    exec(code, values)
    monkeypatch.delitem(sys.modules, file.removesuffix(".py"))
    return values["mine"]


def arguments(code: str) -> dict[str, Any]:
    """The arguments in printed code."""
    given: dict[str, Any] = {}
    head, start, call = code.partition("mine = HandWritten(\n")
    name = head.split()[-1].rpartition(".")[2]

    def record(*_: object, **named: Any) -> None:
        given.update(named)

    exec(start + call, {"HandWritten": record, name: None})
    factory = call.partition("\n")[0].strip().removesuffix(",")
    return given if factory == name else {"factory": factory, **given}
