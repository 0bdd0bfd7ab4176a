import { PeershelfError } from '../common/errors';
import type { NetworkFile } from '../peer/peerApi';
import type { FileWish } from './toolInput';

/**
 * Questions that are remembered, all tools together: agents ask about a few files at once, and a question
 * that the user has closed is never used.
 */
const MAX_REMEMBERED = 100;

/** File that a user was asked about: whoever acts on the answer acts on this and nothing else. */
export type ConfirmedFile = Pick<
  NetworkFile,
  'name' | 'hostname' | 'identity' | 'contentId' | 'sizeBytes' | 'modifiedMs'
>;

interface Question {
  readonly key: string;
  readonly file: ConfirmedFile;
}

/**
 * Ties what a tool does to what its user was asked. An editor tells a tool of a question and later of the
 * act, by the same input: between the two somebody else may offer another file under that input.
 */
export class ConfirmedFiles {
  /** The oldest first. */
  private questions: readonly Question[] = [];

  /** A user is asked whether a tool may take this file for a wish. */
  ask(tool: string, wish: FileWish, file: ConfirmedFile): void {
    const { name, hostname, identity, contentId, sizeBytes, modifiedMs } = file;
    const asked = {
      ...{ name, hostname, sizeBytes, modifiedMs },
      ...(identity !== undefined && { identity }),
      ...(contentId !== undefined && { contentId }),
    };
    const question = { key: keyOf(tool, wish), file: asked };
    this.questions = [...this.questions, question].slice(-MAX_REMEMBERED);
  }

  /**
   * The file that a user has agreed to, which is used up by it. Where several questions of one wish are
   * open, nobody knows which was answered: they must be about the same file.
   * @param current finds what is offered now as `name` by `hostname`.
   * @throws OFFER_CHANGED when nobody was asked, or something else is offered now: then the user has to
   * be asked again. Whatever `current` throws, but for NOT_FOUND.
   */
  async take<T extends ConfirmedFile>(
    tool: string,
    wish: FileWish,
    current: (name: string, hostname: string) => Promise<T>,
  ): Promise<T> {
    const key = keyOf(tool, wish);
    const open = this.questions.filter((question) => question.key === key);
    const asked = open[0]?.file;
    if (asked === undefined) throw offerChanged(wish);
    const now = await current(asked.name, asked.hostname).catch((error: unknown) => {
      if (PeershelfError.is(error, 'NOT_FOUND')) return undefined;
      throw error;
    });
    if (now === undefined || open.some(({ file }) => !isSame(file, now))) {
      this.questions = this.questions.filter((question) => question.key !== key);
      throw offerChanged(wish);
    }
    this.questions = this.questions.filter((question) => question !== open[0]);
    return now;
  }
}

function keyOf(tool: string, { name, hostname }: FileWish): string {
  return JSON.stringify([tool, name, hostname]);
}

/** Size and time must do where the content is not known, as in version 1. */
function isSame(asked: ConfirmedFile, now: ConfirmedFile): boolean {
  return (
    asked.name === now.name &&
    asked.hostname === now.hostname &&
    asked.identity === now.identity &&
    asked.contentId === now.contentId &&
    asked.sizeBytes === now.sizeBytes &&
    (asked.contentId !== undefined || asked.modifiedMs === now.modifiedMs)
  );
}

function offerChanged({ name }: FileWish): PeershelfError {
  return new PeershelfError('OFFER_CHANGED', 'what was confirmed is not offered any more', {
    details: { name },
  });
}
