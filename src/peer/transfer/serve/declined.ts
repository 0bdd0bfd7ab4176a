import type { Clock } from '../../../common/clock';

/**
 * Who is sent nothing of what the user has just ended. Long enough for the program of a fetcher, which
 * tries again at once, to give up; short enough that people who ask again are served.
 */
const DECLINE_MS = 30_000;
const MAX_DECLINED = 1_000;

/** What is declined: files by their published names, or everything in a folder, `/` at its end. */
export type DeclinedPart = { readonly names: ReadonlySet<string> } | { readonly folder: string };

interface Entry {
  readonly recipient: string;
  readonly part: DeclinedPart;
  readonly untilMs: number;
}

/** What whom is declined for a while; the oldest is forgotten when there is too much. */
export class Declined {
  private entries: Entry[] = [];

  constructor(private readonly clock: Clock) {}

  /** @param recipient a fingerprint or, where there is none, an address. */
  add(recipient: string, part: DeclinedPart): void {
    const untilMs = this.clock.monotonic() + DECLINE_MS;
    this.entries = [...this.entries, { recipient, part, untilMs }].slice(-MAX_DECLINED);
  }

  has(recipient: string, name: string): boolean {
    const nowMs = this.clock.monotonic();
    this.entries = this.entries.filter(({ untilMs }) => untilMs > nowMs);
    return this.entries.some((entry) => entry.recipient === recipient && covers(entry.part, name));
  }

  /** Who takes these names back and offers them again starts afresh. */
  forget(names: ReadonlySet<string>): void {
    this.entries = this.entries.filter(
      ({ part }) => ![...names].some((name) => covers(part, name)),
    );
  }
}

function covers(part: DeclinedPart, name: string): boolean {
  return 'names' in part ? part.names.has(name) : name.startsWith(part.folder);
}
