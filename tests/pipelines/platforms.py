"""What GitHub, GitLab, Azure Pipelines and Jenkins do with a pipeline, as far as those of examples/pipelines need it.

`jobs_of(platform)` reads the pipeline as it stands and gives a job for each event; what these readers do not know is an
error, so that nothing in a pipeline goes unseen. `Forge` answers what the scripts ask the platforms' interfaces.
"""

import base64
import hashlib
import http.server
import io
import json
import os
import re
import threading
import urllib.parse
import zipfile

import yaml

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PIPELINES = os.path.join(TOP, "examples", "pipelines")
PLATFORMS = ("github", "gitlab", "azure", "jenkins")
TOKEN = "t0ken"


class Step:
    """`run`: a shell command; `save`: a folder or file that is kept; `read`: a file that the platform shows."""

    def __init__(self, kind, text, always=False, env=None, missing_is_fine=False):
        self.kind, self.text, self.always = kind, text, always
        self.env, self.missing_is_fine = dict(env or {}), missing_is_fine


class Job:
    def __init__(self, steps, shell):
        self.steps, self.shell = steps, shell


def text_of(*path):
    with open(os.path.join(PIPELINES, *path), encoding="utf-8") as file:
        return file.read()


def only(mapping, *known):
    """The values of these keys; any other key is an error."""
    left = set(mapping) - set(known)
    assert not left, f"unknown here: {sorted(map(str, left))}"
    return [mapping.get(key) for key in known]


# ---- GitHub ----

GITHUB_TABLE = {
    "github.token": TOKEN,
    "github.event.pull_request.head.sha": "{head}",
    "github.event.pull_request.number": "7",
}
GITHUB_EVENTS = {
    "pull": ("gpup-plan.yml", {"pull_request": {"paths": ["desired.yaml"]}}),
    "merge": ("gpup-apply.yml", {"push": {"branches": ["main"], "paths": ["desired.yaml"]}}),
    "night": ("gpup-drift.yml", {"schedule": [{"cron": "17 3 * * *"}], "workflow_dispatch": None}),
}


def github_text(text):
    return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: GITHUB_TABLE[found[1]], text)


def github_step(step):
    name, condition, run, uses, arguments, env = only(step, "name", "if", "run", "uses", "with", "env")
    assert condition in (None, "always()"), condition
    always = condition is not None
    env = {key: github_text(value) for key, value in (env or {}).items()}
    if run is not None:
        return Step("run", github_text(run), always, env)
    if uses == "actions/checkout@v4":
        return None
    assert uses == "actions/upload-artifact@v4", uses
    saved, path, missing, _ = only(arguments, "name", "path", "if-no-files-found", "retention-days")
    assert missing in (None, "ignore")  # a warning, or nothing: never an error
    return Step("save", path.rstrip("/"), always, {"NAME": github_text(saved)}, True)


def github_job(event):
    file, wanted = GITHUB_EVENTS[event]
    flow = yaml.safe_load(text_of("github", file))
    trigger = flow.pop(True)  # YAML 1.1 takes `on` for it
    assert trigger == wanted, trigger
    _, rights, _, jobs = only(flow, "name", "permissions", "concurrency", "jobs")
    assert rights["contents"] == "read" and ("pull-requests" in rights) == (event != "night")
    (job,) = jobs.values()
    condition, _, _, steps = only(job, "if", "runs-on", "environment", "steps")
    assert (condition is not None) == (event == "pull"), condition
    return Job([made for made in map(github_step, steps) if made], ["bash", "-e"])


# ---- GitLab ----

GITLAB_RULES = {
    "pull": '$CI_PIPELINE_SOURCE == "merge_request_event"',
    "merge": '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH',
    "night": '$CI_PIPELINE_SOURCE == "schedule"',
}


