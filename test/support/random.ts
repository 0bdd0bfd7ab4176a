import { randomInt } from 'node:crypto';

/** Numbers that look random and come again with the same seed. */
export class Random {
  private state: number;

  constructor(readonly seed: number) {
    this.state = seed >>> 0;
  }

  /** A new seed, or the one of `PEERSHELF_TEST_SEED`, to see a failure again. */
  static newSeed(): number {
    return Number(process.env['PEERSHELF_TEST_SEED'] ?? randomInt(2 ** 31));
  }

  /** From 0 on, below 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from 0 on, below `end`. */
  below(end: number): number {
    return Math.floor(this.next() * end);
  }

  /** One of several. */
  pick<T>(...choices: [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }
}
