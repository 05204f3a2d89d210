// Signs in with a passkey: by its button, and where the page asks for an address also from the
// suggestions of that field (conditional mediation).
import { onPress, optionsFrom, readRequest, send, supported, written } from "./passkey-ceremony.js";
import { rememberForSignal, signalUnknown } from "./passkey-signal.js";

const RENEW = 240_000; // milliseconds; the server's challenge lives for 300 seconds
const RENEWALS = 7; // a sign-in in progress lives for 30 minutes

function also() {
  const boxes = document.querySelectorAll("[name=keep]:checked, [name=trust]:checked");
  return Object.fromEntries([...boxes].map((box) => [box.name, box.value]));
}

async function ask(element, more) {
  const options = await optionsFrom(element.dataset.options);
  const credential = await navigator.credentials.get({ publicKey: readRequest(options), ...more });
  rememberForSignal(options.rpId, credential.id);
  send(element.dataset.action, { response: written(credential), ...also() });
}

let waiting = new AbortController();

async function offer(element) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  for (let time = 0; time < RENEWALS; time += 1) {
    waiting = new AbortController();
    const { signal } = waiting;
    const timer = setTimeout(() => waiting.abort("renew"), RENEW);
    try {
      await ask(element, { mediation: "conditional", signal });
      return;
    } catch {
      if (signal.reason !== "renew") return; // the button works still
    } finally {
      clearTimeout(timer);
    }
  }
}

if (document.querySelector("[data-signal-unknown]")) signalUnknown();

for (const element of document.querySelectorAll("[data-passkey]")) {
  if (!supported) continue;
  element.hidden = false;
  const conditional = "conditional" in element.dataset;
  let offered = conditional ? offer(element) : null;
  onPress(element, async () => {
    waiting.abort("button");
    await offered; // browsers do one thing at a time
    try {
      await ask(element);
    } catch (error) {
      if (conditional) offered = offer(element);
      throw error;
    }
  });
}
