"""A copy of the tree with a build of its own, in which one line at a time is changed."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Properties are run in groups, the quick ones of all operations first: the bounds in seconds, unchanged.
GROUPS = [0.3, 1.0, 3.0, float("inf")]
# Prints the instruction sets that this machine does not choose, as Highway numbers them.
OTHER_TARGETS = """#include <hwy/highway.h>
#include <cstdio>
int main() {
  const auto all = hwy::SupportedTargets() & HWY_TARGETS;  // some that it has are compiled only where asked for
  std::printf("%lld", static_cast<long long>(~(all & -all) & ~static_cast<decltype(all)>(HWY_STATIC_TARGET)));
}
"""


def run(command, limit, **options):
    """(exit status or None for a timeout, output, seconds)"""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True, **options)
    try:
        output, _ = process.communicate(timeout=limit)
        return process.returncode, output, time.monotonic() - begin
    except subprocess.TimeoutExpired:
        return None, "", time.monotonic() - begin
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # its own session: nobody else's processes
            process.communicate()


class CopiedTree:
    """Builds the unchanged copy, remembers its object files and how long each property takes."""

    def __init__(self, folder, sources):
        self.folder, self.root = folder, folder / "tree"
        # Paths below the copy count as relative to the compiler's cache, which then knows the tree's objects.
        self.environment = dict(os.environ, CCACHE_BASEDIR=str(folder), CCACHE_NOHASHDIR="1")
        self._copy()
        self._ask(["cmake", "--preset", "cpu", "-G", "Ninja"], "the copy cannot be configured")
        self._ask(["ninja", "-C", "build", "assay-tests"], "the unchanged tree does not build")
        self.objects = self._objects_of(sources)
        self.unchanged = {name: self._digest(name) for names in self.objects.values() for name in names}
        self.groups = self._groups_of({operation for names in sources.values() for operation in names})

    @contextlib.contextmanager
    def mutated(self, source, line, new):
        path = self.root / source
        whole = path.read_text(encoding="utf-8")
        lines = whole.split("\n")
        lines[line - 1] = new
        try:
            path.write_text("\n".join(lines), encoding="utf-8")
            yield
        finally:
            path.write_text(whole, encoding="utf-8")

    def compile(self, source):
        """Compiles what includes the source; the compiler's words where it does not compile, else None."""
        status, output, _ = run(["ninja", "-C", "build", "-j1", *self.objects[source]], 900, cwd=self.root, env=self.environment)
        if status == 0:
            return None
        error = re.search(r"error: (.*)", output)
        return error.group(1) if error else "does not compile"

    def same_objects(self, source):
        return all(self._digest(name) == self.unchanged[name] for name in self.objects[source])

    def test(self, operations):
        """("killed", by which property), ("timeout", in which group) or ("survived", "")."""
        self._ask(["ninja", "-C", "build", "-j1", "assay-tests"], "what compiles does not link")
        for bound, group in zip(GROUPS, self.groups):
            names = [name for operation in operations for name, _ in group.get(operation, [])]
            if not names:
                continue
            usual = sum(seconds for operation in operations for _, seconds in group.get(operation, []))
            status, output, _ = run(["build/assay-tests", "--gtest_filter=" + ":".join(names), "--gtest_fail_fast",
                                     "--gtest_brief=1"], 20 + 6 * usual, cwd=self.root, env=self.environment)
            if status is None:
                return "timeout", f"{'/'.join(operations)}, properties of up to {bound} s"
            if status != 0:
                failed = re.search(r"\[  FAILED  \] properties\.(\S+)/cpu", output)
                return "killed", failed.group(1) if failed else f"exit status {status}"
        return "survived", ""

    def _copy(self):
        """Brings the copy up to date and leaves the times of files alone that have not changed."""
        listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                                capture_output=True, text=True, check=True).stdout.splitlines()
        for name in listed:
            if not (ROOT / name).is_file():
                continue
            content, to = (ROOT / name).read_bytes(), self.root / name
            if name == "CMakeLists.txt":
                content += self._one_target().encode()
            if not to.is_file() or to.read_bytes() != content:
                to.parent.mkdir(parents=True, exist_ok=True)
                to.write_bytes(content)
                to.chmod((ROOT / name).stat().st_mode)

    def _one_target(self):
        """Leaves the bodies out that are compiled for other instruction sets: they do not run here, and take most of the time."""
        program = self.folder / "other_targets"
        if not program.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            program.with_suffix(".cpp").write_text(OTHER_TARGETS, encoding="utf-8")
            self._ask(["c++", "-std=c++20", "-O1", "-w", str(program.with_suffix(".cpp")), "-lhwy", "-o", str(program)],
                      "Highway's targets cannot be asked for", self.folder)
        others = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout
        return f"\ntarget_compile_definitions(assay_kernels PRIVATE HWY_DISABLED_TARGETS={others})\n"

    def _ask(self, command, complaint, folder=None):
        status, output, _ = run(command, None, cwd=folder or self.root, env=self.environment)
        if status != 0:
            sys.exit(f"sample: {complaint}:\n{output[-2000:]}")
        return output

    def _objects_of(self, sources):
        """Object files of assay-tests that each source is compiled into, as ninja wrote the dependencies down."""
        objects, name = {source: [] for source in sources}, ""
        for line in self._ask(["ninja", "-C", "build", "-t", "deps"], "the dependencies cannot be read").splitlines():
            if line and not line[0].isspace():
                name = line.split(":")[0]
            for source in sources:
                if line.endswith("/" + source) and name not in objects[source]:
                    objects[source].append(name)
        missing = [source for source, names in objects.items() if not names]
        if missing:
            sys.exit(f"sample: no object file depends on {', '.join(missing)}")
        return objects

    def _digest(self, name):
        """Of an object file without what is for the debugger alone."""
        bare = self.folder / "bare.o"
        self._ask(["objcopy", "--strip-debug", str(self.root / "build" / name), str(bare)], "objcopy fails")
        return hashlib.sha256(bare.read_bytes()).digest()

    def _groups_of(self, operations):
        """For each of GROUPS, {operation: [(test, seconds)]}."""
        groups = [{} for _ in GROUPS]
        for operation in sorted(operations):
            report = self.folder / "times.json"
            self._ask(["build/assay-tests", f"--gtest_filter=properties.{operation}/*/cpu", "--gtest_brief=1",
                       f"--gtest_output=json:{report}"], f"{operation} fails unchanged")
            for suite in json.loads(report.read_text(encoding="utf-8"))["testsuites"]:
                for test in suite["testsuite"]:
                    seconds = float(test["time"].rstrip("s"))
                    place = next(i for i, bound in enumerate(GROUPS) if seconds <= bound)
                    groups[place].setdefault(operation, []).append((f"{suite['name']}.{test['name']}", seconds))
        return groups
