// Says so while Caps Lock is on. The words come from the page, so that they can be translated.
for (const input of document.querySelectorAll("[data-caps]")) {
  const hint = document.getElementById(input.dataset.caps);

  const tell = (event) => {
    const on = event.getModifierState?.("CapsLock") ?? false;
    const text = on ? hint.dataset.text : "";
    if (hint.textContent !== text) hint.textContent = text;
  };

  input.addEventListener("keydown", tell);
  input.addEventListener("keyup", tell);
  input.addEventListener("mousedown", tell);
  input.addEventListener("blur", () => {
    hint.textContent = "";
  });
}
