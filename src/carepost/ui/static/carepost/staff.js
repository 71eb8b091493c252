// Comforts of the staff pages; each page works without them.
"use strict";
(() => {
  // Copy buttons: the text is on the page beside them.
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Select and copy it by hand";
    }
  });
  document.querySelectorAll("[data-copy]").forEach((button) => { button.hidden = false; });
  // On a telephone the groups of the navigation stand open, one under the other: they are no menus there.
  const narrow = window.matchMedia("(max-width: 47.99rem)");
  const open_ = "details.cs-menu[open], details.cs-group:not(.cs-spread)[open]";
  // An open menu closes with Escape, when the focus leaves it, and with a touch beside it.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll(open_).forEach((menu) => {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    });
  });
  document.addEventListener("click", (event) => {
    document.querySelectorAll(open_).forEach((menu) => {
      if (event.target instanceof Node && !menu.contains(event.target)) menu.removeAttribute("open");
    });
  });
  document.addEventListener("focusin", (event) => {
    document.querySelectorAll(open_).forEach((menu) => {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    });
  });
  // On a telephone the navigation would take half of the first screen: there it opens when it is asked for.
  const fold = () => {
    document.querySelectorAll("[data-fold]").forEach((menu) => { menu.open = !narrow.matches; });
    document.querySelectorAll("[data-group]").forEach((menu) => {
      // of those that share a name only one can stand open
      if (narrow.matches) menu.removeAttribute("name"); else menu.setAttribute("name", "navigation");
      menu.classList.toggle("cs-spread", narrow.matches);
      menu.open = narrow.matches;
    });
  };
  narrow.addEventListener("change", fold);
  fold();
  // A page that looks again by itself: what did not change is not put there anew, so that nobody hears it twice.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    if (target.textContent.trim() === fragment.textContent.trim()) event.detail.shouldSwap = false;
  });
  // The keyboard begins where something is to be done: at the first field with an error; on a page that is one small
  // form, at its first field.
  const begin = document.querySelector("main input.is-invalid, main textarea.is-invalid, main select.is-invalid")
    || document.querySelector("[data-entry] form input:not([type=hidden]):not([disabled])");
  if (begin && (!document.activeElement || document.activeElement === document.body)) begin.focus();
  // While a form is being sent its buttons rest, so that a second click asks for nothing. They come back with the page
  // (Back shows it as it was left) and after a while (the sending was stopped). A form that a file answers leaves the
  // page where it is: it says so with data-file, and its buttons stay.
  const resting = new Set();
  const wake = () => { resting.forEach((button) => { button.disabled = false; }); resting.clear(); };
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post" || form.target || form.hasAttribute("data-file")) return;
    // after the browser has read the form: a button that rests would not be sent along
    setTimeout(() => {
      [...form.elements].filter((one) => one.tagName === "BUTTON" && one.type === "submit" && !one.disabled)
        .forEach((button) => { button.disabled = true; resting.add(button); });
    }, 0);
    setTimeout(wake, 15000);
  });
  window.addEventListener("pageshow", wake);
})();