def gitlab_job(event):
    pipeline = yaml.safe_load(text_of("gitlab", "gitlab-ci.yml"))
    stages, _, *jobs = only(pipeline, "stages", "default", "gpup-plan", "gpup-apply", "gpup-drift")
    chosen = [job for job in jobs if job["rules"][0]["if"] == GITLAB_RULES[event]]
    assert len(chosen) == 1
    stage, rules, _, _, _, script, after, artifacts = only(
        chosen[0], "stage", "rules", "resource_group", "environment", "interruptible", "script", "after_script", "artifacts"
    )
    assert stage in stages and rules[0].get("changes") == (None if event == "night" else ["desired.yaml"]), rules
    steps = [Step("run", line) for line in script]
    steps += [Step("run", line, always=True) for line in after or []]
    paths, when, _, reports = only(artifacts, "paths", "when", "expire_in", "reports")
    steps += [Step("save", path.rstrip("/"), when == "always", {"NAME": chosen[0]["stage"]}, True) for path in paths]
    steps += [Step("read", path, True) for path in (reports or {}).values()]
    return Job(steps, ["bash", "-eo", "pipefail"])


# ---- Azure Pipelines ----

AZURE_CONDITIONS = {
    "pull": "eq(variables['Build.Reason'], 'PullRequest')",
    "merge": "and(in(variables['Build.Reason'], 'IndividualCI', 'BatchedCI'), "
    "eq(variables['Build.SourceBranch'], 'refs/heads/main'))",
    "night": "eq(variables['Build.Reason'], 'Schedule')",
}
AZURE_TABLE = {"System.AccessToken": TOKEN, "System.JobAttempt": "1"}


def azure_text(text):
    return re.sub(r"\$\(([A-Za-z.]+)\)", lambda found: AZURE_TABLE[found[1]], text)


def azure_step(step):
    checkout, bash, publish, task, _, condition, artifact, inputs, env = only(
        step, "checkout", "bash", "publish", "task", "displayName", "condition", "artifact", "inputs", "env"
    )
    assert condition in (None, "always()"), condition
    always = condition is not None
    env = {key: azure_text(value) for key, value in (env or {}).items()}
    if checkout is not None:
        return None
    if bash is not None:
        return Step("run", bash, always, env)
    if publish is not None:
        return Step("save", publish, always, {"NAME": azure_text(artifact)})
    assert task == "PublishTestResults@2" and inputs["testResultsFormat"] == "JUnit"
    return Step("read", inputs["testResultsFiles"], always)


def azure_job(event):
    pipeline = yaml.safe_load(text_of("azure", "azure-pipelines.yml"))
    trigger, schedules, _, _, stages = only(pipeline, "trigger", "schedules", "pool", "lockBehavior", "stages")
    assert trigger == {"branches": {"include": ["main"]}, "paths": {"include": ["desired.yaml"]}}
    assert len(schedules) == 1 and schedules[0]["always"] is True
    chosen = [stage for stage in stages if stage["condition"] == AZURE_CONDITIONS[event]]
    assert len(chosen) == 1
    _, depends, _, jobs = only(chosen[0], "stage", "dependsOn", "condition", "jobs")
    # The first depends on nothing by itself; without the list the others would wait for one that is skipped.
    assert depends == (None if chosen[0] is stages[0] else [])
    (job,) = jobs
    if "deployment" in job:
        _, _, strategy = only(job, "deployment", "environment", "strategy")
        steps = strategy["runOnce"]["deploy"]["steps"]
    else:
        _, steps = only(job, "job", "steps")
    assert steps[0] == {"checkout": "self"}  # deployments have none by themselves
    return Job([made for made in map(azure_step, steps) if made], ["bash"])


# ---- Jenkins ----

JENKINS_WHEN = {
    "pull": ["changeRequest()"],
    "merge": ["branch 'main'", "changeset 'desired.yaml'", "not { triggeredBy 'TimerTrigger' }"],
    "night": ["branch 'main'", "triggeredBy 'TimerTrigger'"],
}
JENKINS_SECRETS = {"github-token": TOKEN, "jenkins-token": f"robot:{TOKEN}"}


