"""The viewer in a real browser: a new reader's walk, attacks, keys alone, accessibility, a phone, no network, live."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from urllib.parse import quote

import pytest
from browser import browser, visit
from handmade_run import events, first_round, manifest
from viewer_log import make_log, run_ids, served

from society import open_log
from society.views.web import run_page
from society.views.web.one_file import one_file

SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def log_file(tmp_path_factory):
    file = make_log(tmp_path_factory.mktemp("log"))
    cell = """'{"axes": {"model": "' || CASE WHEN models LIKE '%liar%' THEN 'liar' ELSE 'kind' END || '"}}'"""
    with sqlite3.connect(file) as database:  # two of the runs as a sweep
        database.execute(f"UPDATE run SET sweep = 'lakes', cell = {cell} WHERE scenario = 'lake-of-three'")
    return file


@pytest.fixture(scope="module")
def runs(log_file):
    return [quote(run, safe="") for run in run_ids(log_file)]


@pytest.fixture(scope="module")
def asker(log_file):
    with served(log_file) as made:
        yield made


@pytest.fixture(scope="module")
def chromium(log_file):
    with browser() as started:
        yield started


def at(asker, path):
    return f"{asker.origin}{path}{'&' if '?' in path else '?'}token={asker.token}"


def painted(page):
    """A browser takes no keys before a page is first painted."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_a_new_reader_finds_what_was_said_meant_done_and_lost(chromium, asker):
    with visit(chromium, asker.address) as page:
        assert "token" not in page.url
        page.get_by_label("search").fill("liar")
        page.get_by_role("button", name="Show").click()
        page.locator("a.open").click()
        assert page.get_by_role("heading", level=1).inner_text().startswith("lake-of-three")
        first = page.locator("#round-1")
        assert "My fair share" in first.inner_text()
        bo = first.locator("tr", has=page.get_by_text("Bo", exact=True))
        assert "≠" in bo.inner_text()
        bo.locator("a.calls").last.click()
        sheet = page.locator("dialog#sheet")
        sheet.get_by_text("raw answer").last.click()
        assert "You have a loan to pay back." in sheet.inner_text()
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Alignment").click()
        page.get_by_role("heading", name="By each agent's own goal").wait_for()
        assert page.locator("#alignment svg text", has_text="best possible").count() >= 3
        page.get_by_role("link", name="Coalitions").click()
        page.get_by_role("heading", name="Four notions of a coalition").wait_for()
        page.get_by_label("as seen by").select_option(label="Cy")
        assert page.locator("#round-1-agent-0 td", has_text="not seen").count() == 0, "the words come from the style"
        assert not page.locator("#round-1-agent-0 td[data-for] > span").first.is_visible()


def test_an_address_leads_to_its_round_message_and_agent(chromium, asker, runs):
    with visit(chromium, at(asker, f"/run/{runs[2]}")) as page:
        for anchor in ("round-2", "round-1-agent-1", "round-1-turn-0-agent-0-1"):
            page.goto(f"{asker.origin}/run/{runs[2]}#{anchor}")
            page.reload()
            target = page.locator(f"#{anchor}")
            target.wait_for()
            box = target.bounding_box()
            assert -1 <= box["y"] < 900
            assert page.evaluate("document.activeElement.id") == anchor


def test_attacks_do_nothing(chromium, asker, runs):
    paths = [f"/run/{runs[3]}", f"/run/{runs[3]}/round/1", f"/run/{runs[3]}/seen/2/1", f"/run/{runs[3]}/calls/1/0/act",
             f"/compare?run={runs[2]}&run={runs[3]}", "/?q=" + quote("<script>window.pwned=1</script>")]  # fmt: skip
    for bypass in (False, True):  # escaping alone must hold as well
        with visit(chromium, at(asker, paths[0]), bypass_csp=bypass) as page:
            for path in paths:
                page.goto(asker.origin + path)
                page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
                assert page.evaluate("window.pwned") is None
                assert page.locator("main :is(img, iframe, script, style, object, [onload], [onerror])").count() == 0
                assert page.evaluate("document.documentElement.scrollWidth") <= 1280


def test_the_policy_alone_would_hold_as_well(chromium, asker):
    attack = """() => {
        const script = document.createElement("script");
        script.textContent = "window.pwned = 1";
        document.body.append(script);
        const link = document.createElement("a");
        link.setAttribute("onclick", "window.pwned = 1");
        document.body.append(link);
        link.click();
        return window.pwned ?? null;
    }"""
    with pytest.raises(AssertionError, match="Content Security Policy"), visit(chromium, asker.address) as page:
        assert page.evaluate(attack) is None
        page.wait_for_timeout(50)


