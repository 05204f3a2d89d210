// Copies the text of another element; without the clipboard it selects the text instead.
const SHOWN = 2000; // milliseconds that the answer stays

async function copy(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return false;
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const label = button.querySelector("[data-copy-text]");
  const text = label.textContent;
  label.setAttribute("role", "status");
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (!(await copy(document.getElementById(button.dataset.copy)))) return;
    label.textContent = button.dataset.done;
    setTimeout(() => {
      label.textContent = text;
    }, SHOWN);
  });
}
