// Counts down to the moment when trying again makes sense. Only the end is read out.
for (const element of document.querySelectorAll("[data-countdown]")) {
  const { seconds, minutes, over } = element.dataset;
  const end = Date.now() + Number(element.dataset.countdown) * 1000;
  element.setAttribute("aria-live", "off");

  const timer = setInterval(() => {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left <= 0) {
      clearInterval(timer);
      element.setAttribute("aria-live", "polite");
      element.textContent = over;
    } else if (left <= 90) {
      element.textContent = seconds.replace("{n}", left);
    } else {
      element.textContent = minutes.replace("{n}", Math.ceil(left / 60));
    }
  }, 1000);
}
