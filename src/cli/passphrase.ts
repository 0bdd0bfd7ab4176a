import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { fromReadError, PeershelfError } from '../common/errors';

/** Means standard input where a file is named. */
const STANDARD_INPUT = '-';

/**
 * A passphrase from a file, standard input, or the terminal, where it is not shown. Never from an argument
 * or the environment, which others of the computer may see.
 * @param file `-` for standard input; undefined: the terminal.
 */
export async function readPassphrase(
  file: string | undefined,
  { isNew }: { readonly isNew: boolean },
): Promise<string> {
  if (file !== undefined) return firstLine(file);
  if (!process.stdin.isTTY)
    throw new PeershelfError('INVALID_ARGUMENT', 'name a file with --passphrase-file');
  const passphrase = await ask('Passphrase: ');
  if (isNew && (await ask('The same again: ')) !== passphrase)
    throw new PeershelfError('INVALID_ARGUMENT', 'the two passphrases differ');
  return passphrase;
}

function firstLine(file: string): string {
  try {
    const text = readFileSync(file === STANDARD_INPUT ? 0 : file, 'utf8');
    return text.split(/\r?\n/u, 1)[0] ?? '';
  } catch (error) {
    throw fromReadError(error, file);
  }
}

/** Reads a line of the terminal without showing it. */
function ask(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  return new Promise((resolve, reject) => {
    terminal.once('SIGINT', () => {
      reject(new PeershelfError('CANCELLED', 'cancelled'));
      terminal.close();
    });
    terminal.question('', (answer) => {
      process.stderr.write('\n');
      resolve(answer);
      terminal.close();
    });
  });
}
