"""What was found out about a class or function: an adapter, and what is wrong with the class."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.errors import file_of_adapter
from conformance.implementations.by_hand import HandWritten


@dataclass(frozen=True)
class Inference:
    """The adapter that was found, or the nearest one.

    - `name`: the name of the class or function
    - `code`, `implementation`: the adapter, as source and as an object
    - `faults`: what is wrong with the class, each the part of a sentence; empty if the adapter fits
    - `remarks`: what else to know, such as other mappings that fit as well
    - `partly`: whether the adapter fits as long as sizes are not extreme
    - `backward`: whether only gradients are wrong
    - `part`: the arguments of the constructor with which the class could not be tried
    - `layout`: where the output has other axes than the input, which those are
    - `unloadable`: why no command can load the class or function, empty if one can
    """

    name: str
    code: str
    implementation: HandWritten
    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    partly: bool = False
    part: str = ""
    backward: bool = False
    layout: str = ""
    unloadable: str = ""

    @property
    def fits(self) -> bool:
        """Whether the class computes the LSTM under this mapping."""
        return not self.faults

    def lines(self) -> list[str]:
        """Return what to print: comments that describe what was found, and the source."""
        if self.fits:
            part = f", as far as it was looked at: not with {self.part}" * bool(self.part)
            file = file_of_adapter(self.name)
            layout = f", where {self.layout}" * bool(self.layout)
            save = "Save these lines"
            if self.unloadable:
                save = f"{self.unloadable} Save its source, and below it these lines,"
            what = f"computes the LSTM{layout}{part}. {save} as {file} and run"
            comments = [f"{self.name} {what}", "", f"    lstm-conformance verify {file}:mine", ""]
        else:
            only = "computes the LSTM in some cases only"
            what = only if self.partly else "does not compute the LSTM"
            what = "computes the LSTM, but not its gradients" if self.backward else what
            comments = [f"{self.name} {what}. The nearest mapping is below.", ""]
        return [f"# {line}".rstrip() for line in comments] + self.mapping()

    def mapping(self) -> list[str]:
        """Return what is wrong and what else to know, as comments, and the source."""
        comments = [f"# Wrong: {_ended(fault)}" for fault in self.faults]
        remarks = [self.layout] * bool(self.layout) + [*self.remarks]
        comments += [f"# Note: {remark}." for remark in remarks]
        return [*comments, self.code]


def _ended(fault: str) -> str:
    return fault if fault.endswith((".", "?")) else f"{fault}."
