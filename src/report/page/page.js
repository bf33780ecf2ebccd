// Draws the charts of the data block. Texts, units and the names of colours come with the data.
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const root = document.documentElement;
  const colour = name => getComputedStyle(root).getPropertyValue(name).trim();
  const drawn = [];
  const curves = {xy: [], spans: []};
  // A chart without labels of its own has those of the page.
  data.charts.forEach(spec => { spec.labels = spec.labels || data.labels; });

  // Black or white, whichever contrasts more with `hex` (relative luminance of WCAG 2).
  function inkOn(hex) {
    const [red, green, blue] = [1, 3, 5].map(at => {
      const part = parseInt(hex.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.19 ? '#12161b' : '#ffffff';
  }

  // A fill that differs from the others without colour, for what does not fit.
  function hatched(hex) {
    const tile = document.createElement('canvas');
    tile.width = tile.height = 8;
    const pen = tile.getContext('2d');
    pen.globalAlpha = 0.25;
    pen.fillStyle = hex;
    pen.fillRect(0, 0, 8, 8);
    pen.globalAlpha = 1;
    pen.strokeStyle = hex;
    pen.lineWidth = 2;
    pen.beginPath();
    for (const shift of [-8, 0, 8]) {
      pen.moveTo(shift, 8);
      pen.lineTo(shift + 8, 0);
    }
    pen.stroke();
    return pen.createPattern(tile, 'repeat');
  }

  // `text` in up to `most` lines no wider than `width`; what is left over ends in an ellipsis.
  function lines(pen, text, width, most) {
    const out = [''];
    for (const word of text.split(' ')) {
      const longer = out[out.length - 1] ? out[out.length - 1] + ' ' + word : word;
      if (pen.measureText(longer).width <= width || !out[out.length - 1]) {
        out[out.length - 1] = longer;
      } else {
        out.push(word);
      }
    }
    if (out.length <= most) return out;
    out[most - 1] += ' \u2026';
    return out.slice(0, most);
  }

  const shorten = (text, most) => (text.length > most ? text.slice(0, most - 1) + '\u2026' : text);

  // The second part of a label in one line or two of `most` letters, broken behind a comma.
  function detailLines(text, most) {
    const cut = text.length > most ? text.lastIndexOf(', ', most) : -1;
    return cut < 1 ? [shorten(text, most)]
      : [text.slice(0, cut + 1), shorten(text.slice(cut + 2), most)];
  }

  // Writes values into the bars where they have room, totals behind them, and notes in place of
  // the bars that are not there.
  const labels = {
    id: 'labels',
    afterDatasetsDraw(chart) {
      const {ctx: pen, chartArea: area, scales} = chart;
      const {spec, shares} = chart.options.memside;
      const font = size => `${size}px ${Chart.defaults.font.family}`;
      pen.save();
      pen.textBaseline = 'middle';
      if (spec.full_mark) {
        const x = scales.x.getPixelForValue(100);
        pen.strokeStyle = colour('--text');
        pen.lineWidth = 1.5;
        pen.setLineDash([4, 3]);
        pen.beginPath();
        pen.moveTo(x, area.top);
        pen.lineTo(x, area.bottom);
        pen.stroke();
        pen.setLineDash([]);
      }
      spec.labels.forEach((label, bar) => {
        const y = scales.y.getPixelForValue(bar);
        if (spec.notes[bar]) {
          pen.font = 'italic ' + font(12.5);
          pen.textAlign = 'left';
          const text = lines(pen, spec.notes[bar], area.right - area.left - 8, 3);
          const wide = Math.max(...text.map(line => pen.measureText(line).width));
          pen.fillStyle = colour('--surface');  // the grid would run through the letters
          pen.fillRect(area.left + 3, y - text.length * 7, wide + 6, text.length * 14);
          pen.fillStyle = colour('--muted');
          text.forEach((line, i) => {
            pen.fillText(line, area.left + 6, y + (i - (text.length - 1) / 2) * 14);
          });
          return;
        }
        let end = area.left;
        pen.textAlign = 'center';
        pen.font = font(12);
        spec.series.forEach((series, s) => {
          if (!series.values[bar]) return;
          const {x, base} = chart.getDatasetMeta(s).data[bar].getProps(['x', 'base'], true);
          end = Math.max(end, x);
          const text = shares ? Math.round(chart.data.datasets[s].data[bar]) + ' %'
                              : series.texts[bar];
          if (spec.series.length === 1 || pen.measureText(text).width + 10 > x - base) return;
          const fill = colour(series.fill);
          pen.fillStyle = series.fill === '--alarm' ? colour('--text') : inkOn(fill);
          if (series.fill === '--alarm') {
            // The hatching would run through the letters.
            const wide = pen.measureText(text).width + 8;
            pen.save();
            pen.fillStyle = colour('--surface');
            pen.fillRect((x + base - wide) / 2, y - 8, wide, 16);
            pen.restore();
          }
          pen.fillText(text, (x + base) / 2, y + 0.5);
        });
        pen.textAlign = 'left';
        pen.font = '600 ' + font(12.5);
        pen.fillStyle = colour('--text');
        const text = lines(pen, spec.ends[bar], chart.width - end - 7, 3);
        text.forEach((line, i) => {
          pen.fillText(line, end + 7, y + 0.5 + (i - (text.length - 1) / 2) * 14);
        });
      });
      pen.restore();
    }
  };

  function datasets(spec, shares) {
    const totals = spec.labels.map((_, bar) =>
      spec.series.reduce((sum, series) => sum + series.values[bar], 0));
    const best = Math.max(...totals);
    return spec.series.map(series => {
      const fill = colour(series.fill);
      return {
        label: series.name,
        data: series.values.map((v, bar) => (shares && totals[bar] ? (v / totals[bar]) * 100 : v)),
        backgroundColor: series.fill === '--alarm' ? hatched(fill)
          : spec.highlight ? totals.map(t => (t === best ? fill : colour('--soft'))) : fill,
        borderColor: series.fill === '--alarm' ? fill : colour('--surface'),
        borderWidth: series.fill === '--alarm' ? 1
          : spec.series.length > 1 ? {right: 1, left: 0, top: 0, bottom: 0} : 0,
        borderSkipped: false,
        borderRadius: spec.series.length > 1 ? 0 : 2,
        maxBarThickness: 26,
        categoryPercentage: 0.8,
        barPercentage: 0.9
      };
    });
  }

  // Room to the right of the longest bar for the text behind it, which wraps on a narrow screen.
  function roomForEnds(canvas, spec, width) {
    const pen = canvas.getContext('2d');
    pen.font = `600 12.5px ${Chart.defaults.font.family}`;
    const longest = Math.max(...spec.ends.map(text => pen.measureText(text).width));
    return Math.min(longest + 12, Math.max(96, width * 0.28));
  }

  function draw(spec, shares) {
    const box = document.querySelector(`#chart-${spec.id} .canvas`);
    const canvas = box.querySelector('canvas');
    // By the room there is: ticks of the axis, and letters of a label.
    const pick = (narrow, half, wide) =>
      (box.clientWidth < 480 ? narrow : box.clientWidth < 640 ? half : wide);
    const letters = pick(17, 26, 46);
    const labelLines = spec.labels.map(([main, detail]) =>
      [shorten(main, letters), ...detailLines(detail, letters)]);
    const rowHeight = labelLines.some(lines => lines.length > 2) ? 56 : 46;
    box.style.height = spec.labels.length * rowHeight + 34 + 'px';
    const grid = colour('--line');
    const muted = colour('--muted');
    const room = roomForEnds(canvas, spec, box.clientWidth);
    const most = spec.labels.map((_, bar) =>
      spec.series.reduce((sum, series) => sum + series.values[bar], 0));
    return new Chart(canvas, {
      type: 'bar',
      data: {
        labels: spec.labels.map(([main, detail]) => [main, detail]),
        datasets: datasets(spec, shares)
      },
      plugins: [labels],
      options: {
        memside: {spec, shares},
        indexAxis: 'y',
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        layout: {padding: {right: room}},
        interaction: {mode: 'nearest', axis: 'y', intersect: true},
        scales: {
          x: {
            stacked: true,
            beginAtZero: true,
            max: shares ? 100 : spec.full_mark ? Math.ceil(Math.max(100, ...most) / 20) * 20 : undefined,
            grid: {color: grid, drawBorder: false, drawTicks: false},
            border: {display: false},
            ticks: {
              color: muted,
              maxTicksLimit: pick(4, 5, 8),
              maxRotation: 0,
              padding: 6,
              // The unit stands once, behind the last number.
              callback(value, i, ticks) {
                const text = value.toLocaleString('en');
                return i + 1 === ticks.length ? `${text} ${shares ? '%' : spec.axis}` : text;
              }
            }
          },
          y: {
            stacked: true,
            grid: {display: false, drawBorder: false},
            border: {display: false},
            // Chart.js keeps half a label free above the first row, which has its own room.
            afterFit(axis) { axis.paddingTop = 0; },
            ticks: {
              color: colour('--text'),
              autoSkip: false,
              padding: 8,
              crossAlign: 'far',
              callback(value) {
                return labelLines[value];
              }
            }
          }
        },
        plugins: {
          legend: {display: false},
          tooltip: {
            filter: item => spec.series[item.datasetIndex].values[item.dataIndex] !== 0,
            callbacks: {
              title: items => (items.length ? spec.labels[items[0].dataIndex].join(', ') : ''),
              label(item) {
                const series = spec.series[item.datasetIndex];
                return `${series.name}: ${series.texts[item.dataIndex]}`;
              }
            }
          }
        }
      }
    });
  }

  function drawAll() {
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.font.size = 12.5;
    data.charts.forEach((spec, i) => {
      const shares = drawn[i] ? drawn[i].options.memside.shares : false;
      if (drawn[i]) drawn[i].destroy();
      drawn[i] = draw(spec, shares);
    });
    for (const kind of ['xy', 'spans']) {
      data[kind].forEach((spec, i) => {
        const canvas = document.querySelector(`#chart-${spec.id} canvas`);
        if (curves[kind][i]) curves[kind][i].destroy();
        curves[kind][i] = memsideCurves[kind](spec, canvas, {colour, inkOn});
      });
    }
  }

  data.charts.forEach((spec, i) => {
    const buttons = document.querySelectorAll(`#chart-${spec.id} .toggle button`);
    buttons.forEach((button, b) => button.addEventListener('click', () => {
      buttons.forEach((each, e) => each.setAttribute('aria-pressed', String(e === b)));
      drawn[i].destroy();
      drawn[i] = draw(spec, b === 1);
    }));
  });

  const systemTheme = matchMedia('(prefers-color-scheme: dark)');
  const setTheme = theme => {
    root.dataset.theme = theme;
    themeButton.textContent = theme === 'dark' ? 'light theme' : 'dark theme';
    drawAll();
  };
  const themeButton = document.querySelector('.theme');
  themeButton.hidden = false;
  themeButton.addEventListener('click', () => setTheme(root.dataset.theme === 'dark' ? 'light' : 'dark'));
  systemTheme.addEventListener('change', () => setTheme(systemTheme.matches ? 'dark' : 'light'));
  setTheme(root.dataset.theme);
  // On paper: light colours, and nothing folded.
  const folded = document.querySelectorAll('details:not([open])');
  addEventListener('beforeprint', () => {
    root.dataset.print = '';
    folded.forEach(each => { each.open = true; });
    drawAll();
  });
  addEventListener('afterprint', () => {
    delete root.dataset.print;
    folded.forEach(each => { each.open = false; });
    drawAll();
  });
})();
