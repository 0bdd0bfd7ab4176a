import { CONTROL_REASONS } from '../protocol/controlReasons';
import type {
  ControlRequestV2,
  EntryRefusal,
  NamedFile,
  PageRequest,
} from '../protocol/controlRequestsV2';
import { answerRequest } from './actions';
import type { ConnectionEvents } from './connectionEvents';
import type { TrackerLimits } from './limits';
import { type MaybePromise, whenReady } from './maybePromise';
import type { Membership } from './membership';
import { isCursor } from './pages';
import type { Reachability } from './reachability';
import type { BatchOutcome, Owner, Registry } from './registry';
import { errorReply } from './replies';
import { acknowledgedReply, registeredReply, syncedReply } from './repliesV2';

export interface ActionContext {
  readonly registry: Registry;
  readonly limits: TrackerLimits;
  /** Of the connection, in a team session. */
  readonly membership?: Membership | undefined;
  readonly reachability?: Pick<Reachability, 'onRegistered' | 'onSeen'> | undefined;
  /** Of the connection: what it is told without asking. */
  readonly events: ConnectionEvents;
}

type RegisterRequest = Extract<ControlRequestV2, { action: 'REGISTER' }>;
type UnpublishRequest = Extract<ControlRequestV2, { action: 'UNPUBLISH' }>;
type PingRequest = Extract<ControlRequestV2, { action: 'PING' }>;

/** The reply to one request of version 2, without `id` and `now`. */
export function answerRequestV2(
  context: ActionContext,
  owner: Owner,
  request: ControlRequestV2,
): MaybePromise<string> {
  const { registry } = context;
  switch (request.action) {
    case 'REQUEST':
      return registry.request(request.name, 2);
    case 'LOCATE':
      return registry.locate(request.ids);
    case 'LIST':
      return request.page === undefined ? registry.list(2) : page(registry, request.page);
    case 'SEARCH':
      return page(registry, request.page);
    case 'SUBSCRIBE':
      return context.events.subscribe(request.page);
    case 'SYNC':
      return context.events.isSubscribed
        ? whenReady(registry.flushed(), syncedReply)
        : errorReply(CONTROL_REASONS.notSubscribed);
    case 'DISCOVER':
      return whenReady(
        registry.discover(request.hostname, 2),
        (reply) => reply ?? errorReply(CONTROL_REASONS.unknownHost),
      );
    case 'REGISTER':
      return register(context, owner, request);
    case 'PUBLISH':
      return whenReady(
        registry.publishAll(owner, request.hostname, keptFiles(context, request.files)),
        (outcome) => toReply(outcome, request.refused),
      );
    case 'UNPUBLISH':
      return unpublish(context, owner, request);
    case 'PING':
      return ping(context, owner, request);
    case 'UNREGISTER':
      return answerRequest(registry, owner, request);
  }
}

function page(registry: Registry, request: PageRequest): MaybePromise<string> {
  const { cursor } = request;
  return cursor === undefined || isCursor(cursor)
    ? registry.page(request)
    : errorReply(CONTROL_REASONS.badCursor);
}

function register(
  { registry, limits, membership, reachability }: ActionContext,
  owner: Owner,
  request: RegisterRequest,
): MaybePromise<string> {
  const identity = membership?.identify(request);
  if (membership !== undefined) {
    if (identity === undefined) return errorReply(CONTROL_REASONS.notProven);
    const claimed = membership.bindings.claim(request.hostname, identity.fingerprint);
    if (claimed !== 'done') return errorReply(claimed);
  }
  const files = keptFiles({ membership }, request.files);
  const registration = { ...toRegistration({ ...request, files }, owner), identity };
  return whenReady(registry.register(owner, registration), (outcome) => {
    if (outcome !== 'done') return errorReply(outcome);
    membership?.onRegistered(request.hostname);
    reachability?.onRegistered(registration);
    return registeredReply(limits, request.refused);
  });
}

function unpublish(
  { registry, membership }: ActionContext,
  owner: Owner,
  { hostname, names, withdrawn }: UnpublishRequest,
): MaybePromise<string> {
  const kept = membership === undefined ? undefined : withdrawn;
  return whenReady(registry.unpublishAll(owner, hostname, names, kept), (outcome) =>
    toReply(outcome, []),
  );
}

/** In an open session nobody could tell who has signed anything: nothing of it is kept. */
function keptFiles(
  { membership }: Pick<ActionContext, 'membership'>,
  files: readonly NamedFile[],
): readonly NamedFile[] {
  if (membership !== undefined) return files;
  return files.map(({ name, file: { signed: _, ...file } }) => ({ name, file }));
}

function ping(
  { registry, membership, reachability }: ActionContext,
  owner: Owner,
  request: PingRequest,
): MaybePromise<string> {
  reachability?.onSeen();
  const { record, isBusy = false, ...plain } = request;
  const answer = (): MaybePromise<string> => answerRequest(registry, owner, plain);
  if (plain.hostname === undefined) return answer();
  if (record !== undefined) membership?.onSeen();
  // A record means nothing in an open session.
  const renewal = { isBusy, record: membership && record };
  const renewed = registry.renew(owner, plain.hostname, renewal);
  return renewed instanceof Promise ? renewed.then(answer) : answer();
}

/** Of entries with the same name the last one counts. */
function toRegistration(
  request: RegisterRequest,
  owner: Owner,
): Parameters<Registry['register']>[1] {
  return {
    hostname: request.hostname,
    displayName: request.displayName ?? request.hostname,
    ip: request.ip ?? owner.address,
    port: request.port,
    instance: request.instance,
    files: new Map(request.files.map(({ name, file }) => [name, file])),
  };
}

function toReply(outcome: BatchOutcome, invalid: readonly EntryRefusal[]): string {
  return typeof outcome === 'string'
    ? errorReply(outcome)
    : acknowledgedReply([...invalid, ...outcome]);
}
