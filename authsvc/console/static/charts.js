// Draws each table that is marked as a chart above itself: the first column are days, each other one is a line. The
// table stays, for whoever reads rather than looks.

const dark = matchMedia("(prefers-color-scheme: dark)");
const COLOURS = {light: ["#0172ad", "#b3261e", "#2f7d4f", "#8a5a00"], dark: ["#5bb8f0", "#f2928b", "#7fd6a2", "#f0c05a"]};

// What was not counted is no zero: the line has a gap there.
function figure(cell) {
  return "value" in cell.dataset ? Number(cell.dataset.value) : null;
}

function seriesOf(table) {
  const rows = [...table.tBodies[0].rows].reverse();
  const days = rows.map((row) => Number(row.cells[0].dataset.at));
  const names = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
  const lines = names.map((_, number) => rows.map((row) => figure(row.cells[number + 1])));
  return {names, data: [days, ...lines]};
}

function draw(table, place) {
  const {names, data} = seriesOf(table);
  const colours = COLOURS[dark.matches ? "dark" : "light"];
  const ink = getComputedStyle(table).color;
  const grid = {stroke: dark.matches ? "#323a47" : "#d9dee5", width: 1};
  const axis = {stroke: ink, grid, ticks: grid};
  const lines = names.map((label, number) => ({label, stroke: colours[number], width: 2, points: {show: true, size: 5}}));
  const day = {label: "Day", value: (_, at) => (at ? new Date(at * 1000).toISOString().slice(0, 10) : "–")};
  place.replaceChildren();
  return new uPlot({
    width: place.clientWidth,
    height: 260,
    tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
    scales: {y: {range: (_, least, most) => [0, Math.max(5, most * 1.1)]}},
    series: [day, ...lines],
    axes: [{...axis, values: "{MM}-{DD}", space: 60}, {...axis, size: 45, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 1e4, 1e5, 1e6]}],
  }, data, place);
}

for (const table of document.querySelectorAll("table[data-chart]")) {
  const place = document.createElement("div");
  place.className = "chart";
  place.setAttribute("aria-hidden", "true");
  table.before(place);
  let chart = draw(table, place);
  dark.addEventListener("change", () => { chart = draw(table, place); });
  new ResizeObserver(() => chart.setSize({width: place.clientWidth, height: 260})).observe(place);
}
