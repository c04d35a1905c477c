// SPDX-License-Identifier: Apache-2.0
// Passkeys: asks the hub for options, has the device answer, sends the answer, goes where the hub says.
// Without it (scripts off, an old browser) the buttons stay hidden and the one-time code beside them does the same.
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) return;
  const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const written = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  const post = async (path, body, guard) => {
    const answer = await fetch(path, {
      method: "POST", credentials: "same-origin", body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRFToken": guard },
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.said);
    return said;
  };
  const plain = (made) => {
    const r = made.response;
    const response = { clientDataJSON: written(r.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (r[name]) response[name] = written(r[name]);
    }
    if (r.getTransports) response.transports = r.getTransports();
    return { id: made.id, rawId: written(made.rawId), type: made.type, response };
  };
  const make = (options) => {
    options.challenge = bytes(options.challenge);
    options.user.id = bytes(options.user.id);
    for (const one of options.excludeCredentials || []) one.id = bytes(one.id);
    return navigator.credentials.create({ publicKey: options });
  };
  const ask = (options) => {
    options.challenge = bytes(options.challenge);
    return navigator.credentials.get({ publicKey: options });
  };

  for (const button of document.querySelectorAll("[data-passkey]")) {
    const place = button.closest("[data-passkey-place]"), said = place.querySelector("[data-passkey-said]");
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      said.textContent = "";
      const guard = button.dataset.guard;
      try {
        const options = await post(button.dataset.options, {}, guard);
        let made;
        try {
          made = await (button.dataset.passkey === "make" ? make(options) : ask(options));
        } catch { throw new Error(button.dataset.failed); }
        const done = await post(button.dataset.take, { credential: plain(made), next: place.dataset.next }, guard);
        location.assign(done.to);
      } catch (error) {
        said.textContent = error.message || button.dataset.failed;
        button.disabled = false;
      }
    });
  }
})();
