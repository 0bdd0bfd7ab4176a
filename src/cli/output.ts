import { escapeUnshowable } from '../common/printable';
import { shortFingerprint } from '../protocol/shortFingerprint';
import { plainText } from '../protocol/text';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
const MINUTE_MS = 60_000;

/** Where a command writes. Tests hand in their own. */
export interface Output {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
}

/** One line of plain output. Names and texts of others must have passed `plainText`. */
export function printLine(output: Output, line: string): void {
  output.stdout.write(`${line}\n`);
}

/** One JSON object on a line of its own. What JSON leaves and a terminal must not get is escaped, too. */
export function printJson(output: Output, value: object): void {
  output.stdout.write(`${escapeUnshowable(JSON.stringify(value))}\n`);
}

/** For JSON, with the short fingerprint of its identity, if it has one, for people to compare. */
export function withFingerprint<T extends { readonly identity?: string | undefined }>(
  value: T,
): T & { readonly fingerprint?: string } {
  const { identity } = value;
  return identity === undefined ? value : { ...value, fingerprint: shortFingerprint(identity) };
}

/** Columns separated by two spaces; texts of others made plain. */
export function printTable(output: Output, rows: readonly (readonly string[])[]): void {
  const shown = rows.map((row) => row.map((cell) => plainText(cell)));
  const columns = shown[0]?.length ?? 0;
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...shown.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of shown)
    printLine(
      output,
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

export function formatSize(bytes: number): string {
  const exponent = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** exponent;
  return `${exponent === 0 ? amount.toFixed(0) : amount.toFixed(1)} ${UNITS[exponent] ?? 'B'}`;
}

/** How long ago, in the largest unit that fits. */
export function formatAge(ageMs: number): string {
  const minutes = Math.floor(Math.max(0, ageMs) / MINUTE_MS);
  if (minutes < 1) return 'just now';
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return `${Math.floor(minutes / (24 * 60))} days ago`;
}
