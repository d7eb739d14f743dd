"""Adapters for hand-written LSTMs, and implementations that do not return everything."""

import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given

from conformance import (
    REQUIREMENTS,
    Budget,
    Failed,
    HandWritten,
    Misbehaviour,
    NotApplicable,
    Passed,
    Support,
    UsageError,
    check,
    load,
)
from conformance.checking.engine import inapplicable
from conformance.checking.truth import truth
from conformance.implementations.by_hand.answers import Answer, Part
from conformance.implementations.by_hand.expressions import Call
from conformance.implementations.by_hand.parameters import Parameters, names, pattern
from conformance.implementations.failures import Mismatch
from conformance.implementations.implementation import run
from conformance.implementations.layouts import Layout
from reference import TOP, Case, Configuration, Precision
from strategies import lstm_cases
from tests.hand_written import right
from tests.support import processes
from tests.support.cases import RoundedReference, random_case
from tests.support.processes import command

ONE_KERNEL: dict[str, Any] = {
    "weight_ih": "W",
    "weight_hh": "U",
    "bias": "bias",
    "transposed": True,
    "call": "input, (h_0[0], c_0[0])",
    "returns": "output, (h_n[0], c_n[0])",
    "batch_first": True,
}
LAST: dict[str, Any] = {
    "weight_ih": "Wx",
    "weight_hh": "Wh",
    "bias": "b",
    "gates": "igfo",
    "transposed": True,
    "forget_bias": 1.0,
    "call": "input",
    "returns": "h_n[0]",
    "batch_first": True,
}
CASE = random_case(Configuration(2, 3, batch_first=True), dtype="float64")


def test_call_gives_what_it_names() -> None:
    """Tuples, lists, dicts, constants, keywords and the index 0 are given as they are written."""
    call = Call("(c_0, h_0[0]), [input], 2, {'W': W}, state=None")
    values = {"input": 1, "h_0": [3, 4], "c_0": 5, "W": 6}
    assert call.arguments(values) == ([(5, 3), [1], 2, {"W": 6}], {"state": None})
    assert call.takes_states


def test_call_leaves_out_states_that_are_not_given() -> None:
    """Arguments that name a state are dropped where there is none."""
    assert Call("input, (h_0, c_0)").arguments({"input": 1}) == ([1], {})
    assert Call("x=input, state=(h_0, c_0)").arguments({"input": 1}) == ([], {"x": 1})


def test_answer_reads_what_it_names() -> None:
    """Parts are found in tuples, lists and dicts; inputs of submodules stand for their answers."""
    answer = Answer("fc(output), {'last': h_n[0]}, [_, c_n]")
    read = answer.read(("logits", {"last": 1, "more": 9}, [2, 3]), {"fc": 4})
    assert read == {Part("output", module="fc"): 4, Part("h_n", 0): 1, Part("c_n"): 3}
    assert answer.hooked == ["fc"]
    assert Answer("output,").read((7,), {}) == {Part("output"): 7}
    numbered = Answer("heads.1.fc.0(h_n[-1])")
    assert numbered.hooked == ["heads.1.fc.0"]
    assert numbered.read(7, {"heads.1.fc.0": 8}) == {Part("h_n", -1, "heads.1.fc.0"): 8}


@pytest.mark.parametrize(
    ("text", "given", "told"),
    [
        ("output, h_n", 1, "returned a int, not 2 parts"),
        ("output, h_n", (1, 2, 3), "returned 3 parts, not 2"),
        ("{'out': output}", {"output": 1}, "returned dict without 'out'"),
        ("fc(h_n)", 1, "the submodule 'fc' was not called"),
    ],
)
def test_answer_of_another_form_is_misbehaviour(text: str, given: object, told: str) -> None:
    """What came back and what should have is told."""
    with pytest.raises(Misbehaviour, match=told):
        Answer(text).read(given, {})


