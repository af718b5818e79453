// Keeps a page in step with the server: every element with data-part is fetched again when an event arrives.
//
// The server renders each part with the template of the first page load, so there is one source of what is
// shown. A part is changed in place, element by element: what is typed, focused, scrolled or loaded stays.
// When the connection is lost the page says so in large letters, tries again, and is right again afterwards.
// When the login has ended the page goes away.

"use strict";

(function () {
  const source = document.body.dataset.events;
  if (!source) return;

  const RETRY_MS = 2000;
  const PATIENCE_MS = 10000;
  const SILENCE_MS = 50000; // The server says something at least every 20 s.
  const lost = document.getElementById("connection-lost");
  const said = document.getElementById("said");
  const parts = Array.from(document.querySelectorAll("[data-part]"));
  let stream = null;
  let silence = 0;
  let due = 0;
  let running = false;
  let again = false;

  // Parts --------------------------------------------------------------------------------------------------

  async function refresh() {
    if (running) { again = true; return; }
    running = true;
    let whole = true;
    do {
      again = false;
      whole = (await Promise.all(parts.map(refreshPart))).every(Boolean);
    } while (again);
    running = false;
    const soonest = Math.min(...Array.from(document.querySelectorAll("[data-stale-in]"), (one) => Number(one.dataset.staleIn)));
    clearTimeout(due);
    if (!whole) due = setTimeout(refresh, RETRY_MS);
    else if (Number.isFinite(soonest)) due = setTimeout(refresh, Math.min(soonest, 0x7fffffff));
  }

  // Whether the part shows what the server says now.
  async function refreshPart(part) {
    try {
      const answer = await fetch(part.dataset.part, { signal: AbortSignal.timeout(PATIENCE_MS) });
      if (answer.redirected || answer.status === 401) { location.reload(); return true; } // the login has ended
      if ([403, 404].includes(answer.status)) { location.assign("/"); return true; }
      if (!answer.ok) return false;
      const fresh = part.cloneNode(false);
      fresh.innerHTML = await answer.text();
      morph(part, fresh);
      return true;
    } catch {
      return false;
    }
  }

  // Give `old` the attributes and children of `fresh`, reusing the children that are there: by id, else by place.
  function morph(old, fresh) {
    for (const { name } of Array.from(old.attributes)) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    let place = old.firstChild;
    for (const wanted of Array.from(fresh.childNodes)) {
      const same = wanted.id ? Array.from(old.children).find((child) => child.id === wanted.id) : place;
      if (!same || same.nodeName !== wanted.nodeName || (same.id || "") !== (wanted.id || "")) {
        old.insertBefore(wanted, place);
        continue;
      }
      if (same === place) place = place.nextSibling; else old.insertBefore(same, place);
      if (same.nodeType === Node.ELEMENT_NODE) morph(same, wanted);
      else if (same.nodeValue !== wanted.nodeValue) same.nodeValue = wanted.nodeValue;
    }
    while (place) { const next = place.nextSibling; place.remove(); place = next; }
  }

  // Forms inside a part are sent without leaving the page; what the server has to say about it is shown above.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.closest("[data-part]")) return;
    event.preventDefault();
    const content = new URLSearchParams(new FormData(form));
    if (event.submitter?.name) content.set(event.submitter.name, event.submitter.value);
    const buttons = Array.from(form.querySelectorAll("button"));
    buttons.forEach((button) => { button.disabled = true; });
    said.replaceChildren();
    try {
      const headers = { accept: "text/html" };
      const answer = await fetch(form.action, { method: "POST", body: content, headers, signal: AbortSignal.timeout(PATIENCE_MS) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      said.replaceChildren(...page.querySelectorAll("[data-said]"));
    } catch {
      lost.hidden = false;
    }
    buttons.forEach((button) => { button.disabled = false; });
    refresh();
  });

  // Events -------------------------------------------------------------------------------------------------

  function listen() {
    stream?.close();
    stream = new EventSource(source);
    heard(); // a connection that never stands is as silent as one that stood
    stream.addEventListener("open", () => { heard(); lost.hidden = true; refresh(); });
    stream.addEventListener("alive", heard);
    stream.addEventListener("message", (event) => {
      heard();
      document.dispatchEvent(new CustomEvent("doorward:event", { detail: JSON.parse(event.data) }));
      refresh();
    });
    stream.addEventListener("error", () => {
      lost.hidden = false;
      if (stream.readyState !== EventSource.CLOSED) return; // it tries again by itself
      clearTimeout(silence);
      silence = setTimeout(listen, RETRY_MS);
      refresh(); // finds out whether the login has ended
    });
  }

  // A cable that was pulled tells nobody: after too long a silence the connection counts as lost.
  function heard() {
    clearTimeout(silence);
    silence = setTimeout(() => { lost.hidden = false; listen(); }, SILENCE_MS);
  }

  window.addEventListener("pagehide", () => { clearTimeout(silence); stream.close(); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  listen();

  // The server's time, kept by the monotonic clock: a desk's own clock may be wrong.
  const clock = document.getElementById("clock");
  const offset = Number(clock.dataset.now) - performance.now();
  const format = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: clock.dataset.zone });
  const tick = () => { clock.textContent = format.format(new Date(offset + performance.now())); };
  tick();
  setInterval(tick, 1000);
})();
