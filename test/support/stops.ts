import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Cleanup } from '../../scripts/host/cleanup';
import type { ProgramOptions } from './hurry';
import type { TestProcess } from './startProcess';
import { temporaryFolder } from './temporaryFolder';
import { eventually } from './waitFor';

const PRELOAD = pathToFileURL(join(__dirname, 'stopAt.mjs')).href;

/** A call of the file system by which a program has reached a stage. */
export interface StopCall {
  readonly call:
    | 'ftruncateSync'
    | 'linkSync'
    | 'openSync'
    | 'renameSync'
    | 'rmSync'
    | 'writeFileSync'
    | 'writeSync';
  /** Source of a regular expression for the path of its first argument. */
  readonly path: string;
  /** Which of these calls; the first one if nothing is said. */
  readonly count?: number;
  readonly moment: 'before' | 'after';
}

/** Stage at which a program stops. */
export interface Stops extends ProgramOptions {
  /** Resolves when the program has stopped there; it stays so until it is killed or released. */
  reached(index: number, program: TestProcess): Promise<void>;
  /** Lets the program go on. */
  release(index: number): void;
}

/** The program itself has nothing for this: its calls of the file system are replaced from outside. */
export function prepareStops(cleanup: Cleanup, ...calls: readonly StopCall[]): Stops {
  const gate = temporaryFolder(cleanup);
  const stops = calls.map((call) => ({ count: 1, ...call }));
  return {
    nodeOptions: ['--import', PRELOAD],
    env: { PEERSHELF_TEST_STOPS: JSON.stringify({ gate, stops }) },
    reached: async (index, program) => {
      const reached = eventually(
        () => existsSync(join(gate, `reached-${index}`)) || undefined,
        `it stops at ${JSON.stringify(calls[index])}`,
      );
      const ended = program.exited.then((code) => {
        throw new Error(`it has ended with ${code}: ${program.stdout()}${program.stderr()}`);
      });
      await Promise.race([reached, ended]);
    },
    release: (index) => writeFileSync(join(gate, `released-${index}`), ''),
  };
}

const RECORD = String.raw`leftovers[\\/][0-9a-f]+\.json$`;
const NEW_RECORD = String.raw`leftovers[\\/][0-9a-f]+\.json\..*\.new$`;
const PART = String.raw`\.part$`;
const JOURNAL = String.raw`\.pieces$`;

/** The stages of a fetch in their order, each up to the call that would end it. */
export const FETCH_STAGES = {
  starting: { call: 'writeFileSync', path: NEW_RECORD, moment: 'before' },
  halfRecorded: { call: 'renameSync', path: NEW_RECORD, moment: 'before' },
  /** Of a part that an earlier fetch has left. */
  claimed: { call: 'renameSync', path: RECORD, moment: 'after' },
  recorded: { call: 'openSync', path: PART, moment: 'before' },
  begun: { call: 'ftruncateSync', path: PART, moment: 'after' },
  whole: { call: 'linkSync', path: PART, moment: 'before' },
  named: { call: 'rmSync', path: PART, moment: 'before' },
  unlinked: { call: 'rmSync', path: JOURNAL, moment: 'before' },
  unjournaled: { call: 'rmSync', path: RECORD, moment: 'before' },
} as const satisfies Record<string, StopCall>;

/** When a fetch has noted so many more pieces. */
export function growing(pieces: number): StopCall {
  return { call: 'writeSync', path: JOURNAL, count: pieces + 1, moment: 'before' };
}
