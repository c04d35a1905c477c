// SPDX-License-Identifier: Apache-2.0
// What scripts add to the intake form: the sentence that follows the boxes, and a frame to sign in.
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

  // ── the frame to sign in ──
  const pad = form.querySelector("[data-pad]"), field = form.elements.strokes;
  const picture = pad.querySelector("svg"), ns = "http://www.w3.org/2000/svg";
  pad.hidden = false;
  form.querySelector("[data-no-script]").hidden = true;
  let strokes = [], stroke = null, path = null, begun = 0;
  try { strokes = JSON.parse(field.value || "[]"); } catch { strokes = []; }
  const at = (e) => {
    const box = picture.getBoundingClientRect();
    const within = (v, most) => Math.round(Math.min(Math.max(v, 0), most) * 10) / 10;
    begun = begun || e.timeStamp;
    return [within((e.clientX - box.left) / box.width * 400, 400), within((e.clientY - box.top) / box.height * 120, 120), Math.min(Math.round(e.timeStamp - begun), 3599999)];
  };
  const draw = () => path.setAttribute("d", "M" + stroke.map(([x, y]) => x + " " + y).join("L") + (stroke.length === 1 ? "h.1" : ""));
  picture.addEventListener("pointerdown", (e) => {
    e.preventDefault();
    picture.setPointerCapture(e.pointerId);
    path = picture.appendChild(document.createElementNS(ns, "path"));
    stroke = [at(e)];
    draw();
  });
  picture.addEventListener("pointermove", (e) => { if (stroke) { stroke.push(at(e)); draw(); } });
  const end = () => {
    if (!stroke) return;
    strokes.push(stroke);
    stroke = null;
    field.value = JSON.stringify(strokes);
    const own = form.querySelector("input[name=method][value=pad]");
    own.checked = true;
    form.dispatchEvent(new Event("input", { bubbles: true }));
  };
  picture.addEventListener("pointerup", end);
  picture.addEventListener("pointercancel", end);
  pad.querySelector("[data-pad-clear]").addEventListener("click", (e) => {
    e.preventDefault();
    strokes = [];
    begun = 0;
    field.value = "";
    picture.replaceChildren();
    form.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
