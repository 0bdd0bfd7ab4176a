import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import {
  checkReply,
  parseReplyLine,
  readFiles,
  readRegistry,
  readSources,
} from '../../../src/protocol/controlReplies';
import {
  readEvent,
  readHeartbeatIntervals,
  readHello,
  readLocated,
  readRefusals,
} from '../../../src/protocol/controlRepliesV2';
import { isAddressLiteral } from '../../../src/protocol/address';
import { opaqueNameProblem } from '../../../src/protocol/names';
import { recordOf } from '../../../src/protocol/recordReplies';
import { type FuzzTarget, orRefused } from '../fuzzTarget';
import { anyText, anyValue, mutated } from '../mutation';

const CONTENT = { root: 'ab'.repeat(32), sizeBytes: 5 };
const ID = `${CONTENT.root}-5`;
const FILE = { size: 5, modified: 1_500, root: CONTENT.root, version: 2, seq: 3 };
const RECORD = {
  ...{ text: '{}', signature: 'A'.repeat(86), mac: 'A'.repeat(43) },
  certificate: 'AAAA',
};
const HOST = { hostname: 'a', display_name: 'A', ip: '10.0.0.1', port: 1, name: 'f', ...FILE };

const VALID = [
  { status: 'FOUND', hosts: [{ ...HOST, age: 7 }], records: { a: RECORD } },
  { status: 'FOUND', hosts: { [ID]: [HOST] }, records: { a: RECORD } },
  { status: 'OK', addr: ['::1', 6000], display_name: 'A', age: 1, files: { f: FILE } },
  {
    ...{ status: 'OK', now: 5_000, records: { a: RECORD, __proto__: RECORD } },
    registry: { a: { addr: ['10.0.0.1', 0], files: { f: FILE }, age: 4, connected_at: 6 } },
  },
  {
    status: 'OK',
    version: 2,
    max_publish: 1_000,
    heartbeat_ms: { idle: 9e5, active: 6e4, busy: 3e4 },
  },
  { status: 'ACK', refused: [{ name: 'f', reason: 'old sequence' }] },
  { status: 'ERROR', reason: 'x' },
  { event: 'replaced', now: 1 },
].map((value) => JSON.stringify({ id: 1, ...value }));

/** Replies of a tracker, as a peer reads them: nothing gets through that could not be. */
export const controlReplies: FuzzTarget = {
  name: 'control-replies',
  share: 15,
  property: () => {
    const valid = fc.constantFrom(...VALID);
    const built = fc
      .tuple(fc.constantFrom('OK', 'FOUND', 'ACK', 'ERROR'), anyValue(), anyValue())
      .map(([status, value, other]) =>
        JSON.stringify({
          ...{
            status,
            hosts: value,
            files: other,
            registry: value,
            refused: value,
            records: other,
          },
          ...{ heartbeat_ms: value, version: other, max_publish: other, now: value, reason: other },
        }),
      );
    const line = fc.oneof(
      { weight: 6, arbitrary: mutated(valid) },
      { weight: 3, arbitrary: built },
      anyText(),
    );
    return fc.property(line, checkReaders);
  },
};

const CODES = ['INVALID_MESSAGE', 'TRACKER_REFUSED'] as const;

function checkReaders(line: string): void {
  const reply = orRefused(['INVALID_MESSAGE'], () => parseReplyLine(line));
  if (reply === undefined) return;
  readEvent(reply);
  readHeartbeatIntervals(reply);
  recordOf(reply, 'a');
  recordOf(reply, '__proto__');
  assert.ok(readRefusals(reply, ['f']).length <= 1);
  orRefused(CODES, () => checkReply(reply));
  orRefused(CODES, () => readHello(reply));
  checkLists(reply);
  const located = orRefused(CODES, () => readLocated(reply, [CONTENT]));
  assert.ok(located === undefined || [...located.keys()].every((id) => id === ID));
}

function checkLists(reply: ReturnType<typeof parseReplyLine>): void {
  for (const version of [1, 2] as const) {
    const sources: ReturnType<typeof readSources> =
      orRefused(CODES, () => readSources(reply, version)) ?? [];
    for (const source of sources) {
      assert.equal(opaqueNameProblem(source.hostname), undefined);
      assert.equal(opaqueNameProblem(source.displayName), undefined);
      assert.ok(isAddressLiteral(source.ip) && source.port > 0 && source.port <= 65_535);
      assert.ok(Number.isSafeInteger(source.size) && source.size >= 0);
    }
    for (const [name, file] of orRefused(CODES, () => readFiles(reply, version)) ?? [])
      assert.ok(opaqueNameProblem(name) === undefined && Number.isSafeInteger(file.size));
    for (const [hostname, host] of orRefused(CODES, () => readRegistry(reply, version)) ?? []) {
      assert.equal(opaqueNameProblem(hostname), undefined);
      assert.ok(isAddressLiteral(host.ip) && Number.isFinite(host.lastSeen));
    }
  }
}
