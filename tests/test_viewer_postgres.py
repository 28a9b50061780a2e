"""The viewer over a log in PostgreSQL: every page answers, and shows what it shows over SQLite."""

from __future__ import annotations

import re

import pytest
from postgres_server import running_server, why_not
from sqlalchemy import create_engine
from viewer_log import make_log, run_ids, served

from society import open_log

pytestmark = [pytest.mark.postgres, pytest.mark.skipif(bool(why_not()), reason=why_not() or "there is one")]


def test_every_page_answers_over_postgresql(tmp_path):
    with running_server() as server:
        engine = create_engine(
            server.format(database="postgres").replace("postgresql:", "postgresql+psycopg:"),
            isolation_level="AUTOCOMMIT",
        )
        with engine.connect() as connection:
            connection.exec_driver_sql("CREATE DATABASE viewed")
        engine.dispose()
        url = server.format(database="viewed")
        make_log(tmp_path, url)
        with open_log(url) as log:
            runs = [str(row[0]) for row in log.sql("SELECT id FROM run ORDER BY scenario, models, id").values]
        with served(url) as asker:
            for path in ["/", "/?q=LAKE&sort=gini", "/?model=mock:liar&status=completed", "/sweeps"]:
                assert asker.get(path).status == 200, path
            assert asker.get("/?q=liar").text.count('class="open"') == 1
            for run in runs:
                for rest in ("", "/round/1", "/calls/1/0/act", "/seen/1/0", "/alignment", "/coalitions", "/part/cost"):
                    assert asker.get(f"/run/{run}{rest}").status == 200, rest
            assert asker.get(f"/compare?run={runs[0]}&run={runs[1]}").status == 200
            made = next(run for run in runs if "lake-of-three" in run)
            there = asker.get(f"/run/{made}/round/1").text
        file = make_log(tmp_path)
        with served(file) as asker:
            here = [asker.get(f"/run/{run}/round/1").text for run in run_ids(file)]
        assert _told(there) in [_told(page) for page in here]


def _told(page):
    return re.findall(r'<div class="words" dir="auto">.*?</div>|<td[^>]*>.*?</td>', re.sub(r"/run/[^/]+/", "", page))
