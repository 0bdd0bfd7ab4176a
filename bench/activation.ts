import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PeerWindows } from '../test/support/peerWindows';
import type { Workbench } from '../test/support/workbench';
import { type Benchmark, median } from './harness';

const WINDOWS = 10;
const BUNDLE = join(__dirname, '../dist/extension.js');

/** What activation costs when there is nothing to do. */
const EMPTY = 'Empty Extension';

/**
 * How long VS Code itself says that activation takes (loading the bundle included), in fresh
 * extension hosts, beside an extension that does nothing in the same hosts, and how large the bundle
 * is that is loaded at the start.
 */
export const activationBenchmark: Benchmark = {
  name: 'activation',
  run: async (context) => {
    const windows = new PeerWindows();
    context.cleanup.add(() => windows.close());
    const linked = [makeEmptyExtension(join(context.folder, 'empty'))];
    const { workbench } = await windows.add('Alice', { files: { 'a.txt': 'a' }, linked });
    // The list draws only the rows in sight, the slowest extensions first.
    await workbench.page.setViewportSize({ width: 1280, height: 3_000 });
    const times: number[] = [];
    const empty: number[] = [];
    for (let index = 0; index <= WINDOWS; index += 1) {
      if (index > 0) await workbench.reload();
      await workbench.statusBarItem(/Peershelf/u);
      await workbench.runCommand('Developer: Show Running Extensions');
      const ours = await readActivationMs(workbench, 'Peershelf');
      const theirs = await readActivationMs(workbench, EMPTY);
      context.log(`window ${index}: ${ours} ms · empty extension ${theirs} ms`);
      if (index === 0) continue;
      times.push(ours);
      empty.push(theirs);
    }
    const ratios = times.map((time, index) => time / Math.max(1, empty[index] ?? 0));
    const sizeKiB = statSync(BUNDLE).size / 1024;
    return {
      title: 'activation: time in a fresh extension host, and size of the start-up bundle',
      references: ['Running Extensions of VS Code'],
      series: [
        { name: 'activation', unit: 'ms', values: times },
        { name: 'empty extension', unit: 'ms', values: empty },
        { name: 'ours : empty extension', unit: '×', values: ratios },
        { name: 'dist/extension.js', unit: 'KiB', values: [sizeKiB] },
      ],
      goals: [
        { name: 'activation, median', value: median(times), atMost: 50 },
        { name: 'ours : empty extension', value: median(ratios), atMost: 3 },
        { name: 'start-up bundle, KiB', value: sizeKiB, atMost: 300 },
      ],
    };
  },
};

/** Reads "Activation: N ms" of an extension's row in Running Extensions, which is open. */
async function readActivationMs(workbench: Workbench, name: string): Promise<number> {
  const row = workbench.page
    .locator('.runtime-extensions-editor .monaco-list-row')
    .filter({ hasText: name });
  const text = await row.locator('.activation-time').innerText();
  const found = /(\d+)\s*ms/u.exec(text)?.[1];
  if (found === undefined) throw new Error(`no activation time in ${text}`);
  return Number(found);
}

function makeEmptyExtension(folder: string): string {
  mkdirSync(folder);
  const manifest = {
    ...{ name: 'empty', publisher: 'peershelf', version: '0.0.1', displayName: EMPTY },
    ...{ main: './main.js', activationEvents: ['onStartupFinished'] },
    engines: { vscode: '^1.103.0' },
  };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'main.js'), 'exports.activate = () => undefined;\n');
  return folder;
}
