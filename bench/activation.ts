import { statSync } from 'node:fs';
import { join } from 'node:path';
import { PeerWindows } from '../test/support/peerWindows';
import type { Workbench } from '../test/support/workbench';
import { type Benchmark, median } from './harness';

const WINDOWS = 10;
const BUNDLE = join(__dirname, '../dist/extension.js');

/**
 * How long VS Code itself says that activation takes (loading the bundle included), in fresh
 * extension hosts, and how large the bundle is that is loaded at the start.
 */
export const activationBenchmark: Benchmark = {
  name: 'activation',
  run: async (context) => {
    const windows = await PeerWindows.start();
    context.cleanup.add(() => windows.close());
    const { workbench } = await windows.add('Alice', { files: { 'a.txt': 'a' } });
    const times: number[] = [];
    for (let index = 0; index <= WINDOWS; index += 1) {
      if (index > 0) await workbench.reload();
      const time = await readActivationMs(workbench);
      context.log(`window ${index}: ${time} ms`);
      if (index > 0) times.push(time);
    }
    const sizeKiB = statSync(BUNDLE).size / 1024;
    return {
      title: 'activation: time in a fresh extension host, and size of the start-up bundle',
      references: ['Running Extensions of VS Code'],
      series: [
        { name: 'activation', unit: 'ms', values: times },
        { name: 'dist/extension.js', unit: 'KiB', values: [sizeKiB] },
      ],
      goals: [
        { name: 'activation, median', value: median(times), atMost: 50 },
        { name: 'start-up bundle, KiB', value: sizeKiB, atMost: 300 },
      ],
    };
  },
};

/** Reads "Activation: N ms" of our row in Running Extensions. */
async function readActivationMs(workbench: Workbench): Promise<number> {
  await workbench.statusBarItem(/Peershelf/u);
  await workbench.runCommand('Developer: Show Running Extensions');
  const row = workbench.page
    .locator('.runtime-extensions-editor .monaco-list-row')
    .filter({ hasText: 'Peershelf' });
  const text = await row.locator('.activation-time').innerText();
  const found = /(\d+)\s*ms/u.exec(text)?.[1];
  if (found === undefined) throw new Error(`no activation time in ${text}`);
  return Number(found);
}
