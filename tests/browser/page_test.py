#!/usr/bin/env python3
"""HTML answers in a real browser: tests/browser/page_test.py GPUP [FOLDER]. Screenshots go to FOLDER."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import uuid

import devtools

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WIDTHS = (1280, 400)
SCHEMES = ("light", "dark")
MIB = 1024 * 1024

# Where a text is seen that lies upon another, leaves its chip or the page, or is too pale: the rectangles of all texts,
# cut to what clips them. What the browser has not laid out has no rectangles worth a look; it is counted.
LAYOUT = r"""(() => {
  const trouble = [];
  const page = document.scrollingElement;
  if (page.scrollWidth > innerWidth) trouble.push(`the page is ${page.scrollWidth} wide`);
  const texts = [];
  let skipped = 0;
  const light = (colour) => colour.match(/[\d.]+/g).slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
  const paleness = (colour, behind) => Math.min(...behind.map((other) => {
    const [low, high] = [light(colour), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  }));
  const solid = (colour) => colour.startsWith('rgb(');
  const below = (element) => {
    for (; element; element = element.parentElement) {
      const colour = getComputedStyle(element).backgroundColor;
      if (solid(colour)) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const grounds = (element, chip) => {
    if (chip) return [getComputedStyle(chip.querySelector('rect')).fill];
    const svg = element.ownerSVGElement;
    if (!svg) return [below(element)];
    return [below(svg), ...[...svg.querySelectorAll('.k')].map((k) => getComputedStyle(k).fill).filter(solid)];
  };
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode, parent = node.parentElement;
    if (!node.data.trim() || parent.closest('script, style, title, legend, .skip, option')) continue;
    if (!parent.checkVisibility({contentVisibilityAuto: false, opacityProperty: true, visibilityProperty: true})) continue;
    if (!parent.checkVisibility({contentVisibilityAuto: true})) { ++skipped; continue; }
    if (getComputedStyle(parent.closest('thead') || parent).clipPath !== 'none') continue;
    const sticky = parent.closest('.find');
    const chip = parent.closest('svg.c');
    const clip = chip && chip.querySelector('rect').getBoundingClientRect();
    const style = getComputedStyle(parent);
    const seen = paleness(chip || parent.ownerSVGElement ? style.fill : style.color, grounds(parent, chip));
    if (seen < 4.5) trouble.push(`'${node.data.trim().slice(0, 40)}' has a contrast of ${seen.toFixed(2)}`);
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      let {left, right, top, bottom} = box;
      if (clip && right > clip.right + 3) {
        const hit = document.elementFromPoint(clip.right + 3, (top + bottom) / 2);
        if (hit && chip.contains(hit)) trouble.push(`'${node.data.trim().slice(0, 40)}' leaves its chip`);
      }
      const row = parent.closest('.rows > li, .host > details');
      if (row && bottom > row.getBoundingClientRect().bottom + 2) trouble.push(`'${node.data.trim().slice(0, 40)}' is cut`);
      if (clip) { left = Math.max(left, clip.left); right = Math.min(right, clip.right); }
      if (right - left < 1 || bottom - top < 1) continue;
      const text = node.data.trim().slice(0, 40);
      if (left < -1 || right > innerWidth + 1) trouble.push(`'${text}' is out of the page: ${left} to ${right}`);
      if (!sticky) texts.push({left, right, top: top + scrollY, bottom: bottom + scrollY, text, parent});
    }
  }
  texts.sort((a, b) => a.top - b.top);
  for (let i = 0; i < texts.length; ++i) {
    for (let j = i + 1; j < texts.length && texts[j].top < texts[i].bottom; ++j) {
      const a = texts[i], b = texts[j];
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const tall = Math.min(a.bottom, b.bottom) - b.top;
      const lines = Math.min(a.bottom - a.top, b.bottom - b.top);
      if (wide > 2 && tall > lines * 0.45) trouble.push(`'${a.text}' lies upon '${b.text}'`);
    }
  }
  return {texts: texts.length, skipped, trouble: trouble.slice(0, 10)};
})()"""

# Milliseconds from a key until the page has been laid out anew, and until it was drawn.
SEARCH = r"""(async (words) => {
  const query = document.getElementById('query');
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
  const times = [];
  for (const word of words) {
    await frame();
    const from = performance.now();
    query.value = word;
    query.dispatchEvent(new Event('input', {bubbles: true}));
    document.body.getBoundingClientRect();
    const laidOut = performance.now() - from;
    await frame();
    times.push([laidOut, performance.now() - from]);
  }
  return times;
})"""

SHOWN = "[...document.querySelectorAll('.rows > li')].filter((row) => !row.hidden && !row.closest('.host').hidden).length"

failures = []


def check(right, words):
    if not right:
        failures.append(words)
        print("FAILED:", words, flush=True)


def gpu(number, count, model="NVIDIA A2", vram=15918030848):
    return {"name": rf"\\?\PCI#VEN_10DE&DEV_25B6&SUBSYS_157E10DE&REV_A1#4&{number:08x}&0&0000"
                    "#{064092b3-625e-43bf-9eb5-dc845897dd59}",
            "model": model, "device": "10de:25b6", "subsystem": "157e10de", "status": "partitioned",
            "validPartitionCounts": [16, 8, 4, 2, 1], "partitionCount": count, "totalVram": vram, "availableVram": vram,
            "partitionVram": vram // count // MIB * MIB, "partitionEncode": 1, "partitionDecode": 1,
            "partitionCompute": 1}


def identity(*words):
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, words))))


def vm(name, number, on=None, state="Running", clustered=False):
    return {"name": name, "id": identity("vm", number), "state": state, "clustered": clustered, "generation": 2,
            "offlineAction": "force-shutdown" if clustered else None,
            "partitions": [] if on is None else [{"id": identity("adapter", number), "gpu": on["name"],
                                                  "partitionId": None, "vram": None}]}


def host(name, gpus, vms):
    return {"name": name, "build": 26100, "edition": "datacenter", "reachable": True, "gpus": gpus, "vms": vms}


def write_world(folder, hosts, desired):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lab.json"), "w", encoding="utf-8") as file:
        json.dump({"apiVersion": "gpup/v1", "kind": "Snapshot", "takenAt": "2026-11-22T08:41:00Z", "cluster": None,
                   "hosts": hosts}, file)
    with open(os.path.join(folder, "desired.yaml"), "w", encoding="utf-8") as file:
        json.dump(desired, file, ensure_ascii=False)  # JSON is YAML, and quotes any name; YAML has no pairs of \u


def desired(hosts, count, assignments):
    return {"apiVersion": "gpup/v1", "kind": "GpuPartitioning", "metadata": {"name": "pool"},
            "hosts": [{"name": name, "connect": {"transport": "simulated", "file": "lab.json"}} for name in hosts],
            "gpus": [{"model": "NVIDIA A2", "partitionCount": count}], "assignments": assignments,
            "policy": {"homogeneous": "warn"}}


class World:
    """A folder with files and a lab, and gpup in it."""

    def __init__(self, gpup, folder):
        self.gpup = gpup
        self.folder = folder

    def run(self, *words, codes=(0,)):
        env = {**os.environ, "XDG_STATE_HOME": os.path.join(self.folder, "state"), "NO_COLOR": "1"}
        done = subprocess.run([self.gpup, *words], cwd=self.folder, capture_output=True, env=env, check=False,
                              stdin=subprocess.DEVNULL)
        check(done.returncode in codes, f"gpup {' '.join(words)}: exit code {done.returncode}: {done.stderr[-500:]}")
        return done.stdout

    def html(self, name, *words, codes=(0,)):
        path = os.path.join(self.folder, name + ".html")
        with open(path, "wb") as file:
            file.write(self.run(*words, "-o", "html", codes=codes))
        return path

    def edit(self, change):
        path = os.path.join(self.folder, "lab.json")
        with open(path, encoding="utf-8") as file:
            lab = json.load(file)
        change(lab)
        with open(path, "w", encoding="utf-8") as file:
            json.dump(lab, file)


def example(gpup, room, name):
    folder = os.path.join(room, name)
    shutil.copytree(os.path.join(TOP, "examples", name), folder)
    return World(gpup, folder)


class Looks:
    """Pages at each width and in each scheme: nothing overflows, overlaps, complains or leaves."""

    def __init__(self, browser, shots):
        self.browser = browser
        self.shots = shots

    def quiet(self, page, name):
        check(page.complaints() == [], f"{name}: on the console: {page.complaints()[:3]}")
        check(page.requests() == [], f"{name}: it asks for {page.requests()[:3]}")

    def laid_out(self, page, name):
        page.see_all()
        layout = page.do(LAYOUT)
        check(layout["skipped"] == 0, f"{name}: {layout['skipped']} texts were never laid out")
        check(layout["texts"] > 10, f"{name}: only {layout['texts']} texts are seen")
        check(layout["trouble"] == [], f"{name}: {layout['trouble']}")

    def everywhere(self, path, name, unfold=False, media="screen"):
        for width in WIDTHS:
            for scheme in SCHEMES:
                title = f"{name}-{width}-{scheme}"
                page = devtools.Page(self.browser, path, width, scheme, media)
                if unfold:
                    page.do("document.getElementById('unfold').click()")
                    check(page.do("document.querySelectorAll('main details:not([open])').length") == 0,
                          f"{title}: something stays folded")
                self.laid_out(page, title)
                page.screenshot(os.path.join(self.shots, title + ".png"))
                self.quiet(page, title)
                page.close()


def test_examples(gpup, room, looks):
    """Plan, drift and report of the two nodes, and a run in which a step fails."""
    world = example(gpup, room, "two-node-cluster")
    plan = world.html("plan", "plan", "-f", "desired.yaml")
    looks.everywhere(plan, "plan")
    looks.everywhere(plan, "plan-unfolded", unfold=True)
    world.run("plan", "-f", "desired.yaml", "--out", "saved.plan")
    looks.everywhere(world.html("show", "show", "saved.plan"), "show")
    looks.everywhere(world.html("drift", "drift", "-f", "desired.yaml", codes=(2,)), "drift")

    def fail(lab):
        lab["hosts"][0]["simulate"] = {"faults": [{"op": "assign-partition", "kind": "fail", "message": "the GPU has fallen off the bus"}]}

    world.edit(fail)
    looks.everywhere(world.html("apply", "apply", "saved.plan", codes=(7,)), "apply-failed")
    done = example(gpup, room, "vdi-pool")
    looks.everywhere(done.html("plan", "plan", "-f", "desired.yaml"), "pool-plan")
    looks.everywhere(done.html("apply", "apply", "-f", "desired.yaml", "--yes"), "apply")
    looks.everywhere(done.html("drift", "drift", "-f", "desired.yaml"), "in-sync")


# What each of these does to the page of a plan, and what has to be said of it.
BROKEN = {
    "a row too low": ("document.querySelector('.rows > li').style.height = '12px'", "is cut"),
    "a paragraph pulled up": ("document.querySelector('.summary').style.marginTop = '-1.6em'", "lies upon"),
    "a chip on another": ("{ const c = document.querySelectorAll('.pic')[1].querySelectorAll('.c');"
                          " c[1].setAttribute('x', +c[0].getAttribute('x') + 8); c[1].setAttribute('y', c[0].getAttribute('y')); }",
                          "lies upon"),
    "a chip that does not cut": ("{ const c = document.querySelector('.c'); c.style.clipPath = 'none';"
                                 " c.querySelector('text').lastChild.data = 'W'.repeat(19); }", "leaves its chip"),
    "a line that cannot be broken": ("document.querySelector('.verdict').style.whiteSpace = 'nowrap';"
                                     "document.querySelector('.verdict').append(' and so on'.repeat(20))", "out of the page"),
    "a table too wide": ("document.querySelector('table').style.width = '110vw'", "the page is"),
    "a pale word": ("document.querySelector('.summary').style.color = '#8a8a8a'", "has a contrast"),
    "a pale chip": ("document.querySelector('.c text').style.fill = '#b45309'", "has a contrast"),
}


def test_check(gpup, room, looks):
    """The check of the layout says nothing of a sound page, and finds each thing that is broken in it."""
    world = example(gpup, room, "two-node-cluster")
    path = world.html("check", "plan", "-f", "desired.yaml")
    for width in WIDTHS:
        page = devtools.Page(looks.browser, path, width)
        page.see_all()
        layout = page.do(LAYOUT)
        check(layout["trouble"] == [] and layout["skipped"] == 0, f"check: of a sound page: {layout}")
        page.close()
    for i, (name, (script, words)) in enumerate(BROKEN.items()):
        page = devtools.Page(looks.browser, path, WIDTHS[i % len(WIDTHS)])
        page.do(script)
        page.see_all()
        trouble = page.do(LAYOUT)["trouble"]
        check(any(words in line for line in trouble), f"check: {name} is not found: {trouble}")
        page.close()


def test_use(gpup, room, looks):
    """Searched, filtered, unfolded, followed by a link, with keys alone."""
    world = example(gpup, room, "vdi-pool")
    page = devtools.Page(looks.browser, world.html("use", "plan", "-f", "desired.yaml"))
    rows = page.do(SHOWN)
    check(rows > 3, f"use: {rows} rows")
    type_in = "((words) => {{ const q = document.getElementById('query'); q.value = words;" \
              " q.dispatchEvent(new Event('input', {{bubbles: true}})); }})({})"
    name = page.do("document.querySelector('.rows > li[id] bdi').textContent")
    page.do(type_in.format(json.dumps(name)))
    check(page.do(SHOWN) == 1, f"use: searching '{name}' shows {page.do(SHOWN)} rows")
    check(page.do("document.getElementById('found').textContent") == f"1 of {rows} shown", "use: how many are shown")
    page.do(type_in.format("'no such machine'"))
    check(page.do(SHOWN) == 0 and not page.do("document.getElementById('nothing').hidden"), "use: nothing fits")
    page.do(type_in.format("''"))
    check(page.do(SHOWN) == rows, "use: all is shown again")
    kinds = page.do("[...document.querySelectorAll('[name=kind]')].map((radio) => radio.value)")
    check("restarts" in kinds, f"use: kinds are {kinds}")
    for kind in kinds[1:]:
        page.do(f"document.querySelector('[name=kind][value={kind}]').click()")
        check(page.do(SHOWN) == page.do(f"document.querySelectorAll('.rows > li.{kind}').length") > 0, f"use: {kind}")
    page.do("document.querySelector('[name=kind]').click()")
    page.do("document.querySelector('.down a').click()")
    check(page.do("new Promise((done) => setTimeout(() => done(document.querySelector(location.hash)"
                  ".querySelector('details').open), 100))"), "use: a link unfolds its row")
    page.do("document.activeElement.blur()")
    for key, code, text in (("/", 191, "/"),):
        page.send("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, text=text)
        page.send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)
    check(page.do("document.activeElement.id") == "query" and page.do("document.activeElement.value") == "",
          "use: / goes to the search")
    # Whoever does not see the page: one main part, headings without gaps, names for pictures, fields and tables.
    check(page.do("['header', 'main', 'footer', 'h1'].every((e) => document.querySelectorAll(e).length === 1)"),
          "use: landmarks")
    check(page.do("[...document.querySelectorAll('h1, h2, h3, h4')].every((h, i, all) => i === 0 ||"
                  " h.tagName[1] - all[i - 1].tagName[1] <= 1)"), "use: headings leave a level out")
    check(page.do("[...document.querySelectorAll('svg:not(.c)')].every((s) => s.getAttribute('aria-hidden') === 'true'"
                  " || s.getAttribute('aria-label'))"), "use: a picture without a name")
    check(page.do("[...document.querySelectorAll('table')].every((t) => t.caption && t.caption.textContent)"),
          "use: a table without a caption")
    tree = page.send("Accessibility.getFullAXTree")["nodes"]
    roles = {node.get("role", {}).get("value") for node in tree}
    for role in ("banner", "main", "contentinfo", "search", "searchbox", "heading", "table", "figure", "list"):
        check(role in roles, f"use: nothing is a {role} to a screen reader")
    looks.quiet(page, "use")
    page.close()


def test_paper(gpup, room, looks):
    """On paper everything is unfolded, and the search is not there."""
    world = example(gpup, room, "two-node-cluster")
    path = world.html("paper", "plan", "-f", "desired.yaml")
    page = devtools.Page(looks.browser, path, 800, "dark", "print")
    check(page.do("getComputedStyle(document.querySelector('.find')).display") == "none", "paper: the search is printed")
    check(page.do("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)",
          "paper: it is not white")
    looks.laid_out(page, "paper")
    page.screenshot(os.path.join(looks.shots, "paper.png"))
    pdf = page.send("Page.printToPDF", printBackground=True)["data"]
    check(len(pdf) > 10_000, "paper: nothing is printed")
    looks.quiet(page, "paper")
    page.close()


def shown(name):
    """A name as pages have it: what joins characters without being seen is spelled out."""
    return name.replace("\u200d", "\\u{200d}")


HOSTILE = [
    "<script>window.pwned=1</script>", "\"><img src=x onerror=window.pwned=1>", "' onmouseover='window.pwned=1",
    "</title><script>window.pwned=1</script>", "</style><script>window.pwned=1</script>", "</svg><svg onload=pwned=1>",
    "</text><foreignObject><b>x</b>", "<!--", "-->", "]]>", "&lt;b&gt;&amp;", "&#60;b&#62;", "javascript:window.pwned=1",
    "{{7*7}}", "${window.pwned=1}", "`window.pwned=1`", "<a href=https://example.invalid>x</a>",
    "<link rel=stylesheet href=https://example.invalid/x.css>", "<base href=https://example.invalid>",
    "<meta http-equiv=refresh content=0;url=https://example.invalid>", "<style>*{display:none}</style>",
    "url(https://example.invalid/x)", "::error::x", "##vso[task.complete]x", "##[group]x", "a  b   c", " lead", "trail ",
    "\u4e2d\u6587\u4e3b\u6a5f", "\u05d0\u05d1\u05d2 x", "W" * 90, "\U0001f468\u200d\U0001f469", "caf\u00e9", "cafe\u0301",
    "a\\b", "\\", "%00", "\u00a0", "<", ">", "\"", "'", "`", "&", "#", "null", "__proto__", "constructor",
]


def test_hostile_names(gpup, room, looks):
    """Names show as they are, and nothing in them runs, in each answer."""
    names = list(dict.fromkeys(HOSTILE))
    card = [gpu(n, 16, model="NVIDIA A2") for n in range(4)]
    vms = [vm(name, n, card[n // 16]) for n, name in enumerate(names)]
    folder = os.path.join(room, "hostile")
    write_world(folder, [host("hv-1", card, vms)],
                {**desired(["hv-1"], 16, [{"vm": name, "power": "off"} for name in names[:-1]]),
                 "metadata": {"name": "<script>window.pwned=1</script>"}})
    world = World(gpup, folder)
    world.run("plan", "-f", "desired.yaml", "--out", "saved.plan")
    pages = {"plan": world.html("plan", "plan", "-f", "desired.yaml"), "show": world.html("show", "show", "saved.plan"),
             "drift": world.html("drift", "drift", "-f", "desired.yaml", codes=(2,)),
             "apply": world.html("apply", "apply", "saved.plan")}
    for name, path in pages.items():
        with open(path, "rb") as file:
            text = file.read()
        check(b"##vso[" not in text and b"##[" not in text and b"::error" not in text, f"{name}: commands to a log")
        for width in WIDTHS:
            page = devtools.Page(looks.browser, path, width)
            page.do("document.getElementById('unfold').click()")
            if name == "drift":
                seen = page.do("[...document.querySelectorAll('.rows bdi')].map((b) => b.textContent)")
                seen = [words.removeprefix("VM ") for words in seen]
            else:
                seen = page.do("[...document.querySelectorAll('.rows li[id] summary bdi')].map((b) => b.textContent)")
            missing = [known for known in names if shown(known) not in seen]
            check(missing == [], f"hostile {name}: not shown as they are: {missing}")
            titles = page.do("[...document.querySelectorAll('.pic title')].map((t) => t.textContent)")
            missing = [known for known in names if not any(title.startswith(shown(known) + ", ") for title in titles)]
            check(missing == [], f"hostile {name}: not in the picture: {missing}")
            check(page.do("typeof window.pwned") == "undefined", f"hostile {name}: something ran")
            check(page.do("document.querySelectorAll('script').length === 1 && document.querySelectorAll('style').length"
                          " === 1 && !document.querySelector('img, link, iframe, object, base, foreignObject') &&"
                          " document.title.startsWith('gpup')"), f"hostile {name}: an element broke out")
            check(page.do("[...document.querySelectorAll('*')].every((e) => [...e.attributes].every((a) =>"
                          " !a.name.startsWith('on') && a.name !== 'style'))"), f"hostile {name}: an attribute broke out")
            check(page.do("[...document.querySelectorAll('a')].every((a) => a.getAttribute('href').startsWith('#'))"),
                  f"hostile {name}: a link broke out")
            page.do(f"document.getElementById('query').value = {json.dumps(names[0])};"
                    "document.getElementById('query').dispatchEvent(new Event('input'))")
            looks.laid_out(page, f"hostile-{name}-{width}")
            page.do("document.getElementById('query').value = '';"
                    "document.getElementById('query').dispatchEvent(new Event('input'))")
            page.screenshot(os.path.join(looks.shots, f"hostile-{name}-{width}.png"))
            looks.quiet(page, f"hostile {name}")
            page.close()


def test_policy(gpup, room, looks):
    """The policy is the page's own: with it a script or style that somebody slips in does nothing."""
    world = example(gpup, room, "single-host")
    path = world.html("policy", "plan", "-f", "desired.yaml")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    check("unsafe" not in text.partition("<title>")[0], "policy: it allows something unsafe")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace("<footer>", "<script>window.pwned=1</script><img src=https://example.invalid/x.png>"
                                            "<style>body{display:none}</style><footer onclick=window.pwned=1>"))
    page = devtools.Page(looks.browser, path)
    check(page.do("typeof window.pwned") == "undefined", "policy: a foreign script runs")
    check(page.do("getComputedStyle(document.body).display") != "none", "policy: a foreign style counts")
    check(len(page.complaints()) >= 3, "policy: the browser does not tell what it refused")
    page.close()


