import { markup, type Markup, NOTHING } from '../format/markup.js';

/** Height of the plotted area in CSS pixels; its width is that of the page, so that text keeps its size. */
export const PLOT_HEIGHT = 220;

/** One plot, with what it says in words and as a table. */
export interface Chart {
  /** Names the elements of the chart in the page. */
  readonly id: string;
  readonly heading: string;
  /** A sentence under the heading. */
  readonly note: string;
  /** What someone who does not see the plot is told. */
  readonly description: string;
  readonly legend?: Markup;
  /** How wide the plot must be at least: `m` and `l` scroll on a phone. */
  readonly width?: 's' | 'm' | 'l';
  /** In a viewport of 100 % by `PLOT_HEIGHT`. */
  readonly plot: Markup;
  readonly table: Markup;
}

export function chartFigure(chart: Chart): Markup {
  const { id, heading, note, description, legend = NOTHING, width = 's', plot, table } = chart;
  return markup`<figure class="card" id="${id}">
<figcaption><h2>${heading}</h2><p class="note">${note}</p></figcaption>
${legend}
<div class="scroll"${scrolls(width, heading)}><svg class="plot ${width}" role="img" aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${heading}</title><desc id="${id}-desc">${description}</desc>
${plot}</svg></div>
<details><summary>As a table</summary><div class="scroll" tabindex="0" role="group" aria-label="${heading}, as a table">${table}</div></details>
</figure>
`;
}

/** What scrolls must be reachable by the keyboard. */
function scrolls(width: 's' | 'm' | 'l', heading: string): Markup {
  return width === 's' ? NOTHING : markup` tabindex="0" role="group" aria-label="${heading}, plot"`;
}

/** A heading row and rows of text; numbers stand to the right in all but the first column. */
export function dataTable(headings: readonly string[], rows: readonly (readonly string[])[]): Markup {
  const head = headings.map((heading) => markup`<th scope="col">${heading}</th>`);
  const body = rows.map(
    ([first = '', ...rest]) =>
      markup`<tr><th scope="row"><bdi>${first}</bdi></th>${rest.map((cell) => markup`<td>${cell}</td>`)}</tr>
`,
  );
  return markup`<table class="data"><thead><tr>${head}</tr></thead><tbody>
${body}</tbody></table>`;
}

/** A share of the width, as an SVG length. */
export function percent(share: number): string {
  return `${round(share * 100)}%`;
}

export function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** A scale from 0 to a round number not below `max`, with its marks. */
export interface Scale {
  readonly top: number;
  readonly marks: readonly number[];
  /** Pixels from the top of the plot. */
  readonly y: (value: number) => number;
}

/** At most five steps of 1, 2 or 5 times a power of ten; `least` is the smallest step. */
export function scaleTo(max: number, least: number): Scale {
  const rough = Math.max(max / 5, least);
  const power = 10 ** Math.floor(Math.log10(rough) + 1e-9);
  const step =
    [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999_999) ?? rough;
  const steps = Math.max(1, Math.ceil(max / step - 1e-9));
  const top = steps * step;
  return {
    top,
    marks: Array.from({ length: steps + 1 }, (_, at) => at * step),
    y: (value) => round(PLOT_HEIGHT * (1 - value / top)),
  };
}

/** Lines across the plot with their numbers on the left. */
export function gridLines({ marks, y }: Scale, show: (mark: number) => string): Markup[] {
  return marks.map((mark) => {
    const at = y(mark);
    return markup`<line class="${mark === 0 ? 'axis' : 'grid'}" x1="0" x2="100%" y1="${at}" y2="${at}"/><text class="mark" x="-8" y="${at}" dy="0.35em">${show(mark)}</text>
`;
  });
}

/** A word in the middle of an empty plot. */
export function emptyPlot(text: string): Markup {
  return markup`<line class="axis" x1="0" x2="100%" y1="${PLOT_HEIGHT}" y2="${PLOT_HEIGHT}"/><text class="empty" x="50%" y="${PLOT_HEIGHT / 2}">${text}</text>
`;
}
