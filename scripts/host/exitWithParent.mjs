// Preloaded into programs that we start. Their standard input is a pipe from us; when we are gone,
// however we ended, the pipe closes and the program goes as well. The address of this module names
// the program: children that inherit the preload are not concerned.
import { spawnSync } from 'node:child_process';

const program = decodeURIComponent(new URL(import.meta.url).search.slice(1));

if (process.argv[1] === program) {
  process.stdin.on('end', endAll);
  process.stdin.on('error', endAll);
  process.stdin.resume();
  process.stdin.unref?.();
}

function endAll() {
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/pid', String(process.pid), '/T', '/F']);
  } else {
    // The program leads a process group of its own.
    process.kill(-process.pid, 'SIGKILL');
  }
}
