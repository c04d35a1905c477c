// SPDX-License-Identifier: Apache-2.0
// What scripts add to pages that work without them: focus on what is wrong, keys, drafts that save themselves, a
// warning before what was written is left, and the lock page when nobody has been here for a while.
(() => {
  "use strict";
  const one = (s) => document.querySelector(s);

  // ── after a form was sent: on to what is wrong, else to the heading of what came of it ──
  const SENT = "sent", faults = one("[data-focus]"), heading = one("main h1");
  const came = sessionStorage.getItem(SENT);
  sessionStorage.removeItem(SENT);
  if (faults) faults.focus();
  else if (came && heading && !location.hash && document.activeElement === document.body) {
    heading.tabIndex = -1;
    heading.focus();
  }
  document.addEventListener("submit", () => sessionStorage.setItem(SENT, "yes"));

  // ── a file takes a while on a slow line: say that it is on its way ──
  document.addEventListener("submit", (e) => {
    const said = document.body.dataset.uploading;
    if (!said || ![...e.target.querySelectorAll("input[type=file]")].some((field) => field.files.length)) return;
    const line = document.createElement("p"), bar = document.createElement("progress");
    line.setAttribute("role", "status");
    bar.setAttribute("aria-label", said);
    line.append(bar, " ", said);
    e.target.append(line);
  });

  // ── keys; none inside a field, and none at all where they were switched off ──
  const off = () => localStorage.getItem("keys") === "off";
  let before = "";
  const go = { b: "/", i: "/inbox" };
  const rows = () => [...document.querySelectorAll(".todo li a, .row-link")];
  document.addEventListener("keydown", (e) => {
    const within = e.target.closest && e.target.closest("form");
    const form = within ? within.closest("form[data-send]") : one("form[data-send]");
    if (e.ctrlKey && e.key === "Enter" && form) { e.preventDefault(); form.requestSubmit(); return; }
    if (off() || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
    if (e.target.closest("input, textarea, select, [contenteditable]")) return;
    const all = rows(), at = all.indexOf(document.activeElement);
    if (before === "g" && go[e.key]) { location.href = go[e.key]; return; }
    before = e.key;
    if (e.key === "/" && one("#find")) { e.preventDefault(); one("#find").focus(); }
    else if (e.key === "n") { const a = one("[data-key=n]"); if (a) a.click(); }
    else if (e.key === "?") { const a = one("[data-key=help]"); if (a) a.click(); }
    else if (e.key === "j" && all.length) all[Math.min(at + 1, all.length - 1)].focus();
    else if (e.key === "k" && all.length) all[Math.max(at - 1, 0)].focus();
  });

  // ── what was written: saved by itself where the form says where to, else guarded ──
  for (const form of document.querySelectorAll("form[data-autosave], form[data-guard]")) {
    let changed = false, timer = 0, sent = false;
    // each sending says its turn: a save that is late on the line must not undo what was written and sent after it
    const page = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");
    form.addEventListener("formdata", (e) => e.formData.set("turn", page + " " + Date.now()));
    addEventListener("pageshow", () => { sent = false; });
    const said = form.querySelector("[data-saved]");
    const save = async () => {
      if (!form.dataset.autosave || sent) return;
      const body = new FormData(form);
      for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
      try {
        const answer = await fetch(form.dataset.autosave, {
          method: "POST", body, credentials: "same-origin", redirect: "manual",
        });
        if (answer.ok) { changed = false; if (said) said.textContent = await answer.text(); }
      } catch { /* the page still holds what was written */ }
    };
    form.addEventListener("input", () => { changed = true; clearTimeout(timer); timer = setTimeout(save, 2000); });
    form.addEventListener("submit", () => { sent = true; changed = false; });
    addEventListener("beforeunload", (e) => { if (changed && !sent) e.preventDefault(); });
  }

  // ── nobody here: the page that shows a person goes away; the server locks by its own clock in any case ──
  const idle = Number(document.body.dataset.lockAfter || 0) * 1000;
  if (idle) {
    let last = Date.now();
    for (const kind of ["keydown", "pointerdown", "scroll"]) addEventListener(kind, () => { last = Date.now(); }, { passive: true });
    setInterval(async () => {
      if (Date.now() - last < idle) return;
      location.href = "/locked?next=" + encodeURIComponent(location.pathname + location.search);
    }, 5000);
  }

  for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
  for (const menu of document.querySelectorAll("details.me")) {
    menu.addEventListener("keydown", (e) => { if (e.key === "Escape") { menu.open = false; menu.querySelector("summary").focus(); } });
  }
})();
