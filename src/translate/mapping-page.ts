import { LOSSES } from './loss.js';
import { EVIDENCE, MAPPING_ROWS, SUBJECTS, type MappingRow, type Subject } from './mapping.js';

const HEAD = `# From ws to v2: what becomes of what

This page is made of the table that translation goes by, src/translate/mapping.ts, by \`npm run docs\`.

Verdicts: **exact**, the same is there; **action**, the same is there after a conversion, or with other code around it;
**lossy**, something is gone; **impossible**, there is nothing for it. Rows marked ← are about the way from v2 to ws.
`;

/** The mapping as Markdown: docs/mapping.md. */
export function mappingPage(): string {
  const evidence = Object.entries(EVIDENCE).map(([grade, meaning]) => `- ${grade}: ${meaning}`);
  const sections = (Object.keys(SUBJECTS) as Subject[]).map((subject) => {
    const rows = MAPPING_ROWS.filter((row) => row.subject === subject).map(line);
    return [
      `## ${SUBJECTS[subject]}\n`,
      '| ws | v2 | Verdict | Known from | What to know | Told as |',
      '|---|---|---|---|---|---|',
      ...rows,
    ].join('\n');
  });
  return `${HEAD}\nKnown from:\n\n${evidence.join('\n')}\n\n${sections.join('\n\n')}\n\n${codes()}\n`;
}

function codes(): string {
  const rows = Object.entries(LOSSES).map(
    ([code, { severity, meaning }]) => `| \`${code}\` | ${severity} | ${meaning} |`,
  );
  const head = [
    '## What is told\n',
    'Each translation tells all that is different, by one of these codes. **loss**: something is gone, or cannot be said;',
    '**change**: it comes to the same, once the code around it has changed too; **note**: good to know.\n',
    '| Code | Severity | Meaning |',
    '|---|---|---|',
  ];
  return [...head, ...rows].join('\n');
}

function line({ ws, v2, verdict, evidence, sentence, loss, reverse }: MappingRow): string {
  const told = loss === undefined ? '' : `\`${loss}\``;
  const cells = [reverse === true ? `← ${ws}` : ws, v2, verdict, evidence, sentence, told];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}
