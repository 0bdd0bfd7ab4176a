import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { describeError, PeershelfError } from '../common/errors';
import { escapeUnshowable } from '../common/printable';
import { createTrackerCommand } from '../tracker/command';
import { processIo } from '../tracker/processIo';
import { version } from '../../package.json';
import { addAskCommands } from './askCommands';
import type { CommandContext } from './commandContext';
import { errorText } from './errorText';
import { addFetchCommand } from './fetchCommand';
import { addInviteCommand } from './inviteCommand';
import type { Output } from './output';
import { addOwnerCommands } from './ownerCommands';
import { addSessionOptions, DATA_FOLDER } from './session';
import { addShareCommand } from './shareCommand';
import { createTrackerLauncher } from './trackerLauncher';

/** Where the sessions that this user has started are kept. */
const TRACKER_FOLDER = join(DATA_FOLDER, 'tracker');

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** Mistakes in how the command was written, rather than in what it met. */
const USAGE_ERRORS: ReadonlySet<string> = new Set(['INVALID_ADDRESS', 'INVALID_ARGUMENT']);

/** Runs one command line (without the program's own name); resolves to the exit code. */
export async function runProgram(
  args: readonly string[],
  output: Output,
  signal: AbortSignal,
): Promise<number> {
  let exitCode = 0;
  const context: CommandContext = {
    output,
    signal,
    setExitCode: (code) => {
      exitCode = code;
    },
    session: (command) =>
      addSessionOptions(command)
        .option('--json', 'print one JSON object per line')
        .option('--verbose', 'log what happens to standard error'),
  };
  const program = createProgram(context);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return commanderExitCode(error);
    const failure = PeershelfError.from(error);
    output.stderr.write(`peershelf: ${errorText(failure)}\n`);
    if (args.includes('--verbose'))
      output.stderr.write(`${escapeUnshowable(describeError(failure))}\n`);
    return USAGE_ERRORS.has(failure.code) ? EXIT_USAGE : EXIT_FAILED;
  }
}

/** The tracker chooses its own exit codes; everywhere else commander only meets wrong usage. */
function commanderExitCode({ exitCode, code }: CommanderError): number {
  return exitCode === 0 || code === 'peershelf.tracker' ? exitCode : EXIT_USAGE;
}

/** All commands with their options. */
export function createProgram(context: CommandContext): Command {
  const { output } = context;
  const program = new Command('peershelf')
    .description('share files directly between the machines of a team')
    .version(version);
  addShareCommand(program, context);
  addAskCommands(program, context);
  addFetchCommand(program, context);
  addInviteCommand(program, context, TRACKER_FOLDER);
  addOwnerCommands(program, context, TRACKER_FOLDER);
  const nested = program.commands.flatMap((command) => command.commands);
  for (const command of [program, ...program.commands, ...nested])
    command.exitOverride().configureOutput({
      writeOut: (text) => output.stdout.write(text),
      writeErr: (text) => output.stderr.write(text),
    });
  const io = processIo();
  const launcher = createTrackerLauncher({
    io,
    bundle: join(__dirname, 'tracker.js'),
    dataFolder: TRACKER_FOLDER,
  });
  program.addCommand(createTrackerCommand(io, launcher));
  return program;
}
