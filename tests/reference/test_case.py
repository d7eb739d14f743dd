"""Cases: what they refuse, their shapes, and their order of axes."""

from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import DTYPES, Array, Case, Configuration, Result
from tests.reference.cases import KINDS, lstm_cases

CONFIGURATION = Configuration(3, 4, num_layers=2, bidirectional=True, proj_size=2)


def valid_arguments() -> dict[str, Any]:
    """What a valid float64 case of 5 steps and 6 rows is made from."""
    return {
        "configuration": CONFIGURATION,
        "parameters": {
            name: np.zeros(shape) for name, shape in CONFIGURATION.parameter_shapes().items()
        },
        "input": np.zeros((5, 6, 3)),
        "h_0": np.zeros((4, 6, 2)),
        "c_0": np.zeros((4, 6, 4)),
        "lengths": np.array([1, 5, 2, 3, 4, 5]),
    }


def with_parameter(name: str, array: Array) -> Callable[[dict[str, Any]], None]:
    return lambda arguments: arguments["parameters"].update({name: array})


def with_argument(**changes: Any) -> Callable[[dict[str, Any]], None]:
    return lambda arguments: arguments.update(changes)


REFUSED: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "an integer input": (
        with_argument(input=np.zeros((5, 6, 3), int)),
        "input has dtype int64, must be one of float64, float32, float16, bfloat16",
    ),
    "a complex input": (with_argument(input=np.zeros((5, 6, 3), complex)), "dtype complex128"),
    "an input of one dimension": (with_argument(input=np.zeros(3)), "2 or 3 dimensions"),
    "an input of four dimensions": (
        with_argument(input=np.zeros((1, 5, 6, 3))),
        r"2 or 3 dimensions, has shape \(1, 5, 6, 3\)",
    ),
    "an input of other features": (
        with_argument(input=np.zeros((5, 6, 4))),
        r"input must have shape \(5, 6, 3\), has \(5, 6, 4\)",
    ),
    "h_0 alone": (with_argument(c_0=None), "both of h_0 and c_0 or neither"),
    "c_0 alone": (with_argument(h_0=None), "both of h_0 and c_0 or neither"),
    "h_0 of hidden_size features": (
        with_argument(h_0=np.zeros((4, 6, 4))),
        r"h_0 must have shape \(4, 6, 2\), has \(4, 6, 4\)",
    ),
    "c_0 of proj_size features": (
        with_argument(c_0=np.zeros((4, 6, 2))),
        r"c_0 must have shape \(4, 6, 4\), has \(4, 6, 2\)",
    ),
    "h_0 of one direction": (with_argument(h_0=np.zeros((2, 6, 2))), "h_0 must have shape"),
    "c_0 of fewer rows": (with_argument(c_0=np.zeros((4, 5, 4))), "c_0 must have shape"),
    "unbatched states of a batch": (
        with_argument(h_0=np.zeros((4, 2)), c_0=np.zeros((4, 4))),
        "h_0 must have shape",
    ),
    "batched states of an unbatched input": (
        with_argument(input=np.zeros((5, 3)), lengths=None),
        r"h_0 must have shape \(4, 2\)",
    ),
    "h_0 of another type": (
        with_argument(h_0=np.zeros((4, 6, 2), np.float32)),
        "h_0 has dtype float32, the input float64",
    ),
    "c_0 of another type": (
        with_argument(c_0=np.zeros((4, 6, 4), np.float16)),
        "c_0 has dtype float16, the input float64",
    ),
    "a parameter of another shape": (
        with_parameter("weight_hh_l0", np.zeros((16, 4))),
        r"weight_hh_l0 must have shape \(16, 2\), has \(16, 4\)",
    ),
    "a parameter of another type": (
        with_parameter("bias_hh_l1", np.zeros(16, np.float32)),
        "bias_hh_l1 has dtype float32, the input float64",
    ),
    "a missing parameter": (
        lambda arguments: arguments["parameters"].pop("bias_ih_l1_reverse"),
        "parameters are",
    ),
    "an unknown parameter": (with_parameter("weight_ih_l2", np.zeros((16, 4))), "parameters are"),
    "lengths of an unbatched input": (
        with_argument(input=np.zeros((5, 3)), h_0=None, c_0=None, lengths=np.array([5])),
        "lengths need a batched input",
    ),
    "too few lengths": (with_argument(lengths=np.array([5, 5])), "lengths must be 6 integers"),
    "lengths in two dimensions": (with_argument(lengths=np.full((6, 1), 5)), "lengths must be"),
    "a length of zero": (
        with_argument(lengths=np.array([5, 5, 0, 5, 5, 5])),
        r"in \[1, 5\] of which one is 5, got \[5, 5, 0, 5, 5, 5\]",
    ),
    "a length beyond the input": (
        with_argument(lengths=np.array([5, 5, 6, 5, 5, 5])),
        "lengths must be",
    ),
    "lengths that leave the last step unused": (
        with_argument(lengths=np.full(6, 4)),
        "lengths must be",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_case_refuses(what: str) -> None:
    """One change to the arguments of a valid case is refused with what is wrong about it."""
    change, message = REFUSED[what]
    arguments = valid_arguments()
    Case(**arguments)
    change(arguments)
    with pytest.raises(ValueError, match=message):
        Case(**arguments)


def test_case_is_frozen() -> None:
    """A case cannot be changed, and is equal to itself alone."""
    case = Case(**valid_arguments())
    with pytest.raises(FrozenInstanceError):
        case.device = "cuda"  # type: ignore[misc]
    assert case != replace(case)


@pytest.mark.parametrize("dtype", DTYPES)
def test_case_takes_its_dtype_from_the_input(dtype: str) -> None:
    """A case of arrays of one type is a case of that type."""
    arrays = valid_arguments()
    numpy = DTYPES[dtype].numpy
    arrays |= {name: arrays[name].astype(numpy) for name in ("input", "h_0", "c_0")}
    arrays["parameters"] = {name: p.astype(numpy) for name, p in arrays["parameters"].items()}
    assert Case(**arrays).dtype is DTYPES[dtype]


@pytest.mark.parametrize(
    ("shape", "batch_first", "batched", "seq_len", "batch_size", "h_0", "output"),
    [
        ((5, 6, 3), False, True, 5, 6, (4, 6, 2), (5, 6, 4)),
        ((5, 6, 3), True, True, 6, 5, (4, 5, 2), (5, 6, 4)),
        ((5, 3), False, False, 5, 1, (4, 2), (5, 4)),
        ((5, 3), True, False, 5, 1, (4, 2), (5, 4)),
        ((5, 0, 3), False, True, 5, 0, (4, 0, 2), (5, 0, 4)),
    ],
)
def test_case_reads_its_shapes_from_the_input(
    shape: tuple[int, ...],
    batch_first: bool,
    batched: bool,
    seq_len: int,
    batch_size: int,
    h_0: tuple[int, ...],
    output: tuple[int, ...],
) -> None:
    """The first two axes are time and rows, swapped by batch_first, or time alone."""
    arguments = valid_arguments() | {"h_0": None, "c_0": None, "lengths": None}
    arguments["configuration"] = replace(CONFIGURATION, batch_first=batch_first)
    case = Case(**arguments | {"input": np.zeros(shape)})
    assert (case.batched, case.seq_len, case.batch_size) == (batched, seq_len, batch_size)
    assert case.state_shape(CONFIGURATION.output_size) == h_0
    assert case.output_shape() == output


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=5)
def test_user_order_is_the_inverse_of_time_major(kind: str, data: st.DataObject) -> None:
    """Time-major arrays are (T, N, features), and come back as they were given."""
    case = data.draw(lstm_cases(**KINDS[kind]))
    ordered = case.time_major(case.input)
    assert ordered.shape == (case.seq_len, case.batch_size, case.configuration.input_size)
    np.testing.assert_array_equal(case.user_order(ordered), case.input)
    np.testing.assert_array_equal(case.time_major(case.user_order(ordered)), ordered)


