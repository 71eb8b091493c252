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
  // An open menu closes with Escape, or when the focus leaves it.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.querySelectorAll("details.cs-menu[open]").forEach((menu) => {
      menu.removeAttribute("open");
      menu.querySelector("summary").focus();
    });
  });
  document.addEventListener("focusin", (event) => {
    document.querySelectorAll("details.cs-menu[open]").forEach((menu) => {
      if (!menu.contains(event.target)) menu.removeAttribute("open");
    });
  });
  // On a telephone the navigation would take half of the first screen: there it opens when it is asked for.
  const narrow = window.matchMedia("(max-width: 47.99rem)");
  const fold = () => document.querySelectorAll("[data-fold]").forEach((menu) => { menu.open = !narrow.matches; });
  narrow.addEventListener("change", fold);
  fold();
  // Passkeys: the pages of the sign-in library bring their own script; this one sends the forms of ours.
  document.querySelectorAll("form[data-once]").forEach((form) => {
    form.addEventListener("submit", () => {
      form.querySelectorAll("button").forEach((button) => { button.disabled = true; });
    });
  });
})();
