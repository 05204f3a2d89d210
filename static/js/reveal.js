// Show or hide a password. The button's name stays the same; aria-pressed tells the state.
for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);

  const show = (visible) => {
    const { selectionStart, selectionEnd } = input;
    input.type = visible ? "text" : "password";
    button.setAttribute("aria-pressed", String(visible));
    if (document.activeElement === input) input.setSelectionRange(selectionStart, selectionEnd);
  };

  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  // Password managers and the browser's form history must see a password when it is sent.
  input.form?.addEventListener("submit", () => show(false));
  addEventListener("pageshow", () => show(false));
}
