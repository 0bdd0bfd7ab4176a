/**
 * Why a tracker refuses a request that is well-formed, word for word as `reason` of its reply says
 * it. Clients compare these texts, so they never change; docs/PROTOCOL.md lists them.
 */
export const CONTROL_REASONS = {
  badJson: 'bad JSON',
  notAnObject: 'not a JSON object',
  lineTooLong: 'line too long',
  tooManyConnections: 'too many connections',
  tooManyRequests: 'too many requests',
  tooManyFiles: 'too many files',
  hostnameInUse: 'hostname in use',
  notYourHost: 'not your host',
  unknownHost: 'unknown host',
  fileNotFound: 'file not found',
  badRegister: 'bad register',
  badRequest: 'bad request',
  badUnregister: 'bad unregister',
  missingHostname: 'missing hostname',
  missingName: 'missing fname',
  missingHostnameOrName: 'missing hostname or fname',
  missingAction: 'missing action',
  badData: 'data must be an object',
  trackerFailed: 'the tracker failed',
  noCommonVersion: 'no common version',
  badId: 'id must be a whole number or a string of at most 64 characters',
  replaced: 'replaced',
  oldSequence: 'old sequence',
  tooManyEntries: 'too many entries',
  notAMember: 'not a member',
  notProven: 'identity not proven',
  badCursor: 'bad cursor',
  notSubscribed: 'not subscribed',
  tooManyHostnames: 'too many hostnames',
  replyTooLong: 'reply too long',
  statementRefused: 'statement refused',
} as const;

export type ControlReason = (typeof CONTROL_REASONS)[keyof typeof CONTROL_REASONS];
