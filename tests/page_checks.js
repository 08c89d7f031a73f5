// What is wrong with what a page shows: each function returns a list of it.
{
  // Controls, media and groups that a screen reader has no name for.
  nameless() {
    const shown = (e) => e.checkVisibility() && !e.closest("[aria-hidden=true]");
    const text = (id) => document.getElementById(id)?.textContent ?? "";
    const written = ["A", "BUTTON", "SUMMARY"];
    const named = (e) =>
      (e.getAttribute("aria-label") ?? "").trim() ||
      (e.getAttribute("aria-labelledby") ?? "").split(" ").map(text).join("").trim() ||
      [...(e.labels ?? [])].map((label) => label.textContent).join("").trim() ||
      (written.includes(e.tagName) ? e.textContent.trim() : "") ||
      e.getAttribute("alt") ||
      e.getAttribute("title");
    const asked =
      "a[href],button,input,select,textarea,summary,video,audio,iframe,progress," +
      "[role=group],[role=radiogroup],[role=slider],[tabindex='0']:not(p)";
    const found = [...document.querySelectorAll(asked)].filter((e) => shown(e) && !named(e));
    return found.map((e) => e.outerHTML.slice(0, 160));
  },

  // Text with less contrast than WCAG 2.2 AA asks for.
  pale() {
    const pen = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = color;
      pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      return [r, g, b, a / 255];
    };
    const over = (top, under) => [0, 1, 2].map((k) => top[k] * top[3] + under[k] * (1 - top[3]));
    const back = (e) => rgba(getComputedStyle(e).backgroundColor);
    const ground = (e) => {
      const layers = [];
      for (let at = e; at; at = at.parentElement) {
        layers.unshift(back(at));
        if (layers[0][3] > 0.99) break;
      }
      return layers.reduce((under, top) => over(top, under), back(document.documentElement));
    };
    const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    const light = (color) => {
      const [r, g, b] = color.map((v) => linear(v / 255));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const spared = "script,noscript,:disabled,[aria-disabled=true],.unseen,option,.skip";
    const found = new Set();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const words = walker.currentNode.textContent.trim(), e = walker.currentNode.parentElement;
      if (!words || !e.checkVisibility() || e.closest(spared)) continue;
      const style = getComputedStyle(e), size = parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.6 && style.fontWeight >= 700);
      const under = ground(e), both = [light(over(rgba(style.color), under)), light(under)];
      const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
      if (ratio < (large ? 3 : 4.5)) found.add(`${ratio.toFixed(2)} ${e.className} ${words}`);
    }
    return [...found];
  },

  // Ids that are there twice.
  twice() {
    const all = [...document.querySelectorAll("[id]")].map((e) => e.id);
    return all.filter((id, k) => all.indexOf(id) !== k);
  },

  // What a finger misses. A box around a face may be small: the same choice is beside it.
  small(least) {
    const asked = "a[href],button:not(.box),input:not([type=file]),select,textarea,summary";
    return [...document.querySelectorAll(asked)]
      .filter((e) => e.checkVisibility() && !e.closest(".skip"))
      .map((e) => [e, (e.closest("label") ?? e).getBoundingClientRect()])
      .filter(([, room]) => room.width < least - 0.5 || room.height < least - 0.5)
      .map(([e, room]) => `${room.width} x ${room.height} ${e.outerHTML.slice(0, 120)}`);
  },
}