@pytest.mark.parametrize("four", ["W", "{a,b,c,d}", "x2{i,f,g,o}.weight", "m.{in,for,can,out}_w"])
def test_pattern_is_the_inverse_of_names(four: str) -> None:
    """Four names are written with the part in braces in which they differ."""
    assert pattern(names(four)) == four


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"call": "input +"}, "call='input \\+' is not an expression"),
        ({"call": "h_0"}, "call='h_0' does not mention input"),
        ({"call": "input, h_0 + 1"}, "call='input, h_0 \\+ 1': cannot pass 'h_0 \\+ 1'"),
        ({"call": "input, h_0[i]"}, "cannot pass 'h_0\\[i\\]'"),
        ({"returns": ""}, "returns='' must list the results"),
        ({"returns": "c_n, _"}, "has neither output nor h_n"),
        ({"returns": "output, hidden"}, "'hidden' is none of output, h_n, c_n, c_all, _"),
        ({"returns": "output", "cell": True}, "a cell must return h_n and c_n"),
        ({"gates": "ifco"}, "gates must be a permutation of 'ifgo', got 'ifco'"),
        ({"transposed": "W"}, "transposed must be a bool or a weight, got 'W'"),
        ({"weight_xh": "W"}, "name weight_ih and weight_hh, or weight_xh, or weight_hx"),
        ({"weight_hh": ""}, "name weight_ih and weight_hh, or weight_xh, or weight_hx"),
        ({"layers": ("1", "2")}, "'W' needs a \\* in place of each of layers=\\('1', '2'\\)"),
        ({"layers": ("1",), "bidirectional": True}, "bidirectional=True needs pairs of layers"),
        ({"bias": "b_{i,f,o}"}, "must name the four gates i, f, g, o, got 3"),
        ({"bias": "b_{i,f,g,o"}, "must have one pair of braces"),
        ({"bias": (), "forget_bias": 1.0}, "forget_bias needs a bias"),
    ],
)
def test_hand_written_refuses_what_does_not_fit(changes: dict[str, Any], told: str) -> None:
    """One line says which argument and why."""
    with pytest.raises(UsageError, match=told) as caught:
        HandWritten(right.OneKernel, **{**ONE_KERNEL, **changes})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"weight_ih": "V"}, "V is not a parameter; the parameters are W, U, bias"),
        ({"transposed": False}, r"W has shape \(2, 12\), but the shape \(12, 2\) is expected"),
        ({"returns": "fc(output), (h_n[0], c_n[0])"}, "there is no submodule 'fc'"),
    ],
)
def test_hand_written_refuses_what_the_class_has_not(changes: dict[str, Any], told: str) -> None:
    """It shows when the class is first constructed, before anything is verified."""
    with pytest.raises(UsageError, match=told):
        _ = HandWritten(right.OneKernel, **{**ONE_KERNEL, **changes}).supports


@pytest.mark.parametrize(
    ("bias", "ones"), [(("W[0]",), 0), (("W[-1]",), -1), (("b", "W[-1]"), -1)], ids=str
)
@pytest.mark.parametrize("which", ["weight_xh", "weight_hx"])
@pytest.mark.parametrize("interleaved", [False, True])
def test_bias_within_a_weight_is_multiplied_by_one(
    bias: tuple[str, ...], ones: int, which: str, interleaved: bool
) -> None:
    """The product with (1, x, h), or (x, h, 1), is the sum that the gates are made of."""
    layout = Layout(gates="fiog", biases=len(bias))
    found = Parameters(layout, {which: "W"}, bias, interleaved=interleaved)
    case = random_case(Configuration(2, 3), dtype="float64")
    own, stored = found.of(case), layout.stored(case)
    x, h = np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])
    both = [x, h] if which == "weight_xh" else [h, x]
    factors = np.concatenate([[1.0], *both] if ones == 0 else [*both, [1.0]])
    sums = own["W"] @ factors + own.get("b", 0)
    if interleaved:
        sums = sums.reshape(3, 4).T.reshape(-1)
    np.testing.assert_allclose(
        sums, stored.weight_ih @ x + stored.weight_hh @ h + sum(stored.biases)
    )
    again = found.stored(own)
    for one, other in zip((*again[:2], *again.biases), (*stored[:2], *stored.biases), strict=True):
        np.testing.assert_array_equal(one, other)


def test_bias_within_must_be_within_a_weight() -> None:
    """A row of something else is none of its parameters."""
    with pytest.raises(UsageError, match=r"'V\[0\]' is not a bias within one of the weights"):
        Parameters(Layout(biases=1), {"weight_xh": "W"}, ("V[0]",))


