import { RISK_WORDS, type Block, type Inline, type Line } from './guide-blocks.js';

/** The guide as Markdown (CommonMark, with tables). Text from outside stays text. */
export function guideMarkdown(blocks: readonly Block[]): string {
  return `${blocks.map(written).join('\n\n')}\n`;
}

function written(block: Block): string {
  switch (block.kind) {
    case 'heading': {
      const risk = block.risk === undefined ? '' : ` (${RISK_WORDS[block.risk]})`;
      return `${'#'.repeat(block.level)} ${line(block.line)}${risk}`;
    }
    case 'text':
      return line(block.line);
    case 'steps':
      return block.lines.map((step) => `- ${line(step)}`).join('\n');
    case 'facts':
      return block.facts.map(([name, fact]) => `- **${escaped(name)}**: ${line(fact)}`).join('\n');
    case 'code':
      return fenced(block.text);
    case 'table':
      return [
        row(block.head.map(escaped)),
        row(block.head.map(() => '---')),
        ...block.rows.map((cells) => row(cells.map((cell) => line(cell).replaceAll('|', '\\|')))),
      ].join('\n');
  }
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function line(pieces: Line): string {
  return pieces.map(piece).join('').trim();
}

function piece(inline: Inline): string {
  if (typeof inline === 'string') return escaped(inline);
  const text = oneLine(inline.code);
  const ticks = '`'.repeat(longestRun(text) + 1);
  const room = /^`|`$/.test(text) ? ' ' : '';
  return text === '' ? '' : `${ticks}${room}${text}${room}${ticks}`;
}

function escaped(text: string): string {
  return oneLine(text).replace(/[\\`*_<>[\]|&]/g, '\\$&');
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ');
}

function fenced(text: string): string {
  const fence = '`'.repeat(Math.max(3, longestRun(text) + 1));
  return `${fence}sh\n${text.trimEnd()}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
