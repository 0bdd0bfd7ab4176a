import { strict as assert } from 'node:assert';
import type { ControlRequest, FileMetadata } from '../../../src/protocol/controlRequests';
import { answerRequest } from '../../../src/tracker/actions';
import { MemoryRegistry } from '../../../src/tracker/memoryRegistry';
import type { Owner, Registry } from '../../../src/tracker/registry';
import { ALIVE, errorReply, OK } from '../../../src/tracker/replies';
import { FakeClock } from '../../support/fakeClock';

const OWNER: Owner = { id: 'c1', address: '10.0.0.1' };
const FILE: FileMetadata = { size: 1, modified: 2, publishedAt: 3, isPublished: true };
const REGISTER: ControlRequest = {
  action: 'REGISTER',
  hostname: 'alice',
  port: 6000,
  ip: undefined,
  displayName: undefined,
  files: new Map(),
};

describe('answerRequest', () => {
  let registry: Registry;

  beforeEach(() => {
    registry = new MemoryRegistry(new FakeClock(), { maxFilesPerHost: 1, expirySeconds: 1_200 });
  });

  const answer = (request: ControlRequest): unknown => {
    const reply = answerRequest(registry, OWNER, request);
    assert.equal(typeof reply, 'string', 'a registry in memory answers at once');
    return JSON.parse(reply as string);
  };

  it('fills in the address of the connection and the hostname', () => {
    assert.deepEqual(answer(REGISTER), { status: 'OK' });
    assert.deepEqual(answer({ action: 'DISCOVER', hostname: 'alice' }), {
      status: 'OK',
      files: {},
      addr: ['10.0.0.1', 6000],
    });
    const { registry: listed } = answer({ action: 'LIST' }) as {
      registry: Record<string, { display_name: string }>;
    };
    assert.equal(listed['alice']?.display_name, 'alice');
  });

  it('answers each action in its own words', () => {
    answer(REGISTER);
    const name = 'f';
    const hostname = 'alice';
    assert.deepEqual(answer({ action: 'PUBLISH', hostname, name, file: FILE }), { status: 'ACK' });
    assert.equal((answer({ action: 'REQUEST', name }) as { status: string }).status, 'FOUND');
    assert.deepEqual(answer({ action: 'UNPUBLISH', hostname, name }), { status: 'ACK' });
    assert.deepEqual(answer({ action: 'PING', hostname }), { status: 'ALIVE' });
    assert.deepEqual(answer({ action: 'UNREGISTER', hostname }), { status: 'OK' });
    assert.deepEqual(answer({ action: 'PING', hostname }), { status: 'DEAD' });
    assert.deepEqual(answer({ action: 'PING', hostname: undefined }), { status: 'DEAD' });
  });

  it('gives the registry’s reason for a refusal', () => {
    const hostname = 'alice';
    const refused = (request: ControlRequest): unknown =>
      (answer(request) as { reason: string }).reason;
    assert.equal(refused({ action: 'PUBLISH', hostname, name: 'f', file: FILE }), 'unknown host');
    assert.equal(refused({ action: 'DISCOVER', hostname }), 'unknown host');
    answer({ ...REGISTER, files: new Map([['f', FILE]]) });
    assert.equal(refused({ action: 'PUBLISH', hostname, name: 'g', file: FILE }), 'too many files');
    assert.equal(refused({ action: 'UNPUBLISH', hostname, name: 'g' }), 'file not found');
  });

  it('writes replies in ASCII, whatever the names', () => {
    const name = 'Đồ án 😀 \u2028 "x"';
    answer({ ...REGISTER, displayName: name, files: new Map([[name, FILE]]) });
    for (const request of [
      { action: 'REQUEST', name },
      { action: 'DISCOVER', hostname: 'alice' },
      { action: 'LIST' },
    ] as const) {
      const reply = answerRequest(registry, OWNER, request) as string;
      assert.match(reply, /^[\u0020-\u007e]+\n$/u);
      assert.ok(JSON.stringify(JSON.parse(reply)).includes(JSON.stringify(name)), reply);
    }
    assert.deepEqual(JSON.parse(errorReply('lone \ud800 and é')), {
      status: 'ERROR',
      reason: 'lone \ud800 and é',
    });
  });

  it('waits for a registry that answers later', async () => {
    const later = new Proxy(registry, {
      get:
        (target, property: keyof Registry) =>
        (...args: never[]) =>
          Promise.resolve((target[property] as (...all: never[]) => unknown)(...args)),
    });
    assert.equal(await answerRequest(later, OWNER, REGISTER), OK);
    assert.equal(await answerRequest(later, OWNER, { action: 'PING', hostname: 'alice' }), ALIVE);
    assert.match(
      await answerRequest(later, OWNER, { action: 'DISCOVER', hostname: 'bob' }),
      /unknown host/u,
    );
  });
});
