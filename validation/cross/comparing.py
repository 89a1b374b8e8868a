"""What comparisons with other frameworks share: the program called, and what differs said in one line."""
import importlib
import os
import subprocess
import tempfile

try:
    import numpy as np
except ImportError:
    np = None


class Missing(Exception):
    """A framework that is not installed here."""


class Differs(Exception):
    """What a comparison saw, in one line."""


def need(name):
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Missing(name.split(".")[0]) from error


class Assay:
    def __init__(self, program, backend):
        self.program, self.backend = program, backend

    def call(self, *arguments):
        """What a command prints."""
        done = subprocess.run([self.program, *arguments], capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise Differs(f"{' '.join(arguments[:2])}: exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def run(self, operation, inputs, outputs, parameters=None):
        """The outputs of one call, by name."""
        with tempfile.TemporaryDirectory() as folder:
            command = ["run", operation, "--backend", self.backend, "--quiet"]
            for name, array in inputs.items():
                path = os.path.join(folder, f"in_{name}.npy")
                np.save(path, array)
                command += ["--in", f"{name}={path}"]
            for name, value in (parameters or {}).items():
                command += ["--set", f"{name}={value}"]
            paths = {name: os.path.join(folder, f"out_{name}.npy") for name in outputs}
            for name, path in paths.items():
                command += ["--out", f"{name}={path}"]
            self.call(*command)
            return {name: np.load(path) for name, path in paths.items()}


def equal(what, got, expected):
    if got.shape != expected.shape:
        raise Differs(f"{what}: shape {got.shape}, expected {expected.shape}")
    wrong = np.flatnonzero(~((got == expected) | (np.isnan(got) & np.isnan(expected))))
    if wrong.size:
        i = wrong[0]
        raise Differs(f"{what}: element {i} is {got.flat[i]:.17g}, expected {expected.flat[i]:.17g}; {wrong.size} of {got.size} differ")
    return 0.0


def within(what, got, expected, allowed):
    """The largest share of the bound that was used."""
    if got.shape != expected.shape:
        raise Differs(f"{what}: shape {got.shape}, expected {expected.shape}")
    off = np.abs(got - expected)
    wrong = np.flatnonzero(~(off <= allowed) & ~(np.isnan(got) & np.isnan(expected)))
    if wrong.size:
        i = wrong[0]
        raise Differs(f"{what}: element {i} is {got.flat[i]:.17g}, expected {expected.flat[i]:.17g}, "
                      f"allowed {np.broadcast_to(allowed, got.shape).flat[i]:.3g}; {wrong.size} of {got.size} are off")
    return float(np.nanmax(off / allowed)) if got.size else 0.0