def test_hand_written_has_no_other_attributes() -> None:
    """What it supports is tried when it is asked for, and anything else is missing."""
    mine = HandWritten(right.OneKernel, **ONE_KERNEL)
    assert "supports" not in vars(mine)
    assert mine.supports is mine.supports
    with pytest.raises(AttributeError, match="HandWritten has no attribute 'nothing'"):
        mine.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_hand_written_takes_what_shows_when_tried() -> None:
    """Dtypes and options are those with which the class runs."""
    torch_has = load("torch.nn.LSTM").supports
    assert HandWritten(right.OneKernel, **ONE_KERNEL).supports == replace(
        Support(),
        dtypes=torch_has.dtypes,
        devices=torch_has.devices,
        max_layers=1,
        bias=(True,),
        batch_first=(True,),
        bidirectional=(False,),
        projection=False,
        dropout=False,
        lengths=False,
        batched=(True,),
        adapts_module=True,
    )
    no_bias = HandWritten(
        right.NoBias,
        weight_ih="weight_x",
        weight_hh="weight_h",
        gates="ofig",
        call="input",
        returns="output, c_n[0]",
    )
    assert no_bias.supports.dtypes == ("float32",)
    assert no_bias.supports.bias == (False,)
    assert no_bias.supports.states == (False,)
    assert no_bias.supports.results == ("output", "h_n", "c_n")


def test_hand_written_reads_output_from_shorter_runs() -> None:
    """Where only the last hidden state comes back, output is the last one of every beginning."""
    mine = HandWritten(right.LastStateOnly, **LAST)
    assert mine.supports.results == ("output", "h_n")
    assert mine.precision == Precision(added_bias=1.0)
    case = replace(CASE, h_0=None, c_0=None)
    result = run(mine, case)
    known = truth(case, mine)
    assert np.isnan(result.c_n).all()
    assert np.isinf(known.bound.c_n).all()
    assert (np.abs(result.output - known.result.output) <= known.bound.output).all()
    np.testing.assert_array_equal(result.h_n[0], result.output[:, -1])


@pytest.mark.parametrize(
    "name", ["hundreds_of_steps_match_reference", "gradients_of_long_sequences_are_right"]
)
def test_output_of_hundreds_of_steps_is_not_read_from_as_many_runs(name: str) -> None:
    """Half a million steps in a case would be too late, and red; several dozen steps are tried."""
    ends = HandWritten(right.LastStateOnly, **LAST)
    whole = HandWritten(right.OneKernel, **ONE_KERNEL)
    why = "returns no output, which would take a call for each step"
    assert inapplicable(REQUIREMENTS[name], ends, "cpu", Budget()) == why
    assert inapplicable(REQUIREMENTS[name], whole, "cpu", Budget()) is None
    assert (
        inapplicable(REQUIREMENTS["long_sequences_match_reference"], ends, "cpu", Budget()) is None
    )


def test_missing_layer_axis_is_found_at_once() -> None:
    """A state that has another shape than is declared is a mismatch of shapes."""
    mine = HandWritten(right.LastStateOnly, **{**LAST, "returns": "h_n"})
    with pytest.raises(Mismatch, match=r"h_n.shape = \(3, 3\), but should be \(1, 3, 3\)"):
        run(mine, replace(CASE, h_0=None, c_0=None))


@pytest.mark.parametrize(
    ("text", "results"),
    [
        ("h_n", ("h_n",)),
        ("h_n[-1]", ()),
        ("cat(h_n[2], h_n[-1])", ("top_h_n",)),
        ("cat(h_n[0], h_n[1])", ()),
        ("output, h_n[2], h_n[3]", ("output", "top_h_n")),
        ("stack(h_n[2], h_n[-1]), c_n", ("c_n", "top_h_n")),
        ("h_n[3], h_n[2], h_n[1], h_n[0]", ("h_n",)),
    ],
)
def test_answer_of_two_layers_and_directions_has(text: str, results: tuple[str, ...]) -> None:
    """What is verified of it: states of the top layer alone make no output."""
    assert Answer(text).results(2, 2) == results


def test_answer_of_two_layers_makes_the_output_of_the_top_state() -> None:
    """In one direction the top states of shorter calls are the output."""
    assert Answer("h_n[-1]").results(2, 1) == ("output",)
    assert Answer("h_n[0]").results(2, 1) == ()
    assert Answer("output, h_n[-1]").results(2, 1) == ("output", "top_h_n")