def test_time_major_moves_each_number_to_its_step_and_row() -> None:
    """With batch_first entry [row, step] becomes [step, row]."""
    arguments = valid_arguments() | {"h_0": None, "c_0": None, "lengths": None}
    arguments["configuration"] = replace(CONFIGURATION, batch_first=True)
    case = Case(**arguments | {"input": np.arange(90.0).reshape(6, 5, 3)})
    ordered = case.time_major(case.input)
    np.testing.assert_array_equal(ordered[4, 1], case.input[1, 4])


def test_valid_steps_are_those_before_the_end_of_each_row() -> None:
    """Of (T, N) steps as many of each row as its length says, and all where there are none."""
    case = Case(**valid_arguments())
    assert case.valid_steps().shape == (5, 6)
    assert case.valid_steps().sum(axis=0).tolist() == [1, 5, 2, 3, 4, 5]
    assert case.valid_steps()[0].all()
    whole = replace(case, lengths=None).valid_steps()
    assert whole.shape == (5, 6)
    assert whole.all()


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=5)
def test_initial_states_are_batched_and_never_absent(kind: str, data: st.DataObject) -> None:
    """The states are those given, with a row for an unbatched case, and zeros where none are."""
    case = data.draw(lstm_cases(**KINDS[kind]))
    c = case.configuration
    count = c.num_layers * c.num_directions
    for given_state, state, features in zip(
        (case.h_0, case.c_0), case.initial_states(), (c.output_size, c.hidden_size), strict=True
    ):
        assert state.shape == (count, case.batch_size, features)
        assert state.dtype == case.input.dtype
        expected = 0 if given_state is None else given_state.reshape(state.shape)
        np.testing.assert_array_equal(state, np.broadcast_to(expected, state.shape))


