import type { PlainError } from '../../common/errors';
import type { FileStamp } from '../hash/fileStamp';

/** What is asked and said of the files that this peer offers. */

/**
 * Reasons for which a file is offered only with its user's consent: keys or tokens in its content, its
 * name, or a mode that lets nobody else read it.
 */
export const SECRET_KINDS = ['content', 'name', 'mode'] as const;
export type SecretKind = (typeof SECRET_KINDS)[number];

/** Reasons for which a changed file is not offered again: `own` was written by this product. */
export type HeldBackReason = SecretKind | 'own';

/** A file that is not offered again, until its user consents or it changes once more. */
export interface HeldBackFile {
  readonly name: string;
  readonly reason: HeldBackReason;
}

/** A file as it was when it was found and judged. */
export interface FoundAs {
  readonly realPath: string;
  /** Undefined when it could not be looked at. */
  readonly stamp: FileStamp | undefined;
  /** Why it looks like something that nobody should see, the most telling reason first. */
  readonly secrets: readonly SecretKind[];
  /** Whether `secrets` holds as long as the stamp stays: a file written a moment ago may change behind it. */
  readonly isSettled: boolean;
}

export interface PublishRequest {
  readonly files: readonly {
    /** Absolute path of the file where it lies; it is not copied. */
    readonly path: string;
    /** The name that others see: `/` between its parts. Normalized and checked. */
    readonly name: string;
    /** Folder that must contain the file's real path, if any must. */
    readonly folder?: string | undefined;
    /** Offered until this session ends: the next start does not offer it again. */
    readonly forSession?: boolean | undefined;
    /**
     * Consent of the user to offer it although it looks like a secret for these reasons. It is kept with
     * the name as long as that is offered; a file that looks like a secret for another reason is refused.
     */
    readonly consent?: readonly SecretKind[] | undefined;
    /** File that was found at this path when the user chose; another in its place is refused. */
    readonly found?: FoundAs | undefined;
  }[];
  /** Reads every file, whatever is remembered of its content. */
  readonly anew?: boolean | undefined;
}

export interface PublishOutcome {
  readonly name: string;
  /** Undefined when published. */
  readonly error: PlainError | undefined;
}

export interface FileDuplicates {
  readonly name: string;
  /** The first of those who offer the same content, under whatever name. */
  readonly sameContent: readonly {
    readonly hostname: string;
    readonly displayName: string;
    readonly name: string;
  }[];
  /** The first of those who offer other content under this name. */
  readonly sameName: readonly {
    readonly hostname: string;
    readonly displayName: string;
    readonly sizeBytes: number;
    readonly modifiedMs: number;
    /** Whether the content is known to be other; else only size or time are. */
    readonly certain: boolean;
  }[];
}

export interface FindFilesRequest {
  readonly places: readonly {
    /** Absolute path of a file or folder. */
    readonly path: string;
    /** Published name of the file; of a folder, what the names of its files begin with, or empty. */
    readonly name: string;
    /** Workspace folder: must contain the real paths, and its rules hold. */
    readonly folder?: string | undefined;
    /** Glob patterns for paths relative to `folder`, of what is left out of folders. */
    readonly exclude?: readonly string[] | undefined;
    /** Absolute paths of folders that are left out of others. */
    readonly leaveOut?: readonly string[] | undefined;
  }[];
}

/** What was found, without naming all of it. */
export interface FileSelection {
  readonly id: string;
  readonly files: number;
  readonly totalBytes: number;
  /** The first ones, by name. */
  readonly names: readonly string[];
  /** Files that look like secrets, without those whose user has consented before. */
  readonly secrets: number;
  /** Files that look like secrets for reasons that their user has consented to, all of them. */
  readonly consented: number;
  /** The first of `secrets`, each with its most telling reason. */
  readonly firstSecrets: readonly { readonly name: string; readonly kind: SecretKind }[];
}

export interface SelectionWish {
  readonly id: string;
  /** Whether the files that look like secrets are meant, too. */
  readonly withSecrets: boolean;
  /** As that of a file that is published. */
  readonly forSession?: boolean | undefined;
  /** As that of files that are published. */
  readonly anew?: boolean | undefined;
}

export interface DuplicateSummary {
  /** Files that were compared. */
  readonly files: number;
  /** Those of them that others offer already, or under whose name others offer something else. */
  readonly count: number;
  readonly first: readonly FileDuplicates[];
}

export interface PublishSummary {
  readonly published: number;
  /** The first ones of them. */
  readonly names: readonly string[];
  /** The tracker has not taken them all yet. */
  readonly isPending: boolean;
  readonly failedCount: number;
  /** The first thousand of them: files, and folders that could not be read. */
  readonly failed: readonly { readonly name: string; readonly error: PlainError }[];
}

export interface UnpublishRequest {
  readonly names: readonly string[];
}

export interface FileRename {
  /** Absolute path that the file or folder had. */
  readonly from: string;
  readonly to: string;
  /** Published name of what lies at `to`; of a folder, what the names of its files begin with. */
  readonly name: string;
  /** Folder that must contain the real paths of the files, if any must. */
  readonly folder?: string | undefined;
}

export interface RenameRequest {
  readonly renames: readonly FileRename[];
}

export interface PublishedFile {
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly publishedAtMs: number;
  /** `pending`: the tracker has not taken it yet. `missing`: the file is gone from its place. */
  readonly state: 'offered' | 'pending' | 'missing' | 'changed';
  /** Running uploads. */
  readonly uploads: number;
  /** The next start does not offer it again. */
  readonly forSession: boolean;
  /** Why it is not published again by itself although it has changed. */
  readonly heldBack?: HeldBackReason | undefined;
}
