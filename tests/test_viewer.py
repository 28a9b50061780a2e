"""The viewer as it answers: who may ask, what may run, what stands on its pages, and that it only reads."""

from __future__ import annotations

import base64
import hashlib
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from viewer_log import HOSTILE, LAKE, make_log, run_ids, served

from society import open_log
from society.core.exact import show
from society.instruments import INSTRUMENTS
from society.views.settings import rule_words
from society.views.web import losses
from society.views.web.marked import marked, parted
from society.views.web.one_file import one_file
from society.views.web.runs_table import Asked, runs_page


@pytest.fixture(scope="module")
def log_file(tmp_path_factory):
    return make_log(tmp_path_factory.mktemp("log"))


@pytest.fixture(scope="module")
def asker(log_file):
    with served(log_file) as made:
        yield made


@pytest.fixture(scope="module")
def runs(log_file):
    return run_ids(log_file)


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and the text beside them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def addresses(run):
    run = f"/run/{quote(run)}"
    return [run, f"{run}/round/1", f"{run}/calls/1/0/act", f"{run}/seen/1/0", f"{run}/alignment", f"{run}/coalitions", f"{run}/part/head"]  # fmt: skip


# Who may ask


def test_the_token_is_changed_for_a_cookie_and_leaves_the_address(asker):
    answer = asker.raw(f"/?q=lake&token={asker.token}")
    assert answer.status == 303
    assert answer.headers["location"] == "/?q=lake"
    cookie = answer.headers["set-cookie"]
    assert asker.token not in cookie
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie


@pytest.mark.parametrize("path", ["/", "/run/x", "/static/viewer.js", "/nothing", "/?token=wrong", "/?token="])
def test_without_the_token_nothing_is_told(asker, path):
    answer = asker.raw(path)
    assert answer.status == 403
    assert "lake" not in answer.text


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example:PORT", "localhost.evil.example:PORT", "127.0.0.1:1", "127.0.0.1", "[::1", ""],
)  # fmt: skip
def test_a_foreign_host_is_refused(asker, host):
    asker.get("/")
    headers = [("Host", host.replace("PORT", str(asker.port))), ("Cookie", asker.cookie)]
    assert asker.raw("/", headers=headers).status in (400, 421)


def test_no_host_and_two_hosts_are_refused(asker):
    asker.get("/")
    cookie, own = ("Cookie", asker.cookie), ("Host", f"127.0.0.1:{asker.port}")
    assert asker.raw("/", headers=[cookie]).status == 400
    assert asker.raw("/", headers=[own, ("Host", "evil.example"), cookie]).status == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(asker, method):
    asker.get("/")
    headers = [("Host", f"127.0.0.1:{asker.port}"), ("Cookie", asker.cookie), ("Content-Length", "0")]
    assert asker.raw("/", method=method, headers=headers).status == 405


def test_another_page_gets_nothing(asker):
    assert asker.get("/", Origin="http://evil.example").status == 403
    assert asker.get("/", Origin="null").status == 403
    assert asker.get("/", **{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}).status == 403
    assert asker.get("/", Origin=asker.origin).status == 200
    assert "access-control-allow-origin" not in asker.get("/").headers


# What may run


def test_every_answer_has_a_strict_policy(asker, runs):
    for path in ["/", "/nothing", "/?sort=nothing", "/static/viewer.css", *addresses(runs[0])]:
        headers = asker.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy, path
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cache-control"] == "no-store"


def test_no_page_has_script_or_style_within_it_or_asks_another_machine(asker, runs):
    compare = f"/compare?run={quote(runs[0])}&run={quote(runs[1])}"
    for path in ["/", compare, *(path for run in runs for path in addresses(run))]:
        answer = asker.get(path)
        assert answer.status == 200, path
        for tag, given in Tags(answer.text).tags:
            assert not [name for name in given if name.startswith("on")], path
            assert "style" not in given and tag not in ("style", "iframe", "object", "embed", "base"), path
            assert tag != "script" or given.get("src") == "/static/viewer.js", path
            for name in ("src", "href", "action", "data-from", "data-part", "data-live"):
                assert not re.match(r"[a-z]+:|//", given.get(name) or ""), (path, given)


@pytest.mark.parametrize(
    "path",
    ["/../society.db", "/society.db", "/.env", "/static/../app.py", "/static/%2e%2e%2fapp.py", "/static/%2e%2e/app.py",
     "/run/..%2f..%2fetc%2fpasswd", "/etc/passwd", "/run/x", "/run/x/calls/1/0/act", "/compare/1"],
)  # fmt: skip
def test_there_is_nothing_but_the_pages(asker, path):
    answer = asker.get(path)
    assert answer.status == 404
    assert "SQLite format" not in answer.text and "import" not in answer.text


