#!/usr/bin/env python3
"""Types Ctrl-C into the console in which gpup runs, and looks at what it says there.

console.py WINE GPUP.EXE EXAMPLE: applies a copy of that example, whose first stop takes long. Asked once it ends at a
step's boundary (8), asked twice at once (130); both times in colours.
"""
import json
import os
import pty
import re
import select
import shutil
import sys
import tempfile
import time

LONGEST = 60


def run(argv, folder, answers):
    """Runs a program in a terminal of its own. `answers`: Ctrl-C goes in each time that one of these was said."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execv(argv[0], argv)
    said = b""
    since = 0
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            if not piece:
                break
            said += piece
        if answers and answers[0] in plain(said[since:]):
            answers = answers[1:]
            since = len(said)
            os.write(terminal, b"\x03")
    else:
        os.kill(pid, 9)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said


def plain(said):
    """Without what moves the cursor, and in one line: the console wraps."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]", "", said.decode("utf-8", "replace"))


def main():
    wine, program, example = (os.path.realpath(path) for path in sys.argv[1:])
    wrong = 0
    for code, answers, wanted in [
        (8, ["1 under way on 1 host; 1 s"], ["cancelled: no new step begins", "Started again in the end"]),
        (130, ["1 under way on 1 host; 1 s", "a second signal ends gpup at once"], ["left at once", "GP174"]),
    ]:
        with tempfile.TemporaryDirectory() as room:
            folder = shutil.copytree(example, os.path.join(room, "lab"))
            path = os.path.join(folder, "lab.json")
            with open(path, encoding="utf-8") as file:
                lab = json.load(file)
            lab["hosts"][0]["simulate"] = {"latency": {"stop-vm": 8000}}
            with open(path, "w", encoding="utf-8") as file:
                json.dump(lab, file)
            argv = [wine, program, "apply", "-f", "desired.yaml", "--yes", "--state-dir", "state"]
            ended, said = run(argv, folder, answers)
        missing = [words for words in wanted if words not in plain(said)]
        if b"\x1b[3" not in said:
            missing.append("colours")
        if ended != code or missing:
            wrong += 1
            print(f"exit code {ended}, wanted {code}; missing: {missing}\n{said.decode('utf-8', 'replace')}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
