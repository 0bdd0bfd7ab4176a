import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { CommandContext } from '../../src/cli/commandContext';
import { createProgram } from '../../src/cli/program';
import { addSessionOptions } from '../../src/cli/session';
import { LIMIT_SPECS } from '../../src/tracker/limits';

const README = readFileSync(join(__dirname, '../../README.md'), 'utf8');

/** Options that the text below the table has for all commands at once, with the reason. */
const BELOW: readonly (readonly [flag: string, reason: string])[] = [
  ['--json', 'every command takes it'],
  ['--verbose', 'every command in a session takes it'],
  ['--help', 'commander adds it'],
];

/** Rows of the table: the words of a command, and the options that it names. */
function rowsOfTable(): Map<string, Set<string>> {
  const rows = new Map<string, Set<string>>();
  const section = README.slice(README.indexOf('| command '), README.indexOf('## Settings'));
  const cells = section.matchAll(/^\| `(?<words>[a-z]+(?: [a-z]+)?)(?<rest>[^`]*)` +\|/gmu);
  for (const { groups } of cells) {
    const words = groups?.['words'] ?? '';
    const named = rows.get(words) ?? new Set();
    for (const [flag] of (groups?.['rest'] ?? '').matchAll(/--[a-z-]+/gu)) named.add(flag);
    rows.set(words, named);
  }
  return rows;
}

function flagsOf(command: Command): string[] {
  return command.options.flatMap(({ long, hidden }) =>
    hidden || typeof long !== 'string' ? [] : [long],
  );
}

describe('the table of commands in the README', () => {
  const context: CommandContext = {
    output: process,
    signal: new AbortController().signal,
    setExitCode: () => undefined,
    session: addSessionOptions,
  };
  const inSession = new Set(flagsOf(addSessionOptions(new Command())));
  const commands = createProgram(context).commands.flatMap((command) =>
    command.commands.length === 0
      ? [{ words: command.name(), command }]
      : command.commands.map((inner) => ({
          words: `${command.name()} ${inner.name()}`,
          command: inner,
        })),
  );
  const limits = new Set<string>(LIMIT_SPECS.map(({ flag }) => flag));
  const below = new Set(BELOW.map(([flag]) => flag));

  it('has every command that the parser declares, and no other', () => {
    assert.deepEqual([...rowsOfTable().keys()].sort(), commands.map(({ words }) => words).sort());
  });

  it('has every option that the parser declares, and no other', () => {
    const rows = rowsOfTable();
    for (const { words, command } of commands) {
      const declared = flagsOf(command);
      // Those of every command in a session are told once, below; others may have one of these names.
      const isInSession = declared.includes('--tracker');
      const isToldBelow = (flag: string): boolean =>
        below.has(flag) || limits.has(flag) || (isInSession && inSession.has(flag));
      assert.deepEqual(
        [...(rows.get(words) ?? [])].sort(),
        declared.filter((flag) => !isToldBelow(flag)).sort(),
        words,
      );
    }
  });

  it('is followed by the options that all commands have', () => {
    const text = README.slice(README.indexOf('All but `tracker`'), README.indexOf('## Settings'));
    for (const flag of [...inSession, '--json', '--verbose'])
      assert.ok(text.includes(`\`${flag}`), flag);
    assert.ok(text.includes('has an option for each of its limits'));
  });
});
