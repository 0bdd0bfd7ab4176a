import type { HostPort } from '../../src/protocol/address';
import type { Cleanup } from '../../scripts/host/cleanup';
import { startMisbehavingPeer } from './misbehavingPeer';

interface Sent {
  readonly id?: number;
  readonly action: string;
  readonly data?: { readonly fname?: string; readonly ids?: readonly string[] };
}

export interface HostileTracker {
  readonly address: HostPort;
  /** Hosts that a REQUEST for each name is answered with, as JSON. */
  readonly requested: Map<string, string>;
  /** Hosts that a LOCATE of any content is answered with, as JSON. */
  located: string;
  /** Hosts that a LIST is answered with, as JSON, by their names. */
  listed: string;
  /** How often each action was asked for. */
  readonly asked: Map<string, number>;
}

/** Something that speaks control, version 2, and names whatever hosts a test wants. */
export async function startHostileTracker(cleanup: Cleanup): Promise<HostileTracker> {
  const requested = new Map<string, string>();
  const asked = new Map<string, number>();
  const answer = ({ action, data }: Sent): string => {
    switch (action) {
      case 'HELLO':
        return '"status":"OK","version":2,"max_publish":1000';
      case 'LIST':
        return `"status":"OK","registry":${tracker.listed}`;
      case 'REQUEST':
        return `"status":"FOUND","hosts":${requested.get(data?.fname ?? '') ?? '[]'}`;
      case 'LOCATE':
        return `"status":"FOUND","hosts":{"${data?.ids?.[0] ?? ''}":${tracker.located}}`;
      case 'REGISTER':
        return '"status":"OK"';
      default:
        return '"status":"ACK"';
    }
  };
  const address = await startMisbehavingPeer(cleanup, (socket) => {
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      const lines = (text + chunk).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        if (!line.startsWith('{')) {
          socket.end('{"status":"ERROR","reason":"invalid JSON"}\n');
          asked.set('nonsense', (asked.get('nonsense') ?? 0) + 1);
          return;
        }
        const sent = JSON.parse(line) as Sent;
        asked.set(sent.action, (asked.get(sent.action) ?? 0) + 1);
        const id = sent.id === undefined ? '' : `"id":${sent.id},`;
        socket.write(`{${id}"now":1,${answer(sent)}}\n`);
      }
    });
  });
  const tracker: HostileTracker = { address, requested, asked, located: '[]', listed: '{}' };
  return tracker;
}
