// Turns times into the reader's own zone, named; what the server wrote (UTC) stays as the tooltip.
"use strict";
(() => {
  const whole = { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hour12: false, timeZoneName: "short" };
  const exact = { ...whole, second: "2-digit" };
  const turn = (root) => root.querySelectorAll("time[datetime]:not([data-turned])").forEach((node) => {
    const at = new Date(node.getAttribute("datetime"));
    if (Number.isNaN(at.getTime())) return;
    node.title = node.textContent;
    node.textContent = new Intl.DateTimeFormat("en-GB", node.hasAttribute("data-exact") ? exact : whole).format(at);
    node.setAttribute("data-turned", "");
  });
  turn(document);
  document.addEventListener("htmx:afterSwap", (event) => turn(event.target));
})();
