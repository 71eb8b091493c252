// The page "Write": while somebody types, how each copy will go is asked again and what is written is kept as a draft.
// Without script the button "Look again" does the same.
"use strict";
(() => {
  const form = document.getElementById("write");
  if (!form) return;
  const outlook = document.getElementById("outlook");
  const lost = document.getElementById("lost");
  const kept = document.getElementById("kept");
  const reason = document.getElementById("reason-box");
  const PAUSE = 800, LATER = 16000;
  let timer = 0, running = null, asked = 0;

  const fields = () => {
    const data = new URLSearchParams();
    for (const element of form.elements) {
      if (element.name && element.type !== "file" && element.tagName !== "BUTTON") data.set(element.name, element.value);
    }
    return data;
  };

  const look = async () => {
    if (running) running.abort();
    running = new AbortController();
    const mine = ++asked;
    outlook.setAttribute("aria-busy", "true");
    try {
      // a redirect is the way to sign in: what is written stays here instead
      const answer = await fetch(form.dataset.look, { method: "POST", body: fields(), signal: running.signal, redirect: "manual", credentials: "same-origin" });
      if (mine !== asked) return;
      lost.hidden = answer.ok || (answer.type !== "opaqueredirect" && answer.status !== 403);
      if (!answer.ok) return;
      // our own page's fragment, from our own server; it holds no script, and none would run
      outlook.innerHTML = await answer.text();
      if (outlook.querySelector("[data-reason]")) reason.hidden = false;
      const draft = answer.headers.get("Carepost-Draft");
      if (draft && form.elements.draft.value !== draft) {
        form.elements.draft.value = draft;
        history.replaceState(null, "", `${form.dataset.at}/${draft}`);
      }
      if (answer.headers.get("Carepost-Saved") === "no") later(LATER);
      else if (draft) kept.textContent = "Kept as a draft, encrypted, for you alone.";
    } catch (error) {
      if (error.name !== "AbortError") kept.textContent = "The server does not answer just now; what you write is not kept yet.";
    } finally {
      if (mine === asked) outlook.setAttribute("aria-busy", "false");
    }
  };

  const later = (time) => {
    clearTimeout(timer);
    timer = setTimeout(look, time);
  };

  form.addEventListener("input", (event) => {
    if (event.target.type === "file") return;
    kept.textContent = "";
    later(PAUSE);
  });
  // a look that is answered after the form was sent would begin a second draft
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    if (running) running.abort();
  });
})();
