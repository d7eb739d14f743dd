"""The cases that an implementation takes, from which strategies draw."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from reference import DTYPES, RESULTS, TOP, Case


@dataclass(frozen=True)
class Support:
    """The cases that an implementation takes, by default all that ``torch.nn.LSTM`` takes.

    Tuples list the possible values, the preferred (simplest) value first:

    - `dtypes`: names in :data:`reference.DTYPES`;
    - `devices`: PyTorch's names of devices;
    - `min_layers`, `max_layers`: the smallest and the largest ``num_layers``;
    - `bias`, `batch_first`, `bidirectional`: the possible values of these options;
    - `projection`, `dropout`: whether ``proj_size`` and ``dropout`` can be other than 0;
    - `lengths`: whether rows can have different lengths;
    - `states`: whether initial states are given (True), left out (False), or either;
    - `batched`: whether the input has a batch dimension (True), lacks it (False), or either;
    - `empty_batch`: whether a batch can have no rows;
    - `gradients`: whether the implementation computes gradients;
    - `second_derivatives`: whether these gradients can be differentiated once more;
    - `vmap`, `autocast`: whether a torch module works under ``torch.func.vmap``, and under
      ``torch.autocast``;
    - `compile`, `export`: whether ``torch.compile`` and ``torch.export`` take a torch module;
    - `results`: the results that the implementation returns, of output, h_n and c_n. The others are
      NaN and are not verified. ``top_h_n`` stands for h_n whose states below the top layer are NaN.

    The last fields describe adapters, in which the LSTM under test is called by other code:

    - `hands_on_arrays`: whether input and states reach the LSTM unchanged, so that wrong shapes do;
    - `adapts_module`: whether the LSTM is a torch module;
    - `own_process`: whether the LSTM computes in another process than the one that calls it.

    Raises :class:`ValueError` for an empty tuple, an unknown dtype or result, and layers below 1.
    """

    dtypes: tuple[str, ...] = tuple(DTYPES)
    devices: tuple[str, ...] = ("cpu",)
    min_layers: int = 1
    max_layers: int = 12
    bias: tuple[bool, ...] = (True, False)
    batch_first: tuple[bool, ...] = (False, True)
    bidirectional: tuple[bool, ...] = (False, True)
    projection: bool = True
    dropout: bool = True
    lengths: bool = True
    states: tuple[bool, ...] = (True, False)
    batched: tuple[bool, ...] = (True, False)
    empty_batch: bool = True
    gradients: bool = True
    second_derivatives: bool = True
    vmap: bool = True
    autocast: bool = True
    compile: bool = True
    export: bool = True
    results: tuple[str, ...] = RESULTS
    hands_on_arrays: bool = False
    adapts_module: bool = False
    own_process: bool = False

    def __post_init__(self) -> None:
        for item in fields(self):
            if isinstance(item.default, tuple) and not getattr(self, item.name):
                raise ValueError(f"{item.name} must list at least one value")
        unknown = [name for name in self.dtypes if name not in DTYPES]
        if unknown:
            raise ValueError(f"unknown dtypes {unknown}, must be among {list(DTYPES)}")
        strange = [name for name in self.results if name not in (*RESULTS, TOP)]
        if strange:
            raise ValueError(f"unknown results {strange}, must be among {[*RESULTS, TOP]}")
        if self.max_layers < 1:
            raise ValueError(f"max_layers must be at least 1, got {self.max_layers}")
        if not 1 <= self.min_layers <= self.max_layers:
            raise ValueError(f"min_layers must be 1 to {self.max_layers}, got {self.min_layers}")

    def without(self, name: str) -> Support:
        """Return what is left where `name`, one of :data:`LEFT_OUT`, is not offered.

        Raises :class:`KeyError` for another name and :class:`ValueError` if nothing is left.

        >>> Support().without("unbatched").without("vmap").lacking()
        ['batched False', 'vmap']
        """
        field, gone = LEFT_OUT[name]
        kept: Any = False
        if field == "max_layers":
            kept = 1
        elif gone is not None:
            kept = tuple(value for value in getattr(self, field) if value is not gone)
            if not kept:
                raise ValueError(f"takes nothing else, of {field} only {gone}")
        return replace(self, **{field: kept})

    def within(self, other: Support) -> Support:
        """Return what both take, on the devices of this one.

        Raises :class:`ValueError` if they have no value of some option in common.
        """
        both: dict[str, Any] = {}
        for item in fields(self):
            mine, its = getattr(self, item.name), getattr(other, item.name)
            if isinstance(mine, tuple):
                both[item.name] = tuple(value for value in mine if value in its)
            elif item.default is True:
                both[item.name] = mine and its
        both["min_layers"] = max(self.min_layers, other.min_layers)
        both["max_layers"] = min(self.max_layers, other.max_layers)
        return replace(self, **{**both, "devices": self.devices})

    def lacking(self) -> list[str]:
        """List what an implementation takes by default but does not take here, except devices.

        >>> Support(bias=(True,), projection=False, max_layers=1).lacking()
        ['bias False', 'projection', 'num_layers > 1']
        """
        missing = [
            f"{item.name} {value}"
            for item in fields(self)
            if isinstance(item.default, tuple) and item.name not in ("devices", "results")
            for value in item.default
            if value not in getattr(self, item.name)
        ]
        missing += [
            item.name
            for item in fields(self)
            if item.default is True and not getattr(self, item.name)
        ]
        missing += [f"num_layers < {self.min_layers}"] * (self.min_layers > 1)
        few = self.max_layers == 1 or self.max_layers == self.min_layers
        return missing + [f"num_layers > {self.max_layers}"] * few

    def lacking_for(self, case: Case) -> list[str]:
        """List what prevents the implementation from taking `case`, whatever the device."""
        configuration = case.configuration
        asked = {
            "dtypes": case.dtype.name,
            "bias": configuration.bias,
            "batch_first": configuration.batch_first,
            "bidirectional": configuration.bidirectional,
            "states": case.h_0 is not None,
            "batched": case.batched,
        }
        missing = [f"{name}={is_}" for name, is_ in asked.items() if is_ not in getattr(self, name)]
        needed = {
            "projection": configuration.proj_size > 0,
            "dropout": configuration.dropout > 0,
            "lengths": case.lengths is not None,
            "empty_batch": case.batch_size == 0,
        }
        missing += [name for name, is_ in needed.items() if is_ and not getattr(self, name)]
        layers = configuration.num_layers
        within = self.min_layers <= layers <= self.max_layers
        return missing + [f"num_layers={layers}"] * (not within)


LEFT_OUT: dict[str, tuple[str, bool | None]] = {
    "unbatched": ("batched", False),
    "batched": ("batched", True),
    "omitted_states": ("states", False),
    "states": ("states", True),
    "no_bias": ("bias", False),
    "bias": ("bias", True),
    "batch_first": ("batch_first", True),
    "time_first": ("batch_first", False),
    "bidirectional": ("bidirectional", True),
    "layers": ("max_layers", None),
    **{item.name: (item.name, None) for item in fields(Support) if item.default is True},
}
"""What an implementation can be declared not to offer: a field, and which value of it goes."""

EVERYTHING = Support()
"""All cases that ``torch.nn.LSTM`` takes on the CPU."""

ONE_LAYER = Support(
    max_layers=1, bidirectional=(False,), projection=False, dropout=False, lengths=False
)
"""One layer in one direction, without projection, dropout or lengths."""
