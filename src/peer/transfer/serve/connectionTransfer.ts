import { onAbort } from '../../../common/abort';
import type { Clock } from '../../../common/clock';
import { DisposableStore } from '../../../common/disposable';
import { PeershelfError } from '../../../common/errors';
import type { RunningUpload, UploadAbout, Uploads } from './uploads';

/** Between two requests for parts of one object; after that the transfer counts as over. */
const IDLE_MS = 2_000;

/**
 * The upload of one connection, as users see it: a fetcher asks for an object in many parts, which
 * are one transfer as long as they follow each other.
 */
export class ConnectionTransfer {
  private current: { readonly key: string; readonly upload: RunningUpload } | undefined;
  /** Bytes of the current object that earlier requests have sent. */
  private earlierBytes = 0;
  private bytes = 0;
  /** What ends the transfer between two requests. */
  private readonly pause = new DisposableStore();

  /** @param onCancelled it was ended between two requests: what is on its way has to be stopped. */
  constructor(
    private readonly uploads: Uploads,
    private readonly clock: Clock,
    private readonly onCancelled: () => void,
  ) {}

  /** Goes on with the upload of the object `key`, or starts it and ends that of another one. */
  begin(key: string, about: UploadAbout): RunningUpload {
    this.pause.clear();
    if (this.current?.key !== key || this.current.upload.signal.aborted) {
      this.end();
      this.current = { key, upload: this.uploads.start(about) };
    }
    this.earlierBytes = this.bytes;
    this.current.upload.addName(about.name);
    return this.current.upload;
  }

  /** Bytes that the current request has sent. */
  setBytes(bytes: number): void {
    this.bytes = this.earlierBytes + bytes;
    this.current?.upload.setBytes(this.bytes);
  }

  /** The request is answered; another one may follow. */
  rest(): void {
    const { signal } = this.current?.upload ?? {};
    this.pause.add(this.clock.after(IDLE_MS, () => this.end()));
    const onCancel = (): void => {
      this.end(new PeershelfError('CANCELLED', 'cancelled'));
      this.onCancelled();
    };
    this.pause.add(onAbort(signal, onCancel));
  }

  /** Without an error as done: which parts a fetcher wants is its own affair. */
  end(error?: unknown): void {
    this.pause.clear();
    this.current?.upload.finish(error);
    this.current = undefined;
    this.bytes = this.earlierBytes = 0;
  }
}
