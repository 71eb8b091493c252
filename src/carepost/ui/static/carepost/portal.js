// Comforts of the recipients' pages. Each page works without them.
"use strict";
(() => {
  // Resend: the server enforces the same wait; here the button says how long it is.
  document.querySelectorAll("button[data-wait]").forEach((button) => {
    const label = button.textContent;
    let left = Number(button.dataset.wait);
    const tick = () => {
      button.disabled = left > 0;
      button.textContent = left > 0 ? `${label} (in ${left} s)` : label;
      if (left > 0) { left -= 1; setTimeout(tick, 1000); }
    };
    tick();
  });

  // Draft: saved two seconds after the last key, and said so.
  const draft = document.querySelector("form[data-draft]");
  if (draft) {
    const text = draft.querySelector("textarea");
    const said = document.querySelector("[data-draft-state]");
    let timer = 0;
    const save = async () => {
      const body = new FormData();
      body.set("csrfmiddlewaretoken", draft.elements.csrfmiddlewaretoken.value);
      body.set("text", text.value);
      try {
        const answer = await fetch(draft.dataset.draft, { method: "POST", body, credentials: "same-origin", headers: { Accept: "application/json" } });
        if (!answer.ok) throw new Error(String(answer.status));
        said.textContent = "Draft saved.";
      } catch {
        said.textContent = "The draft could not be saved. Your text is still on this page.";
      }
    };
    text.addEventListener("input", () => {
      said.textContent = "Not saved yet.";
      clearTimeout(timer);
      timer = setTimeout(save, 2000);
    });
  }

  // Attachments: total size against the limit, progress while they travel, and a way to stop.
  const form = document.querySelector("form[data-upload]");
  if (form && window.XMLHttpRequest) {
    const files = form.querySelector("input[type=file]");
    const total = form.querySelector("[data-upload-total]");
    const bar = form.querySelector("[data-upload-bar]");
    const cancel = form.querySelector("[data-upload-cancel]");
    const limit = Number(form.dataset.upload);
    const size = (octets) => (octets < 1e6 ? `${Math.ceil(octets / 1e3)} KB` : `${(octets / 1e6).toFixed(1)} MB`);
    const chosen = () => Array.from(files.files).reduce((sum, file) => sum + file.size, 0);
    files.addEventListener("change", () => {
      const sum = chosen();
      total.textContent = sum > limit
        ? `These files have ${(sum / 1e6).toFixed(1)} MB together; at most ${(limit / 1e6).toFixed(0)} MB can be sent. Choose fewer or smaller files.`
        : files.files.length ? `${files.files.length === 1 ? "1 file" : `${files.files.length} files`} chosen, ${size(sum)}.` : "";
    });
    form.addEventListener("submit", (event) => {
      if (event.submitter && event.submitter.hasAttribute("formnovalidate")) return;
      if (chosen() > limit) { event.preventDefault(); files.focus(); return; }
      if (!chosen()) return;
      event.preventDefault();
      const request = new XMLHttpRequest();
      request.open("POST", form.action);
      bar.hidden = cancel.hidden = false;
      request.upload.addEventListener("progress", (step) => {
        if (!step.lengthComputable) return;
        bar.max = step.total; bar.value = step.loaded;
        total.textContent = `${Math.floor((100 * step.loaded) / step.total)} % sent`;
      });
      request.addEventListener("load", () => {
        if (request.responseURL && request.responseURL !== form.action) { window.location.assign(request.responseURL); return; }
        // The answer is this page with the errors in words.
        const page = new DOMParser().parseFromString(request.responseText, "text/html");
        const main = page.querySelector("main");
        if (main) { document.querySelector("main").replaceWith(main); main.focus(); }
      });
      const stop = (text) => { bar.hidden = cancel.hidden = true; total.textContent = text; };
      request.addEventListener("error", () => stop("The connection was lost. Nothing was sent; press Send to try again."));
      request.addEventListener("abort", () => stop("Stopped. Nothing was sent."));
      cancel.onclick = () => request.abort();
      request.send(new FormData(form));
    });
  }
})();