def jenkins_blocks(text):
    """The text as a tree: a list of statements, and of (head, list) for what stands in braces."""
    root = []
    stack = [root]
    statement = ""
    depth = 0
    for line in text.splitlines():
        line = re.sub(r"(^|\s)//.*", "", line).strip()
        if not line:
            continue
        statement = f"{statement} {line}".strip()
        depth = statement.count("(") - statement.count(")")
        if depth > 0:
            continue
        if statement == "}":
            stack.pop()
        elif statement.endswith("{"):
            inner = []
            stack[-1].append((statement[:-1].strip(), inner))
            stack.append(inner)
        else:
            stack[-1].append(statement)
        statement = ""
    assert len(stack) == 1 and not statement, "braces do not match"
    return root


def jenkins_steps(statements, always, env):
    steps = []
    for statement in statements:
        if isinstance(statement, tuple):
            head, inner = statement
            secrets = re.fullmatch(r"withCredentials\(\[(.*)\]\)", head)
            assert secrets, head
            pairs = re.findall(r"string\(credentialsId: '([^']*)', variable: '([^']*)'\)", secrets[1])
            assert pairs
            steps += jenkins_steps(inner, always, {**env, **{name: JENKINS_SECRETS[key] for key, name in pairs}})
            continue
        for pattern, make in (
            (r"sh '([^']*)'", lambda found: Step("run", found[1], always, env)),
            (r"archiveArtifacts artifacts: '([^']*)/\*'(, allowEmptyArchive: true)?",
             lambda found: Step("save", found[1], always, {"NAME": found[1]}, found[2] is not None)),
            (r"junit '([^']*)'", lambda found: Step("read", found[1], always)),
            (r"recordIssues tool: sarif\(pattern: '([^']*)'\)", lambda found: Step("read", found[1], always)),
        ):
            found = re.fullmatch(pattern, statement)
            if found:
                steps.append(make(found))
                break
        else:
            raise AssertionError(f"unknown here: {statement}")
    return steps


def jenkins_job(event):
    ((head, pipeline),) = jenkins_blocks(text_of("jenkins", "Jenkinsfile"))
    assert head == "pipeline"
    parts = dict(part for part in pipeline if isinstance(part, tuple))
    options, triggers, environment, stages = only(parts, "options", "triggers", "environment", "stages")
    assert options == ["disableConcurrentBuilds()"] and triggers == ["cron(env.BRANCH_NAME == 'main' ? '17 3 * * *' : '')"]
    assert any(line.startswith("GITHUB_API_URL = ") for line in environment)
    chosen = []
    for _, stage in stages:
        when, steps, post = only(dict(stage), "when", "steps", "post")
        if when == JENKINS_WHEN[event]:
            ((always, ending),) = post
            assert always == "always"
            chosen.append(jenkins_steps(steps, False, {}) + jenkins_steps(ending, True, {}))
    (steps,) = chosen
    return Job(steps, ["sh", "-e"])


def job_of(platform, event):
    return {"github": github_job, "gitlab": gitlab_job, "azure": azure_job, "jenkins": jenkins_job}[platform](event)


# ---- what the scripts ask the platforms ----


def zipped(folder, prefix):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name in sorted(os.listdir(folder)):
            archive.write(os.path.join(folder, name), prefix + name)
    return made.getvalue()


