// SPDX-License-Identifier: Apache-2.0
// The page of keys: says whether single keys are on in this browser, and turns them on or off (desk.js looks there).
(() => {
  "use strict";
  const now = document.querySelector("[data-keys-now]"), turn = document.querySelector("[data-keys-turn]");
  if (!now || !turn) return;
  const show = () => {
    const off = localStorage.getItem("keys") === "off";
    now.textContent = off ? now.dataset.off : now.dataset.on;
    turn.textContent = off ? turn.dataset.on : turn.dataset.off;
  };
  turn.hidden = false;
  turn.addEventListener("click", () => {
    if (localStorage.getItem("keys") === "off") localStorage.removeItem("keys");
    else localStorage.setItem("keys", "off");
    show();
  });
  show();
})();
