// Charts become one stop of the Tab key each, with arrows between their periods. Without this, every period is a stop.
for (const chart of document.querySelectorAll("svg.chart")) {
  const points = [...chart.querySelectorAll(".point")];
  const enter = (index) => {
    for (const point of points) point.setAttribute("tabindex", "-1");
    points[index].setAttribute("tabindex", "0");
  };
  if (points.length) enter(points.length - 1);
  chart.addEventListener("keydown", (event) => {
    const at = points.indexOf(event.target);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: points.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    if (!points[to]) return;
    enter(to);
    points[to].focus();
  });
}
