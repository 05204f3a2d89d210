// A field for a code: takes out what is no digit, sends once when all digits are there, and selects
// what was wrong.
for (const input of document.querySelectorAll("[data-digits]")) {
  const wanted = Number(input.dataset.digits);
  let sent = false;

  if (input.getAttribute("aria-invalid") === "true") {
    input.addEventListener("focus", () => input.select(), { once: true });
    if (document.activeElement === input) input.select();
  }

  input.addEventListener("input", (event) => {
    if (event.isComposing) return;
    const typed = input.value.normalize("NFKC").replace(/\D/g, "").slice(0, wanted);
    if (typed !== input.value) input.value = typed;
    if (typed.length !== wanted || sent) return;
    sent = true;
    input.form.requestSubmit();
  });
}
