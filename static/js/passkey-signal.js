// Tells the browser's passkey manager what the server knows (Signal API): which passkeys work
// still, and that one is gone. Browsers that can't be told are left alone.
const KEY = "doorward-passkey";

// What is about to be presented: if the server does not know it, the next page says so.
export function rememberForSignal(rpId, credentialId) {
  sessionStorage.setItem(KEY, JSON.stringify({ rpId, credentialId }));
}

export async function signalUnknown() {
  const remembered = sessionStorage.getItem(KEY);
  sessionStorage.removeItem(KEY);
  if (remembered) await told("signalUnknownCredential", JSON.parse(remembered));
}

// `accepted` is what `Passkeys.signal` returns: rpId, userId, allAcceptedCredentialIds.
export async function signalAccepted(accepted) {
  await told("signalAllAcceptedCredentials", accepted);
}

async function told(method, details) {
  try {
    await globalThis.PublicKeyCredential?.[method]?.(details);
  } catch {
    // It is advice, and not taken.
  }
}

// A page of the account console has it as JSON: data-signal-accepted.
const element = document.querySelector("[data-signal-accepted]");
if (element) signalAccepted(JSON.parse(element.dataset.signalAccepted));