class TopStates(torch.nn.LSTM):
    """The state of each direction of the upper one of two layers, side by side."""

    def __init__(self, input_size: int, hidden_size: int, places: tuple[int, int]) -> None:
        super().__init__(input_size, hidden_size, num_layers=2, bidirectional=True)
        self.places = places

    def forward(self, *arguments: Any) -> Any:
        _, (h_n, _) = super().forward(*arguments)
        return torch.cat([h_n[place] for place in self.places], -1)


def of_top_states(places: tuple[int, int]) -> HandWritten:
    return HandWritten(
        lambda input_size, hidden_size: TopStates(input_size, hidden_size, places),
        weight_ih="weight_ih_l*",
        weight_hh="weight_hh_l*",
        bias=("bias_ih_l*", "bias_hh_l*"),
        layers=("0", "0_reverse", "1", "1_reverse"),
        bidirectional=True,
        returns="cat(h_n[2], h_n[-1])",
    )


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "places",
    [(-2, -1), (-1, -2), *(pytest.param(each, marks=SLOW) for each in ((-2, -2), (0, 1), (0, -1)))],
)
def test_top_states_of_both_directions_are_verified(places: tuple[int, int]) -> None:
    """Of what comes back every element counts: other states in their place are wrong."""
    mine = of_top_states(places)
    assert mine.supports.results == ("top_h_n",)
    assert mine.supports.gradients
    fill = partial(np.random.default_rng(0).uniform, -1, 1)
    case = mine.small_case("float64", states=True, fill=fill)
    result, known = run(mine, case), truth(case, mine)
    assert np.isnan(result.output).all()
    assert np.isnan(result.h_n[:2]).all()
    assert np.isinf(known.bound.h_n[:2]).all()
    assert np.isfinite(known.bound.h_n[2:]).all()
    right = places == (-2, -1)
    assert (np.abs(result.h_n[2:] - known.result.h_n[2:]) <= known.bound.h_n[2:]).all() == right
    for name in ("results_match_reference", "every_parameter_influences_result")[: 1 + right]:
        verdict = check(REQUIREMENTS[name], mine, budget=Budget(10, seed=1))
        assert isinstance(verdict, Passed if right else Failed), verdict


class CutTopStates(torch.nn.LSTM):
    """The output and both top states, of which one is cut off from its gradient."""

    def __init__(self, input_size: int, hidden_size: int, cut: int, output: bool) -> None:
        super().__init__(input_size, hidden_size, num_layers=2, bidirectional=True)
        self.cut, self.output = cut, output

    def forward(self, *arguments: Any) -> Any:
        output, (h_n, _) = super().forward(*arguments)
        top = [h_n[n].detach() if n == self.cut else h_n[n] for n in (2, 3)]
        return (output, *top) if self.output else torch.cat(top, -1)


@pytest.mark.parametrize("output", [False, True])
@pytest.mark.parametrize("cut", [-1, 2, 3])
def test_gradients_of_top_states_are_verified(cut: int, output: bool) -> None:
    """They are of both, alone and beside the output; one without a gradient is red."""
    mine = HandWritten(
        lambda input_size, hidden_size: CutTopStates(input_size, hidden_size, cut, output),
        weight_ih="weight_ih_l*",
        weight_hh="weight_hh_l*",
        bias=("bias_ih_l*", "bias_hh_l*"),
        layers=("0", "0_reverse", "1", "1_reverse"),
        bidirectional=True,
        returns="output, h_n[2], h_n[-1]" if output else "cat(h_n[2], h_n[-1])",
    )
    assert TOP in mine.supports.results
    requirement = REQUIREMENTS["gradients_match_backpropagation"]
    verdict = check(requirement, mine, budget=Budget(4, seed=1))
    assert isinstance(verdict, Passed if cut == -1 else Failed), verdict


@pytest.mark.slow
def test_diagnosis_of_top_states_says_nothing_of_the_output() -> None:
    """It names what is wrong with the states that come back."""
    mine = of_top_states((0, 1))
    verdict = check(REQUIREMENTS["results_match_reference"], mine, budget=Budget(10, seed=1))
    assert isinstance(verdict, Failed)
    lines = verdict.lines()
    assert not any("output" in line for line in lines), lines
    assert any("returns the final states with the top layer first" in line for line in lines), lines


