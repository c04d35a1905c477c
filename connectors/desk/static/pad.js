// SPDX-License-Identifier: Apache-2.0
// A frame in which a person signs with pen, finger or mouse; the strokes go with the form.
(() => {
  "use strict";
  const frame = document.querySelector("form [data-pad]");
  if (!frame) return;
  const form = frame.closest("form");

  const pad = frame, field = form.elements.strokes;
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
