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
  // Passkeys: the pages of the sign-in library bring their own script; this one sends the forms of ours.
  document.querySelectorAll("form[data-once]").forEach((form) => {
    form.addEventListener("submit", () => {
      form.querySelectorAll("button").forEach((button) => { button.disabled = true; });
    });
  });
})();
