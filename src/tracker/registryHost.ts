import type { Clock } from '../common/clock';
import { NameText } from '../common/nameText';
import { CONTROL_REASONS } from '../protocol/controlReasons';
import type { FileMetadata } from '../protocol/controlRequests';
import type { InstanceClaim } from '../protocol/controlRequestsV2';
import { ADDRESS_SHARE, IDENTITY_SHARE, TAKEOVER_SILENCE_MS, TEAM_ADDRESS_SHARE } from './limits';
import type { RankedFile, RankedHost } from './pages';
import type { Owner, Registration } from './registry';
import { type Account, costOfFile, costOfFiles, costOfHost } from './registryBudget';
import { filesJson, json } from './replies';
import { filesJsonV2, type HostLife } from './repliesV2';
import { sourceNetwork } from './sourceNetwork';

/** A host of the registry. Life is measured with the clock that only grows. */
export interface Host extends RankedHost {
  /** Who may change it; undefined once the connection is closed. */
  owner: Owner | undefined;
  /** Where its last owner came from. */
  readonly sourceAddress: string;
  readonly instance: InstanceClaim | undefined;
  readonly fingerprint: string | undefined;
  /** Certificate in base64, and what replies say of the host by it; undefined in an open session. */
  readonly certificate: string | undefined;
  recordJson: string | undefined;
  /** Rank of its first registration: replies name hosts in this order. */
  readonly order: number;
  readonly files: Map<string, RankedFile>;
  /** Accounts of the memory that it takes. */
  readonly accounts: readonly Account[];
  /** Cost with all its files. */
  cost: number;
  readonly list: RankedFile[];
  /** Cache of the published files as JSON, of each version; undefined after a change. */
  filesJson: string | undefined;
  filesJsonV2: string | undefined;
  lastSeenMs: number;
  /** When its connection was closed; undefined while it is open. */
  awaySinceMs: number | undefined;
  isBusy: boolean;
  /** When subscribers were last told what it says of itself. */
  recordPushedMs: number;
  /** Seconds since the epoch. */
  readonly connectedAt: number;
}

/** Why a host is not the registration's to take, or undefined. */
export function takeoverRefusal(
  host: Host,
  claim: {
    readonly owner: Owner;
    readonly registration: Registration;
    /** By the clock that only grows. */
    readonly nowMs: number;
  },
): 'hostname in use' | 'replaced' | undefined {
  const { owner, nowMs } = claim;
  const { instance, identity } = claim.registration;
  if (host.fingerprint !== identity?.fingerprint) return CONTROL_REASONS.hostnameInUse;
  if (host.owner?.id === owner.id) return undefined;
  if (instance !== undefined && host.instance?.id === instance.id)
    return instance.counter > host.instance.counter ? undefined : CONTROL_REASONS.replaced;
  // An identity may move from one address to another; where there is none, the address stands for it.
  const isSameUser = identity !== undefined || host.sourceAddress === owner.address;
  if (!isSameUser) return CONTROL_REASONS.hostnameInUse;
  const isSilent = nowMs - host.lastSeenMs >= TAKEOVER_SILENCE_MS;
  return host.owner === undefined || isSilent ? undefined : CONTROL_REASONS.hostnameInUse;
}

/** What replies tell of the host's life. @param nowMs by the clock that only grows. */
export function lifeOf(host: Host, nowMs: number): HostLife {
  const { lastSeenMs, awaySinceMs, connectedAt, isBusy } = host;
  const awayMs = awaySinceMs === undefined ? undefined : nowMs - awaySinceMs;
  return { ageMs: nowMs - lastSeenMs, awayMs, connectedAt, isBusy };
}

/** Whether a registration comes from the window that the host is of. */
export function isSameInstance(host: Host, { instance, identity }: Registration): boolean {
  return (
    instance !== undefined &&
    host.instance?.id === instance.id &&
    host.fingerprint === identity?.fingerprint
  );
}

/** Whether an entry is from before the one that is known. Version 1 has no sequence: it is never old. */
export function isOlder(file: FileMetadata, known: FileMetadata | undefined): boolean {
  return (file.revision?.sequence ?? 0) < (known?.revision?.sequence ?? 0);
}

/** What the host offers, as JSON of version 1. */
export function publishedFiles(host: Host): string {
  host.filesJson ??= filesJson(host.files);
  return host.filesJson;
}

/** What the host offers, as JSON of version 2; undefined when that is too long for any reply. */
export function publishedFilesV2(host: Host): string | undefined {
  host.filesJsonV2 ??= filesJsonV2(host.files);
  return host.filesJsonV2;
}

/** A host as it registers, before any of its files can be found. */
export function newHost(
  owner: Owner,
  registration: Registration,
  { files, clock, ...place }: Pick<Host, 'files' | 'order' | 'rank'> & { readonly clock: Clock },
): Host {
  const { hostname, displayName, ip, port, instance, identity } = registration;
  const list = [...files.values()];
  return {
    hostname,
    displayName,
    ip,
    port,
    owner,
    sourceAddress: owner.address,
    instance,
    fingerprint: identity?.fingerprint,
    certificate: identity?.record.certificate,
    recordJson: identity && json(identity.record),
    ...place,
    files,
    accounts: accountsOf(owner, registration),
    cost: costOfRegistration(registration),
    list,
    text: new NameText(list),
    filesJson: undefined,
    filesJsonV2: undefined,
    lastSeenMs: clock.monotonic(),
    awaySinceMs: undefined,
    isBusy: false,
    recordPushedMs: clock.monotonic(),
    connectedAt: clock.now() / 1_000,
  };
}

/** Additional cost of a host that has `file` under the name. */
export function growthOf(host: Host, name: string, file: FileMetadata): number {
  const before = host.files.get(name);
  return costOfFile(name, file) - (before === undefined ? 0 : costOfFile(name, before));
}

/** Accounts whose memory a registration takes. */
export function accountsOf({ address }: Owner, { identity }: Registration): readonly Account[] {
  const network = sourceNetwork(address);
  if (identity === undefined) return [{ key: network, share: ADDRESS_SHARE }];
  return [
    { key: identity.fingerprint, share: IDENTITY_SHARE },
    { key: network, share: TEAM_ADDRESS_SHARE },
  ];
}

/** Cost of a registration as long as it lasts. */
export function costOfRegistration(registration: Registration): number {
  const { hostname, displayName, ip, identity, files } = registration;
  const record = identity?.record;
  return (
    costOfHost([hostname, displayName, ip, record?.text, record?.certificate]) + costOfFiles(files)
  );
}
