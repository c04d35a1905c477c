// SPDX-License-Identifier: Apache-2.0
// Without a signal the form stays as it is and goes out by itself when there is one; nothing is stored in the browser.
(() => {
  "use strict";
  const form = document.querySelector("form[data-offline]");
  if (!form) return;
  const note = form.querySelector("[data-offline-note]");
  let button = null;
  form.addEventListener("submit", (e) => {
    if (navigator.onLine) return;
    e.preventDefault();
    button = e.submitter;
    note.hidden = false;
    note.scrollIntoView({ block: "center" });
  });
  addEventListener("online", () => {
    if (note.hidden) return;
    note.hidden = true;
    form.requestSubmit(button || undefined);
  });
})();
