"""What an implementation can be asked: the space from which cases are drawn."""

from __future__ import annotations

from dataclasses import dataclass, fields

from reference import DTYPES, Case


@dataclass(frozen=True)
class Support:
    """The cases that an implementation takes; by default everything that ``torch.nn.LSTM`` does.

    Tuples list the values that are possible, the preferred (simplest) one first:

    - `dtypes`: names from :data:`reference.DTYPES`; `devices`: as PyTorch names them;
    - `bias`, `batch_first`, `bidirectional`: constructor options;
    - `max_layers`, `projection`, `dropout`: the largest ``num_layers``, and whether ``proj_size``
      and ``dropout`` can be other than 0;
    - `lengths`: whether ragged rows can be given; `states`: whether initial states can be given
      (True), left out (False) or either; `batched`: whether the input has a batch dimension;
    - `empty_batch`: whether a batch may have no rows; `gradients`: whether gradients are offered;
    - `results`: which of output, h_n and c_n come back. Of one that does not, a result has NaN
      in its place, and nothing is claimed about it.

    What is under test need not be what takes the cases:

    - `hands_on_arrays`: whether input and states are handed on to it as they are, so that it can
      be given wrong shapes; `adapts_module`: whether it is a torch module, which an adapter calls;
    - `own_process`: whether it computes in another process than the one that calls it.
    """

    dtypes: tuple[str, ...] = tuple(DTYPES)
    devices: tuple[str, ...] = ("cpu",)
    max_layers: int = 8
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
    results: tuple[str, ...] = ("output", "h_n", "c_n")
    hands_on_arrays: bool = False
    adapts_module: bool = False
    own_process: bool = False

    def __post_init__(self) -> None:
        for name in (
            "dtypes",
            "devices",
            "bias",
            "batch_first",
            "bidirectional",
            "states",
            "batched",
            "results",
        ):
            if not getattr(self, name):
                raise ValueError(f"{name} must list at least one value")
        unknown = [name for name in self.dtypes if name not in DTYPES]
        if unknown:
            raise ValueError(f"unknown dtypes {unknown}, must be among {list(DTYPES)}")
        if self.max_layers < 1:
            raise ValueError(f"max_layers must be at least 1, got {self.max_layers}")

    def lacking(self) -> list[str]:
        """What is taken by default, of everything but devices, and is not taken here.

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
        """What of `case` is not taken here, on whatever device."""
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
"""All that ``torch.nn.LSTM`` can be asked on the CPU."""

ONE_LAYER = Support(
    max_layers=1, bidirectional=(False,), projection=False, dropout=False, lengths=False
)
"""One layer in one direction, without projection, dropout or lengths."""
