import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cleanup } from '../scripts/host/cleanup';

/** Debian keeps servers where the search path of ordinary users does not look. */
export const PROGRAM_ENVIRONMENT: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: `${process.env['PATH'] ?? ''}:/usr/sbin`,
};

/** One way of doing what is measured. A higher figure need not be better: goals say what is. */
export interface Contender {
  readonly name: string;
  readonly unit: string;
  /** Measures once. What is started here has ended when it resolves. */
  measure(): Promise<number>;
}

export interface Series {
  readonly name: string;
  readonly unit: string;
  readonly values: readonly number[];
}

/** A figure that the project promises. */
export interface Goal {
  readonly name: string;
  readonly value: number;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Report {
  readonly title: string;
  /** Versions of what is measured against. */
  readonly references: readonly string[];
  readonly series: readonly Series[];
  readonly goals: readonly Goal[];
}

export interface Benchmark {
  readonly name: string;
  /** How often each contender is measured unless the command line says otherwise; 5 by default. */
  readonly rounds?: number;
  readonly run: (context: BenchContext) => Promise<Report>;
}

/** What a benchmark gets: a folder, a log, and an order in which things are undone. */
export class BenchContext {
  /** Run after the benchmark. */
  readonly cleanup = new Cleanup();
  /** A temporary folder of this run. */
  readonly folder: string;

  constructor(
    /** How often each contender is measured. */
    readonly rounds: number,
    readonly log: (line: string) => void,
  ) {
    this.folder = mkdtempSync(join(tmpdir(), 'peershelf-bench-'));
    this.cleanup.add(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /**
   * Measures all contenders in turn, again and again, so that what else the machine does hits them
   * alike. The first turn warms up and does not count.
   */
  async alternate(contenders: readonly Contender[]): Promise<Series[]> {
    const values = contenders.map((): number[] => []);
    for (let round = 0; round <= this.rounds; round += 1) {
      const measured: string[] = [];
      for (const [index, contender] of contenders.entries()) {
        const value = await contender.measure();
        if (round > 0) values[index]?.push(value);
        measured.push(`${contender.name} ${format(value)} ${contender.unit}`);
      }
      this.log(`${round === 0 ? 'warm-up' : `round ${round}`}: ${measured.join(' · ')}`);
    }
    return contenders.map(({ name, unit }, index) => ({ name, unit, values: values[index] ?? [] }));
  }
}

/** The ratio of two series, pair by pair. */
export function ratio(name: string, of: Series | undefined, to: Series | undefined): Series {
  if (of === undefined || to === undefined) throw new Error(`${name}: nothing was measured`);
  const values = of.values.map((value, index) => value / (to.values[index] ?? Number.NaN));
  return { name, unit: '×', values };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export function isReached({ value, atLeast, atMost }: Goal): boolean {
  return value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity);
}

export interface ProgramOptions {
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs a program to its end; resolves to its output. */
export function runProgram(
  file: string,
  args: readonly string[],
  { input, env }: ProgramOptions = {},
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...PROGRAM_ENVIRONMENT, ...env },
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.once('error', (cause) =>
      reject(new Error(`${file} cannot be run: is it installed?`, { cause })),
    );
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${file} ${args.join(' ')} failed (${code}): ${output.stderr}`));
    });
    child.stdin.end(input);
  });
}

/**
 * Version of a program that is measured against, as it tells itself. Asked for first, so that a
 * missing program ends the benchmark before anything has been measured.
 */
export async function programVersion(file: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await runProgram(file, args);
  const version = /\d+(?:\.\d+)+\w*/u.exec(stdout + stderr)?.[0];
  return `${file} ${version ?? 'of unknown version'}`;
}

/** How long a task takes, in seconds. */
export async function timed(task: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await task();
  return (performance.now() - startMs) / 1000;
}

/** In millions of bytes per second, as disks and networks are sold. */
export function megabytesPerSecond(bytes: number, seconds: number): number {
  return bytes / 1e6 / seconds;
}

/** The report as a table of text. */
export function formatReport(report: Report): string {
  const rows = report.series.map(({ name, unit, values }) => [
    name,
    format(median(values)),
    format(Math.min(...values)),
    format(Math.max(...values)),
    unit,
  ]);
  const goals = report.goals.map((goal) => {
    const wanted = goal.atLeast === undefined ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`;
    return `${isReached(goal) ? 'reached' : 'MISSED '}  ${goal.name}: ${format(goal.value)} (${wanted})`;
  });
  return [
    report.title,
    '',
    ...alignColumns([['', 'median', 'lowest', 'highest', ''], ...rows]),
    '',
    ...goals,
    '',
    `references: ${report.references.join(', ')}`,
    `machine: ${machine()}`,
  ].join('\n');
}

/** Writes the report with all single values beside the sources; gives the path. */
export function writeReport(name: string, report: Report): string {
  const folder = join(__dirname, 'results');
  mkdirSync(folder, { recursive: true });
  const date = new Date().toISOString();
  const path = join(folder, `${name}-${date.replace(/[:.]/gu, '-')}.json`);
  const content = { name, date, machine: machine(), ...report };
  writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`);
  return path;
}

function machine(): string {
  const cores = cpus();
  return `${cores.length} × ${cores[0]?.model.trim() ?? 'unknown'}, ${process.platform} ${process.arch}, Node ${process.version}`;
}

function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, column) => Math.max(known[column] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column === 0 || column === row.length - 1
          ? cell.padEnd(width)
          : cell.padStart(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** With enough digits to compare, and thousands apart. */
function format(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en', {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