@pytest.mark.slow
@pytest.mark.parametrize(
    "absent",
    [("c_n",), ("h_n",), ("output",), ("h_n", "c_n"), ("output", "c_n"), ("output", "h_n", "c_n")],
)
def test_absent_result_is_not_claimed(absent: tuple[str, ...]) -> None:
    """What is about it alone does not apply, and of others nothing about it is decided.

    Where all are absent, the states of the top layer are there.
    """

    def without(_: Case, result: Any) -> Any:
        nothing = {name: np.full_like(getattr(result, name), np.nan) for name in absent}
        changed = replace(result, **nothing)
        if len(absent) == 3:
            changed.top_h_n[:] = result.top_h_n
        return changed

    kept = tuple(name for name in Support.results if name not in absent) or (TOP,)
    mine = RoundedReference(without, Support(results=kept, gradients=False))
    for name, item in REQUIREMENTS.items():
        verdict = check(item, mine, budget=Budget(6, seed=1))
        assert isinstance(verdict, (Passed, NotApplicable)), verdict
        if name == "splitting_time_changes_nothing" and absent != ("output",):
            states = ", ".join(each for each in absent if each != "output")
            assert verdict.reason == f"does not return {states}"
        if name in ("results_match_reference", "infinity_stays_in_its_row"):
            assert isinstance(verdict, Passed)


def test_unused_parameter_shows_without_c_n() -> None:
    """NaN in place of c_n does not count as a change of the results."""

    def blind(_: Case, result: Any) -> Any:
        return replace(
            result,
            output=0 * result.output,
            h_n=0 * result.h_n,
            c_n=np.full_like(result.c_n, np.nan),
        )

    mine = RoundedReference(blind, replace(Support(), results=("output", "h_n")))
    requirement = REQUIREMENTS["every_parameter_influences_result"]
    assert isinstance(check(requirement, mine, budget=Budget(20, seed=1)), Failed)


def test_support_refuses_results_that_are_none() -> None:
    """At least one comes back."""
    with pytest.raises(ValueError, match="results must list at least one value"):
        Support(results=())
    with pytest.raises(ValueError, match="unknown results"):
        Support(results=("hn",))


ADAPTERS = {
    "per gate": HandWritten(
        right.EightLinears,
        weight_ih="x2{i,f,g,o}.weight",
        weight_hh="h2{i,f,g,o}.weight",
        bias=("x2{i,f,g,o}.bias", "h2{i,f,g,o}.bias"),
    ),
    "h and x": HandWritten(
        lambda input_size, hidden_size: right.HiddenFirst(hidden_size, input_size),
        weight_hx="gates.weight",
        bias="gates.bias",
        gates="fiog",
        call="input, h_0[0], c_0[0]",
        returns="output, (c_n[0], h_n[0])",
        batch_first=True,
    ),
    "transposed": HandWritten(right.OneKernel, **ONE_KERNEL),
    "x and h": HandWritten(
        right.OverBoth,
        weight_xh="{input,forget,candidate,output}.weight",
        bias="{input,forget,candidate,output}.bias",
        call="input",
        returns="output",
    ),
}


@pytest.mark.parametrize("which", ADAPTERS)
@pytest.mark.parametrize(
    "family", ["gradients_match_backpropagation", "gradients_of_c_n_are_right"]
)
def test_gradients_are_those_of_the_parameters_of_torch(which: str, family: str) -> None:
    """Autograd's gradients by whatever parameters, brought back, are those of the reference."""
    mine = ADAPTERS[which]
    verdict = check(REQUIREMENTS[family], mine, budget=Budget(12, seed=1))
    missing = "c_n" in family and "c_n" not in mine.supports.results
    assert isinstance(verdict, NotApplicable if missing else Passed), verdict


