import { createIdentity, openIdentity } from '../src/peer/identity/identity';
import { type Benchmark, median, timed } from './harness';
import { leave, openJoiningWindow, pasteInvite } from './joining';
import { announcement, enter, startTeamTracker } from './teamMembers';

const FILES = 50;
const MAX_MS = 1_000;

/** From Enter on a pasted invite to a row of Network Files, in a real window on loopback. */
export const joinBenchmark: Benchmark = {
  name: 'join',
  run: async (context) => {
    const session = await startTeamTracker(context);
    const user = openIdentity(await createIdentity(new Date()));
    const files = Array.from({ length: FILES }, (_, index) => announcement(`file ${index}.txt`));
    await enter(context, session, { user, hostname: 'bob', displayName: 'Bob' }, files);
    const window = await openJoiningWindow(context);
    const { workbench } = window;
    const series = await context.alternate([
      {
        name: 'from the invite to the first row',
        unit: 'ms',
        measure: async () => {
          await pasteInvite(window, session.invite);
          const seconds = await timed(async () => {
            await workbench.inputBox.accept();
            await workbench.view('Network Files').row('Bob');
            await workbench.view('Network Files').row('file 0.txt');
          });
          await leave(window);
          return seconds * 1_000;
        },
      },
    ]);
    return {
      title: `join: from a pasted invite to a filled Network Files view, ${FILES} files`,
      references: [`VS Code ${window.vscodeVersion}`],
      series,
      goals: series.map(({ name, values }) => ({ name, value: median(values), atMost: MAX_MS })),
    };
  },
};
