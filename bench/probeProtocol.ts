// What the extension that measures in the host and its client say to each other, a line each.

/** Path of the socket to listen on. */
export const PROBE_VARIABLE = 'BENCH_PROBE';

export type ProbeRequest =
  | { readonly kind: 'start' }
  | { readonly kind: 'stop' }
  /** Which process it is in: answered by {@link ProbeHost}. */
  | { readonly kind: 'host' }
  | { readonly kind: 'run'; readonly command: string; readonly file: string }
  | { readonly kind: 'run'; readonly command: string; readonly row: object };

export interface ProbeSample {
  /** How long it was watched. */
  readonly tookMs: number;
  readonly loopMs: Spread;
  readonly statMs: Spread;
  /** The gap between two runs of a timer of 5 ms that was the longest … */
  readonly longest: Gap;
  /** … and the one in which the thread ran the longest. */
  readonly busiest: Gap;
}

/** What the first thread did in some time; the rest of it neither ran nor was ready to. */
export interface Gap {
  readonly wallMs: number;
  /** On a processor. */
  readonly ranMs: number;
  /** Ready to run, while other programs had the processors. */
  readonly waitedMs: number;
}

export interface Spread {
  readonly p99: number;
  readonly max: number;
}

export interface ProbeHost {
  readonly pid: number;
}
