// Light or dark: what the person chose here, else what their system asks for. Loaded before the page is drawn.
"use strict";
(() => {
  const key = "carepost-theme";
  const system = window.matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const draw = () => {
    const theme = chosen() || (system.matches ? "dark" : "light");
    document.documentElement.setAttribute("data-bs-theme", theme);
    document.querySelectorAll("[data-theme-toggle]").forEach((button) => {
      button.hidden = false;
      button.textContent = theme === "dark" ? "Light colours" : "Dark colours";
    });
  };
  draw();
  system.addEventListener("change", draw);
  document.addEventListener("DOMContentLoaded", draw);
  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("[data-theme-toggle]")) return;
    const next = document.documentElement.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    try { localStorage.setItem(key, next); } catch { /* private mode: the choice lasts for this page */ }
    document.documentElement.setAttribute("data-bs-theme", next);
    draw();
  });
})();
