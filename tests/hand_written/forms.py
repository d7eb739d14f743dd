"""The forms of hand-written LSTMs in the files of this folder, and what `infer` finds of each."""

from typing import Any

RIGHT: dict[str, dict[str, dict[str, Any]]] = {
    "networks.py": {
        "ByKeyword": {"weight_xh": "cell.linear.weight"},
        "BufferOfFloat32": {"weight_xh": "cell.linear.weight"},
        "ThreeBiases": {"bias": ("b_{i,f,c,o}", "W_{i,f,c,o}.bias", "V_{i,f,c,o}.bias")},
        "StatesSideBySide": {"call": "input, cat(h_0, c_0)", "returns": "h_n, cat(h_n, c_n)"},
        "CellStateFirst": {"call": "input, cat(c_0, h_0)", "returns": "h_n, cat(c_n, h_n)"},
        "TwoCells": {"weight_ih": "cell*.weight_ih", "layers": ("1", "2"), "returns": "h_n[-1]"},
        "Tutorial": {
            "weight_ih": "cells.*.weight_ih",
            "layers": ("0", "1"),
            "draws": "h_0[0], c_0[0], h_0[1], c_0[1]",
            "embedding": "embedding",
            "returns": "h_n[-1]",
        },
        "WithAHead": {
            "layers": ("lower", "upper"),
            "embedding": "embed",
            "returns": "fc(h_n[-1])",
        },
        "Directions": {"layers": ("forward", "backward"), "bidirectional": True},
        "DeepDirections": {
            "layers": ("0.fw", "0.bw", "1.fw", "1.bw"),
            "bidirectional": True,
            "returns": "output, (h_n, c_n)",
        },
        "ListsOfParameters": {
            "weight_ih": "Wx.*",
            "layers": ("0", "1"),
            "call": "input, (h_0, c_0)",
        },
        "ReturnsADataclass": {
            "returns": "{'hidden_states': output, 'last_hidden': h_n[0], 'last_cell': c_n[0]}"
        },
        "PairsOfStates": {
            "layers": ("first", "second"),
            "call": "input, [(h_0[0], c_0[0]), (h_0[1], c_0[1])]",
            "returns": "output, ({'h': h_n[0], 'c': c_n[0]}, {'h': h_n[-1], 'c': c_n[-1]})",
        },
        "DrawsItsStates": {"draws": "h_0, c_0"},
        "NumpyStack": {"weight_ih": "cells.*.weights.0", "layers": ("0", "1")},
        "from_h_0_alone": {"call": "input, h_0[0], Wx, Wh, b"},
        "step_of_columns": {"cell": True, "weight_hx": "W{i,f,c,o}"},
        "over_time_in_columns": {
            "columns": True,
            "steps_last": True,
            "returns": "output, _, c_all",
        },
        "of_one_list": {"returns": "flat(output), (h_n[0], c_n[0])", "tensors": True},
    },
    "scratch.py": {
        "ScratchOfABook": {"weight_ih": "W_x{i,f,c,o}", "call": "input, (h_0[0], c_0[0])"},
        "OfAConfig": {"weight_ih": "x2h.weight", "bias": ("x2h.bias", "h2h.bias")},
        "TextModel": {
            "layers": ("1", "2", "3"),
            "embedding": "embedding",
            "draws": "h_0[0], h_0[1], h_0[2], c_0[0], c_0[1], c_0[2]",
            "returns": "linear(h_n[-1])",
        },
        "KeepsADataclass": {"gates": "figo", "returns": "output, {'h': h_n[0], 'c': c_n[0]}"},
        "CandidateFirst": {"weight_ih": "p.W", "gates": "ogif", "call": "input, h_0[0], c_0[0]"},
        "StepOfCharacters": {"weight_xh": "i2{i,f,c,o}.weight", "returns": "_, h_n, c_n"},
        "KeywordOnly": {"call": "input=input, hx=(h_0[0], c_0[0])"},
        "keyword_only": {"call": "x=input, h=h_0[0], c=c_0[0], W=W, U=U, b=b"},
        "batched": {
            "weight_xh": "WLSTM",
            "bias": "WLSTM[0]",
            "gates": "ifog",
            "call": "input, WLSTM, c_0[0], h_0[0]",
        },
        "OnesLast": {"weight_hx": "W", "bias": "W[-1]", "gates": "fiog"},
        "UnitsFirst": {"interleaved": True, "weight_ih": "wx.weight", "bias": "wx.bias"},
    },
    "public.py": {
        "StateDict": {"call": "input, {'h': h_0[0], 'c': c_0[0]}"},
        "BasicLSTMCell": {"gates": "igfo", "forget_bias": 1.0, "call": "input, (c_0, h_0)"},
        "Einsum": {"weight_ih": "Wx", "weight_hh": "Wh", "bias": "b"},
        "BiEncoder": {"bidirectional": True, "returns": "output, cat(h_n[0], h_n[-1])"},
        "LSTMTagger": {"batched": False, "returns": "hidden2tag(output)"},
        "TimeSeries": {"call": "input", "returns": "linear(h_n[-1])"},
        "DrawsHiddenStatesFirst": {"draws": "h_0[0], h_0[1], c_0[0], c_0[1]"},
        "EncoderAndDecoder": {"weight_ih": "*.weight_ih", "layers": ("enc", "dec")},
        "EverythingInTheConstructor": {
            "layers": ("0", "0_reverse", "1", "1_reverse"),
            "embedding": "embedding",
        },
        "TenClasses": {"embedding": "embedding", "returns": "classifier.1(h_n[0])"},
        "HeadOfTheSameSize": {"returns": "fc(output)"},
        "SentimentOfBothDirections": {
            "layers": ("0", "0_reverse", "1", "1_reverse"),
            "bidirectional": True,
            "embedding": "embedding",
            "returns": "fc(cat(h_n[2], h_n[-1]))",
        },
        "SentimentOfAnyDepth": {
            "layers": ("0", "0_reverse", "1", "1_reverse"),
            "bidirectional": True,
            "returns": "fc(cat(h_n[2], h_n[-1]))",
        },
        "SentimentOfOneDirection": {"layers": ("0", "1"), "returns": "fc(cat(h_n[0], h_n[-1]))"},
        "TopStates": {"call": "input, (h_0, c_0)", "returns": "stack(h_n[2], h_n[-1]), c_n"},
        "RandomStatesAndTenOutputs": {"layers": ("1", "2"), "returns": "linear(h_n[-1])"},
        "GatesOfLinears": {
            "weight_ih": "cells.*.W_{i,f,c,o}.weight",
            "layers": ("0", "1"),
            "returns": "fc(h_n[-1])",
        },
    },
    "published.py": {
        "DictConfig": {"weight_xh": "W.weight", "gates": "oifg"},
        "of_an_object": {"call": "namespace(W=W, U=U, b=b), input, (h_0[0], c_0[0])"},
        "HiddenLayerSize": {"returns": "linear(output)", "batched": False},
        "StepsLast": {"steps_last": True, "bias": "parameters.b{u,f,c,o}"},
        "StatesOfLayers": {
            "call": "input, [(h_0[0:1], c_0[0:1]), (h_0[1:2], c_0[1:2])]",
            "returns": "output, ((h_n[0:1], c_n[0:1]), (h_n[-1:], c_n[-1:]))",
        },
        "OneReluTwice": {"returns": "relu(h_n[-1])", "layers": ("0", "1")},
        "WithLengths": {"call": "input, lengths", "returns": "fc(h_n[0])"},
        "GathersTheLastStep": {"call": "input, lengths", "returns": "output, h_n[0]"},
        "KeepsItsConfig": {"square": True, "returns": "output", "steps_last": True},
        "OneSize": {"square": True, "embedding": "i_h", "layers": ("0", "1")},
        "Characters": {
            "returns": "fc(flat(output)), (h_n, c_n)",
            "call": "input, (h_0, c_0)",
            "layers": ("0", "1"),
        },
    },
    "further.py": {
        "GatesFirst": {"weight_ih": "W.{1,0,2,3}", "bias": "b.{1,0,2,3}", "transposed": True},
        "gates_first": {
            "weight_hh": "U_{0,1,3,2}",
            "call": "input, stack(W_0, W_1, W_2, W_3), stack(U_0, U_1, U_2, U_3), "
            "stack(b_0, b_1, b_2, b_3)",
        },
        "BatchSize": {"batch_size": True, "layers": ("0", "1")},
        "OneToken": {"one_row": True, "cell": True, "call": "input, (h_0[0:1], c_0[0:1])"},
        "ColumnVectors": {"one_row": True, "columns": True, "returns": "output, h_n[0], c_n[0]"},
        "StepOfADecoder": {"cell": True, "call": "input, h_0, c_0", "returns": "_, h_n, c_n"},
        "OneStepALayer": {
            "call": "input, h_0[0:1], c_0[0:1]",
            "returns": "_, h_n[0:1], c_n[0:1]",
        },
        "YieldsSteps": {"returns": "output"},
        "DictOfSteps": {"batched": False, "returns": "output, c_all"},
        "KeywordOptions": {"call": "input, (h_0, c_0)"},
        "OneHot": {"embedding": "one_hot"},
        "ListsOfFloats": {"weight_ih": "W.{i,f,c,o}", "batched": False},
        "TuplesOfArrays": {"weight_ih": "gates.{input,forget,cell,output}.0"},
        "ResetsItsState": {"call": "input", "returns": "output"},
        "TakesAMask": {"call": "input", "square": True},
        "over_time": {"steps_last": True, "returns": "output"},
        "LearnsBothStarts": {"kept": ("h0", "c0"), "call": "input"},
        "Encoder": {"batch_first": "input", "embedding": "embedding"},
        "OneRowForEachStep": {"batch_first": "input", "returns": "flat(output), (h_n[0], c_n[0])"},
    },
    "web.py": {
        "MinimalCharLSTM": {"kept": ("h0", "c0"), "one_row": True, "columns": True},
        "TiedLanguageModel": {"square": True, "returns": "decoder(output), (h_n, c_n)"},
        "TeacherForced": {"returns": "_, output, (h_n[0], c_n[0])"},
        "onnx_order": {"weight_hh": "R{i,f,c,o}", "bias": "Wb{i,f,c,o}"},
        "DictsOfSteps": {"returns": "output, c_all, _", "one_row": True, "columns": True},
        "ListsOfCaches": {"returns": "output, _", "weight_hx": "p.W{i,f,c,o}"},
    },
    "layouts.py": {
        "Tagger": {"batch_first": "input", "embedding": "embedding", "returns": "fc(output)"},
        "ScoresOfTheLastStep": {"batch_first": "input", "returns": "fc(output)"},
        "WordsInOneAxis": {"batch_first": "input", "returns": "fc(flat(output))"},
        "DeepTagger": {
            "batch_first": "input",
            "layers": ("0", "0_reverse", "1", "1_reverse"),
            "returns": "fc(output), (h_n, c_n)",
        },
        "EncoderForAttention": {"batch_first": "output", "returns": "output, h_n, c_n"},
        "ScoresOfRows": {"batch_first": "output", "returns": "fc(output)"},
        "RowsInOneAxis": {"batch_first": "output", "returns": "fc(flat(output))"},
    },
    "strangers.py": {
        "NamedStates": {
            "call": "input, namespace(h=h_0[0], c=c_0[0])",
            "returns": "output, {'h': h_n[0], 'c': c_n[0]}",
        },
        "CellOfNamedState": {
            "call": "input, namespace(h=h_0, c=c_0)",
            "returns": "{'h': h_n, 'c': c_n}",
            "cell": True,
        },
        "StackOfNamedStates": {
            "layers": ("0", "1"),
            "call": "input, [namespace(h=h_0[0], c=c_0[0]), namespace(h=h_0[1], c=c_0[1])]",
        },
        "NeedsADict": {"call": "input, {'hidden': h_0, 'cell': c_0}", "cell": True},
        "step_of_a_scan": {
            "call": "{'W': W, 'U': U, 'b': b}, namespace(hidden=h_0, cell=c_0), input",
        },
        "EncoderWithABridge": {"bidirectional": True, "returns": "output, _"},
    },
}
"""For each right one, by file and name, the telling arguments of its adapter."""