@given(lstm_cases(ADAPTERS["per gate"].supports, dtypes=["float32"]))
def test_gradients_have_the_names_of_the_case(case: Case) -> None:
    """There is one for the input, each state given and each parameter."""
    ones = truth(case, ADAPTERS["per gate"]).result
    cotangents = type(ones).of(np.ones(a.shape, np.float32) for _, a in ones.items())
    gradients = ADAPTERS["per gate"].gradients(case, cotangents)
    states = {"h_0", "c_0"} if case.h_0 is not None else set()
    assert set(gradients) == {"input", *states, *case.parameters}
    for name, parameter in case.parameters.items():
        assert gradients[name].shape == parameter.shape


def test_numpy_offers_no_gradients() -> None:
    """Without autograd there are none, and what needs them does not apply."""
    mine = HandWritten(
        right.lstm,
        weight_ih="W",
        weight_hh="U",
        bias="b",
        gates="ifog",
        transposed=True,
        call="input, h_0[0], c_0[0], W, U, b",
        states_optional=False,
        returns="output, h_n[0], c_n[0]",
        batch_first=True,
    )
    assert mine.supports.dtypes == ("float64", "float32")
    assert mine.supports.devices == ("cpu",)
    assert mine.supports.states == (True,)
    verdict = check(REQUIREMENTS["gradients_match_backpropagation"], mine)
    assert isinstance(verdict, NotApplicable)


def test_what_wraps_a_module_is_said_to_be_an_adapter() -> None:
    """Requirements on torch modules tell an adapted module from what has nothing to do with one."""
    module = HandWritten(right.OneKernel, **ONE_KERNEL)
    numpy = HandWritten(
        right.lstm_over_time,
        weight_ih="W",
        weight_hh="U",
        bias="b",
        transposed=True,
        call="input, h_0[0], c_0[0], W, U, b",
        states_optional=False,
        returns="output, h_n[0], c_n[0]",
    )
    of_torch = REQUIREMENTS["state_dict_round_trips"]
    assert of_torch.applies(module) == "verified through an adapter, not as a torch module"
    assert of_torch.applies(numpy) == "not a torch module"
    lstm = load("torch.nn.LSTM")
    assert of_torch.applies(lstm) is lstm


