// Stands in for the native log writer of the editor's server, which the packages do not hold: without it
// neither the editor nor an extension writes a log. API of @vscode/spdlog; nothing rotates, as runs are short.
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical'];

class Logger {
  constructor(_type, _name, file) {
    this.file = file;
    this.level = 0;
    this.formatted = true;
    LEVELS.forEach((level, index) => {
      this[level === 'warning' ? 'warn' : level] = (message) => this.write(index, message);
    });
  }

  write(index, message) {
    if (index < this.level || this.file === undefined) return;
    const line = this.formatted
      ? `${new Date().toISOString()} [${LEVELS[index]}] ${message}\n`
      : message;
    try {
      fs.appendFileSync(this.file, line);
    } catch {
      this.file = undefined; // Its folder is gone: the run is over.
    }
  }

  getLevel() {
    return this.level;
  }

  setLevel(level) {
    this.level = level;
  }

  setPattern() {}

  clearFormatters() {
    this.formatted = false;
  }

  flush() {}

  drop() {
    this.file = undefined;
  }
}

async function createLogger(name, file) {
  await fs.promises.mkdir(path.dirname(file), { recursive: true });
  return new Logger('', name, file);
}

exports.version = 1;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.Logger = Logger;
exports.createRotatingLogger = createLogger;
exports.createAsyncRotatingLogger = createLogger;
