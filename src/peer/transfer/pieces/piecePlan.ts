/** Consecutive pieces: the first, and the one behind the last. */
export interface PieceRun {
  readonly first: number;
  readonly end: number;
}

type PieceState = 'missing' | 'assigned' | 'done';

/** Which pieces are still to be asked for, which are under way, and which are verified. */
export class PiecePlan {
  private readonly states: PieceState[];
  private missing: number;
  private left: number;
  /** No piece before this one is missing. */
  private cursor = 0;

  constructor(pieceCount: number, isDone: (piece: number) => boolean) {
    this.states = Array.from({ length: pieceCount }, (_, piece) =>
      isDone(piece) ? 'done' : 'missing',
    );
    this.left = this.missing = this.states.filter((state) => state === 'missing').length;
  }

  /** Pieces that nobody has been asked for. */
  get missingCount(): number {
    return this.missing;
  }

  get isComplete(): boolean {
    return this.left === 0;
  }

  /** The next pieces to ask for, at most `maxPieces`; they are under way from now on. */
  take(maxPieces: number): PieceRun | undefined {
    while (this.cursor < this.states.length && this.states[this.cursor] !== 'missing')
      this.cursor += 1;
    const first = this.cursor;
    let end = first;
    while (end - first < maxPieces && this.states[end] === 'missing') {
      this.states[end] = 'assigned';
      end += 1;
    }
    this.missing -= end - first;
    this.cursor = end;
    return end > first ? { first, end } : undefined;
  }

  /** A piece that was under way is not: it may be asked for again. */
  release(piece: number): void {
    if (this.states[piece] !== 'assigned') return;
    this.states[piece] = 'missing';
    this.missing += 1;
    this.cursor = Math.min(this.cursor, piece);
  }

  /** A piece is verified and written. */
  complete(piece: number): void {
    if (this.states[piece] !== 'assigned') return;
    this.states[piece] = 'done';
    this.left -= 1;
  }
}
