// `npm run lint`: all linters side by side. Each prints when it has ended, so that reports do not mix.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import * as path from 'node:path';

const { resolve } = createRequire(import.meta.url);

const LINTERS = [
  { name: 'eslint', args: ['.', '--max-warnings', '0'] },
  { name: 'oxlint', args: [] },
  { name: 'prettier', args: ['--check', '.'] },
];

function program(name) {
  const manifest = resolve(`${name}/package.json`);
  const { bin } = createRequire(manifest)('./package.json');
  return path.join(path.dirname(manifest), typeof bin === 'string' ? bin : bin[name]);
}

function run({ name, args }) {
  const child = spawn(process.execPath, [program(name), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((settle, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      process.stdout.write(`${name}: ${code === 0 ? 'passed' : 'failed'}\n${output}`);
      settle(code === 0);
    });
  });
}

const passed = await Promise.all(LINTERS.map(run));
process.exitCode = passed.every(Boolean) ? 0 : 1;
