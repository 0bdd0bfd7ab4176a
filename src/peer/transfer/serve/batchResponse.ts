import { PeershelfError } from '../../../common/errors';
import { type ContentId, formatContentId, parseContentId } from '../../../protocol/contentId';
import { MAX_BATCH_OBJECT_BYTES, MAX_BATCH_OBJECTS } from '../../../protocol/limits';
import { PacedWriter } from '../pacedWriter';
import { whenAdmitted } from './admission';
import { BatchReader } from './batchReader';
import type { Recipient } from './connections';
import { BYTES_HEADERS, type Exchange } from './exchange';
import { noteTrouble, troubleWith } from './openContent';
import { type Problem, PROBLEM_STATUS, type ProblemCode } from './problems';
import { readBody } from './requestBody';
import type { ServingContext } from './servingContext';
import type { RunningUpload } from './uploads';

/** Objects and their lines are put together up to this size before they are sent. */
const BLOCK_BYTES = 256 * 1024;
/** Longest line of an answer: status, content id, line feed, and room. */
const MAX_LINE_BYTES = 128;

/** `POST` of content ids, answered by the bytes of all of them. */
export async function respondWithBatch(
  exchange: Exchange,
  context: ServingContext,
): Promise<Problem | undefined> {
  const body = await readBody(exchange, context);
  if (body === 'too_large') return { code: 'too_large', closes: true };
  const ids = parseIds(body);
  if (!Array.isArray(ids)) return { code: ids };
  return whenAdmitted(exchange, context, () => {
    const names = ids.flatMap((id) => context.offer.findContent(id)?.name ?? []);
    const isDeclined = (name: string): boolean =>
      context.uploads.isDeclined(exchange.recipient, name);
    if (names.length > 0 && names.every(isDeclined)) return Promise.resolve({ code: 'declined' });
    return sendBatch(exchange, { ids, names }, context);
  });
}

function parseIds(body: Buffer): ContentId[] | ProblemCode {
  const lines = body.toString('latin1').split('\n');
  if (lines.at(-1) === '') lines.pop();
  if (lines.length > MAX_BATCH_OBJECTS) return 'too_large';
  const ids = lines.flatMap((line) => parseContentId(line) ?? []);
  return ids.length === lines.length && ids.length > 0 ? ids : 'bad_request';
}

async function sendBatch(
  exchange: Exchange,
  { ids, names }: { readonly ids: readonly ContentId[]; readonly names: readonly string[] },
  context: ServingContext,
): Promise<undefined> {
  const { response, transfer, recipient } = exchange;
  const { clock, limiter, slowReaderMs: stallMs } = context;
  const totalBytes = ids.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const [first = ''] = names;
  // In any language: a name of a file in it, and how many others there are.
  const name = ids.length === 1 ? first : `${first} (+${ids.length - 1})`.trim();
  transfer.end(); // A batch is an upload of its own.
  const about = { name, recipient, totalBytes, folder: folderOf(names) };
  const running = transfer.begin('batch', about);
  const { signal } = running;
  const writer = new PacedWriter(response, { clock, limiter, signal, stallMs });
  try {
    response.writeHead(200, BYTES_HEADERS);
    const batch = new Batch(context, running, recipient);
    await writer.run(batch.send(ids, writer, (bytes) => transfer.setBytes(bytes)));
    transfer.rest();
  } catch (error) {
    transfer.end(error);
    throw error;
  } finally {
    writer.dispose();
  }
  response.end();
  return undefined;
}

/** The folder that all lie in, `/` at its end; empty when it is that of the whole. */
function folderOf([first = '', ...others]: readonly string[]): string {
  let end = first.lastIndexOf('/') + 1;
  while (end > 0 && !others.every((name) => name.startsWith(first.slice(0, end))))
    end = first.lastIndexOf('/', end - 2) + 1;
  return first.slice(0, end);
}

/** Puts together the answer to one batch. */
class Batch {
  private readonly reader = new BatchReader();
  private block = Buffer.allocUnsafe(BLOCK_BYTES);
  private used = 0;

  constructor(
    private readonly context: ServingContext,
    private readonly running: RunningUpload,
    private readonly recipient: Recipient,
  ) {}

  async send(
    ids: readonly ContentId[],
    writer: PacedWriter,
    onBytes: (bytes: number) => void,
  ): Promise<void> {
    let sent = 0;
    let flushed = Promise.resolve();
    const flush = async (): Promise<void> => {
      await flushed; // One block is filled while another is sent.
      this.reader.forget();
      sent += this.used;
      onBytes(sent);
      flushed = writer.writeAll(this.block.subarray(0, this.used));
      flushed.catch(() => undefined); // Thrown where it is waited for.
    };
    for (const id of ids) {
      const needed = MAX_LINE_BYTES + Math.min(id.sizeBytes, MAX_BATCH_OBJECT_BYTES);
      if (this.used + needed > this.block.length) {
        if (this.used > 0) await flush();
        if (writer.isStopped()) return;
        this.block = Buffer.allocUnsafe(Math.max(BLOCK_BYTES, needed));
        this.used = 0;
      }
      this.add(id);
    }
    await flush();
    await flushed;
  }

  /** Reads the object behind the place of its line; the line is written when the bytes are right. */
  private add(id: ContentId): void {
    const text = formatContentId(id);
    const bytesAt = this.used + `200 ${text}\n`.length;
    const problem = this.read(id, bytesAt);
    const status = problem === undefined ? 200 : PROBLEM_STATUS[problem];
    this.used += this.block.write(`${status} ${text}\n`, this.used, 'latin1');
    if (problem === undefined) this.used += id.sizeBytes;
  }

  private read(id: ContentId, position: number): ProblemCode | undefined {
    const entry = this.context.offer.findContent(id);
    if (entry === undefined) return 'not_published';
    if (this.context.uploads.isDeclined(this.recipient, entry.name)) return 'declined';
    if (id.sizeBytes > MAX_BATCH_OBJECT_BYTES) return 'too_large';
    this.running.addName(entry.name);
    try {
      this.reader.read(entry, this.block.subarray(position, position + id.sizeBytes));
      return undefined;
    } catch (error) {
      return PeershelfError.is(error, 'FILE_CHANGED')
        ? noteTrouble(entry, 'changed', this.context)
        : troubleWith(entry, error, this.context);
    }
  }
}