@pytest.mark.parametrize(
    "question",
    ["page=-1", "page=0", "page=1e99", "page=NaN", "sort=id;DROP TABLE run", "sort=r.id--", "order=sideways", "status=x",
     "q=%ff", "q=a&q=b", "unknown=1", "q=" + "x" * 500, "page=99999999999999999999"],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_refused(asker, question):
    assert asker.get(f"/?{question.replace(' ', '%20')}").status == 400


@pytest.mark.parametrize("words", ["'; DROP TABLE run; --", "%", "_", "\\", "<script>alert(1)</script>", "' OR 1=1 --"])
def test_words_are_searched_as_they_stand(asker, words):
    answer = asker.get(f"/?q={quote(words)}")
    assert answer.status == 200
    assert "No runs fit" in answer.text
    assert "<script>alert" not in answer.text


def test_looking_changes_nothing(tmp_path):
    file = make_log(tmp_path)
    runs = run_ids(file)
    before = hashlib.sha256(file.read_bytes()).hexdigest()
    with served(file) as asker:
        for path in ["/", *(path for run in runs for path in addresses(run))]:
            assert asker.get(path).status == 200, path
    assert hashlib.sha256(file.read_bytes()).hexdigest() == before


def test_a_long_header_is_refused_and_the_server_goes_on(asker):
    asker.get("/")
    headers = [("Host", f"127.0.0.1:{asker.port}"), ("Cookie", asker.cookie), ("X-Long", "a" * 200_000)]
    with suppress(OSError):  # the server may hang up while the header is still being sent
        assert asker.raw("/", headers=headers).status >= 400
    assert asker.get("/").status == 200


def test_many_slow_sockets_do_not_stop_it(asker):
    asker.get("/")
    slow = []
    try:
        for _ in range(200):
            slow.append(socket.create_connection(("127.0.0.1", asker.port), timeout=10))
            slow[-1].sendall(b"GET / HTTP/1.1\r\nHost: 127.0")
        assert asker.get("/").status == 200
    finally:
        for one in slow:
            one.close()


# What stands there


def test_an_alignment_that_the_log_contradicts_is_explained_where_it_would_stand(asker, runs):
    answer = asker.get(f"/run/{runs[2]}/alignment")
    assert "It cannot be worked out" in answer.text and "the rules" in answer.text


def test_the_table_is_filtered_and_sorted_by_the_log(asker, log_file, runs):
    assert asker.get("/?q=lake-of-three").text.count('class="open"') == 2
    assert asker.get("/?scenario=lake").text.count('class="open"') == 2
    assert asker.get("/?model=mock:liar").text.count('class="open"') == 1
    assert asker.get("/?status=failed").text.count('class="open"') == 0
    with open_log(log_file) as log:
        found = log.sql("SELECT run_id, value FROM metric WHERE name = 'total_welfare' AND NOT without_defaulted")
        welfare = dict(found.values)
        up = [row.id for row in runs_page(log, Asked(sort="total_welfare", down=False)).rows]
    measured = [run for run in up if run in welfare]
    assert len(measured) == 2
    assert measured == sorted(measured, key=lambda run: welfare[run])
    assert up[:2] == measured, "runs without the number come last"


def test_ten_thousand_runs_are_a_page_like_any_other(tmp_path):
    file = make_log(tmp_path)
    run = run_ids(file)[0]

    with sqlite3.connect(file) as database:
        columns = [row[1] for row in database.execute("PRAGMA table_info(run)")]
        others = ", ".join(name if name != "id" else "id || '-' || n" for name in columns)
        count = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 10000)"
        database.execute(
            f"INSERT INTO run ({', '.join(columns)}) {count} SELECT {others} FROM run, c WHERE id = ?", [run]
        )
        metric = [row[1] for row in database.execute("PRAGMA table_info(metric)")]
        others = ", ".join("m." + name if name != "run_id" else "m.run_id || '-' || n" for name in metric)
        database.execute(
            f"INSERT INTO metric ({', '.join(metric)}) {count} SELECT {others} FROM metric AS m, c WHERE m.run_id = ?",
            [run],
        )
    with open_log(file) as log:
        spent = []
        for asked in (Asked(), Asked(sort="gini"), Asked(words="lake", scenario="lake-of-three", page=150)):
            start = time.process_time()
            found = runs_page(log, asked)
            spent.append(time.process_time() - start)
            assert found.found >= 10_000 and len(found.rows) == 50
        assert min(spent) < 0.2


def test_a_run_tells_who_said_meant_did_and_got_what(asker, runs):
    page = asker.get(f"/run/{runs[0]}").text
    words = " ".join(Tags(page).words)
    for expected in ("Three fishers and a watched quota.", "My fair share is", "did otherwise than meant", "broken by"):  # fmt: skip
        assert expected in words, expected
    made_by_hand = asker.get(f"/run/{runs[2]}").text
    for expected in ("privately to", "Just us two?", "repaired", "retried", "defaulted", "counts as abstain", "clipped", "agreement pact"):  # fmt: skip
        assert expected in made_by_hand, expected


