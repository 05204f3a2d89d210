"""Redirect URIs: what may be registered, and what equals what (RFC 6749, RFC 8252, RFC 9700)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.clients import claimable
from idp.protocol.redirect_uris import difference, matches, origin_for_display, problem

WEB = [
    "https://app.example.com/cb",
    "https://app.example.com",
    "https://app.example.com:8443/cb?tenant=a%20b&x=1",
    "https://xn--bcher-kva.example/cb",
    "https://[2001:db8::1]/cb",
    "https://192.0.2.1/cb",
    "https://1password.example2.com/cb",
    "https://0xbeef.example.com/cb",
    "http://localhost:8000/callback",
    "http://127.0.0.1/cb",
    "http://[::1]:1/cb",
]
NATIVE = ["com.example.app:/cb", "com.example.app://cb", "com.example-two.app:/a/b?c=d"]
REFUSED = {
    "javascript:alert(1)": "never allowed",
    "data:text/html,x": "never allowed",
    "vbscript:x": "never allowed",
    "file:///etc/passwd": "never allowed",
    "blob:https://app.example.com/x": "never allowed",
    "http://app.example.com/cb": "Plain http",
    "http://localhost.evil.test/cb": "Plain http",
    "http://127.0.0.1.evil/cb": "Plain http",
    "http://127.0.0.2/cb": "Plain http",
    "https:///cb": "name a host",
    "https://app.example.com:0/cb": "name a host",
    "https://app.example.com:/cb": "name a host",
    "https://app.example.com:70000/cb": "name a host",
    "https://app.example.com./cb": "name a host",
    "https://app%2eexample.com/cb": "name a host",
    "https://user@app.example.com/cb": "user name",
    "https://@app.example.com/cb": "user name",
    "https://app.example.com/*": "wildcard",
    "https://*.example.com/cb": "wildcard",
    "https://app.example.com/a/../cb": "segments",
    "https://app.example.com/a/%2e%2E/cb": "segments",
    "https://app.example.com/a/.%2e": "segments",
    "https://app.example.com/..;/x": "segments",
    "https://app.example.com/a%2fb": "encoded slashes",
    "https://app.example.com/a%5cb": "encoded slashes",
    "https://app.example.com/%0d%0aSet-Cookie": "control",
    "https://app.example.com/?a=%00": "control",
    "https://app.example.com/c b": "absolute URI",
    " https://app.example.com/cb": "absolute URI",
    "https://app.example.com/cb\n": "absolute URI",
    "https://app.example.com\\@evil.test/": "absolute URI",
    "https://b\N{LATIN SMALL LETTER U WITH DIAERESIS}cher.example/cb": "absolute URI",
    "https://app.example.com/%zz": "absolute URI",
    "HTTPS://app.example.com/cb": "absolute URI",
    "//app.example.com/cb": "absolute URI",
    "/cb": "absolute URI",
    "": "absolute URI",
    "myapp:/cb": "made from a domain name",
    "urn:ietf:wg:oauth:2.0:oob": "made from a domain name",
    "http://LOCALHOST/cb": "Plain http",
    "http://[127.0.0.1]/cb": "name a host",
    # A browser would go to 127.0.0.1 with each of these.
    "https://2130706433/cb": "name a host",
    "https://127.1/cb": "name a host",
    "https://0x7f.0.0.1/cb": "name a host",
    "https://0X7F000001/cb": "name a host",
    "https://0177.0.0.1/cb": "name a host",
    "https://127.0.0.01/cb": "name a host",
    "https://app.example.1/cb": "name a host",
    "https://1.2.3.4.5/cb": "name a host",
    "https://256.0.0.1/cb": "name a host",
    "https://[::zz]/cb": "absolute URI",
    "https://[1:2]/cb": "name a host",
    "https://app.example.com/" + "a" * 2000: "at most 2000",
}


@pytest.mark.parametrize("uri", WEB)
def test_web_and_native_clients_may_register(uri: str) -> None:
    assert problem(uri, "web") is None
    assert problem(uri, "native") is None


@pytest.mark.parametrize("uri", NATIVE)
def test_only_native_clients_may_register_private_use_schemes(uri: str) -> None:
    assert problem(uri, "native") is None
    assert "native clients" in str(problem(uri, "web"))


def test_the_bounds_themselves_are_allowed() -> None:
    longest = "https://app.example.com/".ljust(2000, "a")
    assert problem(longest, "web") is None
    assert "at most 2000" in str(problem(f"{longest}a", "web"))
    assert problem("https://app.example.com:65535/cb", "web") is None
    assert "a port" in str(problem("https://app.example.com:65536/cb", "web"))


def test_what_any_program_of_a_device_can_answer() -> None:
    """RFC 8252 section 8.6: browsers look for all of these hosts at home."""
    home = ("localhost", "LOCALHOST", "app.localhost", "127.0.0.1", "127.8.8.8", "0.0.0.0")
    for host in (*home, "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]"):
        assert claimable(f"https://{host}:8443/cb"), host
    for host in (
        "app.example.com",
        "localhost.example.com",
        "notlocalhost",
        "192.0.2.1",
        "[2001:db8::1]",
    ):
        assert not claimable(f"https://{host}/cb"), host
    assert claimable("com.example.app:/cb")


@pytest.mark.parametrize("uri", ["com.example.app:cb", "com.example.app:", "com.example.app://"])
def test_a_private_use_scheme_needs_a_path(uri: str) -> None:
    assert "comes a path" in str(problem(uri, "native"))


@pytest.mark.parametrize(("uri", "said"), REFUSED.items(), ids=[uri[:40] for uri in REFUSED])
@pytest.mark.parametrize("application_type", ["web", "native"])
def test_nobody_may_register(uri: str, said: str, application_type: str) -> None:
    answer = problem(uri, application_type)
    assert answer is not None
    assert said in answer
    assert answer.endswith(".")


@pytest.mark.parametrize(
    "requested",
    [
        "https://app.example.com/cb/",
        "https://app.example.com/cb/x",
        "https://app.example.com/cb.",
        "https://app.example.com./cb",
        "https://app.example.com/x/../cb",
        "https://app.example.com/cb/..;/x",
        "https://app.example.com/%63b",
        "https://app.example.com/cb%2e%2e",
        "https://app.example.com/CB",
        "https://app.example.com:443/cb",
        "HTTPS://app.example.com/cb",
        "http://app.example.com/cb",
        "https://app.example.com/cb?",
        "https://app.example.com/cb ",
    ],
)
def test_case_001_only_the_registered_bytes_match(requested: str) -> None:
    assert not matches(["https://app.example.com/cb"], requested)


@pytest.mark.parametrize(
    ("registered", "requested"),
    [
        ("https://app.example.com", "https://app.example.com.evil.test/cb"),
        ("https://app.example.com/cb", "https://app.example.com.evil.test/cb"),
        ("https://foo.example.com/cb", "https://fooaexample.com/cb"),
        ("https://foo.example.com/cb", "https://evil.test/https://foo.example.com/cb"),
        ("https://foo.example.com/cb", "https://foo.example.com@evil.test/cb"),
    ],
)
def test_case_002_no_prefix_and_no_pattern(registered: str, requested: str) -> None:
    assert not matches([registered], requested)


@pytest.mark.parametrize(
    "query", ["?a=1&b=2&c=3", "?b=2&a=1", "?a=1&a=1&b=2", "?a=1", "", "?a=1&b=2;evil=1"]
)
def test_case_004_the_query_is_compared_too(query: str) -> None:
    registered = ["https://app.example.com/cb?a=1&b=2"]
    assert matches(registered, registered[0])
    assert not matches(registered, f"https://app.example.com/cb{query}")
    assert not matches(registered, "https://app.example.com/cb;evil=1?a=1&b=2")


@pytest.mark.parametrize("fragment", ["#", "#x", "#?a=1"])
@pytest.mark.parametrize(
    "uri", ["https://app.example.com/cb", "http://127.0.0.1/cb", "com.example.app:/cb"]
)
def test_case_005_no_fragment_is_registered_or_matched(uri: str, fragment: str) -> None:
    assert "fragment" in str(problem(uri + fragment, "native"))
    assert not matches([uri], uri + fragment)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_case_006_any_port_matches_on_loopback(host: str) -> None:
    for registered in (f"http://{host}/cb?a=1", f"http://{host}:8000/cb?a=1"):
        assert matches([registered], f"http://{host}:51004/cb?a=1")
        assert matches([registered], f"http://{host}/cb?a=1")
        assert not matches([registered], f"https://{host}:51004/cb?a=1")
        assert not matches([registered], f"http://{host}:51004/cb")
        assert not matches([registered], f"http://{host}:51004/cb/?a=1")


@pytest.mark.parametrize(
    "requested",
    [
        "http://localhost.evil.test/cb",
        "http://127.0.0.1.evil/cb",
        "http://127.0.0.1:80@evil.test/cb",
        "http://127.0.0.1@evil.test/cb",
        "http://127.0.0.1:80.evil.test/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:99999999999999999999/cb",
        "http://127.0.0.1:8\N{ARABIC-INDIC DIGIT ZERO}/cb",
        "http://127.0.0.1:80\n/cb",
        "http://127.1/cb",
        "http://2130706433/cb",
        "http://[0:0:0:0:0:0:0:1]/cb",
        "http://LOCALHOST:80/cb",
        "http://localhost:80/cb",
        "http://[::1]:80/cb",
    ],
)
def test_case_006_the_loopback_host_is_parsed(requested: str) -> None:
    assert not matches(["http://127.0.0.1/cb"], requested)


def test_case_008_nothing_matches_an_empty_list() -> None:
    assert not matches([], "https://app.example.com/cb")
    assert not matches([], "")
    assert not matches(["http://127.0.0.1/cb"], "")


@pytest.mark.parametrize(
    ("requested", "said"),
    [
        ("https://app.example.com/cb/", "only by a trailing slash"),
        ("https://app.example.com/CB", "only by upper and lower case"),
        ("https://app.example.com/other", "only by another path"),
        ("https://app.example.com:8443/cb", "only by an added port"),
        ("http://app.example.com/cb", "only by http instead of https"),
        ("https://app.example.org/cb", "only by another host"),
        ("https://App.example.com/cb", "only by upper and lower case of the host"),
        ("https://app.example.com/cb?a=1", "only by an added query"),
        ("https://app.example.com/cb#", "only by an added fragment"),
        ("https://a@app.example.com/cb", "only by a user name"),
        (
            "http://app.example.com/x?a=1",
            "by another path, http instead of https and an added query",
        ),
        ("https://app.example.com/c b", "not an absolute URI"),
        ("https://app.example.com/cb", "It is registered."),
    ],
)
def test_a_developer_is_told_the_difference(requested: str, said: str) -> None:
    sentence = difference(["com.example.app:/far", "https://app.example.com/cb"], requested)
    assert said in sentence
    assert "https://app.example.com/cb" not in sentence


def test_the_difference_to_nothing_and_to_more() -> None:
    assert "no redirect URI" in difference([], "https://app.example.com/cb")
    registered = ["https://app.example.com/cb/?a=1"]
    assert "missing trailing slash" in difference(registered, "https://app.example.com/cb?a=1")
    assert "missing query" in difference(registered, "https://app.example.com/cb/")
    assert "another query" in difference(registered, "https://app.example.com/cb/?a=2")


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://app.example.com/cb?x=1", "https://app.example.com"),
        ("https://xn--pple-43d.example:8443/cb", "https://xn--pple-43d.example:8443"),
        ("http://127.0.0.1:51004/cb", "http://127.0.0.1:51004"),
        ("com.example.app:/cb", "com.example.app:"),
    ],
)
def test_a_person_is_told_where_it_leads(uri: str, shown: str) -> None:
    assert origin_for_display(uri) == shown


WORDS = "http https :// : / // localhost 127.0.0.1 [::1] evil.test @ 8000 ?a=1 # \\ .. %2e . cb *"
PIECES = st.sampled_from([*WORDS.split(), "com.example.app", "javascript", "\n", " ", ";", "%0a"])
LOOPBACK = re.compile(r"http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?([/?]|$)")
PRIVATE_USE = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9-]+)+:/")
SOUP = st.lists(PIECES, max_size=9).map("".join) | st.text(max_size=40)


@given(SOUP, SOUP)
def test_what_matches_is_equal_or_a_loopback_uri_of_another_port(
    registered: str, requested: str
) -> None:
    if matches([registered], requested):
        assert registered == requested or (LOOPBACK.match(registered) and LOOPBACK.match(requested))


@given(SOUP)
def test_whatever_may_be_registered_matches_itself_and_is_harmless(uri: str) -> None:
    if problem(uri, "native") is None:
        assert matches([uri], uri)
        assert uri.isascii()
        assert uri.isprintable()
        assert not {" ", "\\", "#", "*", "@"} & set(uri.partition("?")[0])
        assert uri.startswith("https://") or LOOPBACK.match(uri) or PRIVATE_USE.match(uri)
        assert origin_for_display(uri)


@given(st.integers(), st.sampled_from(["127.0.0.1", "[::1]", "localhost"]))
def test_a_port_is_from_1_to_65535(port: int, host: str) -> None:
    assert matches([f"http://{host}/cb"], f"http://{host}:{port}/cb") == (1 <= port <= 65535)


@given(SOUP, SOUP)
def test_every_difference_is_a_sentence(registered: str, requested: str) -> None:
    assert difference([registered], requested).endswith(".")
