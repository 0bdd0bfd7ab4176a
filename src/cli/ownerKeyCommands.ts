import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../common/clock';
import { fromReadError, PeershelfError } from '../common/errors';
import { readSecretFile, writeSecretFile } from '../common/secretFile';
import { createIdentity, openIdentity } from '../peer/identity/identity';
import { MAX_EXPORT_BYTES, openRecord, sealRecord } from '../peer/team/ownerExport';
import {
  formatOwnerKey,
  ownersWith,
  parseOwnerKey,
  recordOfOwner,
  withOwners,
} from '../peer/team/owners';
import { type SessionRecord } from '../peer/team/sessionRecord';
import { hear } from '../peer/team/synchronise';
import { type KeyPair, parseInvite } from '../protocol/invite';
import { identityOf } from '../protocol/p256';
import { shortFingerprint } from '../protocol/shortFingerprint';
import type { CommandContext } from './commandContext';
import {
  changeSession,
  membersOf,
  type OwnerCommandTools,
  type OwnerOptions,
  tell,
} from './ownerSession';
import { readPassphrase } from './passphrase';
import { addChoiceOptions, chooseRecipients } from './recipients';
import { ownIdentity, readInvite } from './session';
import { addSessionRecord, addSessionRecordOptions, readSessionRecord } from './sessionStore';

/** Key of a future owner of a session that it has not joined as such yet. */
const PENDING_FILE = 'owner-key.txt';

interface KeyOptions extends OwnerOptions {
  readonly passphraseFile?: string;
}

const PASSPHRASE = 'file with the passphrase, - for standard input; else the terminal is asked';

/** `owner export`, `import`, `key`, `add`, `drop` and `join`: who has the keys of a session. */
export function addOwnerKeyCommands(
  owner: Command,
  context: CommandContext,
  commands: OwnerCommandTools,
): void {
  addCopyCommands(owner, context, commands);
  addNewOwnerCommands(owner, context, commands);
  addCharterCommands(owner, context, commands);
}

function local(owner: Command, name: string, description: string): Command {
  return addSessionRecordOptions(owner.command(name).description(description)).option(
    '--json',
    'print one JSON object per line',
  );
}

/** `owner export` and `import`: another computer of the same owner. */
function addCopyCommands(
  owner: Command,
  context: CommandContext,
  { folderOf }: OwnerCommandTools,
): void {
  local(owner, 'export', 'write all keys of a session to a file, under a passphrase')
    .argument('<file>')
    .option('--passphrase-file <path>', PASSPHRASE)
    .action(async (file: string, options: KeyOptions) => {
      const record = readSessionRecord(folderOf(options), options.session);
      const passphrase = await readPassphrase(options.passphraseFile, { isNew: true });
      writeSecretFile(file, `${sealRecord(record, passphrase)}\n`, 'replace');
      tell(context, options, { text: `exported ${record.name} to ${file}`, data: { file } });
    });

  local(owner, 'import', 'take over the keys of a session from an export')
    .argument('<file>')
    .option('--passphrase-file <path>', PASSPHRASE)
    .action(async (file: string, options: KeyOptions) => {
      const text = readExport(file);
      const passphrase = await readPassphrase(options.passphraseFile, { isNew: false });
      const record = openRecord(text, passphrase);
      addSessionRecord(folderOf(options), record);
      const { name: session } = record;
      tell(context, options, { text: `imported ${session}`, data: { session } });
    });
}

/** `owner key` and `join`: a new owner. */
function addNewOwnerCommands(
  owner: Command,
  context: CommandContext,
  { folderOf }: OwnerCommandTools,
): void {
  local(
    owner,
    'key',
    'print the key to send to the first owner, who makes it one of an owner',
  ).action((options: OwnerOptions) => {
    const { publicKey } = pendingKey(folderOf(options));
    const fingerprint = shortFingerprint(identityOf(publicKey));
    const key = formatOwnerKey(publicKey);
    tell(context, options, { text: `${key}\n${fingerprint}`, data: { key, fingerprint } });
  });

  local(owner, 'join', 'take over the keys of a session by an invite made after owner add')
    .requiredOption('--invite-file <path>', 'a file with the invite')
    .action(async (options: OwnerOptions & { inviteFile: string }) => {
      const folder = folderOf(options);
      const invite = parseInvite(readInvite(options.inviteFile));
      const own = pendingKey(folder);
      const record = await joinAsOwner(invite, own, context.signal);
      addSessionRecord(folder, record);
      rmSync(join(folder, PENDING_FILE), { force: true });
      const { name: session } = record;
      tell(context, options, { text: `an owner of ${session} now`, data: { session } });
    });
}

/** `owner add` and `drop`: the owners in the charter. */
function addCharterCommands(
  owner: Command,
  context: CommandContext,
  { command, folderOf }: OwnerCommandTools,
): void {
  const change = async (
    options: OwnerOptions,
    owners: (record: SessionRecord) => Parameters<typeof withOwners>[1]['owners'],
  ): Promise<void> => {
    const { statement } = await changeSession(
      ...([options, folderOf(options), context] as const),
      async (record) => {
        const members = await membersOf(record, options, context);
        const choice = { members, removed: [], options };
        const recipients = await chooseRecipients(record, choice, context);
        return withOwners(record, { owners: owners(record), recipients, now: new Date() });
      },
    );
    const list = statement.charter.owners.map((one) => shortFingerprint(identityOf(one)));
    tell(context, options, { text: `owners: ${list.join(', ')}`, data: { owners: list } });
  };
  addChoiceOptions(command(owner, 'add', 'make a key that of an owner'))
    .argument('<key>', 'what owner key has printed for the new owner')
    .action(async (key: string, options: OwnerOptions) =>
      change(options, (record) => ownersWith(record, parseOwnerKey(key))),
    );
  addChoiceOptions(command(owner, 'drop', 'withdraw an owner'))
    .argument('<key>', 'key or short fingerprint of the owner')
    .action(async (key: string, options: OwnerOptions) =>
      change(options, ({ statement: { charter } }) => {
        const isIt = (one: (typeof charter.owners)[number]): boolean =>
          formatOwnerKey(one) === key || shortFingerprint(identityOf(one)) === key;
        const owners = charter.owners.filter((one) => !isIt(one));
        if (owners.length < charter.owners.length) return owners;
        throw new PeershelfError('INVALID_ARGUMENT', 'there is no owner with this key');
      }),
    );
}

async function joinAsOwner(
  invite: ReturnType<typeof parseInvite>,
  owner: KeyPair,
  signal: AbortSignal,
): Promise<SessionRecord> {
  const tracker = await createIdentity(new Date());
  const identity = openIdentity(await ownIdentity());
  const { statement } = await hear(
    { root: invite.root, owner, trackers: [invite.fingerprint] },
    { addresses: invite.addresses, clock: systemClock, identity, signal },
  );
  return recordOfOwner(invite, { owner, statement, tracker });
}

/** The key of a future owner, a new one when there is none. */
function pendingKey(folder: string): KeyPair {
  const file = join(folder, PENDING_FILE);
  const { privateKey: made } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const text = made.export({ type: 'pkcs8', format: 'der' }).toString('base64');
  const kept = readSecretFile(file) ?? writeSecretFile(file, text, 'keep') ?? text;
  const key = Buffer.from(kept, 'base64');
  const privateKey = createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

function readExport(file: string): string {
  try {
    if (statSync(file).size > MAX_EXPORT_BYTES)
      throw new PeershelfError('EXPORT_UNREADABLE', 'the export is too long');
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw fromReadError(error, file);
  }
}