def test_prompts_and_raw_answers_are_one_click_away(asker, runs):
    page = Tags(asker.get(f"/run/{runs[2]}").text)
    links = [given["href"] for tag, given in page.tags if tag == "a" and given.get("class") == "calls"]
    assert f"/run/{quote(runs[2], safe='')}/calls/1/2/act" in links
    calls = asker.get(links[links.index(f"/run/{quote(runs[2], safe='')}/calls/1/2/act")]).text
    assert "You are Cy." in calls and "asked again (1)" in calls and "That was no JSON." in calls
    assert "\\xff" in calls, "the raw bytes are shown as they came"


def test_as_an_agent_saw_it_shows_nothing_that_it_could_not_know(asker, runs):
    run = f"/run/{runs[2]}"
    ann, ben, cy = (asker.get(f"{run}/seen/2/{seat}").text for seat in range(3))
    assert "Just us two?" in ann and "Just us two?" in ben and "Just us two?" not in cy
    assert "fish for years" in ann and "fish for years" not in ben, "what was stated in private"
    assert "Let us take 5 each." in cy
    first = asker.get(f"{run}/seen/1/2").text
    assert "stock 100" not in first.split("What it had seen")[1], "what the round came to is not known before it"


def test_what_takes_minutes_is_worked_out_when_it_is_asked_for(log_file, runs, monkeypatch):
    monkeypatch.setattr(losses, "MOST_AT_ONCE", 0)
    with served(log_file) as asker:  # with nothing worked out yet
        alignment, together = f"/run/{runs[0]}/alignment", f"/run/{runs[0]}/coalitions"
        for path in (alignment, together):
            assert "takes minutes" in asker.get(path).text
        assert "By each agent's own goal" in "".join(Tags(asker.get(f"{alignment}?now=1").text).words)
        assert "Four notions of a coalition" in asker.get(f"{together}?now=1").text
        assert "takes minutes" not in asker.get(alignment).text, "it is kept"
        with open_log(log_file) as log:
            page = one_file(log, runs[1])
        assert "It is not in this file" in page


def test_two_runs_stand_side_by_side(asker, runs):
    page = asker.get(f"/compare?run={runs[0]}&run={runs[1]}").text
    words = " ".join(Tags(page).words)
    assert "mock:liar" in words and "mock:sustainable" in words
    assert "total welfare" in words and "Where the settings differ" in words
    for wrong in ("", f"run={runs[0]}", f"run={runs[0]}&run={runs[0]}&run={runs[1]}", f"a={runs[0]}&b={runs[1]}"):
        assert asker.get(f"/compare?{wrong}").status == 400
    assert asker.get(f"/compare?run={runs[0]}&run=x").status == 404


# Words of agents


def test_what_would_not_be_seen_is_shown():
    shown = str(marked("a\x1b[31m\u202e\u200b\x00<b>é 😀"))
    assert "ESC" in shown and "202E" in shown and "ZWSP" in shown and "NUL" in shown
    assert "&lt;b&gt;" in shown and "é 😀" in shown
    assert "\x1b" not in shown and "\u202e" not in shown


def test_a_million_letters_are_folded():
    head, rest, left = parted("x" * 1_000_000)
    assert len(head) < 2_000
    assert len(head) + len(rest) + left == 1_000_000
    assert parted("short") == ("short", "", 0)


def test_attacks_are_text(asker, runs):
    for path in addresses(runs[3]):
        page = Tags(asker.get(path).text)
        assert not [
            tag for tag, given in page.tags if tag in ("img", "iframe", "form") and given.get("method") != "dialog"
        ]
        assert len([tag for tag, _ in page.tags if tag == "script"]) == 1, path
    words = "".join(Tags(asker.get(f"/run/{runs[3]}").text).words)
    for attack in HOSTILE[:4]:
        assert attack in words, "as it was written"
    assert len(asker.get(f"/run/{runs[3]}").text) < 1_500_000


# One file


def test_one_file_is_complete_in_itself(log_file, runs):
    with open_log(log_file) as log:
        page = one_file(log, runs[0])
    tags = Tags(page)
    assert not [given for tag, given in tags.tags if tag in ("link", "img", "iframe") or given.get("src")]
    hrefs = [given["href"] for tag, given in tags.tags if tag == "a" and "href" in given]
    assert hrefs and all(href.startswith("#") for href in hrefs)
    anchors = {given["id"] for _, given in tags.tags if "id" in given}
    assert {href[1:] for href in hrefs} <= anchors, "every link leads somewhere"
    script = re.search(r"<script>(.*)</script>", page, re.S)[1]
    style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    policy = next(given["content"] for tag, given in tags.tags if given.get("http-equiv"))
    for text in (script, style):
        assert base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() in policy
    assert "default-src 'none'" in policy
    words = "".join(tags.words)
    assert "By each agent's own goal" in words and "Four notions of a coalition" in words
    with open_log(log_file) as log:
        assert len(one_file(log, runs[0], calls=False, analyses=False)) < len(page)


