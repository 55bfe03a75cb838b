/** How much of a spreadsheet is read. */
export const SHEET_LIMITS = {
  /** Bytes of the file, and of what it is unpacked. */
  bytes: 16 * 1024 * 1024,
  unpacked: 64 * 1024 * 1024,
  /** The heading included. */
  rows: 100_000,
  cells: 1_000_000,
  /** Bytes of the text that is made of it. */
  text: 64 * 1024 * 1024,
} as const satisfies Record<string, number>;

export type SheetLimits = Readonly<Partial<Record<keyof typeof SHEET_LIMITS, number>>>;

/** The first sheet of a spreadsheet as text. */
export interface SheetText {
  /** CSV in UTF-8: each row of the sheet is one line, a row without cells an empty one. */
  readonly csv: Uint8Array;
  /** Sheets there are; the first was read. */
  readonly sheets: number;
  /** Cells with line breaks, which became blanks. */
  readonly lineBreaks: number;
}

/** What the thread that reads a spreadsheet is given, and what it answers. */
export interface SheetOrder {
  readonly bytes: Uint8Array;
  readonly limits: SheetLimits;
}
export type SheetAnswer = SheetText | { readonly problem: string } | { readonly missing: true };
