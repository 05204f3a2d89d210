// Tells an application, in a frame of whose page this runs, whether the sign-in that it knows still
// stands (OpenID Connect Session Management 1.0 section 3.2). The cookie it reads is worth nothing.
const cookie = `${document.body.dataset.cookie}=`;

function browserState() {
  const found = document.cookie.split("; ").find((each) => each.startsWith(cookie));
  return found ? found.slice(cookie.length) : "";
}

async function hashed(text) {
  const octets = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const digits = Array.from(new Uint8Array(octets), (octet) => octet.toString(16).padStart(2, "0"));
  return digits.join("");
}

async function judged(message, origin) {
  const [, client, hash, salt] = /^(\S+) ([0-9a-f]{64})\.(\S+)$/.exec(message) ?? [];
  if (!salt) return "error";
  const now = await hashed(`${client} ${origin} ${browserState()} ${salt}`);
  return now === hash ? "unchanged" : "changed";
}

// Only pages of the origin that frames this one are answered.
function isTheirs(event) {
  const framing = location.ancestorOrigins?.[0];
  return framing ? event.origin === framing : event.source === parent;
}

addEventListener("message", async (event) => {
  if (typeof event.data !== "string" || !event.source || !isTheirs(event)) return;
  const answer = await judged(event.data, event.origin).catch(() => "error");
  event.source.postMessage(answer, event.origin);
});
