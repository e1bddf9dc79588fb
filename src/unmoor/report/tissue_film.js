(() => {
  "use strict";
  const root = document.currentScript.previousElementSibling;
  const film = JSON.parse(root.querySelector(".film-data").textContent);
  if (!("DecompressionStream" in window)) return; // the still remains
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const LEVELS = 5, SPRITE = 64, BUCKETS = 4096, PALEST = 0.5, INK = "#222";
  const state = { arm: -1, key: 0, at: 0, playing: false, turn: film.view[0], tilt: film.view[1], zoom: 1 };

  const make = (tag, about = {}, ...inside) => {
    const element = Object.assign(document.createElement(tag), about);
    element.append(...inside);
    return element;
  };

  async function unpack(arm) {
    const bytes = Uint8Array.from(atob(arm.data), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const raw = new Uint8Array(await new Response(stream).arrayBuffer());
    const n = arm.cells, frames = arm.times.length, size = 4 * frames * n;
    const place = [];
    for (let c = 0; c < 4; c++) {
      const values = new Int16Array(frames * n);
      for (let i = 0, j = c * frames * n; i < values.length; i++, j++) {
        values[i] = (raw[j] | (raw[size + j] << 8)) + (i >= n ? values[i - n] : 0);
      }
      place.push(values);
    }
    arm.shades = film.keys.map((_, k) => {
      const values = raw.subarray(2 * size + k * frames * n, 2 * size + (k + 1) * frames * n);
      for (let i = n; i < values.length; i++) values[i] = (values[i] + values[i - n]) & 255;
      return values;
    });
    arm.place = place;
    arm.data = "";
  }

  // a shaded sphere in each colour, paler the farther away
  const sprites = new Map();
  function sprite(colour, level) {
    const name = colour + level;
    if (sprites.has(name)) return sprites.get(name);
    const canvas = make("canvas", { width: SPRITE, height: SPRITE }), pen = canvas.getContext("2d");
    const pale = PALEST * level / (LEVELS - 1);
    const mix = (light) => "rgb(" + [0, 2, 4].map((i) => {
      const value = parseInt(colour.slice(i, i + 2), 16);
      const lit = light < 1 ? value * light : value + (255 - value) * (light - 1);
      return Math.round(lit + (255 - lit) * pale);
    }).join() + ")";
    const r = SPRITE / 2 - 1, shade = pen.createRadialGradient(r * 0.66, r * 0.6, 0, r * 1.02, r * 1.02, r);
    for (const [at, light] of [[0, 1.42], [0.3, 1.08], [0.62, 0.9], [0.88, 0.64], [1, 0.42]]) {
      shade.addColorStop(at, mix(light));
    }
    pen.fillStyle = shade;
    pen.beginPath();
    pen.arc(r + 1, r + 1, r, 0, 7);
    pen.fill();
    sprites.set(name, canvas);
    return canvas;
  }

  function frameAt(arm) { // frames of this arm around the time shown, and how far between them
    const last = arm.times.length - 1, minute = state.at * duration;
    let i = 0;
    while (i < last && arm.times[i + 1] <= minute) i++;
    const span = i < last ? (minute - arm.times[i]) / (arm.times[i + 1] - arm.times[i]) : 0;
    return [i, Math.min(i + 1, last), calm.matches ? 0 : Math.min(span, 1)];
  }

  function draw(arm, left, top, side) {
    const [i, j, span] = frameAt(arm), n = arm.cells, key = film.keys[state.key];
    const scale = state.zoom * side / (2 * film.half), middle = (film.steps - 1) / 2;
    const a = state.turn * Math.PI / 180, b = (90 - state.tilt) * Math.PI / 180;
    const ca = Math.cos(a), sa = Math.sin(a), cb = Math.cos(b), sb = Math.sin(b);
    const xs = new Float32Array(n), ys = new Float32Array(n), zs = new Float32Array(n), rs = new Float32Array(n);
    const count = new Uint32Array(BUCKETS + 1), bucket = new Uint16Array(n), shades = arm.shades[state.key];
    const deep = film.half * 1.5;
    let shown = 0;
    for (let k = 0; k < n; k++) {
      const own = shades[i * n + k];
      if (own === 255) { bucket[k] = 65535; continue; }
      const stays = shades[j * n + k] !== 255 ? span : 0;
      const value = (c) => arm.place[c][i * n + k] + stays * (arm.place[c][j * n + k] - arm.place[c][i * n + k]);
      const x = (value(0) - middle) * film.unit, y = (value(1) - middle) * film.unit, z = (value(2) - middle) * film.unit;
      const u = ca * x - sa * y, w = sa * x + ca * y;
      xs[k] = u; ys[k] = cb * w + sb * z; zs[k] = cb * z - sb * w; rs[k] = value(3) / 10;
      const far = Math.min(0.9999, Math.max(0, (deep - zs[k]) / (2 * deep)));
      bucket[k] = Math.floor((1 - far) * (BUCKETS - 1));
      count[bucket[k] + 1]++;
      shown++;
    }
    for (let k = 0; k < BUCKETS; k++) count[k + 1] += count[k];
    const order = new Uint32Array(shown);
    for (let k = 0; k < n; k++) if (bucket[k] !== 65535) order[count[bucket[k]]++] = k;
    pen.save();
    pen.beginPath();
    pen.rect(left, top, side, side);
    pen.clip();
    pen.translate(left + side / 2, top + side / 2);
    for (const k of order) {
      const own = shades[i * n + k], colour = own === 254 ? film.dead : key.palette[own];
      const level = film.flat ? 0 : Math.round((1 - bucket[k] / BUCKETS) * (LEVELS - 1));
      const r = rs[k] * scale;
      pen.drawImage(sprite(colour, level), xs[k] * scale - r, -ys[k] * scale - r, 2 * r, 2 * r);
    }
    pen.strokeStyle = INK;
    pen.lineWidth = 1;
    pen.setLineDash([5, 4]);
    pen.beginPath();
    pen.arc(0, 0, arm.ring * scale, 0, 7);
    if (arm.ring) pen.stroke();
    pen.restore();
    pen.fillStyle = INK;
    pen.textAlign = "left";
    pen.textBaseline = "top";
    pen.font = "600 14px system-ui, sans-serif";
    pen.fillText(arm.name, left + 8, top - 20, side - 110);
    pen.textAlign = "right";
    pen.font = "12px system-ui, sans-serif";
    pen.fillText(arm.counts[i].toLocaleString("en-GB") + " cells", left + side - 8, top - 19);
    const bar = film.bar * scale;
    pen.fillRect(left + 10, top + side - 12, bar, 3);
    pen.textAlign = "left";
    pen.fillText(film.bar + " µm", left + 10, top + side - 28);
  }

  function hours(minutes) {
    const h = minutes / 60;
    return h < 72 ? Number(h.toPrecision(3)) + " h" : Number((h / 24).toPrecision(3)) + " d";
  }

  function redraw() {
    const arms = state.arm < 0 ? film.arms : [film.arms[state.arm]];
    const width = canvas.clientWidth || 900, ratio = window.devicePixelRatio || 1;
    const columns = Math.max(1, Math.min(arms.length, arms.length > 4 ? Math.ceil(arms.length / 2) : arms.length, Math.floor(width / 220)));
    const rows = Math.ceil(arms.length / columns), side = Math.min(width / columns, 560);
    const height = rows * (side + 26);
    canvas.style.height = height + "px";
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.imageSmoothingQuality = "high";
    const start = (width - columns * side) / 2;
    arms.forEach((arm, k) => draw(arm, start + (k % columns) * side, Math.floor(k / columns) * (side + 26) + 26, side));
    slider.value = Math.round(state.at * 1000);
    clock.value = hours(state.at * duration);
    slider.setAttribute("aria-valuetext", clock.value);
  }

  function showKey() {
    const key = film.keys[state.key], parts = [make("span", { textContent: key.label })];
    const swatch = (colour, text) => {
      const dot = make("i");
      dot.style.background = "#" + colour;
      return make("span", {}, dot, text);
    };
    if (key.names.length) key.names.forEach((name, k) => parts.push(swatch(key.palette[k], name)));
    else {
      const bar = make("span", { className: "film-bar" });
      bar.style.background = "linear-gradient(90deg," + key.palette.map((c) => "#" + c).join() + ")";
      parts.push(make("span", { textContent: key.limits[0] }), bar, make("span", { textContent: key.limits[1] + (key.log ? " (logarithmic)" : "") }));
    }
    parts.push(swatch(film.dead, "dying or dead"));
    legend.replaceChildren(...parts);
  }

  let before = 0;
  function step(now) {
    if (!state.playing) return;
    const seconds = film.wait * Math.max(...film.arms.map((arm) => arm.times.length));
    state.at = Math.min(1, state.at + Math.min(now - before, 100) / 1000 / seconds);
    before = now;
    redraw();
    if (state.at >= 1) play(false);
    else requestAnimationFrame(step);
  }
  function play(wanted) {
    if (wanted && state.at >= 1) state.at = 0;
    state.playing = wanted;
    button.textContent = wanted ? "Pause" : "Play";
    before = performance.now();
    if (wanted) requestAnimationFrame(step);
  }
  function chooser(label, names, chosen) {
    const select = make("select", {}, ...names.map((name, value) => make("option", { value, textContent: name })));
    select.addEventListener("change", () => { chosen(Number(select.value)); redraw(); });
    return make("label", {}, label + " ", select);
  }

  const duration = Math.max(...film.arms.map((arm) => arm.times[arm.times.length - 1])) || 1;
  const canvas = make("canvas", { tabIndex: 0 }), pen = canvas.getContext("2d");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", root.getAttribute("aria-label") + ". Arrow keys turn it, + and − zoom, space plays.");
  const button = make("button", { type: "button", textContent: "Play" });
  const slider = make("input", { type: "range", min: 0, max: 1000, value: 0 });
  slider.setAttribute("aria-label", "Time");
  const clock = make("output"), legend = make("div", { className: "film-key" });
  const bar = make("div", { className: "film-controls" }, button, make("span", { className: "film-time" }, slider, clock));
  if (film.arms.length > 1) bar.append(chooser("Show", ["all arms", ...film.arms.map((arm) => arm.name)], (k) => { state.arm = k - 1; }));
  bar.append(chooser("Colour", film.keys.map((key) => key.name), (k) => { state.key = k; showKey(); }));
  button.addEventListener("click", () => play(!state.playing));
  slider.addEventListener("input", () => { play(false); state.at = slider.value / 1000; redraw(); });

  const turn = (x, y) => {
    if (film.flat) return;
    state.turn = (state.turn + x) % 360;
    state.tilt = Math.max(-90, Math.min(90, state.tilt + y));
    redraw();
  };
  let held = null;
  canvas.addEventListener("pointerdown", (e) => { held = [e.clientX, e.clientY]; canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener("pointermove", (e) => {
    if (!held) return;
    turn((e.clientX - held[0]) * 0.5, (e.clientY - held[1]) * 0.5);
    held = [e.clientX, e.clientY];
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => { held = null; });
  canvas.addEventListener("keydown", (e) => {
    const ways = { ArrowLeft: [-6, 0], ArrowRight: [6, 0], ArrowUp: [0, 6], ArrowDown: [0, -6] };
    if (ways[e.key]) turn(...ways[e.key]);
    else if (e.key === " ") play(!state.playing);
    else if (e.key === "+" || e.key === "-") {
      state.zoom = Math.max(0.5, Math.min(6, state.zoom * (e.key === "+" ? 1.2 : 1 / 1.2)));
      redraw();
    } else return;
    e.preventDefault();
  });

  Promise.all(film.arms.map(unpack)).then(() => {
    root.querySelector(".film-still").remove();
    root.append(canvas, bar, legend);
    showKey();
    state.at = 1;
    redraw();
    new ResizeObserver(() => requestAnimationFrame(redraw)).observe(root);
    root.dataset.ready = "yes";
  }).catch((reason) => { root.dataset.failed = String(reason); });
})();
