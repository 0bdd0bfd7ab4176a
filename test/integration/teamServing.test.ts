import { strict as assert } from 'node:assert';
import { connect } from 'node:net';
import { exportFrom, type TransferSecurity } from '../../src/peer/transfer/transferSecurity';
import { anonymousTlsOptions, tlsOptionsOf } from '../../src/protocol/certificate';
import { proveMembership } from '../../src/protocol/channelProof';
import { useCleanup } from '../support/cleanup';
import { FakeClock } from '../support/fakeClock';
import { makeP384 } from '../support/otherCurve';
import { connectRaw } from '../support/rawPeer';
import { startServer, type TestServer } from '../support/startServer';
import {
  connectAs,
  connectTls,
  newMember,
  newProofKey,
  type RawTls,
  startTeamServer,
} from '../support/team';
import { eventually } from '../support/waitFor';

describe('serving the members of a team', () => {
  const cleanup = useCleanup();
  const proofKey = newProofKey();
  let alice: TransferSecurity;
  let bob: TransferSecurity;
  let server: TestServer;
  let id: string;

  before(async () => {
    [alice, bob] = [await newMember(proofKey), await newMember(proofKey)];
  });
  beforeEach(async () => {
    server = await startTeamServer(cleanup, alice);
    id = server.publish('a', 'content');
  });

  const get = (path: string, ...fields: string[]): string =>
    [`GET ${path} HTTP/1.1`, 'Host: 127.0.0.1', ...fields, '', ''].join('\r\n');
  const asBob = (): Promise<RawTls> => connectAs(cleanup, server.port, bob);
  const readAll = async (raw: { readAll(): Promise<Buffer> }): Promise<string> =>
    (await raw.readAll()).toString('latin1');

  /** The whole answer to one request, with this proof or none. */
  async function answerTo(
    path: string,
    proof: (raw: RawTls) => string | undefined,
    connected: Promise<RawTls> = asBob(),
  ): Promise<string> {
    const raw = await connected;
    const value = proof(raw);
    const fields = value === undefined ? [] : [`Authorization: ${value}`];
    raw.send(get(path, ...fields, 'Connection: close'));
    return readAll(raw);
  }

  const assertRefused = (answer: string): void => {
    assert.match(
      answer,
      /^HTTP\/1\.1 401 .*\r\nConnection: close\r\n.*\{"code":"not_a_member"\}$/su,
    );
  };

  it('answers a member, and asks for the proof once for a connection', async () => {
    const raw = await asBob();
    raw.send(get(`/v2/objects/${id}`, `Authorization: ${raw.prove(bob, alice)}`));
    raw.send(get('/v2/entries/a', 'Connection: close'));
    const answers = await readAll(raw);
    assert.equal(answers.match(/HTTP\/1\.1 200 OK/gu)?.length, 2);
    assert.ok(answers.includes('\r\n\r\ncontentHTTP/1.1'));
  });

  it('speaks TLS 1.3 only', async () => {
    const raw = await asBob();
    assert.equal(raw.socket.getProtocol(), 'TLSv1.3');
    const options = {
      ...tlsOptionsOf(bob.identity),
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.2',
    } as const;
    await assert.rejects(connectTls(cleanup, server.port, { ...options, ciphers: 'DEFAULT' }));
  });

  it('tells a stranger nothing of any file, whatever it asks for', async () => {
    const other = id.replace(/^./u, (digit) => (digit === '0' ? '1' : '0'));
    const paths = [`/v2/objects/${id}`, `/v2/objects/${other}`, '/v2/entries/a', '/v2/entries/b'];
    const answers = await Promise.all(paths.map((path) => answerTo(path, () => undefined)));
    answers.forEach(assertRefused);
    const bare = answers.map((answer) => answer.replace(/Date: .*\r\n/u, ''));
    assert.equal(new Set(bare).size, 1);
    assert.deepEqual(server.transfers.all(), []);
  });

  it('answers nothing that stands behind a refused request', async () => {
    const raw = await asBob();
    const proof = raw.prove(bob, alice);
    raw.send(get('/v2/entries/a') + get('/v2/entries/a', `Authorization: ${proof}`));
    assertRefused(await readAll(raw));
  });

  it('refuses a member of another team', async () => {
    const path = `/v2/objects/${id}`;
    const stranger = { ...bob, proofKey: newProofKey() };
    assertRefused(await answerTo(path, (raw) => raw.prove(stranger, alice)));
  });

  it('refuses a proof of another connection, for another end, or in another form', async () => {
    const path = `/v2/objects/${id}`;
    const copied = (await asBob()).prove(bob, alice);
    assertRefused(await answerTo(path, () => copied));
    assertRefused(await answerTo(path, (raw) => raw.prove(alice, alice)));
    assertRefused(await answerTo(path, (raw) => raw.prove(bob, bob)));
    assertRefused(await answerTo(path, (raw) => raw.prove(bob, alice).replace('Peer', 'peer')));
    assertRefused(await answerTo(path, (raw) => raw.prove(bob, alice).slice(0, -1)));
  });

  it('refuses who shows no certificate, or one of another curve', async () => {
    const path = `/v2/objects/${id}`;
    const bare = connectTls(cleanup, server.port, anonymousTlsOptions());
    assertRefused(await answerTo(path, (raw) => raw.prove(bob, alice), bare));
    const { cert, key, fingerprint } = await makeP384();
    const options = { ...anonymousTlsOptions(), cert, key };
    const proof = (raw: RawTls): string =>
      proveMembership(
        {
          exporter: exportFrom(raw.socket),
          clientFingerprint: fingerprint,
          serverFingerprint: alice.identity.fingerprint,
        },
        proofKey,
      );
    assertRefused(await answerTo(path, proof, connectTls(cleanup, server.port, options)));
  });

  it('closes on what is no TLS without a word', async () => {
    for (const bytes of [
      get(`/v2/objects/${id}`),
      'GET a\n',
      '\n'.repeat(5),
      'x'.repeat(100_000),
    ]) {
      const raw = await connectRaw(cleanup, { host: '127.0.0.1', port: server.port });
      raw.send(bytes);
      const answer = await readAll(raw);
      assert.ok(!/HTTP|LENGTH|ERROR/u.test(answer), answer); // An alert of TLS is no word.
    }
  });

  it('speaks neither version 1 nor another version of HTTP inside TLS', async () => {
    const raw = await asBob();
    raw.send('GET a\n\r\n\r\n');
    assert.match(await readAll(raw), /^HTTP\/1\.1 400 /u);
    const old = await asBob();
    const proof = `Authorization: ${old.prove(bob, alice)}`;
    old.send(get(`/v2/objects/${id}`, proof).replace('HTTP/1.1', 'HTTP/1.0'));
    assert.match(await readAll(old), /^HTTP\/1\.1 400 .*bad_request/su);
  });

  it('refuses a web page, even one with a proof', async () => {
    const raw = await asBob();
    const proof = `Authorization: ${raw.prove(bob, alice)}`;
    raw.send(get(`/v2/objects/${id}`, proof, 'Origin: http://example.org'));
    assert.match(await readAll(raw), /^HTTP\/1\.1 403 .*forbidden/su);
  });

  it('resumes nothing: each connection shows its certificates again', async () => {
    const sessions: Buffer[] = [];
    const first = await asBob();
    first.socket.on('session', (session) => sessions.push(session));
    first.send(get('/v2/entries/a', `Authorization: ${first.prove(bob, alice)}`));
    await eventually(() => first.socket.bytesRead > 0 || undefined, 'an answer');
    const session = sessions.at(-1) ?? first.socket.getSession();
    assert.ok(session);
    const options = { ...tlsOptionsOf(bob.identity), session };
    const second = await connectTls(cleanup, server.port, options);
    assert.equal(second.socket.isSessionReused(), false);
    assert.ok(second.socket.getPeerX509Certificate());
    const answer = await answerTo(
      `/v2/objects/${id}`,
      (raw) => raw.prove(bob, alice),
      Promise.resolve(second),
    );
    assert.match(answer, /^HTTP\/1\.1 200 /u);
  });

  it('has one deadline for the handshake and the first request together', async () => {
    const clock = new FakeClock();
    server = await startTeamServer(cleanup, alice, { clock });
    server.publish('a', 'content');
    const silent = await connectRaw(cleanup, { host: '127.0.0.1', port: server.port });
    await eventually(() => clock.pending === 1 || undefined, 'the server waits');
    clock.advance(9_999);
    const late = await asBob();
    await eventually(() => clock.pending === 2 || undefined, 'the server waits for both');
    clock.advance(1);
    assert.equal((await silent.readAll()).length, 0);
    late.send('GET /v2/entries/a HTTP/1.1\r\nHost: 127.0.0.1\r\n');
    clock.advance(9_999);
    assert.equal(await readAll(late), '');
  });

  it('lets silent connections and halves of handshakes keep nobody out', async () => {
    const open = async (index: number): Promise<void> => {
      const socket = connect({ host: '127.0.0.1', port: server.port });
      cleanup.add(() => socket.destroy());
      socket.on('error', () => undefined);
      await new Promise<void>((resolve) => socket.once('connect', resolve));
      // The beginning of a handshake, or of nothing.
      if (index % 2 === 0) socket.write(Buffer.from('1603010200010001fc0303', 'hex'));
    };
    await Promise.all(Array.from({ length: 1_000 }, (_, index) => open(index)));
    const answer = await answerTo(`/v2/objects/${id}`, (raw) => raw.prove(bob, alice));
    assert.match(answer, /^HTTP\/1\.1 200 .*content$/su);
  });

  it('lets strangers whom it has refused make room for members', async () => {
    server = await startTeamServer(cleanup, alice, {
      options: { connectionLimits: { total: 2, perAddress: 2 } },
    });
    id = server.publish('a', 'content');
    for (let count = 0; count < 2; count += 1) {
      const raw = await asBob();
      raw.socket.pause(); // Takes neither the refusal nor the end.
      raw.send(get('/v2/entries/a'));
    }
    const answer = await answerTo(`/v2/objects/${id}`, (raw) => raw.prove(bob, alice));
    assert.match(answer, /^HTTP\/1\.1 200 .*content$/su);
  });

  it('listens anew when the session has become another one', async () => {
    let security: TransferSecurity | undefined = alice;
    const other = await startServer(cleanup, { offer: { security: () => security } });
    const any = { first: 0, last: 0 };
    await other.server.ensureListening('127.0.0.1', any);
    const open = await connectTls(cleanup, other.port, tlsOptionsOf(bob.identity));
    await other.server.ensureListening('127.0.0.1', any);
    assert.equal(open.socket.closed, false, 'nothing has changed');
    security = undefined;
    const port = await other.server.ensureListening('127.0.0.1', any);
    await open.readAll();
    const raw = await connectRaw(cleanup, { host: '127.0.0.1', port });
    raw.send('GET none\n');
    assert.equal(await readAll(raw), 'ERROR notfound\n');
  });
});
