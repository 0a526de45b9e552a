"""Handlers and functions that processes import by name."""
import os
import signal
import threading

from tidemill import Context, task


@task("square", retry={"max_attempts": 2}, timeout=30)
def square(input):
    return input * input


@task("pid")
def pid(input):
    return os.getpid()


@task("end")
def end(input):
    """Ends its process: by exit code, or by signal when it is negative."""
    if input < 0:
        os.kill(os.getpid(), -input)
    os._exit(input)


@task("stubborn")
def stubborn(input):
    """Says that it runs, and hears nothing."""
    with open(input, "w") as file:
        file.write(str(os.getpid()))
    threading.Event().wait()


@task("polite")
def polite(input, ctx: Context):
    with open(input, "w") as file:
        file.write(str(os.getpid()))
    ctx.wait(60)
    ctx.check()


@task("hungry")
def hungry(input):
    """Holds so many bytes for as long as its process lives."""
    KEPT.append(b"x" * input)
    return os.getpid()


KEPT = []


def add(a, b=0):
    return a + b


def local():
    return lambda: None


def ignore_signals(input):
    return signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