class Forge:
    """One pull request (7), its comments, and what its builds left."""

    def __init__(self, platform):
        self.platform = platform
        self.head = hashlib.sha1(b"head").hexdigest()
        self.merged = None  # the commit that merged it
        self.comments = []  # of [author, text]; others comment, too
        self.builds = []  # of (head, succeeded, archive or None), the newest last
        self.asked = []
        forge = self

        class Answers(http.server.BaseHTTPRequestHandler):
            def answer(self):
                size = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(size)
                code, reply = forge.reply(self.command, self.path, self.headers, body)
                self.send_response(code)
                self.end_headers()
                self.wfile.write(reply if isinstance(reply, bytes) else json.dumps(reply).encode())

            do_GET = do_POST = do_PATCH = do_PUT = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def may(self, path, headers):
        if self.platform == "jenkins" and path.startswith("/jenkins/"):
            return headers.get("Authorization") == "Basic " + base64.b64encode(f"robot:{TOKEN}".encode()).decode()
        return headers.get("Authorization") == f"Bearer {TOKEN}"

    def reply(self, method, target, headers, body):
        path, _, query = target.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        self.asked.append(f"{method} {path}")
        if not self.may(path, headers):
            return 401, {"message": "not authorized"}
        for route, answer in getattr(self, self.platform)().items():
            wanted, _, pattern = route.partition(" ")
            found = re.fullmatch(pattern, path)
            if found and wanted == method:
                return answer(*found.groups(), query=query, body=json.loads(body) if body else None)
        return 404, {"message": f"no such thing: {method} {path}"}

    def add(self, text):
        self.comments.append(["gpup", text])
        return 201, {}

    def change(self, number, text):
        assert self.comments[int(number)][0] == "gpup", "a comment of somebody else was changed"
        self.comments[int(number)][1] = text
        return 200, {}

    def archive(self, build):
        made = self.builds[int(build)][2]
        return (200, made) if made else (404, {})

    def github(self):
        repository = "/repos/contoso/gpu-hosts"
        pull = {"number": 7, "merged_at": self.merged and "2026-11-26T08:00:00Z", "head": {"sha": self.head}}
        unmerged = {"number": 6, "merged_at": None, "head": {"sha": "0" * 40}}
        artifacts = [
            {"name": f"gpup-plan-{head}", "created_at": f"2026-11-26T0{i}:00:00Z", "expired": False,
             "workflow_run": {"head_sha": head}, "archive_download_url": f"{self.url}{repository}/actions/artifacts/{i}/zip"}
            for i, (head, _, archive) in enumerate(self.builds) if archive
        ]
        return {
            f"GET {repository}/issues/7/comments": lambda query, body: (
                200, [{"id": i, "body": text} for i, (_, text) in enumerate(self.comments)]),
            f"POST {repository}/issues/7/comments": lambda query, body: self.add(body["body"]),
            f"PATCH {repository}/issues/comments/(.*)": lambda number, query, body: self.change(number, body["body"]),
            f"GET {repository}/commits/(.*)/pulls": lambda commit, query, body: (
                200, [unmerged, pull] if commit == self.merged else []),
            f"GET {repository}/actions/artifacts": lambda query, body: (
                200, {"artifacts": [one for one in artifacts if one["name"] == query["name"]]}),
            f"GET {repository}/actions/artifacts/(.*)/zip": lambda i, query, body: self.archive(i),
        }

    def gitlab(self):
        project = "/api/v4/projects/11"
        return {
            f"GET {project}/merge_requests/7/notes": lambda query, body: (
                200, [{"id": i, "body": text} for i, (_, text) in enumerate(self.comments)]),
            f"POST {project}/merge_requests/7/notes": lambda query, body: self.add(body["body"]),
            f"PUT {project}/merge_requests/7/notes/(.*)": lambda number, query, body: self.change(number, body["body"]),
            f"GET {project}/repository/commits/(.*)/merge_requests": lambda commit, query, body: (
                200, [{"iid": 6, "state": "closed"}, {"iid": 7, "state": "merged"}] if commit == self.merged else []),
            f"GET {project}/merge_requests/7/pipelines": lambda query, body: (
                200, [{"id": i, "source": "merge_request_event"} for i in reversed(range(len(self.builds)))]),
            f"GET {project}/pipelines/(.*)/jobs": lambda i, query, body: (
                200, [{"id": 99, "name": "lint", "status": "success"},
                      {"id": int(i), "name": "gpup-plan", "status": "success" if self.builds[int(i)][1] else "failed"}]),
            f"GET {project}/jobs/(.*)/artifacts": lambda i, query, body: self.archive(i),
        }

    def azure(self):
        project = "/contoso/p-1/_apis"
        threads = f"{project}/git/repositories/r-1/pullRequests/7/threads"

        def builds(query, body):
            assert query["definitions"] == "3" and query["branchName"] == "refs/pull/7/merge" and query["$top"] == "1"
            newest = [{"id": i, "result": "succeeded" if good else "failed"} for i, (_, good, _) in enumerate(self.builds)]
            return 200, {"value": newest[-1:]}

        return {
            f"GET {threads}": lambda query, body: (
                200, {"value": [{"id": i, "comments": [{"id": 1, "content": text}]}
                                for i, (_, text) in enumerate(self.comments)] + [{"id": 98, "comments": []}]}),
            f"POST {threads}": lambda query, body: self.add(body["comments"][0]["content"]),
            f"PATCH {threads}/(.*)/comments/1": lambda number, query, body: self.change(number, body["content"]),
            f"POST {project}/git/repositories/r-1/pullrequestquery": lambda query, body: (
                200, {"results": [{self.merged: [{"pullRequestId": 7, "status": "completed"}]}
                                  if body["queries"][0] == {"type": "lastMergeCommit", "items": [self.merged]} else {}]}),
            f"GET {project}/build/builds": builds,
            f"GET {project}/build/builds/(.*)/artifacts": lambda i, query, body: (
                (200, {"resource": {"downloadUrl": f"{self.url}{project}/artifacts/{i}?format=zip"}})
                if self.builds[int(i)][2] else (404, {})),
            f"GET {project}/artifacts/(.*)": lambda i, query, body: self.archive(i),
        }

    def jenkins(self):
        def newest(query, body):
            good = [archive for _, succeeded, archive in self.builds if succeeded]
            return (200, good[-1]) if good else (404, {})

        return {
            **self.github(),
            r"GET /jenkins/job/gpu%20team/job/gpu-hosts/job/PR-7/lastSuccessfulBuild/artifact/gpup-plan/\*zip\*/gpup-plan.zip": newest,
        }

    def environment(self, event):
        """What the platform tells every step."""
        commit = {"pull": self.head, "merge": self.merged or "f" * 40, "night": "e" * 40}[event]
        ref = "refs/pull/7/merge" if event == "pull" else "refs/heads/main"
        return {
            "github": {"GITHUB_ACTIONS": "true", "GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": "contoso/gpu-hosts",
                       "GITHUB_SHA": commit, "GITHUB_REF": ref},
            "gitlab": {"GITLAB_CI": "true", "CI_API_V4_URL": self.url + "/api/v4", "CI_PROJECT_ID": "11",
                       "CI_COMMIT_SHA": commit, "CI_MERGE_REQUEST_IID": "7", "GPUP_GITLAB_TOKEN": TOKEN},
            "azure": {"TF_BUILD": "True", "SYSTEM_COLLECTIONURI": self.url + "/contoso/", "SYSTEM_TEAMPROJECTID": "p-1",
                      "BUILD_REPOSITORY_ID": "r-1", "SYSTEM_DEFINITIONID": "3", "BUILD_SOURCEVERSION": commit,
                      "SYSTEM_PULLREQUEST_PULLREQUESTID": "7"},
            "jenkins": {"JENKINS_URL": self.url + "/jenkins/", "GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": "contoso/gpu-hosts",
                        "GIT_COMMIT": commit, "CHANGE_ID": "7",
                        "JOB_NAME": "gpu team/gpu-hosts/" + ("PR-7" if event == "pull" else "main")},
        }[self.platform]
