"""How a script finds out whether the fault shows, for each kind of failure."""

from __future__ import annotations

from conformance.checking.finding import Finding
from conformance.implementations.failures import (
    LostDevice,
    NotRefused,
    Quantity,
    Raised,
    WrongElement,
)
from conformance.recording.ending import Ending
from conformance.recording.operands import Literal
from conformance.recording.steps import Comparison
from conformance.reproductions.compare import compare
from conformance.reproductions.single import single_call

LOST = """fault = False
try:
    torch.cuda.synchronize()
except Exception as error:
    print("expected: the device works; got:", error)
    fault = True"""


def ending(finding: Finding) -> Ending | None:
    """Return the shortest ending for what was found, None if there is none.

    Results that have to be exact are compared. Where a bound allows a difference, or where numbers
    derived from results were compared, a single call that is wrong by itself is shorter. No script
    has numbers that hold for one dropout mask only, as it was read off these results.
    """
    failure, tape = finding.failure, finding.tape
    if isinstance(failure, LostDevice):
        return Ending(LOST, {}, tape.steps, names=tuple(tape.steps[-1].names()))
    if isinstance(failure, NotRefused):
        return Ending("", {}, tape.steps)
    if isinstance(failure, Raised):
        return Ending("fault = False", {}, tape.steps, names=tuple(tape.steps[-1].names()))
    if not isinstance(failure, WrongElement):
        return failure.ending
    arrays = failure.arrays
    if arrays is None or arrays.got is None or _of_one_mask(finding, failure, arrays):
        return single_call(finding) or failure.ending
    exact = not arrays.allowed.array.any()
    alone = None if exact else single_call(finding)
    return alone or compare(failure.what, arrays, tape.steps)


def _of_one_mask(finding: Finding, failure: WrongElement, arrays: Comparison) -> bool:
    """Whether what is right follows from the mask of a call in train mode.

    Results are of the mode that the module is in now; gradients may be of one that it was in.
    """
    c, tape = finding.case.configuration, finding.tape
    trained = True in tape.training.values()
    if failure.quantity is Quantity.GRADIENT:
        trained |= True in tape.modes
    drawn = trained and 0 < c.dropout < 1 and c.num_layers > 1
    return drawn and isinstance(arrays.expected, Literal) and bool(arrays.expected.array.any())
