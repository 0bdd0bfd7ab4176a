import { CONTROL_REASONS } from '../protocol/controlReasons';
import type { ControlRequest } from '../protocol/controlRequests';
import { type MaybePromise, whenReady } from './maybePromise';
import type { Owner, Registry } from './registry';
import { ACK, ALIVE, DEAD, errorReply, OK } from './replies';

/** The reply to one request, a whole line of ASCII. */
export function answerRequest(
  registry: Registry,
  owner: Owner,
  request: ControlRequest,
): MaybePromise<string> {
  switch (request.action) {
    case 'REQUEST':
      return registry.request(request.name);
    case 'PING':
      return whenReady(isRegistered(registry, request.hostname), (known) => (known ? ALIVE : DEAD));
    case 'REGISTER':
      return changed(registry.register(owner, toRegistration(request, owner)), OK);
    case 'PUBLISH':
      return changed(registry.publish(owner, request.hostname, request.name, request.file), ACK);
    case 'UNPUBLISH':
      return changed(registry.unpublish(owner, request.hostname, request.name), ACK);
    case 'UNREGISTER':
      return changed(registry.unregister(owner, request.hostname), OK);
    case 'DISCOVER':
      return whenReady(
        registry.discover(request.hostname),
        (reply) => reply ?? errorReply(CONTROL_REASONS.unknownHost),
      );
    case 'LIST':
      return registry.list();
  }
}

function isRegistered(registry: Registry, hostname: string | undefined): MaybePromise<boolean> {
  return hostname !== undefined && registry.has(hostname);
}

function toRegistration(
  request: Extract<ControlRequest, { action: 'REGISTER' }>,
  owner: Owner,
): Parameters<Registry['register']>[1] {
  return {
    hostname: request.hostname,
    displayName: request.displayName ?? request.hostname,
    ip: request.ip ?? owner.address,
    port: request.port,
    files: request.files,
  };
}

/** Outcomes of the registry are the reasons of the wire. */
function changed(outcome: MaybePromise<string>, success: string): MaybePromise<string> {
  return whenReady(outcome, (result) => (result === 'done' ? success : errorReply(result)));
}
