// Makes a passkey and sends it as an ordinary form; fields of the page's own form can go along.
import { onPress, optionsFrom, readCreation, send, supported, written } from "./passkey-ceremony.js";

for (const element of document.querySelectorAll("[data-passkey-create]")) {
  element.hidden = false;
  if (!supported) {
    element.querySelector("[data-passkey-start]").hidden = true;
    element.querySelector("[data-passkey-said]").textContent = element.dataset.unsupported;
    continue;
  }
  onPress(element, async () => {
    const publicKey = readCreation(await optionsFrom(element.dataset.options));
    const credential = await navigator.credentials.create({ publicKey });
    send(element.dataset.action, { response: written(credential) });
  });
}
