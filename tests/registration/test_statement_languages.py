"""Software statements take precedence in every language: RFC 7591 sections 2.2 and 2.3."""

import json
from pathlib import Path

from idp.crypto import jwk
from tests.registration.registrar import Registrar
from tests.support import in_process
from tests.support.application import ISSUER, Seeded, running, settings_for
from tests.support.held_clock import HeldClock

STORE = "https://store.example.test"
KEY = jwk.generate("ES256")


def test_no_translation_replaces_the_name_that_is_vouched_for(
    seeded: Seeded, tmp_path: Path, clock: HeldClock
) -> None:
    file = tmp_path / "issuers.json"
    file.write_text(json.dumps({STORE: {"keys": [KEY.public_jwk]}}))
    more = {"registration": "open", "software_statement_issuers": str(file)}
    signer = jwk.load_private(KEY.kid, KEY.algorithm, KEY.private)
    vouched = {"iss": STORE, "client_name": "Approved", "client_name#fr": "Approuvé"}
    vouched["tos_uri#fr"] = "https://store.example.test/conditions"
    with running(settings_for(seeded.database, tmp_path / "keys", **more), clock) as app:
        registrar = Registrar(in_process.session(app, ISSUER), ISSUER)
        told = registrar.registered(
            {
                "redirect_uris": ["https://guide.example.test/callback"],
                "client_name": "Your Bank",
                "client_name#de": "Ihre Bank",
                "client_name#fr": "Votre banque",
                "client_uri#de": "https://guide.example.test/de",
                "tos_uri#fr": "https://guide.example.test/fr",
                "software_statement": signer.sign(vouched, "JWT"),
            }
        )
    names = {name: told[name] for name in told if name.startswith("client_name")}
    assert names == {"client_name": "Approved", "client_name#fr": "Approuvé"}
    assert told["client_uri#de"] == "https://guide.example.test/de", "nobody vouched for another"
    assert told["tos_uri#fr"] == vouched["tos_uri#fr"], "also where it names one language alone"
