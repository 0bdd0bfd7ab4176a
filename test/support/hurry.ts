import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Arguments and variables that a program gets beside its own. */
export interface ProgramOptions {
  readonly nodeOptions: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/** For a program whose time passes `factor` times as fast. Its deadlines are as much shorter. */
export function hurried(factor: number): ProgramOptions {
  return {
    nodeOptions: ['--import', pathToFileURL(join(__dirname, 'hurry.mjs')).href],
    env: { PEERSHELF_TEST_HURRY: `${factor}` },
  };
}
