const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Takes bytes apart from front to back; what does not fit throws what `malformed` makes. */
export class ByteReader {
  private position = 0;

  constructor(
    private readonly bytes: Buffer,
    private readonly malformed: () => Error,
  ) {}

  take(length: number): Buffer {
    const end = this.position + length;
    if (end > this.bytes.length) throw this.malformed();
    const taken = this.bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }

  takeByte(): number {
    return this.take(1).readUInt8();
  }

  /** One byte for the length, then as many bytes of UTF-8. */
  takeText(): string {
    const bytes = this.take(this.takeByte());
    try {
      return utf8.decode(bytes);
    } catch {
      throw this.malformed();
    }
  }

  /** Number of bytes taken so far. */
  get taken(): number {
    return this.position;
  }

  /** Nothing may follow. */
  end(): void {
    if (this.position !== this.bytes.length) throw this.malformed();
  }
}
