/** Hostnames of one identity that are remembered: as many as it may have at a tracker. */
export const MAX_PINS_PER_IDENTITY = 16;

/** Hostnames remembered in all, three megabytes in the file: ten times a large company's. */
export const MAX_PINS = 20_000;

/** Forgotten at once when there are too many: to look for them costs a look at all. */
const FORGOTTEN_AT_ONCE = MAX_PINS / 20;

/** The identity that a hostname had when it was seen first. */
export interface Pin {
  readonly fingerprint: string;
  readonly seenMs: number;
  /** Seen on several days. */
  readonly isEstablished?: boolean | undefined;
  /** Something was fetched from it: it is never forgotten to make room. */
  readonly isFetched?: boolean | undefined;
  /** Name that its host called itself last. */
  readonly displayName?: string | undefined;
  /** Public key to which envelopes for it are sealed, also while it is away. */
  readonly sealingPoint?: string | undefined;
  /** The highest of its records: what an older one said does not come back, after a restart either. */
  readonly sequence?: number | undefined;
}

/**
 * Forgets what is too much, so that whoever makes many hostnames makes only these be forgotten: of each
 * identity beyond its number first, then of the identities that have most. Of these, first a hostname that
 * was seen on one day only, then the one that was seen longest ago.
 * @param pins by hostname, the one that was seen longest ago first.
 * @param changed the only identity that may have too many, when that is known.
 */
export function forgetPins(pins: Map<string, Pin>, changed?: string): void {
  if (pins.size <= MAX_PINS && changed !== undefined) {
    trim(pins, namesOf(pins, changed), MAX_PINS_PER_IDENTITY);
    return;
  }
  const byIdentity = new Map<string, string[]>();
  for (const [hostname, { fingerprint }] of pins) {
    const names = byIdentity.get(fingerprint);
    if (names === undefined) byIdentity.set(fingerprint, [hostname]);
    else names.push(hostname);
  }
  for (const names of byIdentity.values()) trim(pins, names, MAX_PINS_PER_IDENTITY);
  if (pins.size <= MAX_PINS) return;
  const wanted = MAX_PINS - FORGOTTEN_AT_ONCE;
  for (let most = MAX_PINS_PER_IDENTITY - 1; most >= 1 && pins.size > wanted; most -= 1)
    for (const names of byIdentity.values()) {
      if (pins.size <= wanted) return;
      trim(
        pins,
        names.filter((name) => pins.has(name)),
        most,
      );
    }
  forgetSingle(pins, wanted);
}

function namesOf(pins: ReadonlyMap<string, Pin>, fingerprint: string): string[] {
  return [...pins].flatMap(([hostname, pin]) =>
    pin.fingerprint === fingerprint ? [hostname] : [],
  );
}

/** Forgets of these hostnames until `most` are left, or only such that somebody has fetched from. */
function trim(pins: Map<string, Pin>, names: readonly string[], most: number): void {
  let left = names.length;
  for (const isEstablished of [false, true])
    for (const name of names) {
      if (left <= most) return;
      const pin = pins.get(name);
      if (pin === undefined || pin.isFetched === true) continue;
      if ((pin.isEstablished === true) !== isEstablished) continue;
      pins.delete(name);
      left -= 1;
    }
}

/** Everybody has one hostname, or such as are kept. */
function forgetSingle(pins: Map<string, Pin>, wanted: number): void {
  for (const isEstablished of [false, true])
    for (const [hostname, pin] of pins) {
      if (pins.size <= wanted) return;
      if (pin.isFetched !== true && (pin.isEstablished === true) === isEstablished)
        pins.delete(hostname);
    }
  // Nobody fetches from so many; the bound holds all the same.
  for (const hostname of pins.keys()) {
    if (pins.size <= MAX_PINS) return;
    pins.delete(hostname);
  }
}
