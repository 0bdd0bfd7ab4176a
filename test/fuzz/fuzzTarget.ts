import { strict as assert } from 'node:assert';
import type fc from 'fast-check';
import { type ErrorCode, PeershelfError } from '../../src/common/errors';

/** One reader of what comes from outside, and what must hold whatever it is given. */
export interface FuzzTarget {
  readonly name: string;
  /** How many of a run's cases it gets, relative to others: little for what is slow. */
  readonly share: number;
  /** What is generated, and what must hold. A new one for each run. */
  readonly property: () => fc.IRawProperty<unknown>;
}

/**
 * A case that takes longer hangs, or is a way to keep a program busy. Of processor time: other programs
 * may have the processors for longer than that.
 */
const CASE_DEADLINE_MS = 2_000;
const US_PER_MS = 1_000;

/**
 * Runs what may fail in one way only: with one of these codes.
 * @returns undefined when it has failed so.
 */
export function orRefused<T>(codes: readonly ErrorCode[], read: () => T): T | undefined {
  const before = process.cpuUsage();
  try {
    return read();
  } catch (error) {
    if (PeershelfError.is(error) && codes.includes(error.code)) return undefined;
    throw error;
  } finally {
    const { user, system } = process.cpuUsage(before);
    assert.ok((user + system) / US_PER_MS < CASE_DEADLINE_MS, 'it takes too long');
  }
}
