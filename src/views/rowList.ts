import { Emitter, type Event } from '../common/events';

/** Each press of the row for more shows so many more: VS Code sends all siblings again on a change. */
const PAGE_SIZE = 500;

/** Stands for the rows that are left out. */
export interface MoreRow {
  readonly kind: 'more';
  readonly id: string;
  left: number;
}

export interface RowListOptions<Value, Row> {
  /** Tells this list's row for more from those of other lists. */
  readonly name: string;
  readonly idOf: (value: Value) => string;
  readonly create: (value: Value) => Row;
  /** Lets a row show another value of its id. @returns whether it shows something else now. */
  readonly update: (row: Row, value: Value) => boolean;
}

/**
 * The rows of a view without levels. A row is the same object as long as its value is known: VS Code
 * then keeps what is selected, and draws again only what shows something else.
 */
export class RowList<Value, Row> {
  private readonly changeEmitter = new Emitter<(Row | MoreRow)[] | undefined>();
  private readonly more: MoreRow;
  private values: readonly Value[] = [];
  private rows = new Map<string, Row>();
  private limit = PAGE_SIZE;
  /** Whether other rows were told of, and have not been taken since. */
  private owesRows = false;

  /** Fires with the rows to be drawn again; with `undefined` when there are others. */
  readonly onDidChange: Event<(Row | MoreRow)[] | undefined> = this.changeEmitter.event;

  constructor(private readonly options: RowListOptions<Value, Row>) {
    this.more = { kind: 'more', id: JSON.stringify(['more', options.name]), left: 0 };
  }

  /** The rows as they are now. */
  take(): (Row | MoreRow)[] {
    this.owesRows = false;
    const rows: (Row | MoreRow)[] = [...this.rows.values()];
    if (this.more.left > 0) rows.push(this.more);
    return rows;
  }

  /** @param values in the order of their rows; no two have the same id. */
  show(values: readonly Value[]): void {
    const before = this.rows;
    const { idOf, create, update } = this.options;
    const changed: (Row | MoreRow)[] = [];
    this.values = values;
    this.rows = new Map(
      values.slice(0, this.limit).map((value) => {
        const id = idOf(value);
        const known = before.get(id);
        if (known === undefined) return [id, create(value)];
        if (update(known, value)) changed.push(known);
        return [id, known];
      }),
    );
    const leftBefore = this.more.left;
    this.more.left = Math.max(0, values.length - this.limit);
    if (this.more.left !== leftBefore) changed.push(this.more);
    const isOtherMore = this.more.left > 0 !== leftBefore > 0;
    if (isOtherMore || !hasSameOrder(before, this.rows)) {
      this.owesRows = true;
      this.changeEmitter.fire(undefined);
    } else if (changed.length > 0) this.changeEmitter.fire(changed);
  }

  /** Shows more rows, if the row for more of this list has this id. */
  showMore(id: string): void {
    if (id !== this.more.id) return;
    this.limit += PAGE_SIZE;
    this.show(this.values);
  }

  /** Tells again of rows that were not taken; see `Settling`. */
  tellAgain(): void {
    if (this.owesRows) this.changeEmitter.fire(undefined);
  }
}

function hasSameOrder(one: ReadonlyMap<string, unknown>, other: typeof one): boolean {
  const ids = [...other.keys()];
  return one.size === ids.length && [...one.keys()].every((id, index) => id === ids[index]);
}
