// Two videos as one picture: the source left of the wipe, the output right of it.
const player = document.querySelector(".player");
if (player) {
  const [made, filmed] = ["output", "source"].map((name) => player.querySelector(`video.${name}`));
  const find = (selector) => player.querySelector(selector);
  const stage = find(".stage"), wipe = find(".wipe"), seek = find(".seek");
  const play = find(".play"), clock = find("output"), speed = find(".speed"), sound = find(".sound");
  const step = 1 / Number(player.dataset.rate || 25);

  const follow = () => {
    // The source runs beside the output; a frame apart is seen, so it is brought back.
    if (Math.abs(filmed.currentTime - made.currentTime) > step / 2) {
      filmed.currentTime = Math.min(made.currentTime, filmed.duration || made.currentTime);
    }
  };
  const show = () => {
    const length = made.duration || 0;
    clock.textContent = `${made.currentTime.toFixed(2)} / ${length.toFixed(2)} s`;
    if (length) seek.value = made.currentTime / length;
    for (const chart of document.querySelectorAll("svg[data-seconds]")) {
      const wide = Number(chart.dataset.right) - Number(chart.dataset.left);
      const x = (wide * made.currentTime) / Number(chart.dataset.seconds);
      const now = chart.querySelector(".now");
      now.setAttribute("transform", `translate(${Math.min(x, wide)} 0)`);
      now.style.visibility = "visible";
    }
  };
  const go = (seconds) => {
    made.currentTime = Math.max(0, Math.min(seconds, made.duration || seconds));
    filmed.currentTime = made.currentTime;
    show();
  };
  const toggle = () => (made.paused ? made.play() : made.pause());

  wipe.addEventListener("input", () => stage.style.setProperty("--wipe", `${wipe.value}%`));
  seek.addEventListener("input", () => go(seek.value * (made.duration || 0)));
  speed.addEventListener("change", () => {
    made.playbackRate = filmed.playbackRate = Number(speed.value);
  });
  sound.addEventListener("change", () => {
    made.muted = sound.value !== "output";
    filmed.muted = sound.value !== "source";
  });
  play.addEventListener("click", toggle);
  stage.addEventListener("click", toggle);
  for (const [name, frames] of [[".back", -1], [".on", 1]]) {
    find(name).addEventListener("click", () => {
      made.pause();
      go(made.currentTime + frames * step);
    });
  }
  made.addEventListener("play", () => { filmed.play(); play.textContent = "Pause"; });
  made.addEventListener("pause", () => { filmed.pause(); follow(); play.textContent = "Play"; });
  made.addEventListener("timeupdate", () => { follow(); show(); });
  made.addEventListener("loadedmetadata", show);
  for (const video of [made, filmed]) {
    video.addEventListener("error", () => {
      find(".broken").textContent =
        `This browser cannot play ${video.getAttribute("src")}: the file was moved, or its codec is not one of the web's. Open it in a player.`;
    });
    if (video.error) video.dispatchEvent(new Event("error"));
  }
  document.addEventListener("click", (event) => {
    const at = event.target.closest("[data-time]");
    if (!at) return;
    made.pause();
    go(Number(at.dataset.time));
    stage.scrollIntoView({ block: "nearest" });
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.matches("input,select,button")) return;
    if (event.key === " ") { event.preventDefault(); toggle(); }
    if (event.key === "ArrowLeft") find(".back").click();
    if (event.key === "ArrowRight") find(".on").click();
  });
}
