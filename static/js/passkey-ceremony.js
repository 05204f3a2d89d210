// What the pages with passkeys share: options from the server, the browser's dialog, and the answer
// as an ordinary form. Browsers without the JSON methods of WebAuthn Level 3 get them done here.

export const supported = Boolean(globalThis.PublicKeyCredential && navigator.credentials);

const toBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));

const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const readList = (list) => list?.map((each) => ({ ...each, id: toBytes(each.id) }));

export function readRequest(json) {
  const native = PublicKeyCredential.parseRequestOptionsFromJSON;
  if (native) return native.call(PublicKeyCredential, json);
  return {
    ...json,
    challenge: toBytes(json.challenge),
    allowCredentials: readList(json.allowCredentials),
  };
}

export function readCreation(json) {
  const native = PublicKeyCredential.parseCreationOptionsFromJSON;
  if (native) return native.call(PublicKeyCredential, json);
  return {
    ...json,
    challenge: toBytes(json.challenge),
    user: { ...json.user, id: toBytes(json.user.id) },
    excludeCredentials: readList(json.excludeCredentials),
  };
}

export function written(credential) {
  if (credential.toJSON) return JSON.stringify(credential.toJSON());
  const { response } = credential;
  const members = { clientDataJSON: toText(response.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[name]) members[name] = toText(response[name]);
  }
  if (response.getTransports) members.transports = response.getTransports();
  const { id, type } = credential;
  return JSON.stringify({ id, rawId: id, type, response: members });
}

const token = () => document.querySelector("[name=csrf_token]").value;

// The server's answer is options, or something went wrong: "throttled", or the page is out of date.
export async function optionsFrom(url) {
  const headers = { "X-CSRFToken": token(), Accept: "application/json" };
  const answer = await fetch(url, { method: "POST", headers });
  if (answer.status === 429) throw new DOMException("", "ThrottledError");
  if (!answer.ok || answer.redirected) throw new DOMException("", "StaleError");
  return answer.json();
}

export function post(url, values) {
  const body = new URLSearchParams({ csrf_token: token(), ...values });
  return fetch(url, { method: "POST", body });
}

// As an ordinary form, so that the browser follows wherever the sign-in leads.
export function send(action, values) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = action;
  form.hidden = true;
  for (const [name, value] of Object.entries({ csrf_token: token(), ...values })) {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    input.value = value;
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}

const WORDS = {
  AbortError: "cancelled",
  NotAllowedError: "cancelled",
  InvalidStateError: "there",
  NotSupportedError: "unsupported",
  SecurityError: "unsupported",
  ThrottledError: "throttled",
};

// The words come from the page, so that they can be translated.
export const wordsFor = (element, error) => element.dataset[WORDS[error.name] ?? "failed"];

// A button does one thing at a time and says how it ended.
export function onPress(element, ceremony) {
  const button = element.querySelector("[data-passkey-start]");
  const said = element.querySelector("[data-passkey-said]");
  button.addEventListener("click", async () => {
    if (button.getAttribute("aria-busy")) return;
    said.textContent = "";
    button.setAttribute("aria-busy", "true");
    try {
      await ceremony();
    } catch (error) {
      said.textContent = wordsFor(element, error);
      button.removeAttribute("aria-busy");
    }
  });
  // The back button may bring the page back as it was left.
  addEventListener("pageshow", (event) => {
    if (event.persisted) button.removeAttribute("aria-busy");
  });
}
