// Speaks what the server says should be spoken, one sentence after another.
//
// Browsers block sound that nobody asked for: until a click allows it the page says so in large letters, and
// sentences that could not be spoken are counted. Alarms stay unheard until somebody acknowledges them.

"use strict";

(function () {
  const muted = document.getElementById("muted");
  if (!muted) return;
  const missed = muted.querySelector("[data-missed]");
  const player = new Audio();
  const waiting = [];
  const LONGEST_QUEUE = 12; // Old arrivals are of no use to anybody; alarms stay on the page anyway.
  let speaking = false;
  let silent = 0;

  async function play(address) {
    speaking = true;
    player.src = address;
    try {
      await player.play();
      silent = 0;
      muted.hidden = true;
    } catch (error) {
      if (error.name !== "NotAllowedError") return; // "error" or "ended" goes on
      speaking = false;
      silent += waiting.length + (address === muted.dataset.test ? 0 : 1);
      waiting.length = 0;
      missed.textContent = String(silent);
      muted.hidden = false;
    }
  }

  function next() {
    speaking = false;
    if (waiting.length) play(waiting.shift());
  }

  player.addEventListener("ended", next);
  player.addEventListener("error", next);

  document.addEventListener("doorward:event", (event) => {
    waiting.push(...(event.detail.speech || []));
    waiting.splice(0, waiting.length - LONGEST_QUEUE);
    if (!speaking) next();
  });

  muted.querySelector("button").addEventListener("click", () => play(muted.dataset.test));

  // Asks at the start whether sound is allowed, with a clip that says so.
  play(muted.dataset.test);
})();
