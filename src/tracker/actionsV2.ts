import { CONTROL_REASONS } from '../protocol/controlReasons';
import type { ControlRequestV2, EntryRefusal } from '../protocol/controlRequestsV2';
import { answerRequest } from './actions';
import type { TrackerLimits } from './limits';
import { type MaybePromise, whenReady } from './maybePromise';
import type { BatchOutcome, Owner, Registry } from './registry';
import { errorReply } from './replies';
import { acknowledgedReply, registeredReply } from './repliesV2';

export interface ActionContext {
  readonly registry: Registry;
  readonly limits: TrackerLimits;
}

/** The reply to one request of version 2, without `id` and `now`. */
export function answerRequestV2(
  { registry, limits }: ActionContext,
  owner: Owner,
  request: ControlRequestV2,
): MaybePromise<string> {
  switch (request.action) {
    case 'REQUEST':
      return registry.request(request.name, 2);
    case 'LOCATE':
      return registry.locate(request.ids);
    case 'LIST':
      return registry.list(2);
    case 'DISCOVER':
      return whenReady(
        registry.discover(request.hostname, 2),
        (reply) => reply ?? errorReply(CONTROL_REASONS.unknownHost),
      );
    case 'REGISTER':
      return whenReady(registry.register(owner, toRegistration(request, owner)), (outcome) =>
        outcome === 'done' ? registeredReply(limits, request.refused) : errorReply(outcome),
      );
    case 'PUBLISH':
      return whenReady(registry.publishAll(owner, request.hostname, request.files), (outcome) =>
        toReply(outcome, request.refused),
      );
    case 'UNPUBLISH':
      return whenReady(registry.unpublishAll(owner, request.hostname, request.names), (outcome) =>
        toReply(outcome, []),
      );
    case 'PING':
    case 'UNREGISTER':
      return answerRequest(registry, owner, request);
  }
}

/** Of entries with the same name the last one counts. */
function toRegistration(
  request: Extract<ControlRequestV2, { action: 'REGISTER' }>,
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