def from_tensors(x, h, c, w, b):
    """A function of torch tensors."""
    hs = []
    for step in x:
        i, f, g, o = (torch.cat([step, h], 1) @ w.T + b).chunk(4, 1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        hs.append(h)
    return hs, [h, c]


def test_function_of_tensors_has_gradients() -> None:
    """Parameters that are arguments are leaves as well."""
    mine = HandWritten(
        from_tensors,
        weight_xh="w",
        bias="b",
        call="input, h_0[0], c_0[0], w, b",
        states_optional=False,
        returns="output, [h_n[0], c_n[0]]",
        tensors=True,
    )
    for name in ("results_match_reference", "gradients_match_backpropagation"):
        verdict = check(REQUIREMENTS[name], mine, budget=Budget(12, seed=1))
        assert isinstance(verdict, Passed), verdict


INFERRED = """\
# {name} computes the LSTM. Save these lines as mine.py and run
#
#     lstm-conformance verify mine.py:mine
#
from conformance import HandWritten
from written import OverBoth

mine = HandWritten(
    OverBoth,
    weight_xh="{four}.weight", bias="{four}.bias",
    call="input", returns="output",
)
"""


@pytest.mark.slow
def test_infer_prints_what_verify_takes(tmp_path: Path) -> None:
    """The output of one command is the file for the other."""
    (tmp_path / "written.py").write_text(Path(right.__file__).read_text())
    name = "written.py:OverBoth"
    found = command("infer", name, folder=tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stdout == INFERRED.format(name=name, four="{input,forget,candidate,output}")
    (tmp_path / "mine.py").write_text(found.stdout)
    few = ["--requirement", "results_match_reference", "--device", "cpu", "--max-examples", 5]
    verified = command("verify", "mine.py:mine", *few, "-n", 0, folder=tmp_path)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "1 passed" in verified.stdout
    assert "mine.py:mine does not return: c_n" in verified.stdout


@pytest.mark.slow
def test_infer_exits_with_what_it_found(tmp_path: Path) -> None:
    """1 for a class that is no LSTM under any mapping, 2 for what cannot be tried."""
    source = Path(right.__file__).read_text().replace("g.tanh()", "g.sigmoid()")
    (tmp_path / "written.py").write_text(source)
    found = command("infer", "written.py:HiddenFirst", folder=tmp_path)
    assert found.returncode == 1, found.stderr
    assert found.stdout.startswith(
        "# written.py:HiddenFirst does not compute the LSTM. The nearest map"
    )
    assert "# Wrong: this is an LSTM with sigmoid on the candidate.\n" in found.stdout
    refused = command("infer", "written.py:uniform", folder=tmp_path)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("\n") == 1


class ColumnsOfTensors(torch.nn.Module):
    """A cell over columns: features come first."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.w = torch.nn.Parameter(torch.zeros(4 * hidden_size, input_size))
        self.u = torch.nn.Parameter(torch.zeros(4 * hidden_size, hidden_size))
        self.b = torch.nn.Parameter(torch.zeros(4 * hidden_size, 1))

    def forward(self, x, h, c):
        i, f, g, o = (self.w @ x + self.u @ h + self.b).chunk(4, 0)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        return o.sigmoid() * c.tanh(), c


def test_columns_are_turned_and_turned_back() -> None:
    """Results and gradients of a class with a column for each row are those of rows."""
    mine = HandWritten(
        ColumnsOfTensors,
        weight_ih="w",
        weight_hh="u",
        bias="b",
        call="input, h_0, c_0",
        states_optional=False,
        returns="h_n, c_n",
        cell=True,
        columns=True,
    )
    for name in ("results_match_reference", "gradients_match_backpropagation"):
        verdict = check(REQUIREMENTS[name], mine, budget=Budget(12, seed=1))
        assert isinstance(verdict, Passed), verdict


FORGETFUL = """\
import torch
from conformance import HandWritten
from torch import nn


class HandLSTM(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size)

    def forward(self, x, states=None):
        return self.lstm(x)


mine = HandWritten(
    HandLSTM,
    weight_ih="lstm.weight_ih_l0",
    weight_hh="lstm.weight_hh_l0",
    bias=("lstm.bias_ih_l0", "lstm.bias_hh_l0"),
)
"""


@pytest.mark.slow
def test_hand_written_goes_by_the_name_that_it_is_loaded_by(tmp_path: Path) -> None:
    """Two adapters of one class are told apart, in reports, in folders and when replayed."""
    names = ("a.py:mine", "b.py:mine")
    for name in names:
        (tmp_path / name.partition(":")[0]).write_text(FORGETFUL)
    few = ["--requirement", "results_match_reference", "--device", "cpu", "--max-examples", 10]
    run = command("verify", *names, *few, "-n", 0, folder=tmp_path)
    assert run.returncode == 1, run.stdout + run.stderr
    for name in names:
        assert f"{name} on cpu: results_match_reference failed" in run.stdout
        folder = Path(".lstm-conformance", name.replace(":", "-"), "results_match_reference-cpu")
        assert (tmp_path / folder / "reproduce.py").is_file()
        assert f"# `{name}` does not meet" in (tmp_path / folder / "report.md").read_text()
        script = processes.run([sys.executable, folder / "reproduce.py"], tmp_path)
        assert script.stdout.endswith("the fault shows\n"), script.stderr
        again = command("replay", folder, folder=tmp_path)
        assert f"{name} on cpu: results_match_reference failed" in again.stdout, again.stderr


def test_hand_written_keeps_the_name_that_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `name` it is called that; two of one name are refused, with what to do."""
    monkeypatch.chdir(tmp_path)
    for file in ("a.py", "b.py"):
        Path(file).write_text(FORGETFUL.replace("    HandLSTM,", '    HandLSTM, name="by hand",'))
    assert load("a.py:mine").name == "by hand"
    run = command("verify", "a.py:mine", "b.py:mine", "-n", 0, folder=tmp_path)
    assert run.returncode == 2, run.stdout
    told = "two implementations are called 'by hand': give one of them another name"
    assert told in run.stderr
    assert "name=" in run.stderr


def test_hand_written_with_a_wrong_parameter_is_named_as_it_was_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the adapter that was asked for, and what parameters there are."""
    monkeypatch.chdir(tmp_path)
    Path("bad.py").write_text(FORGETFUL.replace('="lstm.weight_ih_l0"', '="WW"'))
    with pytest.raises(
        UsageError, match=r"'bad.py:mine': WW is not a parameter; the parameters are lstm\."
    ):
        _ = load("bad.py:mine").supports