def test_repr_of_a_case_names_all_that_is_unusual() -> None:
    """What equals the default is left out."""
    plain = Case(
        Configuration(3, 2),
        {name: np.zeros(s) for name, s in Configuration(3, 2).parameter_shapes().items()},
        np.zeros((5, 1, 3)),
        np.zeros((1, 1, 2)),
        np.zeros((1, 1, 2)),
    )
    assert repr(plain) == "<LSTM 3->2 seq_len=5 batch_size=1 float64 on cpu>"
    assert repr(Case(**valid_arguments())) == (
        "<LSTM 3->4 num_layers=2 bidirectional proj_size=2 seq_len=5 batch_size=6 "
        "lengths=[1, 5, 2, 3, 4, 5] float64 on cpu>"
    )
    other = Configuration(3, 2, bias=False, batch_first=True, dropout=0.5)
    weights = {name: np.zeros(s, np.float32) for name, s in other.parameter_shapes().items()}
    assert repr(Case(other, weights, np.zeros((5, 3), np.float32), device="cuda")) == (
        "<LSTM 3->2 batch_first dropout=0.5 bias=False seq_len=5 unbatched no initial state "
        "float32 on cuda>"
    )


def test_unchecked_takes_what_the_constructor_refuses() -> None:
    """Parts that do not fit are kept as given; a change of the input leaves `dtype` as it was."""
    arguments = {**valid_arguments(), "lengths": np.array([0, 9])}
    case = Case.unchecked(**arguments)
    assert all(getattr(case, name) is part for name, part in arguments.items())
    assert (case.device, case.dtype) == ("cpu", DTYPES["float64"])
    with pytest.raises(ValueError, match="lengths must be 6 integers"):
        replace(case)
    plain = Case.unchecked(CONFIGURATION, {}, input=np.zeros((5, 3), np.float32))
    assert (plain.h_0, plain.c_0, plain.lengths, plain.dtype.name) == (None, None, None, "float32")
    changed = Case.unchecked(**{**vars(case), "input": np.zeros(3, int)})
    assert (changed.input.dtype, changed.dtype) == (np.dtype(int), DTYPES["float64"])


def test_result_lists_its_arrays_in_pytorchs_order() -> None:
    """``output``, then ``h_n``, then ``c_n``."""
    output, h_n, c_n = np.zeros((3, 1)), np.ones((1, 1)), np.full((1, 1), 2.0)
    named = list(Result(output, h_n, c_n).items())
    assert [name for name, _ in named] == ["output", "h_n", "c_n"]
    assert all(left is right for (_, left), right in zip(named, (output, h_n, c_n), strict=True))
