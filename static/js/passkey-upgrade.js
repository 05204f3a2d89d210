// After a sign-in by password: lets the browser make a passkey without asking anything, where its
// password manager offers that (conditional create). Nothing is said when it does not.
import { optionsFrom, post, readCreation, supported, written } from "./passkey-ceremony.js";

export async function upgrade(element) {
  const able = await PublicKeyCredential.getClientCapabilities?.();
  if (!able?.conditionalCreate) return;
  try {
    const publicKey = readCreation(await optionsFrom(element.dataset.options));
    const credential = await navigator.credentials.create({ publicKey, mediation: "conditional" });
    await post(element.dataset.action, { response: written(credential) });
  } catch {
    // The person did not ask for it, so there is nothing to tell them.
  }
}

const element = document.querySelector("[data-upgrade]");
if (element && supported) upgrade(element);
