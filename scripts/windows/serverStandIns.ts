/** No value is found: the server then takes its defaults. */
const REGISTRY = `'use strict';
exports.GetStringRegKey = () => undefined;
exports.GetDWORDRegKey = () => undefined;
`;

/** The logs of the server, of its extension hosts and of extensions; without it there are none. */
const SPDLOG = `'use strict';
const fs = require('node:fs');
const path = require('node:path');

class Logger {
  constructor(file) {
    this.file = file;
    this.isPlain = true;
  }
  setPattern() {
    this.isPlain = false;
  }
  clearFormatters() {
    this.isPlain = true;
  }
  write(level, message) {
    const head = this.isPlain ? '' : new Date().toISOString() + ' [' + level + '] ';
    fs.appendFileSync(this.file, head + message + (this.isPlain ? '' : '\\n'));
  }
  setLevel() {}
  getLevel() {
    return 0;
  }
  flush() {}
  drop() {}
}
for (const [method, level] of [
  ['trace', 'trace'],
  ['debug', 'debug'],
  ['info', 'info'],
  ['warn', 'warning'],
  ['error', 'error'],
  ['critical', 'critical'],
])
  Logger.prototype[method] = function (message) {
    this.write(level, message);
  };

async function create(name, file) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  return new Logger(file);
}

exports.version = 0;
exports.Logger = Logger;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.createRotatingLogger = create;
exports.createAsyncRotatingLogger = create;
`;

/**
 * Modules of the server that take the place of native ones: the package for Linux does not have them for
 * Windows, and they would have to be compiled there.
 */
export const STAND_INS: Readonly<Record<string, string>> = {
  '@vscode/spdlog': SPDLOG,
  '@vscode/windows-registry': REGISTRY,
};
