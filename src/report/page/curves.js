// Charts of points and lines, and of what runs when. `tools` comes from page.js: colour(name) and
// inkOn(hex).
'use strict';
const memsideCurves = (() => {
  const font = size => `${size}px ${Chart.defaults.font.family}`;

  function axis(tools, title, whole) {
    return {
      beginAtZero: true,
      grace: whole ? 0 : '6%',
      title: {display: true, text: title, color: tools.colour('--muted')},
      grid: {color: tools.colour('--line'), drawBorder: false, drawTicks: false},
      border: {display: false},
      ticks: {
        color: tools.colour('--muted'),
        maxTicksLimit: 8,
        maxRotation: 0,
        padding: 6,
        precision: whole ? 0 : undefined,
        callback: value => value.toLocaleString('en')
      }
    };
  }

  // Writes the points' names beside them, where they fit and do not run into an earlier one.
  const names = (spec, tools) => ({
    id: 'names',
    afterDatasetsDraw(chart) {
      const {ctx: pen, chartArea: area} = chart;
      const taken = [];
      const free = box => box.left >= area.left && box.right <= area.right + 4 &&
        taken.every(other => box.right < other.left || box.left > other.right ||
                             box.bottom < other.top || box.top > other.bottom);
      pen.save();
      pen.font = font(12);
      pen.fillStyle = tools.colour('--text');
      pen.textBaseline = 'middle';
      pen.textAlign = 'left';
      spec.series.forEach((series, s) => series.points.forEach((point, i) => {
        if (!point.label) return;
        const {x, y} = chart.getDatasetMeta(s).data[i];
        const wide = pen.measureText(point.label).width;
        for (const [left, middle] of [[x + 9, y], [x - 9 - wide, y], [x - wide / 2, y - 14],
                                      [x - wide / 2, y + 15]]) {
          const box = {left, right: left + wide, top: middle - 7, bottom: middle + 7};
          if (!free(box)) continue;
          taken.push(box);
          pen.fillText(point.label, left, middle);
          return;
        }
      }));
      pen.restore();
    }
  });

  function xy(spec, canvas, tools) {
    canvas.parentElement.style.height = '300px';
    const steps = spec.series.flatMap(series => series.points.map(point => point.x));
    const x = axis(tools, spec.x_axis, spec.whole_x);
    if (spec.whole_x) {
      Object.assign(x, {beginAtZero: false, min: Math.min(...steps), max: Math.max(...steps)});
    }
    const y = axis(tools, spec.y_axis, false);
    if (spec.y_range) Object.assign(y, {min: spec.y_range[0], max: spec.y_range[1], grace: 0});
    return new Chart(canvas, {
      type: 'scatter',
      data: {
        datasets: spec.series.map(series => ({
          label: series.name,
          data: series.points.map(({x, y}) => ({x, y})),
          showLine: series.line,
          borderColor: tools.colour(series.fill),
          backgroundColor: tools.colour(series.fill),
          borderWidth: 2,
          borderDash: series.dashed ? [5, 4] : [],
          pointRadius: series.markers ? 4.5 : 0,
          pointHoverRadius: 6,
          clip: 8
        }))
      },
      plugins: [names(spec, tools)],
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        layout: {padding: {right: 16, top: 8}},
        scales: {x, y},
        plugins: {
          legend: {display: false},
          tooltip: {callbacks: {label: item => spec.series[item.datasetIndex].points[item.dataIndex].text}}
        }
      }
    });
  }

  // A mark of one pixel at least: the shortest task is still something that happens.
  const hairlines = (spec, tools) => ({
    id: 'hairlines',
    afterDatasetsDraw(chart) {
      const {ctx: pen, scales} = chart;
      spec.series.forEach((series, s) => series.spans.forEach((span, i) => {
        const from = scales.x.getPixelForValue(span.start);
        const to = scales.x.getPixelForValue(span.end);
        const {y, height} = chart.getDatasetMeta(s).data[i].getProps(['y', 'height'], true);
        if (to - from < 1.5) {
          pen.fillStyle = tools.colour(series.fill);
          pen.fillRect(from, y - height / 2, 1.5, height);
          return;
        }
        pen.font = font(11.5);
        if (pen.measureText(series.name).width + 8 > to - from) return;
        pen.fillStyle = tools.inkOn(tools.colour(series.fill));
        pen.textAlign = 'center';
        pen.textBaseline = 'middle';
        pen.fillText(series.name, (from + to) / 2, y + 0.5);
      }));
    }
  });

  function spans(spec, canvas, tools) {
    canvas.parentElement.style.height = spec.rows.length * 30 + 52 + 'px';
    const x = axis(tools, 'µs', false);
    Object.assign(x, {max: spec.end, grace: 0});
    x.ticks.includeBounds = false;
    return new Chart(canvas, {
      type: 'bar',
      data: {
        labels: spec.rows,
        datasets: spec.series.map(series => ({
          label: series.name,
          data: series.spans.map(span => ({x: [span.start, span.end], y: spec.rows[span.row]})),
          backgroundColor: tools.colour(series.fill),
          borderWidth: 0,
          borderSkipped: false,
          grouped: false,
          barPercentage: 0.9,
          categoryPercentage: 0.8,
          maxBarThickness: 22
        }))
      },
      plugins: [hairlines(spec, tools)],
      options: {
        indexAxis: 'y',
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        layout: {padding: {right: 16}},
        interaction: {mode: 'nearest', intersect: true},
        scales: {
          x,
          y: {
            grid: {color: tools.colour('--line'), drawBorder: false, drawTicks: false},
            border: {display: false},
            ticks: {color: tools.colour('--text'), autoSkip: false, padding: 8, crossAlign: 'far'}
          }
        },
        plugins: {
          legend: {display: false},
          tooltip: {
            callbacks: {
              title: items => (items.length ? items[0].label : ''),
              label: item => spec.series[item.datasetIndex].spans[item.dataIndex].text
            }
          }
        }
      }
    });
  }

  return {xy, spans};
})();
