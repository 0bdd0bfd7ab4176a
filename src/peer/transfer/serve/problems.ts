import type { OutgoingHttpHeaders } from 'node:http';

/** Every code in the body of a failed request, with its status. docs/PROTOCOL.md explains them. */
export const PROBLEM_STATUS = {
  bad_request: 400,
  not_a_member: 401,
  forbidden: 403,
  not_found: 404,
  not_published: 404,
  no_layer: 404,
  method_not_allowed: 405,
  changed: 409,
  gone: 410,
  too_large: 413,
  bad_range: 416,
  expectation_failed: 417,
  declined: 429,
  head_too_large: 431,
  unreadable: 500,
  busy: 503,
} as const;

export type ProblemCode = keyof typeof PROBLEM_STATUS;

/** Why a request is not answered as asked. Nothing of an answer has been sent yet. */
export interface Problem {
  readonly code: ProblemCode;
  readonly headers?: OutgoingHttpHeaders;
  /** Whether the connection can be used no more. */
  readonly closes?: boolean;
}

export function problemBody(code: ProblemCode): string {
  return JSON.stringify({ code });
}
