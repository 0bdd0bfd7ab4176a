import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../src/common/clock';
import { nullLogger } from '../src/common/logger';
import { dialTls } from '../src/peer/control/dialTls';
import type { FileAnnouncement } from '../src/peer/control/fileAnnouncement';
import { TrackerClient } from '../src/peer/control/trackerClient';
import { TrackerConnection } from '../src/peer/control/trackerConnection';
import { EntrySigner } from '../src/peer/team/entrySigner';
import {
  createSessionRecord,
  inviteOf,
  type SessionRecord,
  verifierOf,
} from '../src/peer/team/sessionRecord';
import { TeamMember } from '../src/peer/team/teamMember';
import type { HostPort } from '../src/protocol/address';
import type { OwnIdentity } from '../src/protocol/certificate';
import { formatInvite } from '../src/protocol/invite';
import type { BenchContext } from './harness';
import { start } from './servers';

const TRACKER = join(__dirname, '../dist/tracker.js');
const DEADLINE_MS = 10_000;

/** A tracker process, and the session that it is for. */
export interface TeamTracker {
  readonly record: SessionRecord;
  readonly address: HostPort;
  readonly pid: number;
  readonly invite: string;
}

/** The control connection of a member that serves nothing. */
export interface Member {
  readonly hostname: string;
  readonly client: TrackerClient;
  readonly isOpen: () => boolean;
  /** Offers files, signed as a peer does it. Resolves when the tracker has them all. */
  readonly publish: (files: readonly FileAnnouncement[]) => Promise<void>;
}

/** Our tracker as it is shipped, with its default limits. */
export async function startTeamTracker({ cleanup, folder }: BenchContext): Promise<TeamTracker> {
  const record = await createSessionRecord('Bench', new Date());
  const verifier = join(folder, 'verifier.json');
  writeFileSync(verifier, JSON.stringify(verifierOf(record)), { mode: 0o600 });
  const options = ['--verifier-file', verifier, '--port', '0', '--json'];
  const [ready = ''] = await start(cleanup, process.execPath, [TRACKER, ...options], {
    ready: /^\{.*\}$/u,
  });
  const { host, port, pid } = JSON.parse(ready) as HostPort & { readonly pid: number };
  const address = { host, port };
  return { record, address, pid, invite: formatInvite(inviteOf(record, [address])) };
}

/** Comes as a peer does, with these files, and stays connected until the end of the run. */
export async function enter(
  { cleanup }: BenchContext,
  { record, address }: TeamTracker,
  claim: { readonly user: OwnIdentity; readonly hostname: string; readonly displayName?: string },
  files: readonly FileAnnouncement[],
): Promise<Member> {
  const { user, hostname, displayName = hostname } = claim;
  const invite = inviteOf(record, [address]);
  const dialing = {
    options: address,
    unreachable: 'TRACKER_UNREACHABLE',
    deadlineMs: DEADLINE_MS,
    clock: systemClock,
  } as const;
  const socket = await dialTls(dialing, invite.fingerprint);
  cleanup.add(() => socket.destroy());
  const connection = new TrackerConnection(socket, { clock: systemClock, logger: nullLogger });
  const client = new TrackerClient(connection);
  const member = new TeamMember(invite, user, systemClock);
  await client.statement(member.showIdentity(connection.exporter ?? Buffer.alloc(0)));
  await client.hello(member.token());
  const signer = new EntrySigner(member, systemClock);
  const signed = (some: readonly FileAnnouncement[]): FileAnnouncement[] =>
    some.map((file) => ({ ...file, signed: signer.published(hostname, file) }));
  const shown = { hostname, displayName, instance: hostname };
  await client.register({
    ...shown,
    port: 6_000,
    ip: '',
    instance: { id: hostname, counter: 1 },
    files: signed(files.slice(0, client.batchLimit)),
    credentials: member.credentials(shown, connection.exporter ?? Buffer.alloc(0)),
  });
  const publish = async (more: readonly FileAnnouncement[]): Promise<void> => {
    for (let from = 0; from < more.length; from += client.batchLimit) {
      const refused = await client.publish(
        hostname,
        signed(more.slice(from, from + client.batchLimit)),
      );
      if (refused.length > 0) throw new Error(`PUBLISH: ${refused[0]?.reason}`);
    }
  };
  await publish(files.slice(client.batchLimit));
  return { hostname, client, isOpen: () => !socket.destroyed, publish };
}

/** A file that could be published: its content is not anywhere. */
export function announcement(name: string): FileAnnouncement {
  const sizeBytes = 12_345;
  const contentId = { root: createHash('sha256').update(name).digest('hex'), sizeBytes };
  const nowMs = Date.now();
  return { name, sizeBytes, modifiedMs: nowMs, publishedAtMs: nowMs, contentId };
}
