"""An LSTM in a process of its own that is right, until a sequence has several steps.

``python misbehaving_program.py FAULT [FILE]``; the faults are the functions below. FILE gets a
line with the number of each process that is started.
"""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np

from reference import DTYPES, Case, Configuration, Result, backward, lstm, rounded, trace

SUPPORTS = {"dtypes": ["float32"], "gradients": True}
HELLO = {"protocol": 1, "name": "mis::behaving", "version": "1.0", "supports": SUPPORTS}
NAMES = ("output", "h_n", "c_n")


def say(value, end="\n"):
    text = value if isinstance(value, str) else json.dumps(value)
    sys.stdout.write(text + end)
    sys.stdout.flush()


def answer(request):
    """What is right."""

    def read(array):
        values = [float(value) for value in array["values"]]
        return np.array(values, DTYPES[request["dtype"]].numpy).reshape(array["shape"])

    case = Case(
        Configuration(**request["configuration"]),
        {name: read(array) for name, array in request["parameters"].items()},
        *(read(request[name]) for name in ("input", "h_0", "c_0")),
    )
    if "cotangents" not in request:
        results = rounded(lstm(case), case.dtype).items()
        return {"id": request["id"], **{name: written(array) for name, array in results}}
    cotangents = Result(*(read(request["cotangents"][name]) for name in NAMES))
    gradients = backward(trace(case), cotangents).items()
    by_name = {name: written(array.astype(np.float32)) for name, array in gradients}
    return {"id": request["id"], "gradients": by_name}


def written(array):
    spelled = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    values = array.astype(float).ravel().tolist()
    return {"shape": array.shape, "values": [spelled.get(str(value), value) for value in values]}


def is_right(right):
    say(right)


def doubles_a_gradient(right):
    values = right["gradients"]["bias_hh_l0"]["values"]
    values[:] = [2 * value for value in values]
    say(right)


def names_a_stranger(right):
    right["gradients"]["kernel"] = right["gradients"].pop("input")
    say(right)


def writes_noise_before(right):
    say("loading weights ...")
    say(right)


def writes_noise_after(right):
    say(json.dumps(right) + "\ndone in 3 ms")


def writes_noise_later(right):
    say(right)
    while not os.path.exists(sys.argv[2] + ".more"):
        time.sleep(0.01)
    say("garbage collected")
    note(0)


def writes_null(_):
    say("null")


def writes_an_empty_line(_):
    say("")


def writes_bytes(_):
    sys.stdout.buffer.write(b"\xff\xfe\n")
    sys.stdout.flush()


def writes_brackets(_):
    say("[" * 60_000)


def writes_nan_as_a_number(right):
    right["c_n"]["values"][0] = float("nan")
    say(right)


def writes_nan_as_null(right):
    right["c_n"]["values"][0] = None
    say(right)


def writes_a_number_beyond_float64(right):
    right["c_n"]["values"][0] = 123.5
    say(json.dumps(right).replace("123.5", "1e999"))


def forgets_c_n(right):
    del right["c_n"]
    say(right)


def adds_a_field(right):
    say({**right, "seconds": 0.1})


def answers_another_request(right):
    say({**right, "id": right["id"] + 1})


def counts_values_wrongly(right):
    right["h_n"]["values"].append(0.0)
    say(right)


def returns_another_shape(right):
    right["h_n"]["shape"] = [*right["h_n"]["shape"], 1]
    say(right)


def returns_float64(right):
    right["output"]["values"][0] = 0.1
    say(right)


def writes_too_much(right):
    for name in NAMES:
        right[name]["values"] = [0.1234567890123456] * 20_000
    say(right)


def floods(_):
    while True:
        say("x" * 1000, end="")


def tells_an_error(right):
    say({"id": right["id"], "error": "the kernel is on fire"})


def raises(_):
    raise RuntimeError("the kernel is on fire")


def exits(_):
    sys.exit(3)


def exits_in_the_middle(right):
    say(json.dumps(right)[:20], end="")
    sys.exit(0)


def segfaults(_):
    print("about to read address 0", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGSEGV)


def closes_its_output(_):
    os.close(1)
    time.sleep(1000)


def sleeps(_):
    time.sleep(1000)


def loops_forever(_):
    while True:
        pass


def answers_slowly(right):
    for character in json.dumps(right):
        say(character, end="")
        time.sleep(0.3)


def takes_its_time(right):
    time.sleep(0.4)
    say(right)


def sleeps_with_children(_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
    note(child.pid)
    time.sleep(1000)


def note(process):
    for path in sys.argv[2:]:
        with open(path, "a") as file:
            file.write(f"{process}\n")


def main():
    note(os.getpid())
    fault = globals()[sys.argv[1]]
    say(HELLO)
    for line in sys.stdin:
        request = json.loads(line)
        right = answer(request)
        if request["input"]["shape"][0] > 1:
            fault(right)
        else:
            say(right)


if __name__ == "__main__":
    main()
