// Takes an answer to the application. It is good for one use, so coming back to this page sends nothing.
const [visit] = performance.getEntriesByType("navigation");
const form = document.querySelector("form[data-hand-over]");
if (form && visit?.type !== "back_forward") form.requestSubmit();