def test_keys_alone_are_enough(chromium, asker):
    with visit(chromium, asker.address) as page:
        painted(page)
        press = page.keyboard.press
        press("/")
        page.keyboard.type("by-no-name")
        press("Enter")
        page.get_by_text("No runs fit").wait_for()
        page.goto(asker.origin + "/?scenario=lake-of-three&sort=survival&order=down")
        painted(page)
        press("j")
        press("j")
        assert page.evaluate("document.activeElement.id") == "row-2"
        press("x")
        press("k")
        press("x")
        assert page.locator("input[name=run]:checked").count() == 2
        press("Enter")
        page.wait_for_url("**/run/**")
        painted(page)
        press("]")
        press("]")
        assert page.evaluate("document.activeElement.id") == "round-2"
        press("[")
        press("j")
        assert page.evaluate("document.activeElement.id").startswith("round-1-")
        press("?")
        assert page.locator("dialog#keys").is_visible()
        press("Escape")
        press("Enter")
        page.locator("dialog#sheet").wait_for(state="visible")
        press("Escape")
        before = page.evaluate("getComputedStyle(document.body).backgroundColor")
        press("t")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
        press("a")
        assert page.get_by_label("as seen by").evaluate("(one) => one.selectedOptions[0].textContent") == "Ann"
        press("?")
        page.get_by_label("Single keys are on").uncheck()
        press("Escape")
        press("t")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before, "single keys are off"


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_nothing_shuts_a_reader_out(chromium, asker, runs, colours):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    paths = [
        "/",
        "/sweeps",
        "/sweep/lakes",
        f"/run/{runs[0]}",
        f"/run/{runs[2]}",
        f"/compare?run={runs[0]}&run={runs[1]}",
        f"/run/{runs[2]}/seen/2/0",
    ]
    with visit(chromium, at(asker, "/"), color_scheme=colours) as page:
        for path in paths:
            page.goto(asker.origin + path)
            if path == f"/run/{runs[0]}":
                for part in ("alignment", "coalitions"):
                    page.locator(f"#{part}").scroll_into_view_if_needed()
                page.locator("[data-part], [aria-busy]").first.wait_for(state="detached")
            found = axe.run(page).response["violations"]
            bad = [(one["id"], one["nodes"][0]["html"][:200]) for one in found if one["impact"] in SERIOUS]
            assert bad == [], path


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_every_page_without_scrolling_sideways(chromium, asker, runs, width):
    paths = ["/", "/sweeps", "/sweep/lakes", f"/run/{runs[0]}", f"/run/{runs[2]}", f"/run/{runs[3]}", f"/compare?run={runs[0]}&run={runs[1]}", f"/run/{runs[2]}/seen/2/0"]  # fmt: skip
    with visit(chromium, at(asker, "/"), viewport={"width": width, "height": 700}) as page:
        for path in paths:
            page.goto(asker.origin + path)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_one_file_needs_no_network(chromium, log_file, runs, tmp_path):
    file = tmp_path / "run.html"
    with open_log(log_file) as log:
        file.write_text(one_file(log, run_ids(log_file)[0]), "utf-8")
    with visit(chromium, "about:blank") as page:
        page.context.set_offline(True)
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri())
        assert page.get_by_role("heading", name="By each agent's own goal").is_visible()
        page.locator("#round-1 .msg a.calls").first.click()
        sheet = page.locator("dialog#sheet")
        assert "Three" in sheet.inner_text() or "lake" in sheet.inner_text()
        assert sheet.locator("h4", has_text="system").count() == 1
        page.keyboard.press("Escape")
        page.keyboard.press("t")
        assert page.evaluate("document.documentElement.dataset.theme") in ("dark", "light")
        assert asked == [file.as_uri()]


def test_a_large_run_is_fetched_as_it_is_read(chromium, asker, runs, monkeypatch):
    monkeypatch.setattr(run_page, "MOST_AT_ONCE", 1)
    with visit(chromium, at(asker, f"/run/{runs[1]}"), viewport={"width": 1280, "height": 300}) as page:
        assert page.locator("section.round[data-from]").count() >= 2
        page.locator("#round-3").scroll_into_view_if_needed()
        page.locator("#round-3 table.deeds").wait_for()
        assert "Cy" in page.locator("#round-3").inner_text()


def test_a_run_that_goes_on_grows_on_the_page(chromium, tmp_path):
    file = tmp_path / "society.db"
    step, stop = threading.Event(), threading.Event()
    began = threading.Event()
    told = events()
    cut = 1 + len(first_round())

    async def going() -> None:
        with open_log(file) as log:
            writer = log.start_run(manifest(), command="society run lake")
            await writer.stage((told[0],))
            await writer.stage(tuple(told[1:cut]))
            began.set()
            await asyncio.to_thread(step.wait, 60)
            await writer.stage(tuple(told[cut:-1]))
            await asyncio.to_thread(stop.wait, 60)
            await writer.stage((told[-1],))
            await writer.finish("completed")

    thread = threading.Thread(target=asyncio.run, args=(going(),))
    thread.start()
    try:
        assert began.wait(60)
        with served(file) as asker, visit(chromium, asker.address) as page:
            page.locator("a.open").click()
            page.get_by_text("running").first.wait_for()
            assert page.locator("#round-2").count() == 0
            step.set()
            page.locator("#round-2 table.deeds").wait_for()
            assert "60" in page.locator("#round-2").inner_text()
            stop.set()
            page.locator("#head .status.completed").wait_for()
    finally:
        step.set()
        stop.set()
        thread.join(60)
