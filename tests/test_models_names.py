"""What models are called, what the operator sets, and what is refused before any call."""

import pytest

from society.core.errors import BadInput, MissingExtra, ProviderRefused, UnknownKind
from society.models import local
from society.models.mock import PERSONALITIES
from society.models.names import parse_name
from society.models.pool import ModelPool
from society.models.prices import Price
from society.models.settings import ProviderSettings

KEY = "sk-verysecretverysecret"


@pytest.mark.parametrize(
    ("text", "kind", "name", "url"),
    [
        ("local", "local", "", None),
        ("local:/m/x.gguf", "local", "/m/x.gguf", None),
        ("mock:script:answers.json", "script", "answers.json", None),
        ("openai:some-model", "openai", "some-model", None),
        ("org/m:tag@http://h:8000/v1/", "url", "org/m:tag", "http://h:8000/v1"),
        ("replay", "replay", "", None),
        *[(f"mock:{name}", "mock", name, None) for name in PERSONALITIES],
    ],
)
def test_a_name_says_which_client_answers(text, kind, name, url):
    parsed = parse_name(text)
    assert (parsed.kind, parsed.name, parsed.base_url) == (kind, name, url)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("mock:greddy", "did you mean 'mock:greedy'"),
        ("locl", "did you mean 'local'"),
        ("openai:", "openai:NAME"),
        ("mock:script", "mock:script:PATH"),
        ("m@ftp://h/v1", "not the address"),
        ("m@http://me:pw@h/v1", "a key does not belong"),
        ("@http://h/v1", "names no model"),
    ],
)
def test_a_name_that_is_none_is_refused_with_the_mend(text, words):
    with pytest.raises(BadInput, match=words):
        parse_name(text)
    if words.startswith("did"):
        with pytest.raises(UnknownKind):
            parse_name(text)


def test_flags_come_before_the_environment_before_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "society.toml").write_text(
        'concurrency = 2\nmax_tries = 2\ncall_seconds = 2\nretry_seconds = 2\n[prices."openai:m"]\ninput = 1\noutput = 2\n'
    )
    (tmp_path / ".env").write_text("SOCIETY_CONCURRENCY=3\nSOCIETY_MAX_TRIES=3\nSOCIETY_CALL_SECONDS=3\nOTHER=1\n")
    monkeypatch.setenv("SOCIETY_CONCURRENCY", "4")
    monkeypatch.setenv("SOCIETY_MAX_TRIES", "4")
    settings = ProviderSettings.read(concurrency=5, requests_per_minute=None)
    found = (settings.concurrency, settings.max_tries, settings.call_seconds, settings.retry_seconds)
    assert found == (5, 4, 3, 2)
    assert settings.prices == {"openai:m": Price(input=1, output=2)}


def test_a_wrong_setting_is_named_and_a_secret_never_shown(monkeypatch):
    monkeypatch.setenv("SOCIETY_CONCURRENCY", KEY)
    with pytest.raises(BadInput, match="SOCIETY_CONCURRENCY") as caught:
        ProviderSettings.read()
    assert KEY not in str(caught.value)
    settings = ProviderSettings(_env_file=None, concurrency=1, api_key=KEY, openai_api_key=KEY)
    assert KEY not in repr(settings) + str(settings) + settings.model_dump_json()
    assert settings.secrets == (KEY, KEY)


def test_a_broken_settings_file_is_bad_input(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "society.toml").write_text("concurrency = = 2")
    with pytest.raises(BadInput, match=r"society\.toml"):
        ProviderSettings.read()


def test_a_missing_key_is_named_before_any_call():
    pool = ModelPool(ProviderSettings(_env_file=None))
    with pytest.raises(ProviderRefused, match="OPENAI_API_KEY") as caught:
        pool.client("openai:some-model")
    assert caught.value.exit_code == 5


def test_a_key_goes_to_the_address_it_was_set_for_and_no_other(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    pool = ModelPool(ProviderSettings(_env_file=None))
    assert pool.describe("openai:m").key == "OPENAI_API_KEY is set"
    assert pool.describe("m@http://elsewhere:8000/v1").key == "SOCIETY_API_KEY is not set"
    assert KEY not in repr(pool.describe("openai:m"))


def test_an_unknown_price_is_unknown_and_a_mock_is_free():
    pool = ModelPool(ProviderSettings(_env_file=None, prices={"openai:m": {"input": 2, "output": 8, "cached": 1}}))
    assert pool.describe("openai:other").price is None
    assert pool.describe("mock:greedy").price == Price(input=0, output=0)
    price = pool.describe("openai:m").price
    assert price is not None
    assert price.most(1_000_000, 500_000) == 6.0


def test_a_missing_runtime_is_answered_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "xllamacpp", None)
    with pytest.raises(MissingExtra, match=r"pip install 'society-sandbox\[local\]'"):
        ModelPool(ProviderSettings(_env_file=None)).client("local")


def test_missing_weights_are_answered_with_the_command_that_installs_them(monkeypatch):
    pytest.importorskip("xllamacpp")
    monkeypatch.setattr(local, "find_weights", lambda: None)
    with pytest.raises(MissingExtra, match="society models install smollm2"):
        ModelPool(ProviderSettings(_env_file=None)).client("local")
