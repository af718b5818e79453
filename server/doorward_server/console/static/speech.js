// Speaks what the server says should be spoken, one sentence after another.
//
// Browsers block sound that nobody asked for: until a click allows it the page says so in large letters, and
// sentences that could not be spoken are counted. Alarms stay unheard until somebody acknowledges them.

"use strict";

(function () {
  const muted = document.getElementById("muted");
  if (!muted) return;
  const button = muted.querySelector("button");
  const missed = muted.querySelector("[data-missed]");
  const player = new Audio();
  const waiting = [];
  const LONGEST_QUEUE = 12; // Old arrivals are of no use to anybody; alarms are repeated on the page anyway.
  let speaking = false;
  let silent = 0;

  function blocked() {
    muted.classList.remove("hidden");
    silent += 1;
    missed.textContent = String(silent);
  }

  async function next() {
    const address = waiting.shift();
    if (!address) { speaking = false; return; }
    speaking = true;
    player.src = address;
    try {
      await player.play();
    } catch (error) {
      if (error.name === "NotAllowedError") { blocked(); waiting.length = 0; speaking = false; } else { next(); }
    }
  }

  player.addEventListener("ended", next);
  player.addEventListener("error", next);

  document.addEventListener("doorward:event", (event) => {
    for (const address of event.detail.speech || []) {
      waiting.push(address);
      if (waiting.length > LONGEST_QUEUE) waiting.shift();
    }
    if (!speaking) next();
  });

  button.addEventListener("click", async () => {
    player.src = muted.dataset.test;
    try {
      await player.play();
      speaking = true;
      silent = 0;
      muted.classList.add("hidden");
    } catch { /* still blocked: the banner stays */ }
  });

  // Ask once at the start whether sound is allowed, with a clip that says so.
  player.src = muted.dataset.test;
  player.play().then(() => { speaking = true; }, () => { muted.classList.remove("hidden"); });
})();
