"""The small scripts: each adds something that the page does without."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .conftest import Visit

pytestmark = pytest.mark.browser


def test_show_password(visit: Visit) -> None:
    page = visit("password")
    page.fill("#password", "correct horse")
    reveal = page.get_by_role("button", name="Show password")
    expect(reveal).to_have_attribute("aria-pressed", "false")
    reveal.click()
    expect(reveal).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#password")).to_have_attribute("type", "text")
    reveal.press("Space")
    expect(page.locator("#password")).to_have_attribute("type", "password")


def test_a_shown_password_is_sent_as_a_password(visit: Visit) -> None:
    page = visit("password")
    page.evaluate("() => addEventListener('submit', event => event.preventDefault())")
    page.fill("#password", "correct horse")
    page.get_by_role("button", name="Show password").click()
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("#password")).to_have_attribute("type", "password")


def caps_lock(page: Page, *, on: bool) -> None:
    page.dispatch_event(
        "#password", "keydown", {"key": "a", "modifierCapsLock": on, "bubbles": True}
    )


def test_caps_lock_is_pointed_out(visit: Visit) -> None:
    page = visit("password")
    hint = page.locator("#password-caps")
    expect(hint).to_be_empty()
    caps_lock(page, on=True)
    expect(hint).to_have_text("Caps Lock is on.")
    caps_lock(page, on=False)
    expect(hint).to_be_empty()


def test_a_double_click_sends_once(visit: Visit) -> None:
    page = visit("consent")
    page.route("**/posted", lambda route: None)  # the answer never comes
    with page.expect_request("**/posted") as sent:
        busy = page.evaluate(
            """() => {
                const [cancel, allow] = document.querySelectorAll("[name=decision]");
                let sent = 0;
                addEventListener("submit", (event) => { sent += event.defaultPrevented ? 0 : 1; });
                allow.click();
                allow.click();
                cancel.click();
                return [sent, allow.getAttribute("aria-busy"), cancel.getAttribute("aria-busy")];
            }"""
        )
    assert busy == [1, "true", None]
    assert sent.value.post_data == "csrf_token=sample-token&decision=allow"
    page.unroute_all(behavior="ignoreErrors")


def test_copy(visit: Visit) -> None:
    page = visit("playground-tokens", permissions=["clipboard-read", "clipboard-write"])
    button = page.locator("[data-copy=request-1]")
    button.click()
    expect(button).to_have_text("Copied")
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith("curl http://localhost:8000/oauth2/token \\\n  -u playground:")


def test_copy_selects_where_the_clipboard_is_closed(visit: Visit) -> None:
    page = visit("error")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    page.get_by_role("button", name="Copy").click()
    assert page.evaluate("() => String(getSelection())") == "7f3a91c04be2"


def test_countdown(visit: Visit, gallery_url: str) -> None:
    page = visit("error")
    page.clock.install()
    page.goto(f"{gallery_url}/pages/error-throttled")
    wait = page.locator("[data-countdown]")
    expect(wait).to_have_text("You can try again in 4 minutes.")
    page.clock.run_for(30_000)
    expect(wait).to_have_text("You can try again in about 4 minutes.")
    page.clock.run_for(180_000)
    expect(wait).to_have_text("You can try again in 30 s.")
    page.clock.run_for(31_000)
    expect(wait).to_have_text("You can try again now.")
    expect(wait).to_have_attribute("aria-live", "polite")


CONDITIONAL_CREATE = """() => {
  globalThis.made = [];
  globalThis.posted = [];
  PublicKeyCredential.getClientCapabilities = async () => ({ conditionalCreate: globalThis.able });
  navigator.credentials.create = async (options) => {
    made.push(options.mediation);
    return { toJSON: () => ({ id: "new" }) };
  };
  globalThis.fetch = async (url, options) => {
    posted.push([url, options.body?.get("response") ?? null]);
    const user = { id: "AA", name: "ada", displayName: "ada" };
    const json = { challenge: "AA", rp: { name: "x" }, user, pubKeyCredParams: [] };
    return new Response(JSON.stringify(json));
  };
}"""


@pytest.mark.parametrize("able", [True, False])
def test_a_passkey_is_made_silently_where_the_browser_offers_that(visit: Visit, able: bool) -> None:
    page = visit("consent")
    page.evaluate("able => { globalThis.able = able }", able)
    page.evaluate(CONDITIONAL_CREATE)
    page.evaluate(
        """async () => {
            const { upgrade } = await import("/static/js/passkey-upgrade.js");
            const element = document.createElement("div");
            Object.assign(element.dataset, { options: "/o", action: "/a" });
            await upgrade(element);
        }"""
    )
    assert page.evaluate("() => made") == (["conditional"] if able else [])
    wanted = [["/o", None], ["/a", '{"id":"new"}']] if able else []
    assert page.evaluate("() => posted") == wanted


def test_browsers_without_the_json_methods_are_helped(visit: Visit) -> None:
    page = visit("consent")
    found = page.evaluate(
        """async () => {
            for (const name of ["parseRequestOptionsFromJSON", "parseCreationOptionsFromJSON"])
                PublicKeyCredential[name] = undefined;
            const tools = await import("/static/js/passkey-ceremony.js");
            const bytes = new Uint8Array([251, 255, 190]);
            const allowCredentials = [{ id: "-_--" }];
            const asked = tools.readRequest({ challenge: "-_--", allowCredentials });
            const response = { clientDataJSON: bytes.buffer, signature: bytes.buffer };
            const text = tools.written({ id: "x", type: "public-key", response });
            return [[...asked.challenge], [...asked.allowCredentials[0].id], JSON.parse(text)];
        }"""
    )
    octets = [251, 255, 190]
    response = {"clientDataJSON": "-_--", "signature": "-_--"}
    assert found == [
        octets,
        octets,
        {"id": "x", "rawId": "x", "type": "public-key", "response": response},
    ]
