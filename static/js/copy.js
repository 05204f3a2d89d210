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
  const status = document.createElement("span");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");
  button.after(status);
  button.hidden = false;

  const say = (done) => {
    label.textContent = done ? button.dataset.done : text;
    status.textContent = done ? button.dataset.done : "";
  };

  button.addEventListener("click", async () => {
    if (!(await copy(document.getElementById(button.dataset.copy)))) return;
    say(true);
    setTimeout(say, SHOWN, false);
  });
}
