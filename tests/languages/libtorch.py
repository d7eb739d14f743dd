"""Builds ``libtorch.cpp`` against the headers and libraries inside the installed torch.

``python tests/languages/libtorch.py TARGET`` needs g++ and the package ``nlohmann-json``.
"""

import importlib.util
import subprocess
import sys
from pathlib import Path

import torch

SOURCE = Path(__file__).with_suffix(".cpp")


def build(target: Path) -> None:
    """Compile and link to the program `target`; raises if that fails."""
    json = importlib.util.find_spec("nlohmann_json")
    if json is None or json.origin is None:
        raise ModuleNotFoundError("install nlohmann-json, the C++ library that reads JSON")
    inside = Path(torch.__file__).parent
    headers = (
        inside / "include",
        inside / "include" / "torch" / "csrc" / "api" / "include",
        Path(json.origin).parent / "include",
    )
    libraries = inside / "lib"
    subprocess.run(
        [
            *("g++", "-std=c++20", "-O1", str(SOURCE), "-o", str(target)),
            *(argument for header in headers for argument in ("-isystem", str(header))),
            f"-D_GLIBCXX_USE_CXX11_ABI={int(torch.compiled_with_cxx11_abi())}",
            *(f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-Wl,--no-as-needed"),
            *("-ltorch", "-ltorch_cpu", "-lc10"),
        ],
        check=True,
    )


if __name__ == "__main__":
    build(Path(sys.argv[1]))