def test_one_file_of_attacks_holds_one_script(log_file, runs):
    with open_log(log_file) as log:
        page = Tags(one_file(log, runs[3]))
    assert len([tag for tag, _ in page.tags if tag == "script"]) == 1
    assert not [tag for tag, _ in page.tags if tag in ("img", "iframe", "object", "base")]


# The command


def test_the_command_serves_until_it_is_interrupted(log_file):
    command = [sys.executable, "-m", "society", "view", "last", "--log", str(log_file), "--port", "0", "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        address = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/run/[^?]+\?token=\S{40,}", address)
        from viewer_log import Asker

        asked = Asker(address)
        assert asked.get("/").status == 200
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors


def test_the_command_says_what_is_wrong(tmp_path, log_file):
    def run(*more):
        command = [sys.executable, "-m", "society", "view", "--no-open", *more]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    missing = run("--log", str(tmp_path / "none.db"))
    assert missing.returncode == 2 and "there is no log at" in missing.stderr
    unknown = run("nobody", "--log", str(log_file))
    assert unknown.returncode == 2 and "no run 'nobody'" in unknown.stderr


def test_a_rule_that_one_run_lacks_is_one_line():
    rule = INSTRUMENTS.parse({"kind": "quota", "amount": 10, "enforcement": "soft", "detection": "1/2"})
    assert rule_words(rule) == "quota: enforcement soft, detection 1/2, amount 10"


def test_a_commons_that_only_looks_sustained_is_said_to_at_the_top_of_its_page(tmp_path):
    from society import load, play_sync

    slow = LAKE.replace("capacity: 60", "capacity: 100").replace(
        "goal: {kind: group_welfare}", "policy: {kind: scripted, rule: sequence, actions: [16]}"
    )
    slow = slow.replace(
        "persona: You have a loan to pay back.", "policy: {kind: scripted, rule: sequence, actions: [18]}"
    )
    (tmp_path / "lake.yaml").write_text(slow.replace("[6, 20, 6]", "[18]").split("instruments:")[0])
    run = play_sync(load(tmp_path / "lake.yaml"), seed=1, log=str(tmp_path / "society.db"))
    assert run.outcome.hidden_depletion == 1
    with served(tmp_path / "society.db") as asker:
        assert "It only looks sustained" in asker.get(f"/run/{quote(run.id)}").text


# Sweeps


def test_a_sweep_is_shown_cell_by_cell(tmp_path):
    from society import load, play_sync

    (tmp_path / "lake.yaml").write_text(LAKE)
    file = tmp_path / "society.db"
    scenario = load(tmp_path / "lake.yaml")
    for seed in (0, 1):
        for model in ("mock:sustainable", "mock:greedy"):
            play_sync(scenario, model=model, seed=seed, log=str(file))
    with sqlite3.connect(file) as database:  # as `society sweep` writes it
        database.execute("""UPDATE run SET sweep = 'lakes & <models>', cell = '{"axes": {"model": "' ||
            CASE WHEN models LIKE '%greedy%' THEN 'greedy' ELSE 'kind' END || '"}, "scenario": "0"}'""")
        welfare = dict(database.execute("SELECT cell, AVG(value) FROM run JOIN metric ON run_id = id WHERE metric.name = 'total_welfare' AND NOT without_defaulted GROUP BY cell").fetchall())  # fmt: skip
    with served(file) as asker:
        listed = Tags(asker.get("/sweeps").text)
        address = next(given["href"] for tag, given in listed.tags if given.get("class") == "open")
        page = asker.get(f"{address}?metric=total_welfare").text
        for mean in welfare.values():
            assert f">{show(mean, 3)}</td>" in page
        assert page.index(">greedy</td>") < page.index(">kind</td>")
        assert "lakes &amp; &lt;models&gt;" in page
        greedy, kind = (welfare[cell] for cell in sorted(welfare))
        assert f">{show(greedy - kind, 3)}</td>" in page, "compared with what was played first"
        turned = asker.get(f"{address}?metric=total_welfare&baseline=model%3Dgreedy").text
        assert f">{show(kind - greedy, 3)}</td>" in turned
        assert asker.get(f"{address}?baseline=model%3Dnobody").status == 404
        assert asker.get(f"{address}?metric=nothing").status == 404
        assert asker.get("/sweep/nothing").status == 404