WRONG: dict[str, dict[str, str]] = {
    "wrong_networks.py": {
        "ReadsTheStateFromBefore": "that feeds the hidden state from before the step to the next",
        "FeedsTheCellState": "that feeds the cell state to the next layer",
        "SharesTheState": "The results first differ in layer 1, step 0",
        "NeverTurnsBack": "whose reverse output is left in the order of processing",
        "RunsForwardTwice": "whose reverse direction runs forward",
        "ReverseHalfFirst": "that puts the reverse half of its output first",
        "ReturnsOneHalfTwice": "no mapping fits",
        "OneCellForBoth": "no mapping fits",
        "DeepAndUnturned": "whose reverse output is left in the order of processing",
        "ForgetsTheForgetGate": "without a forget gate, c = c + i * g",
        "LacksTanhInAllLayers": "without tanh on the cell state",
        "NumpyStackOfInputs": "this is an LSTM, but not with num_layers=2",
        "columns_without_forget_gate": "without a forget gate, c = c + i * g",
        "columns_with_sigmoid_on_c": "with sigmoid on the candidate",
        "forgets_c_over_time": "drops the cell state of the previous step",
        "list_with_gates_swapped": "W_xf serves as input gate and as forget gate",
        "AddsTheForgetBiasTwice": "linear.bias is added twice",
        "PeeksThroughWeights": "this looks like a peephole LSTM, whose gates see c by p_i, p_f",
    },
    "wrong_public.py": {
        "OutputOfOldCell": "that computes h from the cell state of the previous step",
        "DropsInEval": "a second call of the same instance returns other numbers",
        "KeepsItsState": "a second call of the same instance returns other numbers",
        "ReverseStateFirst": "the last two states of h_n are returned in exchanged order",
        "ForwardStateTwice": "one of the last two states of h_n is returned twice",
        "StatesOfTheLowerLayer": "the first two states of h_n are returned in place of the last",
        "LastStepAbove": "which is not a final state of the reverse direction",
        "ForgetsBatchFirst": "it takes the first axis of the input for time",
        "LastOfBothDirections": "which is not a final state of the reverse direction",
        "ViewsTheBatch": "makes batch-first input time-major by a reshape instead of a transpose",
        "TanhOnOneGate": "this is an LSTM with tanh on the output gate",
        "OneLinearForTwoGates": "U_i.weight serves as input gate and as forget gate",
        "GoesOnWithTheStateBelow": "The results first differ in layer 1, step 0",
    },
    "wrong_scratch.py": {
        "batched_without_tanh": "without tanh on the candidate",
        "Normalized": "this looks like an LSTM with normalization, by layernorm_i, layernorm_h and",
        "Peepholes": "this looks like a peephole LSTM, whose gates see c by w_ci, w_cf, w_co",
        "SumOfDirections": "the outputs of the two directions are added up, not put side by side",
        "Residual": "this is an LSTM, but not with num_layers=2",
        "ForgetsTheSigmoid": "without sigmoid on the forget gate",
    },
    "wrong_published.py": {
        "LastOfPadded": "that takes the last step of the padded output for h_n",
        "NeverUnsorts": "that returns all results with rows sorted by length",
        "ZeroesStates": "that returns zeros for the final states of rows that end before others",
        "ViewsStates": "h_n is viewed with rows first, which mixes the rows",
        "LayersAsRows": "the states of all layers are taken for rows of one batch",
        "ExchangesGivenStates": "h0 is used as c_0",
        "ExchangesKeys": "'h' of what is returned is c_n",
        "InvertsTheForgetGate": "with the forget gate inverted, c = (1 - f) * c + i * g",
        "OneCellAbove": "cells.1.weight_ih and cells.2.weight_ih are one parameter",
        "HandsStatesUp": "that starts each layer from the final states of the one below",
        "OneArrayForAllSteps": "that returns the last hidden state for every step",
        "LateByOne": "that returns the hidden state from before each step as output",
        "SkipsTheLastStep": "the state before the last step is returned",
        "FallingSigmoid": "with 1 / (1 + exp(a)) in place of sigmoid",
        "TanhOfHalf": "with 2 sigmoid(a) - 1 in place of tanh",
        "biases_exchanged": "bf serves as input gate and bi serves as forget gate, against",
    },
    "wrong_further.py": {
        "UpperGatesSwapped": "(input gate and forget gate are swapped), in the layers above the",
        "UpperLacksTanh": "without tanh on the cell state, in the layers above the lowest only",
        "GoesOnBackwards": "whose reverse direction starts from the final states of the forward",
        "MeanOfDirections": "the mean of the outputs of the two directions is returned",
        "DetachesCell": "that passes no gradient of c to the previous step",
        "ClampsCell": "that clips c to [-3, 3]",
        "ViewsItsGates": "that views the sums of its gates (N, 4 H) as (4, N, H), which mixes rows",
        "SqueezesItsGates": ".squeeze() drops every axis of size 1",
        "NewWeightsInEachCall": "a second call of the same instance returns other numbers",
        "OneBiasForAllGates": "b is added to the input gate, the forget gate, the candidate and",
        "ForgetsItsCell": "that drops the cell state of the previous step",
        "ReturnsTheGivenCell": "the third returned value is c_0 as it was given, not c_n",
        "LengthsForNothing": "lengths have no effect",
        "PeeksByATable": "The results are right only while peep keeps its value from the",
        "ScalesItsState": "The results are right only while scale keeps its value from the",
        "HasABiasOfManyRows": "The results are right only while more keeps its value",
    },
    "wrong_web.py": {
        "FlipsTheBatch": "In a batch of its own, row 0 is right",
        "PredictsInEval": "no mapping fits",
        "onnx_order_of_one_weight": "order i, o, f, g, but R is used in the order i, f, o, g",
        "DictsOfOldCells": "that computes h from the cell state of the previous step",
        "ReZero": "The results are right only while alpha keeps its value from the constructor",
    },
    "wrong_layouts.py": {
        "LastRowOfScores": "the last row of the output is returned instead of the last step",
        "LastRowOfRows": "the last row of the output is returned instead of the last step",
        "LacksBatchFirst": "the last row of the output is returned instead of the last step",
        "FirstStepOfScores": "the first step is returned instead of the last",
        "ViewsTheScores": "makes its output batch-first by a reshape instead of a transpose",
        "ReshapesTheScores": "makes its output batch-first by a reshape instead of a transpose",
    },
    "wrong_strangers.py": {
        "FillsNamesInTheWrongOrder": "'h' of what is returned is c_n",
        "TurnsItsStateAround": "both states are taken as h_0, c_0 and returned as c_n, h_n",
        "TurnsItsPairAround": "both states are taken as h_0, c_0 and returned as c_n, h_n",
        "AddsFinalStates": "the final states of the two directions are added up",
        "BridgesTheWrongOutput": "that puts the reverse half of its output first",
    },
}
"""For each wrong one, by file and name, what is told of it."""

