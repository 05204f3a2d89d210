// Says in a form whether this device can make passkeys, so that only who can is asked for one.
import { supported } from "./passkey-ceremony.js";

const able = async () =>
  supported && (await PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable?.());

for (const field of document.querySelectorAll("[data-passkey-able]")) {
  able().then(
    (yes) => {
      if (yes) field.value = "yes";
    },
    () => {}, // a browser that won't say is not asked
  );
}
