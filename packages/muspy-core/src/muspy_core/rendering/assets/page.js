// One clock for a page: the player moves the cursor of the piano roll and colours the sounding notes of the score.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("notes").textContent);
  const byId = (id) => document.getElementById(id);
  const audio = byId("audio"), canvas = byId("roll"), score = byId("score");
  const colors = 12;
  const shown = data ? data.parts.map(() => true) : [];
  const notes = data ? collectNotes(data.parts) : [];
  const longest = notes.reduce((most, note) => Math.max(most, note.off - note.on), 0);
  let end = notes.reduce((most, note) => Math.max(most, note.off), 1000);

  // Notes of all parts in order of onset; `id` is what the score calls them.
  function collectNotes(parts) {
    const all = [];
    parts.forEach((part, index) => {
      const marked = new Set(part.marked || []);
      part.on.forEach((on, i) => all.push({
        on, off: Math.max(part.off[i], on + 1), pitch: part.pitch[i], part: index, id: `n${index}-${i}`,
        sure: part.sure ? part.sure[i] : 1, marked: marked.has(i),
      }));
    });
    return all.sort((a, b) => a.on - b.on);
  }

  // Index of the first note that begins at or after a time.
  function firstFrom(time) {
    let low = 0, high = notes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (notes[middle].on < time) low = middle + 1; else high = middle;
    }
    return low;
  }

  function soundingAt(time) {
    const found = [];
    for (let i = firstFrom(time - longest); i < notes.length && notes[i].on <= time; i++) {
      if (notes[i].off > time) found.push(notes[i]);
    }
    return found;
  }

  const now = () => (audio ? audio.currentTime * 1000 : 0);
  function seek(time) {
    if (!audio) return;
    audio.currentTime = Math.max(0, Math.min(time, audioEnd())) / 1000;
    update();
  }
  const audioEnd = () => (audio && isFinite(audio.duration) ? audio.duration * 1000 : end);

  // ---- piano roll

  const gutter = 46, headroom = 20;
  const pitches = notes.map((note) => note.pitch);
  const low = Math.max(Math.min(...pitches, 60) - 2, 0), high = Math.min(Math.max(...pitches, 60) + 2, 127);
  const view = { start: 0, span: end };
  let theme = {};

  function readTheme() {
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(name).trim();
    theme = {
      parts: Array.from({ length: colors }, (_, i) => value(`--part-${i}`)),
      key: value("--key"), blackRow: value("--black-row"), bar: value("--bar"), soft: value("--soft"),
      ink: value("--ink"), cursor: value("--cursor"), line: value("--line"), card: value("--card"),
      sans: value("--sans"),
    };
  }

  function limitView() {
    const full = Math.max(end, audioEnd());
    view.span = Math.min(Math.max(view.span, 500), full);
    view.start = Math.min(Math.max(view.start, 0), full - view.span);
  }

  function draw() {
    if (!canvas || !data) return;
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    const rows = high - low + 1, row = (height - headroom) / rows, scale = (width - gutter) / view.span;
    const x = (time) => gutter + (time - view.start) * scale;
    const y = (pitch) => headroom + (high - pitch) * row;
    g.fillStyle = theme.key;
    g.fillRect(0, 0, width, height);
    g.font = `11px ${theme.sans}`;
    g.textBaseline = "middle";
    for (let pitch = low; pitch <= high; pitch++) {
      if ([1, 3, 6, 8, 10].includes(pitch % 12)) {
        g.fillStyle = theme.blackRow;
        g.fillRect(gutter, y(pitch), width - gutter, row);
      }
      if (pitch % 12 === 0) {
        g.fillStyle = theme.line;
        g.fillRect(gutter, y(pitch) + row - 0.5, width - gutter, 1);
        g.fillStyle = theme.soft;
        g.textAlign = "right";
        g.fillText(`C${pitch / 12 - 1}`, gutter - 8, y(pitch) + row / 2);
      }
    }
    drawBars(g, x, width, height, scale);
    g.save();
    g.beginPath();
    g.rect(gutter, headroom, width - gutter, height - headroom);
    g.clip();
    const time = now(), until = view.start + view.span, thick = Math.max(row - 1, 1.5);
    for (let i = firstFrom(view.start - longest); i < notes.length && notes[i].on < until; i++) {
      const note = notes[i];
      if (!shown[note.part] || note.off < view.start) continue;
      const left = x(note.on), wide = Math.max((note.off - note.on) * scale - 1, 2), top = y(note.pitch) + (row - thick) / 2;
      const sounding = audio && note.on <= time && note.off > time && (time > 0 || !audio.paused);
      g.globalAlpha = 0.3 + 0.62 * note.sure + (sounding ? 0.08 : 0);
      g.fillStyle = theme.parts[note.part % colors];
      g.beginPath();
      g.roundRect(left, top, wide, thick, Math.min(2.5, thick / 2, wide / 2));
      g.fill();
      g.globalAlpha = 1;
      if (sounding) {
        g.strokeStyle = theme.ink;
        g.lineWidth = 1.5;
        g.stroke();
      }
      if (note.marked) drawMark(g, left + Math.min(wide / 2, 6), top - 5);
    }
    if (audio) {
      g.fillStyle = theme.cursor;
      g.fillRect(x(time) - 1, headroom, 2, height - headroom);
    }
    g.restore();
  }

  function drawMark(g, x, y) {
    g.fillStyle = theme.cursor;
    g.beginPath();
    g.moveTo(x, y - 4); g.lineTo(x + 4, y); g.lineTo(x, y + 4); g.lineTo(x - 4, y);
    g.closePath();
    g.fill();
  }

  function drawBars(g, x, width, height, scale) {
    const bars = data.bars;
    if (!bars.length) return drawSeconds(g, x, width, height, scale);
    const typical = (bars[bars.length - 1] - bars[0]) / Math.max(bars.length - 1, 1) * scale;
    const every = [1, 2, 4, 5, 8, 10, 20, 50, 100, 200].find((n) => n * typical >= 34) || 500;
    g.textAlign = "left";
    bars.forEach((time, index) => {
      const left = x(time), number = index + data.firstBar;
      if (left < gutter - 0.5 || left > width) return;
      const named = number % every === 0 || (number === 1 && every > 1);
      if (!named && typical < 6) return;
      g.fillStyle = theme.bar;
      g.globalAlpha = named ? 1 : 0.45;
      g.fillRect(left - 0.5, headroom, 1, height - headroom);
      g.globalAlpha = 1;
      if (named) {
        g.fillStyle = theme.soft;
        g.fillText(String(number), left + 3, headroom / 2);
      }
    });
  }

  function drawSeconds(g, x, width, height, scale) {
    const every = [1, 2, 5, 10, 15, 30, 60, 120, 300].find((n) => n * 1000 * scale >= 60) || 600;
    g.textAlign = "left";
    for (let second = Math.ceil(view.start / 1000 / every) * every; x(second * 1000) < width; second += every) {
      g.fillStyle = theme.bar;
      g.fillRect(x(second * 1000) - 0.5, headroom, 1, height - headroom);
      g.fillStyle = theme.soft;
      g.fillText(clock(second), x(second * 1000) + 3, headroom / 2);
    }
  }

  function zoom(factor, at) {
    const anchor = at === undefined ? view.start + view.span / 2 : at, before = view.span;
    view.span *= factor;
    limitView();
    view.start = anchor - (anchor - view.start) * view.span / before;
    limitView();
    draw();
  }

  function setUpRoll() {
    const timeAt = (event) => {
      const box = canvas.getBoundingClientRect();
      return view.start + (event.clientX - box.left - gutter) / (box.width - gutter) * view.span;
    };
    view.span = end <= 40000 ? end : Math.max(20000, end / 4);
    let drag = null;
    canvas.addEventListener("pointerdown", (event) => {
      drag = { x: event.clientX, start: view.start, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!drag) return;
      drag.moved = drag.moved || Math.abs(event.clientX - drag.x) > 4;
      if (!drag.moved) return;
      view.start = drag.start - (event.clientX - drag.x) / (canvas.clientWidth - gutter) * view.span;
      limitView();
      draw();
    });
    canvas.addEventListener("pointerup", (event) => {
      if (drag && !drag.moved) seek(timeAt(event));
      drag = null;
    });
    canvas.addEventListener("wheel", (event) => {
      if (event.ctrlKey || event.metaKey) {
        event.preventDefault();
        zoom(Math.exp(event.deltaY / 300), timeAt(event));
      } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey) {
        event.preventDefault();
        view.start += (event.deltaX || event.deltaY) / canvas.clientWidth * view.span;
        limitView();
        draw();
      }
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const actions = {
        ArrowLeft: () => { view.start -= view.span / 8; }, ArrowRight: () => { view.start += view.span / 8; },
        Home: () => { view.start = 0; }, End: () => { view.start = end; },
        "+": () => zoom(1 / 1.5), "=": () => zoom(1 / 1.5), "-": () => zoom(1.5), 0: showAll,
      };
      if (!actions[event.key]) return;
      event.preventDefault();
      actions[event.key]();
      limitView();
      draw();
    });
    const showAll = () => { view.start = 0; view.span = Infinity; limitView(); draw(); };
    byId("zoom-in").addEventListener("click", () => zoom(1 / 1.5));
    byId("zoom-out").addEventListener("click", () => zoom(1.5));
    byId("zoom-all").addEventListener("click", showAll);
    document.querySelectorAll(".legend button").forEach((button) => button.addEventListener("click", () => {
      const part = Number(button.dataset.part);
      shown[part] = !shown[part];
      button.setAttribute("aria-pressed", String(shown[part]));
      elements.forEach((element, id) => {
        if (partOf(id) === part) element.classList.toggle("hidden", !shown[part]);
      });
      draw();
    }));
    new ResizeObserver(draw).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readTheme(); draw(); });
  }

  // ---- score

  const elements = new Map();  // note id → its drawing; tied continuations have ids of their own
  const partOf = (id) => Number(id.slice(1).split("-")[0]);
  let lit = [], line = null;

  function setUpScore() {
    score.querySelectorAll("g.note").forEach((element) => {
      const id = element.dataset.id;
      if (!/^n\d+-\d+/.test(id || "")) return;
      elements.set(id, element);
      element.style.setProperty("--color", `var(--part-${partOf(id) % colors})`);
    });
    notes.filter((note) => note.marked).forEach((note) => {
      const element = elements.get(note.id);
      if (!element) return;
      element.classList.add("doubtful");
      const box = (element.querySelector(".notehead") || element).getBBox();
      const x = box.x + box.width / 2, y = box.y + box.height / 2, reach = 290;
      const sign = document.createElementNS("http://www.w3.org/2000/svg", "path");
      sign.setAttribute("d", `M${x} ${y - reach}L${x + reach} ${y}L${x} ${y + reach}L${x - reach} ${y}Z`);
      sign.setAttribute("class", "sign");
      element.appendChild(sign);
    });
    const starts = new Map(notes.map((note) => [note.id, note.on]));
    score.addEventListener("click", (event) => {
      const note = event.target.closest && event.target.closest("g.note");
      const start = note && starts.get(note.dataset.id.split(".")[0]);
      if (start !== undefined && start !== null) seek(start);
    });
  }

  function lightScore(sounding, active) {
    lit.forEach((element) => element.classList.remove("sounding"));
    lit = [];
    let latest = null;
    if (active) {
      sounding.forEach((note) => {
        const element = elements.get(note.id);
        if (!element) return;
        element.classList.add("sounding");
        lit.push(element);
        if (!latest || note.on >= latest.note.on) latest = { note, element };
      });
    }
    moveLine(latest && latest.element);
  }

  // A line through the system, at the note that began last.
  function moveLine(element) {
    if (line) line.remove();
    line = null;
    const system = element && element.closest("g.system");
    if (!system) return;
    const head = element.querySelector(".notehead") || element;
    const box = head.getBBox();
    const staves = [...element.closest("g.measure").querySelectorAll("g.staff > path:first-child, g.staff > path:nth-child(5)")]
      .map((path) => path.getBBox().y);
    line = document.createElementNS("http://www.w3.org/2000/svg", "line");
    const at = box.x + box.width / 2;
    [["x1", at], ["x2", at], ["y1", Math.min(...staves) - 500], ["y2", Math.max(...staves) + 500]].forEach(([k, v]) => line.setAttribute(k, v));
    line.setAttribute("class", "beat");
    system.insertBefore(line, system.firstChild);
    const place = system.getBoundingClientRect();
    if (audio && !audio.paused && system !== moveLine.last && (place.top < 0 || place.bottom > innerHeight - 70)) {
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (scrolledByScore) scrollBy({ top: place.top - innerHeight / 4, behavior: calm ? "auto" : "smooth" });
    }
    moveLine.last = system;
  }

  // ---- clock

  let scrolledByScore = false, lastKey = "";
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

  function update() {
    const time = now();
    byId("clock").textContent = clock(time / 1000);
    byId("seek").value = String(time / 1000);
    byId("seek").setAttribute("aria-valuetext", clock(time / 1000));
    if (!audio.paused && (time > view.start + view.span * 0.9 || time < view.start)) {
      view.start = time - view.span * 0.1;
      limitView();
    }
    draw();
    if (score) {
      const sounding = soundingAt(time), active = time > 0 || !audio.paused;
      const key = active ? sounding.map((note) => note.id).join() : "";
      if (key !== lastKey) lightScore(sounding, active);
      lastKey = key;
    }
  }

  function setUpPlayer() {
    const play = byId("play"), bar = byId("seek");
    const toggle = () => (audio.paused ? audio.play() : audio.pause());
    const frame = () => { update(); if (!audio.paused) requestAnimationFrame(frame); };
    play.addEventListener("click", toggle);
    audio.addEventListener("play", () => {
      play.classList.add("playing");
      play.setAttribute("aria-label", "Pause");
      // Follow the score only if the reader was looking at it when the music began.
      const place = score && score.getBoundingClientRect();
      scrolledByScore = Boolean(place && place.top < innerHeight * 0.6 && place.bottom > 0);
      requestAnimationFrame(frame);
    });
    audio.addEventListener("pause", () => {
      play.classList.remove("playing");
      play.setAttribute("aria-label", "Play");
      update();
    });
    bar.addEventListener("input", () => seek(Number(bar.value) * 1000));
    document.addEventListener("keydown", (event) => {
      if (event.key === " " && !event.target.closest("button, input, a")) {
        event.preventDefault();
        toggle();
      }
    });
  }

  if (score) setUpScore();
  if (canvas && data) { readTheme(); setUpRoll(); limitView(); draw(); }
  if (audio) setUpPlayer();
})();
