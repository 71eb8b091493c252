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
      if (element.type === "checkbox" && !element.checked) continue;
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
      const at = `${form.dataset.at}/${draft}`;
      if (draft && location.pathname !== at) {
        form.elements.draft.value = draft;
        history.replaceState(null, "", at);
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

  // Formatting: the buttons write the same marks a person can type.
  const text = form.elements.text, formatted = form.elements.formatted, marks = document.getElementById("marks");
  const offered = () => { marks.hidden = !formatted.checked; };
  const put = (words, from, to) => {
    text.focus();
    text.setRangeText(words, text.selectionStart, text.selectionEnd, "end");
    text.setSelectionRange(from, to);
    text.dispatchEvent(new Event("input", { bubbles: true }));
  };
  marks.addEventListener("click", (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (!button) return;
    const from = text.selectionStart, chosen = text.value.slice(from, text.selectionEnd);
    const { mark, line } = button.dataset;
    if (mark) put(mark + chosen + mark, from + mark.length, from + mark.length + chosen.length);
    else if (line) {
      const start = from && text.value[from - 1] !== "\n" ? "\n" : "";
      const made = start + chosen.split("\n").map((one) => line + one).join("\n");
      put(made, from + made.length, from + made.length);
    } else {
      const made = `[${chosen || "words"}](https://)`;
      put(made, from + made.length - 1, from + made.length - 1);
    }
  });
  formatted.addEventListener("change", offered);
  offered();

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