def test_thousand(gpup, room, looks):
    """1,000 VMs: small enough, and search answers within a frame or two."""
    hosts = []
    for h in range(32):
        cards = [gpu(h * 4 + n, 8) for n in range(4)]
        vms = [vm(f"vdi-{n:04d}", n, cards[n % 32 // 8]) for n in range(h * 32, min(h * 32 + 32, 1000))]
        hosts.append(host(f"hv-{h:02d}", cards, vms))
    world = World(gpup, os.path.join(room, "thousand"))
    write_world(world.folder, hosts, desired([one["name"] for one in hosts], 16,
                                             [{"vm": one["name"]} for at in hosts for one in at["vms"]]))
    path = world.html("plan", "plan", "-f", "desired.yaml")
    total = sum(len(one["vms"]) for one in hosts)
    size = os.path.getsize(path)
    print(f"{total} VMs, all of them restart: {size / MIB:.2f} MiB", flush=True)
    check(size < 1.5 * MIB, f"thousand: {size} bytes")
    page = devtools.Page(looks.browser, path)
    words = ["v", "vd", "vdi", "vdi-", "vdi-0", "vdi-05", "vdi-053", "vdi-05", "", "hv-07", "stop", "0", "99", "nothing", ""]
    times = page.do(SEARCH + f"({json.dumps(words * 3)})")
    laid_out = statistics.median(time[0] for time in times)
    drawn = statistics.median(time[1] for time in times)
    worst = max(time[1] for time in times)
    print(f"search in {total} VMs: laid out in {laid_out:.1f} ms, drawn in {drawn:.1f} ms (median of {len(times)}), "
          f"the worst {worst:.1f} ms", flush=True)
    check(drawn < 100, f"search takes {drawn:.1f} ms")  # a frame or two where nothing else runs; here something may
    unfolded = "document.querySelectorAll('.host:not([hidden]) > details[open]').length"
    for word, shown_rows, hosts_open in (("vdi-0531", 1, 1), ("hv-07", 36, 1), ("vdi", total, 5), ("", total + 128, 0)):
        page.do(SEARCH + f"({json.dumps([word])})")
        check(page.do(SHOWN) == shown_rows and page.do(unfolded) == hosts_open,
              f"thousand: '{word}' shows {page.do(SHOWN)} rows, {page.do(unfolded)} hosts unfolded")
    page.screenshot(os.path.join(looks.shots, "thousand-1280-light.png"))
    looks.quiet(page, "thousand")
    page.close()
    page = devtools.Page(looks.browser, path, 400, "dark")
    page.do("document.getElementById('query').value = 'vdi-053';"
            "document.getElementById('query').dispatchEvent(new Event('input'))")
    looks.laid_out(page, "thousand-400-dark")
    page.screenshot(os.path.join(looks.shots, "thousand-400-dark.png"))
    looks.quiet(page, "thousand, narrow")
    page.close()


def main():
    gpup = os.path.abspath(sys.argv[1])
    shots = os.path.abspath(sys.argv[2] if len(sys.argv) > 2 else "screenshots")
    if devtools.program() is None:
        print("SKIPPED: chromium is not installed")
        return 0
    os.makedirs(shots, exist_ok=True)
    only = sys.argv[3:]
    with tempfile.TemporaryDirectory(prefix="gpup-pages-") as room:
        browser = devtools.Browser()
        try:
            for name, test in list(globals().items()):
                if name.startswith("test_") and (not only or name.removeprefix("test_") in only):
                    print(name.removeprefix("test_").replace("_", " "), flush=True)
                    test(gpup, os.path.join(room, name), Looks(browser, shots))
        finally:
            browser.close()
    print("ok" if not failures else f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
