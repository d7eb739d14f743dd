"""The cases that an implementation takes, from which strategies draw."""

from __future__ import annotations

from dataclasses import dataclass, fields

from reference import DTYPES, RESULTS, Case


@dataclass(frozen=True)
class Support:
    """The cases that an implementation takes, by default all that ``torch.nn.LSTM`` takes.

    Tuples list the possible values, the preferred (simplest) value first:

    - `dtypes`: names in :data:`reference.DTYPES`;
    - `devices`: PyTorch's names of devices;
    - `max_layers`: the largest ``num_layers``;
    - `bias`, `batch_first`, `bidirectional`: the possible values of these options;
    - `projection`, `dropout`: whether ``proj_size`` and ``dropout`` can be other than 0;
    - `lengths`: whether rows can have different lengths;
    - `states`: whether initial states are given (True), left out (False), or either;
    - `batched`: whether the input has a batch dimension (True), lacks it (False), or either;
    - `empty_batch`: whether a batch can have no rows;
    - `gradients`: whether the implementation computes gradients;
    - `results`: the results that the implementation returns, of output, h_n and c_n. The others are
      NaN and are not verified.

    The last fields describe adapters, in which the LSTM under test is called by other code:

    - `hands_on_arrays`: whether input and states reach the LSTM unchanged, so that wrong shapes do;
    - `adapts_module`: whether the LSTM is a torch module;
    - `own_process`: whether the LSTM computes in another process than the one that calls it.

    Raises :class:`ValueError` for an empty tuple, an unknown dtype or a `max_layers` below 1.
    """

    dtypes: tuple[str, ...] = tuple(DTYPES)
    devices: tuple[str, ...] = ("cpu",)
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
        if self.max_layers < 1:
            raise ValueError(f"max_layers must be at least 1, got {self.max_layers}")

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
        return missing + (["num_layers > 1"] if self.max_layers == 1 else [])

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
        return missing + ([f"num_layers={layers}"] if layers > self.max_layers else [])


EVERYTHING = Support()
"""All cases that ``torch.nn.LSTM`` takes on the CPU."""

ONE_LAYER = Support(
    max_layers=1, bidirectional=(False,), projection=False, dropout=False, lengths=False
)
"""One layer in one direction, without projection, dropout or lengths."""
