import * as v from 'valibot';
import { toContentId } from './contentId';
import { signedMember } from './credentials';
import { ipField, nameField, portField, wholeField } from './replyFields';

/** Parts of replies of version 2. Times become seconds, as the readers of both versions give them. */

const revisionFields = {
  size: wholeField,
  modified: wholeField,
  root: v.nullish(v.string()),
  version: v.nullish(v.pipe(wholeField, v.minValue(1))),
  seq: v.nullish(wholeField),
  signed: v.optional(v.unknown()),
};

/** A file whose root cannot be one is left out: nothing of it can be checked. */
const hasValidRoot = ({
  root,
  size,
}: {
  readonly root?: string | null | undefined;
  readonly size: number;
}): boolean => root === undefined || root === null || toContentId(root, size) !== undefined;

export const fileSchemaV2 = v.pipe(
  v.object({ ...revisionFields, published_at: v.nullish(wholeField, 0) }),
  v.check((entry) => hasValidRoot(entry)),
  v.transform((file) => ({
    size: file.size,
    modified: file.modified / 1_000,
    publishedAt: file.published_at / 1_000,
    contentId: toContentId(file.root, file.size),
    ...signedMember(file.signed),
  })),
);

export const sourceSchemaV2 = v.pipe(
  v.object({
    ...revisionFields,
    hostname: nameField,
    display_name: v.nullish(nameField),
    ip: ipField,
    port: portField,
  }),
  v.check((entry) => hasValidRoot(entry)),
  v.transform((source) => ({
    hostname: source.hostname,
    displayName: source.display_name ?? source.hostname,
    ip: source.ip,
    port: source.port,
    size: source.size,
    modified: source.modified / 1_000,
    contentId: toContentId(source.root, source.size),
    version: source.version ?? undefined,
    sequence: source.seq ?? undefined,
    ...signedMember(source.signed),
  })),
);

export const hostSchemaV2 = v.pipe(
  v.object({
    addr: v.tuple([ipField, v.pipe(wholeField, v.maxValue(65_535))]),
    display_name: v.nullish(nameField),
    age: v.nullish(wholeField, 0),
    away: v.nullish(wholeField),
    connected_at: v.nullish(wholeField, 0),
    busy: v.nullish(v.boolean(), false),
  }),
  v.transform((host) => ({
    displayName: host.display_name ?? undefined,
    ip: host.addr[0],
    port: host.addr[1],
    ageMs: host.age,
    awayMs: host.away ?? undefined,
    connectedAt: host.connected_at / 1_000,
    isBusy: host.busy,
  })),
);

export const locatedSchema = v.pipe(
  v.object({
    hostname: nameField,
    display_name: v.nullish(nameField),
    ip: ipField,
    port: portField,
    name: nameField,
  }),
  v.transform(({ display_name: displayName, ...source }) => ({
    ...source,
    displayName: displayName ?? source.hostname,
  })),
);
