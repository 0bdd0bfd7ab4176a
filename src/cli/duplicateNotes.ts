import type { Peer } from '../peer/peer';
import type { FileDuplicates, PublishRequest } from '../peer/peerApi';
import { plainText } from '../protocol/text';
import type { Output } from './output';

/** Of a large folder nobody wants to know it file by file, and it would take its time. */
const MAX_CHECKED_FILES = 1_000;
/** Notes that are printed; with more of them, people look at the network instead. */
const MAX_NOTES = 20;

/** Prints what others offer already of these files. A failure is one of publishing too, if it lasts. */
export async function noteDuplicates(
  peer: Peer,
  files: PublishRequest['files'],
  { stderr }: Output,
): Promise<void> {
  if (files.length > MAX_CHECKED_FILES) return;
  const notes = (await duplicatesOf(peer, files)).flatMap(toNotes);
  for (const note of notes.slice(0, MAX_NOTES)) stderr.write(`peershelf: ${note}\n`);
  if (notes.length > MAX_NOTES)
    stderr.write(`peershelf: ${notes.length - MAX_NOTES} more are offered by others already\n`);
}

async function duplicatesOf(peer: Peer, files: PublishRequest['files']): Promise<FileDuplicates[]> {
  try {
    return await peer.findDuplicates({ files });
  } catch {
    return []; // Publishing meets the same, and says what is wrong.
  }
}

function toNotes({ name, sameContent, sameName }: FileDuplicates): string[] {
  const [same] = sameContent;
  const [other] = sameName;
  return [
    ...(same === undefined
      ? []
      : [
          `${plain(name)}: ${plain(same.displayName)} offers the same content as ${plain(same.name)}`,
        ]),
    ...(other === undefined
      ? []
      : [
          `${plain(name)}: ${plain(other.displayName)} offers ${other.certain ? '' : 'probably '}other content under this name`,
        ]),
  ];
}

function plain(text: string): string {
  return plainText(text, Number.POSITIVE_INFINITY);
}
