import * as v from 'valibot';
import { isAddressLiteral, unmapIpv4 } from './address';
import { opaqueNameProblem } from './names';

/** Members of control requests, as both versions check them. */

/** Names are checked by hand: this runs for every request, and the reason belongs into the reply. */
export function nameSchema(field: string): v.GenericSchema<string> {
  return v.pipe(
    v.string(`${field} must be a string`),
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return;
      const problem = opaqueNameProblem(dataset.value);
      if (problem !== undefined) addIssue({ message: `${field} ${problem}` });
    }),
  );
}

/** A number that is finite and not negative; the message says so. */
export function amountSchema(field: string): v.GenericSchema<number> {
  const message = `${field} must be a number that is finite and not negative`;
  return v.pipe(v.number(message), v.finite(message), v.minValue(0, message));
}

const integerMessage = 'size must be a whole number of bytes';
export const sizeSchema = v.pipe(amountSchema('size'), v.safeInteger(integerMessage));
export const hostnameSchema = nameSchema('hostname');
export const fnameSchema = nameSchema('fname');

/** Of REGISTER: where a host is and what it is called. */
export const addressFields = {
  ip: v.nullish(
    v.pipe(
      v.string('ip must be an address'),
      v.check((ip) => ip === '' || isAddressLiteral(ip), 'ip must be an address, not a name'),
      v.transform(unmapIpv4),
    ),
  ),
  display_name: v.nullish(
    v.union([v.literal(''), nameSchema('display_name')], 'display_name is not valid'),
  ),
};

/** The message of the first issue: the reason of the reply. */
export function firstReason(result: {
  readonly issues?: readonly { message: string }[] | undefined;
}): string {
  return result.issues?.[0]?.message ?? 'not valid';
}

/** As the original tracker's `not value`: absent, null, empty or 0. */
export function isMissing(data: unknown, field: string): boolean {
  const value = isPlainObject(data) ? data[field] : undefined;
  return value === undefined || value === null || value === '' || value === 0;
}

/** For members where an empty string means the same as none. */
export function emptyToUndefined(text: string | null | undefined): string | undefined {
  return text === '' || text === null ? undefined : text;
}

/** Whether `value` is an object of JSON and no array. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
