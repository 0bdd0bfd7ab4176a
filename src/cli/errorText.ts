import { assertNever } from '../common/assertNever';
import type { ErrorDetails, PeershelfError } from '../common/errors';
import { plainText } from '../protocol/text';

/** What went wrong and what to do next, in one line for standard error. */
export function errorText(error: PeershelfError): string {
  const { details } = error;
  const path = detail(details, 'path', 'the file');
  const name = detail(details, 'name', 'the file');
  const owner = detail(details, 'displayName', 'the publisher');
  switch (error.code) {
    case 'ALREADY_RUNNING':
      return 'Too many peershelf processes of this user are running. Stop one and try again.';
    case 'AMBIGUOUS_NAME':
      return `Several people offer different files as ${name}. Choose one with --from: ${hosts(details)}.`;
    case 'CANCELLED':
      return 'Cancelled. Nothing was changed.';
    case 'CONNECTION_LOST':
      return `The connection to ${owner} was lost. Nothing was changed; try again.`;
    case 'DESTINATION_EXISTS':
      return `${path} exists with other content. Use --force to replace it, or --output for another place.`;
    case 'DESTINATION_IS_FOLDER':
      return `${path} is a folder. Name a file with --output.`;
    case 'DISK_FULL':
      return `There is not enough space at ${path}. Make room, or choose another place with --output.`;
    case 'ENGINE_STOPPED':
      return 'The engine has stopped. Start the command again.';
    case 'FILE_CHANGED':
      return `${name} changed while it was sent. Try again.`;
    case 'FILE_GONE':
      return details['path'] === undefined
        ? `${owner} published the file but no longer has it. Ask for it to be published again.`
        : `${path} does not exist. Check the path.`;
    case 'FILE_UNREADABLE':
      return details['path'] === undefined
        ? `${owner} cannot read the file. Ask for it to be published again.`
        : `${path} cannot be read. Check its permissions.`;
    case 'FOLDER_NOT_WRITABLE':
      return `Cannot write ${path}. Check the permissions, or choose another place with --output.`;
    case 'INTERNAL':
      return `Something unexpected went wrong: ${plainText(error.message)}. Run with --verbose and report it.`;
    case 'INVALID_ADDRESS':
      return `${detail(details, 'address', 'That')} is no address. Write HOST:PORT, such as 192.168.1.5:9000.`;
    case 'INVALID_ARGUMENT':
      return `${plainText(error.message)}. See peershelf --help.`;
    case 'INVALID_MESSAGE':
    case 'LINE_TOO_LONG':
      return `The other side does not speak this protocol (${plainText(error.message)}). Check the address.`;
    case 'INVALID_NAME':
      return `${name} cannot be a published name: it ${detail(details, 'problem', 'is not valid')}. Choose another with --name.`;
    case 'LENGTH_MISMATCH':
      return `${owner} sent more than announced. Nothing was kept; ask for the file to be published again.`;
    case 'LIMIT_EXCEEDED':
      return `A limit was reached: ${plainText(error.message)}. Do less at once, and try again.`;
    case 'NAME_TAKEN':
      return `The hostname ${detail(details, 'hostname', '')} is in use. Choose another with --hostname.`;
    case 'NO_FREE_PORT':
    case 'PORT_IN_USE':
      return `${plainText(error.message)}. Choose another with --port, or --port 0 for any free one.`;
    case 'NOT_A_FILE':
      return `${path} is no file. Name files, not folders.`;
    case 'NOT_CONNECTED':
      return 'There is no connection to a tracker. Check that it runs, and try again.';
    case 'NOT_FOUND':
      if (details['name'] === undefined)
        return `The tracker knows no host ${detail(details, 'hostname', 'of that name')}. See who is there with peershelf list.`;
      return `Nobody offers ${name}${fromHost(details)}. See what there is with peershelf list.`;
    case 'NOT_PUBLISHED':
      return `${owner} does not offer the file any more. See what there is with peershelf list.`;
    case 'OUTSIDE_FOLDER':
      return `${path} leads out of its folder through a link. Choose a place inside.`;
    case 'PEER_BUSY':
      return `${owner} serves too many others now. Try again in a moment.`;
    case 'PEER_UNREACHABLE':
      return `Cannot reach ${owner}${at(details)}. It may be off, or a firewall may block its port.`;
    case 'STALLED':
      return `${owner} stopped sending. Nothing was changed; try again.`;
    case 'TIMED_OUT':
      return 'The tracker did not answer in time. Check the network, and try again.';
    case 'TRACKER_REFUSED':
      return `The tracker refused: ${detail(details, 'reason', 'no reason given')}.`;
    case 'TRACKER_UNREACHABLE':
      return `Cannot reach the tracker${at(details)}. Check that it runs and that the address is right.`;
    default:
      return assertNever(error.code);
  }
}

function detail(details: ErrorDetails, key: string, otherwise: string): string {
  const value = details[key];
  return value === undefined ? otherwise : plainText(String(value));
}

function hosts(details: ErrorDetails): string {
  const names = details['hostnames'];
  return Array.isArray(names) ? names.map((name) => plainText(String(name))).join(', ') : '';
}

function fromHost(details: ErrorDetails): string {
  return details['hostname'] === undefined ? '' : ` at ${detail(details, 'hostname', '')}`;
}

function at(details: ErrorDetails): string {
  return details['address'] === undefined ? '' : ` at ${detail(details, 'address', '')}`;
}
