// SPDX-License-Identifier: Apache-2.0
// Close at once: the page goes away without a trace in "back", by the button or by three times Shift.
(() => {
  "use strict";
  const leave = document.querySelector("[data-leave]");
  if (!leave) return;
  const go = () => { document.body.hidden = true; location.replace(leave.href); };
  leave.addEventListener("click", (e) => { e.preventDefault(); go(); });
  let pressed = 0, timer = 0;
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Shift" || e.repeat) { if (e.key !== "Shift") pressed = 0; return; }
    pressed += 1;
    clearTimeout(timer);
    timer = setTimeout(() => { pressed = 0; }, 3000);
    if (pressed === 3) go();
  });
})();
