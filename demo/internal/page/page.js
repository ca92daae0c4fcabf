"use strict";
// Draws the charts. Their data is in the page as JSON; colours are custom
// properties of the style sheet, read anew when light and dark change places.
(function () {
  const root = document.documentElement;
  root.dataset.errors = "";
  window.addEventListener("error", (e) => { root.dataset.errors += e.message + "\n"; });
  document.addEventListener("securitypolicyviolation", (e) => { root.dataset.errors += "blocked: " + e.blockedURI + " " + e.violatedDirective + "\n"; });

  const specs = JSON.parse(document.getElementById("charts").textContent) || [];
  const colour = (name) => getComputedStyle(root).getPropertyValue(name).trim();
  let drawn = [];

  const short = (v) => {
    if (v === null || v === undefined) return "";
    const a = Math.abs(v);
    if (a >= 1e6) return +(v / 1e6).toPrecision(3) + "M";
    if (a >= 1e4) return +(v / 1e3).toPrecision(3) + "k";
    return "" + +v.toPrecision(3);
  };
  // A percentile axis has 1 / (1 - share) on it, so that each further nine of
  // a percentile takes as much room as the one before.
  const percent = (v) => (v === null || v === undefined ? "" : +(100 * (1 - 1 / v)).toPrecision(v >= 1000 ? 5 : 4) + " %");
  const powers = (base, min, max) => {
    const at = [];
    for (let p = Math.floor(Math.log(min) / Math.log(base)); Math.pow(base, p) <= max * 1.0001; p++) if (Math.pow(base, p) >= min * 0.9999) at.push(Math.pow(base, p));
    return at;
  };
  const ticks = (min, max) => {
    const at = [];
    for (const p of powers(10, min / 10, max)) for (const f of max / min > 300 ? [1] : max / min > 30 ? [1, 3] : [1, 2, 5]) if (p * f >= min && p * f <= max) at.push(p * f);
    return at.map((v) => +v.toPrecision(3));
  };

  function scale(axis) {
    switch (axis.scale) {
      case "percentile": return { time: false, distr: 3, range: (u, min, max) => [1, Math.max(max, 2)] };
      case "log2": return { time: false, distr: 3, log: 2, range: (u, min, max) => [min, max] };
      case "log10": return { time: false, distr: 3, range: (u, min, max) => [min / 1.2, max * 1.2] };
      case "asinh": return { time: false, distr: 4, asinh: 1, range: (u, min, max) => [0, max * 1.15] };
    }
    return { time: false, range: (u, min, max) => [Math.min(0, min), (max || 1) * 1.08] };
  }

  function axisOf(axis, isX) {
    const a = {
      stroke: colour("--dim"), font: "11px system-ui, sans-serif", gap: 4, size: isX ? 30 : 46,
      grid: { stroke: colour("--rule"), width: 1, show: !isX }, ticks: { stroke: colour("--rule"), width: 1, size: 4 },
      values: (u, at) => at.map(short),
    };
    if (isX) a.values = (u, at) => at.map((v) => (axis.label === "s" ? short(v) + " s" : short(v)));
    if (axis.scale === "percentile") {
      a.splits = (u, i, min, max) => [1, 2, 4, 10, 20, 100, 1000, 10000, 100000].filter((v) => v <= max * 1.001);
      a.values = (u, at) => at.map((v) => (v === 20 || v === 4 ? "" : percent(v)));
    } else if (axis.scale === "log2") {
      a.splits = (u, i, min, max) => powers(2, min, max);
      a.values = (u, at) => at.map((v, i) => (at.length > 9 && i % 2 ? "" : short(v)));
    } else if (axis.scale === "log10") {
      a.splits = (u, i, min, max) => ticks(min, max);
    } else if (axis.scale === "asinh") {
      a.splits = (u, i, min, max) => [0].concat(powers(10, 1, max));
    }
    if (axis.scale !== "linear") a.filter = (u, at) => at; // every one: they are few
    return a;
  }

  function marks(u, spec) {
    const ctx = u.ctx, box = u.bbox;
    ctx.save();
    ctx.beginPath(); ctx.rect(box.left, box.top, box.width, box.height); ctx.clip();
    ctx.font = 11 * devicePixelRatio + "px system-ui, sans-serif";
    for (const m of spec.marks || []) {
      const at = u.valToPos(m.at, m.axis, true);
      ctx.strokeStyle = ctx.fillStyle = colour("--dim");
      if (m.to) {
        ctx.globalAlpha = 0.12;
        ctx.fillRect(at, box.top, u.valToPos(m.to, m.axis, true) - at, box.height);
        ctx.globalAlpha = 1;
        continue;
      }
      ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.lineWidth = devicePixelRatio;
      ctx.beginPath();
      if (m.axis === "x") { ctx.moveTo(at, box.top); ctx.lineTo(at, box.top + box.height); } else { ctx.moveTo(box.left, at); ctx.lineTo(box.left + box.width, at); }
      ctx.stroke();
      const pad = 5 * devicePixelRatio;
      if (m.axis === "x") {
        const right = at + pad + ctx.measureText(m.text).width < box.left + box.width;
        ctx.textAlign = right ? "left" : "right";
        ctx.fillText(m.text, at + (right ? pad : -pad), box.top + 12 * devicePixelRatio);
      } else { ctx.textAlign = "right"; ctx.fillText(m.text, box.left + box.width - pad, at - pad); }
    }
    ctx.restore();
  }

  function draw(spec) {
    const place = document.getElementById(spec.id);
    if (!place || !place.clientWidth) return;
    place.textContent = "";
    const data = uPlot.join(spec.series.map((s) => [spec.xs[s.x], s.y]));
    const u = new uPlot({
      width: place.clientWidth, height: 250, padding: [8, 18, 0, 0],
      scales: { x: scale(spec.x), y: scale(spec.y) },
      axes: [axisOf(spec.x, true), axisOf(spec.y, false)],
      series: [{ label: spec.x.label, value: (u, v) => (spec.x.scale === "percentile" ? percent(v) : short(v)) }].concat(spec.series.map((s) => ({
        label: s.label, stroke: colour("--" + s.colour), width: s.thin ? 0.8 : 1.8, dash: s.dashed ? [6, 4] : undefined,
        alpha: s.thin ? 0.55 : 1, spanGaps: true, points: { show: !!s.points, size: 6, fill: colour("--" + s.colour) }, value: (u, v) => short(v),
        paths: s.steps ? uPlot.paths.stepped({ align: 1 }) : undefined,
      }))),
      cursor: { points: { size: 6 }, drag: { x: true, y: false } },
      legend: { markers: { width: 0, fill: (u, i) => u.series[i].stroke() } },
      hooks: { draw: [(u) => marks(u, spec)] },
    }, data, place);
    if (spec.x.max) u.setScale("x", { min: 0, max: spec.x.max });
    drawn.push({ u, place });
  }

  function redraw() {
    for (const d of drawn) d.u.destroy();
    drawn = [];
    for (const spec of specs) draw(spec);
    root.dataset.charts = drawn.length + "/" + specs.length;
  }

  redraw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  matchMedia("print").addEventListener("change", redraw);
  let waiting = 0;
  window.addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => { for (const d of drawn) if (d.place.clientWidth) d.u.setSize({ width: d.place.clientWidth, height: 250 }); }, 80);
  });
})();
