import { join } from 'node:path';
import type { HostPort } from '../src/protocol/address';
import { type BenchContext, runProgram } from './harness';

export interface LoadOptions {
  /** `line` asks a tracker, `resp` a Redis server. */
  readonly protocol: 'line' | 'resp';
  readonly address: HostPort;
  readonly connections: number;
  readonly requests: number;
  /** Asked for are keys from 0 to one below this. */
  readonly keys: number;
  /** For C's printf, with one integer. */
  readonly keyFormat: string;
}

/** The load generator in C, which is never the bottleneck; every server is measured with it. */
export class LoadGenerator {
  private constructor(private readonly program: string) {}

  static async build(context: BenchContext): Promise<LoadGenerator> {
    const program = join(context.folder, 'load');
    await runProgram('cc', ['-O2', '-o', program, join(__dirname, 'load.c')]);
    return new LoadGenerator(program);
  }

  /** Requests per second. */
  async run(options: LoadOptions): Promise<number> {
    const { protocol, address, connections, requests, keys, keyFormat } = options;
    const { stdout } = await runProgram(this.program, [
      protocol,
      address.host,
      ...[address.port, connections, requests, keys].map(String),
      keyFormat,
    ]);
    const { perSecond } = JSON.parse(stdout) as { readonly perSecond: number };
    return perSecond;
  }
}
