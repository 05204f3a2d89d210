// The applications in the frames have been told once everything is loaded; then it goes on.
const PATIENCE = 3000; // milliseconds: no application can hold anybody up
const onward = document.querySelector("[data-onward]");

if (onward) {
  let gone = false;
  const go = () => {
    if (!gone) location.replace(onward.href);
    gone = true;
  };
  if (document.readyState === "complete") go();
  addEventListener("load", go);
  setTimeout(go, PATIENCE);
}
