// Keeps a page's parts in step with the server: every element with data-part is fetched again when an event arrives.
//
// The server renders each part (the same template as the first page load), so there is one source of what is shown.
// A part is replaced only when its text has changed, so typing and focus survive. When the connection is lost the
// page says so in large letters; EventSource reconnects by itself and the parts are fetched again.

"use strict";

(function () {
  const body = document.body;
  const source = body.dataset.events;
  if (!source) return;

  const lost = document.getElementById("connection-lost");
  const parts = Array.from(document.querySelectorAll("[data-part]"));
  const shown = new Map();
  let running = false;
  let again = false;

  async function refresh() {
    if (running) { again = true; return; }
    running = true;
    do {
      again = false;
      await Promise.all(parts.map(refreshPart));
    } while (again);
    running = false;
  }

  async function refreshPart(part) {
    let answer;
    try {
      answer = await fetch(part.dataset.part, { credentials: "same-origin" });
    } catch {
      return; // The connection banner tells; the next event or reconnection tries again.
    }
    if (answer.redirected || answer.status === 401) { location.reload(); return; }
    if (!answer.ok) return;
    const text = await answer.text();
    if (shown.get(part) === text) return;
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    const typed = new Map(Array.from(part.querySelectorAll("input[id]"), (field) => [field.id, field.value]));
    const scrolled = Array.from(part.querySelectorAll("[data-keep-scroll]"), (element) => element.scrollTop);
    part.innerHTML = text;
    shown.set(part, text);
    for (const [id, value] of typed) {
      const field = document.getElementById(id);
      if (field && value && field.type !== "hidden") field.value = value;
    }
    part.querySelectorAll("[data-keep-scroll]").forEach((element, i) => { element.scrollTop = scrolled[i] || 0; });
    if (focused) document.getElementById(focused)?.focus();
    document.dispatchEvent(new CustomEvent("doorward:part", { detail: part.id }));
  }

  const events = new EventSource(source);
  events.addEventListener("open", () => { lost.classList.add("hidden"); refresh(); });
  events.addEventListener("error", () => { lost.classList.remove("hidden"); });
  events.addEventListener("message", (event) => {
    document.dispatchEvent(new CustomEvent("doorward:event", { detail: JSON.parse(event.data) }));
    refresh();
  });
  window.addEventListener("pagehide", () => events.close());

  const clock = document.getElementById("clock");
  if (clock) {
    // The server's time, kept by the monotonic clock: a desk's own clock may be wrong.
    const offset = Number(clock.dataset.now) - performance.now();
    const format = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: clock.dataset.zone });
    const tick = () => { clock.textContent = format.format(new Date(offset + performance.now())); };
    tick();
    setInterval(tick, 1000);
  }
})();
