// Preloaded into a program of ours with `node --import`: stops the program at calls of the file
// system, each time until it is killed or released. stops.ts writes the variable that says which.
import fs from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const POLL_MS = 5;

const { gate, stops } = JSON.parse(process.env.PEERSHELF_TEST_STOPS);
const { existsSync, writeFileSync } = fs;
/** Of open descriptors. */
const paths = new Map();

/** Blocks the whole thread, so that nothing happens between this call and the kill. */
function stop(index) {
  writeFileSync(join(gate, `reached-${index}`), '');
  const never = new Int32Array(new SharedArrayBuffer(4));
  while (!existsSync(join(gate, `released-${index}`))) Atomics.wait(never, 0, 0, POLL_MS);
}

function replace(name) {
  const original = fs[name];
  const meant = stops.flatMap(({ call, path, ...rest }, index) =>
    call === name ? { ...rest, index, pattern: new RegExp(path, 'u'), calls: 0 } : [],
  );
  fs[name] = (...args) => {
    const path = String(paths.get(args[0]) ?? args[0]);
    const due = meant.filter((one) => one.pattern.test(path) && ++one.calls === one.count);
    for (const { moment, index } of due) if (moment === 'before') stop(index);
    const result = original(...args);
    if (name === 'openSync') paths.set(result, path);
    for (const { moment, index } of due) if (moment === 'after') stop(index);
    return result;
  };
}

// Other threads only hash and write blocks.
if (isMainThread)
  for (const name of new Set(['openSync', ...stops.map(({ call }) => call)])) replace(name);
