// Draws the charts of the usage page from its table, with uPlot.
(() => {
  "use strict";

  const area = document.querySelector("[data-charts]");
  const table = area && document.getElementById(area.dataset.charts);
  if (!table) return;
  area.hidden = false;

  const rows = [...table.querySelectorAll("tbody tr")];
  const days = rows.map((row) => Date.parse(`${row.dataset.day}T00:00:00Z`) / 1000);
  const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  const units = {
    count: (value) => short.format(value),
    usd: (value) =>
      value === 0 ? "$0" : value < 0.01 ? `$${value.toPrecision(1)}` : `$${short.format(value)}`,
    ms: (value) =>
      value < 1000
        ? `${Math.round(value)} ms`
        : value < 60000
        ? `${value / 1000} s`
        : `${value / 60000} min`,
  };
  const dayName = new Intl.DateTimeFormat("en", {
    month: "short",
    day: "numeric",
    timeZone: "UTC",
  });

  function valuesOf(series) {
    return rows.map((row) => {
      const cell = [...row.cells].find((one) => one.dataset.series === series);
      const text = cell ? cell.dataset.value : "";
      return text === "" ? null : Number(text);
    });
  }

  function draw(place) {
    place.textContent = "";
    const style = getComputedStyle(document.documentElement);
    // Read colours from an element, because canvas does not understand light-dark().
    const probe = document.createElement("span");
    place.append(probe);
    const colour = (name) => {
      probe.style.color = style.getPropertyValue(`--${name}`);
      return getComputedStyle(probe).color;
    };
    const names = JSON.parse(place.dataset.names);
    const tones = JSON.parse(place.dataset.tones);
    const write = units[place.dataset.unit] || units.count;
    const isBars = place.dataset.plot === "bars";
    const muted = colour("muted");
    const grid = { stroke: colour("line"), width: 1 };
    const axis = { stroke: muted, font: "12px sans-serif", grid, ticks: { show: false } };
    const options = {
      width: place.clientWidth,
      height: place.clientHeight - (names.length > 1 ? 30 : 6),
      tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "UTC"),
      legend: { show: names.length > 1, live: false },
      cursor: { show: true, drag: { x: false, y: false }, points: { show: !isBars } },
      scales: {
        x: { time: true, range: (_plot, min, max) => [min - 43200, max + 43200] },
        y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 28,
          space: 52,
          incrs: [1, 2, 7, 14, 30].map((count) => count * 86400),
          values: (_plot, splits) => splits.map((at) => dayName.format(new Date(at * 1000))),
        },
        { ...axis, size: 62, values: (_plot, splits) => splits.map((value) => write(value)) },
      ],
      series: [{}].concat(names.map((name, index) => {
        const stroke = colour(tones[index]);
        return isBars
          ? {
            label: name,
            stroke,
            fill: stroke,
            width: 0,
            paths: uPlot.paths.bars({ size: [0.6, 36], radius: 0.12 }),
            points: { show: false },
          }
          : {
            label: name,
            stroke,
            width: 2,
            spanGaps: true,
            points: { show: true, size: 5, fill: stroke },
          };
      })),
    };
    probe.remove();
    return new uPlot(
      options,
      [days].concat(names.map((name) => valuesOf(`${place.id}/${name}`))),
      place,
    );
  }

  const places = [...area.querySelectorAll("[data-plot]")];
  let plots = places.map(draw);
  const redraw = () => {
    for (const plot of plots) plot.destroy();
    plots = places.map(draw);
  };
  let waiting = 0;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(redraw, 150);
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
})();
