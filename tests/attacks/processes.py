"""Processes that die: at a moment, or just before the n-th thing they ask of the file system."""

import os
import signal
import sys
import time
from collections.abc import Callable
from itertools import count

from copyhold.config.database import close

PATIENCE = 300.0  # seconds; far beyond what anything here takes
_FILES = {"open", "shutil.move", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.listdir"}


def in_a_child(what: Callable[[], object]) -> int:
    """Run something in a process of its own, with a connection of its own; give its number."""
    close()
    child = os.fork()
    if child == 0:
        try:
            what()
            os._exit(0)
        finally:
            os._exit(1)  # the child must never come back into the test
    return child


def ended(child: int) -> int:
    """Wait for a process; give its exit code, or the negative number of the signal that killed it."""
    status = [0]

    def over() -> bool:
        number, status[0] = os.waitpid(child, os.WNOHANG)
        return number == child

    until(over)
    return os.waitstatus_to_exitcode(status[0])


def until(happened: Callable[[], bool]) -> None:
    """Wait for something; a process that hangs or died unseen fails the test instead of stopping it."""
    last = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < last, "a process did not do in time what it was to do"
        time.sleep(0.001)


def watched(at: Callable[[int], None]) -> None:
    """From now on tell the number of each thing this process asks of the file system, before it is done."""
    numbers = count()

    def hook(event: str, _arguments: object) -> None:
        if event in _FILES:
            at(next(numbers))

    sys.addaudithook(hook)  # it goes with the process only, so this is for children


def die_at(place: int) -> None:
    """Kill this process just before it asks the file system for the n-th thing from now."""

    def at(number: int) -> None:
        if number == place:
            os.kill(os.getpid(), signal.SIGKILL)

    watched(at)


def kill_after(child: int, seconds: float) -> None:
    """Kill a process at a moment."""
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
