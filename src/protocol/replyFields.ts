import * as v from 'valibot';
import { isAddressLiteral, unmapIpv4 } from './address';
import { opaqueNameProblem } from './names';

/** Members of a tracker's replies, as both versions check them. */

export const nameField = v.pipe(
  v.string(),
  v.check((text) => opaqueNameProblem(text) === undefined),
);
export const amountField = v.pipe(v.number(), v.finite(), v.minValue(0));
export const wholeField = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
export const portField = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
export const ipField = v.pipe(v.string(), v.check(isAddressLiteral), v.transform(unmapIpv4));
