"""A disk that is full: what can be done all the same, and how that is said."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def choose_folder() -> None:
    """Choose a folder for temporary files if Python chooses none, as all are full.

    pytest makes files there for what is printed, and no worker could start without. A file that
    stays empty needs no room.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        folders = ("/tmp", os.getcwd())
        tempfile.tempdir = next((each for each in folders if os.access(each, os.W_OK)), None)


def full(folders: Iterable[Path]) -> str:
    """Return a line on the first of the `folders` that cannot be written to, empty if all can."""
    for folder in folders:
        try:
            with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
                file.write(b"\0")
        except OSError as error:
            return f"nothing can be written to {folder}: {error.strerror}"
    return ""