OF_GRADIENTS = {"DetachesCell"}
"""Wrong ones whose results are right."""

BY_NAME = {
    *("ExchangesGivenStates", "ExchangesKeys", "biases_exchanged", "FillsNamesInTheWrongOrder"),
    *("TurnsItsStateAround", "TurnsItsPairAround"),
}
"""Those that are wrong by the names, or the order, of what they take and return alone."""

RIGHT_WHEN_NEW = {"KeepsItsState"}
"""Those that are right in the first call of each instance."""

WRONG_BEHIND = {
    *("LastRowOfScores", "LastRowOfRows", "LacksBatchFirst"),
    *("FirstStepOfScores", "ViewsTheScores"),
}
"""Those that are wrong in what comes after the head, which the adapter leaves out."""

IN_FLOAT32 = {"Tutorial", "TextModel", "RandomStatesAndTenOutputs"}
"""Those that make states in float32: few calls show that float64 leads nowhere."""

QUICK = {
    *("Tutorial", "batched", "KeywordOnly", "UnitsFirst", "Directions", "ReadsTheStateFromBefore"),
    *("DictConfig", "of_an_object", "StepsLast", "WithLengths", "OneSize"),
    *("LastOfPadded", "ViewsStates", "SkipsTheLastStep", *BY_NAME),
    *("GatesFirst", "gates_first", "OneToken", "ColumnVectors", "YieldsSteps", "DictOfSteps"),
    *("OneBiasForAllGates", "DetachesCell", "ForgetsItsCell", "PeeksByATable"),
    *("Tagger", "RowsInOneAxis", "LacksBatchFirst", "FirstStepOfScores"),
    *("CellOfNamedState", "NeedsADict", "EncoderWithABridge"),
    *("MinimalCharLSTM", "onnx_order", "onnx_order_of_one_weight", "ReZero"),
}
"""Those that are tried in the fast loop."""

HELPERS = {
    *("Cell", "Answer", "Pair", "NumpyCell", "sigmoid", "LSTMConfig", "State", "Params", "Plain"),
    *("ModelOutput", "one_step", "Layer", "ByHand", "LSTMState", "Carry"),
}
"""What the files have besides; ``ThreeGates`` and ``TiedGates`` are refused, as
test_inference.py shows."""
