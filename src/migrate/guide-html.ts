import type { Markup } from '../format/markup.js';
import { foreign, markup, NOTHING, pageStart } from '../format/markup.js';
import { RISK_WORDS, type Block, type Inline, type Line } from './guide-blocks.js';
import { STYLE } from './guide-style.js';

/**
 * The guide as one HTML page that loads nothing, and runs nothing: its Content-Security-Policy allows its own style and
 * no script at all. Every value in it is escaped.
 */
export function guideHtml(blocks: readonly Block[]): string {
  const first = blocks.find((block) => block.kind === 'heading');
  const title =
    first?.line.map((inline) => (typeof inline === 'string' ? inline : inline.code)).join('') ?? '';
  return markup`${pageStart({ title, style: STYLE })}${blocks.map(written)}</main>
</body>
</html>
`.html;
}

function written(block: Block): Markup {
  switch (block.kind) {
    case 'heading':
      return titled(block);
    case 'text':
      return markup`<p>${line(block.line)}</p>\n`;
    case 'steps':
      return markup`<ul>${block.lines.map((step) => markup`<li>${line(step)}</li>`)}</ul>\n`;
    case 'facts':
      return markup`<dl>${block.facts.map(([name, fact]) => markup`<dt>${name}</dt><dd>${line(fact)}</dd>`)}</dl>\n`;
    case 'code':
      return markup`<pre tabindex="0" aria-label="Request"><code>${block.text.trimEnd()}</code></pre>\n`;
    case 'table':
      return markup`<div class="scroll" tabindex="0" role="group" aria-label="Table of calls"><table><thead><tr>${block.head.map(
        (name) => markup`<th scope="col">${name}</th>`,
      )}</tr></thead><tbody>${block.rows.map(
        (cells) => markup`<tr>${cells.map((cell) => markup`<td>${riskOrLine(cell)}</td>`)}</tr>`,
      )}</tbody></table></div>\n`;
  }
}

function titled({ level, line: title, risk }: Extract<Block, { kind: 'heading' }>): Markup {
  const text = markup`${line(title)}${risk === undefined ? NOTHING : markup` ${badge(RISK_WORDS[risk])}`}`;
  if (level === 1) return markup`<h1>${text}</h1>\n`;
  return level === 2 ? markup`<h2>${text}</h2>\n` : markup`<h3>${text}</h3>\n`;
}

const RISK_OF_WORDS: ReadonlyMap<string, string> = new Map(
  Object.entries(RISK_WORDS).map(([risk, words]) => [words, risk]),
);

function riskOrLine(cell: Line): Markup {
  const [first] = cell;
  return cell.length === 1 && typeof first === 'string' && RISK_OF_WORDS.has(first)
    ? badge(first)
    : line(cell);
}

function badge(words: string): Markup {
  return markup`<span class="risk ${RISK_OF_WORDS.get(words)}">${words}</span>`;
}

function line(pieces: Line): Markup {
  return markup`${pieces.map(inline)}`;
}

function inline(piece: Inline): Markup {
  return typeof piece === 'string' ? markup`${piece}` : markup`<code>${foreign(piece.code)}</code>`;
}
