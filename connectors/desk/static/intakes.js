// SPDX-License-Identifier: Apache-2.0
// What scripts add to the intake form: the sentence that follows the boxes (the frame to sign in: pad.js).
(() => {
  "use strict";
  const form = document.querySelector("form[data-sentence-url]");
  if (!form) return;

  // ── the sentence that is read aloud ──
  const place = form.querySelector("[data-sentence]");
  const watched = /^(m|until|no\d_.*)$/;
  let timer = 0;
  const renew = async () => {
    const body = new FormData(form);
    for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
    try {
      const answer = await fetch(form.dataset.sentenceUrl, { method: "POST", body, credentials: "same-origin", redirect: "manual" });
      if (answer.ok) place.innerHTML = await answer.text();
    } catch { /* the button does the same */ }
  };
  form.addEventListener("change", (e) => {
    if (!watched.test(e.target.name || "")) return;
    if (e.target.name === "m") e.target.closest("td").classList.toggle("on", e.target.checked);
    clearTimeout(timer);
    timer = setTimeout(renew, 300);
  });
})();
