// Preloaded into a program of ours with `node --import`: its timers and its monotonic time run
// faster, for waits that are not what a test is about. hurry.ts writes the variable.
const factor = Number(process.env.PEERSHELF_TEST_HURRY);
const { setTimeout } = globalThis;
const now = performance.now.bind(performance);

globalThis.setTimeout = (callback, delayMs, ...args) =>
  setTimeout(callback, delayMs / factor, ...args);
performance.now = () => now() * factor;
