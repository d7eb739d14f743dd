"""The LSTMs among named arrays, found by names and shapes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from conformance.errors import UsageError
from conformance.implementations.layouts import Layout, Stored
from conformance.judgement.files import keras_layers
from conformance.judgement.files.found import Found, from_stored, refuse_unfit, stacked
from conformance.recording.text import listed
from reference import DTYPES, Array, Configuration

ROLES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
PARAMETER = re.compile(rf"(?P<prefix>.*?)(?P<role>{'|'.join(ROLES)})(?P<end>_l\d+(_reverse)?|)")
"""The names of PyTorch: ``encoder.weight_ih_l0_reverse``; of a cell, ``decoder.weight_ih``."""
QUANTIZABLE = re.compile(
    r"(?P<prefix>.*?)layers\.(?P<layer>\d+)\.layer_(?P<way>fw|bw)\.cell\.(?P<part>[ih])gates\."
    r"(?P<kind>weight|bias)"
)
"""The names of ``torch.ao.nn.quantizable.LSTM``."""
IN_LIST = re.compile(r"(?P<list>.*?)\.?(?P<nth>\d+)")


def renamed(name: str) -> str:
    """Rename a parameter of a framework that is not PyTorch's way, to PyTorch's names."""
    found = QUANTIZABLE.fullmatch(name)
    if found is None:
        return name
    end = f"_l{found['layer']}{'_reverse' * (found['way'] == 'bw')}"
    return f"{found['prefix']}{found['kind']}_{found['part']}h{end}"


def find(
    arrays: Mapping[str, Array], layout: Layout | None = None, where: str = "it"
) -> list[Found]:
    """Find every LSTM among `arrays`, in the order of their names there.

    Parameters are named as in ``torch.nn.LSTM`` or ``torch.nn.LSTMCell``, after any prefix, or as
    Keras names them. Cells that are numbered from 0, and whose sizes fit, are also found as the
    layers of one LSTM. `layout` is that of the arrays, if it is not what the names stand for.

    Raises :class:`UsageError` where a parameter of an LSTM is missing, or has a shape that does not
    fit, and names the parameter. `where` names the file in that message.
    """
    named = {renamed(name): array for name, array in arrays.items()}
    groups: dict[str, dict[str, Array]] = {}
    for name, array in named.items():
        match = PARAMETER.fullmatch(name)
        if match is not None:
            groups.setdefault(match["prefix"], {})[match["role"] + match["end"]] = array
    found = []
    for prefix, group in groups.items():
        one = _pytorch(prefix, group, layout, where)
        if one is not None:
            found.append(one)
    floats = {name: array for name, array in named.items() if array.dtype.name in DTYPES}
    found += keras_layers.find(floats, layout or keras_layers.LAYOUT, where)
    if groups and not found:
        likely = [name for name in named if "weight_ih" in name or "weight_hh" in name][:2]
        shown = listed(f"{name} has {named[name].dtype} {named[name].shape}" for name in likely)
        raise UsageError(f"{where} has no LSTM: {shown}, which are not those of an LSTM")
    return [*_stacks(found), *found]


def one_of(found: list[Found], wanted: str | None, where: str) -> Found:
    """Choose the LSTM called `wanted`; it can be left out if there is one, or one of all layers.

    Raises :class:`UsageError` if there is none, or more than one, and lists those there are.
    """
    if not found:
        raise UsageError(
            f"{where} has no LSTM: no arrays have names such as rnn.weight_ih_l0 and shapes that "
            "fit; name them by --layout"
        )
    chosen = [each for each in found if wanted is None or each.name == wanted.strip(".")]
    if wanted is None:
        chosen = [each for each in found if not any(each.within(other) for other in found)]
    elif not chosen:
        chosen = [each for each in found if each.name.startswith(wanted)]
    if len(chosen) == 1:
        return chosen[0]
    names = listed(each.name or "''" for each in chosen or found)
    what = f"no LSTM {wanted!r}" if not chosen else f"{len(chosen)} LSTMs"
    raise UsageError(f"{where} has {what}: choose with --lstm among {names}")


def _pytorch(
    prefix: str, group: Mapping[str, Array], layout: Layout | None, where: str
) -> Found | None:
    """Make an LSTM of parameters that begin with `prefix`; None if it is a GRU or another."""
    ends = {re.sub("|".join(ROLES), "", name, count=1) for name in group}
    cell = "" in ends
    if cell:
        group = {(name if "_l" in name else f"{name}_l0"): array for name, array in group.items()}

    def own(name: str) -> str:
        return prefix + (name.removesuffix("_l0") if cell else name)

    def get(name: str) -> Array:
        if name not in group:
            known = listed(sorted(own(each) for each in group))
            raise UsageError(f"{where} has no {own(name)}, but {known}")
        return group[name]

    first, hh = get("weight_ih_l0"), get("weight_hh_l0")
    if layout is not None and layout.transposed:
        first, hh = first.T, hh.T
    if first.ndim != 2 or hh.ndim != 2 or not first.size or not hh.size:
        return None
    projection = group.get("weight_hr_l0")
    hidden = hh.shape[1] if projection is None else projection.shape[1]
    if first.shape[0] != 4 * hidden:
        return None  # a GRU has 3, an RNN 1
    numbers = {int(match[1]) for name in group if (match := re.search(r"_l(\d+)", name))}
    layers = 1 + max(numbers)
    if len(numbers) < layers:
        get(f"weight_ih_l{min(set(range(len(numbers) + 1)) - numbers)}")  # which is missing
    configuration = Configuration(
        first.shape[1],
        hidden,
        layers,
        any(name.startswith("bias") for name in group),
        bidirectional=any(name.endswith("_reverse") for name in group),
        proj_size=0 if projection is None else projection.shape[0],
    )
    given = {}
    for name, shape in configuration.parameter_shapes().items():
        array = get(name) if layout is None or layout.biases == 2 or name[:7] != "bias_hh" else None
        if array is None:
            continue
        turned = layout is not None and layout.transposed
        refuse_unfit(f"{where}: {own(name)}", array, shape[::-1] if turned else shape)
        given[name] = array
    parameters = given if layout is None else _converted(configuration, given, layout)
    return Found(prefix.rstrip("."), configuration, parameters)


def _converted(
    configuration: Configuration, given: Mapping[str, Array], layout: Layout
) -> dict[str, Array]:
    """Convert parameters by PyTorch's names from `layout` to PyTorch's."""
    parameters: dict[str, Array] = {}
    for suffix in configuration.suffixes():
        biases = tuple(
            given[f"bias_{x}{suffix}"] for x in ("ih", "hh") if f"bias_{x}{suffix}" in given
        )
        stored = Stored(
            given[f"weight_ih{suffix}"],
            given[f"weight_hh{suffix}"],
            biases,
            given.get(f"weight_hr{suffix}"),
        )
        parameters |= from_stored(stored, layout, suffix)
    return {name: parameters[name] for name in configuration.parameter_shapes()}


def _stacks(found: list[Found]) -> Iterator[Found]:
    """Yield the LSTMs whose layers are numbered LSTMs of one layer: ``cells.0``, ``cells.1``."""
    lists: dict[str, dict[int, Found]] = {}
    for each in found:
        match = IN_LIST.fullmatch(each.name)
        if match is not None and each.configuration.num_layers == 1:
            lists.setdefault(match["list"], {})[int(match["nth"])] = each
    for name, members in lists.items():
        whole = stacked(name, [members[nth] for nth in sorted(members)])
        if whole is not None and sorted(members) == list(range(len(members))):
            yield whole
