#!/usr/bin/python3
"""The pipelines of examples/pipelines, step by step, on the lab: tests/pipelines/pipelines_test.py GPUP PLATFORM [SCENARIO]

What is performed is what stands in the pipeline: its commands in their order, with what its platform gives them; the
platform's interfaces are answered by platforms.Forge. Each scenario begins with a lab, a repository and a pull request.
"""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import platforms
from platforms import TOP

EXAMPLE = os.path.join(TOP, "examples", "two-node-cluster")
SCRIPTS = os.path.join(TOP, "examples", "pipelines", "scripts")
MARK = "<!-- gpup-plan -->"
GPUP, PLATFORM = os.path.abspath(sys.argv[1]), sys.argv[2]
failures = 0


def check(holds, words):
    global failures
    if not holds:
        failures += 1
        print(f"FAILED: {PLATFORM}: {World.scenario}: {words}")
        print("  " + "\n  ".join(World.log[-40:]))


class World:
    """The hosts (a lab), the branches, the platform."""

    scenario = ""
    log = []

    def __init__(self):
        self.room = tempfile.mkdtemp()
        self.lab = os.path.join(self.room, "lab.json")
        shutil.copy(os.path.join(EXAMPLE, "lab.json"), self.lab)
        with open(os.path.join(EXAMPLE, "desired.yaml"), encoding="utf-8") as file:
            # The hosts stay where they are, whichever folder a job runs in.
            self.desired = file.read().replace("file: lab.json", f"file: {self.lab}")
        self.main = self.desired.replace("partitionCount: 4", "partitionCount: 16")
        os.mkdir(os.path.join(self.room, "bin"))
        os.symlink(GPUP, os.path.join(self.room, "bin", "gpup"))
        self.forge = platforms.Forge(PLATFORM)
        self.forge.comments.append(["somebody", f"I quote: {MARK}"])
        self.kept = {}  # folders that were saved, by name
        self.ran = []  # the scripts, in order

    def close(self):
        self.forge.close()
        shutil.rmtree(self.room)

    def lab_text(self):
        with open(self.lab, encoding="utf-8") as file:
            return file.read()

    def edit_lab(self, edit):
        lab = json.loads(self.lab_text())
        edit(lab)
        with open(self.lab, "w", encoding="utf-8") as file:
            json.dump(lab, file)

    def job(self, event, desired, **more):
        """Runs the pipeline's job for the event on a checkout with this desired state; its exit code."""
        work = os.path.join(self.room, "checkout")
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(SCRIPTS, os.path.join(work, "ci", "gpup"))
        with open(os.path.join(work, "desired.yaml"), "w", encoding="utf-8") as file:
            file.write(desired)
        job = platforms.job_of(PLATFORM, event)
        self.summary = os.path.join(self.room, "summary")
        open(self.summary, "w").close()
        common = {
            "PATH": os.path.join(self.room, "bin") + os.pathsep + "/usr/bin:/bin",
            "HOME": self.room,
            "TMPDIR": self.room,
            "CI": "true",
            "GITHUB_STEP_SUMMARY": self.summary,
            **self.forge.environment(event),
            **more,
        }
        code = 0
        self.out = ""
        self.err = ""
        for step in job.steps:
            if code != 0 and not step.always:
                continue
            if step.kind == "run":
                one = self.run(job.shell, step, {**common, **step.env}, work)
            else:
                one = self.keep(step, os.path.join(work, step.text))
            code = code or one
        if event == "pull":
            saved = next((path for name, path in self.kept.items() if "gpup-plan" in name or name == "plan"), None)
            self.forge.builds.append((self.forge.head, code == 0, self.archive(saved) if code == 0 else None))
            self.kept.clear()
        return code

    def run(self, shell, step, environment, work):
        self.ran += re.findall(r"ci/gpup/(\w+\.sh)", step.text)
        ended = subprocess.run([*shell, "-c", step.text], cwd=work, env={**environment, **{
            # The Jenkinsfile names the one service that it is written for.
            key: environment[key] for key in ("GITHUB_API_URL",) if key in environment}},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        self.out += ended.stdout
        self.err += ended.stderr
        World.log += [f"$ {step.text}  -> {ended.returncode}", *ended.stdout.splitlines()[-8:], *ended.stderr.splitlines()[-8:]]
        check(platforms.TOKEN not in ended.stdout + ended.stderr, "a token is in the log")
        return ended.returncode

    def keep(self, step, path):
        if not os.path.exists(path):
            World.log.append(f"there is no {step.text}")
            return 0 if step.missing_is_fine else 1
        if step.kind == "save":
            kept = os.path.join(self.room, "kept", str(len(os.listdir(self.room))), step.text)
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(path, kept)
            self.kept[step.env["NAME"].replace("{head}", self.forge.head)] = kept
        return 0

    def archive(self, folder):
        check(folder is not None, "the pull request's job kept no plan")
        # GitHub archives what is in a folder, the others the folder.
        return platforms.zipped(folder, "" if PLATFORM == "github" else "gpup-plan/") if folder else None

    def merge(self):
        self.forge.merged = "c0ffee" + "0" * 34

    def comment(self):
        ours = [text for author, text in self.forge.comments if author == "gpup"]
        check(len(ours) == 1, f"there are {len(ours)} comments of gpup")
        return ours[0] if ours else ""

    def report(self, folder, name):
        for kept in self.kept.values():
            path = os.path.join(kept, name)
            if os.path.basename(kept) == folder and os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    return file.read()
        check(False, f"no {folder}/{name} was kept")
        return ""


def ends(world, wanted, got, *patterns):
    check(got == wanted, f"exit code {got}, wanted {wanted}")
    for pattern in patterns:
        check(re.search(pattern, world.out + world.err), f"it does not say: {pattern}")


def host(lab, number=0):
    return lab["hosts"][number]


def other_count(lab):
    gpu = host(lab)["gpus"][0]
    gpu["partitionCount"], gpu["partitionVram"] = 8, 1988100096


# ---- scenarios: a function each, its name a sentence ----


def reviewed_merged_applied_and_watched(world):
    before = world.lab_text()
    ends(world, 0, world.job("pull", world.desired), "Plan: 1 partition count to set")
    comment = world.comment()
    check(comment.startswith(MARK + "\n"), "the comment is not marked")
    check("vdi-01" in comment and "stopped" in comment.lower(), "the comment does not say who is stopped")
    # What is pushed later is told in the same comment, and its plan is the one that counts.
    check(world.lab_text() == before, "a pull request changed the hosts")
    world.forge.head = "d" * 40
    ends(world, 0, world.job("pull", world.desired.replace("power: running", "power: keep")))
    world.forge.head = "a" * 40
    ends(world, 0, world.job("pull", world.desired))
    check(world.comment() == comment, "the same files and hosts give another comment")
    check(world.lab_text() == before, "a pull request changed the hosts")

    world.merge()
    ends(world, 0, world.job("merge", world.desired), "fetched plan sha256:[0-9a-f]{64}", "12 steps: 12 done")
    report = json.loads(world.report("gpup-apply", "report.json"))
    check(len(report["steps"]) == 12, "the report has other steps")
    check("12" in world.report("gpup-apply", "report.md"), "the report for people is missing")
    check(world.report("gpup-apply", "report.html").startswith("<!DOCTYPE html>"), "the page is missing")
    if PLATFORM == "github":
        with open(world.summary, encoding="utf-8") as file:
            check(file.read() == world.report("gpup-apply", "report.md"), "the summary is another")
    fetched = re.search("fetched plan (sha256:[0-9a-f]{64})", world.out)
    check(fetched and fetched[1] in json.dumps(report), "another plan was performed than the one that was fetched")
    check(world.ran == ["plan.sh", "comment.sh"] * 3 + ["fetch_plan.sh", "apply.sh"],
          f"other scripts ran: {world.ran}")

    applied = world.lab_text()
    ends(world, 0, world.job("night", world.desired))
    check(world.ran[-1] == "drift.sh" and world.lab_text() == applied, "looking for drift changed something")
    cases = xml.etree.ElementTree.fromstring(world.report("gpup-drift", "junit.xml"))
    check(len(cases.findall(".//testcase")) > 3 and not cases.findall(".//failure"), "JUnit tells of failures")

    world.edit_lab(other_count)
    metrics = os.path.join(world.room, "gpup.prom")
    ends(world, 2, world.job("night", world.desired, GPUP_METRICS=metrics), "8 partitions of 1896 MiB")
    cases = xml.etree.ElementTree.fromstring(world.report("gpup-drift", "junit.xml"))
    check(len(cases.findall(".//failure")) == 1, "JUnit does not tell of one failure")
    (finding,) = json.loads(world.report("gpup-drift", "codequality.json"))
    line = world.desired[: world.desired.index("partitionCount")].count("\n") + 1
    check(finding["location"]["lines"]["begin"] == line, "GitLab's form tells another line")
    (result,) = json.loads(world.report("gpup-drift", "drift.sarif"))["runs"][0]["results"]
    check(result["locations"][0]["physicalLocation"]["region"]["startLine"] == line, "SARIF tells another line")
    check("8 partitions" in world.report("gpup-drift", "drift.md"), "the drift for people is missing")
    if PLATFORM == "github":
        check(f"::error file=desired.yaml,line={line}," in world.out, "no annotation is made")
    with open(metrics, encoding="utf-8") as file:
        check("gpup_drift_differences" in file.read(), "no metrics are written")


def a_wrong_file_is_told_in_the_comment_and_approves_nothing(world):
    before = world.lab_text()
    wrong = world.desired.replace("partitionCount: 4", 'partitionCount: "**`</code><img src=x>@all`**"')
    ends(world, 4, world.job("pull", wrong), r"error\[GP012\]")
    mark, words, empty, *code = world.comment().splitlines()
    check(mark == MARK and words == "**gpup: no plan** (exit code 4)" and empty == "", "the comment begins otherwise")
    check(code and all(line.startswith("    ") for line in code), "a line of the file is markup in the comment")
    check(any("GP012" in line for line in code), "the comment does not tell the mistake")
    world.merge()
    ends(world, 6, world.job("merge", wrong), "nothing was approved")
    check("apply.sh" not in world.ran and world.lab_text() == before, "something was applied all the same")


def a_wrong_file_does_not_hide_an_earlier_plan(world):
    """The plan of an earlier push is not that of the pull request's end."""
    before = world.lab_text()
    ends(world, 0, world.job("pull", world.desired))
    wrong = world.desired.replace("partitionCount: 4", "partitionCount: many")
    world.forge.head = "b" * 40
    ends(world, 4, world.job("pull", wrong))
    world.merge()
    # Jenkins has the last good build only, whose plan is of another file.
    ends(world, 5 if PLATFORM == "jenkins" else 6, world.job("merge", wrong))
    check(world.lab_text() == before, "something was applied all the same")


def hosts_that_changed_since_refuse_the_plan(world):
    ends(world, 0, world.job("pull", world.desired))
    world.edit_lab(other_count)
    before = world.lab_text()
    world.merge()
    ends(world, 5, world.job("merge", world.desired), "partitionCount|partition count")
    check(world.lab_text() == before, "a plan that no longer fits was applied")


def files_that_changed_since_refuse_the_plan(world):
    ends(world, 0, world.job("pull", world.desired))
    before = world.lab_text()
    world.merge()
    ends(world, 5, world.job("merge", world.desired + "# another pull request came first\n"),
         "not of the files that were merged")
    check(world.lab_text() == before, "a plan of other files was applied")


def a_lock_that_is_held_refuses_and_the_job_may_run_again(world):
    ends(world, 0, world.job("pull", world.desired))
    world.edit_lab(lambda lab: host(lab).update(simulate={"heldBy": "gpup on another machine"}))
    before = world.lab_text()
    world.merge()
    ends(world, 6, world.job("merge", world.desired), "gpup on another machine")
    check(world.lab_text() == before, "a host that another run holds was changed")
    world.edit_lab(lambda lab: host(lab).pop("simulate"))
    ends(world, 0, world.job("merge", world.desired), "12 steps: 12 done")


def hosts_that_cannot_be_read_approve_nothing(world):
    shutil.move(world.lab, world.lab + ".away")
    ends(world, 3, world.job("pull", world.desired))
    check("hv" in world.comment() and "not checked" in world.comment().lower(), "the comment does not say what was not read")
    shutil.move(world.lab + ".away", world.lab)
    before = world.lab_text()
    world.merge()
    ends(world, 6, world.job("merge", world.desired), "nothing was approved")
    check(world.lab_text() == before, "something was applied all the same")


def hosts_that_cannot_be_reached_when_it_is_applied(world):
    ends(world, 0, world.job("pull", world.desired))
    world.merge()
    shutil.move(world.lab, world.lab + ".away")
    ends(world, 5, world.job("merge", world.desired), "cannot be read")
    shutil.move(world.lab + ".away", world.lab)
    ends(world, 0, world.job("merge", world.desired), "12 steps: 12 done")


def a_step_that_fails_is_partly_applied_and_reported(world):
    world.edit_lab(lambda lab: host(lab).update(
        simulate={"faults": [{"op": "set-partition-count", "kind": "fail", "message": "the driver is busy"}]}))
    ends(world, 0, world.job("pull", world.desired))
    world.merge()
    ends(world, 7, world.job("merge", world.desired), "the driver is busy")
    report = json.loads(world.report("gpup-apply", "report.json"))
    check(any(step["outcome"] == "failed" for step in report["steps"]), "the report names no step that failed")
    check(all(vm["state"] == "Running" for vm in host(json.loads(world.lab_text()))["vms"] if vm["name"] == "vdi-01"),
          "a VM that was stopped is not started again")


def what_was_not_approved_is_not_applied(world):
    ends(world, 0, world.job("pull", world.desired))
    before = world.lab_text()
    ends(world, 6, world.job("merge", world.desired), "nothing was approved")  # a push without a pull request
    world.merge()
    ends(world, 6, world.job("merge", world.desired, GPUP_APPROVED="sha256:" + "0" * 64), "sha256:0000")
    head, good, archive = world.forge.builds[-1]
    folder = os.path.join(world.room, "forged")
    os.makedirs(folder)
    with open(os.path.join(folder, "plan.zip"), "wb") as file:
        file.write(archive)
    subprocess.run(["unzip", "-q", "-j", "plan.zip"], cwd=folder, check=True)
    os.remove(os.path.join(folder, "plan.zip"))
    plan = os.path.join(folder, "change.plan")
    with open(plan, encoding="utf-8") as file:
        text = file.read()
    with open(plan, "w", encoding="utf-8") as file:
        file.write(text.replace('"to":4', '"to":8').replace('"to": 4', '"to": 8'))
    os.makedirs(os.path.join(folder, "ci"))
    with open(os.path.join(folder, "desired.yaml"), "w", encoding="utf-8") as file:
        file.write("nothing of the archive but the plan is unpacked")
    shutil.rmtree(os.path.join(folder, "ci"))
    world.forge.builds[-1] = (head, good, platforms.zipped(folder, "" if PLATFORM == "github" else "gpup-plan/"))
    ends(world, 4, world.job("merge", world.desired), r"error\[GP\d+\]")
    check(world.lab_text() == before, "something was applied all the same")


def a_platform_that_does_not_answer(world):
    ends(world, 0, world.job("pull", world.desired))
    before = world.lab_text()
    world.merge()
    token, platforms.TOKEN = platforms.TOKEN, "an0ther"
    world.forge.environment = lambda event, known=world.forge.environment: {
        key: value.replace("an0ther", token) for key, value in known(event).items()}
    code = world.job("merge", world.desired)
    platforms.TOKEN = token
    ends(world, 1, code, r"cannot be read \(401\): http")
    check(world.lab_text() == before, "something was applied all the same")


def a_night_in_which_not_everything_can_be_read(world):
    shutil.move(world.lab, world.lab + ".away")
    ends(world, 3, world.job("night", world.main))
    cases = xml.etree.ElementTree.fromstring(world.report("gpup-drift", "junit.xml"))
    check(cases.findall(".//skipped"), "JUnit skips nothing")
    ends(world, 4, world.job("night", world.main.replace("partitionCount: 16", "partitionCount: many")))
    cases = xml.etree.ElementTree.fromstring(world.report("gpup-drift", "junit.xml"))
    check(cases.findall(".//failure") or cases.findall(".//error"), "JUnit does not tell that the file is wrong")


SCENARIOS = (
    reviewed_merged_applied_and_watched,
    a_wrong_file_is_told_in_the_comment_and_approves_nothing,
    a_wrong_file_does_not_hide_an_earlier_plan,
    hosts_that_changed_since_refuse_the_plan,
    files_that_changed_since_refuse_the_plan,
    a_lock_that_is_held_refuses_and_the_job_may_run_again,
    hosts_that_cannot_be_read_approve_nothing,
    hosts_that_cannot_be_reached_when_it_is_applied,
    a_step_that_fails_is_partly_applied_and_reported,
    what_was_not_approved_is_not_applied,
    a_platform_that_does_not_answer,
    a_night_in_which_not_everything_can_be_read,
)


def main():
    scripts = {os.path.basename(path) for path in glob.glob(os.path.join(SCRIPTS, "*"))}
    seen = set()
    wanted = sys.argv[3] if len(sys.argv) > 3 else ""
    chosen = [scenario for scenario in SCENARIOS if wanted in scenario.__name__]
    for scenario in chosen:
        World.scenario, World.log = scenario.__name__.replace("_", " "), []
        world = World()
        try:
            scenario(world)
        finally:
            seen.update(world.ran)
            world.close()
    World.scenario, World.log = "all scenarios", []
    check(seen == scripts or wanted, f"scripts that no pipeline ran: {sorted(scripts - seen)}")
    if failures:
        sys.exit(1)
    print(f"{PLATFORM}: {len(chosen)} scenarios, as its pipeline would")


main()
