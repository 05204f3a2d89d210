"""Everything that people, clients and operators can do, well and wrongly, with secrets in it."""

import json
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

import requests

from tests.secrets.factor_flows import app_code, fill, press, recovery_codes_on, seed_on
from tests.support import warm_command
from tests.support.browserless import Browserless, Page, Person
from tests.support.deployment import Deployment
from tests.support.factors import go
from tests.support.secrets_seen import SecretsSeen
from tests.support.seeds import ADA, FILES_API, GRACE, NOTES_API
from tests.support.token_client import TokenClient

WRONG = "a wrong password that somebody typed"
CHANGED = "the password that an operator set later"
CALLBACK = "https://later.example.test/cb"
LATER = {"redirect_uris": [CALLBACK], "scope": "openid", "client_name": "Later"}


class Flows:
    """One server and whoever uses it; what they learn is noted."""

    def __init__(
        self, deployment: Deployment, seen: SecretsSeen, environment: Mapping[str, str]
    ) -> None:
        self._environment = environment
        self._seen = seen
        self.said = b""
        """What the commands wrote to their standard error streams."""
        plain = deployment.new_http

        def watched() -> requests.Session:
            http = plain()
            seen.watch(http)
            return http

        self.deployment = Deployment(deployment.issuer, deployment.seeds, watched)
        for person in (ADA, GRACE):
            seen.note("password", person.password)
        for secret in deployment.seeds.client_secrets.values():
            seen.note("client secret", secret)
        for _, secret in deployment.seeds.credentials.values():
            seen.note("credential", secret)

    def everything(self) -> None:
        """Go through all of it."""
        self.people()
        self.tokens()
        self.machines_gone_wrong()
        self.nonsense()
        self.operators()

    def people(self) -> None:
        """Signing in wrongly and well, consent and its refusal, silence, switching, signing out."""
        webapp, browser = self.deployment.client("webapp"), self.deployment.browserless()
        page = browser.start(webapp.authorization("openid email", login_hint=ADA.email))
        page.form.fill("username", ADA.email)
        page = browser.submit(page)
        page.form.fill("current-password", WRONG)
        page = browser.submit(page)
        assert page.status == 400
        page.form.fill("current-password", ADA.password)
        browser.finish(browser.submit(page))
        browser.allows = False
        assert "error" in browser.authorize(webapp.authorization("openid phone"))
        browser.allows = True
        hint = webapp.sign_in(browser, "openid email", prompt="login")["id_token"]
        page = browser.start(webapp.authorization(prompt="select_account"))
        page = browser.submit(page, page.form.button("account", "another"))
        browser.person = GRACE
        browser.finish(page)
        browser.start(webapp.authorization(prompt="none", id_token_hint=hint))
        hers = webapp.sign_in(browser, "openid", login_hint=GRACE.email)["id_token"]
        browser.post("/oauth2/logout", {"id_token_hint": hint})
        browser.get("/oauth2/logout", {"id_token_hint": hers, "state": "s"})
        assert browser.get("/").title.startswith("Welcome")
        browser.get("/sign-in")

    def tokens(self) -> None:
        """Each way to get tokens, to use them, and to give them up."""
        for client_id in ("webapp", "stranger", "spa", "native", "own"):
            client, browser = self.deployment.client(client_id), self.deployment.browserless()
            tokens = client.sign_in(browser, "openid profile offline_access notes:read")
            assert client.userinfo(tokens["access_token"]).status_code == 200
            client.http.post(
                client.discovery["userinfo_endpoint"], data={"access_token": tokens["access_token"]}
            )
            refreshed = client.refresh(tokens["refresh_token"]).json()
            client.introspect(refreshed["access_token"])
            for api in (NOTES_API, FILES_API):
                self.deployment.resource_server(api).introspect(refreshed["access_token"])
            client.revoke(refreshed["access_token"])
            client.refresh(refreshed["refresh_token"])
            assert client.refresh(tokens["refresh_token"]).status_code == 400
            callback = browser.authorize(client.authorization("openid"))
            assert client.redeem(callback).status_code == 200
            assert client.redeem(callback).status_code == 400
            client.redeem(browser.authorize(client.authorization("openid")), code_verifier="w" * 50)
        service = self.deployment.client("service")
        assert service.credentials(scope="notes:read").status_code == 200

    def machines_gone_wrong(self) -> None:
        """Secrets in wrong places: the address, another mechanism, malformed headers."""
        webapp, browser = self.deployment.client("webapp"), self.deployment.browserless()
        tokens = webapp.sign_in(browser, "openid notes:read")
        token, secret = tokens["access_token"], webapp.client_secret
        http, issuer = webapp.http, self.deployment.issuer
        for path, query in (
            ("/oauth2/userinfo", {"access_token": token}),
            ("/oauth2/token", {"client_id": "webapp", "client_secret": secret}),
            ("/oauth2/authorize", {"client_id": "webapp", "password": ADA.password}),
            ("/nothing-here", {"code": token, "password": ADA.password}),
            ("/.well-known/jwks.json", {"refresh_token": tokens["refresh_token"]}),
        ):
            http.get(issuer + path, params=query, allow_redirects=False)
            http.post(issuer + path, params=query, data=query, allow_redirects=False)
        for header in (f"Bearer {token}x", f"Bearer  {token}", f"DPoP {token}", f"Basic {secret}"):
            plain = requests.Session()
            plain.trust_env = False
            for adapter in http.adapters.items():
                plain.mount(*adapter)
            for path in ("/oauth2/userinfo", "/oauth2/token", "/oauth2/introspect"):
                plain.post(issuer + path, data={"token": token}, headers={"Authorization": header})
        wrong = TokenClient(http, webapp.discovery, "webapp", f"{secret}x")
        assert wrong.credentials().status_code == 401
        webapp.redeem({"code": tokens["refresh_token"]})
        webapp.refresh(token)

    def nonsense(self) -> None:
        """Requests that no server takes, with secrets in each part; also too large a body."""
        host = urlsplit(self.deployment.issuer)
        secret = "k7-a-secret-in-a-request-that-is-malformed"
        self._seen.note("part of a malformed request", secret)
        for sent in (
            f"GET /?code={secret} HTTP/9.9\r\nHost: {host.netloc}\r\n\r\n",
            f"GET /?code={secret} HTTP/1.1\r\nHost: {host.netloc}\r\nCookie : {secret}\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: {host.netloc}\r\nAuthorization: Basic {secret}\0\r\n\r\n",
            f"{secret} / HTTP/1.1\r\nHost: {host.netloc}\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: {secret}.evil.test\r\n\r\n",
            f"POST / HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Length: {secret}\r\n\r\n",
            f"GET /{secret}\r\n\r\n",
        ):
            with socket.create_connection((host.hostname or "", host.port or 0), 10) as client:
                client.sendall(sent.encode())
                client.shutdown(socket.SHUT_WR)
                while client.recv(65536):
                    pass
        http = self.deployment.new_http()
        large = {"password": ADA.password, "more": "x" * 300_000}
        assert (
            http.post(f"{self.deployment.issuer}/oauth2/authorize", data=large).status_code == 413
        )

    def operators(self) -> None:
        """Every command that makes or takes a secret, and what is made with it."""
        self.command("users", "add", "late@example.test", "--password-stdin", given=CHANGED)
        self.command("users", "set-password", GRACE.email, "--password-stdin", given=CHANGED)
        self._seen.note("password", CHANGED)
        self.command("clients", "add", "--metadata", "-", "--client-id", "later", given=LATER)
        self.command("clients", "add", "--metadata", "-", "--json", given=LATER)
        self.command("clients", "rotate-secret", "webapp", "--keep-old", "60")
        self.command("resources", "add", "https://late.example.test/", "--name", "Late")
        self.command("keys", "rotate", "--emergency", "--algorithm", "RS256")
        link = self.command("admin", "login-link").split()[0]
        browser = self.deployment.browserless(Person("root@example.test", CHANGED))
        page = browser.get(link)
        page.form.fill("username", "root@example.test")
        page.form.fill("new-password", CHANGED)
        page = browser.submit(page)
        self.enrol(browser, browser.answer(browser.answer(page)))

    def invite(self, email: str) -> None:
        """Invite somebody, who gets a mail."""
        self.command("users", "invite", email)

    def enrol(self, browser: Browserless, page: Page) -> None:
        """Set up the second step that an administrator needs, and recovery codes."""
        page = press(browser, page, "authenticator")
        page = fill(browser, page, code=app_code(self._seen, seed_on(self._seen, page)))
        page = fill(browser, page)
        assert len(recovery_codes_on(self._seen, page)) == 10
        page = go(browser, page, "I saved them")
        assert page.title.startswith("Your account"), page

    def command(self, *words: str, given: str | Mapping[str, object] = "") -> str:
        """Run an `idp` command; what it prints is noted, what it logs is kept."""
        text = given if isinstance(given, str) else json.dumps(given)
        done = warm_command.run(words, self._environment, f"{text}\n")
        assert done.returncode == 0, done.stderr
        self._seen.output(done.stdout)
        self.said += done.stderr.encode()
        return done.stdout
